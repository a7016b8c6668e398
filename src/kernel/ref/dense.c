/* Inner loops on dense cells for every machine: the twin of the tuned forms, from the same source.
 */
#include "kernel/dense.h"

#include <math.h>

enum { W = 2, TILE_I = 4, TILE_J = 2 };
typedef double VEC __attribute__((vector_size(16), aligned(8), may_alias));
#define FMA(a, b, c) ((a) * (b) + (c))
#define FMA_EXACT(a, b, c) ((VEC){fma((a)[0], (b)[0], (c)[0]), fma((a)[1], (b)[1], (c)[1])})
#define DENSE_OPS dense_ops_plain
#include "kernel/simd/dense.tmpl.h"
