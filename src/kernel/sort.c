/* sort: a stable radix sort of (key, position) that adapts to the keys.
 *
 * Idea: a step looks at the range of the keys at hand and cuts it into some two thousand equal
 * parts, so keys that differ in few bits, or share a long prefix as doubles of similar size do,
 * need few steps. Items are scattered into their parts, in order, and each part is sorted alike;
 * small ones by insertion. The first steps run tile by tile as tasks, later ones part by part.
 * Invariants: the result is in `a` or, when asked, in `b`; equal keys keep their order, so the
 * result is unique whatever the number of threads. Cost: some three passes over 16 n bytes for
 * doubles at random; at most 64 / 3 steps. */
#include "kernel/sort.h"

enum {
    INSERTION = 24,
    MIN_DIGIT = 3,
    MAX_DIGIT = 11,
    WIDE_DIGIT = 10,
    TILE = 64 << 10,
    MAX_TILES = 256
};

static void insertion_sort(SortItem *a, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        const SortItem item = a[i];
        int64_t k = i;

        for (; k > 0 && a[k - 1].key > item.key; k--)
            a[k] = a[k - 1];
        a[k] = item;
    }
}

/* How keys are cut into parts: part = (key - low) >> shift. */
typedef struct Cut {
    uint64_t low, high;
    int shift;
    int64_t parts;
    bool sorted;
} Cut;

static Cut range_of(const SortItem *a, int64_t n)
{
    Cut cut = {.low = a[0].key, .high = a[0].key, .sorted = true};

    for (int64_t i = 1; i < n; i++) {
        cut.sorted = cut.sorted && a[i - 1].key <= a[i].key;
        cut.low = a[i].key < cut.low ? a[i].key : cut.low;
        cut.high = a[i].key > cut.high ? a[i].key : cut.high;
    }
    return cut;
}

static void choose_parts(Cut *cut, int digit)
{
    const uint64_t range = cut->high - cut->low;
    const int bits = range ? 64 - __builtin_clzll(range) : 0;

    cut->shift = bits > digit ? bits - digit : 0;
    cut->parts = (int64_t)(range >> cut->shift) + 1;
}

static inline int64_t part_of(const Cut *cut, uint64_t key)
{
    return (int64_t)((key - cut->low) >> cut->shift);
}

static void copy_items(SortItem *to, const SortItem *from, int64_t n)
{
    memcpy(to, from, (size_t)n * sizeof *to);
}

/* Digits such that parts hold a few items each. */
static int digit_of(int64_t n)
{
    const int digit = 62 - __builtin_clzll((uint64_t)n);

    return digit < MIN_DIGIT ? MIN_DIGIT : digit > MAX_DIGIT ? MAX_DIGIT : digit;
}

/* Sort a, with b as scratch of the same size, in the calling task; the result is in b when in_b. */
static void sort_here(SortItem *a, SortItem *b, int64_t n, bool in_b)
{
    int64_t ends[(1 << MAX_DIGIT) + 1];
    Cut cut;

    if (n <= INSERTION)
        insertion_sort(a, n);
    cut = n > INSERTION ? range_of(a, n) : (Cut){.sorted = true};
    if (cut.sorted) {
        if (in_b)
            copy_items(b, a, n);
        return;
    }
    choose_parts(&cut, digit_of(n));
    memset(ends, 0, (size_t)(cut.parts + 1) * sizeof *ends);
    for (int64_t i = 0; i < n; i++)
        ends[part_of(&cut, a[i].key) + 1]++;
    for (int64_t p = 1; p <= cut.parts; p++)
        ends[p] += ends[p - 1];
    for (int64_t i = 0; i < n; i++)
        b[ends[part_of(&cut, a[i].key)]++] = a[i];
    /* ends[p] is now the end of part p. */
    for (int64_t p = 0, begin = 0; p < cut.parts; begin = ends[p++])
        if (ends[p] > begin)
            sort_here(b + begin, a + begin, ends[p] - begin, !in_b);
}

