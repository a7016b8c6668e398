/* Damaged files of every format: cut, with bytes changed, pieces moved or lost, and sizes that
 * nothing has. Each ends in a value or in an error that names the file, and the process lives. The
 * damage follows from a seed alone. */
#include "io/io_impl.h"
#include "test_io.h"

enum { SWEEP = 150, CUTS = 40 };

static Value sample_frame(void)
{
    const IoOptions in = OPTIONS(.format = "csv", .data_type = "frame", .header = 1,
                                 .schema = "STRING,INT64,BOOLEAN,FP64,STRING");
    Buffer b = {0};
    Value v;

    buffer_text(&b, "s,i,b,d,t\n");
    for (int i = 0; i < 60; i++)
        buffer_format(&b, "text %d,%d,%s,%d.5,%s\n", i, i * i, i % 3 ? "TRUE" : "FALSE", i,
                      i % 2 ? "odd" : "even");
    v = read_as(&in, b.data);
    buffer_free(&b);
    return v;
}

static Value sample_matrix(bool sparse)
{
    enum { ROWS = 40, COLS = 30 };
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), ROWS, COLS, &m));
    for (int i = 0; i < ROWS * COLS; i++)
        m->values[i] = sparse && i % 9 ? 0 : i;
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    return value_matrix(m);
}

/* xorshift (Marsaglia 2003) */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

/* A number as sizes, offsets and counts are stored, where it means most. */
static void put_size(char *at, uint64_t *state)
{
    static const uint64_t sizes[] = {0,         1,          0xff,       0xffff,    0x7fffffff,
                                     INT64_MAX, UINT64_MAX, UINT32_MAX, 1ULL << 40};
    const uint64_t size = sizes[draw(state, sizeof sizes / sizeof *sizes)];

    memcpy(at, &size, (size_t)1 << draw(state, 4));
}

/* One kind of damage in text, which has room for `size` bytes; the new size. */
static size_t damage(char *text, size_t size, uint64_t *state)
{
    const size_t at = draw(state, size - 8), from = draw(state, size - 8),
                 left = size - (at > from ? at : from), n = 1 + draw(state, left < 64 ? left : 64);

    switch (draw(state, 6)) {
    case 0:
        text[at] = (char)(text[at] ^ (char)(1 + draw(state, 255)));
        return size;
    case 1:
        text[at] = (char)(text[at] ^ (char)(1 << draw(state, 8)));
        return size;
    case 2:
        for (int i = 0; i < 6; i++)
            text[draw(state, size)] = (char)draw(state, 256);
        return size;
    case 3:
        memmove(text + at, text + from, n);
        return size;
    case 4:
        memmove(text + at, text + at + n, size - at - n);
        return size - n;
    default:
        put_size(text + at, state);
        return size;
    }
}

/* Read what a file holds; the message of an error names it. */
static ml_status read_bytes(const char *name, const char *text, size_t size, const IoOptions *o)
{
    FILE *file = fopen(scratch(name), "wb");
    Value v = value_none();
    ml_status st;

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    st = io_read(test_ctx(), scratch(name), o, &v);
    if (st != ML_OK && !strstr(test_error(), name))
        fail_msg("the message names no file: %s", test_error());
    value_release(v);
    return st;
}

/* Cut anywhere but in the last fifth, where Arrow has a footer that repeats what was said: an
 * error.
 */
static void cut(const char *name, const char *text, size_t size, const IoOptions *o)
{
    for (size_t n = 0; n < size; n += 1 + size / CUTS) {
        const ml_status st = read_bytes(name, text, n, o);

        if (st == ML_OK && n < size / 5 * 4)
            fail_msg("%s: %zu of %zu bytes were enough", name, n, size);
    }
}

static void sweep(const char *name, Value v, const IoOptions *o, int count)
{
    uint64_t state = 88172645463325252U;
    char *text, *changed, target[32], mtd[40];
    size_t size;
    int errors = 0;

    snprintf(target, sizeof target, "whole.%s", name);
    snprintf(mtd, sizeof mtd, "%s.mtd", target);
    assert_ok(io_write(test_ctx(), v, scratch(target), o));
    unlink(scratch(mtd));
    assert_ok(file_read(test_ctx(), scratch(target), &text, &size));
    snprintf(target, sizeof target, "damaged.%s", name);
    changed = mem_alloc(size);
    assert_non_null(changed);
    cut(target, text, size, o);
    for (int i = 0; i < count; i++) {
        memcpy(changed, text, size);
        errors += read_bytes(target, changed, damage(changed, size, &state), o) != ML_OK;
    }
    assert_true(errors > count / 20);
    assert_ok(read_bytes(target, text, size, o));
    mem_free(changed);
    mem_free(text);
    value_release(v);
}

ML_TEST(damaged_files_of_matrices_end_in_errors_that_name_them)
{
    static const struct {
        const char *extension, *format;
        bool sparse;
    } files[] = {
        {"bin", "binary", false}, {"bin", "binary", true},   {"npy", "npy", false},
        {"npz", "npz", false},    {"npz", "npz", true},      {"arrow", "arrow", false},
        {"csv.gz", "csv", false}, {"csv.zst", "csv", false}, {"h5", "hdf5", false},
        {"nc", "netcdf", false},
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const IoOptions o = OPTIONS(.format = files[i].format);

        sweep(files[i].extension, sample_matrix(files[i].sparse), &o, SWEEP);
    }
}

/* libhdf5 runs in circles for some damage to texts, which costs ISOLATE_SECONDS each. */
ML_TEST(damaged_files_of_frames_end_in_errors_that_name_them)
{
    static const struct {
        const char *format;
        int count;
    } files[] = {{"binary", SWEEP}, {"npy", SWEEP},       {"npz", SWEEP},        {"arrow", SWEEP},
                 {"arrows", SWEEP}, {"hdf5", SWEEP / 10}, {"netcdf", SWEEP / 10}};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const IoOptions o = OPTIONS(.format = files[i].format, .data_type = "frame");

        sweep(files[i].format, sample_frame(), &o, files[i].count);
    }
}

/* Where DuckDB is; each file is opened by a database of its own, which takes its time. */
ML_TEST(damaged_parquet_files_end_in_errors_that_name_them)
{
    const IoOptions o = OPTIONS(.format = "parquet", .data_type = "frame");
    Value v = sample_frame();
    const ml_status st = io_write(test_ctx(), v, scratch("try.parquet"), &o);

    if (st == ML_OK) {
        sweep("parquet", v, &o, SWEEP / 3);
        return;
    }
    assert_non_null(strstr(test_error(), "reading and writing Parquet needs the library"));
    value_release(v);
}
