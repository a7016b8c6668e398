/* Linear algebra against its definitions: what the factors multiply to, and which matrices are
 * refused. */
#include "linear.h"

#include <math.h>

static const int64_t orders[] = {0, 1, 2, 3, 10, 32, 33, 70, 150};
enum { ORDERS = sizeof orders / sizeof *orders };

static Matrix *times(const Matrix *a, const Matrix *b)
{
    return plain_product(a, false, b, false);
}

static void release_all(Value *v, int n)
{
    for (int k = 0; k < n; k++)
        value_release(v[k]);
}

static Matrix *identity(int64_t n)
{
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), n, n, &m));
    for (int64_t i = 0; i < n; i++)
        m->values[i * n + i] = 1;
    return m;
}

/* Symmetric and positive definite. */
static Matrix *definite(int64_t n)
{
    Matrix *x = case_random(n + 5, n, 1, (uint64_t)n), *m = plain_product(x, true, x, false);

    matrix_release(x);
    return m;
}

/* ---- solve, inv, det ---- */

ML_TEST(solve_satisfies_its_equations)
{
    for (int k = 0; k < ORDERS; k++) {
        Matrix *a = case_random(orders[k], orders[k], 1, 1), *b = case_random(orders[k], 1, 1, 2);
        Matrix *x = CASE_RUN(solve, case_share(a), case_share(b)).m, *ax = times(a, x);

        assert_matrix_near(ax, b, 1e-9);
        matrix_release(ax);
        matrix_release(x);
        matrix_release(a);
        matrix_release(b);
    }
}

ML_TEST(solve_takes_several_right_sides)
{
    for (int64_t n = 20; n < 50; n += 20) {
        Matrix *a = case_random(n, n, 1, 3), *b = case_random(n, 4, 1, 4);
        Matrix *x = CASE_RUN(solve, case_share(a), case_share(b)).m, *ax = times(a, x);

        assert_matrix_near(ax, b, 1e-10);
        matrix_release(ax);
        matrix_release(x);
        matrix_release(a);
        matrix_release(b);
    }
}

ML_TEST(inv_times_the_matrix_is_the_identity)
{
    for (int k = 0; k < ORDERS; k++) {
        Matrix *a = case_random(orders[k], orders[k], 1, 5), *want = identity(orders[k]);
        Matrix *x = CASE_RUN(inv, case_share(a)).m, *ax = times(a, x);

        assert_matrix_near(ax, want, 1e-9);
        matrix_release(ax);
        matrix_release(x);
        matrix_release(a);
        matrix_release(want);
    }
}

/* Two equal columns of whole numbers make an exact zero pivot; rounding in QR hides it, zeros do
 * not. */
ML_TEST(singular_matrices_are_refused_only_when_qr_sees_it)
{
    Value x;

    CASE_FAILS(inv, ML_EVALUE, value_matrix(case_matrix(2, 2, "0 0 0 0")));
    assert_string_equal(test_error(),
                        "inv: matrix is singular, column 1 of A depends on those before it");
    CASE_FAILS(solve, ML_EVALUE, value_matrix(case_matrix(2, 2, "0 0 0 0")),
               value_matrix(case_matrix(2, 1, "1 1")));
    x = CASE_RUN(inv, value_matrix(case_matrix(2, 2, "1 2 2 4")));
    assert_true(fabs(cell(x.m, 0, 0)) > 1e14);
    value_release(x);
    x = CASE_RUN(solve, value_matrix(case_matrix(2, 2, "1 2 2 4")),
                 value_matrix(case_matrix(2, 1, "1 2")));
    assert_cells(x, 2, 1, "0 0.5", 0);
}

ML_TEST(a_large_matrix_with_a_zero_column_is_refused)
{
    Matrix *a = case_random(60, 60, 1, 6);

    for (int64_t i = 0; i < 60; i++)
        a->values[i * 60 + 17] = 0;
    CASE_FAILS(inv, ML_EVALUE, case_share(a));
    assert_string_equal(test_error(),
                        "inv: matrix is singular, column 18 of A depends on those before it");
    assert_true(CASE_NUMBER(det, value_matrix(a)) == 0);
}

ML_TEST(solve_checks_shapes)
{
    CASE_FAILS(solve, ML_ESHAPE, value_matrix(case_matrix(2, 1, "1 2")),
               value_matrix(case_matrix(2, 1, "1 2")));
    assert_string_equal(test_error(), "solve: A should be square, found 2x1");
    CASE_FAILS(solve, ML_ESHAPE, value_matrix(case_matrix(1, 1, "1")),
               value_matrix(case_matrix(2, 1, "1 2")));
    assert_string_equal(test_error(), "A is 1x1, b is 2x1: solve needs as many rows in b as in A");
}

