/* Formats of columns that other programs read: Arrow, HDF5, NetCDF, NumPy. What these programs make
 * of the files is in test/interop. */
#include "io/coded_texts.h"
#include "test_io.h"

static Value sample_frame(void)
{
    const IoOptions in = OPTIONS(.format = "csv", .data_type = "frame", .header = 1,
                                 .schema = "STRING,INT64,BOOLEAN,FP32,FP64,INT32,UINT8");

    return read_as(&in,
                   "s,i,b,f,d,n,u\nx,9007199254740993,TRUE,0.1,NaN,-2147483648,255\n"
                   "Z\xc3\xbcrich,-1,FALSE,-0.5,1e300,7,0\n\xf0\x9d\x84\x9e,0,TRUE,2,-0.0,0,1\n");
}

static void print(Value v, Buffer *b)
{
    value_print(b, v, &print_format_default);
    value_release(v);
}

ML_TEST(frames_come_back_from_the_formats_of_columns)
{
    const char *const names[] = {"f.npy", "f.npz", "f.h5", "f.arrow", "f.arrows"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Buffer before = {0}, after = {0};
        Value v = sample_frame(), back;

        assert_ok(io_write(test_ctx(), v, scratch(names[i]), NULL));
        assert_ok(io_read(test_ctx(), scratch(names[i]), NULL, &back));
        print(v, &before);
        print(back, &after);
        assert_string_equal(before.data, after.data);
        buffer_free(&before);
        buffer_free(&after);
    }
}

ML_TEST(missing_texts_are_kept_by_arrow_and_hdf5_and_refused_by_numpy)
{
    const IoOptions in = OPTIONS(.format = "csv", .data_type = "frame");
    const char *const keep[] = {"n.arrow", "n.h5", "n.nc"}, *const refuse[] = {"n.npy", "n.npz"};

    for (int i = 0; i < 3; i++) {
        Value v = read_as(&in, "a\n\nb\n"), back;

        assert_ok(io_write(test_ctx(), v, scratch(keep[i]), NULL));
        assert_ok(io_read(test_ctx(), scratch(keep[i]), NULL, &back));
        assert_shows(back, "# FRAME: nrow = 3, ncol = 1\n# C1\n# STRING\na\nnull\nb\n");
        value_release(v);
    }
    for (int i = 0; i < 2; i++) {
        Value v = read_as(&in, "a\n\nb\n");

        assert_int_equal(io_write(test_ctx(), v, scratch(refuse[i]), NULL), ML_EVALUE);
        assert_non_null(strstr(test_error(), "column 1, row 2 is missing"));
        assert_int_not_equal(access(scratch(refuse[i]), F_OK), 0);
        value_release(v);
    }
}

