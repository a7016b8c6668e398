/* call: a parallel call from its beginning to its end, and joining the calls of others. */
#include "task/engine.h"

#include <string.h>

enum { GRAIN_CELLS = 64 << 10, SPIN_ROUNDS = 2000, INLINE_CHUNKS = 16 };

static const char DEFAULT_PARTITION[] = "fac2"; /* of contexts without options */

int task_threads(const Ctx *ctx)
{
    return ctx->tasks ? ctx->tasks->threads : 1;
}

int64_t task_grain(int64_t cells_per_unit)
{
    int64_t grain = cells_per_unit > 0 ? GRAIN_CELLS / cells_per_unit : GRAIN_CELLS;

    return grain < 1 ? 1 : grain;
}

/* A context for one participant: everything of the caller's but the error record. */
static void ctx_child(Ctx *child, Call *call, int worker)
{
    const size_t rest = offsetof(Ctx, opt);

    child->err.code = ML_OK;
    child->err.text[0] = '\0';
    memcpy((char *)child + rest, (const char *)call->ctx + rest, sizeof *child - rest);
    child->worker = worker;
    child->job = call;
}

static int64_t chunk_size(const Call *call, int64_t at)
{
    const int64_t size = call->chunk_size(&call->div, at), left = call->div.n - at;
    const int64_t bounded = size > call->div.most ? call->div.most : size;
    const int64_t fine = bounded < call->div.grain ? call->div.grain : bounded;

    return fine > left ? left : fine;
}

/* Take the next chunk; false when no unit is left.  Relaxed: the units' data was published by the
 * deque's lock, their results are by leaving the call. */
