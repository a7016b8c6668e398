/* Frames: columns, conversion, binding, indexing, schemas, against results seen on the reference
 * system. */
#include "ml_test.h"

#include "data_help.h"
#include "kernel/frame.h"
#include "kernel_case.h"

#include <math.h>
#include <string.h>

static void assert_frame(Value v, const char *expected)
{
    Buffer b = {0};

    value_print(&b, v, &print_format_default);
    assert_false(b.failed);
    assert_string_equal(strchr(b.data, '\n') + 1, expected);
    buffer_free(&b);
    value_release(v);
}

static void assert_cell(Value v, const char *expected)
{
    Buffer b = {0};
    Value cell = CASE_RUN(as_scalar, v);

    value_print(&b, cell, &print_format_default);
    assert_string_equal(b.data, expected);
    buffer_free(&b);
    value_release(cell);
}

static Value text_frame(const char *text)
{
    return frame_of_texts(1, 1, &text);
}

static Value from_cells(int64_t rows, int64_t cols, const double *cells)
{
    return CASE_RUN(as_frame, matrix_value(rows, cols, cells));
}

static Value named_frame(const char *a, const char *b)
{
    return CASE_RUN(as_frame, matrix_value(2, 2, (double[]){1, 2.5, 3, 4}),
                    list_of(2, (Value[]){text_value(a), text_value(b)}));
}

ML_TEST(column_types_are_the_narrowest_that_hold_a_matrix)
{
    static const struct {
        double cells[2];
        const char *type;
    } cases[] = {
        {{1, 0}, "BOOLEAN"},        {{-0.0, 1}, "BOOLEAN"},       {{-5, 1}, "INT32"},
        {{2147483647, 5}, "INT32"}, {{2147483648.0, 5}, "INT64"}, {{1e15, 1}, "INT64"},
        {{1e19, 1}, "FP32"},        {{0.1, 0.5}, "FP32"},         {{12345678901.0, 0.5}, "FP64"},
        {{1.2345678, 0.5}, "FP32"}, {{1.23456789, 0.5}, "FP64"},  {{1.0 / 3, 0}, "FP64"},
        {{3.4e38, 0.5}, "FP32"},    {{3.5e38, 0.5}, "FP64"},      {{1e-40, 0.5}, "FP32"},
        {{1e-46, 0.5}, "FP64"},     {{0.5, 16777217}, "FP64"},    {{16777216, 0.5}, "FP32"},
        {{NAN, 1}, "FP32"},         {{INFINITY, 1}, "FP32"}};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        assert_cell(CASE_RUN(typeof, from_cells(2, 1, cases[k].cells)), cases[k].type);
}

ML_TEST(scalars_become_frames_of_their_type)
{
    assert_frame(CASE_RUN(as_frame, value_double(2.5)), "# C1\n# FP64\n2.500\n");
    assert_frame(CASE_RUN(as_frame, value_int(7)), "# C1\n# INT64\n7\n");
    assert_frame(CASE_RUN(as_frame, value_bool(true)), "# C1\n# BOOLEAN\nTRUE\n");
    assert_frame(CASE_RUN(as_frame, text_value("abc")), "# C1\n# STRING\nabc\n");
    assert_frame(CASE_RUN(as_frame, list_of(1, (Value[]){text_frame("z")})), "# C1\n# STRING\nz\n");
}

ML_TEST(frames_take_names_from_a_list)
{
    assert_frame(named_frame("a", "b"), "# a b\n# INT32 FP32\n1 2.5\n3 4.0\n");
    assert_frame(CASE_RUN(colnames, named_frame("a", "b")), "# C1 C2\n# STRING STRING\na b\n");
    CASE_FAILS(as_frame, ML_ESHAPE, matrix_value(1, 2, NULL),
               list_of(1, (Value[]){text_value("x")}));
    CASE_FAILS(as_frame, ML_ETYPE, matrix_value(1, 1, NULL), list_of(1, (Value[]){value_int(1)}));
    CASE_FAILS(as_frame, ML_ETYPE, matrix_value(1, 1, NULL), value_int(1));
}

ML_TEST(cbind_keeps_names_that_differ)
{
    assert_frame(CASE_RUN(cbind, named_frame("a", "b"), named_frame("c", "d")),
                 "# a b c d\n# INT32 FP32 INT32 FP32\n1 2.5 1 2.5\n3 4.0 3 4.0\n");
    assert_frame(CASE_RUN(cbind, named_frame("a", "b"), named_frame("a", "b")),
                 "# C1 C2 C3 C4\n# INT32 FP32 INT32 FP32\n1 2.5 1 2.5\n3 4.0 3 4.0\n");
    assert_frame(CASE_RUN(cbind, text_frame("a"), text_frame("b")),
                 "# C1 C2\n# STRING STRING\na b\n");
    CASE_FAILS(cbind, ML_ESHAPE, text_frame("a"), frame_of_texts(2, 1, (const char *[]){"a", "b"}));
}

