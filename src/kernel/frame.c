/* frame: making frames, their schemas, cleaning cells. */
#include "kernel/frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- names and types ---- */

static const char *name_text(const Frame *f, int64_t col, void *arg, char buf[NUM_BUFFER],
                             size_t *size)
{
    (void)arg;
    if (f->names && f->names[col]) {
        *size = (size_t)f->names[col]->size;
        return f->names[col]->text;
    }
    *size = (size_t)snprintf(buf, NUM_BUFFER, "C%" PRId64, col + 1);
    return buf;
}

static const char *type_text(const Frame *f, int64_t col, void *arg, char buf[NUM_BUFFER],
                             size_t *size)
{
    const char *name = frame_type_name(f->columns[col]->type);

    (void)arg;
    (void)buf;
    *size = strlen(name);
    return name;
}

static ml_status describe_row(Ctx *ctx, OpCall *call, CellText text, void *arg)
{
    Frame *f, *out = NULL;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(frame_of_row(ctx, f, text, arg, &out));
    call->out[0] = value_frame(out);
    return ML_OK;
}

ml_status ml_k_colnames(Ctx *ctx, OpCall *call)
{
    return describe_row(ctx, call, name_text, NULL);
}

ml_status ml_k_typeof(Ctx *ctx, OpCall *call)
{
    return describe_row(ctx, call, type_text, NULL);
}

/* ---- detectSchema ---- */

enum { NO_TYPE = -1, HASH32_SIZE = 8, HASH64_SIZE = 16 };

static bool only(const char *s, size_t size, const char *set)
{
    size_t k = 0;

    while (k < size && s[k] && strchr(set, s[k]))
        k++;
    return k == size;
}

static FrameType number_type(const char *s, size_t size, double v)
{
    int64_t whole;

    if (s[0] == '+' || !num_parse_int64(s, s + size, &whole))
        return float_type(v);
    return whole >= INT32_MIN && whole <= INT32_MAX ? FT_INT32 : FT_INT64;
}

/* The type that a text looks like. */
static FrameType text_type(const char *s, size_t size)
{
    bool truth;
    double v;

    if (text_is_boolean(s, size, &truth))
        return FT_BOOLEAN;
    if (num_parse_double(s, s + size, &v) == s + size)
        return number_type(s, size, v);
    if (size == 1)
        return FT_CHARACTER;
    if ((size == HASH32_SIZE || size == HASH64_SIZE) && only(s, size, "0123456789abcdef"))
        return size == HASH32_SIZE ? FT_HASH32 : FT_HASH64;
    return FT_STRING;
}

/* One more cell of a column whose cells so far were of type `type`. */
static int widen_text(int type, const char *s, size_t size)
{
    FrameType cell = text_type(s, size);

    if (type == NO_TYPE || (FrameType)type == cell)
        return (int)cell;
    if (type == FT_CHARACTER && size == 1)
        return FT_CHARACTER;
    return (int)frame_type_join((FrameType)type, cell);
}

/* The narrowest type of all cells that are not null; "·n" marks columns with nulls but those of
 * STRING, which may always have some. */
static const char *detected_text(const Frame *f, int64_t col, void *arg, char buf[NUM_BUFFER],
                                 size_t *size)
{
    const FrameColumn *c = f->columns[col];
    bool nulls = false;
    int type = NO_TYPE;
    Buffer *text = arg;

    for (int64_t i = 0; i < c->rows && type != FT_STRING; i++) {
        size_t n = 0;
        const char *s = frame_cell_string(c, i, buf, &n);

        if (!s || n == 0)
            nulls = true;
        else
            type = widen_text(type, s, n);
    }
    text->size = 0;
    buffer_format(text, "%s%s", type == NO_TYPE ? "UNKNOWN" : frame_type_name((FrameType)type),
                  nulls && type != FT_STRING ? "\xC2\xB7n" : "");
    *size = text->size;
    return text->failed ? NULL : text->data;
}

ml_status ml_k_detectSchema(Ctx *ctx, OpCall *call)
{
    Buffer text = {0};
    ml_status st = describe_row(ctx, call, detected_text, &text);

    if (st == ML_OK && text.failed)
        st = fail_memory(ctx, text.capacity);
    buffer_free(&text);
    return st;
}

/* ---- applySchema ---- */

/* The text of a type; *nulls when it ends in the mark of columns with nulls, which is cut off. NULL
 * when there is none. */
static const char *schema_text(Value schema, int64_t col, char buf[NUM_BUFFER], size_t *size,
                               bool *nulls)
{
    static const char mark[] = "\xC2\xB7n";
    const size_t n = sizeof mark - 1;
    const char *s = NULL;

    *size = 0;
    if (schema.dt == DT_FRAME) {
        s = frame_cell_text(schema.f->columns[col], 0, buf, size);
    } else if (schema.l->items[col].dt == DT_SCALAR && schema.l->items[col].vt == VT_STRING) {
        s = schema.l->items[col].s->text;
        *size = (size_t)schema.l->items[col].s->size;
    }
    *nulls = s && *size > n && memcmp(s + *size - n, mark, n) == 0;
    *size -= *nulls ? n : 0;
    return s;
}

