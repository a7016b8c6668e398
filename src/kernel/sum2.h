/* sum2: a sum kept as the unevaluated pair s + c, so that c collects what rounding drops from s.
 *
 * Source: Knuth's TwoSum; Ogita, Rump and Oishi, "Accurate sum and dot product" (2005).  The value
 * is as good as if computed in twice the precision and rounded once, unless nearly all of it
 * cancels. s is the plain sum, so it holds the right infinity or NaN when there is one; c is then
 * NaN. */
#ifndef SUM2_H
#define SUM2_H

typedef struct Sum2 {
    double s, c;
} Sum2;

static inline void sum2_add(Sum2 *a, double x)
{
    const double t = a->s + x, z = t - a->s;

    a->c += (a->s - (t - z)) + (x - z);
    a->s = t;
}

static inline void sum2_merge(Sum2 *a, Sum2 b)
{
    sum2_add(a, b.s);
    a->c += b.c;
}

static inline double sum2_value(Sum2 a)
{
    return a.c == a.c ? a.s + a.c : a.s;
}

#endif
