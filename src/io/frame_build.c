/* Frames from texts: see frame_build.h.
 *
 * Parsing a typed cell is forgiving where the language is: an empty cell is 0 or false, an integer
 * column takes 2.0 and cuts 1.5 to 1. Anything else that is no number of the column's type is an
 * error at its place.
 */
#include "io/frame_build.h"

#include <math.h>
#include <strings.h>

enum { MOST_SPARE = 4 /* of the rows, a part in so many that may stay unused */ };

static ml_status choose_types(Ctx *ctx, FrameBuild *b)
{
    const Spec *spec = b->spec;

    if (spec->schema && spec->schema_count != 1 && spec->schema_count != b->cols)
        return fail(ctx, ML_EFORMAT,
                    "%s: the schema has %" PRId64 " types, the file %" PRId64 " columns",
                    spec->path, spec->schema_count, b->cols);
    b->types = mem_calloc((size_t)b->cols + 1, sizeof *b->types);
    if (!b->types)
        return fail_memory(ctx, (size_t)b->cols * sizeof *b->types);
    for (int64_t k = 0; k < b->cols; k++)
        b->types[k] = spec->schema ? spec->schema[spec->schema_count == 1 ? 0 : k] : FT_STRING;
    return ML_OK;
}

ml_status frame_build_start(Ctx *ctx, const Spec *spec, int64_t cols, int parts, FrameBuild *b)
{
    size_t n;

    *b = (FrameBuild){.spec = spec, .cols = cols, .count = parts > 0 ? parts : 1};
    TRY(choose_types(ctx, b));
    if (!mul_size((size_t)b->count, (size_t)cols, &n))
        return fail_memory(ctx, SIZE_MAX);
    b->parts = mem_calloc((size_t)b->count, sizeof *b->parts);
    b->columns = mem_calloc((size_t)cols + 1, sizeof(FrameColumn *));
    b->texts = mem_calloc(n + 1, sizeof *b->texts);
    b->bases = mem_calloc((size_t)cols + 1, sizeof *b->bases);
    return b->parts && b->columns && b->texts && b->bases ? ML_OK
                                                          : fail_memory(ctx, n * sizeof *b->texts);
}

/* Room for the words of all text columns, which the next reading finds in the pool again. */
static ml_status lend_words(Ctx *ctx, FrameBuild *b)
{
    size_t cells, bytes, texts = 0;
    uint32_t *words;

    for (int64_t k = 0; k < b->cols; k++)
        texts += !b->columns[k];
    if (!mul_size(texts, (size_t)b->room, &cells) || !mul_size(cells, sizeof *b->words, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    if (!bytes)
        return ML_OK;
    words = b->words = pool_alloc(ctx, bytes);
    if (!words)
        return ML_ENOMEM;
    b->words_held = bytes;
    b->pool = ctx->pool;
    for (int64_t k = 0; k < b->cols; k++) {
        if (b->columns[k])
            continue;
        for (int i = 0; i < b->count; i++)
            if (!text_builder_lend(&b->texts[i * b->cols + k], words + b->parts[i].from,
                                   b->parts[i].room))
                return fail_memory(ctx, bytes);
        words += b->room;
    }
    return ML_OK;
}

ml_status frame_build_room(Ctx *ctx, FrameBuild *b)
{
    b->room = 0;
    for (int i = 0; i < b->count; i++) {
        b->parts[i].from = b->room;
        b->room += b->parts[i].room;
    }
    for (int64_t k = 0; k < b->cols; k++)
        if (!frame_type_is_text(b->types[k]))
            TRY(frame_column_new(ctx, b->types[k], b->room, &b->columns[k]));
    return lend_words(ctx, b);
}

int64_t frame_build_rows(const FrameBuild *b)
{
    int64_t rows = 0;

    for (int i = 0; i < b->count; i++)
        rows += b->parts[i].rows;
    return rows;
}

static bool parse_bool(const char *p, size_t n, int64_t *v)
{
    static const struct {
        const char *word;
        int64_t v;
    } words[] = {{"true", 1}, {"false", 0}, {"t", 1},   {"f", 0},
                 {"1", 1},    {"0", 0},     {"1.0", 1}, {"0.0", 0}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == n && strncasecmp(words[i].word, p, n) == 0) {
            *v = words[i].v;
            return true;
        }
    return false;
}

static bool parse_int(FrameType type, const char *p, const char *end, int64_t *v)
{
    const int64_t max = type == FT_INT32   ? INT32_MAX
                        : type == FT_UINT8 ? UINT8_MAX
                        : type == FT_UINT4 ? 15
                                           : INT64_MAX;
    const int64_t min = type == FT_INT32 ? INT32_MIN : type == FT_INT64 ? INT64_MIN : 0;
    double d;

    if (!num_parse_int64(p, end, v)) {
        if (!cell_parse(p, end, &d) || !(fabs(d) < 0x1p63))
            return false;
        *v = (int64_t)d;
    }
    return *v >= min && *v <= max;
}

/* Store a numeric cell; false when the text is none. */
static bool put_number(FrameColumn *c, int64_t row, const char *p, const char *end)
{
    int64_t i = 0;
    double d = 0;
    bool good;

    if (c->type == FT_BOOLEAN)
        good = parse_bool(p, (size_t)(end - p), &i);
    else if (frame_type_is_integer(c->type))
        good = parse_int(c->type, p, end, &i);
    else
        good = cell_parse(p, end, &d);
    if (good && frame_type_is_integer(c->type))
        column_set_int(c, row, i);
    else if (good)
        column_set_number(c, row, d);
    return good;
}

ml_status frame_build_put(Ctx *ctx, FrameBuild *b, int part, const InputFile *file, int64_t row,
                          int64_t col, const char *p, const char *end)
{
    FrameColumn *column = b->columns[col];
    char shown[48];

    if (!column) {
        TextColumnBuilder *t = &b->texts[part * b->cols + col];

        return text_builder_add(t, p, (size_t)(end - p)) ? ML_OK
                                                         : fail_memory(ctx, (size_t)(end - p));
    }
    if (!p) {
        column_set_number(column, row, 0);
        return ML_OK;
    }
    if (put_number(column, row, p, end))
        return ML_OK;
    return input_fail(ctx, file, p, "expected a value of type %s, found %s",
                      frame_type_name(column->type), input_quote(p, end, shown));
}

typedef struct Share {
    FrameBuild *build;
    int filled;
} Share;

static ml_status share_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Share *s = arg;
    FrameBuild *b = s->build;

    for (int64_t k = lo; k < hi; k++)
        if (!b->columns[k])
            TRY(text_builders_share(ctx, &b->texts[k], b->count, s->filled, b->cols, &b->bases[k]));
    return ML_OK;
}

ml_status frame_build_share(Ctx *ctx, FrameBuild *b, int filled)
{
    return task_for(ctx, b->cols, 1, share_columns, &(Share){b, filled});
}

/* The rows of all parts, one after the other; `to` may be the column that they are in. */
static void close_gaps(const FrameBuild *b, const FrameColumn *from, FrameColumn *to)
{
    int64_t rows = 0;

    for (int i = 0; i < b->count; i++) {
        const FramePart *p = &b->parts[i];

        if (from != to || p->from != rows)
            memmove(column_cell(to, rows), column_cell(from, p->from),
                    (size_t)(p->rows * from->width));
        rows += p->rows;
    }
    to->rows = rows;
}

/* A column with far more room than rows gives it back. */
static ml_status join_numbers(Ctx *ctx, const FrameBuild *b, FrameColumn **column)
{
    const int64_t rows = frame_build_rows(b);
    FrameColumn *fit = *column;

    if (b->room - rows > rows / MOST_SPARE)
        TRY(frame_column_new(ctx, fit->type, rows, &fit));
    close_gaps(b, *column, fit);
    if (fit != *column)
        frame_column_release(*column);
    *column = fit;
    return ML_OK;
}

static ml_status join_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    FrameBuild *b = arg;

    for (int64_t k = lo; k < hi; k++)
        TRY(b->columns[k] ? join_numbers(ctx, b, &b->columns[k])
                          : text_builders_join(ctx, &b->texts[k], b->count, b->cols, b->types[k],
                                               &b->columns[k]));
    return ML_OK;
}

