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
    int64_t lo = m->row_ptr[i], hi = m->row_ptr[i + 1];

    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (m->col_idx[mid] < col)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

#endif
