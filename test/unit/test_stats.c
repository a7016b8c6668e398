/* Quantiles, moments, covariance and grouped aggregates. */
#include "kernel_case.h"

#include <math.h>

#define COLUMN(n, cells) value_matrix(case_matrix(n, 1, cells))

ML_TEST(quantiles_follow_the_rules_for_even_and_odd_counts)
{
    static const double ps[] = {0, 0.1, 0.25, 0.26, 0.5, 0.75, 0.9, 1};
    static const double even[] = {1, 1.5, 1.5, 2.5, 2.5, 3.5, 4, 4},
                        odd[] = {1, 1, 2, 2, 3, 4, 5, 5};

    for (size_t k = 0; k < sizeof ps / sizeof *ps; k++) {
        assert_close(CASE_NUMBER(quantile, COLUMN(4, "4 1 3 2"), value_double(ps[k])), even[k], 0);
        assert_close(CASE_NUMBER(quantile, COLUMN(5, "4 1 5 3 2"), value_double(ps[k])), odd[k], 0);
    }
    assert_close(CASE_NUMBER(quantile, COLUMN(1, "7"), value_double(0.3)), 7, 0);
    assert_cells(CASE_RUN(quantile, COLUMN(4, "1 2 3 4"), COLUMN(4, "0 1 0.24 0.251")), 4, 1,
                 "1 4 1 2", 0);
}

ML_TEST(quantiles_with_weights_count_values_repeatedly)
{
    Matrix *v = case_matrix(5, 1, "5 1 4 2 3"), *w = case_matrix(5, 1, "1 2 3 1 2");

    assert_close(CASE_NUMBER(quantile, case_share(v), case_share(w), value_double(0.25)), 2, 0);
    assert_close(CASE_NUMBER(quantile, case_share(v), case_share(w), value_double(0.6)), 4, 0);
    assert_cells(CASE_RUN(quantile, case_share(v), case_share(w), COLUMN(3, "0.1 0.5 0.9")), 3, 1,
                 "1 3 5", 0);
    assert_close(CASE_NUMBER(median, case_share(v), case_share(w)), 3, 0);
    assert_close(CASE_NUMBER(interQuartileMean, value_matrix(v), value_matrix(w)), 14.5 / 4.5,
                 1e-15);
    assert_close(CASE_NUMBER(median, COLUMN(3, "1 2 9"), COLUMN(3, "1 0 1")), 5, 0);
    CASE_FAILS(median, ML_EVALUE, COLUMN(1, "1"), COLUMN(1, "1.5"));
    CASE_FAILS(median, ML_ESHAPE, COLUMN(1, "1"), COLUMN(2, "1 1"));
}

ML_TEST(quantiles_of_nan_or_nothing_are_nan)
{
    assert_close(CASE_NUMBER(quantile, COLUMN(3, "1 NaN 2"), value_double(0.1)), NAN, 0);
    assert_close(CASE_NUMBER(median, COLUMN(0, "")), NAN, 0);
    assert_close(CASE_NUMBER(interQuartileMean, COLUMN(0, "")), NAN, 0);
    CASE_FAILS(quantile, ML_EVALUE, COLUMN(3, "1 2 3"), value_double(1.5));
    CASE_FAILS(quantile, ML_ESHAPE, value_matrix(case_matrix(1, 3, "1 2 3")), value_double(0.5));
}

ML_TEST(medians_and_interquartile_means_take_parts_of_values)
{
    assert_close(CASE_NUMBER(median, COLUMN(4, "1 2 3 4")), 2.5, 0);
    assert_close(CASE_NUMBER(median, COLUMN(2, "0 1.75")), 0.875, 0);
    assert_close(CASE_NUMBER(median, COLUMN(5, "5 1 2 4 3")), 3, 0);
    assert_close(CASE_NUMBER(interQuartileMean, COLUMN(8, "1 2 3 4 5 6 7 8")), 4.5, 0);
    assert_close(CASE_NUMBER(interQuartileMean, COLUMN(5, "0 3.25 6.5 2.25 5.5")), 3.625, 0);
    assert_close(CASE_NUMBER(interQuartileMean, COLUMN(1, "3")), 3, 0);
}

