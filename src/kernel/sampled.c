/* sampled: cell-wise functions of a product that is never stored, w beside U %*% t(V).
 *
 * A function such as "w * log(d)", d the product, is a cell program (cell_program.h).  Where it is
 * 0 wherever w is - the bounds of all operands prove that - only the nonzeros of a CSR w are
 * visited, each with one dot product of a row of U and one of V; otherwise all cells, as tiles of a
 * product that stay in the cache.  So the result is the same as without fusion, NaN and infinities
 * included, up to the order of additions.
 *
 * Memory: the result and a tile a thread.  Cost: the nonzeros, or the cells, times the columns of
 * U. */
#include "kernel/cell_program.h"
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/fold.h"
#include "kernel/matmult.h"

#include <math.h>
#include <string.h>

enum {
    LETTER_W,
    LETTER_D,
    LETTER_X,
    ENTRY_TILE = 4096, /* nonzeros of w */
    ROW_TILE = 128,
    COL_TILE = 256
};

typedef struct Sampled {
    Program program;
    Side w, x;
    Matrix *u, *v; /* dense */
    int64_t rows, cols, rank;
    double *out; /* values of the result, or NULL: they are added up */
    Sum2 *parts; /* of each tile */
    atomic_int_fast64_t nnz;
} Sampled;

/* n results from `at` on; the sum goes into *part when they are not kept. */
static void run_chunk(const Ctx *ctx, Sampled *s, const Cells *operands, int64_t n, int64_t at,
                      Sum2 *part)
{
    const Fold *sum = fold_get(cpu_level(ctx), FOLD_SUM);
    double scratch[CELL_CHUNK];
    Sum2 here = fold_start(sum);

    if (s->out) {
        const int64_t nnz = program_run(&s->program, operands, n, s->out + at);

        /* Relaxed: a sum of integers, read after the tasks have joined. */
        atomic_fetch_add_explicit(&s->nnz, nnz, memory_order_relaxed);
        return;
    }
    program_run(&s->program, operands, n, scratch);
    sum->run(scratch, n, 0, &here);
    sum->merge(part, here);
}

/* ---- the nonzeros of w ---- */

