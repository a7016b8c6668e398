/* Numbers: parsing against strtod, printing against the round trip, shortness against printf, fixed
 * point against printf. Random tests draw from a fixed seed. */
#include "base/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num_cell.h"
#include "base/num_impl.h"
#include "ml_test.h"

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double random_double(uint64_t *state)
{
    for (;;) {
        const uint64_t bits = next_random(state);
        double v;

        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            return v;
    }
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void check_parse(const char *text)
{
    const char *end = text + strlen(text);
    double got = -1, want = strtod(text, NULL);

    if (num_parse_double(text, end, &got) != end || !same_bits(got, want))
        fail_msg("'%s': got %a, strtod says %a", text, got, want);
}

ML_TEST(parse_double_agrees_with_strtod_on_hard_cases)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "-0.0",
        "1",
        "+1",
        "1.",
        ".5",
        "0.1",
        "3.14159",
        "1e0",
        "1E+5",
        "1e-5",
        "123456789012345678",
        "9007199254740993",
        "9007199254740992.999999999999999999999999",
        "9007199254740993.0000000000000000000000001",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e308",
        "1e309",
        "1e400",
        "-1e400",
        "1e-400",
        "1e-342",
        "9e-324",
        "1e99999999999",
        "0e99999999999",
        "1e-99999999999",
        "0.000000000000000000000000000000000000000000000001e48",
        "100000000000000000000000000000000000000000000000e-46",
        "8.5",
        "1.5e-323",
        "6.0221407600000000000000000e23",
        "0.3000000000000000166533453693773481063544750213623046875",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999",
        "1e22",
        "1e23",
        "7.2057594037927933e16",
        "2."
        "470328229206232720882843964341106861825299013071623822127928412503377536351043759326499181"
        "80817996189"
        "898282347722858865463328355177969898199387398005390939063150356595155702263922908583924491"
        "051844359318"
        "028499365361525003193704576782492193656236698636584807570015857692699037063119282795585513"
        "32927834338"
        "409351978015531246597263579574622766465272827220056374006485499977096599470454020828166226"
        "237857393450"
        "736339007967761930577506740176324673600968951340535537458516661134223766678604799e-324",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_parse(texts[i]);
}

/* Cells of random characters of numbers: whatever the fast way takes, the other way takes whole and
 * to the same bits; plain numbers it takes always. */
ML_TEST(number_cells_are_those_that_parsing_finds)
{
    static const char letters[] = "0123456789012345678900.-+eE ";
    uint64_t seed = 11;
    int taken = 0;

    for (int i = 0; i < 400000; i++) {
        char text[64] = {0};
        const size_t n = next_random(&seed) % 20;
        double fast, slow;
        int64_t k;

        for (size_t j = 0; j < sizeof text - 1; j++) /* what follows the cell must not matter */
            text[j] = letters[next_random(&seed) % (sizeof letters - 1)];
        if (num_cell_double(text, n, &fast)) {
            assert_ptr_equal(num_parse_double(text, text + n, &slow), text + n);
            assert_memory_equal(&fast, &slow, sizeof fast);
            taken++;
        }
        if (num_cell_int64(text, n, &k)) {
            assert_true(num_parse_double(text, text + n, &slow) == text + n);
            assert_true((double)k == slow);
        }
    }
    assert_true(taken > 20000);
}

ML_TEST(number_cells_of_usual_forms_are_taken)
{
    static const char *const cells[] = {
        "0",         "-0",     "7.25", "-140.125734", "0.549701454152872", "9007199254740992",
        "4.231e-03", "-1e+22", ".5",   "5."};
    static const char *const others[] = {"", "-", ".", "1.2.3", "1e5", "9007199254740993", "1-2"};
    char room[64];
    double v;

    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        snprintf(room, sizeof room, "%s,99999999999999999999999", cells[i]);
        assert_true(num_cell_double(room, strlen(cells[i]), &v) || NUM_CELL_AHEAD == 0);
        assert_true(v == strtod(cells[i], NULL) || NUM_CELL_AHEAD == 0);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(room, sizeof room, "%s,99999999999999999999999", others[i]);
        assert_false(num_cell_double(room, strlen(others[i]), &v) && NUM_CELL_AHEAD > 0);
    }
}

