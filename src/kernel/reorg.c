/* Cells moved, none changed: rev, roll, diag, triangles, reshape.  nnz follows from the operand's
 * without counting, but for triangles. */
#include "kernel/reorg.h"

#include <string.h>

typedef struct Move {
    const Matrix *in;
    Matrix *out;
    int64_t
        shift; /* row i of the result is row (i + shift) mod rows; with reverse: row rows - 1 - i */
    bool reverse;
} Move;

static int64_t source_row(const Move *v, int64_t i)
{
    const int64_t rows = v->in->rows;

    if (v->reverse)
        return rows - 1 - i;
    return i + v->shift < rows ? i + v->shift : i + v->shift - rows;
}

/* ---- rows in another order ---- */

static ml_status dense_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Move *v = arg;
    const int64_t cols = v->in->cols;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        matrix_move(v->in, source_row(v, i) * cols, v->out, i * cols, cols);
    return ML_OK;
}

static ml_status csr_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Move *v = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        const int64_t to = v->out->row_ptr[i], n = v->out->row_ptr[i + 1] - to;
        const int64_t from = v->in->row_ptr[source_row(v, i)];

        matrix_move(v->in, from, v->out, to, n);
        memcpy(v->out->col_idx + to, v->in->col_idx + from, (size_t)n * sizeof(uint32_t));
    }
    return ML_OK;
}

static ml_status move_csr(Ctx *ctx, Move *v)
{
    const Matrix *in = v->in;
    const int64_t nnz = in->row_ptr[in->rows];

    TRY(matrix_new_csr_of(ctx, matrix_type(in), in->rows, in->cols, nnz, &v->out));
    for (int64_t i = 0; i < in->rows; i++) {
        const int64_t from = source_row(v, i);

        v->out->row_ptr[i + 1] = v->out->row_ptr[i] + in->row_ptr[from + 1] - in->row_ptr[from];
    }
    return task_for(ctx, in->rows, task_grain(nnz / in->rows + 1), csr_rows, v);
}

static ml_status move_dense(Ctx *ctx, Move *v)
{
    TRY(matrix_like(ctx, v->in, v->in->rows, v->in->cols, &v->out));
    return task_for(ctx, v->in->rows, task_grain(v->in->cols), dense_rows, v);
}

static ml_status move_rows(Ctx *ctx, OpCall *call, Move v)
{
    const Matrix *in = v.in;
    ml_status st;

    if (in->format == MATRIX_CONSTANT || in->rows == 0) {
        call->out[0] = value_retain(call->in[0]);
        return ML_OK;
    }
    st = in->format == MATRIX_CSR ? move_csr(ctx, &v) : move_dense(ctx, &v);
    if (st != ML_OK) {
        matrix_release(v.out);
        return st;
    }
    return result_matrix(ctx, call, 0, v.out, in->nnz);
}

ml_status ml_k_rev(Ctx *ctx, OpCall *call)
{
    Matrix *m;

    TRY(call_matrix(ctx, call, 0, &m));
    return move_rows(ctx, call, (Move){.in = m, .reverse = true});
}

ml_status ml_k_roll(Ctx *ctx, OpCall *call)
{
    int64_t shift;
    Matrix *m;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(call_int(ctx, call, 1, &shift));
    shift = m->rows > 0 ? shift % m->rows
                        : 0; /* rows that come in at the top; negative: at the bottom */
    return move_rows(ctx, call, (Move){.in = m, .shift = shift > 0 ? m->rows - shift : -shift});
}

/* ---- diagonals ---- */

static ml_status diagonal_of(Ctx *ctx, OpCall *call, const Matrix *m)
{
    Matrix *out;

    TRY(matrix_new_dense(ctx, m->rows, 1, &out));
    for (int64_t i = 0; i < m->rows; i++)
        out->values[i] = matrix_get(m, i, i);
    return result_matrix(ctx, call, 0, out, -1);
}

/* A matrix with the cells of column m on its diagonal: CSR unless it is small. */
static ml_status diagonal_matrix(Ctx *ctx, OpCall *call, const Matrix *m)
{
    Matrix *out;

    if (!matrix_is_sparse(m->rows, m->rows, m->nnz)) {
        TRY(matrix_new_zero(ctx, m->rows, m->rows, &out));
        for (int64_t i = 0; i < m->rows; i++)
            out->values[i * m->rows + i] = matrix_get(m, i, 0);
        return result_matrix(ctx, call, 0, out, m->nnz);
    }
    TRY(matrix_new_csr(ctx, m->rows, m->rows, m->nnz, &out));
    for (int64_t i = 0, k = 0; i < m->rows; i++) {
        const double cell = matrix_get(m, i, 0);

        if (cell != 0) {
            out->values[k] = cell;
            out->col_idx[k++] = (uint32_t)i;
        }
        out->row_ptr[i + 1] = k;
    }
    return result_matrix(ctx, call, 0, out, m->nnz);
}

ml_status ml_k_diag(Ctx *ctx, OpCall *call)
{
    Matrix *m;

    TRY(call_matrix(ctx, call, 0, &m));
    if (m->cols == 1)
        return diagonal_matrix(ctx, call, m);
    if (m->rows == m->cols)
        return diagonal_of(ctx, call, m);
    return fail(ctx, ML_ESHAPE,
                "diag: %s should be a column vector or square, found %" PRId64 "x%" PRId64,
                call_name(call, 0), m->rows, m->cols);
}

