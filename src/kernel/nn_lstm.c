/* Long short-term memory.
 *
 * Source: Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and Cummins
 * (2000).
 *
 * The features of all steps meet their part of W in one product; each step then multiplies the
 * state by the other part and applies the gates, a unit a sequence.  Gates lie in the order i, f,
 * o, g. */
#include "kernel/nn_lstm.h"

#include <string.h>

/* ---- operands ---- */

static ml_status sizes(Ctx *ctx, const OpCall *call, Lstm *l)
{
    Matrix *x, *w, *out0;

    TRY(call_matrix(ctx, call, 0, &x));
    TRY(call_matrix(ctx, call, 1, &w));
    TRY(call_matrix(ctx, call, 3, &out0));
    l->n = x->rows;
    l->m = out0->cols;
    l->d = w->rows - l->m;
    if (l->m < 1 || l->d < 1 || w->cols / 4 != l->m || w->cols % 4 != 0)
        return call_shape_error(
            ctx, call, 1, 3, "for an M-column out0, W should have 4M columns and more than M rows");
    if (x->cols == 0 || x->cols % l->d != 0)
        return fail(ctx, ML_ESHAPE,
                    "%s: %s has %" PRId64 " columns, expected a multiple of the %" PRId64
                    " features that the rows of %s leave",
                    call->op->dml, call_name(call, 0), x->cols, l->d, call_name(call, 1));
    l->t = x->cols / l->d;
    return ML_OK;
}

ml_status lstm_operands(Ctx *ctx, const OpCall *call, Lstm *l)
{
    TRY(sizes(ctx, call, l));
    TRY(nn_operand(ctx, call, 0, l->n, l->t * l->d, "X", &l->x));
    TRY(nn_operand(ctx, call, 1, l->d + l->m, 4 * l->m, "W", &l->w));
    TRY(nn_operand(ctx, call, 2, 1, 4 * l->m, "W", &l->b));
    TRY(nn_operand(ctx, call, 3, l->n, l->m, "X", &l->out0));
    return nn_operand(ctx, call, 4, l->n, l->m, "out0", &l->c0);
}

void lstm_free(Lstm *l)
{
    Matrix *held[] = {l->x, l->w, l->b, l->out0, l->c0, l->cache_out, l->cache_c, l->cache_ifog};

    for (size_t k = 0; k < sizeof held / sizeof *held; k++)
        matrix_release(held[k]);
}

/* ---- steps ---- */

typedef struct Step {
    const Lstm *l;
    int64_t t;
    const double *zx; /* (N T) x 4M: features times W, a row for each step of each sequence */
    const double *zh; /* N x 4M: state times W */
} Step;

static void logistic(const Ctx *ctx, double *x, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        x[j] = -x[j];
    lstm_apply(ctx, OP_exp, x, x, n);
    for (int64_t j = 0; j < n; j++)
        x[j] = 1 / (1 + x[j]);
}

static void gates_of(const Ctx *ctx, const Step *s, int64_t i)
{
    const Lstm *l = s->l;
    const int64_t m = l->m;
    const double *zx = s->zx + (i * l->t + s->t) * 4 * m, *zh = s->zh + i * 4 * m;
    double *gates = l->cache_ifog->values + (s->t * l->n + i) * 4 * m;

    for (int64_t j = 0; j < 4 * m; j++)
        gates[j] = zx[j] + zh[j] + l->b->values[j];
    logistic(ctx, gates, 3 * m);
    lstm_apply(ctx, OP_tanh, gates + 3 * m, gates + 3 * m, m);
}

