/* Operands of cell-wise operators: how they spread over the cells of a result, piece by piece.
 *
 * Dense operands are pointed into; sparse ones, narrow vectors and FP32 cells are expanded into
 * scratch a piece at a time, so no operand is ever copied whole but a vector and a CSR matrix of
 * FP32.  Cost: one pass over each
 * operand. */
#include "kernel/cellwise.h"

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
    Matrix *dense = NULL;
    ml_status st;

    TRY(matrix_dense(ctx, m, &dense));
    st = side_double(ctx, dense, kind, out);
    matrix_release(dense);
    return st;
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

/* First entry of row i at or after the column. */
static int64_t csr_lower(const Matrix *m, int64_t i, int64_t col)
{
    int64_t lo = m->row_ptr[i], hi = m->row_ptr[i + 1];

    if (col == 0)
        return lo;
    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (m->col_idx[mid] < col)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
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
