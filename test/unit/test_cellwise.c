/* Cell-wise operators against their functions cell by cell: shapes, formats, densities, special
 * values, threads. */
#include "kernel_case.h"

#include <math.h>
#include <string.h>

typedef enum Fit { FIT_SAME, FIT_ROW, FIT_COL, FIT_ONE, FIT_SCALAR, FIT_LEFT_SCALAR, FITS } Fit;

static const double special[] = {NAN, INFINITY, -INFINITY, -0.0, 1, -1, 1e300, 0.5};

/* Some cells replaced by special values, zeros among them. */
static Matrix *with_special(Matrix *m, uint64_t seed)
{
    const int64_t n = matrix_cells(m);

    for (int64_t k = 0; k < n / 5; k++)
        m->values[case_bits(&seed) % (uint64_t)n] = special[case_bits(&seed) % 8];
    m->nnz = matrix_count_nnz(m->values, n);
    return m;
}

static Value operand(int64_t rows, int64_t cols, double density, bool odd, bool csr, uint64_t seed)
{
    Matrix *m = case_random(rows, cols, density, seed), *sparse;

    if (odd)
        with_special(m, seed);
    if (!csr)
        return value_matrix(m);
    sparse = case_csr(m);
    matrix_release(m);
    return value_matrix(sparse);
}

