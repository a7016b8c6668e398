/* Pooling and its gradients: a unit is one channel of one image.
 *
 * A row of results is made at once, from one cell of all its windows after the other: so the inner
 * loop runs along a row of the image, and what lies in the padding is left out by its bounds alone.
 * The mean divides by the whole window all the same.  Every sum has the order that the shapes give.
 */
#include "kernel/matmult.h"
#include "kernel/nn.h"

#include <math.h>
#include <string.h>

typedef struct PoolJob {
    Windows g;
    const double *x;    /* images */
    const double *dout; /* gradient of the results; NULL forward */
    double *out;
} PoolJob;

/* ---- n windows at one of their cells, which lie `step` apart ---- */

static inline void largest(const double *x, int64_t n, int64_t step, double *best)
{
    for (int64_t q = 0; q < n; q++) {
        const double cell = x[q * step];

        best[q] = (cell > best[q]) | (cell != cell) ? cell : best[q];
    }
}

static inline void sum(const double *x, int64_t n, int64_t step, double *out)
{
    for (int64_t q = 0; q < n; q++)
        out[q] += x[q * step];
}

/* The first largest so far and its position in the channel, -1 before there is one; NaN is none. */
static inline void first_largest(const double *x, int64_t n, int64_t step, double position,
                                 double *best, double *at)
{
    for (int64_t q = 0; q < n; q++) {
        const double cell = x[q * step];
        const bool better = (cell > best[q]) | ((at[q] < 0) & (cell == cell));

        best[q] = better ? cell : best[q];
        at[q] = better ? position + (double)(q * step) : at[q];
    }
}

static inline void spread(const double *share, int64_t n, int64_t step, double *dx)
{
    for (int64_t q = 0; q < n; q++)
        dx[q * step] += share[q];
}

/* ---- row p of the results of one channel: x and dx are H x W ---- */

static void fill(double *row, int64_t n, double value)
{
    for (int64_t q = 0; q < n; q++)
        row[q] = value;
}

/* Steps of 1 and 2 as constants: the compiler makes vectors of them. */
static void max_cell(const Windows *g, WindowRow row, const double *x, double *out)
{
    const double *from = x + row.y * g->w + row.x;
    const int64_t n = row.hi - row.lo;

    if (g->stride_w == 1)
        largest(from, n, 1, out + row.lo);
    else if (g->stride_w == 2)
        largest(from, n, 2, out + row.lo);
    else
        largest(from, n, g->stride_w, out + row.lo);
}

static void max_row(const Windows *g, int64_t p, const double *x, double *out)
{
    fill(out, g->q, -INFINITY);
    for (int64_t k = 0; k < g->r * g->s; k++) {
        const WindowRow row = window_row(g, p, k / g->s, k % g->s);

        if (row.y >= 0)
            max_cell(g, row, x, out);
    }
}

static void avg_row(const Windows *g, int64_t p, const double *x, double *out)
{
    const double cells = (double)(g->r * g->s);

    fill(out, g->q, 0);
    for (int64_t k = 0; k < g->r * g->s; k++) {
        const WindowRow row = window_row(g, p, k / g->s, k % g->s);

        if (row.y >= 0)
            sum(x + row.y * g->w + row.x, row.hi - row.lo, g->stride_w, out + row.lo);
    }
    for (int64_t q = 0; q < g->q; q++)
        out[q] /= cells;
}

/* best and at: Q cells of scratch each. */
static void max_row_backward(const Windows *g, int64_t p, const double *x, const double *dout,
                             double *best, double *at, double *dx)
{
    fill(best, g->q, -INFINITY);
    fill(at, g->q, -1);
    for (int64_t k = 0; k < g->r * g->s; k++) {
        const WindowRow row = window_row(g, p, k / g->s, k % g->s);
        const int64_t position = row.y * g->w + row.x;

        if (row.y >= 0)
            first_largest(x + position, row.hi - row.lo, g->stride_w, (double)position,
                          best + row.lo, at + row.lo);
    }
    for (int64_t q = 0; q < g->q; q++)
        if (at[q] >= 0)
            dx[(int64_t)at[q]] += dout[q];
}

static void avg_row_backward(const Windows *g, int64_t p, const double *dout, double *share,
                             double *dx)
{
    const double cells = (double)(g->r * g->s);

    for (int64_t q = 0; q < g->q; q++)
        share[q] = dout[q] / cells;
    for (int64_t k = 0; k < g->r * g->s; k++) {
        const WindowRow row = window_row(g, p, k / g->s, k % g->s);

        if (row.y >= 0)
            spread(share + row.lo, row.hi - row.lo, g->stride_w, dx + row.y * g->w + row.x);
    }
}

