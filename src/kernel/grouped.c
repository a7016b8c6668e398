/* grouped: aggregates of the rows of a matrix by group.
 *
 * Members are ordered by group once, by counting; then each group is aggregated as a task, its
 * members in their order, with compensated sums and two passes for variance and moments. Cost: two
 * passes over groups, one or two over the target, which is read row by row. */
#include "kernel/kernel.h"
#include "kernel/sum2.h"

#include <math.h>
#include <string.h>

typedef struct GroupJob {
    Matrix *target, *groups, *weights; /* owned, dense; weights NULL: all 1 */
    int64_t members, columns, ngroups;
    int order;
    int64_t *ends; /* of each group's members in `rows` */
    int64_t *rows;
    double (*fn)(const struct GroupJob *job, int64_t lo, int64_t hi, int64_t col);
    double *out;
} GroupJob;

static double target_at(const GroupJob *job, int64_t k, int64_t col)
{
    return job->target->values[job->rows[k] * job->columns + col];
}

static double weight_at(const GroupJob *job, int64_t k)
{
    return job->weights ? job->weights->values[job->rows[k]] : 1;
}

/* ---- aggregates of members lo..hi of `rows`, in one column ---- */

static double group_sum(const GroupJob *job, int64_t lo, int64_t hi, int64_t col)
{
    Sum2 sum = {0};

    for (int64_t k = lo; k < hi; k++)
        sum2_add(&sum, weight_at(job, k) * target_at(job, k, col));
    return sum2_value(sum);
}

static double group_count(const GroupJob *job, int64_t lo, int64_t hi, int64_t col)
{
    Sum2 sum = {0};

    (void)col;
    for (int64_t k = lo; k < hi; k++)
        sum2_add(&sum, weight_at(job, k));
    return sum2_value(sum);
}

static double group_mean(const GroupJob *job, int64_t lo, int64_t hi, int64_t col)
{
    return group_sum(job, lo, hi, col) / group_count(job, lo, hi, col);
}

static double powers(const GroupJob *job, int64_t lo, int64_t hi, int64_t col, int order)
{
    const double mean = group_mean(job, lo, hi, col);
    Sum2 sum = {0};

    for (int64_t k = lo; k < hi; k++) {
        const double d = target_at(job, k, col) - mean, dd = d * d;

        sum2_add(&sum, weight_at(job, k) * (order == 2 ? dd : order == 3 ? dd * d : dd * dd));
    }
    return sum2_value(sum);
}

static double group_variance(const GroupJob *job, int64_t lo, int64_t hi, int64_t col)
{
    return hi - lo < 2 ? 0 : powers(job, lo, hi, col, 2) / (group_count(job, lo, hi, col) - 1);
}

static double group_moment(const GroupJob *job, int64_t lo, int64_t hi, int64_t col)
{
    return lo == hi ? NAN : powers(job, lo, hi, col, job->order) / group_count(job, lo, hi, col);
}

static double group_min(const GroupJob *job, int64_t lo, int64_t hi, int64_t col)
{
    double least = INFINITY;

    for (int64_t k = lo; k < hi; k++) {
        const double x = weight_at(job, k) * target_at(job, k, col);

        least = x < least || isnan(x) ? x : least;
    }
    return least;
}

static double group_max(const GroupJob *job, int64_t lo, int64_t hi, int64_t col)
{
    double greatest = -INFINITY;

    for (int64_t k = lo; k < hi; k++) {
        const double x = weight_at(job, k) * target_at(job, k, col);

        greatest = x > greatest || isnan(x) ? x : greatest;
    }
    return greatest;
}

static const struct {
    const char *name;
    double (*fn)(const GroupJob *job, int64_t lo, int64_t hi, int64_t col);
} functions[] = {
    {"sum", group_sum},
    {"count", group_count},
    {"mean", group_mean},
    {"variance", group_variance},
    {"min", group_min},
    {"max", group_max},
    {"centralmoment", group_moment},
};

static ml_status groups_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const GroupJob *job = arg;

    (void)ctx;
    for (int64_t g = lo; g < hi; g++) {
        const int64_t begin = g > 0 ? job->ends[g - 1] : 0, end = job->ends[g];

        for (int64_t col = 0; col < job->columns; col++)
            job->out[g * job->columns + col] =
                begin == end && job->fn != group_moment ? 0 : job->fn(job, begin, end, col);
    }
    return ML_OK;
}

/* ---- groups ---- */

/* Group of member i from 0, or -1 when it is beyond those asked for. */
static int64_t group_of(const GroupJob *job, int64_t i)
{
    const double g = job->groups->values[i];

    return g < (double)job->ngroups + 1 ? (int64_t)g - 1 : -1;
}

