/* ranks: selection by digits.
 *
 * Numbers are seen as the 64-bit keys that sort.h gives them. A pass over all numbers counts, among
 * those that begin with the digits known so far, which 16 bits come next; the counts tell the next
 * digit of the key wanted. Once few keys begin so, one more pass collects them, and they are
 * sorted. Numbers that spread evenly take three passes, any others at most four and one for the
 * neighbour.
 *
 * Passes run over at most 16 tiles, each with counts of its own; counts add up to the same whatever
 * thread makes them. Cost: memory bandwidth times the number of passes, 4 MiB of counts. */
#include "kernel/ranks.h"

#include "kernel/sort.h"
#include "kernel/sum2.h"

#include <math.h>

enum { DIGIT = 16, BINS = 1 << DIGIT, TILES = 16, FEW = 4096 };

typedef struct Pass {
    const double *x;
    int64_t n;
    int tiles;
    uint64_t prefix, mask; /* keys with these digits count */
    int shift;             /* of the digit that is counted */
    uint32_t *counts;      /* BINS a tile */
    SortItem *items;       /* collected */
    int64_t at[TILES];     /* where a tile puts the first one */
    uint64_t least[TILES]; /* key above `prefix` */
} Pass;

static int64_t tile_begin(const Pass *p, int64_t tile)
{
    const int64_t size = (p->n + p->tiles - 1) / p->tiles, begin = tile * size;

    return begin < p->n ? begin : p->n;
}

/* ---- digits ---- */

static ml_status count_tile(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Pass *p = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        uint32_t *counts = p->counts + t * BINS;

        memset(counts, 0, BINS * sizeof *counts);
        for (int64_t i = tile_begin(p, t); i < tile_begin(p, t + 1); i++) {
            const uint64_t key = sort_key(p->x[i]);

            if (((key ^ p->prefix) & p->mask) == 0)
                counts[(key >> p->shift) & (BINS - 1)]++;
        }
    }
    return ML_OK;
}

static int64_t count_of(const Pass *p, int64_t bin)
{
    int64_t count = 0;

    for (int t = 0; t < p->tiles; t++)
        count += p->counts[t * BINS + bin];
    return count;
}

/* Fix the next digit of the key of rank `rank` among those counted; *before: ranks below it.
 * Returns how many keys have it. */
static int64_t fix_digit(Pass *p, int64_t rank, int64_t *before)
{
    int64_t count = 0, bin = -1;

    do {
        *before += count;
        count = count_of(p, ++bin);
    } while (*before + count < rank);
    for (int t = 0, at = 0; t < p->tiles; t++) {
        p->at[t] = at;
        at += (int)p->counts[t * BINS + bin];
    }
    p->prefix |= (uint64_t)bin << p->shift;
    p->mask |= (uint64_t)(BINS - 1) << p->shift;
    return count;
}

/* ---- the few that are left ---- */

static ml_status collect_tile(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Pass *p = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        int64_t at = p->at[t];

        for (int64_t i = tile_begin(p, t); i < tile_begin(p, t + 1); i++) {
            const uint64_t key = sort_key(p->x[i]);

            if (((key ^ p->prefix) & p->mask) == 0)
                p->items[at++] = (SortItem){.key = key};
        }
    }
    return ML_OK;
}

static ml_status least_tile(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Pass *p = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        uint64_t least = UINT64_MAX;

        for (int64_t i = tile_begin(p, t); i < tile_begin(p, t + 1); i++) {
            const uint64_t key = sort_key(p->x[i]);

            least = key > p->prefix && key < least ? key : least;
        }
        p->least[t] = least;
    }
    return ML_OK;
}

/* The least number whose key is above all with the digits known. */
static ml_status next_above(Ctx *ctx, Pass *p, double *out)
{
    uint64_t least = UINT64_MAX;

    p->prefix |= ~p->mask;
    TRY(task_for(ctx, p->tiles, 1, least_tile, p));
    for (int t = 0; t < p->tiles; t++)
        least = p->least[t] < least ? p->least[t] : least;
    *out = sort_value(least);
    return ML_OK;
}

