/* CSR times dense, gathering: a row of the result is the sum of the rows of the dense factor that a
 * sparse row points to.
 *
 * Rows are divided into tiles of equal work.  Where there are few entries a row and few columns,
 * they are added one by one to the rows of the result, without a loop over each row: its end could
 * not be predicted.  Results larger than the caches are stored past them.  Which form is taken
 * follows from the matrix alone, so the digits are always the same. */
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/matmult.h"
#include "kernel/simd/stream.h"

#include <math.h>
#include <string.h>

enum {
    TILE_WORK = 1 << 16,
    TILE_MIN = 1 << 9,
    FEW_COLS = 8,
    STREAM_CELLS = 4096, /* of rows that are stored past the caches together */
    STREAM_COLS = 128
};

typedef struct Gather {
    const Matrix *s;
    const double *d; /* s.cols x n */
    int64_t n;
    double *out; /* s.rows x n */
    int64_t tiles;
    const int64_t *odd; /* not finite cells in each column of d, or NULL */
} Gather;

static void rows_together(const DenseOps *ops, const Gather *g, int64_t lo, int64_t hi, double *out)
{
    const Matrix *s = g->s;
    CsrWalk w;

    memset(out, 0, (size_t)((hi - lo) * g->n) * sizeof *out);
    for (csr_walk(&w, s, lo, hi); csr_walk_next(&w);)
        csr_entries_times(ops, s, w.at, s->col_idx + w.at, w.row, w.n, g->d, g->n,
                          out + (w.base - lo) * g->n);
}

/* Row lo of the result lies at `out`; few columns are those that a row of which need not be in the
 * cache to be added to. */
static void gather_rows(const DenseOps *ops, const Gather *g, int64_t few, int64_t lo, int64_t hi,
                        double *out)
{
    if (csr_is_thin(g->s) && g->n < few)
        rows_together(ops, g, lo, hi, out);
    else
        csr_rows_times(ops, g->s, lo, hi, g->d, g->n, out);
}

/* Some rows at a time in the cache, then stored past it. */
static void stream_rows(const DenseOps *ops, const Gather *g, int64_t lo, int64_t hi)
{
    const int64_t step = STREAM_CELLS / g->n / 8 * 8; /* whole lines */
    double rows[STREAM_CELLS];

    for (int64_t i = lo, end; i < hi; i = end) {
        end = min64(hi, i / 8 * 8 + step);
        gather_rows(ops, g, STREAM_COLS, i, end, rows);
        stream_cells(g->out + i * g->n, rows, (end - i) * g->n);
    }
    stream_end();
}

static ml_status gather_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Gather *g = arg;
    const Matrix *s = g->s;
    const int64_t from = csr_tile(s, lo, g->tiles), to = csr_tile(s, hi, g->tiles);

    if (g->n <= STREAM_COLS && s->rows * g->n >= STREAM_LEAST)
        stream_rows(dense_ops(ctx), g, from, to);
    else
        gather_rows(dense_ops(ctx), g, FEW_COLS, from, to, g->out + from * g->n);
    return check_cancel(ctx);
}

/* Set the cells of the result to NaN that lack a not finite cell of their column of d: it met an
 * absent cell. */
static ml_status mend_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Gather *g = arg;
    const Matrix *s = g->s;
    int64_t *met = pool_alloc(ctx, (size_t)g->n * sizeof *met);

    if (!met)
        return ML_ENOMEM;
    for (int64_t i = lo; i < hi; i++) {
        memset(met, 0, (size_t)g->n * sizeof *met);
        for (int64_t k = s->row_ptr[i]; k < s->row_ptr[i + 1]; k++)
            for (int64_t j = 0; j < g->n; j++)
                met[j] += !isfinite(g->d[s->col_idx[k] * g->n + j]);
        for (int64_t j = 0; j < g->n; j++)
            if (met[j] < g->odd[j])
                g->out[i * g->n + j] = NAN;
    }
    pool_release(ctx->pool, met, (size_t)g->n * sizeof *met);
    return ML_OK;
}

static ml_status mend(Ctx *ctx, Gather *g)
{
    const int64_t cells = g->s->cols * g->n;
    int64_t *odd = pool_alloc(ctx, (size_t)g->n * sizeof *odd);
    ml_status st;

    if (!odd)
        return ML_ENOMEM;
    memset(odd, 0, (size_t)g->n * sizeof *odd);
    for (int64_t i = 0; i < cells; i++)
        odd[i % g->n] += !isfinite(g->d[i]);
    g->odd = odd;
    st = task_for(ctx, g->s->rows, task_grain((csr_nnz(g->s) / g->s->rows + 1) * g->n), mend_rows,
                  g);
    pool_release(ctx->pool, odd, (size_t)g->n * sizeof *odd);
    return st;
}

ml_status csr_gather(Ctx *ctx, const Matrix *s, const double *d, int64_t n, bool finite,
                     double *out)
{
    Gather g = {.s = s, .d = d, .n = n, .out = out};

    g.tiles = csr_tiles(s, TILE_WORK / n > TILE_MIN ? TILE_WORK / n : TILE_MIN);
    TRY(task_for(ctx, g.tiles, 1, gather_tiles, &g));
    return finite ? ML_OK : mend(ctx, &g);
}
