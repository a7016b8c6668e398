/* What toString and print show, against results seen on the reference system. */
#include "ml_test.h"

#include <math.h>
#include <string.h>

#include "data_help.h"

static void check_print(Value v, PrintFormat f, const char *expected)
{
    Buffer b = {0};

    value_print(&b, v, &f);
    assert_false(b.failed);
    assert_string_equal(b.data, expected);
    buffer_free(&b);
    value_release(v);
}

ML_TEST(scalars_print_as_their_type_does)
{
    check_print(value_int(-42), print_format_default, "-42");
    check_print(value_double(1e7), print_format_default, "1.0E7");
    check_print(value_double(-0.0), print_format_default, "-0.0");
    check_print(value_double(NAN), print_format_default, "NaN");
    check_print(value_bool(true), print_format_default, "TRUE");
    check_print(text_value("a b"), print_format_default, "a b");
}

ML_TEST(matrix_prints_three_decimals_and_every_row_ends)
{
    check_print(matrix_value(2, 2, (double[]){1, 2.5, -1.5, 1.0 / 3}), print_format_default,
                "1.000 2.500\n-1.500 0.333\n");
    check_print(matrix_value(1, 4, (double[]){NAN, INFINITY, -INFINITY, 1e10}),
                print_format_default, "NaN Infinity -Infinity 10000000000.000\n");
    check_print(matrix_value(1, 4, (double[]){-0.0, -1e-9, 0.0005, 0.0025}), print_format_default,
                "0.000 -0.000 0.000 0.003\n");
    check_print(matrix_value(0, 3, NULL), print_format_default, "");
    check_print(matrix_value(2, 0, NULL), print_format_default, "0.000\n0.000\n");
}

ML_TEST(matrix_print_follows_its_parameters)
{
    PrintFormat f = print_format_default;
    const double cells[] = {1, 0, 2, 0};

    f.sparse = true;
    f.sep = ",";
    f.linesep = ";";
    check_print(matrix_value(2, 2, cells), f, "1,1,1.000;2,1,2.000;");
    f.sparse = false;
    f.decimals = 0;
    check_print(matrix_value(1, 2, (double[]){2.5, 3.5}), f, "2,4;");
    f.rows = f.cols = 1;
    check_print(matrix_value(2, 2, cells), f, "1;");
}

ML_TEST(long_cells_print_in_full)
{
    PrintFormat f = print_format_default;
    Buffer b = {0};
    Value v = matrix_value(1, 1, (double[]){1e300});

    f.decimals = 100;
    value_print(&b, v, &f);
    assert_int_equal(b.size, 301 + 1 + 100 + 1);
    buffer_free(&b);
    value_release(v);
}

ML_TEST(constant_and_sparse_matrices_print_as_dense_ones)
{
    Ctx *ctx = test_ctx();
    Matrix *constant = NULL, *sparse = NULL;
    Value dense = matrix_value(2, 3, (double[]){0, 7, 0, 0, 0, 8});

    assert_ok(matrix_new_constant(ctx, 2, 2, 0.5, &constant));
    check_print(value_matrix(constant), print_format_default, "0.500 0.500\n0.500 0.500\n");
    assert_ok(matrix_csr(ctx, dense.m, &sparse));
    check_print(value_matrix(sparse), print_format_default,
                "0.000 7.000 0.000\n0.000 0.000 8.000\n");
    value_release(dense);
}

ML_TEST(what_is_not_shown_of_a_matrix_costs_no_memory)
{
    PrintFormat f = print_format_default;
    Matrix *wide = NULL;

    f.rows = 2;
    f.cols = 1;
    assert_ok(matrix_new_constant(test_ctx(), 4, INT64_C(1) << 50, 0.5, &wide));
    check_print(value_matrix(wide), f, "0.500\n0.500\n");
}

ML_TEST(frame_prints_header_names_and_types)
{
    PrintFormat f = print_format_default;
    Value frame = frame_of_texts(2, 2, (const char *[]){"a", NULL, "b", "2.5"});

    check_print(value_retain(frame), f,
                "# FRAME: nrow = 2, ncol = 2\n# C1 C2\n# STRING STRING\na null\nb 2.5\n");
    f.sep = ",";
    f.linesep = ";";
    f.rows = f.cols = 1;
    check_print(frame, f, "# FRAME: nrow = 2, ncol = 2;#,C1;#,STRING;a;");
}

ML_TEST(list_prints_values_between_brackets)
{
    Value inner = list_of(2, (Value[]){value_int(1), value_double(2.5)});

    check_print(list_of(0, NULL), print_format_default, "List containing:]");
    check_print(list_of(3, (Value[]){inner, text_value("x"), matrix_value(1, 1, (double[]){1})}),
                print_format_default,
                "List containing:\n[List containing:\n[1, 2.5], x, \nMatrix:\n1.000\n]");
    check_print(
        list_of(2, (Value[]){frame_of_texts(1, 1, (const char *[]){"q"}), value_bool(true)}),
        print_format_default,
        "List containing:\n[\n# FRAME: nrow = 1, ncol = 1\n# C1\n# STRING\nq\n, TRUE]");
}

ML_TEST(print_reports_exhausted_memory_through_the_buffer)
{
    Value v = matrix_value(30, 30, NULL),
          l = list_of(2, (Value[]){value_retain(v), text_value("x")});

    for (int64_t n = 0; n < 12; n++) {
        Buffer b = {0};

        mem_fail_after(n);
        value_print(&b, l, &print_format_default);
        mem_fail_after(-1);
        buffer_free(&b);
    }
    value_release(l);
    value_release(v);
}
