/* What reorganising kernels offer to other families. */
#ifndef REORG_H
#define REORG_H

#include "kernel/kernel.h"

/* The transpose, in the format of m; not finished. */
ml_status matrix_transpose(Ctx *ctx, const Matrix *m, Matrix **out);

/* The cells of m in row-major (byrow) or column-major order as a matrix of another shape with as
 * many cells; not finished, nnz that of m. */
ml_status matrix_reshape(Ctx *ctx, Matrix *m, int64_t rows, int64_t cols, bool byrow, Matrix **out);

#endif
