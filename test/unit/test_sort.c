/* order against insertion by definition: keys of all kinds, several columns, both directions. */
#include "kernel_case.h"

#include <math.h>
#include <stdlib.h>

/* Does row a come before row b? */
static bool before(double a, double b, bool decreasing)
{
    if (isnan(a) || isnan(b))
        return decreasing ? isnan(a) && !isnan(b) : isnan(b) && !isnan(a);
    return decreasing ? a > b : a < b;
}

static Value boolean(bool b)
{
    return value_bool(b);
}

/* The positions are a permutation, sorted by the columns and stable. */
static void check_order(Matrix *m, const int64_t *by, int64_t nby, bool decreasing)
{
    Matrix *columns = NULL;
    Value index, data;
    bool *seen = calloc((size_t)m->rows + 1, sizeof *seen);

    assert_ok(matrix_new_dense(test_ctx(), 1, nby, &columns));
    for (int64_t k = 0; k < nby; k++)
        columns->values[k] = (double)(by[k] + 1);
    columns->nnz = nby;
    index = CASE_RUN(order, case_share(m), case_share(columns), boolean(decreasing), boolean(true));
    data =
        CASE_RUN(order, case_share(m), value_matrix(columns), boolean(decreasing), boolean(false));
    for (int64_t i = 0; i < m->rows; i++) {
        const int64_t at = (int64_t)matrix_get(index.m, i, 0) - 1;

        assert_in_range(at, 0, m->rows - 1);
        assert_false(seen[at]);
        seen[at] = true;
        for (int64_t j = 0; j < m->cols; j++)
            assert_close(matrix_get(data.m, i, j), matrix_get(m, at, j), 0);
        for (int64_t k = 0; i > 0 && k <= nby; k++) {
            const int64_t last = (int64_t)matrix_get(index.m, i - 1, 0) - 1;
            double a, b;

            if (k == nby) {
                assert_true(last < at);
                break;
            }
            a = matrix_get(m, last, by[k]);
            b = matrix_get(m, at, by[k]);
            assert_false(before(b, a, decreasing));
            if (before(a, b, decreasing))
                break;
        }
    }
    free(seen);
    value_release(index);
    value_release(data);
}

static void check_both(Matrix *m)
{
    const int64_t by[] = {m->cols - 1, 0};

    for (int decreasing = 0; decreasing < 2; decreasing++) {
        check_order(m, by, 1, decreasing);
        check_order(m, by, m->cols > 1 ? 2 : 1, decreasing);
    }
}

ML_TEST(order_sorts_random_rows_stably_dense_and_sparse)
{
    static const int64_t shapes[][2] = {{1, 1}, {2, 1}, {30, 1}, {1000, 3}, {400000, 1}, {5000, 2}};
    static const double densities[] = {0, 0.1, 0.5, 1};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t d = 0; d < 4; d++) {
            Matrix *m = case_random(shapes[s][0], shapes[s][1], densities[d], s * 10 + d), *csr;

            for (int64_t k = 0; k < shapes[s][0] * shapes[s][1]; k += 17)
                m->values[k] = k % 2 ? NAN : k % 3 ? INFINITY : -INFINITY;
            m->nnz = matrix_count_nnz(m->values, shapes[s][0] * shapes[s][1]);
            csr = case_csr(m);
            check_both(m);
            check_both(csr);
            matrix_release(m);
            matrix_release(csr);
        }
}

ML_TEST(order_sorts_keys_of_every_spread)
{
    enum { N = 300000 };
    uint64_t bits = 11;

    for (int kind = 0; kind < 6; kind++) {
        Matrix *m = case_random(N, 1, 1, 77);

        for (int64_t k = 0; k < N; k++) {
            const double u = (double)(case_bits(&bits) >> 11) * 0x1p-53;

            m->values[k] = kind == 0   ? (double)k
                           : kind == 1 ? (double)(N - k)
                           : kind == 2 ? floor(u * 3)
                           : kind == 3 ? exp(700 * (u - 0.5))
                           : kind == 4 ? 1 + u * 1e-12
                                       : (k % 1000 ? 5 : u);
        }
        m->nnz = matrix_count_nnz(m->values, N);
        check_both(m);
        matrix_release(m);
    }
}

ML_TEST(order_is_the_same_on_one_and_eight_threads)
{
    Matrix *m = case_random(500000, 1, 0.5, 5);
    Value one, eight;

    test_threads(1);
    one = CASE_RUN(order, case_share(m), value_int(1), boolean(false), boolean(true));
    test_threads(8);
    eight = CASE_RUN(order, value_matrix(m), value_int(1), boolean(false), boolean(true));
    assert_same_matrix(one, eight);
}

ML_TEST(order_puts_nan_last_or_first)
{
    Matrix *m = case_matrix(4, 1, "3 NaN 2 1");

    assert_cells(CASE_RUN(order, case_share(m)), 4, 1, "1 2 3 NaN", 0);
    assert_cells(CASE_RUN(order, value_matrix(m), value_int(1), boolean(true)), 4, 1, "NaN 3 2 1",
                 0);
}

ML_TEST(order_keeps_the_order_of_equal_rows_in_both_directions)
{
    Matrix *m = case_matrix(6, 1, "1 1 2 2 1 3"), *zeros = case_matrix(4, 1, "0 -0 0 -0");

    assert_cells(CASE_RUN(order, case_share(m), value_int(1), boolean(true), boolean(true)), 6, 1,
                 "6 3 4 1 2 5", 0);
    assert_cells(CASE_RUN(order, value_matrix(m), value_int(1), boolean(false), boolean(true)), 6,
                 1, "1 2 5 3 4 6", 0);
    assert_cells(CASE_RUN(order, value_matrix(zeros), value_int(1), boolean(true), boolean(true)),
                 4, 1, "1 2 3 4", 0);
}

ML_TEST(order_rejects_columns_that_are_not_there)
{
    Matrix *m = case_matrix(2, 2, "3 1 2 0");

    CASE_FAILS(order, ML_EVALUE, case_share(m), value_int(3));
    CASE_FAILS(order, ML_EVALUE, case_share(m), value_int(0));
    assert_cells(CASE_RUN(order, value_matrix(m), value_double(1.7)), 2, 2, "2 0 3 1", 0);
    assert_cells(CASE_RUN(order, value_matrix(case_matrix(0, 2, ""))), 0, 2, "", 0);
}
