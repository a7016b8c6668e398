/* Every call of a kernel passes here, see hyper.h and kernel_call. */
#include "kernel/hyper.h"

#include "kernel/sort.h"

#define ML_OP(name, ...) [OP_##name] = ml_k_##name,
#define ML_OP_AS(name, kernel, ...) [OP_##name] = ml_k_##kernel,
#define ML_OP_SCALAR(name, ...)
#define ML_OP_RUN(name, ...)
#define ML_OP_LATER(name, ...)
static const KernelFn kernels[OP_COUNT] = {
#include "op/ops.def"
};

static const HyperFn ways[HYPER_KINDS] = {
    [HYPER_COMPACT] = hyper_compact, [HYPER_ZEROS] = hyper_zeros,     [HYPER_MEAN] = hyper_mean,
    [HYPER_ROWS] = hyper_rows,       [HYPER_PRODUCT] = hyper_product, [HYPER_CROSS] = hyper_cross,
    [HYPER_T] = hyper_transpose,     [HYPER_RBIND] = hyper_rbind,     [HYPER_CBIND] = hyper_cbind,
    [HYPER_EMPTY] = hyper_empty,     [HYPER_SELF] = hyper_self,       [HYPER_REV] = hyper_rev,
};

KernelFn kernel_of(int op)
{
    return kernels[op];
}

/* ---- operands in ordinary formats ---- */

static bool holds_hyper(Value v)
{
    for (int64_t k = 0; v.dt == DT_LIST && k < v.l->count; k++)
        if (holds_hyper(v.l->items[k]))
            return true;
    return is_hyper(v);
}

static ml_status plain_value(Ctx *ctx, Value v, Value *out);

static ml_status plain_list(Ctx *ctx, const List *l, Value *out)
{
    List *list = NULL;
    ml_status st;

    TRY(list_new(ctx, l->count, l->names != NULL, &list));
    st = ML_OK;
    for (int64_t k = 0; k < l->count && st == ML_OK; k++) {
        st = plain_value(ctx, l->items[k], &list->items[k]);
        if (l->names && l->names[k])
            list->names[k] = string_retain(l->names[k]);
    }
    if (st != ML_OK)
        list_release(list);
    else
        *out = value_list(list);
    return st;
}

/* A new reference, to v itself where it can stay. */
static ml_status plain_value(Ctx *ctx, Value v, Value *out)
{
    Matrix *m = NULL;

    if (!holds_hyper(v)) {
        *out = value_retain(v);
        return ML_OK;
    }
    if (v.dt == DT_LIST)
        return plain_list(ctx, v.l, out);
    TRY(matrix_spread_plain(ctx, v.m->rows, v.m->list, v.m->compact, &m));
    *out = value_matrix(m);
    return ML_OK;
}

static ml_status plain_operand(Ctx *ctx, const void *arg, const OpCall *from, OpCall *to, int k)
{
    (void)arg;
    to->last = 0; /* what was retained is not alone */
    return plain_value(ctx, from->in[k], &to->in[k]);
}

/* ---- the call ---- */

/* A result with a row for each column may become hypersparse of what is not. */
static bool becomes_hyper(const OpCall *call)
{
    const bool turns = call->op->hyper == HYPER_T || call->op->hyper == HYPER_SELF;
    const Matrix *m = turns ? call->in[0].m : NULL;

    return m && m->format == MATRIX_CSR && matrix_is_hyper(m->cols, m->nnz);
}

static ml_status call_hyper(Ctx *ctx, OpCall *call)
{
    const bool cells = call->op->props & P_CELLWISE;
    const HyperFn way = cells ? hyper_cells : ways[call->op->hyper];
    bool done = false;

    if (call->op->hyper == HYPER_LOOK)
        return kernels[call->op - op_table](ctx, call);
    if (way)
        TRY(way(ctx, call, &done));
    return done ? ML_OK
                : call_with_operands(ctx, call, plain_operand, NULL, kernels[call->op - op_table]);
}

