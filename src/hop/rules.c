/* The rules that patterns cannot say, one function each.  A rule looks at one node and its inputs,
 * and returns the node to use instead or NULL.  It must hold for NaN, infinities, -0, empty and
 * 0-row operands. */
#include "hop/rewrite.h"

static Hop *binary(RewriteCall *c, int op, Hop *x, Hop *y, const Hop *like)
{
    return hop_make(c->ctx, c->unit, c->dag, op, (Hop *[]){x, y}, 2, like->span);
}

/* Strings are left alone: an operand of + or a file name reads better by its name in plans. */
Hop *rw_constant_read(RewriteCall *c, Hop *h)
{
    for (int k = 0; k < h->nin; k++) /* its errors are to be reported */
        if (h->in[k] && h->in[k]->kind == HOP_OP && h->in[k]->uses <= 1)
            return NULL;
    if (!unit_does(c->unit, PASS_constant_folding) || h->kind == HOP_LITERAL ||
        h->lit.dt != DT_SCALAR || h->lit.vt == VT_STRING || h->lit.textual ||
        h->kind == HOP_RESULT || hop_has_effect(h))
        return NULL;
    return hop_literal(c->dag, h->lit, h->span);
}

/* matrix(v, r, c) of literals written inside sum(), v a number other than 0: the sum of nothing but
 * zeros is a double.  Of a variable's value too, or the type would depend on where blocks end. */
Hop *rw_sum_of_constant(RewriteCall *c, Hop *h)
{
    const Hop *x;
    Hop *cells;

    if (!hop_is_op(h, OP_sum) || h->nin < 1 || !hop_is_op(h->in[0], OP_matrix) ||
        h->in[0]->variable)
        return NULL;
    x = h->in[0];
    for (int k = 0; k < 3; k++)
        if (!x->in[k] || x->in[k]->kind != HOP_LITERAL || x->in[k]->lit.vt == VT_STRING ||
            x->in[k]->lit.vt == VT_BOOL)
            return NULL;
    if (scalar_to_double(x->in[0]->lit) == 0 || scalar_to_double(x->in[1]->lit) < 1 ||
        scalar_to_double(x->in[2]->lit) < 1)
        return NULL;
    cells = binary(c, OP_mul, x->in[1], x->in[2], h);
    cells = cells ? binary(c, OP_mul, x->in[0], cells, h) : NULL;
    return cells && cells->kind == HOP_LITERAL ? cells : NULL;
}