ml_status frame_schema_type(Ctx *ctx, Value schema, int64_t col, FrameType *type)
{
    static const char empty[] = "UNKNOWN"; /* what is detected of a column without texts */
    char buf[NUM_BUFFER];
    size_t size;
    bool nulls;
    const char *s = schema_text(schema, col, buf, &size, &nulls);

    if (s && size == strlen(empty) && memcmp(s, empty, size) == 0) {
        *type = FT_STRING;
        return ML_OK;
    }
    if (s && frame_type_parse(s, size, type))
        return ML_OK;
    return fail(ctx, ML_EVALUE, "the type '%.*s' of column %" PRId64 " is not known",
                s && size < 80 ? (int)size : 0, s ? s : "", col + 1);
}

ml_status frame_schema_check(Ctx *ctx, const OpCall *call, int k, int64_t cols)
{
    const Value s = call->in[k];
    char buf[64];

    if ((s.dt == DT_LIST && s.l->count == cols) ||
        (s.dt == DT_FRAME && s.f->cols == cols && s.f->rows == 1))
        return ML_OK;
    return fail(ctx, ML_ESHAPE, "the schema should have %" PRId64 " types in one row, found %s",
                cols, value_describe(s, buf));
}

/* A column as the type that the schema gives it; `nulls` when the schema marks it. */
typedef ml_status (*ToTypeFn)(Ctx *ctx, FrameColumn *from, FrameType type, bool nulls,
                              FrameColumn **out);

/* Every column of frame 0 through fn, with its type in schema 1. */
static ml_status by_schema(Ctx *ctx, OpCall *call, ToTypeFn fn)
{
    FrameColumn **columns = NULL;
    Frame *f;
    ml_status st = ML_OK;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(frame_schema_check(ctx, call, 1, f->cols));
    TRY(columns_new(ctx, f->cols, &columns));
    for (int64_t j = 0; j < f->cols && st == ML_OK; j++) {
        char buf[NUM_BUFFER];
        FrameType type;
        size_t size;
        bool nulls;

        schema_text(call->in[1], j, buf, &size, &nulls);
        st = frame_schema_type(ctx, call->in[1], j, &type);
        if (st == ML_OK)
            st = frame_name_column(ctx, f, j, fn(ctx, f->columns[j], type, nulls, &columns[j]));
    }
    if (st == ML_OK)
        return result_frame(ctx, call, f->rows, f->cols, columns, f->names);
    columns_free(f->cols, columns);
    return st;
}

static bool text_is_missing(const FrameColumn *c, int64_t row)
{
    size_t size = 0;

    return !column_text(c, row, &size) || size == 0;
}

static bool any_missing(const FrameColumn *c)
{
    for (int64_t i = 0; c->texts && i < c->rows; i++)
        if (text_is_missing(c, i))
            return true;
    return false;
}

/* Missing texts become 0 in columns of numbers, as readers have it; where the schema says that
 * there are some they stay missing, as NaN, for which whole numbers make way. */
static ml_status apply_type(Ctx *ctx, FrameColumn *from, FrameType type, bool nulls,
                            FrameColumn **out)
{
    if (frame_type_is_text(type) || !any_missing(from))
        return column_cast(ctx, from, type, out);
    if (nulls && !frame_type_is_float(type))
        type = FT_FP64;
    TRY(column_cast(ctx, from, type, out));
    for (int64_t i = 0; !nulls && i < from->rows; i++)
        if (text_is_missing(from, i))
            column_set_number(*out, i, 0);
    return ML_OK;
}

ml_status ml_k_applySchema(Ctx *ctx, OpCall *call)
{
    return by_schema(ctx, call, apply_type);
}

/* ---- frame(data, rows, cols, schema) ---- */

/* A column of `rows` cells, all like the first one of `cell`. */
static ml_status repeat_cell(Ctx *ctx, const FrameColumn *cell, FrameType type, int64_t rows,
                             FrameColumn **out)
{
    ColumnWriter w;
    ml_status st = ML_OK;

    TRY(column_open(ctx, &w, type, rows));
    for (int64_t i = 0; i < rows && st == ML_OK; i++)
        st = column_copy(ctx, &w, cell, 0, 1);
    if (st == ML_OK)
        return column_close(ctx, &w, out);
    column_discard(&w);
    return st;
}

/* All with the text of the scalar. */
static ml_status filled_column(Ctx *ctx, Value data, int64_t rows, FrameType type,
                               FrameColumn **out)
{
    Frame *one = NULL;
    ml_status st;

    TRY(frame_from_scalar(ctx, data, &one));
    st = repeat_cell(ctx, one->columns[0], type, rows, out);
    frame_release(one);
    return st;
}

