/* Loop-invariant code motion: what a loop computes anew each time round although its operands do
 * not change is computed before it, into a variable of its own.
 *
 * Requires: facts.  A node is taken out of a block that every iteration runs when it is pure, reads
 * only variables that the loop does not assign, and is worth holding:
 * - a scalar, or an aggregate, product or other operator that costs clearly more than reading its
 *   result; not a transpose that only products read, nor cheap cell-wise work, which fuse with what
 *   reads them; not what makes a matrix out of scalars;
 * - no more than an eighth of the memory budget where its size is known.
 * Errors stay what they are: a node that may fail is taken out only where the loop surely runs, of
 * its first block, with nothing before it that may fail or has an effect.  Whether a `while` runs
 * is asked before by a copy of its condition.
 *
 * Keeps: facts.  Cost: one visit a node and level of loops. */
#include "hop/tree.h"

#include <math.h>
#include <string.h>

enum { WORTH = 3, BUDGET_SHARE = 8 };

typedef struct Motion {
    Tree *t;
    Block *loop;
    bool *assigned; /* by slot: in the loop */
    bool runs;      /* the body surely runs once, with nothing before it */
    Dag *before;    /* what is taken out */
    int taken;
} Motion;

/* ---- what the loop assigns ---- */

static void note_assigned(bool *assigned, BlockList list)
{
    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];

        for (int j = 0; b->kind == BLOCK_BASIC && j < b->dag->nroots; j++)
            if (b->dag->roots[j].slot >= 0)
                assigned[b->dag->roots[j].slot] = true;
        for (int j = 0; j < b->ntargets; j++)
            if (b->targets[j] >= 0)
                assigned[b->targets[j]] = true;
        if (b->kind == BLOCK_FOR)
            assigned[b->loop_slot] = true;
        note_assigned(assigned, b->pred);
        note_assigned(assigned, b->body);
        note_assigned(assigned, b->orelse);
    }
}

/* ---- which nodes ---- */

static bool is_invariant(const Motion *m, const Hop *h, const bool *invariant)
{
    if (h->kind == HOP_READ)
        return h->sure && !m->assigned[h->slot];
    if (hop_is_unique(h) || (h->kind == HOP_OP && (hop_info(h)->props & (P_CALLS | P_VARIABLE))))
        return false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && !invariant[h->in[k]->id])
            return false;
    return true;
}

static bool reads_matrix(const Hop *h)
{
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && h->in[k]->dt == DT_MATRIX)
            return true;
    return false;
}

/* A matrix of known size pays by its estimated time; otherwise the kind of operator tells. */
bool is_worth_holding(const Tree *t, const Hop *h)
{
    const OpInfo *op = h->kind == HOP_OP ? hop_info(h) : NULL;
    const bool known = isfinite(h->bytes) && h->bytes >= 0 && isfinite(h->seconds);

    if (!op)
        return false;
    if (h->dt == DT_SCALAR)
        return h->number && h->lit.dt == DT_NONE;
    if (h->dt != DT_MATRIX || !reads_matrix(h) || h->op == OP_t || h->op == OP_left_index)
        return false;
    if (known && t->ctx->pool && h->bytes * BUDGET_SHARE > (double)pool_stats(t->ctx->pool).limit)
        return false;
    if (known && h->seconds - COST_OPERATOR_SECONDS >
                     WORTH * h->bytes / COST_BYTES_PER_SECOND + COST_OPERATOR_SECONDS)
        return true;
    return !(op->props & P_CELLWISE) && op->shape != shape_index &&
           (h->op == OP_matmult || (op->props & (P_AGG_ROW | P_AGG_COL)));
}

/* May it be computed although the loop may not come to it?  `clean`: nothing before it in its block
 * can be noticed. */
static bool is_safe(const Motion *m, const Hop *h, const bool *total, bool clean)
{
    return total[h->id] || (m->runs && clean);
}

/* ---- one block ---- */

typedef struct Marks {
    bool *invariant, *total, *out; /* by id */
} Marks;

static void mark_nodes(const Motion *m, const Dag *dag, Marks *marks)
{
    bool clean = true;

    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];
        bool total = hop_is_total(h);

        for (int j = 0; j < h->nin; j++)
            total &= !h->in[j] || marks->total[h->in[j]->id];
        marks->total[k] = total;
        marks->invariant[k] = is_invariant(m, h, marks->invariant);
        marks->out[k] =
            marks->invariant[k] && is_worth_holding(m->t, h) && is_safe(m, h, marks->total, clean);
        clean &= marks->invariant[k] ? total || marks->out[k] || h->kind != HOP_OP
                                     : hop_is_total(h) && !hop_has_effect(h);
    }
}

