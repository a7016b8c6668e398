/* aggregate: sums, means, variances, products and extremes over all cells, each row, each column.
 *
 * All are made of the folds of fold.h.  A variance takes two passes: the mean from a compensated
 * sum, then the squared deviations, corrected by what rounding the mean left over (Chan, Golub and
 * LeVeque 1983). Empty rows and columns give 0, as the language has it; the empty matrix gives the
 * fold's start. Cost: one pass over the stored cells, two for var and sd. */
#include "kernel/fold.h"

#include <math.h>

enum { CHUNK = 1024 }; /* cells looked at together */

enum { FEW = 4 };

static const FoldKind kind_of[] = {
    [STAT_SUM] = FOLD_SUM,     [STAT_SUMSQ] = FOLD_SQUARES, [STAT_MEAN] = FOLD_SUM,
    [STAT_PROD] = FOLD_PROD,   [STAT_MIN] = FOLD_MIN,       [STAT_MAX] = FOLD_MAX,
    [STAT_VAR] = FOLD_SQUARES, [STAT_SD] = FOLD_SQUARES,
};

static bool needs_mean(Stat stat)
{
    return stat == STAT_VAR || stat == STAT_SD;
}

/* From the sum, and the sum of squared deviations from `mean`, of n cells. */
static double variance_of(Sum2 sum, Sum2 squares, double mean, int64_t n)
{
    const double left = fma(-mean, (double)n, sum.s) + sum.c;
    const double m2 = sum2_value(squares) - left * left / (double)n;

    if (n < 2)
        return n == 1 ? 0 : NAN;
    return (m2 < 0 ? 0 : m2) / (double)(n - 1);
}

/* The statistic from its fold; `sum` and `mean` are used by var and sd alone. */
static double stat_value(Stat stat, Sum2 fold, Sum2 sum, double mean, int64_t n)
{
    if (stat == STAT_MEAN)
        return sum2_value(fold) / (double)n;
    if (stat == STAT_VAR)
        return variance_of(sum, fold, mean, n);
    if (stat == STAT_SD)
        return sqrt(variance_of(sum, fold, mean, n));
    /* A least or greatest cell is s itself: -0 + 0 would lose its sign. */
    return stat == STAT_MIN || stat == STAT_MAX ? fold.s : sum2_value(fold);
}

/* A product overflows to infinity before it meets a zero, and is then NaN though no cell is: when
 * all cells are finite and one is 0, it is 0. */
static double product_of(double product, const Matrix *m, int64_t at, int64_t n, bool zero)
{
    if (!isnan(product))
        return product;
    for (int64_t k = 0; k < n; k++) {
        const double x = matrix_cell(m, at + k);

        if (!isfinite(x))
            return product;
        zero = zero || x == 0;
    }
    return zero ? 0 : product;
}

/* ---- all cells ---- */

static ml_status matrix_stat(Ctx *ctx, const Matrix *m, Stat stat, double *out)
{
    const Fold *f = fold_get(cpu_level(ctx), kind_of[stat]);
    const int64_t n = matrix_cells(m);
    Sum2 sum = {0}, acc = fold_start(f);
    double mean = 0;

    if (needs_mean(stat)) {
        TRY(fold_matrix(ctx, fold_get(cpu_level(ctx), FOLD_SUM), m, 0, &sum));
        mean = sum2_value(sum) / (double)n;
    }
    TRY(fold_matrix(ctx, f, m, mean, &acc));
    *out = stat_value(stat, acc, sum, mean, n);
    if (stat == STAT_PROD && m->format != MATRIX_CONSTANT)
        *out = product_of(*out, m, 0, m->format == MATRIX_CSR ? m->nnz : n, m->nnz < n);
    return ML_OK;
}

ml_status aggregate_min(Ctx *ctx, const Matrix *m, double *out)
{
    return matrix_stat(ctx, m, STAT_MIN, out);
}

ml_status aggregate_max(Ctx *ctx, const Matrix *m, double *out)
{
    return matrix_stat(ctx, m, STAT_MAX, out);
}