static double cell(Value v, int64_t i, int64_t j)
{
    if (v.dt == DT_SCALAR)
        return scalar_to_double(v);
    return matrix_get(v.m, v.m->rows == 1 ? 0 : i, v.m->cols == 1 ? 0 : j);
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* The operands stay the caller's. */
static void check_binary(OpCode op, Value x, Value y)
{
    const Matrix *shape = x.dt == DT_MATRIX ? x.m : y.m;
    const Value out = case_run(op, ml_k_binary, (Value[]){value_retain(x), value_retain(y)}, 2);
    int64_t nnz = 0;

    assert_int_equal(out.m->rows, shape->rows);
    assert_int_equal(out.m->cols, shape->cols);
    for (int64_t i = 0; i < shape->rows; i++)
        for (int64_t j = 0; j < shape->cols; j++) {
            const double a = cell(x, i, j), b = cell(y, i, j);
            const double got = matrix_get(out.m, i, j), want = op_table[op].cell2(a, b);

            nnz += got != 0;
            if (!same(got, want))
                fail_msg("%g %s %g is %g, not %g", a, op_table[op].name, b, got, want);
        }
    assert_int_equal(out.m->nnz, nnz);
    value_release(out);
}

static Value right_operand(Fit fit, int64_t rows, int64_t cols, double density, bool odd, bool csr)
{
    switch (fit) {
    case FIT_SAME:
        return operand(rows, cols, density, odd, csr, 11);
    case FIT_ROW:
        return operand(1, cols, density, odd, csr, 12);
    case FIT_COL:
        return operand(rows, 1, density, odd, csr, 13);
    case FIT_ONE:
        return operand(1, 1, 1, false, csr, 14);
    default:
        return value_double(density == 0.5 ? 0 : density == 0.1 ? NAN : 2);
    }
}

static void check_shape(OpCode op, int64_t rows, int64_t cols, double density, bool odd)
{
    for (int formats = 0; formats < 4; formats++)
        for (Fit fit = FIT_SAME; fit < FITS; fit++) {
            Value x = operand(rows, cols, density, odd, formats & 1, 10);
            Value y = right_operand(fit, rows, cols, density, odd, formats & 2);

            if (fit == FIT_LEFT_SCALAR)
                check_binary(op, y, x);
            else
                check_binary(op, x, y);
            value_release(x);
            value_release(y);
        }
}

static const OpCode binary_ops[] = {OP_add, OP_sub, OP_mul, OP_div,     OP_pow,   OP_mod,
                                    OP_lt,  OP_ge,  OP_eq,  OP_ne,      OP_and,   OP_or,
                                    OP_xor, OP_min, OP_max, OP_bit_and, OP_intdiv};
enum { BINARY_OPS = sizeof binary_ops / sizeof *binary_ops };

ML_TEST(cellwise_binary_equals_its_function_in_all_shapes_and_formats)
{
    static const int64_t shapes[][2] = {{1, 1}, {3, 5}, {1, 130}, {130, 1},
                                        {0, 3}, {3, 0}, {7, 70}};

    for (int o = 0; o < BINARY_OPS; o++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            for (int odd = 0; odd < 2; odd++)
                check_shape(binary_ops[o], shapes[s][0], shapes[s][1], 0.5, odd);
}

ML_TEST(cellwise_binary_equals_its_function_at_all_densities)
{
    static const double densities[] = {0, 0.01, 0.1, 0.5, 1};

    for (int o = 0; o < BINARY_OPS; o++)
        for (int d = 0; d < 5; d++)
            for (int odd = 0; odd < 2; odd++) {
                check_shape(binary_ops[o], 45, 67, densities[d], odd);
                check_shape(binary_ops[o], 130, 11, densities[d], odd);
            }
}

ML_TEST(cellwise_products_keep_zero_times_infinity)
{
    Matrix *x = case_random(40, 40, 0.02, 1), *y = case_random(40, 40, 1, 2), *csr;
    Value out;

    y->values[7] = INFINITY;
    x->values[7] = 0;
    x->nnz = matrix_count_nnz(x->values, 1600);
    csr = case_csr(x);
    out = case_run(OP_mul, ml_k_binary, (Value[]){value_matrix(csr), value_matrix(y)}, 2);
    assert_true(isnan(matrix_get(out.m, 0, 7)));
    value_release(out);
    matrix_release(x);
}

ML_TEST(cellwise_binary_rejects_a_smaller_left_operand)
{
    Matrix *x = case_random(2, 3, 1, 1);

    case_fails(OP_sub, ml_k_binary, ML_ESHAPE,
               (Value[]){value_matrix(case_random(1, 3, 1, 2)), case_share(x)}, 2);
    case_fails(OP_sub, ml_k_binary, ML_ESHAPE,
               (Value[]){value_matrix(case_random(1, 1, 1, 2)), case_share(x)}, 2);
    case_fails(
        OP_add, ml_k_binary, ML_ESHAPE,
        (Value[]){value_matrix(case_random(3, 1, 1, 2)), value_matrix(case_random(1, 3, 1, 2))}, 2);
    case_fails(OP_add, ml_k_binary, ML_ESHAPE,
               (Value[]){case_share(x), value_matrix(case_random(3, 2, 1, 2))}, 2);
    case_fails(OP_add, ml_k_binary, ML_ETYPE, (Value[]){case_share(x), case_text("a")}, 2);
    matrix_release(x);
}

/* Two sparse matrices with cells at many of the same places, and one infinity or none: then only
 * those places matter, or all. */
static void check_sparse_product(OpCode op, double odd)
{
    Matrix *x = case_random(90, 70, 0.3, 41), *y = case_random(90, 70, 0.3, 42);
    Value out;

    x->values[5] = odd;
    y->values[5] = y->values[6] = 0;
    matrix_finish(test_ctx(), &x, -1);
    out = case_run(op, ml_k_binary, (Value[]){value_matrix(case_csr(x)), value_matrix(case_csr(y))},
                   2);
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t j = 0; j < x->cols; j++)
            assert_true(same(matrix_get(out.m, i, j),
                             op_table[op].cell2(matrix_get(x, i, j), matrix_get(y, i, j))));
    value_release(out);
    matrix_release(x);
    matrix_release(y);
}

ML_TEST(sparse_products_mind_cells_that_are_not_finite)
{
    check_sparse_product(OP_mul, 1);
    check_sparse_product(OP_mul, INFINITY);
    check_sparse_product(OP_mul, NAN);
    check_sparse_product(OP_and, NAN);
    check_sparse_product(OP_shift_l, 2);
}

/* CSR whose rows have none, one, a few or many cells; some are small whole numbers, that cancel. */
static Matrix *uneven_csr(int64_t rows, int64_t cols, uint64_t seed)
{
    static const double density[] = {0, 0.01, 0.03, 0.03, 0.1, 0.9};
    Matrix *m = case_random(rows, cols, 1, seed), *sparse;

    for (int64_t i = 0; i < rows; i++) {
        const double d = density[case_bits(&seed) % 6];

        for (int64_t k = i * cols; k < (i + 1) * cols; k++) {
            if ((double)(case_bits(&seed) % 1000) >= 1000 * d)
                m->values[k] = 0;
            else if (case_bits(&seed) % 2)
                m->values[k] = (double)(case_bits(&seed) % 5) - 2;
        }
    }
    m->nnz = matrix_count_nnz(m->values, matrix_cells(m));
    sparse = case_csr(m);
    matrix_release(m);
    return sparse;
}

ML_TEST(sparse_rows_of_any_length_are_merged)
{
    static const OpCode ops[] = {OP_add, OP_sub, OP_max, OP_mul, OP_and};
    static const int64_t sizes[][2] = {{1, 1}, {3000, 3}, {2100, 60}, {130, 1500}, {5, 5000}};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const Value x = value_matrix(uneven_csr(sizes[k][0], sizes[k][1], 3 + k));
        const Value y = value_matrix(uneven_csr(sizes[k][0], sizes[k][1], 50 + k));

        for (size_t op = 0; op < sizeof ops / sizeof *ops; op++)
            check_binary(ops[op], x, y);
        check_binary(OP_sub, x, x);
        value_release(x);
        value_release(y);
    }
}

