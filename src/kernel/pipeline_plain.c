/* Pipelines operator by operator, each by its kernel: for sparse operands whose zeros stay zeros
 * through the program, which the kernels know best, for hypersparse operands, and for programs that
 * a schedule has no room for. */
#include "kernel/pipeline_impl.h"

typedef struct Plain {
    Ctx *ctx;
    const PipeGraph *g;
    Value values[PIPE_NODES]; /* of nodes while they are used */
    int uses[PIPE_NODES];
} Plain;

static void count_uses(Plain *p)
{
    const PipeGraph *g = p->g;

    for (int k = 0; k < g->nresults; k++) {
        p->uses[g->results[k].x]++;
        p->uses[g->results[k].y]++;
    }
    for (int k = g->nnodes - 1; k >= 0; k--)
        for (int i = 0; p->uses[k] > 0 && i < g->nodes[k].nin; i++)
            p->uses[g->nodes[k].in[i]]++;
}

static void drop(Plain *p, int node)
{
    if (--p->uses[node] > 0)
        return;
    value_release(p->values[node]);
    p->values[node] = value_none();
}

static ml_status apply(Ctx *ctx, OpCode op, Value *in, int nin, Value *out)
{
    OpCall call = {.op = &op_table[op], .nin = nin, .nout = 1, .in = in, .out = out};

    if (nin < op_nargs(call.op))
        call.nin = op_nargs(call.op);
    return kernel_call(ctx, &call);
}

/* In FP64, as sparse operands are. */
static ml_status operand_value(Ctx *ctx, Matrix *m, Value *out)
{
    Matrix *wide = NULL;

    TRY(matrix_as(ctx, CELL_FP64, m, &wide));
    *out = value_matrix(wide);
    return ML_OK;
}

static ml_status compute(Plain *p, int k, Matrix *const *operands)
{
    const PipeNode *n = &p->g->nodes[k];
    Value in[OP_ARGS] = {{0}};
    OpCode op = n->op;
    ml_status st;

    for (int i = 0; i < n->nin; i++)
        in[i] = p->values[n->in[i]];
    if (n->kind == PIPE_PRODUCT) {
        TRY(operand_value(p->ctx, operands[n->operand], &in[1]));
        op = n->transposed ? OP_matmult_nt : OP_matmult;
    }
    st = apply(p->ctx, op, in, n->kind == PIPE_PRODUCT ? 2 : n->nin, &p->values[k]);
    if (n->kind == PIPE_PRODUCT)
        value_release(in[1]);
    TRY(st);
    for (int i = 0; i < n->nin; i++)
        drop(p, n->in[i]);
    return ML_OK;
}

static ml_status find_value(Plain *p, int k, const double *numbers, Matrix *const *operands)
{
    const PipeNode *n = &p->g->nodes[k];

    if (p->uses[k] == 0)
        return ML_OK;
    if (n->scalar)
        p->values[k] = value_double(numbers[k]);
    else if (n->kind == PIPE_OPERAND)
        return operand_value(p->ctx, operands[n->operand], &p->values[k]);
    else
        return compute(p, k, operands);
    return ML_OK;
}

static ml_status find_result(Plain *p, const PipeResult *r, Value *out)
{
    static const OpCode full[] = {[CODE_SUM] = OP_sum, [CODE_MIN] = OP_min, [CODE_MAX] = OP_max};
    static const OpCode column[] = {
        [CODE_SUM] = OP_colSums, [CODE_MIN] = OP_colMins, [CODE_MAX] = OP_colMaxs};
    Value in[OP_ARGS] = {p->values[r->x], p->values[r->y]};
    ml_status st = ML_OK;

    if (r->kind == PIPE_CELLS)
        *out = value_retain(in[0]);
    else if (r->kind == PIPE_CROSS)
        st = apply(p->ctx, OP_matmult_tn, in, 2, out);
    else {
        in[1] = value_none();
        st = apply(p->ctx,
                   r->kind == PIPE_FULL ? (r->mean ? OP_mean : full[r->fold])
                   : r->mean            ? OP_colMeans
                                        : column[r->fold],
                   in, 1, out);
    }
    drop(p, r->x);
    drop(p, r->y);
    return st;
}

ml_status pipeline_plain(Ctx *ctx, OpCall *call, const PipeRun *r)
{
    Plain p = {.ctx = ctx, .g = &r->p->graph};
    ml_status st = ML_OK;

    count_uses(&p);
    for (int k = 0; st == ML_OK && k < p.g->nnodes; k++)
        st = find_value(&p, k, r->numbers, r->operands);
    for (int k = 0; st == ML_OK && k < p.g->nresults; k++)
        st = find_result(&p, &p.g->results[k], &call->out[k]);
    for (int k = 0; k < p.g->nnodes; k++)
        value_release(p.values[k]);
    return st;
}
