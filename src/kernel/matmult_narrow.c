/* Products with a narrow side: matrix times vectors or few columns, few vectors times matrix, and
 * the chain t(X) (w * (X v)).
 *
 * All read the wide side once, in blocks of rows that stay in the cache while each vector passes
 * over them.  Sums over rows are divided into slices that the sizes alone decide (partials.c); a
 * wide matrix is divided by columns instead, where no partial results are needed.  Dot products of
 * long rows are cut at fixed places.  FP32 cells are widened into scratch that stays in the first
 * cache, a few rows or a piece of a row at a time; sums are those of doubles. */
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

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t block_rows(int64_t cols)
{
    return max64(4, BLOCK_CELLS / max64(cols, 1) & ~(int64_t)3);
}

/* Some rows of x, cells [j, j + cols) of each, as doubles whose rows are *ld apart. */
static const double *rows_at(const Matrix *x, int64_t i, int64_t rows, int64_t j, int64_t cols,
                             double *scratch, int64_t *ld)
{
    const int64_t at = i * x->cols + j;

    *ld = x->singles ? cols : x->cols;
    if (!x->singles)
        return x->values + at;
    if (cols == x->cols)
        widen_ahead(x, at, rows * cols, scratch);
    else
        for (int64_t r = 0; r < rows; r++)
            widen_ahead(x, at + r * x->cols, cols, scratch + r * cols);
    return scratch;
}

/* Rows of `cols` cells to go through at a time: `otherwise`, or what scratch holds. */
static int64_t rows_step(const Matrix *x, int64_t cols, int64_t otherwise)
{
    const int64_t fit = NARROW_WIDEN / max64(cols, 1);

    return !x->singles ? otherwise : fit < 4 ? max64(fit, 1) : fit & ~(int64_t)3;
}

/* ---- dot products ---- */

static int64_t dot_cells(const NarrowDots *d)
{
    return d->x->singles ? NARROW_WIDEN : DOT_CELLS;
}

static ml_status dots_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const NarrowDots *d = arg;
    const DenseOps *ops = dense_ops(ctx);
    const int64_t step = rows_step(d->x, d->cols, d->vectors == 1 ? hi - lo : block_rows(d->cols));
    double scratch[NARROW_WIDEN];
    int64_t ld;

    for (int64_t i = lo; i < hi; i += step) {
        const int64_t rows = min64(step, hi - i);
        const double *x = rows_at(d->x, i, rows, 0, d->cols, scratch, &ld);

        for (int64_t c = 0; c < d->vectors; c++)
            ops->matvec(x, ld, rows, d->cols, d->v + c * d->cols,
                        d->y + i * d->y_row + c * d->y_vec, d->y_row);
    }
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
    const int64_t size = dot_cells(d);
    double scratch[NARROW_WIDEN];
    int64_t ld;

    for (int64_t u = lo; u < hi; u++) {
        const int64_t i = u / l->pieces, piece = u % l->pieces, from = piece * size;
        const int64_t n = min64(size, d->cols - from);
        const double *x = rows_at(d->x, i, 1, from, n, scratch, &ld);

        for (int64_t c = 0; c < d->vectors; c++)
            dense_ops(ctx)->matvec(x, ld, 1, n, d->v + c * d->cols + from,
                                   l->partials + (piece * d->vectors + c) * d->rows + i, 1);
    }
    return ML_OK;
}

static ml_status long_dots(Ctx *ctx, const NarrowDots *d)
{
    LongDots l = {d, (d->cols + dot_cells(d) - 1) / dot_cells(d), NULL};
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

    if (d->cols > dot_cells(d))
        return long_dots(ctx, d);
    return task_for(ctx, d->rows, task_grain(d->cols * d->vectors), dots_range, &copy);
}

/* ---- few columns ---- */

enum {
    FEW_INNER = 1 << 11, /* rows of columns that stay in the cache */
    FEW_ROWS = 256       /* at a time, at most */
};

void few_pack(const double *b, int64_t b_row, int64_t b_col, int64_t inner, int64_t n, double *out)
{
    const int64_t width = few_width(n);

    for (int64_t p = 0; p < inner; p++)
        for (int64_t j = 0; j < width; j++)
            out[p * width + j] = j < n ? b[p * b_row + j * b_col] : 0;
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
    const int64_t step = singles ? min64(rows_step(f->x, f->x->cols, hi - lo), FEW_ROWS) : hi - lo;
    double scratch[NARROW_WIDEN], cells[FEW_ROWS * FEW_WIDEST];
    int64_t ld;

    for (int64_t i = lo; i < hi; i += step) {
        const int64_t rows = min64(step, hi - i);
        const double *x = rows_at(f->x, i, rows, 0, f->x->cols, scratch, &ld);
        double *out = f->c->singles ? cells : f->c->values + i * f->n;

        dense_ops(ctx)->few(x, ld, rows, f->x->cols, f->b, f->n, out);
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
    double scratch[NARROW_WIDEN];
    int64_t ld;
    const double *x = rows_at(s->x, i, n, 0, s->cols, scratch, &ld);

    if (s->v) {
        dense_ops(ctx)->chain(x, n, s->cols, s->v, s->w ? s->w + i : NULL, out);
        return;
    }
    for (int64_t c = 0; c < s->vectors; c++)
        dense_ops(ctx)->vecmat(x, ld, n, s->cols, s->w + i * s->w_row + c * s->w_vec, s->w_row,
                               out + c * s->cols);
}

static ml_status slices_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Sums *t = arg;
    const NarrowSums *s = &t->s;
    const int64_t cells = s->vectors * s->cols;
    const int64_t step = rows_step(s->x, s->cols, s->vectors == 1 ? s->rows : block_rows(s->cols));

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
    const int64_t step = rows_step(s->x, n, s->rows);
    double scratch[NARROW_WIDEN], *out = s->out + c * s->cols + j;
    int64_t ld;

    memset(out, 0, (size_t)n * sizeof *out);
    for (int64_t i = 0; i < s->rows; i += step) {
        const int64_t rows = min64(step, s->rows - i);
        const double *x = rows_at(s->x, i, rows, j, n, scratch, &ld);

        dense_ops(ctx)->vecmat(x, ld, rows, n, s->w + i * s->w_row + c * s->w_vec, s->w_row, out);
    }
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

    if (!s->v && s->cols >= (s->x->singles ? NARROW_WIDEN : WIDE_COLS))
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
