/* Loops of the cell-wise operators over arrays, one set an instruction set.
 *
 * The same templates are compiled for the baseline, for AVX2 and for AVX-512; as every cell
 * function is a fixed sequence of IEEE operations (op/cell.h), all sets give the same digits.  A
 * loop returns how many of its results are not zero.  `out` may be an operand, not overlap one
 * otherwise. */
#ifndef SIMD_CELLS_H
#define SIMD_CELLS_H

#include "kernel/kernel.h"

typedef struct CellLoops {
    int64_t (*unary)(const double *x, double *out, int64_t n);
    int64_t (*vv)(const double *x, const double *y, double *out, int64_t n); /* cells with cells */
    int64_t (*vs)(const double *x, double y, double *out, int64_t n); /* cells with a scalar */
    int64_t (*sv)(double x, const double *y, double *out, int64_t n); /* a scalar with cells */
} CellLoops;

extern const CellLoops cell_loops_plain[OP_COUNT];
#ifdef __x86_64__
extern const CellLoops cell_loops_avx2[OP_COUNT];
extern const CellLoops cell_loops_avx512[OP_COUNT];
#endif

/* The set of the level; the loops that an operator lacks are NULL. */
const CellLoops *cell_loops_at(CpuLevel level, OpCode op);

/* The operators with loops of their own, by their cell functions' names. */
/* clang-format off */
#define CELL_LOOPS_UNARY(X)                                                                        \
    X(abs) X(sqrt) X(exp) X(sign) X(round) X(floor) X(ceil) X(sin) X(cos) X(tan) X(asin) X(acos)   \
    X(atan) X(sinh) X(cosh) X(tanh) X(is_nan) X(is_infinite) X(not) X(neg) X(plus)
#define CELL_LOOPS_BINARY(X)                                                                       \
    X(add) X(sub) X(mul) X(div) X(mod) X(intdiv) X(lt) X(le) X(gt) X(ge) X(eq) X(ne) X(and) X(or)  \
    X(xor) X(min) X(max)
/* clang-format on */

#endif
