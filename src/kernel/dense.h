/* The inner loops on dense cells that exist once for each instruction set: simd/dense_avx512.c,
 * simd/dense_avx2.c and the plain ref/dense.c are made from one source, simd/dense.tmpl.h (and
 * simd/vectors.tmpl.h and simd/sparse.tmpl.h, for FP64 and FP32).
 *
 * Each takes a range and adds in an order that the range alone decides: a dot product in 32 lanes
 * that are folded as a tree, everything else row by row.  Products are rounded before they are
 * added, except in tsmm, whose speed needs fused multiply-add, so that the digits of the others are
 * those of every machine; few fuses on every machine, and is for those that have an instruction for
 * it. */
#ifndef DENSE_H
#define DENSE_H

#include "kernel/kernel.h"

/* A pass of radix 4 of interleaved Fourier transforms (fourier.c).  x is cut into four quarters,
 * these into runs of s cells.  Runs a b c d at the same place p of each go to four runs one after
 * the other in y: a + b + c + d, w (a - ib - c + id), w^2 (a - b + c - d), w^3 (a + ib - c - id),
 * where w is root p * turn. */
typedef struct FourierPass {
    const double *xr, *xi; /* 4 * quarter cells, real and imaginary parts */
    double *yr, *yi;
    int64_t quarter, s;
    const double *root_re, *root_im;
    int64_t turn;
} FourierPass;

typedef struct DenseOps {
    /* c = x b for the rows x inner cells of x, whose rows are ld cells apart, and n <= FEW_WIDEST
     * columns.  Row p of b lies at b + p * few_width(n) and is followed by zeros; rows of c are n
     * cells.  Each cell adds up in the order of the inner dimension. */
    void (*few)(const double *x, int64_t ld, int64_t rows, int64_t inner, const double *b,
                int64_t n, double *c);
    /* y[i * step] = x row i . v, for i in [0, rows); rows of x are ld cells apart. */
    void (*matvec)(const double *x, int64_t ld, int64_t rows, int64_t cols, const double *v,
                   double *y, int64_t step);
    /* out[j] += w[i * step] * x[i,j], adding the rows in order. */
    void (*vecmat)(const double *x, int64_t ld, int64_t rows, int64_t cols, const double *w,
                   int64_t step, double *out);
    /* out[j] += sum over i of w[i] * (x row i . v) * x[i,j], adding the rows in order; w may be
     * NULL.  Reads x once. */
    void (*chain)(const double *x, int64_t rows, int64_t cols, const double *v, const double *w,
                  double *out);
    /* The same for x of FP32 cells; all else, sums too, is doubles. */
    void (*matvec32)(const float *x, int64_t ld, int64_t rows, int64_t cols, const double *v,
                     double *y, int64_t step);
    void (*vecmat32)(const float *x, int64_t ld, int64_t rows, int64_t cols, const double *w,
                     int64_t step, double *out);
    void (*chain32)(const float *x, int64_t rows, int64_t cols, const double *v, const double *w,
                    double *out);
    /* Upper triangle of c += t(x) x, by tiles: cells left of the diagonal are partly written as
     * well.  x comes in panels of PANEL columns, each of `rows` rows, one after the other, the last
     * one padded with zeros; rows of c are `width` cells, a multiple of PANEL. */
    void (*tsmm)(const double *x, int64_t rows, int64_t width, double *c);
    /* y[i] = CSR row i . x, in 8 lanes and a rest; row_ptr of the first row. */
    void (*csr_matvec)(const double *values, const uint32_t *cols, const int64_t *row_ptr,
                       int64_t rows, const double *x, double *y);
    /* out row i = sum over the entries k of CSR row i of values[k] * row cols[k] of d, in order; n
     * cells a row. */
    void (*gather)(const double *values, const uint32_t *cols, const int64_t *row_ptr, int64_t rows,
                   const double *d, int64_t n, double *out);
    /* Row to[k] of out += values[k] * row from[k] of d, for k in [0, count) in order; n cells a
     * row. */
    void (*coo)(const double *values, const uint32_t *from, const uint32_t *to, int64_t count,
                const double *d, int64_t n, double *out);
    /* The same for values of FP32. */
    void (*csr_matvec32)(const float *values, const uint32_t *cols, const int64_t *row_ptr,
                         int64_t rows, const double *x, double *y);
    void (*gather32)(const float *values, const uint32_t *cols, const int64_t *row_ptr,
                     int64_t rows, const double *d, int64_t n, double *out);
    void (*coo32)(const float *values, const uint32_t *from, const uint32_t *to, int64_t count,
                  const double *d, int64_t n, double *out);
    /* out[k] = v . row rows[k] of d, for k in [0, count); n cells a row. */
    void (*row_dots)(const double *d, const uint32_t *rows, int64_t count, int64_t n,
                     const double *v, double *out);
    /* Integer parts of n cells, and the largest; 0 when one is less than 1 or too large, and out is
     * 0 there. */
    int32_t (*whole)(const double *cells, int64_t n, int32_t *out);
    /* Transpose of a tile: y[j * ldy + i] = x[i * ldx + j]. */
    void (*transpose)(const double *x, int64_t ldx, int64_t rows, int64_t cols, double *y,
                      int64_t ldy);
    /* Cells [lo, hi) of a pass: positions in the first quarter of x. */
    void (*fourier4)(const FourierPass *pass, int64_t lo, int64_t hi);
} DenseOps;

enum { PANEL = 8, FEW_WIDEST = 16 };
static inline int64_t few_width(int64_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL;
}

extern const DenseOps dense_ops_plain;
#if defined(__x86_64__)
extern const DenseOps dense_ops_avx2;
extern const DenseOps dense_ops_avx512;
#endif
const DenseOps *dense_ops(const Ctx *ctx); /* those of its level */

/* out = rows [lo, hi) of a CSR s, of either type, times d of n cells a row. */
static inline void csr_rows_times(const DenseOps *ops, const Matrix *s, int64_t lo, int64_t hi,
                                  const double *d, int64_t n, double *out)
{
    const int64_t *row_ptr = s->row_ptr + lo, rows = hi - lo;

    if (n == 1 && s->singles)
        ops->csr_matvec32(s->singles, s->col_idx, row_ptr, rows, d, out);
    else if (n == 1)
        ops->csr_matvec(s->values, s->col_idx, row_ptr, rows, d, out);
    else if (s->singles)
        ops->gather32(s->singles, s->col_idx, row_ptr, rows, d, n, out);
    else
        ops->gather(s->values, s->col_idx, row_ptr, rows, d, n, out);
}

/* Row to[k] of out += entry at + k of s times row from[k] of d, for k in [0, count). */
static inline void csr_entries_times(const DenseOps *ops, const Matrix *s, int64_t at,
                                     const uint32_t *from, const uint32_t *to, int64_t count,
                                     const double *d, int64_t n, double *out)
{
    if (s->singles)
        ops->coo32(s->singles + at, from, to, count, d, n, out);
    else
        ops->coo(s->values + at, from, to, count, d, n, out);
}

/* Is no cell NaN or infinite?  (finite.c) */
ml_status cells_finite(Ctx *ctx, const double *cells, int64_t n, bool *finite);
/* The same of the stored cells, of any type, of a matrix that is not constant. */
ml_status matrix_finite(Ctx *ctx, const Matrix *m, bool *finite);

#endif
