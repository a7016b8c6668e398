/* frame_select: removeEmpty and replace on frames, and rows in any order.
 *
 * A cell is empty when it is null, 0 or FALSE; empty text is text.  Patterns are compared with a
 * cell as it is printed. */
#include "kernel/select.h"

#include <math.h>
#include <string.h>

static bool is_empty_cell(const FrameColumn *c, int64_t row)
{
    return c->texts ? column_is_null(c, row) : column_number(c, row) == 0;
}

void frame_mark_empty(const Frame *f, bool rows, Kept *kept)
{
    memset(kept->flags, 0, (size_t)kept->n);
    for (int64_t j = 0; j < f->cols; j++)
        for (int64_t i = 0; i < f->rows; i++)
            if (!is_empty_cell(f->columns[j], i))
                kept->flags[rows ? i : j] = 1;
}

/* ---- making frames of new columns ---- */

typedef struct Parts {
    FrameColumn **columns;
    String **names; /* NULL when the frame has none */
    int64_t count;
} Parts;

static void parts_free(Parts *p)
{
    for (int64_t j = 0; j < p->count; j++) {
        frame_column_release(p->columns[j]);
        if (p->names)
            string_release(p->names[j]);
    }
    mem_free(p->columns);
    mem_free(p->names);
}

static ml_status parts_new(Ctx *ctx, const Frame *f, Parts *p)
{
    const size_t n = (size_t)f->cols + 1;

    *p = (Parts){.columns = mem_calloc(n, sizeof *p->columns)};
    if (f->names)
        p->names = mem_calloc(n, sizeof *p->names);
    if (p->columns && (p->names || !f->names))
        return ML_OK;
    parts_free(p);
    return fail_memory(ctx, n * sizeof *p->columns);
}

/* Take a column under the name of column j of f. */
static void parts_add(Parts *p, const Frame *f, int64_t j, FrameColumn *column)
{
    if (p->names && f->names[j])
        p->names[p->count] = string_retain(f->names[j]);
    p->columns[p->count++] = column;
}

/* The frame of all parts; empties p. */
static ml_status parts_finish(Ctx *ctx, Parts *p, int64_t rows, Frame **out)
{
    const ml_status st = frame_new(ctx, rows, p->count, p->columns, p->names, out);

    p->count = 0;
    parts_free(p);
    return st;
}

/* ---- rows and columns ---- */

static ml_status gather_texts(Ctx *ctx, const FrameColumn *c, const int64_t *rows, int64_t n,
                              FrameColumn **out)
{
    TextColumnBuilder b = {0};
    char buf[NUM_BUFFER];

    for (int64_t i = 0; i < n; i++) {
        size_t size = 0;
        const char *text = frame_cell_text(c, rows[i], buf, &size);

        if (!text_builder_add(&b, text, size)) {
            text_builder_free(&b);
            return fail_memory(ctx, size);
        }
    }
    return text_builder_finish(ctx, &b, c->type, out);
}

static ml_status gather_cells(Ctx *ctx, const FrameColumn *c, const int64_t *rows, int64_t n,
                              FrameColumn **out)
{
    if (frame_type_is_text(c->type))
        return gather_texts(ctx, c, rows, n, out);
    TRY(frame_column_new(ctx, c->type, n, out));
    for (int64_t i = 0; i < n; i++)
        memcpy(column_cell(*out, i), column_cell(c, rows[i]), c->width);
    return ML_OK;
}

ml_status frame_gather(Ctx *ctx, const Frame *f, const int64_t *rows, int64_t n, Frame **out)
{
    Parts p;

    TRY(parts_new(ctx, f, &p));
    for (int64_t j = 0; j < f->cols; j++) {
        FrameColumn *column = NULL;
        const ml_status st = gather_cells(ctx, f->columns[j], rows, n, &column);

        if (st != ML_OK) {
            parts_free(&p);
            return st;
        }
        parts_add(&p, f, j, column);
    }
    return parts_finish(ctx, &p, n, out);
}

ml_status frame_keep_rows(Ctx *ctx, const Frame *f, const Kept *kept, Frame **out)
{
    const size_t bytes = (size_t)(kept->count + 1) * sizeof(int64_t);
    int64_t *rows = pool_alloc(ctx, bytes), n = 0;
    ml_status st;

    if (!rows)
        return ML_ENOMEM;
    for (int64_t i = 0; i < kept->n; i++)
        if (kept->flags[i])
            rows[n++] = i;
    st = frame_gather(ctx, f, rows, n, out);
    pool_release(ctx->pool, rows, bytes);
    return st;
}

