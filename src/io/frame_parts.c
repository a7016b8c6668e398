/* Frames out of columns that come one by one: see frame_parts.h. */
#include "io/frame_parts.h"

ml_status frame_parts_add(Ctx *ctx, FrameParts *p, const char *path, const char *name, size_t size,
                          FrameColumn *c)
{
    String *text = NULL;
    ml_status st = ML_OK;

    if (p->columns.count > 0 && p->columns.items[0]->rows != c->rows)
        st = fail(ctx, ML_EFORMAT,
                  "%s: column '%.*s' has %" PRId64 " rows, the columns before have %" PRId64, path,
                  (int)size, name, c->rows, p->columns.items[0]->rows);
    if (st == ML_OK)
        st = string_new(ctx, name, size, &text);
    if (st == ML_OK && !VEC_PUSH(&p->names, text)) {
        string_release(text);
        st = fail_memory(ctx, size);
    }
    if (st == ML_OK && !VEC_PUSH(&p->columns, c)) {
        string_release(p->names.items[--p->names.count]);
        st = fail_memory(ctx, sizeof c);
    }
    if (st != ML_OK)
        frame_column_release(c);
    return st;
}

ml_status frame_parts_finish(Ctx *ctx, const Spec *spec, FrameParts *p, Frame **out)
{
    ml_status st = ML_OK;

    if (p->columns.count == 0)
        st = fail(ctx, ML_EFORMAT, "%s: the file holds no columns", spec->path);
    else
        st = input_check_dims(ctx, spec, p->columns.items[0]->rows, p->columns.count);
    if (st == ML_OK) {
        st = frame_new(ctx, p->columns.items[0]->rows, p->columns.count, p->columns.items,
                       p->names.items, out);
        p->columns.count = p->names.count = 0; /* taken on any outcome */
    }
    frame_parts_free(p);
    return st;
}

ml_status frame_parts_all(Ctx *ctx, const Spec *spec, int64_t count, NextColumn next, void *reader,
                          Frame **out)
{
    FrameParts parts = {0};

    for (int64_t k = 0; k < count; k++) {
        const char *name;
        FrameColumn *c;
        ml_status st = next(ctx, reader, k, &name, &c);

        if (st == ML_OK)
            st = frame_parts_add(ctx, &parts, spec->path, name, strlen(name), c);
        if (st != ML_OK) {
            frame_parts_free(&parts);
            return st;
        }
    }
    return frame_parts_finish(ctx, spec, &parts, out);
}

void frame_parts_free(FrameParts *p)
{
    for (int i = 0; i < p->columns.count; i++) {
        frame_column_release(p->columns.items[i]);
        string_release(p->names.items[i]);
    }
    VEC_FREE(&p->columns);
    VEC_FREE(&p->names);
}

const char *frame_name(const Frame *f, int64_t col, char buf[NUM_BUFFER + 1], size_t *size)
{
    if (f->names && f->names[col]) {
        *size = (size_t)f->names[col]->size;
        return f->names[col]->text;
    }
    buf[0] = 'C';
    *size = 1 + num_print_int64(buf + 1, col + 1);
    return buf;
}

ml_status frame_column_widen(Ctx *ctx, FrameColumn **c)
{
    FrameColumn *wide;

    if (frame_type_is_float((*c)->type))
        return ML_OK;
    TRY(frame_column_new(ctx, FT_FP64, (*c)->rows, &wide));
    for (int64_t r = 0; r < wide->rows; r++)
        column_set_number(wide, r, column_number(*c, r));
    frame_column_release(*c);
    *c = wide;
    return ML_OK;
}
