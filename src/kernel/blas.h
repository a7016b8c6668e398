/* The Fortran entry points of OpenBLAS that the kernels call, found at run time by blas.c.
 * Arguments follow the Fortran convention: by reference, matrices by columns, so a row-major matrix
 * is seen as its transpose. */
#ifndef BLAS_H
#define BLAS_H

#include "kernel/kernel.h"

typedef const char *BlasFlag;
typedef const int *BlasInt;
typedef double *BlasOut;
typedef const double *BlasIn;
typedef const float *BlasSingle;

struct Blas {
    void (*dgemm)(BlasFlag ta, BlasFlag tb, BlasInt m, BlasInt n, BlasInt k, BlasIn alpha, BlasIn a,
                  BlasInt lda, BlasIn b, BlasInt ldb, BlasIn beta, BlasOut c, BlasInt ldc);
    void (*sgemm)(BlasFlag ta, BlasFlag tb, BlasInt m, BlasInt n, BlasInt k, BlasSingle alpha,
                  BlasSingle a, BlasInt lda, BlasSingle b, BlasInt ldb, BlasSingle beta, float *c,
                  BlasInt ldc);
    void (*dgetrf)(BlasInt m, BlasInt n, BlasOut a, BlasInt lda, int *ipiv, int *info);
    void (*dgetrs)(BlasFlag trans, BlasInt n, BlasInt nrhs, BlasIn a, BlasInt lda, BlasInt ipiv,
                   BlasOut b, BlasInt ldb, int *info);
    void (*dgetri)(BlasInt n, BlasOut a, BlasInt lda, BlasInt ipiv, BlasOut work, BlasInt lwork,
                   int *info);
    void (*dpotrf)(BlasFlag uplo, BlasInt n, BlasOut a, BlasInt lda, int *info);
    void (*dgeqrf)(BlasInt m, BlasInt n, BlasOut a, BlasInt lda, BlasOut tau, BlasOut work,
                   BlasInt lwork, int *info);
    void (*dsyevd)(BlasFlag jobz, BlasFlag uplo, BlasInt n, BlasOut a, BlasInt lda, BlasOut w,
                   BlasOut work, BlasInt lwork, int *iwork, BlasInt liwork, int *info);
    void (*dgeev)(BlasFlag jobvl, BlasFlag jobvr, BlasInt n, BlasOut a, BlasInt lda, BlasOut wr,
                  BlasOut wi, BlasOut vl, BlasInt ldvl, BlasOut vr, BlasInt ldvr, BlasOut work,
                  BlasInt lwork, int *info);
    void (*dgesdd)(BlasFlag jobz, BlasInt m, BlasInt n, BlasOut a, BlasInt lda, BlasOut s,
                   BlasOut u, BlasInt ldu, BlasOut vt, BlasInt ldvt, BlasOut work, BlasInt lwork,
                   int *iwork, int *info);
    void (*set_threads)(int threads);
};

#endif
