/* Distribution functions against reference values, quantiles against the functions they invert, and
 * the digits that scripts of other engines print. */
#include "kernel_case.h"

#include <math.h>
#include <string.h>

typedef struct Point {
    const char *name;
    double x, a, b, value;
} Point;

/* Made by test/reference/distributions.py. */
static const Point points[] = {
    {"pnorm", -20, 0, 1, 2.7536241186062337e-89},
    {"pnorm", -8, 0, 1, 6.2209605742717841e-16},
    {"pnorm", -3.3, 0, 1, 4.8342414238377751e-4},
    {"pnorm", -1.5, 0, 1, 6.6807201268858066e-2},
    {"pnorm", -0.5, 0, 1, 3.085375387259869e-1},
    {"pnorm", 0.1, 0, 1, 5.3982783727702898e-1},
    {"pnorm", 1.96, 0, 1, 9.7500210485177956e-1},
    {"pnorm", 3, 0, 1, 9.9865010196836991e-1},
    {"pt", -50, 1, 0, 6.3653491009727967e-3},
    {"pt", -4, 1, 0, 7.7979130377369325e-2},
    {"pt", -1.5, 1, 0, 1.8716704181099882e-1},
    {"pt", -0.25, 1, 0, 4.2202086962263067e-1},
    {"pt", 0.5, 1, 0, 6.4758361765043327e-1},
    {"pt", 2, 1, 0, 8.5241638234956673e-1},
    {"pt", 6, 1, 0, 9.4743154328874657e-1},
    {"pchisq", 0.01, 1, 0, 7.9655674554057964e-2},
    {"pchisq", 0.5, 1, 0, 5.2049987781304654e-1},
    {"pchisq", 3, 1, 0, 9.167354833364496e-1},
    {"pchisq", 12, 1, 0, 9.9946799449486075e-1},
    {"pchisq", 80, 1, 0, 1.0},
    {"pt", -50, 2.5, 0, 4.0652475424793604e-5},
    {"pt", -4, 2.5, 0, 1.9506487920659123e-2},
    {"pt", -1.5, 2.5, 0, 1.2391822654314813e-1},
    {"pt", -0.25, 2.5, 0, 4.108403005626516e-1},
    {"pt", 0.5, 2.5, 0, 6.7115104006514266e-1},
    {"pt", 2, 2.5, 0, 9.2130425212101701e-1},
    {"pt", 6, 2.5, 0, 9.9235913505723855e-1},
    {"pchisq", 0.01, 2.5, 0, 1.1702413714030097e-3},
    {"pchisq", 0.5, 2.5, 0, 1.3611637154141116e-1},
    {"pchisq", 3, 2.5, 0, 6.9415037055418209e-1},
    {"pchisq", 12, 2.5, 0, 9.9555929486878595e-1},
    {"pchisq", 80, 2.5, 0, 9.9999999999999999e-1},
    {"pt", -50, 5, 0, 3.0238788133006126e-8},
    {"pt", -4, 5, 0, 5.1617077404157269e-3},
    {"pt", -1.5, 5, 0, 9.6951840121236716e-2},
    {"pt", -0.25, 5, 0, 4.0626706537206168e-1},
    {"pt", 0.5, 5, 0, 6.808505641795355e-1},
    {"pt", 2, 5, 0, 9.4903026058507082e-1},
    {"pt", 6, 5, 0, 9.9907693085520299e-1},
    {"pchisq", 0.01, 5, 0, 5.3002700426865172e-7},
    {"pchisq", 0.5, 5, 0, 7.8767067673704078e-3},
    {"pchisq", 3, 5, 0, 3.0001416412137249e-1},
    {"pchisq", 12, 5, 0, 9.6521221949375815e-1},
    {"pchisq", 80, 5, 0, 9.9999999999999916e-1},
    {"pt", -50, 30, 0, 9.3577088296113563e-31},
    {"pt", -4, 30, 0, 1.9092281804187842e-4},
    {"pt", -1.5, 30, 0, 7.2032964564323001e-2},
    {"pt", -0.25, 30, 0, 4.0214570454028755e-1},
    {"pt", 0.5, 30, 0, 6.8963849755743636e-1},
    {"pt", 2, 30, 0, 9.7268747751850845e-1},
    {"pt", 6, 30, 0, 9.9999930286156164e-1},
    {"pchisq", 0.01, 30, 0, 2.3228155099299179e-47},
    {"pchisq", 0.5, 30, 0, 5.6345587204509912e-22},
    {"pchisq", 3, 30, 0, 8.2397223675908074e-11},
    {"pchisq", 12, 30, 0, 1.4003538333618949e-3},
    {"pchisq", 80, 30, 0, 9.9999802437675651e-1},
    {"pt", -50, 200, 0, 2.7102877398912428e-115},
    {"pt", -4, 200, 0, 4.4565476092967193e-5},
    {"pt", -1.5, 200, 0, 6.7595660613517482e-2},
    {"pt", -0.25, 200, 0, 4.0142197568103219e-1},
    {"pt", 0.5, 200, 0, 6.9118762384176966e-1},
    {"pt", 2, 200, 0, 9.7657340690646451e-1},
    {"pt", 6, 200, 0, 9.9999999544243983e-1},
    {"pchisq", 0.5, 200, 0, 5.2059487067099019e-219},
    {"pchisq", 3, 200, 0, 9.8668347332467011e-142},
    {"pchisq", 12, 200, 0, 1.8447406586713153e-83},
    {"pchisq", 80, 200, 0, 1.2062542053086513e-15},
    {"pf", 0.05, 1, 1, 1.4004869609310203e-1},
    {"pf", 0.5, 1, 1, 3.9182655203060727e-1},
    {"pf", 1, 1, 1, 5.0e-1},
    {"pf", 2.5, 1, 1, 6.409829640286239e-1},
    {"pf", 9, 1, 1, 7.9516723530086655e-1},
    {"pf", 0.05, 2, 10, 4.8534312393251208e-2},
    {"pf", 0.5, 2, 10, 3.7907867694084483e-1},
    {"pf", 1, 2, 10, 5.9812242798353909e-1},
    {"pf", 2.5, 2, 10, 8.6831275720164609e-1},
    {"pf", 9, 2, 10, 9.9418954899744154e-1},
    {"pf", 0.05, 4.5, 3, 4.7776178497570833e-3},
    {"pf", 0.5, 4.5, 3, 2.4344392581475806e-1},
    {"pf", 1, 4.5, 3, 4.7127149378516065e-1},
    {"pf", 2.5, 4.5, 3, 7.6024366931093175e-1},
    {"pf", 9, 4.5, 3, 9.4954792353906022e-1},
    {"pf", 0.05, 24, 300, 3.8462712848464981e-12},
    {"pf", 0.5, 24, 300, 2.2357471786826183e-2},
    {"pf", 1, 24, 300, 5.3402434363810198e-1},
    {"pf", 2.5, 24, 300, 9.9981363999322535e-1},
    {"pf", 9, 24, 300, 1.0},
    {"pf", 0.05, 150, 40, 1.08889804055776e-42},
    {"pf", 0.5, 150, 40, 1.5017975086846397e-3},
    {"pf", 1, 150, 40, 4.8059295415932639e-1},
    {"pf", 2.5, 150, 40, 9.9943705952535308e-1},
    {"pf", 9, 150, 40, 9.9999999999736511e-1},
};

