/* Transposes: t(X), and as a step of other kernels.
 *
 * Dense: tiles that fit the first-level cache on both sides, 8 x 8 cells at a time in registers;
 * vectors are copied. CSR: transpose_csr.c. */
#include "base/transpose_words.h"
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/reorg.h"

#include <string.h>

enum { TILE = 128 };

typedef struct Transpose {
    const Matrix *in;
    Matrix *out;
    int64_t across; /* tiles in a row of tiles */
} Transpose;

static ml_status tiles_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Transpose *t = arg;
    const int64_t rows = t->in->rows, cols = t->in->cols;

    for (int64_t unit = lo; unit < hi; unit++) {
        const int64_t i = unit / t->across * TILE, j = unit % t->across * TILE;

        const int64_t down = min64(TILE, rows - i), wide = min64(TILE, cols - j);

        if (t->in->singles)
            transpose_words((const Word *)(t->in->singles + i * cols + j), cols, down, wide,
                            (Word *)(t->out->singles + j * rows + i), rows);
        else
            dense_ops(ctx)->transpose(t->in->values + i * cols + j, cols, down, wide,
                                      t->out->values + j * rows + i, rows);
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
    matrix_move(t->in, lo, t->out, lo, hi - lo);
    return ML_OK;
}

static ml_status dense(Ctx *ctx, const Matrix *in, Matrix **out)
{
    ml_status st;

    TRY(matrix_like(ctx, in, in->cols, in->rows, out));
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

ml_status matrix_transpose(Ctx *ctx, const Matrix *m, Matrix **out)
{
    ml_status st;

    if (m->format == MATRIX_CONSTANT)
        return matrix_new_constant(ctx, m->cols, m->rows, m->constant, out);
    if (m->format == MATRIX_DENSE)
        return dense(ctx, m, out);
    TRY(matrix_new_csr_of(ctx, matrix_type(m), m->cols, m->rows, csr_nnz(m), out));
    st = csr_transpose(ctx, m, *out);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

ml_status ml_k_t(Ctx *ctx, OpCall *call)
{
    Matrix *m, *out = NULL;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    if (m->format == MATRIX_DENSE && (m->rows == 1 || m->cols == 1) && call_reusable(call, 0)) {
        const int64_t rows = m->rows; /* cells in the same order: a new shape is enough */

        m->rows = m->cols;
        m->cols = rows;
        call->out[0] = value_matrix(matrix_retain(m));
        return ML_OK;
    }
    st = matrix_transpose(ctx, m, &out);
    return st == ML_OK ? result_matrix(ctx, call, 0, out, m->nnz) : st;
}
