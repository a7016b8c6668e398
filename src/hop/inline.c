/* Inlining: a call of a small function becomes the blocks of the function, with variables of their
 * own in the caller.
 *
 * Requires: facts.  A call is put in line when nothing can tell the difference:
 * - the variant is known, the function is not recursive (calls in it were put in line before), has
 * at most CALLEE_NODES nodes and no eval, exists or loop that the language drops;
 * - arguments and results have the declared data types, numbers by a cast that cannot fail;
 * - every variable has a value wherever it is read, so none is left over from an earlier time
 * round. Nodes and blocks remember the call, for the call chain of messages, and the names their
 * operands had in the function.  A parameter that the function does not assign is the argument
 * itself.
 *
 * Breaks: facts of the caller.  Cost: a copy of the function a call, at most CALLER_NODES a
 * routine. */
#include "hop/tree.h"

#include <string.h>

enum { CALLEE_NODES = 48, CALLER_NODES = 4000 };

typedef struct Inline {
    Tree *t;
    const Block *call;
    const Function *fn;
    const Routine *callee;
    const InlineSite *site;
    int *slots;          /* of the callee's variables in the caller */
    const Value **fixed; /* by the callee's slot: the literal that a parameter is */
} Inline;

/* ---- may it be put in line? ---- */

static bool dag_is_plain(const Dag *dag)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind == HOP_READ && !h->sure)
            return false;
        if (h->kind == HOP_OP && (hop_info(h)->props & (P_CALLS | P_VARIABLE)))
            return false;
    }
    return true;
}

/* Counts nodes; -1 when the list holds what cannot be put in line. */
static int plain_size(BlockList list)
{
    int size = 0;

    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];
        const BlockList parts[] = {b->pred, b->body, b->orelse};

        if (b->kind == BLOCK_CALL || b->dead || (b->dag && !dag_is_plain(b->dag)))
            return -1;
        size += b->dag ? b->dag->count : 1;
        for (int p = 0; p < 3; p++) {
            int part = plain_size(parts[p]);

            if (part < 0)
                return -1;
            size += part;
        }
    }
    return size;
}

static int total_size(BlockList list)
{
    int size = 0;

    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];

        size += b->dag ? b->dag->count : 1;
        size += total_size(b->pred) + total_size(b->body) + total_size(b->orelse);
    }
    return size;
}

/* Does a value of these types arrive under the declared type as it is, or after a cast that cannot
 * fail? */
static bool fits(TypeDecl type, DataType dt, ValueType vt)
{
    if (type.dt == DT_NONE)
        return true;
    if (dt != type.dt)
        return false;
    return type.dt != DT_SCALAR || vt == type.vt || (is_numeric(vt) && is_numeric(type.vt));
}

static bool arguments_fit(const Block *call, const Function *fn)
{
    if (call->nargs != fn->nparams)
        return false;
    for (int k = 0; k < call->nargs; k++)
        if (!call->args[k].sure || !fits(fn->params[k].type, call->args[k].dt, call->args[k].vt))
            return false;
    return true;
}

static bool results_fit(const Block *call, const Function *fn, const Routine *callee)
{
    for (int k = 0; k < fn->nresults; k++) {
        const VarInfo *end = &callee->ends[k];
        TypeDecl type = fn->results[k].type;

        if (!end->reached || !end->sure || !fits(type, end->dt, end->vt) ||
            (type.vt == VT_INT && end->vt == VT_DOUBLE))
            return false;
    }
    for (int k = 0; k < call->ntargets; k++)
        for (int j = 0; j < k; j++)
            if (call->targets[k] >= 0 && call->targets[j] == call->targets[k])
                return false;
    return call->ntargets <= fn->nresults;
}

