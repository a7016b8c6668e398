/* fold_columns: folds down the columns of a matrix.
 *
 * Dense: the matrix is cut into strips of columns and blocks of rows.  Each piece folds into its
 * own accumulators, which stay in the L1 cache, and the blocks are merged in order.  Narrow
 * matrices are read as if several rows stood side by side, so that the loops have enough columns to
 * run along. CSR: blocks of rows fold into accumulators of all columns; zeros are added at the end
 * by count. Invariant: the pieces depend on the shape (CSR: and nnz) alone. */
#include "kernel/fold.h"

#include <string.h>

enum {
    SCRATCH = 4096,
    STRIP = 512,
    NARROW = 32,
    BLOCK_CELLS = 64 << 10,
    MIN_BLOCK_ROWS = 64,
    CSR_BLOCKS = 16
};

typedef struct ColumnsJob {
    const Fold *fold;
    const Matrix *m;
    int64_t rows, cols, /* of the cells: of a dense matrix another shape may be read */
        block_rows, blocks, strips;
    const double *shift;
    double *s, *c; /* blocks x cols each */
} ColumnsJob;

static void start_columns(const Fold *f, double *s, double *c, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        s[j] = f->start;
    memset(c, 0, (size_t)n * sizeof *c);
}

/* Fold->down on a block whose first stored cell is `at`; FP32 cells are widened, some rows at a
 * time. */
static void fold_block(const ColumnsJob *job, int64_t at, int64_t rows, int64_t cols,
                       int64_t stride, const double *shift, double *s, double *c)
{
    const int64_t step = SCRATCH / cols;
    double scratch[SCRATCH];

    if (!job->m->singles) {
        job->fold->down(job->m->values + at, rows, cols, stride, shift, s, c);
        return;
    }
    for (int64_t i = 0; i < rows; i += step) {
        const int64_t n = min64(step, rows - i);

        for (int64_t r = 0; r < n; r++)
            widen_ahead(job->m, at + (i + r) * stride, cols, scratch + r * cols);
        job->fold->down(scratch, n, cols, cols, shift, s, c);
    }
}

static ml_status dense_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ColumnsJob *job = arg;

    (void)ctx;
    for (int64_t unit = lo; unit < hi; unit++) {
        const int64_t block = unit / job->strips, j = unit % job->strips * STRIP;
        const int64_t i = block * job->block_rows, at = block * job->cols + j;
        const int64_t n = min64(STRIP, job->cols - j);

        start_columns(job->fold, job->s + at, job->c + at, n);
        fold_block(job, i * job->cols + j, min64(job->block_rows, job->rows - i), n, job->cols,
                   job->shift ? job->shift + j : NULL, job->s + at, job->c + at);
    }
    return ML_OK;
}

/* Merge the blocks, in order. */
static void merge_blocks(const ColumnsJob *job, Sum2 *result)
{
    for (int64_t j = 0; j < job->cols; j++)
        result[j] = (Sum2){job->s[j], job->c[j]};
    for (int64_t block = 1; block < job->blocks; block++) {
        const double *s = job->s + block * job->cols, *c = job->c + block * job->cols;

        for (int64_t j = 0; j < job->cols; j++)
            job->fold->merge(&result[j], (Sum2){s[j], c[j]});
    }
}

static ml_status run_columns(Ctx *ctx, ColumnsJob *job, TaskFn task, int64_t units, int64_t work,
                             Sum2 *result)
{
    const size_t cells = (size_t)(job->blocks * job->cols);
    const size_t bytes = cells * 2 * sizeof(double);
    ml_status st;

    job->s = pool_alloc(ctx, bytes);
    if (!job->s)
        return ML_ENOMEM;
    job->c = job->s + cells;
    st = task_for(ctx, units, task_grain(work), task, job);
    if (st == ML_OK)
        merge_blocks(job, result);
    pool_release(ctx->pool, job->s, bytes);
    return st;
}

static ml_status fold_wide(Ctx *ctx, const Fold *f, const Matrix *m, int64_t rows, int64_t cols,
                           const double *shift, Sum2 *result)
{
    ColumnsJob job = {.fold = f, .m = m, .rows = rows, .cols = cols, .shift = shift};
    const int64_t width = min64(cols, STRIP);

    job.strips = (cols + STRIP - 1) / STRIP;
    job.block_rows = BLOCK_CELLS / width < MIN_BLOCK_ROWS ? MIN_BLOCK_ROWS : BLOCK_CELLS / width;
    job.blocks = (rows + job.block_rows - 1) / job.block_rows;
    return run_columns(ctx, &job, dense_task, job.strips * job.blocks, job.block_rows * width,
                       result);
}

/* Read `side` rows as one of side * cols cells; what is left over, fewer than `side` rows, is
 * folded after it. */
static ml_status fold_narrow(Ctx *ctx, const Fold *f, const Matrix *m, const double *shift,
                             Sum2 *result)
{
    const int64_t rows = m->rows, cols = m->cols;
    const int64_t side = (2 * NARROW + cols - 1) / cols, whole = rows / side;
    const ColumnsJob rest = {.fold = f, .m = m};
    double shifts[3 * NARROW] = {0}, s[NARROW], c[NARROW];
    Sum2 wide[3 * NARROW];

    for (int64_t k = 0; shift && k < side * cols; k++)
        shifts[k] = shift[k % cols];
    TRY(fold_wide(ctx, f, m, whole, side * cols, shifts, wide));
    start_columns(f, s, c, cols);
    fold_block(&rest, whole * side * cols, rows - whole * side, cols, cols, shifts, s, c);
    for (int64_t j = 0; j < cols; j++) {
        result[j] = wide[j];
        for (int64_t k = 1; k < side; k++)
            f->merge(&result[j], wide[k * cols + j]);
        f->merge(&result[j], (Sum2){s[j], c[j]});
    }
    return ML_OK;
}

/* Further `rows` rows of the number that a constant matrix repeats, 0 for others. */
static void repeat_columns(const Fold *f, const Matrix *m, int64_t rows, const double *shift,
                           Sum2 *result)
{
    const double value = m->format == MATRIX_CONSTANT ? m->constant : 0;

    for (int64_t j = 0; j < m->cols; j++)
        fold_repeat(f, value, rows, shift ? shift[j] : 0, &result[j]);
}

ml_status fold_columns(Ctx *ctx, const Fold *f, const Matrix *m, const double *shift, Sum2 *result)
{
    if (m->cols == 1) {
        result[0] = fold_start(f);
        return fold_matrix(ctx, f, m, shift ? shift[0] : 0, &result[0]);
    }
    if (m->format == MATRIX_CONSTANT) {
        for (int64_t j = 0; j < m->cols; j++)
            result[j] = fold_start(f);
        repeat_columns(f, m, m->rows, shift, result);
        return ML_OK;
    }
    if (m->format == MATRIX_HYPER) {
        TRY(fold_columns(ctx, f, m->compact, shift, result));
        repeat_columns(f, m, m->rows - m->list->n, shift, result);
        return ML_OK;
    }
    if (m->format == MATRIX_CSR)
        return fold_columns_csr(ctx, f, m, shift, result);
    if (m->cols < NARROW && m->rows >= 2 * NARROW)
        return fold_narrow(ctx, f, m, shift, result);
    return fold_wide(ctx, f, m, m->rows, m->cols, shift, result);
}
