/* Products and transposes of hypersparse matrices.
 *
 * X %*% Y for a hypersparse Y: rows of Y that are empty meet columns of X that do not matter, so X
 * keeps those columns alone that Y has rows for; and if Y has far more columns than nonzeros, so
 * are those of the result.  t(X) %*% Y: the rows that X stores, of both.  The transpose of a matrix
 * with far more columns than nonzeros is that of its columns that hold something. */
#include "kernel/csr.h"
#include "kernel/hyper.h"
#include "kernel/reorg.h"
#include "kernel/sort.h"

#include <string.h>

/* ---- some columns of a matrix ---- */

static void dense_columns(const Matrix *in, const RowList *cols, Matrix *out)
{
    for (int64_t i = 0; i < in->rows; i++)
        for (int64_t k = 0; k < cols->n; k++)
            matrix_put(out, i * cols->n + k, matrix_cell(in, i * in->cols + cols->rows[k]));
}

static void csr_columns(const Matrix *in, const RowList *cols, Matrix *out)
{
    int64_t at = 0;

    for (int64_t i = 0; i < in->rows; i++) {
        for (int64_t k = in->row_ptr[i]; k < in->row_ptr[i + 1]; k++) {
            const int64_t place = row_list_lower(cols, in->col_idx[k]);

            if (place == cols->n || cols->rows[place] != in->col_idx[k])
                continue;
            matrix_put(out, at, matrix_cell(in, k));
            out->col_idx[at++] = (uint32_t)place;
        }
        out->row_ptr[i + 1] = at;
    }
    out->nnz = at;
}

/* The columns of m, dense, CSR or constant, at these places; a reference. */
static ml_status take_columns(Ctx *ctx, const Matrix *m, const RowList *cols, Matrix **out)
{
    const CellType type = matrix_type(m);

    if (m->format == MATRIX_CONSTANT)
        return matrix_new_constant(ctx, m->rows, cols->n, m->constant, out);
    if (m->format == MATRIX_CSR) {
        TRY(matrix_new_csr_of(ctx, type, m->rows, cols->n, csr_nnz(m), out));
        csr_columns(m, cols, *out);
        return ML_OK;
    }
    TRY(matrix_new_dense_of(ctx, type, m->rows, cols->n, out));
    dense_columns(m, cols, *out);
    (*out)->nnz = matrix_stored_nnz(*out, 0, matrix_cells(*out));
    return ML_OK;
}

/* The columns that hold something, in order. */
static ml_status used_columns(Ctx *ctx, const Matrix *m, RowList **out)
{
    const int64_t nnz = csr_nnz(m);
    const size_t bytes = (size_t)(2 * nnz + 1) * sizeof(SortItem);
    SortItem *items = pool_alloc(ctx, bytes);
    int64_t n = 0;
    ml_status st;

    if (!items)
        return ML_ENOMEM;
    for (int64_t k = 0; k < nnz; k++)
        items[k] = (SortItem){m->col_idx[k], k};
    st = sort_items(ctx, items, items + nnz, nnz);
    for (int64_t k = 0; k < nnz; k++)
        n += k == 0 || items[k].key != items[k - 1].key;
    if (st == ML_OK)
        st = row_list_new(ctx, n, out);
    n = 0;
    for (int64_t k = 0; st == ML_OK && k < nnz; k++)
        if (k == 0 || items[k].key != items[k - 1].key)
            (*out)->rows[n++] = (int64_t)items[k].key;
    pool_release(ctx->pool, items, bytes);
    return st;
}

/* m, CSR, with its columns at the places of the list, of `cols` columns. */
static ml_status widen(Ctx *ctx, int64_t cols, const RowList *list, Matrix *m, Matrix **out)
{
    Matrix *wide = NULL;

    if (cols > UINT32_MAX)
        return fail(ctx, ML_EVALUE, "a sparse matrix of %" PRId64 " columns is not possible", cols);
    TRY(matrix_new_csr_of(ctx, matrix_type(m), m->rows, cols, csr_nnz(m), &wide));
    memcpy(wide->row_ptr, m->row_ptr, (size_t)(m->rows + 1) * sizeof *m->row_ptr);
    matrix_move(m, 0, wide, 0, csr_nnz(m));
    for (int64_t k = 0; k < csr_nnz(m); k++)
        wide->col_idx[k] = (uint32_t)list->rows[m->col_idx[k]];
    wide->nnz = csr_nnz(m);
    *out = wide;
    return ML_OK;
}

/* ---- products ---- */

static ml_status product(Ctx *ctx, const OpCall *call, Matrix *left, Matrix *right, Value *out)
{
    const Value in[] = {value_matrix(left), value_matrix(right)};

    return hyper_apply(ctx, call, in, 2, out);
}

bool hyper_is_wide(const Matrix *m)
{
    return m->format == MATRIX_CSR && matrix_is_hyper(m->cols, csr_nnz(m));
}

ml_status hyper_narrow(Ctx *ctx, const OpCall *call, Matrix *const *in, int n, Value *out)
{
    Matrix *const last = in[n - 1];
    Matrix *narrow = NULL, *csr = NULL, *wide = NULL;
    Value operands[2] = {{0}}, part = value_none();
    RowList *cols = NULL;
    ml_status st;

    TRY(used_columns(ctx, last, &cols));
    st = take_columns(ctx, last, cols, &narrow);
    for (int k = 0; k < n; k++)
        operands[k] = value_matrix(k == n - 1 ? narrow : in[k]);
    if (st == ML_OK)
        st = hyper_apply(ctx, call, operands, n, &part);
    if (st == ML_OK)
        st = matrix_csr(ctx, part.m, &csr);
    if (st == ML_OK)
        st = widen(ctx, last->cols, cols, csr, &wide);
    if (st == ML_OK)
        *out = value_matrix(wide);
    value_release(part);
    matrix_release(csr);
    matrix_release(narrow);
    row_list_release(cols);
    return st;
}

