/* cumulative: running sums, products and extremes down columns, running sums along rows.
 *
 * Two passes over fixed blocks of rows (Blelloch's scan): fold each block, carry the folds of the
 * blocks before into each, then scan the blocks.  One block needs the second pass alone.
 * Invariant: blocks depend on the shape alone, so do the digits.  The result is dense. */
#include "kernel/fold.h"

#include <math.h>

enum { STRIP = 512, BLOCK_CELLS = 64 << 10, MIN_BLOCK_ROWS = 64 };

static inline double sum_step(Sum2 *acc, double x)
{
    sum2_add(acc, x);
    return sum2_value(*acc);
}

static inline double prod_step(Sum2 *acc, double x)
{
    return acc->s *= x;
}

static inline double min_step(Sum2 *acc, double x)
{
    return acc->s = (x < acc->s) | (x != x) ? x : acc->s;
}

static inline double max_step(Sum2 *acc, double x)
{
    return acc->s = (x > acc->s) | (x != x) ? x : acc->s;
}

#define SCAN_NAME scan_sum
#define SCAN_STEP sum_step
#include "kernel/scan.tmpl.h"
#define SCAN_NAME scan_prod
#define SCAN_STEP prod_step
#include "kernel/scan.tmpl.h"
#define SCAN_NAME scan_min
#define SCAN_STEP min_step
#include "kernel/scan.tmpl.h"
#define SCAN_NAME scan_max
#define SCAN_STEP max_step
#include "kernel/scan.tmpl.h"

typedef void (*ScanFn)(const double *x, int64_t rows, int64_t cols, int64_t stride, double *s,
                       double *c, double *out);

typedef struct ScanJob {
    const Fold *fold;
    ScanFn scan;
    const double *x;
    double *out;
    int64_t rows, cols, block_rows, blocks, strips;
    double *s, *c; /* blocks x cols: the fold of each block, later of all blocks before it */
} ScanJob;

typedef struct Piece {
    int64_t i, j, rows, cols, carry;
} Piece;

static Piece piece_of(const ScanJob *job, int64_t unit)
{
    const int64_t block = unit / job->strips;
    Piece p = {.i = block * job->block_rows, .j = unit % job->strips * STRIP};

    p.rows = job->rows - p.i < job->block_rows ? job->rows - p.i : job->block_rows;
    p.cols = job->cols - p.j < STRIP ? job->cols - p.j : STRIP;
    p.carry = block * job->cols + p.j;
    return p;
}

static ml_status fold_blocks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ScanJob *job = arg;

    (void)ctx;
    for (int64_t unit = lo; unit < hi; unit++) {
        const Piece p = piece_of(job, unit);
        const double *x = job->x + p.i * job->cols + p.j;
        double *s = job->s + p.carry, *c = job->c + p.carry;
        Sum2 acc = fold_start(job->fold);

        for (int64_t j = 0; j < p.cols; j++) {
            s[j] = job->fold->start;
            c[j] = 0;
        }
        if (job->cols > 1) {
            job->fold->down(x, p.rows, p.cols, job->cols, NULL, s, c);
            continue;
        }
        job->fold->run(x, p.rows, 0, &acc);
        s[0] = acc.s;
        c[0] = acc.c;
    }
    return ML_OK;
}

/* From the fold of each block to that of all before it. */
static void carry_over(const ScanJob *job)
{
    for (int64_t j = 0; j < job->cols; j++) {
        Sum2 before = fold_start(job->fold);

        for (int64_t at = j; at < job->blocks * job->cols; at += job->cols) {
            const Sum2 own = {job->s[at], job->c[at]};

            job->s[at] = before.s;
            job->c[at] = before.c;
            job->fold->merge(&before, own);
        }
    }
}

static ml_status scan_blocks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ScanJob *job = arg;

    (void)ctx;
    for (int64_t unit = lo; unit < hi; unit++) {
        const Piece p = piece_of(job, unit);
        const int64_t at = p.i * job->cols + p.j;

        job->scan(job->x + at, p.rows, p.cols, job->cols, job->s + p.carry, job->c + p.carry,
                  job->out + at);
    }
    return ML_OK;
}

