/* Powers as steps, operation by operation as op/cell_math.h. */
#include "kernel/jit/pairs.h"

#include "op/cell_math.h"

/* cell_log_pair. */
static RefPair log_pair(Steps *s, Ref x)
{
    const Ref one = number(s, 1);
    const Split split = step_split(s, x);
    const Ref most = step2(s, S_MAX, split.m, one), least = step2(s, S_MIN, one, split.m);
    const RefPair q =
        quotient(s, (RefPair){sub(s, split.m, one), number(s, 0)}, fast_sum(s, most, least));
    const RefPair zz = product(s, q.hi, q.hi);
    const Ref twice = add(s, q.hi, q.hi), z = zz.hi, z_lo = fma3(s, twice, q.lo, zz.lo);
    const Ref terms = eight_terms(s, cell_pow_terms, z);
    const Ref w = mul(s, z, fma3(s, z, terms, number(s, 0x1.999999999999ap-2)));
    const RefPair c = fast_sum(s, number(s, 0x1.5555555555555p-1), w), t = product(s, q.hi, z);
    const RefPair u = product(s, t.hi, c.hi);
    const Ref c_lo = add(s, c.lo, number(s, 0x1.5555555555555p-55));
    const Ref t_lo = fma3(s, q.lo, z, fma3(s, q.hi, z_lo, t.lo));
    const Ref u_lo = fma3(s, t_lo, c.hi, fma3(s, t.hi, c_lo, u.lo));
    const RefPair a = fast_sum(s, twice, u.hi);
    const RefPair b = fast_sum(s, mul(s, split.k, number(s, CELL_LN2_HI)), a.hi);
    const Ref more = add(s, a.lo, add(s, add(s, q.lo, q.lo), u_lo));

    return fast_sum(s, b.hi, add(s, b.lo, fma3(s, split.k, number(s, CELL_LN2_LO), more)));
}

/* cell_exp_pair. */
static Ref exp_pair(Steps *s, RefPair x)
{
    const Ref in = exp_clamp(s, x.hi);
    const Ref more = step_select(s, IS_EQ, in, x.hi, x.lo, number(s, 0));
    const Ref k = exp_multiple(s, in), left = exp_left(s, in, k);
    const RefPair one = fast_sum(s, number(s, 1), left);
    const Ref rest = exp_rest(s, add(s, left, more), k, add(s, one.lo, more));

    return scale(s, add(s, one.hi, rest), k);
}

/* cell_pow_exp. */
static Ref pow_exp(Steps *s, RefPair l, Ref y)
{
    const Ref top = step2(s, S_MIN, number(s, 0x1p65), y);
    const Ref in = step2(s, S_MAX, number(s, -0x1p65), top);
    const RefPair p = product(s, l.hi, in);

    return exp_pair(s, (RefPair){p.hi, fma3(s, l.lo, in, p.lo)});
}

/* 1 where y is an odd integer. */
static Ref is_odd(Steps *s, Ref y, Ref whole)
{
    const Ref zero = number(s, 0);
    const Ref half = step(s, S_ROUND, ROUND_DOWN, mul(s, number(s, 0.5), y), NONE, NONE, NONE);
    const Ref not_even = step_select(s, IS_NE_N, add(s, half, half), y, number(s, 1), zero);

    return step_select(s, IS_EQ, whole, y, not_even, zero);
}

static Ref one_if(Steps *s, int compare, Ref a, Ref b)
{
    return step_select(s, compare, a, b, number(s, 1), number(s, 0));
}

/* cell_pow_cases. */
static Ref pow_cases(Steps *s, Ref x, Ref y, Ref power)
{
    const Ref zero = number(s, 0), one = number(s, 1), infinite = number(s, HUGE_VAL);
    const Ref nan = number(s, NAN), a = magnitude(s, x);
    const Ref whole = step(s, S_ROUND, ROUND_DOWN, y, NONE, NONE, NONE);
    const Ref edge =
        step_select(s, IS_EQ, one_if(s, IS_GT, a, one), one_if(s, IS_GT, y, zero), infinite, zero);
    const Ref finite = step_select(s, IS_LT, a, infinite, power, edge);
    Ref r = step_select(s, IS_GT, a, zero, finite, edge), t;

    t = step_select(s, IS_EQ, magnitude(s, y), infinite, nan, r);
    r = step_select(s, IS_EQ, a, one, t, r);
    t = step_select(s, IS_NE_N, whole, y, nan, r);
    t = step_select(s, IS_LT, a, infinite, t, r);
    r = step_select(s, IS_LT, x, zero, t, r);
    r = step_select(s, IS_GT, is_odd(s, y, whole), zero, with_sign(s, r, x), r);
    r = step_select(s, IS_NAN, x, y, nan, r);
    r = step_select(s, IS_EQ, y, zero, one, r);
    return step_select(s, IS_EQ, y, number(s, 2), mul(s, x, x), r);
}

Ref step_pow(Steps *s, Ref x, Ref y)
{
    const Ref one = number(s, 1), a = magnitude(s, x);
    const Ref finite = step_select(s, IS_LT, a, number(s, HUGE_VAL), a, one);
    const Ref in = step_select(s, IS_GT, a, number(s, 0), finite, one);

    return pow_cases(s, x, y, pow_exp(s, log_pair(s, in), y));
}
