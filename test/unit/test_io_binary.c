/* The binary format: round trips of every representation, and damaged files. */
#include "test_io.h"

#include "io/binary.h"

static Matrix *read_matrix(const char *path)
{
    Value v;

    assert_ok(io_read(test_ctx(), path, NULL, &v));
    assert_int_equal(v.dt, DT_MATRIX);
    return v.m;
}

static void check_round_trip(Matrix *m)
{
    const IoOptions o = OPTIONS(.format = "binary");
    const char *path = scratch("m.bin");
    Matrix *back;

    assert_ok(io_write(test_ctx(), value_matrix(m), path, &o));
    back = read_matrix(path);
    assert_int_equal(back->format, m->format);
    assert_equal_matrix(m, back);
    matrix_release(back);
}

ML_TEST(binary_keeps_dense_cells_bit_for_bit)
{
    const double cells[] = {1, -0.0, (double)NAN, -(double)INFINITY, 0x1p-1074, 0};
    Matrix *m = matrix_of(2, 3, cells), *back;
    const IoOptions o = OPTIONS(.format = "binary");

    check_round_trip(m);
    assert_ok(io_write(test_ctx(), value_matrix(m), scratch("d"), &o));
    back = read_matrix(scratch("d"));
    assert_memory_equal(back->values, cells, sizeof cells);
    matrix_release(back);
    matrix_release(m);
}

ML_TEST(binary_maps_large_dense_files)
{
    Matrix *m, *back;
    const IoOptions o = OPTIONS(.format = "binary");

    assert_ok(matrix_new_dense(test_ctx(), 1000, 300, &m));
    for (int i = 0; i < 300000; i++)
        m->values[i] = i % 10 ? i * 0.5 : 0;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    check_round_trip(m);
    back = read_matrix(scratch("m.bin"));
    assert_non_null(back->mapping);
    assert_int_equal((uintptr_t)back->values % 64, 0);
    assert_ok(io_write(test_ctx(), value_matrix(m), scratch("m.bin"),
                       &o)); /* under the mapping: the old file stays */
    assert_equal_matrix(m, back);
    assert_ok(matrix_writable(test_ctx(), &back));
    back->values[0] = 7;
    matrix_release(back);
    matrix_release(m);
}

ML_TEST(binary_keeps_sparse_and_constant_matrices)
{
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), 500, 40, &m)); /* with empty rows and columns */
    for (int i = 0; i < 500; i += 7)
        m->values[i * 40 + i % 39] = i + 1;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    assert_int_equal(m->format, MATRIX_CSR);
    check_round_trip(m);
    matrix_release(m);
    assert_ok(matrix_new_constant(test_ctx(), 300, 20, 2.5, &m));
    check_round_trip(m);
    matrix_release(m);
    assert_ok(matrix_new_zero(test_ctx(), 100, 100, &m)); /* sparse without any cell */
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    check_round_trip(m);
    matrix_release(m);
}

/* The bytes of a small file of each kind. */
static char *make_file(const char *name, Value v, size_t *size)
{
    const IoOptions o = OPTIONS(.format = "binary");
    char *text = NULL;

    assert_ok(io_write(test_ctx(), v, scratch(name), &o));
    assert_ok(file_read(test_ctx(), scratch(name), &text, size));
    return text;
}

static Matrix *sparse_matrix(void)
{
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), 60, 30, &m));
    for (int i = 0; i < 60; i += 2)
        m->values[i * 30 + i % 29] = i + 1;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    return m;
}

static Value small_frame(void)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .header = 1,
                                .schema = "STRING,INT64,FP64,STRING");

    return read_as(&o, "a,b,c,d\nx,1,2.5,q\n,2,NaN,\nlong text,3,-1,ü\n");
}

ML_TEST(binary_keeps_frames)
{
    const IoOptions o = OPTIONS(.format = "binary");
    Value v = small_frame(), back;

    assert_ok(io_write(test_ctx(), v, scratch("f.bin"), &o));
    assert_ok(io_read(test_ctx(), scratch("f.bin"), NULL, &back));
    assert_shows(back,
                 "# FRAME: nrow = 3, ncol = 4\n# a b c d\n# STRING INT64 FP64 STRING\nx 1 2.500 q\n"
                 "null 2 NaN null\nlong text 3 -1.000 ü\n");
    value_release(v);
}

/* Whatever byte is changed or wherever the file ends, reading fails cleanly or, in padding, gives a
 * value. */
static void damage_every_byte(const char *kind, const char *bytes, size_t size)
{
    const IoOptions o = OPTIONS(.format = "binary", .data_type = kind);
    char *copy = malloc(size);

    assert_non_null(copy);
    for (size_t i = 0; i < size; i++) {
        Value v;

        memcpy(copy, bytes, size);
        copy[i] = (char)(copy[i] ^ 0x41);
        if (io_read_memory(test_ctx(), "f", copy, size, &o, &v) == ML_OK)
            value_release(v);
        else
            assert_int_equal(test_ctx()->err.code, ML_EFORMAT);
        assert_int_not_equal(io_read_memory(test_ctx(), "f", bytes, i, &o, &v), ML_OK);
    }
    free(copy);
}

