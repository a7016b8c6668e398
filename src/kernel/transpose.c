/* Transposes: t(X), and as a step of other kernels.
 *
 * Dense: tiles that fit the first-level cache on both sides, 8 x 8 cells at a time in registers;
 * vectors are copied. CSR: by counting - the cells of each column are counted, the counts become
 * row pointers, and the rows are then distributed in order, which leaves the new rows sorted.  That
 * is done for strips of columns side by side, so narrow that the places where their next cells go
 * fit the second-level cache; each strip looks its cells up in every row. */
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/reorg.h"

#include <string.h>

enum { TILE = 128, STRIP = 4096, CELLS_A_LOOK = 64 };

typedef struct Transpose {
    const Matrix *in;
    Matrix *out;
    int64_t across; /* tiles in a row of tiles */
} Transpose;

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static ml_status tiles_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Transpose *t = arg;
    const int64_t rows = t->in->rows, cols = t->in->cols;

    for (int64_t unit = lo; unit < hi; unit++) {
        const int64_t i = unit / t->across * TILE, j = unit % t->across * TILE;

        dense_ops(ctx)->transpose(t->in->values + i * cols + j, cols, min64(TILE, rows - i),
                                  min64(TILE, cols - j), t->out->values + j * rows + i, rows);
    }
    return ML_OK;
}

static ml_status transpose_dense(Ctx *ctx, const Matrix *in, Matrix *out)
{
    Transpose t = {in, out, (in->cols + TILE - 1) / TILE};
    const int64_t down = (in->rows + TILE - 1) / TILE;

    return task_for(ctx, down * t.across, task_grain(TILE * min64(TILE, in->cols)), tiles_range,
                    &t);
}

static ml_status copy_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Transpose *t = arg;

    (void)ctx;
    memcpy(t->out->values + lo, t->in->values + lo, (size_t)(hi - lo) * sizeof(double));
    return ML_OK;
}

static ml_status dense(Ctx *ctx, const Matrix *in, Matrix **out)
{
    ml_status st;

    TRY(matrix_new_dense(ctx, in->cols, in->rows, out));
    if (in->rows == 1 || in->cols == 1) {
        Transpose t = {in, *out, 0};

        st = task_for(ctx, matrix_cells(in), task_grain(1), copy_range, &t);
    } else {
        st = transpose_dense(ctx, in, *out);
    }
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

typedef struct Distribute {
    const Matrix *in;
    Matrix *out;   /* row_ptr[j + 1]: where the next cell of column j goes */
    int64_t width; /* of a strip */
} Distribute;

/* The cells of row i in a strip are [*from, to). */
static int64_t strip_of_row(const Distribute *d, int64_t strip, int64_t i, int64_t *from)
{
    const int64_t first = strip * d->width, last = first + d->width;

    *from = first > 0 ? csr_lower(d->in, i, first) : d->in->row_ptr[i];
    return last < d->in->cols ? csr_lower(d->in, i, last) : d->in->row_ptr[i + 1];
}

static ml_status count_strips(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Distribute *d = arg;
    int64_t *counts = d->out->row_ptr + 1, k;

    for (int64_t strip = lo; strip < hi; strip++) {
        for (int64_t i = 0; i < d->in->rows; i++)
            for (const int64_t to = strip_of_row(d, strip, i, &k); k < to; k++)
                counts[d->in->col_idx[k]]++;
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

static ml_status distribute_strips(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Distribute *d = arg;
    int64_t *next = d->out->row_ptr + 1, k;

    for (int64_t strip = lo; strip < hi; strip++) {
        for (int64_t i = 0; i < d->in->rows; i++)
            for (const int64_t to = strip_of_row(d, strip, i, &k); k < to; k++) {
                const int64_t at = next[d->in->col_idx[k]]++;

                d->out->values[at] = d->in->values[k];
                d->out->col_idx[at] = (uint32_t)i;
            }
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* As narrow as the cache likes, or for every thread some, unless that leaves few cells a look. */
static int64_t strip_width(const Ctx *ctx, const Matrix *in)
{
    const int64_t most = csr_nnz(in) / (CELLS_A_LOOK * (in->rows + 1)), threads = task_threads(ctx);
    int64_t strips = (in->cols + STRIP - 1) / STRIP;

    strips = strips > most ? most : strips;
    if (strips < threads)
        strips = csr_nnz(in) > task_grain(1) ? threads : 1;
    return (in->cols + strips - 1) / strips;
}

static ml_status transpose_csr(Ctx *ctx, const Matrix *in, Matrix *out)
{
    Distribute d = {in, out, strip_width(ctx, in)};
    const int64_t strips = d.width > 0 ? (in->cols + d.width - 1) / d.width : 0;
    int64_t *next = out->row_ptr + 1, at = 0;

    TRY(task_for(ctx, strips, 1, count_strips, &d));
    for (int64_t j = 0; j < out->rows; j++) {
        const int64_t count = next[j];

        next[j] = at;
        at += count;
    }
    return task_for(ctx, strips, 1, distribute_strips, &d);
}

ml_status matrix_transpose(Ctx *ctx, const Matrix *m, Matrix **out)
{
    ml_status st;

    if (m->format == MATRIX_CONSTANT)
        return matrix_new_constant(ctx, m->cols, m->rows, m->constant, out);
    if (m->format == MATRIX_DENSE)
        return dense(ctx, m, out);
    TRY(matrix_new_csr(ctx, m->cols, m->rows, csr_nnz(m), out));
    st = transpose_csr(ctx, m, *out);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

ml_status ml_k_t(Ctx *ctx, OpCall *call)
{
    Matrix *m, *out;

    TRY(call_matrix(ctx, call, 0, &m));
    if (m->format == MATRIX_DENSE && (m->rows == 1 || m->cols == 1) && call_reusable(call, 0)) {
        const int64_t rows = m->rows; /* cells in the same order: a new shape is enough */

        m->rows = m->cols;
        m->cols = rows;
        call->out[0] = value_matrix(matrix_retain(m));
        return ML_OK;
    }
    TRY(matrix_transpose(ctx, m, &out));
    return result_matrix(ctx, call, 0, out, m->nnz);
}
