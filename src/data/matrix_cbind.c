/* matrix_cbind: matrices side by side.
 *
 * Rows are made in tiles that stay in the L2 cache, and in a tile part by part: so a thousand
 * columns that lie in a buffer each are read by cache lines, not cell by cell, and rows of wide
 * parts are copied whole.  CSR takes two passes, as in matrix_convert.c: count, then fill.
 * Cost: one read of each part, one write of the result. */
#include "data/matrix_cells.h"
#include "task/task.h"

enum { TILE_CELLS = 16384, TILE_ROWS_LEAST = 16, TILE_ROWS_MOST = 1024 };

typedef struct Cbind {
    Matrix *const *parts;
    int n;
    Matrix *out;
    int64_t tile;  /* rows */
    int64_t *ends; /* CSR: rows + 1, where rows end */
} Cbind;

static int64_t tile_rows(int64_t cols)
{
    const int64_t rows = TILE_CELLS / (cols + 1);

    return rows < TILE_ROWS_LEAST ? TILE_ROWS_LEAST : rows > TILE_ROWS_MOST ? TILE_ROWS_MOST : rows;
}

static int64_t tile_end(const Cbind *b, int64_t tile)
{
    const int64_t end = (tile + 1) * b->tile;

    return end < b->out->rows ? end : b->out->rows;
}

/* ---- dense ---- */

/* Rows [lo, hi) of a part to the columns from `col` on. */
static void put_part(const Matrix *part, int64_t lo, int64_t hi, Matrix *out, int64_t col)
{
    if (part->format == MATRIX_DENSE && part->cols == 1 && part->values && out->values) {
        for (int64_t i = lo; i < hi; i++)
            out->values[i * out->cols + col] = part->values[i];
        return;
    }
    for (int64_t i = lo; i < hi; i++)
        matrix_put_row(part, i, out, i * out->cols + col);
}

static ml_status dense_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Cbind *b = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        int64_t col = 0;

        for (int k = 0; k < b->n; k++) {
            put_part(b->parts[k], t * b->tile, tile_end(b, t), b->out, col);
            col += b->parts[k]->cols;
        }
    }
    return ML_OK;
}

/* ---- CSR ---- */

static ml_status count_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Cbind *b = arg;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++)
        for (int k = 0; k < b->n; k++)
            for (int64_t i = t * b->tile; i < tile_end(b, t); i++)
                b->ends[i + 1] += matrix_row_nnz(b->parts[k], i);
    return ML_OK;
}

/* Append the nonzeros of row i of m, their columns moved by `col`; gives where they end. */
static int64_t put_entries(Matrix *out, int64_t at, const Matrix *m, int64_t i, int64_t col)
{
    if (m->format == MATRIX_CSR) {
        for (int64_t k = m->row_ptr[i]; k < m->row_ptr[i + 1]; k++, at++) {
            matrix_put(out, at, matrix_cell(m, k));
            out->col_idx[at] = m->col_idx[k] + (uint32_t)col;
        }
        return at;
    }
    for (int64_t j = 0; j < m->cols; j++) {
        const double cell =
            m->format == MATRIX_DENSE ? matrix_cell(m, i * m->cols + j) : m->constant;

        if (cell != 0) {
            matrix_put(out, at, cell);
            out->col_idx[at++] = (uint32_t)(col + j);
        }
    }
    return at;
}

static ml_status csr_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Cbind *b = arg;
    int64_t at[TILE_ROWS_MOST];

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        const int64_t begin = t * b->tile, end = tile_end(b, t);
        int64_t col = 0;

        for (int64_t i = begin; i < end; i++)
            at[i - begin] = b->ends[i];
        for (int k = 0; k < b->n; k++) {
            for (int64_t i = begin; i < end; i++)
                at[i - begin] = put_entries(b->out, at[i - begin], b->parts[k], i, col);
            col += b->parts[k]->cols;
        }
    }
    return ML_OK;
}

static ml_status fill_csr(Ctx *ctx, Cbind *b, int64_t nnz)
{
    const int64_t rows = b->out->rows, tiles = (rows + b->tile - 1) / b->tile;

    b->ends = b->out->row_ptr;
    TRY(task_for(ctx, tiles, task_grain(b->tile * b->n), count_tiles, b));
    for (int64_t i = 0; i < rows; i++)
        b->ends[i + 1] += b->ends[i];
    return task_for(ctx, tiles, task_grain(nnz / (tiles + 1) + b->tile), csr_tiles, b);
}

ml_status matrix_cbind(Ctx *ctx, CellType type, Matrix *const *parts, int n, int64_t nnz,
                       Matrix **out)
{
    Cbind b = {.parts = parts, .n = n};
    const int64_t rows = parts[0]->rows;
    int64_t cols = 0;
    ml_status st;

    for (int k = 0; k < n; k++)
        cols += parts[k]->cols;
    b.tile = tile_rows(cols);
    if (matrix_is_sparse(rows, cols, nnz)) {
        TRY(matrix_new_csr_of(ctx, type, rows, cols, nnz, &b.out));
        st = fill_csr(ctx, &b, nnz);
    } else {
        TRY(matrix_new_dense_of(ctx, type, rows, cols, &b.out));
        st =
            task_for(ctx, (rows + b.tile - 1) / b.tile, task_grain(b.tile * cols), dense_tiles, &b);
    }
    if (st != ML_OK) {
        matrix_release(b.out);
        return st;
    }
    *out = b.out;
    return ML_OK;
}
