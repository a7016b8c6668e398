/* Long short-term memory: what the layer and its gradients share, private to nn_lstm*.c. */
#ifndef NN_LSTM_H
#define NN_LSTM_H

#include "kernel/matmult.h"
#include "kernel/nn.h"
#include "kernel/simd/cells.h"

/* N sequences of T steps of D features, a state of M cells.  W has the rows of the features and
 * then those of the state.  The caches have a row a step, in it a row (M or 4M cells) a sequence:
 * so a step of a cache is a matrix. */
typedef struct Lstm {
    int64_t n, t, d, m;
    Matrix *x, *w, *b, *out0, *c0;            /* dense */
    Matrix *cache_out, *cache_c, *cache_ifog; /* states, cells, gates of all steps */
} Lstm;

/* The operands 0 to 4 of both operators, checked; lstm_free also after an error. */
ml_status lstm_operands(Ctx *ctx, const OpCall *call, Lstm *l);
/* Make the caches and run all steps. */
ml_status lstm_run(Ctx *ctx, Lstm *l);
void lstm_free(Lstm *l);

/* State and cell before step t, N x M. */
static inline const double *lstm_state(const Lstm *l, int64_t t)
{
    return t == 0 ? l->out0->values : l->cache_out->values + (t - 1) * l->n * l->m;
}
static inline const double *lstm_cell(const Lstm *l, int64_t t)
{
    return t == 0 ? l->c0->values : l->cache_c->values + (t - 1) * l->n * l->m;
}

/* exp or tanh of an array by the cell loops of this machine: other than those of the C library,
 * their digits are the same on every one.  out may be x. */
static inline void lstm_apply(const Ctx *ctx, OpCode op, const double *x, double *out, int64_t n)
{
    cell_loops_at(cpu_level(ctx), op)->unary(x, out, n);
}

/* Cells as a matrix that is only read as a factor; it owns nothing. */
static inline Matrix lstm_view(const double *cells, int64_t rows, int64_t cols)
{
    return (Matrix){
        .format = MATRIX_DENSE, .rows = rows, .cols = cols, .values = (double *)(uintptr_t)cells};
}

#endif
