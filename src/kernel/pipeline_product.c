/* Pipelines: the products of a tile.
 *
 * With few columns they go by the loops of dense.h, row by row, so their digits are those of the
 * operator; otherwise by gemm of matmult.h.  Sparse factors are read as
 * they are: a zero that meets NaN or an infinity gives NaN, so where the other factor has such
 * cells, the sparse row is unpacked. */
#include "kernel/dense.h"
#include "kernel/matmult.h"
#include "kernel/pipeline_impl.h"

#include <string.h>

static int64_t width_of(const PipeTile *t, Place p)
{
    return t->run->sizes[p.width];
}

static bool all_finite(const double *x, int64_t n)
{
    double zero = 0;

    for (int64_t i = 0; i < n; i++)
        zero += x[i] * 0;
    return zero == 0;
}

/* ---- x %*% b ---- */

PipeCopy pipeline_factor_copy(const PipeRun *r, const PipeStep *s)
{
    const int64_t n = r->sizes[s->out.width];

    if (s->kind != STEP_PRODUCT || n <= 1)
        return COPY_NONE;
    if (s->x.kind == PLACE_SPARSE)
        return s->transposed ? COPY_SWAPPED : COPY_NONE;
    if (n <= PIPE_NARROW)
        return s->transposed ? COPY_NONE : COPY_SWAPPED;
    return narrow_few_pays(false, r->sizes[s->x.width], n) ? COPY_FEW : COPY_NONE;
}

/* Rows of x by b of n columns; rows of x lie `inner` cells apart. */
static void dense_product(const PipeTile *t, int k, const double *x, int64_t rows, int64_t inner,
                          double *out)
{
    const PipeRun *r = t->run;
    const PipeStep *s = &r->p->schedule.steps[k];
    const double *b = r->factors[s->operand]->values;
    const int64_t n = width_of(t, s->out);

    if (n > PIPE_NARROW && r->vectors[k]) {
        dense_ops(r->ctx)->few(x, inner, rows, inner, r->vectors[k], n, out);
        return;
    }
    if (n > PIPE_NARROW) {
        gemm(r->ctx, &(Gemm){.m = rows,
                             .n = n,
                             .k = inner,
                             .a = x,
                             .b = b,
                             .a_row = inner,
                             .a_col = 1,
                             .b_row = s->transposed ? 1 : n,
                             .b_col = s->transposed ? inner : 1,
                             .c = out,
                             .ldc = n});
        return;
    }
    /* The copy of a sparse x's factor lies by rows, that of a dense one's by columns. */
    b = r->vectors[k] && !s->transposed ? r->vectors[k] : b;
    for (int64_t c = 0; c < n; c++)
        dense_ops(r->ctx)->matvec(x, inner, rows, inner, b + c * inner, out + c, n);
}

/* b by rows, as it is or copied so. */
static void sparse_product(const PipeTile *t, int k, double *out)
{
    const PipeRun *r = t->run;
    const PipeStep *s = &r->p->schedule.steps[k];
    const Matrix *x = r->operands[s->x.index];
    const double *b = r->vectors[k] ? r->vectors[k] : r->factors[s->operand]->values;

    csr_rows_times(dense_ops(r->ctx), x, t->row, t->row + t->rows, b, width_of(t, s->out), out);
}

/* Row by row, since an unpacked row may be long. */
static void unpacked_product(const PipeTile *t, int k, double *out)
{
    const PipeStep *s = &t->run->p->schedule.steps[k];
    const Matrix *x = t->run->operands[s->x.index];
    const double *b = t->run->factors[s->operand]->values;
    const int64_t n = width_of(t, s->out), inner = x->cols;

    memset(out, 0, (size_t)(t->rows * n) * sizeof *out);
    for (int64_t i = 0; i < t->rows; i++) {
        pipeline_unpack(x, t->row + i, 1, t->unpacked);
        for (int64_t p = 0; p < inner; p++)
            for (int64_t c = 0; c < n; c++)
                out[i * n + c] +=
                    t->unpacked[p] * (s->transposed ? b[c * inner + p] : b[p * n + c]);
    }
}

