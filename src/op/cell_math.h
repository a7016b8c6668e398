/* The transcendental cell functions, inline for the loops of the kernels: exp, log, powers,
 * hyperbolic functions (this file), sine, cosine, tangent and their inverses (cell_trig.h).
 *
 * As in cell.h, every function is a fixed sequence of IEEE operations and selects, without branches
 * or tables. Products are fused with sums only where cell_fma says so. So scalars, tails of arrays,
 * vectors of any width and the machine code of pipelines (kernel/jit/functions.c, which must be
 * changed along) agree to the last bit on every machine. Where the instruction set has no fused
 * operation, the C library computes it: the same digits, slowly.
 *
 * Method: reduce the argument, evaluate a polynomial, put the result back together with the
 * rounding errors of the large terms kept (Dekker, "A floating-point technique for extending the
 * available precision", 1971). Polynomials are Chebyshev approximations computed in 300 bits.
 * Errors: below 0.8 units in the last place for exp, log and powers, below 1.2 for the others;
 * tests compare with the C library. */
#ifndef OP_CELL_MATH_H
#define OP_CELL_MATH_H

#include "op/cell.h"

/* A number as the unevaluated sum of two. */
typedef struct Pair {
    double hi, lo;
} Pair;

/* a * b + c, rounded once. */
static inline double cell_fma(double a, double b, double c)
{
    return __builtin_fma(a, b, c);
}

/* a + b with its error, for |a| >= |b| or a = 0. */
static inline Pair pair_fast_sum(double a, double b)
{
    const double s = a + b;

    return (Pair){s, b - (s - a)};
}

/* a + b with its error. */
static inline Pair pair_sum(double a, double b)
{
    const double s = a + b, t = s - a;

    return (Pair){s, (a - (s - t)) + (b - t)};
}

/* The upper 26 bits, rounded, so that the rest has 26 as well. */
static inline double cell_upper(double x)
{
    const uint64_t half = UINT64_C(1) << 26;

    return cell_from_bits((cell_bits(x) + half) & ~(2 * half - 1));
}

/* a * b with its error, which is a double unless it underflows: so it does not matter whether it is
 * found by a fused operation or by multiplying halves. */
