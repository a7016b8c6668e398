/* The loops over stored cells, for cells of both types.  Private to data/. */
#ifndef DATA_MATRIX_CELLS_H
#define DATA_MATRIX_CELLS_H

#include "data/data.h"

/* Drop explicit zeros from a CSR matrix that nobody else has yet. */
void matrix_compact(Matrix *m);
/* The first nnz nonzeros of a dense row as entries of a CSR matrix of its type, from `at` on. */
void matrix_compress_row(const Matrix *in, int64_t row, int64_t nnz, Matrix *out, int64_t at);

#endif
