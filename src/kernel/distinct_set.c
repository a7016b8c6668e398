/* distinct_set: the set behind countDistinct and unique.
 *
 * Linear probing, at most half full, grown by doubling.  Cost: about 2 ns a cell while the set fits
 * the cache. */
#include "kernel/distinct.h"

enum { FIRST_CAPACITY = 64 };

static bool put(DistinctSet *set, uint64_t key)
{
    const uint64_t mask = (uint64_t)set->capacity - 1;
    uint64_t at = hash_mix(0, key) >> 16 & mask;

    while (set->keys[at] != 0) {
        if (set->keys[at] == key)
            return false;
        at = (at + 1) & mask;
    }
    set->keys[at] = key;
    return true;
}

static ml_status grow(Ctx *ctx, DistinctSet *set)
{
    const int64_t capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY;
    DistinctSet bigger = {.count = set->count, .capacity = capacity};

    bigger.keys = mem_calloc((size_t)capacity, sizeof *bigger.keys);
    if (!bigger.keys) {
        distinct_free(set);
        return fail_memory(ctx, (size_t)capacity * sizeof *bigger.keys);
    }
    for (int64_t k = 0; k < set->capacity; k++)
        if (set->keys[k] != 0)
            put(&bigger, set->keys[k]);
    mem_free(set->keys);
    *set = bigger;
    return ML_OK;
}

static ml_status add_key(Ctx *ctx, DistinctSet *set, uint64_t key)
{
    if (2 * set->count >= set->capacity)
        TRY(grow(ctx, set));
    set->count += put(set, key);
    return ML_OK;
}

ml_status distinct_add(Ctx *ctx, DistinctSet *set, const double *x, int64_t n, int64_t step)
{
    for (int64_t k = 0; k < n; k++)
        TRY(add_key(ctx, set, sort_key(x[k * step])));
    return ML_OK;
}

ml_status distinct_join(Ctx *ctx, DistinctSet *set, const DistinctSet *other)
{
    for (int64_t k = 0; k < other->capacity; k++)
        if (other->keys[k] != 0)
            TRY(add_key(ctx, set, other->keys[k]));
    return ML_OK;
}

void distinct_clear(DistinctSet *set)
{
    if (set->count > 0)
        memset(set->keys, 0, (size_t)set->capacity * sizeof *set->keys);
    set->count = 0;
}

void distinct_free(DistinctSet *set)
{
    mem_free(set->keys);
    *set = (DistinctSet){0};
}

ml_status distinct_sorted(Ctx *ctx, const DistinctSet *set, double *values)
{
    const size_t bytes = (size_t)(2 * set->count + 1) * sizeof(SortItem);
    SortItem *items = pool_alloc(ctx, bytes);
    int64_t n = 0;
    ml_status st;

    if (!items)
        return ML_ENOMEM;
    for (int64_t k = 0; k < set->capacity; k++)
        if (set->keys[k] != 0)
            items[n++] = (SortItem){set->keys[k], 0};
    st = sort_items(ctx, items, items + set->count, n);
    for (int64_t k = 0; st == ML_OK && k < n; k++)
        values[k] = sort_value(items[k].key);
    pool_release(ctx->pool, items, bytes);
    return st;
}
