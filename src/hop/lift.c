/* Lifting: what the body of a loop over i computes for one i, as operators over all of them.
 *
 * Every node of the body is the same for all i, or a number (then all of them make a column), or a
 * row (then they make a matrix), or nothing is known to stand for it.  In a loop whose i is a
 * column everything is turned.  Cell-wise operators work on columns and matrices as on numbers and
 * rows; the right operand may be repeated, the left one not, so commutative ones may be turned
 * round.
 *
 * Exact but for: sums, which are not added in the order of the loop; numbers beyond 2^53, as
 * integers become doubles.  Where an operator of integers differs from that of cells, nothing is
 * lifted. */
#include "hop/vectorize.h"

static const int aggregates[][3] = {
    /* all, each row, each column */
    {OP_sum, OP_rowSums, OP_colSums},    {OP_mean, OP_rowMeans, OP_colMeans},
    {OP_min, OP_rowMins, OP_colMins},    {OP_max, OP_rowMaxs, OP_colMaxs},
    {OP_prod, OP_rowProds, OP_colProds}, {OP_var, OP_rowVars, OP_colVars},
    {OP_sd, OP_rowSds, OP_colSds},
};

int lift_aggregate(const Lift *l, int full_op, bool along)
{
    for (size_t k = 0; k < sizeof aggregates / sizeof *aggregates; k++)
        if (aggregates[k][0] == full_op)
            return aggregates[k][l->columns != along ? 2 : 1];
    return -1;
}

Hop *lift_op(Lift *l, int op, Hop **in, int nin, const Hop *like)
{
    l->to->site = like->site;
    return hop_op(l->t->ctx, l->t->unit, l->to, op, in, NULL, nin, like->span);
}

static const Lifted *lifted(const Lift *l, const Hop *h)
{
    static const Lifted none;

    return h ? &l->of[h->id] : &none;
}

static LiftKind kind_of(const Lift *l, const Hop *h)
{
    return lifted(l, h)->kind;
}

static Lifted made(LiftKind kind, Hop *hop)
{
    return (Lifted){hop ? kind : LIFT_NONE, hop, -1};
}

/* ---- indices ---- */

static bool is_whole_number(const Hop *h)
{
    return h->dt == DT_SCALAR && h->vt == VT_INT;
}

/* Is the node i, i + c, c + i or i - c with a whole c that does not change? */
static bool is_index(const Lift *l, const Hop *h)
{
    if (!h)
        return false;
    if (h->kind == HOP_READ)
        return h->slot == l->loop_slot;
    if ((!hop_is_op(h, OP_add) && !hop_is_op(h, OP_sub)) || h->nin != 2)
        return false;
    for (int k = 0; k < (h->op == OP_add ? 2 : 1); k++) {
        const Hop *i = h->in[k], *c = h->in[1 - k];

        if (i->kind == HOP_READ && i->slot == l->loop_slot && kind_of(l, c) == LIFT_SAME &&
            is_whole_number(c))
            return true;
    }
    return false;
}

/* The index for i = end. */
Hop *lift_index_at(Lift *l, const Hop *index, Hop *end)
{
    Hop *in[2];

    if (index->kind == HOP_READ)
        return end;
    for (int k = 0; k < 2; k++)
        in[k] = kind_of(l, index->in[k]) == LIFT_SAME ? lifted(l, index->in[k])->hop : end;
    return lift_op(l, index->op, in, 2, index);
}

/* All values of the index in a column, or in a row when i is a column. */
static Hop *index_values(Lift *l, const Hop *index)
{
    Hop *in[OP_ARGS] = {lift_index_at(l, index, l->first), lift_index_at(l, index, l->last)}, *h;

    h = in[0] && in[1] ? lift_op(l, OP_seq, in, op_nargs(&op_table[OP_seq]), index) : NULL;
    return h && l->columns ? lift_op(l, OP_t, &h, 1, index) : h;
}

/* ---- parts of matrices ---- */

/* The bounds of index() and of left_index(), which has a value before them. */
typedef struct Bounds {
    Hop **along, **across; /* lower and upper bound, in the direction of the loop and the other */
} Bounds;

static Bounds bounds_of(const Lift *l, const Hop *h)
{
    Hop **in = h->in + (h->op == OP_left_index ? 2 : 1);

    return (Bounds){in + (l->columns ? 2 : 0), in + (l->columns ? 0 : 2)};
}

