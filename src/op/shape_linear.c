/* Shapes of matrix products' physical forms and of decompositions; the rules for everything else
 * are in shape.c. A size that depends on an unknown one stays -1. */
#include "op/op.h"

static void set(ShapeCall *c, int k, int64_t rows, int64_t cols)
{
    c->out[k].rows = rows;
    c->out[k].cols = cols;
}

void shape_tsmm(ShapeCall *c)
{
    set(c, 0, c->in[0].dims.cols, c->in[0].dims.cols);
}

void shape_tsmm_right(ShapeCall *c)
{
    set(c, 0, c->in[0].dims.rows, c->in[0].dims.rows);
}

void shape_matmult_tn(ShapeCall *c)
{
    set(c, 0, c->in[0].dims.cols, c->in[1].dims.cols);
}

void shape_matmult_nt(ShapeCall *c)
{
    set(c, 0, c->in[0].dims.rows, c->in[1].dims.rows);
}

void shape_mmchain(ShapeCall *c)
{
    set(c, 0, c->in[0].dims.cols, 1);
}

/* Rows and columns of a square matrix are equal, so one of them tells the other. */
static int64_t order_of(const ShapeCall *c)
{
    const Dims *d = &c->in[0].dims;

    return d->rows >= 0 ? d->rows : d->cols;
}

void shape_lu(ShapeCall *c)
{
    const int64_t n = order_of(c);

    for (int k = 0; k < c->nout; k++)
        set(c, k, n, n);
    if (c->nout > 0)
        c->out[0].nnz = n;
}

/* Every result has the shape of the first operand. */
void shape_all_same(ShapeCall *c)
{
    for (int k = 0; k < c->nout; k++)
        set(c, k, c->in[0].dims.rows, c->in[0].dims.cols);
}

void shape_eigen(ShapeCall *c)
{
    const int64_t n = order_of(c);

    set(c, 0, n, 1);
    if (c->nout > 1)
        set(c, 1, n, n);
}

void shape_svd(ShapeCall *c)
{
    const int64_t m = c->in[0].dims.rows, n = c->in[0].dims.cols;
    const int64_t k = m < 0 || n < 0 ? -1 : m < n ? m : n;

    set(c, 0, m, k);
    if (c->nout > 1) {
        set(c, 1, k, k);
        c->out[1].nnz = k;
    }
    if (c->nout > 2)
        set(c, 2, n, k);
}

/* a * b with unknown and overflow as -1. */
static int64_t times(int64_t a, int64_t b)
{
    int64_t n;

    return a < 0 || b < 0 || !mul_int64(a, b, &n) ? -1 : n;
}

int64_t stft_frames(int64_t cols, int64_t window, int64_t overlap)
{
    const int64_t step = window - overlap, rest = cols - window;

    if (cols <= 0)
        return 0;
    return rest <= 0 ? 1 : 1 + rest / step + (rest % step > 0);
}

/* stft(X, window, overlap) or stft(X, Y, window, overlap). */
void shape_stft(ShapeCall *c)
{
    const int at = c->nin > 1 && c->in[1].dt == DT_MATRIX ? 2 : 1;
    const Dims *d = &c->in[0].dims;
    int64_t width = -1;

    if (d->cols >= 0 && at + 1 < c->nin && scalar_is_number(c->in[at].lit) &&
        scalar_is_number(c->in[at + 1].lit)) {
        const int64_t window = double_to_int(scalar_to_double(c->in[at].lit));
        const int64_t overlap = double_to_int(scalar_to_double(c->in[at + 1].lit));

        if (overlap >= 0 && overlap < window)
            width = times(stft_frames(d->cols, window, overlap), window);
    }
    for (int k = 0; k < c->nout; k++)
        set(c, k, d->rows, width);
}

/* The smaller of two bounds, where -1 is no bound. */
static int64_t tighter(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

/* Each nonzero of the left operand reaches at most one row of the result, each of the right one at
 * most one column; a product of a matrix with itself has one operand. */
int64_t nnz_matmult(const ShapeCall *c)
{
    const Dims *out = &c->out[0], *b = &c->in[c->nin > 1 ? 1 : 0].dims;
    const int64_t by_left = times(c->in[0].dims.nnz, out->cols),
                  by_right = times(b->nnz, out->rows);

    return tighter(times(out->rows, out->cols), tighter(by_left, by_right));
}
