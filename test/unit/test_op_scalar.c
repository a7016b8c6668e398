/* Scalars under the operators: typing, overflow, text, rounding; what the language prints of each.
 */
#include "kernel_case.h"

#include <math.h>
#include <string.h>

#include "op/op.h"

static Value text(const char *s)
{
    return case_text(s);
}

/* What print shows of f(in); the operands are released. */
static void check_printed(ScalarFn f, Value a, Value b, Value c, const char *want)
{
    const Value in[3] = {a, b, c};
    const int nin = c.dt ? 3 : b.dt ? 2 : 1;
    Value out = value_none();
    Buffer shown = {0};

    assert_ok(f(test_ctx(), in, nin, &out));
    scalar_print(&shown, out);
    assert_string_equal(shown.data, want);
    buffer_free(&shown);
    value_release(out);
    for (int k = 0; k < nin; k++)
        value_release(in[k]);
}

static void prints1(ScalarFn f, Value a, const char *want)
{
    check_printed(f, a, value_none(), value_none(), want);
}

static void prints2(ScalarFn f, Value a, Value b, const char *want)
{
    check_printed(f, a, b, value_none(), want);
}

static void rejects2(ScalarFn f, Value a, Value b, ml_status code)
{
    const Value in[2] = {a, b};
    Value out = value_none();

    assert_int_equal(f(test_ctx(), in, 2, &out), code);
    value_release(a);
    value_release(b);
}

#define I value_int
#define D value_double
#define B value_bool

ML_TEST(scalar_sums_keep_integers_and_wrap)
{
    prints2(s_add, I(1), I(2), "3");
    prints2(s_add, I(INT64_MAX), I(1), "-9223372036854775808");
    prints2(s_sub, I(INT64_MIN), I(1), "9223372036854775807");
    prints2(s_add, I(1), D(2), "3.0");
    prints2(s_add, B(true), B(true), "2.0");
    prints2(s_add, B(true), I(1), "2");
    prints2(s_sub, B(true), D(0.5), "0.5");
    prints1(s_neg, I(5), "-5");
    prints1(s_neg, D(0), "-0.0");
    prints1(s_plus, B(true), "1");
}

ML_TEST(scalar_products_of_integers_go_through_double)
{
    prints2(s_mul, I(3000000000), I(3000000000), "9000000000000000000");
    prints2(s_mul, I(2147483647), I(2147483647), "4611686014132420608");
    prints2(s_mul, I(0), I(-1), "0");
    rejects2(s_mul, I(INT64_MAX), I(2), ML_EVALUE);
    rejects2(s_mul, I(INT64_MAX), I(-2), ML_EVALUE);
}

ML_TEST(scalar_quotients_and_powers_are_doubles)
{
    prints2(s_div, I(4), I(2), "2.0");
    prints2(s_div, I(1), I(0), "Infinity");
    prints2(s_div, I(0), I(0), "NaN");
    prints2(s_pow, I(2), I(3), "8.0");
    prints2(s_pow, I(2), I(-1), "0.5");
    prints2(s_pow, I(0), I(0), "1.0");
    prints2(s_pow, I(2), D(0.5), "1.4142135623730951");
}

ML_TEST(scalar_integer_quotients_cut_towards_zero)
{
    prints2(s_intdiv, I(-7), I(2), "-3");
    prints2(s_intdiv, D(-7.5), I(2), "-3.0");
    prints2(s_intdiv, D(-0.5), I(1), "0.0");
    prints2(s_intdiv, D(5), I(0), "Infinity");
    prints2(s_intdiv, D(1e20), I(3), "9.223372036854776E18");
    prints2(s_intdiv, I(0), I(0), "0");
    rejects2(s_intdiv, I(5), I(0), ML_EVALUE);
    rejects2(s_intdiv, I(INT64_MIN), I(-1), ML_EVALUE);
    prints2(s_mod, I(-7), I(2), "-1");
    prints2(s_mod, I(7), I(-2), "1");
    prints2(s_mod, D(-7.5), I(2), "-1.5");
    prints2(s_mod, I(7), D(2.5), "2.0");
    prints2(s_mod, I(5), I(0), "0");
    prints2(s_mod, D(5), I(0), "NaN");
    prints2(s_mod, I(5), D(INFINITY), "NaN");
    prints2(s_mod, I(INT64_MIN), I(-1), "0");
}

