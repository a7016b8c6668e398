/* The loops for AVX2. */
#ifdef __x86_64__
#define CELL_LOOPS cell_loops_avx2
#include "kernel/simd/cells.tmpl.h"
#endif
