/* fold: the folds themselves and how they run over contiguous cells and over matrices.
 *
 * Sums are fold_sum.tmpl.h in two vector widths.  Products and extremes are plain loops over lanes,
 * which the compiler vectorizes; NaN wins in all of them.
 * Invariant: the tree of combinations depends on shapes alone.  Cost: one pass over the cells. */
#include "kernel/fold.h"

#include <math.h>

#define FOLD_NAME(part) sum_##part
#define FOLD_WIDTH 2
#define TERM(x, m) (x)
#include "kernel/fold_sum.tmpl.h"

#define FOLD_NAME(part) squares_##part
#define FOLD_WIDTH 2
#define TERM(x, m) (((x) - (m)) * ((x) - (m)))
#include "kernel/fold_sum.tmpl.h"

static const SumLoops plain_loops = {sum_run, sum_down, squares_run, squares_down};

static inline double multiply(double a, double x)
{
    return a * x;
}

/* NaN wins: it is taken when it comes and never compares less afterwards. */
static inline double smaller(double a, double x)
{
    return (x < a) | (x != x) ? x : a;
}

static inline double larger(double a, double x)
{
    return (x > a) | (x != x) ? x : a;
}

#define PICK_NAME(part) prod_##part
#define PICK(a, x) multiply(a, x)
#include "kernel/fold_pick.tmpl.h"

#define PICK_NAME(part) min_##part
#define PICK(a, x) smaller(a, x)
#include "kernel/fold_pick.tmpl.h"

#define PICK_NAME(part) max_##part
#define PICK(a, x) larger(a, x)
#include "kernel/fold_pick.tmpl.h"

static const SumLoops *sum_loops(void)
{
#ifdef __x86_64__
    if (cpu_level() >= CPU_AVX2)
        return &sum_loops_avx2;
#endif
    return &plain_loops;
}

/* The sums go through these, so that the table below can be constant. */
static void any_sum_run(const double *x, int64_t n, double shift, Sum2 *acc)
{
    sum_loops()->sum_run(x, n, shift, acc);
}

static void any_sum_down(const double *x, int64_t rows, int64_t cols, int64_t stride,
                         const double *shift, double *s, double *c)
{
    sum_loops()->sum_down(x, rows, cols, stride, shift, s, c);
}

static void any_squares_run(const double *x, int64_t n, double shift, Sum2 *acc)
{
    sum_loops()->squares_run(x, n, shift, acc);
}

static void any_squares_down(const double *x, int64_t rows, int64_t cols, int64_t stride,
                             const double *shift, double *s, double *c)
{
    sum_loops()->squares_down(x, rows, cols, stride, shift, s, c);
}

const Fold *fold_get(FoldKind kind)
{
    static const Fold folds[] = {
        [FOLD_SUM] = {FOLD_SUM, 0, any_sum_run, any_sum_down, sum2_merge},
        [FOLD_SQUARES] = {FOLD_SQUARES, 0, any_squares_run, any_squares_down, sum2_merge},
        [FOLD_PROD] = {FOLD_PROD, 1, prod_run, prod_down, prod_merge},
        [FOLD_MIN] = {FOLD_MIN, INFINITY, min_run, min_down, min_merge},
        [FOLD_MAX] = {FOLD_MAX, -INFINITY, max_run, max_down, max_merge},
    };

    return &folds[kind];
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

ml_status fold_cells(Ctx *ctx, const Fold *f, const double *x, int64_t n, double shift, Sum2 *acc)
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
