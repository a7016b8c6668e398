/* Operators on matrices in FP32 (precision=single): what an operand or a result has to be
 * converted to, in one place around every kernel.
 *
 * A kernel whose row has P_SINGLE takes FP32 cells; all others get FP64 copies of their operands,
 * into which they may write.  Results become FP32, and so do matrices inside of lists.  Costs
 * nothing but a look at the operands where all fits already. */
#include "backend/cpu/cpu.h"

#include "kernel/kernel.h"

static bool fits_single(double x)
{
    return x != x || x == (double)(float)x;
}

/* Is there a cell in v that is not of that type?  Drafts hold what was cast before. */
static bool needs_cast(CellType type, Value v)
{
    if (v.dt == DT_MATRIX && matrix_is_draft(v.m))
        return false;
    if (v.dt == DT_MATRIX && v.m->format == MATRIX_CONSTANT)
        return type == CELL_FP32 && !fits_single(v.m->constant);
    if (v.dt == DT_MATRIX)
        return matrix_type(v.m) != type;
    for (int64_t k = 0; v.dt == DT_LIST && k < v.l->count; k++)
        if (needs_cast(type, v.l->items[k]))
            return true;
    return false;
}

static ml_status cast_value(Ctx *ctx, CellType type, Value v, Value *out);

static ml_status cast_list(Ctx *ctx, CellType type, const List *l, Value *out)
{
    List *list = NULL;
    ml_status st;

    TRY(list_new(ctx, l->count, l->names != NULL, &list));
    st = ML_OK;
    for (int64_t k = 0; k < l->count && st == ML_OK; k++) {
        st = cast_value(ctx, type, l->items[k], &list->items[k]);
        if (l->names && l->names[k])
            list->names[k] = string_retain(l->names[k]);
    }
    if (st != ML_OK) {
        list_release(list);
        return st;
    }
    *out = value_list(list);
    return ML_OK;
}

static ml_status cast_matrix(Ctx *ctx, CellType type, Matrix *m, Value *out)
{
    Matrix *cast = NULL;

    TRY(matrix_as(ctx, type, m, &cast));
    *out = value_matrix(cast);
    return ML_OK;
}

/* A new reference, to v itself where nothing has to be converted. */
static ml_status cast_value(Ctx *ctx, CellType type, Value v, Value *out)
{
    if (!needs_cast(type, v)) {
        *out = value_retain(v);
        return ML_OK;
    }
    return v.dt == DT_LIST ? cast_list(ctx, type, v.l, out) : cast_matrix(ctx, type, v.m, out);
}

/* An operand that comes twice is converted once. */
static ml_status cast_operand(Ctx *ctx, const void *arg, const OpCall *from, OpCall *to, int k)
{
    const CellType type = *(const CellType *)arg;

    for (int j = 0; j < k; j++)
        if (from->in[k].dt == DT_MATRIX && from->in[j].dt == DT_MATRIX &&
            from->in[j].m == from->in[k].m) {
            to->in[k] = value_retain(to->in[j]);
            return ML_OK;
        }
    TRY(cast_value(ctx, type, from->in[k], &to->in[k]));
    if (k < 32 && needs_cast(type, from->in[k]))
        to->last |= UINT32_C(1) << k;
    return ML_OK;
}

/* A result in FP32; the format follows, as nonzeros may have been lost. */
static ml_status cast_result(Ctx *ctx, Value *v)
{
    Value single = value_none();

    if (!needs_cast(CELL_FP32, *v))
        return ML_OK;
    TRY(cast_value(ctx, CELL_FP32, *v, &single));
    value_release(*v);
    *v = single;
    return v->dt == DT_MATRIX ? matrix_finish(ctx, &v->m, v->m->nnz) : ML_OK;
}

static ml_status run_single(Ctx *ctx, OpCall *call)
{
    const CellType type = call->op->props & P_SINGLE ? CELL_FP32 : CELL_FP64;
    const OperatorFn fn = backend_cpu.operator_fn((int)(call->op - op_table));
    bool fits = true;

    for (int k = 0; k < call->nin; k++)
        fits &= !needs_cast(type, call->in[k]);
    TRY(fits ? fn(ctx, call) : call_with_operands(ctx, call, cast_operand, &type, fn));
    for (int k = 0; k < call->nout; k++)
        TRY(cast_result(ctx, &call->out[k]));
    return ML_OK;
}

static OperatorFn single_operator(int op)
{
    return backend_cpu.supports(op) ? run_single : NULL;
}

static bool single_supports(int op)
{
    return backend_cpu.supports(op);
}

/* Half the bytes move. */
static double single_cost(int op, const Dims *in, int nin, Dims out)
{
    return backend_cpu.cost(op, in, nin, out) / 2;
}

const Backend backend_cpu_single = {
    .name = "CP", .supports = single_supports, .operator_fn = single_operator, .cost = single_cost};
