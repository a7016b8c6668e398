/* Sketches of where nonzeros lie: their number in each row and in each column.
 *
 * The idea is that of Sommer, Boehm, Evfimievski, Reinwald, Haas: "MNC: Structure-Exploiting
 * Sparsity Estimation for Matrix Expressions", SIGMOD 2019.  Counts tell far more of a product than
 * a density does: a selection of rows, a permutation, a one-hot matrix, a diagonal give exact
 * answers, skewed rows and columns good ones.  Estimates are of expected values, not bounds, so no
 * memory budget rests on them. */
#ifndef SKETCH_H
#define SKETCH_H

#include "data/data.h"

typedef struct Sketch {
    int64_t rows, cols;
    double nnz;                      /* the sum of either list */
    double *row, *col;               /* nonzeros of each row, each column */
    double most_in_row, most_in_col; /* the largest of them */
    double rows_in_use, cols_in_use; /* that have any */
    bool exact;                      /* counted, or concluded from counts without a guess */
    bool diagonal;                   /* square, all nonzeros on the diagonal */
} Sketch;

/* All NULL when memory is exhausted. */
Sketch *sketch_of(Arena *a, const Matrix *m); /* cost: nonzeros of a CSR; rows + columns else */
Sketch *sketch_even(Arena *a, int64_t rows, int64_t cols, double nnz); /* of nnz spread evenly */
Sketch *sketch_product(Arena *a, const Sketch *x, const Sketch *y);
Sketch *sketch_transposed(Arena *a, const Sketch *x);

/* The operands of an operator: a sketch for each matrix, NULL for scalars and what has none. */
typedef struct SketchCall {
    Arena *arena;
    int nin;
    Sketch *const *in;
    int64_t rows, cols; /* of the result */
} SketchCall;

/* Rules for the column `sketch`; NULL when nothing better than an even spread is known. */
typedef Sketch *(*SketchFn)(const SketchCall *c);
Sketch *sketch_matmult(const SketchCall *c);
Sketch *sketch_matmult_tn(const SketchCall *c);
Sketch *sketch_matmult_nt(const SketchCall *c);
Sketch *sketch_tsmm(const SketchCall *c);
Sketch *sketch_tsmm_right(const SketchCall *c);
Sketch *sketch_transpose(const SketchCall *c);
Sketch *sketch_cbind(const SketchCall *c);
Sketch *sketch_rbind(const SketchCall *c);
Sketch *sketch_both(const SketchCall *c);   /* a cell needs both operands': X * Y */
Sketch *sketch_either(const SketchCall *c); /* one suffices: X + Y */
Sketch *sketch_diag(const SketchCall *c);
Sketch *sketch_same(const SketchCall *c); /* that of the first operand */

#endif
