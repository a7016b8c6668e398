/* frame_column: writing, converting and joining columns.  Cells of one type are copied in bulk,
 * others one by one. */
#include "kernel/frame.h"

#include <math.h>
#include <string.h>

ml_status column_open(Ctx *ctx, ColumnWriter *w, FrameType type, int64_t rows)
{
    *w = (ColumnWriter){.type = type};
    return frame_type_is_text(type) ? ML_OK : frame_column_new(ctx, type, rows, &w->numbers);
}

static ml_status copy_text(Ctx *ctx, ColumnWriter *w, const FrameColumn *c, int64_t lo, int64_t hi)
{
    char buf[NUM_BUFFER];

    for (int64_t i = lo; i < hi; i++) {
        size_t size = 0;
        const char *text = frame_cell_string(c, i, buf, &size);

        if (w->type == FT_CHARACTER && size != 1 && text)
            return fail(ctx, ML_EVALUE,
                        "expected one character in row %" PRId64 " of the frame, found '%.*s'",
                        i + 1, size < 80 ? (int)size : 80, text);
        if (!text_builder_add(&w->text, text, size))
            return fail_memory(ctx, (size_t)w->text.rows);
    }
    return ML_OK;
}

static ml_status copy_floats(Ctx *ctx, ColumnWriter *w, const FrameColumn *c, int64_t lo,
                             int64_t hi)
{
    for (int64_t i = lo; i < hi; i++) {
        double x;

        TRY(frame_cell_number(ctx, c, i, &x));
        column_set_number(w->numbers, w->row + i - lo, x);
    }
    return ML_OK;
}

/* Smallest and largest value of an integer type. */
static void int_limits(FrameType type, int64_t *low, int64_t *high)
{
    *low = type == FT_INT64 ? INT64_MIN : type == FT_INT32 ? INT32_MIN : 0;
    *high = type == FT_INT64   ? INT64_MAX
            : type == FT_INT32 ? INT32_MAX
            : type == FT_UINT8 ? 255
            : type == FT_UINT4 ? 15
                               : 1;
}

static ml_status does_not_fit(Ctx *ctx, const FrameColumn *c, int64_t row, FrameType type)
{
    char buf[NUM_BUFFER];
    size_t size = 0;
    const char *text = frame_cell_text(c, row, buf, &size);

    return fail(ctx, ML_EVALUE, "the cell '%.*s' in row %" PRId64 " of the frame is no %s",
                size < 80 ? (int)size : 80, text ? text : "", row + 1, frame_type_name(type));
}

/* A text column's cell as an integer, when it is digits or nothing; null and empty are 0. */
static bool text_integer(const FrameColumn *c, int64_t row, int64_t *out)
{
    size_t size = 0;
    const char *text = frame_cell_text(c, row, NULL, &size);

    *out = 0;
    return !text || size == 0 || num_parse_int64(text, text + size, out);
}

/* An integer exactly: a number with a fraction fits no integer type. */
static ml_status cell_integer(Ctx *ctx, const FrameColumn *c, int64_t row, FrameType type,
                              int64_t *out)
{
    double d;

    if (frame_type_is_integer(c->type)) {
        *out = column_int(c, row);
        return ML_OK;
    }
    if (frame_type_is_text(c->type) && text_integer(c, row, out))
        return ML_OK;
    TRY(frame_cell_number(ctx, c, row, &d));
    if (d != floor(d) || fabs(d) >= 0x1p63)
        return does_not_fit(ctx, c, row, type);
    *out = (int64_t)d;
    return ML_OK;
}

static ml_status copy_ints(Ctx *ctx, ColumnWriter *w, const FrameColumn *c, int64_t lo, int64_t hi)
{
    int64_t value, low, high;

    int_limits(w->type, &low, &high);
    for (int64_t i = lo; i < hi; i++) {
        TRY(cell_integer(ctx, c, i, w->type, &value));
        if (value < low || value > high)
            return does_not_fit(ctx, c, i, w->type);
        column_set_int(w->numbers, w->row + i - lo, value);
    }
    return ML_OK;
}