ML_TEST(parse_double_agrees_with_strtod_on_random_text)
{
    uint64_t seed = 1;
    char text[64];

    for (int i = 0; i < 100000; i++) {
        const double v = random_double(&seed);
        const uint64_t digits = next_random(&seed) >> (next_random(&seed) % 64);

        snprintf(text, sizeof text, "%.*e", (int)(next_random(&seed) % 25), v);
        check_parse(text);
        snprintf(text, sizeof text, "%" PRIu64 "e%d", digits,
                 (int)(next_random(&seed) % 700) - 350);
        check_parse(text);
        snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64, digits,
                 next_random(&seed) >> (next_random(&seed) % 64));
        check_parse(text);
    }
}

/* The point halfway between two doubles, its last digits changed a little. */
ML_TEST(parse_double_rounds_ties_to_even)
{
    uint64_t seed = 2;
    char text[1200];

    for (int i = 0; i < 3000; i++) {
        const double v = fabs(random_double(&seed));
        const long double middle = ((long double)v + (long double)nextafter(v, INFINITY)) / 2;
        const int n = snprintf(text, sizeof text, "%.780Le", middle);
        const char *e = strchr(text, 'e');

        if (n < 0 || !e || isinf((double)middle))
            continue;
        check_parse(text);
        text[e - text - 1] = '1';
        check_parse(text);
    }
    check_parse("1.00000000000000011102230246251565404236316680908203125");
    check_parse("1.00000000000000011102230246251565404236316680908203124");
    check_parse("1.00000000000000011102230246251565404236316680908203126");
}

ML_TEST(parse_double_stops_where_the_number_ends)
{
    static const struct {
        const char *text;
        int used; /* -1: no number */
    } cases[] = {{"1,2", 1},
                 {"1e", 1},
                 {"1e+", 1},
                 {"1.5e-x", 3},
                 {"1.2.3", 3},
                 {"", -1},
                 {"-", -1},
                 {".", -1},
                 {"-.", -1},
                 {"e5", -1},
                 {"abc", -1},
                 {" 1", -1},
                 {"NaNx", 3},
                 {"-Infinity", 9},
                 {"+NaN", 4},
                 {"Inf", -1},
                 {"nan", -1},
                 {"12345678,", 8},
                 {"1234567890123456;", 16},
                 {"0x10", 1},
                 {"--1", -1},
                 {"5 ", 1},
                 {"1.e5", 4}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double v;
        const char *s = cases[i].text, *got = num_parse_double(s, s + strlen(s), &v);

        if ((got ? got - s : -1) != cases[i].used)
            fail_msg("'%s' stops at %ld", s, got ? (long)(got - s) : -1L);
    }
}

ML_TEST(parse_double_never_reads_past_the_end)
{
    for (size_t n = 0; n < 30; n++) {
        char *text = malloc(n + 1);
        double v = -1;

        assert_non_null(text);
        memset(text, '1', n);
        assert_ptr_equal(num_parse_double(text, text + n, &v), n ? text + n : NULL);
        free(text);
    }
}

ML_TEST(parse_words)
{
    double v;

    assert_non_null(num_parse_double("NaN", "NaN" + 3, &v));
    assert_true(isnan(v));
    const char *s = "-Infinity";
    assert_non_null(num_parse_double(s, s + 9, &v));
    assert_true(v == -INFINITY);
}