ML_TEST(det_has_the_digits_of_the_textbook)
{
    assert_true(CASE_NUMBER(det, value_matrix(case_matrix(2, 2, "1 2 3 4"))) == -2);
    assert_true(CASE_NUMBER(det, value_matrix(case_matrix(
                                     3, 3, "4 12 -16 12 37 -43 -16 -43 98"))) == 36.00000000000008);
    assert_true(CASE_NUMBER(det, value_matrix(case_matrix(3, 3, "1 2 3 4 5 6 7 8 10"))) ==
                -2.9999999999999982);
    assert_true(CASE_NUMBER(det, value_matrix(case_matrix(0, 0, ""))) == 1);
    assert_true(CASE_NUMBER(det, value_matrix(case_matrix(2, 2, "1 2 2 4"))) == 0);
    assert_true(isnan(CASE_NUMBER(det, value_matrix(case_matrix(2, 2, "1 NaN 2 4")))));
}

/* det(c A) = c^n det(A), on both sides of the border between the plain form and LAPACK. */
ML_TEST(det_scales_with_the_order)
{
    for (int64_t n = 31; n < 35; n++) {
        Matrix *a = case_random(n, n, 1, 7), *b = case_random(n, n, 1, 7);

        for (int64_t i = 0; i < n * n; i++)
            b->values[i] *= -1;
        assert_close(CASE_NUMBER(det, value_matrix(b)),
                     (n % 2 ? -1 : 1) * CASE_NUMBER(det, value_matrix(a)), 1e-10);
    }
}

ML_TEST(trace_is_the_sum_of_the_diagonal)
{
    Matrix *m = case_random(60, 60, 0.1, 8);
    double sum = 0;

    for (int64_t i = 0; i < 60; i++)
        sum += cell(m, i, i);
    assert_true(CASE_NUMBER(trace, value_matrix(case_csr(m))) == sum);
    matrix_release(m);
    assert_true(CASE_NUMBER(trace, value_matrix(case_matrix(0, 0, ""))) == 0);
    CASE_FAILS(trace, ML_ESHAPE, value_matrix(case_matrix(1, 2, "1 2")));
}

/* ---- factors ---- */

static void run_factors(OpCode op, KernelFn kernel, Matrix *a, int n, Value *out)
{
    Value in = value_matrix(a);

    assert_ok(call_values(op, kernel, 1, &in, n, out));
}

ML_TEST(lu_multiplies_to_the_permuted_matrix)
{
    for (int k = 0; k < ORDERS; k++) {
        Matrix *a = case_random(orders[k], orders[k], 1, 9), *pa, *lu;
        Value f[3];

        run_factors(OP_lu, ml_k_lu, a, 3, f);
        pa = times(f[0].m, a);
        lu = times(f[1].m, f[2].m);
        assert_matrix_near(lu, pa, 1e-11);
        for (int64_t i = 0; i < a->rows; i++)
            for (int64_t j = i; j < a->rows; j++)
                assert_true(cell(f[1].m, i, j) == (i == j) && (i == j || cell(f[2].m, j, i) == 0));
        matrix_release(pa);
        matrix_release(lu);
        matrix_release(a);
        release_all(f, 3);
    }
}

ML_TEST(cholesky_multiplies_to_the_matrix)
{
    for (int k = 0; k < ORDERS; k++) {
        Matrix *a = definite(orders[k]), *l = CASE_RUN(cholesky, case_share(a)).m;
        Matrix *ll = plain_product(l, false, l, true);

        assert_matrix_near(ll, a, 1e-10);
        for (int64_t i = 0; i < a->rows; i++)
            for (int64_t j = i + 1; j < a->rows; j++)
                assert_true(cell(l, i, j) == 0);
        matrix_release(ll);
        matrix_release(l);
        matrix_release(a);
    }
}

ML_TEST(cholesky_names_what_is_wrong)
{
    Matrix *a = definite(50);

    CASE_FAILS(cholesky, ML_EVALUE, value_matrix(case_matrix(2, 2, "1 2 2 1")));
    assert_string_equal(
        test_error(),
        "cholesky: A should be positive definite, its leading 2x2 part (row 2) is not");
    CASE_FAILS(cholesky, ML_EVALUE, value_matrix(case_matrix(2, 2, "1 1 1 1")));
    CASE_FAILS(cholesky, ML_EVALUE, value_matrix(case_matrix(2, 2, "1 2 3 4")));
    assert_string_equal(test_error(), "cholesky: A should be symmetric, [1,2] is 2, [2,1] is 3");
    CASE_FAILS(cholesky, ML_EVALUE, value_matrix(case_matrix(2, 2, "1 0 0 NaN")));
    assert_string_equal(test_error(), "cholesky: the cells of A should be finite, [2,2] is NaN");
    a->values[40 * 50 + 40] = -1;
    CASE_FAILS(cholesky, ML_EVALUE, value_matrix(a));
    assert_string_equal(
        test_error(),
        "cholesky: A should be positive definite, its leading 41x41 part (row 41) is not");
}