/* The function that the call surely reaches, NULL when the types leave a choice. */
static const Function *sure_variant(const Block *call)
{
    const FunctionSet *set = call->fn;
    const int first = call->first_given;
    const bool one = (set->matrix != NULL) + (set->scalar != NULL) + (set->frame != NULL) == 1;

    if (one || !set->by_type)
        return pick_variant(set, DT_MATRIX);
    if (first < 0 || first >= call->nargs || call->args[first].dt == DT_NONE)
        return NULL;
    return pick_variant(set, call->args[first].dt);
}

static const Function *inlinable(const Tree *t, const Block *call)
{
    const Function *fn = sure_variant(call);
    const Routine *callee = routine_of(fn);
    int size;

    if (!callee || callee == t->r || !callee->analyzed || callee->stale)
        return NULL;
    size = plain_size(callee->body);
    if (size < 0 || size > CALLEE_NODES || !arguments_fit(call, fn) ||
        !results_fit(call, fn, callee))
        return NULL;
    return fn;
}

/* ---- copying ---- */

/* The chain of calls of a node that has one already, ending in this call. */
static const InlineSite *site_under(Inline *c, const InlineSite *inner)
{
    InlineSite *site;

    if (!inner)
        return c->site;
    site = ARENA_NEW(c->t->unit->arena, InlineSite);
    if (!site)
        return c->site;
    *site = *inner;
    site->outer = site_under(c, inner->outer);
    return site;
}

/* What the function calls the operands. */
static const char **said_names(Inline *c, const Hop *h)
{
    const char **names;

    if (h->said || !h->nin)
        return h->said;
    names = ARENA_ARRAY(c->t->unit->arena, const char *, h->nin);
    for (int k = 0; names && k < h->nin; k++)
        if (h->in[k])
            names[k] =
                h->in[k]->kind == HOP_READ ? c->callee->names[h->in[k]->slot] : h->in[k]->variable;
    return names;
}

static Hop *copy_node(Inline *c, Dag *dag, const Hop *old, Hop *const *map)
{
    const int before = dag->count;
    Hop moved = *old, *h;

    if (old->kind == HOP_READ && c->fixed[old->slot])
        return hop_literal(dag, *c->fixed[old->slot], old->span);
    if (old->kind == HOP_READ)
        moved.slot = c->slots[old->slot];
    h = hop_remake(c->t->ctx, c->t->unit, dag, &moved, map);
    if (h && dag->count > before) {
        h->site = site_under(c, old->site);
        h->said = said_names(c, old);
    }
    return h;
}

static Dag *copy_dag(Inline *c, const Dag *from)
{
    Hop **map = mem_calloc((size_t)from->count + 1, sizeof *map);
    Dag *dag = dag_new(c->t->unit->arena);
    bool room = map && dag;

    for (int k = 0; room && k < from->count; k++) {
        map[k] = copy_node(c, dag, from->nodes[k], map);
        room = map[k] != NULL;
    }
    for (int k = 0; room && k < from->nroots; k++) {
        const Root *root = &from->roots[k];

        room = dag_root(dag, map[root->hop->id], root->slot < 0 ? -1 : c->slots[root->slot]);
    }
    mem_free(map);
    return room ? dag : NULL;
}

static int slot_in_caller(const Inline *c, int slot)
{
    return slot < 0 ? -1 : c->slots[slot];
}

static ml_status copy_list(Inline *c, BlockList from, BlockList *to);

static int *copy_slots(const Inline *c, const int *from, int count)
{
    int *to = ARENA_ARRAY(c->t->unit->arena, int, count + 1);

    for (int k = 0; to && k < count; k++)
        to[k] = slot_in_caller(c, from[k]);
    return to;
}

