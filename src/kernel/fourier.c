/* fourier: transforms X[k] = sum over i of x[i] exp(-2 pi i k / n) of signals of 2^m cells.
 *
 * Stockham's form of the fast Fourier transform (Van Loan, Computational Frameworks for the FFT,
 * 1992): passes of radix 4 between two buffers, and one of radix 2 at the end when m is odd; what
 * comes out is in order without a permutation.  Up to LANES signals lie interleaved in the buffers,
 * so that the inner loops (simd/dense.tmpl.h) run along adjacent cells from the first pass on.  The
 * inverse is the forward transform with real and imaginary parts exchanged, divided by n.
 *
 * Invariant: a signal is computed alike whichever others lie beside it, so neither threads nor
 * lanes show in the digits.  Cost: 8.5 n log4 n multiplications and additions a signal, 4 n cells
 * of scratch a lane. */
#include "kernel/fourier.h"

#include "kernel/dense.h"

enum { LANES = 8, BUFFER_CELLS = 1 << 17, PASS_GRAIN = 1 << 13 };

typedef struct FourierJob {
    Signals s;
    double scale;
    int64_t lanes;             /* signals in a group */
    double *root_re, *root_im; /* cell k: exp(-2 pi i k / n) */
} FourierJob;

/* Interleaved signals, real and imaginary parts. */
typedef struct Planes {
    double *re, *im;
} Planes;

/* ---- roots of unity ---- */

/* exp(-i (quarter turns + angle)) from the cosine and sine of the angle. */
static void place_root(const FourierJob *job, int64_t k, int64_t quarter, double c, double s)
{
    job->root_re[k] = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
    job->root_im[k] = quarter == 0 ? -s : quarter == 1 ? -c : quarter == 2 ? s : c;
}

/* The roots of the first eighth of a turn; of all the turn where it has less than 8. */
static ml_status roots_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    static const double quarter_turn = 0x1.921fb54442d18p0;
    const FourierJob *job = arg;

    (void)ctx;
    for (int64_t k = lo; k < hi; k++) {
        const double angle = quarter_turn * (double)(4 * k % job->s.n) / (double)job->s.n;

        place_root(job, k, 4 * k / job->s.n, c_cos(angle), c_sin(angle));
    }
    return ML_OK;
}

/* The others mirror these, and are equal to them. */
static ml_status mirror_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const FourierJob *job = arg;
    const int64_t quarter = job->s.n / 4, eighth = quarter / 2;

    (void)ctx;
    for (int64_t k = lo + eighth + 1; k < hi + eighth + 1; k++) {
        const int64_t rest = k % quarter;
        const bool beyond = rest > eighth;
        const int64_t twin = beyond ? quarter - rest : rest;
        const double c = job->root_re[twin], s = -job->root_im[twin];

        place_root(job, k, k / quarter, beyond ? s : c, beyond ? c : s);
    }
    return ML_OK;
}

static ml_status make_roots(Ctx *ctx, FourierJob *job)
{
    const int64_t n = job->s.n, first = n < 8 ? n : n / 8 + 1;

    TRY(task_for(ctx, first, task_grain(16), roots_task, job));
    return task_for(ctx, n - first, task_grain(1), mirror_task, job);
}

/* ---- passes ---- */

static void butterfly2(int64_t s, const double *restrict xr, const double *restrict xi,
                       double *restrict yr, double *restrict yi)
{
    for (int64_t q = 0; q < s; q++) {
        yr[q] = xr[q] + xr[q + s];
        yi[q] = xi[q] + xi[q + s];
        yr[q + s] = xr[q] - xr[q + s];
        yi[q + s] = xi[q] - xi[q + s];
    }
}

static ml_status pass4_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    dense_ops(ctx)->fourier4(arg, lo, hi);
    return ML_OK;
}

/* The transforms of `lanes` interleaved signals; in x or in y: *out tells.  Passes of long signals
 * are divided. */
static ml_status passes(Ctx *ctx, const FourierJob *job, int64_t lanes, Planes x, Planes y,
                        Planes *out)
{
    int64_t n = job->s.n, s = lanes;

    for (; n >= 4; n /= 4, s *= 4) { /* s interleaved signals of n cells to 4 s of n / 4 */
        const Planes from = x;
        FourierPass pass = {x.re, x.im,         y.re,         y.im,        n / 4 * s,
                            s,    job->root_re, job->root_im, job->s.n / n};

        TRY(task_for(ctx, pass.quarter, PASS_GRAIN, pass4_task, &pass));
        x = y;
        y = from;
    }
    if (n > 1)
        butterfly2(s, x.re, x.im, y.re, y.im);
    *out = n > 1 ? y : x;
    return ML_OK;
}

