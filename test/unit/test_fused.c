/* Fused operators against their expressions computed by plain loops, where the tests of all kernels
 * do not look: large sizes on several threads, factors that force every cell to be visited,
 * overflow. */
#include "linear.h"

#include <math.h>
#include <stdlib.h>

typedef double (*CellFn)(double w, double d);

static double product_cell(double w, double d)
{
    return w * d;
}

static double log_cell(double w, double d)
{
    return w * log(d);
}

static double loss_cell(double w, double d)
{
    return (w - d) * (w - d);
}

/* f over all cells of w and of u t(v). */
static Matrix *plain_sampled(const Matrix *w, const Matrix *u, const Matrix *v, CellFn f)
{
    Matrix *out = plain_product(u, false, v, true);

    for (int64_t i = 0; i < out->rows; i++)
        for (int64_t j = 0; j < out->cols; j++)
            out->values[i * out->cols + j] = f(matrix_get(w, i, j), out->values[i * out->cols + j]);
    assert_ok(matrix_finish(test_ctx(), &out, -1));
    return out;
}

static double plain_sum(const Matrix *m)
{
    double sum = 0;

    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++)
            sum += matrix_get(m, i, j);
    return sum;
}

static void check_sampled(Matrix *w, Matrix *u, Matrix *v, const char *text, CellFn f)
{
    Matrix *want = plain_sampled(w, u, v, f);
    const double sum = plain_sum(want);

    for (int threads = 1; threads <= 8; threads += 7) {
        Value got;

        test_threads(threads);
        got = CASE_RUN(sampled, case_share(w), case_share(u), case_share(v), case_text(text),
                       value_none());
        assert_matrix_near(got.m, want, 1e-11);
        value_release(got);
        assert_close(CASE_NUMBER(sampled_sum, case_share(w), case_share(u), case_share(v),
                                 case_text(text), value_none()),
                     sum, 1e-9);
    }
    matrix_release(want);
}

ML_TEST(sampled_products_equal_all_cells)
{
    static const int64_t sizes[][3] = {
        {400, 600, 20}, {70, 300, 3}, {1, 5000, 9}, {3000, 2, 8}, {65, 257, 0}};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int64_t rows = sizes[k][0], cols = sizes[k][1], rank = sizes[k][2];
        Matrix *w = case_random(rows, cols, 0.05, 1), *sparse = case_csr(w);
        Matrix *u = case_random(rows, rank, 1, 2), *v = case_random(cols, rank, 1, 3);

        check_sampled(w, u, v, "w * d", product_cell);
        check_sampled(sparse, u, v, "w * d", product_cell);
        check_sampled(sparse, u, v, "(w - d) ^ 2", loss_cell);
        if (rank > 0)
            check_sampled(sparse, u, v, "w * log(d)", log_cell);
        matrix_release(w);
        matrix_release(sparse);
        matrix_release(u);
        matrix_release(v);
    }
}

/* Products that overflow make NaN beside zeros of w, though every factor is finite. */
ML_TEST(sampled_products_see_what_zeros_of_w_meet)
{
    static const double cells[] = {1e200, INFINITY, NAN, -1};
    Matrix *w = case_random(40, 50, 0.02, 1), *sparse = case_csr(w);
    Matrix *u = case_random(40, 3, 1, 2), *v = case_random(50, 3, 1, 3);

    for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
        u->values[7] = v->values[11] = cells[k];
        check_sampled(sparse, u, v, "w * d", product_cell);
        check_sampled(sparse, u, v, "w * log(d)", log_cell);
    }
    matrix_release(w);
    matrix_release(sparse);
    matrix_release(u);
    matrix_release(v);
}

ML_TEST(cell_programs_say_what_they_cannot_read)
{
    static const char *const texts[] = {"",
                                        "w +",
                                        "w * (d + 1) * (d + 2)",
                                        "q * d",
                                        "foo(d)",
                                        "w ** d",
                                        "1 + 2",
                                        "(w",
                                        "w * d)",
                                        "((((((((d + 1) + 1) + 1) + 1) + 1) + 1) + 1) + 1) + 1"};

    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        CASE_FAILS(sampled_sum, ML_EVALUE, value_matrix(case_matrix(1, 1, "1")),
                   value_matrix(case_matrix(1, 1, "1")), value_matrix(case_matrix(1, 1, "1")),
                   case_text(texts[k]), value_none());
}

ML_TEST(sampled_products_want_matching_shapes)
{
    static const int64_t shapes[][6] = {{2, 3, 4, 5, 3, 5}, {2, 3, 2, 5, 3, 4}, {2, 3, 2, 5, 4, 5}};

    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        CASE_FAILS(sampled, ML_ESHAPE, value_matrix(case_random(shapes[k][0], shapes[k][1], 1, 1)),
                   value_matrix(case_random(shapes[k][2], shapes[k][3], 1, 1)),
                   value_matrix(case_random(shapes[k][4], shapes[k][5], 1, 1)), case_text("w * d"),
                   value_none());
}