/* H1 H2 ... R, the reflections applied from the last to the first. */
static Matrix *unreflect(const Matrix *h, const Matrix *r)
{
    const int64_t m = h->rows, n = h->cols;
    Matrix *x;

    assert_ok(matrix_new_dense(test_ctx(), m, n, &x));
    for (int64_t i = 0; i < m * n; i++)
        x->values[i] = cell(r, i / n, i % n);
    for (int64_t k = (m < n ? m : n) - 1; k >= 0; k--)
        for (int64_t j = 0; j < n; j++) {
            double dot = 0;

            for (int64_t i = k; i < m; i++)
                dot += cell(h, i, k) * x->values[i * n + j];
            for (int64_t i = k; i < m && dot != 0; i++)
                x->values[i * n + j] -= cell(h, i, k) * dot / cell(h, k, k);
        }
    return x;
}

static void check_qr(Matrix *a)
{
    Matrix *x;
    Value f[2];

    run_factors(OP_qr, ml_k_qr, a, 2, f);
    x = unreflect(f[0].m, f[1].m);
    x->nnz = matrix_count_nnz(x->values, matrix_cells(x));
    assert_matrix_near(x, a, 1e-11);
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t j = 0; j < i && j < a->cols; j++)
            assert_true(cell(f[1].m, i, j) == 0);
    matrix_release(x);
    matrix_release(a);
    release_all(f, 2);
}

ML_TEST(qr_reflects_back_to_the_matrix)
{
    for (int k = 0; k < ORDERS; k++) {
        check_qr(case_random(orders[k], orders[k], 1, 10));
        check_qr(case_random(orders[k] + 7, orders[k], 1, 11));
        check_qr(case_random(orders[k], orders[k] + 7, 1, 12));
        check_qr(case_random(orders[k], orders[k], 0.05, 13));
    }
    check_qr(identity(40));
    check_qr(case_matrix(2, 2, "1e200 0 0 1e200"));
    check_qr(case_matrix(3, 2, "0 0 0 4 5 6"));
}

ML_TEST(qr_has_the_signs_of_householder)
{
    Matrix *a = case_matrix(2, 2, "1 2 3 4");
    Value f[2];

    run_factors(OP_qr, ml_k_qr, a, 2, f);
    matrix_release(a);
    assert_cells(f[0], 2, 2, "1.3162277660168379 0 0.94868329805051377 2", 1e-14);
    assert_cells(f[1], 2, 2, "-3.1622776601683795 -4.4271887242357311 0 0.63245553203367577",
                 1e-13);
}

/* The plain form and LAPACK agree, signs included. */
ML_TEST(qr_of_larger_matrices_follows_the_same_signs)
{
    Matrix *a = identity(40);
    Value f[2];

    a->values[39 * 40 + 39] = -3;
    run_factors(OP_qr, ml_k_qr, a, 2, f);
    assert_true(cell(f[1].m, 0, 0) == -1 && cell(f[1].m, 39, 39) == 3 && cell(f[0].m, 5, 5) == 2);
    matrix_release(a);
    release_all(f, 2);
}

/* ---- eigenvalues ---- */

static void check_eigen(Matrix *a, double tol)
{
    Matrix *av;
    Value f[2];

    run_factors(OP_eigen, ml_k_eigen, a, 2, f);
    av = times(a, f[1].m);
    for (int64_t j = 0; j < a->rows; j++) {
        double length = 0;

        assert_true(j == 0 || cell(f[0].m, j, 0) >= cell(f[0].m, j - 1, 0));
        for (int64_t i = 0; i < a->rows; i++) {
            assert_true(fabs(cell(av, i, j) - cell(f[0].m, j, 0) * cell(f[1].m, i, j)) <= tol);
            length += cell(f[1].m, i, j) * cell(f[1].m, i, j);
        }
        assert_close(length, 1, 1e-12);
    }
    matrix_release(av);
    matrix_release(a);
    release_all(f, 2);
}

