/* The random loops for AVX-512. */
#if defined(__x86_64__)
#include <immintrin.h>

#define RANDOM_LOOPS random_loops_avx512
#define RANDOM_LANES 8
#define RANDOM_MUL(a, b) ((Lanes)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))
#define RANDOM_HIGH(a) ((Lanes)_mm512_shuffle_epi32((__m512i)(a), 0xF5))
#include "kernel/simd/random.tmpl.h"
#endif
