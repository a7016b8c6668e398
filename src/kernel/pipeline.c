/* The operator `pipeline`: its operands, and the program that fits them.
 *
 * Sparse vectors and factors that are taken whole become dense; wide sparse and constant operands
 * stay as they are, and so do dense ones of FP32. */
#include "kernel/pipeline_impl.h"

#include <string.h>

typedef struct PipeCall {
    PipeShape shape;
    int64_t sizes[PIPE_SIZES];
    int nsizes;
    Matrix *operands[PIPELINE_OPERANDS]; /* NULL: a scalar; borrowed */
    Matrix *copies[PIPELINE_OPERANDS];   /* of those that had to be converted */
    Matrix *factors[PIPELINE_OPERANDS];  /* those that are taken whole; owned, and dense in FP64 */
} PipeCall;

static uint8_t size_class(PipeCall *c, int64_t size)
{
    for (int k = 0; k < c->nsizes; k++)
        if (c->sizes[k] == size)
            return (uint8_t)k;
    c->sizes[c->nsizes] = size;
    return (uint8_t)c->nsizes++;
}

/* Sparse matrices are FP64, and stay sparse only with the rows of operand a. */
static ml_status copy_operand(Ctx *ctx, PipeCall *c, int k, Matrix *m)
{
    const int64_t rows = k > 0 ? c->operands[0]->rows : m->rows;
    const bool vector = m->format == MATRIX_CSR && (m->cols == 1 || m->rows != rows);

    if (vector || (m->format == MATRIX_CONSTANT && matrix_cells(m) == 0))
        TRY(matrix_doubles(ctx, m, &c->copies[k]));
    else if (m->format == MATRIX_CSR && m->singles)
        TRY(matrix_as(ctx, CELL_FP64, m, &c->copies[k]));
    return ML_OK;
}

static ml_status take_matrix(Ctx *ctx, PipeCall *c, int k, Matrix *m)
{
    PipeOperand *o = &c->shape.operands[k];

    c->shape.single |= m->singles != NULL;
    TRY(copy_operand(ctx, c, k, m));
    m = c->operands[k] = c->copies[k] ? c->copies[k] : m;
    o->rows = size_class(c, m->rows);
    o->cols = size_class(c, m->cols);
    o->format = m->singles                     ? PIPE_SINGLE
                : m->format == MATRIX_DENSE    ? PIPE_DENSE
                : m->format == MATRIX_CONSTANT ? PIPE_CONSTANT
                                               : PIPE_CSR;
    return ML_OK;
}

static ml_status take_operands(Ctx *ctx, const OpCall *call, PipeCall *c)
{
    Matrix *first;
    char buf[64];

    c->sizes[0] = c->nsizes = 1;
    c->shape.noperands = call->nin - 1;
    if (call->nin < 2 || call->nin > 1 + PIPELINE_OPERANDS)
        return fail(ctx, ML_EINTERNAL, "pipeline: expected 1 to %d operands, found %d",
                    PIPELINE_OPERANDS, call->nin - 1);
    TRY(call_matrix(ctx, call, 1, &first));
    for (int k = 0; k < c->shape.noperands; k++) {
        const Value v = call->in[1 + k];

        if (v.dt == DT_MATRIX)
            TRY(take_matrix(ctx, c, k, v.m));
        else if (!scalar_is_number(v))
            return fail(ctx, ML_ETYPE, "pipeline: expected a matrix or a number, found %s",
                        value_describe(v, buf));
    }
    return ML_OK;
}

static ml_status take_factors(Ctx *ctx, PipeCall *c, const PipeSchedule *s)
{
    for (int k = 0; k < c->shape.noperands; k++)
        if (!s->too_large && s->whole[k] && !pipeline_has_hyper(c->operands, c->shape.noperands))
            TRY(matrix_doubles(ctx, c->operands[k], &c->factors[k]));
    return ML_OK;
}

static ml_status run(Ctx *ctx, OpCall *call, PipeCall *c, const PipeProgram *p)
{
    if (p->graph.nresults > call->nout)
        return fail(ctx, ML_EINTERNAL, "pipeline: the program has %d results, expected at most %d",
                    p->graph.nresults, call->nout);
    TRY(take_factors(ctx, c, &p->schedule));
    return pipeline_run(ctx, call, p, c->sizes, c->operands, c->factors);
}

ml_status ml_k_pipeline(Ctx *ctx, OpCall *call)
{
    PipeCall c;
    PipeProgram *p = NULL;
    const char *text;
    ml_status st;

    memset(&c, 0, sizeof c);
    TRY(call_text(ctx, call, 0, &text));
    st = take_operands(ctx, call, &c);
    if (st == ML_OK)
        st = pipeline_take(ctx, text, &c.shape, matrix_cells(c.operands[0]), &p);
    if (st == ML_OK) {
        st = run(ctx, call, &c, p);
        pipeline_give(ctx, p);
    }
    for (int k = 0; k < PIPELINE_OPERANDS; k++) {
        matrix_release(c.copies[k]);
        matrix_release(c.factors[k]);
    }
    return st;
}
