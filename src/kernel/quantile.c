/* quantile: quantiles, medians and interquartile means of a column vector, possibly with counts as
 * weights.
 *
 * The values are sorted and ranks counted from 1; with weights, value i stands for w[i] equal
 * values. A NaN makes the result NaN.  Cost: one sort. */
#include "kernel/sort.h"
#include "kernel/sum2.h"

#include <math.h>

/* Values in ascending order: value k holds the ranks ends[k-1] + 1 .. ends[k]. */
typedef struct Ranked {
    double *values;
    double *ends;
    int64_t n;
    double total; /* number of ranks */
    bool nan;
    size_t bytes;
} Ranked;

static void ranked_free(Ctx *ctx, Ranked *r)
{
    if (r->values)
        pool_release(ctx->pool, r->values, r->bytes);
}

static ml_status column_operand(Ctx *ctx, const OpCall *call, int k, Matrix **m)
{
    TRY(call_matrix(ctx, call, k, m));
    if ((*m)->cols != 1)
        return fail(ctx, ML_ESHAPE,
                    "%s: expected %s to be a column vector, found %" PRId64 "x%" PRId64,
                    op_label(call->op), call_name(call, k), (*m)->rows, (*m)->cols);
    return ML_OK;
}

/* Weights are counts: whole and not negative. */
static ml_status rank_values(Ctx *ctx, const Matrix *w, const SortItem *items, Ranked *r)
{
    for (int64_t k = 0; k < r->n; k++) {
        const double weight = w ? matrix_get(w, items[k].index, 0) : 1;

        if (!(weight >= 0) || weight != floor(weight))
            return fail(ctx, ML_EVALUE,
                        "quantile weights are expected to be integers of at least 0, found %g",
                        weight);
        r->values[k] = sort_value(items[k].key);
        r->total += weight;
        r->ends[k] = r->total;
        r->nan = r->nan || isnan(r->values[k]);
    }
    return ML_OK;
}

/* Operand 0 ranked, with the weights of operand `weights` unless it is negative. */
static ml_status rank_operands(Ctx *ctx, const OpCall *call, int weights, Ranked *r)
{
    const int64_t first = 0;
    Matrix *v = NULL, *w = NULL;
    SortItem *items = NULL;
    ml_status st;

    TRY(column_operand(ctx, call, 0, &v));
    if (weights >= 0) {
        TRY(column_operand(ctx, call, weights, &w));
        if (w->rows != v->rows)
            return call_shape_error(ctx, call, 0, weights,
                                    "values and weights must have one length");
    }
    r->n = v->rows;
    r->bytes = (size_t)(2 * v->rows + 1) * sizeof(double);
    TRY(sort_rows(ctx, v, &first, 1, false, &items));
    r->values = pool_alloc(ctx, r->bytes);
    r->ends = r->values + r->n;
    st = r->values ? rank_values(ctx, w, items, r) : ML_ENOMEM;
    sort_free(ctx, items, v->rows);
    return st;
}

