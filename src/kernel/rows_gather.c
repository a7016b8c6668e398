/* rows_gather: a matrix of some rows of another.  Cost: the cells moved, in any format. */
#include "kernel/sort.h"

typedef struct GatherJob {
    const Matrix *in;
    Matrix *out;
    const int64_t *rows;
} GatherJob;

static ml_status dense_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const GatherJob *job = arg;
    const int64_t cols = job->in->cols;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        memcpy(job->out->values + i * cols, job->in->values + job->rows[i] * cols,
               (size_t)cols * sizeof(double));
    return ML_OK;
}

static ml_status csr_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const GatherJob *job = arg;
    const Matrix *in = job->in;
    Matrix *out = job->out;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        const int64_t from = in->row_ptr[job->rows[i]], to = out->row_ptr[i];
        const size_t n = (size_t)(out->row_ptr[i + 1] - to);

        memcpy(out->values + to, in->values + from, n * sizeof *out->values);
        memcpy(out->col_idx + to, in->col_idx + from, n * sizeof *out->col_idx);
    }
    return ML_OK;
}

static ml_status gather_csr(Ctx *ctx, GatherJob *job, int64_t n)
{
    const int64_t *in = job->in->row_ptr;
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++)
        nnz += in[job->rows[i] + 1] - in[job->rows[i]];
    TRY(matrix_new_csr(ctx, n, job->in->cols, nnz, &job->out));
    for (int64_t i = 0; i < n; i++)
        job->out->row_ptr[i + 1] = job->out->row_ptr[i] + in[job->rows[i] + 1] - in[job->rows[i]];
    return task_for(ctx, n, task_grain(n ? 1 + nnz / n : 1), csr_task, job);
}

ml_status rows_gather(Ctx *ctx, const Matrix *m, const int64_t *rows, int64_t n, Matrix **out)
{
    GatherJob job = {.in = m, .rows = rows};
    ml_status st;

    if (m->format == MATRIX_CONSTANT)
        return matrix_new_constant(ctx, n, m->cols, m->constant, out);
    if (m->format == MATRIX_CSR) {
        st = gather_csr(ctx, &job, n);
    } else {
        TRY(matrix_new_dense(ctx, n, m->cols, &job.out));
        st = task_for(ctx, n, task_grain(m->cols), dense_task, &job);
    }
    if (st != ML_OK)
        matrix_release(job.out);
    else
        *out = job.out;
    return st;
}