static bool is_one_place(Hop *const *bounds)
{
    return bounds[0] && (!bounds[1] || bounds[1] == bounds[0]);
}

static bool bound_is_same(const Lift *l, const Hop *h)
{
    return !h || kind_of(l, h) == LIFT_SAME;
}

/* Matrices that the loop assigns must be read and written at one index only. */
static bool note_index(Lift *l, const Lifted *x, const Hop *index)
{
    if (x->kind != LIFT_WHOLE)
        return true;
    if (!l->indexed[x->variable])
        l->indexed[x->variable] = index;
    return l->indexed[x->variable] == index;
}

static bool is_matrix_base(const Lift *l, const Hop *x)
{
    const LiftKind kind = kind_of(l, x);

    return x->dt == DT_MATRIX && (kind == LIFT_SAME || kind == LIFT_WHOLE);
}

/* The operands of h, which indexes a matrix, for all i at once. */
static bool lift_bounds(Lift *l, const Hop *h, Hop **in)
{
    const Bounds b = bounds_of(l, h);

    if (!is_matrix_base(l, h->in[0]) || !is_one_place(b.along) || !is_index(l, b.along[0]) ||
        !bound_is_same(l, b.across[0]) || !bound_is_same(l, b.across[1]) ||
        !note_index(l, lifted(l, h->in[0]), b.along[0]))
        return false;
    in[0] = lifted(l, h->in[0])->hop;
    for (int k = 0; k < 2; k++) {
        const ptrdiff_t along = b.along + k - h->in, across = b.across + k - h->in;

        in[along] = lift_index_at(l, b.along[0], k ? l->last : l->first);
        in[across] = b.across[k] ? lifted(l, b.across[k])->hop : NULL;
        if (!in[along])
            return false;
    }
    return true;
}

static Lifted lift_part(Lift *l, const Hop *h)
{
    Hop *in[5] = {0};
    const Bounds b = bounds_of(l, h);
    const int64_t across = l->columns ? h->dims.rows : h->dims.cols;

    if (!lift_bounds(l, h, in))
        return made(LIFT_NONE, NULL);
    return made(is_one_place(b.across) || across == 1 ? LIFT_COLUMN : LIFT_ROWS,
                lift_op(l, OP_index, in, 5, h));
}

/* A value for the cells of row i: the number itself, or as many as there are rows. */
static Hop *value_for_cells(Lift *l, const Hop *value, bool one_cell)
{
    const Lifted *x = lifted(l, value);

    if (x->kind == LIFT_INDEX)
        return one_cell ? index_values(l, value) : NULL;
    if (x->kind == LIFT_ROWS || (x->kind == LIFT_COLUMN && one_cell))
        return x->hop;
    return x->kind == LIFT_SAME && value->number ? x->hop : NULL;
}

static Lifted lift_assignment(Lift *l, const Hop *h)
{
    Hop *in[6] = {0};
    Lifted out;

    if (kind_of(l, h->in[0]) != LIFT_WHOLE || !lift_bounds(l, h, in))
        return made(LIFT_NONE, NULL);
    in[1] = value_for_cells(l, h->in[1], is_one_place(bounds_of(l, h).across));
    if (!in[1])
        return made(LIFT_NONE, NULL);
    out = made(LIFT_WHOLE, lift_op(l, OP_left_index, in, 6, h));
    out.variable = lifted(l, h->in[0])->variable;
    return out;
}

/* ---- cell-wise operators ---- */

/* Quotients of integers by zero are errors or 0, of cells they are not. */
static bool cells_do_the_same(const Hop *h)
{
    if (h->op != OP_mod && h->op != OP_intdiv)
        return true;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k]->dt == DT_MATRIX || h->in[k]->vt == VT_DOUBLE)
            return true;
    return h->in[1]->kind == HOP_LITERAL && scalar_is_number(h->in[1]->lit) &&
           scalar_to_double(h->in[1]->lit) != 0;
}

/* May this be repeated beside a matrix of rows, or a column?  Numbers, and one row beside rows. */
static bool is_repeated(const Lift *l, const Hop *h, bool beside_rows)
{
    const int64_t along = l->columns ? h->dims.cols : h->dims.rows;

    return h->number || (beside_rows && h->dt == DT_MATRIX && along == 1);
}

