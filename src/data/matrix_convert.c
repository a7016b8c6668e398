/* matrix_convert: between dense, CSR and constant, in parallel over rows.
 *
 * Dense to CSR takes two passes: count the nonzeros of each row, make the row pointers of the
 * counts, then fill.  The second pass finds the cells of small matrices in cache; for large ones
 * both run at the speed of memory. */
#include "data/data.h"
#include "task/task.h"

#include <string.h>

typedef struct ConvertJob {
    const Matrix *in;
    Matrix *out;
} ConvertJob;

static ml_status run_rows(Ctx *ctx, const Matrix *in, Matrix *out, TaskFn fn)
{
    ConvertJob job = {in, out};

    return task_for(ctx, in->rows, task_grain(in->cols), fn, &job);
}

static ml_status rows_to_dense(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ConvertJob *job = arg;
    const Matrix *in = job->in;
    double *out = job->out->values;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        double *row = out + i * in->cols;
        const double *cells = matrix_row(in, i, row);

        if (cells != row)
            memcpy(row, cells, (size_t)in->cols * sizeof *row);
    }
    return ML_OK;
}

/* A dense copy with one reference; its nnz is that of `in`. */
static ml_status dense_copy(Ctx *ctx, const Matrix *in, Matrix **out)
{
    Matrix *m = NULL;
    ml_status st;

    TRY(matrix_new_dense(ctx, in->rows, in->cols, &m));
    st = run_rows(ctx, in, m, rows_to_dense);
    if (st != ML_OK) {
        matrix_release(m);
        return st;
    }
    m->nnz = in->nnz;
    *out = m;
    return ML_OK;
}

ml_status matrix_dense(Ctx *ctx, Matrix *m, Matrix **out)
{
    if (m->format != MATRIX_DENSE)
        return dense_copy(ctx, m, out);
    *out = matrix_retain(m);
    return ML_OK;
}

ml_status matrix_writable(Ctx *ctx, Matrix **m)
{
    Matrix *copy = NULL;

    /* Acquire: what former owners did with the cells comes before what we write. */
    if ((*m)->format == MATRIX_DENSE && !(*m)->mapping &&
        atomic_load_explicit(&(*m)->refs, memory_order_acquire) == 1)
        return ML_OK;
    TRY(dense_copy(ctx, *m, &copy));
    matrix_release(*m);
    *m = copy;
    return ML_OK;
}

/* ---- dense to CSR ---- */

typedef struct CompressJob {
    const Matrix *in; /* dense */
    Matrix *out;
    int64_t *ends; /* rows + 1: where each row ends; ends[0] = 0 */
} CompressJob;

static ml_status count_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CompressJob *job = arg;
    const Matrix *in = job->in;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        job->ends[i + 1] = matrix_count_nnz(in->values + i * in->cols, in->cols);
    return ML_OK;
}

/* Stores every cell and moves on only after a nonzero: no branch to mispredict.  Stops at the last
 * nonzero, so nothing is stored beyond the row. */
static void compress_row(const double *cells, int64_t count, double *values, uint32_t *idx)
{
    for (int64_t n = 0, j = 0; n < count; j++) {
        values[n] = cells[j];
        idx[n] = (uint32_t)j;
        n += cells[j] != 0;
    }
}

static ml_status fill_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CompressJob *job = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        int64_t at = job->ends[i];

        job->out->row_ptr[i + 1] = job->ends[i + 1];
        compress_row(job->in->values + i * job->in->cols, job->ends[i + 1] - at,
                     job->out->values + at, job->out->col_idx + at);
    }
    return ML_OK;
}

static ml_status compress(Ctx *ctx, CompressJob *job)
{
    const int64_t rows = job->in->rows, grain = task_grain(job->in->cols);

    TRY(task_for(ctx, rows, grain, count_rows, job));
    for (int64_t i = 0; i < rows; i++)
        job->ends[i + 1] += job->ends[i];
    TRY(matrix_new_csr(ctx, rows, job->in->cols, job->ends[rows], &job->out));
    TRY(task_for(ctx, rows, grain, fill_rows, job));
    job->out->nnz = job->ends[rows];
    return ML_OK;
}

ml_status matrix_csr(Ctx *ctx, Matrix *m, Matrix **out)
{
    const size_t bytes = (size_t)(m->rows + 1) * sizeof(int64_t);
    CompressJob job = {0};
    Matrix *dense = NULL;
    ml_status st;

    if (m->format == MATRIX_CSR) {
        *out = matrix_retain(m);
        return ML_OK;
    }
    TRY(matrix_dense(ctx, m, &dense));
    job.in = dense;
    job.ends = pool_alloc(ctx, bytes);
    if (job.ends)
        job.ends[0] = 0;
    st = job.ends ? compress(ctx, &job) : ML_ENOMEM;
    pool_release(ctx->pool, job.ends, bytes);
    matrix_release(dense);
    if (st != ML_OK) {
        matrix_release(job.out);
        return st;
    }
    *out = job.out;
    return ML_OK;
}
