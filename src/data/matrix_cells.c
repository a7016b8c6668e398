/* matrix_cells: the loops over stored cells, made for FP64 and FP32 from matrix_cells.tmpl.h, and
 * the step from one type to the other.
 *
 * Rounding to FP32 is that of the hardware, to nearest even: beyond FLT_MAX to infinity, below half
 * the least denormal to zero of the same sign, NaN to NaN.  So a nonzero may be lost, and nonzeros
 * are counted on what is stored. */
#include "data/matrix_cells.h"

#include <string.h>

#define CELL double
#define CELLS values
#define NAME(part) part##_fp64
#include "data/matrix_cells.tmpl.h"

#define CELL float
#define CELLS singles
#define NAME(part) part##_fp32
#include "data/matrix_cells.tmpl.h"

int64_t matrix_count_nnz(const double *cells, int64_t n)
{
    return count_fp64(cells, n);
}

int64_t matrix_stored_nnz(const Matrix *m, int64_t at, int64_t n)
{
    return m->singles ? count_fp32(m->singles + at, n) : count_fp64(m->values + at, n);
}

void matrix_compact(Matrix *m)
{
    if (m->singles)
        compact_fp32(m);
    else
        compact_fp64(m);
}

void matrix_put_row(const Matrix *m, int64_t row, Matrix *to, int64_t at)
{
    if (to->singles)
        spread_fp32(m, row, to->singles + at);
    else
        spread_fp64(m, row, to->values + at);
}

void matrix_compress_row(const Matrix *in, int64_t row, int64_t nnz, Matrix *out, int64_t at)
{
    if (in->singles)
        compress_fp32(in->singles + row * in->cols, nnz, out->singles + at, out->col_idx + at);
    else
        compress_fp64(in->values + row * in->cols, nnz, out->values + at, out->col_idx + at);
}

void cells_widen(const float *restrict from, double *restrict to, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = from[i];
}

int64_t cells_narrow(const double *restrict from, float *restrict to, int64_t n)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++) {
        to[i] = (float)from[i];
        nnz += to[i] != 0;
    }
    return nnz;
}
