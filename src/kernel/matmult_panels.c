/* Large products of dense matrices, plain and with one factor transposed, by the loops of gemm.h.
 *
 * The inner dimension is cut into slabs, the result into units, groups of rows by panels of
 * columns, which add a slab's products.  The right factor's part of a slab is packed once, for all
 * threads, and panel after panel passes by groups of the left one that stay in the second-level
 * cache.  Where all of the left one stays there, the right one is wide: each unit packs what it
 * needs of it into a buffer of its thread, so that it is read from memory once and packed in the
 * cache.  The left factor is read as it lies, or packed where it is transposed or often read.
 *
 * Each cell adds up in the order of the inner dimension, slab by slab, whatever the units are, so
 * that the threads may decide how many there are.  FP32 cells add up in FP32 within a slab.
 * Cost: 75 to 85 % of the peak of a core; packing is a pass over the right factor. */
#include "kernel/gemm.h"
#include "kernel/matmult.h"

enum {
    SLAB = 512,               /* of the inner dimension, at most */
    STRIP_BYTES = 200 << 10,  /* of a unit's rows of the left factor, which stay in the second-level
                                 cache and leave room for panels that pass by */
    CACHED_BYTES = 640 << 10, /* of a left factor that stays there as a whole */
    BLOCK_PANELS = 6,         /* of a unit, at most */
    UNITS = 48,               /* of a thread and slab, about */
    WIDE_UNITS = 8,           /* likewise where each packs its panels */
    PACK_ROWS = 8,            /* of a right factor at a time */
    SHORT_BYTES = 256 << 10,  /* of a unit's panels that few groups of rows at a time pass by */
    SHORT_GROUPS = 4,
    MANY_COLS = 1536, /* of a right factor, that a packed left one is worth its copy for */
    LEAST_ROWS = 48,  /* below, packing costs too much */
    LEAST_COLS = 9,
    LEAST_INNER = 16, /* below, the result costs more than the products */
    LEAST_WORK = 1 << 18,
    SLAB_CELLS = 1 << 16 /* of a result that is divided into units once for each slab */
};

typedef struct Panels {
    const void *a, *b; /* of FP32 cells where the loops are */
    void *c;
    const Matrix *out;       /* whose cells c are */
    atomic_int_fast64_t nnz; /* of these, counted where they are near */
    char *left, *right;      /* packed; left: NULL when it is read as it lies */
    int64_t m, n, k, a_row, a_col, b_row, b_col;
    int64_t from, inner;                   /* the slab at hand */
    int64_t height, width, groups, panels; /* of the loops; of the whole */
    int64_t strip, block;                  /* groups and panels of a unit */
    int64_t strips, blocks;
    size_t cell, own_bytes; /* of a thread's part of `right` */
    bool wide;              /* each thread has one */
    GemmOps ops;
    GemmOps32 ops32;
} Panels;

typedef struct Unit {
    int64_t group, groups, panel, panels;
} Unit;

static int64_t pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

#define CELL double
#define PANELS_NAME(part) double_##part
#define PANELS_OPS ops
#define PANELS_PASS GemmPass
#include "kernel/matmult_panels.tmpl.h"

#define CELL float
#define PANELS_NAME(part) float_##part
#define PANELS_OPS ops32
#define PANELS_PASS GemmPass32
#include "kernel/matmult_panels.tmpl.h"

/* Groups of the left factor or panels of the right one. */
static void pack(const Panels *t, bool left, int64_t first, int64_t last, void *out)
{
    (t->ops.tiles ? double_pack : float_pack)(t, left, first, last, out);
}

static ml_status left_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Panels *t = arg;

    (void)ctx;
    pack(t, true, lo, hi, t->left + (size_t)(lo * t->height * t->inner) * t->cell);
    return ML_OK;
}

static ml_status right_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Panels *t = arg;

    (void)ctx;
    pack(t, false, lo, hi, t->right + (size_t)(lo * t->width * t->inner) * t->cell);
    return ML_OK;
}

static int64_t unit_nnz(const Panels *t, Unit u)
{
    const int64_t from = u.panel * t->width, cols = min64(u.panels * t->width, t->n - from);
    const int64_t last = min64((u.group + u.groups) * t->height, t->m);
    int64_t nnz = 0;

    for (int64_t i = u.group * t->height; i < last; i++)
        nnz += matrix_stored_nnz(t->out, i * t->n + from, cols);
    return nnz;
}