ML_TEST(eigenvectors_are_scaled_by_their_eigenvalues)
{
    for (int k = 0; k < ORDERS; k++)
        check_eigen(definite(orders[k]), 1e-9);
    check_eigen(identity(5), 0);
    check_eigen(case_matrix(2, 2, "0 0 0 0"), 0);
    check_eigen(case_matrix(3, 3, "4 0 0 0 -3 0 0 0 5"), 0);
    check_eigen(case_matrix(2, 2, "4 1 2 3"), 1e-13);
    check_eigen(case_matrix(2, 2, "1 1e-30 1e-30 1"), 1e-13);
}

ML_TEST(eigen_refuses_complex_eigenvalues_and_nan)
{
    CASE_FAILS(eigen, ML_EVALUE, value_matrix(case_matrix(2, 2, "0 1 -1 0")));
    assert_string_equal(test_error(), "eigen: A should have real eigenvalues, found 0+1i");
    CASE_FAILS(eigen, ML_EVALUE, value_matrix(case_matrix(2, 2, "0 Infinity 1 0")));
    assert_string_equal(test_error(), "eigen: the cells of A should be finite, [1,2] is infinite");
}

/* ---- singular values ---- */

static void check_svd(Matrix *a)
{
    Matrix *us, *usv, *uu, *vv, *one;
    Value f[3];

    run_factors(OP_svd, ml_k_svd, a, 3, f);
    us = times(f[0].m, f[1].m);
    usv = plain_product(us, false, f[2].m, true);
    assert_matrix_near(usv, a, 1e-11);
    uu = plain_product(f[0].m, true, f[0].m, false);
    vv = plain_product(f[2].m, true, f[2].m, false);
    one = identity(uu->rows);
    assert_matrix_near(uu, one, 1e-12);
    assert_matrix_near(vv, one, 1e-12);
    for (int64_t i = 0; i < one->rows; i++)
        assert_true(cell(f[1].m, i, i) >= 0 &&
                    (i == 0 || cell(f[1].m, i, i) <= cell(f[1].m, i - 1, i - 1)));
    matrix_release(us);
    matrix_release(usv);
    matrix_release(uu);
    matrix_release(vv);
    matrix_release(one);
    matrix_release(a);
    release_all(f, 3);
}

ML_TEST(svd_multiplies_to_the_matrix)
{
    for (int k = 0; k < ORDERS; k++) {
        check_svd(case_random(orders[k], orders[k], 1, 14));
        check_svd(case_random(orders[k] + 9, orders[k], 1, 15));
        check_svd(case_random(orders[k], orders[k] + 9, 1, 16));
        check_svd(case_random(orders[k], orders[k], 0.1, 17));
    }
    check_svd(case_matrix(2, 2, "0 0 0 0"));
    check_svd(case_matrix(3, 3, "1 2 3 2 4 6 3 6 9"));
    check_svd(case_matrix(4, 4, "0 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0"));
}

ML_TEST(svd_has_the_signs_of_golub_and_reinsch)
{
    Matrix *a = case_matrix(2, 2, "3 0 0 2");
    Value f[3];

    run_factors(OP_svd, ml_k_svd, a, 3, f);
    matrix_release(a);
    assert_cells(f[0], 2, 2, "-1 0 0 1", 0);
    assert_cells(f[1], 2, 2, "3 0 0 2", 0);
    assert_cells(f[2], 2, 2, "-1 0 0 1", 0);
    a = case_matrix(3, 2, "1 2 3 4 5 6");
    run_factors(OP_svd, ml_k_svd, a, 3, f);
    matrix_release(a);
    assert_cells(f[0], 3, 2, "0.22984770 -0.88346102 0.52474482 -0.24078249 0.81964194 0.40189603",
                 1e-7);
    value_release(f[1]);
    assert_cells(f[2], 2, 2, "0.61962948 0.78489445 0.78489445 -0.61962948", 1e-7);
    CASE_FAILS(svd, ML_EVALUE, value_matrix(case_matrix(1, 1, "NaN")));
}

/* The largest cell of each column is positive. */
static void assert_signs(const Matrix *m)
{
    for (int64_t j = 0; j < m->cols; j++) {
        double most = 0;

        for (int64_t i = 0; i < m->rows; i++)
            most = fabs(cell(m, i, j)) > fabs(most) ? cell(m, i, j) : most;
        assert_true(most > 0);
    }
}

ML_TEST(the_largest_cell_of_eigenvectors_is_positive)
{
    static const int64_t sizes[] = {1, 3, 20, 33, 50};
    Value f[2];

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        Matrix *x = case_random(sizes[k], sizes[k], 1, k), *a = plain_product(x, true, x, false);

        run_factors(OP_eigen, ml_k_eigen, a, 2, f);
        assert_signs(f[1].m);
        matrix_release(x);
        matrix_release(a);
        release_all(f, 2);
    }
}