Hop *lift_value(Lift *l, const Hop *h)
{
    const LiftKind kind = kind_of(l, h);

    if (kind == LIFT_WHOLE)
        return NULL;
    return kind == LIFT_INDEX ? index_values(l, h) : lifted(l, h)->hop;
}

static bool is_column(LiftKind kind)
{
    return kind == LIFT_COLUMN || kind == LIFT_INDEX;
}

static Lifted lift_unary(Lift *l, const Hop *h)
{
    Hop *in[OP_ARGS] = {lift_value(l, h->in[0])};
    const LiftKind kind = kind_of(l, h->in[0]);

    if (!in[0] || (h->in[0]->dt != DT_MATRIX && !h->in[0]->number))
        return made(LIFT_NONE, NULL);
    return made(kind == LIFT_ROWS ? LIFT_ROWS : LIFT_COLUMN, lift_op(l, h->op, in, h->nin, h));
}

/* The smaller operand goes to the right, where it is repeated. */
static Lifted lift_binary(Lift *l, const Hop *h)
{
    const Hop *a = h->in[0], *b = h->in[1];
    LiftKind x = kind_of(l, a), y = kind_of(l, b);
    const bool rows = x == LIFT_ROWS || y == LIFT_ROWS;
    Hop *in[2] = {lift_value(l, a), lift_value(l, b)};

    if (!in[0] || !in[1] || !cells_do_the_same(h))
        return made(LIFT_NONE, NULL);
    if ((x == LIFT_SAME && !is_repeated(l, a, rows)) ||
        (y == LIFT_SAME && !is_repeated(l, b, rows)))
        return made(LIFT_NONE, NULL);
    if ((x == LIFT_SAME && !a->number) || (y == LIFT_ROWS && is_column(x))) {
        if (!(hop_info(h)->props & P_COMMUTATIVE) || (is_column(x) && !a->number))
            return made(LIFT_NONE, NULL);
        in[0] = lift_value(l, b);
        in[1] = lift_value(l, a);
    }
    return made(rows ? LIFT_ROWS : LIFT_COLUMN, lift_op(l, h->op, in, 2, h));
}

/* ifelse over columns and numbers. */
static Lifted lift_choice(Lift *l, const Hop *h)
{
    Hop *in[3];

    for (int k = 0; k < 3; k++) {
        const LiftKind kind = kind_of(l, h->in[k]);

        in[k] = h->in[k] ? lift_value(l, h->in[k]) : NULL;
        if (!in[k] || !h->in[k]->number || (!is_column(kind) && (k == 0 || kind != LIFT_SAME)))
            return made(LIFT_NONE, NULL);
    }
    return made(LIFT_COLUMN, lift_op(l, h->op, in, 3, h));
}

static Lifted lift_cells(Lift *l, const Hop *h)
{
    for (int k = 0; k < h->nin; k++) {
        const Hop *x = h->in[k];

        if (x && x->dt != DT_MATRIX && !x->number)
            return made(LIFT_NONE, NULL);
    }
    if (h->nin == 1)
        return lift_unary(l, h);
    if (h->nin == 2 && h->in[1])
        return lift_binary(l, h);
    return h->op == OP_ifelse ? lift_choice(l, h) : made(LIFT_NONE, NULL);
}

/* ---- aggregates, products, casts ---- */

/* Of one row: of each row.  Of one cell: the cell. */
static Lifted lift_full_aggregate(Lift *l, const Hop *h)
{
    const int op = lift_aggregate(l, h->op, false);
    const Lifted *x = lifted(l, h->in[0]);
    Hop *in[OP_ARGS] = {x->hop};

    for (int k = 1; k < h->nin; k++)
        if (h->in[k])
            return made(LIFT_NONE, NULL);
    if (op < 0 || h->in[0]->dt != DT_MATRIX)
        return made(LIFT_NONE, NULL);
    if (x->kind == LIFT_COLUMN && h->op != OP_var && h->op != OP_sd)
        return *x;
    if (x->kind != LIFT_ROWS)
        return made(LIFT_NONE, NULL);
    return made(LIFT_COLUMN, lift_op(l, op, in, op_nargs(&op_table[op]), h));
}

