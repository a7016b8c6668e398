/* pool: the bytes of blocks, recycled and accounted.
 *
 * Idea: fresh pages cost more than most operators, so a released buffer goes to the free list of
 * its size class and the next block of that class gets it, warm.  Classes are spaced four to a
 * power of two, so at most a fifth of a buffer is unused; what is accounted is the class size,
 * which is what is held.  Buffers of 2 MiB and more are mapped on huge pages.
 *
 * Invariant: used + cached <= limit.  Before an allocation fails, the cached buffers are given back
 * to the system. Cost: one uncontended lock, about 30 ns. */
#include "data/data.h"

#include <pthread.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    SMALL_CLASSES = 4, /* 64, 128, 192, 256 bytes */
    CLASSES = SMALL_CLASSES + 4 * 52,
    HUGE_BYTES = 2 << 20
};

typedef struct FreeBuffer {
    struct FreeBuffer *next;
} FreeBuffer;

struct Pool {
    pthread_mutex_t lock; /* guards all below; nothing is locked or allocated while it is held */
    FreeBuffer *free[CLASSES];
    PoolStats stats;
};

/* Class k holds buffers of class_bytes(k): multiples of 64 up to 256, then 2^e * {1.25, 1.5, 1.75,
 * 2}. */
static size_t class_bytes(int k)
{
    int step = k - SMALL_CLASSES;

    if (step < 0)
        return (size_t)(k + 1) * ALIGNMENT;
    return ((size_t)(5 + step % 4) << (6 + step / 4));
}

static int class_of(size_t bytes)
{
    int e;
    size_t quarter;

    if (bytes <= (size_t)SMALL_CLASSES * ALIGNMENT)
        return bytes ? (int)((bytes - 1) / ALIGNMENT) : 0;
    e = 63 - __builtin_clzll((unsigned long long)bytes - 1); /* 2^e < bytes <= 2^(e+1) */
    quarter = ((bytes - 1) >> (e - 2)) - 4;
    return SMALL_CLASSES + 4 * (e - 8) + (int)quarter;
}

Pool *pool_new(size_t limit)
{
    Pool *pool = mem_calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pool->stats.limit = limit;
    return pool;
}

static void system_free(void *p, size_t bytes)
{
    if (bytes >= HUGE_BYTES)
        mem_unmap(p, bytes);
    else
        mem_free(p);
}

static void *system_alloc(size_t bytes)
{
    return bytes >= HUGE_BYTES ? mem_map(bytes) : mem_aligned(ALIGNMENT, bytes);
}

/* Take all buffers of one class off their list. */
static FreeBuffer *detach(Pool *pool, int k)
{
    FreeBuffer *list;

    pthread_mutex_lock(&pool->lock);
    list = pool->free[k];
    pool->free[k] = NULL;
    for (const FreeBuffer *f = list; f; f = f->next)
        pool->stats.cached -= class_bytes(k);
    pthread_mutex_unlock(&pool->lock);
    return list;
}

/* Give all cached buffers back to the system. */
static void drop_cached(Pool *pool)
{
    for (int k = CLASSES - 1; k >= 0; k--) {
        FreeBuffer *f = detach(pool, k);

        while (f) {
            FreeBuffer *next = f->next;

            system_free(f, class_bytes(k));
            f = next;
        }
    }
}

void pool_free(Pool *pool)
{
    if (!pool)
        return;
    drop_cached(pool);
    pthread_mutex_destroy(&pool->lock);
    mem_free(pool);
}

typedef enum Reserved { RESERVED_FRESH, RESERVED_CACHED, RESERVED_NOTHING } Reserved;

/* Account for a buffer of class k: with a cached one in *p, with leave to make a fresh one, or not
 * at all. */
