/* A cell-wise expression in one pass: its cells, or their sums over all cells, each row, each
 * column without storing the expression.
 *
 * The expression is a cell program over the operands a, b, c, d; a gives the shape, the others may
 * be repeated over it.  Dense operands pass chunk by chunk through the program, into the result or
 * into compensated folds. With a sparse operand the program runs operator by operator, since the
 * kernels of these know which zeros stay.
 *
 * Tiles follow from the shape alone.  Cost: one pass over the operands. */
#include "kernel/cell_program.h"
#include "kernel/fold.h"

#include <string.h>

enum { OPERANDS = 4, BLOCKS = 64 };

typedef struct Fused {
    Program program;
    Side sides[OPERANDS];
    int64_t rows, cols;
    const Fold *fold;
    double *out;   /* of rows, or of cells */
    bool in_place; /* out is an operand */
    atomic_int_fast64_t nnz;
    Sum2 *parts; /* of tiles, or of each column in each block of rows */
    int64_t block_rows;
} Fused;

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The program's results for n <= CELL_CHUNK cells from `at` on. */
static int64_t run_chunk(const Fused *f, int64_t at, int64_t n, double *out)
{
    double scratch[OPERANDS][CELL_CHUNK];
    Cells cells[OPERANDS];

    for (int k = 0; k < OPERANDS; k++) {
        cells[k] = (Cells){.scalar = f->sides[k].scalar};
        if (f->sides[k].kind != SIDE_SCALAR)
            cells[k].cells = side_cells(&f->sides[k], f->cols, at, n, scratch[k]);
    }
    return program_run(&f->program, cells, n, out);
}

static void fold_chunk(const Fused *f, const double *x, int64_t n, Sum2 *sum)
{
    Sum2 part = fold_start(f->fold);

    f->fold->run(x, n, 0, &part);
    f->fold->merge(sum, part);
}

static void fold_range(const Fused *f, int64_t at, int64_t end, Sum2 *sum)
{
    double results[CELL_CHUNK];
    int64_t n;

    for (; at < end; at += n) {
        n = min64(CELL_CHUNK, end - at);
        run_chunk(f, at, n, results);
        fold_chunk(f, results, n, sum);
    }
}

/* ---- all cells ---- */

static ml_status sum_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Fused *f = arg;
    const int64_t cells = f->rows * f->cols;

    (void)ctx;
    for (int64_t t = lo; t < hi; t++) {
        f->parts[t] = fold_start(f->fold);
        fold_range(f, t * FOLD_TILE, min64((t + 1) * FOLD_TILE, cells), &f->parts[t]);
    }
    return ML_OK;
}

static ml_status dense_sum(Ctx *ctx, OpCall *call, Fused *f)
{
    const int64_t tiles = (f->rows * f->cols + FOLD_TILE - 1) / FOLD_TILE;
    const size_t bytes = (size_t)(tiles + 1) * sizeof *f->parts;
    Sum2 sum = {0};
    ml_status st;

    f->parts = pool_alloc(ctx, bytes);
    if (!f->parts)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, task_grain(FOLD_TILE), sum_tiles, f);
    for (int64_t t = 0; st == ML_OK && t < tiles; t++)
        f->fold->merge(&sum, f->parts[t]);
    pool_release(ctx->pool, f->parts, bytes);
    call->out[0] = value_double(sum2_value(sum));
    return st;
}

/* ---- rows ---- */

/* Short rows share a chunk. */
static ml_status row_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Fused *f = arg;
    const int64_t cols = f->cols, together = cols < CELL_CHUNK ? CELL_CHUNK / cols : 1;
    double results[CELL_CHUNK];
    int64_t n;

    (void)ctx;
    for (int64_t i = lo; i < hi; i += n) {
        n = min64(together, hi - i);
        if (cols <= CELL_CHUNK)
            run_chunk(f, i * cols, n * cols, results);
        for (int64_t r = 0; r < n; r++) {
            Sum2 sum = {0};

            if (cols <= CELL_CHUNK)
                fold_chunk(f, results + r * cols, cols, &sum);
            else
                fold_range(f, i * cols, (i + 1) * cols, &sum);
            f->out[i + r] = sum2_value(sum);
        }
    }
    return ML_OK;
}