ml_status ml_k_range(Ctx *ctx, OpCall *call)
{
    Matrix *m, *out;
    double least, greatest;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(aggregate_min(ctx, m, &least));
    TRY(aggregate_max(ctx, m, &greatest));
    TRY(matrix_new_dense(ctx, 2, 1, &out));
    out->values[0] = least;
    out->values[1] = greatest;
    return result_matrix(ctx, call, 0, out, -1);
}

static ml_status full_stat(Ctx *ctx, OpCall *call, Stat stat)
{
    Matrix *m = NULL;
    double value = 0;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(matrix_stat(ctx, m, stat, &value));
    call->out[0] = value_double(value);
    return ML_OK;
}

/* ---- rows ---- */

typedef struct RowsJob {
    const Matrix *m;
    Stat stat;
    const Fold *sum, *fold; /* for the mean, for the statistic */
    double *out;
} RowsJob;

/* What FOLD_SUM makes of n <= FEW cells, in fewer steps: sparse rows are mostly short. */
static Sum2 sum_few(const Matrix *m, int64_t at, int64_t n)
{
    Sum2 lanes[FEW] = {{0}};

    for (int64_t k = 0; k < n; k++)
        sum2_add(&lanes[k], matrix_cell(m, at + k));
    if (n > 2)
        sum2_merge(&lanes[0], lanes[2]);
    if (n > 3)
        sum2_merge(&lanes[1], lanes[3]);
    if (n > 1)
        sum2_merge(&lanes[0], lanes[1]);
    return lanes[0];
}

static Sum2 fold_row(const Fold *f, const Matrix *m, int64_t at, int64_t n, int64_t zeros,
                     double shift)
{
    Sum2 acc = fold_start(f);

    if (f->kind == FOLD_SUM && n <= FEW)
        return sum_few(m, at, n);
    fold_cells_here(f, m, at, n, shift, &acc);
    fold_repeat(f, 0, zeros, shift, &acc);
    return acc;
}

/* One row of n stored cells from `at` on and some zeros. */
static double row_stat(const RowsJob *job, const Matrix *m, int64_t at, int64_t n, int64_t zeros)
{
    const Stat stat = job->stat;
    Sum2 sum = {0}, acc;
    double mean = 0, value;

    if (needs_mean(stat)) {
        sum = fold_row(job->sum, m, at, n, zeros, 0);
        mean = sum2_value(sum) / (double)(n + zeros);
    }
    acc = fold_row(job->fold, m, at, n, zeros, mean);
    value = stat_value(stat, acc, sum, mean, n + zeros);
    return stat == STAT_PROD ? product_of(value, m, at, n, zeros > 0) : value;
}

static ml_status rows_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const RowsJob *job = arg;
    const Matrix *m = job->m;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        if (m->format == MATRIX_DENSE) {
            job->out[i] = row_stat(job, m, i * m->cols, m->cols, 0);
        } else {
            const int64_t n = m->row_ptr[i + 1] - m->row_ptr[i];

            job->out[i] = row_stat(job, m, m->row_ptr[i], n, m->cols - n);
        }
    }
    return ML_OK;
}

/* All rows of a constant matrix have the statistic of one. */
static ml_status constant_rows(Ctx *ctx, OpCall *call, const Matrix *m, Stat stat)
{
    Matrix *row = NULL, *out = NULL;
    double value = 0;
    ml_status st;

    TRY(matrix_new_constant(ctx, 1, m->cols, m->constant, &row));
    st = matrix_stat(ctx, row, stat, &value);
    matrix_release(row);
    TRY(st);
    TRY(matrix_new_constant(ctx, m->rows, 1, value, &out));
    return result_matrix(ctx, call, 0, out, -1);
}

static ml_status rows_stat(Ctx *ctx, OpCall *call, Stat stat)
{
    Matrix *m = NULL, *out = NULL;
    RowsJob job;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    if (m->cols == 0) {
        TRY(matrix_new_constant(ctx, m->rows, 1, 0, &out));
        return result_matrix(ctx, call, 0, out, 0);
    }
    if (m->format == MATRIX_CONSTANT)
        return constant_rows(ctx, call, m, stat);
    TRY(matrix_new_dense(ctx, m->rows, 1, &out));
    job = (RowsJob){.m = m,
                    .stat = stat,
                    .sum = fold_get(cpu_level(ctx), FOLD_SUM),
                    .fold = fold_get(cpu_level(ctx), kind_of[stat]),
                    .out = out->values};
    if (m->rows == 1)
        st = matrix_stat(ctx, m, stat, out->values);
    else
        st = task_for(ctx, m->rows, task_grain(m->cols), rows_task, &job);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}

