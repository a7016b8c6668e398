/* Numbers and truth values of a column of CSV, eight cells at a time: see csv_numbers_avx512.c. */
#ifndef CSV_NUMBERS_H
#define CSV_NUMBERS_H

#include "io/io_impl.h"

enum {
    CSV_GROUP = 8,       /* cells that are parsed together */
    CSV_CELL_BEHIND = 24 /* so many characters before the end of a cell are read */
};

/* Cells of a column: cell i is the `sizes[i]` characters before text + ends[i]. Both arrays have
 * room for a whole last group. Cells of the usual forms are put, and the others' bits set in bad[i
 * / CSV_GROUP]; false when there are none. Empty cells are 0. */
typedef struct CsvColumn {
    const char *text;
    const uint32_t *ends, *sizes;
    int64_t count;
    uint8_t *bad;
} CsvColumn;

/* Whether cell i was left. */
static inline bool csv_is_bad(const CsvColumn *c, int64_t i)
{
    return c->bad[i / CSV_GROUP] >> i % CSV_GROUP & 1;
}

/* Behind n cells: empty ones up to a whole group. */
static inline void csv_fill_group(uint32_t *ends, uint32_t *sizes, int64_t n)
{
    for (int64_t i = n; i % CSV_GROUP; i++) {
        ends[i] = ends[i - 1];
        sizes[i] = 0;
    }
}

bool csv_doubles_avx512(const CsvColumn *c, double *out);
bool csv_int64s_avx512(const CsvColumn *c, int64_t *out);
bool csv_int32s_avx512(const CsvColumn *c, int32_t *out);
bool csv_truths_avx512(const CsvColumn *c, uint8_t *out); /* of true and false */

#endif
