/* Gradients of long short-term memory, by backpropagation through time.
 *
 * Steps run backward; each turns the gradients of its state and cell into those of the gates' sums
 * dz, a unit a sequence, and those into the gradient of the state before.  The gradients of X, W
 * and b are then products over all steps at once. */
#include "kernel/nn_lstm.h"

#include <string.h>

enum { DX, DW, DB, DOUT0, DC0, RESULTS };

typedef struct Backward {
    Lstm l;
    bool all;          /* dout has the gradients of all steps' states */
    Matrix *dout, *dc; /* dc: of the cell before the step, from that after it */
    Matrix *dh;        /* N x M: of the state, from the steps after it */
    Matrix *dz;        /* (N T) x 4M */
    Matrix *step;      /* N x 4M: dz of a step */
    int64_t t;
    Matrix *out[RESULTS];
} Backward;

static const double *dout_of(const Backward *b, int64_t i)
{
    const Lstm *l = &b->l;

    if (b->all)
        return b->dout->values + (i * l->t + b->t) * l->m;
    return b->t == l->t - 1 ? b->dout->values + i * l->m : NULL;
}

static void sequence_step(const Ctx *ctx, const Backward *b, int64_t i)
{
    const Lstm *l = &b->l;
    const int64_t m = l->m;
    const double *dout = dout_of(b, i), *c = lstm_cell(l, b->t + 1) + i * m;
    const double *before = lstm_cell(l, b->t) + i * m, *dh = b->dh->values + i * m;
    const double *gate = l->cache_ifog->values + (b->t * l->n + i) * 4 * m;
    double *dc = b->dc->values + i * m, *dz = b->step->values + i * 4 * m;

    lstm_apply(ctx, OP_tanh, c, dz, m); /* until the loop comes to store what belongs there */
    for (int64_t j = 0; j < m; j++) {
        const double in = gate[j], forget = gate[m + j], out = gate[2 * m + j], g = gate[3 * m + j];
        const double tc = dz[j], d = dout ? dh[j] + dout[j] : dh[j];
        const double dcell = dc[j] + d * out * (1 - tc * tc);

        dz[j] = dcell * g * in * (1 - in);
        dz[m + j] = dcell * before[j] * forget * (1 - forget);
        dz[2 * m + j] = d * tc * out * (1 - out);
        dz[3 * m + j] = dcell * in * (1 - g * g);
        dc[j] = dcell * forget;
    }
    memcpy(b->dz->values + (i * l->t + b->t) * 4 * m, dz, (size_t)(4 * m) * sizeof *dz);
}

static ml_status step_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    for (int64_t i = lo; i < hi; i++)
        sequence_step(ctx, arg, i);
    return check_cancel(ctx);
}

static ml_status run_steps(Ctx *ctx, Backward *b)
{
    const Lstm *l = &b->l;
    Matrix part = lstm_view(l->w->values + l->d * 4 * l->m, l->m, 4 * l->m);

    for (b->t = l->t - 1; b->t >= 0; b->t--) {
        Matrix *dh;

        TRY(task_for(ctx, l->n, task_grain(32 * l->m), step_range, b));
        TRY(product_dense(ctx, (Factor){b->step, false}, (Factor){&part, true}, &dh));
        matrix_release(b->dh);
        b->dh = dh;
    }
    return ML_OK;
}

/* ---- products over all steps ---- */

/* The state before each step of each sequence and a 1: (N T) x (M + 1), so that one product gives
 * the rest of dW and, as its last row, db. */
static ml_status states_and_ones(Ctx *ctx, const Lstm *l, Matrix **out)
{
    double *row;

    TRY(matrix_new_dense(ctx, l->n * l->t, l->m + 1, out));
    row = (*out)->values;
    for (int64_t i = 0; i < l->n; i++)
        for (int64_t t = 0; t < l->t; t++, row += l->m + 1) {
            memcpy(row, lstm_state(l, t) + i * l->m, (size_t)l->m * sizeof *row);
            row[l->m] = 1;
        }
    return ML_OK;
}

