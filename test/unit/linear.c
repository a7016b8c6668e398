#include "linear.h"

#include <math.h>

Matrix *in_format(Matrix *m, MatrixFormat format)
{
    Matrix *out = m;

    if (format == MATRIX_CSR)
        assert_ok(matrix_csr(test_ctx(), m, &out));
    else
        assert_ok(matrix_dense(test_ctx(), m, &out));
    matrix_release(m);
    return out;
}

ml_status call_values(OpCode op, KernelFn k, int nin, Value *in, int nout, Value *out)
{
    OpCall call = {.op = &op_table[op], .nin = nin, .nout = nout, .in = in, .out = out};

    for (int r = 0; r < nout; r++)
        out[r] = value_none();
    return k(test_ctx(), &call);
}

Matrix *call_matrices(OpCode op, KernelFn k, int nin, Matrix **in)
{
    Value values[4], out;

    for (int i = 0; i < nin; i++)
        values[i] = value_matrix(in[i]);
    assert_ok(call_values(op, k, nin, values, 1, &out));
    assert_int_equal(out.dt, DT_MATRIX);
    return out.m;
}

double cell(const Matrix *m, int64_t i, int64_t j)
{
    return matrix_get(m, i, j);
}

void assert_exact_nnz(const Matrix *m)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++)
            nnz += cell(m, i, j) != 0;
    assert_int_equal(m->nnz, nnz);
    if (m->format == MATRIX_CSR)
        assert_int_equal(m->row_ptr[m->rows], nnz);
}

static bool near(double a, double b, double tol)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= tol;
}

void assert_matrix_near(const Matrix *got, const Matrix *want, double tol)
{
    assert_int_equal(got->rows, want->rows);
    assert_int_equal(got->cols, want->cols);
    for (int64_t i = 0; i < got->rows; i++)
        for (int64_t j = 0; j < got->cols; j++)
            if (!near(cell(got, i, j), cell(want, i, j), tol))
                fail_msg("cell [%d,%d] of %dx%d: %.17g, expected %.17g", (int)i, (int)j,
                         (int)got->rows, (int)got->cols, cell(got, i, j), cell(want, i, j));
    assert_exact_nnz(got);
}

void assert_matrix_same(const Matrix *got, const Matrix *want)
{
    assert_int_equal(got->rows, want->rows);
    assert_int_equal(got->cols, want->cols);
    assert_int_equal(got->nnz, want->nnz);
    for (int64_t i = 0; i < got->rows; i++)
        for (int64_t j = 0; j < got->cols; j++) {
            const double a = cell(got, i, j), b = cell(want, i, j);

            assert_memory_equal(&a, &b, sizeof a);
        }
}

Matrix *plain_product(const Matrix *a, bool ta, const Matrix *b, bool tb)
{
    const int64_t m = ta ? a->cols : a->rows, k = ta ? a->rows : a->cols,
                  n = tb ? b->rows : b->cols;
    Matrix *c;

    assert_ok(matrix_new_zero(test_ctx(), m, n, &c));
    for (int64_t i = 0; i < m; i++)
        for (int64_t p = 0; p < k; p++) {
            const double scale = ta ? cell(a, p, i) : cell(a, i, p);

            for (int64_t j = 0; j < n; j++)
                c->values[i * n + j] += scale * (tb ? cell(b, j, p) : cell(b, p, j));
        }
    c->nnz = matrix_count_nnz(c->values, m * n);
    return c;
}
