/* Shapes and nonzeros of results, for size propagation.
 *
 * A rule sees what is known of the operands: data type, dims (-1 unknown) and the values of literal
 * scalars.  It sets what follows and leaves the rest unknown; it reports no errors, the kernels do.
 * So it may assume that the shapes fit: of an unknown operand it concludes what the other one
 * demands. */
#include "op/op.h"

#include <math.h>

static const ShapeArg absent = {.dims = {-1, -1, -1}};

static const ShapeArg *arg(const ShapeCall *c, int k)
{
    return k < c->nin ? &c->in[k] : &absent;
}

static bool is_scalar(const ShapeArg *a)
{
    return a->dt == DT_SCALAR;
}

static void set(ShapeCall *c, int64_t rows, int64_t cols)
{
    c->out[0].rows = rows;
    c->out[0].cols = cols;
}

/* Of a literal number; -1 when it is not known. */
static bool number(const ShapeArg *a, double *out)
{
    if (!is_scalar(a) || !scalar_is_number(a->lit))
        return false;
    *out = scalar_to_double(a->lit);
    return true;
}

/* A literal that can be a size. */
static int64_t size_of(const ShapeArg *a)
{
    double d;

    return number(a, &d) && d >= 0 && d < 0x1p62 ? double_to_int(d) : -1;
}

/* -1 when a factor is unknown or the product does not fit. */
static int64_t times(int64_t a, int64_t b)
{
    int64_t p;

    return a < 0 || b < 0 || !mul_int64(a, b, &p) ? -1 : p;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t s;

    return a < 0 || b < 0 || __builtin_add_overflow(a, b, &s) ? -1 : s;
}

static int64_t cells(const Dims *d)
{
    return times(d->rows, d->cols);
}

/* ---- shapes ---- */

void shape_same(ShapeCall *c)
{
    set(c, arg(c, 0)->dims.rows, arg(c, 0)->dims.cols);
}

void shape_scalar(ShapeCall *c)
{
    set(c, 1, 1);
}

void shape_unknown(ShapeCall *c)
{
    (void)c;
}

/* The left matrix has the shape of the result, as only the right one may be smaller.  Where it is
 * unknown, more than one row or column of the right one must be matched. */
static int64_t broadcast(const ShapeArg *left, int64_t mine, int64_t other)
{
    if (left->dt == DT_MATRIX && mine >= 0)
        return mine;
    return other == 1 ? -1 : other;
}

static void shape_binary(ShapeCall *c)
{
    const ShapeArg *l = arg(c, 0), *r = arg(c, 1);

    if (is_scalar(l))
        set(c, r->dims.rows, r->dims.cols);
    else if (is_scalar(r))
        set(c, l->dims.rows, l->dims.cols);
    else
        set(c, broadcast(l, l->dims.rows, r->dims.rows), broadcast(l, l->dims.cols, r->dims.cols));
}

/* Two operands broadcast; of three and more, the first matrix gives the shape. */
void shape_cellwise(ShapeCall *c)
{
    if (c->nin <= 2) {
        /* An operand of unknown type may be a scalar, so a scalar on the left leaves the shape
         * open. */
        if (c->nin == 1 || (arg(c, 1)->dt == DT_NONE && arg(c, 0)->dt == DT_MATRIX))
            shape_same(c);
        else
            shape_binary(c);
        return;
    }
    set(c, 1, 1);
    for (int k = 0; k < c->nin; k++)
        if (!is_scalar(&c->in[k])) {
            set(c, c->in[k].dims.rows, c->in[k].dims.cols);
            return;
        }
}

/* The operator that comes third has no shape. */
void shape_ppred(ShapeCall *c)
{
    ShapeCall operands = *c;

    operands.nin = c->nin < 2 ? c->nin : 2;
    shape_cellwise(&operands);
}

void shape_minmax(ShapeCall *c)
{
    if (c->nin == 1)
        set(c, 1, 1);
    else
        shape_cellwise(c);
}

void shape_matmult(ShapeCall *c)
{
    set(c, arg(c, 0)->dims.rows, arg(c, 1)->dims.cols);
}

void shape_transpose(ShapeCall *c)
{
    set(c, arg(c, 0)->dims.cols, arg(c, 0)->dims.rows);
}

/* One column of a length that only the run tells. */
void shape_column(ShapeCall *c)
{
    set(c, -1, 1);
}

void shape_range(ShapeCall *c)
{
    set(c, 2, 1);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : a > b ? a : b;
}

void shape_class_meet(ShapeCall *c)
{
    const Dims *x = &arg(c, 0)->dims, *y = &arg(c, 1)->dims;

    for (int k = 0; k < c->nout; k++) {
        c->out[k].rows = larger(x->rows, y->rows);
        c->out[k].cols = larger(x->cols, y->cols);
    }
}

void shape_row_agg(ShapeCall *c)
{
    set(c, arg(c, 0)->dims.rows, 1);
}

