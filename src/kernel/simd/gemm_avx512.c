/* Inner loops of dense products with AVX-512: a tile is 8 x 24 cells, 8 x 48 of FP32, in 24
 * registers. */
#if defined(__x86_64__)
#include "kernel/gemm.h"

#include <immintrin.h>

enum { TILE_I = 8, TILE_J = 3, AHEAD_ROWS = 16 };
typedef double Vec64 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float Vec32 __attribute__((vector_size(64), aligned(4), may_alias));

#define CELL double
#define GEMM_VEC Vec64
#define FMA(a, b, c) ((GEMM_VEC)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define GEMM_NAME(part) double_##part
#define GEMM_OPS gemm_ops_avx512
#define GEMM_TYPE GemmOps
#include "kernel/simd/gemm.tmpl.h"

#define CELL float
#define GEMM_VEC Vec32
#define FMA(a, b, c) ((GEMM_VEC)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define GEMM_NAME(part) float_##part
#define GEMM_OPS gemm_ops32_avx512
#define GEMM_TYPE GemmOps32
#include "kernel/simd/gemm.tmpl.h"
#else
typedef int gemm_needs_x86;
#endif
