/* The loops for AVX-512. */
#ifdef __x86_64__
#define CELL_LOOPS cell_loops_avx512
#include "kernel/simd/cells.tmpl.h"
#endif