/* m with its columns `stride` apart; takes m. */
static Value spread(Matrix *m, uint32_t stride)
{
    for (int64_t k = 0; k < m->row_ptr[m->rows]; k++)
        m->col_idx[k] *= stride;
    m->cols *= stride;
    return value_matrix(m);
}

/* Few bits of a key are left for rows, or none. */
ML_TEST(sparse_rows_are_merged_whatever_the_columns)
{
    static const OpCode ops[] = {OP_add, OP_mul};
    const uint32_t strides[] = {1, 1u << 18, UINT32_MAX / 50};

    for (size_t op = 0; op < 2; op++)
        for (size_t k = 1; k < 3; k++) {
            Value out[2];

            for (size_t j = 0; j < 2; j++) {
                const uint32_t by = strides[j * k];

                out[j] = case_run(ops[op], ml_k_binary,
                                  (Value[]){spread(uneven_csr(900, 50, 7), by),
                                            spread(uneven_csr(900, 50, 8), by)},
                                  2);
            }
            for (int64_t n = 0; n < out[1].m->row_ptr[900]; n++)
                out[1].m->col_idx[n] /= strides[k];
            out[1].m->cols = 50;
            assert_same_matrix(out[0], out[1]);
        }
}

static void check_unary(OpCode op, Value x)
{
    const Value out =
        case_run(op, op == OP_log ? ml_k_log : ml_k_unary, (Value[]){value_retain(x)}, 1);
    int64_t nnz = 0;

    for (int64_t i = 0; i < x.m->rows; i++)
        for (int64_t j = 0; j < x.m->cols; j++) {
            const double got = matrix_get(out.m, i, j);

            nnz += got != 0;
            assert_true(same(got, op_table[op].cell1(matrix_get(x.m, i, j))));
        }
    assert_int_equal(out.m->nnz, nnz);
    value_release(out);
}

ML_TEST(cellwise_unary_equals_its_function_in_all_formats)
{
    static const OpCode ops[] = {OP_abs,    OP_sqrt,        OP_exp,  OP_log, OP_sign,
                                 OP_round,  OP_sin,         OP_cos,  OP_not, OP_neg,
                                 OP_is_nan, OP_is_infinite, OP_tanh, OP_plus};

    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++)
        for (int d = 0; d < 3; d++)
            for (int csr = 0; csr < 2; csr++) {
                Value x = operand(67, 45, d * 0.5, true, csr, 3), c;
                Matrix *constant = NULL;

                check_unary(ops[o], x);
                assert_ok(matrix_new_constant(test_ctx(), 3, 4, d - 1, &constant));
                c = value_matrix(constant);
                check_unary(ops[o], c);
                value_release(x);
                value_release(c);
            }
}

