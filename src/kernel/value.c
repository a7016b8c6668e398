/* value: sizes, conversions between data types, toString. */
#include "kernel/frame.h"
#include "kernel/kernel.h"

#include <string.h>

/* ---- sizes ---- */

static void dims_of(Value v, int64_t *rows, int64_t *cols)
{
    if (v.dt == DT_MATRIX) {
        *rows = v.m->rows;
        *cols = v.m->cols;
    } else if (v.dt == DT_FRAME) {
        *rows = v.f->rows;
        *cols = v.f->cols;
    } else {
        *rows = v.l->count;
        *cols = 1;
    }
}

ml_status ml_k_nrow(Ctx *ctx, OpCall *call)
{
    int64_t rows = 0, cols = 0;

    (void)ctx;
    dims_of(call->in[0], &rows, &cols);
    call->out[0] = value_int(rows);
    return ML_OK;
}

ml_status ml_k_ncol(Ctx *ctx, OpCall *call)
{
    int64_t rows = 0, cols = 0;

    (void)ctx;
    dims_of(call->in[0], &rows, &cols);
    call->out[0] = value_int(cols);
    return ML_OK;
}

ml_status ml_k_length(Ctx *ctx, OpCall *call)
{
    int64_t rows = 0, cols = 0;

    (void)ctx;
    dims_of(call->in[0], &rows, &cols);
    call->out[0] = value_int(rows * cols);
    return ML_OK;
}

ml_status ml_k_nnz(Ctx *ctx, OpCall *call)
{
    Matrix *x;

    TRY(call_matrix(ctx, call, 0, &x));
    call->out[0] = value_double((double)x->nnz);
    return ML_OK;
}

/* ---- to a scalar ---- */

static ml_status not_one(Ctx *ctx, const OpCall *call, const char *expected)
{
    char buf[64];

    return fail(ctx, ML_ESHAPE, "%s: %s should be %s, found %s", CALL_DML(call), call_name(call, 0),
                expected, value_describe(call->in[0], buf));
}

/* The scalar that v holds, a new reference: lists are unwrapped, at each level exactly one entry.
 */
static ml_status unwrap_scalar(Ctx *ctx, const OpCall *call, Value v, Value *out)
{
    while (v.dt == DT_LIST) {
        if (v.l->count != 1)
            return not_one(ctx, call, "a list of one entry");
        v = v.l->items[0];
    }
    if (v.dt == DT_SCALAR) {
        *out = value_retain(v);
        return ML_OK;
    }
    if (v.dt == DT_FRAME && v.f->rows == 1 && v.f->cols == 1)
        return frame_cell_value(ctx, v.f->columns[0], 0, out);
    if (v.dt != DT_MATRIX || v.m->rows != 1 || v.m->cols != 1)
        return not_one(ctx, call, "1x1");
    *out = value_double(matrix_get(v.m, 0, 0));
    return ML_OK;
}

ml_status ml_k_as_scalar(Ctx *ctx, OpCall *call)
{
    return unwrap_scalar(ctx, call, call->in[0], &call->out[0]);
}

/* ---- to a matrix ---- */

static ml_status scalar_to_matrix(Ctx *ctx, OpCall *call, Value v)
{
    Value number;
    Matrix *m = NULL;

    TRY(scalar_cast(ctx, v, VT_DOUBLE, &number));
    TRY(matrix_new_dense(ctx, 1, 1, &m));
    m->values[0] = number.d;
    return result_matrix(ctx, call, 0, m, -1);
}

static ml_status list_to_column(Ctx *ctx, OpCall *call, const List *l)
{
    Matrix *m = NULL;
    ml_status st = ML_OK;

    TRY(matrix_new_dense(ctx, l->count, 1, &m));
    for (int64_t i = 0; i < l->count && st == ML_OK; i++) {
        Value number = value_none();

        if (l->items[i].dt != DT_SCALAR)
            st = fail(ctx, ML_ETYPE,
                      "as.matrix: a list of several entries may hold scalars only, entry %" PRId64
                      " is a %s",
                      i + 1, data_type_name(l->items[i].dt));
        else
            st = scalar_cast(ctx, l->items[i], VT_DOUBLE, &number);
        m->values[i] = number.d;
    }
    if (st != ML_OK) {
        matrix_release(m);
        return st;
    }
    return result_matrix(ctx, call, 0, m, -1);
}

