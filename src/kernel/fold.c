/* fold: the folds themselves and how they run over contiguous cells and over matrices.
 *
 * The loops are made from fold.tmpl.h, here for every machine and in simd/ for wider vectors.
 * Invariant: the tree of combinations depends on shapes alone.  Cost: one pass over the cells. */
#include "kernel/fold.h"

#include <math.h>

#define FOLD_TABLE folds_plain
#define FOLD_WIDTH 2
#include "kernel/fold.tmpl.h"

const Fold *fold_get(CpuLevel level, FoldKind kind)
{
#ifdef __x86_64__
    if (level >= CPU_AVX2)
        return &folds_avx2[kind];
#else
    (void)level;
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

/* Cells of a tile; those of FP32 are widened into scratch that stays in the cache. */
static int64_t tile_size(const Matrix *m)
{
    return m->singles ? FOLD_SINGLES : FOLD_TILE;
}

static int64_t tiles_of(const Matrix *m, int64_t n)
{
    return (n + tile_size(m) - 1) / tile_size(m);
}

static void run_single(const Fold *f, const Matrix *m, int64_t at, int64_t n, double shift,
                       Sum2 *acc)
{
    double scratch[FOLD_SINGLES];

    widen_ahead(m, at, n, scratch);
    f->run(scratch, n, shift, acc);
}

/* A tile of the n stored cells from `at` on. */
static Sum2 fold_tile(const Fold *f, const Matrix *m, int64_t at, int64_t n, double shift,
                      int64_t tile)
{
    const int64_t size = tile_size(m), begin = tile * size;
    const int64_t count = n - begin < size ? n - begin : size;
    Sum2 part = fold_start(f);

    if (m->singles)
        run_single(f, m, at + begin, count, shift, &part);
    else
        f->run(m->values + at + begin, count, shift, &part);
    return part;
}

void fold_cells_here(const Fold *f, const Matrix *m, int64_t at, int64_t n, double shift, Sum2 *acc)
{
    if (n <= tile_size(m)) {
        *acc = fold_tile(f, m, at, n, shift, 0);
        return;
    }
    for (int64_t tile = 0; tile < tiles_of(m, n); tile++)
        f->merge(acc, fold_tile(f, m, at, n, shift, tile));
}

typedef struct CellsJob {
    const Fold *fold;
    const Matrix *m;
    int64_t n;
    double shift;
    Sum2 *parts; /* one a tile */
} CellsJob;

static ml_status cells_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CellsJob *job = arg;

    (void)ctx;
    for (int64_t tile = lo; tile < hi; tile++)
        job->parts[tile] = fold_tile(job->fold, job->m, 0, job->n, job->shift, tile);
    return ML_OK;
}

/* The first n stored cells, the tiles as tasks. */
static ml_status fold_cells(Ctx *ctx, const Fold *f, const Matrix *m, int64_t n, double shift,
                            Sum2 *acc)
{
    const int64_t tiles = tiles_of(m, n);
    const size_t bytes = (size_t)tiles * sizeof(Sum2);
    CellsJob job = {f, m, n, shift, NULL};
    ml_status st;

    if (tiles < 4) {
        for (int64_t tile = 0; tile < tiles; tile++)
            f->merge(acc, fold_tile(f, m, 0, n, shift, tile));
        return ML_OK;
    }
    job.parts = pool_alloc(ctx, bytes);
    if (!job.parts)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, task_grain(tile_size(m)), cells_task, &job);
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
    if (m->format == MATRIX_HYPER) {
        TRY(fold_matrix(ctx, f, m->compact, shift, acc));
        fold_repeat(f, 0, cells - matrix_cells(m->compact), shift, acc);
        return ML_OK;
    }
    if (m->format == MATRIX_DENSE)
        return fold_cells(ctx, f, m, cells, shift, acc);
    TRY(fold_cells(ctx, f, m, m->nnz, shift, acc));
    fold_repeat(f, 0, cells - m->nnz, shift, acc);
    return ML_OK;
}
