/* The random loops for AVX2. */
#if defined(__x86_64__)
#include <immintrin.h>

#define RANDOM_LOOPS random_loops_avx2
#define RANDOM_LANES 4
#define RANDOM_MUL(a, b) ((Lanes)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#define RANDOM_HIGH(a) ((Lanes)_mm256_shuffle_epi32((__m256i)(a), 0xF5))
#include "kernel/simd/random.tmpl.h"
#endif
