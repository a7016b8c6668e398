/* Metadata, arguments and defaults. */
#include "test_io.h"

static void put_file(const char *name, const char *data, const char *mtd)
{
    char path[300];

    write_text(scratch(name), data);
    snprintf(path, sizeof path, "%s.mtd", scratch(name));
    write_text(path, mtd);
}

static void assert_fails(const char *name, const IoOptions *o, ml_status code, const char *message)
{
    Value v;

    assert_int_equal(io_read(test_ctx(), scratch(name), o, &v), code);
    if (!strstr(test_error(), message))
        fail_msg("the error is '%s', expected '%s'", test_error(), message);
}

static const double four[] = {1, 2, 3, 4};

static Value read_scratch(const char *name, const IoOptions *o)
{
    Value v;

    assert_ok(io_read(test_ctx(), scratch(name), o, &v));
    return v;
}

ML_TEST(mtd_completes_a_read)
{
    put_file("a", "x;y\n1;2\n3;4\n",
             "{ \"data_type\": \"matrix\", \"value_type\": \"double\", \"rows\": 2, \"cols\": 2, "
             "\"nnz\": 4,\n"
             "  \"format\": \"csv\", \"header\": true, \"sep\": \";\", \"author\": \"ada\" }");
    assert_matrix(read_scratch("a", NULL), 2, 2, four);
}

ML_TEST(mtd_need_not_be_strict_json)
{
    put_file(
        "b", "1,2\n3,4\n",
        "{data_type: matrix, 'format': csv, rows: 2, cols: \"2\", privacy: {x: [1, {y: 2}]}, }\n");
    assert_matrix(read_scratch("b", NULL), 2, 2, four);
    put_file("b", "1,2\n3,4\n", "{}");
    assert_matrix(read_scratch("b", &OPTIONS(.format = "csv")), 2, 2, four);
}

ML_TEST(mtd_na_strings_may_be_many)
{
    const double na[] = {1, (double)NAN, (double)NAN, 4};

    put_file("c", "1,NA\n?,4\n", "{\"format\": \"csv\", \"naStrings\": [\"NA\", \"?\",]}");
    assert_matrix(read_scratch("c", NULL), 2, 2, na);
    assert_fails("c", &OPTIONS(.na_strings = "NA"), ML_EVALUE,
                 "parameter 'naStrings' has conflicting values");
}

ML_TEST(mtd_and_arguments_must_agree)
{
    put_file("d", "1,2\n3,4\n",
             "{\"data_type\": \"matrix\", \"format\": \"csv\", \"rows\": 2, \"cols\": 2}");
    assert_fails("d", &OPTIONS(.rows = 3), ML_EVALUE, "parameter 'rows' has conflicting values");
    assert_fails("d", &OPTIONS(.format = "text"), ML_EVALUE,
                 "parameter 'format' has conflicting values");
    assert_fails("d", &OPTIONS(.data_type = "frame"), ML_EVALUE,
                 "parameter 'data_type' has conflicting values");
    assert_matrix(read_scratch("d", &OPTIONS(.rows = 2, .format = "csv")), 2, 2, four);
    put_file("d", "1,2\n3,4\n", "{\"format\": \"csv\", \"rows\": 3}");
    assert_fails("d", NULL, ML_EFORMAT, "the file has 2 rows and 2 columns, expected 3 and 2");
}

ML_TEST(mtd_errors_say_where)
{
    put_file("e", "1\n", "{\"format\": \"csv\",\n \"foo\": 1}");
    assert_fails("e", NULL, ML_EFORMAT, "contains an invalid parameter name: foo");
    put_file("e", "1\n", "{\"format\": \"csv\"");
    assert_fails("e", NULL, ML_EFORMAT,
                 ".mtd:1:17: expected ',' or '}', found the end of the file");
    put_file("e", "1\n", "{\"rows\": many}");
    assert_fails("e", NULL, ML_EFORMAT, "the value of 'rows' is 'many', expected a count");
    put_file("e", "1\n", "{\"header\": 3}");
    assert_fails("e", NULL, ML_EFORMAT, "expected true or false");
    put_file("e", "1\n", "{\"sep\": \"ab");
    assert_fails("e", NULL, ML_EFORMAT, "expected a closing quote");
    put_file("e", "1\n", "[1]");
    assert_fails("e", NULL, ML_EFORMAT, ".mtd:1:1: expected '{'");
    put_file("e", "1\n", "{} x");
    assert_fails("e", NULL, ML_EFORMAT, "expected the end of the file, found \"x\"");
    put_file("e", "1\n", "{\"format\": \"csv\", \"schema\": \"INT64,FOO\"}");
    assert_fails("e", NULL, ML_EVALUE, "'FOO' is no column type");
}

