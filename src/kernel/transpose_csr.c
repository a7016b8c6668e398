/* Transposes of CSR matrices, by counting.
 *
 * The rows are divided into blocks of equal work.  Each counts its entries a column; from the
 * counts follows where the entries of each block and column go, and the blocks then distribute
 * them in order, side by side, which leaves the new rows sorted.
 *
 * The places where the next entries go must fit the cache.  So of many columns, ranges are counted
 * instead - each is a contiguous part of the result - and every range is afterwards sorted by
 * column, by counting again, from a copy that stays in the cache.  Between the two, the columns of
 * entries within their range wait aside: the memory that the transpose takes beyond its result.
 *
 * Cost: one pass over the column indexes, one over the entries, or two; columns. */
#include "kernel/csr.h"

#include <string.h>

enum {
    RANGES = 256,    /* at most, of columns */
    FEW_COLS = 8192, /* columns that are ranges themselves */
    BLOCK = 1 << 14, /* entries of a block, at least */
    BLOCKS_A_THREAD = 4
};

typedef struct Distribute {
    const Matrix *in;
    Matrix *out;
    int shift; /* column >> shift is its range */
    int64_t ranges, blocks;
    int64_t *next;   /* blocks x ranges: entries, then where the next of them goes */
    int64_t *begins; /* ranges + 1: of their entries in the result */
    uint32_t *cols;  /* of the entries of the result, until each range is sorted; or NULL */
} Distribute;

static ml_status count_blocks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Distribute *d = arg;
    const Matrix *in = d->in;

    for (int64_t b = lo; b < hi; b++) {
        const int64_t end = in->row_ptr[csr_tile(in, b + 1, d->blocks)];
        int64_t *counts = d->next + b * d->ranges;

        memset(counts, 0, (size_t)d->ranges * sizeof *counts);
        for (int64_t k = in->row_ptr[csr_tile(in, b, d->blocks)]; k < end; k++)
            counts[in->col_idx[k] >> d->shift]++;
    }
    return check_cancel(ctx);
}

/* Counts become places: range by range, and block by block within. */
static void place(Distribute *d)
{
    int64_t at = 0;

    for (int64_t r = 0; r < d->ranges; r++) {
        d->begins[r] = at;
        for (int64_t b = 0; b < d->blocks; b++) {
            const int64_t count = d->next[b * d->ranges + r];

            d->next[b * d->ranges + r] = at;
            at += count;
        }
    }
    d->begins[d->ranges] = at;
}

/* Inlined with constants: are there ranges of several columns, are cells FP32? */
static inline __attribute__((always_inline)) void distribute(const Distribute *d, int64_t *next,
                                                             const CsrWalk *w, const bool ranges,
                                                             const bool singles)
{
    const double *from = d->in->values;
    const float *from_singles = d->in->singles;
    const uint32_t *col_idx = d->in->col_idx + w->at, base = (uint32_t)w->base;
    double *values = d->out->values;
    float *to_singles = d->out->singles;
    uint32_t *rows = d->out->col_idx, *cols = d->cols;
    const int64_t n = w->n, at = w->at;
    const int shift = d->shift;

    for (int64_t k = 0; k < n; k++) {
        const uint32_t col = col_idx[k];
        const int64_t to = next[ranges ? col >> shift : col]++;

        if (singles)
            to_singles[to] = from_singles[at + k];
        else
            values[to] = from[at + k];
        rows[to] = base + w->row[k];
        if (ranges)
            cols[to] = col;
    }
}

static void distribute_any(const Distribute *d, int64_t *next, const CsrWalk *w)
{
    if (d->in->singles && d->cols)
        distribute(d, next, w, true, true);
    else if (d->in->singles)
        distribute(d, next, w, false, true);
    else if (d->cols)
        distribute(d, next, w, true, false);
    else
        distribute(d, next, w, false, false);
}

