/* Runs of the workers of parallel loops.
 *
 * A clone has what a run changes while it runs: a stack, plans of its own, what planning makes and
 * counts.  So workers plan their blocks without a lock.  Clones are kept until the program ends and
 * taken again with the plans they have; a loop inside a loop plans once a clone. */
#include "run/parfor.h"

static ml_status clone_unit(Ctx *ctx, const Unit *of, Unit *out)
{
    *out = (Unit){.program = of->program, .opt = of->opt, .uses_eval = of->uses_eval};
    out->arena = arena_new();
    return out->arena ? unit_switches(ctx, out) : fail_memory(ctx, sizeof *out);
}

static void clone_free(Run *clone)
{
    mem_free(clone->stack);
    mem_free(clone->facts);
    plans_free(clone);
    if (clone->unit.arena) {
        unit_free(&clone->unit);
        arena_free(clone->unit.arena);
    }
    mem_free(clone->stats);
    mem_free(clone);
}

static ml_status clone_new(Run *main, Ctx *ctx, Run **out)
{
    Run *clone = mem_calloc(1, sizeof *clone);
    ml_status st;

    if (!clone)
        return fail_memory(ctx, sizeof *clone);
    clone->main = main;
    clone->program = main->program;
    clone->backend = main->backend;
    clone->stack_size = main->stack_size;
    clone->stack = mem_calloc(clone->stack_size, sizeof *clone->stack);
    clone->stats = mem_calloc(1, sizeof *clone->stats);
    st = clone->stack && clone->stats ? clone_unit(ctx, &main->unit, &clone->unit)
                                      : fail_memory(ctx, sizeof *clone->stats);
    if (st != ML_OK) {
        clone_free(clone);
        return st;
    }
    clone->stats->timed = main->stats->timed;
    *out = clone;
    return ML_OK;
}

ml_status run_clone(Run *main, Ctx *ctx, Run **out)
{
    pthread_mutex_lock(&main->lock);
    *out = main->idle;
    if (*out)
        main->idle = (*out)->next;
    pthread_mutex_unlock(&main->lock);
    if (!*out)
        TRY(clone_new(main, ctx, out));
    (*out)->ctx = ctx;
    return ML_OK;
}

void run_return(Run *clone)
{
    Run *main = clone->main;

    pthread_mutex_lock(&main->lock);
    clone->next = main->idle;
    main->idle = clone;
    pthread_mutex_unlock(&main->lock);
}

static void add_stats(RunStats *to, const RunStats *from)
{
    to->plan_ns += from->plan_ns;
    to->plans_made += from->plans_made;
    to->plans_reused += from->plans_reused;
    to->instructions += from->instructions;
    to->calls += from->calls;
    for (int k = 0; k < OP_COUNT; k++) {
        to->ops[k].count += from->ops[k].count;
        to->ops[k].nanoseconds += from->ops[k].nanoseconds;
    }
}

void run_free_clones(Run *main)
{
    while (main->idle) {
        Run *clone = main->idle;

        main->idle = clone->next;
        add_stats(main->stats, clone->stats);
        for (int k = 0; k < PASS_COUNT; k++)
            main->unit.pass_fired[k] += clone->unit.pass_fired[k];
        for (int k = 0; main->unit.fired && clone->unit.fired && k < rewrite_count; k++)
            main->unit.fired[k] += clone->unit.fired[k];
        clone_free(clone);
    }
}