static void release_names(String **names, int64_t n)
{
    for (int64_t i = 0; names && i < n; i++)
        string_release(names[i]);
}

ml_status frame_build_finish(Ctx *ctx, FrameBuild *b, String **names, Frame **out)
{
    ml_status st = task_for(ctx, b->cols, 1, join_columns, b);

    if (st == ML_OK) { /* takes all references, also when it fails */
        st = frame_new(ctx, frame_build_rows(b), b->cols, b->columns, names, out);
        memset(b->columns, 0, (size_t)b->cols * sizeof *b->columns);
    } else {
        release_names(names, b->cols);
    }
    mem_free(names);
    return st;
}

void frame_build_free(FrameBuild *b)
{
    for (int64_t k = 0; b->columns && k < b->cols; k++)
        frame_column_release(b->columns[k]);
    for (int64_t i = 0; b->texts && i < b->count * b->cols; i++)
        text_builder_free(&b->texts[i]);
    for (int64_t k = 0; b->bases && k < b->cols; k++)
        text_set_free(&b->bases[k]);
    if (b->words)
        pool_release(b->pool, b->words, b->words_held);
    mem_free(b->parts);
    mem_free(b->bases);
    mem_free(b->texts);
    mem_free(b->columns);
    mem_free(b->types);
    *b = (FrameBuild){0};
}

const char *frame_text(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER], size_t *size)
{
    if (c->type != FT_BOOLEAN)
        return frame_cell_text(c, row, buf, size);
    *size = column_int(c, row) ? 4 : 5;
    return column_int(c, row) ? "true" : "false";
}

ml_status frame_check_lines(Ctx *ctx, const Frame *f, const char *format)
{
    for (int64_t k = 0; k < f->cols; k++) {
        const FrameColumn *c = f->columns[k];

        if (c->texts && c->rows > 0 &&
            memchr(c->texts->bytes, '\n', (size_t)text_offset(c->texts, c->texts->count)))
            return fail(ctx, ML_EVALUE,
                        "write: column %" PRId64
                        " holds text with line breaks, which %s files cannot keep; "
                        "use format=\"binary\"",
                        k + 1, format);
    }
    return ML_OK;
}