static ml_status fill_frame(Ctx *ctx, OpCall *call, Value data, int64_t rows, int64_t cols)
{
    const bool schema = call_has(call, 3);
    FrameColumn **columns = NULL;
    ml_status st = ML_OK;

    if (schema)
        TRY(frame_schema_check(ctx, call, 3, cols));
    TRY(columns_new(ctx, cols, &columns));
    for (int64_t j = 0; j < cols && st == ML_OK; j++) {
        FrameType type = FT_STRING;

        if (schema)
            st = frame_schema_type(ctx, call->in[3], j, &type);
        if (st == ML_OK && !schema && j > 0)
            columns[j] = frame_column_retain(columns[0]);
        else if (st == ML_OK)
            st = filled_column(ctx, data, rows, type, &columns[j]);
    }
    if (st == ML_OK)
        return result_frame(ctx, call, rows, cols, columns, NULL);
    columns_free(cols, columns);
    return st;
}

ml_status ml_k_frame(Ctx *ctx, OpCall *call)
{
    int64_t rows, cols;

    TRY(call_int(ctx, call, 1, &rows));
    TRY(call_int(ctx, call, 2, &cols));
    if (rows < 0 || cols < 0)
        return fail(ctx, ML_EVALUE, "frame: a frame of %" PRId64 "x%" PRId64 " is not possible",
                    rows, cols);
    return fill_frame(ctx, call, call->in[0], rows, cols);
}

/* ---- dropInvalidLength, dropInvalidType ---- */

typedef bool (*KeepText)(const char *s, size_t size, const void *arg);

/* The column with null for the cells that keep() does not want. */
static ml_status drop_cells(Ctx *ctx, const FrameColumn *c, KeepText keep, const void *arg,
                            FrameColumn **out)
{
    TextColumnBuilder b = {0};

    for (int64_t i = 0; i < c->rows; i++) {
        char buf[NUM_BUFFER];
        size_t size = 0;
        const char *s = frame_cell_string(c, i, buf, &size);

        if (!text_builder_add(&b, s && keep(s, size, arg) ? s : NULL, size)) {
            text_builder_free(&b);
            return fail_memory(ctx, size);
        }
    }
    return text_builder_finish(ctx, &b, frame_type_is_text(c->type) ? c->type : FT_STRING, out);
}

static bool keep_short(const char *s, size_t size, const void *limit)
{
    (void)s;
    return (double)size <= *(const double *)limit;
}

ml_status ml_k_dropInvalidLength(Ctx *ctx, OpCall *call)
{
    FrameColumn **columns = NULL;
    Matrix *limits;
    Frame *f;
    ml_status st = ML_OK;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(call_matrix(ctx, call, 1, &limits));
    if (limits->rows != 1 || limits->cols != f->cols)
        return call_shape_error(ctx, call, 0, 1,
                                "there should be one row with a length for each column");
    TRY(columns_new(ctx, f->cols, &columns));
    for (int64_t j = 0; j < f->cols && st == ML_OK; j++) {
        double limit = matrix_get(limits, 0, j);

        if (limit < 0 || isnan(limit))
            columns[j] = frame_column_retain(f->columns[j]);
        else
            st = drop_cells(ctx, f->columns[j], keep_short, &limit, &columns[j]);
    }
    if (st == ML_OK)
        return result_frame(ctx, call, f->rows, f->cols, columns, f->names);
    columns_free(f->cols, columns);
    return st;
}

bool frame_text_fits(const char *s, size_t size, FrameType type)
{
    int64_t whole;

    if (type == FT_CHARACTER)
        return size == 1;
    if (type == FT_UINT8 || type == FT_UINT4)
        return num_parse_int64(s, s + size, &whole) && whole >= 0 &&
               whole <= (type == FT_UINT8 ? 255 : 15);
    return size > 0 && frame_type_join(text_type(s, size), type) == type;
}

static bool keep_fitting(const char *s, size_t size, const void *type)
{
    return frame_text_fits(s, size, *(const FrameType *)type);
}

static ml_status drop_invalid(Ctx *ctx, FrameColumn *from, FrameType type, bool nulls,
                              FrameColumn **out)
{
    (void)nulls;
    if (type != FT_STRING && type != from->type)
        return drop_cells(ctx, from, keep_fitting, &type, out);
    *out = frame_column_retain(from);
    return ML_OK;
}

ml_status ml_k_dropInvalidType(Ctx *ctx, OpCall *call)
{
    return by_schema(ctx, call, drop_invalid);
}

/* ---- freplicate ---- */

ml_status ml_k_freplicate(Ctx *ctx, OpCall *call)
{
    FrameColumn **columns = NULL;
    Frame *f, *row;
    ml_status st = ML_OK;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(call_frame(ctx, call, 1, &row));
    if (row->rows != 1 || row->cols != f->cols)
        return call_shape_error(ctx, call, 0, 1,
                                "the second should be one row of the first's width");
    TRY(columns_new(ctx, f->cols, &columns));
    for (int64_t j = 0; j < f->cols && st == ML_OK; j++)
        st = repeat_cell(ctx, row->columns[j], row->columns[j]->type, f->rows, &columns[j]);
    if (st == ML_OK)
        return result_frame(ctx, call, f->rows, f->cols, columns, f->names);
    columns_free(f->cols, columns);
    return st;
}
