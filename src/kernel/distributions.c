/* distributions: distribution functions and quantiles of the normal, t, chi-squared, F and
 * exponential distributions.
 *
 * Each is a row of `laws`: how to read its parameters, both tails, and how to invert it.  A tail is
 * computed by itself where 1 minus the other would lose digits.  Quantiles of t, chi-squared and F
 * are found by Brent's method (Brent 1973, ch. 4) from a bracket by Chebyshev's inequality, to 1e-9
 * absolute: users compare these digits with other engines that stop there too.  Where 1e-9 shows in
 * the first nine digits of the quantile, it is found by halving instead. */
#include "kernel/kernel.h"
#include "kernel/special.h"

#include <math.h>
#include <string.h>

typedef struct Law {
    const char *name;
    /* Parameters a, b: names, defaults (NAN: required), and what is said when one is not positive.
     */
    const char *params[2];
    double defaults[2];
    bool positive[2];
    const char *complaint;
    double (*lower)(double x, double a, double b);
    double (*upper)(double x, double a, double b);
    double (*quantile)(const struct Law *law, double p, double a, double b);
    double support;                         /* its lower end: 0 or -Infinity */
    double (*mean)(double a, double b);     /* NAN when there is none */
    double (*variance)(double a, double b); /* likewise */
} Law;

/* ---- tails ---- */

static const double sqrt_half = 0.70710678118654752440, sqrt_half_rest = -4.8336466567264567e-17;
static const double density_at_0 = 0.39894228040143267794;

/* P(Z > z): what rounding z / sqrt(2) drops is put back, as it costs digits far out. */
static double normal_tail(double z)
{
    const double y = z * sqrt_half, rest = fma(z, sqrt_half, -y) + z * sqrt_half_rest;
    const double slope = isfinite(y) ? M_2_SQRTPI * exp(-y * y) : 0;

    return 0.5 * (erfc(y) - slope * (isfinite(rest) ? rest : 0));
}

static double normal_lower(double x, double mean, double sd)
{
    const double z = (x - mean) / sd;

    return z < 0 ? normal_tail(-z) : 0.5 * (1 + erf(z * sqrt_half));
}

static double normal_upper(double x, double mean, double sd)
{
    return normal_lower(mean - (x - mean), mean, sd);
}

/* P(T > t) where t^2 is too large for a double: the first term of the series. */
static double t_far_tail(double t, double df)
{
    const double a = 0.5 * df, log_x = log(df) - 2 * log(t);
    int sign;

    return 0.5 * exp(a * log_x - log(a) - lgamma_r(a, &sign) - lgamma_r(0.5, &sign) +
                     lgamma_r(a + 0.5, &sign));
}

/* From here on, infinity included, degrees of freedom leave no more than the limit: of t the normal
 * distribution of a t pulled in a little, of F a chi-squared one. */
static const double t_limit = 1e8, f_limit = 1e12;

static double t_lower(double t, double df, double b)
{
    const double tt = t * t, sum = df + tt;
    double tail;

    (void)b;
    if (t == 0)
        return 0.5;
    if (df >= t_limit && (isinf(df) || !isinf(tt)))
        return normal_lower(t * (1 - 0.25 / df) / sqrt(1 + 0.5 * tt / df), 0, 1);
    tail =
        isinf(tt) ? t_far_tail(fabs(t), df) : 0.5 * beta_lower(df / sum, tt / sum, 0.5 * df, 0.5);
    return t < 0 ? tail : 1 - tail;
}

static double t_upper(double t, double df, double b)
{
    return t_lower(-t, df, b);
}

static double chisq_lower(double x, double df, double b)
{
    (void)b;
    return gamma_lower(df / 2, x / 2);
}

static double chisq_upper(double x, double df, double b)
{
    (void)b;
    return gamma_upper(df / 2, x / 2);
}

/* Both large: log(x) is normal. */
static double f_large(double x, double df1, double df2)
{
    return x == 1 ? 0.5 : normal_lower(log(x) / sqrt(2 / df1 + 2 / df2), 0, 1);
}

static double f_lower(double x, double df1, double df2)
{
    const double nx = df1 * x, sum = df2 + nx;

    if (!(x > 0))
        return isnan(x) ? x : 0;
    if (df1 >= f_limit && df2 >= f_limit)
        return f_large(x, df1, df2);
    if (df1 >= f_limit || df2 >= f_limit)
        return df1 < df2 ? chisq_lower(nx, df1, 0) : chisq_upper(df2 / x, df2, 0);
    return isinf(nx) ? 1 : beta_lower(nx / sum, df2 / sum, 0.5 * df1, 0.5 * df2);
}