ml_status ml_k_as_matrix(Ctx *ctx, OpCall *call)
{
    Value v = call->in[0];
    Matrix *m = NULL;

    while (v.dt == DT_LIST && v.l->count == 1)
        v = v.l->items[0];
    switch (v.dt) {
    case DT_SCALAR:
        return scalar_to_matrix(ctx, call, v);
    case DT_LIST:
        return list_to_column(ctx, call, v.l);
    case DT_FRAME:
        TRY(frame_to_matrix(ctx, v.f, &m));
        return result_matrix(ctx, call, 0, m, -1);
    default:
        call->out[0] = value_retain(v);
        return ML_OK;
    }
}

/* Everything is on this machine already. */
ml_status ml_k_local(Ctx *ctx, OpCall *call)
{
    Matrix *m;

    TRY(call_matrix(ctx, call, 0, &m));
    call->out[0] = value_matrix(matrix_retain(m));
    return ML_OK;
}

/* ---- to a frame or a list ---- */

ml_status ml_k_as_frame(Ctx *ctx, OpCall *call)
{
    Value v = call->in[0];
    Frame *f = NULL;
    List *names = NULL;

    if (call_has(call, 1))
        TRY(call_list(ctx, call, 1, &names));
    while (v.dt == DT_LIST && v.l->count == 1)
        v = v.l->items[0];
    if (v.dt == DT_LIST)
        return not_one(ctx, call, "a scalar, a matrix, a frame or a list of one of these");
    if (v.dt == DT_FRAME)
        f = frame_retain(v.f);
    else
        TRY(v.dt == DT_MATRIX ? frame_from_matrix(ctx, v.m, &f) : frame_from_scalar(ctx, v, &f));
    if (names) {
        ml_status st = frame_rename(ctx, &f, names);

        if (st != ML_OK) {
            frame_release(f);
            return st;
        }
    }
    call->out[0] = value_frame(f);
    return ML_OK;
}

ml_status ml_k_as_list(Ctx *ctx, OpCall *call)
{
    List *l;

    TRY(call_list(ctx, call, 0, &l));
    if (l->count == 1 && l->items[0].dt == DT_LIST)
        l = l->items[0].l;
    call->out[0] = value_list(list_retain(l));
    return ML_OK;
}

/* ---- toString ---- */

static ml_status print_format(Ctx *ctx, const OpCall *call, PrintFormat *f)
{
    int64_t decimals = f->decimals;

    if (call_has(call, 1))
        TRY(call_int(ctx, call, 1, &f->rows));
    if (call_has(call, 2))
        TRY(call_int(ctx, call, 2, &f->cols));
    if (call_has(call, 3))
        TRY(call_int(ctx, call, 3, &decimals));
    if (call_has(call, 4))
        TRY(call_bool(ctx, call, 4, &f->sparse));
    if (call_has(call, 5))
        TRY(call_text(ctx, call, 5, &f->sep));
    if (call_has(call, 6))
        TRY(call_text(ctx, call, 6, &f->linesep));
    f->decimals = (int)(decimals < 0 ? 0 : decimals > 1000 ? 1000 : decimals);
    return ML_OK;
}

ml_status ml_k_to_string(Ctx *ctx, OpCall *call)
{
    PrintFormat f = print_format_default;
    Buffer b = {0};
    String *s = NULL;
    ml_status st;

    TRY(print_format(ctx, call, &f));
    value_print(&b, call->in[0], &f);
    st = b.failed ? fail_memory(ctx, b.size) : string_new(ctx, b.data, b.size, &s);
    buffer_free(&b);
    if (st == ML_OK)
        call->out[0] = value_string(s);
    return st;
}
