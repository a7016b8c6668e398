/* Cell-wise operators on hypersparse matrices: where the operator makes zero of the zeros, on the
 * rows that are stored in any operand. */
#include "kernel/hyper.h"

/* Does it give 0 where the hypersparse operands are 0, whatever the others? */
static bool is_zero(Value v)
{
    return scalar_is_number(v) && scalar_to_double(v) == 0;
}

/* All others are numbers: ask the operator. */
static ml_status zero_of_numbers(Ctx *ctx, const OpCall *call, bool *zero)
{
    Value in[OP_ARGS], out = value_none();

    for (int k = 0; k < call->nin; k++) {
        const Value v = call->in[k];

        in[k] = v.dt != DT_MATRIX ? v : value_double(is_hyper(v) ? 0 : v.m->constant);
    }
    TRY(call->op->scalar(ctx, in, call->nin, &out));
    *zero = is_zero(out);
    value_release(out);
    return ML_OK;
}

/* One operand holds cells: zero times anything finite. */
static ml_status zero_beside_cells(Ctx *ctx, const OpCall *call, bool *zero)
{
    const bool second = is_hyper(call->in[1]);

    if (call->nin != 2 || !(call->op->props & P_ZERO_SAFE) ||
        (second && !(call->op->props & P_COMMUTATIVE)))
        return ML_OK;
    return hyper_finite(ctx, call->in[1 - second], zero);
}

static ml_status keeps_zeros(Ctx *ctx, const OpCall *call, bool *keeps)
{
    const Matrix *first = NULL;
    bool cells = false, fits = true;

    *keeps = false;
    for (int k = 0; k < call->nin; k++) {
        const Matrix *m = call->in[k].dt == DT_MATRIX ? call->in[k].m : NULL;

        fits &= m || call->in[k].dt <= DT_SCALAR;
        if (!m)
            continue;
        cells |= m->format == MATRIX_DENSE || m->format == MATRIX_CSR;
        if (m->format == MATRIX_HYPER && !first)
            first = m;
        fits &= m->format != MATRIX_HYPER || (m->rows == first->rows && m->cols == first->cols);
    }
    for (int k = 0; fits && k < call->nin; k++) {
        const Matrix *m = call->in[k].dt == DT_MATRIX ? call->in[k].m : first;

        /* The first operand is never a vector beside a matrix. */
        fits = (m->rows == first->rows || (k > 0 && m->rows == 1)) &&
               (m->cols == first->cols || (k > 0 && m->cols == 1));
    }
    if (!fits || !call->op->scalar)
        return ML_OK;
    return cells ? zero_beside_cells(ctx, call, keeps) : zero_of_numbers(ctx, call, keeps);
}

/* The operands' parts in the rows of the list. */
static ml_status take_parts(Ctx *ctx, const OpCall *call, int64_t rows, const RowList *list,
                            Value *in)
{
    for (int k = 0; k < call->nin; k++) {
        const Value v = call->in[k];
        Matrix *part = NULL;

        if (v.dt != DT_MATRIX || v.m->rows != rows) {
            in[k] = value_retain(v);
            continue;
        }
        TRY(hyper_take(ctx, v.m, list, &part));
        in[k] = value_matrix(part);
    }
    return ML_OK;
}

static ml_status on_rows(Ctx *ctx, OpCall *call, int64_t rows, RowList *list)
{
    Value in[OP_ARGS] = {{0}}, out = value_none();
    ml_status st = take_parts(ctx, call, rows, list, in);

    if (st == ML_OK)
        st = hyper_apply(ctx, call, in, call->nin, &out);
    for (int k = 0; k < call->nin; k++)
        value_release(in[k]);
    return st == ML_OK ? hyper_result(ctx, call, rows, list, out) : st;
}

ml_status hyper_cells(Ctx *ctx, OpCall *call, bool *done)
{
    RowList *list = NULL;
    int64_t rows = 0;
    ml_status st;

    if (call->nin == 1 && call->op->props & P_AGG_FULL)
        return hyper_zeros(ctx, call, done);
    if (call->nin > OP_ARGS)
        return ML_OK;
    TRY(keeps_zeros(ctx, call, done));
    if (!*done)
        return ML_OK;
    for (int k = 0; k < call->nin; k++)
        if (is_hyper(call->in[k]))
            rows = call->in[k].m->rows;
    TRY(hyper_union(ctx, call->in, call->nin, &list));
    st = on_rows(ctx, call, rows, list);
    row_list_release(list);
    return st;
}
