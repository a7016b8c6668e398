/* grouped: aggregates of the rows of a matrix by group.
 *
 * The members are cut into tiles; each tile adds its members up by group, in their order, and the
 * tiles' parts of a group are merged in the order of the tiles.  Sums are compensated; variance and
 * moments take a second pass, with the means of the first.  There are as many tiles as keep the
 * parts few beside the members, whatever the number of threads.
 * Cost: a pass over the groups to check them, and one or two over groups and target. */
#include "kernel/kernel.h"
#include "kernel/sum2.h"

#include <math.h>
#include <string.h>

enum { MEMBERS_A_PART = 8, MAX_TILES = 64, CHECK_TILE = 64 << 10 };

/* What is known of a group in one column. */
typedef struct Part {
    Sum2 sum; /* its s alone: least or greatest */
    int64_t members;
} Part;

typedef struct GroupJob GroupJob;

/* Add x with weight w to a part; mean: that of the part's group, where there is one by now. */
typedef void (*AddFn)(Part *part, double x, double w, double mean);
/* Add members lo..hi to the parts of a tile. */
typedef void (*PassFn)(const GroupJob *job, int64_t lo, int64_t hi, Part *parts);

typedef ml_status (*GroupFn)(Ctx *ctx, GroupJob *job);

struct GroupJob {
    Matrix *target, *groups, *weights; /* owned, dense; weights NULL: all 1 */
    int64_t members, columns, ngroups;
    int order;
    GroupFn fn;
    double *largest; /* group of each tile of the check */
    int64_t tiles;
    PassFn pass;
    void (*merge)(Part *to, const Part *from);
    Part *parts;   /* tiles x ngroups x columns; merged in the first tile's */
    double *means; /* NULL: none known */
    double *out;
};

/* ---- passes ---- */

/* Inlined with constants, so that each pass is a loop of its own. */
static inline __attribute__((always_inline)) void
add_rows(const GroupJob *job, int64_t lo, int64_t hi, int64_t columns, Part *parts, AddFn add)
{
    const double *target = job->target->values, *groups = job->groups->values;
    const double *weights = job->weights ? job->weights->values : NULL, *means = job->means;
    const double end = (double)job->ngroups + 1;

    for (int64_t i = lo; i < hi; i++) {
        if (!(groups[i] < end)) /* a group beyond those asked for */
            continue;
        for (int64_t j = 0; j < columns; j++) {
            const int64_t k = ((int64_t)groups[i] - 1) * columns + j;

            parts[k].members++;
            add(&parts[k], target[i * columns + j], weights ? weights[i] : 1, means ? means[k] : 0);
        }
    }
}

static inline __attribute__((always_inline)) void add_members(const GroupJob *job, int64_t lo,
                                                              int64_t hi, Part *parts, AddFn add)
{
    if (job->columns == 1)
        add_rows(job, lo, hi, 1, parts, add);
    else
        add_rows(job, lo, hi, job->columns, parts, add);
}

static inline void add_value(Part *part, double x, double w, double mean)
{
    (void)mean;
    sum2_add(&part->sum, w * x);
}

static inline void add_weight(Part *part, double x, double w, double mean)
{
    (void)x;
    (void)mean;
    sum2_add(&part->sum, w);
}

static inline void add_square(Part *part, double x, double w, double mean)
{
    sum2_add(&part->sum, w * ((x - mean) * (x - mean)));
}

static inline void add_cube(Part *part, double x, double w, double mean)
{
    const double d = x - mean;

    sum2_add(&part->sum, w * (d * d * d));
}

static inline void add_fourth(Part *part, double x, double w, double mean)
{
    const double d = x - mean, dd = d * d;

    sum2_add(&part->sum, w * (dd * dd));
}

static inline void keep_least(Part *part, double x, double w, double mean)
{
    const double y = w * x;

    (void)mean;
    part->sum.s = part->members == 1 || y < part->sum.s || isnan(y) ? y : part->sum.s;
}

static inline void keep_greatest(Part *part, double x, double w, double mean)
{
    const double y = w * x;

    (void)mean;
    part->sum.s = part->members == 1 || y > part->sum.s || isnan(y) ? y : part->sum.s;
}

static void pass_values(const GroupJob *job, int64_t lo, int64_t hi, Part *parts)
{
    add_members(job, lo, hi, parts, add_value);
}

static void pass_weights(const GroupJob *job, int64_t lo, int64_t hi, Part *parts)
{
    add_members(job, lo, hi, parts, add_weight);
}

