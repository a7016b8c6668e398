/* Are all cells finite?  What products over sparse operands and guarded rewrites must know before
 * they may skip zeros.  Cost: one pass, stopped by nothing. */
#include "kernel/csr.h"
#include "kernel/dense.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>

enum { SCAN_TILE = 1 << 14 }; /* cells */

typedef struct Scan {
    const double *cells;
    const float *singles; /* instead, unless NULL */
    int64_t n;
    atomic_bool odd;
} Scan;

/* Relaxed: task_for orders the flag, which only ever becomes true. */
static ml_status scan_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Scan *s = arg;

    (void)ctx;
    for (int64_t u = lo; u < hi; u++) {
        const int64_t first = u * SCAN_TILE, left = s->n - first;
        const int64_t end = first + (left < SCAN_TILE ? left : SCAN_TILE);
        int64_t odd = 0;

        for (int64_t i = first; i < end && !s->singles; i++)
            odd += !(fabs(s->cells[i]) <= DBL_MAX);
        for (int64_t i = first; i < end && s->singles; i++)
            odd += !(fabsf(s->singles[i]) <= FLT_MAX);
        if (odd)
            atomic_store_explicit(&s->odd, true, memory_order_relaxed);
    }
    return ML_OK;
}

static ml_status scan(Ctx *ctx, Scan *s, bool *finite)
{
    TRY(task_for(ctx, (s->n + SCAN_TILE - 1) / SCAN_TILE, task_grain(SCAN_TILE), scan_range, s));
    *finite = !atomic_load_explicit(&s->odd, memory_order_relaxed);
    return ML_OK;
}

ml_status cells_finite(Ctx *ctx, const double *cells, int64_t n, bool *finite)
{
    Scan s = {.cells = cells, .n = n};

    return scan(ctx, &s, finite);
}

ml_status matrix_finite(Ctx *ctx, const Matrix *m, bool *finite)
{
    Scan s = {.cells = m->values,
              .singles = m->singles,
              .n = m->format == MATRIX_CSR ? csr_nnz(m) : matrix_cells(m)};

    return scan(ctx, &s, finite);
}

ml_status ml_k_all_finite(Ctx *ctx, OpCall *call)
{
    Matrix *x;
    bool finite = true;

    TRY(call_matrix(ctx, call, 0, &x));
    if (x->format == MATRIX_CONSTANT)
        finite = matrix_cells(x) == 0 || isfinite(x->constant);
    else
        TRY(matrix_finite(ctx, x, &finite));
    call->out[0] = value_bool(finite);
    return ML_OK;
}
