/* Numbers as other programs lay them in memory: for the binary formats of others. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include "io/io_impl.h"

typedef struct NumberType {
    char kind; /* 'f' floating-point, 'i' and 'u' integers with and without sign, 'b' boolean */
    uint8_t size;
    bool swapped; /* not in the byte order of this machine */
} NumberType;

bool number_type_known(NumberType t);
/* n numbers, the next one `stride` bytes on, as doubles: integers beyond 2^53 are rounded. */
void numbers_to_doubles(NumberType t, const char *from, size_t stride, int64_t n, double *to);
/* The same of numbers one after the other; how many are not zero. */
int64_t numbers_to_cells(NumberType t, const char *from, int64_t n, double *to);
/* A matrix of rows x cols numbers that lie there row by row, or column by column, with its number
 * of nonzeros where that was counted: for matrix_finish. */
ml_status numbers_to_matrix(Ctx *ctx, NumberType t, const char *from, bool by_column, int64_t rows,
                            int64_t cols, Matrix **out);
/* The same of numbers that lie in a file: of many doubles its mapping becomes the matrix, and is no
 * longer the file's, also when this fails. */
ml_status numbers_of_file(Ctx *ctx, InputFile *f, NumberType t, const char *from, bool by_column,
                          int64_t rows, int64_t cols, Matrix **out);
/* The column type that holds all numbers of a type; UINT64 is none, INT64 stands for it. */
FrameType number_frame_type(NumberType t);
/* The same numbers as a column of that type; `name` for messages. */
ml_status numbers_to_column(Ctx *ctx, const char *name, NumberType t, const char *from,
                            size_t stride, int64_t n, FrameColumn **out);
/* n integers or booleans into an integer column from row `at` on; false when one is beyond INT64.
 */
bool numbers_to_ints(NumberType t, const char *from, size_t stride, int64_t n, FrameColumn *c,
                     int64_t at);
/* n numbers one after the other into rows `at` and following of a column of their type, in the byte
 * order of this machine. Bit i of validity, if it is given, tells whether number i is there: a
 * column of integers or booleans in which one is missing becomes one of FP64. */
ml_status numbers_fill(Ctx *ctx, const char *name, NumberType t, const char *from,
                       const void *validity, int64_t n, FrameColumn **c, int64_t at);
static inline bool bit_is_set(const void *bits, int64_t i) /* true without bits */
{
    return !bits || (((const unsigned char *)bits)[i / 8] >> (i % 8) & 1);
}
/* How the numbers of a column lie in memory. */
NumberType number_type_of(FrameType type);

#endif