ML_TEST(rbind_widens_types_and_keeps_the_first_names)
{
    assert_frame(CASE_RUN(rbind, named_frame("a", "b"), from_cells(2, 2, (double[]){1, 0, 2, 1})),
                 "# a b\n# INT32 FP32\n1 2.5\n3 4.0\n1 0.0\n2 1.0\n");
    assert_frame(CASE_RUN(rbind, text_frame("a"), CASE_RUN(as_frame, value_int(5)),
                          CASE_RUN(as_frame, value_bool(true))),
                 "# C1\n# STRING\na\n5\ntrue\n");
    CASE_FAILS(rbind, ML_ESHAPE, text_frame("a"), frame_of_texts(1, 2, (const char *[]){"a", "b"}));
}

ML_TEST(frames_are_indexed_like_matrices)
{
    assert_frame(CASE_RUN(index, named_frame("a", "b"), value_int(1)),
                 "# a b\n# INT32 FP32\n1 2.5\n");
    assert_frame(CASE_RUN(index, named_frame("a", "b"), value_none(), value_none(), value_int(2)),
                 "# b\n# FP32\n2.5\n4.0\n");
    assert_frame(CASE_RUN(index, frame_of_texts(3, 1, (const char *[]){"a", NULL, "c"}),
                          value_int(2), value_int(3)),
                 "# C1\n# STRING\nnull\nc\n");
    CASE_FAILS(index, ML_EVALUE, named_frame("a", "b"), value_int(3), value_none(), value_int(1));
}

static Value put(Value f, Value value, int64_t row, int64_t col)
{
    return CASE_RUN(left_index, f, value, value_int(row), value_none(), value_int(col));
}

ML_TEST(assigned_cells_take_the_type_of_the_column)
{
    assert_frame(put(named_frame("a", "b"), CASE_RUN(as_frame, value_int(7)), 1, 2),
                 "# a b\n# INT32 FP32\n1 7.0\n3 4.0\n");
    assert_frame(put(frame_of_texts(2, 1, (const char *[]){"a", "b"}),
                     CASE_RUN(as_frame, value_double(7.5)), 2, 1),
                 "# C1\n# STRING\na\n7.5\n");
    assert_frame(put(text_frame("a"), CASE_RUN(as_frame, value_double(7.5)), 1, 1),
                 "# C1\n# FP64\n7.500\n");
    assert_frame(put(text_frame("a"), text_value("b"), 1, 1), "# C1\n# STRING\nb\n");
    CASE_FAILS(left_index, ML_EVALUE, named_frame("a", "b"), CASE_RUN(as_frame, value_double(7.5)),
               value_int(1), value_none(), value_int(1));
    CASE_FAILS(left_index, ML_EVALUE, named_frame("a", "b"), text_frame("x"), value_int(1),
               value_none(), value_int(1));
    CASE_FAILS(left_index, ML_ESHAPE, named_frame("a", "b"), text_frame("x"), value_int(1));
}

static void check_detected(const char *text, const char *type)
{
    assert_cell(CASE_RUN(detectSchema, text_frame(text)), type);
}

ML_TEST(detect_schema_reads_the_text_of_cells)
{
    static const char *const cases[][2] = {
        {"true", "BOOLEAN"},       {"T", "BOOLEAN"},
        {"1.0", "BOOLEAN"},        {"5", "INT32"},
        {"-5", "INT32"},           {"05", "INT32"},
        {"3000000000", "INT64"},   {"5.5", "FP32"},
        {"1e5", "FP32"},           {"NaN", "FP32"},
        {"1.23456789123", "FP64"}, {"c", "CHARACTER"},
        {"abc", "STRING"},         {"1,5", "STRING"},
        {"deadbeef", "HASH32"},    {"a1b2c3d4e5f6a7b8", "HASH64"},
        {"ABCDEF12", "STRING"},    {"tRuE", "STRING"},
        {" 5 ", "STRING"},         {"", "UNKNOWN\xC2\xB7n"}};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        check_detected(cases[k][0], cases[k][1]);
}

static void check_column(const char *a, const char *b, const char *type)
{
    assert_cell(CASE_RUN(detectSchema, frame_of_texts(2, 1, (const char *[]){a, b})), type);
}