static Lifted lift_aligned(Lift *l, const Hop *h)
{
    const uint32_t aggregate = l->columns ? P_AGG_COL : P_AGG_ROW;
    Hop *in[OP_ARGS] = {lifted(l, h->in[0])->hop};

    if (h->nin != 1 || h->in[0]->dt != DT_MATRIX || kind_of(l, h->in[0]) != LIFT_ROWS)
        return made(LIFT_NONE, NULL);
    return made(hop_info(h)->props & aggregate ? LIFT_COLUMN : LIFT_ROWS,
                lift_op(l, h->op, in, 1, h));
}

/* A row times a matrix; in a loop over columns a matrix times a column. */
static Lifted lift_product(Lift *l, const Hop *h)
{
    const int moving = l->columns ? 1 : 0;
    const Hop *fixed = h->in[1 - moving];
    const int64_t across = l->columns ? fixed->dims.rows : fixed->dims.cols;

    if (kind_of(l, h->in[moving]) != LIFT_ROWS || kind_of(l, fixed) != LIFT_SAME)
        return made(LIFT_NONE, NULL);
    return made(
        across == 1 ? LIFT_COLUMN : LIFT_ROWS,
        lift_op(l, h->op, (Hop *[]){lifted(l, h->in[0])->hop, lifted(l, h->in[1])->hop}, 2, h));
}

/* Casts between a number and a 1x1 matrix, and of a double to a double. */
static Lifted lift_cast(Lift *l, const Hop *h)
{
    const Hop *x = h->in[0];
    const bool number = x->number || x->dt == DT_MATRIX;

    if (!number || !is_column(kind_of(l, x)) ||
        (h->op == OP_as_double && (x->dt != DT_SCALAR || x->vt == VT_BOOL)))
        return made(LIFT_NONE, NULL);
    return made(LIFT_COLUMN, lift_value(l, x));
}

/* ---- nodes ---- */

static bool is_cast(const Hop *h)
{
    return h->op == OP_as_scalar || h->op == OP_as_matrix || h->op == OP_as_double;
}

static Lifted lift_operator(Lift *l, const Hop *h)
{
    const uint32_t props = hop_info(h)->props;

    if (h->op == OP_index)
        return lift_part(l, h);
    if (h->op == OP_left_index)
        return lift_assignment(l, h);
    if (is_cast(h))
        return lift_cast(l, h);
    if (h->op == OP_matmult)
        return lift_product(l, h);
    if (h->nin >= 1 && h->in[0] && (props & P_AGG_FULL) && (h->nin == 1 || !h->in[1]))
        return lift_full_aggregate(l, h);
    if (props & P_CELLWISE)
        return lift_cells(l, h);
    if (h->nin >= 1 && h->in[0] && (props & (l->columns ? P_COL_ALIGNED : P_ROW_ALIGNED)))
        return lift_aligned(l, h);
    return made(LIFT_NONE, NULL);
}

static bool all_same(const Lift *l, const Hop *h)
{
    if (hop_is_unique(h) || (h->kind == HOP_OP && (hop_info(h)->props & (P_CALLS | P_VARIABLE))))
        return false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && kind_of(l, h->in[k]) != LIFT_SAME)
            return false;
    return h->kind != HOP_READ || (h->slot != l->loop_slot && !l->assigned[h->slot]);
}

/* The node as it is, over what stands for its operands. */
static Hop *copy_same(Lift *l, const Hop *h)
{
    return hop_remake(l->t->ctx, l->t->unit, l->to, h, l->map);
}

static Lifted lift_node(Lift *l, const Hop *h)
{
    if (all_same(l, h))
        return made(LIFT_SAME, copy_same(l, h));
    if (is_index(l, h))
        return made(LIFT_INDEX, l->first);
    if (h->kind == HOP_READ && h->dt == DT_MATRIX) {
        Lifted whole = made(LIFT_WHOLE, copy_same(l, h));

        whole.variable = h->slot;
        return whole;
    }
    return h->kind == HOP_OP ? lift_operator(l, h) : made(LIFT_NONE, NULL);
}

void lift_all(Lift *l)
{
    for (int k = 0; k < l->from->count; k++) {
        l->of[k] = lift_node(l, l->from->nodes[k]);
        l->map[k] = l->of[k].hop;
    }
}
