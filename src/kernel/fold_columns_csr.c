/* Folds down the columns of a CSR matrix: blocks of rows of equal work fold what they store into
 * accumulators of all columns; these are merged in order, and the zeros are added by count.
 *
 * An accumulator and its count lie side by side, as columns are met in any order: a cell costs one
 * miss of the cache, not three.  Sums need no count.  The blocks follow from the matrix alone. */
#include "kernel/csr.h"
#include "kernel/fold.h"

#include <string.h>

enum { BLOCKS = 16, CELLS_A_COLUMN = 8, AHEAD = 24 };

typedef struct Column {
    Sum2 acc;
    int64_t stored;
} Column;

typedef struct CsrColumns {
    const Fold *fold;
    const Matrix *m;
    const double *shift;
    int64_t blocks;
    Column *columns; /* blocks x cols, or ... */
    Sum2 *sums;      /* ... of sums alone */
    Sum2 *result;
} CsrColumns;

static void fold_cell(const Fold *f, double x, double shift, Column *column)
{
    column->stored++;
    if (f->kind == FOLD_SUM)
        sum2_add(&column->acc, x);
    else if (f->kind == FOLD_SQUARES)
        sum2_add(&column->acc, (x - shift) * (x - shift));
    else
        f->merge(&column->acc, (Sum2){x, 0});
}

static void sum_block(const CsrColumns *job, int64_t begin, int64_t end, Sum2 *sums)
{
    const Matrix *m = job->m;
    const uint32_t *col_idx = m->col_idx;

    memset(sums, 0, (size_t)m->cols * sizeof *sums);
    if (m->values)
        for (int64_t k = begin; k < end; k++) {
            __builtin_prefetch(&sums[col_idx[k + AHEAD < end ? k + AHEAD : k]], 1);
            sum2_add(&sums[col_idx[k]], m->values[k]);
        }
    else
        for (int64_t k = begin; k < end; k++)
            sum2_add(&sums[col_idx[k]], m->singles[k]);
}

static ml_status sum_blocks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsrColumns *job = arg;
    const Matrix *m = job->m;

    for (int64_t block = lo; block < hi; block++)
        sum_block(job, m->row_ptr[csr_tile(m, block, job->blocks)],
                  m->row_ptr[csr_tile(m, block + 1, job->blocks)], job->sums + block * m->cols);
    return check_cancel(ctx);
}

static ml_status merge_sums(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsrColumns *job = arg;
    const int64_t cols = job->m->cols;

    (void)ctx;
    for (int64_t j = lo; j < hi; j++) {
        Sum2 acc = job->sums[j];

        for (int64_t block = 1; block < job->blocks; block++)
            job->fold->merge(&acc, job->sums[block * cols + j]);
        job->result[j] = acc;
    }
    return ML_OK;
}

static ml_status blocks_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsrColumns *job = arg;
    const Matrix *m = job->m;
    const Fold *f = job->fold;

    for (int64_t block = lo; block < hi; block++) {
        const int64_t end = m->row_ptr[csr_tile(m, block + 1, job->blocks)];
        Column *columns = job->columns + block * m->cols;

        for (int64_t j = 0; j < m->cols; j++)
            columns[j] = (Column){fold_start(f), 0};
        for (int64_t k = m->row_ptr[csr_tile(m, block, job->blocks)]; k < end; k++) {
            const uint32_t j = m->col_idx[k];

            fold_cell(f, matrix_cell(m, k), job->shift ? job->shift[j] : 0, &columns[j]);
        }
    }
    return check_cancel(ctx);
}

static ml_status merge_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsrColumns *job = arg;
    const int64_t cols = job->m->cols;

    (void)ctx;
    for (int64_t j = lo; j < hi; j++) {
        Sum2 acc = job->columns[j].acc;
        int64_t zeros = job->m->rows - job->columns[j].stored;

        for (int64_t block = 1; block < job->blocks; block++) {
            job->fold->merge(&acc, job->columns[block * cols + j].acc);
            zeros -= job->columns[block * cols + j].stored;
        }
        fold_repeat(job->fold, 0, zeros, job->shift ? job->shift[j] : 0, &acc);
        job->result[j] = acc;
    }
    return ML_OK;
}

/* As many as pay for their accumulators. */
static int64_t block_count(const Matrix *m)
{
    const int64_t blocks = 2 + csr_nnz(m) / (CELLS_A_COLUMN * m->cols);

    if (csr_nnz(m) < m->cols)
        return 1;
    return blocks < BLOCKS ? blocks : BLOCKS;
}

ml_status fold_columns_csr(Ctx *ctx, const Fold *f, const Matrix *m, const double *shift,
                           Sum2 *result)
{
    const bool sums = f->kind == FOLD_SUM;
    CsrColumns job = {
        .fold = f, .m = m, .shift = shift, .blocks = block_count(m), .result = result};
    const size_t cell = sums ? sizeof *job.sums : sizeof *job.columns;
    const size_t bytes = (size_t)(job.blocks * m->cols) * cell;
    void *buffer = pool_alloc(ctx, bytes);
    ml_status st;

    if (!buffer)
        return ML_ENOMEM;
    job.sums = buffer;
    job.columns = buffer;
    st = task_for(ctx, job.blocks, 1, sums ? sum_blocks : blocks_range, &job);
    if (st == ML_OK)
        st = task_for(ctx, m->cols, task_grain(4 * job.blocks), sums ? merge_sums : merge_range,
                      &job);
    pool_release(ctx->pool, buffer, bytes);
    return st;
}
