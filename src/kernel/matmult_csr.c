/* CSR times CSR by rows (Gustavson): a row of the result is the sum of the scaled rows of b that a
 * row of a points to.
 *
 * Sums gather in a dense accumulator of one cell a column; a bitmap of two levels notes which
 * columns were touched, and reading it gives them in ascending order without sorting, in time
 * proportional to their number and cols / 4096. The rows are divided into tiles of about equal
 * work; a tile writes to a buffer of its own, whose size is a bound, and the buffers are then put
 * together.  Sums follow the order of the rows of b, so nothing depends on the division.
 *
 * Where most cells of the result will be stored, its rows are accumulated in place instead. */
#include "kernel/csr.h"
#include "kernel/matmult.h"

#include <string.h>

enum { TILE_WORK = 1 << 16, TILES = 256, AHEAD = 4 };

typedef struct CsrTile {
    int64_t begin, end; /* rows */
    int64_t capacity, nnz;
    double *values;
    uint32_t *col_idx;
} CsrTile;

typedef struct CsrProduct {
    const Matrix *a, *b;
    Matrix *out;
    CsrTile *tiles;
    int64_t ntiles;
} CsrProduct;

/* ---- the accumulator ---- */

typedef struct Accumulator {
    double *sums;     /* all 0 between rows */
    uint64_t *bits;   /* a bit for each column, */
    uint64_t *groups; /* a bit for each word of those */
    int64_t nbits, ngroups;
    size_t bytes;
} Accumulator;

static ml_status accumulator_new(Ctx *ctx, int64_t cols, Accumulator *acc)
{
    acc->nbits = (cols + 63) / 64;
    acc->ngroups = (acc->nbits + 63) / 64;
    acc->bytes = (size_t)(cols + acc->nbits + acc->ngroups) * sizeof(double);
    acc->sums = pool_alloc(ctx, acc->bytes);
    if (!acc->sums)
        return ML_ENOMEM;
    memset(acc->sums, 0, acc->bytes);
    acc->bits = (uint64_t *)(void *)(acc->sums + cols);
    acc->groups = acc->bits + acc->nbits;
    return ML_OK;
}

/* Add n entries of m from `from` on.  Here and below `singles`, whether m is FP32, is a constant
 * where this is inlined. */
static inline __attribute__((always_inline)) void accumulate(Accumulator *acc, double scale,
                                                             const Matrix *m, int64_t from,
                                                             int64_t n, const bool singles)
{
    const double *values = m->values + (singles ? 0 : from);
    const float *cells = m->singles + (singles ? from : 0);
    const uint32_t *cols = m->col_idx + from;

    for (int64_t k = 0; k < n; k++) {
        const uint32_t j = cols[k];

        acc->sums[j] += scale * (singles ? (double)cells[k] : values[k]);
        acc->bits[j >> 6] |= UINT64_C(1) << (j & 63);
        acc->groups[j >> 12] |= UINT64_C(1) << (j >> 6 & 63);
    }
}

/* Move the touched columns of one word to the tile. */
static void drain_word(Accumulator *acc, int64_t word, CsrTile *tile)
{
    for (uint64_t set = acc->bits[word]; set; set &= set - 1) {
        const int64_t j = word * 64 + __builtin_ctzll(set);

        if (acc->sums[j] != 0) {
            tile->values[tile->nnz] = acc->sums[j];
            tile->col_idx[tile->nnz++] = (uint32_t)j;
        }
        acc->sums[j] = 0;
    }
    acc->bits[word] = 0;
}

static void drain(Accumulator *acc, CsrTile *tile)
{
    for (int64_t g = 0; g < acc->ngroups; g++) {
        for (uint64_t set = acc->groups[g]; set; set &= set - 1)
            drain_word(acc, g * 64 + __builtin_ctzll(set), tile);
        acc->groups[g] = 0;
    }
}

/* ---- tiles ---- */

/* Multiplications that row i takes: a bound on its nonzeros, and the measure by which rows are
 * divided. */
static int64_t row_work(const CsrProduct *p, int64_t i)
{
    int64_t work = 0;

    for (int64_t k = p->a->row_ptr[i]; k < p->a->row_ptr[i + 1]; k++) {
        const uint32_t r = p->a->col_idx[k];

        work += p->b->row_ptr[r + 1] - p->b->row_ptr[r];
    }
    return work;
}

static size_t tile_bytes(const CsrTile *tile)
{
    return (size_t)(tile->capacity + 1) * (sizeof *tile->values + sizeof *tile->col_idx);
}

/* Row r of b will be read soon: short rows in any order are what takes most of the time. */
static inline __attribute__((always_inline)) void expect(const Matrix *b, uint32_t r,
                                                         const bool singles)
{
    const int64_t at = b->row_ptr[r];

    if (singles) {
        __builtin_prefetch(&b->singles[at]);
        __builtin_prefetch(&b->singles[at + 16]);
    } else {
        __builtin_prefetch(&b->values[at]);
        __builtin_prefetch(&b->values[at + 8]);
    }
    __builtin_prefetch(&b->col_idx[at]);
}

static inline __attribute__((always_inline)) void fill_rows(const CsrProduct *p, Accumulator *acc,
                                                            CsrTile *tile, const bool singles)
{
    const Matrix *a = p->a, *b = p->b;
    const int64_t last = a->row_ptr[tile->end];

    for (int64_t i = tile->begin; i < tile->end; i++) {
        for (int64_t k = a->row_ptr[i]; k < a->row_ptr[i + 1]; k++) {
            const int64_t from = b->row_ptr[a->col_idx[k]];

            if (k + AHEAD < last)
                expect(b, a->col_idx[k + AHEAD], singles);
            accumulate(acc, matrix_cell(a, k), b, from, b->row_ptr[a->col_idx[k] + 1] - from,
                       singles);
        }
        drain(acc, tile);
        p->out->row_ptr[i + 1] = tile->nnz; /* within the tile, for now */
    }
}

