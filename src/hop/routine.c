/* Functions and calls: a checked function becomes a routine, and so does all that it calls.
 *
 * A call ends a basic block; its arguments are variables, temporaries or literals, so the
 * interpreter binds them without evaluating anything.  Recursion is no problem: a routine is
 * registered before its body is built. */
#include "hop/build.h"
#include "hop/rewrite.h"

#include <string.h>

static ml_status lift_list(Builder *b, Expr *const *list, int count)
{
    for (int k = 0; k < count; k++)
        if (list[k])
            TRY(lift_calls(b, list[k], true));
    return ML_OK;
}

ml_status lift_calls(Builder *b, const Expr *e, bool self)
{
    Lifted lifted = {e, -1};

    if (e->kind != E_CALL || !self)
        return lift_list(b, e->args, e->nargs);
    for (int k = 0; k < b->lifted.count; k++)
        if (b->lifted.items[k].expr == e)
            return ML_OK;
    lifted.slot = builder_temporary(b);
    if (lifted.slot < 0)
        return fail_memory(b->ctx, sizeof lifted);
    TRY(build_call(b, e, &lifted.slot, 1));
    return VEC_PUSH(&b->lifted, lifted) ? ML_OK : fail_memory(b->ctx, sizeof lifted);
}

/* One argument: a literal and an unassigned variable as they are, the rest by a temporary. */
static ml_status build_argument(Builder *b, const Expr *e, CallArg *arg)
{
    Hop *value;

    TRY(build_expr(b, e, &value));
    arg->slot = -1;
    if (value->kind == HOP_LITERAL) {
        arg->lit = value->lit;
        return ML_OK;
    }
    if (value->kind == HOP_READ) {
        arg->slot = value->slot;
        return ML_OK;
    }
    if (e->kind == E_NAME) { /* assigned in this block, which ends before the call */
        arg->slot = builder_slot(b, e->name);
        return ML_OK;
    }
    arg->slot = builder_temporary(b);
    return arg->slot < 0 ? fail_memory(b->ctx, sizeof(int)) : builder_assign(b, arg->slot, value);
}

/* The parameters of the variant that a call names; defaults of a set are those of its first member.
 */
static const Function *any_variant(const FunctionSet *set)
{
    return set->matrix ? set->matrix : set->scalar ? set->scalar : set->frame;
}

static ml_status compile_callees(Builder *b, const FunctionSet *set)
{
    Function *variants[3] = {set->matrix, set->scalar, set->frame};
    Routine *unused;

    for (int k = 0; k < 3; k++)
        if (variants[k])
            TRY(unit_compile(b->ctx, b->unit, variants[k], &unused));
    return ML_OK;
}

ml_status build_call(Builder *b, const Expr *e, const int *targets, int ntargets)
{
    const Function *fn = any_variant(e->fn);
    CallArg *args = ARENA_ARRAY(b->arena, CallArg, e->nargs + 1);
    Block *block;

    if (!args)
        return fail_memory(b->ctx, sizeof *args);
    TRY(lift_list(b, e->args, e->nargs));
    for (int k = 0; k < e->nargs; k++) {
        const Expr *arg = e->args[k] ? e->args[k] : k < fn->nparams ? fn->params[k].def : NULL;

        if (!arg)
            return fail_at(b->ctx, e->span, ML_ENAME,
                           "%s: argument '%s' is missing and has no default", e->name,
                           k < fn->nparams ? fn->params[k].name : "?");
        TRY(lift_calls(b, arg, true));
        TRY(build_argument(b, arg, &args[k]));
    }
    TRY(builder_cut(b));
    block = builder_block(b, BLOCK_CALL, e->span);
    if (!block)
        return fail_memory(b->ctx, sizeof *block);
    block->fn = e->fn;
    block->args = args;
    block->nargs = e->nargs;
    block->first_given = e->first_given;
    block->ntargets = ntargets;
    block->targets = ARENA_ARRAY(b->arena, int, ntargets + 1);
    if (!block->targets)
        return fail_memory(b->ctx, sizeof(int));
    if (ntargets)
        memcpy(block->targets, targets, (size_t)ntargets * sizeof(int));
    return compile_callees(b, e->fn);
}

