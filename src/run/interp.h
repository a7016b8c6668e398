/* Private to run/. */
#ifndef RUN_INTERP_H
#define RUN_INTERP_H

#include "run/run.h"

/* A function called by name: with which arguments, and the routine that makes the call. */
typedef struct EvalEntry {
    const FunctionSet *set;
    uint64_t given; /* bit k: parameter k is passed */
    Routine *wrapper;
    struct EvalEntry *next;
} EvalEntry;

struct Run {
    Ctx *ctx;
    Unit unit;
    Program *program;
    const Backend *backend;
    RunStats *stats;
    Value *stack; /* frames; untouched pages cost nothing */
    size_t stack_size, top;
    const char *c_stack; /* address near the bottom of the C stack, to bound recursion */
    EvalEntry *evals;
    VarInfo *facts; /* of the block that is planned, see replan.c */
    int nfacts;
};

/* ---- blocks (interp.c) ---- */
ml_status run_blocks(Run *run, const Routine *r, Value *frame, BlockList list);

/* ---- loops (loop.c) ---- */
typedef struct LoopRange {
    bool fractional;
    int64_t from, step, count;
    double start, increment;
} LoopRange;
ml_status loop_range(Ctx *ctx, const Value *frame, const Block *block, LoopRange *range);
Value loop_value(const LoopRange *range, int64_t k); /* of iteration k, from 0 */

/* ---- planning on entry (replan.c) ---- */
ml_status plan_for(Run *run, const Routine *r, const Value *frame, Block *block, const Plan **out);
void plans_free(Unit *unit);

/* ---- explain (explain.c): print what the option asks for ---- */
ml_status run_explain(Run *run, const Routine *main);

/* ---- calls (call.c) ---- */
ml_status run_call(Run *run, const Routine *caller, Value *frame, Block *block);
/* Call a routine: takes the references in args; results are owned by the caller. */
ml_status call_routine(Run *run, const Routine *r, Value *args, Value *results);

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