static ml_status tile_fill(Ctx *ctx, const CsrProduct *p, Accumulator *acc, CsrTile *tile)
{
    tile->values = pool_alloc(ctx, tile_bytes(tile));
    if (!tile->values)
        return ML_ENOMEM;
    tile->col_idx = (uint32_t *)(void *)(tile->values + tile->capacity + 1);
    if (p->b->singles)
        fill_rows(p, acc, tile, true);
    else
        fill_rows(p, acc, tile, false);
    return ML_OK;
}

static ml_status tiles_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsrProduct *p = arg;
    Accumulator acc;
    ml_status st;

    TRY(accumulator_new(ctx, p->b->cols, &acc));
    st = check_cancel(ctx);
    for (int64_t t = lo; t < hi && st == ML_OK; t++)
        st = tile_fill(ctx, p, &acc, &p->tiles[t]);
    pool_release(ctx->pool, acc.sums, acc.bytes);
    return st;
}

/* Give tile t the rows from where the last one ends up to about its share of the work. */
static void divide(CsrProduct *p, int64_t total)
{
    const int64_t share = total / TILES > TILE_WORK ? total / TILES : TILE_WORK;
    int64_t work = 0, bound = 0;
    CsrTile *tile = p->tiles;

    for (int64_t i = 0; i < p->a->rows; i++) {
        const int64_t row = row_work(p, i);

        work += row;
        bound += min64(row, p->b->cols);
        tile->end = i + 1;
        tile->capacity = bound;
        if (work >= share && i + 1 < p->a->rows) {
            *++tile = (CsrTile){.begin = i + 1};
            work = bound = 0;
        }
    }
    p->ntiles = tile - p->tiles + 1;
}

/* ---- the result ---- */

static ml_status join_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsrProduct *p = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        const CsrTile *tile = &p->tiles[t];
        const int64_t at = p->out->row_ptr[tile->end] - tile->nnz;

        memcpy(p->out->values + at, tile->values, (size_t)tile->nnz * sizeof(double));
        memcpy(p->out->col_idx + at, tile->col_idx, (size_t)tile->nnz * sizeof(uint32_t));
    }
    return ML_OK;
}

/* p->out holds the row pointers within each tile; *out gets them and the cells. */
static ml_status join(Ctx *ctx, CsrProduct *p, Matrix **out)
{
    Matrix *pointers = p->out;
    int64_t nnz = 0;
    ml_status st;

    for (int64_t t = 0; t < p->ntiles; t++)
        nnz += p->tiles[t].nnz;
    TRY(matrix_new_csr(ctx, pointers->rows, pointers->cols, nnz, out));
    nnz = 0;
    for (int64_t t = 0; t < p->ntiles; t++) {
        for (int64_t i = p->tiles[t].begin; i < p->tiles[t].end; i++)
            (*out)->row_ptr[i + 1] = nnz + pointers->row_ptr[i + 1];
        nnz += p->tiles[t].nnz;
    }
    p->out = *out;
    st = task_for(ctx, p->ntiles, 1, join_range, p);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

static ml_status run(Ctx *ctx, CsrProduct *p, Matrix **out)
{
    Matrix *pointers;
    ml_status st;

    TRY(matrix_new_csr(ctx, p->a->rows, p->b->cols, 0, &pointers));
    p->out = pointers;
    st = task_for(ctx, p->ntiles, 1, tiles_range, p);
    if (st == ML_OK)
        st = join(ctx, p, out);
    for (int64_t t = 0; t < p->ntiles; t++)
        if (p->tiles[t].values)
            pool_release(ctx->pool, p->tiles[t].values, tile_bytes(&p->tiles[t]));
    matrix_release(pointers);
    return st;
}

/* ---- dense results ---- */

static ml_status dense_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsrProduct *p = arg;
    const Matrix *a = p->a, *b = p->b;

    for (int64_t i = lo; i < hi; i++) {
        double *row = p->out->values + i * b->cols;

        memset(row, 0, (size_t)b->cols * sizeof *row);
        for (int64_t k = a->row_ptr[i]; k < a->row_ptr[i + 1]; k++) {
            const uint32_t r = a->col_idx[k];

            csr_add_scaled(b, b->row_ptr[r], b->row_ptr[r + 1], matrix_cell(a, k), row);
        }
    }
    return check_cancel(ctx);
}

static ml_status run_dense(Ctx *ctx, CsrProduct *p, int64_t total, Matrix **out)
{
    ml_status st;

    TRY(matrix_new_dense(ctx, p->a->rows, p->b->cols, out));
    p->out = *out;
    st = task_for(ctx, p->a->rows, task_grain(total / p->a->rows + p->b->cols), dense_rows, p);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

ml_status product_csr(Ctx *ctx, const Matrix *a, const Matrix *b, Matrix **out)
{
    CsrProduct p = {.a = a, .b = b};
    int64_t total = 0;
    ml_status st;

    for (int64_t i = 0; i < a->rows; i++)
        total += row_work(&p, i);
    /* A multiplication or more for each cell: two thirds of them will be stored, if these are at
     * random. */
    if (b->cols == 1 || (double)total >= (double)a->rows * (double)b->cols)
        return run_dense(ctx, &p, total, out);
    p.tiles = mem_calloc((size_t)min64(a->rows, 2 * TILES + 2), sizeof *p.tiles);
    if (!p.tiles)
        return fail_memory(ctx, (2 * TILES + 2) * sizeof *p.tiles);
    divide(&p, total);
    st = run(ctx, &p, out);
    mem_free(p.tiles);
    return st;
}
