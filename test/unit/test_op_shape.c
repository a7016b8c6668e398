/* Size propagation: what the rules of the table conclude from shapes, literals and unknowns. */
#include "ml_test.h"

#include <math.h>

#include "op/op.h"

static ShapeArg mat(int64_t rows, int64_t cols, int64_t nnz)
{
    return (ShapeArg){.dt = DT_MATRIX, .dims = {rows, cols, nnz}};
}

static ShapeArg lit(double d)
{
    return (ShapeArg){.dt = DT_SCALAR, .dims = {1, 1, -1}, .lit = value_double(d)};
}

static const ShapeArg some_scalar = {.dt = DT_SCALAR, .dims = {1, 1, -1}};
static const ShapeArg unknown = {.dims = {-1, -1, -1}};

static Dims infer_n(OpCode op, int nin, const ShapeArg *in)
{
    Dims out = {-1, -1, -1};
    ShapeCall c = {.op = &op_table[op], .nin = nin, .in = in, .nout = 1, .out = &out};

    op_table[op].shape(&c);
    out.nnz = op_table[op].nnz(&c);
    return out;
}
#define infer(op, ...)                                                                             \
    infer_n(op, (int)(sizeof((ShapeArg[]){__VA_ARGS__}) / sizeof(ShapeArg)),                       \
            (ShapeArg[]){__VA_ARGS__})

static void expect(Dims d, int64_t rows, int64_t cols, int64_t nnz)
{
    assert_int_equal(d.rows, rows);
    assert_int_equal(d.cols, cols);
    assert_int_equal(d.nnz, nnz);
}

ML_TEST(shape_of_binary_operators_is_that_of_the_left_matrix)
{
    expect(infer(OP_add, mat(3, 4, 2), mat(3, 4, 5)), 3, 4, 7);
    expect(infer(OP_add, mat(3, 4, 2), mat(1, 4, 2)), 3, 4, 8);
    expect(infer(OP_add, mat(3, 4, 2), lit(1)), 3, 4, 12);
    expect(infer(OP_add, mat(3, 4, 2), lit(0)), 3, 4, 2);
    expect(infer(OP_add, lit(1), mat(3, 4, 2)), 3, 4, 12);
    expect(infer(OP_add, lit(1), lit(2)), 1, 1, 1);
}

ML_TEST(shape_of_an_unknown_left_operand_follows_from_a_wide_right_one)
{
    expect(infer(OP_sub, mat(-1, -1, -1), mat(3, 1, -1)), 3, -1, -1);
    expect(infer(OP_sub, mat(-1, 4, -1), mat(1, 4, -1)), -1, 4, -1);
    expect(infer(OP_sub, unknown, mat(3, 4, -1)), 3, 4, 12);
    expect(infer(OP_sub, lit(1), unknown), -1, -1, -1);
    expect(infer(OP_sub, mat(3, 4, 1), unknown), 3, 4, 12);
}

ML_TEST(shape_rules_bound_nonzeros_by_what_zeros_become)
{
    expect(infer(OP_mul, mat(10, 10, 7), mat(10, 10, 3)), 10, 10, 3);
    expect(infer(OP_mul, mat(10, 10, 7), mat(1, 10, 2)), 10, 10, 7);
    expect(infer(OP_mul, mat(10, 10, 7), some_scalar), 10, 10, 7);
    expect(infer(OP_div, mat(10, 10, 7), lit(2)), 10, 10, 7);
    expect(infer(OP_div, mat(10, 10, 7), lit(0)), 10, 10, 100);
    expect(infer(OP_gt, mat(10, 10, 7), lit(0)), 10, 10, 7);
    expect(infer(OP_gt, mat(10, 10, 7), lit(-1)), 10, 10, 100);
    expect(infer(OP_eq, mat(10, 10, 7), mat(10, 10, 3)), 10, 10, 100);
    expect(infer(OP_pow, mat(10, 10, 7), lit(2)), 10, 10, 7);
    expect(infer(OP_sqrt, mat(10, 10, 7)), 10, 10, 7);
    expect(infer(OP_exp, mat(10, 10, 7)), 10, 10, 100);
    expect(infer(OP_max, mat(10, 10, 7)), 1, 1, 1);
    expect(infer(OP_max, mat(10, 10, 7), lit(0)), 10, 10, 7);
    expect(infer(OP_max, lit(0), mat(10, 10, 7), mat(10, 10, 3)), 10, 10, 100);
}

