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

/* ---- from one type to the other: for the baseline and for wider vectors, with the same result
 * ---- */

enum { COUNT_BLOCK = 1 << 20 }; /* cells whose count fits an int, lane by lane */

static inline __attribute__((always_inline)) void widen(const float *restrict from,
                                                        double *restrict to, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = from[i];
}

static inline __attribute__((always_inline)) int64_t narrow(const double *restrict from,
                                                            float *restrict to, int64_t n)
{
    int64_t nnz = 0;

    for (int64_t begin = 0; begin < n; begin += COUNT_BLOCK) {
        const int64_t end = n - begin < COUNT_BLOCK ? n : begin + COUNT_BLOCK;
        int count = 0;

        for (int64_t i = begin; i < end; i++) {
            to[i] = (float)from[i];
            count += to[i] != 0;
        }
        nnz += count;
    }
    return nnz;
}

#ifdef __x86_64__
/* Both for one instruction set. */
#define CELLS_FOR(set, features)                                                                   \
    __attribute__((target(features))) static void widen_##set(const float *from, double *to,       \
                                                              int64_t n)                           \
    {                                                                                              \
        widen(from, to, n);                                                                        \
    }                                                                                              \
    __attribute__((target(features))) static int64_t narrow_##set(const double *from, float *to,   \
                                                                  int64_t n)                       \
    {                                                                                              \
        return narrow(from, to, n);                                                                \
    }
CELLS_FOR(avx2, "avx2")
#ifdef __clang__ /* it takes the full width without being asked */
CELLS_FOR(avx512, "avx512f,avx512vl")
#else
CELLS_FOR(avx512, "avx512f,avx512vl,prefer-vector-width=512")
#endif

void cells_widen(const float *from, double *to, int64_t n)
{
    if (__builtin_cpu_supports("avx512vl"))
        widen_avx512(from, to, n);
    else if (__builtin_cpu_supports("avx2"))
        widen_avx2(from, to, n);
    else
        widen(from, to, n);
}

int64_t cells_narrow(const double *from, float *to, int64_t n)
{
    if (__builtin_cpu_supports("avx512vl"))
        return narrow_avx512(from, to, n);
    return __builtin_cpu_supports("avx2") ? narrow_avx2(from, to, n) : narrow(from, to, n);
}
#else
void cells_widen(const float *from, double *to, int64_t n)
{
    widen(from, to, n);
}

int64_t cells_narrow(const double *from, float *to, int64_t n)
{
    return narrow(from, to, n);
}
#endif
