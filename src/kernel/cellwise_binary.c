/* Binary cell-wise operators: + - * / ^ %% %/% comparison, logic, bits.
 *
 * The shape is that of the left matrix; the right one may be a row, a column or a single cell of
 * it.  Dense cells run through the loops of simd/ tile by tile.  A sparse operand stays sparse
 * where the operator leaves its zeros zero beside every value of the other one, NaN and infinities
 * included: that is tested with the operator itself, on a scalar, a vector or, for products, all
 * cells. */
#include "kernel/cellwise.h"
#include "kernel/csr.h"

#include <string.h>

BinaryOp binary_op(CpuLevel level, OpCode op)
{
    const CellLoops *loops = cell_loops_at(level, op);

    return (BinaryOp){loops->vv ? loops : NULL, op_table[op].cell2};
}

int64_t binary_vv(const BinaryOp *op, const double *x, const double *y, double *out, int64_t n)
{
    int64_t nnz = 0;

    if (op->loops)
        return op->loops->vv(x, y, out, n);
    for (int64_t i = 0; i < n; i++) {
        out[i] = op->cell2(x[i], y[i]);
        nnz += out[i] != 0;
    }
    return nnz;
}

int64_t binary_vs(const BinaryOp *op, const double *x, double y, double *out, int64_t n)
{
    int64_t nnz = 0;

    if (op->loops)
        return op->loops->vs(x, y, out, n);
    for (int64_t i = 0; i < n; i++) {
        out[i] = op->cell2(x[i], y);
        nnz += out[i] != 0;
    }
    return nnz;
}

int64_t binary_sv(const BinaryOp *op, double x, const double *y, double *out, int64_t n)
{
    int64_t nnz = 0;

    if (op->loops)
        return op->loops->sv(x, y, out, n);
    for (int64_t i = 0; i < n; i++) {
        out[i] = op->cell2(x, y[i]);
        nnz += out[i] != 0;
    }
    return nnz;
}

/* ---- dense results ---- */

/* Is the side one number on the n cells from lo on? */
static bool is_number(const Side *side, int64_t cols, int64_t lo, int64_t n, double *value)
{
    *value = side->scalar;
    if (side->kind != SIDE_COL)
        return side->kind == SIDE_SCALAR;
    *value = side->m->values[lo / cols];
    return lo % cols + n <= cols;
}

static int64_t dense_piece(const CellRun *run, int64_t lo, int64_t n, double *out)
{
    const BinaryOp *op = run->job;
    const Side *x = run->sides[0], *y = run->sides[1];
    double xs[CELL_CHUNK], ys[CELL_CHUNK], value;

    if (is_number(x, run->cols, lo, n, &value))
        return binary_sv(op, value, side_cells(y, run->cols, lo, n, ys), out, n);
    if (is_number(y, run->cols, lo, n, &value))
        return binary_vs(op, side_cells(x, run->cols, lo, n, xs), value, out, n);
    return binary_vv(op, side_cells(x, run->cols, lo, n, xs), side_cells(y, run->cols, lo, n, ys),
                     out, n);
}

/* A dense result of op on two sides, stored as the call's. */
static ml_status binary_dense(Ctx *ctx, OpCall *call, const BinaryOp *op, const Side *x,
                              const Side *y, int64_t rows, int64_t cols)
{
    CellRun run = {.piece = dense_piece, .job = op, .sides = {x, y}};

    return cells_run(ctx, call, &run, rows, cols);
}

/* ---- which way ---- */

/* Does the operator make zero of a zero beside each of these stored cells? */
static bool zeros_stay_beside(const BinaryOp *op, const Matrix *m, int64_t at, int64_t end,
                              bool zero_left)
{
    double scratch[CELL_CHUNK], out[CELL_CHUNK];

    for (; at < end; at += CELL_CHUNK) {
        const int64_t n = end - at < CELL_CHUNK ? end - at : CELL_CHUNK;
        const double *cells = matrix_load(m, at, n, scratch);

        if ((zero_left ? binary_sv(op, 0, cells, out, n) : binary_vs(op, cells, 0, out, n)) != 0)
            return false;
    }
    return true;
}

typedef struct StayJob {
    const BinaryOp *op;
    const Matrix *m;
    int64_t stored; /* cells of m */
    bool zero_left;
    atomic_bool lost;
} StayJob;

static ml_status stay_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    StayJob *job = arg;
    const int64_t begin = lo * CELL_TILE;
    const int64_t end = hi * CELL_TILE < job->stored ? hi * CELL_TILE : job->stored;

    (void)ctx;
    /* Relaxed: a flag that is only ever set, and read after the tasks have joined. */
    if (!atomic_load_explicit(&job->lost, memory_order_relaxed) &&
        !zeros_stay_beside(job->op, job->m, begin, end, job->zero_left))
        atomic_store_explicit(&job->lost, true, memory_order_relaxed);
    return ML_OK;
}

