/* sort: stable sorting of positions by the cells of a column, for order, quantiles and their kin.
 * Private to the kernels. */
#ifndef SORT_H
#define SORT_H

#include "kernel/kernel.h"

#include <string.h>

typedef struct SortItem {
    uint64_t key;
    int64_t index;
} SortItem;

/* Keys compare as the numbers do; -0 equals 0, and NaN, all the same, is the largest. */
static inline uint64_t sort_key(double x)
{
    uint64_t bits;

    if (x != x)
        return UINT64_MAX;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static inline double sort_value(uint64_t key)
{
    double x;

    key = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    memcpy(&x, &key, sizeof x);
    return x;
}

/* Sort by key, stable; scratch has room for n items too. */
ml_status sort_items(Ctx *ctx, SortItem *items, SortItem *scratch, int64_t n);

/* Positions of the rows of m ordered by its columns by[0], by[1] ... (from 0): index the row, key
 * that of by[0], complemented when decreasing.  To be freed with sort_free. */
ml_status sort_rows(Ctx *ctx, const Matrix *m, const int64_t *by, int64_t nby, bool decreasing,
                    SortItem **items);
void sort_free(Ctx *ctx, SortItem *items, int64_t rows);
/* Their rows alone, in order; NULL when memory is exhausted. */
int64_t *sort_positions(Ctx *ctx, const SortItem *items, int64_t rows);
void sort_positions_free(Ctx *ctx, int64_t *positions, int64_t rows);

/* The rows of m at these positions, in this order: dense for dense, CSR for CSR, constant for
 * constant.  A negative position gives a row of zeros, which a constant has none of. */
ml_status rows_gather(Ctx *ctx, const Matrix *m, const int64_t *rows, int64_t n, Matrix **out);

#endif
