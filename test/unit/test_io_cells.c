/* The coordinate formats: text, MatrixMarket, LibSVM. */
#include "test_io.h"

ML_TEST(text_reads_cells_in_any_order)
{
    const IoOptions o = OPTIONS(.format = "text", .rows = 3, .cols = 3);
    const double want[] = {5, 0, 0, 0, 0, 0, 0, 7.5, 0}, none[9] = {0};

    assert_matrix(read_as(&o, "3 2 7.5\n\n 1\t1  5 \r\n"), 3, 3, want);
    assert_matrix(read_as(&o, "1 1 4\n3 2 7.5\n1 1 5"), 3, 3, want); /* the last one counts */
    assert_matrix(read_as(&o, ""), 3, 3, none);
}

ML_TEST(text_of_a_sparse_matrix_with_few_cells_becomes_hypersparse)
{
    const IoOptions o = OPTIONS(.format = "text", .rows = 1000000, .cols = 1000000);
    Value v = read_as(&o, "1000000 7 2\n5 1000000 3\n5 1000000 4\n5 3 1\n9 9 0\n");

    assert_int_equal(v.m->format, MATRIX_HYPER);
    assert_int_equal(v.m->nnz, 3);
    assert_true(matrix_get(v.m, 4, 999999) == 4);
    assert_true(matrix_get(v.m, 4, 2) == 1);
    assert_true(matrix_get(v.m, 999999, 6) == 2);
    assert_true(matrix_get(v.m, 8, 8) == 0);
    value_release(v);
}

ML_TEST(text_long_rows_are_sorted_and_keep_the_last_duplicate)
{
    const IoOptions o = OPTIONS(.format = "text", .rows = 2, .cols = 100000);
    Buffer b = {0};
    Value v;

    for (int i = 0; i < 30000; i++)
        buffer_format(&b, "2 %d %d\n", i * 7919 % 20000 + 1, i + 1);
    v = read_as(&o, b.data);
    assert_int_equal(v.m->format, MATRIX_CSR);
    assert_int_equal(v.m->nnz, 20000);
    for (int i = 0; i < 30000; i++)
        if (i + 20000 >= 30000)
            assert_true(matrix_get(v.m, 1, i * 7919 % 20000) == i + 1);
    value_release(v);
    buffer_free(&b);
}

ML_TEST(text_errors_name_line_and_column)
{
    const IoOptions o = OPTIONS(.format = "text", .rows = 3, .cols = 3),
                    bare = OPTIONS(.format = "text");

    assert_read_fails(&o, "1 1 1\n4 1 5\n", ML_EFORMAT, "f:2:1: row index \"4\" is outside 1 to 3");
    assert_read_fails(&o, "1 0 1\n", ML_EFORMAT, "f:1:3: column index \"0\" is outside 1 to 3");
    assert_read_fails(&o, "1 99999999999999999999 1\n", ML_EFORMAT, "is outside 1 to 3");
    assert_read_fails(&o, "1 1\n", ML_EFORMAT, "f:1:4: expected a number");
    assert_read_fails(&o, "1 1 abc\n", ML_EFORMAT, "f:1:5: expected a number, found \"abc\"");
    assert_read_fails(&o, "1 1 5 9\n", ML_EFORMAT, "f:1:5: expected a number, found \"5 9\"");
    assert_read_fails(&o, "1,1,1\n", ML_EFORMAT, "f:1:1: expected a row index, found \"1,1,1\"");
    assert_read_fails(&o, "1.0 1 1\n", ML_EFORMAT, "expected a row index");
    assert_read_fails(&bare, "1 1 1\n", ML_EVALUE, "missing or incomplete dimension information");
}

ML_TEST(text_of_an_impossible_size_is_an_error)
{
    const IoOptions o = OPTIONS(.format = "text", .rows = INT64_MAX, .cols = INT64_MAX);
    const IoOptions frame =
        OPTIONS(.format = "text", .rows = INT64_MAX, .cols = 3, .data_type = "frame");
    Value v;

    assert_int_not_equal(io_read_memory(test_ctx(), "f", "1 1 1\n", 6, &o, &v), ML_OK);
    assert_int_not_equal(io_read_memory(test_ctx(), "f", "1 1 1\n", 6, &frame, &v), ML_OK);
}

