/* Products of which at least one factor is CSR.
 *
 * Everything is brought to a CSR factor on the left, t(A B) = t(B) t(A), and then either gathers
 * (matmult_gather.c) or, when the CSR factor is transposed, scatters (matmult_scatter.c).  A dense
 * factor with many rows on the left is taken some rows at a time, transposed.
 *
 * IEEE: a product of an absent cell with NaN or an infinity is NaN, yet the loops never see it.  So
 * the dense factor is scanned, and where it has such cells a second pass finds the cells of the
 * result that met one of them with a zero. */
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/matmult.h"
#include "kernel/reorg.h"

#include <math.h>
#include <string.h>

enum {
    FEW_ROWS = 128,  /* a dense left factor with fewer is taken as a whole */
    STRIP_ROWS = 32, /* of one with more */
};

/* ---- a CSR factor on the left ---- */

/* The dense factor as it is stored when that is row-major in the order asked for, else a transposed
 * copy. */
static ml_status dense_rows(Ctx *ctx, Factor d, Matrix **out)
{
    if (!d.t || d.m->rows == 1 || d.m->cols == 1) {
        *out = matrix_retain(d.m);
        return ML_OK;
    }
    return matrix_transpose(ctx, d.m, out);
}

/* The rows of a CSR factor as stored, else a transposed copy. */
static ml_status csr_rows(Ctx *ctx, Factor s, Matrix **out)
{
    if (s.t)
        return matrix_transpose(ctx, s.m, out);
    *out = matrix_retain(s.m);
    return ML_OK;
}

ml_status csr_times(Ctx *ctx, Factor s, Factor d, double *out)
{
    const int64_t n = factor_cols(d);
    Matrix *cells = NULL, *rows = NULL;
    bool finite;
    ml_status st;

    TRY(cells_finite(ctx, d.m->values, matrix_cells(d.m), &finite));
    TRY_TO(done, st = dense_rows(ctx, d, &cells));
    if (s.t && finite) {
        st = csr_scatter(ctx, s.m, cells->values, n, out);
        goto done;
    }
    TRY_TO(done, st = csr_rows(ctx, s, &rows));
    st = csr_gather(ctx, rows, cells->values, n, finite, out);
done:
    matrix_release(cells);
    matrix_release(rows);
    return st;
}

/* ---- a dense factor with many rows on the left ---- */

typedef struct DenseLeft {
    const double *d; /* rows x inner */
    int64_t rows, inner;
    const Matrix *s;
    bool s_t; /* transposed */
    double *out;
    bool finite; /* d; otherwise s is not transposed */
} DenseLeft;

/* NaN where a cell of row d that is not finite met an absent cell. */
static ml_status mend_row(Ctx *ctx, const DenseLeft *t, const double *d, double *out)
{
    const Matrix *s = t->s;
    int64_t *met = pool_alloc(ctx, (size_t)s->cols * sizeof *met), odd = 0;

    if (!met)
        return ML_ENOMEM;
    memset(met, 0, (size_t)s->cols * sizeof *met);
    for (int64_t p = 0; p < s->rows; p++) {
        if (isfinite(d[p]))
            continue;
        odd++;
        for (int64_t k = s->row_ptr[p]; k < s->row_ptr[p + 1]; k++)
            met[s->col_idx[k]]++;
    }
    for (int64_t j = 0; j < s->cols; j++)
        if (met[j] < odd)
            out[j] = NAN;
    pool_release(ctx->pool, met, (size_t)s->cols * sizeof *met);
    return ML_OK;
}

/* out, of rows of n cells, = op(s) d; both transposed as the product has them. */
static void strip_product(const DenseOps *ops, const DenseLeft *t, const double *d, int64_t n,
                          double *out)
{
    const Matrix *s = t->s;
    CsrWalk w;

    if (t->s_t) {
        csr_rows_times(ops, s, 0, s->rows, d, n, out);
        return;
    }
    memset(out, 0, (size_t)(s->cols * n) * sizeof *out);
    for (csr_walk(&w, s, 0, s->rows); csr_walk_next(&w);)
        csr_entries_times(ops, s, w.at, w.row, s->col_idx + w.at, w.n, d + w.base * n, n, out);
}

