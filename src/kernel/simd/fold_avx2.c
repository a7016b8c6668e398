/* Sums in 256-bit vectors: the template of fold_sum.tmpl.h, nothing else. */
#include "kernel/fold.h"

#ifdef __x86_64__

#define FOLD_NAME(part) sum_##part
#define FOLD_WIDTH 4
#define TERM(x, m) (x)
#include "kernel/fold_sum.tmpl.h"

#define FOLD_NAME(part) squares_##part
#define FOLD_WIDTH 4
#define TERM(x, m) (((x) - (m)) * ((x) - (m)))
#include "kernel/fold_sum.tmpl.h"

const SumLoops sum_loops_avx2 = {sum_run, sum_down, squares_run, squares_down};

#endif
