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

/* Inlined with a constant `ranges`: are there ranges of several columns? */
static inline __attribute__((always_inline)) void distribute(const Distribute *d, int64_t *next,
                                                             const CsrWalk *w, const bool ranges)
{
    const double *from = d->in->values + w->at;
    const uint32_t *col_idx = d->in->col_idx + w->at, base = (uint32_t)w->base;
    double *values = d->out->values;
    uint32_t *rows = d->out->col_idx, *cols = d->cols;
    const int64_t n = w->n;
    const int shift = d->shift;

    for (int64_t k = 0; k < n; k++) {
        const uint32_t col = col_idx[k];
        const int64_t to = next[ranges ? col >> shift : col]++;

        values[to] = from[k];
        rows[to] = base + w->row[k];
        if (ranges)
            cols[to] = col;
    }
}

static ml_status distribute_blocks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Distribute *d = arg;
    CsrWalk w;

    for (int64_t b = lo; b < hi; b++) {
        csr_walk(&w, d->in, csr_tile(d->in, b, d->blocks), csr_tile(d->in, b + 1, d->blocks));
        while (csr_walk_next(&w))
            if (d->cols)
                distribute(d, d->next + b * d->ranges, &w, true);
            else
                distribute(d, d->next + b * d->ranges, &w, false);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* Sort the n entries of a range by column, keeping the order in each. */
static void sort_range(const Distribute *d, int64_t range, const double *values,
                       const uint32_t *rows)
{
    const int64_t first = range << d->shift, width = INT64_C(1) << d->shift;
    const int64_t last = first + width < d->in->cols ? first + width : d->in->cols;
    const int64_t begin = d->begins[range], n = d->begins[range + 1] - begin;
    const uint32_t *cols = d->cols + begin;
    double *to_values = d->out->values;
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

        to_values[to] = values[k];
        to_rows[to] = rows[k];
    }
}

static ml_status sort_ranges(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Distribute *d = arg;
    const Matrix *out = d->out;

    for (int64_t range = lo; range < hi; range++) {
        const int64_t begin = d->begins[range], n = d->begins[range + 1] - begin;
        const size_t bytes = (size_t)(n + 1) * (sizeof(double) + sizeof(uint32_t));
        double *values = pool_alloc(ctx, bytes);
        uint32_t *rows = (uint32_t *)(void *)(values + n);

        if (!values)
            return ML_ENOMEM;
        memcpy(values, out->values + begin, (size_t)n * sizeof *values);
        memcpy(rows, out->col_idx + begin, (size_t)n * sizeof *rows);
        sort_range(d, range, values, rows);
        pool_release(ctx->pool, values, bytes);
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
