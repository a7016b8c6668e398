/* special: regularized incomplete gamma and beta functions.
 *
 * Sources: DLMF 8.11.4 (series of P), 8.9.2 (continued fraction of Q), 8.17.22 (continued fraction
 * of I), evaluated from the front by Lentz's method in Thompson and Barnett's form.  The factor
 * before them is computed from logarithms where these are small and cancel little, else from
 * Stirling's series and deviances (Loader, "Fast and accurate computation of binomial
 * probabilities", 2000). Accuracy: a few units in the 15th digit where the result is not below
 * 1e-100. Cost: about 10 steps, growing with the square root of a and b near the mean; for a beyond
 * 1e8 the gamma function takes Temme's expansion instead (DLMF 8.12.3, 8.12.4). */
#include "kernel/special.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum { STEPS = 1000000 };

static const double tiny = 1e-50;

/* For a (or a + b) below this the factor comes from logarithms, and series and fractions stop where
 * the digits that other engines print come from. */
static const double small_below = 12;

static const double half_log_2pi = 0.91893853320467274178;

static double precision(double a)
{
    return a < small_below ? 1e-14 : 4e-16;
}

/* Gamma(a) for small a: from an exact product for multiples of 1/2, which halved degrees of freedom
 * are, where tgamma is off by a digit on some machines. */
static double small_gamma(double a)
{
    double product = 1;

    if (2 * a != floor(2 * a) || a < 0.5)
        return tgamma(a);
    while (a > 1) {
        a -= 1;
        product *= a;
    }
    return a < 1 ? product * 1.7724538509055160273 : product;
}

static double log_gamma(double a)
{
    int sign;

    return lgamma_r(a, &sign);
}

/* u - log(ratio) with ratio = 1 + u, without cancellation around 0. */
static double deviance(double u, double ratio)
{
    double term = u * u, sum = 0;

    if (fabs(u) > 0.1)
        return u - log(ratio);
    for (int k = 2; k < 40 && fabs(term) > 1e-19 * fabs(sum); k++) {
        sum += (k % 2 ? -term : term) / k;
        term *= u;
    }
    return sum;
}

/* log Gamma(a) minus Stirling's formula. */
static double stirling_rest(double a)
{
    const double r = 1 / (a * a);

    if (a < 15)
        return log_gamma(a) - ((a - 0.5) * log(a) - a + half_log_2pi);
    return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / a;
}

/* One continued fraction: b0 + a1/(b1 + a2/(b2 + ...)), terms by number. */
typedef struct Fraction {
    double a, b, x;
    void (*term)(const struct Fraction *f, int64_t n, double *an, double *bn);
} Fraction;

static double nonzero(double v)
{
    return fabs(v) < tiny ? tiny : v;
}

static double fraction_value(const Fraction *f, double first, double enough)
{
    double h = nonzero(first), c = h, d = 0, delta = 0, an, bn;

    for (int64_t n = 1; n < STEPS && !(fabs(delta - 1) < enough); n++) {
        f->term(f, n, &an, &bn);
        d = 1 / nonzero(bn + an * d);
        c = nonzero(bn + an / c);
        delta = c * d;
        h *= delta;
    }
    return h;
}

/* ---- gamma ---- */

/* x^a e^-x / Gamma(a) */
static double gamma_factor(double a, double x)
{
    if (a < small_below && a > 1e-3)
        return exp(-x + a * log(x) - log(small_gamma(a)));
    return sqrt(a) * exp(-a * deviance((x - a) / a, x / a) - stirling_rest(a) - half_log_2pi);
}

static double gamma_series(double a, double x)
{
    const double enough = precision(a);
    double term = 1 / a, sum = term;

    for (int64_t n = 1; n < STEPS && fabs(term / sum) > enough; n++) {
        term *= x / (a + (double)n);
        sum += term;
    }
    return gamma_factor(a, x) * sum;
}

static void gamma_term(const Fraction *f, int64_t n, double *an, double *bn)
{
    *an = (double)n * (f->a - (double)n);
    *bn = 2.0 * (double)n + 1.0 - f->a + f->x;
}

static double gamma_fraction(double a, double x)
{
    const Fraction f = {.a = a, .x = x, .term = gamma_term};

    return gamma_factor(a, x) / fraction_value(&f, 1.0 - a + x, precision(a));
}

/* From here on the first term of the expansion is all there is to it. */
static const double large_from = 1e8;

/* P, or with sign -1 Q, for a large a, possibly infinite.  Away from eta = 0 one is 0, the other 1.
 */
static double gamma_large(double a, double x, double sign)
{
    const double u = (x - a) / a;
    const double eta = isinf(a) ? -1 : copysign(sqrt(2 * deviance(u, x / a)), u);
    double rest;

    if (fabs(eta) > 0.1)
        return eta * sign > 0;
    rest = -1.0 / 3 + eta * (1.0 / 12 - eta * (2.0 / 135 - eta / 864));
    rest *= exp(-0.5 * a * eta * eta - half_log_2pi) / sqrt(a);
    return 0.5 * erfc(-sign * eta * sqrt(0.5 * a)) - sign * rest;
}

double gamma_lower(double a, double x)
{
    if (!(x > 0))
        return isnan(x) ? x : 0;
    if (isinf(x))
        return 1;
    if (a >= large_from)
        return gamma_large(a, x, 1);
    return x < a + 1 ? gamma_series(a, x) : 1 - gamma_fraction(a, x);
}

double gamma_upper(double a, double x)
{
    if (!(x > 0))
        return isnan(x) ? x : 1;
    if (isinf(x))
        return 0;
    if (a >= large_from)
        return gamma_large(a, x, -1);
    return x < a + 1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
}

/* ---- beta ---- */

/* x^a y^b / (a B(a, b)) */
static double beta_factor(double x, double y, double a, double b)
{
    const double n = a + b, p = a / n, q = b / n, d = x < y ? x - p : q - y;
    const double log_y = y < 0.1 ? log(y) : log1p(-x), log_x = y < 0.1 ? log1p(-y) : log(x);

    if (n < small_below && a > 1e-3 && b > 1e-3)
        return exp(a * log_x + b * log_y - log(a) -
                   log(small_gamma(a) * small_gamma(b) / small_gamma(n)));
    return sqrt(b / (a * n)) *
           exp(-a * deviance(d / p, x / p) - b * deviance(-d / q, y / q) - stirling_rest(a) -
               stirling_rest(b) + stirling_rest(n) - half_log_2pi);
}

static void beta_term(const Fraction *f, int64_t n, double *an, double *bn)
{
    const double a = f->a, b = f->b, m = (double)(n / 2);

    *bn = 1;
    if (n % 2 == 0)
        *an = m * (b - m) * f->x / ((a + 2 * m - 1) * (a + 2 * m));
    else
        *an = -((a + m) * (a + b + m) * f->x) / ((a + 2 * m) * (a + 2 * m + 1));
}

double beta_lower(double x, double y, double a, double b)
{
    const Fraction f = {.a = a, .b = b, .x = x, .term = beta_term};

    if (!(x > 0 && y > 0))
        return isnan(x) || isnan(y) ? NAN : x > 0;
    if (x > (a + 1) / (2 + b + a) && y <= (b + 1) / (2 + b + a))
        return 1 - beta_lower(y, x, b, a);
    return beta_factor(x, y, a, b) / fraction_value(&f, 1, precision(a + b));
}
