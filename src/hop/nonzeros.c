/* Sketches of nodes: counted of the matrices at hand, propagated through the operators between them
 * and a chain of products. Requires: sizes known.  Cost: the nonzeros of what is read, rows +
 * columns an operator. */
#include "hop/chain.h"

static Sketch *even(Nonzeros *z, Dims d)
{
    return d.rows < 0 || d.cols < 0 || d.nnz < 0
               ? NULL
               : sketch_even(z->arena, d.rows, d.cols, (double)d.nnz);
}

static Sketch *of_read(Nonzeros *z, const Hop *h)
{
    const Matrix *m = z->vars ? z->vars[h->slot].value : NULL;

    /* The zeros of a dense one matter little. */
    if (!m || matrix_is_draft(m) || (m->format == MATRIX_DENSE && m->cols > 1))
        return even(z, h->dims);
    return sketch_of(z->arena, m);
}

/* Does the operator with this one matrix and scalars keep zero cells zero? */
static bool keeps_zeros(const Hop *h, int matrix)
{
    const OpInfo *op = hop_info(h);
    const Hop *other = h->nin == 2 ? h->in[1 - matrix] : NULL;
    double s;

    if (h->nin == 1 || !other)
        return op->props & P_ZERO_SAFE;
    if (h->nin != 2 || !op->cell2 || !scalar_is_number(other->lit))
        return h->nin == 2 && (op->props & P_ZERO_SAFE);
    s = scalar_to_double(other->lit);
    return (matrix ? op->cell2(s, 0) : op->cell2(0, s)) == 0;
}

/* Of a cell-wise operator, from what it makes of zeros. */
static Sketch *of_cells(const Hop *h, const SketchCall *c)
{
    const OpInfo *op = hop_info(h);

    for (int k = 0; k < c->nin && k < 2; k++)
        if (c->in[k] && !(c->nin == 2 && c->in[1 - k]))
            return keeps_zeros(h, k) ? c->in[k] : NULL;
    if (c->nin != 2 || !op->cell2 || op->cell2(0, 0) != 0)
        return NULL;
    return op->props & P_ZERO_SAFE ? sketch_both(c) : sketch_either(c);
}

static Sketch *of_op(Nonzeros *z, const Hop *h)
{
    const OpInfo *op = hop_info(h);
    Sketch *in[OP_ARGS] = {0}, *s = NULL;
    SketchCall c = {
        .arena = z->arena, .nin = h->nin, .in = in, .rows = h->dims.rows, .cols = h->dims.cols};

    if (h->nin > OP_ARGS || !(op->sketch || (op->props & P_CELLWISE)))
        return even(z, h->dims);
    for (int k = 0; k < h->nin; k++) {
        if (!h->in[k] || h->in[k]->dt != DT_MATRIX)
            continue;
        in[k] = hop_sketch(z, h->in[k]);
        if (!in[k])
            return even(z, h->dims);
    }
    s = !op->sketch ? of_cells(h, &c) : in[0] ? op->sketch(&c) : NULL;
    return s ? s : even(z, h->dims);
}

Sketch *hop_sketch(Nonzeros *z, const Hop *h)
{
    Sketch **memo = &z->memo[h->id];

    if (*memo || h->dt != DT_MATRIX || h->dims.rows < 0 || h->dims.cols < 0)
        return *memo;
    *memo = h->kind == HOP_READ ? of_read(z, h)
            : h->kind == HOP_OP ? of_op(z, h)
                                : even(z, h->dims);
    return *memo;
}
