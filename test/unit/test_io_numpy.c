/* NumPy's .npy and .npz: headers, element types, orders, archives, damage. What NumPy itself writes
 * and reads is in test/interop. */
#include "test_io.h"

static const IoOptions npy = {.format = "npy", .rows = -1, .cols = -1, .nnz = -1};

/* An array of version 1 from its header and cells. */
static size_t array_of(char *to, const char *header, const void *cells, size_t size)
{
    const size_t n = strlen(header);

    memcpy(to, "\x93NUMPY\x01\0", 8);
    to[8] = (char)n;
    to[9] = 0;
    memcpy(to + 10, header, n);
    if (size > 0)
        memcpy(to + 10 + n, cells, size);
    return 10 + n + size;
}

static Value read_array(const char *header, const void *cells, size_t size)
{
    char array[512];
    Value v;

    assert_ok(
        io_read_memory(test_ctx(), "f", array, array_of(array, header, cells, size), &npy, &v));
    return v;
}

static void assert_array_fails(const char *header, const char *message)
{
    char array[512];
    Value v;

    assert_int_equal(
        io_read_memory(test_ctx(), "f", array, array_of(array, header, "12345678", 8), &npy, &v),
        ML_EFORMAT);
    if (!strstr(test_error(), message))
        fail_msg("the error is '%s', expected '%s'", test_error(), message);
}

ML_TEST(npy_takes_every_real_type_in_both_byte_orders)
{
    const struct {
        const char *descr, *cells;
        size_t size;
    } cases[] = {
        {"<f8", "\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\xc0", 16},
        {">f8", "\x3f\xf8\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0", 16},
        {"<f4", "\0\0\xc0\x3f\0\0\0\xc0", 8},
        {">f4", "\x3f\xc0\0\0\xc0\0\0\0", 8},
        {"<f2", "\0\x3e\0\xc0", 4},
        {">f2", "\x3e\0\xc0\0", 4},
    };
    const double expected[] = {1.5, -2};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[128];

        snprintf(header, sizeof header,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (1, 2), }", cases[i].descr);
        assert_matrix(read_array(header, cases[i].cells, cases[i].size), 1, 2, expected);
    }
}

ML_TEST(npy_takes_integers_and_booleans)
{
    const double wide[] = {-2, 258}, bytes[] = {255, 1}, signs[] = {-1, 1}, flags[] = {1, 1};

    assert_matrix(read_array("{'descr':'<i4','fortran_order':False,'shape':(2,)}",
                             "\xfe\xff\xff\xff\2\1\0\0", 8),
                  2, 1, wide);
    assert_matrix(
        read_array("{'descr':'>i2','fortran_order':False,'shape':(2,)}", "\xff\xfe\1\2", 4), 2, 1,
        wide);
    assert_matrix(read_array("{'shape':(1L,2L),'descr':'|u1','fortran_order':False}", "\xff\1", 2),
                  1, 2, bytes);
    assert_matrix(read_array("{'descr':'|i1','fortran_order':True,'shape':(1,2)}", "\xff\1", 2), 1,
                  2, signs);
    assert_matrix(read_array("{'descr':'|b1','fortran_order':False,'shape':(1,2)}", "\2\1", 2), 1,
                  2, flags);
}

ML_TEST(npy_shapes_become_rows_and_columns)
{
    const double plain[] = {1, 2, 3, 4, 5, 6}, turned[] = {1, 3, 5, 2, 4, 6}, one[] = {7};

    assert_matrix(
        read_array("{'descr':'|u1','fortran_order':True,'shape':(2,3)}", "\1\2\3\4\5\6", 6), 2, 3,
        turned);
    assert_matrix(
        read_array("{'descr':'|u1','fortran_order':False,'shape':(2,3,1)}", "\1\2\3\4\5\6", 6), 2,
        3, plain);
    assert_matrix(read_array("{'descr':'|u1','fortran_order':False,'shape':()}", "\7", 1), 1, 1,
                  one);
    assert_matrix(read_array("{'descr':'|u1','fortran_order':False,'shape':(0,3)}", "", 0), 0, 3,
                  one);
}

