/* run: the interpreter - frames, calls, control flow, planning on entry, statistics.
 *
 * A Run is one execution of a program.  Values live in frames on one stack; a frame is the
 * routine's variables followed by the temporaries of the plan that is running.  Nothing is looked
 * up by name but for eval and exists. */
#ifndef RUN_H
#define RUN_H

#include "plan/plan.h"
#include "task/task.h"

typedef struct OpTime {
    int64_t count, nanoseconds;
} OpTime;

enum { LOOPS_NOTED = 32, LOOP_TEXT = 200 };

/* A parfor, over all times that it ran. */
typedef struct LoopNote {
    int block, line; /* number of the block */
    char name[32];   /* of the loop variable */
    int64_t times, iterations, nanoseconds;
    int threads;          /* of the last time */
    char text[LOOP_TEXT]; /* what was chosen then, and why */
} LoopNote;

typedef struct RunStats {
    LoopNote loops[LOOPS_NOTED]; /* the first that were met */
    int nloops;
    int64_t compile_ns, execute_ns;
    int64_t plan_ns; /* of the execution, for planning blocks as they are met */
    int64_t plans_made, plans_reused, instructions, calls;
    int64_t passes[PASS_COUNT];     /* how often each technique of the optimizer applied */
    int64_t rewrites[REWRITES_MAX]; /* and each rule, by its row */
    bool timed;                     /* measure operators */
    OpTime ops[OP_COUNT];
} RunStats;

typedef struct Run Run;

/* Compile and execute the main function.  `stats` is filled as far as the run came. */
ml_status run_program(Ctx *ctx, Program *program, Function *main, const Backend *backend,
                      RunStats *stats);

/* Statistics as text, with the `heavy` operators that took most time. */
void stats_format(Buffer *b, const RunStats *stats, const Ctx *ctx, int heavy);

#endif
