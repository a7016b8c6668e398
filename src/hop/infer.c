/* Types, sizes and memory estimates of one DAG.
 * Requires: what is known of the variables at entry.  Keeps: hash-consing.  Sets: dt, vt, dims,
 * lit, bytes, seconds. Cost: one visit a node. */
#include "hop/hop.h"

#include <math.h>

/* A scalar that can be a size; -1 when it is not known. */
static int64_t size_of(Value v)
{
    const double d = scalar_is_number(v) ? scalar_to_double(v) : -1;

    return d >= 0 && d < 0x1p53 ? (int64_t)d : -1;
}

static void shape_arg(const Hop *h, ShapeArg *a)
{
    a->dt = h ? h->dt : DT_NONE;
    a->dims = h ? h->dims : (Dims){-1, -1, -1};
    a->lit = h ? h->lit : value_none();
    a->again = false;
    a->nsizes = 0;
    if (h && h->dt == DT_SCALAR)
        a->dims = (Dims){1, 1, -1};
    if (h && h->kind == HOP_OP && h->op == OP_list && h->nin <= SHAPE_SIZES)
        for (; a->nsizes < h->nin; a->nsizes++)
            a->sizes[a->nsizes] = h->in[a->nsizes] ? size_of(h->in[a->nsizes]->lit) : -1;
}

static void shape_args(const Hop *h, ShapeArg *in)
{
    for (int k = 0; k < h->nin; k++) {
        shape_arg(h->in[k], &in[k]);
        in[k].again = k > 0 && h->in[k] && h->in[k] == h->in[k - 1];
    }
}

/* The data type of a row's result; with unknown operands a cell-wise one is unknown too. */
static DataType result_type(const OpInfo *op, OpResult r, const ShapeArg *in, int nin)
{
    bool unknown = false;

    switch (r) {
    case R_MATRIX:
        return DT_MATRIX;
    case R_DOUBLE:
    case R_INT:
    case R_BOOL:
    case R_STRING:
    case R_SCALAR:
        return DT_SCALAR;
    case R_FRAME:
        return DT_FRAME;
    case R_LIST:
        return DT_LIST;
    case R_SAME:
        return nin ? in[0].dt : DT_NONE;
    case R_CELLS:
        if (nin == 1 && (op->props & P_AGG_FULL) && in[0].dt == DT_MATRIX) /* min(X) */
            return DT_SCALAR;
        for (int k = 0; k < nin; k++) {
            if (in[k].dt == DT_MATRIX || in[k].dt == DT_FRAME)
                return in[k].dt;
            unknown |= in[k].dt == DT_NONE && k < op_nargs(op) && !op->args[k].def;
        }
        return unknown ? DT_NONE : DT_SCALAR;
    case R_NONE:
    case R_UNKNOWN:
        return DT_NONE;
    }
    return DT_NONE;
}

static ValueType result_value_type(OpResult r)
{
    switch (r) {
    case R_INT:
        return VT_INT;
    case R_BOOL:
        return VT_BOOL;
    case R_STRING:
        return VT_STRING;
    case R_DOUBLE:
    case R_MATRIX:
        return VT_DOUBLE;
    default:
        return VT_UNKNOWN;
    }
}

/* nrow, ncol and length of a known size are known integers. */
static Value known_size(const OpInfo *op, const ShapeArg *in, int nin)
{
    int64_t n = -1;

    if (nin != 1 || in[0].dt == DT_LIST || in[0].dt == DT_SCALAR)
        return value_none();
    if (op == &op_table[OP_nrow])
        n = in[0].dims.rows;
    else if (op == &op_table[OP_ncol])
        n = in[0].dims.cols;
    else if (op == &op_table[OP_length] && in[0].dims.rows >= 0 && in[0].dims.cols >= 0)
        n = in[0].dims.rows * in[0].dims.cols;
    return n >= 0 ? value_int(n) : value_none();
}

/* Numbers only: a string made here would have no owner. */
static Value known_scalar(const OpInfo *op, const ShapeArg *in, int nin)
{
    Value args[OP_ARGS], out = value_none();

    if (!op->scalar || nin > OP_ARGS || (op->props & (P_EFFECT | P_RANDOM)))
        return known_size(op, in, nin);
    for (int k = 0; k < nin; k++) {
        args[k] = in[k].lit;
        if (in[k].lit.dt == DT_NONE && (in[k].dt != DT_NONE || !op->args[k].def))
            return out;
    }
    if (op->scalar(&(Ctx){0}, args, nin, &out) != ML_OK)
        return value_none();
    if (out.vt == VT_STRING) {
        value_release(out);
        return value_none();
    }
    return out;
}