ML_TEST(text_frame_takes_the_rest_of_the_line)
{
    const IoOptions o = OPTIONS(.format = "text", .rows = 2, .cols = 2, .data_type = "frame",
                                .schema = "STRING,INT64");

    assert_shows(read_as(&o, "2 2 7\n1 1 abc def\n"),
                 "# FRAME: nrow = 2, ncol = 2\n# C1 C2\n# STRING INT64\nabc def 0\nnull 7\n");
    assert_read_fails(&o, "1 2 x\n", ML_EFORMAT,
                      "f:1:5: expected a value of type INT64, found \"x\"");
}

ML_TEST(mm_reads_every_field_and_symmetry)
{
    const IoOptions o = OPTIONS(.format = "mm");
    const double plain[] = {3, 0, 4, 0}, ones[] = {1, 0, 1, 0}, symmetric[] = {3, 4, 4, 0},
                 skew[] = {0, -4, 4, 0};
    const double array[] = {1, 3, 2, 4}, lower[] = {1, 2, 3, 2, 4, 5, 3, 5, 6},
                 skew3[] = {0, -1, -2, 1, 0, -3, 2, 3, 0};

    assert_matrix(
        read_as(&o,
                "%%MatrixMarket matrix coordinate integer general\n% c\n\n2 2 2\n1 1 3\n2 1 4\n"),
        2, 2, plain);
    assert_matrix(
        read_as(&o, "%%matrixmarket MATRIX Coordinate Real General\n2 2 2\n1 1 3\n% x\n2 1 4"), 2,
        2, plain);
    assert_matrix(
        read_as(&o, "%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 1\n2 1\n"), 2, 2,
        ones);
    assert_matrix(
        read_as(&o, "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 3\n2 1 4\n"), 2, 2,
        symmetric);
    assert_matrix(
        read_as(&o, "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 4\n"), 2, 2,
        skew);
    assert_matrix(read_as(&o, "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n"), 2, 2,
                  array);
    assert_matrix(
        read_as(&o, "%%MatrixMarket matrix array real symmetric\n3 3\n1\n2\n3\n4\n5\n6\n"), 3, 3,
        lower);
    assert_matrix(read_as(&o, "%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n"), 3,
                  3, skew3);
}

ML_TEST(mm_rejects_what_it_cannot_represent)
{
    const IoOptions o = OPTIONS(.format = "mm"),
                    sized = OPTIONS(.format = "mm", .rows = 3, .cols = 2);
    const char *const head = "%%MatrixMarket matrix coordinate real general\n";
    char text[256];

    assert_read_fails(&o, "%%MatrixMarket matrix coordinate complex general\n", ML_EFORMAT,
                      "f:1:34: MatrixMarket: the field is \"complex\"");
    assert_read_fails(&o, "%%MatrixMarket matrix coordinate real hermitian\n", ML_EFORMAT,
                      "the symmetry is \"hermitian\"");
    assert_read_fails(&o, "%%MatrixMarket vector\n", ML_EFORMAT, "the object is \"vector\"");
    assert_read_fails(&o, "2 2 1\n1 1 3\n", ML_EFORMAT,
                      "f:1:1: MatrixMarket: the first word is \"2\"");
    assert_read_fails(&o, "", ML_EFORMAT, "the file is empty");
    assert_read_fails(&o, head, ML_EFORMAT, "the MatrixMarket size line is missing");
    snprintf(text, sizeof text, "%s2 2 3\n1 1 3\n", head);
    assert_read_fails(&o, text, ML_EFORMAT, "expected 3 entries, found 1");
    snprintf(text, sizeof text, "%s2 2 1\n1 1 3\n2 2 4\n", head);
    assert_read_fails(&o, text, ML_EFORMAT, "expected 1 entries, found 2");
    assert_read_fails(&sized, text, ML_EFORMAT, "expected 3 and 2");
    snprintf(text, sizeof text, "%s2 2\n1 1 3\n", head);
    assert_read_fails(&o, text, ML_EFORMAT, "the size is \"\"");
    snprintf(text, sizeof text, "%s2 2 1\n3 1 3\n", head);
    assert_read_fails(&o, text, ML_EFORMAT, "f:3:1: row index \"3\" is outside 1 to 2");
    assert_read_fails(&o, "%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n", ML_EFORMAT,
                      "is not square");
    assert_read_fails(&o, "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n", ML_EFORMAT,
                      "expected 4 values, found 3");
    assert_read_fails(&o, "%%MatrixMarket matrix array real general\n1 1\n1\n2\n", ML_EFORMAT,
                      "f:4:1: MatrixMarket: more than 1");
}

