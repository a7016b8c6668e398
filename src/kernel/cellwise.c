/* Operands of cell-wise operators: how they spread over the cells of a result, piece by piece.
 *
 * Dense operands are pointed into; sparse ones, narrow vectors and FP32 cells are expanded into
 * scratch a piece at a time, so no operand is ever copied whole but a vector and a CSR matrix of
 * FP32.  Cost: one pass over each
 * operand. */
#include "kernel/cellwise.h"
#include "kernel/csr.h"
#include "kernel/simd/ahead.h"
#include "kernel/simd/stream.h"

#include <string.h>

/* Rows narrower than this are expanded together rather than run one by one. */
enum { NARROW = 64 };

/* As an FP64 matrix. */
static ml_status side_double(Ctx *ctx, Matrix *m, SideKind kind, Side *out)
{
    TRY(matrix_as(ctx, CELL_FP64, m, &out->owned));
    out->kind = kind;
    out->m = out->owned;
    return ML_OK;
}

static ml_status side_vector(Ctx *ctx, Matrix *m, SideKind kind, Side *out)
{
    TRY(matrix_doubles(ctx, m, &out->owned));
    out->kind = kind;
    out->m = out->owned;
    return ML_OK;
}

static ml_status side_matrix(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols,
                             bool spread, Side *out)
{
    Matrix *m = call->in[k].m;
    const bool same = m->rows == rows && m->cols == cols;
    const bool row = m->rows == 1 && m->cols == cols, col = m->cols == 1 && m->rows == rows;
    const bool one = m->rows == 1 && m->cols == 1;

    if (!same && !(spread && (row || col || one)))
        return call_shape_error(ctx, call, 0, k,
                                spread
                                    ? "the right operand should have the same shape or be a row, "
                                      "a column or a cell of it"
                                    : "matrices should have the same shape");
    if (m->format == MATRIX_CONSTANT || (one && !same)) {
        out->scalar = matrix_get(m, 0, 0);
        return ML_OK;
    }
    if (!same)
        return side_vector(ctx, m, row ? SIDE_ROW : SIDE_COL, out);
    if (m->format == MATRIX_CSR && m->singles)
        return side_double(ctx, m, SIDE_CELLS, out);
    out->kind = SIDE_CELLS;
    out->m = m;
    return ML_OK;
}

ml_status side_init(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols, bool spread,
                    Side *out)
{
    char buf[64];

    *out = (Side){.kind = SIDE_SCALAR};
    if (call->in[k].dt == DT_MATRIX)
        return side_matrix(ctx, call, k, rows, cols, spread, out);
    if (!scalar_is_number(call->in[k]))
        return fail(ctx, ML_ETYPE, "'%s' with a matrix expects a matrix or a number, found %s",
                    op_label(call->op), value_describe(call->in[k], buf));
    out->scalar = scalar_to_double(call->in[k]);
    return ML_OK;
}

void side_release(Side *side)
{
    matrix_release(side->owned);
    side->owned = NULL;
}

bool side_is_csr(const Side *side)
{
    return side->kind == SIDE_CELLS && side->m->format == MATRIX_CSR;
}

/* Are the cells there to be pointed into? */
static bool is_pointed(const Side *side)
{
    return side->kind == SIDE_CELLS && side->m->format == MATRIX_DENSE && !side->m->singles;
}

int64_t side_piece(const Side *side, int64_t cols, int64_t lo, int64_t n)
{
    const int64_t chunk = n < CELL_CHUNK ? n : CELL_CHUNK, rest = cols - lo % (cols ? cols : 1);

    if (side->kind == SIDE_SCALAR || is_pointed(side))
        return n;
    if (side->kind == SIDE_CELLS || cols < NARROW)
        return chunk;
    return rest < chunk ? rest : chunk;
}

static void expand_csr(const Matrix *m, int64_t lo, int64_t n, double *out)
{
    memset(out, 0, (size_t)n * sizeof *out);
    for (int64_t i = lo / m->cols; i * m->cols < lo + n; i++) {
        const int64_t base = i * m->cols - lo, end = m->row_ptr[i + 1];

        for (int64_t k = csr_lower(m, i, base < 0 ? -base : 0); k < end; k++) {
            const int64_t at = base + m->col_idx[k];

            if (at >= n)
                return;
            out[at] = matrix_cell(m, k);
        }
    }
}

static void fill(double *out, double value, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = value;
}

static void expand_row(const double *row, int64_t cols, int64_t lo, int64_t n, double *out)
{
    int64_t j = lo % cols;

    for (int64_t i = 0; i < n; i++) {
        out[i] = row[j];
        j = j + 1 < cols ? j + 1 : 0;
    }
}

static void expand_col(const double *col, int64_t cols, int64_t lo, int64_t n, double *out)
{
    int64_t i = lo / cols, left = cols - lo % cols;

    for (int64_t done = 0; done < n; done += left, left = cols, i++) {
        left = left < n - done ? left : n - done;
        fill(out + done, col[i], left);
    }
}