static ml_status dense_rows(Ctx *ctx, OpCall *call, Fused *f)
{
    Matrix *out = NULL;
    ml_status st = ML_OK;

    TRY(matrix_new_zero(ctx, f->rows, 1, &out));
    f->out = out->values;
    if (f->cols > 0)
        st = task_for(ctx, f->rows, task_grain(f->cols), row_tiles, f);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}

/* ---- columns ---- */

/* A unit is a block of rows, passed in strips of columns. */
static ml_status column_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Fused *f = arg;
    const int64_t cols = f->cols, width = min64(cols, CELL_CHUNK);
    const int64_t together = width < cols ? 1 : CELL_CHUNK / width;
    double results[CELL_CHUNK];
    int64_t n, m;

    for (int64_t block = lo; block < hi; block++) {
        double *s = (double *)(void *)(f->parts + block * cols), *c = s + cols;
        const int64_t end = min64((block + 1) * f->block_rows, f->rows);

        memset(s, 0, (size_t)cols * sizeof *f->parts);
        for (int64_t i = block * f->block_rows; i < end; i += n) {
            n = min64(together, end - i);
            for (int64_t j = 0; j < cols; j += m) {
                m = min64(width, cols - j);
                run_chunk(f, i * cols + j, n * m, results);
                f->fold->down(results, n, m, m, NULL, s + j, c + j);
            }
        }
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

static void merge_columns(const Fused *f, int64_t blocks, double *out)
{
    for (int64_t j = 0; j < f->cols; j++) {
        Sum2 sum = {0};

        for (int64_t block = 0; block < blocks; block++) {
            const double *s = (const double *)(const void *)(f->parts + block * f->cols);

            sum2_merge(&sum, (Sum2){s[j], s[f->cols + j]});
        }
        out[j] = sum2_value(sum);
    }
}

static ml_status dense_columns(Ctx *ctx, OpCall *call, Fused *f)
{
    const int64_t work = f->rows * f->cols / FOLD_TILE, most = min64(BLOCKS, work < 1 ? 1 : work);
    const int64_t blocks = f->cols == 0 ? 0 : min64(most, f->rows);
    const size_t bytes = (size_t)(blocks * f->cols + 1) * sizeof *f->parts;
    Matrix *out = NULL;
    ml_status st;

    TRY(matrix_new_dense(ctx, 1, f->cols, &out));
    f->parts = pool_alloc(ctx, bytes);
    if (!f->parts) {
        matrix_release(out);
        return ML_ENOMEM;
    }
    f->block_rows = blocks > 0 ? (f->rows + blocks - 1) / blocks : 0;
    st = task_for(ctx, blocks, 1, column_tiles, f);
    if (st == ML_OK)
        merge_columns(f, blocks, out->values);
    pool_release(ctx->pool, f->parts, bytes);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}

/* ---- the cells themselves ---- */

/* Later steps may read the operand that the result is written over, so these go through scratch. */
static ml_status map_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Fused *f = arg;
    const int64_t end = min64(hi * CELL_TILE, f->rows * f->cols);
    double results[CELL_CHUNK];
    int64_t nnz = 0, n;

    (void)ctx;
    for (int64_t at = lo * CELL_TILE; at < end; at += n) {
        n = min64(CELL_CHUNK, end - at);
        nnz += run_chunk(f, at, n, f->in_place ? results : f->out + at);
        if (f->in_place)
            memcpy(f->out + at, results, (size_t)n * sizeof *results);
    }
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&f->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status dense_cells(Ctx *ctx, OpCall *call, Fused *f)
{
    const int64_t tiles = (f->rows * f->cols + CELL_TILE - 1) / CELL_TILE;
    Matrix *out = NULL;
    ml_status st;

    TRY(cells_output(ctx, call, call->nin, f->rows, f->cols, &out));
    f->out = out->values;
    for (int k = 0; k < OPERANDS; k++)
        f->in_place |= f->sides[k].m == out;
    st = task_for(ctx, tiles, task_grain(CELL_TILE), map_tiles, f);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, atomic_load_explicit(&f->nnz, memory_order_relaxed));
}

