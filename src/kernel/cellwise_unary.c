/* Unary cell-wise operators.
 *
 * Dense cells run through the loops of simd/ tile by tile, in place where the operand dies.  Of a
 * CSR matrix only the values run where f(0) = 0; else its rows are expanded piece by piece into a
 * dense result.  A constant stays one. */
#include "kernel/cellwise.h"

#include <string.h>

typedef int64_t (*UnaryLoop)(const double *x, double *out, int64_t n);

int64_t cells_unary(CpuLevel level, OpCode op, const double *x, double *out, int64_t n)
{
    const CellLoops *loops = cell_loops_at(level, op);
    int64_t nnz = 0;

    if (loops->unary)
        return loops->unary(x, out, n);
    for (int64_t i = 0; i < n; i++) {
        out[i] = op_table[op].cell1(x[i]);
        nnz += out[i] != 0;
    }
    return nnz;
}

/* ---- values to values ---- */

typedef struct ValuesJob {
    UnaryLoop loop;
    const Matrix *in;
    Matrix *out;
    int64_t n;
    atomic_int_fast64_t nnz;
} ValuesJob;

static int64_t values_piece(const ValuesJob *job, int64_t at, int64_t n)
{
    double scratch[CELL_CHUNK], to[CELL_CHUNK], *out = matrix_target(job->out, at, to);

    return matrix_store(job->out, at, n, out,
                        job->loop(matrix_load(job->in, at, n, scratch), out, n));
}

static ml_status values_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    ValuesJob *job = arg;
    int64_t nnz = 0, at = lo * CELL_TILE, end = hi * CELL_TILE, n;

    (void)ctx;
    for (end = end < job->n ? end : job->n; at < end; at += n) {
        n = cells_piece(job->out, end - at < CELL_TILE ? end - at : CELL_TILE);
        nnz += values_piece(job, at, n);
    }
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status unary_values(Ctx *ctx, OpCall *call, UnaryLoop loop, const Matrix *in)
{
    const int64_t n = in->row_ptr[in->rows];
    ValuesJob job = {.loop = loop, .in = in, .n = n};
    Matrix *out = NULL;
    ml_status st;

    TRY(matrix_new_csr_of(ctx, matrix_type(in), in->rows, in->cols, n, &out));
    memcpy(out->row_ptr, in->row_ptr, (size_t)(in->rows + 1) * sizeof *out->row_ptr);
    memcpy(out->col_idx, in->col_idx, (size_t)n * sizeof *out->col_idx);
    job.out = out;
    st = task_for(ctx, (n + CELL_TILE - 1) / CELL_TILE, task_grain(CELL_TILE), values_range, &job);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, atomic_load_explicit(&job.nnz, memory_order_relaxed));
}

/* ---- dense results ---- */

static int64_t unary_piece(const CellRun *run, int64_t lo, int64_t n, double *out)
{
    const UnaryLoop *loop = run->job;
    double scratch[CELL_CHUNK];

    return (*loop)(side_cells(run->sides[0], run->cols, lo, n, scratch), out, n);
}

static ml_status unary_cells(Ctx *ctx, OpCall *call, UnaryLoop loop, const Matrix *in)
{
    const Side x = {.kind = SIDE_CELLS, .m = in};
    CellRun run = {.piece = unary_piece, .job = &loop, .sides = {&x, NULL}};

    return cells_run(ctx, call, &run, in->rows, in->cols);
}

ml_status ml_k_unary(Ctx *ctx, OpCall *call)
{
    const UnaryLoop loop = cell_loops_at(cpu_level(ctx), (OpCode)(call->op - op_table))->unary;
    Matrix *in = NULL, *out = NULL;

    if (call->in[0].dt == DT_SCALAR)
        return call->op->scalar(ctx, call->in, 1, &call->out[0]);
    TRY(call_matrix(ctx, call, 0, &in));
    if (in->format == MATRIX_CONSTANT) {
        TRY(matrix_new_constant(ctx, in->rows, in->cols, call->op->cell1(in->constant), &out));
        return result_matrix(ctx, call, 0, out, -1);
    }
    if (in->format == MATRIX_CSR && call->op->cell1(0) == 0)
        return unary_values(ctx, call, loop, in);
    return unary_cells(ctx, call, loop, in);
}

ml_status ml_k_log(Ctx *ctx, OpCall *call)
{
    return call_has(call, 1) ? ml_k_binary(ctx, call) : ml_k_unary(ctx, call);
}