/* `count` keys have the digits known; those of rank `rank` and the next among them into pair. */
static ml_status pick_collected(Ctx *ctx, Pass *p, int64_t count, int64_t rank, double pair[2])
{
    const size_t bytes = 2 * (size_t)count * sizeof(SortItem);
    ml_status st;

    p->items = pool_alloc(ctx, bytes);
    if (!p->items)
        return ML_ENOMEM;
    st = task_for(ctx, p->tiles, 1, collect_tile, p);
    if (st == ML_OK)
        st = sort_items(ctx, p->items, p->items + count, count);
    if (st == ML_OK) {
        pair[0] = sort_value(p->items[rank - 1].key);
        if (rank < count)
            pair[1] = sort_value(p->items[rank].key);
    }
    pool_release(ctx->pool, p->items, bytes);
    return st;
}

static ml_status select_pair(Ctx *ctx, Pass *p, int64_t rank, double pair[2])
{
    int64_t before = 0, count = p->n;

    for (p->shift = 64 - DIGIT; p->shift >= 0 && count > FEW; p->shift -= DIGIT) {
        TRY(task_for(ctx, p->tiles, 1, count_tile, p));
        if (p->mask == 0 && count_of(p, BINS - 1) > 0) /* the keys of NaN */
            return pair[0] = pair[1] = NAN, ML_OK;
        count = fix_digit(p, rank, &before);
    }
    if (count <= FEW)
        TRY(pick_collected(ctx, p, count, rank - before, pair));
    else
        pair[0] = pair[1] = sort_value(p->prefix);
    return rank - before < count || rank == p->n ? ML_OK : next_above(ctx, p, &pair[1]);
}

static int tiles_for(int64_t n)
{
    const int64_t tiles = n / (RANKS_FEW / 2);

    return tiles < 1 ? 1 : tiles > TILES ? TILES : (int)tiles;
}

ml_status ranks_pair(Ctx *ctx, const double *x, int64_t n, int64_t rank, double pair[2])
{
    Pass p = {.x = x, .n = n, .tiles = tiles_for(n)};
    const size_t bytes = (size_t)p.tiles * BINS * sizeof *p.counts;
    ml_status st;

    p.counts = pool_alloc(ctx, bytes);
    if (!p.counts)
        return ML_ENOMEM;
    st = select_pair(ctx, &p, rank, pair);
    pool_release(ctx->pool, p.counts, bytes);
    return st;
}

/* ---- between two of them ---- */

typedef struct Between {
    const Pass *pass;
    double lo, hi;
    RanksBetween parts[TILES];
    Sum2 sums[TILES];
} Between;

static ml_status between_tile(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Between *b = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        RanksBetween *part = &b->parts[t];

        for (int64_t i = tile_begin(b->pass, t); i < tile_begin(b->pass, t + 1); i++) {
            const double x = b->pass->x[i];
            const bool inside = x > b->lo && x < b->hi;

            part->below += x < b->lo;
            part->at_lo += x == b->lo;
            part->between += inside;
            sum2_add(&b->sums[t], inside ? x : 0);
        }
    }
    return ML_OK;
}

ml_status ranks_between(Ctx *ctx, const double *x, int64_t n, double lo, double hi,
                        RanksBetween *out)
{
    const Pass pass = {.x = x, .n = n, .tiles = TILES};
    Between b = {.pass = &pass, .lo = lo, .hi = hi};
    Sum2 sum = {0};

    TRY(task_for(ctx, TILES, 1, between_tile, &b));
    *out = (RanksBetween){0};
    for (int t = 0; t < TILES; t++) {
        out->below += b.parts[t].below;
        out->at_lo += b.parts[t].at_lo;
        out->between += b.parts[t].between;
        sum2_merge(&sum, b.sums[t]);
    }
    out->sum = sum2_value(sum);
    return ML_OK;
}
