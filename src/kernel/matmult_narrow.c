/* Products with a narrow side: matrix times vectors or few columns, few vectors times matrix, and
 * the chain t(X) (w * (X v)).
 *
 * All read the wide side once, in blocks of rows that stay in the cache while each vector passes
 * over them.  Sums over rows are divided into slices that the sizes alone decide (partials.c); a
 * wide matrix is divided by columns instead, where no partial results are needed.  Dot products of
 * long rows are cut at fixed places.  Sums of FP32 cells are those of doubles; for products with
 * few columns they are widened into scratch that stays in the first cache. */
#include "kernel/dense.h"
#include "kernel/matmult.h"
#include "kernel/simd/ahead.h"

#include <string.h>

enum {
    DOT_CELLS = 1 << 16,   /* a longer dot product is cut into pieces of this many cells */
    BLOCK_CELLS = 1 << 11, /* of a block of rows that is used several times */
    SLICE_CELLS = 1 << 16, /* of a slice of rows, at least */
    SLICE_ROWS = 64,
    SLICES = 64, /* at most */
    STRIP_COLS = 2048,
    WIDE_COLS = 1 << 14 /* from here on divide by columns */
};

static int64_t block_rows(int64_t cols)
{
    return max64(4, BLOCK_CELLS / max64(cols, 1) & ~(int64_t)3);
}

/* DenseOps.matvec and vecmat on rows of x from cell `at` on. */
static void matvec(const Ctx *ctx, const Matrix *x, int64_t at, int64_t rows, int64_t cols,
                   const double *v, double *y, int64_t step)
{
    if (x->singles)
        dense_ops(ctx)->matvec32(x->singles + at, x->cols, rows, cols, v, y, step);
    else
        dense_ops(ctx)->matvec(x->values + at, x->cols, rows, cols, v, y, step);
}

static void vecmat(const Ctx *ctx, const Matrix *x, int64_t at, int64_t rows, int64_t cols,
                   const double *w, int64_t step, double *out)
{
    if (x->singles)
        dense_ops(ctx)->vecmat32(x->singles + at, x->cols, rows, cols, w, step, out);
    else
        dense_ops(ctx)->vecmat(x->values + at, x->cols, rows, cols, w, step, out);
}

/* ---- dot products ---- */

static ml_status dots_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const NarrowDots *d = arg;
    const int64_t step = d->vectors == 1 ? hi - lo : block_rows(d->cols);

    for (int64_t i = lo; i < hi; i += step)
        for (int64_t c = 0; c < d->vectors; c++)
            matvec(ctx, d->x, i * d->cols, min64(step, hi - i), d->cols, d->v + c * d->cols,
                   d->y + i * d->y_row + c * d->y_vec, d->y_row);
    return ML_OK;
}

typedef struct LongDots {
    const NarrowDots *d;
    int64_t pieces;
    double *partials; /* pieces x vectors x rows */
} LongDots;

/* A unit is a piece of a row. */
static ml_status long_dots_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const LongDots *l = arg;
    const NarrowDots *d = l->d;

    for (int64_t u = lo; u < hi; u++) {
        const int64_t i = u / l->pieces, piece = u % l->pieces;
        const int64_t from = piece * DOT_CELLS, n = min64(DOT_CELLS, d->cols - from);

        for (int64_t c = 0; c < d->vectors; c++)
            matvec(ctx, d->x, i * d->cols + from, 1, n, d->v + c * d->cols + from,
                   l->partials + (piece * d->vectors + c) * d->rows + i, 1);
    }
    return ML_OK;
}

static ml_status long_dots(Ctx *ctx, const NarrowDots *d)
{
    LongDots l = {d, (d->cols + DOT_CELLS - 1) / DOT_CELLS, NULL};
    const int64_t cells = d->vectors * d->rows;
    ml_status st;

    TRY(partials_new(ctx, l.pieces, cells, &l.partials));
    TRY_TO(done, st = task_for(ctx, d->rows * l.pieces, 1, long_dots_range, &l));
    TRY_TO(done, st = add_partials(ctx, l.partials, l.pieces, cells, l.partials));
    for (int64_t c = 0; c < d->vectors; c++)
        for (int64_t i = 0; i < d->rows; i++)
            d->y[i * d->y_row + c * d->y_vec] = l.partials[c * d->rows + i];
done:
    partials_free(ctx, l.partials, l.pieces, cells);
    return st;
}

ml_status narrow_dots(Ctx *ctx, const NarrowDots *d)
{
    NarrowDots copy = *d;

    if (d->cols > DOT_CELLS)
        return long_dots(ctx, d);
    return task_for(ctx, d->rows, task_grain(d->cols * d->vectors), dots_range, &copy);
}

/* ---- few columns ---- */

enum {
    FEW_INNER = 1 << 11, /* rows of columns that stay in the cache */
    FEW_ROWS = 256,      /* at a time, at most */
    NARROW_WIDEN = 4096  /* FP32 cells, likewise */
};

void few_pack(const double *b, int64_t b_row, int64_t b_col, int64_t inner, int64_t n, double *out)
{
    const int64_t width = few_width(n);

    for (int64_t p = 0; p < inner; p++)
        for (int64_t j = 0; j < width; j++)
            out[p * width + j] = j < n ? b[p * b_row + j * b_col] : 0;
}

