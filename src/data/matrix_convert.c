/* matrix_convert: between dense, CSR and constant, in parallel over rows, and between FP64 and
 * FP32.
 *
 * Dense to CSR takes two passes: count the nonzeros of each row, make the row pointers of the
 * counts, then fill.  The second pass finds the cells of small matrices in cache; for large ones
 * both run at the speed of memory. */
#include "data/matrix_cells.h"
#include "task/task.h"

#include <string.h>

enum { CAST_TILE = 8192 };

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

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        matrix_put_row(job->in, i, job->out, i * job->in->cols);
    return ML_OK;
}

/* A dense copy in that type with one reference; its nnz is that of `in`. */
static ml_status dense_copy(Ctx *ctx, CellType type, const Matrix *in, Matrix **out)
{
    Matrix *m = NULL;
    ml_status st;

    TRY(matrix_new_dense_of(ctx, type, in->rows, in->cols, &m));
    st = run_rows(ctx, in, m, rows_to_dense);
    if (st != ML_OK) {
        matrix_release(m);
        return st;
    }
    m->nnz = in->nnz;
    *out = m;
    return ML_OK;
}

/* Is m neither dense nor CSR nor constant? */
static bool is_odd(const Matrix *m)
{
    return m->format == MATRIX_HYPER || matrix_is_draft(m);
}

/* In an ordinary format first, and in that one then. */
static ml_status convert_odd(Ctx *ctx, Matrix *m, Matrix **out,
                             ml_status (*convert)(Ctx *, Matrix *, Matrix **))
{
    Matrix *plain = NULL;
    ml_status st;

    TRY(m->format == MATRIX_HYPER ? matrix_spread_plain(ctx, m->rows, m->list, m->compact, &plain)
                                  : matrix_settled(ctx, m, &plain));
    st = convert(ctx, plain, out);
    matrix_release(plain);
    return st;
}

ml_status matrix_dense(Ctx *ctx, Matrix *m, Matrix **out)
{
    if (is_odd(m))
        return convert_odd(ctx, m, out, matrix_dense);
    if (m->format != MATRIX_DENSE)
        return dense_copy(ctx, matrix_type(m), m, out);
    *out = matrix_retain(m);
    return ML_OK;
}

ml_status matrix_dense_of(Ctx *ctx, CellType type, Matrix *m, Matrix **out)
{
    return m->format == MATRIX_CONSTANT ? dense_copy(ctx, type, m, out) : matrix_dense(ctx, m, out);
}

ml_status matrix_writable(Ctx *ctx, Matrix **m)
{
    Matrix *copy = NULL;

    /* Acquire: what former owners did with the cells comes before what we write. */
    if ((*m)->format == MATRIX_DENSE && !(*m)->mapping && !(*m)->view &&
        atomic_load_explicit(&(*m)->refs, memory_order_acquire) == 1)
        return ML_OK;
    TRY(dense_copy(ctx, matrix_type(*m), *m, &copy));
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
        job->ends[i + 1] = matrix_stored_nnz(in, i * in->cols, in->cols);
    return ML_OK;
}

static ml_status fill_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CompressJob *job = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        int64_t at = job->ends[i];

        job->out->row_ptr[i + 1] = job->ends[i + 1];
        matrix_compress_row(job->in, i, job->ends[i + 1] - at, job->out, at);
    }
    return ML_OK;
}

static ml_status compress(Ctx *ctx, CompressJob *job)
{
    const int64_t rows = job->in->rows, grain = task_grain(job->in->cols);

    TRY(task_for(ctx, rows, grain, count_rows, job));
    for (int64_t i = 0; i < rows; i++)
        job->ends[i + 1] += job->ends[i];
    TRY(matrix_new_csr_of(ctx, matrix_type(job->in), rows, job->in->cols, job->ends[rows],
                          &job->out));
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
    if (is_odd(m))
        return convert_odd(ctx, m, out, matrix_csr);
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

/* ---- FP64 and FP32 ---- */

typedef struct CastJob {
    const Matrix *in;
    Matrix *out;
    int64_t n; /* stored cells */
    atomic_int_fast64_t nnz;
} CastJob;

static ml_status cast_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    CastJob *job = arg;
    const int64_t at = lo * CAST_TILE, end = hi * CAST_TILE < job->n ? hi * CAST_TILE : job->n;
    int64_t nnz = 0;

    (void)ctx;
    if (job->in->format == MATRIX_CSR)
        memcpy(job->out->col_idx + at, job->in->col_idx + at,
               (size_t)(end - at) * sizeof *job->out->col_idx);
    if (job->in->singles)
        cells_widen(job->in->singles + at, job->out->values + at, end - at);
    else
        nnz = cells_narrow(job->in->values + at, job->out->singles + at, end - at);
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status cast_constant(Ctx *ctx, CellType type, Matrix *m, Matrix **out)
{
    const double rounded = (double)(float)m->constant;

    if (type == CELL_FP64 || rounded == m->constant) {
        *out = matrix_retain(m);
        return ML_OK;
    }
    return matrix_new_constant(ctx, m->rows, m->cols, rounded, out);
}

static ml_status cast_hyper(Ctx *ctx, CellType type, Matrix *m, Matrix **out)
{
    Matrix *compact = NULL;
    ml_status st;

    TRY(matrix_as(ctx, type, m->compact, &compact));
    st = matrix_spread(ctx, m->rows, m->list, compact, out);
    matrix_release(compact);
    return st;
}

static ml_status cast_cells(Ctx *ctx, CastJob *job)
{
    const Matrix *in = job->in;

    TRY(task_for(ctx, (job->n + CAST_TILE - 1) / CAST_TILE, task_grain(CAST_TILE), cast_tiles,
                 job));
    job->out->nnz = in->singles ? in->nnz : atomic_load_explicit(&job->nnz, memory_order_relaxed);
    if (in->format == MATRIX_CSR && job->out->nnz != job->n)
        matrix_compact(job->out);
    return ML_OK;
}

ml_status matrix_as(Ctx *ctx, CellType type, Matrix *m, Matrix **out)
{
    CastJob job = {.in = m, .n = matrix_cells(m)};
    ml_status st;

    if (m->format == MATRIX_CONSTANT)
        return cast_constant(ctx, type, m, out);
    if (m->format == MATRIX_HYPER)
        return cast_hyper(ctx, type, m, out);
    if (matrix_type(m) == type) {
        *out = matrix_retain(m);
        return ML_OK;
    }
    if (m->format == MATRIX_CSR) {
        job.n = m->row_ptr[m->rows];
        TRY(matrix_new_csr_of(ctx, type, m->rows, m->cols, job.n, &job.out));
        memcpy(job.out->row_ptr, m->row_ptr, (size_t)(m->rows + 1) * sizeof *m->row_ptr);
    } else {
        TRY(matrix_new_dense_of(ctx, type, m->rows, m->cols, &job.out));
    }
    st = cast_cells(ctx, &job);
    if (st != ML_OK) {
        matrix_release(job.out);
        return st;
    }
    *out = job.out;
    return ML_OK;
}

ml_status matrix_doubles(Ctx *ctx, Matrix *m, Matrix **out)
{
    Matrix *dense = NULL;
    ml_status st;

    TRY(matrix_dense(ctx, m, &dense));
    st = matrix_as(ctx, CELL_FP64, dense, out);
    matrix_release(dense);
    return st;
}
