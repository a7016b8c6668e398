/* Vectorization: a for loop over the cells, rows or columns of matrices becomes operators on the
 * whole range.
 *
 * Requires: facts; a body of one basic block without effects.  A loop is replaced when
 * - it counts from..to by one, upwards; where the bounds are not known, an `if` decides between the
 *   operators and the loop as written, which also does what is not a range (a:b downwards, NaN);
 * - what it assigns is X[i, ...] = (or X[..., i], i + c, i - c), with X read and written at that
 *   index only; a sum, minimum or maximum s = s + e(i) that is read nowhere else; a value that is
 *   the same in every iteration; or a value that nobody reads afterwards;
 * - every value that these need can be lifted (lift.c), and the rows of all iterations take no more
 *   than a quarter of the memory budget where their sizes are known.
 * The loop variable has its last value afterwards.  An index out of range is still an error, found
 * before anything is assigned.  Sums are added in another order than the loop's.
 *
 * Breaks: facts.  Cost: a copy of the body; liveness once. */
#include "hop/vectorize.h"

#include <math.h>

enum { BODY_NODES = 256, BUDGET_SHARE = 4 };

/* ---- candidates ---- */

static bool has_effect(const Dag *dag)
{
    for (int k = 0; k < dag->nroots; k++)
        if (dag->roots[k].slot < 0 && hop_has_effect(dag->roots[k].hop))
            return true;
    return false;
}

static const Hop *bound(const Block *b, int slot)
{
    const Block *last = b->pred.count ? b->pred.items[b->pred.count - 1] : NULL;

    return last && last->kind == BLOCK_BASIC && slot >= 0 ? dag_value(last->dag, slot) : NULL;
}

/* The values of seq(a, b, 1) are those of a:b when a is an integer. */
static bool counts_by_one(const Block *b)
{
    const Hop *step = bound(b, b->step), *from = bound(b, b->from);

    if (b->step < 0)
        return true;
    return step && from && from->vt == VT_INT && step->lit.dt == DT_SCALAR &&
           step->lit.vt == VT_INT && step->lit.i == 1;
}

static bool is_candidate(const Block *b)
{
    const Hop *from, *to;

    if (b->kind != BLOCK_FOR || b->dead || b->as_written || b->body.count != 1 ||
        b->body.items[0]->kind != BLOCK_BASIC)
        return false;
    from = bound(b, b->from);
    to = bound(b, b->to);
    return from && to && from->number && to->number && counts_by_one(b) &&
           b->body.items[0]->dag->count <= BODY_NODES && !has_effect(b->body.items[0]->dag);
}

/* ---- the values of the body's variables after the loop ---- */

typedef struct Vectorize {
    Lift lift;
    const Block *loop;
    bool *assigned; /* by slot */
    bool *used;     /* by id: nodes that a value needs */
} Vectorize;

static void mark_used(Vectorize *v, const Hop *h)
{
    if (v->used[h->id])
        return;
    v->used[h->id] = true;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k])
            mark_used(v, h->in[k]);
}

static int readers(const Dag *dag, const Hop *h)
{
    int n = 0;

    for (int k = 0; k < dag->count; k++)
        for (int j = 0; j < dag->nodes[k]->nin; j++)
            n += dag->nodes[k]->in[j] == h;
    for (int k = 0; k < dag->nroots; k++)
        n += dag->roots[k].hop == h;
    return n;
}

/* Which operand of s = s + e is s, used nowhere else?  -1: none. */
static int accumulator(const Vectorize *v, const Hop *h, int slot)
{
    const int last = h->kind != HOP_OP || h->nin != 2 ? -1 : h->op == OP_sub ? 0 : 1;

    for (int k = 0; k <= last; k++)
        if (h->in[k] && h->in[k]->kind == HOP_READ && h->in[k]->slot == slot)
            return readers(v->lift.from, h->in[k]) == 1 ? k : -1;
    return -1;
}

/* All the e of s = s + e in one: a number, or a 1x1 matrix or row where e is. */
static Hop *total(Vectorize *v, const Hop *h, const Hop *e)
{
    Lift *l = &v->lift;
    const LiftKind kind = l->of[e->id].kind;
    const int full = h->op == OP_sub || h->op == OP_add ? OP_sum : h->op;
    const int op = kind == LIFT_ROWS ? lift_aggregate(l, full, true) : full;
    Hop *in[OP_ARGS] = {lift_value(l, e)}, *out;

    if (!in[0] || kind == LIFT_SAME || kind == LIFT_WHOLE || (kind == LIFT_ROWS && full != OP_sum))
        return NULL;
    out = lift_op(l, op, in, full == OP_sum ? 1 : op_nargs(&op_table[op]), h);
    if (out && kind != LIFT_ROWS && e->dt == DT_MATRIX)
        out = lift_op(l, OP_as_matrix, &out, 1, h);
    return out;
}

