/* Operands of a kernel call from words: what a row of kernels_agree.def says about each argument.
 *
 *     m(r,c)   cells of any size, of the setting's density, some NaN and infinite when it says so
 *     i(r,c)   the same with small whole numbers, so that cells repeat
 *     g(r,c)   whole numbers from 1 to 5, all of them there: groups, categories
 *     w(r,c)   whole numbers from 0 to 3 of the setting's density: weights, counts
 *     u(r,c)   evenly between 0 and 1, all of them there: probabilities
 *     d(r,r)   m with a heavy diagonal, so that it can be inverted; s(r,r) symmetric besides
 *     f(n,c)   a frame of n texts a, b ... with codes; x(r,c) one of texts that these codes know
 *     l(r,c)   a list of two m
 *     [r,2,c]  a list of numbers   'text'   TRUE   2.5   r   c   -  (absent)
 *
 * r and c are the setting's rows and columns, n and k the same but at most 64 and 300, which keeps
 * products and decompositions short; a size may also be a number. */
#ifndef OPERANDS_H
#define OPERANDS_H

#include "data/data.h"

typedef struct Setting {
    int64_t rows, cols;
    double density; /* of cells that are not 0; SAME: all cells are equal */
    bool special;   /* NaN and infinities among the cells */
} Setting;
#define SAME (-1.0)

/* The value of one word; *end: where the word ends.  Exits with a message when it cannot be read.
 */
Value operand_read(Ctx *ctx, const Setting *s, const char *word, uint64_t seed, const char **end);

#endif