ML_TEST(libsvm_puts_the_label_last)
{
    const IoOptions blank = OPTIONS(.format = "libsvm", .cols = 3, .sep = " "),
                    comma = OPTIONS(.format = "libsvm", .cols = 3);
    const IoOptions equals = OPTIONS(.format = "libsvm", .cols = 3, .ind_sep = "=", .rows = 2);
    const double want[] = {2, 0, 4, 1, 0, 5, 0, -1};

    assert_matrix(read_as(&blank, "1 1:2 3:4\n-1  2:5 \n"), 2, 4, want);
    assert_matrix(read_as(&blank, "# head\n1 3:4 1:2 # c\n\n-1\t2:5\n"), 2, 4, want);
    assert_matrix(read_as(&comma, "1,1:2,3:4\n-1,2:5\n"), 2, 4, want);
    assert_matrix(read_as(&equals, "1,1=2,3=4\n-1,2=5"), 2, 4, want);
}

ML_TEST(libsvm_errors_name_line_and_column)
{
    const IoOptions o = OPTIONS(.format = "libsvm", .cols = 3, .sep = " "),
                    bare = OPTIONS(.format = "libsvm");
    const IoOptions rows = OPTIONS(.format = "libsvm", .rows = 5, .cols = 3, .sep = " ");

    assert_read_fails(&o, "1 4:2\n", ML_EFORMAT, "f:1:3: feature index \"4\" is outside 1 to 3");
    assert_read_fails(&o, "1 0:2\n", ML_EFORMAT, "feature index \"0\"");
    assert_read_fails(&o, "1 3=2\n", ML_EFORMAT, "expected index:value, found \"3=2\"");
    assert_read_fails(&o, "1 1:2\nx 1:2\n", ML_EFORMAT, "f:2:1: expected a label, found \"x\"");
    assert_read_fails(&o, "1 1:x\n", ML_EFORMAT, "f:1:5: expected a number, found \"x\"");
    assert_read_fails(&bare, "1 1:2\n", ML_EVALUE, "missing or incomplete dimension information");
    assert_read_fails(&rows, "1 1:2\n", ML_EFORMAT,
                      "the file has 1 rows and 3 columns, expected 5 and 3");
}

ML_TEST(coordinate_formats_write_nonzeros_only)
{
    const double cells[] = {1, 0, 2.5, 1e10, 0, (double)NAN};
    const IoOptions text = OPTIONS(.format = "text"), mm = OPTIONS(.format = "mm");
    const IoOptions svm = OPTIONS(.format = "libsvm", .sep = " ");
    Value v = value_matrix(matrix_of(3, 2, cells));

    assert_writes(v, &text, "1 1 1.0\n2 1 2.5\n2 2 1.0E10\n3 2 NaN\n");
    assert_writes(v, NULL, "1 1 1.0\n2 1 2.5\n2 2 1.0E10\n3 2 NaN\n");
    assert_writes(v, &mm,
                  "%%MatrixMarket matrix coordinate real general\n3 2 4\n1 1 1.0\n2 1 2.5\n2 2 "
                  "1.0E10\n3 2 NaN\n");
    assert_writes(v, &svm, "0.0 1:1.0\n1.0E10 1:2.5\nNaN\n");
    value_release(v);
}