static double lower_tail(const char *name, double x, double a, double b)
{
    if (strcmp(name, "pnorm") == 0)
        return CASE_NUMBER(pnorm, value_double(x), value_double(a), value_double(b));
    if (strcmp(name, "pt") == 0)
        return CASE_NUMBER(pt, value_double(x), value_double(a));
    if (strcmp(name, "pchisq") == 0)
        return CASE_NUMBER(pchisq, value_double(x), value_double(a));
    return CASE_NUMBER(pf, value_double(x), value_double(a), value_double(b));
}

ML_TEST(distribution_functions_have_the_reference_values)
{
    for (size_t k = 0; k < sizeof points / sizeof *points; k++) {
        const Point *p = &points[k];

        assert_close(lower_tail(p->name, p->x, p->a, p->b), p->value,
                     p->value < 1e-50 ? 1e-13 : 2e-14);
    }
}

ML_TEST(distributions_print_the_digits_of_the_language_reference)
{
    assert_close(CASE_NUMBER(pnorm, value_double(1.96)), 0.9750021048517796, 0);
    assert_close(CASE_NUMBER(pnorm, value_double(0)), 0.5, 0);
    assert_close(CASE_NUMBER(pnorm, value_double(1), value_none(), value_none(), value_bool(false)),
                 0.15865525393145696, 0);
    assert_close(CASE_NUMBER(qnorm, value_double(0.975)), 1.959963984540054, 0);
    assert_close(CASE_NUMBER(pt, value_double(2), value_double(5)), 0.9490302605850709, 0);
    assert_close(CASE_NUMBER(pchisq, value_double(3), value_double(2)), 0.7768698398515697, 0);
    assert_close(CASE_NUMBER(pf, value_double(2), value_double(3), value_double(10)),
                 0.8219925926248239, 0);
    assert_close(CASE_NUMBER(qf, value_double(0.95), value_double(2), value_double(10)),
                 4.102821014781166, 0);
    assert_close(CASE_NUMBER(pexp, value_double(1), value_double(2)), 0.8646647167633873, 0);
    assert_close(CASE_NUMBER(qexp, value_double(0.5), value_double(2)), 0.34657359027997264, 0);
    assert_close(CASE_NUMBER(cdf, value_double(1.96), case_text("normal")), 0.9750021048517796, 0);
}

