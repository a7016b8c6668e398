/* Writing: every format back and forth, scalars, lists, failures that leave the old file. */
#include "test_io.h"

#include <sys/stat.h>

static Value read_back(const char *path, const IoOptions *o)
{
    Value v;

    assert_ok(io_read(test_ctx(), path, o, &v));
    return v;
}

/* Dense with special values, or sparse with empty rows and columns. */
static Matrix *sample(int64_t rows, int64_t cols, bool sparse)
{
    static const double special[] = {0,      1.5,       (double)NAN, -(double)INFINITY,
                                     1e-300, 123456789, -7,          0x1.fffffffffffffp1023};
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), rows, cols, &m));
    for (int64_t i = 0; i < rows * cols; i++)
        if (!sparse || (i % 11 == 3 && i / cols % 5 != 2 && i % cols != 1))
            m->values[i] = special[(i * 5 + i / 8) % 8];
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    assert_int_equal(m->format, sparse ? MATRIX_CSR : MATRIX_DENSE);
    return m;
}

static const char *const formats[] = {"text", "csv",  "mm",     "libsvm", "binary", "npy",
                                      "npz",  "hdf5", "netcdf", "arrow",  "arrows"};

/* Written by 1 and by 8 threads the files are equal; read by 1 and by 8, both give the matrix. */
static void check_format(const char *format, bool sparse)
{
    const IoOptions write = OPTIONS(.format = format), read = OPTIONS(.format = "mm");
    Matrix *m = sample(700, 40, sparse);
    const char *paths[] = {scratch("one"), scratch("eight")};
    char *texts[2];
    size_t sizes[2];

    for (int i = 0; i < 2; i++) {
        Value v;

        test_threads(i ? 8 : 1);
        assert_ok(io_write(test_ctx(), value_matrix(m), paths[i], &write));
        v = read_back(paths[0], strcmp(format, "mm") == 0 ? &read : NULL);
        assert_equal_matrix(m, v.m);
        value_release(v);
        assert_ok(file_read(test_ctx(), paths[i], &texts[i], &sizes[i]));
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(texts[0], texts[1], sizes[0]);
    mem_free(texts[0]);
    mem_free(texts[1]);
    matrix_release(m);
}

ML_TEST(every_format_gives_back_what_was_written)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        /* the last column, label of libsvm, comes first in its lines but is no exception here */
        check_format(formats[i], false);
        check_format(formats[i], true);
    }
}

/* Several chunks when read, several batches when written by few threads. */
ML_TEST(large_files_are_written_and_read_in_order)
{
    const IoOptions o = OPTIONS(.format = "csv");
    Matrix *m;

    assert_ok(matrix_new_dense(test_ctx(), 150000, 3, &m));
    for (int i = 0; i < 450000; i++)
        m->values[i] = i / 7.0;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    for (int threads = 1; threads <= 8; threads += 7) {
        Value v;

        test_threads(threads);
        assert_ok(io_write(test_ctx(), value_matrix(m), scratch("large"), &o));
        v = read_back(scratch("large"), NULL);
        assert_memory_equal(v.m->values, m->values, 450000 * sizeof(double));
        assert_int_equal(v.m->nnz, 449999);
        value_release(v);
    }
    matrix_release(m);
}

ML_TEST(real_data_sets_can_be_read)
{
    static const struct {
        const char *path, *type;
        int header;
        int64_t rows, cols;
    } sets[] = {{"data/wine.csv", "matrix", 1, 6497, 13},
                {"data/eeg.csv", "matrix", 1, 14955, 15},
                {"data/digits.csv", "matrix", 0, 1797, 65},
                {"data/iris.csv", "frame", 1, 150, 6},
                {"data/titanic.csv", "frame", 1, 624, 12}};

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const IoOptions o = OPTIONS(.data_type = sets[i].type, .header = sets[i].header,
                                    .rows = sets[i].rows, .cols = sets[i].cols, .format = "csv");

        value_release(read_back(sets[i].path, &o));
    }
}

ML_TEST(constant_matrices_are_written_in_every_format)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const IoOptions o = OPTIONS(.format = formats[i]);
        const IoOptions read = OPTIONS(.format = strcmp(formats[i], "mm") == 0 ? "mm" : NULL);
        Matrix *m;
        Value v;

        assert_ok(matrix_new_constant(test_ctx(), 30, 4, 2.5, &m));
        assert_ok(io_write(test_ctx(), value_matrix(m), scratch("constant"), &o));
        v = read_back(scratch("constant"), &read);
        assert_equal_matrix(m, v.m);
        value_release(v);
        matrix_release(m);
    }
}

