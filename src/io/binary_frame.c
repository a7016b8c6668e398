/* Frames in the binary format: columns as they lie in memory (data/frame.h). Segment 0 has a word
 * for each column, its type and, from bit 8 on, the bytes of its codes (0 for plain texts); segment
 * 1 holds their names (length and bytes, length UINT32_MAX for none). Then each column has three
 * segments: its numbers or codes, or for plain texts the bitmap of nulls, which may be empty;
 * offsets of its texts, of 8 bytes if the texts exceed 4 GiB, else of 4; and the texts.
 */
#include "io/binary.h"

enum {
    FRAME_COLUMNS, /* segments that every frame has */
    FRAME_NAMES,
    FRAME_FIRST,
    COLUMN_PARTS = 3,
    WIDTH_SHIFT = 8
};

static const uint32_t NO_NAME = UINT32_MAX;

/* ---- writing ---- */

static void put_names(Buffer *b, const Frame *f)
{
    for (int64_t k = 0; k < f->cols; k++) {
        const String *name = f->names ? f->names[k] : NULL;
        const uint32_t size = name ? (uint32_t)name->size : NO_NAME;

        buffer_put(b, (const char *)&size, sizeof size);
        if (name)
            buffer_put(b, name->text, (size_t)name->size);
    }
}

static size_t offset_size(size_t text_bytes)
{
    return text_bytes > UINT32_MAX ? sizeof(int64_t) : sizeof(uint32_t);
}

static size_t bitmap_size(int64_t rows)
{
    return ((size_t)rows + 63) / 64 * sizeof(uint64_t);
}

static void column_parts(const FrameColumn *c, Part parts[COLUMN_PARTS])
{
    const TextStore *t = c->texts;
    const size_t bytes = t ? (size_t)text_offset(t, t->count) : 0;

    memset(parts, 0, COLUMN_PARTS * sizeof *parts);
    if (c->width)
        parts[0] = (Part){c->cells, (size_t)c->rows * c->width};
    else if (c->nulls)
        parts[0] = (Part){c->nulls, bitmap_size(c->rows)};
    if (t) {
        parts[1] = (Part){t->buffer, ((size_t)t->count + 1) * offset_size(bytes)};
        parts[2] = (Part){t->bytes, bytes};
    }
}

ml_status binary_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    const size_t cols = (size_t)f->cols;
    BinaryHeader h = {.kind = BINARY_FRAME, .rows = f->rows, .cols = f->cols};
    Part *parts = mem_calloc(FRAME_FIRST + COLUMN_PARTS * cols, sizeof *parts);
    uint32_t *types = mem_calloc(cols + 1, sizeof *types);
    Buffer names = {0};
    const size_t n = FRAME_FIRST + COLUMN_PARTS * cols;
    ml_status st;

    (void)spec;
    put_names(&names, f);
    if (!parts || !types || names.failed) {
        st = fail_memory(ctx, cols * sizeof *parts);
        goto done;
    }
    for (size_t k = 0; k < cols; k++) {
        const FrameColumn *c = f->columns[k];

        types[k] = (uint32_t)c->type | (c->texts ? (uint32_t)c->width << WIDTH_SHIFT : 0);
        column_parts(c, parts + FRAME_FIRST + COLUMN_PARTS * k);
    }
    parts[FRAME_COLUMNS] = (Part){types, cols * sizeof *types};
    parts[FRAME_NAMES] = (Part){names.data, names.size};
    st = binary_write(ctx, o, &h, parts, n);
done:
    buffer_free(&names);
    mem_free(types);
    mem_free(parts);
    return st;
}

/* ---- reading ---- */

typedef struct FrameJob {
    const BinaryFile *b;
    uint64_t next; /* segment */
    FrameColumn **columns;
    String **names;
} FrameJob;

/* What segment 0 says of a column. */
typedef struct ColumnForm {
    FrameType type;
    uint32_t width;
} ColumnForm;

static bool offsets_are_sound(const TextStore *t, size_t bytes)
{
    if (text_offset(t, 0) != 0 || text_offset(t, t->count) != (int64_t)bytes)
        return false;
    for (int64_t k = 0; k < t->count; k++)
        if (text_offset(t, k) > text_offset(t, k + 1))
            return false;
    return true;
}