ML_TEST(quantiles_invert_their_distributions)
{
    static const double ps[] = {1e-200, 1e-12, 0.001, 0.1, 0.3, 0.5, 0.8, 0.99, 0.999999};

    for (size_t k = 0; k < sizeof ps / sizeof *ps; k++) {
        const double p = ps[k];
        double x = CASE_NUMBER(qnorm, value_double(p), value_double(3), value_double(2));

        assert_close(lower_tail("pnorm", x, 3, 2), p, p < 1e-100 ? 1e-12 : 1e-13);
        for (double df = 1; df < 50; df *= 2.5) {
            x = CASE_NUMBER(qt, value_double(p), value_double(df));
            assert_close(lower_tail("pt", x, df, 0), p, p < 1e-100 ? 1e-6 : 1e-8);
            if (p < 1e-100)
                continue; /* the quantiles would be 0 */
            x = CASE_NUMBER(qchisq, value_double(p), value_double(df));
            assert_close(lower_tail("pchisq", x, df, 0), p, 1e-7);
            x = CASE_NUMBER(qf, value_double(p), value_double(df), value_double(7));
            assert_close(lower_tail("pf", x, df, 7), p, 1e-7);
        }
    }
}

ML_TEST(upper_tails_are_one_minus_the_lower_and_keep_their_digits_far_out)
{
    const Value none = value_none(), upper = value_bool(false);

    assert_close(CASE_NUMBER(pnorm, value_double(9), none, none, upper), 1.1285884059538407e-19,
                 1e-14);
    assert_close(CASE_NUMBER(pexp, value_double(50), value_double(2), upper), 3.720075976020836e-44,
                 1e-14);
    assert_close(CASE_NUMBER(pt, value_double(1), value_double(1), upper), 0.25, 1e-15);
    assert_close(CASE_NUMBER(pchisq, value_double(100), value_double(2), upper),
                 1.9287498479639178e-22, 1e-14);
}

ML_TEST(distributions_end_at_the_ends_of_their_range)
{
    const Value inf = value_double(INFINITY), three = value_double(3), two = value_double(2);

    assert_close(CASE_NUMBER(pnorm, inf), 1, 0);
    assert_close(CASE_NUMBER(pnorm, value_double(-INFINITY)), 0, 0);
    assert_close(CASE_NUMBER(pt, inf, three), 1, 0);
    assert_close(CASE_NUMBER(pchisq, inf, three), 1, 0);
    assert_close(CASE_NUMBER(pf, inf, three, two), 1, 0);
    assert_close(CASE_NUMBER(pf, value_double(-1), three, two), 0, 0);
    assert_close(CASE_NUMBER(pexp, value_double(-1)), 0, 0);
    assert_close(CASE_NUMBER(qnorm, value_double(0)), -INFINITY, 0);
    assert_close(CASE_NUMBER(qt, value_double(1), three), INFINITY, 0);
    assert_close(CASE_NUMBER(qt, value_double(0.5), three), 0, 0);
    assert_close(CASE_NUMBER(qchisq, value_double(0), three), 0, 0);
    assert_close(CASE_NUMBER(qf, value_double(1), three, two), INFINITY, 0);
    assert_close(CASE_NUMBER(pnorm, value_double(NAN)), NAN, 0);
    assert_close(CASE_NUMBER(pt, value_double(NAN), three), NAN, 0);
    assert_close(CASE_NUMBER(pchisq, value_double(NAN), three), NAN, 0);
    assert_close(CASE_NUMBER(pf, value_double(NAN), three, two), NAN, 0);
    assert_close(CASE_NUMBER(pexp, value_double(NAN)), NAN, 0);
    assert_close(CASE_NUMBER(qt, value_double(NAN), three), NAN, 0);
}