ML_TEST(detect_schema_widens_over_the_rows)
{
    check_column("5", "2.5", "FP32");
    check_column("true", "0", "BOOLEAN");
    check_column("true", "7", "INT32");
    check_column("5", "3000000000", "INT64");
    check_column("2.5", "3000000000", "FP64");
    check_column("2.5", "1.23456789123", "FP64");
    check_column("a", "b", "CHARACTER");
    check_column("c", "5", "CHARACTER");
    check_column("5", "x", "STRING");
    check_column("a", "bc", "STRING");
    check_column("2.5", NULL, "FP32\xC2\xB7n");
    check_column(NULL, NULL, "UNKNOWN\xC2\xB7n");
}

static Value types(const char *a, const char *b)
{
    return frame_of_texts(1, 2, (const char *[]){a, b});
}

ML_TEST(apply_schema_converts_columns_or_says_which_cell_is_wrong)
{
    Value f = from_cells(2, 2, (double[]){1, 2.5, 0, 0});

    assert_frame(CASE_RUN(applySchema, value_retain(f), types("FP64", "STRING")),
                 "# C1 C2\n# FP64 STRING\n1.000 2.5\n0.000 0.0\n");
    assert_frame(CASE_RUN(applySchema, value_retain(f), types("STRING", "FP64\xC2\xB7n")),
                 "# C1 C2\n# STRING FP64\ntrue 2.500\nfalse 0.000\n");
    CASE_FAILS(applySchema, ML_EVALUE, value_retain(f), types("INT32", "INT32"));
    assert_string_equal(test_error(),
                        "column 2 ('C2'): the cell '2.5' in row 1 of the frame is no INT32");
    CASE_FAILS(applySchema, ML_EVALUE, value_retain(f), types("FOO", "INT32"));
    CASE_FAILS(applySchema, ML_ESHAPE, value_retain(f), text_frame("INT32"));
    CASE_FAILS(applySchema, ML_EVALUE, text_frame("300"), text_frame("UINT8"));
    CASE_FAILS(applySchema, ML_EVALUE, text_frame("xy"), text_frame("CHARACTER"));
    assert_frame(CASE_RUN(applySchema, text_frame("9007199254740993"), text_frame("INT64")),
                 "# C1\n# INT64\n9007199254740993\n");
    value_release(f);
}

ML_TEST(frame_fills_every_cell)
{
    Value schema[] = {text_value("INT64"), text_value("FP64"), text_value("BOOLEAN")};

    assert_frame(CASE_RUN(frame, text_value("a"), value_int(2), value_int(2)),
                 "# C1 C2\n# STRING STRING\na a\na a\n");
    assert_frame(CASE_RUN(frame, value_bool(true), value_int(1), value_int(1)),
                 "# C1\n# STRING\ntrue\n");
    assert_frame(CASE_RUN(frame, text_value("1.0"), value_int(1), value_int(3), list_of(3, schema)),
                 "# C1 C2 C3\n# INT64 FP64 BOOLEAN\n1 1.000 TRUE\n");
    assert_frame(CASE_RUN(frame, text_value("a"), value_int(0), value_int(1)), "# C1\n# STRING\n");
    CASE_FAILS(frame, ML_EVALUE, text_value("a"), value_int(-1), value_int(1));
}

ML_TEST(long_cells_become_null)
{
    Value f = frame_of_texts(2, 1, (const char *[]){"abc", "de"});

    assert_frame(CASE_RUN(dropInvalidLength, value_retain(f), matrix_value(1, 1, (double[]){2})),
                 "# C1\n# STRING\nnull\nde\n");
    assert_frame(CASE_RUN(dropInvalidLength, value_retain(f), matrix_value(1, 1, (double[]){-1})),
                 "# C1\n# STRING\nabc\nde\n");
    CASE_FAILS(dropInvalidLength, ML_ESHAPE, f, matrix_value(1, 2, NULL));
}

#define COMPARE(name, a, b) case_run(OP_##name, ml_k_binary, (Value[]){a, b}, 2)

ML_TEST(frames_compare_cell_by_cell)
{
    Value f = from_cells(2, 2, (double[]){1, 2.5, 3, 4}),
          g = from_cells(2, 2, (double[]){1, 2.5, 3, 5});

    assert_frame(COMPARE(eq, value_retain(f), value_retain(g)),
                 "# C1 C2\n# BOOLEAN BOOLEAN\nTRUE TRUE\nTRUE FALSE\n");
    assert_frame(COMPARE(lt, f, g), "# C1 C2\n# BOOLEAN BOOLEAN\nFALSE FALSE\nFALSE TRUE\n");
    assert_frame(COMPARE(eq, text_frame("1.0"), text_frame("1")), "# C1\n# BOOLEAN\nFALSE\n");
    assert_frame(COMPARE(ge, text_frame("a"), text_frame("ab")), "# C1\n# BOOLEAN\nFALSE\n");
    assert_frame(COMPARE(eq, text_frame(NULL), text_frame(NULL)), "# C1\n# BOOLEAN\nTRUE\n");
    assert_frame(COMPARE(lt, text_frame(NULL), text_frame("")), "# C1\n# BOOLEAN\nTRUE\n");
    assert_frame(COMPARE(ne, from_cells(1, 1, (double[]){NAN}), from_cells(1, 1, (double[]){NAN})),
                 "# C1\n# BOOLEAN\nTRUE\n");
}