ML_TEST(scalar_plus_joins_text_and_other_arithmetic_rejects_it)
{
    prints2(s_add, text("a"), I(1), "a1");
    prints2(s_add, D(1.0 / 3), text("x"), "0.3333333333333333x");
    prints2(s_add, text("x"), B(true), "xTRUE");
    prints2(s_add, text(""), text(""), "");
    rejects2(s_mul, text("a"), I(2), ML_ETYPE);
    rejects2(s_sub, text("5"), I(2), ML_ETYPE);
    rejects2(s_and, text("TRUE"), B(true), ML_ETYPE);
}

ML_TEST(scalar_comparisons_are_exact_on_integers_and_textual_beside_text)
{
    prints2(s_lt, I(INT64_MAX - 1), I(INT64_MAX), "TRUE");
    prints2(s_eq, I(1), D(1), "TRUE");
    prints2(s_lt, I(1), B(true), "FALSE");
    prints2(s_eq, B(true), I(1), "TRUE");
    prints2(s_lt, text("10"), text("9"), "TRUE");
    prints2(s_eq, I(1), text("1"), "TRUE");
    prints2(s_eq, D(1), text("1"), "FALSE");
    prints2(s_ge, text("ab"), text("a"), "TRUE");
    prints2(s_eq, D(NAN), D(NAN), "FALSE");
    prints2(s_ne, D(NAN), D(NAN), "TRUE");
    prints2(s_le, D(NAN), I(1), "FALSE");
}

/* U+1F600 is D83D DE00 in UTF-16, so it sorts before U+FFFD though its code point is greater. */
ML_TEST(scalar_text_sorts_by_utf16_units)
{
    prints2(s_lt, text("\xF0\x9F\x98\x80"), text("\xEF\xBF\xBD"), "TRUE");
    prints2(s_gt, text("\xEF\xBF\xBD"), text("\xF0\x9F\x98\x80"), "TRUE");
    prints2(s_gt, text("\xF0\x9F\x98\x80"), text("\xED\x9F\xBF"), "TRUE");
}

ML_TEST(scalar_logic_takes_any_nonzero_number_for_true)
{
    prints2(s_and, I(1), I(2), "TRUE");
    prints2(s_or, I(0), D(0), "FALSE");
    prints2(s_and, D(NAN), B(true), "TRUE");
    prints2(s_xor, B(true), I(7), "FALSE");
    prints1(s_not, I(0), "TRUE");
    prints1(s_not, D(0.5), "FALSE");
}

ML_TEST(scalar_extremes_keep_two_integers)
{
    const Value three[3] = {I(3), I(1), I(2)};
    Value out;

    prints2(s_min, I(1), I(2), "1");
    prints2(s_max, I(1), I(2), "2");
    prints2(s_max, I(1), D(2.5), "2.5");
    prints2(s_max, I(1), D(NAN), "NaN");
    prints2(s_min, D(0), D(-0.0), "-0.0");
    assert_ok(s_min(test_ctx(), three, 3, &out));
    assert_int_equal(out.vt, VT_DOUBLE);
    assert_true(out.d == 1);
}

ML_TEST(scalar_functions_follow_the_language)
{
    prints1(s_abs, I(-7), "7");
    prints1(s_abs, D(-3.5), "3.5");
    prints1(s_round, D(2.5), "3.0");
    prints1(s_round, D(-2.5), "-2.0");
    prints1(s_round, D(-0.4), "0.0");
    prints1(s_round, D(NAN), "0.0");
    prints1(s_floor, D(-2.5), "-3.0");
    prints1(s_sign, I(-3), "-1.0");
    prints1(s_sqrt, I(16), "4.0");
    prints1(s_log, I(10), "2.302585092994046");
    prints2(s_log, I(8), I(2), "3");
    prints2(s_log, I(9), I(2), "3.1699250014423126");
    prints2(s_log, D(10), D(3), "2.095903274289385");
    prints1(s_sin, D(3.141592653589793), "1.2246467991473532E-16");
    prints1(s_is_nan, D(NAN), "1.0");
    prints2(s_bit_and, I(12), I(10), "8");
    prints2(s_bit_xor, I(-1), I(5), "-6");
    prints2(s_shift_r, I(-17), I(1), "-9");
    prints2(s_bit_and, D(12.7), I(10), "8.0");
}

ML_TEST(scalar_ifelse_gives_the_common_type)
{
    check_printed(s_ifelse, B(false), I(1), D(2.5), "2.5");
    check_printed(s_ifelse, B(true), I(1), D(2.5), "1.0");
    check_printed(s_ifelse, B(true), I(1), I(2), "1");
    check_printed(s_ifelse, I(2), B(true), B(false), "TRUE");
    check_printed(s_ifelse, B(false), text("a"), I(2), "2");
}