/* Of many values ranks are selected, with weights of 1 they are sorted: both must find the same. */
static void compare_ranks(Matrix *v)
{
    static const double ps[] = {0, 1e-6, 0.3, 0.5, 0.999999, 1};
    Matrix *ones = NULL;

    assert_ok(matrix_new_constant(test_ctx(), v->rows, 1, 1, &ones));
    for (size_t k = 0; k < sizeof ps / sizeof *ps; k++)
        assert_close(CASE_NUMBER(quantile, case_share(v), value_double(ps[k])),
                     CASE_NUMBER(quantile, case_share(v), case_share(ones), value_double(ps[k])),
                     0);
    assert_same_matrix(
        CASE_RUN(quantile, case_share(v), COLUMN(3, "0.1 0.5 0.9")),
        CASE_RUN(quantile, case_share(v), case_share(ones), COLUMN(3, "0.1 0.5 0.9")));
    assert_close(CASE_NUMBER(median, case_share(v)),
                 CASE_NUMBER(median, case_share(v), case_share(ones)), 0);
    assert_close(CASE_NUMBER(interQuartileMean, case_share(v)),
                 CASE_NUMBER(interQuartileMean, case_share(v), case_share(ones)), 1e-15);
    matrix_release(ones);
    matrix_release(v);
}

/* What tells the columns of this test apart. */
static double many_cell(int kind, int64_t i, double x)
{
    switch (kind) {
    case 0:
        return x;
    case 1:
        return floor(3 * x); /* few distinct values */
    case 2:
        return 1000 + 1e-9 * x; /* keys begin alike */
    case 3:
        return i % 3 ? INFINITY : -INFINITY;
    case 4:
        return 7;
    default:
        return i % 2 ? x : -0.0;
    }
}

ML_TEST(ranks_of_many_values_are_those_of_sorted_ones)
{
    for (int kind = 0; kind < 6; kind++)
        for (int odd = 0; odd < 2; odd++) {
            Matrix *v = case_random(150000 + odd, 1, 1, (uint64_t)kind);

            for (int64_t i = 0; i < v->rows; i++)
                v->values[i] = many_cell(kind, i, v->values[i]);
            compare_ranks(v);
        }
}

ML_TEST(ranks_of_many_values_with_a_nan_are_nan)
{
    Matrix *v = case_random(150000, 1, 1, 3);

    v->values[77777] = NAN;
    assert_close(CASE_NUMBER(median, case_share(v)), NAN, 0);
    assert_close(CASE_NUMBER(interQuartileMean, case_share(v)), NAN, 0);
    assert_close(CASE_NUMBER(quantile, value_matrix(v), value_double(0)), NAN, 0);
}

ML_TEST(moments_are_central_and_divide_by_the_number)
{
    assert_close(CASE_NUMBER(moment, COLUMN(5, "1 2 3 4 5"), value_int(2)), 2, 0);
    assert_close(CASE_NUMBER(moment, COLUMN(5, "1 2 3 4 5"), value_int(3)), 0, 0);
    assert_close(CASE_NUMBER(moment, COLUMN(5, "1 2 3 4 5"), value_int(4)), 6.8, 1e-15);
    assert_close(CASE_NUMBER(moment, COLUMN(2, "1 4"), COLUMN(2, "2 1"), value_int(2)), 2, 1e-15);
    assert_close(CASE_NUMBER(moment, COLUMN(1, "3"), value_int(2)), 0, 0);
    assert_close(CASE_NUMBER(moment, COLUMN(0, ""), value_int(2)), NAN, 0);
    CASE_FAILS(moment, ML_EVALUE, COLUMN(2, "1 2"), value_int(5));
    CASE_FAILS(moment, ML_EVALUE, COLUMN(2, "1 2"), value_double(2.5));
    CASE_FAILS(moment, ML_ESHAPE, value_matrix(case_matrix(1, 2, "1 2")), value_int(2));
}

ML_TEST(covariance_divides_by_n_minus_one)
{
    assert_close(CASE_NUMBER(cov, COLUMN(3, "1 2 3"), COLUMN(3, "2 4 7")), 2.5, 1e-15);
    assert_close(CASE_NUMBER(cov, COLUMN(2, "1 4"), COLUMN(2, "1 4"), COLUMN(2, "2 1")), 3, 1e-15);
    assert_close(CASE_NUMBER(cov, COLUMN(1, "3"), COLUMN(1, "4")), 0, 0);
    assert_close(CASE_NUMBER(cov, COLUMN(0, ""), COLUMN(0, "")), NAN, 0);
    CASE_FAILS(cov, ML_ESHAPE, COLUMN(3, "1 2 3"), COLUMN(2, "1 2"));
}

