/* exp, log and hyperbolic functions as steps: operation by operation what op/cell_math.h does, so
 * that the digits are the same.  Where AVX-512 has one instruction for several that give the same
 * result, it is taken. */
#include "kernel/jit/pairs.h"

#include "op/cell_math.h"

/* ---- powers of two ---- */

static Ref shifted(Steps *s, Ref k)
{
    return add(s, k, number(s, CELL_SHIFTER));
}

/* cell_exp2_int, given k + CELL_SHIFTER. */
static Ref exp2_of(Steps *s, Ref k_shifted)
{
    const Ref up = step(s, S_SHL, 52, k_shifted, NONE, NONE, NONE);

    return step2(s, S_ADDQ, up, step_bits(s, UINT64_C(0x3FF0000000000000)));
}

Ref scale(Steps *s, Ref y, Ref k)
{
    Ref half, first, second;

    if (s->evex)
        return step2(s, S_SCALE, y, k);
    half = sub(s, shifted(s, mul(s, k, number(s, 0.5))), number(s, CELL_SHIFTER));
    first = exp2_of(s, shifted(s, half));
    second = exp2_of(s, shifted(s, sub(s, k, half)));
    return mul(s, mul(s, y, first), second);
}

/* ---- exponential ---- */

Ref exp_multiple(Steps *s, Ref x)
{
    const Ref shifter = number(s, CELL_SHIFTER);

    return sub(s, fma3(s, x, number(s, CELL_LOG2_E), shifter), shifter);
}

Ref exp_left(Steps *s, Ref x, Ref k)
{
    return fnma3(s, k, number(s, CELL_LN2_HI), x);
}

Ref exp_rest(Steps *s, Ref left, Ref k, Ref start)
{
    const double *c = cell_exp_terms;
    const Ref lo = number(s, CELL_LN2_LO), r = fnma3(s, k, lo, left);
    const Ref r2 = mul(s, r, r), r4 = mul(s, r2, r2);
    const Ref c8 = fma3(s, r2, number(s, c[10]), two_terms(s, c + 8, r));
    const Ref c4 = fma3(s, two_terms(s, c + 6, r), r2, two_terms(s, c + 4, r));
    const Ref high = fma3(s, c8, r4, c4);
    const Ref low = fma3(s, two_terms(s, c + 2, r), r2, two_terms(s, c, r));
    const Ref whole = fma3(s, high, r4, low);
    const Ref begin = start == NONE ? mul(s, k, number(s, -CELL_LN2_LO)) : fnma3(s, k, lo, start);

    return fma3(s, whole, r2, begin);
}

/* vscalefpd is fast too where a result would be 0, but only from about 2^-8000 on. */
#define FAR_BELOW -1e5

Ref exp_clamp(Steps *s, Ref x)
{
    const Ref high = step2(s, S_MIN, number(s, CELL_EXP_TOP), x);

    return step_select(s, IS_LT, high, number(s, CELL_EXP_BOTTOM),
                       number(s, s->evex ? FAR_BELOW : CELL_EXP_NOTHING), high);
}

Ref step_exp(Steps *s, Ref x)
{
    const Ref in = exp_clamp(s, x), k = exp_multiple(s, in), left = exp_left(s, in, k);
    const RefPair one = fast_sum(s, number(s, 1), left);

    return scale(s, add(s, one.hi, exp_rest(s, left, k, one.lo)), k);
}

/* ---- hyperbolic functions ---- */

static RefPair minus_one(Steps *s, Ref factor, Ref left, Ref rest)
{
    const RefPair sum = fast_sum(s, sub(s, factor, number(s, 1)), mul(s, factor, left));

    return fast_sum(s, sum.hi, fma3(s, factor, rest, sum.lo));
}

/* e / (e + 2). */
static Ref over_two_more(Steps *s, RefPair e)
{
    const Ref two = number(s, 2), d = add(s, e.hi, two);
    const Ref most = step2(s, S_MAX, e.hi, two), least = step2(s, S_MIN, two, e.hi);
    const Ref d_lo = sub(s, least, sub(s, d, most));
    const Ref inverse = step2(s, S_DIV, number(s, 1), d), q = mul(s, e.hi, inverse);
    const Ref back = fnma3(s, q, d_lo, fnma3(s, q, d, e.hi));

    return fma3(s, add(s, back, fnma3(s, q, e.lo, e.lo)), inverse, q);
}

Ref step_tanh(Steps *s, Ref x)
{
    const Ref a = magnitude(s, x), near = step2(s, S_MIN, number(s, CELL_LARGE / 2), a);
    const Ref twice = add(s, near, near), k = exp_multiple(s, twice);
    const Ref left = exp_left(s, twice, k), factor = exp2_of(s, shifted(s, k));
    const RefPair e = minus_one(s, factor, left, exp_rest(s, left, k, NONE));

    return with_sign(s, over_two_more(s, e), x);
}

typedef struct RefForms {
    RefPair minus_one;
    Ref half;
} RefForms;