static ml_status distribute_blocks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Distribute *d = arg;
    CsrWalk w;

    for (int64_t b = lo; b < hi; b++) {
        csr_walk(&w, d->in, csr_tile(d->in, b, d->blocks), csr_tile(d->in, b + 1, d->blocks));
        while (csr_walk_next(&w))
            distribute_any(d, d->next + b * d->ranges, &w);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* Sort the n entries of a range by column, keeping the order in each; `cells` and `rows` are copies
 * of them. */
static void sort_range(const Distribute *d, int64_t range, const void *cells, const uint32_t *rows)
{
    const int64_t first = range << d->shift, width = INT64_C(1) << d->shift;
    const int64_t last = first + width < d->in->cols ? first + width : d->in->cols;
    const int64_t begin = d->begins[range], n = d->begins[range + 1] - begin;
    const uint32_t *cols = d->cols + begin;
    const double *values = cells;
    const float *singles = cells;
    uint32_t *to_rows = d->out->col_idx;
    int64_t *next = d->out->row_ptr + 1, at = begin;

    for (int64_t k = 0; k < n; k++)
        next[cols[k]]++;
    for (int64_t j = first; j < last; j++) {
        const int64_t count = next[j];

        next[j] = at;
        at += count;
    }
    for (int64_t k = 0; k < n; k++) {
        const int64_t to = next[cols[k]]++;

        if (d->out->singles)
            d->out->singles[to] = singles[k];
        else
            d->out->values[to] = values[k];
        to_rows[to] = rows[k];
    }
}

static ml_status sort_ranges(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Distribute *d = arg;
    const Matrix *out = d->out;

    for (int64_t range = lo; range < hi; range++) {
        const int64_t begin = d->begins[range], n = d->begins[range + 1] - begin;
        const size_t cells = (size_t)n * matrix_cell_size(out);
        const size_t bytes = cells + (size_t)(n + 1) * sizeof(uint32_t);
        char *copy = pool_alloc(ctx, bytes);
        uint32_t *rows = (uint32_t *)(void *)(copy + cells);

        if (!copy)
            return ML_ENOMEM;
        if (n > 0)
            memcpy(copy, matrix_at(out, begin), cells);
        memcpy(rows, out->col_idx + begin, (size_t)n * sizeof *rows);
        sort_range(d, range, copy, rows);
        pool_release(ctx->pool, copy, bytes);
    }
    return check_cancel(ctx);
}

static ml_status run(Ctx *ctx, Distribute *d)
{
    TRY(task_for(ctx, d->blocks, 1, count_blocks, d));
    place(d);
    TRY(task_for(ctx, d->blocks, 1, distribute_blocks, d));
    if (d->cols)
        return task_for(ctx, d->ranges, 1, sort_ranges, d);
    memcpy(d->out->row_ptr, d->begins, (size_t)(d->ranges + 1) * sizeof *d->begins);
    return ML_OK;
}

ml_status csr_transpose(Ctx *ctx, const Matrix *in, Matrix *out)
{
    const int64_t nnz = csr_nnz(in), most = (int64_t)task_threads(ctx) * BLOCKS_A_THREAD;
    Distribute d = {.in = in, .out = out};
    size_t places, bytes;

    while (in->cols > FEW_COLS && in->cols >> d.shift >= RANGES)
        d.shift++;
    d.ranges = (in->cols >> d.shift) + 1;
    if (d.shift == 0)
        d.ranges = in->cols;
    d.blocks = nnz / BLOCK < most ? nnz / BLOCK + 1 : most;
    places = (size_t)(d.blocks * d.ranges + d.ranges + 1) * sizeof *d.next;
    bytes = places + (d.shift > 0 ? (size_t)nnz * sizeof *d.cols : 0);
    d.next = pool_alloc(ctx, bytes);
    if (!d.next)
        return ML_ENOMEM;
    d.begins = d.next + d.blocks * d.ranges;
    if (d.shift > 0)
        d.cols = (uint32_t *)(void *)((char *)d.next + places);
    ml_status st = run(ctx, &d);

    pool_release(ctx->pool, d.next, bytes);
    return st;
}
