/* random: what rand and sample share.  Private to the kernels. */
#ifndef RANDOM_H
#define RANDOM_H

#include "kernel/simd/random.h"

/* What numbers are drawn for: the lower 8 bits of the stream. */
enum { STREAM_CELLS, STREAM_CHOICE, STREAM_GAPS, STREAM_VALUES, STREAM_SAMPLE };

/* Operand k as seed; where it is absent or -1, one of the run's. */
ml_status random_seed(Ctx *ctx, const OpCall *call, int k, uint64_t *seed);

#define POISSON_MAX 1e12 /* largest mean */

/* The distribution function of a Poisson variable from `low` on; normal approximation when cdf is
 * NULL. */
typedef struct Poisson {
    double lambda, low;
    double *cdf;
    int64_t n;
    size_t bytes;
} Poisson;
ml_status poisson_init(Ctx *ctx, Poisson *p, double lambda);
void poisson_free(Ctx *ctx, Poisson *p);
/* n cells, a multiple of RANDOM_GROUP, one of each word. */
void poisson_cells(const Poisson *p, const RandomLoops *loops, const uint64_t *words, double *out,
                   int64_t n);

#endif
