/* All loops for one instruction set; CELL_LOOPS names the table to define.  The file that includes
 * this is compiled with the flags of its instruction set. */
#include "kernel/simd/cells.h"
#include "op/cell_math.h"

#define CELLS_NAME_(a, b) a##_##b
#define CELLS_NAME(a, b) CELLS_NAME_(a, b)

enum { BLOCK = 512 };

static bool all_near(const double *x, int64_t n)
{
    int64_t far = 0;

    for (int64_t i = 0; i < n; i++)
        far += fabs(x[i]) <= CELL_TRIG_NEAR ? 0 : 1;
    return far == 0;
}

static int64_t count_nnz(const double *x, int64_t n)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++)
        nnz += cell_bits(x[i]) << 1 != 0;
    return nnz;
}

static void spread(double *block, double value)
{
    for (int i = 0; i < BLOCK; i++)
        block[i] = value;
}

#define OP abs
#include "kernel/simd/cells_unary.tmpl.h"
#define OP sqrt
#include "kernel/simd/cells_unary.tmpl.h"
#define OP exp
#include "kernel/simd/cells_unary.tmpl.h"
#define OP log
#include "kernel/simd/cells_unary.tmpl.h"
#define OP sign
#include "kernel/simd/cells_unary.tmpl.h"
#define OP round
#include "kernel/simd/cells_unary.tmpl.h"
#define OP floor
#include "kernel/simd/cells_unary.tmpl.h"
#define OP ceil
#include "kernel/simd/cells_unary.tmpl.h"
#define OP sin
#include "kernel/simd/cells_trig.tmpl.h"
#define OP cos
#include "kernel/simd/cells_trig.tmpl.h"
#define OP tan
#include "kernel/simd/cells_trig.tmpl.h"
#define OP asin
#include "kernel/simd/cells_unary.tmpl.h"
#define OP acos
#include "kernel/simd/cells_unary.tmpl.h"
#define OP atan
#include "kernel/simd/cells_unary.tmpl.h"
#define OP sinh
#include "kernel/simd/cells_unary.tmpl.h"
#define OP cosh
#include "kernel/simd/cells_unary.tmpl.h"
#define OP tanh
#include "kernel/simd/cells_unary.tmpl.h"
#define OP is_nan
#include "kernel/simd/cells_unary.tmpl.h"
#define OP is_infinite
#include "kernel/simd/cells_unary.tmpl.h"
#define OP not
#include "kernel/simd/cells_unary.tmpl.h"
#define OP neg
#include "kernel/simd/cells_unary.tmpl.h"
#define OP plus
#include "kernel/simd/cells_unary.tmpl.h"

#define OP add
#include "kernel/simd/cells_binary.tmpl.h"
#define OP sub
#include "kernel/simd/cells_binary.tmpl.h"
#define OP mul
#include "kernel/simd/cells_binary.tmpl.h"
#define OP div
#include "kernel/simd/cells_binary.tmpl.h"
#define OP mod
#include "kernel/simd/cells_binary.tmpl.h"
#define OP intdiv
#include "kernel/simd/cells_binary.tmpl.h"
#define OP lt
#include "kernel/simd/cells_binary.tmpl.h"
#define OP le
#include "kernel/simd/cells_binary.tmpl.h"
#define OP gt
#include "kernel/simd/cells_binary.tmpl.h"
#define OP ge
#include "kernel/simd/cells_binary.tmpl.h"
#define OP eq
#include "kernel/simd/cells_binary.tmpl.h"
#define OP ne
#include "kernel/simd/cells_binary.tmpl.h"
#define OP and
#include "kernel/simd/cells_binary.tmpl.h"
#define OP or
#include "kernel/simd/cells_binary.tmpl.h"
#define OP xor
#include "kernel/simd/cells_binary.tmpl.h"
#define OP min
#include "kernel/simd/cells_binary.tmpl.h"
#define OP max
#include "kernel/simd/cells_binary.tmpl.h"

static int64_t log_base_vv(const double *x, const double *y, double *out, int64_t n)
{
    double numerator[BLOCK];
    int64_t m;

    for (int64_t at = 0; at < n; at += m) {
        m = n - at < BLOCK ? n - at : BLOCK;
        log_unary(x + at, numerator, m);
        log_unary(y + at, out + at, m);
        div_vv(numerator, out + at, out + at, m);
    }
    return count_nnz(out, n);
}

/* By steps, as one loop over everything would be too long for the processor to overlap its rounds.
 */
static void pow_block(const double *x, const double *y, double *out, int64_t n)
{
    double hi[BLOCK], lo[BLOCK];

    for (int64_t i = 0; i < n; i++) {
        const Pair l = cell_pow_log(x[i]);

        hi[i] = l.hi;
        lo[i] = l.lo;
    }
    for (int64_t i = 0; i < n; i++)
        hi[i] = cell_pow_exp((Pair){hi[i], lo[i]}, y[i]);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++)
        out[i] = cell_pow_cases(x[i], y[i], hi[i]);
}

static int64_t pow_vv(const double *x, const double *y, double *out, int64_t n)
{
    int64_t m;

    for (int64_t at = 0; at < n; at += m) {
        m = n - at < BLOCK ? n - at : BLOCK;
        pow_block(x + at, y + at, out + at, m);
    }
    return count_nnz(out, n);
}

#define OP log_base
#include "kernel/simd/cells_heavy.tmpl.h"
#define OP pow
#include "kernel/simd/cells_heavy.tmpl.h"

/* Squares are common and cheap. */
static int64_t power_vs(const double *x, double y, double *out, int64_t n)
{
    return y == 2 ? mul_vv(x, x, out, n) : pow_vs(x, y, out, n);
}

#define UNARY(op) [OP_##op] = {.unary = op##_unary},
#define BINARY(op) [OP_##op] = {.vv = op##_vv, .vs = op##_vs, .sv = op##_sv},

const CellLoops CELL_LOOPS[OP_COUNT] = {
    [OP_pow] = {.vv = pow_vv, .vs = power_vs, .sv = pow_sv},
    [OP_log] = {log_unary, log_base_vv, log_base_vs, log_base_sv},
    CELL_LOOPS_UNARY(UNARY) CELL_LOOPS_BINARY(BINARY)};
