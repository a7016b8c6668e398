/* Binary cell-wise operators on a CSR operand beside a scalar, a vector or dense cells that leave
 * its zeros zero.  The result has its structure; only the values run through the loops.  Results
 * that turn out zero are dropped by matrix_finish. */
#include "kernel/cellwise.h"

#include <string.h>

/* A grain in rows for work of `entries` entries in all. */
static int64_t row_grain(const Matrix *m, int64_t entries)
{
    return task_grain(m->rows > 0 ? entries / m->rows + 1 : 1);
}

typedef struct MapJob {
    const BinaryOp *op;
    const Matrix *in;
    const Side *other;
    bool csr_left;
    Matrix *out;
    atomic_int_fast64_t nnz;
} MapJob;

/* The other operand's values beside entries [k, k + n) of row i. */
static void gather(const MapJob *job, int64_t i, int64_t k, int64_t n, double *out)
{
    const Side *other = job->other;
    const uint32_t *idx = job->in->col_idx + k;
    const int64_t at = other->kind == SIDE_CELLS ? i * job->in->cols : 0;

    for (int64_t j = 0; j < n && other->m->singles; j++)
        out[j] = other->m->singles[at + idx[j]];
    for (int64_t j = 0; j < n && other->m->values; j++)
        out[j] = other->m->values[at + idx[j]];
}

static int64_t map_scalar(const MapJob *job, int64_t k, int64_t n, double value)
{
    const double *x = job->in->values + k;
    double *out = job->out->values + k;

    return job->csr_left ? binary_vs(job->op, x, value, out, n)
                         : binary_sv(job->op, value, x, out, n);
}

static int64_t map_row(const MapJob *job, int64_t i)
{
    const int64_t end = job->in->row_ptr[i + 1];
    double beside[CELL_CHUNK];
    int64_t nnz = 0, n;

    if (job->other->kind == SIDE_COL)
        return map_scalar(job, job->in->row_ptr[i], end - job->in->row_ptr[i],
                          job->other->m->values[i]);
    for (int64_t k = job->in->row_ptr[i]; k < end; k += n) {
        const double *x = job->in->values + k;
        double *out = job->out->values + k;

        n = end - k < CELL_CHUNK ? end - k : CELL_CHUNK;
        gather(job, i, k, n, beside);
        nnz += job->csr_left ? binary_vv(job->op, x, beside, out, n)
                             : binary_vv(job->op, beside, x, out, n);
    }
    return nnz;
}

static ml_status map_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    MapJob *job = arg;
    const int64_t begin = job->in->row_ptr[lo], n = job->in->row_ptr[hi] - begin;
    int64_t nnz = 0;

    (void)ctx;
    memcpy(job->out->col_idx + begin, job->in->col_idx + begin, (size_t)n * sizeof(uint32_t));
    memcpy(job->out->row_ptr + lo + 1, job->in->row_ptr + lo + 1,
           (size_t)(hi - lo) * sizeof(int64_t));
    if (job->other->kind == SIDE_SCALAR)
        nnz = map_scalar(job, begin, n, job->other->scalar);
    else
        for (int64_t i = lo; i < hi; i++)
            nnz += map_row(job, i);
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

ml_status binary_sparse_map(Ctx *ctx, OpCall *call, const BinaryOp *op, const Side *x,
                            const Side *y)
{
    const bool left = side_is_csr(x);
    const Matrix *in = left ? x->m : y->m;
    MapJob job = {.op = op, .in = in, .other = left ? y : x, .csr_left = left};
    const int64_t entries = in->row_ptr[in->rows];
    ml_status st;

    TRY(matrix_new_csr(ctx, in->rows, in->cols, entries, &job.out));
    st = task_for(ctx, in->rows, row_grain(in, entries), map_rows, &job);
    if (st != ML_OK) {
        matrix_release(job.out);
        return st;
    }
    return result_matrix(ctx, call, 0, job.out,
                         atomic_load_explicit(&job.nnz, memory_order_relaxed));
}
