/* Specifications of transforms: learned from a small frame of all kinds of columns, applied by the
 * metadata, which must give the same cells again. */
#include "fuzz_io.h"

#include "kernel/transform.h"

static const char *const cells[][3] = {{"a b", "1.5", "x"},
                                       {"b", "-2", ""},
                                       {"a b", "1e300", "y"},
                                       {NULL, NULL, "x"},
                                       {"B a, a", "0", "z"}};
enum { ROWS = 5, COLS = 3 };

static Frame *small_frame(Ctx *ctx)
{
    FrameColumn *columns[COLS + 1] = {0};
    Frame *f = NULL;

    for (int j = 0; j < COLS; j++) {
        TextColumnBuilder b = {0};

        for (int i = 0; i < ROWS; i++)
            if (!text_builder_add(&b, cells[i][j], cells[i][j] ? strlen(cells[i][j]) : 0))
                abort();
        if (text_builder_finish(ctx, &b, FT_STRING, &columns[j]) != ML_OK)
            abort();
    }
    if (frame_column_new(ctx, FT_FP64, ROWS, &columns[COLS]) != ML_OK)
        abort();
    for (int i = 0; i < ROWS; i++)
        column_set_number(columns[COLS], i, i == 2 ? (double)__builtin_nan("") : i * 0.5);
    if (frame_new(ctx, ROWS, COLS + 1, columns, NULL, &f) != ML_OK)
        abort();
    return f;
}

static bool same_cells(const Matrix *a, const Matrix *b)
{
    if (a->rows != b->rows || a->cols != b->cols)
        return false;
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t j = 0; j < a->cols; j++) {
            const double x = matrix_get(a, i, j), y = matrix_get(b, i, j);

            if (x != y && !(x != x && y != y))
                return false;
        }
    return true;
}

/* Encode, and encode again by the metadata of the first time. */
static void twice(Ctx *ctx, const Frame *f, const char *spec)
{
    Transform t = {0}, again = {0};
    Matrix *first = NULL, *second = NULL;
    Frame *meta = NULL;

    if (transform_learn(ctx, spec, f, &t) == ML_OK && t.cols < 1 << 16 &&
        transform_apply(ctx, &t, f, &first) == ML_OK &&
        transform_meta(ctx, &t, f, &meta) == ML_OK) {
        if (transform_from_meta(ctx, spec, meta, &again) != ML_OK ||
            transform_fill(ctx, &again, f) != ML_OK ||
            transform_apply(ctx, &again, f, &second) != ML_OK || !same_cells(first, second))
            abort();
    }
    matrix_release(first);
    matrix_release(second);
    frame_release(meta);
    transform_free(&t);
    transform_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Ctx *ctx = fuzz_ctx();
    char *spec = malloc(size + 1);
    Frame *f;

    if (!spec)
        return 0;
    memcpy(spec, data, size);
    spec[size] = '\0';
    f = small_frame(ctx);
    twice(ctx, f, spec);
    frame_release(f);
    free(spec);
    return 0;
}
