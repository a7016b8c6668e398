/* Decompositions of dense row-major cells, private to linalg*.c; fft.c copies operands by it too.
 *
 * The plain forms (ref/) need no library.  They serve small matrices, where they are as fast as
 * LAPACK and have the digits and signs of the textbook algorithms, and machines without OpenBLAS.
 */
#ifndef DECOMPOSE_H
#define DECOMPOSE_H

#include "kernel/kernel.h"

enum { PLAIN_MAX = 32 }; /* order up to which the plain forms are used in any case */

/* P A = L U in place, by rows perm[i] of A; unit L below the diagonal, U on and above it.  The sign
 * of the permutation; *zero is the first column without pivot other than 0, or -1. (ref/lu.c) */
int plain_lu(double *a, int64_t n, int64_t *perm, int64_t *zero);
/* b (n x k) becomes x with A x = b. */
void plain_lu_solve(const double *lu, const int64_t *perm, int64_t n, const double *b, int64_t k,
                    double *x);

/* A = L t(L) in place, zero above the diagonal; the row that shows A not to be positive definite,
 * or -1. (ref/cholesky.c) */
int64_t plain_cholesky(double *a, int64_t n);

/* Householder QR of a (m x n), which becomes R: zero below the diagonal.  v (m x n) gets the
 * vectors: reflection k is I - v t(v) / (-r[k,k] v[k]); 0 where there is nothing to reflect.  work:
 * n cells. (ref/qr.c) */
void plain_qr(double *a, int64_t m, int64_t n, double *v, double *work);
/* Vectors to the scale that qr() gives them, where reflection k is I - h t(h) / h[k]. */
void plain_qr_scale(double *v, const double *r, int64_t m, int64_t n);
/* b (n x k) becomes x with A x = b, from v and r of a square A; the first column whose r is 0, or
 * -1. work: k cells. */
int64_t plain_qr_solve(const double *v, const double *r, int64_t n, double *b, int64_t k,
                       double *work);

/* Eigenvalues of a symmetric a in ascending order and eigenvectors as the columns of v; a is
 * destroyed.  False when the rotations do not converge. (ref/eigen.c) */
bool plain_eigen(double *a, int64_t n, double *w, double *v);

/* a (m x n, m >= n) = u diag(s) t(v), s descending; a is destroyed.  u: m x n, v: n x n, e: n,
 * work: m cells.  False when the iteration does not converge. (ref/svd.c) */
bool plain_svd(double *a, int64_t m, int64_t n, double *u, double *s, double *v, double *e,
               double *work);

/* Eigenvalues of a symmetric a with cells, finite, in ascending order and eigenvectors as the
 * columns of v (n x n); a is destroyed. (linalg_spectral.c) */
ml_status linalg_symmetric_eigen(Ctx *ctx, const OpCall *call, Matrix *a, double *w, double *v);

/* A dense copy of operand k that nobody else has; NULL on failure. */
ml_status linalg_copy(Ctx *ctx, const OpCall *call, int k, Matrix **out);
/* Operand k as well, which must be square. */
ml_status linalg_square(Ctx *ctx, const OpCall *call, int k, Matrix **out);
/* ML_EVALUE naming the first cell that is NaN or infinite. */
ml_status linalg_finite(Ctx *ctx, const OpCall *call, const Matrix *m);
/* First cell [i,j] of a square matrix that differs from [j,i] by more than rounding. */
bool linalg_symmetric(const Matrix *m, int64_t *i, int64_t *j);
/* LAPACK when it is there and serves an order of n; else NULL. */
const Blas *linalg_blas(const Ctx *ctx, int64_t n);
/* y = t(x), both of their own; x is rows x cols. */
void linalg_transpose(const Ctx *ctx, const double *x, int64_t rows, int64_t cols, double *y);
/* Zeroed cells from the pool. */
ml_status linalg_scratch(Ctx *ctx, int64_t cells, double **out);
void linalg_scratch_free(Ctx *ctx, double *p, int64_t cells);

#endif
