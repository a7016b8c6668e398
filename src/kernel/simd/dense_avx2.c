/* Inner loops on dense cells with AVX2: a tile of tsmm is 4 x 12 cells in 12 registers. */
#if defined(__x86_64__)
#include "kernel/dense.h"

#include <immintrin.h>

enum { W = 4, TILE_I = 4, TILE_J = 3 };
typedef double VEC __attribute__((vector_size(32), aligned(8), may_alias));
#define FMA(a, b, c) ((VEC)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define FMA_EXACT FMA
#define DENSE_OPS dense_ops_avx2
#include "kernel/simd/dense.tmpl.h"
#else
typedef int dense_needs_x86;
#endif
