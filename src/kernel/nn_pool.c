/* Pooling and its gradients: a unit is one channel of one image.
 *
 * Where a window lies half in the padding, only its cells in the image are visited; the mean
 * divides by the whole window all the same.  Gradients are added up in the order of the windows. */
#include "kernel/nn.h"

#include <math.h>
#include <string.h>

/* The part of a window that lies in the image: rows [y0, y1), columns [x0, x1). */
typedef struct Inside {
    int64_t y0, y1, x0, x1;
} Inside;

static Inside inside(const Windows *g, int64_t p, int64_t q)
{
    const int64_t y = p * g->stride_h - g->pad_h, x = q * g->stride_w - g->pad_w;

    return (Inside){.y0 = y > 0 ? y : 0,
                    .y1 = nn_min(y + g->r, g->h),
                    .x0 = x > 0 ? x : 0,
                    .x1 = nn_min(x + g->s, g->w)};
}

typedef struct PoolJob {
    Windows g;
    const double *x;    /* images */
    const double *dout; /* gradient of the results; NULL forward */
    double *out;
} PoolJob;

/* ---- one window ---- */

static double largest(const double *plane, int64_t w, Inside in)
{
    double best = -INFINITY;

    for (int64_t y = in.y0; y < in.y1; y++)
        for (int64_t x = in.x0; x < in.x1; x++) {
            const double cell = plane[y * w + x];

            best = (cell > best) | (cell != cell) ? cell : best;
        }
    return best;
}

/* Position of the first largest cell, NaN apart; -1 when there is none. */
static int64_t first_largest(const double *plane, int64_t w, Inside in)
{
    int64_t best = -1;

    for (int64_t y = in.y0; y < in.y1; y++)
        for (int64_t k = y * w + in.x0; k < y * w + in.x1; k++)
            if (best < 0 ? plane[k] == plane[k] : plane[k] > plane[best])
                best = k;
    return best;
}

static double sum(const double *plane, int64_t w, Inside in)
{
    double s = 0;

    for (int64_t y = in.y0; y < in.y1; y++)
        for (int64_t x = in.x0; x < in.x1; x++)
            s += plane[y * w + x];
    return s;
}

static void add(double *plane, int64_t w, Inside in, double value)
{
    for (int64_t y = in.y0; y < in.y1; y++)
        for (int64_t x = in.x0; x < in.x1; x++)
            plane[y * w + x] += value;
}

/* ---- one channel: x and dx are H x W, out and dout P x Q ---- */

static void max_plane(const Windows *g, const double *x, double *out)
{
    for (int64_t p = 0; p < g->p; p++)
        for (int64_t q = 0; q < g->q; q++)
            out[p * g->q + q] = largest(x, g->w, inside(g, p, q));
}

static void avg_plane(const Windows *g, const double *x, double *out)
{
    const double cells = (double)(g->r * g->s);

    for (int64_t p = 0; p < g->p; p++)
        for (int64_t q = 0; q < g->q; q++)
            out[p * g->q + q] = sum(x, g->w, inside(g, p, q)) / cells;
}

static void max_plane_backward(const Windows *g, const double *x, const double *dout, double *dx)
{
    for (int64_t p = 0; p < g->p; p++)
        for (int64_t q = 0; q < g->q; q++) {
            const int64_t k = first_largest(x, g->w, inside(g, p, q));

            if (k >= 0)
                dx[k] += dout[p * g->q + q];
        }
}

static void avg_plane_backward(const Windows *g, const double *dout, double *dx)
{
    const double cells = (double)(g->r * g->s);

    for (int64_t p = 0; p < g->p; p++)
        for (int64_t q = 0; q < g->q; q++)
            add(dx, g->w, inside(g, p, q), dout[p * g->q + q] / cells);
}

/* ---- the operators ---- */

static ml_status max_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const int64_t hw = job->g.h * job->g.w;

    for (int64_t k = lo; k < hi; k++)
        max_plane(&job->g, job->x + k * hw, job->out + k * job->g.pq);
    return check_cancel(ctx);
}

static ml_status avg_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const int64_t hw = job->g.h * job->g.w;

    for (int64_t k = lo; k < hi; k++)
        avg_plane(&job->g, job->x + k * hw, job->out + k * job->g.pq);
    return check_cancel(ctx);
}

static ml_status max_backward_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const int64_t hw = job->g.h * job->g.w;

    memset(job->out + lo * hw, 0, (size_t)((hi - lo) * hw) * sizeof(double));
    for (int64_t k = lo; k < hi; k++)
        max_plane_backward(&job->g, job->x + k * hw, job->dout + k * job->g.pq, job->out + k * hw);
    return check_cancel(ctx);
}

static ml_status avg_backward_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const int64_t hw = job->g.h * job->g.w;

    memset(job->out + lo * hw, 0, (size_t)((hi - lo) * hw) * sizeof(double));
    for (int64_t k = lo; k < hi; k++)
        avg_plane_backward(&job->g, job->dout + k * job->g.pq, job->out + k * hw);
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
