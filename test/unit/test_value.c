/* Sizes, casts, toString and lists as kernels, against results seen on the reference system. */
#include "ml_test.h"

#include "data_help.h"
#include "kernel_case.h"

#include <math.h>
#include <string.h>

static void assert_text(Value v, const char *expected)
{
    Buffer b = {0};

    value_print(&b, v, &print_format_default);
    assert_false(b.failed);
    assert_string_equal(b.data, expected);
    buffer_free(&b);
    value_release(v);
}

static Value numbers(int64_t n)
{
    Value items[16];

    for (int64_t i = 0; i < n; i++)
        items[i] = value_int(i + 1);
    return list_of(n, items);
}

/* A list of entries named a, b, c ... */
static Value named(int64_t n)
{
    Value v = numbers(n);

    v.l->names = mem_calloc((size_t)n, sizeof *v.l->names);
    for (int64_t i = 0; i < n; i++)
        assert_ok(string_new(test_ctx(), (char[]){(char)('a' + i)}, 1, &v.l->names[i]));
    return v;
}

ML_TEST(sizes_of_matrices_frames_and_lists)
{
    assert_text(CASE_RUN(nrow, matrix_value(2, 3, NULL)), "2");
    assert_text(CASE_RUN(ncol, matrix_value(0, 3, NULL)), "3");
    assert_text(CASE_RUN(length, matrix_value(2, 3, NULL)), "6");
    assert_text(CASE_RUN(length, frame_of_texts(2, 1, (const char *[]){"a", "b"})), "2");
    assert_text(CASE_RUN(nrow, numbers(4)), "4");
    assert_text(CASE_RUN(ncol, numbers(4)), "1");
}

ML_TEST(as_scalar_takes_one_cell_or_entry)
{
    assert_text(CASE_RUN(as_scalar, matrix_value(1, 1, (double[]){7})), "7.0");
    assert_text(CASE_RUN(as_scalar, list_of(1, (Value[]){value_int(7)})), "7");
    assert_text(CASE_RUN(as_scalar, list_of(1, (Value[]){matrix_value(1, 1, (double[]){5})})),
                "5.0");
    assert_text(CASE_RUN(as_scalar, frame_of_texts(1, 1, (const char *[]){"abc"})), "abc");
    assert_text(CASE_RUN(as_scalar, value_bool(true)), "TRUE");
    CASE_FAILS(as_scalar, ML_ESHAPE, matrix_value(2, 1, NULL));
    CASE_FAILS(as_scalar, ML_ESHAPE, numbers(2));
    CASE_FAILS(as_scalar, ML_ESHAPE, matrix_value(0, 0, NULL));
}

ML_TEST(as_matrix_parses_and_unwraps)
{
    Value mixed[] = {value_int(1), value_double(2.5), value_bool(true), text_value("7")};

    assert_text(CASE_RUN(as_matrix, value_int(5)), "5.000\n");
    assert_text(CASE_RUN(as_matrix, list_of(4, mixed)), "1.000\n2.500\n1.000\n7.000\n");
    assert_text(CASE_RUN(as_matrix, list_of(1, (Value[]){matrix_value(1, 2, (double[]){1, 2})})),
                "1.000 2.000\n");
    assert_text(
        CASE_RUN(as_matrix, frame_of_texts(1, 4, (const char *[]){"2.5", "TRUE", NULL, " 3 "})),
        "2.500 1.000 NaN 3.000\n");
    assert_text(CASE_RUN(as_matrix, numbers(0)), "");
    CASE_FAILS(as_matrix, ML_EVALUE, frame_of_texts(1, 1, (const char *[]){"abc"}));
    CASE_FAILS(as_matrix, ML_EVALUE, text_value("abc"));
    CASE_FAILS(as_matrix, ML_ETYPE, list_of(2, (Value[]){matrix_value(1, 1, NULL), value_int(1)}));
}

ML_TEST(to_string_has_six_parameters)
{
    assert_text(CASE_RUN(to_string, matrix_value(1, 2, (double[]){1.0 / 3, 2}), value_int(100),
                         value_int(100), value_int(1), value_bool(false), text_value(","),
                         text_value(";")),
                "0.3,2.0;");
    assert_text(CASE_RUN(to_string, value_double(2.5), value_none(), value_none(), value_int(0)),
                "2.5");
    CASE_FAILS(to_string, ML_ETYPE, value_int(1), text_value("x"));
}