static double f_upper(double x, double df1, double df2)
{
    const double nx = df1 * x, sum = df2 + nx;

    if (!(x > 0))
        return isnan(x) ? x : 1;
    if (df1 >= f_limit && df2 >= f_limit)
        return f_large(1 / x, df1, df2);
    if (df1 >= f_limit || df2 >= f_limit)
        return df1 < df2 ? chisq_upper(nx, df1, 0) : chisq_lower(df2 / x, df2, 0);
    return isinf(nx) ? 0 : beta_lower(df2 / sum, nx / sum, 0.5 * df2, 0.5 * df1);
}

static double exp_lower(double x, double rate, double b)
{
    (void)b;
    return x <= 0 ? 0 : -expm1(-x * rate);
}

static double exp_upper(double x, double rate, double b)
{
    (void)b;
    return x <= 0 ? 1 : exp(-x * rate);
}

/* ---- moments ---- */

static double t_mean(double df, double b)
{
    (void)b;
    return df > 1 ? 0 : NAN;
}

static double t_variance(double df, double b)
{
    (void)b;
    return df > 2 ? df / (df - 2) : NAN;
}

static double chisq_mean(double df, double b)
{
    (void)b;
    return df;
}

static double chisq_variance(double df, double b)
{
    (void)b;
    return 2 * df;
}

static double f_mean(double df1, double df2)
{
    (void)df1;
    return df2 > 2 ? df2 / (df2 - 2) : NAN;
}

static double f_variance(double df1, double df2)
{
    const double d = df2 - 2;

    return df2 > 4 ? 2 * (df2 * df2) * (df1 + df2 - 2) / (df1 * (d * d) * (df2 - 4)) : NAN;
}

/* ---- quantiles ---- */

/* Upper quantile of the standard normal for a tail q <= 0.5: an approximation (Abramowitz and
 * Stegun 26.2.22), then Halley steps on the tail itself. */
static double normal_tail_quantile(double q)
{
    const double t = sqrt(-2 * log(q));
    double z = t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t));

    for (int k = 0; k < 4; k++) {
        const double step = (normal_tail(z) - q) / (density_at_0 * exp(-0.5 * z * z));

        z += step / (1 - 0.5 * z * step);
    }
    return z;
}

static double normal_quantile(const Law *law, double p, double mean, double sd)
{
    (void)law;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    if (p == 0.5)
        return mean;
    /* The upper half is scaled as sqrt(2) erfinv(2p - 1) is: the last digit as in printed tables.
     */
    if (p > 0.5)
        return mean + sd * (M_SQRT2 * (sqrt_half * normal_tail_quantile(1 - p)));
    return mean - sd * normal_tail_quantile(p);
}

static double exp_quantile(const Law *law, double p, double rate, double b)
{
    (void)law;
    (void)b;
    return p == 1 ? INFINITY : p == 0 ? 0 : -log1p(-p) / rate;
}

/* What has its root at the quantile. */
typedef struct Target {
    const Law *law;
    double p, a, b;
} Target;

static double miss(const Target *t, double x)
{
    return t->law->lower(x, t->a, t->b) - t->p;
}

/* The state of Brent's method: b the best point, a the one before, c across the root. */
typedef struct Bracket {
    double a, fa, b, fb, c, fc, step, last_step;
} Bracket;

/* Secant or inverse quadratic interpolation when it promises enough, else halving. */
static void brent_step(Bracket *s, double tolerance, double middle)
{
    const double ratio = s->fb / s->fa;
    double p, q, before;

    if (fabs(s->last_step) < tolerance || fabs(s->fa) <= fabs(s->fb)) {
        s->step = s->last_step = middle;
        return;
    }
    if (s->a == s->c) {
        p = 2 * middle * ratio;
        q = 1 - ratio;
    } else {
        const double u = s->fa / s->fc, v = s->fb / s->fc;

        p = ratio * (2 * middle * u * (u - v) - (s->b - s->a) * (v - 1));
        q = (u - 1) * (v - 1) * (ratio - 1);
    }
    q = p > 0 ? -q : q;
    p = fabs(p);
    before = s->last_step;
    s->last_step = s->step;
    if (p >= 1.5 * middle * q - fabs(tolerance * q) || p >= fabs(0.5 * before * q))
        s->step = s->last_step = middle;
    else
        s->step = p / q;
}

static void swap_best(Bracket *s)
{
    if (fabs(s->fc) < fabs(s->fb)) {
        s->a = s->b;
        s->b = s->c;
        s->c = s->a;
        s->fa = s->fb;
        s->fb = s->fc;
        s->fc = s->fa;
    }
}

