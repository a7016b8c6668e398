#include "nn_case.h"

#include <math.h>
#include <string.h>

Value nn_list(int count, const int64_t *sizes)
{
    List *l;

    assert_ok(list_new(test_ctx(), count, false, &l));
    for (int i = 0; i < count; i++)
        l->items[i] = value_int(sizes[i]);
    return value_list(l);
}

static ml_status try(NnCall *c)
{
    return call_values(c->op, c->kernel, c->nin, c->in, c->nout, c->out);
}

void nn_run(NnCall *c)
{
    assert_ok(try(c));
    for (int r = 0; r < c->nout; r++) {
        assert_int_equal(c->out[r].dt, DT_MATRIX);
        assert_exact_nnz(c->out[r].m);
    }
}

void nn_fails(NnCall *c, ml_status code, const char *message)
{
    assert_int_equal(try(c), code);
    if (!strstr(test_error(), message))
        fail_msg("expected \"%s\" in \"%s\"", message, test_error());
    nn_drop(c);
}

void nn_drop(NnCall *c)
{
    for (int r = 0; r < c->nout; r++) {
        value_release(c->out[r]);
        c->out[r] = value_none();
    }
}

void nn_end(NnCall *c)
{
    nn_drop(c);
    for (int k = 0; k < c->nin; k++)
        value_release(c->in[k]);
}

double nn_dot(const Matrix *a, const Matrix *b)
{
    double sum = 0;

    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->cols, b->cols);
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t j = 0; j < a->cols; j++)
            sum += cell(a, i, j) * cell(b, i, j);
    return sum;
}

static Matrix *shifted(const Matrix *x, const Matrix *direction, double step)
{
    Matrix *m;

    assert_ok(matrix_new_dense(test_ctx(), x->rows, x->cols, &m));
    for (int64_t k = 0; k < matrix_cells(x); k++)
        m->values[k] = cell(x, k / x->cols, k % x->cols) + step * direction->values[k];
    m->nnz = matrix_count_nnz(m->values, matrix_cells(m));
    return m;
}

static double weighted(const NnCall *c, int k, Matrix *x, Matrix *const *weights)
{
    NnCall with = *c;
    double sum = 0;

    with.in[k] = value_matrix(x);
    nn_run(&with);
    for (int r = 0; r < c->nout; r++)
        if (weights[r])
            sum += nn_dot(with.out[r].m, weights[r]);
    nn_drop(&with);
    matrix_release(x);
    return sum;
}

void nn_check_gradient(NnCall *c, int k, const Matrix *grad, Matrix *const *weights)
{
    const Matrix *x = c->in[k].m;
    const double step = 1e-5;

    for (uint64_t seed = 1; seed <= 3; seed++) {
        Matrix *direction = case_random(x->rows, x->cols, 1, seed);
        const double up = weighted(c, k, shifted(x, direction, step), weights);
        const double down = weighted(c, k, shifted(x, direction, -step), weights);
        const double slope = (up - down) / (2 * step), expected = nn_dot(grad, direction);

        if (!(fabs(slope - expected) <= 1e-6 * (1 + fabs(expected) + fabs(up))))
            fail_msg("gradient by operand %d, seed %d: %.12g, differences give %.12g", k, (int)seed,
                     expected, slope);
        matrix_release(direction);
    }
}

void nn_check_threads(NnCall *c)
{
    NnCall eight = *c;

    test_threads(1);
    nn_run(c);
    test_threads(8);
    nn_run(&eight);
    for (int r = 0; r < c->nout; r++)
        assert_matrix_same(eight.out[r].m, c->out[r].m);
    nn_drop(&eight);
    nn_drop(c);
}

void nn_check_csr(NnCall *c)
{
    NnCall csr = *c;

    nn_run(c);
    for (int k = 0; k < c->nin; k++)
        if (c->in[k].dt == DT_MATRIX)
            csr.in[k] = value_matrix(case_csr(c->in[k].m));
    nn_run(&csr);
    for (int r = 0; r < c->nout; r++)
        assert_matrix_same(csr.out[r].m, c->out[r].m);
    for (int k = 0; k < c->nin; k++)
        if (c->in[k].dt == DT_MATRIX)
            value_release(csr.in[k]);
    nn_drop(&csr);
    nn_drop(c);
}
