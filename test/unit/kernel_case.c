/* See kernel_case.h. */
#include "kernel_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Matrix *case_matrix(int64_t rows, int64_t cols, const char *cells)
{
    Matrix *m = NULL;
    char *at = (char *)(uintptr_t)cells;

    assert_ok(matrix_new_dense(test_ctx(), rows, cols, &m));
    for (int64_t k = 0; k < rows * cols; k++)
        m->values[k] = strtod(at, &at);
    m->nnz = matrix_count_nnz(m->values, rows * cols);
    return m;
}

/* splitmix64 */
uint64_t case_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double unit(uint64_t *state)
{
    return ((double)(case_bits(state) >> 11) + 0.5) * 0x1p-53;
}

Matrix *case_random(int64_t rows, int64_t cols, double density, uint64_t seed)
{
    Matrix *m = NULL;

    assert_ok(matrix_new_dense(test_ctx(), rows, cols, &m));
    for (int64_t k = 0; k < rows * cols; k++) {
        const double u = unit(&seed), a = unit(&seed), b = unit(&seed);

        m->values[k] = u < density ? sqrt(-2 * log(a)) * cos(6.283185307179586 * b) : 0;
    }
    m->nnz = matrix_count_nnz(m->values, rows * cols);
    return m;
}

Matrix *case_csr(const Matrix *m)
{
    Matrix *csr = NULL;
    int64_t k = 0;

    assert_ok(matrix_new_csr(test_ctx(), m->rows, m->cols, m->nnz, &csr));
    for (int64_t i = 0; i < m->rows; i++) {
        for (int64_t j = 0; j < m->cols; j++) {
            const double x = matrix_get(m, i, j);

            if (x == 0)
                continue;
            csr->values[k] = x;
            csr->col_idx[k++] = (uint32_t)j;
        }
        csr->row_ptr[i + 1] = k;
    }
    csr->nnz = k;
    return csr;
}

ml_status case_try(OpCode op, KernelFn kernel, const Value *in, int nin, Value *out)
{
    Value args[OP_ARGS + 16] = {0}, results[1 + OP_RESULTS] = {0};
    const int declared = op_nargs(&op_table[op]);
    OpCall call = {.op = &op_table[op], .nout = 1, .in = args, .out = results};
    ml_status st;

    memcpy(args, in, (size_t)nin * sizeof *in);
    call.nin = nin > declared ? nin : declared;
    st = kernel(test_ctx(), &call);
    for (int k = 0; k < nin; k++)
        value_release(in[k]);
    *out = results[0];
    return st;
}

Value case_run(OpCode op, KernelFn kernel, const Value *in, int nin)
{
    Value out;

    assert_ok(case_try(op, kernel, in, nin, &out));
    return out;
}

void case_fails(OpCode op, KernelFn kernel, ml_status code, const Value *in, int nin)
{
    Value out;

    assert_int_equal(case_try(op, kernel, in, nin, &out), code);
    assert_true(test_error()[0] != '\0');
}

double case_number(Value v)
{
    assert_int_equal(v.dt, DT_SCALAR);
    return scalar_to_double(v);
}

Value case_text(const char *text)
{
    String *s = NULL;

    assert_ok(string_new(test_ctx(), text, strlen(text), &s));
    return value_string(s);
}

void assert_close(double found, double expected, double tolerance)
{
    if ((isnan(found) && isnan(expected)) || found == expected)
        return;
    if (!(fabs(found - expected) <= tolerance * fmax(fabs(expected), 1e-300)))
        fail_msg("found %.17g, expected %.17g", found, expected);
}

void assert_cells(Value v, int64_t rows, int64_t cols, const char *cells, double tolerance)
{
    char *at = (char *)(uintptr_t)cells;

    assert_int_equal(v.dt, DT_MATRIX);
    assert_int_equal(v.m->rows, rows);
    assert_int_equal(v.m->cols, cols);
    for (int64_t k = 0; k < rows * cols; k++)
        assert_close(matrix_get(v.m, k / cols, k % cols), strtod(at, &at), tolerance);
    value_release(v);
}

void assert_same_matrix(Value a, Value b)
{
    assert_int_equal(a.dt, DT_MATRIX);
    assert_int_equal(b.dt, DT_MATRIX);
    assert_int_equal(a.m->rows, b.m->rows);
    assert_int_equal(a.m->cols, b.m->cols);
    assert_int_equal(a.m->nnz, b.m->nnz);
    for (int64_t i = 0; i < a.m->rows; i++)
        for (int64_t j = 0; j < a.m->cols; j++)
            assert_close(matrix_get(a.m, i, j), matrix_get(b.m, i, j), 0);
    value_release(a);
    value_release(b);
}
