/* Scalars: a file whose first line is the value; of a string the whole file. */
#include <strings.h>

#include "io/io_impl.h"

static ml_status fail_scalar(Ctx *ctx, const InputFile *f, const char *p, const char *end,
                             const char *expected)
{
    char shown[48];

    return input_fail(ctx, f, p, "expected %s, found %s", expected, input_quote(p, end, shown));
}

static bool is_word(const char *p, const char *end, const char *word)
{
    return (size_t)(end - p) == strlen(word) && strncasecmp(p, word, strlen(word)) == 0;
}

static ml_status read_bool(Ctx *ctx, const InputFile *f, const char *p, const char *end, Value *out)
{
    if (!is_word(p, end, "true") && !is_word(p, end, "false"))
        return fail_scalar(ctx, f, p, end, "true or false");
    *out = value_bool(is_word(p, end, "true"));
    return ML_OK;
}

static ml_status read_int(Ctx *ctx, const InputFile *f, const char *p, const char *end, Value *out)
{
    int64_t i;

    if (!num_parse_int64(p, end, &i))
        return fail_scalar(ctx, f, p, end, "an integer");
    *out = value_int(i);
    return ML_OK;
}

static ml_status read_double(Ctx *ctx, const InputFile *f, const char *p, const char *end,
                             Value *out)
{
    double d;

    if (!cell_parse(p, end, &d))
        return fail_scalar(ctx, f, p, end, "a number");
    *out = value_double(d);
    return ML_OK;
}

static ml_status read_string(Ctx *ctx, const InputFile *f, Value *out)
{
    String *s;

    TRY(string_new(ctx, f->data ? f->data : "", f->size, &s));
    *out = value_string(s);
    return ML_OK;
}

ml_status scalar_read(Ctx *ctx, const Spec *spec, const Input *in, Value *out)
{
    const InputFile *f = &in->files[0];
    const char *p, *end, *next;

    if (spec->vt == VT_STRING || spec->vt == VT_UNKNOWN)
        return read_string(ctx, f, out);
    if (f->size == 0)
        return fail(ctx, ML_EFORMAT, "%s: the file is empty, expected a value", spec->path);
    end = line_end(f->data, f->data + f->size, &next);
    p = skip_blanks(f->data, end);
    while (end > p && is_blank(end[-1]))
        end--;
    if (spec->vt == VT_BOOL)
        return read_bool(ctx, f, p, end, out);
    return spec->vt == VT_INT ? read_int(ctx, f, p, end, out) : read_double(ctx, f, p, end, out);
}

ml_status scalar_write(Ctx *ctx, Value v, Output *o)
{
    Buffer b = {0};
    ml_status st;

    if (v.vt == VT_BOOL)
        buffer_text(&b, v.b ? "true" : "false");
    else
        scalar_print(&b, v);
    st = b.failed ? fail_memory(ctx, b.capacity) : output_append(ctx, o, b.data, b.size);
    buffer_free(&b);
    return st;
}
