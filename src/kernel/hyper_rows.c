/* Aggregates of hypersparse matrices, and operators that put rows together. */
#include "kernel/hyper.h"

#include <string.h>

/* The kernel on another matrix in place of the first operand. */
static ml_status apply_to(Ctx *ctx, const OpCall *call, Matrix *m, Value *out)
{
    const Value in = value_matrix(m);

    return hyper_apply(ctx, call, &in, 1, out);
}

/* ---- aggregates ---- */

ml_status hyper_compact(Ctx *ctx, OpCall *call, bool *done)
{
    if (!is_hyper(call->in[0]))
        return ML_OK;
    for (int k = 1; k < call->nin; k++)
        if (is_hyper(call->in[k]))
            return ML_OK;
    *done = true;
    for (int k = 1; k < call->nin && *done; k++)
        TRY(hyper_finite(ctx, call->in[k], done));
    if (!*done)
        return ML_OK;
    if (call->op->props & P_AGG_COL && hyper_is_wide(call->in[0].m->compact))
        return hyper_narrow(ctx, call, &call->in[0].m->compact, 1, &call->out[0]);
    return apply_to(ctx, call, call->in[0].m->compact, &call->out[0]);
}

/* As there are more rows than stored ones, one of them is zero. */
ml_status hyper_zeros(Ctx *ctx, OpCall *call, bool *done)
{
    Matrix *m = call->in[0].m, *zeros = NULL;
    Value bind[2] = {value_matrix(m->compact)}, rows = value_none();
    OpCall rbind = {.op = &op_table[OP_rbind], .nin = 2, .nout = 1, .in = bind, .out = &rows};
    ml_status st;

    *done = true;
    TRY(matrix_new_constant(ctx, 1, m->cols, 0, &zeros));
    bind[1] = value_matrix(zeros);
    st = ml_k_rbind(ctx, &rbind);
    if (st == ML_OK)
        st = call->op->props & P_AGG_COL && hyper_is_wide(rows.m)
                 ? hyper_narrow(ctx, call, &rows.m, 1, &call->out[0])
                 : apply_to(ctx, call, rows.m, &call->out[0]);
    value_release(rows);
    matrix_release(zeros);
    return st;
}

ml_status hyper_mean(Ctx *ctx, OpCall *call, bool *done)
{
    const double share = (double)call->in[0].m->list->n / (double)call->in[0].m->rows;
    Value in[2] = {value_none(), value_double(share)}, *out = &call->out[0];
    OpCall times = {.op = &op_table[OP_mul], .nin = 2, .nout = 1, .in = in, .out = out};
    ml_status st;

    TRY(hyper_compact(ctx, call, done));
    if (!*done)
        return ML_OK;
    if (out->dt == DT_SCALAR) {
        *out = value_double(scalar_to_double(*out) * share);
        return ML_OK;
    }
    in[0] = *out;
    *out = value_none();
    st = kernel_call(ctx, &times);
    value_release(in[0]);
    return st;
}

/* ---- row by row ---- */

/* Column `rows` long of one number, but for the cells in the list. */
static ml_status scatter(Ctx *ctx, OpCall *call, int64_t rows, const RowList *list,
                         const Matrix *cells, double fill)
{
    Matrix *constant = NULL, *m = NULL;
    ml_status st;

    TRY(matrix_new_constant(ctx, rows, 1, fill, &constant));
    st = matrix_dense_of(ctx, precision_type(ctx), constant, &m);
    matrix_release(constant);
    TRY(st);
    for (int64_t k = 0; k < list->n; k++)
        matrix_put(m, list->rows[k], matrix_get(cells, k, 0));
    return result_matrix(ctx, call, 0, m, -1);
}

ml_status hyper_rows(Ctx *ctx, OpCall *call, bool *done)
{
    const Matrix *m = call->in[0].m;
    Value cells = value_none(), zero = value_none();
    Matrix *zeros = NULL;
    double fill = 0;
    ml_status st;

    *done = true;
    TRY(apply_to(ctx, call, m->compact, &cells));
    st = matrix_new_constant(ctx, 1, m->cols, 0, &zeros);
    if (st == ML_OK)
        st = apply_to(ctx, call, zeros, &zero);
    if (st == ML_OK)
        fill = matrix_get(zero.m, 0, 0);
    value_release(zero);
    matrix_release(zeros);
    if (st == ML_OK && fill == 0)
        return hyper_result(ctx, call, m->rows, m->list, cells);
    if (st == ML_OK)
        st = scatter(ctx, call, m->rows, m->list, cells.m, fill);
    value_release(cells);
    return st;
}

/* ---- put together ---- */

