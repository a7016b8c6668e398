/* The rules of rewrites.def, one function each.  A rule looks at one node and its inputs, and
 * returns the node to use instead or NULL.  It must hold for NaN, infinities, -0, empty and 0-row
 * operands. */
#include "hop/rewrite.h"

static bool is_matrix(const Hop *h)
{
    return h && h->dt == DT_MATRIX;
}

/* The operator over in[], in the place of `like`: the same value, so the same type and size. */
static Hop *instead(RewriteCall *c, int op, Hop **in, int nin, const Hop *like)
{
    Hop *h = hop_op(c->ctx, c->unit, c->dag, op, in, NULL, nin, like->span);

    if (h && h->kind == HOP_OP) {
        h->dt = like->dt;
        h->vt = like->vt;
        h->dims = like->dims;
        h->bytes = like->bytes;
    }
    return h;
}

static Hop *unary(RewriteCall *c, int op, Hop *x, const Hop *like)
{
    Hop *in[OP_ARGS] = {x};

    return instead(c, op, in, op_nargs(&op_table[op]), like);
}

static Hop *binary(RewriteCall *c, int op, Hop *x, Hop *y, const Hop *like)
{
    return instead(c, op, (Hop *[]){x, y}, 2, like);
}

/* Strings are left alone: an operand of + or a file name reads better by its name in plans. */
Hop *rw_constant_read(RewriteCall *c, Hop *h)
{
    if (!unit_does(c->unit, PASS_constant_folding) || h->kind == HOP_LITERAL ||
        h->lit.dt != DT_SCALAR || h->lit.vt == VT_STRING || h->lit.textual ||
        h->kind == HOP_RESULT || hop_has_effect(h))
        return NULL;
    return hop_literal(c->dag, h->lit, h->span);
}

Hop *rw_transpose_twice(RewriteCall *c, Hop *h)
{
    (void)c;
    if (hop_is_op(h, OP_t) && hop_is_op(h->in[0], OP_t) && is_matrix(h->in[0]->in[0]))
        return h->in[0]->in[0];
    return NULL;
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

Hop *rw_sum_of_squares(RewriteCall *c, Hop *h)
{
    const Hop *x;

    if (!hop_is_op(h, OP_sum) || !is_matrix(h->in[0]))
        return NULL;
    x = h->in[0];
    if (x->uses > 1)
        return NULL;
    if (hop_is_op(x, OP_pow) && is_matrix(x->in[0]) && x->in[1]->kind == HOP_LITERAL &&
        scalar_is_number(x->in[1]->lit) && scalar_to_double(x->in[1]->lit) == 2)
        return unary(c, OP_sumsq, x->in[0], h);
    if (hop_is_op(x, OP_mul) && x->in[0] == x->in[1] && is_matrix(x->in[0]))
        return unary(c, OP_sumsq, x->in[0], h);
    return NULL;
}

Hop *rw_transpose_self_product(RewriteCall *c, Hop *h)
{
    if (hop_is_op(h, OP_matmult) && hop_is_op(h->in[0], OP_t) && h->in[0]->in[0] == h->in[1])
        return unary(c, OP_tsmm, h->in[1], h);
    return NULL;
}

/* A transpose that only matrix products read: none of them needs it to exist. */
static bool is_product_transpose(const Hop *h)
{
    return hop_is_op(h, OP_t) && h->uses == h->product_uses;
}

Hop *rw_transposed_left_product(RewriteCall *c, Hop *h)
{
    if (hop_is_op(h, OP_matmult) && is_product_transpose(h->in[0]) && h->in[0]->in[0] != h->in[1])
        return binary(c, OP_matmult_tn, h->in[0]->in[0], h->in[1], h);
    return NULL;
}

Hop *rw_self_transpose_product(RewriteCall *c, Hop *h)
{
    if (hop_is_op(h, OP_matmult) && hop_is_op(h->in[1], OP_t) && h->in[1]->in[0] == h->in[0])
        return unary(c, OP_tsmm_right, h->in[0], h);
    return NULL;
}

Hop *rw_transposed_right_product(RewriteCall *c, Hop *h)
{
    if (hop_is_op(h, OP_matmult) && is_product_transpose(h->in[1]) && h->in[1]->in[0] != h->in[0])
        return binary(c, OP_matmult_nt, h->in[0], h->in[1]->in[0], h);
    return NULL;
}

static bool is_column(const Hop *h)
{
    return is_matrix(h) && h->dims.cols == 1;
}

/* X %*% v with this X, used nowhere else, v a column. */
static bool is_product_of(const Hop *h, const Hop *x)
{
    return hop_is_op(h, OP_matmult) && h->uses <= 1 && h->in[0] == x && is_column(h->in[1]);
}

/* Products that the static stage made matmult_tn of. */
Hop *rw_product_chain(RewriteCall *c, Hop *h)
{
    Hop *x, *y, *in[3];

    if (!hop_is_op(h, OP_matmult_tn))
        return NULL;
    x = h->in[0];
    y = h->in[1];
    if (is_product_of(y, x))
        return binary(c, OP_mmchain, x, y->in[1], h);
    if (!hop_is_op(y, OP_mul) || y->uses > 1 || !is_column(y->in[0]) || !is_column(y->in[1]))
        return NULL;
    for (int k = 0; k < 2; k++)
        if (is_product_of(y->in[k], x)) {
            in[0] = x;
            in[1] = y->in[k]->in[1];
            in[2] = y->in[1 - k];
            return instead(c, OP_mmchain_w, in, 3, h);
        }
    return NULL;
}

Hop *rw_row_sums_of_column(RewriteCall *c, Hop *h)
{
    (void)c;
    if (hop_is_op(h, OP_rowSums) && is_matrix(h->in[0]) && h->in[0]->dims.cols == 1)
        return h->in[0];
    if (hop_is_op(h, OP_colSums) && is_matrix(h->in[0]) && h->in[0]->dims.rows == 1)
        return h->in[0];
    return NULL;
}
