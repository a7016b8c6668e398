/* task: the engine that runs all compute work; the only creator of compute threads.
 *
 * Threads start at the first parallel call, so a script of scalars never starts one.  A parallel
 * call divides n units into chunks by the configured partitioning scheme and puts them on the deque
 * of the worker that calls; idle workers steal from it.  The calling thread works too, so calls may
 * nest to any depth without more threads.
 *
 * Determinism: what a chunk computes must depend only on the units in it, never on how many fall
 * together; reductions therefore take fixed tiles as units, write one partial result a tile, and
 * combine these in order afterwards. */
#ifndef TASK_H
#define TASK_H

#include "base/base.h"

typedef struct TaskEngine TaskEngine;

/* Work on units [lo, hi).  `ctx` belongs to the task: report errors there.  */
typedef ml_status (*TaskFn)(Ctx *ctx, void *arg, int64_t lo, int64_t hi);

/* threads 0: as many as the process may use (affinity and cgroup limits). */
TaskEngine *task_engine_new(int threads);
void task_engine_free(TaskEngine *engine);
/* From now on every call is divided as if its grain were 1, so that tests cross threads on small
 * operands.  No call may be running. */
void task_engine_fine(TaskEngine *engine);
int task_threads(const Ctx *ctx); /* 1 when there is no engine */

/* Run fn over [0, n), in chunks of at least `grain` units.  Runs inline when n <= grain or there is
 * one thread. Ends early on the first error or on cancellation; the error of the lowest failing
 * chunk is left in ctx. */
ml_status task_for(Ctx *ctx, int64_t n, int64_t grain, TaskFn fn, void *arg);

/* The same with more said.  At most `threads` take part (0: all), in chunks as the scheme of this
 * name gives them (NULL: the configured one), none with more than `most` units (0: no bound). */
typedef struct TaskDivision {
    int64_t grain, most;
    int threads;
    const char *partition;
} TaskDivision;
ml_status task_for_divided(Ctx *ctx, int64_t n, const TaskDivision *how, TaskFn fn, void *arg);

/* A grain such that a chunk has about 64K cells of work, given the work of one unit in cells. */
int64_t task_grain(int64_t cells_per_unit);

/* `calls` are those that others could join, `chunks` the tasks that they were divided into,
 * `steals` how often a worker joined the call of another.  `imbalance` is the time of the busiest
 * thread over the mean of all threads, weighted by the calls' lengths: 1 when all are busy to the
 * end, `threads` when one does all the work.  It is measured while the option `stats` is on. */
typedef struct TaskStats {
    int64_t calls, chunks, steals;
    double imbalance;
    int threads;
} TaskStats;
TaskStats task_stats(const TaskEngine *engine);

/* The partitioning schemes, a line each. */
void task_partition_help(Buffer *b);

#endif