typedef struct SortJob {
    SortItem *a, *b;
    int64_t n, tile, tiles;
    bool in_b;
    Cut cut;
    Cut *cuts;       /* range of each tile */
    int64_t *counts; /* tiles x parts: of each tile, then where its items of a part go */
    int64_t *begins; /* of each part, parts + 1 */
} SortJob;

static int64_t tile_size(const SortJob *job, int64_t t)
{
    const int64_t left = job->n - t * job->tile;

    return left < job->tile ? left : job->tile;
}

static ml_status range_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SortJob *job = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++)
        job->cuts[t] = range_of(job->a + t * job->tile, tile_size(job, t));
    return ML_OK;
}

static ml_status count_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SortJob *job = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        const SortItem *a = job->a + t * job->tile;
        int64_t *counts = job->counts + t * job->cut.parts;

        memset(counts, 0, (size_t)job->cut.parts * sizeof *counts);
        for (int64_t i = 0; i < tile_size(job, t); i++)
            counts[part_of(&job->cut, a[i].key)]++;
    }
    return ML_OK;
}

static ml_status scatter_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SortJob *job = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        const SortItem *a = job->a + t * job->tile;
        int64_t *at = job->counts + t * job->cut.parts;

        for (int64_t i = 0; i < tile_size(job, t); i++)
            job->b[at[part_of(&job->cut, a[i].key)]++] = a[i];
    }
    return ML_OK;
}

static bool is_large(int64_t n)
{
    return n > 4 * TILE;
}

static ml_status parts_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SortJob *job = arg;

    (void)ctx;
    for (int64_t p = lo; p < hi; p++) {
        const int64_t begin = job->begins[p], n = job->begins[p + 1] - begin;

        if (n > 0 && !is_large(n))
            sort_here(job->b + begin, job->a + begin, n, !job->in_b);
    }
    return ML_OK;
}

/* From counts to the place where each tile puts its items of each part. */
static void place_parts(SortJob *job)
{
    int64_t at = 0;

    for (int64_t p = 0; p < job->cut.parts; p++) {
        job->begins[p] = at;
        for (int64_t t = 0; t < job->tiles; t++) {
            const int64_t count = job->counts[t * job->cut.parts + p];

            job->counts[t * job->cut.parts + p] = at;
            at += count;
        }
    }
    job->begins[job->cut.parts] = at;
}

static void join_ranges(SortJob *job)
{
    job->cut = job->cuts[0];
    for (int64_t t = 1; t < job->tiles; t++) {
        const Cut *c = &job->cuts[t];
        const SortItem *first = job->a + t * job->tile;

        job->cut.sorted = job->cut.sorted && c->sorted && first[-1].key <= first->key;
        job->cut.low = c->low < job->cut.low ? c->low : job->cut.low;
        job->cut.high = c->high > job->cut.high ? c->high : job->cut.high;
    }
}

static ml_status sort_large(Ctx *ctx, SortItem *a, SortItem *b, int64_t n, bool in_b);

/* Scatter into parts and sort these: large ones one after the other, the rest as tasks. */
static ml_status sort_parts(Ctx *ctx, SortJob *job)
{
    TRY(task_for(ctx, job->tiles, 1, count_task, job));
    place_parts(job);
    TRY(task_for(ctx, job->tiles, 1, scatter_task, job));
    for (int64_t p = 0; p < job->cut.parts; p++) {
        const int64_t begin = job->begins[p], n = job->begins[p + 1] - begin;

        if (is_large(n))
            TRY(sort_large(ctx, job->b + begin, job->a + begin, n, !job->in_b));
    }
    return task_for(ctx, job->cut.parts, 1, parts_task, job);
}

