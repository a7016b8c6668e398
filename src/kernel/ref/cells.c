/* The loops for the baseline of the build. */
#define CELL_LOOPS cell_loops_plain
#include "kernel/simd/cells.tmpl.h"
