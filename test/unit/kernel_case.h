/* Calling kernels from unit tests: matrices from text or at random in a format of choice, a call in
 * one line, cells compared with text. */
#ifndef KERNEL_CASE_H
#define KERNEL_CASE_H

#include "ml_test.h"

#include "kernel/kernel.h"

/* Dense, from numbers separated by blanks, row by row; NaN and Infinity are understood. */
Matrix *case_matrix(int64_t rows, int64_t cols, const char *cells);
/* Dense, with about `density` cells other than 0, standard normal; the same for the same seed. */
Matrix *case_random(int64_t rows, int64_t cols, double density, uint64_t seed);
/* The same cells in CSR, whatever their density; a reference of its own. */
Matrix *case_csr(const Matrix *m);
uint64_t case_bits(uint64_t *state); /* random bits */

/* Call a kernel; the operands' references are taken.  The result is the caller's. */
ml_status case_try(OpCode op, KernelFn kernel, const Value *in, int nin, Value *out);
Value case_run(OpCode op, KernelFn kernel, const Value *in, int nin);
#define CASE_RUN(name, ...)                                                                        \
    case_run(OP_##name, ml_k_##name, (Value[]){__VA_ARGS__},                                       \
             (int)(sizeof((Value[]){__VA_ARGS__}) / sizeof(Value)))
#define CASE_NUMBER(name, ...) case_number(CASE_RUN(name, __VA_ARGS__))
#define CASE_FAILS(name, code, ...)                                                                \
    case_fails(OP_##name, ml_k_##name, code, (Value[]){__VA_ARGS__},                               \
               (int)(sizeof((Value[]){__VA_ARGS__}) / sizeof(Value)))
void case_fails(OpCode op, KernelFn kernel, ml_status code, const Value *in, int nin);
double case_number(Value v);       /* of a scalar, which is released */
Value case_text(const char *text); /* a string scalar */
static inline Value case_share(Matrix *m)
{
    return value_matrix(matrix_retain(m));
}

/* The matrix has this shape and these cells, to a relative tolerance; it is released.  Bitwise for
 * 0. */
void assert_cells(Value m, int64_t rows, int64_t cols, const char *cells, double tolerance);
void assert_close(double found, double expected, double tolerance);
/* Same shape and bitwise the same cells (all NaN are one); both are released. */
void assert_same_matrix(Value a, Value b);

#endif