const double *side_cells(const Side *side, int64_t cols, int64_t lo, int64_t n, double *scratch)
{
    if (side->kind == SIDE_CELLS && !side_is_csr(side))
        return matrix_load(side->m, lo, n, scratch);
    if (side->kind == SIDE_ROW && lo % cols + n <= cols)
        return side->m->values + lo % cols;
    if (side->kind == SIDE_CELLS)
        expand_csr(side->m, lo, n, scratch);
    else if (side->kind == SIDE_ROW)
        expand_row(side->m->values, cols, lo, n, scratch);
    else if (side->kind == SIDE_COL)
        expand_col(side->m->values, cols, lo, n, scratch);
    else
        fill(scratch, side->scalar, n);
    return scratch;
}

int64_t cells_piece(const Matrix *out, int64_t n)
{
    return out->singles && n > CELL_CHUNK ? CELL_CHUNK : n;
}

static CellType result_type(const OpCall *call)
{
    for (int k = 0; k < call->nin; k++)
        if (call->in[k].dt == DT_MATRIX && call->in[k].m->singles)
            return CELL_FP32;
    return CELL_FP64;
}

/* ---- dense results ---- */

ml_status cells_output(Ctx *ctx, const OpCall *call, int nin, int64_t rows, int64_t cols,
                       Matrix **out)
{
    for (int k = 0; k < nin; k++) {
        Matrix *m = call_reusable(call, k);

        if (m && m->rows == rows && m->cols == cols) {
            *out = matrix_retain(m);
            return ML_OK;
        }
    }
    return matrix_new_dense_of(ctx, result_type(call), rows, cols, out);
}

static int64_t piece_length(const CellRun *run, int64_t at, int64_t n)
{
    for (int k = 0; k < 2; k++)
        n = run->sides[k] ? side_piece(run->sides[k], run->cols, at, n) : n;
    return n;
}

static int64_t small_piece(const CellRun *run, int64_t at, int64_t n)
{
    double scratch[CELL_CHUNK], *out = matrix_target(run->out, at, scratch);

    return matrix_store(run->out, at, n, out, run->piece(run, at, n, out));
}

static int64_t small_tiles(CellRun *run, int64_t at, int64_t end)
{
    int64_t nnz = 0, n;

    for (; at < end; at += n) {
        n = piece_length(run, at, end - at < CELL_TILE ? end - at : CELL_TILE);
        n = cells_piece(run->out, n);
        nnz += small_piece(run, at, n);
    }
    return nnz;
}

static bool is_dense_cells(const Side *side)
{
    return side && side->kind == SIDE_CELLS && side->m->format == MATRIX_DENSE;
}

static bool writes_over(const CellRun *run)
{
    for (int k = 0; k < 2; k++)
        if (is_dense_cells(run->sides[k]) && run->sides[k]->m == run->out)
            return true;
    return false;
}

static int64_t large_tile(const CellRun *run, int64_t at, int64_t n, double *out)
{
    enum { AT_ONCE = 128 }; /* cells: requests in a bunch would wait for each other */
    int64_t nnz = 0, m;

    for (int64_t q = 0; q < n; q += m) {
        m = piece_length(run, at + q, n - q < AT_ONCE ? n - q : AT_ONCE);
        for (int k = 0; k < 2; k++)
            if (is_dense_cells(run->sides[k])) {
                const double *x = run->sides[k]->m->values;

                read_ahead(x + at + q, x + at + q + m, x + run->cells);
            }
        nnz += run->piece(run, at + q, m, out + q);
    }
    return nnz;
}

static int64_t large_tiles(CellRun *run, int64_t at, int64_t end)
{
    double tile[STREAM_TILE] __attribute__((aligned(64)));
    double *out = run->out->values;
    const bool over = writes_over(run);
    int64_t nnz = 0, n;

    for (; at < end; at += n) {
        n = end - at < STREAM_TILE ? end - at : STREAM_TILE;
        nnz += large_tile(run, at, n, over ? out + at : tile);
        if (!over)
            stream_cells(out + at, tile, n);
    }
    stream_end();
    return nnz;
}

static ml_status run_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    CellRun *run = arg;
    const int64_t end = hi * CELL_TILE < run->cells ? hi * CELL_TILE : run->cells;
    const int64_t nnz =
        run->large ? large_tiles(run, lo * CELL_TILE, end) : small_tiles(run, lo * CELL_TILE, end);

    (void)ctx;
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&run->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

ml_status cells_run(Ctx *ctx, OpCall *call, CellRun *run, int64_t rows, int64_t cols)
{
    Matrix *out = NULL;
    ml_status st;

    TRY(cells_output(ctx, call, run->sides[1] ? 2 : 1, rows, cols, &out));
    run->out = out;
    run->cols = cols;
    run->cells = matrix_cells(out);
    run->large = !out->singles && run->cells >= STREAM_LEAST && !call->op->flops;
    st = task_for(ctx, (run->cells + CELL_TILE - 1) / CELL_TILE, task_grain(CELL_TILE), run_range,
                  run);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, atomic_load_explicit(&run->nnz, memory_order_relaxed));
}
