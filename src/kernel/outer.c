/* outer: all pairs of a column and a row vector under a binary operator, found by its symbol. */
#include "kernel/kernel.h"

#include <string.h>

typedef struct OuterJob {
    double (*op)(double, double);
    const Matrix *u;
    const double *v;
    Matrix *out;
} OuterJob;

static ml_status outer_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const OuterJob *job = arg;
    const int64_t cols = job->out->cols;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        const double u = matrix_get(job->u, i, 0);
        double *out = job->out->values + i * cols;

        for (int64_t j = 0; j < cols; j++)
            out[j] = job->op(u, job->v[j]);
    }
    return ML_OK;
}

static ml_status find_operator(Ctx *ctx, const char *name, double (**op)(double, double))
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
    *op = op_table[code].cell2;
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
            st = result_matrix(ctx, call, 0, job.out, -1);
        else
            matrix_release(job.out);
    }
    matrix_release(dense);
    return st;
}