/* ---- operator by operator ---- */

static Value term_value(Term t, const OpCall *call, Value value)
{
    return t.kind == TERM_VALUE     ? value
           : t.kind == TERM_OPERAND ? call->in[t.operand ? t.operand + 1 : 0]
                                    : value_double(t.number);
}

/* The whole expression as a matrix; the caller's. */
static ml_status by_operators(Ctx *ctx, const OpCall *call, const Program *p, Value *out)
{
    Value value = value_retain(term_value((Term){TERM_OPERAND, p->start, 0}, call, value_none()));
    ml_status st = ML_OK;

    for (int k = 0; st == ML_OK && k < p->nsteps; k++) {
        const Step *s = &p->steps[k];
        Value in[2] = {term_value(s->left, call, value), term_value(s->right, call, value)};
        Value next = value_none();
        OpCall step = {
            .op = &op_table[s->op], .nin = 1 + s->binary, .nout = 1, .in = in, .out = &next};

        step.last = k == 0 ? 0 : s->left.kind == TERM_VALUE ? 1 : 2;
        st = (s->binary ? ml_k_binary : ml_k_unary)(ctx, &step);
        value_release(value);
        value = next;
    }
    *out = value;
    return st;
}

/* `kernel`, of `sum`, adds up the cells; NULL keeps them. */
static ml_status sum_of_operators(Ctx *ctx, OpCall *call, const Fused *f, OpCode sum,
                                  KernelFn kernel)
{
    Value value = value_none();
    OpCall last = {.op = &op_table[sum], .nin = 1, .nout = 1, .in = &value, .out = call->out};
    ml_status st = by_operators(ctx, call, &f->program, &value);

    if (st != ML_OK || !kernel) {
        call->out[0] = value;
        return st;
    }
    st = kernel(ctx, &last);
    value_release(value);
    return st;
}

/* ---- kernels ---- */

static ml_status prepare(Ctx *ctx, OpCall *call, Fused *f)
{
    const char *text;
    Matrix *a;

    TRY(call_matrix(ctx, call, 0, &a));
    TRY(call_text(ctx, call, 1, &text));
    TRY(program_read(ctx, text, "abcd", &f->program));
    f->rows = a->rows;
    f->cols = a->cols;
    f->fold = fold_get(cpu_level(ctx), FOLD_SUM);
    for (int k = 0; k < OPERANDS; k++)
        if (k == 0 || call_has(call, k + 1))
            TRY(side_init(ctx, call, k ? k + 1 : 0, f->rows, f->cols, k > 0, &f->sides[k]));
    return ML_OK;
}

static ml_status fused(Ctx *ctx, OpCall *call, ml_status (*dense)(Ctx *, OpCall *, Fused *),
                       OpCode sum, KernelFn kernel)
{
    Fused f = {0};
    bool sparse = false;
    ml_status st;

    for (int k = 0; k < OPERANDS; k++)
        f.sides[k].kind = SIDE_SCALAR;
    st = prepare(ctx, call, &f);
    for (int k = 0; k < OPERANDS; k++)
        sparse |= side_is_csr(&f.sides[k]);
    if (st == ML_OK)
        st = sparse ? sum_of_operators(ctx, call, &f, sum, kernel) : dense(ctx, call, &f);
    for (int k = 0; k < OPERANDS; k++)
        side_release(&f.sides[k]);
    return st;
}

ml_status ml_k_cells_sum(Ctx *ctx, OpCall *call)
{
    return fused(ctx, call, dense_sum, OP_sum, ml_k_sum);
}

ml_status ml_k_cells_rowSums(Ctx *ctx, OpCall *call)
{
    return fused(ctx, call, dense_rows, OP_rowSums, ml_k_rowSums);
}

ml_status ml_k_cells_colSums(Ctx *ctx, OpCall *call)
{
    return fused(ctx, call, dense_columns, OP_colSums, ml_k_colSums);
}

ml_status ml_k_cells(Ctx *ctx, OpCall *call)
{
    return fused(ctx, call, dense_cells, OP_cells, NULL);
}
