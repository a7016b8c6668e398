/* The inner loops of large dense products, once for each instruction set with fused multiply-add
 * and for FP64 and FP32: simd/gemm_avx512.c and simd/gemm_avx2.c, from simd/gemm.tmpl.h.
 *
 * The right factor comes packed into panels of `width` columns: row p of a panel lies at p * width,
 * padded with zeros.  Each cell of the result adds up fused, in the order of the inner dimension,
 * so its digits depend neither on the instruction set nor on how the result is divided. */
#ifndef GEMM_H
#define GEMM_H

#include "kernel/kernel.h"

/* c = a b, or c += when `add`, for `rows` rows of a, lda cells apart, and the first `cols` columns
 * of a panel. */
typedef struct GemmOps {
    int64_t width;
    void (*panel)(const double *a, int64_t lda, int64_t rows, int64_t inner, const double *panel,
                  int64_t cols, bool add, double *c, int64_t ldc);
} GemmOps;

typedef struct GemmOps32 {
    int64_t width;
    void (*panel)(const float *a, int64_t lda, int64_t rows, int64_t inner, const float *panel,
                  int64_t cols, bool add, float *c, int64_t ldc);
} GemmOps32;

#if defined(__x86_64__)
extern const GemmOps gemm_ops_avx2, gemm_ops_avx512;
extern const GemmOps32 gemm_ops32_avx2, gemm_ops32_avx512;
#endif

#endif