ML_TEST(shape_of_constructors_follows_from_literals)
{
    expect(infer(OP_matrix, lit(0), lit(3), lit(4.9)), 3, 4, 0);
    expect(infer(OP_matrix, lit(7), lit(3), some_scalar), 3, -1, -1);
    expect(infer(OP_matrix, mat(6, 2, 5), lit(3), lit(4)), 3, 4, 5);
    expect(infer(OP_seq, lit(1), lit(10), lit(3)), 4, 1, 4);
    expect(infer(OP_seq, lit(5), lit(1)), 5, 1, 5);
    expect(infer(OP_seq, lit(1), some_scalar), -1, 1, -1);
    expect(infer(OP_sample, lit(10), lit(4)), 4, 1, 4);
    expect(infer(OP_rand, lit(1000), lit(1000), lit(0), lit(1), lit(1)), 1000, 1000, 1000000);
    assert_in_range(infer(OP_rand, lit(1000), lit(1000), lit(0), lit(1), lit(0.1)).nnz, 100001,
                    102000);
}

ML_TEST(seq_length_counts_as_the_language_does)
{
    assert_int_equal(seq_length(0, 1, 0.1), 11);
    assert_int_equal(seq_length(0, 0.3, 0.1), 3);
    assert_int_equal(seq_length(0.1, 0.9, 0.1), 9);
    assert_int_equal(seq_length(1, 1.3, 0.1), 4);
    assert_int_equal(seq_length(1, 0.1, -0.1), 10);
    assert_int_equal(seq_length(1.9, 3.0999999999999996, 0.6), 3);
    assert_int_equal(seq_length(-2.8, -1.2999999999999998, 0.1), 16);
    assert_int_equal(seq_length(-1.6, -0.40000000000000013, 0.4), 4);
    assert_int_equal(seq_length(3, 3, 1), 1);
    assert_int_equal(seq_length(5, 1, 1), 0);
    assert_int_equal(seq_length(0, 1e300, 1), -1);
    assert_int_equal(seq_length(0, 1, 0), -1);
}

ML_TEST(shape_of_ranges_follows_from_literals)
{
    const ShapeArg x = mat(5, 6, 9);

    expect(infer(OP_index, x, lit(2)), 1, 6, 9);
    expect(infer(OP_index, x, lit(2), lit(4)), 3, 6, 9);
    expect(infer(OP_index, x, unknown, unknown, lit(2.7), lit(3)), 5, 2, 9);
    expect(infer(OP_index, x, lit(3), lit(2)), 0, 6, 9);
    expect(infer(OP_index, x, some_scalar, lit(2)), -1, 6, 9);
}

ML_TEST(shape_bytes_choose_the_format_that_a_result_would_get)
{
    assert_true(dims_bytes(CELL_FP64, (Dims){100, 100, -1}) == 80000);
    assert_true(dims_bytes(CELL_FP64, (Dims){100, 100, 10000}) == 80000);
    assert_true(dims_bytes(CELL_FP64, (Dims){100, 100, 100}) == 100 * 12 + 101 * 8);
    assert_true(dims_bytes(CELL_FP32, (Dims){100, 100, -1}) == 40000);
    assert_true(dims_bytes(CELL_FP32, (Dims){100, 100, 100}) == 100 * 8 + 101 * 8);
    assert_true(isinf(dims_bytes(CELL_FP64, (Dims){-1, 100, 100})));
}
