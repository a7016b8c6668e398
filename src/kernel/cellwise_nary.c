/* Cell-wise operators of several operands: min and max of any number, ifelse of three.
 *
 * Both go over the result in pieces that stay in the first cache; operands are pointed into or
 * expanded a piece at a time, so any mix of dense, sparse, constant and scalar operands takes one
 * pass. */
#include "kernel/cellwise.h"

#include <string.h>

typedef struct NaryJob {
    const BinaryOp *op; /* min or max */
    const Side *sides;
    int nsides;
    Matrix *out;
    int64_t cols, cells;
    atomic_int_fast64_t nnz;
} NaryJob;

/* One piece of the result into out; gives its nonzeros. */
typedef int64_t (*PieceFn)(const NaryJob *job, int64_t lo, int64_t n, double *out);

static ml_status nary_tiles(Ctx *ctx, NaryJob *job, PieceFn piece, int64_t lo, int64_t hi)
{
    const int64_t begin = lo * CELL_TILE, all = job->cells;
    const int64_t end = hi * CELL_TILE < all ? hi * CELL_TILE : all;
    int64_t nnz = 0, n;

    (void)ctx;
    for (int64_t at = begin; at < end; at += n) {
        double scratch[CELL_CHUNK], *out = matrix_target(job->out, at, scratch);

        n = end - at < CELL_CHUNK ? end - at : CELL_CHUNK;
        nnz += matrix_store(job->out, at, n, out, piece(job, at, n, out));
    }
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status nary_run(Ctx *ctx, OpCall *call, NaryJob *job, TaskFn fn, int64_t rows,
                          int64_t cols)
{
    Matrix *out = NULL;
    ml_status st;

    TRY(cells_output(ctx, call, 0, rows, cols, &out));
    job->out = out;
    job->cols = cols;
    job->cells = matrix_cells(out);
    st = task_for(ctx, (job->cells + CELL_TILE - 1) / CELL_TILE, task_grain(CELL_TILE), fn, job);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, atomic_load_explicit(&job->nnz, memory_order_relaxed));
}

/* The first operand that is a matrix, or -1. */
static int first_matrix(const OpCall *call)
{
    for (int k = 0; k < call->nin; k++)
        if (call->in[k].dt == DT_MATRIX)
            return k;
    return -1;
}

/* ---- min, max ---- */

static int64_t extreme_piece(const NaryJob *job, int64_t lo, int64_t n, double *out)
{
    double scratch[CELL_CHUNK];
    int64_t nnz = 0;

    memcpy(out, side_cells(&job->sides[0], job->cols, lo, n, scratch), (size_t)n * sizeof *out);
    for (int k = 1; k < job->nsides; k++)
        nnz =
            binary_vv(job->op, out, side_cells(&job->sides[k], job->cols, lo, n, scratch), out, n);
    return nnz;
}

static ml_status extreme_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    return nary_tiles(ctx, arg, extreme_piece, lo, hi);
}

static ml_status extreme_nary(Ctx *ctx, OpCall *call, int shape)
{
    const BinaryOp op = binary_op(cpu_level(ctx), (OpCode)(call->op - op_table));
    const int64_t rows = call->in[shape].m->rows, cols = call->in[shape].m->cols;
    const size_t n = (size_t)call->nin;
    Side *sides = mem_calloc(n, sizeof *sides);
    NaryJob job = {.op = &op, .sides = sides, .nsides = call->nin};
    ml_status st = ML_OK;

    if (!sides)
        return fail_memory(ctx, n * sizeof *sides);
    for (int k = 0; k < call->nin && st == ML_OK; k++)
        st = side_init(ctx, call, k, rows, cols, k > shape, &sides[k]);
    if (st == ML_OK)
        st = nary_run(ctx, call, &job, extreme_tiles, rows, cols);
    for (int k = 0; k < call->nin; k++)
        side_release(&sides[k]);
    mem_free(sides);
    return st;
}

/* The aggregate of a single matrix. */
typedef ml_status (*FullFn)(Ctx *ctx, const Matrix *m, double *out);

static ml_status extreme(Ctx *ctx, OpCall *call, FullFn full)
{
    const int shape = first_matrix(call);
    double value;

    if (shape < 0)
        return call->op->scalar(ctx, call->in, call->nin, &call->out[0]);
    if (call->nin == 2)
        return ml_k_binary(ctx, call);
    if (call->nin > 2)
        return extreme_nary(ctx, call, shape);
    TRY(full(ctx, call->in[0].m, &value));
    call->out[0] = value_double(value);
    return ML_OK;
}

ml_status ml_k_min(Ctx *ctx, OpCall *call)
{
    return extreme(ctx, call, aggregate_min);
}

ml_status ml_k_max(Ctx *ctx, OpCall *call)
{
    return extreme(ctx, call, aggregate_max);
}

/* ---- ifelse ---- */

static int64_t select_cells(const double *test, const double *yes, const double *no, double *out,
                            int64_t n)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++) {
        out[i] = test[i] != 0 ? yes[i] : no[i];
        nnz += out[i] != 0;
    }
    return nnz;
}

static int64_t ifelse_piece(const NaryJob *job, int64_t lo, int64_t n, double *out)
{
    double test[CELL_CHUNK], yes[CELL_CHUNK], no[CELL_CHUNK];

    return select_cells(side_cells(&job->sides[0], job->cols, lo, n, test),
                        side_cells(&job->sides[1], job->cols, lo, n, yes),
                        side_cells(&job->sides[2], job->cols, lo, n, no), out, n);
}

static ml_status ifelse_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    return nary_tiles(ctx, arg, ifelse_piece, lo, hi);
}

/* A test that is one number chooses an operand whole. */
static ml_status choose(Ctx *ctx, OpCall *call, const Side *side, int k, int64_t rows, int64_t cols)
{
    Matrix *m = NULL;

    if (call->in[k].dt == DT_MATRIX) {
        call->out[0] = value_retain(call->in[k]);
        return ML_OK;
    }
    TRY(matrix_new_constant(ctx, rows, cols, side->scalar, &m));
    return result_matrix(ctx, call, 0, m, -1);
}

ml_status ml_k_ifelse(Ctx *ctx, OpCall *call)
{
    const int shape = first_matrix(call);
    Side sides[3] = {0};
    NaryJob job = {.sides = sides, .nsides = 3};
    int64_t rows, cols;
    ml_status st = ML_OK;

    if (shape < 0)
        return call->op->scalar(ctx, call->in, 3, &call->out[0]);
    rows = call->in[shape].m->rows;
    cols = call->in[shape].m->cols;
    for (int k = 0; k < 3 && st == ML_OK; k++)
        st = side_init(ctx, call, k, rows, cols, false, &sides[k]);
    if (st == ML_OK && sides[0].kind == SIDE_SCALAR) {
        const int k = sides[0].scalar != 0 ? 1 : 2;

        st = choose(ctx, call, &sides[k], k, rows, cols);
    } else if (st == ML_OK) {
        st = nary_run(ctx, call, &job, ifelse_tiles, rows, cols);
    }
    for (int k = 0; k < 3; k++)
        side_release(&sides[k]);
    return st;
}