ML_TEST(frames_come_back_from_every_format)
{
    const IoOptions in = OPTIONS(.format = "csv", .data_type = "frame", .header = 1,
                                 .schema = "STRING,INT64,BOOLEAN,FP32");
    const char *const kept[] = {"csv", "text", "binary"};

    for (int i = 0; i < 3; i++) {
        const IoOptions o = OPTIONS(.format = kept[i], .header = 1);
        Value v = read_as(&in, "s,i,b,d\nx,1,TRUE,0.1\n,0,0,0\n\"a,b\",-3,1,2.5\n");

        assert_ok(io_write(test_ctx(), v, scratch("frame"), &o));
        value_release(v);
        v = read_back(scratch("frame"), NULL);
        if (i == 1) /* text does not keep names */
            assert_shows(v,
                         "# FRAME: nrow = 3, ncol = 4\n# C1 C2 C3 C4\n# STRING INT64 BOOLEAN FP32\n"
                         "x 1 TRUE 0.1\nnull 0 FALSE 0.0\n\"a,b\" -3 TRUE 2.5\n");
        else
            assert_shows(v, "# FRAME: nrow = 3, ncol = 4\n# s i b d\n# STRING INT64 BOOLEAN FP32\n"
                            "x 1 TRUE 0.1\nnull 0 FALSE 0.0\n\"a,b\" -3 TRUE 2.5\n");
    }
}

ML_TEST(frames_with_line_breaks_are_binary_only)
{
    const IoOptions text = OPTIONS(.format = "csv"), binary = OPTIONS(.format = "binary");
    TextColumnBuilder b = {0};
    FrameColumn *c;
    Frame *f;

    assert_true(text_builder_add(&b, "a\nb", 3));
    assert_ok(text_builder_finish(test_ctx(), &b, FT_STRING, &c));
    assert_ok(frame_new(test_ctx(), 1, 1, &c, NULL, &f));
    assert_int_equal(io_write(test_ctx(), value_frame(f), scratch("breaks"), &text), ML_EVALUE);
    assert_ok(io_write(test_ctx(), value_frame(f), scratch("breaks"), &binary));
    frame_release(f);
}

ML_TEST(scalars_come_back)
{
    String *s;
    Value v;

    assert_writes(value_int(5), NULL, "5");
    assert_writes(value_double(2), NULL, "2.0");
    assert_writes(value_bool(true), NULL, "true");
    v = read_back(scratch("written"), NULL);
    assert_int_equal(v.vt, VT_BOOL);
    assert_true(v.b);
    assert_ok(string_new(test_ctx(), "he said \"hi\"", 12, &s));
    assert_writes(value_string(s), &OPTIONS(.description = "a \"quoted\"\nnote"), "he said \"hi\"");
    v = read_back(scratch("written"), NULL);
    assert_string_equal(v.s->text, s->text);
    value_release(v);
    string_release(s);
}

ML_TEST(lists_come_back_with_names_and_nested)
{
    const double cells[] = {1, 2, 3, 4};
    List *outer, *inner;
    Value v;

    assert_ok(list_new(test_ctx(), 2, false, &inner));
    inner->items[0] = value_int(7);
    inner->items[1] = value_matrix(matrix_of(2, 2, cells));
    assert_ok(list_new(test_ctx(), 11, true, &outer));
    for (int i = 0; i < 10; i++)
        outer->items[i] = value_double(i);
    outer->items[10] = value_list(inner);
    assert_ok(string_new(test_ctx(), "deep", 4, &outer->names[10]));
    for (int round = 0; round < 2; round++) { /* the second replaces a folder */
        assert_ok(io_write(test_ctx(), value_list(outer), scratch("list"), NULL));
        v = read_back(scratch("list"), NULL);
        assert_int_equal(v.dt, DT_LIST);
        assert_int_equal(v.l->count, 11);
        assert_true(v.l->items[9].d == 9);
        assert_null(v.l->names[9]);
        assert_string_equal(v.l->names[10]->text, "deep");
        assert_null(v.l->items[10].l->names);
        assert_equal_matrix(v.l->items[10].l->items[1].m, inner->items[1].m);
        value_release(v);
    }
    assert_ok(
        io_write(test_ctx(), value_int(1), scratch("list"), NULL)); /* and a file may replace it */
    list_release(outer);
}

ML_TEST(matrices_without_cells_cannot_be_written)
{
    Matrix *m;

    assert_ok(matrix_new_constant(test_ctx(), 0, 2, 0, &m));
    assert_int_equal(io_write(test_ctx(), value_matrix(m), scratch("none"), NULL), ML_EVALUE);
    assert_string_equal(test_error(),
                        "write of matrices with zero rows or columns not supported (0x2)");
    assert_int_not_equal(access(scratch("none"), F_OK), 0);
    matrix_release(m);
}

