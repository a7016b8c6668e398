/* Tiles of equal work, and walks over entries with their rows; see csr.h. */
#include "kernel/csr.h"

#include <string.h>

int64_t csr_tile(const Matrix *m, int64_t t, int64_t tiles)
{
    const int64_t all = csr_nnz(m) + m->rows, share = all / tiles, rest = all % tiles;
    const int64_t work = t * share + t * rest / tiles;
    int64_t lo = 0, hi = m->rows;

    if (t == tiles)
        return m->rows;
    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (m->row_ptr[mid] + mid < work)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Rows note themselves where they begin - empty ones are overwritten by the next - and the notes
 * are then carried on to the entries after them. */
bool csr_walk_next(CsrWalk *w)
{
    const int64_t *row_ptr = w->m->row_ptr, last = row_ptr[w->end_row];
    int64_t r;
    uint32_t row = 0;

    if (w->n > 0)
        w->base += w->row[w->n - 1];
    w->at += w->n;
    w->n = last - w->at < CSR_WALK ? last - w->at : CSR_WALK;
    if (w->n <= 0)
        return false;
    memset(w->row, 0, (size_t)w->n * sizeof *w->row);
    for (r = w->base + 1; row_ptr[r] < w->at + w->n; r++)
        w->row[row_ptr[r] - w->at] = (uint32_t)(r - w->base);
    for (int64_t k = 0; k < w->n; k++) {
        row = w->row[k] > row ? w->row[k] : row;
        w->row[k] = row;
    }
    return true;
}
