/* The random loops for the baseline of the build. */
#define RANDOM_LOOPS random_loops_plain
#define RANDOM_LANES 2
#define RANDOM_MUL(a, b) (((a)&UINT64_C(0xFFFFFFFF)) * ((b)&UINT64_C(0xFFFFFFFF)))
#define RANDOM_HIGH(a) ((a) >> 32)
#include "kernel/simd/random.tmpl.h"
