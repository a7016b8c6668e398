/* Inner loops of dense products with AVX-512: a tile is 8 x 24 cells, 8 x 48 of FP32, in 24
 * registers. */
#if defined(__x86_64__)
#include "kernel/gemm.h"

/* PRODUCTS: of the inner dimension in a round.  The last three: products of the left factor,
 * squares and rows that are asked for before. */
enum { TILE_I = 8, TILE_J = 3, PRODUCTS = 4, AHEAD = 8, SQUARES_AHEAD = 8, ROWS_AHEAD = 8 };
typedef double Vec64 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float Vec32 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double Square64 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float Square32 __attribute__((vector_size(32), aligned(4), may_alias));

#define STAGES(STAGE)                                                                              \
    STAGE(4, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15))                             \
    STAGE(2, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15))                             \
    STAGE(1, (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15))

#define CELL double
#define GEMM_VEC Vec64
#define GEMM_SQUARE Square64
#define GEMM_FMA "vfmadd231pd"
#define GEMM_NAME(part) double_##part
#define GEMM_OPS gemm_ops_avx512
#define GEMM_TYPE GemmOps
#define GEMM_PASS GemmPass
#include "kernel/simd/gemm.tmpl.h"

#define CELL float
#define GEMM_VEC Vec32
#define GEMM_SQUARE Square32
#define GEMM_FMA "vfmadd231ps"
#define GEMM_NAME(part) float_##part
#define GEMM_OPS gemm_ops32_avx512
#define GEMM_TYPE GemmOps32
#define GEMM_PASS GemmPass32
#include "kernel/simd/gemm.tmpl.h"
#else
typedef int gemm_needs_x86;
#endif
