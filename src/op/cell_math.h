/* The transcendental cell functions, inline for the loops of the kernels. */
#ifndef OP_CELL_MATH_H
#define OP_CELL_MATH_H

#include "op/cell.h"

#define CELL_LIBM(name)                                                                            \
    static inline double cell_##name(double x)                                                     \
    {                                                                                              \
        return name(x);                                                                            \
    }
CELL_LIBM(exp)
CELL_LIBM(log)
CELL_LIBM(sin)
CELL_LIBM(cos)
CELL_LIBM(tan)
CELL_LIBM(asin)
CELL_LIBM(acos)
CELL_LIBM(atan)
CELL_LIBM(sinh)
CELL_LIBM(cosh)
CELL_LIBM(tanh)

static inline double cell_log_base(double x, double base)
{
    return cell_log(x) / cell_log(base);
}

/* C's pow but for the cases where the language says NaN: 1 to the power NaN, 1 and -1 to an
 * infinite power. */
static inline double cell_pow(double x, double y)
{
    if (y == 2)
        return x * x;
    if (y != 0 && (isnan(y) || (fabs(x) == 1 && isinf(y))))
        return NAN;
    return pow(x, y);
}

#endif
