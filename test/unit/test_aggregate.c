/* Aggregates against plain loops in long double, in all formats and with one and eight threads. */
#include "kernel_case.h"

#include <math.h>

typedef struct Aggregate {
    const char *name;
    OpCode full, row, col;
    KernelFn full_kernel, row_kernel, col_kernel;
} Aggregate;

#define AGGREGATE(full, Name)                                                                      \
    {                                                                                              \
#full, OP_##full, OP_row##Name, OP_col##Name, ml_k_##full, ml_k_row##Name, ml_k_col##Name  \
    }

static const Aggregate aggregates[] = {
    AGGREGATE(sum, Sums), AGGREGATE(mean, Means), AGGREGATE(prod, Prods),
    AGGREGATE(var, Vars), AGGREGATE(sd, Sds),
};
enum { NAGGREGATES = sizeof aggregates / sizeof *aggregates };

/* By definition, in long double: aggregate number k of cells x[0], x[step] ... */
static double plain(int k, const double *x, int64_t n, int64_t step)
{
    long double sum = 0, prod = 1, squares = 0, mean;

    for (int64_t i = 0; i < n; i++) {
        sum += x[i * step];
        prod *= x[i * step];
    }
    mean = sum / n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i * step] - mean) * (x[i * step] - mean);
    squares = n == 1 ? 0 : squares / (n - 1);
    return (double)(k == 0   ? sum
                    : k == 1 ? mean
                    : k == 2 ? prod
                    : k == 3 ? squares
                             : sqrtl(squares));
}

static void check_matrix(Matrix *dense, Matrix *m)
{
    const double tolerance = 1e-13;

    for (int k = 0; k < NAGGREGATES; k++) {
        const Aggregate *a = &aggregates[k];
        Value in = case_share(m), r;

        assert_close(case_number(case_run(a->full, a->full_kernel, &in, 1)),
                     plain(k, dense->values, dense->rows * dense->cols, 1), tolerance);
        in = case_share(m);
        r = case_run(a->row, a->row_kernel, &in, 1);
        for (int64_t i = 0; i < dense->rows; i++)
            assert_close(matrix_get(r.m, i, 0),
                         plain(k, dense->values + i * dense->cols, dense->cols, 1), tolerance);
        value_release(r);
        in = case_share(m);
        r = case_run(a->col, a->col_kernel, &in, 1);
        for (int64_t j = 0; j < dense->cols; j++)
            assert_close(matrix_get(r.m, 0, j),
                         plain(k, dense->values + j, dense->rows, dense->cols), tolerance);
        value_release(r);
    }
}

ML_TEST(aggregates_equal_their_definition_dense_and_sparse)
{
    static const int64_t shapes[][2] = {{1, 1},   {1, 9},    {9, 1},    {7, 3},   {130, 31},
                                        {65, 32}, {3, 1100}, {1000, 5}, {700, 77}};
    static const double densities[] = {0, 0.01, 0.1, 0.5, 1};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t d = 0; d < sizeof densities / sizeof *densities; d++) {
            Matrix *m = case_random(shapes[s][0], shapes[s][1], densities[d], 100 * s + d);
            Matrix *csr = case_csr(m);

            check_matrix(m, m);
            check_matrix(m, csr);
            matrix_release(m);
            matrix_release(csr);
        }
}

ML_TEST(extremes_of_sparse_matrices_see_the_zeros)
{
    Matrix *m = case_matrix(3, 4, "0 -1 0 -2  3 1 2 4  -1 -2 -3 -4"), *csr = case_csr(m);

    for (int sparse = 0; sparse < 2; sparse++) {
        Matrix *x = sparse ? csr : m;
        double least = 0, greatest = 0;

        assert_cells(CASE_RUN(rowMaxs, case_share(x)), 3, 1, "0 4 -1", 0);
        assert_cells(CASE_RUN(rowMins, case_share(x)), 3, 1, "-2 1 -4", 0);
        assert_cells(CASE_RUN(colMaxs, case_share(x)), 1, 4, "3 1 2 4", 0);
        assert_cells(CASE_RUN(colMins, case_share(x)), 1, 4, "-1 -2 -3 -4", 0);
        assert_cells(CASE_RUN(rowIndexMax, case_share(x)), 3, 1, "3 4 1", 0);
        assert_cells(CASE_RUN(rowIndexMin, case_share(x)), 3, 1, "4 2 4", 0);
        assert_ok(aggregate_min(test_ctx(), x, &least));
        assert_ok(aggregate_max(test_ctx(), x, &greatest));
        assert_close(least, -4, 0);
        assert_close(greatest, 4, 0);
    }
    matrix_release(m);
    matrix_release(csr);
}