ml_status column_copy(Ctx *ctx, ColumnWriter *w, const FrameColumn *c, int64_t lo, int64_t hi)
{
    if (c->type == w->type && w->numbers) {
        if (hi > lo)
            memcpy(column_cell(w->numbers, w->row), column_cell(c, lo),
                   (size_t)(hi - lo) * c->width);
    } else {
        TRY(frame_type_is_text(w->type)    ? copy_text(ctx, w, c, lo, hi)
            : frame_type_is_float(w->type) ? copy_floats(ctx, w, c, lo, hi)
                                           : copy_ints(ctx, w, c, lo, hi));
    }
    w->row += hi - lo;
    return ML_OK;
}

ml_status column_close(Ctx *ctx, ColumnWriter *w, FrameColumn **out)
{
    if (frame_type_is_text(w->type))
        return text_builder_finish(ctx, &w->text, w->type, out);
    *out = w->numbers;
    w->numbers = NULL;
    return ML_OK;
}

void column_discard(ColumnWriter *w)
{
    frame_column_release(w->numbers);
    text_builder_free(&w->text);
}

ml_status column_cast(Ctx *ctx, FrameColumn *c, FrameType type, FrameColumn **out)
{
    ColumnWriter w;
    ml_status st;

    if (c->type == type) {
        *out = frame_column_retain(c);
        return ML_OK;
    }
    TRY(column_open(ctx, &w, type, c->rows));
    st = column_copy(ctx, &w, c, 0, c->rows);
    if (st == ML_OK)
        return column_close(ctx, &w, out);
    column_discard(&w);
    return st;
}

/* Rank of the types that widen into one another. */
static int rank(FrameType type)
{
    static const FrameType order[] = {FT_BOOLEAN, FT_UINT4, FT_UINT8, FT_INT32,
                                      FT_INT64,   FT_FP32,  FT_FP64};

    for (int k = 0; k < (int)(sizeof order / sizeof *order); k++)
        if (order[k] == type)
            return k;
    return -1;
}

FrameType frame_type_join(FrameType a, FrameType b)
{
    if (a == b)
        return a;
    if (frame_type_is_text(a) || frame_type_is_text(b))
        return FT_STRING;
    if ((a == FT_INT64 && b == FT_FP32) || (a == FT_FP32 && b == FT_INT64))
        return FT_FP64;
    return rank(a) > rank(b) ? a : b;
}

/* ---- frames of columns ---- */

ml_status columns_new(Ctx *ctx, int64_t cols, FrameColumn ***out)
{
    *out = mem_calloc((size_t)cols, sizeof **out);
    return *out ? ML_OK : fail_memory(ctx, (size_t)cols * sizeof **out);
}

void columns_free(int64_t cols, FrameColumn **columns)
{
    for (int64_t j = 0; columns && j < cols; j++)
        frame_column_release(columns[j]);
    mem_free(columns);
}

ml_status frame_wrap(Ctx *ctx, int64_t rows, int64_t cols, FrameColumn **columns, String **names,
                     Frame **out)
{
    ml_status st;

    for (int64_t j = 0; names && j < cols; j++)
        string_retain(names[j]);
    st = frame_new(ctx, rows, cols, columns, names, out);
    mem_free(columns);
    return st;
}

ml_status result_frame(Ctx *ctx, OpCall *call, int64_t rows, int64_t cols, FrameColumn **columns,
                       String **names)
{
    Frame *f = NULL;

    TRY(frame_wrap(ctx, rows, cols, columns, names, &f));
    call->out[0] = value_frame(f);
    return ML_OK;
}

ml_status column_of_text(Ctx *ctx, const char *text, size_t size, FrameColumn **out)
{
    TextColumnBuilder b = {0};

    if (!text_builder_add(&b, text, size)) {
        text_builder_free(&b);
        return fail_memory(ctx, size);
    }
    return text_builder_finish(ctx, &b, FT_STRING, out);
}

ml_status frame_of_row(Ctx *ctx, const Frame *f, CellText text, void *arg, Frame **out)
{
    FrameColumn **columns = NULL;
    ml_status st = ML_OK;

    TRY(columns_new(ctx, f->cols, &columns));
    for (int64_t j = 0; j < f->cols && st == ML_OK; j++) {
        char buf[NUM_BUFFER];
        size_t size = 0;
        const char *s = text(f, j, arg, buf, &size);

        st = column_of_text(ctx, s, size, &columns[j]);
    }
    if (st == ML_OK)
        return frame_wrap(ctx, 1, f->cols, columns, NULL, out);
    columns_free(f->cols, columns);
    return st;
}
