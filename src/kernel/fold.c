/* fold: the folds themselves and how they run over contiguous cells and over matrices.
 *
 * The loops are made from fold.tmpl.h, here for every machine and in simd/ for wider vectors.
 * Invariant: the tree of combinations depends on shapes alone.  Cost: one pass over the cells. */
#include "kernel/fold.h"

#include <math.h>

#define FOLD_TABLE folds_plain
#define FOLD_WIDTH 2
#include "kernel/fold.tmpl.h"

const Fold *fold_get(FoldKind kind)
{
#ifdef __x86_64__
    if (cpu_level() >= CPU_AVX2)
        return &folds_avx2[kind];
#endif
    return &folds_plain[kind];
}

/* count * x as a pair: the product is exact. */
static Sum2 times(double x, int64_t count)
{
    const double s = x * (double)count;

    return (Sum2){s, fma(x, (double)count, -s)};
}

void fold_repeat(const Fold *f, double x, int64_t count, double shift, Sum2 *acc)
{
    if (count == 0)
        return;
    if (f->kind == FOLD_SUM)
        f->merge(acc, times(x, count));
    else if (f->kind == FOLD_SQUARES)
        f->merge(acc, times((x - shift) * (x - shift), count));
    else
        f->merge(acc, (Sum2){f->kind == FOLD_PROD ? pow(x, (double)count) : x, 0});
}

static int64_t tiles_of(int64_t n)
{
    return (n + FOLD_TILE - 1) / FOLD_TILE;
}

static Sum2 fold_tile(const Fold *f, const double *x, int64_t n, double shift, int64_t tile)
{
    const int64_t at = tile * FOLD_TILE, left = n - at;
    Sum2 part = fold_start(f);

    f->run(x + at, left < FOLD_TILE ? left : FOLD_TILE, shift, &part);
    return part;
}

void fold_cells_here(const Fold *f, const double *x, int64_t n, double shift, Sum2 *acc)
{
    for (int64_t tile = 0; tile < tiles_of(n); tile++)
        f->merge(acc, fold_tile(f, x, n, shift, tile));
}

typedef struct CellsJob {
    const Fold *fold;
    const double *x;
    int64_t n;
    double shift;
    Sum2 *parts; /* one a tile */
} CellsJob;

static ml_status cells_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CellsJob *job = arg;

    (void)ctx;
    for (int64_t tile = lo; tile < hi; tile++)
        job->parts[tile] = fold_tile(job->fold, job->x, job->n, job->shift, tile);
    return ML_OK;
}

/* As fold_cells_here, the tiles as tasks; the same digits. */
static ml_status fold_cells(Ctx *ctx, const Fold *f, const double *x, int64_t n, double shift,
                            Sum2 *acc)
{
    const int64_t tiles = tiles_of(n);
    const size_t bytes = (size_t)tiles * sizeof(Sum2);
    CellsJob job = {f, x, n, shift, NULL};
    ml_status st;

    if (tiles < 4) {
        fold_cells_here(f, x, n, shift, acc);
        return ML_OK;
    }
    job.parts = pool_alloc(ctx, bytes);
    if (!job.parts)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, task_grain(FOLD_TILE), cells_task, &job);
    for (int64_t tile = 0; st == ML_OK && tile < tiles; tile++)
        f->merge(acc, job.parts[tile]);
    pool_release(ctx->pool, job.parts, bytes);
    return st;
}

ml_status fold_matrix(Ctx *ctx, const Fold *f, const Matrix *m, double shift, Sum2 *acc)
{
    const int64_t cells = matrix_cells(m);

    if (m->format == MATRIX_CONSTANT) {
        fold_repeat(f, m->constant, cells, shift, acc);
        return ML_OK;
    }
    if (m->format == MATRIX_DENSE)
        return fold_cells(ctx, f, m->values, cells, shift, acc);
    TRY(fold_cells(ctx, f, m->values, m->nnz, shift, acc));
    fold_repeat(f, 0, cells - m->nnz, shift, acc);
    return ML_OK;
}