ML_TEST(positions_of_extremes_ignore_nan_and_prefer_the_last)
{
    const char *cells = "NaN NaN NaN  1 NaN 0  NaN 2 1  2 1 NaN  -Infinity -Infinity NaN  0 -1 0";
    Matrix *m = case_matrix(6, 3, cells), *csr = case_csr(m);

    assert_cells(CASE_RUN(rowIndexMax, case_share(m)), 6, 1, "1 1 2 1 2 3", 0);
    assert_cells(CASE_RUN(rowIndexMax, case_share(csr)), 6, 1, "1 1 2 1 2 3", 0);
    assert_cells(CASE_RUN(rowIndexMin, case_share(m)), 6, 1, "1 3 3 2 2 2", 0);
    assert_cells(CASE_RUN(rowIndexMin, case_share(csr)), 6, 1, "1 3 3 2 2 2", 0);
    matrix_release(m);
    matrix_release(csr);
}

ML_TEST(nan_and_infinity_pass_through_aggregates)
{
    Matrix *m = case_matrix(2, 2, "1 NaN 3 4");
    Matrix *inf = case_matrix(1, 9, "1 2 3 4 5 6 7 8 Infinity");
    Matrix *both = case_matrix(1, 2, "Infinity -Infinity");
    double least = 0;

    assert_close(CASE_NUMBER(sum, case_share(m)), NAN, 0);
    assert_close(CASE_NUMBER(prod, case_share(m)), NAN, 0);
    assert_close(CASE_NUMBER(var, case_share(m)), NAN, 0);
    assert_ok(aggregate_min(test_ctx(), m, &least));
    assert_close(least, NAN, 0);
    assert_cells(CASE_RUN(colSums, case_share(m)), 1, 2, "4 NaN", 0);
    assert_cells(CASE_RUN(rowMaxs, case_share(m)), 2, 1, "NaN 4", 0);
    assert_cells(CASE_RUN(colMins, case_share(m)), 1, 2, "1 NaN", 0);
    assert_close(CASE_NUMBER(sum, case_share(inf)), INFINITY, 0);
    assert_close(CASE_NUMBER(mean, case_share(inf)), INFINITY, 0);
    assert_close(CASE_NUMBER(sum, case_share(both)), NAN, 0);
    matrix_release(m);
    matrix_release(inf);
    matrix_release(both);
}

ML_TEST(empty_matrices_aggregate_to_the_values_of_the_language)
{
    Matrix *m = case_matrix(0, 3, ""), *n = case_matrix(2, 0, "");
    double value = 0;

    assert_close(CASE_NUMBER(sum, case_share(m)), 0, 0);
    assert_close(CASE_NUMBER(prod, case_share(m)), 1, 0);
    assert_close(CASE_NUMBER(mean, case_share(n)), NAN, 0);
    assert_close(CASE_NUMBER(var, case_share(n)), NAN, 0);
    assert_ok(aggregate_min(test_ctx(), m, &value));
    assert_close(value, INFINITY, 0);
    assert_ok(aggregate_max(test_ctx(), m, &value));
    assert_close(value, -INFINITY, 0);
    assert_cells(CASE_RUN(colMeans, case_share(m)), 1, 3, "0 0 0", 0);
    assert_cells(CASE_RUN(colMaxs, case_share(m)), 1, 3, "0 0 0", 0);
    assert_cells(CASE_RUN(colVars, case_share(n)), 1, 0, "", 0);
    assert_cells(CASE_RUN(rowProds, case_share(n)), 2, 1, "0 0", 0);
    assert_cells(CASE_RUN(rowSums, case_share(m)), 0, 1, "", 0);
    assert_cells(CASE_RUN(rowIndexMax, case_share(n)), 2, 1, "0 0", 0);
    matrix_release(m);
    matrix_release(n);
}

ML_TEST(sums_and_variances_survive_cancellation)
{
    Matrix *m = case_matrix(5, 1, "1e16 1 1 1 -1e16"), *far = NULL;

    assert_close(CASE_NUMBER(sum, value_matrix(m)), 3, 0);
    far = case_random(20000, 2, 1, 7);
    for (int64_t k = 0; k < 40000; k++)
        far->values[k] = 1e9 + (double)(k % 3);
    assert_close(CASE_NUMBER(var, case_share(far)), 0.666674999375 * 40000 / 39999, 1e-14);
    value_release(value_matrix(far));
}