/* Many rows: several batches, dictionaries and plain texts; equal files by 1 and by 8 threads. */
ML_TEST(arrow_writes_long_frames_in_batches)
{
    const IoOptions in = OPTIONS(.format = "csv", .data_type = "frame", .schema = "STRING,STRING");
    Buffer text = {0};
    char *files[2];
    size_t sizes[2];
    Value v, back;

    for (int i = 0; i < 130000; i++)
        buffer_format(&text, "row %d,%s\n", i, i % 3 ? "a" : "");
    v = read_as(&in, text.data);
    for (int i = 0; i < 2; i++) {
        test_threads(i ? 8 : 1);
        assert_ok(io_write(test_ctx(), v, scratch("long.arrow"), NULL));
        assert_ok(file_read(test_ctx(), scratch("long.arrow"), &files[i], &sizes[i]));
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(files[0], files[1], sizes[0]);
    assert_ok(io_read(test_ctx(), scratch("long.arrow"), NULL, &back));
    assert_int_equal(back.f->rows, 130000);
    for (int64_t r = 0; r < 130000; r++)
        for (int64_t k = 0; k < 2; k++) {
            size_t n = 0, m = 0;
            const char *a = column_text(v.f->columns[k], r, &n);
            const char *b = column_text(back.f->columns[k], r, &m);

            assert_true(!a == !b && (!a || (n == m && memcmp(a, b, n) == 0)));
        }
    mem_free(files[0]);
    mem_free(files[1]);
    buffer_free(&text);
    value_release(v);
    value_release(back);
}

static uint32_t learned(CodedTexts *t, const char *text)
{
    uint32_t number = 0;

    assert_true(coded_texts_learn(t, text, strlen(text), &number));
    return number;
}

static void assert_text(const FrameColumn *c, int64_t row, const char *text)
{
    size_t size = 0;
    const char *found = column_text(c, row, &size);

    assert_int_equal(found != NULL, text != NULL);
    if (text) {
        assert_int_equal(size, strlen(text));
        assert_memory_equal(found, text, size);
    }
}

/* What no row has is left out; the rest is in the order of rows. */
ML_TEST(texts_learned_before_rows_become_a_dictionary)
{
    CodedTexts t = {0};
    const uint32_t unused = learned(&t, "unused"), a = learned(&t, "a"), b = learned(&t, "");
    const uint32_t rows[] = {b, 0, a, b};
    FrameColumn *c;

    assert_int_equal(learned(&t, "unused"), unused);
    assert_true(coded_texts_add(&t, rows, 4) && coded_texts_add(&t, NULL, 0));
    assert_ok(coded_texts_finish(test_ctx(), &t, &c));
    assert_int_equal(c->rows, 4);
    assert_int_equal(c->texts->count, 2);
    assert_int_equal(column_code(c, 0), 1);
    assert_text(c, 0, "");
    assert_text(c, 1, NULL);
    assert_text(c, 2, "a");
    assert_text(c, 3, "");
    frame_column_release(c);
    assert_ok(coded_texts_finish(test_ctx(), &t, &c)); /* no rows */
    assert_int_equal(c->rows, 0);
    frame_column_release(c);
}

/* Rows in order, nulls, and a few that come back to texts that were learned early and late. */
ML_TEST(texts_that_hardly_repeat_become_plain)
{
    enum { TEXTS = 50000 };
    CodedTexts t = {0};
    uint32_t *numbers = mem_calloc(TEXTS, sizeof *numbers);
    FrameColumn *c;
    char text[32];

    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "text %d", i);
        numbers[i] = i % 7 == 3 ? 0 : learned(&t, text);
    }
    assert_true(t.plain);
    numbers[TEXTS - 1] = numbers[2];
    numbers[0] = numbers[TEXTS - 4];
    assert_true(coded_texts_add(&t, numbers, TEXTS));
    assert_ok(coded_texts_finish(test_ctx(), &t, &c));
    mem_free(numbers);
    assert_false(column_is_dictionary(c));
    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "text %d", i == 0 ? TEXTS - 4 : i == TEXTS - 1 ? 2 : i);
        assert_text(c, i, i % 7 == 3 && i != TEXTS - 1 ? NULL : text);
    }
    frame_column_release(c);
}

ML_TEST(hdf5_names_datasets_that_are_missing_or_many)
{
    const IoOptions named = OPTIONS(.format = "hdf5", .dataset = "g/A"),
                    other = OPTIONS(.format = "hdf5", .dataset = "B");
    const double cells[] = {1, 2, 3, 4};
    Value v = value_matrix(matrix_of(2, 2, cells)), back, f = sample_frame();

    assert_ok(io_write(test_ctx(), v, scratch("g.h5"), &named));
    assert_ok(io_read(test_ctx(), scratch("g.h5"), NULL, &back));
    assert_matrix(back, 2, 2, cells);
    assert_int_equal(io_read(test_ctx(), scratch("g.h5"), &other, &back), ML_EFORMAT);
    assert_non_null(strstr(test_error(), "dataset 'B' cannot be opened"));
    assert_ok(io_write(test_ctx(), f, scratch("f.h5"), NULL));
    unlink(scratch("f.h5.mtd"));
    assert_int_equal(io_read(test_ctx(), scratch("f.h5"), NULL, &back), ML_EVALUE);
    assert_non_null(
        strstr(test_error(), "dataset=\"NAME\" must say which dataset; the file holds: i, "));
    value_release(f);
    value_release(v);
}

ML_TEST(a_library_that_is_not_there_is_named)
{
    static void *functions[1];
    static const LibrarySymbol symbols[] = {{"nothing", 0}};
    static Library library = {.purpose = "testing",
                              .names = "libmatloom-absent.so.1 libmatloom-absent.so",
                              .variable = "MATLOOM_ABSENT",
                              .advice = "install it",
                              .symbols = symbols,
                              .count = 1,
                              .functions = functions,
                              .lock = PTHREAD_MUTEX_INITIALIZER};

    for (int i = 0; i < 2; i++) {
        assert_int_equal(library_load(test_ctx(), &library), ML_EUNSUPPORTED);
        assert_string_equal(
            test_error(), "testing needs the library libmatloom-absent.so.1, which was not found: "
                          "install it; its file may be named by the environment variable "
                          "MATLOOM_ABSENT");
    }
}
