/* moments: central moments of a column vector and the covariance of two, possibly weighted.
 *
 * Two passes, the mean first, with compensated sums over fixed tiles.  Cost: two passes over the
 * cells, which sparse operands spread out first. */
#include "kernel/fold.h"

#include <math.h>
#include <string.h>

/* Operands as dense cells; w NULL: all weights are 1. */
typedef struct MomentsJob {
    const double *u, *v, *w;
    int64_t n;
    double mean_u, mean_v;
    int order;
    Sum2 (*term)(const struct MomentsJob *job, int64_t lo, int64_t hi);
    Sum2 *parts;
} MomentsJob;

static double weight(const MomentsJob *job, int64_t i)
{
    return job->w ? job->w[i] : 1;
}

static Sum2 sum_of_u(const MomentsJob *job, int64_t lo, int64_t hi)
{
    Sum2 sum = {0};

    for (int64_t i = lo; i < hi; i++)
        sum2_add(&sum, weight(job, i) * job->u[i]);
    return sum;
}

static Sum2 sum_of_v(const MomentsJob *job, int64_t lo, int64_t hi)
{
    Sum2 sum = {0};

    for (int64_t i = lo; i < hi; i++)
        sum2_add(&sum, weight(job, i) * job->v[i]);
    return sum;
}

static Sum2 sum_of_weights(const MomentsJob *job, int64_t lo, int64_t hi)
{
    Sum2 sum = {0};

    for (int64_t i = lo; i < hi; i++)
        sum2_add(&sum, weight(job, i));
    return sum;
}

static Sum2 sum_of_products(const MomentsJob *job, int64_t lo, int64_t hi)
{
    Sum2 sum = {0};

    for (int64_t i = lo; i < hi; i++)
        sum2_add(&sum, weight(job, i) * (job->u[i] - job->mean_u) * (job->v[i] - job->mean_v));
    return sum;
}

static Sum2 sum_of_powers(const MomentsJob *job, int64_t lo, int64_t hi)
{
    Sum2 sum = {0};

    for (int64_t i = lo; i < hi; i++) {
        const double d = job->u[i] - job->mean_u, dd = d * d;
        const double power = job->order == 2 ? dd : job->order == 3 ? dd * d : dd * dd;

        sum2_add(&sum, weight(job, i) * power);
    }
    return sum;
}

static ml_status tiles_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const MomentsJob *job = arg;

    (void)ctx;
    for (int64_t tile = lo; tile < hi; tile++) {
        const int64_t end = (tile + 1) * FOLD_TILE;

        job->parts[tile] = job->term(job, tile * FOLD_TILE, end < job->n ? end : job->n);
    }
    return ML_OK;
}

/* Sum of a term over all cells. */
static ml_status total(Ctx *ctx, MomentsJob *job,
                       Sum2 (*term)(const MomentsJob *job, int64_t lo, int64_t hi), double *out)
{
    const int64_t tiles = (job->n + FOLD_TILE - 1) / FOLD_TILE;
    const size_t bytes = (size_t)(tiles + 1) * sizeof *job->parts;
    Sum2 sum = {0};
    ml_status st;

    job->term = term;
    job->parts = pool_alloc(ctx, bytes);
    if (!job->parts)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, task_grain(FOLD_TILE), tiles_task, job);
    for (int64_t tile = 0; st == ML_OK && tile < tiles; tile++)
        sum2_merge(&sum, job->parts[tile]);
    pool_release(ctx->pool, job->parts, bytes);
    *out = sum2_value(sum);
    return st;
}

/* ---- operands ---- */

enum { MAX_OPERANDS = 3 };

typedef struct Operands {
    Matrix *dense[MAX_OPERANDS];
} Operands;

static void operands_free(Operands *o)
{
    for (int k = 0; k < MAX_OPERANDS; k++)
        matrix_release(o->dense[k]);
}

/* Operand k, a column vector as long as operand 0, as dense cells. */
static ml_status operand(Ctx *ctx, const OpCall *call, int k, Operands *o, const double **cells)
{
    Matrix *m = NULL;

    TRY(call_matrix(ctx, call, k, &m));
    if (k > 0 && m->rows != call->in[0].m->rows)
        return call_shape_error(ctx, call, 0, k, "the operands must have one length");
    if (m->cols != 1)
        return fail(ctx, ML_ESHAPE,
                    "%s: expected %s to be a column vector, found %" PRId64 "x%" PRId64,
                    CALL_DML(call), call_name(call, k), m->rows, m->cols);
    TRY(matrix_dense(ctx, m, &o->dense[k]));
    *cells = o->dense[k]->values;
    return ML_OK;
}

/* ---- kernels ---- */

static ml_status moment_of(Ctx *ctx, MomentsJob *job, double *out)
{
    double sum = 0, weights = 0, powers = 0;

    TRY(total(ctx, job, sum_of_weights, &weights));
    TRY(total(ctx, job, sum_of_u, &sum));
    job->mean_u = sum / weights;
    TRY(total(ctx, job, sum_of_powers, &powers));
    *out = powers / weights;
    return ML_OK;
}

ml_status ml_k_moment(Ctx *ctx, OpCall *call)
{
    const bool weighted = call_has(call, 2);
    MomentsJob job = {0};
    Operands o = {0};
    double order = 0, value = 0;
    ml_status st;

    TRY(call_double(ctx, call, weighted ? 2 : 1, &order));
    if (order != 2 && order != 3 && order != 4)
        return fail(ctx, ML_EVALUE, "moment: expected order 2, 3 or 4, found %s", NUM_SHOW(order));
    job.order = (int)order;
    st = operand(ctx, call, 0, &o, &job.u);
    if (st == ML_OK && weighted)
        st = operand(ctx, call, 1, &o, &job.w);
    if (st == ML_OK) {
        job.n = call->in[0].m->rows;
        st = moment_of(ctx, &job, &value);
        call->out[0] = value_double(value);
    }
    operands_free(&o);
    return st;
}

static ml_status covariance_of(Ctx *ctx, MomentsJob *job, double *out)
{
    double sum_u = 0, sum_v = 0, weights = 0, products = 0;

    TRY(total(ctx, job, sum_of_weights, &weights));
    TRY(total(ctx, job, sum_of_u, &sum_u));
    TRY(total(ctx, job, sum_of_v, &sum_v));
    job->mean_u = sum_u / weights;
    job->mean_v = sum_v / weights;
    TRY(total(ctx, job, sum_of_products, &products));
    *out = job->n == 0 ? NAN : job->n == 1 ? 0 : products / (weights - 1);
    return ML_OK;
}

ml_status ml_k_cov(Ctx *ctx, OpCall *call)
{
    MomentsJob job = {0};
    Operands o = {0};
    double value = 0;
    ml_status st = operand(ctx, call, 0, &o, &job.u);

    if (st == ML_OK)
        st = operand(ctx, call, 1, &o, &job.v);
    if (st == ML_OK && call_has(call, 2))
        st = operand(ctx, call, 2, &o, &job.w);
    if (st == ML_OK) {
        job.n = call->in[0].m->rows;
        st = covariance_of(ctx, &job, &value);
        call->out[0] = value_double(value);
    }
    operands_free(&o);
    return st;
}