/* Do zeros stay zero beside all cells that m stores? */
static bool zeros_stay_beside_all(Ctx *ctx, const BinaryOp *op, const Matrix *m, bool zero_left)
{
    StayJob job = {.op = op, .m = m, .zero_left = zero_left};

    job.stored = m->format == MATRIX_CSR ? csr_nnz(m) : matrix_cells(m);
    return task_for(ctx, (job.stored + CELL_TILE - 1) / CELL_TILE, task_grain(CELL_TILE),
                    stay_tiles, &job) == ML_OK &&
           !atomic_load_explicit(&job.lost, memory_order_relaxed);
}

static bool zeros_stay(Ctx *ctx, const BinaryOp *op, bool safe, const Side *other, bool zero_left)
{
    if (other->kind == SIDE_SCALAR)
        return (zero_left ? op->cell2(0, other->scalar) : op->cell2(other->scalar, 0)) == 0;
    if (side_is_csr(other) || (other->kind == SIDE_CELLS && !safe))
        return false;
    return zeros_stay_beside_all(ctx, op, other->m, zero_left);
}

/* Will the cells that x or y stores be too many for CSR, if they are at random? */
static bool union_is_dense(const Matrix *x, const Matrix *y)
{
    const double cells = (double)matrix_cells(x), both = (double)csr_nnz(x) * (double)csr_nnz(y);
    const double twice = cells > 0 ? both / cells : 0;
    const double stored = (double)csr_nnz(x) + (double)csr_nnz(y) - twice;

    return !matrix_is_sparse(x->rows, x->cols, (int64_t)stored);
}

static ml_status two_sparse(Ctx *ctx, OpCall *call, const BinaryOp *op, const Side *x,
                            const Side *y)
{
    const bool meet = (call->op->props & P_ZERO_SAFE) &&
                      zeros_stay_beside_all(ctx, op, x->m, false) &&
                      zeros_stay_beside_all(ctx, op, y->m, true);

    if (!meet && union_is_dense(x->m, y->m))
        return binary_dense(ctx, call, op, x, y, x->m->rows, x->m->cols);
    return binary_sparse_merge(ctx, call, op, x->m, y->m, meet);
}

static ml_status binary_sides(Ctx *ctx, OpCall *call, const BinaryOp *op, const Side *x,
                              const Side *y, int64_t rows, int64_t cols)
{
    const bool safe = call->op->props & P_ZERO_SAFE;
    Matrix *m = NULL;

    if (x->kind == SIDE_SCALAR && y->kind == SIDE_SCALAR) {
        TRY(matrix_new_constant(ctx, rows, cols, op->cell2(x->scalar, y->scalar), &m));
        return result_matrix(ctx, call, 0, m, -1);
    }
    if (side_is_csr(x) && side_is_csr(y) && op->cell2(0, 0) == 0)
        return two_sparse(ctx, call, op, x, y);
    if (side_is_csr(x) && zeros_stay(ctx, op, safe, y, true))
        return binary_sparse_map(ctx, call, op, x, y);
    if (side_is_csr(y) && zeros_stay(ctx, op, safe, x, false))
        return binary_sparse_map(ctx, call, op, x, y);
    return binary_dense(ctx, call, op, x, y, rows, cols);
}

ml_status ml_k_binary(Ctx *ctx, OpCall *call)
{
    const BinaryOp op = binary_op(cpu_level(ctx), (OpCode)(call->op - op_table));
    const int shape = call->in[0].dt == DT_MATRIX ? 0 : 1;
    Side x = {0}, y = {0};
    int64_t rows, cols;
    ml_status st;

    if (call->in[0].dt == DT_SCALAR && call->in[1].dt == DT_SCALAR)
        return call->op->scalar(ctx, call->in, call->nin, &call->out[0]);
    if (call->in[0].dt == DT_FRAME || call->in[1].dt == DT_FRAME)
        return frame_compare(ctx, call);
    rows = call->in[shape].m->rows;
    cols = call->in[shape].m->cols;
    st = side_init(ctx, call, 0, rows, cols, false, &x);
    if (st == ML_OK)
        st = side_init(ctx, call, 1, rows, cols, true, &y);
    if (st == ML_OK)
        st = binary_sides(ctx, call, &op, &x, &y, rows, cols);
    side_release(&x);
    side_release(&y);
    return st;
}

/* By the kernel of the comparison that the third argument names. */
ml_status ml_k_ppred(Ctx *ctx, OpCall *call)
{
    static const OpCode comparisons[] = {OP_lt, OP_le, OP_gt, OP_ge, OP_eq, OP_ne};
    OpCall comparison = *call;
    const char *text;

    TRY(call_text(ctx, call, 2, &text));
    if (call->in[0].dt == DT_SCALAR && call->in[1].dt == DT_SCALAR)
        return fail(ctx, ML_ETYPE, "ppred: expected a matrix, found two scalars");
    comparison.nin = 2;
    for (size_t k = 0; k < sizeof comparisons / sizeof *comparisons; k++) {
        comparison.op = &op_table[comparisons[k]];
        if (strcmp(comparison.op->dml, text) == 0)
            return ml_k_binary(ctx, &comparison);
    }
    return fail(ctx, ML_EVALUE, "ppred: expected op to be < <= > >= == or !=, found \"%s\"", text);
}