static ml_status copy_parfor(const Inline *c, const Parfor *from, Parfor **out)
{
    Arena *arena = c->t->unit->arena;
    Parfor *to;

    *out = NULL;
    if (!from)
        return ML_OK;
    to = ARENA_NEW(arena, Parfor);
    if (!to)
        return fail_memory(c->t->ctx, sizeof *to);
    *to = *from;
    to->privates = copy_slots(c, from->privates, from->nprivates);
    to->results = ARENA_ARRAY(arena, ParforSlot, from->nresults + 1);
    if (!to->privates || !to->results)
        return fail_memory(c->t->ctx, sizeof *to->results);
    for (int k = 0; k < to->nresults; k++) {
        to->results[k] = from->results[k];
        to->results[k].slot = slot_in_caller(c, from->results[k].slot);
    }
    *out = to;
    return ML_OK;
}

static ml_status copy_block(Inline *c, const Block *from, Block **out)
{
    Block *b = tree_block(c->t, from->kind, from);

    *out = b;
    if (!b)
        return c->t->ctx->err.code;
    b->site = site_under(c, from->site);
    b->cond = slot_in_caller(c, from->cond);
    b->from = slot_in_caller(c, from->from);
    b->to = slot_in_caller(c, from->to);
    b->step = slot_in_caller(c, from->step);
    b->loop_slot = slot_in_caller(c, from->loop_slot);
    b->seq = from->seq;
    TRY(copy_parfor(c, from->parfor, &b->parfor));
    if (from->dag) {
        b->dag = copy_dag(c, from->dag);
        if (!b->dag)
            return fail_memory(c->t->ctx, sizeof *b->dag);
    }
    TRY(copy_list(c, from->pred, &b->pred));
    TRY(copy_list(c, from->body, &b->body));
    return copy_list(c, from->orelse, &b->orelse);
}

static ml_status copy_list(Inline *c, BlockList from, BlockList *to)
{
    *to = (BlockList){0};
    if (!from.count)
        return ML_OK;
    to->items = ARENA_ARRAY(c->t->unit->arena, Block *, from.count);
    if (!to->items)
        return fail_memory(c->t->ctx, sizeof(Block *));
    for (to->count = 0; to->count < from.count; to->count++)
        TRY(copy_block(c, from.items[to->count], &to->items[to->count]));
    return ML_OK;
}

/* ---- arguments and results ---- */

/* The value under a declared type, cast when it is another number. */
static Hop *converted(Inline *c, Dag *dag, Hop *value, TypeDecl type, ValueType vt)
{
    static const int casts[] = {
        [VT_INT] = OP_as_integer, [VT_DOUBLE] = OP_as_double, [VT_BOOL] = OP_as_logical};

    if (!value || type.dt != DT_SCALAR || vt == type.vt || !is_numeric(type.vt))
        return value;
    return hop_op(c->t->ctx, c->t->unit, dag, casts[type.vt], &value, NULL, 1, c->call->span);
}

static bool assigns(BlockList list, int slot)
{
    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];

        if ((b->kind == BLOCK_FOR && b->loop_slot == slot) ||
            (b->kind == BLOCK_BASIC && dag_value(b->dag, slot)) || assigns(b->pred, slot) ||
            assigns(b->body, slot) || assigns(b->orelse, slot))
            return true;
    }
    return false;
}

/* Assign parameter k in the caller, unless its argument can stand for it. */
static ml_status bind_argument(Inline *c, Dag *dag, int k)
{
    const CallArg *arg = &c->call->args[k];
    const Param *p = &c->fn->params[k];
    const bool same = p->type.dt != DT_SCALAR || !is_numeric(p->type.vt) || arg->vt == p->type.vt;
    Hop *value;

    if (same && !assigns(c->callee->body, k)) {
        c->slots[k] = arg->slot;
        c->fixed[k] = arg->slot < 0 ? &arg->lit : NULL;
        if (arg->slot >= 0 || arg->lit.dt == DT_SCALAR)
            return ML_OK;
    }
    c->slots[k] = tree_slot(c->t, p->name);
    if (c->slots[k] < 0)
        return c->t->ctx->err.code;
    value = arg->slot < 0 ? hop_literal(dag, arg->lit, c->call->span)
                          : hop_read(dag, arg->slot, c->call->span);
    value = converted(c, dag, value, p->type, arg->vt);
    return value && dag_root(dag, value, c->slots[k]) ? ML_OK : fail_memory(c->t->ctx, sizeof(Hop));
}

