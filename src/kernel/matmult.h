/* Products of matrices, private to the files matmult*.c.
 *
 * A factor is a matrix or, unmaterialized, its transpose; every form of the product that the table
 * knows is product() of two factors. */
#ifndef MATMULT_H
#define MATMULT_H

#include "kernel/kernel.h"

typedef struct Factor {
    Matrix *m;
    bool t; /* stands for the transpose of m */
} Factor;

static inline int64_t factor_rows(Factor f)
{
    return f.t ? f.m->cols : f.m->rows;
}
static inline int64_t factor_cols(Factor f)
{
    return f.t ? f.m->rows : f.m->cols;
}

/* a %*% b, finished, for factors of any format whose inner dimensions agree. */
ml_status product(Ctx *ctx, Factor a, Factor b, Matrix **out);

/* The same for two dense factors of one type and an inner dimension that is not 0; *out, which may
 * be FP64 although they are FP32, is not finished.
 * (matmult_dense.c) */
ml_status product_dense(Ctx *ctx, Factor a, Factor b, Matrix **out);
/* The same for an `out` of their type, where that pays. (matmult_panels.c) */
bool panels_pay(const Ctx *ctx, Factor a, Factor b);
ml_status product_panels(Ctx *ctx, Factor a, Factor b, Matrix *out);
/* The same when at least one is CSR and none constant; dense ones are FP64.
 * (matmult_sparse.c) */
ml_status product_sparse(Ctx *ctx, Factor a, Factor b, Matrix **out);
/* Both CSR, as they are, of any type; their cells are finite. (matmult_csr.c) */
ml_status product_csr(Ctx *ctx, const Matrix *a, const Matrix *b, Matrix **out);

/* f %*% t(f), finished: one triangle is computed and mirrored. (matmult_self.c) */
ml_status product_self(Ctx *ctx, Factor f, Matrix **out);
/* At least the upper triangle of that for a dense f, by BLAS, into c. (matmult_dense.c) */
ml_status product_triangle(Ctx *ctx, Factor f, double *c);

/* out = s d for a CSR s of any type and a dense FP64 d, here and below. (matmult_sparse.c) */
ml_status csr_times(Ctx *ctx, Factor s, Factor d, double *out);
/* out = s d, d with n cells a row; NaN where absent cells met cells that are not finite, unless d
 * is finite. (matmult_gather.c) */
ml_status csr_gather(Ctx *ctx, const Matrix *s, const double *d, int64_t n, bool finite,
                     double *out);
/* out = t(s) d, d with n cells a row, all finite. (matmult_scatter.c) */
ml_status csr_scatter(Ctx *ctx, const Matrix *s, const double *d, int64_t n, double *out);
/* t(x) %*% (w * (x %*% v)) for a CSR x; w may be NULL. (matmult_scatter.c) */
ml_status csr_chain(Ctx *ctx, Matrix *x, const double *v, const double *w, double *out);

/* The upper triangle of t(x) x for a CSR x of finite cells into c. (matmult_gram.c) */
ml_status csr_gram(Ctx *ctx, const Matrix *x, double *c);
bool csr_gram_pays(const Matrix *x); /* beside the general product */

/* c = op(a) op(b), or c += when `add`, with general strides. */
typedef struct Gemm {
    int64_t m, n, k;
    const double *a, *b;
    int64_t a_row, a_col; /* from a cell to the one in the next row, column of op(a) */
    int64_t b_row, b_col;
    double *c;
    int64_t ldc;
    bool add;
} Gemm;
/* The twin of dgemm, and faster than it on small matrices. (ref/gemm.c) */
void gemm_plain(const Gemm *g);
/* By BLAS where that pays, on the calling thread: for the tiles of other kernels.  Rows or columns
 * of each factor lie cell by cell. (matmult_dense.c) */
void gemm(const Ctx *ctx, const Gemm *g);

/* Products with a narrow side, which reading the wide side bounds. (matmult_narrow.c)
 * y[i * y_row + c * y_vec] = row i of x . vector c; the vectors are the rows of v, x.cols long. */
typedef struct NarrowDots {
    const Matrix *x; /* dense, FP64 or FP32; what is below says how to read it */
    int64_t rows, cols;
    const double *v;
    int64_t vectors;
    double *y;
    int64_t y_row, y_vec;
} NarrowDots;
ml_status narrow_dots(Ctx *ctx, const NarrowDots *d);

/* c = x times few columns (FEW_WIDEST), whose cell (p, j) is b[p * b_row + j * b_col]; x is dense,
 * FP64 or FP32, and so is c. */
typedef struct NarrowFew {
    const Matrix *x;
    const double *b;
    int64_t n, b_row, b_col;
    Matrix *c;
} NarrowFew;
bool narrow_few_pays(bool singles, int64_t inner, int64_t n);
ml_status narrow_few(Ctx *ctx, const NarrowFew *f);
/* The columns as DenseOps.few takes them: inner x few_width(n) cells. */
void few_pack(const double *b, int64_t b_row, int64_t b_col, int64_t inner, int64_t n, double *out);

/* out[c * cols + j] = sum over i of w[i * w_row + c * w_vec] * x[i,j].  With v: the weights are
 * those times (x %*% v), one vector: t(x) %*% (w * (x %*% v)), w may be NULL. */
typedef struct NarrowSums {
    const Matrix *x; /* likewise */
    int64_t rows, cols;
    const double *w;
    int64_t vectors, w_row, w_vec;
    const double *v;
    double *out;
} NarrowSums;
ml_status narrow_sums(Ctx *ctx, const NarrowSums *s);

/* Reduction over slices: partial results one after the other, `count` of them of n cells, added in
 * their order into out. */
ml_status add_partials(Ctx *ctx, const double *partials, int64_t count, int64_t n, double *out);
/* Cells for that; count * n may overflow.  Release with partials_free. */
ml_status partials_new(Ctx *ctx, int64_t count, int64_t n, double **out);
void partials_free(Ctx *ctx, double *partials, int64_t count, int64_t n);

#endif