/* ---- columns ---- */

/* Products that are NaN although no cell of the column is: see product_of. */
static ml_status repair_products(Ctx *ctx, const Matrix *m, double *out)
{
    for (int64_t j = 0; j < m->cols; j++) {
        bool finite = true, zero = false;

        if (!isnan(out[j]))
            continue;
        TRY(check_cancel(ctx));
        for (int64_t i = 0; i < m->rows; i++) {
            const double x = matrix_get(m, i, j);

            finite = finite && isfinite(x);
            zero = zero || x == 0;
        }
        if (finite && zero)
            out[j] = 0;
    }
    return ML_OK;
}

/* Statistics of all columns of a matrix with rows; work holds 2 sums and a mean a column. */
static ml_status columns_into(Ctx *ctx, const Matrix *m, Stat stat, Sum2 *work, double *out)
{
    const Fold *f = fold_get(cpu_level(ctx), kind_of[stat]);
    Sum2 *acc = work, *sums = work + m->cols;
    double *means = (double *)(void *)(sums + m->cols);

    if (needs_mean(stat)) {
        TRY(fold_columns(ctx, fold_get(cpu_level(ctx), FOLD_SUM), m, NULL, sums));
        for (int64_t j = 0; j < m->cols; j++)
            means[j] = sum2_value(sums[j]) / (double)m->rows;
    }
    TRY(fold_columns(ctx, f, m, needs_mean(stat) ? means : NULL, acc));
    for (int64_t j = 0; j < m->cols; j++)
        out[j] = needs_mean(stat) ? stat_value(stat, acc[j], sums[j], means[j], m->rows)
                                  : stat_value(stat, acc[j], acc[j], 0, m->rows);
    return stat == STAT_PROD ? repair_products(ctx, m, out) : ML_OK;
}

static ml_status columns_stat(Ctx *ctx, OpCall *call, Stat stat)
{
    Matrix *m = NULL, *out = NULL;
    size_t bytes;
    Sum2 *work;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    if (m->rows == 0 || m->cols == 0) {
        TRY(matrix_new_constant(ctx, 1, m->cols, 0, &out));
        return result_matrix(ctx, call, 0, out, 0);
    }
    TRY(matrix_new_dense(ctx, 1, m->cols, &out));
    bytes = (size_t)m->cols * (2 * sizeof *work + sizeof(double));
    work = pool_alloc(ctx, bytes);
    st = work ? columns_into(ctx, m, stat, work, out->values) : ML_ENOMEM;
    if (work)
        pool_release(ctx->pool, work, bytes);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}

/* ---- kernels ---- */

#define KERNEL(name, over, stat)                                                                   \
    ml_status ml_k_##name(Ctx *ctx, OpCall *call)                                                  \
    {                                                                                              \
        return over(ctx, call, stat);                                                              \
    }

KERNEL(sum, full_stat, STAT_SUM)
KERNEL(sumsq, full_stat, STAT_SUMSQ)
KERNEL(prod, full_stat, STAT_PROD)
KERNEL(var, full_stat, STAT_VAR)
KERNEL(sd, full_stat, STAT_SD)
KERNEL(rowSums, rows_stat, STAT_SUM)
KERNEL(rowMeans, rows_stat, STAT_MEAN)
KERNEL(rowMaxs, rows_stat, STAT_MAX)
KERNEL(rowMins, rows_stat, STAT_MIN)
KERNEL(rowProds, rows_stat, STAT_PROD)
KERNEL(rowVars, rows_stat, STAT_VAR)
KERNEL(rowSds, rows_stat, STAT_SD)
KERNEL(colSums, columns_stat, STAT_SUM)
KERNEL(colMeans, columns_stat, STAT_MEAN)
KERNEL(colMaxs, columns_stat, STAT_MAX)
KERNEL(colMins, columns_stat, STAT_MIN)
KERNEL(colProds, columns_stat, STAT_PROD)
KERNEL(colVars, columns_stat, STAT_VAR)
KERNEL(colSds, columns_stat, STAT_SD)

