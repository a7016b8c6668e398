/* Poisson numbers by inversion.
 *
 * The probabilities within 12 standard deviations of the mean follow from the most likely one by
 * the recurrence p(k + 1) = p(k) lambda / (k + 1), upwards and downwards; their sum normalizes
 * them.  A cell is a binary search in the sums.  Where the table would be long, the distribution is
 * a normal one rounded, off by less than 1e-4 of the standard deviation. */
#include "kernel/random.h"

#include <math.h>

static const double TABLE_MAX = 1e8;

static void fill_table(Poisson *p)
{
    const int64_t mode = (int64_t)(floor(p->lambda) - p->low);
    double sum = 0;

    p->cdf[mode] = 1;
    for (int64_t k = mode; k > 0; k--)
        p->cdf[k - 1] = p->cdf[k] * (p->low + (double)k) / p->lambda;
    for (int64_t k = mode; k + 1 < p->n; k++)
        p->cdf[k + 1] = p->cdf[k] * p->lambda / (p->low + (double)k + 1);
    for (int64_t k = 0; k < p->n; k++)
        p->cdf[k] = sum += p->cdf[k];
    for (int64_t k = 0; k < p->n; k++)
        p->cdf[k] /= sum;
}

ml_status poisson_init(Ctx *ctx, Poisson *p, double lambda)
{
    const double reach = 12 * sqrt(lambda) + 40;

    *p = (Poisson){.lambda = lambda};
    if (lambda > TABLE_MAX)
        return ML_OK;
    p->low = lambda > reach ? floor(lambda - reach) : 0;
    p->n = (int64_t)(floor(lambda + reach) - p->low) + 1;
    p->bytes = (size_t)p->n * sizeof *p->cdf;
    p->cdf = pool_alloc(ctx, p->bytes);
    if (!p->cdf)
        return ML_ENOMEM;
    fill_table(p);
    return ML_OK;
}

void poisson_free(Ctx *ctx, Poisson *p)
{
    if (p->cdf)
        pool_release(ctx->pool, p->cdf, p->bytes);
    p->cdf = NULL;
}

/* The first k whose cdf exceeds u. */
static double find(const Poisson *p, double u)
{
    int64_t lo = 0, hi = p->n - 1;

    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (p->cdf[mid] > u)
            hi = mid;
        else
            lo = mid + 1;
    }
    return p->low + (double)lo;
}

void poisson_cells(const Poisson *p, const RandomLoops *loops, const uint64_t *words, double *out,
                   int64_t n)
{
    if (!p->cdf) {
        loops->normal(words, out, n / RANDOM_GROUP);
        for (int64_t i = 0; i < n; i++)
            out[i] = floor(p->lambda + sqrt(p->lambda) * out[i] + 0.5);
        return;
    }
    loops->uniform(words, 0, 1, out, n);
    for (int64_t i = 0; i < n; i++)
        out[i] = find(p, out[i]);
}
