/* outer: all pairs of a column and a row vector under a binary operator, found by its symbol. */
#include "kernel/cellwise.h"

#include <string.h>

typedef struct OuterJob {
    BinaryOp op;
    const Matrix *u;
    const double *v;
    Matrix *out;
    atomic_int_fast64_t nnz;
} OuterJob;

static ml_status outer_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    OuterJob *job = arg;
    const int64_t cols = job->out->cols;
    int64_t nnz = 0;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        nnz += binary_sv(&job->op, matrix_get(job->u, i, 0), job->v, job->out->values + i * cols,
                         cols);
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status find_operator(Ctx *ctx, const char *name, BinaryOp *op)
{
    static const char *const allowed[] = {"+",  "-", "*",  "/",  "^",  "%%",  "%/%", "<",
                                          "<=", ">", ">=", "==", "!=", "min", "max", "xor"};
    int code = -1;

    for (size_t k = 0; k < sizeof allowed / sizeof *allowed && code < 0; k++)
        if (strcmp(name, allowed[k]) == 0)
            code = op_find_symbol(name, 2) >= 0 ? op_find_symbol(name, 2)
                                                : op_find(name, strlen(name));
    if (code < 0 || !op_table[code].cell2)
        return fail(ctx, ML_EVALUE, "outer: '%s' is not an operator that outer knows", name);
    *op = binary_op(cpu_level(ctx), (OpCode)code);
    return ML_OK;
}

ml_status ml_k_outer(Ctx *ctx, OpCall *call)
{
    Matrix *u = NULL, *v = NULL, *dense = NULL;
    const char *name = NULL;
    OuterJob job = {0};
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &u));
    TRY(call_matrix(ctx, call, 1, &v));
    TRY(call_text(ctx, call, 2, &name));
    if (u->cols != 1 || v->rows != 1)
        return call_shape_error(ctx, call, 0, 1, "outer needs a column vector and a row vector");
    TRY(find_operator(ctx, name, &job.op));
    TRY(matrix_dense(ctx, v, &dense));
    st = matrix_new_dense(ctx, u->rows, v->cols, &job.out);
    if (st == ML_OK) {
        job.u = u;
        job.v = dense->values;
        st = task_for(ctx, u->rows, task_grain(v->cols), outer_task, &job);
        if (st == ML_OK)
            st = result_matrix(ctx, call, 0, job.out,
                               atomic_load_explicit(&job.nnz, memory_order_relaxed));
        else
            matrix_release(job.out);
    }
    matrix_release(dense);
    return st;
}