static void multiply_unit(const Ctx *ctx, Panels *t, int64_t unit)
{
    Unit u = {.group = unit / t->blocks * t->strip, .panel = unit % t->blocks * t->block};
    char *right = t->right;

    u.groups = min64(t->strip, t->groups - u.group);
    u.panels = min64(t->block, t->panels - u.panel);
    if (t->wide) {
        right += (size_t)ctx->worker * t->own_bytes;
        pack(t, false, u.panel, u.panel + u.panels, right);
    } else {
        right += (size_t)(u.panel * t->width * t->inner) * t->cell;
    }
    (t->ops.tiles ? double_multiply : float_multiply)(t, u, right);
    if (t->from + t->inner == t->k)
        atomic_fetch_add_explicit(&t->nnz, unit_nnz(t, u), memory_order_relaxed);
}

static ml_status multiply_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    for (int64_t unit = lo; unit < hi; unit++) {
        TRY(check_cancel(ctx));
        multiply_unit(ctx, arg, unit);
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
    (void)ctx;
#endif
    t->cell = singles ? sizeof(float) : sizeof(double);
    t->width = singles ? t->ops32.width : t->ops.width;
    t->height = singles ? t->ops32.height : t->ops.height;
    return t->width > 0;
}

bool panels_pay(const Ctx *ctx, Factor a, Factor b)
{
    const int64_t m = factor_rows(a), n = factor_cols(b), k = factor_cols(a);
    /* What adds up whole columns of singles is long, and goes through doubles. */
    const bool is_long = a.t && a.m->singles && k > SLAB;
    Panels t = {0};

    return !is_long && m >= LEAST_ROWS && n >= LEAST_COLS && k >= LEAST_INNER &&
           (k <= SLAB || (double)m * (double)n >= SLAB_CELLS) &&
           (double)m * (double)n * (double)k >= LEAST_WORK && take_loops(ctx, a.m->singles, &t);
}

static void choose_units(Panels *t, int threads)
{
    const int64_t group = t->height * min64(t->k, SLAB) * (int64_t)t->cell;

    t->groups = pieces(t->m, t->height);
    t->panels = pieces(t->n, t->width);
    t->wide = t->groups * group <= CACHED_BYTES;
    t->strips = t->wide ? 1 : pieces(t->groups * group, STRIP_BYTES);
    t->strip = pieces(t->groups, t->strips);
    t->strips = pieces(t->groups, t->strip);
    t->block = pieces(t->panels * t->strips, (t->wide ? WIDE_UNITS : UNITS) * threads);
    t->block = min64(t->block, BLOCK_PANELS);
    t->blocks = pieces(t->panels, t->block);
}

static ml_status run_slabs(Ctx *ctx, Panels *t)
{
    const int64_t slab = pieces(t->k, pieces(t->k, SLAB)), units = t->strips * t->blocks;

    for (t->from = 0; t->from < t->k; t->from += slab) {
        t->inner = min64(slab, t->k - t->from);
        if (t->left)
            TRY(task_for(ctx, t->groups, task_grain(t->height * t->inner), left_range, t));
        if (!t->wide)
            TRY(task_for(ctx, t->panels, task_grain(t->width * t->inner), right_range, t));
        TRY(task_for(ctx, units, 1, multiply_range, t));
    }
    return ML_OK;
}

static ml_status run_packed(Ctx *ctx, Panels *t)
{
    const int64_t slab = min64(t->k, SLAB), threads = task_threads(ctx);
    size_t left, right;
    bool as_it_lies;
    ml_status st;

    choose_units(t, task_threads(ctx));
    as_it_lies = t->a_col == 1 && (t->wide || t->n < MANY_COLS);
    left = as_it_lies ? 0 : (size_t)(t->groups * t->height * slab) * t->cell;
    t->own_bytes = (size_t)(t->block * t->width * slab) * t->cell;
    right =
        t->wide ? (size_t)threads * t->own_bytes : (size_t)(t->panels * t->width * slab) * t->cell;
    t->right = pool_alloc(ctx, left + right);
    if (!t->right)
        return ML_ENOMEM;
    t->left = left > 0 ? t->right + right : NULL;
    st = run_slabs(ctx, t);
    pool_release(ctx->pool, t->right, left + right);
    return st;
}

ml_status product_panels(Ctx *ctx, Factor a, Factor b, Matrix *out)
{
    const bool singles = out->singles != NULL;
    ml_status st;
    Panels t = {.a = singles ? (const void *)a.m->singles : a.m->values,
                .b = singles ? (const void *)b.m->singles : b.m->values,
                .c = singles ? (void *)out->singles : out->values,
                .out = out,
                .m = out->rows,
                .n = out->cols,
                .k = factor_cols(a),
                .a_row = a.t ? 1 : a.m->cols,
                .a_col = a.t ? a.m->cols : 1,
                .b_row = b.t ? 1 : b.m->cols,
                .b_col = b.t ? b.m->cols : 1};

    take_loops(ctx, singles, &t);
    st = run_packed(ctx, &t);
    out->nnz = atomic_load(&t.nnz);
    return st;
}
