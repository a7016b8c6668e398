/* Folds down the columns of a CSR matrix: blocks of rows of equal work fold what they store into
 * accumulators of all columns; these are merged in order, and the zeros are added by count.
 *
 * An accumulator and its count lie side by side, as columns are met in any order: a cell costs one
 * miss of the cache, not three.  The blocks follow from the matrix alone. */
#include "kernel/csr.h"
#include "kernel/fold.h"

#include <string.h>

enum { BLOCKS = 16, CELLS_A_COLUMN = 8 };

typedef struct Column {
    Sum2 acc;
    int64_t stored;
} Column;

typedef struct CsrColumns {
    const Fold *fold;
    const Matrix *m;
    const double *shift;
    int64_t blocks;
    Column *columns; /* blocks x cols */
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
    CsrColumns job = {f, m, shift, block_count(m), NULL, result};
    const size_t bytes = (size_t)(job.blocks * m->cols) * sizeof *job.columns;
    ml_status st;

    job.columns = pool_alloc(ctx, bytes);
    if (!job.columns)
        return ML_ENOMEM;
    st = task_for(ctx, job.blocks, 1, blocks_range, &job);
    if (st == ML_OK)
        st = task_for(ctx, m->cols, task_grain(4 * job.blocks), merge_range, &job);
    pool_release(ctx->pool, job.columns, bytes);
    return st;
}
