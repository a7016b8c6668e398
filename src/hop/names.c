/* Sizes that are unknown but equal: every unknown number of rows or columns has a name, and equal
 * names are equal numbers whenever a block runs.
 *
 * A name is the address of the node's own field when nothing more is known, else that of the node
 * it got the size from: the rows of X %*% w are those of X.  A scalar that is a size carries its
 * name, so matrix(0, nrow(X), 1) has the rows of X.  Variables carry names from block to block
 * (propagate.c); where paths meet, different names are no name, and a loop keeps only those that
 * its head and its end agree on, so no name can outlive the value it speaks of.
 *
 * Only what holds for every size is said: an operator whose shape depends on sizes (diag, table, a
 * smaller operand on the left) gives a name of its own. */
#include "hop/hop.h"

/* Where a size of the result comes from: rows or columns of operand 0 or 1, the value of a scalar
 * operand, or itself. */
typedef enum From { OWN, R0, C0, R1, C1, V0, V1, V2 } From;

typedef struct NameRule {
    ShapeFn shape;
    From rows, cols;
} NameRule;

static const NameRule rules[] = {
    {shape_same, R0, C0},       {shape_cellwise, R0, C0},
    {shape_left_index, R0, C0}, {shape_matmult, R0, C1},
    {shape_transpose, C0, R0},  {shape_row_agg, R0, OWN},
    {shape_col_agg, OWN, C0},   {shape_cbind, R0, OWN},
    {shape_rbind, OWN, C0},     {shape_tsmm, C0, C0},
    {shape_tsmm_right, R0, R0}, {shape_matmult_tn, C0, C1},
    {shape_matmult_nt, R0, R1}, {shape_mmchain, C0, OWN},
    {shape_solve, C0, C1},      {shape_vector_of_rows, R0, OWN},
    {shape_matrix, V1, V2},     {shape_rand, V0, V1},
    {shape_outer, R0, C1},
};

static SizeName rows_of(const Hop *h)
{
    return h && h->dt == DT_MATRIX && h->dims.rows < 0 ? h->rows_name : NULL;
}

static SizeName cols_of(const Hop *h)
{
    return h && h->dt == DT_MATRIX && h->dims.cols < 0 ? h->cols_name : NULL;
}

static const Hop *operand(const Hop *h, int k)
{
    return k < h->nin ? h->in[k] : NULL;
}

static SizeName name_from(const Hop *h, From from)
{
    switch (from) {
    case R0:
    case R1:
        return rows_of(operand(h, from == R1));
    case C0:
    case C1:
        return cols_of(operand(h, from == C1));
    case V0:
    case V1:
    case V2: {
        const Hop *n = operand(h, (int)(from - V0));

        return n && n->dt == DT_SCALAR ? n->rows_name : NULL;
    }
    case OWN:
        break;
    }
    return NULL;
}

/* The shape rule of a cell-wise operator of a number and a matrix is that of the matrix; of two
 * matrices the left one has the shape. */
static NameRule cellwise_rule(const Hop *h)
{
    const Hop *l = operand(h, 0), *r = operand(h, 1);

    if (h->nin == 2 && l && r && l->dt == DT_SCALAR && r->dt == DT_MATRIX)
        return (NameRule){shape_cellwise, R1, C1};
    return (NameRule){shape_cellwise, R0, C0};
}

/* A range of all rows or all columns keeps their number. */
static NameRule index_rule(const Hop *h)
{
    return (NameRule){shape_index, operand(h, 1) || operand(h, 2) ? OWN : R0,
                      operand(h, 3) || operand(h, 4) ? OWN : C0};
}

static NameRule rule_of(const Hop *h)
{
    const ShapeFn shape = h->kind == HOP_OP ? hop_info(h)->shape : NULL;

    if (shape == shape_cellwise)
        return cellwise_rule(h);
    if (shape == shape_index)
        return index_rule(h);
    for (size_t k = 0; shape && k < sizeof rules / sizeof *rules; k++)
        if (rules[k].shape == shape)
            return rules[k];
    return (NameRule){NULL, OWN, OWN};
}

/* nrow(X), ncol(X) of an unknown size. */
static SizeName scalar_name(const Hop *h)
{
    if (hop_is_op(h, OP_nrow))
        return rows_of(h->in[0]);
    return hop_is_op(h, OP_ncol) ? cols_of(h->in[0]) : NULL;
}

void hop_name_sizes(Hop *h)
{
    const NameRule rule = rule_of(h);

    h->rows_name = h->cols_name = NULL;
    if (h->dt == DT_SCALAR)
        h->rows_name = h->lit.dt == DT_SCALAR ? NULL : scalar_name(h);
    if (h->dt != DT_MATRIX)
        return;
    if (h->dims.rows < 0)
        h->rows_name = name_from(h, rule.rows);
    if (h->dims.cols < 0)
        h->cols_name = name_from(h, rule.cols);
    hop_own_names(h);
}

void hop_own_names(Hop *h)
{
    if (h->dt != DT_MATRIX)
        return;
    if (h->dims.rows < 0 && !h->rows_name)
        h->rows_name = &h->dims.rows;
    if (h->dims.cols < 0 && !h->cols_name)
        h->cols_name = &h->dims.cols;
}

bool sizes_equal(int64_t a, SizeName a_name, int64_t b, SizeName b_name)
{
    return a >= 0 || b >= 0 ? a == b : a_name && a_name == b_name;
}
