/* One execution of a program: compile, explain, run, and give everything back. */
#include "run/interp.h"

#include <string.h>

enum { STACK_VALUES = 1 << 21 };

static ml_status explain_text(Ctx *ctx, Buffer *b)
{
    ml_status st = ML_OK;

    if (b->failed)
        st = fail_memory(ctx, b->size);
    else if (b->data && ctx->output(ctx->output_arg, b->data, b->size) != 0)
        st = fail(ctx, ML_EIO, "the output cannot be written");
    buffer_free(b);
    return st;
}

static ml_status explain_runtime_list(Run *run, Buffer *b, const Routine *r, BlockList list,
                                      int depth)
{
    static const char *const titles[] = {"GENERIC", "CALL", "IF", "WHILE", "FOR"};

    for (int k = 0; k < list.count; k++) {
        Block *block = list.items[k];
        Plan *plan;

        for (int j = 0; j < depth; j++)
            buffer_text(b, "--");
        buffer_format(b, "%s (lines %d-%d)%s\n", block->parallel ? "PARFOR" : titles[block->kind],
                      span_begin(block->span).line, span_end(block->span).line,
                      block->parallel ? " [runs as a for loop in this version]"
                      : block->kind == BLOCK_BASIC && !block->sizes_known
                          ? " [planned again on entry]"
                          : "");
        if (block->kind == BLOCK_BASIC) {
            TRY(plan_block(run->ctx, &run->unit, r, block, NULL, run->backend, &plan));
            explain_plan(b, r, plan, run->backend, depth + 1);
            plan_free(plan);
        }
        TRY(explain_runtime_list(run, b, r, block->pred, depth + 1));
        TRY(explain_runtime_list(run, b, r, block->body, depth + 1));
        TRY(explain_runtime_list(run, b, r, block->orelse, depth + 1));
    }
    return ML_OK;
}

static ml_status explain_runtime(Run *run, Buffer *b, const Routine *main)
{
    PoolStats pool = pool_stats(run->ctx->pool);

    buffer_format(b,
                  "# EXPLAIN (RUNTIME): operator operands -> results  [rows,cols,nnz] [memory]\n"
                  "# memory budget %zu MB, %d threads\nPROGRAM\n",
                  pool.limit >> 20, task_threads(run->ctx));
    for (const Routine *r = run->unit.routines; r; r = r->next)
        if (r != main && r->settled) {
            buffer_format(b, "--FUNCTION %s\n", r->fn->name);
            TRY(explain_runtime_list(run, b, r, r->body, 2));
        }
    buffer_text(b, "--MAIN PROGRAM\n");
    return explain_runtime_list(run, b, main, main->body, 2);
}

static ml_status explain(Run *run, const Routine *main)
{
    Buffer b = {0};

    if (strcmp(run->ctx->opt->explain, "hops") == 0)
        explain_hops(&b, &run->unit, main);
    else if (strcmp(run->ctx->opt->explain, "runtime") == 0)
        TRY(explain_runtime(run, &b, main));
    return explain_text(run->ctx, &b);
}

static ml_status compile(Run *run, Function *fn, Routine **main)
{
    int64_t start = clock_now();

    TRY(unit_compile(run->ctx, &run->unit, fn, main));
    TRY(unit_optimize(run->ctx, &run->unit, *main));
    TRY(explain(run, *main));
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
    run->c_stack = __builtin_frame_address(0);
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
    st = unit_switches(ctx, &run.unit);
    if (st == ML_OK)
        st = compile(&run, main_fn, &main);
    if (st == ML_OK)
        st = execute(&run, main);
    memcpy(stats->passes, run.unit.pass_fired, sizeof stats->passes);
    mem_free(run.stack);
    plans_free(&run.unit);
    unit_free(&run.unit);
    ctx->run = NULL;
    return st;
}
