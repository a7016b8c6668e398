/* The forms of the matrix product: checks, and the way to the kernels for the formats at hand.
 *
 * Constants become dense, but for zeros, which become a CSR matrix without cells: so NaN and
 * infinities on the other side meet them by the one rule for zeros that CSR has. */
#include "kernel/matmult.h"

static ml_status concrete(Ctx *ctx, CellType type, Matrix *m, Matrix **out)
{
    if (m->format != MATRIX_CONSTANT) {
        *out = matrix_retain(m);
        return ML_OK;
    }
    return matrix_is_sparse(m->rows, m->cols, m->nnz) ? matrix_csr(ctx, m, out)
                                                      : matrix_dense_of(ctx, type, m, out);
}

/* A CSR factor stays as it is, a dense one beside it becomes FP64. */
static ml_status factor_of_sparse(Ctx *ctx, Matrix *m, Matrix **out)
{
    return matrix_as(ctx, m->format == MATRIX_CSR ? matrix_type(m) : CELL_FP64, m, out);
}

static ml_status product_concrete(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    if (a.m->format == MATRIX_DENSE && b.m->format == MATRIX_DENSE)
        return product_dense(ctx, a, b, out);

    Factor left = {NULL, a.t}, right = {NULL, b.t};
    ml_status st;

    TRY_TO(done, st = factor_of_sparse(ctx, a.m, &left.m));
    TRY_TO(done, st = factor_of_sparse(ctx, b.m, &right.m));
    st = product_sparse(ctx, left, right, out);
done:
    matrix_release(left.m);
    matrix_release(right.m);
    return st;
}

ml_status product(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    Factor left = {NULL, a.t}, right = {NULL, b.t};
    Matrix *c = NULL;
    ml_status st;

    if (factor_rows(a) == 0 || factor_cols(b) == 0 || factor_cols(a) == 0)
        return matrix_new_constant(ctx, factor_rows(a), factor_cols(b), 0, out);
    TRY_TO(done, st = concrete(ctx, matrix_type(b.m), a.m, &left.m));
    TRY_TO(done, st = concrete(ctx, matrix_type(a.m), b.m, &right.m));
    TRY_TO(done, st = product_concrete(ctx, left, right, &c));
    /* Large dense products count as they write; of CSR, zeros among the entries are to be found. */
    st = matrix_finish(ctx, &c, c->format == MATRIX_DENSE ? c->nnz : -1);
    if (st == ML_OK)
        *out = c;
    else
        matrix_release(c);
done:
    matrix_release(left.m);
    matrix_release(right.m);
    return st;
}

/* ---- the operators ---- */

static ml_status multiply(Ctx *ctx, OpCall *call, bool ta, bool tb)
{
    Factor a = {NULL, ta}, b = {NULL, tb};
    Matrix *out;

    TRY(call_matrix(ctx, call, 0, &a.m));
    TRY(call_matrix(ctx, call, 1, &b.m));
    if (factor_cols(a) != factor_rows(b))
        return call_shape_error(ctx, call, 0, 1,
                                ta ? "t(X) %*% Y needs equal numbers of rows"
                                : tb
                                    ? "X %*% t(Y) needs equal numbers of columns"
                                    : "%*% needs as many columns on the left as rows on the right");
    TRY(product(ctx, a, b, &out));
    call->out[0] = value_matrix(out);
    return ML_OK;
}

ml_status ml_k_matmult(Ctx *ctx, OpCall *call)
{
    return multiply(ctx, call, false, false);
}

ml_status ml_k_matmult_tn(Ctx *ctx, OpCall *call)
{
    return multiply(ctx, call, true, false);
}

ml_status ml_k_matmult_nt(Ctx *ctx, OpCall *call)
{
    return multiply(ctx, call, false, true);
}

static ml_status multiply_self(Ctx *ctx, OpCall *call, bool right)
{
    Matrix *m, *out;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(product_self(ctx, (Factor){m, !right}, &out));
    call->out[0] = value_matrix(out);
    return ML_OK;
}

ml_status ml_k_tsmm(Ctx *ctx, OpCall *call)
{
    return multiply_self(ctx, call, false);
}

ml_status ml_k_tsmm_right(Ctx *ctx, OpCall *call)
{
    return multiply_self(ctx, call, true);
}

/* ---- the chain t(X) %*% (w * (X %*% v)) ---- */

/* Operand k as dense FP64 cells of a column vector of that length. */
static ml_status column(Ctx *ctx, OpCall *call, int k, int64_t rows, const char *what, Matrix **out)
{
    Matrix *m;

    TRY(call_matrix(ctx, call, k, &m));
    if (m->cols != 1 || m->rows != rows)
        return call_shape_error(ctx, call, 0, k, what);
    return matrix_doubles(ctx, m, out);
}

static ml_status run_chain(Ctx *ctx, Matrix *x, const Matrix *v, const Matrix *w, double *out)
{
    NarrowSums s = {.x = x,
                    .rows = x->rows,
                    .cols = x->cols,
                    .v = v->values,
                    .w = w ? w->values : NULL,
                    .vectors = 1,
                    .out = out};

    return x->format == MATRIX_CSR ? csr_chain(ctx, x, v->values, s.w, out) : narrow_sums(ctx, &s);
}

static ml_status chain(Ctx *ctx, OpCall *call, bool weighted)
{
    Matrix *m, *x = NULL, *v = NULL, *w = NULL, *out = NULL;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY_TO(done, st = column(ctx, call, 1, m->cols,
                             "v should be a column, one cell for each column of X", &v));
    if (weighted)
        TRY_TO(done, st = column(ctx, call, 2, m->rows,
                                 "w should be a column, one cell for each row of X", &w));
    TRY_TO(done, st = concrete(ctx, CELL_FP64, m, &x));
    TRY_TO(done, st = matrix_new_zero(ctx, m->cols, 1, &out));
    if (matrix_cells(m) > 0)
        st = run_chain(ctx, x, v, w, out->values);
    if (st == ML_OK) {
        st = result_matrix(ctx, call, 0, out, -1);
        out = NULL;
    }
done:
    matrix_release(x);
    matrix_release(v);
    matrix_release(w);
    matrix_release(out);
    return st;
}

ml_status ml_k_mmchain(Ctx *ctx, OpCall *call)
{
    return chain(ctx, call, false);
}

ml_status ml_k_mmchain_w(Ctx *ctx, OpCall *call)
{
    return chain(ctx, call, true);
}