/* x op y and exp(x) of large matrices, the same for 1 and 8 threads. */
static void check_threads(bool csr)
{
    Value first[4], x, y;
    const int threads[2] = {1, 8};

    for (int t = 0; t < 2; t++) {
        test_threads(threads[t]);
        x = operand(500, 301, csr ? 0.05 : 0.9, true, csr, 21);
        y = operand(500, 301, 0.9, true, false, 22);
        Value out[4] = {
            case_run(OP_add, ml_k_binary, (Value[]){value_retain(x), value_retain(y)}, 2),
            case_run(OP_mul, ml_k_binary, (Value[]){value_retain(x), value_retain(x)}, 2),
            case_run(OP_exp, ml_k_unary, (Value[]){value_retain(x)}, 1),
            case_run(OP_pow, ml_k_binary, (Value[]){value_retain(x), value_double(3)}, 2)};

        for (int k = 0; k < 4; k++) {
            if (t == 0)
                first[k] = out[k];
            else
                assert_same_matrix(first[k], out[k]);
        }
        value_release(x);
        value_release(y);
    }
}

ML_TEST(cellwise_results_do_not_depend_on_the_number_of_threads)
{
    check_threads(false);
    check_threads(true);
}

ML_TEST(cellwise_writes_over_an_operand_only_when_it_dies)
{
    Value in[2] = {value_matrix(case_matrix(1, 3, "1 2 3")), value_double(1)};
    Value out = value_none();
    OpCall call = {.op = &op_table[OP_add], .nin = 2, .nout = 1, .in = in, .out = &out};

    assert_ok(ml_k_binary(test_ctx(), &call));
    assert_ptr_not_equal(out.m, in[0].m);
    value_release(out);
    call.last = 1;
    assert_ok(ml_k_binary(test_ctx(), &call));
    assert_ptr_equal(out.m, in[0].m);
    value_release(in[0]);
    assert_cells(out, 1, 3, "2 3 4", 0);
}

ML_TEST(cellwise_extremes_take_any_number_of_operands)
{
    Matrix *x = case_matrix(2, 2, "1 5 -1 NaN"), *y = case_matrix(2, 2, "3 2 -2 1");
    Matrix *row = case_matrix(1, 2, "2 9");

    assert_cells(CASE_RUN(max, case_share(x), case_share(y)), 2, 2, "3 5 -1 NaN", 0);
    assert_cells(CASE_RUN(min, case_share(x), value_int(2)), 2, 2, "1 2 -1 NaN", 0);
    assert_cells(CASE_RUN(max, case_share(x), case_share(y), case_share(row)), 2, 2, "3 9 2 NaN",
                 0);
    assert_cells(CASE_RUN(max, value_int(4), case_share(x), case_share(y)), 2, 2, "4 5 4 NaN", 0);
    assert_close(CASE_NUMBER(max, case_share(y)), 3, 0);
    assert_close(CASE_NUMBER(min, case_share(y)), -2, 0);
    assert_close(CASE_NUMBER(min, value_int(3), value_int(1), value_int(2)), 1, 0);
    CASE_FAILS(max, ML_ESHAPE, case_share(row), case_share(x), case_share(y));
    matrix_release(x);
    matrix_release(y);
    matrix_release(row);
}

ML_TEST(cellwise_ifelse_mixes_scalars_and_formats)
{
    Matrix *test = case_matrix(2, 2, "1 0 NaN 0"), *x = case_matrix(2, 2, "1 2 3 4");
    Matrix *csr = case_csr(test), *row = case_matrix(1, 2, "1 2");

    assert_cells(CASE_RUN(ifelse, case_share(test), case_share(x), value_int(9)), 2, 2, "1 9 3 9",
                 0);
    assert_cells(CASE_RUN(ifelse, case_share(csr), value_int(7), case_share(x)), 2, 2, "7 2 7 4",
                 0);
    assert_cells(CASE_RUN(ifelse, value_bool(true), case_share(x), value_int(9)), 2, 2, "1 2 3 4",
                 0);
    assert_cells(CASE_RUN(ifelse, value_bool(false), case_share(x), value_int(9)), 2, 2, "9 9 9 9",
                 0);
    CASE_FAILS(ifelse, ML_ESHAPE, case_share(test), case_share(row), value_int(9));
    matrix_release(test);
    matrix_release(x);
    matrix_release(csr);
    matrix_release(row);
}