static inline Pair pair_product(double a, double b)
{
    const double p = a * b;
#ifdef __FMA__
    return (Pair){p, __builtin_fma(a, b, -p)};
#else
    const double ah = cell_upper(a), bh = cell_upper(b), al = a - ah, bl = b - bh;

    return (Pair){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
#endif
}

/* (n.hi + n.lo) / (d.hi + d.lo) as a pair; one division, whose error what is left over corrects. */
static inline Pair pair_quotient(Pair n, Pair d)
{
    const double inverse = 1 / d.hi, q = n.hi * inverse;
    const Pair back = pair_product(q, d.hi);

    return pair_fast_sum(q, (((n.hi - back.hi) - back.lo) + n.lo - q * d.lo) * inverse);
}

/* c0 + c1 z + c2 z^2 + c3 z^3, and with eight coefficients: by halves, so that the processor finds
 * work to do at once. */
static inline double cell_poly4(double z, double z2, double c0, double c1, double c2, double c3)
{
    return (c0 + c1 * z) + (c2 + c3 * z) * z2;
}

static inline double cell_poly8(double z, double c0, double c1, double c2, double c3, double c4,
                                double c5, double c6, double c7)
{
    const double z2 = z * z;

    return cell_poly4(z, z2, c0, c1, c2, c3) + cell_poly4(z, z2, c4, c5, c6, c7) * (z2 * z2);
}

/* The same with fused operations. */
static inline double cell_terms8(const double *c, double z)
{
    const double z2 = z * z;
    const double c0 = cell_fma(c[1], z, c[0]), c2 = cell_fma(c[3], z, c[2]);
    const double c4 = cell_fma(c[5], z, c[4]), c6 = cell_fma(c[7], z, c[6]);

    return cell_fma(cell_fma(cell_fma(c6, z2, c4), z2, c2), z2, c0);
}

/* Adding this and taking it away rounds to the nearest integer; in between, the integer is in the
 * low bits. */
#define CELL_SHIFTER 0x1.8p52

/* 2^k for |k| <= 1022, and 0 for -1023, where kd + CELL_SHIFTER holds the integer. */
static inline double cell_exp2_int(double kd)
{
    return cell_from_bits((cell_bits(kd + CELL_SHIFTER) << 52) + UINT64_C(0x3FF0000000000000));
}

/* y * 2^k by two factors, so that only the last product can leave the normal range. */
static inline double cell_scale(double y, double kd)
{
    const double half = (kd * 0.5 + CELL_SHIFTER) - CELL_SHIFTER;

    return y * cell_exp2_int(half) * cell_exp2_int(kd - half);
}

/* ---- exponential ---- */

/* x = k ln 2 + r, where ln 2 = CELL_LN2_HI + CELL_LN2_LO and k CELL_LN2_HI is exact. */
#define CELL_LN2_HI 0x1.62e42feep-1
#define CELL_LN2_LO 0x1.a39ef35793c76p-33
#define CELL_LOG2_E 0x1.71547652b82fep+0

/* (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2. */
static const double cell_exp_terms[11] = {
    0x1p-1,
    0x1.5555555555557p-3,
    0x1.5555555555556p-5,
    0x1.11111111100dep-7,
    0x1.6c16c16c162d6p-10,
    0x1.a01a01abe683ap-13,
    0x1.a01a01a6d7b19p-16,
    0x1.71de02364614ap-19,
    0x1.27e4db6718a69p-22,
    0x1.af4ddfbb33a59p-26,
    0x1.1f72fdb6c6442p-29,
};

/* k, the multiple of ln 2 that is nearest to x, within +-1500. */
static inline double cell_exp_multiple(double x)
{
    return cell_fma(x, CELL_LOG2_E, CELL_SHIFTER) - CELL_SHIFTER;
}

/* What is left of x, exactly, but for k CELL_LN2_LO. */
static inline double cell_exp_left(double x, double k)
{
    return cell_fma(-k, CELL_LN2_HI, x);
}

/* exp(left - k CELL_LN2_LO) - 1 - left + start. */
static inline double cell_exp_rest(double left, double k, double start)
{
    const double *c = cell_exp_terms;
    const double r = cell_fma(-k, CELL_LN2_LO, left), r2 = r * r, r4 = r2 * r2;
    const double c0 = cell_fma(c[1], r, c[0]), c2 = cell_fma(c[3], r, c[2]);
    const double c4 = cell_fma(c[5], r, c[4]), c6 = cell_fma(c[7], r, c[6]);
    const double c8 = cell_fma(c[10], r2, cell_fma(c[9], r, c[8]));
    const double low = cell_fma(c2, r2, c0), high = cell_fma(c8, r4, cell_fma(c6, r2, c4));

    return cell_fma(r2, cell_fma(high, r4, low), cell_fma(-k, CELL_LN2_LO, start));
}

/* Beyond these the result is infinite or 0 all the same.  What would be 0 by rounding takes a
 * hundred cycles; CELL_EXP_NOTHING makes both factors of cell_scale 0 instead. */
#define CELL_EXP_TOP 711
#define CELL_EXP_BOTTOM -746
#define CELL_EXP_NOTHING -1418

static inline double cell_exp_clamp(double x)
{
    const double high = CELL_EXP_TOP < x ? CELL_EXP_TOP : x;

    return high < CELL_EXP_BOTTOM ? CELL_EXP_NOTHING : high;
}

static inline double cell_exp(double x)
{
    const double in = cell_exp_clamp(x), k = cell_exp_multiple(in), left = cell_exp_left(in, k);
    const Pair one = pair_fast_sum(1, left);

    return cell_scale(one.hi + cell_exp_rest(left, k, one.lo), k);
}

/* exp(x + x_lo); beyond the range infinite or zero. */
static inline double cell_exp_pair(double x, double x_lo)
{
    const double in = cell_exp_clamp(x), more = in == x ? x_lo : 0;
    const double k = cell_exp_multiple(in), left = cell_exp_left(in, k);
    const Pair one = pair_fast_sum(1, left);

    return cell_scale(one.hi + cell_exp_rest(left + more, k, one.lo + more), k);
}

/* ---- hyperbolic functions ---- */

/* scale (1 + left + rest) - 1 as a pair, scale >= 1 a power of two. */
static inline Pair cell_exp_minus_one(double scale, double left, double rest)
{
    const Pair sum = pair_fast_sum(scale - 1, scale * left);

    return pair_fast_sum(sum.hi, cell_fma(scale, rest, sum.lo));
}

/* exp(a) for a >= 0 in two forms: exp(a) - 1 as a pair, of use up to 40; and half of exp(a), of use
 * beyond, where exp(-a) does not count beside it. */
typedef struct ExpForms {
    Pair minus_one;
    double half;
} ExpForms;

static inline ExpForms cell_exp_forms(double a)
{
    const double in = CELL_EXP_TOP < a ? CELL_EXP_TOP : a;
    const double k = cell_exp_multiple(in), left = cell_exp_left(in, k);
    const double rest = cell_exp_rest(left, k, 0), scale = cell_exp2_int(60 < k ? 60 : k);
    const Pair one = pair_fast_sum(1, left);

    return (ExpForms){cell_exp_minus_one(scale, left, rest),
                      cell_scale(one.hi + (one.lo + rest), k - 1)};
}

#define CELL_LARGE 40

/* With e = exp(a) - 1: (e + e / (e + 1)) / 2. */
static inline double cell_sinh(double x)
{
    const double a = fabs(x);
    const ExpForms f = cell_exp_forms(a);
    const Pair e = f.minus_one, one = pair_sum(1, e.hi);
    const Pair q = pair_quotient(e, (Pair){one.hi, one.lo + e.lo}), sum = pair_sum(e.hi, q.hi);
    const double small = 0.5 * (sum.hi + (sum.lo + e.lo + q.lo));

    return copysign(a > CELL_LARGE ? f.half : small, x);
}

/* With e as above: ((e + 1) + 1 / (e + 1)) / 2. */
static inline double cell_cosh(double x)
{
    const double a = fabs(x);
    const ExpForms f = cell_exp_forms(a);
    const Pair e = f.minus_one, one = pair_sum(1, e.hi), p = {one.hi, one.lo + e.lo};
    const Pair q = pair_quotient((Pair){1, 0}, p), sum = pair_sum(p.hi, q.hi);

    return a > CELL_LARGE ? f.half : 0.5 * (sum.hi + (sum.lo + p.lo + q.lo));
}

/* With e = exp(2a) - 1: e / (e + 2), one division whose error what is left over corrects. */
static inline double cell_tanh(double x)
{
    const double a = fabs(x), near = CELL_LARGE / 2 < a ? CELL_LARGE / 2 : a, twice = near + near;
    const double k = cell_exp_multiple(twice), left = cell_exp_left(twice, k);
    const Pair e = cell_exp_minus_one(cell_exp2_int(k), left, cell_exp_rest(left, k, 0));
    const double d = e.hi + 2, most = 2 < e.hi ? e.hi : 2, least = 2 < e.hi ? 2 : e.hi;
    const double d_lo = least - (d - most), inverse = 1 / d, q = e.hi * inverse;
    const double back = cell_fma(-q, d_lo, cell_fma(-q, d, e.hi)) + cell_fma(-q, e.lo, e.lo);

    return copysign(cell_fma(back, inverse, q), x);
}

/* ---- logarithm ---- */

/* A positive finite x as m 2^k, m in [sqrt(1/2), sqrt(2)). */
static inline double cell_split(double x, double *k)
{
    const uint64_t root = UINT64_C(0x3FE6A09E667F3BCD), one = UINT64_C(0x3FF0000000000000);
    const double tiny = x < 0x1p-1022 ? 54.0 : 0.0;
    const uint64_t bits = cell_bits(x < 0x1p-1022 ? x * 0x1p54 : x) + (one - root);

    *k = cell_from_bits(bits >> 52 | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023) - tiny;
    return cell_from_bits((bits & UINT64_C(0x000FFFFFFFFFFFFF)) + root);
}

/* (log(1 + f) - f + f^2/2) / s - f^2/2 as s^2 times a polynomial in s^2, where s = f / (2 + f). */
static const double cell_log_terms[8] = {
    0x1.5555555555555p-1, 0x1.9999999999a38p-2, 0x1.2492492476ba1p-2, 0x1.c71c72017a15cp-3,
    0x1.745cf8f6c9119p-3, 0x1.3b1c38474d3eep-3, 0x1.0fbe478772696p-3, 0x1.0c06cf14c641bp-3,
};

/* f^2/2 is kept in two parts. */
static inline double cell_log(double x)
{
    double k;
    const double f = cell_split(x, &k) - 1, s = f / (2 + f), z = s * s;
    const double half_f = 0.5 * f, half = half_f * f, half_lo = cell_fma(half_f, f, -half);
    const Pair a = pair_fast_sum(f, -half), b = pair_fast_sum(k * CELL_LN2_HI, a.hi);
    const double p = cell_terms8(cell_log_terms, z);
    const double rest = cell_fma(s, cell_fma(z, p, half), -half_lo);
    const double r = b.hi + (cell_fma(k, CELL_LN2_LO, b.lo + a.lo) + rest);
    const double finite = x > 0x1.fffffffffffffp1023 ? x : r;

    return x > 0 ? finite : x == 0 ? -HUGE_VAL : NAN;
}

static inline double cell_log_base(double x, double base)
{
    return cell_log(x) / cell_log(base);
}

/* ---- powers ---- */

/* W below. */
static const double cell_pow_terms[8] = {
    0x1.2492492492491p-2, 0x1.c71c71c71cfdep-3, 0x1.745d174512f5ep-3, 0x1.3b13b1bcae4fap-3,
    0x1.1110df9bb9145p-3, 0x1.e1f80050fe02dp-4, 0x1.ac4a0689e4f11p-4, 0x1.b8d8d83f51283p-4,
};

/* log of a positive finite x as a pair, relative error about 2^-65: 2 s + s z (2/3 + z (2/5 + z
 * W)), where everything but the last product is kept in two parts. */
static inline Pair cell_log_pair(double x)
{
    double k;
    const double m = cell_split(x, &k), most = m > 1 ? m : 1, least = 1 < m ? 1 : m;
    const Pair s = pair_quotient((Pair){m - 1, 0}, pair_fast_sum(most, least));
    const Pair zz = pair_product(s.hi, s.hi);
    const double z = zz.hi, z_lo = cell_fma(s.hi + s.hi, s.lo, zz.lo);
    const double w = z * cell_fma(z, cell_terms8(cell_pow_terms, z), 0x1.999999999999ap-2);
    const Pair c = pair_fast_sum(0x1.5555555555555p-1, w), t = pair_product(s.hi, z);
    const Pair u = pair_product(t.hi, c.hi);
    const double t_lo = cell_fma(s.lo, z, cell_fma(s.hi, z_lo, t.lo));
    const double u_lo = cell_fma(t_lo, c.hi, cell_fma(t.hi, c.lo + 0x1.5555555555555p-55, u.lo));
    const Pair a = pair_fast_sum(s.hi + s.hi, u.hi), b = pair_fast_sum(k * CELL_LN2_HI, a.hi);
    const double rest = cell_fma(k, CELL_LN2_LO, a.lo + (s.lo + s.lo + u_lo));

    return pair_fast_sum(b.hi, b.lo + rest);
}

/* Powers go in three steps, which the loops run one after the other: log |x|, |x|^y, the special
 * cases. */

static inline Pair cell_pow_log(double x)
{
    const double a = fabs(x);

    return cell_log_pair(a > 0 && a < HUGE_VAL ? a : 1.0);
}

/* exp(y l).  Beyond 2^65 an exponent cannot matter, and products stay finite. */
static inline double cell_pow_exp(Pair l, double y)
{
    const double top = 0x1p65 < y ? 0x1p65 : y, in = -0x1p65 > top ? -0x1p65 : top;
    const Pair p = pair_product(l.hi, in);

    return cell_exp_pair(p.hi, cell_fma(l.lo, in, p.lo));
}

/* C's pow, but NaN for 1^NaN and (+-1)^(+-Inf).  A square is a product. */
static inline double cell_pow_cases(double x, double y, double power)
{
    const double a = fabs(x), whole = floor(y), half = floor(0.5 * y);
    const double odd = whole == y && 2 * half != y ? 1.0 : 0.0;
    const double edge = (a > 1) == (y > 0) ? HUGE_VAL : 0.0; /* of 0 and infinity */
    double r = a > 0 && a < HUGE_VAL ? power : edge;

    r = a == 1 && fabs(y) == HUGE_VAL ? NAN : r;
    r = x < 0 && a < HUGE_VAL && whole != y ? NAN : r;
    r = odd > 0 ? copysign(r, x) : r;
    r = x == x && y == y ? r : NAN;
    r = y == 0 ? 1 : r;
    return y == 2 ? x * x : r;
}

static inline double cell_pow(double x, double y)
{
    return cell_pow_cases(x, y, cell_pow_exp(cell_pow_log(x), y));
}

#include "op/cell_trig.h"

#endif
