/* Products by index equations, private to einsum*.c.
 *
 * An index is a letter; 0 stands for a dimension of size 1 that has none. */
#ifndef EINSUM_H
#define EINSUM_H

#include "kernel/kernel.h"

enum { LETTERS = 128 }; /* ASCII */

typedef struct Tensor {
    Matrix *m;
    char row, col; /* may be the same: then the diagonal is meant */
} Tensor;

static inline bool tensor_has(const Tensor *t, char letter)
{
    return letter && (t->row == letter || t->col == letter);
}

/* Sum of the products of n tensors over the indexes other than row and col, as a finished matrix;
 * sizes by letter, that of 0 is 1. (einsum_loops.c) */
ml_status einsum_loops(Ctx *ctx, const Tensor *in, int n, const int64_t *sizes, char row, char col,
                       Matrix **out);

#endif
