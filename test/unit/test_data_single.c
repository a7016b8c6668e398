/* Matrices with cells in FP32: conversion, counting, formats, memory. */
#include "ml_test.h"

#include "data_help.h"

#include <float.h>
#include <math.h>
#include <string.h>

static Matrix *single_of(int64_t rows, int64_t cols, const double *cells)
{
    const Value v = matrix_value(rows, cols, cells);
    Matrix *m = NULL;

    assert_ok(matrix_as(test_ctx(), CELL_FP32, v.m, &m));
    assert_null(m->values);
    value_release(v);
    return m;
}

static Matrix *random_matrix(int64_t rows, int64_t cols, double density)
{
    uint64_t seed = 7;
    Value v = matrix_value(rows, cols, NULL);

    for (int64_t k = 0; k < rows * cols; k++)
        v.m->values[k] = random_cell(&seed, density);
    assert_ok(matrix_finish(test_ctx(), &v.m, -1));
    return v.m;
}

static void assert_rounded(const Matrix *single, const Matrix *m)
{
    assert_int_equal(single->format, m->format);
    assert_int_equal(single->nnz, m->nnz);
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++)
            assert_true(matrix_get(single, i, j) == (double)(float)matrix_get(m, i, j));
}

ML_TEST(single_cells_are_rounded_and_counted_as_stored)
{
    const double
        least = 0x1p-149,
        cells[] = {
            NAN,   INFINITY,  -INFINITY,   -0.0,    1.0 + 0x1p-30,           DBL_MAX, -1e300, least,
            1e-60, least / 2, least * 0.7, FLT_MAX, 0x1.fffffep127 + 0x1p103};
    const double wanted[] = {NAN,   INFINITY, -INFINITY, -0.0,  1,       INFINITY, -INFINITY,
                             least, 0,        0,         least, FLT_MAX, INFINITY};
    Matrix *m = single_of(13, 1, cells);

    for (int64_t k = 0; k < 13; k++) {
        const double got = matrix_get(m, k, 0);

        assert_true(isnan(wanted[k]) ? isnan(got) : got == wanted[k]);
        assert_true(isnan(got) || signbit(got) == signbit(wanted[k]));
    }
    assert_int_equal(m->nnz, 10);
    matrix_release(m);
}

ML_TEST(single_matrices_convert_in_every_format)
{
    static const double densities[] = {0, 0.05, 1};

    for (int d = 0; d < 3; d++) {
        Matrix *m = random_matrix(300, 70, densities[d]), *single = NULL, *other = NULL,
               *back = NULL;

        assert_ok(matrix_as(test_ctx(), CELL_FP32, m, &single));
        assert_rounded(single, m);
        assert_ok(m->format == MATRIX_CSR ? matrix_dense(test_ctx(), single, &other)
                                          : matrix_csr(test_ctx(), single, &other));
        assert_null(other->values);
        for (int64_t i = 0; i < m->rows; i++)
            for (int64_t j = 0; j < m->cols; j++)
                assert_true(matrix_get(single, i, j) == matrix_get(other, i, j));
        assert_ok(matrix_finish(test_ctx(), &other, -1));
        assert_rounded(other, m);
        assert_ok(matrix_as(test_ctx(), CELL_FP64, other, &back));
        assert_null(back->singles);
        assert_rounded(single, back);
        matrix_release(m);
        matrix_release(single);
        matrix_release(other);
        matrix_release(back);
    }
}

ML_TEST(a_sparse_matrix_drops_cells_that_vanish_in_single)
{
    Matrix *m = random_matrix(100, 40, 0.1), *single = NULL;
    const int64_t nnz = m->nnz;

    m->values[0] = 1e-200;
    m->values[nnz - 1] = -1e-200;
    assert_ok(matrix_as(test_ctx(), CELL_FP32, m, &single));
    assert_int_equal(single->nnz, nnz - 2);
    assert_int_equal(single->row_ptr[100], nnz - 2);
    for (int64_t i = 0; i < 100; i++)
        for (int64_t j = 0; j < 40; j++)
            assert_true(matrix_get(single, i, j) == (double)(float)matrix_get(m, i, j));
    matrix_release(m);
    matrix_release(single);
}

ML_TEST(a_constant_is_rounded_in_single)
{
    static const double values[] = {0.1, 0, 1, 1e-100, 1e100};
    Matrix *m = NULL, *single = NULL;

    for (int k = 0; k < 5; k++) {
        assert_ok(matrix_new_constant(test_ctx(), 3, 4, values[k], &m));
        assert_ok(matrix_as(test_ctx(), CELL_FP32, m, &single));
        assert_true(single->constant == (double)(float)values[k]);
        assert_int_equal(single->nnz, (float)values[k] != 0 ? 12 : 0);
        matrix_release(m);
        matrix_release(single);
    }
}

ML_TEST(single_cells_take_half_the_memory)
{
    Matrix *m = NULL, *single = NULL;

    assert_ok(matrix_new_dense(test_ctx(), 1000, 100, &m));
    assert_ok(matrix_like(test_ctx(), m, 10, 10, &single));
    assert_non_null(single->values);
    matrix_release(single);
    assert_ok(matrix_new_dense_of(test_ctx(), CELL_FP32, 1000, 100, &single));
    assert_int_equal(2 * single->bytes, m->bytes);
    matrix_release(m);
    matrix_release(single);
}