static Reserved reserve(Pool *pool, int k, void **p)
{
    const size_t bytes = class_bytes(k);
    PoolStats *s = &pool->stats;
    Reserved got = RESERVED_NOTHING;

    pthread_mutex_lock(&pool->lock);
    if (pool->free[k]) {
        *p = pool->free[k];
        pool->free[k] = pool->free[k]->next;
        s->cached -= bytes;
        s->reused++;
        got = RESERVED_CACHED;
    } else if (bytes <= s->limit && s->used + s->cached <= s->limit - bytes) {
        got = RESERVED_FRESH;
    }
    if (got != RESERVED_NOTHING) {
        s->used += bytes;
        s->allocations++;
        s->handed += bytes;
        s->peak = s->used > s->peak ? s->used : s->peak;
    }
    pthread_mutex_unlock(&pool->lock);
    return got;
}

static void unreserve(Pool *pool, size_t bytes)
{
    pthread_mutex_lock(&pool->lock);
    pool->stats.used -= bytes;
    pool->stats.allocations--;
    pool->stats.handed -= bytes;
    pthread_mutex_unlock(&pool->lock);
}

static void *fresh(Pool *pool, size_t bytes)
{
    void *p = system_alloc(bytes);

    if (!p) {
        drop_cached(pool);
        p = system_alloc(bytes);
    }
    if (!p)
        unreserve(pool, bytes);
    return p;
}

static void *over_limit(Ctx *ctx, size_t bytes)
{
    PoolStats s = pool_stats(ctx->pool);

    fail(ctx, ML_ENOMEM, "out of memory: %zu bytes wanted, %zu of the budget of %zu bytes in use",
         bytes, s.used, s.limit);
    return NULL;
}

void *pool_alloc(Ctx *ctx, size_t bytes)
{
    Pool *pool = ctx->pool;
    void *p = NULL;
    Reserved got;
    int k;

    if (bytes > SIZE_MAX / 16) /* beyond the largest class */
        return over_limit(ctx, bytes);
    k = class_of(bytes);
    got = reserve(pool, k, &p);
    if (got == RESERVED_NOTHING) {
        drop_cached(pool);
        got = reserve(pool, k, &p);
    }
    if (got == RESERVED_NOTHING)
        return over_limit(ctx, bytes);
    if (got == RESERVED_FRESH && !(p = fresh(pool, class_bytes(k))))
        fail_memory(ctx, bytes);
    return p;
}

void pool_release(Pool *pool, void *p, size_t bytes)
{
    FreeBuffer *f = p;
    int k = class_of(bytes);

    if (!f)
        return;
    pthread_mutex_lock(&pool->lock);
    f->next = pool->free[k];
    pool->free[k] = f;
    pool->stats.used -= class_bytes(k);
    pool->stats.cached += class_bytes(k);
    pthread_mutex_unlock(&pool->lock);
}

PoolStats pool_stats(const Pool *pool)
{
    PoolStats s;
    pthread_mutex_t *lock = &((Pool *)pool)->lock;

    pthread_mutex_lock(lock);
    s = pool->stats;
    pthread_mutex_unlock(lock);
    return s;
}

/* Bytes that a suffix stands for, 0 when it is none. */
static double unit_bytes(const char *unit)
{
    static const char letters[] = "kmgt";
    const char *found;
    char letter = (char)(*unit | 0x20);

    if (!*unit)
        return 1;
    found = strchr(letters, letter);
    if (!found || (unit[1] && ((unit[1] | 0x20) != 'b' || unit[2])))
        return 0;
    return (double)(UINT64_C(1) << (10 * (found - letters + 1)));
}

ml_status pool_parse_limit(Ctx *ctx, const char *text, size_t *out)
{
    double number, bytes;
    const char *unit = num_parse_double(text, text + strlen(text), &number);

    if (unit && strcmp(unit, "%") == 0)
        bytes = number / 100 * (double)machine_memory();
    else
        bytes = unit ? number * unit_bytes(unit) : 0;
    if (!(bytes >= 1))
        return fail(ctx, ML_EVALUE, "option memory: expected a size such as 8G or 70%%, found '%s'",
                    text);
    *out = bytes < 0x1p62 ? (size_t)bytes : (size_t)1 << 62;
    return ML_OK;
}
