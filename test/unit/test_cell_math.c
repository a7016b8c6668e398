/* The cell functions against the C library in 80 bits, and the loops of all instruction sets
 * against them. */
#include "kernel_case.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernel/simd/cells.h"

enum { CELLS = 3001 };

static const double special[] = {0.0,
                                 -0.0,
                                 1.0,
                                 -1.0,
                                 0.5,
                                 -0.5,
                                 2.0,
                                 -2.0,
                                 3.0,
                                 -3.0,
                                 2.5,
                                 -2.5,
                                 1e-5,
                                 -1e-300,
                                 1e-310,
                                 5e-324,
                                 1e300,
                                 -1e300,
                                 INFINITY,
                                 -INFINITY,
                                 NAN,
                                 709.78,
                                 710.5,
                                 -745.2,
                                 -746.5,
                                 1e20,
                                 -1e20,
                                 0x1p20,
                                 1048577,
                                 1e15,
                                 1e22,
                                 0.7853981633974483,
                                 1.5707963267948966,
                                 3.141592653589793,
                                 0.41421356237309503,
                                 2.414213562373095,
                                 6381956970095103.0};
enum { SPECIALS = sizeof special / sizeof *special };

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static double in_range(uint64_t *seed, double lo, double hi)
{
    return lo + (hi - lo) * (double)(case_bits(seed) >> 11) * 0x1p-53;
}

/* The levels that this machine has. */
static CpuLevel levels(void)
{
    return cpu_machine();
}

/* Distance of a result from the exact one, in units of the exact one's last place. */
static double ulps(double got, long double exact)
{
    const double rounded = (double)exact;

    if (isnan(rounded) || isinf(rounded) || rounded == 0)
        return same(got, rounded) || got == rounded ? 0 : HUGE_VAL;
    return (double)(fabsl((long double)got - exact) /
                    ldexpl(1, (int)fmax(ilogb(rounded) - 52, -1074)));
}

typedef struct Function {
    OpCode op;
    long double (*exact)(long double);
    double lo, hi, ulps;
} Function;

static const Function functions[] = {
    {OP_exp, expl, -750, 715, 0.8},     {OP_exp, expl, -1, 1, 0.7},
    {OP_log, logl, 0, 10, 0.7},         {OP_log, logl, 0.9, 1.1, 0.7},
    {OP_sin, sinl, -10, 10, 0.9},       {OP_sin, sinl, -1e6, 1e6, 0.9},
    {OP_sin, sinl, -1e12, 1e12, 0.9},   {OP_cos, cosl, -10, 10, 0.9},
    {OP_cos, cosl, -1e9, 1e9, 0.9},     {OP_tan, tanl, -10, 10, 1.1},
    {OP_tan, tanl, -1e9, 1e9, 1.1},     {OP_asin, asinl, -1, 1, 0.9},
    {OP_acos, acosl, -1, 1, 0.9},       {OP_atan, atanl, -5, 5, 0.9},
    {OP_atan, atanl, -1e6, 1e6, 0.9},   {OP_sinh, sinhl, -5, 5, 1.1},
    {OP_sinh, sinhl, -711, 711, 1.2},   {OP_cosh, coshl, -5, 5, 0.9},
    {OP_cosh, coshl, -711, 711, 1.2},   {OP_tanh, tanhl, -3, 3, 1.0},
    {OP_tanh, tanhl, -0.01, 0.01, 0.7}, {OP_sqrt, sqrtl, 0, 5, 0.5001},
};

ML_TEST(cell_functions_are_accurate)
{
    uint64_t seed = 1;

    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        const Function *fn = &functions[f];

        for (int i = 0; i < CELLS; i++) {
            const double x = in_range(&seed, fn->lo, fn->hi);
            const double err = ulps(op_table[fn->op].cell1(x), fn->exact(x));

            if (!(err <= fn->ulps))
                fail_msg("%s(%a) is off by %g units", op_table[fn->op].name, x, err);
        }
    }
}

ML_TEST(cell_functions_treat_special_values_as_the_c_library_does)
{
    static double (*const libm[])(double) = {exp,  log,  sin,  cos,  tan,   asin, acos,
                                             atan, sinh, cosh, tanh, floor, ceil, sqrt};
    static const OpCode ops[] = {OP_exp,  OP_log,  OP_sin,  OP_cos,  OP_tan,   OP_asin, OP_acos,
                                 OP_atan, OP_sinh, OP_cosh, OP_tanh, OP_floor, OP_ceil, OP_sqrt};

    for (size_t f = 0; f < sizeof ops / sizeof *ops; f++)
        for (int i = 0; i < SPECIALS; i++) {
            const double got = op_table[ops[f]].cell1(special[i]), want = libm[f](special[i]);

            if (!same(got, want) && !(fabs(got - want) <= fabs(want) * 0x1p-52))
                fail_msg("%s(%a) is %a, not %a", op_table[ops[f]].name, special[i], got, want);
        }
}

/* NaN where C has 1: 1 to the power NaN, 1 and -1 to infinite ones. */
static double power(double x, double y)
{
    return y != 0 && (isnan(y) || (fabs(x) == 1 && isinf(y))) ? NAN : pow(x, y);
}