static ml_status step_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Step *s = arg;
    const Lstm *l = s->l;
    const int64_t m = l->m;

    for (int64_t i = lo; i < hi; i++) {
        const int64_t at = (s->t * l->n + i) * m;
        const double *before = lstm_cell(l, s->t) + i * m, *gate = l->cache_ifog->values + 4 * at;
        double *c = l->cache_c->values + at, *out = l->cache_out->values + at;

        gates_of(ctx, s, i);
        for (int64_t j = 0; j < m; j++)
            c[j] = gate[m + j] * before[j] + gate[j] * gate[3 * m + j];
        lstm_apply(ctx, OP_tanh, c, out, m);
        for (int64_t j = 0; j < m; j++)
            out[j] *= gate[2 * m + j];
    }
    return check_cancel(ctx);
}

static ml_status run_step(Ctx *ctx, const Lstm *l, const Matrix *zx, int64_t t)
{
    Matrix state = lstm_view(lstm_state(l, t), l->n, l->m), *zh;
    Matrix part = lstm_view(l->w->values + l->d * 4 * l->m, l->m, 4 * l->m);
    Step s = {.l = l, .t = t, .zx = zx->values};
    ml_status st;

    TRY(product_dense(ctx, (Factor){&state, false}, (Factor){&part, false}, &zh));
    s.zh = zh->values;
    st = task_for(ctx, l->n, task_grain(64 * l->m), step_range, &s);
    matrix_release(zh);
    return st;
}

static ml_status new_caches(Ctx *ctx, Lstm *l)
{
    TRY(matrix_new_dense(ctx, l->t, l->n * l->m, &l->cache_out));
    TRY(matrix_new_dense(ctx, l->t, l->n * l->m, &l->cache_c));
    return matrix_new_dense(ctx, l->t, 4 * l->n * l->m, &l->cache_ifog);
}

ml_status lstm_run(Ctx *ctx, Lstm *l)
{
    Matrix features = lstm_view(l->x->values, l->n * l->t, l->d), *zx;
    Matrix part = lstm_view(l->w->values, l->d, 4 * l->m);
    ml_status st;

    TRY(new_caches(ctx, l));
    if (l->n == 0)
        return ML_OK;
    TRY(product_dense(ctx, (Factor){&features, false}, (Factor){&part, false}, &zx));
    st = ML_OK;
    for (int64_t t = 0; t < l->t && st == ML_OK; t++)
        st = run_step(ctx, l, zx, t);
    matrix_release(zx);
    return st;
}

/* ---- the operator ---- */

/* The states of all steps by sequence, N x TM, or the last ones. */
static void store_states(const Lstm *l, bool all, double *out)
{
    const size_t bytes = (size_t)l->m * sizeof(double);
    const int64_t first = all ? 0 : l->t - 1;

    for (int64_t i = 0; i < l->n; i++)
        for (int64_t t = first; t < l->t; t++, out += l->m)
            memcpy(out, lstm_state(l, t + 1) + i * l->m, bytes);
}

static ml_status last_states(Ctx *ctx, OpCall *call, Lstm *l, bool all)
{
    Matrix *out, *c, *results[5];
    ml_status st;

    TRY(matrix_new_dense(ctx, l->n, all ? l->t * l->m : l->m, &out));
    st = matrix_new_dense(ctx, l->n, l->m, &c);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    store_states(l, all, out->values);
    memcpy(c->values, lstm_cell(l, l->t), (size_t)matrix_cells(c) * sizeof(double));
    memcpy(results, (Matrix *[]){out, c, l->cache_out, l->cache_c, l->cache_ifog}, sizeof results);
    l->cache_out = l->cache_c = l->cache_ifog = NULL;
    return result_matrices(ctx, call, ML_OK, results, 5);
}

ml_status ml_k_lstm(Ctx *ctx, OpCall *call)
{
    Lstm l = {0};
    bool all;
    ml_status st = lstm_operands(ctx, call, &l);

    if (st == ML_OK)
        st = call_bool(ctx, call, 5, &all);
    if (st == ML_OK)
        st = lstm_run(ctx, &l);
    if (st == ML_OK)
        st = last_states(ctx, call, &l, all);
    lstm_free(&l);
    return st;
}
