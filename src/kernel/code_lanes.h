/* Lanes of reductions over all cells of a loop (cell_code.h): how they begin, and how they are
 * joined. Private to the kernels. */
#ifndef CODE_LANES_H
#define CODE_LANES_H

#include "kernel/cell_code.h"
#include "kernel/sum2.h"

#include <string.h>

enum { CODE_LANE_CELLS = 2 * CODE_LANES };

static inline bool code_is_sum(CodeOutputKind kind)
{
    return kind == CODE_SUM || kind == CODE_ROW_SUM || kind == CODE_COL_SUM;
}

/* CODE_MIN or CODE_MAX of two numbers. */
static inline double code_pick(CodeOutputKind kind, double a, double x)
{
    if (x != x || a != a)
        return NAN;
    return (kind == CODE_MIN ? x < a : x > a) ? x : a;
}

static inline double code_start(CodeOutputKind kind)
{
    return kind == CODE_MIN || kind == CODE_ROW_MIN || kind == CODE_COL_MIN   ? INFINITY
           : kind == CODE_MAX || kind == CODE_ROW_MAX || kind == CODE_COL_MAX ? -INFINITY
                                                                              : 0;
}

static inline void code_lanes_start(CodeOutputKind kind, double *lanes)
{
    for (int k = 0; k < CODE_LANES; k++) {
        lanes[k] = code_start(kind);
        lanes[CODE_LANES + k] = 0;
    }
}

/* Of CODE_SUM: 8, 4, 2, 1, as in fold_sum.tmpl.h. */
static inline Sum2 code_lanes_sum(const double *lanes)
{
    Sum2 sums[CODE_LANES];

    for (int k = 0; k < CODE_LANES; k++)
        sums[k] = (Sum2){lanes[k], lanes[CODE_LANES + k]};
    for (int half = CODE_LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++)
            sum2_merge(&sums[k], sums[k + half]);
    return sums[0];
}

/* Of CODE_MIN and CODE_MAX, in the same way. */
static inline double code_lanes_pick(CodeOutputKind kind, const double *lanes)
{
    double joined[CODE_LANES];

    memcpy(joined, lanes, sizeof joined);
    for (int half = CODE_LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++)
            joined[k] = code_pick(kind, joined[k], joined[k + half]);
    return joined[0];
}

#endif