ML_TEST(npy_headers_that_lie_are_errors)
{
    assert_array_fails("{'descr': '<c8', 'fortran_order': False, 'shape': ()}", "dtype '<c8'");
    assert_array_fails("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "Python objects");
    assert_array_fails("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}", "True or False");
    assert_array_fails("{'descr': '<f8', 'fortran_order': False}",
                       "descr, fortran_order and shape");
    assert_array_fails("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "take 16 bytes");
    assert_array_fails(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "product");
    assert_array_fails("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", "a size");
    assert_array_fails("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)", "'}'");
    assert_array_fails("{'descr': '<f8', 'other': 1}", "a key 'other'");
    assert_array_fails("{'descr': '<f8', 'descr': '<f8'}", "each key once");
    assert_array_fails("{'descr': '<f8, 'fortran_order'", "is not supported");
    assert_read_fails(&npy, "\x93NUMPY\x01", ML_EFORMAT, "magic");
    assert_read_fails(&npy, "\x93NUMPY\x09 12345678", ML_EFORMAT, "version 9");
    assert_read_fails(&npy, "\x93NUMPY\x03 \xff\xff\xff\x7f", ML_EFORMAT, "the header takes");
}

ML_TEST(npy_maps_large_arrays)
{
    Matrix *m;
    Value v;

    assert_ok(matrix_new_dense(test_ctx(), 1000, 300, &m));
    for (int i = 0; i < 300000; i++)
        m->values[i] = i + 1;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    assert_ok(io_write(test_ctx(), value_matrix(m), scratch("m.npy"), NULL));
    assert_ok(io_read(test_ctx(), scratch("m.npy"), NULL, &v));
    assert_non_null(v.m->mapping);
    assert_equal_matrix(m, v.m);
    value_release(v);
    matrix_release(m);
}

/* A sparse matrix goes through SciPy's form, unless an array is named. */
ML_TEST(npz_keeps_sparse_matrices_and_names)
{
    const IoOptions named = OPTIONS(.format = "npz", .dataset = "A"),
                    other = OPTIONS(.format = "npz", .dataset = "B");
    Matrix *m;
    Value v;

    assert_ok(matrix_new_zero(test_ctx(), 300, 40, &m));
    m->values[5] = 2;
    m->values[11999] = -1;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    for (int i = 0; i < 2; i++) {
        assert_ok(io_write(test_ctx(), value_matrix(m), scratch("s.npz"), i ? &named : NULL));
        assert_ok(io_read(test_ctx(), scratch("s.npz"), NULL, &v));
        assert_int_equal(v.m->format, MATRIX_CSR);
        assert_equal_matrix(m, v.m);
        value_release(v);
    }
    assert_int_equal(io_read(test_ctx(), scratch("s.npz"), &other, &v), ML_EVALUE);
    assert_non_null(strstr(test_error(), "there is no array 'B'; the archive holds: A"));
    matrix_release(m);
}

ML_TEST(npz_archives_that_are_cut_or_changed_are_errors)
{
    const double cells[] = {1, 2, 3, 4};
    const IoOptions o = OPTIONS(.format = "npz");
    Matrix *m = matrix_of(2, 2, cells);
    char *text;
    size_t size;

    assert_ok(io_write(test_ctx(), value_matrix(m), scratch("cut.npz"), &o));
    assert_ok(file_read(test_ctx(), scratch("cut.npz"), &text, &size));
    for (size_t n = 0; n < size; n++) {
        Value v;

        assert_int_equal(io_read_memory(test_ctx(), "f", text, n, &o, &v), ML_EFORMAT);
    }
    for (size_t at = 0; at < size; at++) { /* any changed bit is found, or does not matter */
        Value v;

        text[at] ^= 0x10;
        if (io_read_memory(test_ctx(), "f", text, size, &o, &v) == ML_OK) {
            assert_equal_matrix(v.m, m);
            value_release(v);
        }
        text[at] ^= 0x10;
    }
    mem_free(text);
    matrix_release(m);
}