/* Are the factors finite that meet rows or columns that are left out? */
static ml_status may_leave_out(Ctx *ctx, const OpCall *call, bool *may)
{
    const bool left_out = is_hyper(call->in[1]) || hyper_is_wide(call->in[1].m);

    *may = true;
    if (is_hyper(call->in[0]))
        TRY(hyper_finite(ctx, call->in[1], may));
    if (*may && left_out)
        TRY(hyper_finite(ctx, call->in[0], may));
    return ML_OK;
}

ml_status hyper_product(Ctx *ctx, OpCall *call, bool *done)
{
    Matrix *x = call->in[0].m, *y = call->in[1].m, *left = NULL;
    Value out = value_none();
    ml_status st;

    if (x->cols != y->rows)
        return ML_OK;
    TRY(may_leave_out(ctx, call, done));
    if (!*done)
        return ML_OK;
    left = is_hyper(call->in[0]) ? x->compact : x;
    if (is_hyper(call->in[1])) {
        TRY(take_columns(ctx, left, y->list, &left));
        y = y->compact;
    } else {
        matrix_retain(left);
    }
    st = hyper_is_wide(y) && left->format == MATRIX_CSR
             ? hyper_narrow(ctx, call, (Matrix *[]){left, y}, 2, &out)
             : product(ctx, call, left, y, &out);
    matrix_release(left);
    TRY(st);
    if (is_hyper(call->in[0]))
        return hyper_result(ctx, call, x->rows, x->list, out);
    call->out[0] = out;
    return ML_OK;
}

ml_status hyper_cross(Ctx *ctx, OpCall *call, bool *done)
{
    Matrix *x = call->in[0].m, *y = call->in[1].m, *left = NULL, *right = NULL;
    const bool by_left = is_hyper(call->in[0]);
    const RowList *list = by_left ? x->list : y->list;
    ml_status st;

    if (x->rows != y->rows)
        return ML_OK;
    TRY(hyper_finite(ctx, call->in[by_left], done));
    if (!*done)
        return ML_OK;
    TRY(hyper_take(ctx, x, list, &left));
    st = hyper_take(ctx, y, list, &right);
    if (st == ML_OK)
        st = product(ctx, call, left, right, &call->out[0]);
    matrix_release(left);
    matrix_release(right);
    return st;
}

/* Rows and columns of t(X) %*% X are columns of X; those that hold nothing meet zeros alone, unless
 * X has cells that are not finite. */
ml_status hyper_self(Ctx *ctx, OpCall *call, bool *done)
{
    Matrix *m = call->in[0].m, *csr = is_hyper(call->in[0]) ? m->compact : m;
    Matrix *narrow = NULL, *wide = NULL;
    Value part = value_none();
    RowList *cols = NULL;
    ml_status st;

    if (!hyper_is_wide(csr))
        return hyper_compact(ctx, call, done);
    TRY(hyper_finite(ctx, value_matrix(csr), done));
    if (!*done)
        return ML_OK;
    TRY(used_columns(ctx, csr, &cols));
    TRY_TO(done, st = take_columns(ctx, csr, cols, &narrow));
    TRY_TO(done, st = hyper_apply(ctx, call, (Value[]){value_matrix(narrow)}, 1, &part));
    matrix_release(narrow);
    narrow = NULL;
    TRY_TO(done, st = matrix_csr(ctx, part.m, &narrow));
    TRY_TO(done, st = widen(ctx, m->cols, cols, narrow, &wide));
    st = hyper_result(ctx, call, m->cols, cols, value_matrix(wide));
done:
    value_release(part);
    matrix_release(narrow);
    row_list_release(cols);
    return st;
}

/* ---- transposes ---- */

/* The transpose of the columns in the list, in FP64; list NULL: of all. */
static ml_status transpose_columns(Ctx *ctx, Matrix *csr, const RowList *cols, Matrix **out)
{
    Matrix *in = NULL, *narrow = NULL;
    ml_status st;

    TRY(matrix_as(ctx, CELL_FP64, csr, &in));
    st = cols ? take_columns(ctx, in, cols, &narrow) : ML_OK;
    if (st == ML_OK)
        st = matrix_transpose(ctx, cols ? narrow : in, out);
    matrix_release(narrow);
    matrix_release(in);
    return st;
}

static ml_status transpose_result(Ctx *ctx, OpCall *call, RowList *cols, Matrix *m)
{
    if (cols)
        return hyper_result(ctx, call, call->in[0].m->cols, cols, value_matrix(m));
    return result_matrix(ctx, call, 0, m, m->nnz);
}

ml_status hyper_transpose(Ctx *ctx, OpCall *call, bool *done)
{
    Matrix *m = call->in[0].m, *csr = is_hyper(call->in[0]) ? m->compact : m, *turned = NULL;
    RowList *cols = NULL;
    ml_status st = ML_OK;

    *done = true;
    if (matrix_is_hyper(m->cols, m->nnz))
        TRY(used_columns(ctx, csr, &cols));
    st = transpose_columns(ctx, csr, cols, &turned);
    if (st == ML_OK && csr != m) {
        Matrix *narrow = turned;

        st = widen(ctx, m->rows, m->list, narrow, &turned);
        matrix_release(narrow);
    }
    if (st == ML_OK) {
        turned->nnz = m->nnz;
        st = transpose_result(ctx, call, cols, turned);
    }
    row_list_release(cols);
    return st;
}
