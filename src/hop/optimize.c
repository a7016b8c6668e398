/* The optimizer's order of work.
 *
 * Passes over the tree of blocks need facts and give better ones, so the two take turns until
 * nothing changes, at most ROUNDS times.  Then every DAG is rewritten for what is known, and
 * liveness tells the plans what to free.  Cost: an analysis a round; programs that no pass changes
 * have one. */
#include "hop/tree.h"

enum { ROUNDS = 6 };

typedef struct TreePass {
    Pass pass;
    ml_status (*fn)(Tree *t);
} TreePass;

/* These make better facts, and better facts make more of them. */
static const TreePass repeated[] = {
    {PASS_dead_branches, prune_branches},
    {PASS_inlining, inline_calls},
    {PASS_merge_blocks, merge_blocks},
    {PASS_vectorize_loops, vectorize_loops},
};

/* These keep facts, and are done once. */
static const TreePass once[] = {
    {PASS_common_subexpressions, share_expressions},
    {PASS_loop_invariants, move_invariants},
};

/* What they put into the tree is put in order. */
static const TreePass afterwards[] = {
    {PASS_dead_branches, prune_branches},
    {PASS_merge_blocks, merge_blocks},
};

/* When the tree is what it will be. */
static const TreePass prepared[] = {
    {PASS_parallel_loops, prepare_parfors},
};

/* And these when DAGs are rewritten and liveness is known. */
static const TreePass last[] = {
    {PASS_dead_code, drop_dead_code},
};

#define PASSES(list) list, sizeof list / sizeof *list

static bool is_open(const Routine *r)
{
    return r->analyzed && !r->settled;
}

/* Callees come before their callers in the list, as they were registered later. */
static ml_status run_passes(Ctx *ctx, Unit *unit, const TreePass *passes, size_t count,
                            bool *changed)
{
    *changed = false;
    for (Routine *r = unit->routines; r; r = r->next) {
        Tree t = {.ctx = ctx, .unit = unit, .r = r};

        for (size_t k = 0; is_open(r) && k < count; k++)
            if (unit_does(unit, passes[k].pass))
                TRY(passes[k].fn(&t));
        *changed |= t.changed;
    }
    return ML_OK;
}

static ml_status liveness(Ctx *ctx, Unit *unit)
{
    for (Routine *r = unit->routines; r; r = r->next)
        if (is_open(r))
            TRY(routine_liveness(ctx, unit, r));
    return ML_OK;
}

/* Rewrites ask which variables are read later, and leave fewer that are. */
static ml_status settle(Ctx *ctx, Unit *unit)
{
    bool changed;

    TRY(run_passes(ctx, unit, PASSES(prepared), &changed));
    TRY(liveness(ctx, unit));
    TRY(unit_rewrite(ctx, unit));
    TRY(liveness(ctx, unit));
    TRY(run_passes(ctx, unit, PASSES(last), &changed));
    for (Routine *r = unit->routines; r; r = r->next)
        r->settled |= r->analyzed;
    return ML_OK;
}

ml_status unit_optimize(Ctx *ctx, Unit *unit, Routine *main)
{
    bool changed = true;

    TRY(unit_analyze(ctx, unit, main));
    for (int k = 0; changed && k < ROUNDS; k++) {
        TRY(run_passes(ctx, unit, PASSES(repeated), &changed));
        if (changed)
            TRY(unit_analyze(ctx, unit, main));
    }
    TRY(run_passes(ctx, unit, PASSES(once), &changed));
    if (changed) {
        TRY(unit_analyze(ctx, unit, main));
        TRY(run_passes(ctx, unit, PASSES(afterwards), &changed));
    }
    return settle(ctx, unit);
}