ML_TEST(the_first_of_equally_large_cells_of_an_eigenvector_is_positive)
{
    Matrix *a = case_matrix(3, 3, "4 1 0 1 3 1 0 1 2");
    Value f[2];

    run_factors(OP_eigen, ml_k_eigen, a, 2, f);
    matrix_release(a);
    value_release(f[0]);
    assert_cells(f[1], 3, 3,
                 "0.21132487 0.57735027 0.78867513 -0.57735027 -0.57735027 0.57735027 "
                 "0.78867513 -0.57735027 0.21132487",
                 1e-7);
}

ML_TEST(the_largest_cell_of_left_singular_vectors_is_positive_above_32)
{
    static const int64_t shapes[][2] = {{33, 33}, {60, 40}, {40, 60}};
    Value f[3];

    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        Matrix *a = case_random(shapes[k][0], shapes[k][1], 1, k);

        run_factors(OP_svd, ml_k_svd, a, 3, f);
        assert_signs(f[0].m);
        matrix_release(a);
        release_all(f, 3);
    }
}

/* ---- square roots ---- */

static void check_root(Matrix *a, double tolerance)
{
    Matrix *x = CASE_RUN(sqrtMatrixJava, case_share(a)).m, *xx = times(x, x);

    assert_matrix_near(xx, a, tolerance);
    matrix_release(x);
    matrix_release(xx);
    matrix_release(a);
}

ML_TEST(the_square_of_a_matrix_root_is_the_matrix)
{
    for (int k = 0; k < ORDERS; k++) {
        Matrix *shifted = case_random(orders[k], orders[k], 1, 31);

        for (int64_t i = 0; i < orders[k]; i++)
            shifted->values[i * orders[k] + i] += 3 * (double)orders[k];
        check_root(shifted, 1e-9);
        check_root(definite(orders[k]), 1e-9);
    }
}

/* Positive, complex, defective, zero eigenvalues; those of the root lie on the right. */
ML_TEST(matrix_roots_are_the_principal_ones)
{
    assert_cells(CASE_RUN(sqrtMatrixJava, value_matrix(case_matrix(2, 2, "5 4 4 5"))), 2, 2,
                 "2 1 1 2", 1e-14);
    assert_cells(CASE_RUN(sqrtMatrixJava, value_matrix(case_matrix(2, 2, "4 0 0 9"))), 2, 2,
                 "2 0 0 3", 0);
    assert_cells(CASE_RUN(sqrtMatrixJava, value_matrix(case_matrix(2, 2, "0 -4 4 0"))), 2, 2,
                 "1.4142135623730951 -1.4142135623730951 1.4142135623730951 1.4142135623730951",
                 1e-14);
    assert_cells(CASE_RUN(sqrtMatrixJava, value_matrix(case_matrix(2, 2, "4 4 0 4"))), 2, 2,
                 "2 1 0 2", 1e-7);
    assert_cells(CASE_RUN(sqrtMatrixJava, value_matrix(case_matrix(2, 2, "1 1 1 1"))), 2, 2,
                 "0.70710678118654752 0.70710678118654752 0.70710678118654752 "
                 "0.70710678118654752",
                 1e-14);
    assert_cells(CASE_RUN(sqrtMatrixJava, value_matrix(case_matrix(2, 2, "0 0 0 0"))), 2, 2,
                 "0 0 0 0", 0);
}

ML_TEST(matrices_without_a_real_root_are_refused)
{
    CASE_FAILS(sqrtMatrixJava, ML_EVALUE, value_matrix(case_matrix(2, 2, "-4 0 0 9")));
    assert_string_equal(test_error(), "sqrtMatrixJava: A has no principal square root of real "
                                      "cells, one of its eigenvalues is negative");
    CASE_FAILS(sqrtMatrixJava, ML_EVALUE, value_matrix(case_matrix(2, 2, "1 2 3 4")));
    CASE_FAILS(sqrtMatrixJava, ML_EVALUE, value_matrix(case_matrix(2, 2, "0 1 0 0")));
    CASE_FAILS(sqrtMatrixJava, ML_EVALUE, value_matrix(case_matrix(2, 2, "1 NaN NaN 1")));
    CASE_FAILS(sqrtMatrixJava, ML_ESHAPE, value_matrix(case_matrix(1, 2, "1 2")));
    assert_string_equal(test_error(), "sqrtMatrixJava: A should be square, found 1x2");
}