ML_TEST(cellwise_logarithm_takes_a_base)
{
    assert_cells(CASE_RUN(log, value_matrix(case_matrix(1, 3, "8 4 0")), value_int(2)), 1, 3,
                 "3 2 -Infinity", 0);
    assert_close(CASE_NUMBER(log, value_int(8), value_int(2)), 3, 0);
}

ML_TEST(ppred_compares_as_its_third_argument_says)
{
    Matrix *x = case_matrix(1, 3, "1 2 3");

    assert_cells(CASE_RUN(ppred, case_share(x), value_int(2), case_text("<")), 1, 3, "1 0 0", 0);
    assert_cells(CASE_RUN(ppred, case_share(x), value_int(2), case_text("<=")), 1, 3, "1 1 0", 0);
    assert_cells(CASE_RUN(ppred, value_int(2), case_share(x), case_text(">")), 1, 3, "1 0 0", 0);
    assert_cells(CASE_RUN(ppred, value_int(2), case_share(x), case_text(">=")), 1, 3, "1 1 0", 0);
    assert_cells(CASE_RUN(ppred, case_share(x), case_share(x), case_text("==")), 1, 3, "1 1 1", 0);
    assert_cells(CASE_RUN(ppred, case_share(x), case_share(x), case_text("!=")), 1, 3, "0 0 0", 0);
    CASE_FAILS(ppred, ML_EVALUE, case_share(x), value_int(2), case_text("+"));
    assert_string_equal(test_error(), "ppred: expected op to be < <= > >= == or !=, found \"+\"");
    CASE_FAILS(ppred, ML_ETYPE, value_int(1), value_int(2), case_text("<"));
    matrix_release(x);
}

/* Rows [lo, lo + n) of a dense matrix. */
static Value some_rows(const Matrix *m, int64_t lo, int64_t n)
{
    Matrix *out;

    assert_ok(matrix_new_dense(test_ctx(), n, m->cols, &out));
    memcpy(out->values, m->values + lo * m->cols, (size_t)(n * m->cols) * sizeof *out->values);
    assert_ok(matrix_finish(test_ctx(), &out, -1));
    return value_matrix(out);
}

/* A result that goes past the caches has the cells of one that does not: the first rows and the
 * last ones, which fill no tile. */
static void check_large(Matrix *x, Matrix *y)
{
    enum { SOME = 50 };
    const Value whole = case_run(OP_add, ml_k_binary, (Value[]){case_share(x), case_share(y)}, 2);
    const Value abs = case_run(OP_abs, ml_k_unary, (Value[]){case_share(x)}, 1);

    for (int64_t lo = 0; lo < x->rows; lo += x->rows - SOME) {
        const Value xs = some_rows(x, lo, SOME);
        const Value ys = y->rows == 1 ? case_share(y) : some_rows(y, lo, SOME);

        assert_same_matrix(some_rows(whole.m, lo, SOME),
                           case_run(OP_add, ml_k_binary, (Value[]){value_retain(xs), ys}, 2));
        assert_same_matrix(some_rows(abs.m, lo, SOME), case_run(OP_abs, ml_k_unary, &xs, 1));
    }
    assert_int_equal(whole.m->nnz, matrix_count_nnz(whole.m->values, matrix_cells(whole.m)));
    assert_int_equal(abs.m->nnz, matrix_count_nnz(abs.m->values, matrix_cells(abs.m)));
    value_release(whole);
    value_release(abs);
}

ML_TEST(cellwise_large_results_equal_small_ones)
{
    Matrix *x = case_random(43691, 97, 0.9, 1), *y = case_random(43691, 97, 0.9, 2);
    Matrix *row = case_random(1, 97, 0.9, 3), *col = case_random(43691, 1, 0.9, 4);

    check_large(x, y);
    check_large(x, row);
    check_large(x, col);
    matrix_release(x);
    matrix_release(y);
    matrix_release(row);
    matrix_release(col);
}
