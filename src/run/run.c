/* One execution of a program: compile, explain, run, and give everything back. */
#include "run/interp.h"

#include <string.h>

enum { STACK_VALUES = 1 << 21 };

static ml_status compile(Run *run, Function *fn, Routine **main)
{
    int64_t start = clock_now();

    run->unit.explained = strcmp(run->ctx->opt->explain, "none") != 0;
    TRY(unit_compile(run->ctx, &run->unit, fn, main));
    TRY(unit_optimize(run->ctx, &run->unit, *main));
    TRY(run_explain(run, *main));
    run->stats->compile_ns += clock_now() - start;
    return ML_OK;
}

static ml_status execute(Run *run, const Routine *main)
{
    int64_t start = clock_now();
    ml_status st;

    run->stack = mem_calloc(STACK_VALUES, sizeof *run->stack);
    if (!run->stack)
        return fail_memory(run->ctx, STACK_VALUES * sizeof *run->stack);
    run->stack_size = STACK_VALUES;
    run->stacks = mem_calloc((size_t)task_threads(run->ctx), sizeof *run->stacks);
    if (!run->stacks)
        return fail_memory(run->ctx, sizeof *run->stacks);
    run->stacks[0] = run->c_stack = __builtin_frame_address(0);
    st = call_routine(run, main, NULL, NULL);
    run->stats->execute_ns += clock_now() - start;
    return st;
}

ml_status run_program(Ctx *ctx, Program *program, Function *main_fn, const Backend *backend,
                      RunStats *stats)
{
    Run run = {.ctx = ctx, .program = program, .backend = backend, .stats = stats};
    Routine *main;
    ml_status st;

    run.unit = (Unit){.program = program, .arena = program_arena(program)};
    ctx->run = &run;
    pthread_mutex_init(&run.lock, NULL);
    ctx->call_function = run_call_function;
    st = unit_switches(ctx, &run.unit);
    if (st == ML_OK)
        st = compile(&run, main_fn, &main);
    if (st == ML_OK)
        st = execute(&run, main);
    run_free_clones(&run);
    memcpy(stats->passes, run.unit.pass_fired, sizeof stats->passes);
    if (run.unit.fired)
        memcpy(stats->rewrites, run.unit.fired, (size_t)rewrite_count * sizeof *stats->rewrites);
    mem_free(run.stack);
    mem_free(run.facts);
    mem_free(run.stacks);
    plans_free(&run);
    pthread_mutex_destroy(&run.lock);
    unit_free(&run.unit);
    ctx->run = NULL;
    ctx->call_function = NULL;
    return st;
}