static void pass_powers(const GroupJob *job, int64_t lo, int64_t hi, Part *parts)
{
    if (job->order == 2)
        add_members(job, lo, hi, parts, add_square);
    else if (job->order == 3)
        add_members(job, lo, hi, parts, add_cube);
    else
        add_members(job, lo, hi, parts, add_fourth);
}

static void pass_least(const GroupJob *job, int64_t lo, int64_t hi, Part *parts)
{
    add_members(job, lo, hi, parts, keep_least);
}

static void pass_greatest(const GroupJob *job, int64_t lo, int64_t hi, Part *parts)
{
    add_members(job, lo, hi, parts, keep_greatest);
}

/* ---- merging ---- */

static void merge_sum(Part *to, const Part *from)
{
    sum2_merge(&to->sum, from->sum);
    to->members += from->members;
}

static void merge_least(Part *to, const Part *from)
{
    if (to->members == 0 || from->sum.s < to->sum.s || isnan(from->sum.s))
        to->sum.s = from->sum.s;
    to->members += from->members;
}

static void merge_greatest(Part *to, const Part *from)
{
    if (to->members == 0 || from->sum.s > to->sum.s || isnan(from->sum.s))
        to->sum.s = from->sum.s;
    to->members += from->members;
}

static ml_status tiles_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const GroupJob *job = arg;
    const int64_t cells = job->ngroups * job->columns, n = job->members;
    const int64_t tile = n / job->tiles + 1;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        const int64_t begin = t * tile < n ? t * tile : n;

        memset(job->parts + t * cells, 0, (size_t)cells * sizeof *job->parts);
        job->pass(job, begin, begin + tile < n ? begin + tile : n, job->parts + t * cells);
    }
    return ML_OK;
}

static ml_status merge_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const GroupJob *job = arg;
    const int64_t cells = job->ngroups * job->columns;

    (void)ctx;
    for (int64_t t = 1; t < job->tiles; t++)
        for (int64_t k = lo; k < hi; k++)
            if (job->parts[t * cells + k].members > 0)
                job->merge(&job->parts[k], &job->parts[t * cells + k]);
    return ML_OK;
}

/* One pass over all members: parts[0 .. ngroups * columns) become those of the groups. */
static ml_status run_pass(Ctx *ctx, GroupJob *job, PassFn pass,
                          void (*merge)(Part *to, const Part *from))
{
    job->pass = pass;
    job->merge = merge;
    TRY(task_for(ctx, job->tiles, 1, tiles_task, job));
    return task_for(ctx, job->ngroups * job->columns, task_grain(job->tiles), merge_task, job);
}

/* ---- functions ---- */

static void take_sums(const GroupJob *job)
{
    for (int64_t k = 0; k < job->ngroups * job->columns; k++)
        job->out[k] = sum2_value(job->parts[k].sum);
}

static ml_status group_pass(Ctx *ctx, GroupJob *job, PassFn pass,
                            void (*merge)(Part *to, const Part *from))
{
    TRY(run_pass(ctx, job, pass, merge));
    take_sums(job);
    return ML_OK;
}

static ml_status group_sum(Ctx *ctx, GroupJob *job)
{
    return group_pass(ctx, job, pass_values, merge_sum);
}

static ml_status group_count(Ctx *ctx, GroupJob *job)
{
    return group_pass(ctx, job, pass_weights, merge_sum);
}

static ml_status group_min(Ctx *ctx, GroupJob *job)
{
    return group_pass(ctx, job, pass_least, merge_least);
}

static ml_status group_max(Ctx *ctx, GroupJob *job)
{
    return group_pass(ctx, job, pass_greatest, merge_greatest);
}

/* weight[k]: the sum of the weights of group k, NaN of one without a member; out: its mean. */
static ml_status means(Ctx *ctx, GroupJob *job, double *weight)
{
    const int64_t cells = job->ngroups * job->columns;

    if (job->weights) {
        TRY(group_count(ctx, job));
        memcpy(weight, job->out, (size_t)cells * sizeof *weight);
    }
    TRY(run_pass(ctx, job, pass_values, merge_sum));
    for (int64_t k = 0; k < cells; k++) {
        const Part *part = &job->parts[k];

        weight[k] = part->members == 0 ? NAN : job->weights ? weight[k] : (double)part->members;
        job->out[k] = sum2_value(part->sum) / weight[k];
    }
    return ML_OK;
}