ml_status kernel_call(Ctx *ctx, OpCall *call)
{
    bool hyper = false;

    for (int k = 0; k < call->nin; k++)
        hyper |= call->in[k].dt >= DT_MATRIX && holds_hyper(call->in[k]);
    TRY(hyper || becomes_hyper(call) ? call_hyper(ctx, call)
                                     : kernels[call->op - op_table](ctx, call));
    for (int k = 0; k < call->nout; k++)
        if (call->out[k].dt == DT_MATRIX)
            TRY(matrix_squeeze(ctx, &call->out[k].m));
    return ML_OK;
}

/* ---- what the ways share ---- */

ml_status hyper_apply(Ctx *ctx, const OpCall *call, const Value *in, int n, Value *out)
{
    Value operands[OP_ARGS] = {{0}};
    OpCall inner = {.op = call->op,
                    .nin = call->nin,
                    .nout = 1,
                    .in = operands,
                    .out = out,
                    .names = call->names};

    for (int k = 0; k < call->nin; k++)
        operands[k] = k < n ? in[k] : call->in[k];
    return kernels[call->op - op_table](ctx, &inner);
}

ml_status hyper_finite(Ctx *ctx, Value v, bool *finite)
{
    Value answer = value_none();
    OpCall ask = {.op = &op_table[OP_all_finite], .nin = 1, .nout = 1, .in = &v, .out = &answer};

    *finite = true;
    if (v.dt != DT_MATRIX)
        return ML_OK;
    TRY(kernel_call(ctx, &ask));
    *finite = answer.b;
    return ML_OK;
}

ml_status hyper_result(Ctx *ctx, OpCall *call, int64_t rows, RowList *list, Value compact)
{
    Matrix *m = NULL;
    ml_status st = matrix_spread(ctx, rows, list, compact.m, &m);

    value_release(compact);
    TRY(st);
    call->out[0] = value_matrix(m);
    return ML_OK;
}

/* Both in ascending order, without repeating any; gives how many. */
static int64_t merge(const RowList *a, const RowList *b, int64_t *out)
{
    int64_t i = 0, j = 0, n = 0;

    while (i < a->n || j < b->n) {
        const int64_t x = i < a->n ? a->rows[i] : INT64_MAX, y = j < b->n ? b->rows[j] : INT64_MAX;
        const int64_t row = x < y ? x : y;

        i += x == row;
        j += y == row;
        if (out)
            out[n] = row;
        n++;
    }
    return n;
}

ml_status hyper_union(Ctx *ctx, const Value *in, int n, RowList **out)
{
    RowList *all = NULL, *more = NULL;

    for (int k = 0; k < n; k++) {
        RowList *list = is_hyper(in[k]) ? in[k].m->list : NULL;
        ml_status st;

        if (!list || list == all)
            continue;
        if (!all) {
            all = row_list_retain(list);
            continue;
        }
        st = row_list_new(ctx, merge(all, list, NULL), &more);
        if (st == ML_OK)
            merge(all, list, more->rows);
        row_list_release(all);
        TRY(st);
        all = more;
    }
    *out = all;
    return ML_OK;
}

/* Where the rows of the list are in another list, -1 for none. */
static void places(const RowList *list, const RowList *in, int64_t *out)
{
    int64_t k = 0;

    for (int64_t i = 0; i < list->n; i++) {
        while (k < in->n && in->rows[k] < list->rows[i])
            k++;
        out[i] = k < in->n && in->rows[k] == list->rows[i] ? k : -1;
    }
}

ml_status hyper_take(Ctx *ctx, Matrix *m, const RowList *list, Matrix **out)
{
    RowList *at = NULL;
    ml_status st;

    if (m->format != MATRIX_HYPER)
        st = rows_gather(ctx, m, list->rows, list->n, out);
    else if (m->list == list) {
        *out = matrix_retain(m->compact);
        return ML_OK;
    } else {
        TRY(row_list_new(ctx, list->n, &at));
        places(list, m->list, at->rows);
        st = rows_gather(ctx, m->compact, at->rows, list->n, out);
        row_list_release(at);
    }
    if (st == ML_OK && (st = matrix_finish(ctx, out, -1)) != ML_OK)
        matrix_release(*out);
    return st;
}