ML_TEST(write_makes_parent_folders_and_refuses_bad_targets)
{
    assert_ok(io_write(test_ctx(), value_int(1), scratch("deep/er/file"), NULL));
    assert_int_equal(io_write(test_ctx(), value_int(1), scratch("deep/er/file/below"), NULL),
                     ML_EIO);
    assert_int_equal(io_write(test_ctx(), value_int(1), scratch("deep"), NULL),
                     ML_EIO); /* a folder that is no data */
    assert_int_equal(io_write(test_ctx(), value_int(1), "", NULL), ML_EIO);
    assert_int_equal(access(scratch("deep/er/file"), F_OK), 0);
}

ML_TEST(a_write_replaces_only_files)
{
    struct stat st;

    assert_int_equal(mkfifo(scratch("pipe"), 0600), 0);
    assert_int_equal(io_write(test_ctx(), value_int(1), scratch("pipe"), NULL), ML_EIO);
    assert_non_null(strstr(test_error(), "it is a device or a pipe, expected a file"));
    assert_int_equal(stat(scratch("pipe"), &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
}

/* Who has the old file open reads on in it, and nothing but the new one is left in the folder. */
ML_TEST(a_file_that_is_replaced_stays_whole_for_its_readers)
{
    char text[8] = "";
    FILE *old;

    assert_int_equal(mkdir(scratch("replaced"), 0700), 0);
    assert_ok(io_write(test_ctx(), value_int(1), scratch("replaced/x"), NULL));
    old = fopen(scratch("replaced/x"), "rb");
    assert_non_null(old);
    assert_ok(io_write(test_ctx(), value_int(2), scratch("replaced/x"), NULL));
    assert_int_equal(fread(text, 1, sizeof text, old), 1);
    assert_string_equal(text, "1");
    fclose(old);
    assert_int_equal(unlink(scratch("replaced/x")), 0);
    assert_int_equal(unlink(scratch("replaced/x.mtd")), 0);
    assert_int_equal(rmdir(scratch("replaced")), 0);
}

ML_TEST(mm_removes_metadata_that_no_longer_holds)
{
    const double cells[] = {1, 2, 3, 4};
    const IoOptions csv = OPTIONS(.format = "csv"), mm = OPTIONS(.format = "mm");
    Value v = value_matrix(matrix_of(2, 2, cells));

    assert_ok(io_write(test_ctx(), v, scratch("again"), &csv));
    assert_ok(io_write(test_ctx(), v, scratch("again"), &mm));
    assert_int_not_equal(access(scratch("again.mtd"), F_OK), 0);
    value_release(v);
}

/* Fail each allocation in turn: an error, no leak (the context's end checks), and the old file
 * stays. */
ML_TEST(failing_allocations_leave_the_old_file)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const IoOptions o = OPTIONS(.format = formats[i]);
        Matrix *m = sample(300, 40, true);
        ml_status st = ML_ENOMEM;

        write_text(scratch("old"), "old");
        for (int64_t n = 0; st != ML_OK; n++) {
            char *text;

            assert_true(n < 1000);
            mem_fail_after(n);
            st = io_write(test_ctx(), value_matrix(m), scratch("old"), &o);
            mem_fail_after(-1);
            if (st == ML_OK)
                break;
            assert_int_equal(st, ML_ENOMEM);
            text = read_text(scratch("old"));
            assert_string_equal(text, "old");
            mem_free(text);
        }
        matrix_release(m);
    }
}

static void fail_reads(const char *path, const IoOptions *o)
{
    ml_status st = ML_ENOMEM;

    for (int64_t n = 0; st != ML_OK; n++) {
        Value v = value_none();

        assert_true(n < 2000);
        mem_fail_after(n);
        st = io_read(test_ctx(), path, o, &v);
        mem_fail_after(-1);
        if (st == ML_OK)
            value_release(v);
        else
            assert_int_equal(st, ML_ENOMEM);
    }
}

ML_TEST(failing_allocations_fail_reads_cleanly)
{
    Matrix *m = sample(300, 40, true);
    const IoOptions mm = OPTIONS(.format = "mm");
    const IoOptions in = OPTIONS(.format = "csv", .data_type = "frame", .header = 1);

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const IoOptions o = OPTIONS(.format = formats[i]);

        assert_ok(io_write(test_ctx(), value_matrix(m), scratch("fault"), &o));
        fail_reads(scratch("fault"), strcmp(formats[i], "mm") == 0 ? &mm : NULL);
    }
    matrix_release(m);
    write_text(scratch("fault.csv"), "a,b\nx,y\n,z\n");
    fail_reads(scratch("fault.csv"), &in);
}