/* Check the groups; find their number unless it was given. */
static ml_status count_groups(Ctx *ctx, GroupJob *job)
{
    double largest = 0;

    for (int64_t i = 0; i < job->members; i++) {
        const double g = job->groups->values[i];

        if (!(g >= 1))
            return fail(
                ctx, ML_EVALUE,
                "aggregate: Invalid value (%.1f) encountered in 'groups', expected at least 1", g);
        largest = g > largest ? g : largest;
    }
    if (job->ngroups > 0)
        return ML_OK;
    if (!(largest >= 1 && largest < 0x1p53))
        return fail(ctx, ML_EVALUE,
                    "aggregate: cannot tell the number of groups from 'groups' (largest %g)",
                    largest);
    job->ngroups = (int64_t)largest;
    return ML_OK;
}

/* Order the members by group, keeping their order in each. */
static void order_members(GroupJob *job)
{
    int64_t at = 0;

    memset(job->ends, 0, (size_t)job->ngroups * sizeof *job->ends);
    for (int64_t i = 0; i < job->members; i++)
        if (group_of(job, i) >= 0)
            job->ends[group_of(job, i)]++;
    for (int64_t g = 0; g < job->ngroups; g++) {
        const int64_t count = job->ends[g];

        job->ends[g] = at;
        at += count;
    }
    for (int64_t i = 0; i < job->members; i++)
        if (group_of(job, i) >= 0)
            job->rows[job->ends[group_of(job, i)]++] = i;
}

static ml_status aggregate_groups(Ctx *ctx, GroupJob *job, Matrix **out)
{
    size_t bytes;
    ml_status st;

    TRY(count_groups(ctx, job));
    TRY(matrix_new_dense(ctx, job->ngroups, job->columns, out));
    bytes = (size_t)(job->ngroups + job->members + 1) * sizeof *job->ends;
    job->ends = pool_alloc(ctx, bytes);
    if (!job->ends) {
        matrix_release(*out);
        return ML_ENOMEM;
    }
    job->rows = job->ends + job->ngroups;
    job->out = (*out)->values;
    order_members(job);
    st = task_for(ctx, job->ngroups,
                  task_grain(job->columns * (1 + job->members / (job->ngroups + 1))), groups_task,
                  job);
    pool_release(ctx->pool, job->ends, bytes);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

/* ---- operands ---- */

/* Operand k as a dense vector of one entry for each member. */
static ml_status vector_operand(Ctx *ctx, const OpCall *call, int k, int64_t members, Matrix **out)
{
    Matrix *m = NULL;

    TRY(call_matrix(ctx, call, k, &m));
    if ((m->rows != 1 && m->cols != 1) || matrix_cells(m) != members)
        return call_shape_error(ctx, call, 0, k,
                                "aggregate needs a vector with one entry for each row of target");
    return matrix_dense(ctx, m, out);
}

static ml_status choose_function(Ctx *ctx, const OpCall *call, GroupJob *job)
{
    const char *name = NULL;
    double order = 0;

    TRY(call_text(ctx, call, 2, &name));
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
        if (strcmp(functions[k].name, name) == 0)
            job->fn = functions[k].fn;
    if (!job->fn)
        return fail(ctx, ML_EVALUE,
                    "aggregate: expected fn to be sum, count, mean, variance, min, max or "
                    "centralmoment, found \"%s\"",
                    name);
    if (job->fn != group_moment)
        return ML_OK;
    if (call_has(call, 5))
        TRY(call_double(ctx, call, 5, &order));
    if (order != 2 && order != 3 && order != 4)
        return fail(ctx, ML_EVALUE,
                    "aggregate: for centralmoment, order must be given and be 2, 3 or 4");
    job->order = (int)order;
    return ML_OK;
}

/* A target of one row is a vector too, when the groups are one. */
static ml_status read_operands(Ctx *ctx, const OpCall *call, GroupJob *job)
{
    Matrix *m = NULL, *groups = NULL;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(call_matrix(ctx, call, 1, &groups));
    job->members = m->rows == 1 && groups->rows == 1 && groups->cols == m->cols ? m->cols : m->rows;
    job->columns = job->members == m->rows ? m->cols : 1;
    TRY(choose_function(ctx, call, job));
    if (call_has(call, 4))
        TRY(call_int(ctx, call, 4, &job->ngroups));
    if (job->columns != 1 && job->ngroups <= 0)
        return fail(ctx, ML_EVALUE, "aggregate: a target of several columns needs ngroups");
    if (job->columns != 1 && call_has(call, 3))
        return fail(ctx, ML_EVALUE, "aggregate: a target of several columns takes no weights");
    TRY(vector_operand(ctx, call, 1, job->members, &job->groups));
    if (call_has(call, 3))
        TRY(vector_operand(ctx, call, 3, job->members, &job->weights));
    return matrix_dense(ctx, m, &job->target);
}

ml_status ml_k_aggregate(Ctx *ctx, OpCall *call)
{
    GroupJob job = {0};
    Matrix *out = NULL;
    ml_status st = read_operands(ctx, call, &job);

    if (st == ML_OK)
        st = aggregate_groups(ctx, &job, &out);
    matrix_release(job.target);
    matrix_release(job.groups);
    matrix_release(job.weights);
    return st == ML_OK ? result_matrix(ctx, call, 0, out, -1) : st;
}
