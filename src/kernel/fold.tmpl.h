/* fold: all folds for one instruction set, as the table FOLD_TABLE.
 *
 * Defined by the includer: FOLD_TABLE and FOLD_WIDTH, the doubles in a vector.  NaN wins in all
 * folds. */

#define FOLD_NAME(part) sum_##part
#define TERM(x, m) (x)
#include "kernel/fold_sum.tmpl.h"

#define FOLD_NAME(part) squares_##part
#define TERM(x, m) (((x) - (m)) * ((x) - (m)))
#include "kernel/fold_sum.tmpl.h"

#define PICK_NAME(part) prod_##part
#define PICK(a, x) ((a) * (x))
#include "kernel/fold_pick.tmpl.h"

#define PICK_NAME(part) min_##part
#define PICK(a, x) ((x) < (a) ? (x) : (a))
#include "kernel/fold_pick.tmpl.h"

#define PICK_NAME(part) max_##part
#define PICK(a, x) ((x) > (a) ? (x) : (a))
#include "kernel/fold_pick.tmpl.h"

const Fold FOLD_TABLE[] = {
    [FOLD_SUM] = {FOLD_SUM, 0, sum_run, sum_down, sum2_merge},
    [FOLD_SQUARES] = {FOLD_SQUARES, 0, squares_run, squares_down, sum2_merge},
    [FOLD_PROD] = {FOLD_PROD, 1, prod_run, prod_down, prod_merge},
    [FOLD_MIN] = {FOLD_MIN, INFINITY, min_run, min_down, min_merge},
    [FOLD_MAX] = {FOLD_MAX, -INFINITY, max_run, max_down, max_merge},
};