ML_TEST(frames_only_compare_with_frames_of_their_shape)
{
    Value wide = frame_of_texts(1, 2, (const char *[]){"a", "b"});

    case_fails(OP_eq, ml_k_binary, ML_ESHAPE, (Value[]){wide, text_frame("a")}, 2);
    case_fails(OP_eq, ml_k_binary, ML_ETYPE, (Value[]){text_frame("a"), value_int(1)}, 2);
}

static ml_status use_frames(Ctx *ctx, Matrix *m)
{
    Frame *f = NULL, *wide = NULL, *tall = NULL, *part = NULL;
    Matrix *back = NULL;
    FrameColumn *text = NULL;
    ml_status st;

    TRY_TO(done, st = frame_from_matrix(ctx, m, &f));
    TRY_TO(done, st = frame_cbind(ctx, (Frame *[]){f, f}, 2, &wide));
    TRY_TO(done, st = frame_rbind(ctx, (Frame *[]){f, f}, 2, &tall));
    TRY_TO(done, st = frame_index(ctx, tall, (IndexRange){1, 3, 0, 2}, &part));
    TRY_TO(done, st = column_cast(ctx, part->columns[0], FT_STRING, &text));
    TRY_TO(done, st = frame_to_matrix(ctx, part, &back));
done:
    frame_release(f);
    frame_release(wide);
    frame_release(tall);
    frame_release(part);
    frame_column_release(text);
    matrix_release(back);
    return st;
}

ML_TEST(frames_survive_every_single_failing_allocation)
{
    Value m = matrix_value(2, 2, (double[]){1, 2.5, 3, 4});
    Ctx *ctx = test_ctx();
    int failures = 0;

    test_threads(1);
    for (int64_t n = 0; n < 60; n++) {
        mem_fail_after(n);
        failures += use_frames(ctx, m.m) != ML_OK;
        mem_fail_after(-1);
    }
    assert_true(failures >= 20 && failures < 60);
    value_release(m);
}

ML_TEST(large_frames_convert_in_parallel)
{
    Matrix *m = case_random(20000, 3, 0.7, 5), *back = NULL;
    Frame *f = NULL;

    test_threads(8);
    assert_ok(frame_from_matrix(test_ctx(), m, &f));
    assert_ok(frame_to_matrix(test_ctx(), f, &back));
    assert_memory_equal(back->values, m->values, 60000 * sizeof(double));
    matrix_release(m);
    matrix_release(back);
    frame_release(f);
}

ML_TEST(cells_that_do_not_fit_a_type_are_dropped)
{
    static const char *const cells[] = {"b", "12", "true", "1.5", "99999999999", ""};
    static const struct {
        const char *type, *kept;
    } cases[] = {{"STRING", "111111"}, {"INT64", "011010"},     {"INT32", "011000"},
                 {"FP64", "011110"},   {"CHARACTER", "100000"}, {"BOOLEAN", "001000"},
                 {"UINT8", "010000"}};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Value f = CASE_RUN(dropInvalidType, frame_of_texts(6, 1, cells), text_frame(cases[k].type));

        for (int64_t i = 0; i < 6; i++) {
            char buf[NUM_BUFFER];
            size_t size;
            const char *text = frame_cell_text(f.f->columns[0], i, buf, &size);

            if ((text != NULL) != (cases[k].kept[i] == '1'))
                fail_msg("%s: '%s' was %s", cases[k].type, cells[i], text ? "kept" : "dropped");
        }
        value_release(f);
    }
}

ML_TEST(a_row_is_replicated_over_a_frame)
{
    assert_frame(CASE_RUN(freplicate, from_cells(2, 2, (double[]){1, 2, 3, 4}),
                          frame_of_texts(1, 2, (const char *const[]){"a", NULL})),
                 "# C1 C2\n# STRING STRING\na null\na null\n");
    CASE_FAILS(freplicate, ML_ESHAPE, from_cells(2, 2, NULL), text_frame("a"));
}