/* Means, or with an order the moments about them, divided by the weights less `less`; 0 for groups
 * of fewer members than needed. */
static ml_status about_mean(Ctx *ctx, GroupJob *job, int order, double less, int64_t needed)
{
    const int64_t cells = job->ngroups * job->columns;
    const size_t bytes = (size_t)(2 * cells) * sizeof(double);
    double *weight = pool_alloc(ctx, bytes);
    ml_status st;

    if (!weight)
        return ML_ENOMEM;
    st = means(ctx, job, weight);
    if (st == ML_OK && order > 0) {
        job->order = order;
        job->means = memcpy(weight + cells, job->out, (size_t)cells * sizeof(double));
        st = run_pass(ctx, job, pass_powers, merge_sum);
        for (int64_t k = 0; st == ML_OK && k < cells; k++)
            job->out[k] = sum2_value(job->parts[k].sum) / (weight[k] - less);
    }
    for (int64_t k = 0; st == ML_OK && k < cells; k++)
        job->out[k] = job->parts[k].members < needed ? 0 : job->out[k];
    pool_release(ctx->pool, weight, bytes);
    return st;
}

static ml_status group_mean(Ctx *ctx, GroupJob *job)
{
    return about_mean(ctx, job, 0, 0, 1);
}

static ml_status group_variance(Ctx *ctx, GroupJob *job)
{
    return about_mean(ctx, job, 2, 1, 2);
}

static ml_status group_moment(Ctx *ctx, GroupJob *job)
{
    return about_mean(ctx, job, job->order, 0, 0);
}

static const struct {
    const char *name;
    GroupFn fn;
} functions[] = {
    {"sum", group_sum},
    {"count", group_count},
    {"mean", group_mean},
    {"variance", group_variance},
    {"min", group_min},
    {"max", group_max},
    {"centralmoment", group_moment},
};

/* ---- groups ---- */

static ml_status check_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const GroupJob *job = arg;

    for (int64_t t = lo; t < hi; t++) {
        const int64_t end =
            (t + 1) * CHECK_TILE < job->members ? (t + 1) * CHECK_TILE : job->members;
        double largest = 0;

        for (int64_t i = t * CHECK_TILE; i < end; i++) {
            const double g = job->groups->values[i];

            if (!(g >= 1))
                return fail(
                    ctx, ML_EVALUE,
                    "aggregate: Invalid value (%.1f) encountered in 'groups', expected at least 1",
                    g);
            largest = g > largest ? g : largest;
        }
        job->largest[t] = largest;
    }
    return ML_OK;
}

/* Check the groups; find their number unless it was given. */
static ml_status count_groups(Ctx *ctx, GroupJob *job)
{
    const int64_t tiles = (job->members + CHECK_TILE - 1) / CHECK_TILE;
    const size_t bytes = (size_t)(tiles + 1) * sizeof *job->largest;
    double largest = 0;
    ml_status st;

    job->largest = pool_alloc(ctx, bytes);
    if (!job->largest)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, 1, check_task, job);
    for (int64_t t = 0; st == ML_OK && t < tiles; t++)
        largest = job->largest[t] > largest ? job->largest[t] : largest;
    pool_release(ctx->pool, job->largest, bytes);
    if (st != ML_OK || job->ngroups > 0)
        return st;
    if (!(largest >= 1 && largest < 0x1p53))
        return fail(ctx, ML_EVALUE,
                    "aggregate: cannot tell the number of groups from 'groups' (largest %s)",
                    NUM_SHOW(largest));
    job->ngroups = (int64_t)largest;
    return ML_OK;
}

static ml_status aggregate_groups(Ctx *ctx, GroupJob *job, Matrix **out)
{
    int64_t cells, tiles;
    size_t bytes;
    ml_status st;

    TRY(count_groups(ctx, job));
    TRY(matrix_new_dense(ctx, job->ngroups, job->columns, out));
    cells = matrix_cells(*out);
    tiles = matrix_cells(job->target) / (MEMBERS_A_PART * (cells + 1));
    job->tiles = tiles < 1 ? 1 : tiles > MAX_TILES ? MAX_TILES : tiles;
    bytes = (size_t)(job->tiles * cells + 1) * sizeof *job->parts;
    job->parts = pool_alloc(ctx, bytes);
    if (!job->parts) {
        matrix_release(*out);
        return ML_ENOMEM;
    }
    job->out = (*out)->values;
    st = job->fn(ctx, job);
    pool_release(ctx->pool, job->parts, bytes);
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