static ml_status bind_arguments(Inline *c, Dag *dag)
{
    for (int k = 0; k < c->callee->nslots; k++)
        if (k < c->fn->nparams) {
            TRY(bind_argument(c, dag, k));
        } else {
            c->slots[k] = tree_slot(c->t, c->callee->names[k]);
            if (c->slots[k] < 0)
                return c->t->ctx->err.code;
        }
    return ML_OK;
}

static ml_status give_results(Inline *c, Dag *dag)
{
    for (int k = 0; k < c->call->ntargets; k++) {
        const int from = c->callee->results[k];
        Hop *value;

        if (c->call->targets[k] < 0)
            continue;
        value = c->fixed[from] ? hop_literal(dag, *c->fixed[from], c->call->span)
                               : hop_read(dag, c->slots[from], c->call->span);
        value = converted(c, dag, value, c->fn->results[k].type, c->callee->ends[k].vt);
        if (!value || !dag_root(dag, value, c->call->targets[k]))
            return fail_memory(c->t->ctx, sizeof(Hop));
    }
    return ML_OK;
}

/* ---- the call ---- */

static ml_status push_basic(Tree *t, Blocks *out, const Block *call, Dag *dag)
{
    Block *b;

    if (!dag->nroots)
        return ML_OK;
    b = tree_block(t, BLOCK_BASIC, call);
    if (!b || !tree_push(t, out, b))
        return t->ctx->err.code;
    b->dag = dag;
    return ML_OK;
}

static ml_status put_in_line(Inline *c, Blocks *out)
{
    Tree *t = c->t;
    Dag *before = dag_new(t->unit->arena), *after = dag_new(t->unit->arena);
    InlineSite *site = ARENA_NEW(t->unit->arena, InlineSite);
    BlockList body;

    c->slots = ARENA_ARRAY(t->unit->arena, int, c->callee->nslots + 1);
    c->fixed = ARENA_ARRAY(t->unit->arena, const Value *, c->callee->nslots + 1);
    if (!before || !after || !site || !c->slots || !c->fixed)
        return fail_memory(t->ctx, sizeof *site);
    *site = (InlineSite){.function = pick_variant(c->call->fn, DT_MATRIX)->name,
                         .span = c->call->span,
                         .outer = c->call->site};
    c->site = site;
    TRY(bind_arguments(c, before));
    TRY(push_basic(t, out, c->call, before));
    TRY(copy_list(c, c->callee->body, &body));
    for (int k = 0; k < body.count; k++)
        if (!tree_push(t, out, body.items[k]))
            return t->ctx->err.code;
    TRY(give_results(c, after));
    TRY(push_basic(t, out, c->call, after));
    t->r->stale = true;
    tree_fired(t, PASS_inlining);
    return ML_OK;
}

static ml_status inline_list(Tree *t, BlockList *list)
{
    Blocks out = {0};
    bool any = false;
    ml_status st = ML_OK;

    for (int k = 0; st == ML_OK && k < list->count; k++) {
        Block *b = list->items[k];
        const Function *fn = b->kind == BLOCK_CALL ? inlinable(t, b) : NULL;

        if (fn) {
            any = true;
            st =
                put_in_line(&(Inline){.t = t, .call = b, .fn = fn, .callee = routine_of(fn)}, &out);
        } else if (!tree_push(t, &out, b)) {
            st = t->ctx->err.code;
        }
    }
    if (st == ML_OK && any)
        st = tree_store(t, &out, list);
    VEC_FREE(&out);
    return st;
}

ml_status inline_calls(Tree *t)
{
    if (total_size(t->r->body) > CALLER_NODES)
        return ML_OK;
    return tree_each_list(t, &t->r->body, inline_list);
}
