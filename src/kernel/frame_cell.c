/* frame_cell: one cell of a frame as text, number or scalar. */
#include "kernel/frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *frame_cell_string(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER], size_t *size)
{
    const char *text = frame_cell_text(c, row, buf, size);

    return c->type == FT_BOOLEAN ? (column_int(c, row) ? "true" : "false") : text;
}

bool text_is_boolean(const char *s, size_t size, bool *out)
{
    static const char *const words[] = {"false", "true", "FALSE", "TRUE", "f",   "t",
                                        "F",     "T",    "0",     "1",    "0.0", "1.0"};

    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        if (strlen(words[k]) == size && memcmp(words[k], s, size) == 0) {
            *out = k % 2;
            return true;
        }
    }
    return false;
}

static ml_status text_number(Ctx *ctx, const char *s, size_t size, int64_t row, double *out)
{
    bool truth;

    if (text_to_double(s, size, out))
        return ML_OK;
    if (!text_is_boolean(s, size, &truth))
        return fail(ctx, ML_EVALUE,
                    "expected a number in row %" PRId64 " of the frame, found '%.*s'", row + 1,
                    size < 80 ? (int)size : 80, s);
    *out = truth;
    return ML_OK;
}

ml_status frame_cell_number(Ctx *ctx, const FrameColumn *c, int64_t row, double *out)
{
    const char *text;
    size_t size;

    if (!c->texts) {
        *out = column_number(c, row);
        return ML_OK;
    }
    text = column_text(c, row, &size);
    *out = NAN;
    return text && size ? text_number(ctx, text, size, row, out) : ML_OK;
}

ml_status frame_cell_value(Ctx *ctx, const FrameColumn *c, int64_t row, Value *out)
{
    const char *text;
    size_t size = 0;
    String *s = NULL;

    if (frame_type_is_float(c->type)) {
        *out = value_double(column_number(c, row));
    } else if (c->type == FT_BOOLEAN) {
        *out = value_bool(column_int(c, row) != 0);
    } else if (!c->texts) {
        *out = value_int(column_int(c, row));
    } else {
        text = column_text(c, row, &size);
        TRY(text ? string_new(ctx, text, size, &s) : string_new(ctx, "null", 4, &s));
        *out = value_string(s);
    }
    return ML_OK;
}

Text frame_column_name(const Frame *f, int64_t col, char buf[NUM_BUFFER])
{
    if (f->names && f->names[col])
        return (Text){f->names[col]->text, (size_t)f->names[col]->size};
    return (Text){buf, (size_t)snprintf(buf, NUM_BUFFER, "C%" PRId64, col + 1)};
}

ml_status frame_name_column(Ctx *ctx, const Frame *f, int64_t col, ml_status st)
{
    char buf[NUM_BUFFER];
    const Text name = frame_column_name(f, col, buf);

    if (st == ML_OK || st == ML_ENOMEM || st == ML_ECANCEL)
        return st;
    return fail(ctx, st, "column %" PRId64 " ('%.*s'): %s", col + 1,
                name.size < 80 ? (int)name.size : 80, name.s, ctx->err.text);
}
