/* Products with a narrow side: matrix times few vectors, few vectors times matrix, and the chain
 * t(X) (w * (X v)).
 *
 * All read the wide side once, in blocks of rows that stay in the cache while each vector passes
 * over them.  Sums over rows are divided into slices that the sizes alone decide (partials.c); a
 * wide matrix is divided by columns instead, where no partial results are needed.  Dot products of
 * long rows are cut at fixed places. */
#include "kernel/dense.h"
#include "kernel/matmult.h"

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

/* ---- dot products ---- */

static ml_status dots_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const NarrowDots *d = arg;
    const DenseOps *ops = dense_ops(ctx);
    const int64_t step = d->vectors == 1 ? hi - lo : block_rows(d->cols);

    for (int64_t i = lo; i < hi; i += step)
        for (int64_t c = 0; c < d->vectors; c++)
            ops->matvec(d->x + i * d->cols, d->cols, min64(step, hi - i), d->cols,
                        d->v + c * d->cols, d->y + i * d->y_row + c * d->y_vec, d->y_row);
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
        const int64_t i = u / l->pieces, piece = u % l->pieces, from = piece * DOT_CELLS;
        const int64_t n = min64(DOT_CELLS, d->cols - from);

        for (int64_t c = 0; c < d->vectors; c++)
            dense_ops(ctx)->matvec(d->x + i * d->cols + from, d->cols, 1, n,
                                   d->v + c * d->cols + from,
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

/* ---- sums of scaled rows ---- */

typedef struct Sums {
    NarrowSums s;
    int64_t slices, slice_rows;
    double *partials; /* slices x vectors x cols */
} Sums;

static void sums_block(const Ctx *ctx, const NarrowSums *s, int64_t i, int64_t n, double *out)
{
    for (int64_t c = 0; c < s->vectors; c++)
        dense_ops(ctx)->vecmat(s->x + i * s->cols, s->cols, n, s->cols,
                               s->w + i * s->w_row + c * s->w_vec, s->w_row, out + c * s->cols);
}

static void chain_slice(const Ctx *ctx, const NarrowSums *s, int64_t i, int64_t end, double *out)
{
    dense_ops(ctx)->chain(s->x + i * s->cols, end - i, s->cols, s->v, s->w ? s->w + i : NULL, out);
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
        if (s->v)
            chain_slice(ctx, s, slice * t->slice_rows, end, out);
        else
            for (int64_t i = slice * t->slice_rows; i < end; i += step)
                sums_block(ctx, s, i, min64(step, end - i), out);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* A unit is a strip of columns. */
static ml_status strips_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const NarrowSums *s = arg;

    for (int64_t j = lo * STRIP_COLS; j < min64(hi * STRIP_COLS, s->cols); j += STRIP_COLS)
        for (int64_t c = 0; c < s->vectors; c++) {
            double *out = s->out + c * s->cols + j;
            const int64_t n = min64(STRIP_COLS, s->cols - j);

            memset(out, 0, (size_t)n * sizeof *out);
            dense_ops(ctx)->vecmat(s->x + j, s->cols, s->rows, n, s->w + c * s->w_vec, s->w_row,
                                   out);
        }
    return ML_OK;
}

ml_status narrow_sums(Ctx *ctx, const NarrowSums *s)
{
    Sums t = {.s = *s};
    const int64_t cells = s->vectors * s->cols;
    ml_status st;

    if (s->cols >= WIDE_COLS && !s->v)
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