void shape_col_agg(ShapeCall *c)
{
    set(c, 1, arg(c, 0)->dims.cols);
}

/* A column becomes a diagonal matrix, a square matrix its diagonal. */
void shape_diag(ShapeCall *c)
{
    const Dims d = arg(c, 0)->dims;

    if (d.cols >= 0)
        set(c, d.rows, d.cols == 1 ? d.rows : 1);
    else
        set(c, d.rows, -1);
}

/* Sizes along the bound direction add up, those across it are equal.  Lists are bound entry by
 * entry: unknown. */
static void bind(ShapeCall *c, bool rows)
{
    int64_t sum = 0, same = -1;

    for (int k = 0; k < c->nin; k++) {
        const ShapeArg *a = &c->in[k];

        if (a->dt != DT_MATRIX && a->dt != DT_FRAME)
            return;
        sum = plus(sum, rows ? a->dims.rows : a->dims.cols);
        if (same < 0)
            same = rows ? a->dims.cols : a->dims.rows;
    }
    set(c, rows ? sum : same, rows ? same : sum);
}

void shape_cbind(ShapeCall *c)
{
    if (c->nin > 0 && is_scalar(&c->in[0]))
        set(c, 1, 1);
    else
        bind(c, false);
}

void shape_rbind(ShapeCall *c)
{
    if (c->nin > 0 && is_scalar(&c->in[0]))
        set(c, 1, 1);
    else
        bind(c, true);
}

/* Length of lo:hi out of `all`.  Without bounds all; without an upper one a single row or column.
 */
static int64_t range(const ShapeArg *lo, const ShapeArg *hi, int64_t all)
{
    double a, b;

    if (lo->dt == DT_NONE)
        return all;
    if (hi->dt == DT_NONE || hi->again)
        return 1;
    if (!number(lo, &a) || !number(hi, &b))
        return -1;
    a = (double)double_to_int(b) - (double)double_to_int(a) + 1;
    return a >= 0 && a < 0x1p53 ? (int64_t)a : -1;
}

void shape_index(ShapeCall *c)
{
    const ShapeArg *x = arg(c, 0);

    if (x->dt == DT_LIST)
        return;
    set(c, range(arg(c, 1), arg(c, 2), x->dims.rows), range(arg(c, 3), arg(c, 4), x->dims.cols));
}

void shape_left_index(ShapeCall *c)
{
    shape_same(c);
}

void shape_matrix(ShapeCall *c)
{
    set(c, size_of(arg(c, 1)), size_of(arg(c, 2)));
}

void shape_rand(ShapeCall *c)
{
    set(c, size_of(arg(c, 0)), size_of(arg(c, 1)));
}

/* The quotients may lose the last value to rounding: one more step that does not pass `to` belongs.
 */
int64_t seq_length(double from, double to, double incr)
{
    const double steps = floor(to / incr - from / incr), next = from + (steps + 1) * incr;
    const bool more = incr > 0 ? next <= to : next >= to;

    if (isnan(steps) || steps > 0x1p53)
        return -1;
    return steps < 0 ? 0 : (int64_t)steps + 1 + more;
}

void shape_seq(ShapeCall *c)
{
    double from, to, incr;

    set(c, -1, 1);
    if (!number(arg(c, 0), &from) || !number(arg(c, 1), &to))
        return;
    incr = from > to ? -1 : 1;
    if (arg(c, 2)->dt != DT_NONE && !number(arg(c, 2), &incr))
        return;
    set(c, seq_length(from, to, incr), 1);
}

void shape_sample(ShapeCall *c)
{
    set(c, size_of(arg(c, 1)), 1);
}

void shape_outer(ShapeCall *c)
{
    set(c, arg(c, 0)->dims.rows, arg(c, 1)->dims.cols);
}

void shape_solve(ShapeCall *c)
{
    set(c, arg(c, 0)->dims.cols, arg(c, 1)->dims.cols);
}

/* table(a, b [, w] [, rows, cols] [, boolean]): the boolean, a hint, is not counted. */
/* The rows, or with index.return their positions. */
void shape_order(ShapeCall *c)
{
    const ShapeArg *x = arg(c, 0), *index = arg(c, 3);
    const bool known = index->dt == DT_NONE || index->lit.vt == VT_BOOL;

    set(c, x->dims.rows, !known ? -1 : index->dt != DT_NONE && index->lit.b ? 1 : x->dims.cols);
}

void shape_table(ShapeCall *c)
{
    int n = 6;

    while (n > 2 && (arg(c, n - 1)->dt == DT_NONE || arg(c, n - 1)->lit.vt == VT_BOOL))
        n--;
    if (n >= 4 && is_scalar(arg(c, n - 2)) && is_scalar(arg(c, n - 1)))
        set(c, size_of(arg(c, n - 2)), size_of(arg(c, n - 1)));
}

void shape_vector_of_rows(ShapeCall *c)
{
    set(c, arg(c, 0)->dims.rows, 1);
}

