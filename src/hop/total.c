/* Can a node fail?  What cannot may be dropped, or computed although nobody may ask for it.
 *
 * Proved by types and sizes: cell-wise operators over numbers and matrices that fit, operators that
 * the table calls total, products of matching sizes, new matrices of known sizes.  Whatever is not
 * proved may fail. Exhausted memory does not count.  Cost: constant; integer operators are tried
 * with extremes. */
#include "hop/tree.h"

static bool is_matrix(const Hop *h)
{
    return h && h->dt == DT_MATRIX;
}

static bool has_size(const Hop *h)
{
    return is_matrix(h) && h->dims.rows >= 0 && h->dims.cols >= 0;
}

/* Only products and quotients of integers can leave their range: tried with what would. */
static bool numbers_fit(const Hop *h)
{
    const OpInfo *op = hop_info(h);
    const Value extremes[2][2] = {{value_int(INT64_MAX), value_int(INT64_MAX)},
                                  {value_int(INT64_MAX), value_int(0)}};

    for (int k = 0; k < h->nin; k++)
        if (h->in[k]->vt == VT_DOUBLE)
            return true;
    for (int k = 0; k < 2; k++) {
        Ctx quiet = {0};
        Value out = value_none();

        if (op->scalar(&quiet, extremes[k], h->nin, &out) != ML_OK)
            return false;
        value_release(out);
    }
    return true;
}

/* The right one may be repeated. */
static bool matrices_fit(const Hop *a, const Hop *b)
{
    return has_size(a) && has_size(b) && (a->dims.rows == b->dims.rows || b->dims.rows == 1) &&
           (a->dims.cols == b->dims.cols || b->dims.cols == 1);
}

static bool cells_fit(const Hop *h)
{
    const OpInfo *op = hop_info(h);

    if (h->nin < 1 || h->nin > 2 || (h->nin == 1 ? !op->cell1 : !op->cell2))
        return false;
    for (int k = 0; k < h->nin; k++)
        if (!h->in[k] || (!is_matrix(h->in[k]) && !h->in[k]->number))
            return false;
    if (h->nin == 2 && is_matrix(h->in[0]) && is_matrix(h->in[1]))
        return matrices_fit(h->in[0], h->in[1]);
    return h->dt == DT_MATRIX || (op->scalar && numbers_fit(h));
}

static bool only_matrix(const Hop *h)
{
    for (int k = 1; k < h->nin; k++)
        if (h->in[k])
            return false;
    return h->nin > 0 && is_matrix(h->in[0]);
}

static bool product_fits(const Hop *h)
{
    return has_size(h->in[0]) && has_size(h->in[1]) && h->in[0]->dims.cols == h->in[1]->dims.rows;
}

/* matrix(v, r, c) and seq(a, b, s) of numbers, with cells. */
static bool is_made(const Hop *h)
{
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && !h->in[k]->number)
            return false;
    return has_size(h) && h->dims.rows > 0 && h->dims.cols > 0;
}

bool hop_is_total(const Hop *h)
{
    uint32_t props;

    if (h->kind != HOP_OP)
        return h->kind == HOP_LITERAL || (h->kind == HOP_READ && h->sure);
    props = hop_info(h)->props;
    if (props & (P_EFFECT | P_RANDOM | P_CALLS | P_VARIABLE))
        return false;
    if (props & P_TOTAL)
        return only_matrix(h);
    if (h->op == OP_matmult)
        return product_fits(h);
    if (h->op == OP_matrix || h->op == OP_seq)
        return is_made(h);
    return (props & P_CELLWISE) && cells_fit(h);
}