/* Is a product larger than what it is made of? */
static bool grows(const Hop *h)
{
    double read = 0;

    for (int k = 0; k < h->nin; k++)
        read += h->in[k]->bytes;
    return !(h->bytes >= 0 && h->bytes <= read);
}

/* A product of a chain stays where the rest of the chain is: in (e %*% u) %*% p with a p of the
 * loop the first product is the one that a better order avoids. */
static void keep_chains(const Dag *dag, Marks *marks)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (!hop_is_op(h, OP_matmult) || marks->invariant[k])
            continue;
        for (int j = 0; j < h->nin; j++)
            if (hop_is_op(h->in[j], OP_matmult) && grows(h->in[j]))
                marks->out[h->in[j]->id] = false;
    }
}

/* Nodes below one that is taken out go with it: only those that others read stay marked. */
static void keep_highest(const Dag *dag, Marks *marks)
{
    bool *needed = marks->total; /* no longer asked */

    memset(needed, 0, (size_t)dag->count * sizeof *needed);
    for (int k = 0; k < dag->nroots; k++)
        needed[dag->roots[k].hop->id] = true;
    for (int k = dag->count - 1; k >= 0; k--)
        for (int j = 0; needed[k] && !marks->out[k] && j < dag->nodes[k]->nin; j++)
            if (dag->nodes[k]->in[j])
                needed[dag->nodes[k]->in[j]->id] = true;
    for (int k = 0; k < dag->count; k++)
        marks->out[k] &= needed[k];
}

/* The block's nodes twice: those that are invariant before the loop, the others again where they
 * were, over reads of what was taken out. */
static ml_status split(Motion *m, Block *b, const Marks *marks, Hop **outside, Hop **inside)
{
    Tree *t = m->t;
    Dag *rest = dag_new(t->unit->arena);
    bool room = rest != NULL;

    for (int k = 0; room && k < b->dag->count; k++) {
        const Hop *h = b->dag->nodes[k];

        if (marks->invariant[k])
            outside[k] = hop_remake(t->ctx, t->unit, m->before, h, outside);
        if (marks->out[k]) {
            const int slot = tree_slot(t, h->variable);

            if (slot < 0 || !outside[k] || !dag_root(m->before, outside[k], slot))
                return fail_memory(t->ctx, sizeof(Root));
            inside[k] = hop_read_like(rest, slot, h);
            m->taken++;
            tree_fired(t, PASS_loop_invariants);
        } else {
            inside[k] = hop_remake(t->ctx, t->unit, rest, h, inside);
        }
        room = inside[k] && (outside[k] || !marks->invariant[k]);
    }
    for (int k = 0; room && k < b->dag->nroots; k++)
        room = dag_root(rest, inside[b->dag->roots[k].hop->id], b->dag->roots[k].slot);
    if (room)
        b->dag = rest;
    return room ? dag_compact(t->ctx, t->unit, rest) : fail_memory(t->ctx, sizeof(Hop));
}

static ml_status take_out(Motion *m, Block *b)
{
    const size_t n = (size_t)b->dag->count + 1;
    bool *flags = mem_calloc(3 * n, sizeof *flags), any = false;
    Hop **nodes = mem_calloc(2 * n, sizeof *nodes);
    Marks marks = {flags, flags + n, flags + 2 * n};
    ml_status st = ML_OK;

    if (flags && nodes) {
        mark_nodes(m, b->dag, &marks);
        keep_chains(b->dag, &marks);
        keep_highest(b->dag, &marks);
        for (int k = 0; k < b->dag->count; k++)
            any |= marks.out[k];
        if (any)
            st = split(m, b, &marks, nodes, nodes + n);
    } else {
        st = fail_memory(m->t->ctx, n * sizeof *nodes);
    }
    mem_free(flags);
    mem_free(nodes);
    return st;
}

/* ---- one loop ---- */

static bool is_pure(const Dag *dag, bool total)
{
    for (int k = 0; k < dag->count; k++)
        if (hop_is_unique(dag->nodes[k]) || (total && !hop_is_total(dag->nodes[k])))
            return false;
    return true;
}

static const Dag *only_dag(BlockList list)
{
    return list.count == 1 && list.items[0]->kind == BLOCK_BASIC ? list.items[0]->dag : NULL;
}

/* a:b runs at least once when its bounds are numbers. */
static bool surely_runs(const Block *loop)
{
    const Dag *bounds = only_dag(loop->pred);
    const Hop *from, *to;

    if (loop->kind != BLOCK_FOR || loop->step >= 0 || loop->dead || !bounds ||
        !is_pure(bounds, true))
        return false;
    from = dag_value(bounds, loop->from);
    to = dag_value(bounds, loop->to);
    return from && to && from->vt == VT_INT && to->vt == VT_INT;
}