/* Weighted mean: sum(v * w) / sum(w). */
static ml_status weighted_mean(Ctx *ctx, OpCall *call, const Matrix *v, double *out)
{
    Matrix *w = NULL;
    Sum2 sum = {0}, weights = {0};

    TRY(call_matrix(ctx, call, 1, &w));
    if (v->rows != w->rows || v->cols != w->cols)
        return call_shape_error(ctx, call, 0, 1, "values and weights must have one shape");
    if (v->cols != 1)
        return fail(ctx, ML_ESHAPE,
                    "mean with weights: expected a column vector, found %" PRId64 "x%" PRId64,
                    v->rows, v->cols);
    for (int64_t i = 0; i < v->rows; i++) {
        const double wi = matrix_get(w, i, 0);

        sum2_add(&sum, wi * matrix_get(v, i, 0));
        sum2_add(&weights, wi);
    }
    *out = sum2_value(sum) / sum2_value(weights);
    return ML_OK;
}

ml_status ml_k_mean(Ctx *ctx, OpCall *call)
{
    Matrix *m = NULL;
    double value = 0;

    if (!call_has(call, 1))
        return full_stat(ctx, call, STAT_MEAN);
    TRY(call_matrix(ctx, call, 0, &m));
    TRY(weighted_mean(ctx, call, m, &value));
    call->out[0] = value_double(value);
    return ML_OK;
}

/* ---- positions of extremes ---- */

/* The last position of the largest of n stored cells from `at` on; NaN never wins; the first cell
 * when nothing does. */
static int64_t last_of(const Matrix *m, int64_t at, int64_t n, double sign)
{
    double best = -INFINITY, scratch[CHUNK];
    int64_t k = n;

    for (int64_t from = 0; from < n; from += CHUNK) {
        const int64_t count = n - from < CHUNK ? n - from : CHUNK;
        const double *x = matrix_load(m, at + from, count, scratch);

        for (int64_t j = 0; j < count; j++) {
            const double v = sign * x[j];

            best = v > best ? v : best;
        }
    }
    while (k-- > 0)
        if (sign * matrix_cell(m, at + k) == best)
            return k;
    return 0;
}

/* The same for a row of CSR, where `stored` is the position of the best nonzero. */
static int64_t last_of_sparse(const Matrix *m, int64_t i, double sign)
{
    const int64_t begin = m->row_ptr[i], n = m->row_ptr[i + 1] - begin;
    const uint32_t *at = m->col_idx + begin;
    const int64_t stored = n > 0 ? last_of(m, begin, n, sign) : 0;
    int64_t zero = m->cols - 1, k = n;

    if (n == m->cols || (n > 0 && sign * matrix_cell(m, begin + stored) > 0))
        return at[stored];
    while (k > 0 && at[k - 1] == zero) {
        k--;
        zero--;
    }
    return zero;
}

typedef struct IndexJob {
    const Matrix *m;
    double sign;
    double *out;
} IndexJob;

static ml_status index_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const IndexJob *job = arg;
    const Matrix *m = job->m;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        const int64_t at = m->format == MATRIX_CSR ? last_of_sparse(m, i, job->sign)
                                                   : last_of(m, i * m->cols, m->cols, job->sign);

        job->out[i] = (double)(at + 1);
    }
    return ML_OK;
}

static ml_status index_of_extreme(Ctx *ctx, OpCall *call, double sign)
{
    Matrix *m = NULL, *out = NULL;
    IndexJob job;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    if (m->format == MATRIX_CONSTANT || m->cols == 0) {
        const bool none = m->cols > 0 && isnan(m->constant);

        TRY(matrix_new_constant(ctx, m->rows, 1, none ? 1 : (double)m->cols, &out));
        return result_matrix(ctx, call, 0, out, -1);
    }
    TRY(matrix_new_dense(ctx, m->rows, 1, &out));
    job = (IndexJob){m, sign, out->values};
    st = task_for(ctx, m->rows, task_grain(m->cols), index_task, &job);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, m->rows);
}

KERNEL(rowIndexMax, index_of_extreme, 1)
KERNEL(rowIndexMin, index_of_extreme, -1)
