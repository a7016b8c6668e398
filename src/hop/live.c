/* Which variables are read later: backward over the tree of blocks.
 * Requires: DAGs built.  Gives: live_out of every block, `dies` of call arguments, so that values
 * are freed at their last use and the last owner may write in place.
 *
 * A loop's body is visited twice: what is live at its head is live at its end.  A function's
 * results are live at its end; so is every variable whose existence the program asks for.  Cost:
 * blocks x slots / 64, doubled a level of loops. */
#include "hop/hop.h"

#include <string.h>

typedef struct Live {
    Ctx *ctx;
    Unit *unit;
    const Routine *r;
    uint64_t *set; /* live at the point reached */
} Live;

static void set_add(uint64_t *set, int slot)
{
    if (slot >= 0)
        set[slot >> 6] |= UINT64_C(1) << (slot & 63);
}

static void set_remove(uint64_t *set, int slot)
{
    if (slot >= 0)
        set[slot >> 6] &= ~(UINT64_C(1) << (slot & 63));
}

static void set_join(uint64_t *into, const uint64_t *from, int words)
{
    for (int k = 0; k < words; k++)
        into[k] |= from[k];
}

static uint64_t *set_copy(Live *l, const uint64_t *from)
{
    uint64_t *set = ARENA_ARRAY(l->unit->arena, uint64_t, l->r->nwords + 1);

    if (set)
        memcpy(set, from, (size_t)l->r->nwords * sizeof *set);
    return set;
}

static ml_status live_list(Live *l, BlockList list);

static void live_dag(Live *l, const Dag *dag)
{
    for (int k = 0; k < dag->nroots; k++)
        set_remove(l->set, dag->roots[k].slot);
    for (int k = 0; k < dag->count; k++)
        if (dag->nodes[k]->kind == HOP_READ)
            set_add(l->set, dag->nodes[k]->slot);
}

static void live_call(Live *l, Block *b)
{
    for (int k = 0; k < b->ntargets; k++)
        set_remove(l->set, b->targets[k]);
    for (int k = 0; k < b->nargs; k++)
        b->args[k].dies = b->args[k].slot >= 0 && !slot_in(l->set, b->args[k].slot);
    for (int k = 0; k < b->nargs; k++) {
        for (int j = 0; j < k; j++) /* given twice: neither may be moved */
            if (b->args[j].slot == b->args[k].slot)
                b->args[j].dies = b->args[k].dies = false;
        set_add(l->set, b->args[k].slot);
    }
}

static ml_status live_if(Live *l, Block *b)
{
    uint64_t *after = set_copy(l, l->set), *then;

    if (!after)
        return fail_memory(l->ctx, sizeof *after);
    TRY(live_list(l, b->body));
    then = l->set;
    l->set = after;
    TRY(live_list(l, b->orelse));
    set_join(l->set, then, l->r->nwords);
    set_add(l->set, b->cond);
    return live_list(l, b->pred);
}

/* Is the body of a for loop one run of plain assignments, without effects and indexed targets, of
 * variables that nobody reads afterwards?  The reference drops such a loop, so a loop variable that
 * had a value keeps it: i=5; for(i in 1:2) {j=i} print(i) prints 5.  `set` is what is live after
 * the loop.  Asked of the program as it was written, before any pass. */
static bool is_dead_loop(const Block *b, const uint64_t *set)
{
    const Dag *dag;

    if (b->kind != BLOCK_FOR || b->body.count > 1)
        return false;
    if (b->body.count == 0)
        return true;
    if (b->body.items[0]->kind != BLOCK_BASIC)
        return false;
    dag = b->body.items[0]->dag;
    for (int k = 0; k < dag->nroots; k++)
        if (dag->roots[k].slot < 0 || dag->roots[k].slot == b->loop_slot ||
            slot_in(set, dag->roots[k].slot))
            return false;
    for (int k = 0; k < dag->count; k++)
        if (hop_has_effect(dag->nodes[k]) || hop_is_op(dag->nodes[k], OP_left_index))
            return false;
    return true;
}

/* What the loop reads before writing is live at its end too, hence the second visit. */
static ml_status live_loop(Live *l, Block *b)
{
    uint64_t *after = set_copy(l, l->set);

    if (!after)
        return fail_memory(l->ctx, sizeof *after);
    if (!l->r->built)
        b->dead = is_dead_loop(b, after);
    for (int visit = 0; visit < 2; visit++) {
        if (b->kind == BLOCK_WHILE) {
            set_add(l->set, b->cond);
            TRY(live_list(l, b->pred));
        }
        TRY(live_list(l, b->body));
        set_join(l->set, after, l->r->nwords); /* no iteration at all */
    }
    if (b->kind == BLOCK_WHILE) {
        set_add(l->set, b->cond);
    } else {
        set_add(l->set, b->from);
        set_add(l->set, b->to);
        set_add(l->set, b->step);
    }
    return live_list(l, b->pred);
}

static ml_status live_block(Live *l, Block *b)
{
    b->live_out = set_copy(l, l->set);
    if (!b->live_out)
        return fail_memory(l->ctx, sizeof *b->live_out);
    switch (b->kind) {
    case BLOCK_BASIC:
        live_dag(l, b->dag);
        return ML_OK;
    case BLOCK_CALL:
        live_call(l, b);
        return ML_OK;
    case BLOCK_IF:
        return live_if(l, b);
    case BLOCK_WHILE:
    case BLOCK_FOR:
        return live_loop(l, b);
    }
    return ML_OK;
}

static ml_status live_list(Live *l, BlockList list)
{
    for (int k = list.count - 1; k >= 0; k--)
        TRY(live_block(l, list.items[k]));
    return ML_OK;
}

ml_status routine_liveness(Ctx *ctx, Unit *unit, Routine *r)
{
    Live l = {.ctx = ctx, .unit = unit, .r = r};

    l.set = ARENA_ARRAY(unit->arena, uint64_t, r->nwords + 1);
    if (!l.set)
        return fail_memory(ctx, sizeof *l.set);
    for (int k = 0; k < r->fn->nresults; k++)
        set_add(l.set, r->results[k]);
    return live_list(&l, r->body);
}