/* ---- nonzeros ---- */

int64_t nnz_unknown(const ShapeCall *c)
{
    (void)c;
    return -1;
}

/* At most one for each pair of categories. */
int64_t nnz_table(const ShapeCall *c)
{
    const int64_t pairs = cells(&arg(c, 0)->dims), all = cells(&c->out[0]);

    return pairs < 0 || all < 0 ? -1 : min64(pairs, all);
}

int64_t nnz_dense(const ShapeCall *c)
{
    return cells(&c->out[0]);
}

int64_t nnz_same(const ShapeCall *c)
{
    return arg(c, 0)->dims.nnz;
}

int64_t nnz_sum(const ShapeCall *c)
{
    int64_t sum = 0;

    for (int k = 0; k < c->nin; k++)
        sum = plus(sum, c->in[k].dims.nnz);
    return sum;
}

/* Those of the matrix and those put in; a scalar fills an unknown part. */
int64_t nnz_left_index(const ShapeCall *c)
{
    const int64_t all = nnz_dense(c), x = arg(c, 0)->dims.nnz, v = arg(c, 1)->dims.nnz;
    const int64_t sum = arg(c, 1)->dt == DT_MATRIX ? plus(x, v) : all;

    return sum < 0 || sum > all ? all : sum;
}

/* Nonzeros that an operand contributes once it is broadcast to the shape of the result. */
static int64_t spread(const ShapeCall *c, const ShapeArg *a)
{
    const Dims *out = &c->out[0];
    int64_t n = a->dims.nnz;

    if (a->dims.rows == 1 && out->rows != 1)
        n = times(n, out->rows);
    if (a->dims.cols == 1 && out->cols != 1)
        n = times(n, out->cols);
    return n;
}

/* A matrix with a scalar: the matrix's own where zero cells stay zero. */
static int64_t nnz_with_scalar(const ShapeCall *c, const ShapeArg *m, const ShapeArg *s, bool left)
{
    double value = 1;

    if (!number(s, &value) && !(c->op->props & P_ZERO_SAFE))
        return nnz_dense(c);
    if ((left ? c->op->cell2(value, 0) : c->op->cell2(0, value)) != 0)
        return nnz_dense(c);
    return m->dims.nnz;
}

static int64_t nnz_binary(const ShapeCall *c)
{
    const ShapeArg *l = arg(c, 0), *r = arg(c, 1);
    int64_t a, b;

    if (is_scalar(l) || is_scalar(r))
        return is_scalar(r) ? nnz_with_scalar(c, l, r, false) : nnz_with_scalar(c, r, l, true);
    if (c->op->cell2(0, 0) != 0)
        return nnz_dense(c);
    a = spread(c, l);
    b = spread(c, r);
    if (c->op->props & P_ZERO_SAFE)
        return a < 0 ? b : b < 0 ? a : a < b ? a : b;
    return plus(a, b);
}

int64_t nnz_cellwise(const ShapeCall *c)
{
    const int64_t all = nnz_dense(c);
    int64_t n;

    if (arg(c, 1)->dt == DT_NONE)
        n = c->op->props & P_ZERO_SAFE ? nnz_same(c) : all;
    else if (c->nin > 2 || !c->op->cell2)
        n = all;
    else
        n = nnz_binary(c);
    return n < 0 || (all >= 0 && n > all) ? all : n;
}

/* The expected number and six standard deviations: exceeded once in 1e9 draws. */
int64_t nnz_rand(const ShapeCall *c)
{
    const int64_t n = cells(&c->out[0]);
    double p, bound;

    if (n < 0 || !number(arg(c, 4), &p) || !(p >= 0 && p < 1))
        return n;
    bound = ceil((double)n * p + 6 * sqrt((double)n * p * (1 - p)));
    return bound < (double)n ? (int64_t)bound : n;
}

/* matrix(): a fill of zeros has none, a reshaped matrix keeps its own. */
int64_t nnz_matrix(const ShapeCall *c)
{
    double fill;

    if (arg(c, 0)->dt == DT_MATRIX)
        return nnz_same(c);
    return number(arg(c, 0), &fill) && fill == 0 ? 0 : nnz_dense(c);
}

/* ---- bytes ---- */

double dims_bytes(CellType type, Dims d)
{
    const double cell = (double)cell_size(type), all = (double)d.rows * (double)d.cols * cell;

    if (d.rows < 0 || d.cols < 0)
        return INFINITY;
    if (d.nnz < 0 || !matrix_is_sparse(d.rows, d.cols, d.nnz))
        return all;
    /* A row pointer a row; if hypersparse, that and the row's number a row stored. */
    return (double)d.nnz * (cell + sizeof(uint32_t)) +
           (matrix_is_hyper(d.rows, d.nnz) ? 2 * (double)d.nnz : (double)d.rows + 1) *
               sizeof(int64_t);
}
