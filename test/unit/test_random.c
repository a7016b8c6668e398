/* Random numbers: known answers of the generator, equal numbers on all levels and threads,
 * distributions. */
#include "kernel_case.h"

#include <math.h>
#include <string.h>

#include "kernel/simd/random.h"

/* The published known answers of Philox4x32-10 are for whole counters; the words of block n have
 * counter (n, stream) and come as word n % 8 of a group and the one 8 later. */
ML_TEST(random_words_match_the_known_answers)
{
    for (CpuLevel level = CPU_PLAIN; level <= cpu_machine(); level++) {
        const RandomLoops *loops = random_loops_at(level);
        uint64_t w[RANDOM_GROUP];

        loops->words(0, 0, 0, 1, w);
        assert_true(w[0] == UINT64_C(0xE169C58D6627E8D5));
        assert_true(w[8] == UINT64_C(0x9B00DBD8BC57AC4C));
        loops->words(UINT64_MAX, UINT64_MAX, UINT64_MAX / 8, 1, w);
        assert_true(w[7] == UINT64_C(0x41C83B0E408F276D));
        assert_true(w[15] == UINT64_C(0x6D5451FDA20BC7C6));
        loops->words(UINT64_C(0x299F31D0A4093822), UINT64_C(0x0370734413198A2E),
                     UINT64_C(0x85A308D3243F6A88) / 8, 1, w);
        assert_true(w[0] == UINT64_C(0x94FDCCEBD16CFE09));
        assert_true(w[8] == UINT64_C(0x24126EA15001E420));
    }
}

ML_TEST(random_loops_of_all_instruction_sets_are_equal)
{
    enum { GROUPS = 13, N = GROUPS * RANDOM_GROUP };
    static uint64_t words[2][N];
    static double cells[2][3][N];

    for (CpuLevel level = CPU_PLAIN; level <= cpu_machine(); level++) {
        const RandomLoops *loops = random_loops_at(level);
        const int k = level > CPU_PLAIN;

        loops->words(42, 7, 1000, GROUPS, words[k]);
        loops->uniform(words[k], -2, 5, cells[k][0], N - 3);
        loops->normal(words[k], cells[k][1], GROUPS);
        loops->gaps(words[k], -0.01, cells[k][2], N);
        assert_memory_equal(words[0], words[k], sizeof words[0]);
        assert_memory_equal(cells[0], cells[k], sizeof cells[0]);
    }
}

static Value draw(int64_t rows, int64_t cols, double min, double max, double sparsity,
                  const char *pdf, double lambda, int64_t seed)
{
    return CASE_RUN(rand, value_int(rows), value_int(cols), value_double(min), value_double(max),
                    value_double(sparsity), case_text(pdf), value_double(lambda), value_int(seed));
}

typedef struct Moments {
    double mean, var, min, max;
} Moments;

/* Of the nonzero cells. */
static Moments moments(Value v)
{
    Moments m = {0, 0, INFINITY, -INFINITY};
    const double n = (double)v.m->nnz;

    for (int64_t k = 0; k < matrix_cells(v.m); k++) {
        const double x = matrix_get(v.m, k / v.m->cols, k % v.m->cols);

        if (x == 0)
            continue;
        m.mean += x / n;
        m.var += x * x / n;
        m.min = fmin(m.min, x);
        m.max = fmax(m.max, x);
    }
    m.var -= m.mean * m.mean;
    return m;
}

ML_TEST(rand_uniform_fills_its_interval)
{
    Value v = draw(500, 400, -1, 3, 1, "uniform", 1, 7);
    const Moments m = moments(v);

    assert_true(m.min >= -1 && m.min < -0.99 && m.max < 3 && m.max > 2.99);
    assert_true(fabs(m.mean - 1) < 0.02 && fabs(m.var - 16.0 / 12) < 0.03);
    value_release(v);
}

ML_TEST(rand_normal_has_its_moments)
{
    Value v = draw(500, 400, 0, 1, 1, "normal", 1, 7);
    const Moments m = moments(v);

    assert_true(fabs(m.mean) < 0.01 && fabs(m.var - 1) < 0.02 && m.max > 3.9 && m.max < 6.5);
    value_release(v);
}

ML_TEST(rand_poisson_has_its_moments_for_all_means)
{
    static const double lambdas[] = {0.5, 3, 40, 2000, 1e6, 1e9};

    for (int k = 0; k < 6; k++) {
        const double l = lambdas[k];
        Value v = draw(300, 300, 0, 1, 1, "poisson", l, 5);
        double mean = 0, var = 0;

        for (int64_t i = 0; i < 90000; i++) {
            const double x = matrix_get(v.m, i / 300, i % 300) - l;

            mean += x / 90000;
            var += x * x / 90000;
        }
        assert_true(fabs(mean) < 5 * sqrt(l / 90000) && fabs(var / l - 1) < 0.05);
        value_release(v);
    }
    {
        Value none = draw(20, 20, 0, 1, 1, "poisson", 0, 5);

        assert_int_equal(none.m->nnz, 0);
        value_release(none);
    }
}