static double brent(const Target *t, double lo, double hi, double flo, double fhi)
{
    Bracket s = {lo, flo, hi, fhi, lo, flo, hi - lo, hi - lo};

    for (int k = 0; k < 1000; k++) {
        double tolerance, middle;

        swap_best(&s);
        tolerance = 2e-14 * fabs(s.b) + 1e-9;
        middle = 0.5 * (s.c - s.b);
        if (fabs(middle) <= tolerance || s.fb == 0)
            break;
        brent_step(&s, tolerance, middle);
        s.a = s.b;
        s.fa = s.fb;
        s.b += fabs(s.step) > tolerance ? s.step : copysign(tolerance, middle);
        s.fb = miss(t, s.b);
        if ((s.fb > 0) == (s.fc > 0)) {
            s.c = s.a;
            s.fc = s.fa;
            s.step = s.last_step = s.b - s.a;
        }
    }
    return s.b;
}

/* The root in [lo, hi], looked for on the side of the middle where it is. */
static double find_root(const Target *t, double lo, double hi)
{
    const double middle = lo + 0.5 * (hi - lo), f = miss(t, middle), good = 1e-15;
    double end;

    if (fabs(f) <= good)
        return middle;
    end = miss(t, lo);
    if (fabs(end) <= good)
        return lo;
    if ((f < 0) != (end < 0))
        return brent(t, lo, middle, end, f);
    end = miss(t, hi);
    return fabs(end) <= good ? hi : brent(t, middle, hi, f, end);
}

/* By how much |x| = e^s is too small, judged by the smaller tail, which has all its digits. */
static double tail_miss(const Target *t, double s)
{
    const bool low = t->p < 0.5, negative = low && isinf(t->law->support);
    const double x = negative ? -exp(s) : exp(s);
    const double tail =
        low ? t->law->lower(x, t->a, t->b) - t->p : t->law->upper(x, t->a, t->b) - (1 - t->p);

    return low && !negative ? -tail : tail;
}

/* Does the quantile differ from x, as a share of it, by less than 1e-9?  Then its logarithm does,
 * too. */
static bool is_close(const Target *t, double x)
{
    const double margin = 0.99e-9, s = log(fabs(x));

    return (x < 0) == (t->p < 0.5 && isinf(t->law->support)) &&
           (tail_miss(t, s - margin) > 0) != (tail_miss(t, s + margin) > 0);
}

/* x, unless the bracket's 1e-9 shows in its first nine digits: then by halving in log |x|. */
static double refine(const Target *t, double x)
{
    double lo = -745, hi = 709;

    if (is_close(t, x))
        return x;
    while (hi - lo > 1e-15 * fabs(lo) + 1e-16) {
        const double middle = 0.5 * (lo + hi);

        if (middle <= lo || middle >= hi)
            break;
        if (tail_miss(t, middle) > 0)
            lo = middle;
        else
            hi = middle;
    }
    lo = t->p < 0.5 && isinf(t->law->support) ? -exp(hi) : exp(hi);
    return fabs(lo - x) <= 1e-9 * fabs(lo) ? x : lo;
}

static double inverse(const Law *law, double p, double a, double b)
{
    const Target t = {law, p, a, b};
    const double mean = law->mean(a, b), sd = sqrt(law->variance(a, b));
    const bool chebyshev = isfinite(mean) && isfinite(sd);
    double lo = law->support, hi;

    if (p == 0 || p == 1)
        return p == 0 ? law->support : INFINITY;
    if (isinf(lo) && p == 0.5)
        return 0;
    if (isinf(lo))
        for (lo = chebyshev ? mean - sd * sqrt((1 - p) / p) : -1; !chebyshev && miss(&t, lo) >= 0;)
            lo *= 2;
    for (hi = chebyshev ? mean + sd * sqrt(p / (1 - p)) : 1; !chebyshev && miss(&t, hi) < 0;)
        hi *= 2;
    return refine(&t, find_root(&t, lo, hi));
}

static double chisq_quantile(const Law *law, double p, double df, double b)
{
    return isinf(df) ? (p > 0 ? df : 0) : inverse(law, p, df, b);
}

/* ---- the laws ---- */