ML_TEST(distributions_reject_parameters_outside_their_domain)
{
    const Value one = value_double(1), zero = value_double(0), none = value_none();

    CASE_FAILS(pnorm, ML_EVALUE, one, zero, zero);
    CASE_FAILS(pt, ML_EVALUE, one, zero);
    CASE_FAILS(pf, ML_EVALUE, one, one, value_double(-1));
    CASE_FAILS(pchisq, ML_EVALUE, one, zero);
    CASE_FAILS(pexp, ML_EVALUE, one, zero);
    CASE_FAILS(qnorm, ML_EVALUE, value_double(1.5));
    CASE_FAILS(qexp, ML_EVALUE, value_double(-0.1));
    CASE_FAILS(cdf, ML_EVALUE, one, case_text("foo"));
    CASE_FAILS(cdf, ML_EVALUE, one, case_text("t"), none, none, none);
    CASE_FAILS(icdf, ML_EVALUE, value_double(0.5), case_text("f"), none, none, none, one);
}

static double value_of(OpCode op, KernelFn kernel, double x, double a, double b)
{
    return case_number(
        case_run(op, kernel, (Value[]){value_double(x), value_double(a), value_double(b)}, 3));
}

ML_TEST(many_degrees_of_freedom_lead_to_the_limits)
{
    static const double huge[] = {1e16, 1e20, 1e300, INFINITY};
    const double phi = 0.84134474606854294859, chisq3 = 0.88838977490528755;

    for (size_t k = 0; k < sizeof huge / sizeof *huge; k++) {
        assert_close(value_of(OP_pt, ml_k_pt, 1, huge[k], 1), phi, 1e-14);
        assert_close(value_of(OP_pt, ml_k_pt, -1, huge[k], 1), 1 - phi, 1e-14);
        assert_close(value_of(OP_pf, ml_k_pf, 2, 3, huge[k]), chisq3, 1e-13);
        assert_close(value_of(OP_pf, ml_k_pf, 0.5, huge[k], 3), 1 - chisq3, 1e-12);
        assert_close(value_of(OP_pf, ml_k_pf, 1, huge[k], huge[k]), 0.5, 0);
        assert_close(case_number(CASE_RUN(qt, value_double(0.9), value_double(huge[k]))),
                     1.2815515655446004, 1e-9);
    }
    assert_close(case_number(CASE_RUN(pchisq, value_double(1), value_double(INFINITY))), 0, 0);
    assert_close(case_number(CASE_RUN(qchisq, value_double(0.5), value_double(INFINITY))), INFINITY,
                 0);
}

/* At the mean the chi-squared distribution function is 1/2 + 1 / (3 sqrt(pi df)) + O(df^-1.5). */
ML_TEST(chi_squared_with_many_degrees_of_freedom_is_half_at_its_mean)
{
    static const double dfs[] = {1e8, 1.9e8, 2.1e8, 1e12, 1e20};

    for (size_t k = 0; k < sizeof dfs / sizeof *dfs; k++) {
        const double rest = 1 / (3 * sqrt(M_PI * dfs[k]));
        const Value lower = CASE_RUN(pchisq, value_double(dfs[k]), value_double(dfs[k]));

        assert_close(case_number(lower), 0.5 + rest, 1e-11);
        assert_close(value_of(OP_pchisq, ml_k_pchisq, dfs[k], dfs[k], 0), 0.5 - rest, 1e-11);
    }
}