/* Numbers must add up to a double, as the loop over integers gives an integer. */
static bool adds_up(const Hop *h, const Hop *s, const Hop *e)
{
    const bool sums = h->op == OP_add || h->op == OP_sub;

    if (sums && e->dt == DT_MATRIX)
        return s->dt != DT_FRAME && s->dt != DT_LIST;
    return (sums || h->op == OP_min || h->op == OP_max) && e->number && s->number &&
           h->vt == VT_DOUBLE;
}

static Hop *reduction(Vectorize *v, const Hop *h, int slot)
{
    Lift *l = &v->lift;
    const int at = accumulator(v, h, slot);
    Hop *in[OP_ARGS] = {0};

    if (at < 0 || !adds_up(h, h->in[at], h->in[1 - at]))
        return NULL;
    in[at] = hop_remake(l->t->ctx, l->t->unit, l->to, h->in[at], l->map);
    in[1 - at] = total(v, h, h->in[1 - at]);
    return in[0] && in[1] ? lift_op(l, h->op, in, h->nin, h) : NULL;
}

static bool is_read(const Dag *dag, int slot)
{
    for (int k = 0; k < dag->count; k++)
        if (dag->nodes[k]->kind == HOP_READ && dag->nodes[k]->slot == slot)
            return true;
    return false;
}

/* Does nobody ask for the value, neither later nor in the next iteration? */
static bool is_forgotten(const Vectorize *v, int slot)
{
    return slot < 0 || (!slot_in(v->loop->live_out, slot) && !is_read(v->lift.from, slot));
}

static Hop *value_after(Vectorize *v, const Root *root)
{
    Lift *l = &v->lift;
    const Lifted *x = &l->of[root->hop->id];

    if (x->kind == LIFT_SAME || (x->kind == LIFT_WHOLE && x->variable == root->slot))
        return x->hop;
    if (x->kind == LIFT_INDEX)
        return lift_index_at(l, root->hop, l->last);
    return reduction(v, root->hop, root->slot);
}

/* All roots, and then the loop variable; *fits: there is a value for each. */
static ml_status vectorize_roots(Vectorize *v, bool *fits)
{
    const Dag *from = v->lift.from;

    for (int k = 0; *fits && k < from->nroots; k++) {
        const Root *root = &from->roots[k];
        Hop *value;

        if (is_forgotten(v, root->slot))
            continue;
        value = root->slot == v->loop->loop_slot ? NULL : value_after(v, root);
        *fits = value != NULL;
        if (value && !value->variable)
            value->variable = v->lift.t->r->names[root->slot];
        if (value && !dag_root(v->lift.to, value, root->slot))
            return fail_memory(v->lift.t->ctx, sizeof *root);
        if (value)
            mark_used(v, root->hop);
    }
    for (int k = 0; *fits && k < from->nroots; k++) /* whose errors would be lost */
        *fits = v->used[from->roots[k].hop->id];
    return dag_root(v->lift.to, v->lift.last, v->loop->loop_slot)
               ? ML_OK
               : fail_memory(v->lift.t->ctx, sizeof(Root));
}

/* ---- the loop ---- */

/* The bound as the loop counts it: an integer. */
static Hop *bound_in(Lift *l, const Block *b, int slot)
{
    const Hop *h = bound(b, slot);
    Hop *x;

    if (h->lit.dt == DT_SCALAR)
        return hop_literal(
            l->to,
            value_int(h->lit.vt == VT_INT ? h->lit.i : double_to_int(scalar_to_double(h->lit))),
            h->span);
    x = hop_read(l->to, slot, h->span);
    if (x) {
        x->dt = DT_SCALAR;
        x->vt = h->vt;
        x->number = x->sure = true;
    }
    return !x || h->vt == VT_INT ? x : lift_op(l, OP_as_integer, &x, 1, h);
}

/* Would the rows of all iterations, which the loop holds one at a time, take much of the memory? */
static bool takes_too_much(const Vectorize *v)
{
    const Lift *l = &v->lift;
    const Value from = bound(v->loop, v->loop->from)->lit, to = bound(v->loop, v->loop->to)->lit;
    double bytes = 0;

    if (from.dt != DT_SCALAR || to.dt != DT_SCALAR || !l->t->ctx->pool)
        return false;
    for (int k = 0; k < l->from->count; k++)
        if (l->of[k].kind == LIFT_ROWS && isfinite(l->from->nodes[k]->bytes) &&
            l->from->nodes[k]->bytes > 0)
            bytes += l->from->nodes[k]->bytes;
    bytes *= scalar_to_double(to) - scalar_to_double(from) + 1;
    return bytes * BUDGET_SHARE > (double)pool_stats(l->t->ctx->pool).limit;
}

static ml_status lift_body(Vectorize *v, bool *fits)
{
    Lift *l = &v->lift;

    *fits = false;
    l->first = bound_in(l, v->loop, v->loop->from);
    l->last = bound_in(l, v->loop, v->loop->to);
    if (!l->first || !l->last)
        return fail_memory(l->t->ctx, sizeof(Hop));
    for (int k = 0; k < l->from->nroots; k++)
        if (l->from->roots[k].slot >= 0)
            v->assigned[l->from->roots[k].slot] = true;
    lift_all(l);
    *fits = !takes_too_much(v);
    return *fits ? vectorize_roots(v, fits) : ML_OK;
}