static const Law laws[] = {
    {"normal",
     {"mean", "sd"},
     {0, 1},
     {false, true},
     "standard deviation",
     normal_lower,
     normal_upper,
     normal_quantile,
     -INFINITY,
     NULL,
     NULL},
    {"t",
     {"df", NULL},
     {NAN, 0},
     {true, false},
     "degrees of freedom",
     t_lower,
     t_upper,
     inverse,
     -INFINITY,
     t_mean,
     t_variance},
    {"chisq",
     {"df", NULL},
     {NAN, 0},
     {true, false},
     "degrees of freedom",
     chisq_lower,
     chisq_upper,
     chisq_quantile,
     0,
     chisq_mean,
     chisq_variance},
    {"f",
     {"df1", "df2"},
     {NAN, NAN},
     {true, true},
     "degrees of freedom",
     f_lower,
     f_upper,
     inverse,
     0,
     f_mean,
     f_variance},
    {"exp",
     {"rate", NULL},
     {1, 0},
     {true, false},
     "rate",
     exp_lower,
     exp_upper,
     exp_quantile,
     0,
     NULL,
     NULL},
};

static ml_status law_named(Ctx *ctx, const char *name, const Law **law)
{
    for (size_t k = 0; k < sizeof laws / sizeof *laws; k++)
        if (strcmp(laws[k].name, name) == 0) {
            *law = &laws[k];
            return ML_OK;
        }
    return fail(ctx, ML_EVALUE,
                "expected dist to be \"normal\", \"t\", \"chisq\", \"f\" or \"exp\", found \"%s\"",
                name);
}

/* ---- kernels ---- */

/* Position of the parameter of this name that the call has, or -1. */
static int parameter(const OpCall *call, const char *name)
{
    for (int k = 0; k < op_nargs(call->op); k++)
        if (strcmp(call->op->args[k].name, name) == 0)
            return call_has(call, k) ? k : -1;
    return -1;
}

static ml_status read_parameters(Ctx *ctx, const OpCall *call, const Law *law, double v[2])
{
    for (int k = 0; k < 2; k++) {
        const int at = law->params[k] ? parameter(call, law->params[k]) : -1;

        v[k] = law->defaults[k];
        if (at >= 0)
            TRY(call_double(ctx, call, at, &v[k]));
        else if (isnan(v[k]))
            return fail(ctx, ML_EVALUE, "distribution %s: the parameter %s (%s) must be given",
                        law->name, law->params[k], law->complaint);
        if (law->positive[k] && !(v[k] > 0))
            return fail(ctx, ML_EVALUE, "distribution %s: the %s must be positive, found %s=%s",
                        law->name, law->complaint, law->params[k], NUM_SHOW(v[k]));
    }
    return ML_OK;
}

static ml_status probability(Ctx *ctx, OpCall *call, const Law *law)
{
    const int tail = parameter(call, "lower.tail");
    double x = 0, v[2], p;
    bool lower = true;

    TRY(call_double(ctx, call, 0, &x));
    TRY(read_parameters(ctx, call, law, v));
    if (tail >= 0)
        TRY(call_bool(ctx, call, tail, &lower));
    p = law->lower(x, v[0], v[1]);
    if (!lower)
        p = p > 0.99 ? law->upper(x, v[0], v[1]) : 1 - p;
    call->out[0] = value_double(p);
    return ML_OK;
}

static ml_status quantile_of(Ctx *ctx, OpCall *call, const Law *law)
{
    double p = 0, v[2];

    TRY(call_double(ctx, call, 0, &p));
    TRY(read_parameters(ctx, call, law, v));
    if (p < 0 || p > 1)
        return fail(ctx, ML_EVALUE, "distribution %s: the probability %s is out of [0, 1] range",
                    law->name, NUM_SHOW(p));
    call->out[0] = value_double(isnan(p) ? p : law->quantile(law, p, v[0], v[1]));
    return ML_OK;
}

typedef ml_status (*LawFn)(Ctx *ctx, OpCall *call, const Law *law);

static ml_status with_law(Ctx *ctx, OpCall *call, const char *name, LawFn fn)
{
    const Law *law = NULL;

    if (!name)
        TRY(call_text(ctx, call, 1, &name));
    TRY(law_named(ctx, name, &law));
    return fn(ctx, call, law);
}

#define KERNEL(kernel, law, fn)                                                                    \
    ml_status ml_k_##kernel(Ctx *ctx, OpCall *call)                                                \
    {                                                                                              \
        return with_law(ctx, call, law, fn);                                                       \
    }

KERNEL(cdf, NULL, probability)
KERNEL(icdf, NULL, quantile_of)
KERNEL(pnorm, "normal", probability)
KERNEL(qnorm, "normal", quantile_of)
KERNEL(pt, "t", probability)
KERNEL(qt, "t", quantile_of)
KERNEL(pf, "f", probability)
KERNEL(qf, "f", quantile_of)
KERNEL(pchisq, "chisq", probability)
KERNEL(qchisq, "chisq", quantile_of)
KERNEL(pexp, "exp", probability)
KERNEL(qexp, "exp", quantile_of)