ML_TEST(products_of_finite_cells_with_a_zero_are_zero)
{
    assert_close(CASE_NUMBER(prod, value_matrix(case_matrix(1, 3, "1e300 1e300 0"))), 0, 0);
    assert_close(CASE_NUMBER(prod, value_matrix(case_matrix(1, 3, "Infinity 1 0"))), NAN, 0);
    assert_cells(CASE_RUN(colProds, value_matrix(case_matrix(3, 1, "1e300 1e300 0"))), 1, 1, "0",
                 0);
    assert_cells(CASE_RUN(rowProds, value_matrix(case_matrix(1, 3, "1e300 1e300 0"))), 1, 1, "0",
                 0);
}

ML_TEST(constant_matrices_aggregate_without_their_cells)
{
    Matrix *m = NULL;

    assert_ok(matrix_new_constant(test_ctx(), 1 << 20, 1 << 20, 0.1, &m));
    assert_close(CASE_NUMBER(sum, case_share(m)), 0.1 * 0x1p40, 0);
    assert_close(CASE_NUMBER(var, case_share(m)), 0, 0);
    matrix_release(m);
    assert_ok(matrix_new_constant(test_ctx(), 3, 2, 2, &m));
    assert_cells(CASE_RUN(rowProds, case_share(m)), 3, 1, "4 4 4", 0);
    assert_cells(CASE_RUN(colVars, case_share(m)), 1, 2, "0 0", 0);
    assert_cells(CASE_RUN(rowIndexMin, case_share(m)), 3, 1, "2 2 2", 0);
    matrix_release(m);
}

ML_TEST(weighted_mean_divides_by_the_weights)
{
    Matrix *v = case_matrix(3, 1, "1 2 3"), *w = case_matrix(3, 1, "1 1 2");

    assert_close(CASE_NUMBER(mean, case_share(v), value_matrix(w)), 2.25, 0);
    CASE_FAILS(mean, ML_ESHAPE, case_share(v), value_matrix(case_matrix(2, 1, "1 1")));
    matrix_release(v);
}

ML_TEST(aggregates_do_not_depend_on_threads_or_format_of_the_call)
{
    static const int64_t shapes[][2] = {
        {200000, 1}, {1, 200000}, {20000, 7}, {5000, 90}, {60, 3000}};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int sparse = 0; sparse < 2; sparse++) {
            Matrix *m = case_random(shapes[s][0], shapes[s][1], sparse ? 0.2 : 1, s), *x = m;

            if (sparse) {
                x = case_csr(m);
                matrix_release(m);
            }
            for (int k = 0; k < NAGGREGATES; k++) {
                const Aggregate *a = &aggregates[k];
                Value in[3] = {case_share(x), case_share(x), case_share(x)}, one[3], eight[3];

                test_threads(1);
                one[0] = case_run(a->full, a->full_kernel, &in[0], 1);
                one[1] = case_run(a->row, a->row_kernel, &in[1], 1);
                one[2] = case_run(a->col, a->col_kernel, &in[2], 1);
                test_threads(8);
                for (int r = 0; r < 3; r++)
                    in[r] = case_share(x);
                eight[0] = case_run(a->full, a->full_kernel, &in[0], 1);
                eight[1] = case_run(a->row, a->row_kernel, &in[1], 1);
                eight[2] = case_run(a->col, a->col_kernel, &in[2], 1);
                assert_close(case_number(one[0]), case_number(eight[0]), 0);
                assert_same_matrix(one[1], eight[1]);
                assert_same_matrix(one[2], eight[2]);
            }
            matrix_release(x);
        }
}

ML_TEST(range_is_the_least_and_the_greatest_cell)
{
    Matrix *m = case_random(50, 40, 0.1, 3);

    assert_same_matrix(CASE_RUN(range, case_share(m)), CASE_RUN(range, value_matrix(case_csr(m))));
    assert_cells(CASE_RUN(range, value_matrix(case_matrix(1, 3, "3 -1 2"))), 2, 1, "-1 3", 0);
    assert_cells(CASE_RUN(range, value_matrix(case_matrix(1, 2, "NaN 1"))), 2, 1, "NaN NaN", 0);
    assert_cells(CASE_RUN(range, value_matrix(case_matrix(0, 2, ""))), 2, 1, "Infinity -Infinity",
                 0);
    matrix_release(m);
}