static ml_status dense_left_strips(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const DenseLeft *t = arg;
    const int64_t inner = t->inner, cols = t->s_t ? t->s->rows : t->s->cols;
    ml_status st;
    double *d;

    TRY(partials_new(ctx, inner + cols, STRIP_ROWS, &d));
    st = ML_OK;
    for (int64_t strip = lo; strip < hi && st == ML_OK; strip++) {
        const int64_t i = strip * STRIP_ROWS, n = min64(STRIP_ROWS, t->rows - i);
        double *product = d + inner * n, *out = t->out + i * cols;

        dense_ops(ctx)->transpose(t->d + i * inner, inner, n, inner, d, n);
        strip_product(dense_ops(ctx), t, d, n, product);
        dense_ops(ctx)->transpose(product, n, cols, n, out, cols);
        for (int64_t r = 0; r < n && !t->finite && st == ML_OK; r++)
            st = mend_row(ctx, t, t->d + (i + r) * inner, out + r * cols);
        if (st == ML_OK)
            st = check_cancel(ctx);
    }
    partials_free(ctx, d, inner + cols, STRIP_ROWS);
    return st;
}

static ml_status dense_left(Ctx *ctx, Factor d, Factor s, double *out)
{
    DenseLeft t = {.rows = factor_rows(d), .inner = factor_cols(d), .out = out};
    Matrix *cells = NULL, *rows = NULL;
    ml_status st;

    TRY(cells_finite(ctx, d.m->values, matrix_cells(d.m), &t.finite));
    TRY_TO(done, st = dense_rows(ctx, d, &cells));
    if (!t.finite)
        TRY_TO(done, st = csr_rows(ctx, s, &rows));
    t.d = cells->values;
    t.s = rows ? rows : s.m;
    t.s_t = s.t && !rows;
    st = task_for(ctx, (t.rows + STRIP_ROWS - 1) / STRIP_ROWS, 1, dense_left_strips, &t);
done:
    matrix_release(cells);
    matrix_release(rows);
    return st;
}

/* t(c), of few rows, from c = t(s) t(d). */
static ml_status few_rows(Ctx *ctx, Factor d, Factor s, double *out)
{
    const int64_t m = factor_rows(d), n = factor_cols(s);
    double *flat = out;
    ml_status st;

    if (m > 1)
        TRY(partials_new(ctx, m, n, &flat));
    st = csr_times(ctx, (Factor){s.m, !s.t}, (Factor){d.m, !d.t}, flat);
    if (m == 1)
        return st;
    if (st == ML_OK)
        dense_ops(ctx)->transpose(flat, m, n, m, out, n);
    partials_free(ctx, flat, m, n);
    return st;
}

/* ---- the product ---- */

/* Both CSR.  Where one has cells that are not finite, the left one becomes dense, whose zeros
 * count. */
static ml_status both_sparse(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    Matrix *left = NULL, *right = NULL;
    bool finite_a, finite_b;
    ml_status st;

    TRY(matrix_finite(ctx, a.m, &finite_a));
    TRY(matrix_finite(ctx, b.m, &finite_b));
    if (!finite_a || !finite_b) {
        TRY(matrix_doubles(ctx, a.m, &left));
        st = product_sparse(ctx, (Factor){left, a.t}, b, out);
        goto done;
    }
    TRY_TO(done, st = csr_rows(ctx, a, &left));
    TRY_TO(done, st = csr_rows(ctx, b, &right));
    st = product_csr(ctx, left, right, out);
done:
    matrix_release(left);
    matrix_release(right);
    return st;
}

ml_status product_sparse(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    Matrix *c;
    ml_status st;

    if (a.m->format == MATRIX_CSR && b.m->format == MATRIX_CSR)
        return both_sparse(ctx, a, b, out);
    TRY(matrix_new_dense(ctx, factor_rows(a), factor_cols(b), &c));
    if (a.m->format == MATRIX_CSR)
        st = csr_times(ctx, a, b, c->values);
    else
        st = (factor_rows(a) < FEW_ROWS ? few_rows : dense_left)(ctx, a, b, c->values);
    if (st != ML_OK) {
        matrix_release(c);
        return st;
    }
    *out = c;
    return ML_OK;
}
