/* ranks: the k-th least of many numbers without sorting them (ranks.c).  Private to the kernels. */
#ifndef RANKS_H
#define RANKS_H

#include "kernel/kernel.h"

/* So few numbers are sorted faster than selected from. */
enum { RANKS_FEW = 1 << 17 };

/* The numbers of rank `rank` and, unless it is the last, rank + 1 of x, ranks counted from 1 in
 * ascending order; both NaN when one of the numbers is.  n is at least RANKS_FEW. */
ml_status ranks_pair(Ctx *ctx, const double *x, int64_t n, int64_t rank, double pair[2]);

/* How many numbers are below lo, equal to it, between it and hi; the sum of those between.  lo <
 * hi, no NaN. */
typedef struct RanksBetween {
    int64_t below, at_lo, between;
    double sum;
} RanksBetween;
ml_status ranks_between(Ctx *ctx, const double *x, int64_t n, double lo, double hi,
                        RanksBetween *out);

#endif
