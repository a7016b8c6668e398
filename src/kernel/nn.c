/* Shapes of images, filters and windows, from the lists that the call gives. */
#include "kernel/nn.h"

#include "kernel/csr.h"

#include <stdio.h>
#include <string.h>

static ml_status wrong_size(Ctx *ctx, const OpCall *call, int k, int i, int64_t least, Value v)
{
    char found[64];

    if (scalar_is_number(v))
        num_show(found, scalar_to_double(v));
    else
        value_describe(v, found);
    return fail(ctx, ML_EVALUE,
                "%s: entry %d of %s should be a number from %" PRId64 " to %d, found %s",
                call->op->dml, i + 1, call->op->args[k].name, least, INT32_MAX, found);
}

/* Entries of list argument k, which are numbers of at least `least`; fractions are cut off. */
static ml_status sizes(Ctx *ctx, const OpCall *call, int k, int count, int64_t least, int64_t *out)
{
    List *l;

    TRY(call_list(ctx, call, k, &l));
    if (l->count != count)
        return fail(ctx, ML_ESHAPE, "%s: %s should have %d entries, found %" PRId64, call->op->dml,
                    call->op->args[k].name, count, l->count);
    for (int i = 0; i < count; i++) {
        const Value v = l->items[i];
        const double d = scalar_is_number(v) ? scalar_to_double(v) : -1;

        if (!(d >= (double)least && d <= INT32_MAX))
            return wrong_size(ctx, call, k, i, least, v);
        out[i] = double_to_int(d);
    }
    return ML_OK;
}

/* Sizes in the lists are below 2^31, so products of two of them fit. */
static ml_status products(Ctx *ctx, const OpCall *call, Windows *g)
{
    const int64_t result_channels = g->k ? g->k : g->c;

    if (mul_int64(g->p, g->q, &g->pq) && mul_int64(g->h * g->w, g->c, &g->chw) &&
        mul_int64(g->r * g->s, g->c, &g->crs) && mul_int64(g->pq, result_channels, &g->out))
        return ML_OK;
    return fail(ctx, ML_ESHAPE, "%s: an image or a filter of this shape has too many cells",
                call->op->dml);
}

static ml_status count_windows(Ctx *ctx, const OpCall *call, const char *axis, int64_t size,
                               int64_t window, int64_t stride, int64_t pad, int64_t *out)
{
    *out = window_count(size, window, stride, pad);
    if (*out >= 0)
        return ML_OK;
    return fail(ctx, ML_ESHAPE,
                "%s: the window has %s %" PRId64 ", more than the image's %" PRId64
                " plus twice the padding of %" PRId64,
                call->op->dml, axis, window, size, pad);
}

ml_status nn_windows(Ctx *ctx, const OpCall *call, int first, bool filters, Windows *g)
{
    int64_t image[4], window[4], stride[2], pad[2];
    const int at = filters ? 2 : 0;

    *g = (Windows){0};
    TRY(sizes(ctx, call, first, 4, 0, image));
    TRY(sizes(ctx, call, first + 1, at + 2, 1, window));
    TRY(sizes(ctx, call, first + 2, 2, 1, stride));
    TRY(sizes(ctx, call, first + 3, 2, 0, pad));
    g->n = image[0], g->c = image[1], g->h = image[2], g->w = image[3];
    g->r = window[at], g->s = window[at + 1];
    g->stride_h = stride[0], g->stride_w = stride[1];
    g->pad_h = pad[0], g->pad_w = pad[1];
    g->k = filters ? window[0] : 0;
    if (filters && window[1] != g->c)
        return fail(ctx, ML_ESHAPE,
                    "%s: input_shape has channels: %" PRId64 ", filter_shape: %" PRId64,
                    call->op->dml, g->c, window[1]);
    TRY(count_windows(ctx, call, "height", g->h, g->r, g->stride_h, g->pad_h, &g->p));
    TRY(count_windows(ctx, call, "width", g->w, g->s, g->stride_w, g->pad_w, &g->q));
    return products(ctx, call, g);
}

ml_status nn_shaped(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols, const char *by,
                    Matrix **out)
{
    Matrix *m;

    TRY(call_matrix(ctx, call, k, &m));
    if (m->rows != rows || m->cols != cols)
        return fail(ctx, ML_ESHAPE,
                    "%s: %s is %" PRId64 "x%" PRId64 ", %s asks for %" PRId64 "x%" PRId64,
                    call->op->dml, call_name(call, k), m->rows, m->cols, by, rows, cols);
    *out = matrix_retain(m);
    return ML_OK;
}

ml_status nn_operand(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols,
                     const char *by, Matrix **out)
{
    Matrix *m = NULL;
    ml_status st;

    TRY(nn_shaped(ctx, call, k, rows, cols, by, &m));
    st = matrix_dense(ctx, m, out);
    matrix_release(m);
    return st;
}

const double *nn_cells(const Matrix *m, int64_t row, int64_t lo, int64_t n, double *scratch)
{
    if (m->format == MATRIX_DENSE)
        return m->values + row * m->cols + lo;
    if (m->format == MATRIX_CONSTANT) {
        for (int64_t j = 0; j < n; j++)
            scratch[j] = m->constant;
        return scratch;
    }
    memset(scratch, 0, (size_t)n * sizeof *scratch);
    for (int64_t k = csr_lower(m, row, lo); k < m->row_ptr[row + 1] && m->col_idx[k] < lo + n; k++)
        scratch[m->col_idx[k] - lo] = m->values[k];
    return scratch;
}

/* Division is most of the cost of a short row, and most strides are 1 or 2. */
static int64_t strides_to(int64_t n, int64_t stride)
{
    if (stride == 1)
        return n;
    return stride == 2 ? (n + 1) >> 1 : nn_pieces(n, stride);
}

/* Results from the first whose cell is not left of the image to the last that is not right of it.
 */
WindowRow window_row(const Windows *g, int64_t p, int64_t r, int64_t s)
{
    const int64_t y = p * g->stride_h - g->pad_h + r, x = s - g->pad_w;
    WindowRow row = {.y = y};

    if (y < 0 || y >= g->h || x >= g->w) {
        row.y = -1;
        return row;
    }
    row.lo = x < 0 ? nn_min(strides_to(-x, g->stride_w), g->q) : 0;
    row.hi = nn_min(strides_to(g->w - x, g->stride_w), g->q);
    row.x = x + row.lo * g->stride_w;
    if (row.hi <= row.lo)
        row.y = -1;
    return row;
}
