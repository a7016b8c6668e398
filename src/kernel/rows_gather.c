/* rows_gather: a matrix of some rows of another, a row of zeros where the number of the row is
 * negative.  Cost: the cells moved, in any format. */
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
        if (job->rows[i] >= 0)
            matrix_move(job->in, job->rows[i] * cols, job->out, i * cols, cols);
        else if (cols > 0)
            memset(matrix_at(job->out, i * cols), 0, (size_t)cols * matrix_cell_size(job->out));
    return ML_OK;
}

static int64_t row_entries(const GatherJob *job, int64_t i)
{
    const int64_t *ends = job->in->row_ptr, row = job->rows[i];

    return row < 0 ? 0 : ends[row + 1] - ends[row];
}

static ml_status csr_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const GatherJob *job = arg;
    const Matrix *in = job->in;
    Matrix *out = job->out;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        const int64_t to = out->row_ptr[i], n = out->row_ptr[i + 1] - to;
        const int64_t from = n ? in->row_ptr[job->rows[i]] : 0;

        matrix_move(in, from, out, to, n);
        if (n > 0)
            memcpy(out->col_idx + to, in->col_idx + from, (size_t)n * sizeof *out->col_idx);
    }
    return ML_OK;
}

static ml_status gather_csr(Ctx *ctx, GatherJob *job, int64_t n)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++)
        nnz += row_entries(job, i);
    TRY(matrix_new_csr_of(ctx, matrix_type(job->in), n, job->in->cols, nnz, &job->out));
    for (int64_t i = 0; i < n; i++)
        job->out->row_ptr[i + 1] = job->out->row_ptr[i] + row_entries(job, i);
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
        TRY(matrix_like(ctx, m, n, m->cols, &job.out));
        st = task_for(ctx, n, task_grain(m->cols), dense_task, &job);
    }
    if (st != ML_OK)
        matrix_release(job.out);
    else
        *out = job.out;
    return st;
}