ML_TEST(rand_sparsity_is_the_probability_of_a_nonzero)
{
    static const double sparsities[] = {0.0005, 0.01, 0.2, 0.35, 0.7};

    for (int k = 0; k < 5; k++) {
        const double p = sparsities[k];
        Value v = draw(700, 900, 1, 2, p, "uniform", 1, 3);
        const double spread = 5 * sqrt(630000 * p * (1 - p));
        const Moments m = moments(v);

        assert_true(fabs((double)v.m->nnz - 630000 * p) < spread);
        assert_true(m.min >= 1 && m.max < 2 && fabs(m.mean - 1.5) < 0.1);
        value_release(v);
    }
}

ML_TEST(rand_gives_the_same_matrix_for_the_same_seed_and_any_number_of_threads)
{
    static const double sparsities[] = {1, 0.5, 0.1, 0.001};

    for (int k = 0; k < 4; k++) {
        Value one, eight;

        test_threads(1);
        one = draw(301, 700, 0, 1, sparsities[k], "normal", 1, 99);
        test_threads(8);
        eight = draw(301, 700, 0, 1, sparsities[k], "normal", 1, 99);
        assert_same_matrix(one, eight);
    }
}

static bool equal(Value a, Value b)
{
    const bool same = memcmp(a.m->values, b.m->values, sizeof(double) * 20) == 0;

    value_release(a);
    value_release(b);
    return same;
}

ML_TEST(rand_without_a_seed_differs_from_call_to_call)
{
    assert_false(
        equal(draw(4, 5, 0, 1, 1, "uniform", 1, -1), draw(4, 5, 0, 1, 1, "uniform", 1, -1)));
    assert_false(equal(draw(4, 5, 0, 1, 1, "uniform", 1, 1), draw(4, 5, 0, 1, 1, "uniform", 1, 2)));
    assert_true(equal(draw(4, 5, 0, 1, 1, "uniform", 1, 1), draw(4, 5, 0, 1, 1, "uniform", 1, 1)));
    test_options()->seed = 17;
    assert_false(
        equal(draw(4, 5, 0, 1, 1, "uniform", 1, -1), draw(4, 5, 0, 1, 1, "uniform", 1, -1)));
}

ML_TEST(rand_special_cases)
{
    assert_cells(draw(2, 2, 3, 3, 1, "uniform", 1, 1), 2, 2, "3 3 3 3", 0);
    assert_cells(draw(1, 2, 1, 2, 0, "uniform", 1, 1), 1, 2, "0 0", 0);
    value_release(draw(0, 5, 0, 1, 1, "uniform", 1, 1));
    value_release(draw(5, 0, 0, 1, 0.1, "normal", 1, 1));
    value_release(draw(0, 5, 0, 1, 0.1, "uniform", 1, 1));
    CASE_FAILS(rand, ML_EVALUE, value_int(1), value_int(1), value_int(0), value_int(1),
               value_double(1.5), case_text("uniform"), value_int(1), value_int(1));
    CASE_FAILS(rand, ML_EVALUE, value_int(1), value_int(1), value_int(0), value_int(1),
               value_double(1), case_text("cauchy"), value_int(1), value_int(1));
    CASE_FAILS(rand, ML_EVALUE, value_int(-1), value_int(1), value_int(0), value_int(1),
               value_double(1), case_text("normal"), value_int(1), value_int(1));
}

/* Every number at most once, within 1 ... range. */
static void check_distinct(int64_t range, int64_t size)
{
    Value v = CASE_RUN(sample, value_int(range), value_int(size), value_bool(false), value_int(5));
    const double *x = v.m->values;

    assert_int_equal(v.m->rows, size);
    for (int64_t i = 0; i < size; i++) {
        assert_true(x[i] >= 1 && x[i] <= (double)range && x[i] == floor(x[i]));
        for (int64_t j = 0; j < i; j++)
            assert_true(x[i] != x[j]);
    }
    value_release(v);
}

ML_TEST(sample_without_replacement_draws_distinct_numbers)
{
    check_distinct(10, 10);
    check_distinct(1, 1);
    check_distinct(1500, 1400);
    check_distinct(1000000, 2000);
    check_distinct(INT64_C(1) << 40, 500);
    check_distinct(3, 0);
}

ML_TEST(sample_draws_all_orders_evenly)
{
    int counts[6] = {0};

    for (int64_t seed = 0; seed < 6000; seed++) {
        Value v = CASE_RUN(sample, value_int(3), value_int(3), value_int(seed));
        const double *x = v.m->values;

        counts[2 * ((int)x[0] - 1) + (x[1] > x[2])]++;
        value_release(v);
    }
    for (int k = 0; k < 6; k++)
        assert_in_range(counts[k], 850, 1150);
}

ML_TEST(sample_with_replacement_and_seeds)
{
    Value a = CASE_RUN(sample, value_int(4), value_int(2000), value_bool(true), value_int(5));
    Value b = CASE_RUN(sample, value_int(4), value_int(2000), value_bool(true), value_int(5));
    int counts[5] = {0};

    for (int64_t i = 0; i < 2000; i++)
        counts[(int)a.m->values[i]]++;
    for (int k = 1; k < 5; k++)
        assert_in_range(counts[k], 400, 600);
    assert_same_matrix(a, b);
    CASE_FAILS(sample, ML_EVALUE, value_int(3), value_int(5));
    CASE_FAILS(sample, ML_EVALUE, value_int(0), value_int(1), value_bool(true));
}