ML_TEST(moments_and_covariance_agree_with_variance_on_any_threads)
{
    Matrix *m = case_random(100000, 1, 1, 21);
    const double var = CASE_NUMBER(var, case_share(m));

    for (int threads = 1; threads <= 8; threads += 7) {
        test_threads(threads);
        assert_close(CASE_NUMBER(cov, case_share(m), case_share(m)), var, 1e-14);
        assert_close(CASE_NUMBER(moment, case_share(m), value_int(2)), var * 99999 / 100000, 1e-14);
    }
    matrix_release(m);
}

/* ---- groups ---- */

static Value grouped(const char *fn, bool weights, int ngroups, int order)
{
    return CASE_RUN(aggregate, COLUMN(7, "1.5 2 -3 4 5 0.25 8"), COLUMN(7, "1 3 1 3 3 4 4.7"),
                    case_text(fn), weights ? COLUMN(7, "2 1 1 0.5 2 1 3") : value_none(),
                    ngroups ? value_int(ngroups) : value_none(),
                    order ? value_int(order) : value_none());
}

ML_TEST(aggregate_computes_every_function_by_group)
{
    const double t = 1e-13;

    assert_cells(grouped("sum", false, 0, 0), 4, 1, "-1.5 0 11 8.25", t);
    assert_cells(grouped("count", false, 6, 0), 6, 1, "2 0 3 2 0 0", t);
    assert_cells(grouped("mean", false, 2, 0), 2, 1, "-0.75 0", t);
    assert_cells(grouped("variance", false, 0, 0), 4, 1, "10.125 0 2.33333333333333 30.03125", t);
    assert_cells(grouped("min", false, 0, 0), 4, 1, "-3 0 2 0.25", t);
    assert_cells(grouped("max", false, 0, 0), 4, 1, "1.5 0 5 8", t);
    assert_cells(grouped("centralmoment", false, 0, 2), 4, 1,
                 "5.0625 NaN 1.55555555555556 15.015625", t);
    assert_cells(grouped("centralmoment", false, 0, 4), 4, 1,
                 "25.62890625 NaN 3.62962962962963 225.468994140625", t);
}

ML_TEST(aggregate_weighs_members)
{
    const double t = 1e-13;

    assert_cells(grouped("sum", true, 0, 0), 4, 1, "0 0 14 24.25", t);
    assert_cells(grouped("count", true, 0, 0), 4, 1, "3 0 3.5 4", t);
    assert_cells(grouped("mean", true, 0, 0), 4, 1, "0 0 4 6.0625", t);
    assert_cells(grouped("variance", true, 0, 0), 4, 1, "6.75 0 2.4 15.015625", t);
    assert_cells(grouped("max", true, 0, 0), 4, 1, "3 0 10 24", t);
    assert_cells(grouped("centralmoment", true, 0, 3), 4, 1,
                 "-6.75 NaN -1.71428571428571 -43.63916015625", t);
}

ML_TEST(aggregate_takes_matrices_row_vectors_and_nan)
{
    const Value none = value_none();

    assert_cells(CASE_RUN(aggregate, value_matrix(case_matrix(3, 2, "1 2 3 4 5 6")),
                          COLUMN(3, "2 1 2"), case_text("sum"), none, value_int(3)),
                 3, 2, "3 4 6 8 0 0", 0);
    assert_cells(CASE_RUN(aggregate, value_matrix(case_matrix(1, 3, "1 2 3")),
                          value_matrix(case_matrix(1, 3, "2 1 2")), case_text("max")),
                 2, 1, "2 3", 0);
    assert_cells(CASE_RUN(aggregate, COLUMN(3, "1 NaN 2"), COLUMN(3, "1 1 2"), case_text("min")), 2,
                 1, "NaN 2", 0);
    assert_cells(
        CASE_RUN(aggregate, COLUMN(0, ""), COLUMN(0, ""), case_text("sum"), none, value_int(2)), 2,
        1, "0 0", 0);
}

/* Many members of two columns, so that there are tiles: whole numbers add up exactly. */
ML_TEST(aggregate_of_many_members_equals_adding_one_by_one)
{
    enum { N = 100000, GROUPS = 30 };
    Matrix *x = case_random(N, 2, 1, 31), *g = case_random(N, 1, 1, 32);
    double sum[GROUPS * 2] = {0}, greatest[GROUPS * 2] = {0};
    uint64_t seed = 33;

    for (int64_t i = 0; i < N; i++) {
        const int64_t group = (int64_t)(case_bits(&seed) % GROUPS);

        g->values[i] = (double)(group + 1);
        for (int64_t j = 0; j < 2; j++) {
            const double cell = (double)(1 + case_bits(&seed) % 1000);

            x->values[2 * i + j] = cell;
            sum[2 * group + j] += cell;
            greatest[2 * group + j] =
                cell > greatest[2 * group + j] ? cell : greatest[2 * group + j];
        }
    }
    for (int threads = 1; threads <= 8; threads += 7) {
        static const char *const names[] = {"sum", "max"};

        test_threads(threads);
        for (int f = 0; f < 2; f++) {
            Value out = CASE_RUN(aggregate, case_share(x), case_share(g), case_text(names[f]),
                                 value_none(), value_int(GROUPS));

            assert_memory_equal(out.m->values, f ? greatest : sum, sizeof sum);
            value_release(out);
        }
    }
    matrix_release(x);
    matrix_release(g);
}