/* The row of nonzero k. */
static int64_t row_of(const Matrix *w, int64_t k)
{
    int64_t lo = 0, hi = w->rows;

    while (hi - lo > 1) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (w->row_ptr[mid] <= k)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* Cells of the third operand beside nonzeros [k, k + n) of row i of w. */
static void gather(const Side *x, const Matrix *w, int64_t i, int64_t k, int64_t n, double *out)
{
    const uint32_t *at = w->col_idx + k;

    for (int64_t j = 0; x->m && j < n; j++)
        switch (x->kind) {
        case SIDE_ROW:
            out[j] = x->m->values[at[j]];
            break;
        case SIDE_COL:
            out[j] = x->m->values[i];
            break;
        default:
            out[j] = x->m->format == MATRIX_DENSE ? x->m->values[i * w->cols + at[j]]
                                                  : matrix_get(x->m, i, at[j]);
        }
}

static void entries_chunk(const Ctx *ctx, Sampled *s, int64_t *row, int64_t k, int64_t n,
                          Sum2 *part)
{
    const Matrix *w = s->w.m;
    double d[CELL_CHUNK], x[CELL_CHUNK];
    int64_t m;

    for (int64_t at = k; at < k + n; at += m) {
        while (w->row_ptr[*row + 1] <= at)
            ++*row;
        m = min64(w->row_ptr[*row + 1], k + n) - at;
        dense_ops(ctx)->row_dots(s->v->values, w->col_idx + at, m, s->rank,
                                 s->u->values + *row * s->rank, d + (at - k));
        gather(&s->x, w, *row, at, m, x + (at - k));
    }
    run_chunk(ctx, s,
              (const Cells[]){{.cells = w->values + k},
                              {.cells = d},
                              {.cells = s->x.m ? x : NULL, .scalar = s->x.scalar}},
              n, k, part);
}

static ml_status entry_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Sampled *s = arg;
    const int64_t all = csr_nnz(s->w.m);

    for (int64_t t = lo; t < hi; t++) {
        const int64_t end = min64((t + 1) * ENTRY_TILE, all);
        int64_t row = row_of(s->w.m, t * ENTRY_TILE);

        for (int64_t k = t * ENTRY_TILE; k < end; k += CELL_CHUNK)
            entries_chunk(ctx, s, &row, k, min64(CELL_CHUNK, end - k),
                          s->parts ? &s->parts[t] : NULL);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* ---- all cells ---- */

static Cells side_piece_cells(const Side *side, int64_t cols, int64_t at, int64_t n,
                              double *scratch)
{
    if (side->kind == SIDE_SCALAR)
        return (Cells){.scalar = side->scalar};
    return (Cells){.cells = side_cells(side, cols, at, n, scratch)};
}

/* Rows [i, i + rows) and columns [j, j + n), through a tile of the product. */
static void block(const Ctx *ctx, Sampled *s, int64_t i, int64_t rows, int64_t j, int64_t n,
                  double *product, Sum2 *part)
{
    double w[COL_TILE], x[COL_TILE];

    if (s->rank == 0)
        memset(product, 0, ROW_TILE * COL_TILE * sizeof *product);
    else
        gemm(ctx, &(Gemm){.m = rows,
                          .n = n,
                          .k = s->rank,
                          .a = s->u->values + i * s->rank,
                          .b = s->v->values + j * s->rank,
                          .a_row = s->rank,
                          .a_col = 1,
                          .b_row = 1,
                          .b_col = s->rank,
                          .c = product,
                          .ldc = COL_TILE});
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = (i + r) * s->cols + j;

        run_chunk(ctx, s,
                  (const Cells[]){side_piece_cells(&s->w, s->cols, at, n, w),
                                  {.cells = product + r * COL_TILE},
                                  side_piece_cells(&s->x, s->cols, at, n, x)},
                  n, at, part);
    }
}

static ml_status block_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Sampled *s = arg;
    const int64_t across = (s->cols + COL_TILE - 1) / COL_TILE;
    const size_t bytes = ROW_TILE * COL_TILE * sizeof(double);
    double *product = pool_alloc(ctx, bytes);
    ml_status st = product ? ML_OK : ML_ENOMEM;

    for (int64_t t = lo; st == ML_OK && t < hi; t++) {
        const int64_t i = t / across * ROW_TILE, j = t % across * COL_TILE;

        block(ctx, s, i, min64(ROW_TILE, s->rows - i), j, min64(COL_TILE, s->cols - j), product,
              s->parts ? &s->parts[t] : NULL);
        st = check_cancel(ctx);
    }
    if (product)
        pool_release(ctx->pool, product, bytes);
    return st;
}

/* ---- which way ---- */

/* Of the product's cells: sums of `rank` products. */
static ml_status product_bounds(Ctx *ctx, const Sampled *s, Bounds *out)
{
    static const Program times = {
        .start = 0,
        .nsteps = 1,
        .steps = {{OP_mul, true, {.kind = TERM_VALUE}, {.kind = TERM_OPERAND, .operand = 1}}}};
    const double many = (double)s->rank * 1.001; /* and what rounding adds */
    Bounds factors[2];

    TRY(bounds_of_matrix(ctx, s->u, &factors[0]));
    TRY(bounds_of_matrix(ctx, s->v, &factors[1]));
    *out = program_bounds(&times, factors);
    out->least *= out->least < 0 ? many : 1;
    out->greatest *= out->greatest > 0 ? many : 1;
    out->known &= isfinite(out->least) && isfinite(out->greatest);
    return ML_OK;
}

/* Is the result 0 wherever w is? */
static ml_status keeps_zeros(Ctx *ctx, const Sampled *s, bool *keeps)
{
    Bounds operands[PROGRAM_OPERANDS] = {{0}};

    *keeps = side_is_csr(&s->w) && s->rank > 0;
    if (!*keeps)
        return ML_OK;
    TRY(product_bounds(ctx, s, &operands[LETTER_D]));
    operands[LETTER_X] = bounds_of(s->x.scalar);
    if (s->x.m)
        TRY(bounds_of_matrix(ctx, s->x.m, &operands[LETTER_X]));
    *keeps = program_keeps_zeros(&s->program, operands, LETTER_W);
    return ML_OK;
}

static int64_t tiles_of(const Sampled *s, bool entries)
{
    if (entries)
        return (csr_nnz(s->w.m) + ENTRY_TILE - 1) / ENTRY_TILE;
    return (s->rows + ROW_TILE - 1) / ROW_TILE * ((s->cols + COL_TILE - 1) / COL_TILE);
}

