/* What the arithmetic operators do to one cell, as inline functions for the loops of the kernels
 * (the transcendental ones: cell_math.h).  cell.c makes the functions of the table from them.
 *
 * Every function is a fixed sequence of IEEE operations and selects, without calls and branches. So
 * the compiler turns a loop over cells into vector code of any width, and each width gives the same
 * digits. */
#ifndef OP_CELL_H
#define OP_CELL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t cell_bits(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof u);
    return u;
}

static inline double cell_from_bits(uint64_t u)
{
    double x;

    memcpy(&x, &u, sizeof x);
    return x;
}

static inline double cell_add(double x, double y)
{
    return x + y;
}

static inline double cell_sub(double x, double y)
{
    return x - y;
}

static inline double cell_mul(double x, double y)
{
    return x * y;
}

static inline double cell_div(double x, double y)
{
    return x / y;
}

/* The quotient truncated as a 64-bit integer would be: towards zero after a nudge of 2^-53 that
 * forgives a rounding just below an integer, saturating, without -0.  A quotient that is not finite
 * stays. */
static inline double cell_intdiv(double x, double y)
{
    const double q = x / y, whole = floor(fabs(q) + 0x1p-53);
    const double cut = whole > 0x1p63 ? 0x1p63 : whole;

    return fabs(q) <= 0x1.fffffffffffffp1023 ? copysign(cut, q) + 0.0 : q;
}

/* What the division leaves; NaN for y = 0 and for infinities. */
static inline double cell_mod(double x, double y)
{
    return x - cell_intdiv(x, y) * y + 0.0;
}

static inline double cell_lt(double x, double y)
{
    return x < y ? 1.0 : 0.0;
}

static inline double cell_le(double x, double y)
{
    return x <= y ? 1.0 : 0.0;
}

static inline double cell_gt(double x, double y)
{
    return x > y ? 1.0 : 0.0;
}

static inline double cell_ge(double x, double y)
{
    return x >= y ? 1.0 : 0.0;
}

static inline double cell_eq(double x, double y)
{
    return x == y ? 1.0 : 0.0;
}

static inline double cell_ne(double x, double y)
{
    return x != y ? 1.0 : 0.0;
}

/* NaN is true. */
static inline double cell_and(double x, double y)
{
    return cell_ne(x, 0) * cell_ne(y, 0);
}

static inline double cell_or(double x, double y)
{
    const double a = cell_ne(x, 0), b = cell_ne(y, 0);

    return a > b ? a : b;
}

static inline double cell_xor(double x, double y)
{
    return cell_ne(cell_ne(x, 0), cell_ne(y, 0));
}

static inline double cell_not(double x)
{
    return x == 0 ? 1.0 : 0.0;
}

/* NaN wins over numbers, -0 is less than 0: equal numbers differ in the sign of zero at most, so
 * or-ing their bits gives the smaller and and-ing the greater one. */
static inline double cell_min(double x, double y)
{
    const double equal = cell_from_bits(cell_bits(x) | cell_bits(y));
    const double r = x < y ? x : x > y ? y : equal;

    return x == x && y == y ? r : x + y;
}

static inline double cell_max(double x, double y)
{
    const double equal = cell_from_bits(cell_bits(x) & cell_bits(y));
    const double r = x > y ? x : x < y ? y : equal;

    return x == x && y == y ? r : x + y;
}

static inline double cell_abs(double x)
{
    return fabs(x);
}

static inline double cell_neg(double x)
{
    return -x;
}

static inline double cell_plus(double x)
{
    return x;
}

/* Zero of either sign gives 0. */
static inline double cell_sign(double x)
{
    const double r = x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0;

    return x == x ? r : x;
}

/* floor(x + 1/2) of the exact sum, as a 64-bit integer would hold it: NaN gives 0, infinities the
 * limits, no -0. */
static inline double cell_round(double x)
{
    const double low = floor(x), r = low + (x - low >= 0.5 ? 1.0 : 0.0);
    const double held = r > 0x1p63 ? 0x1p63 : r < -0x1p63 ? -0x1p63 : r + 0.0;

    return x == x ? held : 0.0;
}

static inline double cell_floor(double x)
{
    return floor(x);
}

static inline double cell_ceil(double x)
{
    return ceil(x);
}

static inline double cell_sqrt(double x)
{
    return sqrt(x);
}

static inline double cell_is_nan(double x)
{
    return x == x ? 0.0 : 1.0;
}

static inline double cell_is_infinite(double x)
{
    return fabs(x) > 0x1.fffffffffffffp1023 ? 1.0 : 0.0;
}

#endif
