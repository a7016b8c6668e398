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

static const TreePass tree_passes[] = {
    {PASS_dead_branches, prune_branches},
    {PASS_inlining, inline_calls},
    {PASS_merge_blocks, merge_blocks},
    {PASS_vectorize_loops, vectorize_loops},
};

enum { TREE_PASSES = sizeof tree_passes / sizeof *tree_passes };

static bool is_open(const Routine *r)
{
    return r->analyzed && !r->settled;
}

/* Callees come before their callers in the list, as they were registered later. */
static ml_status one_round(Ctx *ctx, Unit *unit, bool *changed)
{
    *changed = false;
    for (Routine *r = unit->routines; r; r = r->next) {
        Tree t = {.ctx = ctx, .unit = unit, .r = r};

        for (int k = 0; is_open(r) && k < TREE_PASSES; k++)
            if (unit_does(unit, tree_passes[k].pass))
                TRY(tree_passes[k].fn(&t));
        *changed |= t.changed;
    }
    return ML_OK;
}

/* Rewrites ask which variables are read later, and leave fewer that are. */
static ml_status settle(Ctx *ctx, Unit *unit)
{
    for (Routine *r = unit->routines; r; r = r->next)
        if (is_open(r))
            TRY(routine_liveness(ctx, unit, r));
    TRY(unit_rewrite(ctx, unit));
    for (Routine *r = unit->routines; r; r = r->next)
        if (is_open(r)) {
            TRY(routine_liveness(ctx, unit, r));
            r->settled = true;
        }
    return ML_OK;
}

ml_status unit_optimize(Ctx *ctx, Unit *unit, Routine *main)
{
    bool changed = true;

    TRY(unit_analyze(ctx, unit, main));
    for (int k = 0; changed && k < ROUNDS; k++) {
        TRY(one_round(ctx, unit, &changed));
        if (changed)
            TRY(unit_analyze(ctx, unit, main));
    }
    return settle(ctx, unit);
}
