/* Pooling and its gradients: a unit is one channel of one image, its plane.
 *
 * A row of results is made at once, from one cell of all its windows after the other: so the inner
 * loop runs along a row of the image, and what lies in the padding is left out by its bounds alone.
 * Where a row has few results, each window is taken for itself instead; both ways meet the cells of
 * a window in the same order.  The mean divides by the whole window, padding included.
 */
#include "kernel/matmult.h"
#include "kernel/nn.h"

#include <math.h>
#include <string.h>

enum { FEW = 4 }; /* results in a row that windows are taken one by one for */

/* One channel of one image: its cells, the gradient of its results, the result.  best and at are
 * scratch, a cell a column of the results. */
typedef struct Plane {
    const double *x, *dout;
    double *out, *best, *at;
} Plane;

typedef void (*PlaneFn)(const Windows *g, const Plane *v);

typedef struct PoolJob {
    Windows g;
    const Matrix *x;    /* images; NULL when their cells do not matter */
    const Matrix *dout; /* gradient of the results; NULL forward */
    double *out;
    int64_t out_cells; /* of a plane */
    PlaneFn plane;
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

/* The first largest so far and its position in the plane; NaN and -1 before there is one, NaN cells
 * are none.  Sizes of an image fit an int, which vectors convert to double. */
static inline void first_largest(const double *restrict x, int n, int step, double position,
                                 double *restrict best, double *restrict at)
{
    for (int q = 0; q < n; q++) {
        const double cell = x[q * step], here = position + (double)(q * step);
        const double before = best[q], where = at[q];
        const bool keep = (cell <= before) | (cell != cell);

        best[q] = keep ? before : cell;
        at[q] = keep ? where : here;
    }
}

static inline void spread(const double *share, int64_t n, int64_t step, double *dx)
{
    for (int64_t q = 0; q < n; q++)
        dx[q * step] += share[q];
}

/* ---- row p of the results ---- */

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

static void first_max_cell(const Windows *g, WindowRow row, const Plane *v)
{
    const int64_t position = row.y * g->w + row.x;
    const double *from = v->x + position;
    const double where = (double)position;
    const int n = (int)(row.hi - row.lo);
    double *best = v->best + row.lo, *at = v->at + row.lo;

    if (g->stride_w == 1)
        first_largest(from, n, 1, where, best, at);
    else if (g->stride_w == 2)
        first_largest(from, n, 2, where, best, at);
    else
        first_largest(from, n, (int)g->stride_w, where, best, at);
}

static void max_row(const Windows *g, int64_t p, const double *x, double *out)
{
    fill(out, g->q, -INFINITY);
    for (int64_t r = 0; r < g->r; r++)
        for (int64_t s = 0; s < g->s; s++) {
            const WindowRow row = window_row(g, p, r, s);

            if (row.y >= 0)
                max_cell(g, row, x, out);
        }
}

static void avg_row(const Windows *g, int64_t p, const double *x, double *out)
{
    const double cells = (double)(g->r * g->s);

    fill(out, g->q, 0);
    for (int64_t r = 0; r < g->r; r++)
        for (int64_t s = 0; s < g->s; s++) {
            const WindowRow row = window_row(g, p, r, s);

            if (row.y >= 0)
                sum(x + row.y * g->w + row.x, row.hi - row.lo, g->stride_w, out + row.lo);
        }
    for (int64_t q = 0; q < g->q; q++)
        out[q] /= cells;
}

static void max_row_backward(const Windows *g, int64_t p, const Plane *v)
{
    const double *dout = v->dout + p * g->q;

    fill(v->best, g->q, NAN);
    fill(v->at, g->q, -1);
    for (int64_t r = 0; r < g->r; r++)
        for (int64_t s = 0; s < g->s; s++) {
            const WindowRow row = window_row(g, p, r, s);

            if (row.y >= 0)
                first_max_cell(g, row, v);
        }
    for (int64_t q = 0; q < g->q; q++)
        if (v->at[q] >= 0)
            v->out[(int64_t)v->at[q]] += dout[q];
}

static void avg_row_backward(const Windows *g, int64_t p, const Plane *v)
{
    const double cells = (double)(g->r * g->s);
    double *share = v->best;

    for (int64_t q = 0; q < g->q; q++)
        share[q] = v->dout[p * g->q + q] / cells;
    for (int64_t r = 0; r < g->r; r++)
        for (int64_t s = 0; s < g->s; s++) {
            const WindowRow row = window_row(g, p, r, s);

            if (row.y >= 0)
                spread(share + row.lo, row.hi - row.lo, g->stride_w, v->out + row.y * g->w + row.x);
        }
}

/* ---- one window: the cells of the plane under it are rows [y, y1) of [x, x1) ---- */

typedef struct Window {
    int64_t y, y1, x, x1;
} Window;

static int64_t nn_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static Window window_at(const Windows *g, int64_t p, int64_t q)
{
    const int64_t y = p * g->stride_h - g->pad_h, x = q * g->stride_w - g->pad_w;

    return (Window){nn_max(y, 0), nn_min(y + g->r, g->h), nn_max(x, 0), nn_min(x + g->s, g->w)};
}

static double max_window(const Windows *g, Window w, const double *plane)
{
    double best = -INFINITY;

    for (int64_t y = w.y; y < w.y1; y++)
        for (int64_t x = w.x; x < w.x1; x++)
            largest(plane + y * g->w + x, 1, 1, &best);
    return best;
}

static double avg_window(const Windows *g, Window w, const double *plane)
{
    double total = 0;

    for (int64_t y = w.y; y < w.y1; y++)
        for (int64_t x = w.x; x < w.x1; x++)
            total += plane[y * g->w + x];
    return total / (double)(g->r * g->s);
}

static void max_window_backward(const Windows *g, Window w, const Plane *v, double dout)
{
    double best = NAN, at = -1;

    for (int64_t y = w.y; y < w.y1; y++)
        for (int64_t x = w.x; x < w.x1; x++)
            first_largest(v->x + y * g->w + x, 1, 1, (double)(y * g->w + x), &best, &at);
    if (at >= 0)
        v->out[(int64_t)at] += dout;
}

static void avg_window_backward(const Windows *g, Window w, const Plane *v, double dout)
{
    const double share = dout / (double)(g->r * g->s);

    for (int64_t y = w.y; y < w.y1; y++)
        for (int64_t x = w.x; x < w.x1; x++)
            v->out[y * g->w + x] += share;
}

/* ---- a plane ---- */

static void max_plane(const Windows *g, const Plane *v)
{
    for (int64_t p = 0; p < g->p; p++)
        if (g->q >= FEW)
            max_row(g, p, v->x, v->out + p * g->q);
        else
            for (int64_t q = 0; q < g->q; q++)
                v->out[p * g->q + q] = max_window(g, window_at(g, p, q), v->x);
}

static void avg_plane(const Windows *g, const Plane *v)
{
    for (int64_t p = 0; p < g->p; p++)
        if (g->q >= FEW)
            avg_row(g, p, v->x, v->out + p * g->q);
        else
            for (int64_t q = 0; q < g->q; q++)
                v->out[p * g->q + q] = avg_window(g, window_at(g, p, q), v->x);
}

static void max_plane_backward(const Windows *g, const Plane *v)
{
    memset(v->out, 0, (size_t)(g->h * g->w) * sizeof(double));
    for (int64_t p = 0; p < g->p; p++)
        if (g->q >= FEW)
            max_row_backward(g, p, v);
        else
            for (int64_t q = 0; q < g->q; q++)
                max_window_backward(g, window_at(g, p, q), v, v->dout[p * g->q + q]);
}

static void avg_plane_backward(const Windows *g, const Plane *v)
{
    memset(v->out, 0, (size_t)(g->h * g->w) * sizeof(double));
    for (int64_t p = 0; p < g->p; p++)
        if (g->q >= FEW)
            avg_row_backward(g, p, v);
        else
            for (int64_t q = 0; q < g->q; q++)
                avg_window_backward(g, window_at(g, p, q), v, v->dout[p * g->q + q]);
}

/* ---- the operators ---- */

static ml_status planes_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const PoolJob *job = arg;
    const Windows *g = &job->g;
    const int64_t hw = g->h * g->w, cells = hw + g->pq + 2 * g->q;
    Plane v = {0};
    double *scratch;

    TRY(partials_new(ctx, 1, cells, &scratch));
    v.best = scratch + hw + g->pq;
    v.at = v.best + g->q;
    for (int64_t k = lo; k < hi; k++) {
        const int64_t image = k / g->c, c = k % g->c;

        if (job->x)
            v.x = nn_cells(job->x, image, c * hw, hw, scratch);
        if (job->dout)
            v.dout = nn_cells(job->dout, image, c * g->pq, g->pq, scratch + hw);
        v.out = job->out + k * job->out_cells;
        job->plane(g, &v);
    }
    partials_free(ctx, scratch, 1, cells);
    return check_cancel(ctx);
}

