/* A matrix times its transpose: t(X) %*% X and X %*% t(X).  The result is symmetric, so one
 * triangle is computed.
 *
 * t(X) %*% X of a tall X, the heart of linear regression, has its own loop: slices of the rows,
 * each packed block by block into padded rows that stay in the cache, each adding to its own
 * result; the slices are then added in order. Wider ones are tiles of BLAS calls.  Sparse operands
 * with few columns have a loop as well (matmult_gram.c), others take the general product. */
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/matmult.h"
#include "kernel/simd/ahead.h"

#include <string.h>

enum {
    OWN_COLS = 1024,       /* widest X of the own loop */
    NARROW_COLS = 2,       /* one by one below */
    SHORT_SUMS = 64,       /* cells that sum up fewer products are cheaper made than mirrored */
    BLOCK_CELLS = 1 << 16, /* of a packed block, about */
    BLOCK_MIN = 128,       /* rows */
    BLOCK_MAX = 256,
    SLICE_WORK = 1 << 20, /* multiplications of a slice, at least */
    SLICES = 64,
    SLICE_CELLS = 1 << 23, /* of partial results together */
    MIRROR_ROWS = 32
};

typedef struct Tsmm {
    const Matrix *x;
    int64_t width; /* columns, padded */
    int64_t slices, slice_rows, block_rows;
    double *partials; /* slices x width x width */
    double *blocks;   /* one for each thread */
} Tsmm;

/* Rows of x to panels of columns; see dense.h. */
static void pack(const Matrix *x, int64_t i, int64_t rows, int64_t width, double *block)
{
    const int64_t full = x->cols / PANEL * PANEL, rest = x->cols - full, from = i * x->cols;
    double *last = block + full * rows;

    for (int64_t r = 0; r < rows; r++) { /* row by row, as they come from memory */
        const int64_t at = from + r * x->cols;

        matrix_read_ahead(x, at, x->cols);
        for (int64_t j = 0; j < full && x->values; j += PANEL)
            memcpy(block + j * rows + r * PANEL, x->values + at + j, PANEL * sizeof *block);
        for (int64_t j = 0; j < full && x->singles; j += PANEL)
            for (int64_t k = 0; k < PANEL; k++)
                block[j * rows + r * PANEL + k] = x->singles[at + j + k];
    }
    if (full == width)
        return;
    memset(last, 0, (size_t)(rows * PANEL) * sizeof *last);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < rest; j++)
            last[r * PANEL + j] = matrix_cell(x, from + r * x->cols + full + j);
}