/* The body for rows or columns; *out stays NULL when it does not fit. */
static ml_status try_direction(Tree *t, const Block *b, bool columns, Dag **out)
{
    const Dag *from = b->body.items[0]->dag;
    const size_t nodes = (size_t)from->count + 1, slots = (size_t)t->r->nslots + 1;
    Vectorize v = {.loop = b};
    bool fits = false;
    ml_status st;

    v.lift = (Lift){.t = t, .from = from, .loop_slot = b->loop_slot, .columns = columns};
    v.lift.to = dag_new(t->unit->arena);
    v.lift.of = mem_calloc(nodes, sizeof *v.lift.of);
    v.lift.map = mem_calloc(nodes, sizeof *v.lift.map);
    v.lift.indexed = mem_calloc(slots, sizeof *v.lift.indexed);
    v.lift.assigned = v.assigned = mem_calloc(slots, sizeof *v.assigned);
    v.used = mem_calloc(nodes, sizeof *v.used);
    st = v.lift.to && v.lift.of && v.lift.map && v.lift.indexed && v.assigned && v.used
             ? lift_body(&v, &fits)
             : fail_memory(t->ctx, nodes * sizeof *v.lift.of);
    if (fits)
        *out = v.lift.to;
    mem_free(v.lift.of);
    mem_free(v.lift.map);
    mem_free(v.lift.indexed);
    mem_free(v.assigned);
    mem_free(v.used);
    return st;
}

static Block *basic(Tree *t, const Block *like, Dag *dag)
{
    Block *b = tree_block(t, BLOCK_BASIC, like);

    if (b)
        b->dag = dag;
    return b;
}

static bool store_one(Tree *t, Block *b, BlockList *to)
{
    to->items = b ? ARENA_ARRAY(t->unit->arena, Block *, 1) : NULL;
    if (!to->items)
        return false;
    to->items[0] = b;
    to->count = 1;
    return true;
}

/* if (from <= to) the operators, else the loop as written, its bounds known by now. */
static Block *guarded(Tree *t, Block *loop, Dag *dag)
{
    Dag *test = dag_new(t->unit->arena);
    Block *b = tree_block(t, BLOCK_IF, loop);
    Hop *in[2], *cond;

    if (!test || !b)
        return NULL;
    in[0] = hop_read(test, loop->from, loop->span);
    in[1] = hop_read(test, loop->to, loop->span);
    cond = in[0] && in[1] ? hop_op(t->ctx, t->unit, test, OP_le, in, NULL, 2, loop->span) : NULL;
    b->cond = tree_slot(t, NULL);
    if (!cond || b->cond < 0 || !dag_root(test, cond, b->cond))
        return NULL;
    loop->as_written = true;
    loop->pred = (BlockList){0};
    return store_one(t, basic(t, loop, test), &b->pred) &&
                   store_one(t, basic(t, loop, dag), &b->body) && store_one(t, loop, &b->orelse)
               ? b
               : NULL;
}

static bool surely_upwards(const Block *b)
{
    const Value from = bound(b, b->from)->lit, to = bound(b, b->to)->lit;

    return from.dt == DT_SCALAR && to.dt == DT_SCALAR &&
           scalar_to_double(from) <= scalar_to_double(to);
}

static ml_status replace(Tree *t, Blocks *out, Block *loop, Dag *dag)
{
    const BlockList pred = loop->pred;
    Block *b;

    for (int k = 0; k < pred.count; k++)
        if (!tree_push(t, out, pred.items[k]))
            return t->ctx->err.code;
    b = surely_upwards(loop) ? basic(t, loop, dag) : guarded(t, loop, dag);
    if (!b)
        return fail_memory(t->ctx, sizeof *b);
    tree_fired(t, PASS_vectorize_loops);
    return tree_push(t, out, b) ? ML_OK : t->ctx->err.code;
}

static ml_status vectorize_list(Tree *t, BlockList *list)
{
    Blocks out = {0};
    bool any = false;
    ml_status st = ML_OK;

    for (int k = 0; st == ML_OK && k < list->count; k++) {
        Block *b = list->items[k];
        Dag *dag = NULL;

        for (int columns = 0; st == ML_OK && !dag && columns < 2 && is_candidate(b); columns++)
            st = try_direction(t, b, columns, &dag);
        if (st == ML_OK && dag)
            st = replace(t, &out, b, dag);
        else if (st == ML_OK && !tree_push(t, &out, b))
            st = t->ctx->err.code;
        any |= dag != NULL;
    }
    if (st == ML_OK && any)
        st = tree_store(t, &out, list);
    VEC_FREE(&out);
    return st;
}

static bool any_candidate(BlockList list)
{
    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];

        if (is_candidate(b) || any_candidate(b->body) || any_candidate(b->orelse))
            return true;
    }
    return false;
}

ml_status vectorize_loops(Tree *t)
{
    if (!any_candidate(t->r->body))
        return ML_OK;
    TRY(routine_liveness(t->ctx, t->unit, t->r));
    return tree_each_list(t, &t->r->body, vectorize_list);
}
