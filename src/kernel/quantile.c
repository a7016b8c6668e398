/* quantile: quantiles, medians and interquartile means of a column vector, possibly with counts as
 * weights.
 *
 * Ranks are counted from 1; with weights, value i stands for w[i] equal values. A NaN makes the
 * result NaN.  Cost: a sort; of many values without weights, of which few ranks are wanted, some
 * passes over them (ranks.h). */
#include "kernel/ranks.h"
#include "kernel/sort.h"
#include "kernel/sum2.h"

#include <math.h>

/* More ranks than these are looked up in sorted values. */
enum { FEW_RANKS = 4 };

/* Values in ascending order: value k holds the ranks ends[k-1] + 1 .. ends[k].  Or, when `unsorted`
 * is there, values to select from. */
typedef struct Ranked {
    Matrix *unsorted;
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
    matrix_release(r->unsorted);
}

static ml_status column_operand(Ctx *ctx, const OpCall *call, int k, Matrix **m)
{
    TRY(call_matrix(ctx, call, k, m));
    if ((*m)->cols != 1)
        return fail(ctx, ML_ESHAPE,
                    "%s: expected %s to be a column vector, found %" PRId64 "x%" PRId64,
                    call->op->dml, call_name(call, k), (*m)->rows, (*m)->cols);
    return ML_OK;
}

/* Weights are counts: whole and not negative. */
static ml_status rank_values(Ctx *ctx, const Matrix *w, const SortItem *items, Ranked *r)
{
    for (int64_t k = 0; k < r->n; k++) {
        const double weight = w ? matrix_get(w, items[k].index, 0) : 1;

        if (!(weight >= 0) || weight != floor(weight))
            return fail(ctx, ML_EVALUE,
                        "quantile weights are expected to be integers of at least 0, found %s",
                        NUM_SHOW(weight));
        r->values[k] = sort_value(items[k].key);
        r->total += weight;
        r->ends[k] = r->total;
        r->nan = r->nan || isnan(r->values[k]);
    }
    return ML_OK;
}

static ml_status sort_values(Ctx *ctx, const Matrix *v, const Matrix *w, Ranked *r)
{
    const int64_t first = 0;
    SortItem *items = NULL;
    ml_status st;

    r->bytes = (size_t)(2 * v->rows + 1) * sizeof(double);
    TRY(sort_rows(ctx, v, &first, 1, false, &items));
    r->values = pool_alloc(ctx, r->bytes);
    r->ends = r->values + r->n;
    st = r->values ? rank_values(ctx, w, items, r) : ML_ENOMEM;
    sort_free(ctx, items, v->rows);
    return st;
}

/* Operand 0, of which `wanted` ranks will be looked up, with the weights of operand `weights`
 * unless it is negative. */