ML_TEST(list_keeps_values_and_names)
{
    const char *names[] = {"a", NULL};
    Value in[] = {value_int(1), text_value("x")}, out = value_none();
    OpCall call = {
        .op = &op_table[OP_list], .nin = 2, .nout = 1, .in = in, .out = &out, .names = names};

    assert_ok(ml_k_list(test_ctx(), &call));
    assert_string_equal(out.l->names[0]->text, "a");
    assert_null(out.l->names[1]);
    assert_text(out, "List containing:\n[1, x]");
    value_release(in[1]);
    assert_text(CASE_RUN(list, value_none()), "List containing:]");
}

static Value at(Value list, Value lo, Value hi)
{
    return CASE_RUN(index, list, lo, hi);
}

ML_TEST(list_entries_are_found_by_position_and_name)
{
    assert_text(at(numbers(3), value_int(2), value_none()), "List containing:\n[2]");
    assert_text(at(numbers(3), value_double(2.7), value_none()), "List containing:\n[2]");
    assert_text(at(numbers(4), value_int(2), value_int(3)), "List containing:\n[2, 3]");
    assert_text(at(numbers(4), value_int(2), value_int(1)), "List containing:]");
    assert_text(at(named(3), text_value("b"), value_none()), "List containing:\n[2]");
    CASE_FAILS(index, ML_EVALUE, numbers(3), value_int(4));
    CASE_FAILS(index, ML_EVALUE, numbers(3), value_int(0));
    CASE_FAILS(index, ML_EVALUE, numbers(3), value_int(INT64_MIN), value_int(INT64_MAX));
    CASE_FAILS(index, ML_ENAME, named(2), text_value("zz"));
    CASE_FAILS(index, ML_ENAME, numbers(2), text_value("a"));
    CASE_FAILS(index, ML_EVALUE, numbers(2), value_int(1), value_none(), value_int(1));
}

static Value put(Value list, Value value, Value lo, Value hi)
{
    return CASE_RUN(left_index, list, value, lo, hi);
}

ML_TEST(list_entries_are_replaced)
{
    assert_text(put(numbers(3), text_value("x"), value_int(2), value_none()),
                "List containing:\n[1, x, 3]");
    assert_text(put(named(2), value_int(9), text_value("b"), value_none()),
                "List containing:\n[1, 9]");
    assert_text(put(numbers(4), numbers(2), value_int(3), value_int(4)),
                "List containing:\n[1, 2, 1, 2]");
    assert_text(put(numbers(2), numbers(2), value_int(1), value_none()),
                "List containing:\n[1, 2]");
    CASE_FAILS(left_index, ML_ESHAPE, numbers(2), numbers(3), value_int(1));
    CASE_FAILS(left_index, ML_ESHAPE, numbers(4), numbers(1), value_int(1), value_int(2));
    CASE_FAILS(left_index, ML_ENAME, named(2), value_int(1), text_value("c"));
    CASE_FAILS(left_index, ML_EVALUE, numbers(2), value_int(1), value_int(3));
}

ML_TEST(assigning_to_a_shared_list_leaves_the_other_owner_alone)
{
    Value before = numbers(2),
          after = put(value_retain(before), value_int(9), value_int(1), value_none());

    assert_text(before, "List containing:\n[1, 2]");
    assert_text(after, "List containing:\n[9, 2]");
}

ML_TEST(append_splices_named_lists_only)
{
    Value joined = CASE_RUN(cbind, named(2), named(1));

    assert_int_equal(joined.l->count, 3);
    assert_string_equal(joined.l->names[2]->text, "a");
    value_release(joined);
    assert_text(CASE_RUN(cbind, numbers(2), value_int(5)), "List containing:\n[1, 2, 5]");
    assert_text(CASE_RUN(cbind, numbers(1), numbers(2)),
                "List containing:\n[1, List containing:\n[1, 2]]");
    assert_text(CASE_RUN(cbind, numbers(0), matrix_value(1, 1, NULL)),
                "List containing:\n[\nMatrix:\n0.000\n]");
}

ML_TEST(matrices_of_a_list_are_bound)
{
    Value rows[] = {matrix_value(1, 2, (double[]){1, 2}), matrix_value(1, 2, (double[]){3, 4})};
    Value list = list_of(2, rows);

    assert_text(CASE_RUN(rbind, value_retain(list)), "1.000 2.000\n3.000 4.000\n");
    assert_text(CASE_RUN(cbind, list), "1.000 2.000 3.000 4.000\n");
}