/* Position of the value that holds a rank. */
static int64_t position_of(const Ranked *r, double rank)
{
    int64_t lo = 0, hi = r->n - 1;

    while (lo < hi) {
        const int64_t middle = lo + (hi - lo) / 2;

        if (r->ends[middle] < rank)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static double value_of_rank(const Ranked *r, double rank)
{
    return r->values[position_of(r, rank)];
}

static double rank_of(const Ranked *r, double p)
{
    const double rank = ceil(p * r->total);

    return rank < 1 ? 1 : rank > r->total ? r->total : rank;
}

/* For an even number of values the mean of two neighbours, but for the last one and p = 0. */
static double pick(const Ranked *r, double p)
{
    const double rank = rank_of(r, p);

    if (r->nan || r->total < 1)
        return NAN;
    if (p > 0 && fmod(r->total, 2) == 0 && rank < r->total)
        return 0.5 * (value_of_rank(r, rank) + value_of_rank(r, rank + 1));
    return value_of_rank(r, rank);
}

static ml_status check_probability(Ctx *ctx, double p)
{
    if (p >= 0 && p <= 1)
        return ML_OK;
    return fail(ctx, ML_EVALUE, "quantile: expected a probability in [0, 1], found %g", p);
}

/* One for each entry of a column of probabilities, without means of neighbours. */
static ml_status pick_all(Ctx *ctx, OpCall *call, int at, const Ranked *r)
{
    Matrix *p = NULL, *out = NULL;

    TRY(column_operand(ctx, call, at, &p));
    for (int64_t k = 0; k < p->rows; k++)
        TRY(check_probability(ctx, matrix_get(p, k, 0)));
    TRY(matrix_new_dense(ctx, p->rows, 1, &out));
    for (int64_t k = 0; k < p->rows; k++)
        out->values[k] =
            r->nan || r->total < 1 ? NAN : value_of_rank(r, rank_of(r, matrix_get(p, k, 0)));
    return result_matrix(ctx, call, 0, out, -1);
}

static ml_status pick_one(Ctx *ctx, OpCall *call, int at, const Ranked *r)
{
    double p = 0;

    TRY(call_double(ctx, call, at, &p));
    TRY(check_probability(ctx, p));
    call->out[0] = value_double(pick(r, p));
    return ML_OK;
}

ml_status ml_k_quantile(Ctx *ctx, OpCall *call)
{
    const int at = call_has(call, 2) ? 2 : 1;
    Ranked r = {0};
    ml_status st = rank_operands(ctx, call, at == 2 ? 1 : -1, &r);

    if (st == ML_OK)
        st = call->in[at].dt == DT_MATRIX ? pick_all(ctx, call, at, &r)
                                          : pick_one(ctx, call, at, &r);
    ranked_free(ctx, &r);
    return st;
}

ml_status ml_k_median(Ctx *ctx, OpCall *call)
{
    Ranked r = {0};
    const ml_status st = rank_operands(ctx, call, call_has(call, 1) ? 1 : -1, &r);

    if (st == ML_OK)
        call->out[0] = value_double(pick(&r, 0.5));
    ranked_free(ctx, &r);
    return st;
}

/* Sum of the values between two points of the scale of ranks, the ends taken in part. */
static double sum_between(const Ranked *r, double from, double to)
{
    Sum2 sum = {0};
    double begin = 0;

    for (int64_t k = 0; k < r->n; k++) {
        const double lo = begin > from ? begin : from, hi = r->ends[k] < to ? r->ends[k] : to;

        if (hi > lo)
            sum2_add(&sum, (hi - lo) * r->values[k]);
        begin = r->ends[k];
    }
    return sum2_value(sum);
}

ml_status ml_k_interQuartileMean(Ctx *ctx, OpCall *call)
{
    Ranked r = {0};
    const ml_status st = rank_operands(ctx, call, call_has(call, 1) ? 1 : -1, &r);

    if (st == ML_OK)
        call->out[0] = value_double(
            r.nan ? NAN : sum_between(&r, 0.25 * r.total, 0.75 * r.total) / (0.5 * r.total));
    ranked_free(ctx, &r);
    return st;
}

/* As many values are left out at either end; NaN anywhere leaves nothing that could be ranked. */
ml_status ml_k_interQuantile(Ctx *ctx, OpCall *call)
{
    Ranked r = {0};
    Matrix *out;
    int64_t cut;
    double p;
    ml_status st;

    TRY(call_double(ctx, call, 1, &p));
    if (!(p >= 0 && p <= 0.5))
        return fail(ctx, ML_EVALUE, "interQuantile: expected p in [0, 0.5], found %g", p);
    st = rank_operands(ctx, call, -1, &r);
    if (st == ML_OK) {
        cut = (int64_t)floor(p * (double)r.n);
        st = matrix_new_dense(ctx, r.n - 2 * cut, 1, &out);
    }
    if (st == ML_OK) {
        for (int64_t k = 0; k < out->rows; k++)
            out->values[k] = r.nan ? NAN : r.values[cut + k];
        st = result_matrix(ctx, call, 0, out, -1);
    }
    ranked_free(ctx, &r);
    return st;
}
