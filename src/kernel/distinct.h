/* distinct: a set of cell values.  All NaN are one value, -0 is 0.  Private to the kernels. */
#ifndef DISTINCT_H
#define DISTINCT_H

#include "kernel/sort.h"

/* Open addressing over sort keys; 0 marks a free slot: no value has this key. */
typedef struct DistinctSet {
    uint64_t *keys;
    int64_t count, capacity; /* a power of two */
} DistinctSet;

/* Add all cells; on failure the set is freed. */
ml_status distinct_add(Ctx *ctx, DistinctSet *set, const double *x, int64_t n, int64_t step);
/* Add the values of another set. */
ml_status distinct_join(Ctx *ctx, DistinctSet *set, const DistinctSet *other);
void distinct_clear(DistinctSet *set);
void distinct_free(DistinctSet *set);
/* The values in ascending order, NaN last: set->count of them. */
ml_status distinct_sorted(Ctx *ctx, const DistinctSet *set, double *values);

#endif