ML_TEST(binary_files_damaged_anywhere_are_errors)
{
    const double cells[] = {1, 2, 3, 4};
    Value values[] = {value_matrix(matrix_of(2, 2, cells)), value_matrix(sparse_matrix()),
                      small_frame()};

    for (int i = 0; i < 3; i++) {
        size_t size;
        char *bytes = make_file("damaged", values[i], &size);

        damage_every_byte(i == 2 ? "frame" : "matrix", bytes, size);
        mem_free(bytes);
        value_release(values[i]);
    }
}

ML_TEST(binary_rejects_other_files)
{
    const IoOptions o = OPTIONS(.format = "binary");

    assert_read_fails(&o, "1,2,3", ML_EFORMAT, "too short for a binary file");
    assert_read_fails(
        &o,
        "1,2,3                                                                          "
        "                                                                               ",
        ML_EFORMAT, "not a binary file of matloom");
}

/* A file whose checksums are right but whose content is not must not do harm either. */
static void check_forged(BinaryHeader h, const Part *parts, size_t count, const char *message)
{
    Output o;
    Value v;
    const IoOptions options =
        OPTIONS(.format = "binary", .data_type = h.kind == BINARY_FRAME ? "frame" : "matrix");

    assert_ok(output_open(test_ctx(), scratch("forged"), &o));
    assert_ok(binary_write(test_ctx(), &o, &h, parts, count));
    assert_ok(output_commit(test_ctx(), &o));
    assert_int_equal(io_read(test_ctx(), scratch("forged"), &options, &v), ML_EFORMAT);
    if (!strstr(test_error(), message))
        fail_msg("the error is '%s', expected '%s'", test_error(), message);
}

/* Frames of one column and two rows: descriptor, then numbers or codes or nulls, offsets, texts. */
static void check_forged_frames(void)
{
    static const char no_name[] = "\377\377\377\377";
    const BinaryHeader h = {.kind = BINARY_FRAME, .rows = 2, .cols = 1};
    const struct {
        uint32_t column;
        const char *name;
        Part cells, offsets, texts;
        const char *message;
    } forged[] = {
        {0, no_name, {NULL, 0}, {(uint32_t[]){0, 9, 2}, 12}, {"ab", 2}, "overlap"},
        {0, no_name, {NULL, 0}, {NULL, 0}, {"ab", 2}, "no offsets"},
        {0, no_name, {NULL, 0}, {(uint32_t[]){0, 2}, 8}, {"ab", 2}, "a text for each row"},
        {0, no_name, {"\1", 1}, {(uint32_t[]){0, 1, 2}, 12}, {"ab", 2}, "wrong size"},
        {0x100, no_name, {"\1\3", 2}, {(uint32_t[]){0, 1, 2}, 12}, {"ab", 2}, "unknown code"},
        {0x200, no_name, {"\1\0\2", 4}, {(uint32_t[]){0, 1, 2}, 12}, {"ab", 2}, "wrong size"},
        {FT_BOOLEAN, no_name, {"\1\2", 2}, {NULL, 0}, {NULL, 0}, "beyond its type"},
        {99, no_name, {"\1\2", 2}, {NULL, 0}, {NULL, 0}, "unknown type"},
        {FT_UINT8, "\100\0\0\0", {"\1\2", 2}, {NULL, 0}, {NULL, 0}, "cut off"},
    };

    for (size_t k = 0; k < sizeof forged / sizeof *forged; k++)
        check_forged(h,
                     (Part[]){{&forged[k].column, 4},
                              {forged[k].name, 4},
                              forged[k].cells,
                              forged[k].offsets,
                              forged[k].texts},
                     5, forged[k].message);
    check_forged(h, (Part[]){{(uint32_t[]){1}, 4}, {no_name, 4}}, 2, "impossible sizes");
}

ML_TEST(binary_rejects_forged_contents)
{
    const int64_t rows[] = {0, 1, 2}, backwards[] = {0, 2, 1};
    const double values[] = {1, 2}, zero[] = {1, 0};
    const uint32_t cols[] = {0, 1}, outside[] = {0, 9};
    const BinaryHeader csr = {.kind = BINARY_CSR, .rows = 2, .cols = 2, .nnz = 2};
    BinaryHeader h = csr;

    check_forged(csr, (Part[]){{backwards, 24}, {values, 16}, {cols, 8}}, 3, "row pointers");
    check_forged(csr, (Part[]){{rows, 24}, {values, 16}, {outside, 8}}, 3, "not in order");
    check_forged(csr, (Part[]){{rows, 24}, {zero, 16}, {cols, 8}}, 3, "not in order");
    check_forged(csr, (Part[]){{rows, 24}, {values, 8}, {cols, 8}}, 3, "wrong size");
    check_forged(csr, (Part[]){{rows, 24}}, 1, "impossible sizes");
    h.nnz = INT64_MAX;
    check_forged(h, (Part[]){{rows, 24}, {values, 16}, {cols, 8}}, 3, "impossible sizes");
    h = (BinaryHeader){.kind = BINARY_DENSE, .rows = INT64_MAX, .cols = 2, .nnz = 2};
    check_forged(h, (Part[]){{values, 16}}, 1, "impossible sizes");
    h = (BinaryHeader){.kind = BINARY_DENSE, .rows = 1, .cols = 2, .nnz = 1};
    check_forged(h, (Part[]){{values, 16}}, 1, "number of nonzeros");
    h.kind = 77;
    check_forged(h, (Part[]){{values, 16}}, 1, "holds no matrix");
    check_forged_frames();
}