/* The store of a text column, from the second and third segment after j->next. */
static ml_status read_store(Ctx *ctx, const FrameJob *j, TextStore **out)
{
    const BinaryFile *b = j->b;
    const size_t bytes = b->table[j->next + 2].size, size = b->table[j->next + 1].size,
                 width = offset_size(bytes), count = size / width;
    const char *offsets, *text;
    ml_status st;

    if (size % width != 0 || count == 0)
        return binary_corrupt(ctx, b, "the texts of a column have no offsets");
    offsets = binary_segment(ctx, b, j->next + 1, size);
    text = offsets ? binary_segment(ctx, b, j->next + 2, bytes) : NULL;
    if (!text)
        return ML_EFORMAT;
    TRY(text_store_new(ctx, (int64_t)count - 1, bytes, out));
    st = binary_copy(ctx, (*out)->buffer, offsets, size);
    if (st == ML_OK)
        st = binary_copy(ctx, (*out)->bytes, text, bytes);
    if (st == ML_OK && !offsets_are_sound(*out, bytes))
        st = binary_corrupt(ctx, b, "the texts of a column overlap");
    if (st != ML_OK)
        text_store_release(*out);
    return st;
}

static bool codes_are_sound(const FrameColumn *c)
{
    for (int64_t i = 0; i < c->rows; i++)
        if (column_code(c, i) > c->texts->count)
            return false;
    return true;
}

static ml_status read_codes(Ctx *ctx, const FrameJob *j, ColumnForm form, TextStore *texts,
                            FrameColumn **out)
{
    const size_t bytes = (size_t)j->b->h.rows * form.width;
    const char *codes = binary_segment(ctx, j->b, j->next, bytes);
    FrameColumn *c;

    if (!codes) {
        text_store_release(texts);
        return ML_EFORMAT;
    }
    TRY(frame_column_codes(ctx, form.type, j->b->h.rows, texts, out));
    c = *out;
    if (c->width != form.width)
        return binary_corrupt(ctx, j->b, "the codes of a column have a wrong size");
    TRY(binary_copy(ctx, c->cells, codes, bytes));
    return codes_are_sound(c) ? ML_OK : binary_corrupt(ctx, j->b, "a cell has an unknown code");
}

static ml_status read_plain(Ctx *ctx, const FrameJob *j, ColumnForm form, TextStore *texts,
                            FrameColumn **out)
{
    const BinaryFile *b = j->b;
    const bool nulls = b->table[j->next].size > 0;
    const size_t bytes = nulls ? bitmap_size(b->h.rows) : 0;
    const char *map = binary_segment(ctx, b, j->next, bytes);

    if (!map || texts->count != b->h.rows) {
        text_store_release(texts);
        return map ? binary_corrupt(ctx, b, "a column has not a text for each row") : ML_EFORMAT;
    }
    TRY(frame_column_plain(ctx, form.type, b->h.rows, nulls, texts, out));
    return nulls ? binary_copy(ctx, (*out)->nulls, map, bytes) : ML_OK;
}

static ml_status read_texts(Ctx *ctx, FrameJob *j, ColumnForm form, FrameColumn **out)
{
    TextStore *texts = NULL;

    TRY(read_store(ctx, j, &texts));
    return (form.width ? read_codes : read_plain)(ctx, j, form, texts, out);
}

/* A byte is a BOOLEAN, UINT4 ... only in the range of the type. */
static bool bytes_are_sound(const FrameColumn *c)
{
    const int64_t most = c->type == FT_BOOLEAN ? 1 : c->type == FT_UINT4 ? 15 : 255;

    for (int64_t i = 0; c->width == 1 && i < c->rows; i++)
        if (column_int(c, i) > most)
            return false;
    return true;
}

static ml_status read_numbers(Ctx *ctx, FrameJob *j, ColumnForm form, FrameColumn **out)
{
    const size_t bytes = (size_t)j->b->h.rows * frame_type_size(form.type);
    const char *data = binary_segment(ctx, j->b, j->next, bytes);

    if (!data)
        return ML_EFORMAT;
    TRY(frame_column_new(ctx, form.type, j->b->h.rows, out));
    TRY(binary_copy(ctx, (*out)->cells, data, bytes));
    return bytes_are_sound(*out) ? ML_OK
                                 : binary_corrupt(ctx, j->b, "a cell is beyond its type's range");
}

