/* Large products of dense matrices, A %*% B and A %*% t(B), by the loops of gemm.h.
 *
 * The inner dimension is cut into slabs.  The right factor's part of a slab is packed into panels,
 * once for all threads; then units of the result, a strip of rows by a block of panels that stays
 * in the second-level cache, add the slab's products.  The left factor is read as it lies: eight of
 * its rows stay in the first-level cache while the panels of a block pass by.  Each cell adds up in
 * the order of the inner dimension, slab by slab, whatever the units are, so that the threads may
 * decide how many there are.  FP32 cells add up in FP32 within a slab.
 * Cost: 75 to 85 % of the peak of a core; packing is a pass over B. */
#include "kernel/gemm.h"
#include "kernel/matmult.h"

#include <string.h>

enum {
    SLAB = 384,        /* of the inner dimension, at most */
    GROUP = 8,         /* rows of a in the first-level cache */
    STRIP_GROUPS = 24, /* of rows in a unit, at most */
    BLOCK_PANELS = 6,  /* in the second-level cache */
    LEAST_ROWS = 48,   /* below, packing costs too much */
    LEAST_INNER = 16,  /* below, the result costs more than the products */
    LEAST_WORK = 1 << 18,
    SLAB_CELLS = 1 << 16 /* of a result that is divided into units once for each slab */
};

typedef struct Panels {
    const void *a, *b;
    void *c, *packed; /* of FP32 cells where the loops are */
    int64_t m, n, k, lda, b_row, b_col;
    int64_t from, inner; /* the slab at hand */
    int64_t width, panels, strip, strips;
    GemmOps ops;
    GemmOps32 ops32;
} Panels;

static int64_t pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

#define CELL double
#define PANELS_NAME(part) double_##part
#define PANELS_OPS ops
#include "kernel/matmult_panels.tmpl.h"

#define CELL float
#define PANELS_NAME(part) float_##part
#define PANELS_OPS ops32
#include "kernel/matmult_panels.tmpl.h"

static ml_status pack_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Panels *t = arg;

    (void)ctx;
    for (int64_t panel = lo; panel < hi; panel++)
        (t->ops.panel ? double_pack : float_pack)(t, panel);
    return ML_OK;
}

static ml_status multiply_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Panels *t = arg;

    for (int64_t unit = lo; unit < hi; unit++) {
        TRY(check_cancel(ctx));
        (t->ops.panel ? double_multiply : float_multiply)(t, unit);
    }
    return ML_OK;
}

/* The loops of a level, of one type. */
static bool take_loops(const Ctx *ctx, bool singles, Panels *t)
{
#if defined(__x86_64__)
    const CpuLevel level = cpu_level(ctx);

    if (level >= CPU_AVX2 && singles)
        t->ops32 = level >= CPU_AVX512 ? gemm_ops32_avx512 : gemm_ops32_avx2;
    else if (level >= CPU_AVX2)
        t->ops = level >= CPU_AVX512 ? gemm_ops_avx512 : gemm_ops_avx2;
#else
    (void)ctx, (void)singles, (void)t;
#endif
    t->width = singles ? t->ops32.width : t->ops.width;
    return t->width > 0;
}

bool panels_pay(const Ctx *ctx, Factor a, Factor b)
{
    const int64_t m = factor_rows(a), n = factor_cols(b), k = factor_cols(a);
    Panels t = {0};

    return !a.t && m >= LEAST_ROWS && n > GROUP && k >= LEAST_INNER &&
           (k <= SLAB || (double)m * (double)n >= SLAB_CELLS) &&
           (double)m * (double)n * (double)k >= LEAST_WORK && take_loops(ctx, a.m->singles, &t);
}

/* Strips of rows: some for each thread. */
static void choose_strips(Panels *t, int threads)
{
    const int64_t blocks = pieces(t->panels, BLOCK_PANELS), wanted = pieces(4 * threads, blocks);
    const int64_t groups = pieces(pieces(t->m, GROUP), wanted);

    t->strip = GROUP * min64(groups, STRIP_GROUPS);
    t->strips = pieces(t->m, t->strip);
}

static ml_status run_slabs(Ctx *ctx, Panels *t)
{
    const int64_t slab = pieces(t->k, pieces(t->k, SLAB));
    const int64_t units = t->strips * pieces(t->panels, BLOCK_PANELS);

    for (t->from = 0; t->from < t->k; t->from += slab) {
        t->inner = min64(slab, t->k - t->from);
        TRY(task_for(ctx, t->panels, task_grain(t->width * t->inner), pack_range, t));
        TRY(task_for(ctx, units, 1, multiply_range, t));
    }
    return ML_OK;
}

ml_status product_panels(Ctx *ctx, Factor a, Factor b, Matrix *out)
{
    const bool singles = out->singles != NULL;
    Panels t = {.a = singles ? (const void *)a.m->singles : a.m->values,
                .b = singles ? (const void *)b.m->singles : b.m->values,
                .c = singles ? (void *)out->singles : out->values,
                .m = out->rows,
                .n = out->cols,
                .k = a.m->cols,
                .lda = a.m->cols,
                .b_row = b.t ? 1 : b.m->cols,
                .b_col = b.t ? b.m->cols : 1};
    size_t bytes;
    ml_status st;

    take_loops(ctx, singles, &t);
    t.panels = pieces(t.n, t.width);
    choose_strips(&t, task_threads(ctx));
    bytes = (size_t)(t.panels * t.width * min64(t.k, SLAB)) *
            (singles ? sizeof(float) : sizeof(double));
    t.packed = pool_alloc(ctx, bytes);
    if (!t.packed)
        return ML_ENOMEM;
    st = run_slabs(ctx, &t);
    pool_release(ctx->pool, t.packed, bytes);
    return st;
}