ML_TEST(parse_int64_is_strict)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } cases[] = {{"0", true, 0},
                 {"-5", true, -5},
                 {"+7", true, 7},
                 {"007", true, 7},
                 {"9223372036854775807", true, INT64_MAX},
                 {"-9223372036854775808", true, INT64_MIN},
                 {"9223372036854775808", false, 0},
                 {"-9223372036854775809", false, 0},
                 {"99999999999999999999", false, 0},
                 {"", false, 0},
                 {"-", false, 0},
                 {"1.0", false, 0},
                 {" 1", false, 0},
                 {"1 ", false, 0},
                 {"1e3", false, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *s = cases[i].text;
        int64_t v = 0;

        assert_int_equal(num_parse_int64(s, s + strlen(s), &v), cases[i].ok);
        if (cases[i].ok)
            assert_int_equal(v, cases[i].v);
    }
}

/* Each row times ten gives the next one up to what both cut off; printing adds one to lo, which
 * must not wrap. */
ML_TEST(power_table_rows_follow_from_each_other)
{
    for (int k = POW10_MIN; k < POW10_MAX; k++) {
        const Pow10 a = num_pow10_table[k - POW10_MIN], b = num_pow10_table[k + 1 - POW10_MIN];
        const int step = pow10_log2(k + 1) - pow10_log2(k); /* 10 = 5/4 * 2^3 = 5/8 * 2^4 */
        const u128 row = (u128)a.hi << 64 | a.lo, next = (u128)b.hi << 64 | b.lo;
        const u128 scaled = (step == 3 ? row / 4 : row / 8) * 5;
        const u128 gap = next > scaled ? next - scaled : scaled - next;

        assert_true(a.hi >> 63);
        assert_true(step == 3 || step == 4);
        assert_true(gap < 16);
        assert_true(a.lo != UINT64_MAX);
    }
    assert_true(num_pow10_table[-POW10_MIN].hi == UINT64_C(1) << 63);
    assert_true(num_pow10_table[-POW10_MIN].lo == 0);
}

static void check_print(double v, const char *want)
{
    char buf[NUM_BUFFER];
    const size_t n = num_print_double(buf, v);

    assert_string_equal(buf, want);
    assert_int_equal(n, strlen(want));
}

ML_TEST(print_double_looks_like_java)
{
    check_print(0, "0.0");
    check_print(-0.0, "-0.0");
    check_print(5, "5.0");
    check_print(-5.5, "-5.5");
    check_print(1e10, "1.0E10");
    check_print(1e6, "1000000.0");
    check_print(1e7, "1.0E7");
    check_print(9999999, "9999999.0");
    check_print(12345678.9, "1.23456789E7");
    check_print(0.001, "0.001");
    check_print(0.0001, "1.0E-4");
    check_print(0.1 + 0.2, "0.30000000000000004");
    check_print(100.0 / 3, "33.333333333333336");
    check_print(4.9e-324, "4.9E-324");
    check_print(9.9e-324, "9.9E-324");
    check_print(2e-323, "2.0E-323");
    check_print(2.2250738585072014e-308, "2.2250738585072014E-308");
    check_print(1.7976931348623157e308, "1.7976931348623157E308");
    check_print(1e23, "1.0E23");
    check_print(2e-3, "0.002");
    check_print(0.00123456, "0.00123456");
    check_print(123456.789, "123456.789");
    check_print(9007199254740993.0, "9.007199254740992E15");
    check_print((double)NAN, "NaN");
    check_print(-(double)NAN, "NaN");
    check_print((double)INFINITY, "Infinity");
    check_print(-(double)INFINITY, "-Infinity");
}

/* Digits of a printed number, without point, leading and trailing zeros. */
static int significant(const char *s)
{
    int n = 0, zeros = 0;

    for (; *s && *s != 'E'; s++) {
        if (*s < '0' || *s > '9' || (n == 0 && *s == '0'))
            continue;
        n++;
        zeros = *s == '0' ? zeros + 1 : 0;
    }
    return n - zeros;
}

/* Where Double.toString is known to print more digits than needed: whole numbers from 2^53, powers
 * of two. */