ML_TEST(formats_are_told_by_name_or_else_by_extension)
{
    write_text(scratch("x.csv"), "1,2\n3,4\n");
    write_text(scratch("y.csv"), "1 1 1\n1 2 2\n2 1 3\n2 2 4\n");
    assert_matrix(read_scratch("x.csv", NULL), 2, 2, four);
    assert_matrix(read_scratch("y.csv", &OPTIONS(.rows = 2, .cols = 2)), 2, 2,
                  four); /* text is the default */
    assert_fails("x.csv", &OPTIONS(.format = "foo"), ML_EVALUE, "invalid format foo");
    assert_fails("x.csv", &OPTIONS(.format = "delta"), ML_EUNSUPPORTED, "delta");
    assert_fails("x.csv", &OPTIONS(.format = "mm", .data_type = "frame"), ML_EVALUE,
                 "format mm holds no frame");
    assert_fails("x.csv", &OPTIONS(.format = "csv", .sep = ""), ML_EVALUE,
                 "separators must not be empty");
}

ML_TEST(missing_files_are_errors)
{
    assert_fails("nothing", &OPTIONS(.format = "csv"), ML_EIO, "there is no file");
}

ML_TEST(folders_of_part_files_are_read_in_order)
{
    const double cells[] = {1, 2, 3, 4, 5, 6};

    write_text(scratch("parts.mtd"),
               "{\"data_type\":\"matrix\",\"format\":\"csv\",\"rows\":3,\"cols\":2,}");
    assert_ok(io_write(test_ctx(), value_int(1), scratch("parts/_SUCCESS"), NULL));
    write_text(scratch("parts/part-10"), "5,6");
    write_text(scratch("parts/part-2"), "3,4\n");
    write_text(scratch("parts/part-1"), "1,2");
    assert_matrix(read_scratch("parts", NULL), 3, 2, cells);
    write_text(scratch("parts/part-2"), "3,z\n");
    assert_fails("parts", NULL, ML_EFORMAT, "parts/part-2:1:3: expected a number");
}

ML_TEST(probe_tells_what_a_read_would_give)
{
    DataType dt;
    ValueType vt;
    int64_t rows, cols, nnz;

    put_file("p", "1,2\n", "{\"format\": \"csv\", \"rows\": 1, \"cols\": 2, \"nnz\": 2}");
    assert_ok(io_probe(test_ctx(), scratch("p"), NULL, &dt, &vt, &rows, &cols, &nnz));
    assert_int_equal(dt, DT_MATRIX);
    assert_int_equal(rows, 1);
    assert_int_equal(cols, 2);
    assert_ok(io_probe(test_ctx(), scratch("none"), NULL, &dt, &vt, &rows, &cols, &nnz));
    assert_int_equal(dt, DT_NONE);
    write_text(scratch("q"), "1 1:2\n");
    assert_ok(io_probe(test_ctx(), scratch("q"), &OPTIONS(.format = "libsvm", .cols = 3), &dt, &vt,
                       &rows, &cols, &nnz));
    assert_int_equal(rows, -1);
    assert_int_equal(cols, 4);
    assert_ok(io_probe(test_ctx(), scratch("q"),
                       &OPTIONS(.data_type = "scalar", .value_type = "int"), &dt, &vt, &rows, &cols,
                       &nnz));
    assert_int_equal(dt, DT_SCALAR);
    assert_int_equal(vt, VT_INT);
}

ML_TEST(scalars_read_by_their_type)
{
    const IoOptions i = OPTIONS(.data_type = "scalar", .value_type = "int");
    const IoOptions d = OPTIONS(.data_type = "scalar", .value_type = "double");
    const IoOptions b = OPTIONS(.data_type = "scalar", .value_type = "boolean");
    const IoOptions s = OPTIONS(.data_type = "scalar", .value_type = "string");
    Value v;

    assert_int_equal(read_as(&i, "-5\n").i, -5);
    assert_true(read_as(&d, "4.5").d == 4.5);
    assert_true(read_as(&d, "1e3\nrest").d == 1000);
    assert_true(read_as(&b, "TRUE").b);
    assert_false(read_as(&b, "false\n").b);
    v = read_as(&s, "a b\nc\n");
    assert_string_equal(v.s->text, "a b\nc\n");
    value_release(v);
    v = read_as(&s, "");
    assert_int_equal(v.s->size, 0);
    value_release(v);
    assert_read_fails(&i, "5.0", ML_EFORMAT, "f:1:1: expected an integer, found \"5.0\"");
    assert_read_fails(&d, "abc", ML_EFORMAT, "expected a number, found \"abc\"");
    assert_read_fails(&d, "", ML_EFORMAT, "the file is empty");
    assert_read_fails(&b, "maybe", ML_EFORMAT, "expected true or false");
}