/* n matrices, and such of their columns and rows that they can be bound? */
static bool are_matrices(const OpCall *call, bool rows)
{
    const Matrix *first = call->in[0].m;

    if (call->nin > OP_ARGS)
        return false;
    for (int k = 0; k < call->nin; k++)
        if (call->in[k].dt != DT_MATRIX ||
            (rows ? call->in[k].m->cols != first->cols : call->in[k].m->rows != first->rows))
            return false;
    return true;
}

static int64_t stored_rows(const Matrix *m)
{
    return m->format == MATRIX_HYPER ? m->list->n : m->rows;
}

/* Which rows of the result come from where; *rows, how many it has. */
static ml_status concatenate(Ctx *ctx, const OpCall *call, int64_t *rows, RowList **out)
{
    int64_t n = 0, at = 0;

    *rows = 0;
    for (int k = 0; k < call->nin; k++) {
        n += stored_rows(call->in[k].m);
        if (__builtin_add_overflow(*rows, call->in[k].m->rows, rows))
            return fail(ctx, ML_EVALUE, "rbind: the result would be too large");
    }
    TRY(row_list_new(ctx, n, out));
    *rows = 0;
    for (int k = 0; k < call->nin; k++) {
        const Matrix *m = call->in[k].m;

        for (int64_t i = 0; i < stored_rows(m); i++)
            (*out)->rows[at++] = *rows + (m->format == MATRIX_HYPER ? m->list->rows[i] : i);
        *rows += m->rows;
    }
    return ML_OK;
}

ml_status hyper_rbind(Ctx *ctx, OpCall *call, bool *done)
{
    Value in[OP_ARGS], out = value_none();
    RowList *list = NULL;
    int64_t rows;
    ml_status st;

    if (!are_matrices(call, true))
        return ML_OK;
    *done = true;
    TRY(concatenate(ctx, call, &rows, &list));
    for (int k = 0; k < call->nin; k++)
        in[k] = is_hyper(call->in[k]) ? value_matrix(call->in[k].m->compact) : call->in[k];
    st = hyper_apply(ctx, call, in, call->nin, &out);
    if (st == ML_OK)
        st = hyper_result(ctx, call, rows, list, out);
    row_list_release(list);
    return st;
}

static bool all_hyper(const OpCall *call)
{
    for (int k = 0; k < call->nin; k++)
        if (!is_hyper(call->in[k]))
            return false;
    return true;
}

ml_status hyper_cbind(Ctx *ctx, OpCall *call, bool *done)
{
    Value in[OP_ARGS] = {{0}}, out = value_none();
    RowList *list = NULL;
    ml_status st;

    if (!are_matrices(call, false) || !all_hyper(call))
        return ML_OK;
    *done = true;
    TRY(hyper_union(ctx, call->in, call->nin, &list));
    st = ML_OK;
    for (int k = 0; k < call->nin && st == ML_OK; k++) {
        Matrix *part = NULL;

        st = hyper_take(ctx, call->in[k].m, list, &part);
        if (st == ML_OK)
            in[k] = value_matrix(part);
    }
    if (st == ML_OK)
        st = hyper_apply(ctx, call, in, call->nin, &out);
    for (int k = 0; k < call->nin; k++)
        value_release(in[k]);
    if (st == ML_OK)
        st = hyper_result(ctx, call, call->in[0].m->rows, list, out);
    row_list_release(list);
    return st;
}

/* The rows that are not empty are what is stored; columns are those of the compact matrix. */
ml_status hyper_empty(Ctx *ctx, OpCall *call, bool *done)
{
    const Matrix *m = call->in[0].m;
    Value out = value_none();
    const char *margin;
    bool rows;

    if (!is_hyper(call->in[0]) || call_has(call, 2))
        return ML_OK;
    TRY(call_text(ctx, call, 1, &margin));
    rows = strcmp(margin, "rows") == 0;
    *done = true;
    TRY(apply_to(ctx, call, m->compact, &out));
    if (!rows)
        return hyper_result(ctx, call, m->rows, m->list, out);
    call->out[0] = out;
    return ML_OK;
}

ml_status hyper_rev(Ctx *ctx, OpCall *call, bool *done)
{
    const Matrix *m = call->in[0].m;
    const int64_t n = m->list->n;
    Value out = value_none();
    RowList *list = NULL;
    ml_status st;

    *done = true;
    TRY(row_list_new(ctx, n, &list));
    for (int64_t k = 0; k < n; k++)
        list->rows[k] = m->rows - 1 - m->list->rows[n - 1 - k];
    st = apply_to(ctx, call, m->compact, &out);
    if (st == ML_OK)
        st = hyper_result(ctx, call, m->rows, list, out);
    row_list_release(list);
    return st;
}