static bool take_chunk(Call *call, int64_t *lo, int64_t *hi)
{
    int64_t at = atomic_load_explicit(&call->next, memory_order_relaxed), size;

    do {
        if (at >= call->div.n)
            return false;
        size = chunk_size(call, at);
    } while (!atomic_compare_exchange_weak_explicit(&call->next, &at, at + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    *lo = at;
    *hi = at + size;
    return true;
}

/* Keep the error of the lowest chunk.  Chunks are handed out in order, so all below it were started
 * and will report. */
static void report_failure(TaskEngine *engine, Call *call, const Ctx *child, int64_t lo)
{
    atomic_store_explicit(&call->next, call->div.n, memory_order_relaxed);
    pthread_mutex_lock(&engine->error_lock);
    if (lo < call->failed_at) {
        call->failed_at = lo;
        *call->err = child->err;
    }
    pthread_mutex_unlock(&engine->error_lock);
}

/* Work on a call until no unit is left or one fails. */
static void work(TaskEngine *engine, Call *call, int worker)
{
    int64_t lo, hi, chunks = 0;
    Ctx child;

    ctx_child(&child, call, worker);
    while (take_chunk(call, &lo, &hi)) {
        ml_status st = check_cancel(&child);

        chunks++;
        if (st == ML_OK)
            st = call->fn(&child, call->arg, lo, hi);
        if (st != ML_OK) {
            child.err.code = st;
            report_failure(engine, call, &child, lo);
            break;
        }
    }
    atomic_fetch_add_explicit(&engine->chunks, chunks, memory_order_relaxed);
}

/* Count a participant's time.  Relaxed: it is read after all have left. */
static void add_busy(Call *call, int64_t ns)
{
    int64_t most = atomic_load_explicit(&call->busy_max, memory_order_relaxed);

    atomic_fetch_add_explicit(&call->busy_sum, ns, memory_order_relaxed);
    while (ns > most && !atomic_compare_exchange_weak_explicit(
                            &call->busy_max, &most, ns, memory_order_relaxed, memory_order_relaxed))
        ;
}

static void participate(TaskEngine *engine, Call *call, int worker)
{
    const int64_t begin = call->timed ? clock_now() : 0;

    work(engine, call, worker);
    if (call->timed)
        add_busy(call, clock_now() - begin);
}

static bool is_inside(const Call *call, const Call *outer)
{
    if (!outer)
        return true;
    for (call = call->parent; call; call = call->parent)
        if (call == outer)
            return true;
    return false;
}

/* The oldest call of a deque that has units left, admits one more thread and lies inside `inside`.
 * The caller holds the deque's lock. */
static Call *oldest_call(const Deque *deque, const Call *inside)
{
    for (int i = 0, n = atomic_load_explicit(&deque->count, memory_order_relaxed); i < n; i++) {
        Call *call = deque->calls[i];

        if (atomic_load_explicit(&call->next, memory_order_relaxed) < call->div.n &&
            atomic_load_explicit(&call->joined, memory_order_relaxed) + 1 < call->div.threads &&
            is_inside(call, inside))
            return call;
    }
    return NULL;
}

static Call *join_from(Deque *deque, const Call *inside)
{
    Call *call;

    if (atomic_load_explicit(&deque->count, memory_order_relaxed) == 0)
        return NULL;
    pthread_mutex_lock(&deque->lock);
    call = oldest_call(deque, inside);
    if (call)
        atomic_fetch_add_explicit(&call->joined, 1, memory_order_relaxed);
    pthread_mutex_unlock(&deque->lock);
    return call;
}

bool engine_has_call(TaskEngine *engine, const Call *inside)
{
    bool found = false;

    for (int k = 0; k < engine->threads && !found; k++) {
        pthread_mutex_lock(&engine->deques[k].lock);
        found = oldest_call(&engine->deques[k], inside) != NULL;
        pthread_mutex_unlock(&engine->deques[k].lock);
    }
    return found;
}

bool engine_help(TaskEngine *engine, int worker, const Call *inside)
{
    for (int k = 1; k < engine->threads; k++) {
        Call *call = join_from(&engine->deques[(worker + k) % engine->threads], inside);

        if (!call)
            continue;
        atomic_fetch_add_explicit(&engine->steals, 1, memory_order_relaxed);
        participate(engine, call, worker);
        /* The last to leave wakes the caller.  Sequentially consistent against parking_sleep:
         * either it sees joined == 0 or we see it sleep.  As a release it publishes our results;
         * the call may be gone after it. */
        if (atomic_fetch_sub(&call->joined, 1) == 1)
            parking_wake(&engine->waiting);
        return true;
    }
    return false;
}

static bool done_or_helpful(TaskEngine *engine, const Call *call)
{
    return atomic_load(&call->joined) == 0 || engine_has_call(engine, call);
}

/* Help with what the others do inside this call, until the last has left. */
static void caller_wait(TaskEngine *engine, Call *call, int worker)
{
    int idle = 0;

    while (atomic_load_explicit(&call->joined, memory_order_acquire) > 0) {
        if (engine_help(engine, worker, call)) {
            idle = 0;
        } else if (++idle < SPIN_ROUNDS) {
            pause_cpu();
        } else {
            parking_sleep(engine, &engine->waiting, done_or_helpful, call);
        }
    }
}

static bool push_call(TaskEngine *engine, int worker, Call *call)
{
    Deque *deque = &engine->deques[worker];
    bool room;

    pthread_mutex_lock(&deque->lock);
    room = deque->count < DEQUE_CALLS;
    if (room) {
        deque->calls[deque->count] = call;
        atomic_fetch_add(&deque->count, 1);
    }
    pthread_mutex_unlock(&deque->lock);
    if (room) {
        parking_wake(&engine->idle);
        parking_wake(&engine->waiting);
    }
    return room;
}

static void pop_call(Deque *deque)
{
    pthread_mutex_lock(&deque->lock);
    atomic_fetch_sub(&deque->count, 1);
    pthread_mutex_unlock(&deque->lock);
}

/* On this thread alone; in a few pieces so that cancelling works. */
static ml_status run_inline(Ctx *ctx, int64_t n, int64_t grain, TaskFn fn, void *arg)
{
    int64_t step = n / INLINE_CHUNKS;

    step = step < grain ? grain : step;
    for (int64_t lo = 0; lo < n;) {
        int64_t hi = n - lo > step ? lo + step : n;

        TRY(check_cancel(ctx));
        TRY(fn(ctx, arg, lo, hi));
        lo = hi;
    }
    return ML_OK;
}

/* Set up what the engine needs of a call.  Calls within others are not timed: their threads are
 * busy elsewhere in the outer one. */
static void call_init(Call *call, Ctx *ctx, const TaskEngine *engine, const TaskDivision *how)
{
    const char *configured = ctx->opt ? ctx->opt->partition : "";
    const Partition *scheme = partition_find(how->partition ? how->partition : configured);

    call->ctx = ctx;
    call->err = &ctx->err;
    call->div.threads =
        how->threads > 0 && how->threads < engine->threads ? how->threads : engine->threads;
    call->div.most = how->most > 0 ? how->most : INT64_MAX;
    call->chunk_size = (scheme ? scheme : partition_find(DEFAULT_PARTITION))->size;
    call->parent = ctx->job;
    call->timed = !ctx->job && ctx->opt && ctx->opt->stats > 0;
    call->failed_at = INT64_MAX;
}

static void add_stats(TaskEngine *engine, const Call *call)
{
    atomic_fetch_add_explicit(&engine->calls, 1, memory_order_relaxed);
    if (call->timed) {
        atomic_fetch_add_explicit(&engine->busy_sum, call->busy_sum, memory_order_relaxed);
        atomic_fetch_add_explicit(&engine->busy_max, call->busy_max, memory_order_relaxed);
    }
}

ml_status task_for_divided(Ctx *ctx, int64_t n, const TaskDivision *how, TaskFn fn, void *arg)
{
    TaskEngine *engine = ctx->tasks;
    Call call = {
        .fn = fn,
        .arg = arg,
        .div = {.n = n, .grain = how->grain < 1 || (engine && engine->fine) ? 1 : how->grain}};
    const int worker = ctx->worker;

    if (!engine || engine->threads == 1 || how->threads == 1 || n <= call.div.grain)
        return run_inline(ctx, n, call.div.grain, fn, arg);
    engine_start(engine);
    call_init(&call, ctx, engine, how);
    if (!push_call(engine, worker, &call))
        return run_inline(ctx, n, call.div.grain, fn, arg);
    participate(engine, &call, worker);
    pop_call(&engine->deques[worker]);
    caller_wait(engine, &call, worker);
    add_stats(engine, &call);
    return call.failed_at == INT64_MAX ? ML_OK : ctx->err.code;
}

ml_status task_for(Ctx *ctx, int64_t n, int64_t grain, TaskFn fn, void *arg)
{
    return task_for_divided(ctx, n, &(TaskDivision){.grain = grain}, fn, arg);
}
