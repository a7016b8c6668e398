/* Small steps on CSR matrices. */
#ifndef CSR_H
#define CSR_H

#include "kernel/kernel.h"

static inline int64_t csr_nnz(const Matrix *m)
{
    return m->row_ptr[m->rows];
}

/* First position of row i whose column is not below col. */
static inline int64_t csr_lower(const Matrix *m, int64_t i, int64_t col)
{
    int64_t lo = m->row_ptr[i], hi = col > 0 ? m->row_ptr[i + 1] : lo;

    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (m->col_idx[mid] < col)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* out[column] += cell * scale for the entries [from, to). */
static inline void csr_add_scaled(const Matrix *m, int64_t from, int64_t to, double scale,
                                  double *out)
{
    if (m->singles)
        for (int64_t k = from; k < to; k++)
            out[m->col_idx[k]] += m->singles[k] * scale;
    else
        for (int64_t k = from; k < to; k++)
            out[m->col_idx[k]] += m->values[k] * scale;
}

/* out = t(in), of its type; out is new, with room for the entries. (transpose_csr.c) */
ml_status csr_transpose(Ctx *ctx, const Matrix *in, Matrix *out);

/* ---- tiles of about equal work ----
 * A row costs its entries and one more.  Tile t of some that divide the work evenly is the rows
 * [csr_tile(m, t, tiles), csr_tile(m, t + 1, tiles)); a row is never cut, so tiles may be empty. */

/* As many tiles of about `work` as m has. */
static inline int64_t csr_tiles(const Matrix *m, int64_t work)
{
    return (csr_nnz(m) + m->rows + work - 1) / work;
}

int64_t csr_tile(const Matrix *m, int64_t t, int64_t tiles);

/* ---- entries with their rows ----
 * For matrices with few entries a row, where a loop over each row would mostly mispredict its end:
 * the entries of many rows at once, beside a list of their rows, made without branches. */

enum { CSR_WALK = 1024 };

typedef struct CsrWalk {
    const Matrix *m;
    int64_t base;           /* the row that `row` counts from */
    int64_t at, n;          /* entries [at, at + n) */
    uint32_t row[CSR_WALK]; /* of each */
    int64_t end_row;
} CsrWalk;

/* Begin with the entries of rows [lo, hi), at most CSR_WALK at a time; for csr_walk_next. */
static inline void csr_walk(CsrWalk *w, const Matrix *m, int64_t lo, int64_t hi)
{
    w->m = m;
    w->base = lo;
    w->end_row = hi;
    w->at = m->row_ptr[lo];
    w->n = 0;
}

/* Go on; false: there are no more. */
bool csr_walk_next(CsrWalk *w);

/* Does m have so few entries a row that a walk is faster than a loop over each row? */
static inline bool csr_is_thin(const Matrix *m)
{
    return csr_nnz(m) < 6 * m->rows;
}

#endif