/* A number of the type. */
static Value sample(ValueType vt, int number)
{
    return vt == VT_INT      ? value_int(number)
           : vt == VT_DOUBLE ? value_double(number)
                             : value_bool(true);
}

/* Which of the numeric types may the operand have?  A mask over ValueType; 0: it may be no number.
 */
static unsigned possible_types(const Hop *h)
{
    if (!h || h->dt != DT_SCALAR || !h->number)
        return 0;
    return is_numeric(h->vt) ? 1U << h->vt : 1U << VT_INT | 1U << VT_DOUBLE | 1U << VT_BOOL;
}

/* Adds the types that the function gives for two samples of these types, as of few it depends on
 * the values: log(8, 2) is an integer.  false: it may fail. */
static bool add_result_types(Ctx *quiet, const OpInfo *op, const ValueType *types, int nin,
                             unsigned *found)
{
    static const int samples[2][2] = {{2, 2}, {3, 2}};

    for (int s = 0; s < 2; s++) {
        Value args[2], out = value_none();

        for (int k = 0; k < nin; k++)
            args[k] = sample(types[k], samples[s][k]);
        if (op->scalar(quiet, args, nin, &out) != ML_OK)
            return false;
        *found |= 1U << out.vt;
        value_release(out);
    }
    return true;
}

static ValueType only_type(unsigned mask)
{
    for (unsigned vt = VT_INT; vt <= VT_BOOL; vt++)
        if (mask == 1U << vt)
            return (ValueType)vt;
    return VT_UNKNOWN;
}

/* The type that a scalar function gives for the types that its operands may have: asked of the
 * function itself. */
static ValueType scalar_type(const Hop *h)
{
    const OpInfo *op = hop_info(h);
    unsigned first, second, found = 0;
    Ctx *quiet = NULL;

    if (h->op == OP_as_scalar)
        return h->in[0]->dt == DT_MATRIX ? VT_DOUBLE : VT_UNKNOWN;
    if (!op->scalar || h->nin < 1 || h->nin > 2 || (op->props & (P_EFFECT | P_RANDOM)))
        return VT_UNKNOWN;
    quiet = &(Ctx){0};
    first = possible_types(h->in[0]);
    second = h->nin > 1 ? possible_types(h->in[1]) : 1U << VT_INT;
    for (unsigned a = VT_INT; a <= VT_BOOL; a++)
        for (unsigned b = VT_INT; b <= VT_BOOL; b++)
            if ((first >> a & 1) && (second >> b & 1) &&
                !add_result_types(quiet, op, (ValueType[]){(ValueType)a, (ValueType)b}, h->nin,
                                  &found))
                return VT_UNKNOWN;
    return only_type(found);
}

/* A scalar that can be no string: its type says so, or no operand can be one. */
static bool is_number(const Hop *h)
{
    const OpInfo *op = hop_info(h);

    if (h->dt != DT_SCALAR || is_numeric(h->vt))
        return h->dt == DT_SCALAR;
    if (op->result != R_CELLS || h->nin > OP_ARGS)
        return false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && !h->in[k]->number && (op->args[k].types & A_STRING))
            return false;
    return true;
}

static void infer_results(const Hop *h, const ShapeArg *in, Dims *out)
{
    int64_t cells;

    const OpInfo *op = hop_info(h);
    ShapeCall call = {.op = op, .nin = h->nin, .in = in, .nout = op_nresults(op), .out = out};

    if (op->shape)
        op->shape(&call);
    if (op->nnz && out[0].rows >= 0 && out[0].cols >= 0)
        out[0].nnz = op->nnz(&call);
    if (mul_int64(out[0].rows, out[0].cols, &cells) && out[0].rows >= 0 && out[0].cols >= 0 &&
        out[0].nnz > cells)
        out[0].nnz = cells;
}

static double bytes_of(const Ctx *ctx, const Hop *h)
{
    if (h->dt == DT_MATRIX)
        return dims_bytes(precision_type(ctx), h->dims);
    return h->dt == DT_SCALAR ? 8 : -1;
}