static ml_status run_tiles(Ctx *ctx, Sampled *s, bool entries)
{
    const int64_t cells = (entries ? ENTRY_TILE : ROW_TILE * COL_TILE) * (s->rank + 1);

    return task_for(ctx, tiles_of(s, entries), task_grain(cells),
                    entries ? entry_tiles : block_tiles, s);
}

/* ---- results ---- */

static ml_status sampled_matrix(Ctx *ctx, OpCall *call, Sampled *s, bool entries)
{
    const Matrix *w = s->w.m;
    Matrix *out = NULL;
    ml_status st;

    if (entries) {
        TRY(matrix_new_csr(ctx, s->rows, s->cols, csr_nnz(w), &out));
        memcpy(out->row_ptr, w->row_ptr, (size_t)(w->rows + 1) * sizeof *out->row_ptr);
        memcpy(out->col_idx, w->col_idx, (size_t)csr_nnz(w) * sizeof *out->col_idx);
    } else {
        TRY(matrix_new_dense(ctx, s->rows, s->cols, &out));
    }
    s->out = out->values;
    st = run_tiles(ctx, s, entries);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, atomic_load_explicit(&s->nnz, memory_order_relaxed));
}

static ml_status sampled_sum(Ctx *ctx, OpCall *call, Sampled *s, bool entries)
{
    const int64_t tiles = tiles_of(s, entries);
    const size_t bytes = (size_t)(tiles + 1) * sizeof *s->parts;
    Sum2 sum = {0};
    ml_status st;

    s->parts = pool_alloc(ctx, bytes);
    if (!s->parts)
        return ML_ENOMEM;
    for (int64_t t = 0; t < tiles; t++)
        s->parts[t] = (Sum2){0};
    st = run_tiles(ctx, s, entries);
    for (int64_t t = 0; st == ML_OK && t < tiles; t++)
        sum2_merge(&sum, s->parts[t]);
    pool_release(ctx->pool, s->parts, bytes);
    call->out[0] = value_double(sum2_value(sum));
    return st;
}

/* ---- kernels ---- */

static ml_status check_shapes(Ctx *ctx, OpCall *call, const Matrix *w, const Matrix *u,
                              const Matrix *v)
{
    if (w->rows != u->rows)
        return call_shape_error(ctx, call, 0, 1, "they must have as many rows");
    if (u->cols != v->cols)
        return call_shape_error(ctx, call, 1, 2, "they must have as many columns");
    if (w->cols != v->rows)
        return call_shape_error(ctx, call, 0, 2, "the columns of the first are the rows of this");
    return ML_OK;
}

static ml_status prepare(Ctx *ctx, OpCall *call, Sampled *s)
{
    Matrix *w, *u, *v;
    const char *text;

    TRY(call_matrix(ctx, call, 0, &w));
    TRY(call_matrix(ctx, call, 1, &u));
    TRY(call_matrix(ctx, call, 2, &v));
    TRY(call_text(ctx, call, 3, &text));
    TRY(check_shapes(ctx, call, w, u, v));
    TRY(program_read(ctx, text, "wdx", &s->program));
    s->rows = w->rows;
    s->cols = w->cols;
    s->rank = u->cols;
    TRY(side_init(ctx, call, 0, s->rows, s->cols, false, &s->w));
    if (call_has(call, 4))
        TRY(side_init(ctx, call, 4, s->rows, s->cols, true, &s->x));
    TRY(matrix_dense(ctx, u, &s->u));
    return matrix_dense(ctx, v, &s->v);
}

static ml_status run(Ctx *ctx, OpCall *call,
                     ml_status (*finish)(Ctx *ctx, OpCall *call, Sampled *s, bool entries))
{
    Sampled s = {.w = {.kind = SIDE_SCALAR}, .x = {.kind = SIDE_SCALAR}};
    bool entries = false;
    ml_status st = prepare(ctx, call, &s);

    if (st == ML_OK)
        st = keeps_zeros(ctx, &s, &entries);
    if (st == ML_OK)
        st = finish(ctx, call, &s, entries);
    side_release(&s.w);
    side_release(&s.x);
    matrix_release(s.u);
    matrix_release(s.v);
    return st;
}

ml_status ml_k_sampled(Ctx *ctx, OpCall *call)
{
    return run(ctx, call, sampled_matrix);
}

ml_status ml_k_sampled_sum(Ctx *ctx, OpCall *call)
{
    return run(ctx, call, sampled_sum);
}