ML_TEST(remove_gives_the_rest_and_the_entry)
{
    Value in[] = {named(3), text_value("b")}, out[2] = {{0}};
    OpCall call = {.op = &op_table[OP_remove], .nin = 2, .nout = 2, .in = in, .out = out};

    assert_ok(ml_k_remove(test_ctx(), &call));
    assert_string_equal(out[0].l->names[1]->text, "c");
    assert_string_equal(out[1].l->names[0]->text, "b");
    assert_text(out[0], "List containing:\n[1, 3]");
    assert_text(out[1], "List containing:\n[2]");
    value_release(in[0]);
    value_release(in[1]);
    CASE_FAILS(remove, ML_EVALUE, numbers(2), value_int(3));
}

ML_TEST(as_list_unnests_one_level)
{
    assert_text(CASE_RUN(as_list, list_of(1, (Value[]){numbers(2)})), "List containing:\n[1, 2]");
    assert_text(CASE_RUN(as_list, numbers(1)), "List containing:\n[1]");
}

static Value cast(Value v, ValueType to)
{
    Value out = value_none();

    assert_ok(scalar_cast(test_ctx(), v, to, &out));
    value_release(v);
    return out;
}

ML_TEST(scalars_cast_as_the_language_says)
{
    assert_text(cast(value_double(-2.7), VT_INT), "-2");
    assert_text(cast(value_double(3 - 0x1p-53), VT_INT), "3");
    assert_text(cast(value_double(NAN), VT_INT), "0");
    assert_text(cast(value_double(INFINITY), VT_INT), "9223372036854775807");
    assert_text(cast(value_double(-1e300), VT_INT), "-9223372036854775808");
    assert_text(cast(value_double(-0x1p63), VT_INT), "-9223372036854775808");
    assert_text(cast(text_value(" 2.7 "), VT_INT), "2");
    assert_text(cast(text_value("1d"), VT_DOUBLE), "1.0");
    assert_text(cast(value_bool(true), VT_DOUBLE), "1.0");
    assert_text(cast(text_value("true"), VT_BOOL), "TRUE");
    assert_text(cast(text_value("True"), VT_BOOL), "FALSE");
    assert_text(cast(text_value("T"), VT_BOOL), "FALSE");
    assert_text(cast(value_double(NAN), VT_BOOL), "TRUE");
    assert_text(cast(value_int(INT64_MAX), VT_STRING), "9223372036854775807");
}

ML_TEST(bad_casts_and_conditions_are_errors)
{
    Ctx *ctx = test_ctx();
    Value text = text_value("TRUE"), out;
    bool truth;

    assert_int_equal(scalar_cast(ctx, text, VT_INT, &out), ML_EVALUE);
    assert_int_equal(scalar_truth(ctx, text, &truth), ML_ETYPE);
    assert_ok(scalar_truth(ctx, value_double(0.5), &truth));
    assert_true(truth);
    value_release(text);
    text = text_value("");
    assert_int_equal(scalar_cast(ctx, text, VT_DOUBLE, &out), ML_EVALUE);
    value_release(text);
}

static ml_status use_lists(Ctx *ctx)
{
    Value a[] = {value_int(1), value_double(2)}, list = value_none(), text = value_none();
    const char *names[] = {"x", "y"};
    List *longer = NULL, *put_in = NULL;
    ml_status st;

    TRY_TO(done, st = ml_k_list(ctx, &(OpCall){.op = &op_table[OP_list],
                                               .nin = 2,
                                               .nout = 1,
                                               .in = a,
                                               .out = &list,
                                               .names = names}));
    TRY_TO(done, st = list_append(ctx, list.l, list, &longer));
    TRY_TO(done, st = list_assign(ctx, longer, value_int(2), value_none(), value_int(3), &put_in));
    TRY_TO(done, st = ml_k_to_string(ctx, &(OpCall){.op = &op_table[OP_to_string],
                                                    .nin = 1,
                                                    .nout = 1,
                                                    .in = &list,
                                                    .out = &text}));
done:
    value_release(list);
    value_release(text);
    list_release(longer);
    list_release(put_in);
    return st;
}

ML_TEST(lists_survive_every_single_failing_allocation)
{
    Ctx *ctx = test_ctx();
    int failures = 0;

    for (int64_t n = 0; n < 25; n++) {
        mem_fail_after(n);
        failures += use_lists(ctx) != ML_OK;
        mem_fail_after(-1);
    }
    assert_true(failures >= 12 && failures < 25);
}
