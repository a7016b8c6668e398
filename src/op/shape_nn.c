/* Shapes of the neural-network operators.  Where the lists of sizes are written out with known
 * entries, they decide; what they leave open follows from the operands.  Unknown is -1. */
#include "op/op.h"

static void set(ShapeCall *c, int k, int64_t rows, int64_t cols)
{
    if (k >= c->nout)
        return;
    c->out[k].rows = rows;
    c->out[k].cols = cols;
}

static int64_t times(int64_t a, int64_t b)
{
    int64_t n;

    return a < 0 || b < 0 || !mul_int64(a, b, &n) ? -1 : n;
}

static Dims dims(const ShapeCall *c, int k)
{
    return k < c->nin ? c->in[k].dims : (Dims){-1, -1, -1};
}

/* Entry i of the list that is argument k. */
static int64_t entry(const ShapeCall *c, int k, int i)
{
    return k < c->nin && i < c->in[k].nsizes ? c->in[k].sizes[i] : -1;
}

/* Cells of a row: the product of the entries of argument k after the first. */
static int64_t row_cells(const ShapeCall *c, int k)
{
    return times(entry(c, k, 1), times(entry(c, k, 2), entry(c, k, 3)));
}

int64_t window_count(int64_t size, int64_t window, int64_t stride, int64_t pad)
{
    int64_t padded;

    if (size < 0 || window < 0 || pad < 0 || stride < 1 || pad > INT64_MAX / 2)
        return -1;
    if (__builtin_add_overflow(size, 2 * pad, &padded) || padded < window)
        return -1;
    return (padded - window) / stride + 1;
}

/* P * Q; `sizes` says which argument gives the window, by entries r and r + 1; stride and padding
 * follow it. */
static int64_t windows(const ShapeCall *c, int input, int sizes, int r)
{
    int64_t count[2];

    for (int axis = 0; axis < 2; axis++)
        count[axis] = window_count(entry(c, input, 2 + axis), entry(c, sizes, r + axis),
                                   entry(c, sizes + 1, axis), entry(c, sizes + 2, axis));
    return times(count[0], count[1]);
}

static int64_t first_known(int64_t a, int64_t b)
{
    return a >= 0 ? a : b;
}

void shape_conv2d(ShapeCall *c)
{
    set(c, 0, first_known(dims(c, 0).rows, entry(c, 2, 0)),
        times(first_known(dims(c, 1).rows, entry(c, 3, 0)), windows(c, 2, 3, 2)));
}

void shape_conv2d_filter(ShapeCall *c)
{
    set(c, 0, entry(c, 3, 0), row_cells(c, 3));
}

void shape_conv2d_data(ShapeCall *c)
{
    set(c, 0, first_known(dims(c, 1).rows, entry(c, 2, 0)), row_cells(c, 2));
}

void shape_pool(ShapeCall *c)
{
    set(c, 0, first_known(dims(c, 0).rows, entry(c, 1, 0)),
        times(entry(c, 1, 1), windows(c, 1, 2, 0)));
}

void shape_pool_backward(ShapeCall *c)
{
    set(c, 0, first_known(dims(c, 0).rows, entry(c, 2, 0)),
        first_known(dims(c, 0).cols, row_cells(c, 2)));
}

void shape_batch_norm(ShapeCall *c)
{
    set(c, 0, dims(c, 0).rows, dims(c, 0).cols);
    for (int k = 1; k < c->nout; k++)
        set(c, k, dims(c, 1).rows, 1);
}

void shape_batch_norm_backward(ShapeCall *c)
{
    set(c, 0, dims(c, 0).rows, dims(c, 0).cols);
    for (int k = 1; k < c->nout; k++)
        set(c, k, dims(c, 2).rows, 1);
}

/* ---- lstm: X N x TD, W (D+M) x 4M, out0 N x M ---- */

static int64_t steps(int64_t x_cols, int64_t w_rows, int64_t m)
{
    const int64_t d = w_rows < 0 || m < 0 ? -1 : w_rows - m;

    return x_cols < 0 || d < 1 ? -1 : x_cols / d;
}

void shape_lstm(ShapeCall *c)
{
    const int64_t n = first_known(dims(c, 0).rows, dims(c, 3).rows);
    const int64_t m = first_known(dims(c, 3).cols, dims(c, 1).cols < 0 ? -1 : dims(c, 1).cols / 4);
    const int64_t t = steps(dims(c, 0).cols, dims(c, 1).rows, m), nm = times(n, m);
    const Value all = c->nin > 5 ? c->in[5].lit : value_none();

    set(c, 0, n, !scalar_is_number(all) ? -1 : scalar_to_double(all) != 0 ? times(t, m) : m);
    set(c, 1, n, m);
    set(c, 2, t, nm);
    set(c, 3, t, nm);
    set(c, 4, t, times(4, nm));
}

void shape_lstm_backward(ShapeCall *c)
{
    for (int k = 0; k < c->nout; k++) /* each gradient has the shape of its operand */
        set(c, k, dims(c, k).rows, dims(c, k).cols);
}