/* ---- the operators: P rows of each channel ---- */

static ml_status max_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const Windows *g = &job->g;

    for (int64_t k = lo * g->p; k < hi * g->p; k++)
        max_row(g, k % g->p, job->x + k / g->p * g->h * g->w, job->out + k * g->q);
    return check_cancel(ctx);
}

static ml_status avg_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const Windows *g = &job->g;

    for (int64_t k = lo * g->p; k < hi * g->p; k++)
        avg_row(g, k % g->p, job->x + k / g->p * g->h * g->w, job->out + k * g->q);
    return check_cancel(ctx);
}

static ml_status max_backward_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const Windows *g = &job->g;
    const int64_t hw = g->h * g->w;
    double *scratch;

    TRY(partials_new(ctx, 2, g->q, &scratch));
    memset(job->out + lo * hw, 0, (size_t)((hi - lo) * hw) * sizeof(double));
    for (int64_t k = lo * g->p; k < hi * g->p; k++)
        max_row_backward(g, k % g->p, job->x + k / g->p * hw, job->dout + k * g->q, scratch,
                         scratch + g->q, job->out + k / g->p * hw);
    partials_free(ctx, scratch, 2, g->q);
    return check_cancel(ctx);
}

static ml_status avg_backward_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const Windows *g = &job->g;
    const int64_t hw = g->h * g->w;
    double *scratch;

    TRY(partials_new(ctx, 1, g->q, &scratch));
    memset(job->out + lo * hw, 0, (size_t)((hi - lo) * hw) * sizeof(double));
    for (int64_t k = lo * g->p; k < hi * g->p; k++)
        avg_row_backward(g, k % g->p, job->dout + k * g->q, scratch, job->out + k / g->p * hw);
    partials_free(ctx, scratch, 1, g->q);
    return check_cancel(ctx);
}

static ml_status run(Ctx *ctx, PoolJob *job, TaskFn range)
{
    const Windows *g = &job->g;

    return task_for(ctx, g->n * g->c, task_grain(g->h * g->w + g->pq * g->r * g->s), range, job);
}

static ml_status forward(Ctx *ctx, OpCall *call, TaskFn range)
{
    PoolJob job = {0};
    Matrix *x = NULL, *out = NULL;
    ml_status st;

    TRY(nn_windows(ctx, call, 1, false, &job.g));
    TRY(nn_operand(ctx, call, 0, job.g.n, job.g.chw, "input_shape", &x));
    st = matrix_new_dense(ctx, job.g.n, job.g.out, &out);
    if (st == ML_OK) {
        job.x = x->values;
        job.out = out->values;
        st = run(ctx, &job, range);
    }
    matrix_release(x);
    if (st == ML_OK)
        return result_matrix(ctx, call, 0, out, -1);
    matrix_release(out);
    return st;
}

static ml_status backward(Ctx *ctx, OpCall *call, TaskFn range)
{
    PoolJob job = {0};
    Matrix *x = NULL, *dout = NULL, *out = NULL;
    ml_status st;

    TRY(nn_windows(ctx, call, 2, false, &job.g));
    TRY(nn_operand(ctx, call, 0, job.g.n, job.g.chw, "input_shape", &x));
    TRY_TO(done, st = nn_operand(ctx, call, 1, job.g.n, job.g.out, "the result of pooling", &dout));
    TRY_TO(done, st = matrix_new_dense(ctx, job.g.n, job.g.chw, &out));
    job.x = x->values;
    job.dout = dout->values;
    job.out = out->values;
    TRY_TO(done, st = run(ctx, &job, range));
    st = result_matrix(ctx, call, 0, out, -1);
    out = NULL;
done:
    matrix_release(x);
    matrix_release(dout);
    matrix_release(out);
    return st;
}

ml_status ml_k_max_pool(Ctx *ctx, OpCall *call)
{
    return forward(ctx, call, max_range);
}

ml_status ml_k_avg_pool(Ctx *ctx, OpCall *call)
{
    return forward(ctx, call, avg_range);
}

ml_status ml_k_max_pool_backward(Ctx *ctx, OpCall *call)
{
    return backward(ctx, call, max_backward_range);
}

ml_status ml_k_avg_pool_backward(Ctx *ctx, OpCall *call)
{
    return backward(ctx, call, avg_backward_range);
}
