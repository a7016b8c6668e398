/* Access to a call's operands, and the messages about those that do not fit. */
#include "kernel_case.h"

#include <string.h>

ML_TEST(call_accessors_convert_numbers_and_name_the_parameter)
{
    Value in[4] = {value_double(2.9), value_int(3), value_bool(true), value_none()};
    const OpCall c = {.op = &op_table[OP_matrix], .nin = 4, .in = in};
    int64_t i = 0;
    double d = 0;
    bool b = false;

    assert_ok(call_int(test_ctx(), &c, 0, &i));
    assert_int_equal(i, 2);
    assert_ok(call_double(test_ctx(), &c, 1, &d));
    assert_true(d == 3);
    assert_ok(call_bool(test_ctx(), &c, 2, &b));
    assert_true(b);
    assert_false(call_has(&c, 3));
    assert_int_equal(call_double(test_ctx(), &c, 2, &d), ML_ETYPE);
    assert_non_null(strstr(test_error(), "matrix: cols should be a number"));
    assert_int_equal(call_bool(test_ctx(), &c, 3, &b), ML_ETYPE);
    assert_non_null(strstr(test_error(), "byrow"));
}

ML_TEST(operands_are_held_against_the_types_of_the_table)
{
    Value in[3] = {value_matrix(case_matrix(1, 2, "1 2")), value_int(1), value_none()};
    OpCall c = {.op = &op_table[OP_quantile], .nin = 3, .in = in};
    Value two[2] = {value_int(1), in[0]};
    const OpCall list = {.op = &op_table[OP_min], .nin = 2, .in = two};

    assert_ok(call_check_types(test_ctx(), &c)); /* the last one is absent */
    assert_ok(call_check_types(test_ctx(), &list));
    in[1] = value_bool(true); /* stands for a number */
    assert_ok(call_check_types(test_ctx(), &c));
    in[1] = case_text("0.5");
    assert_int_equal(call_check_types(test_ctx(), &c), ML_ETYPE);
    assert_string_equal(test_error(),
                        "quantile: w should be a matrix or a number, found scalar string");
    two[1] = in[1]; /* the last argument of the row stands for all that follow */
    assert_int_equal(call_check_types(test_ctx(), &list), ML_ETYPE);
    value_release(in[0]);
    value_release(in[1]);
}

ML_TEST(types_of_arguments_in_words)
{
    char buf[OP_TYPES_TEXT];

    op_types_text(buf, A_ANY);
    assert_string_equal(buf, "a matrix, a scalar, a frame or a list");
    op_types_text(buf, A_NUMBER | A_STRING);
    assert_string_equal(buf, "a number or a string");
    op_types_text(buf, A_LIST);
    assert_string_equal(buf, "a list");
}

ML_TEST(call_shape_errors_show_names_and_shapes)
{
    Value in[2] = {value_matrix(case_matrix(1, 2, "1 2")), value_matrix(case_matrix(2, 1, "1 2"))};
    const char *const names[2] = {"A", NULL};
    const OpCall c = {.op = &op_table[OP_add], .nin = 2, .in = in, .names = names};

    assert_int_equal(call_shape_error(test_ctx(), &c, 0, 1, "no fit"), ML_ESHAPE);
    assert_string_equal(test_error(), "A is 1x2, right is 2x1: no fit");
    value_release(in[0]);
    value_release(in[1]);
}

ML_TEST(call_reusable_wants_the_only_owner_of_a_dying_dense_matrix)
{
    Value in[2] = {value_matrix(case_matrix(1, 2, "1 2")), value_int(1)};
    OpCall c = {.op = &op_table[OP_add], .nin = 2, .in = in};
    Matrix *const m = in[0].m;

    assert_null(call_reusable(&c, 0));
    c.last = 3;
    assert_ptr_equal(call_reusable(&c, 0), m);
    assert_null(call_reusable(&c, 1));
    matrix_retain(m);
    assert_null(call_reusable(&c, 0));
    matrix_release(m);
    value_release(in[0]);
}
