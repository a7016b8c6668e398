/* Pipelines: programs that were read before, by their text and what they depend on of the operands.
 *
 * A table of sets of a few entries each; the entry of a set that was used longest ago makes room.
 * A program in use is never dropped: where all of a set are in use, the new one lives for its call
 * alone.  Loops get machine code at the first call with enough cells to pay for it, or when a
 * program was called often.
 * Programs are made under the lock: it takes microseconds, and two tasks that need the same one
 * need it once.
 *
 * Cost: a hash of the text and one uncontended lock, some hundred nanoseconds. */
#include "kernel/pipeline_impl.h"

#include <pthread.h>
#include <string.h>

enum { SETS = 32, WAYS = 4, CALLS = 32, CELLS = 1 << 13 };

struct CodeCache {
    pthread_mutex_t lock; /* guards all below; nothing else is locked while it is held */
    PipeProgram *programs[SETS][WAYS];
    uint64_t clock;
    PipelineStats stats;
};

CodeCache *code_cache_new(void)
{
    CodeCache *cache = mem_calloc(1, sizeof *cache);

    if (cache)
        pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static void program_free(PipeProgram *p)
{
    if (!p)
        return;
    for (int k = 0; k <= PIPE_STEPS; k++)
        jit_free(p->jit[k]);
    mem_free(p->text);
    mem_free(p);
}

void code_cache_free(CodeCache *cache)
{
    if (!cache)
        return;
    for (int k = 0; k < SETS * WAYS; k++)
        program_free(cache->programs[k / WAYS][k % WAYS]);
    pthread_mutex_destroy(&cache->lock);
    mem_free(cache);
}

PipelineStats code_cache_stats(CodeCache *cache)
{
    PipelineStats stats = {0};

    if (!cache)
        return stats;
    pthread_mutex_lock(&cache->lock);
    stats = cache->stats;
    pthread_mutex_unlock(&cache->lock);
    return stats;
}

/* ---- making a program ---- */

static ml_status program_new(Ctx *ctx, const char *text, const PipeShape *shape, uint64_t hash,
                             PipeProgram **out)
{
    const size_t size = strlen(text) + 1;
    PipeProgram *p = mem_calloc(1, sizeof *p);
    ml_status st;

    if (!p)
        return fail_memory(ctx, sizeof *p);
    p->hash = hash;
    p->uses = 1;
    p->text = mem_alloc(size);
    if (!p->text)
        TRY_TO(failed, st = fail_memory(ctx, size));
    memcpy(p->text, text, size);
    TRY_TO(failed, st = pipeline_read(ctx, text, shape, &p->graph));
    pipeline_schedule(&p->graph, &p->schedule);
    *out = p;
    return ML_OK;
failed:
    program_free(p);
    return st;
}

static ml_status make_loop(Ctx *ctx, PipeProgram *p, int k, const CellCode *code)
{
    TRY(jit_compile(ctx, code, cpu_level(ctx), &p->jit[k]));
    /* Release: whoever sees the function sees its code. */
    if (p->jit[k])
        atomic_store_explicit(&p->fns[k], jit_function(p->jit[k]), memory_order_release);
    return ML_OK;
}

/* Loops that no machine code can be made for stay interpreted. */
static ml_status make_code(Ctx *ctx, PipeProgram *p)
{
    const PipeSchedule *s = &p->schedule;

    for (int k = 0; k < s->nsteps; k++)
        if (s->steps[k].kind == STEP_LOOP)
            TRY(make_loop(ctx, p, k, &s->steps[k].code));
    return s->drivable ? make_loop(ctx, p, PIPE_STEPS, &s->driven) : ML_OK;
}

/* ---- finding one ---- */

static bool is_program(const PipeProgram *p, const char *text, const PipeShape *shape,
                       uint64_t hash)
{
    return p && p->hash == hash && memcmp(&p->graph.shape, shape, sizeof *shape) == 0 &&
           strcmp(p->text, text) == 0;
}

static PipeProgram *find(CodeCache *cache, const char *text, const PipeShape *shape, uint64_t hash)
{
    for (int k = 0; k < WAYS; k++) {
        PipeProgram *p = cache->programs[hash % SETS][k];

        if (!is_program(p, text, shape, hash))
            continue;
        p->uses++;
        p->calls++;
        p->used = ++cache->clock;
        return p;
    }
    return NULL;
}

/* Room for a program in its set, or NULL when all there are in use. */
static PipeProgram **make_room(CodeCache *cache, uint64_t hash)
{
    PipeProgram **set = cache->programs[hash % SETS], **oldest = NULL;

    for (int k = 0; k < WAYS; k++) {
        if (!set[k])
            return &set[k];
        if (set[k]->uses == 0 && (!oldest || set[k]->used < (*oldest)->used))
            oldest = &set[k];
    }
    if (oldest) {
        program_free(*oldest);
        *oldest = NULL;
    }
    return oldest;
}

static void keep(CodeCache *cache, PipeProgram *p)
{
    PipeProgram **room = make_room(cache, p->hash);

    if (!room)
        return;
    *room = p;
    p->cached = true;
    p->used = ++cache->clock;
}

static bool pays(const PipeProgram *p, int64_t cells)
{
    return !p->coded && !p->schedule.too_large && (cells >= CELLS || p->calls >= CALLS);
}

static ml_status code_when_it_pays(Ctx *ctx, PipeProgram *p, int64_t cells, PipelineStats *stats)
{
    ml_status st;

    if (!pays(p, cells))
        return ML_OK;
    p->coded = true;
    st = make_code(ctx, p);
    for (int k = 0; k <= PIPE_STEPS; k++)
        stats->coded += p->jit[k] != NULL;
    return st;
}

/* A program of a context without cache lives for one call. */
static ml_status take_uncached(Ctx *ctx, const char *text, const PipeShape *shape, int64_t cells,
                               PipeProgram **out)
{
    PipelineStats stats = {0};

    TRY(program_new(ctx, text, shape, 0, out));

    const ml_status st = code_when_it_pays(ctx, *out, cells, &stats);

    if (st != ML_OK)
        program_free(*out);
    return st;
}

static ml_status take(Ctx *ctx, CodeCache *cache, const char *text, const PipeShape *shape,
                      int64_t cells, PipeProgram **out)
{
    const uint64_t hash = hash_bytes(text, strlen(text), hash_bytes(shape, sizeof *shape, 0));
    PipeProgram *p = find(cache, text, shape, hash);
    const bool found = p != NULL;
    int64_t begin;
    ml_status st = ML_OK;

    if (found && !pays(p, cells)) {
        *out = p;
        return ML_OK;
    }
    begin = clock_now();
    if (!found)
        TRY(program_new(ctx, text, shape, hash, &p));
    if (!found)
        keep(cache, p);
    st = code_when_it_pays(ctx, p, cells, &cache->stats);
    cache->stats.read += !found;
    cache->stats.nanoseconds += clock_now() - begin;
    *out = p;
    if (st == ML_OK)
        return ML_OK;
    p->uses--;
    if (!p->cached)
        program_free(p);
    return st;
}

ml_status pipeline_take(Ctx *ctx, const char *text, const PipeShape *shape, int64_t cells,
                        PipeProgram **out)
{
    CodeCache *cache = ctx->codes;
    ml_status st;

    if (!cache)
        return take_uncached(ctx, text, shape, cells, out);
    pthread_mutex_lock(&cache->lock);
    st = take(ctx, cache, text, shape, cells, out);
    pthread_mutex_unlock(&cache->lock);
    return st;
}

void pipeline_give(Ctx *ctx, PipeProgram *p)
{
    CodeCache *cache = ctx->codes;

    if (!p->cached) {
        program_free(p);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    p->uses--;
    pthread_mutex_unlock(&cache->lock);
}