static ml_status scan_columns(Ctx *ctx, ScanJob *job)
{
    const int64_t width = job->cols < STRIP ? job->cols : STRIP;
    int64_t units;
    size_t bytes;
    ml_status st = ML_OK;

    if (job->rows == 0 || job->cols == 0)
        return ML_OK;
    job->block_rows = BLOCK_CELLS / width < MIN_BLOCK_ROWS ? MIN_BLOCK_ROWS : BLOCK_CELLS / width;
    job->blocks = (job->rows + job->block_rows - 1) / job->block_rows;
    job->strips = (job->cols + STRIP - 1) / STRIP;
    units = job->blocks * job->strips;
    bytes = (size_t)(job->blocks * job->cols) * 2 * sizeof(double);
    job->s = pool_alloc(ctx, bytes);
    if (!job->s)
        return ML_ENOMEM;
    job->c = job->s + job->blocks * job->cols;
    for (int64_t j = 0; job->blocks == 1 && j < job->cols; j++) {
        job->s[j] = job->fold->start;
        job->c[j] = 0;
    }
    if (job->blocks > 1) {
        st = task_for(ctx, units, task_grain(job->block_rows * width), fold_blocks, job);
        if (st == ML_OK)
            carry_over(job);
    }
    if (st == ML_OK)
        st = task_for(ctx, units, task_grain(job->block_rows * width), scan_blocks, job);
    pool_release(ctx->pool, job->s, bytes);
    return st;
}

static ml_status scan_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ScanJob *job = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        double s = job->fold->start, c = 0;

        job->scan(job->x + i * job->cols, job->cols, 1, 1, &s, &c, job->out + i * job->cols);
    }
    return ML_OK;
}

/* Operand 0 as dense cells, and a matrix of its shape to write: the operand itself when it may be
 * overwritten. */
static ml_status dense_operands(Ctx *ctx, OpCall *call, Matrix **in, Matrix **out)
{
    const Matrix *reusable = call_reusable(call, 0);
    Matrix *m = NULL;
    ml_status st = ML_OK;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(matrix_dense(ctx, m, in));
    if (*in != m || reusable)
        *out = matrix_retain(*in);
    else
        st = matrix_new_dense(ctx, m->rows, m->cols, out);
    if (st != ML_OK)
        matrix_release(*in);
    return st;
}

static ml_status running(Ctx *ctx, OpCall *call, FoldKind kind, ScanFn scan, bool along_rows)
{
    Matrix *in = NULL, *out = NULL;
    ScanJob job = {.fold = fold_get(cpu_level(ctx), kind), .scan = scan};
    ml_status st;

    TRY(dense_operands(ctx, call, &in, &out));
    job.x = in->values;
    job.out = out->values;
    job.rows = in->rows;
    job.cols = in->cols;
    if (along_rows && in->rows == 1) { /* a row is a column lying down, and long ones are cut */
        job.rows = in->cols;
        job.cols = 1;
    }
    if (along_rows && in->rows > 1)
        st = task_for(ctx, in->rows, task_grain(in->cols), scan_rows, &job);
    else
        st = scan_columns(ctx, &job);
    matrix_release(in);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}

ml_status ml_k_cumsum(Ctx *ctx, OpCall *call)
{
    return running(ctx, call, FOLD_SUM, scan_sum, false);
}

ml_status ml_k_cumprod(Ctx *ctx, OpCall *call)
{
    return running(ctx, call, FOLD_PROD, scan_prod, false);
}

ml_status ml_k_cummin(Ctx *ctx, OpCall *call)
{
    return running(ctx, call, FOLD_MIN, scan_min, false);
}

ml_status ml_k_cummax(Ctx *ctx, OpCall *call)
{
    return running(ctx, call, FOLD_MAX, scan_max, false);
}

ml_status ml_k_rowcumsum(Ctx *ctx, OpCall *call)
{
    return running(ctx, call, FOLD_SUM, scan_sum, true);
}

/* Sequential: composing the steps of blocks would let coefficients overflow where the recurrence
 * does not. */
ml_status ml_k_cumsumprod(Ctx *ctx, OpCall *call)
{
    Matrix *m = NULL, *in = NULL, *out = NULL;
    double y = 0;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    if (m->cols != 2)
        return fail(ctx, ML_ESHAPE, "cumsumprod: expected two columns, found %" PRId64, m->cols);
    TRY(matrix_dense(ctx, m, &in));
    st = matrix_new_dense(ctx, m->rows, 1, &out);
    for (int64_t i = 0; st == ML_OK && i < m->rows; i++)
        out->values[i] = y = in->values[2 * i] + in->values[2 * i + 1] * y;
    matrix_release(in);
    return st == ML_OK ? result_matrix(ctx, call, 0, out, -1) : st;
}