const Function *pick_variant(const FunctionSet *set, DataType first)
{
    const Function *fn = set->matrix;

    if (set->by_type && first == DT_SCALAR)
        fn = set->scalar;
    if (set->by_type && first == DT_FRAME)
        fn = set->frame;
    return fn ? fn : any_variant(set);
}

/* ---- routines ---- */

static ml_status declare(Builder *b, const Function *fn)
{
    Routine *r = b->routine;

    for (int k = 0; k < fn->nparams; k++)
        if (builder_slot(b, fn->params[k].name) < 0)
            return fail_memory(b->ctx, sizeof(int));
    for (int k = 0; k < fn->nresults; k++) {
        r->results[k] = builder_slot(b, fn->results[k].name);
        if (r->results[k] < 0)
            return fail_memory(b->ctx, sizeof(int));
    }
    return ML_OK;
}

static ml_status fill_routine(Builder *b, const Function *fn, Blocks *blocks)
{
    Routine *r = b->routine;

    TRY(declare(b, fn));
    TRY(build_statements(b, fn->body));
    TRY(builder_cut(b));
    r->nslots = b->names.count;
    r->nwords = (r->nslots + 63) / 64;
    r->names_capacity = r->nslots + 1;
    r->names = ARENA_ARRAY(b->arena, const char *, r->names_capacity);
    r->body.items = ARENA_ARRAY(b->arena, Block *, blocks->count + 1);
    if (!r->names || !r->body.items)
        return fail_memory(b->ctx, sizeof(Block *));
    if (r->nslots)
        memcpy(r->names, b->names.items, (size_t)r->nslots * sizeof(char *));
    if (blocks->count)
        memcpy(r->body.items, blocks->items, (size_t)blocks->count * sizeof(Block *));
    r->body.count = blocks->count;
    return ML_OK;
}

static Routine *new_routine(Unit *unit, Function *fn)
{
    Routine *r = ARENA_NEW(unit->arena, Routine);

    if (!r)
        return NULL;
    r->results = ARENA_ARRAY(unit->arena, int, fn->nresults + 1);
    r->params = ARENA_ARRAY(unit->arena, VarInfo, fn->nparams + 1);
    r->outs = ARENA_ARRAY(unit->arena, VarInfo, fn->nresults + 1);
    r->ends = ARENA_ARRAY(unit->arena, VarInfo, fn->nresults + 1);
    if (!r->results || !r->params || !r->outs || !r->ends)
        return NULL;
    r->fn = fn;
    r->program = unit->program;
    r->next = unit->routines;
    unit->routines = r;
    fn->compiled = r;
    return r;
}

ml_status unit_compile(Ctx *ctx, Unit *unit, Function *fn, Routine **out)
{
    Blocks blocks = {0};
    Builder b = {.ctx = ctx, .unit = unit, .arena = unit->arena, .blocks = &blocks};
    ml_status st = ML_OK;

    *out = routine_of(fn);
    if (*out)
        return ML_OK;
    b.routine = *out = new_routine(unit, fn);
    b.slots = map_new();
    b.dag = dag_new(unit->arena);
    b.dag_span = fn->span;
    if (!b.routine || !b.slots || !b.dag)
        st = fail_memory(ctx, sizeof(Routine));
    if (st == ML_OK)
        st = fill_routine(&b, fn, &blocks);
    if (st == ML_OK)
        st = routine_liveness(ctx, unit, b.routine);
    if (b.routine)
        b.routine->built = true;
    if (b.slots)
        map_free(b.slots);
    VEC_FREE(&b.names);
    VEC_FREE(&b.current);
    VEC_FREE(&b.lifted);
    VEC_FREE(&blocks);
    return st;
}

void unit_free(Unit *unit)
{
    for (int k = 0; k < unit->literals.count; k++)
        value_release(unit->literals.items[k]);
    VEC_FREE(&unit->literals);
    map_free(unit->texts);
    rules_free(unit);
    VEC_FREE(&unit->places);
    for (Routine *r = unit->routines; r; r = r->next)
        ((Function *)(uintptr_t)r->fn)->compiled = NULL;
}