void pipeline_product(PipeTile *t, int k)
{
    const PipeStep *s = &t->run->p->schedule.steps[k];
    const int64_t n = width_of(t, s->out), inner = width_of(t, s->x);
    double *out = pipeline_cells(t, s->out);

    if (inner == 0 || n == 0)
        memset(out, 0, (size_t)(t->rows * n) * sizeof *out);
    else if (s->x.kind != PLACE_SPARSE)
        dense_product(t, k, pipeline_cells(t, s->x), t->rows, inner, out);
    else if (t->run->odd[k])
        unpacked_product(t, k, out);
    else
        sparse_product(t, k, out);
}

/* ---- t(x) %*% y ---- */

/* A partial result has m x n cells, from one to the next in a row `across` apart, in a column
 * `down`: with few columns it lies by these. */
typedef struct Cross {
    double *out;
    int64_t m, n, down, across;
} Cross;

static Cross cross_of(const PipeTile *t, const PipeStep *s)
{
    const int64_t m = width_of(t, s->x), n = width_of(t, s->y);
    const bool by_columns = n <= PIPE_NARROW;

    return (Cross){t->run->partials[s->out.index] + t->block * t->run->partial_cells[s->out.index],
                   m, n, by_columns ? 1 : n, by_columns ? m : 1};
}

static void dense_cross(const Ctx *ctx, const Cross *c, const double *x, const double *y,
                        int64_t rows)
{
    const int64_t m = c->m, n = c->n;

    if (n <= PIPE_NARROW)
        for (int64_t j = 0; j < n; j++)
            dense_ops(ctx)->vecmat(x, m, rows, m, y + j, n, c->out + j * m);
    else if (m <= PIPE_NARROW)
        for (int64_t i = 0; i < m; i++)
            dense_ops(ctx)->vecmat(y, n, rows, n, x + i, m, c->out + i * n);
    else
        gemm(ctx, &(Gemm){.m = m,
                          .n = n,
                          .k = rows,
                          .a = x,
                          .b = y,
                          .a_row = 1,
                          .a_col = m,
                          .b_row = n,
                          .b_col = 1,
                          .c = c->out,
                          .ldc = n,
                          .add = true});
}

/* Row i of a sparse factor beside the same row of the dense one: cells of `dense`, `count` of them,
 * lie `step` apart in the result, those of the sparse row `down`. */
static void add_row(const Matrix *sparse, int64_t i, const double *dense, int64_t count,
                    int64_t step, int64_t down, double *out)
{
    for (int64_t k = sparse->row_ptr[i]; k < sparse->row_ptr[i + 1]; k++) {
        const double scale = sparse->values[k];
        double *to = out + sparse->col_idx[k] * down;

        for (int64_t j = 0; j < count; j++)
            to[j * step] += scale * dense[j];
    }
}

/* The zeros of that row, beside cells that are not all finite. */
static void add_unpacked(PipeTile *t, const Matrix *sparse, int64_t i, const double *dense,
                         int64_t count, int64_t step, int64_t down, double *out)
{
    pipeline_unpack(sparse, i, 1, t->unpacked);
    for (int64_t k = 0; k < sparse->cols; k++)
        for (int64_t j = 0; j < count; j++)
            out[k * down + j * step] += t->unpacked[k] * dense[j];
}

static void sparse_cross(PipeTile *t, const PipeStep *s, const Cross *c)
{
    const bool left = s->x.kind == PLACE_SPARSE;
    const Matrix *sparse = t->run->operands[left ? s->x.index : s->y.index];
    const double *dense = pipeline_cells(t, left ? s->y : s->x);
    const int64_t count = left ? c->n : c->m, step = left ? c->across : c->down;
    const int64_t down = left ? c->down : c->across;

    for (int64_t i = 0; i < t->rows; i++, dense += count) {
        if (all_finite(dense, count))
            add_row(sparse, t->row + i, dense, count, step, down, c->out);
        else
            add_unpacked(t, sparse, t->row + i, dense, count, step, down, c->out);
    }
}

void pipeline_cross(PipeTile *t, const PipeStep *s)
{
    const Cross c = cross_of(t, s);

    if (c.m == 0 || c.n == 0)
        return;
    if (s->x.kind == PLACE_SPARSE || s->y.kind == PLACE_SPARSE)
        sparse_cross(t, s, &c);
    else
        dense_cross(t->run->ctx, &c, pipeline_cells(t, s->x), pipeline_cells(t, s->y), t->rows);
}
