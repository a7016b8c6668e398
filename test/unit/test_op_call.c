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