ML_TEST(cell_powers_are_accurate_and_know_the_special_cases)
{
    uint64_t seed = 2;

    for (int i = 0; i < SPECIALS; i++)
        for (int j = 0; j < SPECIALS; j++) {
            const double got = op_table[OP_pow].cell2(special[i], special[j]);
            const double want = power(special[i], special[j]);

            if (!same(got, want) && !(fabs(got - want) <= fabs(want) * 0x1p-52))
                fail_msg("%a ^ %a is %a, not %a", special[i], special[j], got, want);
        }
    for (int i = 0; i < 3 * CELLS; i++) {
        const double x = in_range(&seed, 0, 10), y = in_range(&seed, -30, 30);

        assert_true(ulps(op_table[OP_pow].cell2(x, y), powl(x, y)) < 0.8);
    }
}

/* Cells with the special values at changing places among ordinary ones. */
static void fill_cells(double *x, uint64_t seed)
{
    for (int i = 0; i < CELLS; i++)
        x[i] = case_bits(&seed) % 8 == 0 ? special[case_bits(&seed) % SPECIALS]
                                         : in_range(&seed, -4, 4);
}

static void check_unary(OpCode op, const double *x)
{
    static double out[CELLS];
    int64_t nnz;

    for (CpuLevel level = CPU_PLAIN; level <= levels(); level++)
        for (int64_t skip = 0; skip < 9; skip += 4) {
            const int64_t n = CELLS - skip;

            nnz = cell_loops_at(level, op)->unary(x + skip, out, n);
            if (nnz != matrix_count_nnz(out, n))
                fail_msg("%s at level %d counts %d", op_table[op].name, (int)level, (int)nnz);
            for (int64_t i = 0; i < n; i++)
                if (!same(out[i], op_table[op].cell1(x[skip + i])))
                    fail_msg("%s(%a) at level %d", op_table[op].name, x[skip + i], (int)level);
        }
}

static void check_binary(OpCode op, const double *x, const double *y)
{
    static double out[CELLS];
    double (*f)(double, double) = op_table[op].cell2;
    int64_t nnz;

    for (CpuLevel level = CPU_PLAIN; level <= levels(); level++) {
        const CellLoops *loops = cell_loops_at(level, op);

        nnz = loops->vv(x, y, out, CELLS);
        assert_int_equal(nnz, matrix_count_nnz(out, CELLS));
        for (int i = 0; i < CELLS; i++)
            assert_true(same(out[i], f(x[i], y[i])));
        for (int k = 0; k < SPECIALS; k++) {
            nnz = loops->vs(x, special[k], out, 999);
            assert_int_equal(nnz, matrix_count_nnz(out, 999));
            for (int i = 0; i < 999; i++)
                assert_true(same(out[i], f(x[i], special[k])));
            nnz = loops->sv(special[k], y, out, 999);
            assert_int_equal(nnz, matrix_count_nnz(out, 999));
            for (int i = 0; i < 999; i++)
                assert_true(same(out[i], f(special[k], y[i])));
        }
    }
}

ML_TEST(cell_loops_of_all_instruction_sets_equal_the_scalar_functions)
{
    static double x[CELLS], y[CELLS];

    fill_cells(x, 3);
    fill_cells(y, 4);
#define UNARY(op) check_unary(OP_##op, x);
#define BINARY(op) check_binary(OP_##op, x, y);
    CELL_LOOPS_UNARY(UNARY)
    CELL_LOOPS_BINARY(BINARY)
    check_unary(OP_log, x);
    check_binary(OP_log, x, y);
    check_binary(OP_pow, x, y);
}

ML_TEST(cell_loops_may_write_over_an_operand)
{
    static double x[CELLS], y[CELLS], out[CELLS];

    for (CpuLevel level = CPU_PLAIN; level <= levels(); level++) {
        const CellLoops *loops = cell_loops_at(level, OP_sub);

        fill_cells(x, 5);
        fill_cells(y, 6);
        loops->vv(x, y, out, CELLS);
        loops->vv(x, y, x, CELLS);
        for (int i = 0; i < CELLS; i++)
            assert_true(same(out[i], x[i]));
        fill_cells(x, 5);
        loops->vv(x, y, y, CELLS);
        for (int i = 0; i < CELLS; i++)
            assert_true(same(out[i], y[i]));
    }
}

ML_TEST(cell_rounding_and_division_follow_the_language)
{
    double (*const round1)(double) = op_table[OP_round].cell1;
    double (*const div2)(double, double) = op_table[OP_intdiv].cell2;

    assert_true(same(round1(0.49999999999999994), 0));
    assert_true(same(round1(-0.5), 0));
    assert_true(same(round1(4503599627370497.0), 4503599627370497.0));
    assert_true(same(round1(INFINITY), 0x1p63));
    assert_true(same(round1(NAN), 0));
    assert_true(same(div2(2.9999999999999996, 3), 1)); /* a computed 3 / 3 */
    assert_true(same(div2(2.9999999999999996, 1), 2));
    assert_true(same(div2(-0.5, 3), 0));
    assert_true(same(op_table[OP_mod].cell2(-4, 2), 0));
    assert_true(same(op_table[OP_sign].cell1(-0.0), 0));
    assert_true(same(op_table[OP_max].cell2(-0.0, 0), 0));
    assert_true(same(op_table[OP_min].cell2(0, -0.0), -0.0));
}