static bool prints_extra_digits(double v)
{
    int exponent;

    return frexp(fabs(v), &exponent) == 0.5 || (fabs(v) >= 0x1p53 && fabs(v) < 0x1p63);
}

ML_TEST(print_double_keeps_the_digits_of_long_integers_and_powers_of_two)
{
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0x1p62, "4.6116860184273879E18"},
        {0x1p61, "2.305843009213694E18"},
        {51545151381470752.0, "5.1545151381470752E16"},
        {3018985613807962112.0, "3.0189856138079621E18"},
        {2192375944707913470.0, "2.19237594470791347E18"},
        {0x1p53, "9.007199254740992E15"},
        {0x1p63, "9.223372036854776E18"},
        {1e16, "1.0E16"},
        {0x1p-175, "2.0880974297595278E-53"},
        {2e99, "2.0E99"},
        {1234.56, "1234.56"},
        {9999999.999999, "9999999.999999"},
        {0.001, "0.001"},
        {0.0000005, "5.0E-7"},
    };
    char buf[NUM_BUFFER];

    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        num_print_double(buf, rows[k].v);
        assert_string_equal(buf, rows[k].text);
    }
}

static void check_shortest(double v)
{
    char buf[NUM_BUFFER], shorter[64];
    const size_t length = num_print_double(buf, v);
    const int n = significant(buf);

    if (length >= NUM_BUFFER || !same_bits(strtod(buf, NULL), v))
        fail_msg("%a printed as %s does not come back", v, buf);
    if (n > 2 && !prints_extra_digits(v)) {
        snprintf(shorter, sizeof shorter, "%.*e", n - 2, v);
        if (same_bits(strtod(shorter, NULL), v))
            fail_msg("%a printed as %s, but %s would do", v, buf, shorter);
        snprintf(shorter, sizeof shorter, "%.*e", n - 1,
                 v); /* correctly rounded, so closest if it comes back */
        if (same_bits(strtod(shorter, NULL), v)) {
            char ours[64];

            snprintf(ours, sizeof ours, "%.*e", n - 1, strtod(buf, NULL));
            assert_string_equal(ours, shorter);
        }
    }
}

ML_TEST(print_double_is_shortest_and_round_trips)
{
    uint64_t seed = 3;

    for (int i = 0; i < 100000; i++) {
        check_shortest(random_double(&seed));
        check_shortest((double)(next_random(&seed) % 1000000) / 1000);
        check_shortest((double)(int64_t)next_random(&seed) * 0x1p-63);
    }
    for (int e = -1074; e < 1024; e++) {
        check_shortest(ldexp(1, e));
        check_shortest(nextafter(ldexp(1, e), 0));
        check_shortest(nextafter(ldexp(1, e), INFINITY));
    }
}

ML_TEST(print_float_is_shortest_for_floats)
{
    char buf[NUM_BUFFER];
    uint64_t seed = 4;

    num_print_float(buf, 0.1f);
    assert_string_equal(buf, "0.1");
    num_print_float(buf, 16777216.0f);
    assert_string_equal(buf, "1.6777216E7");
    num_print_float(buf, 1.4e-45f);
    assert_string_equal(buf, "1.4E-45");
    num_print_float(buf, 3.4028235e38f);
    assert_string_equal(buf, "3.4028235E38");
    for (int i = 0; i < 100000; i++) {
        const uint32_t bits = (uint32_t)next_random(&seed);
        float v;

        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        num_print_float(buf, v);
        if (strtof(buf, NULL) != v)
            fail_msg("%a printed as %s", (double)v, buf);
    }
}