static ml_status run(Ctx *ctx, OpCall *call, PoolJob *job)
{
    const Windows *g = &job->g;
    Matrix *out;
    ml_status st;

    job->out_cells = job->dout ? g->h * g->w : g->pq;
    TRY(matrix_new_dense(ctx, g->n, g->c * job->out_cells, &out));
    job->out = out->values;
    st = task_for(ctx, g->n * g->c, task_grain(g->h * g->w + g->pq * g->r * g->s), planes_range,
                  job);
    if (st == ML_OK)
        return result_matrix(ctx, call, 0, out, -1);
    matrix_release(out);
    return st;
}

static ml_status forward(Ctx *ctx, OpCall *call, PlaneFn plane)
{
    PoolJob job = {.plane = plane};
    Matrix *x;
    ml_status st;

    TRY(nn_windows(ctx, call, 1, false, &job.g));
    TRY(nn_shaped(ctx, call, 0, job.g.n, job.g.chw, "input_shape", &x));
    job.x = x;
    st = run(ctx, call, &job);
    matrix_release(x);
    return st;
}

static ml_status backward(Ctx *ctx, OpCall *call, PlaneFn plane)
{
    PoolJob job = {.plane = plane};
    Matrix *x, *dout;
    ml_status st;

    TRY(nn_windows(ctx, call, 2, false, &job.g));
    TRY(nn_shaped(ctx, call, 0, job.g.n, job.g.chw, "input_shape", &x));
    st = nn_shaped(ctx, call, 1, job.g.n, job.g.out, "the result of pooling", &dout);
    if (st == ML_OK) {
        job.x = plane == max_plane_backward ? x : NULL;
        job.dout = dout;
        st = run(ctx, call, &job);
        matrix_release(dout);
    }
    matrix_release(x);
    return st;
}

ml_status ml_k_max_pool(Ctx *ctx, OpCall *call)
{
    return forward(ctx, call, max_plane);
}

ml_status ml_k_avg_pool(Ctx *ctx, OpCall *call)
{
    return forward(ctx, call, avg_plane);
}

ml_status ml_k_max_pool_backward(Ctx *ctx, OpCall *call)
{
    return backward(ctx, call, max_plane_backward);
}

ml_status ml_k_avg_pool_backward(Ctx *ctx, OpCall *call)
{
    return backward(ctx, call, avg_plane_backward);
}
