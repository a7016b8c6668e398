/* The kinds of -explain: each names what it writes for a basic block, and what stands around.
 *
 * Blocks are shown as they are planned with what is known before the run; sizes that only the run
 * tells give another plan then. */
#include "run/interp.h"

#include <string.h>

typedef struct Kind {
    const char *name, *head;
    ml_status (*basic)(Explainer *e, const Routine *r, const Block *block, int depth);
    void (*tail)(Buffer *b, const Unit *unit);
} Kind;

/* ---- what basic blocks hold ---- */

static ml_status show_statements(Explainer *e, const Routine *r, const Block *block, int depth)
{
    explain_statements(e->b, r, block->dag, depth);
    return ML_OK;
}

/* The DAG that would be planned, for `show`. */
static ml_status with_dag(Explainer *e, const Routine *r, const Block *block, int depth,
                          void (*show)(Buffer *b, const Routine *r, const Dag *dag, int depth))
{
    Run *run = e->arg;
    Arena *arena = arena_new();
    Dag *dag;
    ml_status st;

    if (!arena)
        return fail_memory(run->ctx, sizeof(Dag));
    st = plan_dag(run->ctx, &run->unit, r, block, NULL, arena, &dag);
    if (st == ML_OK && show)
        show(e->b, r, dag, depth);
    arena_free(arena);
    return st;
}

static ml_status show_nodes(Explainer *e, const Routine *r, const Block *block, int depth)
{
    return with_dag(e, r, block, depth, explain_dag);
}

static ml_status show_fused(Explainer *e, const Routine *r, const Block *block, int depth)
{
    return with_dag(e, r, block, depth, explain_fused);
}

static ml_status show_cost(Explainer *e, const Routine *r, const Block *block, int depth)
{
    return with_dag(e, r, block, depth, explain_cost);
}

static ml_status show_plan(Explainer *e, const Routine *r, const Block *block, int depth)
{
    Run *run = e->arg;
    Plan *plan;

    TRY(plan_block(run->ctx, &run->unit, r, block, NULL, run->backend, &plan));
    explain_plan(e->b, r, plan, run->backend, depth);
    plan_free(plan);
    return ML_OK;
}

static ml_status show_nothing(Explainer *e, const Routine *r, const Block *block, int depth)
{
    return with_dag(e, r, block, depth, NULL);
}

/* ---- the kinds ---- */

static const Kind kinds[] = {
    {"program",
     "# EXPLAIN (PROGRAM): blocks and their statements: line:column  text  [rows,cols,nnz]\n",
     show_statements, NULL},
    {"hops",
     "# EXPLAIN (HOPS): (id) operator (inputs)  [rows,cols,nnz] [memory]  format  input  why\n",
     show_nodes, explain_fired},
    {"rewrites", "# EXPLAIN (REWRITES)\n", show_nothing, explain_rewrites},
    {"fusion", "# EXPLAIN (FUSION): operators that do the work of several\n", show_fused, NULL},
    {"cost",
     "# EXPLAIN (COST): (id) operator  [rows,cols,nnz]  estimated operations, bytes, time; unknown "
     "sizes count as 1000\n",
     show_cost, NULL},
    {"runtime",
     "# EXPLAIN (RUNTIME): operator operands -> results  [rows,cols,nnz] [memory]  format  input  "
     "freed  why\n",
     show_plan, NULL},
};

static ml_status print(Ctx *ctx, const Buffer *b)
{
    if (b->failed)
        return fail_memory(ctx, b->size);
    if (b->data && ctx->output(ctx->output_arg, b->data, b->size) != 0)
        return fail(ctx, ML_EIO, "the output cannot be written");
    return ML_OK;
}

/* Rewriting for the picture counts as firing for the picture only. */
static ml_status explain_kind(Run *run, const Routine *main, const Kind *kind, Buffer *b)
{
    PoolStats pool = pool_stats(run->ctx->pool);
    Buffer blocks = {0};
    Explainer e = {.unit = &run->unit,
                   .b = kind->basic == show_nothing ? &blocks : b,
                   .basic = kind->basic,
                   .arg = run};
    ml_status st;

    buffer_format(b, "%s# memory budget %zu MB, %d threads\n", kind->head, pool.limit >> 20,
                  task_threads(run->ctx));
    st = explain_program(&e, main);
    buffer_free(&blocks);
    if (kind->tail)
        kind->tail(b, &run->unit);
    return st;
}

/* ---- the picture ---- */

static ml_status planned_dag(void *arg, const Routine *r, const Block *block, Arena *arena,
                             Dag **out)
{
    Run *run = arg;

    return plan_dag(run->ctx, &run->unit, r, block, NULL, arena, out);
}

static ml_status write_picture(Run *run, const Routine *main, const char *path)
{
    Buffer b = {0};
    ml_status st = explain_svg(run->ctx, &b, &run->unit, main, planned_dag, run);

    if (st == ML_OK && b.failed)
        st = fail_memory(run->ctx, b.size);
    if (st == ML_OK)
        st = file_write(run->ctx, path, b.data, b.size);
    buffer_free(&b);
    return st;
}

ml_status run_explain(Run *run, const Routine *main)
{
    if (strncmp(run->ctx->opt->explain, "svg=", 4) == 0)
        return write_picture(run, main, run->ctx->opt->explain + 4);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(run->ctx->opt->explain, kinds[k].name) == 0) {
            Buffer b = {0};
            ml_status st = explain_kind(run, main, &kinds[k], &b);

            if (st == ML_OK)
                st = print(run->ctx, &b);
            buffer_free(&b);
            return st;
        }
    return ML_OK;
}