static ml_status sort_large(Ctx *ctx, SortItem *a, SortItem *b, int64_t n, bool in_b)
{
    const size_t parts = (size_t)1 << WIDE_DIGIT;
    SortJob job = {.a = a, .b = b, .n = n, .tile = n / MAX_TILES, .in_b = in_b};
    size_t bytes;
    ml_status st;

    if (!is_large(n)) {
        sort_here(a, b, n, in_b);
        return ML_OK;
    }
    job.tile = job.tile < TILE ? TILE : job.tile;
    job.tiles = (n + job.tile - 1) / job.tile;
    bytes = (size_t)job.tiles * (sizeof *job.cuts + parts * sizeof *job.counts) +
            (parts + 1) * sizeof *job.begins;
    job.cuts = pool_alloc(ctx, bytes);
    if (!job.cuts)
        return ML_ENOMEM;
    job.counts = (int64_t *)(void *)(job.cuts + job.tiles);
    job.begins = job.counts + (size_t)job.tiles * parts;
    st = task_for(ctx, job.tiles, 1, range_task, &job);
    if (st == ML_OK) {
        join_ranges(&job);
        choose_parts(&job.cut, WIDE_DIGIT);
        if (!job.cut.sorted)
            st = sort_parts(ctx, &job);
        else if (in_b)
            copy_items(b, a, n);
    }
    pool_release(ctx->pool, job.cuts, bytes);
    return st;
}

ml_status sort_items(Ctx *ctx, SortItem *items, SortItem *scratch, int64_t n)
{
    return n > 1 ? sort_large(ctx, items, scratch, n, false) : ML_OK;
}

/* ---- rows of a matrix ---- */

typedef struct KeysJob {
    const Matrix *m;
    int64_t col;
    uint64_t flip; /* all ones when decreasing */
    SortItem *items;
} KeysJob;

static ml_status keys_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const KeysJob *job = arg;
    const Matrix *m = job->m;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        const int64_t row = job->items[i].index;
        const double x = m->format == MATRIX_DENSE ? m->values[row * m->cols + job->col]
                                                   : matrix_get(m, row, job->col);

        job->items[i].key = sort_key(x) ^ job->flip;
    }
    return ML_OK;
}

static ml_status number_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    SortItem *items = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        items[i].index = i;
    return ML_OK;
}

static size_t items_bytes(int64_t rows)
{
    return (size_t)(rows > 0 ? rows : 1) * sizeof(SortItem);
}

/* By the last column first: each further sort is stable, so it keeps that order among equals. */
ml_status sort_rows(Ctx *ctx, const Matrix *m, const int64_t *by, int64_t nby, bool decreasing,
                    SortItem **items)
{
    KeysJob job = {.m = m, .flip = decreasing ? UINT64_MAX : 0};
    SortItem *scratch;
    ml_status st;

    job.items = pool_alloc(ctx, items_bytes(m->rows));
    if (!job.items)
        return ML_ENOMEM;
    scratch = pool_alloc(ctx, items_bytes(m->rows));
    st = scratch ? task_for(ctx, m->rows, task_grain(1), number_task, job.items) : ML_ENOMEM;
    for (int64_t k = nby; st == ML_OK && k-- > 0;) {
        job.col = by[k];
        st = task_for(ctx, m->rows, task_grain(1), keys_task, &job);
        if (st == ML_OK)
            st = sort_items(ctx, job.items, scratch, m->rows);
    }
    if (scratch)
        pool_release(ctx->pool, scratch, items_bytes(m->rows));
    if (st != ML_OK)
        sort_free(ctx, job.items, m->rows);
    else
        *items = job.items;
    return st;
}

void sort_free(Ctx *ctx, SortItem *items, int64_t rows)
{
    if (items)
        pool_release(ctx->pool, items, items_bytes(rows));
}

static size_t positions_bytes(int64_t rows)
{
    return (size_t)(rows + 1) * sizeof(int64_t);
}

int64_t *sort_positions(Ctx *ctx, const SortItem *items, int64_t rows)
{
    int64_t *positions = pool_alloc(ctx, positions_bytes(rows));

    for (int64_t i = 0; positions && i < rows; i++)
        positions[i] = items[i].index;
    return positions;
}

void sort_positions_free(Ctx *ctx, int64_t *positions, int64_t rows)
{
    if (positions)
        pool_release(ctx->pool, positions, positions_bytes(rows));
}
