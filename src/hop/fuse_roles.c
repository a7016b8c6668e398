/* Which operators may be in a pipeline, and as what: by their rows in the operator table and the
 * sizes of their operands, which must be known and right, so that a pipeline cannot fail.
 *
 * Sparse matrices: one may drive a chain of cell-wise operators that keep its zeros, so that only
 * its nonzeros are computed; and rows of one may be multiplied.  Elsewhere the operators stay
 * alone. */
#include "hop/fuse.h"

static bool is_sparse(const Hop *h)
{
    return h->dims.nnz >= 0 && matrix_is_sparse(h->dims.rows, h->dims.cols, h->dims.nnz);
}

int fuse_nargs(const Hop *h)
{
    int n = h->nin;

    while (n > 0 && !h->in[n - 1])
        n--;
    return n;
}

static bool same_size(const Hop *a, const Hop *b)
{
    return a->dims.rows == b->dims.rows && a->dims.cols == b->dims.cols;
}

/* A number, or a matrix that the language spreads over the result: of the result's size when it is
 * the first one. */
static bool spreads(const Hop *in, const Hop *h, bool first)
{
    if (!in)
        return false;
    if (in->dt == DT_SCALAR)
        return in->number && !in->lit.textual;
    return fuse_has_size(in) &&
           (same_size(in, h) || (!first && (in->dims.rows == h->dims.rows || in->dims.rows == 1) &&
                                 (in->dims.cols == h->dims.cols || in->dims.cols == 1)));
}

static bool is_cells(const Hop *h)
{
    const OpInfo *op = hop_info(h);
    const int n = fuse_nargs(h);
    bool first = true;

    if (!fuse_has_size(h) ||
        !(op->fuse == FUSE_CELLS || (n == 1 && op->cell1) || (n == 2 && op->cell2)))
        return false;
    for (int k = 0; k < n; k++) {
        if (!spreads(h->in[k], h, first || op->fuse == FUSE_CELLS))
            return false;
        first &= h->in[k]->dt != DT_MATRIX;
    }
    return !first;
}

static bool is_small(const Hop *h)
{
    return fuse_has_size(h) && !is_sparse(h) && fuse_cells(h) <= FUSE_SIDE;
}

static bool is_narrow(const Hop *h)
{
    return fuse_has_size(h) && h->dims.cols <= FUSE_WIDTH;
}

/* Are the sizes of a product those that it needs? */
static bool agrees(const Hop *h, OpFuse role)
{
    const Dims a = h->in[0]->dims, b = h->in[1]->dims;

    return a.rows > 1 && (role == FUSE_PRODUCT     ? a.cols == b.rows
                          : role == FUSE_PRODUCT_T ? a.cols == b.cols
                                                   : a.rows == b.rows);
}

/* May h, an aggregate or a product, be in a pipeline? */
static bool has_role(const Hop *h, OpFuse role)
{
    const Hop *x = h->in[0];

    switch (role) {
    case FUSE_ROWS:
        return fuse_nargs(h) == 1 && is_narrow(x) && !is_sparse(x) && x->dims.rows > 1;
    case FUSE_END:
        return fuse_nargs(h) == 1 && fuse_has_size(x);
    case FUSE_PRODUCT:
    case FUSE_PRODUCT_T:
        return is_narrow(x) && is_small(h->in[1]) && agrees(h, role);
    case FUSE_CROSS:
        return is_narrow(x) && is_narrow(h->in[1]) && !is_sparse(h->in[1]) && is_small(h) &&
               agrees(h, role);
    default:
        return false;
    }
}

static OpFuse role_of(const Hop *h)
{
    const OpInfo *op;

    if (h->kind != HOP_OP || h->names)
        return FUSE_NONE;
    op = hop_info(h);
    if ((op->props & P_CELLWISE) && !((op->props & P_AGG_FULL) && fuse_nargs(h) == 1))
        return is_cells(h) ? FUSE_CELLS : FUSE_NONE;
    return has_role(h, op->fuse) ? op->fuse : FUSE_NONE;
}

/* ---- sparse operands ---- */

/* The sparse matrix whose nonzeros are all that operand k of h needs; NULL: it is dense. */
static const Hop *driver_of(const Fuser *f, const Hop *h, int k)
{
    const Hop *in = h->in[k];

    if (!in || in->dt != DT_MATRIX)
        return NULL;
    return f->nodes[in->id].driver ? f->nodes[in->id].driver : is_sparse(in) ? in : NULL;
}

/* Is h zero where its operand k is?  For cells that are finite, which the run checks. */
static bool keeps_zeros(const Hop *h, int k)
{
    return (hop_info(h)->props & P_ZERO_SAFE) || (h->op == OP_div && k == 0);
}

/* A cell-wise operator has one sparse operand at most, whose zeros it keeps, and a sum adds up what
 * is left; else the kernels of the operators know better. */
static bool find_driver(const Fuser *f, const Hop *h, FuseNode *n)
{
    if (n->role != FUSE_CELLS && n->role != FUSE_END)
        return true;
    for (int k = 0; k < h->nin; k++) {
        const Hop *driver = driver_of(f, h, k);

        if (!driver)
            continue;
        if (n->driver || (n->role == FUSE_CELLS ? !keeps_zeros(h, k) : h->op != OP_sum))
            return false;
        n->driver = driver;
    }
    return n->driver || n->role != FUSE_CELLS || !is_sparse(h);
}

/* Rows that the operator passes over. */
int64_t fuse_rows(const Hop *h, OpFuse role)
{
    return role == FUSE_CELLS ? h->dims.rows : h->in[0]->dims.rows;
}

bool fuse_by_row(const Fuser *f, const Hop *h, int k)
{
    const FuseNode *n = fuse_node(f, h);
    const Hop *in = h->in[k];

    if (!in || in->dt != DT_MATRIX)
        return false;
    if (k == 1 && (n->role == FUSE_PRODUCT || n->role == FUSE_PRODUCT_T))
        return false;
    return in->dims.rows == fuse_rows(h, n->role);
}

ml_status fuse_roles(Fuser *f, int *found)
{
    const int n = f->dag->count;

    *found = 0;
    f->nodes = ARENA_ARRAY(f->arena, FuseNode, n);
    if (!f->nodes)
        return fail_memory(f->ctx, (size_t)n * sizeof *f->nodes);
    for (int k = 0; k < n; k++) {
        FuseNode *node = &f->nodes[k];

        node->group = -1;
        node->role = role_of(f->dag->nodes[k]);
        if (!find_driver(f, f->dag->nodes[k], node)) {
            node->role = FUSE_NONE;
            node->driver = NULL;
        }
        *found += node->role != FUSE_NONE;
    }
    return ML_OK;
}
