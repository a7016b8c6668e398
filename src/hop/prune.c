/* Dead branches: an `if` whose condition is known becomes the branch that is taken, a `while` that
 * is never entered and a `for` over an empty range become nothing.
 *
 * Requires: facts.  Keeps: the blocks of conditions and bounds, which may print or fail; what they
 * assign is for dead_code to drop.  Breaks: facts behind the block, which get better.
 * Cost: one visit a block. */
#include "hop/tree.h"

/* A whole number that is known, as a bound of a loop. */
static bool known_int(Value v, int64_t *out)
{
    double d;

    if (v.dt != DT_SCALAR || v.textual || (v.vt != VT_INT && v.vt != VT_DOUBLE))
        return false;
    d = scalar_to_double(v);
    if (!(d > -0x1p53 && d < 0x1p53) || d != (double)(int64_t)d)
        return false;
    *out = (int64_t)d;
    return true;
}

/* Only seq(a, b, s) can be empty: a:b counts downwards when it must. */
static bool is_empty_range(const Block *b)
{
    int64_t from, to, step;

    if (b->step < 0 || !known_int(list_literal(b->pred, b->from), &from) ||
        !known_int(list_literal(b->pred, b->to), &to) ||
        !known_int(list_literal(b->pred, b->step), &step))
        return false;
    return step == 0 || (step > 0 && from > to) || (step < 0 && from < to);
}

/* Is it known which of its lists the block runs?  NULL: none but the predicate. */
static bool is_decided(const Block *b, const BlockList **taken)
{
    bool holds;

    *taken = NULL;
    if (b->kind == BLOCK_FOR)
        return is_empty_range(b);
    if ((b->kind != BLOCK_IF && b->kind != BLOCK_WHILE) ||
        !known_truth(list_literal(b->pred, b->cond), &holds))
        return false;
    if (b->kind == BLOCK_IF)
        *taken = holds ? &b->body : &b->orelse;
    return b->kind == BLOCK_IF || !holds;
}

static bool push_all(Tree *t, Blocks *out, const BlockList *list)
{
    for (int k = 0; list && k < list->count; k++)
        if (!tree_push(t, out, list->items[k]))
            return false;
    return true;
}

static ml_status prune_list(Tree *t, BlockList *list)
{
    Blocks out = {0};
    const BlockList *taken;
    bool fired = false, room = true;
    ml_status st;

    for (int k = 0; room && k < list->count; k++) {
        Block *b = list->items[k];

        if (is_decided(b, &taken)) {
            tree_fired(t, PASS_dead_branches);
            fired = true;
            room = push_all(t, &out, &b->pred) && push_all(t, &out, taken);
        } else {
            room = tree_push(t, &out, b);
        }
    }
    st = !room ? t->ctx->err.code : fired ? tree_store(t, &out, list) : ML_OK;
    VEC_FREE(&out);
    return st;
}

ml_status prune_branches(Tree *t)
{
    return tree_each_list(t, &t->r->body, prune_list);
}