/* ---- triangles ---- */

typedef struct Triangle {
    const Matrix *in;
    double *out;
    bool lower, diag, values;
} Triangle;

static ml_status triangle_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Triangle *t = arg;
    const int64_t cols = t->in->cols;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        double *row = t->out + i * cols;
        const double *cells = t->values ? matrix_row(t->in, i, row) : NULL;
        int64_t begin = t->lower ? 0 : i + !t->diag, end = t->lower ? i + t->diag : cols;

        begin = begin < cols ? begin : cols;
        end = end < cols ? end : cols;
        memset(row, 0, (size_t)begin * sizeof *row);
        memset(row + end, 0, (size_t)(cols - end) * sizeof *row);
        for (int64_t j = begin; j < end; j++)
            row[j] = cells ? cells[j] : 1;
    }
    return ML_OK;
}

/* The cells of a CSR matrix that lie in the triangle. */
static ml_status triangle_csr(Ctx *ctx, OpCall *call, const Triangle *t)
{
    const Matrix *in = t->in;
    Matrix *out;
    int64_t at = 0;

    TRY(matrix_new_csr(ctx, in->rows, in->cols, in->nnz, &out));
    for (int64_t i = 0; i < in->rows; i++) {
        for (int64_t k = in->row_ptr[i]; k < in->row_ptr[i + 1]; k++) {
            const int64_t j = in->col_idx[k];

            if (j == i ? !t->diag : (j < i) != t->lower)
                continue;
            out->values[at] = in->values[k];
            out->col_idx[at++] = in->col_idx[k];
        }
        out->row_ptr[i + 1] = at;
    }
    return result_matrix(ctx, call, 0, out, at);
}

static ml_status triangle(Ctx *ctx, OpCall *call, bool lower)
{
    Triangle t = {.lower = lower};
    Matrix *m, *out;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(call_bool(ctx, call, 1, &t.diag));
    TRY(call_bool(ctx, call, 2, &t.values));
    t.in = m;
    if (t.values && m->format == MATRIX_CSR)
        return triangle_csr(ctx, call, &t);
    TRY(matrix_new_dense(ctx, m->rows, m->cols, &out));
    t.out = out->values;
    st = task_for(ctx, m->rows, task_grain(m->cols), triangle_rows, &t);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}

ml_status ml_k_lower_tri(Ctx *ctx, OpCall *call)
{
    return triangle(ctx, call, true);
}

ml_status ml_k_upper_tri(Ctx *ctx, OpCall *call)
{
    return triangle(ctx, call, false);
}

/* ---- reshape ---- */

/* Row-major on both sides: the cells keep their order. */
static ml_status reshape_csr(Ctx *ctx, const Matrix *in, int64_t rows, int64_t cols, Matrix **out)
{
    const int64_t nnz = in->row_ptr[in->rows];
    Matrix *m;
    int64_t at = 0;

    TRY(matrix_new_csr(ctx, rows, cols, nnz, &m));
    for (int64_t i = 0; i < in->rows; i++)
        for (int64_t k = in->row_ptr[i]; k < in->row_ptr[i + 1]; k++) {
            const int64_t cell = i * in->cols + in->col_idx[k];

            while (at < cell / cols)
                m->row_ptr[++at] = k;
            m->values[k] = in->values[k];
            m->col_idx[k] = (uint32_t)(cell % cols);
        }
    while (at < rows)
        m->row_ptr[++at] = nnz;
    *out = m;
    return ML_OK;
}

static ml_status reshape_rows(Ctx *ctx, Matrix *in, int64_t rows, int64_t cols, Matrix **out)
{
    if (in->format == MATRIX_CONSTANT)
        return matrix_new_constant(ctx, rows, cols, in->constant, out);
    if (in->format == MATRIX_CSR && matrix_is_sparse(rows, cols, in->nnz))
        return reshape_csr(ctx, in, rows, cols, out);

    Matrix *dense;

    TRY(matrix_dense(ctx, in, &dense));

    const ml_status st = matrix_new_dense(ctx, rows, cols, out);

    if (st == ML_OK)
        memcpy((*out)->values, dense->values, (size_t)matrix_cells(dense) * sizeof(double));
    matrix_release(dense);
    return st;
}

/* By columns: the transposed cells in row-major order are those of the transposed result. */
static ml_status reshape_cols(Ctx *ctx, const Matrix *in, int64_t rows, int64_t cols, Matrix **out)
{
    Matrix *flat = NULL, *shaped = NULL;
    ml_status st;

    TRY_TO(done, st = matrix_transpose(ctx, in, &flat));
    flat->nnz = in->nnz;
    TRY_TO(done, st = reshape_rows(ctx, flat, cols, rows, &shaped));
    st = matrix_transpose(ctx, shaped, out);
done:
    matrix_release(flat);
    matrix_release(shaped);
    return st;
}

ml_status matrix_reshape(Ctx *ctx, Matrix *m, int64_t rows, int64_t cols, bool byrow, Matrix **out)
{
    TRY(byrow ? reshape_rows(ctx, m, rows, cols, out) : reshape_cols(ctx, m, rows, cols, out));
    (*out)->nnz = m->nnz;
    return ML_OK;
}
