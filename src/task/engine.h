/* engine: inside of the task engine; task.h tells the outside.
 *
 * A parallel call is one Call on the stack of its caller.  It sits on the caller's deque while it
 * has units left; whoever joins it takes chunk after chunk from its one atomic position, so the
 * deque is touched twice a call and not once a chunk.  A worker's deque holds the calls of that
 * worker, outermost first: nested calls are pushed and popped like stack frames, thieves take the
 * oldest, which has the most work.
 *
 * Lifetime: a thief joins under the lock of the deque that holds the call, and the caller takes the
 * call off the deque under the same lock, then waits until everybody who joined has left.
 *
 * Waiting: a caller whose units are all taken helps only calls nested in its own.  Its stack
 * therefore grows only along the tree of calls, and every call it waits for is run by someone who
 * waits, if at all, for deeper ones: no cycle, no deadlock. */
#ifndef TASK_ENGINE_H
#define TASK_ENGINE_H

#include "task/task.h"

#include <pthread.h>

enum { CACHE_LINE = 64, DEQUE_CALLS = 32 };

/* What a partitioning scheme knows of a call: n units for `threads`, `grain` or more at a time and
 * no more than `most`. */
typedef struct Division {
    int64_t n, grain, most;
    int threads;
} Division;

/* Units of the chunk that begins at a position; the caller raises it to the grain and cuts it at
 * the end. */
typedef int64_t (*ChunkSize)(const Division *d, int64_t at);

/* A partitioning scheme: its word in the option `partition`, its sizes, a line of help. */
typedef struct Partition {
    const char *name;
    ChunkSize size;
    const char *doc;
} Partition;
extern const Partition partition_table[];
extern const int partition_count;
const Partition *partition_find(const char *name); /* NULL when there is none of the name */

typedef struct Call {
    TaskFn fn;
    void *arg;
    const Ctx *ctx; /* the caller's, read by who joins */
    ErrorRecord *err;
    Division div;
    ChunkSize chunk_size;
    const struct Call *parent;
    bool timed;                                    /* count how long each participant is busy */
    _Alignas(CACHE_LINE) atomic_int_fast64_t next; /* first unit that nobody has taken */
    atomic_int joined;                             /* workers other than the caller that are in */
    atomic_int_fast64_t busy_sum, busy_max;        /* nanoseconds of all and of the busiest */
    int64_t failed_at; /* first unit of the lowest failing chunk; guarded by the error_lock */
} Call;

/* What one worker has called.  The lock guards calls[0, count) and entering `joined` of these
 * calls. */
typedef struct Deque {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    Call *calls[DEQUE_CALLS];
    atomic_int count; /* written under the lock; read without it to skip empty deques */
} Deque;

/* Where threads sleep.  The lock guards `version`; it is taken after none and before a deque's
 * lock. */
typedef struct Parking {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_int sleepers;
    uint64_t version;
} Parking;

struct TaskEngine {
    int threads;       /* compute threads, the caller's included */
    bool fine;         /* take the grain of calls for 1 */
    int started;       /* threads created; guarded by start_lock */
    atomic_bool ready; /* start was tried */
    atomic_bool stop;
    pthread_mutex_t start_lock;
    pthread_mutex_t error_lock; /* guards every Call's failed_at and *err; innermost lock */
    pthread_t *ids;
    Deque *deques;
    Parking idle;    /* workers without work */
    Parking waiting; /* callers whose call is still run by others */
    atomic_int_fast64_t calls, chunks, steals;
    atomic_int_fast64_t busy_sum, busy_max; /* of all timed calls that lie in no other */
};

/* Creates the threads at the first call; afterwards one load. */
void engine_start(TaskEngine *engine);

/* Is there a call with units left that is nested in `inside` (NULL: any)? */
bool engine_has_call(TaskEngine *engine, const Call *inside);
/* Join such a call and work on it; false when there is none. */
bool engine_help(TaskEngine *engine, int worker, const Call *inside);

/* Sleep until the next wake, unless ready(engine, call) once we count as asleep. */
typedef bool (*Ready)(TaskEngine *engine, const Call *call);
void parking_sleep(TaskEngine *engine, Parking *p, Ready ready, const Call *call);
void parking_wake(Parking *p);

/* One round of waiting without giving up the CPU. */
static inline void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

#endif
