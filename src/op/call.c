/* Operands of a call as C values, and the messages about operands that do not fit. */
#include "op/op.h"

/* Position of operand k among the declared arguments: the last one of a variadic row stands for all
 * that follow. */
static int declared(const OpCall *c, int k)
{
    const int n = op_nargs(c->op);

    return k < n ? k : n - 1;
}

const char *call_name(const OpCall *c, int k)
{
    if (c->names && c->names[k])
        return c->names[k];
    return c->op->args[declared(c, k)].name;
}

const char *call_dml(const OpCall *c, char buf[CALL_DML_SIZE])
{
    const char *dml = c->op->dml ? c->op->dml : c->op->name;
    size_t n = 0;

    for (; n + 1 < CALL_DML_SIZE && dml[n] && dml[n] != ' '; n++)
        buf[n] = dml[n];
    buf[n] = '\0';
    return buf;
}

static ml_status wrong_type(Ctx *ctx, const OpCall *c, int k, const char *expected)
{
    char found[64];

    return fail(ctx, ML_ETYPE, "%s: %s should be %s, found %s", CALL_DML(c),
                c->op->args[declared(c, k)].name, expected,
                call_has(c, k) ? value_describe(c->in[k], found) : "nothing");
}

/* The types of an argument that take this value. */
static unsigned types_of(Value v)
{
    switch (v.dt) {
    case DT_SCALAR:
        return v.vt == VT_STRING ? A_STRING : A_NUMBER | A_BOOL;
    case DT_MATRIX:
        return A_MATRIX;
    case DT_FRAME:
        return A_FRAME;
    case DT_LIST:
        return A_LIST;
    default:
        return A_ANY; /* absent */
    }
}

ml_status call_check_types(Ctx *ctx, const OpCall *c)
{
    const OpArg *arg = c->op->args;
    char expected[OP_TYPES_TEXT];

    for (int k = 0; k < c->nin; k++) {
        if (!(types_of(c->in[k]) & arg->types)) {
            op_types_text(expected, arg->types);
            return wrong_type(ctx, c, k, expected);
        }
        if (k + 1 < OP_ARGS && arg[1].name)
            arg++;
    }
    return ML_OK;
}

static bool has_type(const OpCall *c, int k, DataType dt)
{
    return call_has(c, k) && c->in[k].dt == dt;
}

static bool has_scalar(const OpCall *c, int k, ValueType vt)
{
    return has_type(c, k, DT_SCALAR) && c->in[k].vt == vt;
}

Matrix *call_owned(const OpCall *c, int k)
{
    Matrix *m;

    if (!has_type(c, k, DT_MATRIX) || k >= 32 || !(c->last >> k & 1))
        return NULL;
    m = c->in[k].m;
    if (m->mapping || m->view)
        return NULL;
    /* Relaxed would do to see 1: only an owner can add owners, and we are the owner.  Acquire makes
     * the reads that former owners did before they dropped theirs happen before our writes. */
    return atomic_load_explicit(&m->refs, memory_order_acquire) == 1 ? m : NULL;
}

Matrix *call_reusable(const OpCall *c, int k)
{
    Matrix *m = call_owned(c, k);

    return m && m->format == MATRIX_DENSE ? m : NULL;
}

ml_status call_matrix(Ctx *ctx, const OpCall *c, int k, Matrix **out)
{
    if (!has_type(c, k, DT_MATRIX))
        return wrong_type(ctx, c, k, "a matrix");
    *out = c->in[k].m;
    return ML_OK;
}

ml_status call_double(Ctx *ctx, const OpCall *c, int k, double *out)
{
    if (!has_scalar(c, k, VT_DOUBLE) && !has_scalar(c, k, VT_INT))
        return wrong_type(ctx, c, k, "a number");
    *out = scalar_to_double(c->in[k]);
    return ML_OK;
}

ml_status call_int(Ctx *ctx, const OpCall *c, int k, int64_t *out)
{
    if (has_scalar(c, k, VT_INT)) {
        *out = c->in[k].i;
        return ML_OK;
    }
    if (!has_scalar(c, k, VT_DOUBLE))
        return wrong_type(ctx, c, k, "an integer");
    *out = double_to_int(c->in[k].d);
    return ML_OK;
}

ml_status call_bool(Ctx *ctx, const OpCall *c, int k, bool *out)
{
    if (!has_type(c, k, DT_SCALAR) || !scalar_is_number(c->in[k]))
        return wrong_type(ctx, c, k, "TRUE or FALSE");
    *out = scalar_to_double(c->in[k]) != 0;
    return ML_OK;
}

ml_status call_text(Ctx *ctx, const OpCall *c, int k, const char **out)
{
    if (!has_scalar(c, k, VT_STRING))
        return wrong_type(ctx, c, k, "a string");
    *out = c->in[k].s->text;
    return ML_OK;
}

ml_status call_frame(Ctx *ctx, const OpCall *c, int k, Frame **out)
{
    if (!has_type(c, k, DT_FRAME))
        return wrong_type(ctx, c, k, "a frame");
    *out = c->in[k].f;
    return ML_OK;
}

ml_status call_list(Ctx *ctx, const OpCall *c, int k, List **out)
{
    if (!has_type(c, k, DT_LIST))
        return wrong_type(ctx, c, k, "a list");
    *out = c->in[k].l;
    return ML_OK;
}

static void shape_of(Value v, int64_t *rows, int64_t *cols)
{
    *rows = *cols = 1;
    if (v.dt == DT_MATRIX) {
        *rows = v.m->rows;
        *cols = v.m->cols;
    } else if (v.dt == DT_FRAME) {
        *rows = v.f->rows;
        *cols = v.f->cols;
    } else if (v.dt == DT_LIST) {
        *rows = v.l->count;
    }
}

ml_status call_shape_error(Ctx *ctx, const OpCall *c, int a, int b, const char *what)
{
    int64_t ar, ac, br, bc;

    shape_of(c->in[a], &ar, &ac);
    shape_of(c->in[b], &br, &bc);
    return fail(ctx, ML_ESHAPE, "%s is %" PRId64 "x%" PRId64 ", %s is %" PRId64 "x%" PRId64 ": %s",
                call_name(c, a), ar, ac, call_name(c, b), br, bc, what);
}

/* ---- calls with other operands ---- */

enum { LOCAL_OPERANDS = 16 };

ml_status call_with_operands(Ctx *ctx, OpCall *call, CallOperandFn operand, const void *arg,
                             ml_status (*fn)(Ctx *ctx, OpCall *call))
{
    Value local[LOCAL_OPERANDS] = {{0}};
    OpCall inner = *call;
    ml_status st = ML_OK;
    int n = 0;

    inner.in = local;
    if (call->nin > LOCAL_OPERANDS && !(inner.in = mem_calloc((size_t)call->nin, sizeof *inner.in)))
        return fail_memory(ctx, (size_t)call->nin * sizeof *inner.in);
    while (n < call->nin && st == ML_OK) {
        st = operand(ctx, arg, call, &inner, n);
        n += st == ML_OK;
    }
    if (st == ML_OK)
        st = fn(ctx, &inner);
    while (n-- > 0)
        value_release(inner.in[n]);
    if (inner.in != local)
        mem_free(inner.in);
    return st;
}
