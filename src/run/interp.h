/* Private to run/. */
#ifndef RUN_INTERP_H
#define RUN_INTERP_H

#include "run/run.h"

#include <pthread.h>

/* A function called by name: with which arguments, and the routine that makes the call. */
typedef struct EvalEntry {
    const FunctionSet *set;
    uint64_t given; /* bit k: parameter k is passed */
    Routine *wrapper;
    struct EvalEntry *next;
} EvalEntry;

typedef struct BlockPlans BlockPlans;
struct ParforWorker;

struct Run {
    Ctx *ctx;
    Unit unit;
    Program *program;
    const Backend *backend;
    RunStats *stats;
    Value *stack; /* frames; untouched pages cost nothing */
    size_t stack_size, top;
    const char *c_stack; /* address near the bottom of the C stack, to bound recursion */
    BlockPlans **plans;  /* by number of the block, see replan.c */
    int nplans;
    VarInfo *facts; /* of the block that is planned, see replan.c */
    int nfacts;
    const Instr *instr;          /* that the interpreter itself performs now */
    struct ParforWorker *worker; /* the innermost loop whose iteration this is, see parfor.h */
    Run *main;                   /* of a clone: the run of the program; NULL: this is it */
    Run *next;                   /* in the list of idle clones */
    /* Of the run of the program: */
    pthread_mutex_t lock; /* guards idle, evals, compiling for eval, notes of loops */
    Run *idle;            /* clones without work, see worker.c */
    EvalEntry *evals;
    const char **stacks; /* by thread of the engine: where its stack began to be used, or NULL */
};

static inline Run *run_main(Run *run)
{
    return run->main ? run->main : run;
}
void run_free_clones(Run *main);

/* ---- blocks (interp.c) ---- */
ml_status run_blocks(Run *run, const Routine *r, Value *frame, BlockList list);

/* An operator that a backend performs, on values at hand. */
ml_status run_operator_call(Run *run, OpCall *call);
/* A draft in the slot becomes an ordinary matrix. */
ml_status slot_settle(Run *run, Value *slot);

/* ---- loops (loop.c) ---- */
typedef struct LoopRange {
    bool fractional;
    int64_t from, step, count;
    double start, increment;
} LoopRange;
ml_status loop_range(Ctx *ctx, const Value *frame, const Block *block, LoopRange *range);
Value loop_value(const LoopRange *range, int64_t k); /* of iteration k, from 0 */

/* ---- parallel loops (parfor.c) ---- */
ml_status run_parfor(Run *run, const Routine *r, Value *frame, const Block *block,
                     const LoopRange *range);

/* ---- planning on entry (replan.c) ---- */
ml_status plan_for(Run *run, const Routine *r, const Value *frame, Block *block, const Plan **out);
void plans_free(Run *run);

/* ---- explain (explain.c): print what the option asks for ---- */
ml_status run_explain(Run *run, const Routine *main);

/* ---- calls (call.c) ---- */
ml_status run_call(Run *run, const Routine *caller, Value *frame, Block *block);
/* Call a routine: takes the references in args; results are owned by the caller. */
ml_status call_routine(Run *run, const Routine *r, Value *args, Value *results);

/* ---- calls by name (builtin.c): Ctx.call_function ---- */
ml_status run_call_function(Ctx *ctx, const char *name, Matrix *in, Matrix **out);

/* ---- operators that the interpreter performs (builtin.c, guarded.c): ml_r_NAME ---- */
typedef ml_status (*RunFn)(Run *run, OpCall *call);
RunFn run_function(int op);
#define ML_OP(name, ...)
#define ML_OP_AS(name, kernel, ...)
#define ML_OP_SCALAR(name, ...)
#define ML_OP_LATER(name, ...)
#define ML_OP_RUN(name, ...) ml_status ml_r_##name(Run *run, OpCall *call);
#include "op/ops.def"

#endif