ml_status frame_keep_cols(Ctx *ctx, const Frame *f, const Kept *kept, Frame **out)
{
    Parts p;

    TRY(parts_new(ctx, f, &p));
    for (int64_t j = 0; j < f->cols; j++)
        if (kept->flags[j])
            parts_add(&p, f, j, frame_column_retain(f->columns[j]));
    return parts_finish(ctx, &p, f->rows, out);
}

/* ---- replace ---- */

typedef struct TextPair {
    const char *pattern, *replacement;
    size_t pattern_size, replacement_size;
    double number; /* replacement, when it is one */
    bool is_number;
} TextPair;

static bool matches(const FrameColumn *c, int64_t row, const TextPair *pair)
{
    char buf[NUM_BUFFER];
    size_t size = 0;
    const char *text = frame_cell_text(c, row, buf, &size);

    return text && size == pair->pattern_size && memcmp(text, pair->pattern, size) == 0;
}

static bool any_match(const FrameColumn *c, const TextPair *pair)
{
    for (int64_t i = 0; i < c->rows; i++)
        if (matches(c, i, pair))
            return true;
    return false;
}

static ml_status replace_text(Ctx *ctx, const FrameColumn *c, const TextPair *pair,
                              FrameColumn **out)
{
    TextColumnBuilder b = {0};
    char buf[NUM_BUFFER];

    for (int64_t i = 0; i < c->rows; i++) {
        const bool match = matches(c, i, pair);
        size_t size = pair->replacement_size;
        const char *text = match ? pair->replacement : frame_cell_text(c, i, buf, &size);

        if (!text_builder_add(&b, text, size)) {
            text_builder_free(&b);
            return fail_memory(ctx, size);
        }
    }
    return text_builder_finish(ctx, &b, c->type, out);
}

static ml_status replace_numbers(Ctx *ctx, const FrameColumn *c, const TextPair *pair,
                                 FrameColumn **out)
{
    if (!pair->is_number)
        return fail(ctx, ML_ETYPE, "replace: expected a number for a column of %s, found \"%s\"",
                    frame_type_name(c->type), pair->replacement);
    if (frame_type_is_integer(c->type) && pair->number != floor(pair->number))
        return fail(ctx, ML_ETYPE, "replace: expected a whole number for a column of %s, found %s",
                    frame_type_name(c->type), pair->replacement);
    TRY(frame_column_new(ctx, c->type, c->rows, out));
    for (int64_t i = 0; i < c->rows; i++) {
        if (!matches(c, i, pair))
            memcpy(column_cell(*out, i), column_cell(c, i), c->width);
        else if (frame_type_is_float(c->type))
            column_set_number(*out, i, pair->number);
        else
            column_set_int(*out, i, double_to_int(pair->number));
    }
    return ML_OK;
}

static ml_status replace_columns(Ctx *ctx, const Frame *f, const TextPair *pair, Frame **out)
{
    Parts p;

    TRY(parts_new(ctx, f, &p));
    for (int64_t j = 0; j < f->cols; j++) {
        FrameColumn *c = f->columns[j], *column = NULL;
        ml_status st = ML_OK;

        if (!any_match(c, pair))
            column = frame_column_retain(c);
        else
            st = frame_type_is_text(c->type) ? replace_text(ctx, c, pair, &column)
                                             : replace_numbers(ctx, c, pair, &column);
        if (st != ML_OK) {
            parts_free(&p);
            return st;
        }
        parts_add(&p, f, j, column);
    }
    return parts_finish(ctx, &p, f->rows, out);
}

/* TRUE and FALSE count as the numbers of BOOLEAN columns. */
static bool number_in(Ctx *ctx, Value v, double *out)
{
    Value d;

    if (v.vt == VT_STRING && strcmp(v.s->text, "TRUE") != 0 && strcmp(v.s->text, "FALSE") != 0) {
        if (scalar_cast(ctx, v, VT_DOUBLE, &d) != ML_OK)
            return false;
        *out = d.d;
        return true;
    }
    *out = v.vt == VT_STRING ? v.s->text[0] == 'T' : scalar_to_double(v);
    return true;
}

ml_status frame_replace(Ctx *ctx, const Frame *f, Value pattern, Value replacement, Frame **out)
{
    Value a = value_none(), b = value_none();
    TextPair pair = {0};
    ml_status st;

    TRY_TO(done, st = scalar_cast(ctx, pattern, VT_STRING, &a));
    TRY_TO(done, st = scalar_cast(ctx, replacement, VT_STRING, &b));
    pair = (TextPair){.pattern = a.s->text, .replacement = b.s->text};
    pair.pattern_size = (size_t)a.s->size;
    pair.replacement_size = (size_t)b.s->size;
    pair.is_number = number_in(ctx, replacement, &pair.number);
    st = replace_columns(ctx, f, &pair, out);
done:
    value_release(a);
    value_release(b);
    return st;
}