static ml_status weights(Ctx *ctx, Backward *b)
{
    const Lstm *l = &b->l;
    const size_t row = (size_t)(4 * l->m) * sizeof(double);
    Matrix features = lstm_view(l->x->values, l->n * l->t, l->d), *states, *top = NULL,
           *rest = NULL;
    ml_status st;

    TRY(states_and_ones(ctx, l, &states));
    TRY_TO(done, st = product_dense(ctx, (Factor){&features, true}, (Factor){b->dz, false}, &top));
    TRY_TO(done, st = product_dense(ctx, (Factor){states, true}, (Factor){b->dz, false}, &rest));
    memcpy(b->out[DW]->values, top->values, (size_t)l->d * row);
    memcpy(b->out[DW]->values + l->d * 4 * l->m, rest->values, (size_t)l->m * row);
    memcpy(b->out[DB]->values, rest->values + l->m * 4 * l->m, row);
done:
    matrix_release(states);
    matrix_release(top);
    matrix_release(rest);
    return st;
}

static ml_status features(Ctx *ctx, Backward *b)
{
    const Lstm *l = &b->l;
    Matrix part = lstm_view(l->w->values, l->d, 4 * l->m);

    TRY(product_dense(ctx, (Factor){b->dz, false}, (Factor){&part, true}, &b->out[DX]));
    b->out[DX]->rows =
        l->n; /* the steps of a sequence follow each other: only the header changes */
    b->out[DX]->cols = l->t * l->d;
    return ML_OK;
}

/* ---- the operator ---- */

static ml_status caches(Ctx *ctx, const OpCall *call, Lstm *l)
{
    const int given = call_has(call, 8) + call_has(call, 9) + call_has(call, 10);

    if (given == 0)
        return lstm_run(ctx, l);
    if (given < 3)
        return fail(
            ctx, ML_EVALUE,
            "lstm_backward: expected all of cache_out, cache_c, cache_ifog or none, found %d",
            given);
    TRY(nn_operand(ctx, call, 8, l->t, l->n * l->m, "lstm", &l->cache_out));
    TRY(nn_operand(ctx, call, 9, l->t, l->n * l->m, "lstm", &l->cache_c));
    return nn_operand(ctx, call, 10, l->t, 4 * l->n * l->m, "lstm", &l->cache_ifog);
}

static ml_status operands(Ctx *ctx, const OpCall *call, Backward *b)
{
    Lstm *l = &b->l;

    TRY(lstm_operands(ctx, call, l));
    TRY(call_bool(ctx, call, 5, &b->all));
    TRY(nn_operand(ctx, call, 6, l->n, b->all ? l->t * l->m : l->m,
                   b->all ? "given_sequences=TRUE" : "given_sequences=FALSE", &b->dout));
    TRY(nn_operand(ctx, call, 7, l->n, l->m, "c0", &b->dc));
    TRY(matrix_writable(ctx, &b->dc));
    TRY(caches(ctx, call, l));
    TRY(matrix_new_zero(ctx, l->n, l->m, &b->dh));
    TRY(matrix_new_dense(ctx, l->n, 4 * l->m, &b->step));
    TRY(matrix_new_dense(ctx, l->n * l->t, 4 * l->m, &b->dz));
    TRY(matrix_new_zero(ctx, l->d + l->m, 4 * l->m, &b->out[DW]));
    return matrix_new_zero(ctx, 1, 4 * l->m, &b->out[DB]);
}

static ml_status run(Ctx *ctx, Backward *b)
{
    const Lstm *l = &b->l;

    if (l->n == 0)
        return matrix_new_zero(ctx, 0, l->t * l->d, &b->out[DX]);
    TRY(run_steps(ctx, b));
    TRY(weights(ctx, b));
    return features(ctx, b);
}

ml_status ml_k_lstm_backward(Ctx *ctx, OpCall *call)
{
    Backward b = {0};
    ml_status st = operands(ctx, call, &b);

    if (st == ML_OK)
        st = run(ctx, &b);
    lstm_free(&b.l);
    matrix_release(b.dout);
    matrix_release(b.dz);
    matrix_release(b.step);
    b.out[DOUT0] = b.dh;
    b.out[DC0] = b.dc;
    return result_matrices(ctx, call, st, b.out, RESULTS);
}
