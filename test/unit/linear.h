/* What the tests of products and decompositions share besides kernel_case.h: formats, operators
 * with several results, plain results to compare with. */
#ifndef LINEAR_H
#define LINEAR_H

#include "kernel_case.h"

/* The same matrix in a format; takes m. */
Matrix *in_format(Matrix *m, MatrixFormat format);

/* Call the kernel of an operator on borrowed operands; the status, results into out. */
ml_status call_values(OpCode op, KernelFn k, int nin, Value *in, int nout, Value *out);
/* With matrices only and one result, which must succeed. */
Matrix *call_matrices(OpCode op, KernelFn k, int nin, Matrix **in);

double cell(const Matrix *m, int64_t i, int64_t j);
/* Shape, format rule and exact nnz; cells within tol of those of want. NaN equals NaN, infinities
 * equal themselves. */
void assert_matrix_near(const Matrix *got, const Matrix *want, double tol);
void assert_matrix_same(const Matrix *got, const Matrix *want); /* bit for bit */
void assert_exact_nnz(const Matrix *m);

/* op(a) op(b) as three loops, in dense cells. */
Matrix *plain_product(const Matrix *a, bool ta, const Matrix *b, bool tb);

#endif
