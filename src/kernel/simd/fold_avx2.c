/* The folds in 256-bit vectors: the template of fold.tmpl.h, nothing else. */
#include "kernel/fold.h"

#include <math.h>

#ifdef __x86_64__
#define FOLD_TABLE folds_avx2
#define FOLD_WIDTH 4
#include "kernel/fold.tmpl.h"
#endif
