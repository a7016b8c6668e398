/* Arithmetic in steps, for the functions: op/cell_math.h's operations by their names. */
#ifndef JIT_PAIRS_H
#define JIT_PAIRS_H

#include "kernel/jit/steps.h"

/* A number as the unevaluated sum of two. */
typedef struct RefPair {
    Ref hi, lo;
} RefPair;

static inline Ref number(Steps *s, double x)
{
    return step_constant(s, x);
}

static inline Ref add(Steps *s, Ref a, Ref b)
{
    return step2(s, S_ADD, a, b);
}

static inline Ref sub(Steps *s, Ref a, Ref b)
{
    return step2(s, S_SUB, a, b);
}

static inline Ref mul(Steps *s, Ref a, Ref b)
{
    return step2(s, S_MUL, a, b);
}

/* a b + c, c - a b, a b - c. */
static inline Ref fma3(Steps *s, Ref a, Ref b, Ref c)
{
    return step(s, S_FMA, 0, a, b, c, NONE);
}

static inline Ref fnma3(Steps *s, Ref a, Ref b, Ref c)
{
    return step(s, S_FNMA, 0, a, b, c, NONE);
}

static inline Ref fms3(Steps *s, Ref a, Ref b, Ref c)
{
    return step(s, S_FMS, 0, a, b, c, NONE);
}

static inline RefPair fast_sum(Steps *s, Ref a, Ref b)
{
    const Ref sum = add(s, a, b);

    return (RefPair){sum, sub(s, b, sub(s, sum, a))};
}

static inline RefPair pair_of_sum(Steps *s, Ref a, Ref b)
{
    const Ref sum = add(s, a, b), t = sub(s, sum, a);

    return (RefPair){sum, add(s, sub(s, a, sub(s, sum, t)), sub(s, b, t))};
}

static inline RefPair product(Steps *s, Ref a, Ref b)
{
    const Ref p = mul(s, a, b);

    return (RefPair){p, fms3(s, a, b, p)};
}

static inline RefPair quotient(Steps *s, RefPair n, RefPair d)
{
    const Ref inverse = step2(s, S_DIV, number(s, 1), d.hi), q = mul(s, n.hi, inverse);
    const RefPair back = product(s, q, d.hi);
    const Ref left = add(s, sub(s, sub(s, n.hi, back.hi), back.lo), n.lo);

    return fast_sum(s, q, mul(s, sub(s, left, mul(s, q, d.lo)), inverse));
}

static inline Ref magnitude(Steps *s, Ref x)
{
    return step2(s, S_AND, x, step_bits(s, INT64_MAX));
}

/* size, which is not negative, with the sign of x. */
static inline Ref with_sign(Steps *s, Ref size, Ref x)
{
    return step2(s, S_OR, size, step2(s, S_AND, x, step_bits(s, (uint64_t)INT64_MIN)));
}

/* c[1] z + c[0]; and cell_terms8. */
static inline Ref two_terms(Steps *s, const double *c, Ref z)
{
    return fma3(s, z, number(s, c[1]), number(s, c[0]));
}

static inline Ref eight_terms(Steps *s, const double *c, Ref z)
{
    const Ref z2 = mul(s, z, z);
    const Ref high = fma3(s, two_terms(s, c + 6, z), z2, two_terms(s, c + 4, z));
    const Ref mid = fma3(s, high, z2, two_terms(s, c + 2, z));

    return fma3(s, mid, z2, two_terms(s, c, z));
}

/* A positive finite number as m 2^k: cell_split. */
typedef struct Split {
    Ref m, k;
} Split;

Split step_split(Steps *s, Ref x);
/* cell_exp_multiple, cell_exp_left, cell_exp_rest (start NONE: 0), cell_scale. */
Ref exp_multiple(Steps *s, Ref x);
Ref exp_left(Steps *s, Ref x, Ref k);
Ref exp_rest(Steps *s, Ref left, Ref k, Ref start);
Ref exp_clamp(Steps *s, Ref x);
Ref scale(Steps *s, Ref y, Ref k);

#endif
