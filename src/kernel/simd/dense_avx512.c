/* Inner loops on dense cells with AVX-512: a tile of tsmm is 8 x 24 cells in 24 registers. */
#if defined(__x86_64__)
#include "kernel/dense.h"

#include <immintrin.h>

enum { W = 8, TILE_I = 8, TILE_J = 3 };
typedef double VEC __attribute__((vector_size(64), aligned(8), may_alias));
#define FMA(a, b, c) ((VEC)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define FMA_EXACT FMA
#define DENSE_OPS dense_ops_avx512
#include "kernel/simd/dense.tmpl.h"
#else
typedef int dense_needs_x86;
#endif
