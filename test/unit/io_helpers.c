/* See test_io.h. */
#include "test_io.h"

#include <ftw.h>
#include <sys/stat.h>

static char folder[64];

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_scratch(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(const char *name)
{
    static char paths[16][256];
    static int next;
    char *path = paths[next++ % 16];

    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/matloom-io-XXXXXX");
        assert_non_null(mkdtemp(folder));
        atexit(remove_scratch);
    }
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

char *read_text(const char *path)
{
    char *text = NULL;
    size_t size;

    assert_ok(file_read(test_ctx(), path, &text, &size));
    return text;
}

Value read_as(const IoOptions *o, const char *text)
{
    Value v;

    assert_ok(io_read_memory(test_ctx(), "f", text, strlen(text), o, &v));
    return v;
}

void assert_read_fails(const IoOptions *o, const char *text, ml_status code, const char *message)
{
    Value v;
    const ml_status st = io_read_memory(test_ctx(), "f", text, strlen(text), o, &v);

    assert_int_equal(st, code);
    if (!strstr(test_error(), message))
        fail_msg("the error is '%s', expected '%s'", test_error(), message);
}

static bool same_cell(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

void assert_matrix(Value v, int64_t rows, int64_t cols, const double *cells)
{
    int64_t nnz = 0;

    assert_int_equal(v.dt, DT_MATRIX);
    assert_int_equal(v.m->rows, rows);
    assert_int_equal(v.m->cols, cols);
    for (int64_t i = 0; i < rows * cols; i++) {
        nnz += cells[i] != 0;
        if (!same_cell(matrix_get(v.m, i / cols, i % cols), cells[i]))
            fail_msg("cell %ld,%ld is %g, expected %g", (long)(i / cols), (long)(i % cols),
                     matrix_get(v.m, i / cols, i % cols), cells[i]);
    }
    assert_int_equal(v.m->nnz, nnz);
    value_release(v);
}

void assert_equal_matrix(const Matrix *a, const Matrix *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->cols, b->cols);
    assert_int_equal(a->nnz, b->nnz);
    for (int64_t r = 0; r < a->rows; r++)
        for (int64_t c = 0; c < a->cols; c++) {
            const double x = matrix_get(a, r, c), y = matrix_get(b, r, c);

            if (x != y && !(isnan(x) && isnan(y)))
                fail_msg("cell %ld,%ld is %g and %g", (long)r, (long)c, x, y);
        }
}

void assert_shows(Value v, const char *text)
{
    Buffer b = {0};

    value_print(&b, v, &print_format_default);
    assert_string_equal(b.data ? b.data : "", text);
    buffer_free(&b);
    value_release(v);
}

Matrix *matrix_of(int64_t rows, int64_t cols, const double *cells)
{
    Matrix *m;

    assert_ok(matrix_new_dense(test_ctx(), rows, cols, &m));
    memcpy(m->values, cells, (size_t)(rows * cols) * sizeof *cells);
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    return m;
}

void assert_writes(Value v, const IoOptions *o, const char *text)
{
    const char *path = scratch("written");
    char *got;

    assert_ok(io_write(test_ctx(), v, path, o));
    got = read_text(path);
    assert_string_equal(got, text);
    mem_free(got);
}