/* ---- groups of signals ---- */

/* Cells of signals first .. first + lanes - 1 interleaved. */
static void gather(const Ctx *ctx, const Signals *s, int64_t first, int64_t lanes, Planes x)
{
    const int64_t from = first * s->signal;

    if (s->step == 1) {
        dense_ops(ctx)->transpose(s->re + from, s->signal, lanes, s->n, x.re, lanes);
        dense_ops(ctx)->transpose(s->im + from, s->signal, lanes, s->n, x.im, lanes);
        return;
    }
    for (int64_t k = 0; k < s->n; k++)
        for (int64_t j = 0; j < lanes; j++) {
            x.re[k * lanes + j] = s->re[from + j * s->signal + k * s->step];
            x.im[k * lanes + j] = s->im[from + j * s->signal + k * s->step];
        }
}

/* And back. */
static void scatter(const Ctx *ctx, const Signals *s, int64_t first, int64_t lanes, Planes x)
{
    const int64_t to = first * s->signal;

    if (s->step == 1) {
        dense_ops(ctx)->transpose(x.re, lanes, s->n, lanes, s->re + to, s->signal);
        dense_ops(ctx)->transpose(x.im, lanes, s->n, lanes, s->im + to, s->signal);
        return;
    }
    for (int64_t k = 0; k < s->n; k++)
        for (int64_t j = 0; j < lanes; j++) {
            s->re[to + j * s->signal + k * s->step] = x.re[k * lanes + j];
            s->im[to + j * s->signal + k * s->step] = x.im[k * lanes + j];
        }
}

static void multiply(Planes x, int64_t cells, double scale)
{
    for (int64_t k = 0; k < cells; k++) {
        x.re[k] *= scale;
        x.im[k] *= scale;
    }
}

static ml_status groups_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const FourierJob *job = arg;
    const int64_t cells = job->s.n * job->lanes;
    const size_t bytes = 4 * (size_t)cells * sizeof(double);
    double *work = pool_alloc(ctx, bytes);
    const Planes x = {work, work + cells}, y = {work + 2 * cells, work + 3 * cells};

    Planes result = x;
    ml_status st = ML_OK;

    if (!work)
        return ML_ENOMEM;
    for (int64_t g = lo; g < hi && st == ML_OK; g++) {
        const int64_t first = g * job->lanes, left = job->s.count - first;
        const int64_t lanes = left < job->lanes ? left : job->lanes;

        gather(ctx, &job->s, first, lanes, x);
        st = passes(ctx, job, lanes, x, y, &result);
        if (job->scale != 1)
            multiply(result, lanes * job->s.n, job->scale);
        scatter(ctx, &job->s, first, lanes, result);
    }
    pool_release(ctx->pool, work, bytes);
    return st;
}

/* As many as fit into the buffers, so that long signals do not ask for several times their size. */
static int64_t lanes_for(int64_t n)
{
    const int64_t fit = BUFFER_CELLS / n;

    return fit < 1 ? 1 : fit > LANES ? LANES : fit;
}

ml_status fourier(Ctx *ctx, const Signals *s, bool inverse)
{
    const size_t bytes = 2 * (size_t)s->n * sizeof(double);
    FourierJob job = {.s = *s, .scale = 1, .lanes = lanes_for(s->n)};
    const int64_t groups = (s->count + job.lanes - 1) / job.lanes;
    ml_status st;

    if (inverse) {
        job.s.re = s->im;
        job.s.im = s->re;
        job.scale = 1 / (double)s->n;
    }
    job.root_re = pool_alloc(ctx, bytes);
    if (!job.root_re)
        return ML_ENOMEM;
    job.root_im = job.root_re + s->n;
    st = make_roots(ctx, &job);
    if (st == ML_OK)
        st = task_for(ctx, groups, task_grain(8 * job.lanes * s->n), groups_task, &job);
    pool_release(ctx->pool, job.root_re, bytes);
    return st;
}
