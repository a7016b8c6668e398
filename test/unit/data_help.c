/* Values for tests (data_help.h). */
#include "ml_test.h"

#include "data_help.h"

#include <string.h>

Value text_value(const char *text)
{
    String *s = NULL;

    assert_ok(string_new(test_ctx(), text, strlen(text), &s));
    return value_string(s);
}

Value matrix_value(int64_t rows, int64_t cols, const double *cells)
{
    Matrix *m = NULL;

    assert_ok(matrix_new_zero(test_ctx(), rows, cols, &m));
    if (cells)
        memcpy(m->values, cells, (size_t)(rows * cols) * sizeof *cells);
    m->nnz = matrix_count_nnz(m->values, rows * cols);
    return value_matrix(m);
}

Value frame_of_texts(int64_t rows, int64_t cols, const char *const *cells)
{
    FrameColumn *columns[16] = {0};
    Frame *f = NULL;

    assert_true(cols <= 16);
    for (int64_t j = 0; j < cols; j++) {
        TextColumnBuilder b = {0};

        for (int64_t i = 0; i < rows; i++) {
            const char *cell = cells[i * cols + j];

            assert_true(text_builder_add(&b, cell, cell ? strlen(cell) : 0));
        }
        assert_ok(text_builder_finish(test_ctx(), &b, FT_STRING, &columns[j]));
    }
    assert_ok(frame_new(test_ctx(), rows, cols, columns, NULL, &f));
    return value_frame(f);
}

Value list_of(int64_t count, const Value *items)
{
    List *l = NULL;

    assert_ok(list_new(test_ctx(), count, false, &l));
    for (int64_t i = 0; i < count; i++)
        l->items[i] = items[i];
    return value_list(l);
}

double random_cell(uint64_t *state, double density)
{
    uint64_t r;

    *state += UINT64_C(0x9E3779B97F4A7C15);
    r = hash_mix(hash_mix(1, *state), 2);
    if ((double)(r >> 40) / (double)(1 << 24) >= density)
        return 0;
    return (double)(int64_t)(r & 0xFFFF) - 32768.5;
}
