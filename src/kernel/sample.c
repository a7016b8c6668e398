/* sample(range, size, replacement, seed): numbers out of 1 ... range in random order.
 *
 * With replacement each cell is drawn alone.  Without, the first `size` steps of the shuffle of
 * Fisher and Yates; the numbers that it has moved are in an array when the range is small beside
 * the size, else in a hash table. */
#include "kernel/random.h"

#include <string.h>

enum { TILE = 1024, ARRAY_FACTOR = 8 };

typedef struct Sample {
    const RandomLoops *loops;
    uint64_t seed;
    int64_t range, size;
} Sample;

/* Uniform in [0, bound): the product's upper half, off by less than bound / 2^64. */
static int64_t below(uint64_t word, int64_t bound)
{
    return (int64_t)(((__uint128_t)word * (uint64_t)bound) >> 64);
}

static void next_words(const Sample *s, int64_t at, uint64_t words[TILE])
{
    s->loops->words(s->seed, STREAM_SAMPLE, (uint64_t)at / RANDOM_GROUP, TILE / RANDOM_GROUP,
                    words);
}

static void with_replacement(const Sample *s, double *out)
{
    uint64_t words[TILE];

    for (int64_t i = 0; i < s->size; i++) {
        if (i % TILE == 0)
            next_words(s, i, words);
        out[i] = (double)(below(words[i % TILE], s->range) + 1);
    }
}

static ml_status shuffle_array(Ctx *ctx, const Sample *s, double *out)
{
    const size_t bytes = (size_t)s->range * sizeof(int64_t);
    int64_t *pool = pool_alloc(ctx, bytes);
    uint64_t words[TILE];

    if (!pool)
        return ML_ENOMEM;
    for (int64_t i = 0; i < s->range; i++)
        pool[i] = i + 1;
    for (int64_t i = 0; i < s->size; i++) {
        int64_t j;

        if (i % TILE == 0)
            next_words(s, i, words);
        j = i + below(words[i % TILE], s->range - i);
        out[i] = (double)pool[j];
        pool[j] = pool[i];
    }
    pool_release(ctx->pool, pool, bytes);
    return ML_OK;
}

/* Where the shuffle has put other numbers than their own: open addressing, key 0 empty, keys
 * from 1. */
typedef struct Moved {
    int64_t *slots; /* key, value */
    uint64_t mask;
} Moved;

static int64_t *moved_slot(const Moved *m, int64_t key)
{
    uint64_t at = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 20 & m->mask;

    while (m->slots[2 * at] && m->slots[2 * at] != key)
        at = (at + 1) & m->mask;
    return &m->slots[2 * at];
}

static int64_t moved_get(const Moved *m, int64_t key)
{
    const int64_t *slot = moved_slot(m, key);

    return slot[0] ? slot[1] : key;
}

static ml_status shuffle_table(Ctx *ctx, const Sample *s, double *out)
{
    uint64_t words[TILE], slots = 16;
    size_t bytes;
    Moved m;

    while (slots < (uint64_t)s->size * 2)
        slots *= 2;
    bytes = slots * 2 * sizeof *m.slots;
    m = (Moved){pool_alloc(ctx, bytes), slots - 1};
    if (!m.slots)
        return ML_ENOMEM;
    memset(m.slots, 0, bytes);
    for (int64_t i = 0; i < s->size; i++) {
        int64_t j, *slot;

        if (i % TILE == 0)
            next_words(s, i, words);
        j = i + below(words[i % TILE], s->range - i);
        out[i] = (double)moved_get(&m, j + 1);
        slot = moved_slot(&m, j + 1);
        slot[1] = moved_get(&m, i + 1);
        slot[0] = j + 1;
    }
    pool_release(ctx->pool, m.slots, bytes);
    return ML_OK;
}

/* The third argument is a boolean, or the seed. */
static ml_status read_sample(Ctx *ctx, const OpCall *call, Sample *s, bool *replacement)
{
    const bool seed_third = call_has(call, 2) && call->in[2].vt != VT_BOOL;

    TRY(call_int(ctx, call, 0, &s->range));
    TRY(call_int(ctx, call, 1, &s->size));
    *replacement = false;
    if (call_has(call, 2) && !seed_third)
        TRY(call_bool(ctx, call, 2, replacement));
    TRY(random_seed(ctx, call, seed_third ? 2 : 3, &s->seed));
    if (s->range < 1 || s->size < 0)
        return fail(ctx, ML_EVALUE, "sample: cannot draw %" PRId64 " of %" PRId64 " numbers",
                    s->size, s->range);
    if (!*replacement && s->size > s->range)
        return fail(ctx, ML_EVALUE,
                    "sample (size=%" PRId64 ") larger than population (size=%" PRId64
                    ") can only be generated with replacement",
                    s->size, s->range);
    s->loops = random_loops_at(cpu_level(ctx));
    return ML_OK;
}

ml_status ml_k_sample(Ctx *ctx, OpCall *call)
{
    ml_status st = ML_OK;
    Matrix *out = NULL;
    bool replacement;
    Sample s;

    TRY(read_sample(ctx, call, &s, &replacement));
    TRY(matrix_new_dense(ctx, s.size, 1, &out));
    if (replacement)
        with_replacement(&s, out->values);
    else if (s.range / ARRAY_FACTOR <= s.size)
        st = shuffle_array(ctx, &s, out->values);
    else
        st = shuffle_table(ctx, &s, out->values);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, s.size);
}
