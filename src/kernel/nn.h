/* Images under windows: what the kernels of neural networks share, private to the files nn_*.c.
 *
 * Letters are those of the language: N images of C channels, H x W; K filters or none; windows of R
 * x S; results of P x Q. */
#ifndef NN_H
#define NN_H

#include "kernel/kernel.h"

typedef struct Windows {
    int64_t n, c, h, w;
    int64_t k; /* 0: pooling */
    int64_t r, s;
    int64_t stride_h, stride_w, pad_h, pad_w;
    int64_t p, q;
    int64_t chw, crs, pq,
        out; /* cells of an image, a filter, a result's channel, a result (K P Q or C P Q) */
} Windows;

/* From the four lists that are arguments `first` and on: input_shape, filter_shape or pool_size,
 * stride, padding. */
ml_status nn_windows(Ctx *ctx, const OpCall *call, int first, bool filters, Windows *g);

/* Operand k, which must have that shape; the caller releases it.  `by` tells what demands the
 * shape. */
ml_status nn_shaped(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols, const char *by,
                    Matrix **out);
/* The same as dense cells. */
ml_status nn_operand(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols,
                     const char *by, Matrix **out);

/* Cells [lo, lo + n) of a row of m: a pointer into a dense matrix, or `scratch` filled from another
 * format. */
const double *nn_cells(const Matrix *m, int64_t row, int64_t lo, int64_t n, double *scratch);

/* What lies under row [r,s] of the windows in row p of a result: cells of an image's row y that
 * start at column x and go on in steps of stride_w, for results [lo, hi); the others lie in the
 * padding.  y < 0: all do. */
typedef struct WindowRow {
    int64_t y, x, lo, hi;
} WindowRow;
WindowRow window_row(const Windows *g, int64_t p, int64_t r, int64_t s);

static inline int64_t nn_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Pieces of at most `size` that n is cut into, and their even size. */
static inline int64_t nn_pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}
static inline int64_t nn_even(int64_t n, int64_t size)
{
    return n == 0 ? 1 : nn_pieces(n, nn_pieces(n, size));
}

#endif