static ml_status rank_operands(Ctx *ctx, const OpCall *call, int weights, int64_t wanted, Ranked *r)
{
    Matrix *v = NULL, *w = NULL;

    TRY(column_operand(ctx, call, 0, &v));
    if (weights >= 0) {
        TRY(column_operand(ctx, call, weights, &w));
        if (w->rows != v->rows)
            return call_shape_error(ctx, call, 0, weights,
                                    "values and weights must have one length");
    }
    r->n = v->rows;
    if (w || v->rows < RANKS_FEW || wanted > FEW_RANKS)
        return sort_values(ctx, v, w, r);
    r->total = (double)v->rows;
    return matrix_dense(ctx, v, &r->unsorted);
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

/* The values of a rank and, unless it is the last, of the next one. */
static ml_status values_of_rank(Ctx *ctx, const Ranked *r, double rank, double pair[2])
{
    if (r->unsorted)
        return ranks_pair(ctx, r->unsorted->values, r->n, (int64_t)rank, pair);
    pair[0] = r->nan ? NAN : r->values[position_of(r, rank)];
    if (rank < r->total)
        pair[1] = r->nan ? NAN : r->values[position_of(r, rank + 1)];
    return ML_OK;
}

static double rank_of(const Ranked *r, double p)
{
    const double rank = ceil(p * r->total);

    return rank < 1 ? 1 : rank > r->total ? r->total : rank;
}

/* For an even number of values the mean of two neighbours, but for the last one and p = 0. */
static ml_status pick(Ctx *ctx, const Ranked *r, double p, double *out)
{
    const double rank = rank_of(r, p);
    double pair[2];

    *out = NAN;
    if (r->total < 1)
        return ML_OK;
    TRY(values_of_rank(ctx, r, rank, pair));
    *out = p > 0 && fmod(r->total, 2) == 0 && rank < r->total ? 0.5 * (pair[0] + pair[1]) : pair[0];
    return ML_OK;
}

static ml_status check_probability(Ctx *ctx, double p)
{
    if (p >= 0 && p <= 1)
        return ML_OK;
    return fail(ctx, ML_EVALUE, "quantile: expected a probability in [0, 1], found %s",
                NUM_SHOW(p));
}

/* One for each entry of a column of probabilities, without means of neighbours. */
static ml_status pick_all(Ctx *ctx, OpCall *call, int at, const Ranked *r)
{
    Matrix *p = NULL, *out = NULL;
    ml_status st = ML_OK;

    TRY(column_operand(ctx, call, at, &p));
    for (int64_t k = 0; k < p->rows; k++)
        TRY(check_probability(ctx, matrix_get(p, k, 0)));
    TRY(matrix_new_dense(ctx, p->rows, 1, &out));
    for (int64_t k = 0; k < p->rows && st == ML_OK; k++) {
        double pair[2] = {NAN, NAN};

        if (r->total >= 1)
            st = values_of_rank(ctx, r, rank_of(r, matrix_get(p, k, 0)), pair);
        out->values[k] = pair[0];
    }
    if (st == ML_OK)
        return result_matrix(ctx, call, 0, out, -1);
    matrix_release(out);
    return st;
}

static ml_status pick_one(Ctx *ctx, OpCall *call, int at, const Ranked *r)
{
    double p = 0, value;

    TRY(call_double(ctx, call, at, &p));
    TRY(check_probability(ctx, p));
    TRY(pick(ctx, r, p, &value));
    call->out[0] = value_double(value);
    return ML_OK;
}

ml_status ml_k_quantile(Ctx *ctx, OpCall *call)
{
    const int at = call_has(call, 2) ? 2 : 1;
    const int64_t wanted = call->in[at].dt == DT_MATRIX ? call->in[at].m->rows : 1;
    Ranked r = {0};
    ml_status st = rank_operands(ctx, call, at == 2 ? 1 : -1, wanted, &r);

    if (st == ML_OK)
        st = call->in[at].dt == DT_MATRIX ? pick_all(ctx, call, at, &r)
                                          : pick_one(ctx, call, at, &r);
    ranked_free(ctx, &r);
    return st;
}

ml_status ml_k_median(Ctx *ctx, OpCall *call)
{
    Ranked r = {0};
    double value = NAN;
    ml_status st = rank_operands(ctx, call, call_has(call, 1) ? 1 : -1, 1, &r);

    if (st == ML_OK)
        st = pick(ctx, &r, 0.5, &value);
    call->out[0] = value_double(value);
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

static void add_times(Sum2 *sum, double times, double value)
{
    if (times > 0)
        sum2_add(sum, times * value);
}

/* The same of values to select from: those between the two at the ends count once, and of the
 * equals of these two as many as lie inside. */
static ml_status select_between(Ctx *ctx, const Ranked *r, double from, double to, double *out)
{
    const double first = floor(from) + 1, last = ceil(to);
    double lo[2], hi[2];
    RanksBetween b;
    Sum2 sum = {0};

    TRY(values_of_rank(ctx, r, first, lo));
    TRY(values_of_rank(ctx, r, last, hi));
    if (isnan(lo[0]) || lo[0] == hi[0]) {
        *out = (to - from) * lo[0];
        return ML_OK;
    }
    TRY(ranks_between(ctx, r->unsorted->values, r->n, lo[0], hi[0], &b));
    add_times(&sum, (double)(b.below + b.at_lo) - from, lo[0]);
    add_times(&sum, b.between ? 1 : 0, b.sum);
    add_times(&sum, to - (double)(b.below + b.at_lo + b.between), hi[0]);
    *out = sum2_value(sum);
    return ML_OK;
}

ml_status ml_k_interQuartileMean(Ctx *ctx, OpCall *call)
{
    Ranked r = {0};
    double sum = NAN;
    ml_status st = rank_operands(ctx, call, call_has(call, 1) ? 1 : -1, 2, &r);

    if (st == ML_OK && r.unsorted)
        st = select_between(ctx, &r, 0.25 * r.total, 0.75 * r.total, &sum);
    else if (st == ML_OK && !r.nan)
        sum = sum_between(&r, 0.25 * r.total, 0.75 * r.total);
    call->out[0] = value_double(sum / (0.5 * r.total));
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
        return fail(ctx, ML_EVALUE, "interQuantile: expected p in [0, 0.5], found %s", NUM_SHOW(p));
    st = rank_operands(ctx, call, -1, INT64_MAX, &r);
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
