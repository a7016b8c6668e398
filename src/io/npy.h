/* One array in NumPy's .npy form, for npy.c and npz.c. */
#ifndef NPY_H
#define NPY_H

#include "io/numbers.h"

enum { NPY_DIMS = 32 };

typedef struct NpyField {
    const char *name; /* NULL for the cells of a plain array */
    char kind;        /* as in dtype.kind: f i u b U S ..., '?' for what is none of the known */
    bool swapped;
    int64_t size, offset; /* bytes, inside a record */
    const char *descr;    /* as the header spells it */
} NpyField;

typedef struct NpyArray {
    const char *name; /* for messages */
    const char *data; /* rows records of record_size bytes; plain arrays have cols of them a row */
    NpyField *fields;
    int field_count;
    bool plain, by_column;
    int dims;
    int64_t shape[NPY_DIMS];
    int64_t rows, cols; /* what follows the first dimension is spread over columns */
    int64_t record_size;
} NpyArray;

/* Read the header; everything in it is checked against `size`. Strings live in the arena. */
ml_status npy_open(Ctx *ctx, Arena *arena, const char *name, const char *p, size_t size,
                   NpyArray *out);
ml_status npy_open_file(Ctx *ctx, const Spec *spec, const Input *in, NpyArray *out);
/* ML_EFORMAT unless cells are plain numbers. */
ml_status npy_numbers(Ctx *ctx, const NpyArray *a, const NpyField *f, NumberType *out);
ml_status npy_to_matrix(Ctx *ctx, const NpyArray *a, Matrix **out);

/* The header of an array, a multiple of 64 bytes: descr as NumPy spells it, cols < 0 for one
 * dimension. */
void npy_put_header(Buffer *b, const char *descr, int64_t rows, int64_t cols);
/* Rows of a matrix as cells. */
void npy_put_rows(const void *matrix, int64_t lo, int64_t hi, Buffer *b);

#endif
