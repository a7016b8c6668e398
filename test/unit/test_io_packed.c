/* Compressed files: written by the path's extension, read by their magic number. */
#include "test_io.h"

static const char *const endings[] = {".gz", ".zst"};

static const char *packed(const char *name, int i)
{
    char full[64];

    snprintf(full, sizeof full, "%s%s", name, endings[i]);
    return scratch(full);
}

/* Several pieces and members; by 1 and by 8 threads the files are equal. */
ML_TEST(text_is_written_compressed_and_read_back)
{
    const IoOptions o = OPTIONS(.format = "csv");
    Matrix *m;

    assert_ok(matrix_new_dense(test_ctx(), 60000, 3, &m));
    for (int i = 0; i < 180000; i++)
        m->values[i] = i % 1000 + 1;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    for (int i = 0; i < 2; i++) {
        char *texts[2];
        size_t sizes[2];
        Value v;

        for (int k = 0; k < 2; k++) {
            test_threads(k ? 8 : 1);
            assert_ok(io_write(test_ctx(), value_matrix(m), packed("x.csv", i), &o));
            assert_ok(file_read(test_ctx(), packed("x.csv", i), &texts[k], &sizes[k]));
            assert_ok(io_read(test_ctx(), packed("x.csv", i), NULL, &v));
            assert_equal_matrix(m, v.m);
            value_release(v);
        }
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(texts[0], texts[1], sizes[0]);
        assert_true(sizes[0] < 500000);
        mem_free(texts[0]);
        mem_free(texts[1]);
    }
    matrix_release(m);
}

ML_TEST(the_extension_before_that_of_the_compression_tells_the_format)
{
    const double cells[] = {1, 2, 3, 4};
    const IoOptions mm = OPTIONS(.format = "mm"), npy = OPTIONS(.format = "npy");
    Value m = value_matrix(matrix_of(2, 2, cells)), v;

    for (int i = 0; i < 2; i++) {
        assert_ok(io_write(test_ctx(), m, packed("x.mtx", i), &mm));
        assert_ok(io_read(test_ctx(), packed("x.mtx", i), NULL, &v));
        assert_matrix(v, 2, 2, cells);
        assert_int_equal(io_write(test_ctx(), m, packed("x.npy", i), &npy), ML_EVALUE);
        assert_non_null(strstr(test_error(), "format npy is not written compressed"));
    }
    value_release(m);
}

/* What was parsed is given back only where it can come again. */
ML_TEST(errors_in_compressed_text_name_the_line_of_the_text)
{
    const IoOptions cells = OPTIONS(.format = "csv"),
                    in = OPTIONS(.format = "csv", .data_type = "frame", .schema = "INT64");
    char mtd[4096];
    Matrix *m;
    Value v;

    assert_ok(matrix_new_dense(test_ctx(), 200000, 1, &m));
    for (int i = 0; i < 200000; i++)
        m->values[i] = i == 199000 ? 0x1p80 : 1000000;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    for (int i = 0; i < 2; i++) {
        assert_ok(io_write(test_ctx(), value_matrix(m), packed("late.csv", i), &cells));
        snprintf(mtd, sizeof mtd, "%s.mtd", packed("late.csv", i));
        assert_int_equal(unlink(mtd), 0); /* it would say matrix */
        assert_int_equal(io_read(test_ctx(), packed("late.csv", i), &in, &v), ML_EFORMAT);
        assert_non_null(strstr(test_error(), ":199001:1: expected a value of type INT64"));
    }
    matrix_release(m);
}

ML_TEST(damaged_compressed_files_are_errors_with_a_place)
{
    const double cells[] = {1, 2, 3, 4};
    const IoOptions csv = OPTIONS(.format = "csv");
    Value m = value_matrix(matrix_of(2, 2, cells));

    for (int i = 0; i < 2; i++) {
        char *text;
        size_t size;

        assert_ok(io_write(test_ctx(), m, packed("d.csv", i), &csv));
        assert_ok(file_read(test_ctx(), packed("d.csv", i), &text, &size));
        for (size_t n = 4; n < size; n++) {
            Value v;

            assert_int_equal(io_read_memory(test_ctx(), "f", text, n, &csv, &v), ML_EFORMAT);
            assert_non_null(strstr(test_error(), "in the member at byte 0"));
        }
        mem_free(text);
    }
    value_release(m);
}