/* Some rows of x as doubles. */
static const double *rows_at(const Matrix *x, int64_t i, int64_t rows, double *scratch)
{
    if (!x->singles)
        return x->values + i * x->cols;
    widen_ahead(x, i * x->cols, rows * x->cols, scratch);
    return scratch;
}

bool narrow_few_pays(bool singles, int64_t inner, int64_t n)
{
    return cpu_machine() >= CPU_AVX2 && n > 1 && n <= FEW_WIDEST &&
           inner <= (singles ? NARROW_WIDEN / PANEL : FEW_INNER);
}

static ml_status few_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const NarrowFew *f = arg;
    const bool singles = f->x->singles || f->c->singles;
    const int64_t inner = f->x->cols, fit = min64(NARROW_WIDEN / max64(inner, 1), FEW_ROWS);
    const int64_t step = !singles ? hi - lo : fit < PANEL ? max64(fit, 1) : fit / PANEL * PANEL;
    double scratch[NARROW_WIDEN], cells[FEW_ROWS * FEW_WIDEST];

    for (int64_t i = lo; i < hi; i += step) {
        const int64_t rows = min64(step, hi - i);
        const double *x = rows_at(f->x, i, rows, scratch);
        double *out = f->c->singles ? cells : f->c->values + i * f->n;

        dense_ops(ctx)->few(x, inner, rows, inner, f->b, f->n, out);
        if (f->c->singles)
            cells_narrow(cells, f->c->singles + i * f->n, rows * f->n);
    }
    return ML_OK;
}

ml_status narrow_few(Ctx *ctx, const NarrowFew *f)
{
    const int64_t inner = f->x->cols, width = few_width(f->n);
    NarrowFew packed = *f;
    double *b;
    ml_status st;

    TRY(partials_new(ctx, inner, width, &b));
    few_pack(f->b, f->b_row, f->b_col, inner, f->n, b);
    packed.b = b;
    st = task_for(ctx, f->x->rows, task_grain(inner * width), few_range, &packed);
    partials_free(ctx, b, inner, width);
    return st;
}

/* ---- sums of scaled rows ---- */

typedef struct Sums {
    NarrowSums s;
    int64_t slices, slice_rows;
    double *partials; /* slices x vectors x cols */
} Sums;

static void sums_block(const Ctx *ctx, const NarrowSums *s, int64_t i, int64_t n, double *out)
{
    const int64_t at = i * s->cols;
    const double *w = s->w ? s->w + i : NULL;

    if (s->v && s->x->singles)
        dense_ops(ctx)->chain32(s->x->singles + at, n, s->cols, s->v, w, out);
    else if (s->v)
        dense_ops(ctx)->chain(s->x->values + at, n, s->cols, s->v, w, out);
    for (int64_t c = 0; c < s->vectors && !s->v; c++)
        vecmat(ctx, s->x, at, n, s->cols, s->w + i * s->w_row + c * s->w_vec, s->w_row,
               out + c * s->cols);
}

static ml_status slices_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Sums *t = arg;
    const NarrowSums *s = &t->s;
    const int64_t cells = s->vectors * s->cols;
    const int64_t step = s->vectors == 1 ? s->rows : block_rows(s->cols);

    for (int64_t slice = lo; slice < hi; slice++) {
        const int64_t end = min64((slice + 1) * t->slice_rows, s->rows);
        double *out = t->partials + slice * cells;

        memset(out, 0, (size_t)cells * sizeof *out);
        for (int64_t i = slice * t->slice_rows; i < end; i += step)
            sums_block(ctx, s, i, min64(step, end - i), out);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

static void strip_sums(const Ctx *ctx, const NarrowSums *s, int64_t c, int64_t j, int64_t n)
{
    double *out = s->out + c * s->cols + j;

    memset(out, 0, (size_t)n * sizeof *out);
    vecmat(ctx, s->x, j, s->rows, n, s->w + c * s->w_vec, s->w_row, out);
}

/* A unit is a strip of columns. */
static ml_status strips_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const NarrowSums *s = arg;

    for (int64_t j = lo * STRIP_COLS; j < min64(hi * STRIP_COLS, s->cols); j += STRIP_COLS)
        for (int64_t c = 0; c < s->vectors; c++)
            strip_sums(ctx, s, c, j, min64(STRIP_COLS, s->cols - j));
    return ML_OK;
}

ml_status narrow_sums(Ctx *ctx, const NarrowSums *s)
{
    Sums t = {.s = *s};
    const int64_t cells = s->vectors * s->cols;
    ml_status st;

    if (!s->v && s->cols >= WIDE_COLS)
        return task_for(ctx, (s->cols + STRIP_COLS - 1) / STRIP_COLS, 1, strips_range, &t.s);
    t.slices = min64(s->rows * s->cols / SLICE_CELLS, s->rows / SLICE_ROWS);
    t.slices = max64(1, min64(t.slices, SLICES));
    t.slice_rows = (s->rows + t.slices - 1) / t.slices;
    TRY(partials_new(ctx, t.slices, cells, &t.partials));
    TRY_TO(done, st = task_for(ctx, t.slices, 1, slices_range, &t));
    st = add_partials(ctx, t.partials, t.slices, cells, s->out);
done:
    partials_free(ctx, t.partials, t.slices, cells);
    return st;
}