/* Normal cells, whose sums round: the digits may not depend on the threads. */
ML_TEST(aggregate_does_not_depend_on_the_number_of_threads)
{
    static const char *const names[] = {"sum", "count", "mean", "variance", "min", "max"};
    Matrix *x = case_random(100000, 1, 1, 34), *w = case_random(100000, 1, 1, 35);
    Matrix *g = case_random(100000, 1, 1, 36);

    for (int64_t i = 0; i < g->rows; i++)
        g->values[i] = floor(fabs(g->values[i]) * 10) + 1;
    for (size_t f = 0; f < sizeof names / sizeof *names; f++) {
        Value out[2];

        for (int k = 0; k < 2; k++) {
            test_threads(k ? 8 : 1);
            out[k] = CASE_RUN(aggregate, case_share(x), case_share(g), case_text(names[f]),
                              case_share(w));
        }
        assert_same_matrix(out[0], out[1]);
    }
    matrix_release(x);
    matrix_release(w);
    matrix_release(g);
}

ML_TEST(aggregate_rejects_what_it_cannot_group)
{
    const Value none = value_none();

    CASE_FAILS(aggregate, ML_EVALUE, COLUMN(2, "1 2"), COLUMN(2, "0 1"), case_text("sum"));
    CASE_FAILS(aggregate, ML_EVALUE, COLUMN(2, "1 2"), COLUMN(2, "NaN 1"), case_text("sum"));
    CASE_FAILS(aggregate, ML_EVALUE, COLUMN(2, "1 2"), COLUMN(2, "1 1"), case_text("foo"));
    CASE_FAILS(aggregate, ML_EVALUE, COLUMN(2, "1 2"), COLUMN(2, "1 1"),
               case_text("centralmoment"));
    CASE_FAILS(aggregate, ML_ESHAPE, COLUMN(2, "1 2"), COLUMN(3, "1 1 1"), case_text("sum"));
    CASE_FAILS(aggregate, ML_EVALUE, value_matrix(case_matrix(1, 2, "1 2")), COLUMN(1, "1"),
               case_text("sum"));
    CASE_FAILS(aggregate, ML_EVALUE, value_matrix(case_matrix(1, 2, "1 2")), COLUMN(1, "1"),
               case_text("sum"), COLUMN(1, "1"), value_int(2));
    CASE_FAILS(aggregate, ML_EVALUE, COLUMN(0, ""), COLUMN(0, ""), case_text("sum"), none);
}

ML_TEST(interQuantile_leaves_out_as_many_at_either_end)
{
    Matrix *v = case_matrix(7, 1, "9 3 1 4 8 7 2"), *nan = case_matrix(3, 1, "1 NaN 2");

    assert_cells(CASE_RUN(interQuantile, case_share(v), value_double(0)), 7, 1, "1 2 3 4 7 8 9", 0);
    assert_cells(CASE_RUN(interQuantile, case_share(v), value_double(0.28)), 5, 1, "2 3 4 7 8", 0);
    assert_cells(CASE_RUN(interQuantile, case_share(v), value_double(0.5)), 1, 1, "4", 0);
    assert_cells(CASE_RUN(interQuantile, value_matrix(case_matrix(2, 1, "1 2")), value_double(0.5)),
                 0, 1, "", 0);
    assert_cells(CASE_RUN(interQuantile, value_matrix(case_matrix(0, 1, "")), value_double(0.1)), 0,
                 1, "", 0);
    assert_cells(CASE_RUN(interQuantile, value_matrix(nan), value_double(0.34)), 1, 1, "NaN", 0);
    CASE_FAILS(interQuantile, ML_EVALUE, case_share(v), value_double(0.6));
    CASE_FAILS(interQuantile, ML_EVALUE, case_share(v), value_double(NAN));
    CASE_FAILS(interQuantile, ML_ESHAPE, value_matrix(case_matrix(1, 2, "1 2")), value_double(0.1));
    matrix_release(v);
}