static ml_status slices_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Tsmm *t = arg;
    const Matrix *x = t->x;
    const int64_t width = t->width;

    for (int64_t s = lo; s < hi; s++) {
        const int64_t end = min64((s + 1) * t->slice_rows, x->rows);
        double *c = t->partials + s * width * width,
               *block = t->blocks + ctx->worker * t->block_rows * width;

        memset(c, 0, (size_t)(width * width) * sizeof *c);
        for (int64_t i = s * t->slice_rows; i < end; i += t->block_rows) {
            const int64_t rows = min64(t->block_rows, end - i);

            pack(x, i, rows, width, block);
            dense_ops(ctx)->tsmm(block, rows, width, c);
        }
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

static void choose_slices(Tsmm *t)
{
    const double work = (double)t->x->rows * (double)t->width * (double)t->width / 2;
    int64_t slices = work / SLICE_WORK < SLICES ? (int64_t)(work / SLICE_WORK) : SLICES;

    slices = min64(slices, SLICE_CELLS / (t->width * t->width));
    slices = min64(slices, t->x->rows / BLOCK_MIN);
    slices = slices > 1 ? slices : 1;
    t->block_rows = min64(BLOCK_MAX, BLOCK_CELLS / t->width);
    t->block_rows = t->block_rows > BLOCK_MIN ? t->block_rows : BLOCK_MIN;
    t->slice_rows = (t->x->rows + slices - 1) / slices;
    t->slices = (t->x->rows + t->slice_rows - 1) / t->slice_rows;
}

/* The upper triangle of t(x) x into c. */
static ml_status tsmm(Ctx *ctx, const Matrix *x, double *c)
{
    Tsmm t = {.x = x, .width = (x->cols + PANEL - 1) / PANEL * PANEL};
    const int64_t width = t.width, cells = width * width, threads = task_threads(ctx);
    ml_status st;

    choose_slices(&t);
    TRY_TO(done, st = partials_new(ctx, t.slices, cells, &t.partials));
    TRY_TO(done, st = partials_new(ctx, threads, t.block_rows * width, &t.blocks));
    TRY_TO(done, st = task_for(ctx, t.slices, 1, slices_range, &t));
    TRY_TO(done, st = add_partials(ctx, t.partials, t.slices, cells, t.partials));
    for (int64_t i = 0; i < x->cols; i++)
        memcpy(c + i * x->cols + i, t.partials + i * width + i, (size_t)(x->cols - i) * sizeof *c);
done:
    partials_free(ctx, t.partials, t.slices, cells);
    partials_free(ctx, t.blocks, threads, t.block_rows * width);
    return st;
}

/* ---- mirroring ---- */

/* A unit is a strip of rows whose cells left of the diagonal are set. */
static ml_status mirror_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Matrix *m = arg;
    const int64_t n = m->rows;

    (void)ctx;
    for (int64_t i0 = lo * MIRROR_ROWS; i0 < min64(hi * MIRROR_ROWS, n); i0 += MIRROR_ROWS)
        for (int64_t j = 0; j < min64(i0 + MIRROR_ROWS, n); j++)
            for (int64_t i = i0 > j ? i0 : j + 1; i < min64(i0 + MIRROR_ROWS, n); i++)
                m->values[i * n + j] = m->values[j * n + i];
    return ML_OK;
}

static ml_status mirror(Ctx *ctx, Matrix *m)
{
    return task_for(ctx, (m->rows + MIRROR_ROWS - 1) / MIRROR_ROWS,
                    task_grain(m->rows * MIRROR_ROWS / 2), mirror_range, m);
}

static ml_status triangle(Ctx *ctx, Factor f, double *c)
{
    if (f.m->format == MATRIX_CSR)
        return csr_gram(ctx, f.m, c);
    return f.t && f.m->cols <= OWN_COLS ? tsmm(ctx, f.m, c) : product_triangle(ctx, f, c);
}

/* The result is dense. */
static ml_status self_dense(Ctx *ctx, Factor f, Matrix **out)
{
    const int64_t n = factor_rows(f);
    Matrix *c;
    ml_status st;

    TRY(matrix_new_dense(ctx, n, n, &c));
    st = triangle(ctx, f, c->values);
    if (st == ML_OK)
        st = mirror(ctx, c);
    if (st == ML_OK)
        st = matrix_finish(ctx, &c, -1);
    if (st != ML_OK) {
        matrix_release(c);
        return st;
    }
    *out = c;
    return ML_OK;
}

/* Of dense products only the own loop reads FP32 cells. */
static bool takes_type(Factor f)
{
    return !f.m->singles || (f.t && factor_rows(f) <= OWN_COLS);
}

ml_status product_self(Ctx *ctx, Factor f, Matrix **out)
{
    bool direct = f.m->format == MATRIX_DENSE && factor_rows(f) > NARROW_COLS &&
                  factor_cols(f) > 0 && (f.t || factor_cols(f) >= SHORT_SUMS) && takes_type(f);

    if (f.m->format == MATRIX_CSR && f.t && csr_gram_pays(f.m))
        TRY(matrix_finite(ctx, f.m, &direct));
    return direct ? self_dense(ctx, f, out) : product(ctx, f, (Factor){f.m, !f.t}, out);
}
