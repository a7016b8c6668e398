/* The inner loops of large dense products, once for each instruction set with fused multiply-add
 * and for FP64 and FP32: simd/gemm_avx512.c and simd/gemm_avx2.c, from simd/gemm.tmpl.h.
 *
 * The right factor comes packed into panels of `width` columns: cell p of column j lies at
 * p * width + j, padded with zeros.  The left one comes as it lies, or packed into groups of
 * `height` rows, where cell p of row i lies at p * height + i.  Each cell of the result adds up
 * fused, in the order of the inner dimension, so its digits depend neither on the instruction set
 * nor on how the result is divided. */
#ifndef GEMM_H
#define GEMM_H

#include "kernel/kernel.h"

/* PASS of CELL: c = a b, or c += when `add`, for `rows` rows, `row` cells apart and a group of
 * `height` of them `group` cells after the one before, packed or as they lie, and for the first
 * `cols` columns of a panel.  The panel `next` is asked for meanwhile.
 *
 * TYPE is a table of the loops.  pack_left, pack_right: `lanes` of the rows of a group, or of the
 * columns of a panel, lane_step cells apart, from as many cells of each as `inner` says, inner_step
 * apart.  One of the steps is 1. */
#define GEMM_TABLE(TYPE, PASS, CELL)                                                               \
    typedef struct PASS {                                                                          \
        const CELL *a;                                                                             \
        int64_t row, group, rows, inner;                                                           \
        bool packed;                                                                               \
        const CELL *panel, *next;                                                                  \
        int64_t cols;                                                                              \
        CELL *c;                                                                                   \
        int64_t ldc;                                                                               \
        bool add;                                                                                  \
    } PASS;                                                                                        \
    typedef struct TYPE {                                                                          \
        int64_t height, width;                                                                     \
        void (*tiles)(const PASS *pass);                                                           \
        void (*pack_left)(const CELL *from, int64_t lanes, int64_t lane_step, int64_t inner,       \
                          int64_t inner_step, CELL *out);                                          \
        void (*pack_right)(const CELL *from, int64_t lanes, int64_t lane_step, int64_t inner,      \
                           int64_t inner_step, CELL *out);                                         \
    } TYPE
GEMM_TABLE(GemmOps, GemmPass, double);
GEMM_TABLE(GemmOps32, GemmPass32, float);
#undef GEMM_TABLE

#if defined(__x86_64__)
extern const GemmOps gemm_ops_avx2, gemm_ops_avx512;
extern const GemmOps32 gemm_ops32_avx2, gemm_ops32_avx512;
#endif

#endif
