/* fold: reducing cells to one - sums, sums of squared deviations, products, extremes - over
 * contiguous cells, down columns and over whole matrices of any format.  Private to the kernels.
 *
 * Every fold runs over fixed tiles of TILE cells with LANES interleaved accumulators and combines
 * lanes and tiles in a fixed order, so the digits depend neither on the threads nor on the width
 * of the machine's vectors. */
#ifndef FOLD_H
#define FOLD_H

#include "kernel/kernel.h"
#include "kernel/simd/ahead.h"
#include "kernel/sum2.h"

enum { FOLD_LANES = 8, FOLD_TILE = 16384, FOLD_SINGLES = 4096 /* in FP32, widened before */ };

typedef enum FoldKind { FOLD_SUM, FOLD_SQUARES, FOLD_PROD, FOLD_MIN, FOLD_MAX } FoldKind;

/* How to fold.  An accumulator is a Sum2; products and extremes use s alone and leave c 0.
 * FOLD_SQUARES folds (x - shift)^2; the others ignore shift. */
typedef struct Fold {
    FoldKind kind;
    double start; /* s of the empty fold */
    /* Fold n contiguous cells into *acc, which is at its start. */
    void (*run)(const double *x, int64_t n, double shift, Sum2 *acc);
    /* Fold each column of a rows x cols block into s[j], c[j]. */
    void (*down)(const double *x, int64_t rows, int64_t cols, int64_t stride, const double *shift,
                 double *s, double *c);
    void (*merge)(Sum2 *acc, Sum2 part);
} Fold;

/* That of this machine. */
const Fold *fold_get(CpuLevel level, FoldKind kind);
/* Those of one instruction set, by kind. */
extern const Fold folds_plain[];
#ifdef __x86_64__
extern const Fold folds_avx2[];
#endif

static inline Sum2 fold_start(const Fold *f)
{
    return (Sum2){f->start, 0};
}

/* Account for `count` cells that are all x. */
void fold_repeat(const Fold *f, double x, int64_t count, double shift, Sum2 *acc);
/* n stored cells from `at` on, tile by tile, in the calling task; acc is at its start. */
void fold_cells_here(const Fold *f, const Matrix *m, int64_t at, int64_t n, double shift,
                     Sum2 *acc);
/* All cells of a matrix, zeros of a sparse one included. */
ml_status fold_matrix(Ctx *ctx, const Fold *f, const Matrix *m, double shift, Sum2 *acc);
/* Each column of a matrix with at least one row: result[j], not merged with start.  shift may be
 * NULL. */
ml_status fold_columns(Ctx *ctx, const Fold *f, const Matrix *m, const double *shift, Sum2 *result);
/* The same for CSR. (fold_columns_csr.c) */
ml_status fold_columns_csr(Ctx *ctx, const Fold *f, const Matrix *m, const double *shift,
                           Sum2 *result);

/* ---- statistics made of folds (aggregate.c) ---- */

typedef enum Stat {
    STAT_SUM,
    STAT_SUMSQ,
    STAT_MEAN,
    STAT_PROD,
    STAT_MIN,
    STAT_MAX,
    STAT_VAR,
    STAT_SD
} Stat;

#endif