static ml_status read_columns(Ctx *ctx, FrameJob *j)
{
    const int64_t cols = j->b->h.cols;
    const char *types = binary_segment(ctx, j->b, FRAME_COLUMNS, (size_t)cols * sizeof(uint32_t));

    if (!types)
        return ML_EFORMAT;
    for (int64_t k = 0; k < cols; k++) {
        ColumnForm form;
        uint32_t word;

        memcpy(&word, types + (size_t)k * sizeof word, sizeof word);
        form = (ColumnForm){(FrameType)(word & ((1U << WIDTH_SHIFT) - 1)), word >> WIDTH_SHIFT};
        if (form.type > FT_HASH64 || form.width > sizeof(uint32_t))
            return binary_corrupt(ctx, j->b, "a column has an unknown type");
        TRY((frame_type_is_text(form.type) ? read_texts : read_numbers)(ctx, j, form,
                                                                        &j->columns[k]));
        j->next += COLUMN_PARTS;
    }
    return ML_OK;
}

static ml_status read_names(Ctx *ctx, FrameJob *j)
{
    const BinaryFile *b = j->b;
    const size_t bytes = b->h.segments > FRAME_NAMES ? b->table[FRAME_NAMES].size : 0;
    const char *p = binary_segment(ctx, b, FRAME_NAMES, bytes), *end = p + bytes;

    for (int64_t k = 0; p && k < b->h.cols; k++) {
        uint32_t size;

        if (end - p < (ptrdiff_t)sizeof size)
            return binary_corrupt(ctx, b, "the names of its columns are cut off");
        memcpy(&size, p, sizeof size);
        p += sizeof size;
        if (size == NO_NAME)
            continue;
        if ((size_t)(end - p) < size)
            return binary_corrupt(ctx, b, "the names of its columns are cut off");
        TRY(string_new(ctx, p, size, &j->names[k]));
        p += size;
    }
    return p ? ML_OK : ML_EFORMAT;
}

/* A frame of nothing but names that are missing has none. */
static bool any_name(const FrameJob *j)
{
    for (int64_t k = 0; k < j->b->h.cols; k++)
        if (j->names[k])
            return true;
    return false;
}

static void release_parts(const FrameJob *j)
{
    for (int64_t k = 0; k < j->b->h.cols; k++) {
        if (j->columns)
            frame_column_release(j->columns[k]);
        if (j->names)
            string_release(j->names[k]);
    }
}

static ml_status read_frame(Ctx *ctx, FrameJob *j, Frame **out)
{
    const BinaryHeader *h = &j->b->h;
    ml_status st;

    if (h->kind != BINARY_FRAME)
        return fail(ctx, ML_EFORMAT, "%s: the binary file holds no frame", j->b->file->name);
    if (h->segments != FRAME_FIRST + COLUMN_PARTS * (uint64_t)h->cols || h->rows > INT64_MAX / 32)
        return binary_corrupt(ctx, j->b, "impossible sizes in its header");
    j->columns = mem_calloc((size_t)h->cols + 1, sizeof *j->columns);
    j->names = mem_calloc((size_t)h->cols + 1, sizeof *j->names);
    st = j->columns && j->names ? ML_OK : fail_memory(ctx, (size_t)h->cols * sizeof *j->columns);
    if (st == ML_OK)
        st = read_columns(ctx, j);
    if (st == ML_OK)
        st = read_names(ctx, j);
    if (st != ML_OK)
        release_parts(j);
    else
        st = frame_new(ctx, h->rows, h->cols, j->columns, any_name(j) ? j->names : NULL, out);
    mem_free(j->columns);
    mem_free(j->names);
    return st;
}

ml_status binary_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    BinaryFile b;
    FrameJob j = {.b = &b, .next = FRAME_FIRST};
    ml_status st = binary_open(ctx, spec, in, &b);

    if (st == ML_OK)
        st = read_frame(ctx, &j, out);
    binary_close(&b);
    return st;
}
