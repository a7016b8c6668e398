/* fourier: transforms X[k] = sum over i of x[i] exp(-2 pi i k / n) of signals of 2^m cells.
 *
 * Stockham's form of the fast Fourier transform (Van Loan, Computational Frameworks for the FFT,
 * 1992): passes of radix 4 between two buffers, and one of radix 2 at the end when m is odd; what
 * comes out is in order without a permutation.  Up to LANES signals lie interleaved in the buffers,
 * so that the inner loops run along adjacent cells from the first pass on.  The inverse is the
 * forward transform with real and imaginary parts exchanged, divided by n.
 *
 * Invariant: a signal is computed alike whichever others lie beside it, so neither threads nor
 * lanes show in the digits.  Cost: 8.5 n log4 n multiplications and additions a signal, 4 n cells
 * of scratch a lane. */
#include "kernel/fourier.h"

enum { LANES = 8, BUFFER_CELLS = 1 << 17 };

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

/* By an angle of at most an eighth of a turn, so that roots that mirror each other are equal. */
static void root_of_unity(int64_t k, int64_t n, double *re, double *im)
{
    static const double quarter_turn = 0x1.921fb54442d18p0;
    const int64_t quarter = 4 * k / n, rest = 4 * k % n;
    const bool beyond = 2 * rest > n;
    const double angle = quarter_turn * (double)(beyond ? n - rest : rest) / (double)n;
    const double c = beyond ? c_sin(angle) : c_cos(angle);
    const double s = beyond ? c_cos(angle) : c_sin(angle);

    *re = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
    *im = quarter == 0 ? -s : quarter == 1 ? -c : quarter == 2 ? s : c;
}

static ml_status roots_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const FourierJob *job = arg;

    (void)ctx;
    for (int64_t k = lo; k < hi; k++)
        root_of_unity(k, job->s.n, &job->root_re[k], &job->root_im[k]);
    return ML_OK;
}

/* ---- passes ---- */

/* Four runs of s cells a b c d, which lie `d` cells apart in x, to four runs one after the other in
 * y: a + b + c + d, w (a - ib - c + id), w^2 (a - b + c - d), w^3 (a + ib - c - id), where w holds
 * the real and imaginary parts of the three powers. */
static void butterfly4(int64_t s, int64_t d, const double *restrict xr, const double *restrict xi,
                       double *restrict yr, double *restrict yi, const double w[6])
{
    for (int64_t q = 0; q < s; q++) {
        const double sum_r = xr[q] + xr[q + 2 * d], dif_r = xr[q] - xr[q + 2 * d];
        const double sum_i = xi[q] + xi[q + 2 * d], dif_i = xi[q] - xi[q + 2 * d];
        const double odd_r = xr[q + d] + xr[q + 3 * d], tip_r = xr[q + d] - xr[q + 3 * d];
        const double odd_i = xi[q + d] + xi[q + 3 * d], tip_i = xi[q + d] - xi[q + 3 * d];
        const double r1 = dif_r + tip_i, i1 = dif_i - tip_r;
        const double r2 = sum_r - odd_r, i2 = sum_i - odd_i;
        const double r3 = dif_r - tip_i, i3 = dif_i + tip_r;

        yr[q] = sum_r + odd_r;
        yi[q] = sum_i + odd_i;
        yr[q + s] = r1 * w[0] - i1 * w[1];
        yi[q + s] = r1 * w[1] + i1 * w[0];
        yr[q + 2 * s] = r2 * w[2] - i2 * w[3];
        yi[q + 2 * s] = r2 * w[3] + i2 * w[2];
        yr[q + 3 * s] = r3 * w[4] - i3 * w[5];
        yi[q + 3 * s] = r3 * w[5] + i3 * w[4];
    }
}

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

/* x holds s interleaved signals of n cells each; y gets 4 s of n / 4. */
static void pass4(const FourierJob *job, int64_t n, int64_t s, Planes x, Planes y)
{
    const int64_t quarter = n / 4, turn = job->s.n / n;

    for (int64_t p = 0; p < quarter; p++) {
        const int64_t k = p * turn;
        const double w[6] = {job->root_re[k],     job->root_im[k],     job->root_re[2 * k],
                             job->root_im[2 * k], job->root_re[3 * k], job->root_im[3 * k]};

        butterfly4(s, quarter * s, x.re + p * s, x.im + p * s, y.re + 4 * p * s, y.im + 4 * p * s,
                   w);
    }
}

/* The transforms of `lanes` interleaved signals; in x or in y, as returned. */
static Planes passes(const FourierJob *job, int64_t lanes, Planes x, Planes y)
{
    int64_t n = job->s.n, s = lanes;

    for (; n >= 4; n /= 4, s *= 4) {
        const Planes from = x;

        pass4(job, n, s, x, y);
        x = y;
        y = from;
    }
    if (n == 1)
        return x;
    butterfly2(s, x.re, x.im, y.re, y.im);
    return y;
}

/* ---- groups of signals ---- */

/* Between the cells of signals first .. first + lanes - 1 and interleaved ones. */
static void gather(const Signals *s, int64_t first, int64_t lanes, Planes x)
{
    for (int64_t k = 0; k < s->n; k++)
        for (int64_t j = 0; j < lanes; j++) {
            const int64_t at = (first + j) * s->signal + k * s->step;

            x.re[k * lanes + j] = s->re[at];
            x.im[k * lanes + j] = s->im[at];
        }
}

static void scatter(const FourierJob *job, int64_t first, int64_t lanes, Planes x)
{
    const Signals *s = &job->s;

    for (int64_t k = 0; k < s->n; k++)
        for (int64_t j = 0; j < lanes; j++) {
            const int64_t at = (first + j) * s->signal + k * s->step;

            s->re[at] = x.re[k * lanes + j] * job->scale;
            s->im[at] = x.im[k * lanes + j] * job->scale;
        }
}

static ml_status groups_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const FourierJob *job = arg;
    const int64_t cells = job->s.n * job->lanes;
    const size_t bytes = 4 * (size_t)cells * sizeof(double);
    double *work = pool_alloc(ctx, bytes);
    const Planes x = {work, work + cells}, y = {work + 2 * cells, work + 3 * cells};

    if (!work)
        return ML_ENOMEM;
    for (int64_t g = lo; g < hi; g++) {
        const int64_t first = g * job->lanes, left = job->s.count - first;
        const int64_t lanes = left < job->lanes ? left : job->lanes;

        gather(&job->s, first, lanes, x);
        scatter(job, first, lanes, passes(job, lanes, x, y));
    }
    pool_release(ctx->pool, work, bytes);
    return ML_OK;
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
    st = task_for(ctx, s->n, task_grain(8), roots_task, &job);
    if (st == ML_OK)
        st = task_for(ctx, groups, task_grain(8 * job.lanes * s->n), groups_task, &job);
    pool_release(ctx->pool, job.root_re, bytes);
    return st;
}
