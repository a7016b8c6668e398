/* engine: threads, how they sleep and wake, and counting.
 *
 * A worker looks for calls, spins a little, then sleeps.  Nothing is lost between looking and
 * sleeping: a sleeper first counts itself, then looks once more; a publisher first publishes, then
 * reads the count.  Both are sequentially consistent, so at least one of them sees the other. */
#include "task/engine.h"

#include <signal.h>
#include <string.h>

enum { WORKER_STACK = 8 << 20, SPIN_ROUNDS = 4000 };

static void parking_init(Parking *p)
{
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
}

static void parking_destroy(Parking *p)
{
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
}

void parking_wake(Parking *p)
{
    if (atomic_load(&p->sleepers) == 0)
        return;
    pthread_mutex_lock(&p->lock);
    p->version++;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

void parking_sleep(TaskEngine *engine, Parking *p, Ready ready, const Call *call)
{
    uint64_t version;

    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleepers, 1);
    version = p->version;
    if (!ready(engine, call))
        while (p->version == version)
            pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->lock);
}

/* ---- workers ---- */

typedef struct WorkerStart {
    TaskEngine *engine;
    int worker;
} WorkerStart;

static bool stopped_or_busy(TaskEngine *engine, const Call *any)
{
    return atomic_load(&engine->stop) || engine_has_call(engine, any);
}

static void *worker_main(void *arg)
{
    const WorkerStart start = *(WorkerStart *)arg;
    TaskEngine *engine = start.engine;
    int idle = 0;

    mem_free(arg);
    while (!atomic_load_explicit(&engine->stop, memory_order_relaxed)) {
        if (engine_help(engine, start.worker, NULL)) {
            idle = 0;
        } else if (++idle < SPIN_ROUNDS) {
            pause_cpu();
        } else {
            parking_sleep(engine, &engine->idle, stopped_or_busy, NULL);
            idle = 0;
        }
    }
    return NULL;
}

static bool start_worker(TaskEngine *engine, int worker, const pthread_attr_t *attr)
{
    WorkerStart *start = mem_alloc(sizeof *start);

    if (!start)
        return false;
    *start = (WorkerStart){engine, worker};
    if (pthread_create(&engine->ids[worker], attr, worker_main, start) == 0)
        return true;
    mem_free(start);
    return false;
}

/* Signals stay with the caller's thread: the workers block them all.  With fewer threads than
 * wanted, or none, everything still runs. */
static void start_workers(TaskEngine *engine)
{
    sigset_t all, old;
    pthread_attr_t attr;

    if (pthread_attr_init(&attr) != 0)
        return;
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (engine->started + 1 < engine->threads &&
           start_worker(engine, engine->started + 1, &attr))
        engine->started++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
}

void engine_start(TaskEngine *engine)
{
    if (atomic_load_explicit(&engine->ready, memory_order_acquire))
        return;
    pthread_mutex_lock(&engine->start_lock);
    if (!atomic_load_explicit(&engine->ready, memory_order_relaxed)) {
        start_workers(engine);
        atomic_store_explicit(&engine->ready, true, memory_order_release);
    }
    pthread_mutex_unlock(&engine->start_lock);
}

/* ---- life of the engine ---- */

TaskEngine *task_engine_new(int threads)
{
    TaskEngine *engine = mem_aligned(CACHE_LINE, sizeof *engine);

    if (!engine)
        return NULL;
    memset(engine, 0, sizeof *engine);
    engine->threads = threads > 0 ? threads : machine_cpus();
    engine->ids = mem_calloc((size_t)engine->threads, sizeof *engine->ids);
    engine->deques = mem_aligned(CACHE_LINE, (size_t)engine->threads * sizeof *engine->deques);
    if (!engine->ids || !engine->deques) {
        mem_free(engine->ids);
        mem_free(engine->deques);
        mem_free(engine);
        return NULL;
    }
    memset(engine->deques, 0, (size_t)engine->threads * sizeof *engine->deques);
    for (int k = 0; k < engine->threads; k++)
        pthread_mutex_init(&engine->deques[k].lock, NULL);
    pthread_mutex_init(&engine->start_lock, NULL);
    pthread_mutex_init(&engine->error_lock, NULL);
    parking_init(&engine->idle);
    parking_init(&engine->waiting);
    return engine;
}

void task_engine_fine(TaskEngine *engine)
{
    engine->fine = true;
}

/* No call may be running. */
void task_engine_free(TaskEngine *engine)
{
    if (!engine)
        return;
    atomic_store(&engine->stop, true);
    parking_wake(&engine->idle);
    for (int k = 1; k <= engine->started; k++)
        pthread_join(engine->ids[k], NULL);
    for (int k = 0; k < engine->threads; k++)
        pthread_mutex_destroy(&engine->deques[k].lock);
    parking_destroy(&engine->idle);
    parking_destroy(&engine->waiting);
    pthread_mutex_destroy(&engine->start_lock);
    pthread_mutex_destroy(&engine->error_lock);
    mem_free(engine->deques);
    mem_free(engine->ids);
    mem_free(engine);
}

TaskStats task_stats(const TaskEngine *engine)
{
    const int64_t sum = atomic_load_explicit(&engine->busy_sum, memory_order_relaxed);
    const int64_t most = atomic_load_explicit(&engine->busy_max, memory_order_relaxed);

    return (TaskStats){
        .calls = atomic_load_explicit(&engine->calls, memory_order_relaxed),
        .chunks = atomic_load_explicit(&engine->chunks, memory_order_relaxed),
        .steals = atomic_load_explicit(&engine->steals, memory_order_relaxed),
        .imbalance = sum > 0 ? (double)most * engine->threads / (double)sum : 1,
        .threads = engine->threads,
    };
}
