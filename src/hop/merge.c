/* Merging of blocks, so that more is planned together and less is entered.
 *
 * - Neighbouring basic blocks become one, unless the first leaves a matrix whose size only the run
 *   tells (the second is planned for it) or the second asks which variables exist.
 * - A few scalar statements before an `if` or `for` go into its predicate, which runs once.
 * - A block of moves after an `if` goes into both branches, where they cost nothing.
 *
 * Requires: facts.  Keeps: the order of effects and errors.  Breaks: facts of the merged blocks
 * stay true.  Cost: one visit a node that moves. */
#include "hop/tree.h"

enum {
    MERGED_NODES = 2000, /* planning takes more than linear time in the nodes of a block */
    PREDICATE_NODES = 12,
    TAIL_MOVES = 4
};

/* Would the plan of what follows profit from the sizes that this block finds? */
static bool leaves_open_size(const Dag *dag)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];
        const OpInfo *op = h->kind == HOP_OP ? hop_info(h) : NULL;

        if (op && op->shape == shape_unknown && (op->result == R_MATRIX || op->result == R_FRAME) &&
            (h->dims.rows < 0 || h->dims.cols < 0))
            return true;
    }
    return false;
}

/* exists("x") means x as it was when its block began. */
static bool asks_for_variables(const Dag *dag)
{
    for (int k = 0; k < dag->count; k++)
        if (dag->nodes[k]->kind == HOP_OP && (hop_info(dag->nodes[k])->props & P_VARIABLE))
            return true;
    return false;
}

static bool is_basic(const Block *b)
{
    return b && b->kind == BLOCK_BASIC;
}

static bool can_follow(const Dag *first, const Dag *second)
{
    return first->count + second->count <= MERGED_NODES && !asks_for_variables(second) &&
           !leaves_open_size(first);
}

static ml_status append(Tree *t, Block *into, const Block *from)
{
    TRY(dag_append(t, into->dag, from->dag));
    into->span = span_join(into->span, from->span);
    tree_fired(t, PASS_merge_blocks);
    return ML_OK;
}

/* ---- into the predicate ---- */

static bool is_small_and_scalar(const Dag *dag)
{
    if (dag->count > PREDICATE_NODES)
        return false;
    for (int k = 0; k < dag->count; k++)
        if (dag->nodes[k]->dt != DT_SCALAR || hop_has_effect(dag->nodes[k]))
            return false;
    return true;
}

static bool goes_into_predicate(const Block *before, const Block *b)
{
    return is_basic(before) && (b->kind == BLOCK_IF || b->kind == BLOCK_FOR) && b->pred.count &&
           is_basic(b->pred.items[0]) && is_small_and_scalar(before->dag) &&
           can_follow(before->dag, b->pred.items[0]->dag);
}

/* ---- into the branches ---- */

static bool is_moves(const Dag *dag)
{
    for (int k = 0; k < dag->count; k++)
        if (dag->nodes[k]->kind == HOP_OP || dag->nodes[k]->kind == HOP_RESULT)
            return false;
    return dag->nroots <= TAIL_MOVES;
}

static const Dag *last_dag(BlockList list)
{
    const Block *last = list.count ? list.items[list.count - 1] : NULL;

    return is_basic(last) ? last->dag : NULL;
}

/* Is a variable moved that the end of this branch assigns? */
static bool meets_assignment(const Dag *branch, const Dag *moves)
{
    for (int k = 0; branch && k < moves->nroots; k++)
        if (moves->roots[k].hop->kind == HOP_READ && dag_value(branch, moves->roots[k].hop->slot))
            return true;
    return false;
}

static bool goes_into_branches(const Block *b, const Block *after)
{
    const Dag *then = last_dag(b->body), *other = last_dag(b->orelse);

    return b->kind == BLOCK_IF && is_basic(after) && is_moves(after->dag) &&
           !(then && leaves_open_size(then)) && !(other && leaves_open_size(other)) &&
           (meets_assignment(then, after->dag) || meets_assignment(other, after->dag));
}

static ml_status append_to_branch(Tree *t, BlockList *list, const Block *moves)
{
    Blocks own = {0};
    Block *b;
    bool room = true;
    ml_status st;

    if (last_dag(*list))
        return dag_append(t, list->items[list->count - 1]->dag, moves->dag);
    b = tree_block(t, BLOCK_BASIC, moves);
    if (!b)
        return t->ctx->err.code;
    b->dag = dag_copy(moves->dag, t->unit->arena);
    for (int k = 0; room && k < list->count; k++)
        room = tree_push(t, &own, list->items[k]);
    room = room && b->dag && tree_push(t, &own, b);
    st = room ? tree_store(t, &own, list) : fail_memory(t->ctx, sizeof *b);
    VEC_FREE(&own);
    return st;
}

/* ---- the list ---- */

/* Put b behind the blocks of the new list, or into the last of them. */
static ml_status place(Tree *t, Blocks *out, Block *b)
{
    Block *last = out->count ? out->items[out->count - 1] : NULL;

    if (is_basic(last) && is_basic(b) && can_follow(last->dag, b->dag))
        return append(t, last, b);
    if (last && goes_into_branches(last, b)) {
        TRY(append_to_branch(t, &last->body, b));
        TRY(append_to_branch(t, &last->orelse, b));
        tree_fired(t, PASS_merge_blocks);
        return ML_OK;
    }
    if (last && goes_into_predicate(last, b)) {
        TRY(append(t, last, b->pred.items[0]));
        b->pred.items[0] = last;
        out->count--;
    }
    return tree_push(t, out, b) ? ML_OK : t->ctx->err.code;
}

static ml_status merge_list(Tree *t, BlockList *list)
{
    Blocks out = {0};
    ml_status st = ML_OK;

    for (int k = 0; st == ML_OK && k < list->count; k++)
        st = place(t, &out, list->items[k]);
    if (st == ML_OK && out.count < list->count)
        st = tree_store(t, &out, list);
    VEC_FREE(&out);
    return st;
}

ml_status merge_blocks(Tree *t)
{
    return tree_each_list(t, &t->r->body, merge_list);
}