static Block *new_basic(Tree *t, const Block *like, Dag *dag)
{
    Block *b = tree_block(t, BLOCK_BASIC, like);

    if (b)
        b->dag = dag;
    return b;
}

/* The condition of a while once more, into variables of its own; NULL: no memory. */
static Dag *copy_condition(Tree *t, const Block *loop, int *cond)
{
    const Dag *from = only_dag(loop->pred);
    Dag *dag = dag_copy(from, t->unit->arena);

    for (int k = 0; dag && k < dag->nroots; k++) {
        const bool is_cond = dag->roots[k].slot == loop->cond;

        if (dag->roots[k].slot >= 0)
            dag->roots[k].slot = tree_slot(t, NULL);
        if (is_cond)
            *cond = dag->roots[k].slot;
    }
    return dag;
}

/* if (condition) { what is taken out } */
static Block *guard(Tree *t, const Block *loop, Dag *before)
{
    Block *b = tree_block(t, BLOCK_IF, loop), *test, *body;
    Dag *dag = b ? copy_condition(t, loop, &b->cond) : NULL;

    if (!dag || b->cond < 0)
        return NULL;
    test = new_basic(t, loop, dag);
    body = new_basic(t, loop, before);
    b->pred.items = ARENA_ARRAY(t->unit->arena, Block *, 1);
    b->body.items = ARENA_ARRAY(t->unit->arena, Block *, 1);
    if (!test || !body || !b->pred.items || !b->body.items)
        return NULL;
    b->pred.items[b->pred.count++] = test;
    b->body.items[b->body.count++] = body;
    return b;
}

static ml_status append_block(Tree *t, BlockList *list, Block *b)
{
    Blocks all = {0};
    bool room = true;
    ml_status st;

    for (int k = 0; room && k < list->count; k++)
        room = tree_push(t, &all, list->items[k]);
    st = room && tree_push(t, &all, b) ? tree_store(t, &all, list) : t->ctx->err.code;
    VEC_FREE(&all);
    return st;
}

/* Blocks that every iteration runs: those of the body, and what loops and branches in it begin
 * with. */
static ml_status take_out_of_list(Motion *m, BlockList list)
{
    for (int k = 0; k < list.count; k++) {
        Block *b = list.items[k];

        if (b->kind == BLOCK_BASIC)
            TRY(take_out(m, b));
        else
            TRY(take_out_of_list(m, b->pred));
        m->runs = false;
    }
    return ML_OK;
}

/* Everything that the iterations share goes behind the bounds of a `for`, or in front of a `while`:
 * *before, NULL when there is nothing. */
static ml_status move_loop(Motion *m, Block **before)
{
    Block *loop = m->loop, *b;
    const Dag *condition = loop->kind == BLOCK_WHILE ? only_dag(loop->pred) : NULL;
    const bool guarded = condition && is_pure(condition, false) && dag_value(condition, loop->cond);

    *before = NULL;
    if (loop->kind == BLOCK_WHILE)
        note_assigned(m->assigned, loop->pred);
    else
        m->assigned[loop->loop_slot] = true;
    note_assigned(m->assigned, loop->body);
    m->runs = guarded || surely_runs(loop);
    TRY(take_out_of_list(m, loop->body));
    if (!m->taken)
        return ML_OK;
    TRY(dag_compact(m->t->ctx, m->t->unit, m->before));
    b = guarded ? guard(m->t, loop, m->before) : new_basic(m->t, loop, m->before);
    if (!b)
        return fail_memory(m->t->ctx, sizeof *b);
    if (loop->kind == BLOCK_FOR)
        return append_block(m->t, &loop->pred, b);
    *before = b;
    return ML_OK;
}

static ml_status move_list(Tree *t, BlockList *list)
{
    Blocks out = {0};
    bool any = false;
    ml_status st = ML_OK;

    for (int k = 0; st == ML_OK && k < list->count; k++) {
        Block *b = list->items[k], *before = NULL;

        if ((b->kind == BLOCK_FOR && !b->dead) || b->kind == BLOCK_WHILE) {
            Motion m = {.t = t, .loop = b};

            m.before = dag_new(t->unit->arena);
            m.assigned = mem_calloc((size_t)t->r->nslots + 1, sizeof *m.assigned);
            st = m.before && m.assigned ? move_loop(&m, &before)
                                        : fail_memory(t->ctx, (size_t)t->r->nslots);
            mem_free(m.assigned);
        }
        any |= before != NULL;
        if (st == ML_OK && ((before && !tree_push(t, &out, before)) || !tree_push(t, &out, b)))
            st = t->ctx->err.code;
    }
    if (st == ML_OK && any)
        st = tree_store(t, &out, list);
    VEC_FREE(&out);
    return st;
}

ml_status move_invariants(Tree *t)
{
    return tree_each_list(t, &t->r->body, move_list);
}