/* cell_exp_forms. */
static RefForms exp_forms(Steps *s, Ref a)
{
    const Ref in = step2(s, S_MIN, number(s, CELL_EXP_TOP), a), k = exp_multiple(s, in);
    const Ref left = exp_left(s, in, k), rest = exp_rest(s, left, k, NONE);
    const Ref factor = exp2_of(s, shifted(s, step2(s, S_MIN, number(s, 60), k)));
    const RefPair one = fast_sum(s, number(s, 1), left);
    const Ref whole = add(s, one.hi, add(s, one.lo, rest));

    return (RefForms){minus_one(s, factor, left, rest), scale(s, whole, sub(s, k, number(s, 1)))};
}

/* (a + b) / 2, with what belongs to a besides. */
static Ref half_sum(Steps *s, RefPair a, RefPair b)
{
    const RefPair sum = pair_of_sum(s, a.hi, b.hi);
    const Ref lo = add(s, add(s, sum.lo, a.lo), b.lo);

    return mul(s, number(s, 0.5), add(s, sum.hi, lo));
}

/* exp(a), from exp(a) - 1. */
static RefPair one_more(Steps *s, RefPair e)
{
    const RefPair one = pair_of_sum(s, number(s, 1), e.hi);

    return (RefPair){one.hi, add(s, one.lo, e.lo)};
}

Ref step_sinh(Steps *s, Ref x)
{
    const Ref a = magnitude(s, x);
    const RefForms f = exp_forms(s, a);
    const RefPair q = quotient(s, f.minus_one, one_more(s, f.minus_one));
    const Ref small = half_sum(s, f.minus_one, q);

    return with_sign(s, step_select(s, IS_GT, a, number(s, CELL_LARGE), f.half, small), x);
}

Ref step_cosh(Steps *s, Ref x)
{
    const Ref a = magnitude(s, x);
    const RefForms f = exp_forms(s, a);
    const RefPair p = one_more(s, f.minus_one);
    const RefPair q = quotient(s, (RefPair){number(s, 1), number(s, 0)}, p);

    return step_select(s, IS_GT, a, number(s, CELL_LARGE), f.half, half_sum(s, p, q));
}

/* ---- logarithm ---- */

/* cell_split by integers. */
static Split split_bits(Steps *s, Ref x)
{
    const uint64_t root = UINT64_C(0x3FE6A09E667F3BCD), one = UINT64_C(0x3FF0000000000000);
    const Ref least = number(s, 0x1p-1022), zero = number(s, 0);
    const Ref up = mul(s, x, number(s, 0x1p54));
    const Ref tiny = step_select(s, IS_LT, x, least, number(s, 54), zero);
    const Ref bits =
        step2(s, S_ADDQ, step_select(s, IS_LT, x, least, up, x), step_bits(s, one - root));
    const Ref exponent = step2(s, S_OR, step(s, S_SHR, 52, bits, NONE, NONE, NONE),
                               step_bits(s, UINT64_C(0x4330000000000000)));
    const Ref fraction = step2(s, S_AND, bits, step_bits(s, UINT64_C(0x000FFFFFFFFFFFFF)));

    return (Split){step2(s, S_ADDQ, fraction, step_bits(s, root)),
                   sub(s, sub(s, exponent, number(s, 0x1p52 + 1023)), tiny)};
}

/* The same by instructions for it: the fraction in [1, 2) and its exponent. */
static Split split_fraction(Steps *s, Ref x)
{
    const Ref fraction = step(s, S_FRACTION, 0, x, NONE, NONE, NONE);
    const Ref exponent = step(s, S_EXPONENT, 0, x, NONE, NONE, NONE);
    const Ref root2 = step_bits(s, UINT64_C(0x3FF6A09E667F3BCD));
    const Ref half = mul(s, fraction, number(s, 0.5)), more = add(s, exponent, number(s, 1));

    return (Split){step_select(s, IS_GE, fraction, root2, half, fraction),
                   step_select(s, IS_GE, fraction, root2, more, exponent)};
}

Split step_split(Steps *s, Ref x)
{
    return s->evex ? split_fraction(s, x) : split_bits(s, x);
}

static Ref log_special(Steps *s, Ref x, Ref r)
{
    const Ref zero = number(s, 0), infinite = number(s, HUGE_VAL);
    const Ref finite = step_select(s, IS_EQ, x, infinite, x, r);
    const Ref other = step_select(s, IS_EQ, x, zero, number(s, -HUGE_VAL), number(s, NAN));

    return step_select(s, IS_GT, x, zero, finite, other);
}

Ref step_log(Steps *s, Ref x)
{
    const Split split = step_split(s, x);
    const Ref f = sub(s, split.m, number(s, 1));
    const Ref t = step2(s, S_DIV, f, add(s, f, number(s, 2))), z = mul(s, t, t);
    const Ref half_f = mul(s, f, number(s, 0.5)), half = mul(s, half_f, f);
    const Ref half_lo = fms3(s, half_f, f, half);
    const Ref a_hi = sub(s, f, half), a_lo = sub(s, sub(s, f, a_hi), half);
    const RefPair b = fast_sum(s, mul(s, split.k, number(s, CELL_LN2_HI)), a_hi);
    const Ref p = fma3(s, z, eight_terms(s, cell_log_terms, z), half);
    const Ref rest = fms3(s, t, p, half_lo);
    const Ref low = fma3(s, split.k, number(s, CELL_LN2_LO), add(s, b.lo, a_lo));

    return log_special(s, x, add(s, b.hi, add(s, low, rest)));
}