/* Work and traffic, added: kernels overlap them only in part. */
static double seconds_of(const Hop *h, const ShapeArg *in, Dims *out)
{
    const ShapeCall call = {.op = hop_info(h), .nin = h->nin, .in = in, .nout = 1, .out = out};
    double moved = isfinite(h->bytes) && h->bytes > 0 ? h->bytes : 0;
    bool scalars = h->dt == DT_SCALAR;

    if (scalars)
        out[0] = (Dims){1, 1, 1};
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && h->in[k]->dt != DT_SCALAR) {
            scalars = false;
            if (h->in[k]->dt == DT_MATRIX && isfinite(h->in[k]->bytes))
                moved += h->in[k]->bytes;
        }
    if (scalars)
        return COST_SCALAR_SECONDS;
    return COST_OPERATOR_SECONDS + op_flops(&call) / COST_FLOPS_PER_SECOND +
           moved / COST_BYTES_PER_SECOND;
}

double hop_flops(const Hop *h)
{
    ShapeArg in[OP_ARGS];
    Dims out = h->dt == DT_SCALAR ? (Dims){1, 1, 1} : h->dims;
    const ShapeCall call = {.op = hop_info(h), .nin = h->nin, .in = in, .nout = 1, .out = &out};

    if (h->nin > OP_ARGS)
        return 0;
    shape_args(h, in);
    return op_flops(&call);
}

void hop_infer(const Ctx *ctx, Hop *h)
{
    const OpInfo *op = hop_info(h);
    ShapeArg local[OP_ARGS], *in = local;
    Dims out[OP_RESULTS + 1];

    h->dt = DT_NONE;
    h->dims = (Dims){-1, -1, -1};
    h->lit = value_none();
    h->number = false;
    h->vt = result_value_type(op->result);
    if (h->nin > OP_ARGS) { /* cbind of many: its size is known when run */
        h->dt = op->result == R_MATRIX ? DT_MATRIX : op->result == R_LIST ? DT_LIST : DT_NONE;
        return;
    }
    shape_args(h, in);
    for (int k = 0; k <= OP_RESULTS; k++)
        out[k] = (Dims){-1, -1, -1};
    h->dt = result_type(op, op->result, in, h->nin);
    if (h->dt == DT_SCALAR) {
        h->lit = known_scalar(op, in, h->nin);
        if (h->lit.dt == DT_SCALAR)
            h->vt = h->lit.vt;
        else if (h->vt == VT_UNKNOWN)
            h->vt = scalar_type(h);
        h->number = is_number(h);
    } else if (h->dt == DT_MATRIX || h->dt == DT_FRAME) {
        infer_results(h, in, out);
        h->dims = out[0];
        h->vt = VT_DOUBLE;
    }
    h->bytes = bytes_of(ctx, h);
    h->seconds = seconds_of(h, in, out);
    hop_name_sizes(h);
}

/* Result k of a multi-result operator: shapes of all results come from the operator's rule. */
static void infer_result(Hop *h)
{
    const Hop *of = h->in[0];
    const OpInfo *op = hop_info(of);
    ShapeArg in[OP_ARGS];
    Dims out[OP_RESULTS + 1];

    h->dt = h->index <= OP_RESULTS ? result_type(op, op->more[h->index - 1], NULL, 0) : DT_NONE;
    h->dims = (Dims){-1, -1, -1};
    h->vt = VT_UNKNOWN;
    if (of->nin > OP_ARGS || h->dt != DT_MATRIX)
        return;
    for (int k = 0; k < of->nin; k++)
        shape_arg(of->in[k], &in[k]);
    for (int k = 0; k <= OP_RESULTS; k++)
        out[k] = (Dims){-1, -1, -1};
    infer_results(of, in, out);
    h->dims = out[h->index];
    h->vt = VT_DOUBLE;
}

void dag_infer(const Ctx *ctx, Dag *dag, const VarInfo *vars)
{
    for (int k = 0; k < dag->count; k++) {
        Hop *h = dag->nodes[k];

        switch (h->kind) {
        case HOP_LITERAL:
            h->dt = DT_SCALAR;
            h->vt = h->lit.vt;
            h->number = is_numeric(h->vt) && !h->lit.textual;
            break;
        case HOP_READ:
            h->dt = vars[h->slot].dt;
            h->vt = vars[h->slot].vt;
            h->dims = vars[h->slot].dims;
            h->lit = vars[h->slot].lit;
            h->sure = vars[h->slot].sure;
            h->number = vars[h->slot].number;
            h->rows_name = vars[h->slot].rows_name;
            h->cols_name = vars[h->slot].cols_name;
            hop_own_names(h);
            break;
        case HOP_OP:
            hop_infer(ctx, h);
            break;
        case HOP_RESULT:
            infer_result(h);
            hop_own_names(h);
            break;
        }
        if (h->kind != HOP_OP)
            h->bytes = bytes_of(ctx, h);
    }
}