ML_TEST(print_int64_at_the_limits)
{
    char buf[NUM_BUFFER];

    num_print_int64(buf, INT64_MIN);
    assert_string_equal(buf, "-9223372036854775808");
    num_print_int64(buf, INT64_MAX);
    assert_string_equal(buf, "9223372036854775807");
    num_print_int64(buf, 0);
    assert_string_equal(buf, "0");
    for (int64_t v = 1; v > 0 && v < INT64_MAX / 10; v *= 10) {
        char want[32];

        for (int64_t d = -1; d <= 1; d++) {
            snprintf(want, sizeof want, "%" PRId64, v + d);
            assert_int_equal(num_print_int64(buf, v + d), strlen(want));
            assert_string_equal(buf, want);
        }
    }
}

static void check_fixed(double v, int decimals, const char *want)
{
    char buf[64];

    assert_int_equal(num_print_fixed(buf, sizeof buf, v, decimals), strlen(want));
    assert_string_equal(buf, want);
}

ML_TEST(print_fixed_follows_the_language)
{
    check_fixed(1, 3, "1.000");
    check_fixed(1e10, 3, "10000000000.000");
    check_fixed(1e-10, 3, "0.000");
    check_fixed(-0.0005, 3, "-0.000");
    check_fixed(0.0005, 3, "0.000");
    check_fixed(0.005, 2, "0.01");
    check_fixed(0.05, 1, "0.1");
    check_fixed(0.5, 0, "0");
    check_fixed(0.0025, 3, "0.003");
    check_fixed(0.0055, 3, "0.005");
    check_fixed(2.5, 0, "2");
    check_fixed(3.5, 0, "4");
    check_fixed(9.9999, 3, "10.000");
    check_fixed(-0.0, 3, "0.000");
    check_fixed((double)NAN, 3, "NaN");
    check_fixed(-(double)INFINITY, 3, "-Infinity");
    check_fixed(0, 0, "0");
    check_fixed(0.1, 20, "0.10000000000000000000");
    check_fixed(0x1p63, 3, "9223372036854776000.000");
    check_fixed(123456789.123456789, 9, "123456789.123456790");
    check_fixed(123, -1, "123");
    check_fixed(1e22, 1, "10000000000000000000000.0");
}

ML_TEST(print_fixed_truncates_and_counts)
{
    char buf[5] = "zzzz";

    assert_int_equal(num_print_fixed(buf, sizeof buf, 1234.5, 3), 8);
    assert_string_equal(buf, "1234");
    assert_int_equal(num_print_fixed(NULL, 0, 1e308, 2000), 309 + 2001);
}

/* The shortest form, found by trial, as fixed-point text; false when it has more fraction digits.
 */
static bool padded_shortest(double v, int decimals, char *out)
{
    char text[40];
    int n = 0, exponent;

    while (snprintf(text, sizeof text, "%.*e", n, fabs(v)), strtod(text, NULL) != fabs(v))
        n++;
    exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    text[1] = text[0]; /* the digits, without their point */
    if (v < 0)
        *out++ = '-';
    for (int k = exponent < 0 ? exponent : 0; k <= exponent + decimals; k++) {
        if (k == exponent + 1)
            *out++ = '.';
        if (k >= 0 || k >= exponent)
            *out++ = k >= 0 && k <= n ? text[k + 1] : '0';
    }
    *out = 0;
    return n - exponent <= decimals;
}

ML_TEST(print_fixed_agrees_with_printf_beyond_the_shortest_form)
{
    uint64_t seed = 5;
    char got[2000], want[2000];

    for (int i = 0; i < 50000; i++) {
        const int decimals = (int)(next_random(&seed) % (i % 100 ? 12 : 1200));
        const double v =
            i % 4 ? ldexp((double)(int64_t)next_random(&seed), -(int)(next_random(&seed) % 90))
                  : random_double(&seed);

        if (fabs(v) >= 0x1p53 && fabs(v) < 0x1p63)
            continue; /* whole numbers with a form of their own */
        if (!padded_shortest(v, decimals, want))
            snprintf(want, sizeof want, "%.*f", decimals, v);
        num_print_fixed(got, sizeof got, v, decimals);
        assert_string_equal(got, want);
    }
}
