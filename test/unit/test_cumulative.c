/* Running aggregates against the plain recurrence. */
#include "kernel_case.h"

#include <math.h>

typedef struct Running {
    OpCode op;
    KernelFn kernel;
    double start;
} Running;

static const Running runnings[] = {{OP_cumsum, ml_k_cumsum, 0},
                                   {OP_cumprod, ml_k_cumprod, 1},
                                   {OP_cummin, ml_k_cummin, INFINITY},
                                   {OP_cummax, ml_k_cummax, -INFINITY}};

static long double plain_step(size_t k, long double a, double x)
{
    return k == 0 ? a + x : k == 1 ? a * x : k == 2 ? (x < a ? x : a) : (x > a ? x : a);
}

static void check_columns(Matrix *dense, Matrix *m, size_t k)
{
    Value in = case_share(m), r = case_run(runnings[k].op, runnings[k].kernel, &in, 1);

    assert_int_equal(r.m->rows, dense->rows);
    assert_int_equal(r.m->cols, dense->cols);
    for (int64_t j = 0; j < dense->cols; j++) {
        long double a = runnings[k].start;

        for (int64_t i = 0; i < dense->rows; i++) {
            a = plain_step(k, a, dense->values[i * dense->cols + j]);
            if (k == 1 && (fabsl(a) > 1e300L || fabsl(a) < 1e-300L))
                break;
            assert_true(fabsl((long double)matrix_get(r.m, i, j) - a) <= 1e-12L * (1 + fabsl(a)));
        }
    }
    value_release(r);
}

ML_TEST(running_aggregates_follow_their_recurrence)
{
    static const int64_t shapes[][2] = {{1, 1}, {5, 3}, {150000, 1}, {3000, 40}, {200, 1500}};
    static const double densities[] = {0, 0.1, 1};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t d = 0; d < 3; d++) {
            Matrix *m = case_random(shapes[s][0], shapes[s][1], densities[d], s), *csr = NULL;

            csr = case_csr(m);
            for (size_t k = 0; k < 4; k++) {
                check_columns(m, m, k);
                check_columns(m, csr, k);
            }
            matrix_release(m);
            matrix_release(csr);
        }
}

ML_TEST(running_aggregates_are_the_same_on_one_and_eight_threads)
{
    Matrix *m = case_random(300000, 2, 1, 3);

    for (size_t k = 0; k < 4; k++) {
        Value in = case_share(m), one, eight;

        test_threads(1);
        one = case_run(runnings[k].op, runnings[k].kernel, &in, 1);
        test_threads(8);
        in = case_share(m);
        eight = case_run(runnings[k].op, runnings[k].kernel, &in, 1);
        assert_same_matrix(one, eight);
    }
    matrix_release(m);
}

ML_TEST(nan_stays_in_running_aggregates)
{
    Matrix *m = case_matrix(4, 2, "3 1 NaN 2 1 5 -1 7");

    assert_cells(CASE_RUN(cumsum, case_share(m)), 4, 2, "3 1 NaN 3 NaN 8 NaN 15", 0);
    assert_cells(CASE_RUN(cumprod, case_share(m)), 4, 2, "3 1 NaN 2 NaN 10 NaN 70", 0);
    assert_cells(CASE_RUN(cummin, case_share(m)), 4, 2, "3 1 NaN 1 NaN 1 NaN 1", 0);
    assert_cells(CASE_RUN(cummax, case_share(m)), 4, 2, "3 1 NaN 2 NaN 5 NaN 7", 0);
    assert_cells(CASE_RUN(rowcumsum, case_share(m)), 4, 2, "3 4 NaN NaN 1 6 -1 6", 0);
    matrix_release(m);
    assert_cells(CASE_RUN(cumsum, value_matrix(case_matrix(3, 1, "1 Infinity 2"))), 3, 1,
                 "1 Infinity Infinity", 0);
}

ML_TEST(running_sums_along_rows_equal_those_down_the_transpose)
{
    Matrix *row = case_random(1, 200000, 1, 5), *column = NULL;
    Value a, b;

    assert_ok(matrix_new_dense(test_ctx(), 200000, 1, &column));
    for (int64_t k = 0; k < 200000; k++)
        column->values[k] = row->values[k];
    column->nnz = row->nnz;
    a = CASE_RUN(rowcumsum, value_matrix(row));
    b = CASE_RUN(cumsum, value_matrix(column));
    for (int64_t k = 0; k < 200000; k++)
        assert_close(a.m->values[k], b.m->values[k], 0);
    value_release(a);
    value_release(b);
}

ML_TEST(running_aggregates_keep_empty_shapes)
{
    assert_cells(CASE_RUN(cumsum, value_matrix(case_matrix(0, 3, ""))), 0, 3, "", 0);
    assert_cells(CASE_RUN(rowcumsum, value_matrix(case_matrix(3, 0, ""))), 3, 0, "", 0);
    assert_cells(CASE_RUN(cumsumprod, value_matrix(case_matrix(0, 2, ""))), 0, 1, "", 0);
}

ML_TEST(cumsumprod_is_a_linear_recurrence_of_two_columns)
{
    assert_cells(CASE_RUN(cumsumprod, value_matrix(case_matrix(3, 2, "1 2 3 4 5 6"))), 3, 1,
                 "1 7 47", 0);
    CASE_FAILS(cumsumprod, ML_ESHAPE, value_matrix(case_matrix(3, 1, "1 2 3")));
}

ML_TEST(running_sum_overwrites_an_operand_that_nobody_else_uses)
{
    Matrix *m = case_matrix(3, 1, "1 2 3");
    double *cells = m->values;
    Value in = value_matrix(m), out = value_none();
    OpCall call = {
        .op = &op_table[OP_cumsum], .nin = 1, .nout = 1, .in = &in, .out = &out, .last = 1};

    assert_ok(ml_k_cumsum(test_ctx(), &call));
    assert_ptr_equal(out.m->values, cells);
    value_release(in);
    assert_cells(out, 3, 1, "1 3 6", 0);
}
