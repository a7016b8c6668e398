/* Frames in the binary format. Segment 0 describes the columns, segment 1 holds their names (length
 * and bytes, length UINT32_MAX for none); then each numeric column has one segment and each text
 * column three: offsets, nulls (empty if there are none), bytes.
 */
#include "io/binary.h"

enum {
    FRAME_COLUMNS, /* segments that every frame has */
    FRAME_NAMES,
    FRAME_FIRST
};

static const uint32_t NO_NAME = UINT32_MAX;

static bool has_doubles(FrameType type)
{
    return type == FT_FP64 || type == FT_FP32;
}

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

/* The segments of a column; returns how many. */
static size_t column_parts(const FrameColumn *c, Part *parts)
{
    const size_t rows = (size_t)c->rows;

    if (!frame_type_is_text(c->type)) {
        parts[0] = has_doubles(c->type) ? (Part){c->doubles, rows * sizeof(double)}
                                        : (Part){c->ints, rows * sizeof(int64_t)};
        return 1;
    }
    parts[0] = (Part){c->offsets, (rows + 1) * sizeof(int64_t)};
    parts[1] = (Part){c->nulls, c->nulls ? rows : 0};
    parts[2] = (Part){c->bytes, (size_t)c->offsets[rows]};
    return 3;
}

ml_status binary_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    const size_t cols = (size_t)f->cols;
    BinaryHeader h = {.kind = BINARY_FRAME, .rows = f->rows, .cols = f->cols};
    Part *parts = mem_calloc(FRAME_FIRST + 3 * cols, sizeof *parts);
    uint32_t *types = mem_calloc(cols + 1, sizeof *types);
    Buffer names = {0};
    size_t n = FRAME_FIRST;
    ml_status st;

    (void)spec;
    put_names(&names, f);
    if (!parts || !types || names.failed) {
        st = fail_memory(ctx, cols * sizeof *parts);
        goto done;
    }
    for (size_t k = 0; k < cols; k++) {
        types[k] = f->columns[k]->type;
        n += column_parts(f->columns[k], parts + n);
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

static bool texts_are_sound(const FrameColumn *c, uint64_t bytes)
{
    if (c->offsets[0] != 0 || c->offsets[c->rows] != (int64_t)bytes)
        return false;
    for (int64_t r = 0; r < c->rows; r++)
        if (c->offsets[r] > c->offsets[r + 1])
            return false;
    return true;
}

static ml_status read_texts(Ctx *ctx, FrameJob *j, FrameType type, FrameColumn **out)
{
    const BinaryFile *b = j->b;
    const size_t rows = (size_t)b->h.rows, offset_bytes = (rows + 1) * sizeof(int64_t);
    const uint64_t s = j->next, bytes = s + 2 < b->h.segments ? b->table[s + 2].size : 0;
    const bool has_nulls = s + 1 < b->h.segments && b->table[s + 1].size > 0;
    const char *offsets = binary_segment(ctx, b, s, offset_bytes);
    const char *nulls = offsets ? binary_segment(ctx, b, s + 1, has_nulls ? rows : 0) : NULL;
    const char *text = nulls ? binary_segment(ctx, b, s + 2, bytes) : NULL;
    FrameColumn *c;

    if (!text)
        return ML_EFORMAT;
    TRY(frame_column_new(ctx, type, b->h.rows, (int64_t)bytes, out));
    c = *out;
    TRY(binary_copy(ctx, c->offsets, offsets, offset_bytes));
    TRY(binary_copy(ctx, c->bytes, text, bytes));
    if (has_nulls)
        TRY(binary_copy(ctx, c->nulls, nulls, rows));
    else
        c->nulls = NULL;
    j->next += 3;
    return texts_are_sound(c, bytes) ? ML_OK
                                     : binary_corrupt(ctx, b, "the texts of a column overlap");
}

static ml_status read_numbers(Ctx *ctx, FrameJob *j, FrameType type, FrameColumn **out)
{
    const size_t bytes = (size_t)j->b->h.rows * sizeof(int64_t);
    const char *data = binary_segment(ctx, j->b, j->next++, bytes);

    if (!data)
        return ML_EFORMAT;
    TRY(frame_column_new(ctx, type, j->b->h.rows, 0, out));
    return binary_copy(ctx, has_doubles(type) ? (void *)(*out)->doubles : (void *)(*out)->ints,
                       data, bytes);
}

static ml_status read_columns(Ctx *ctx, FrameJob *j)
{
    const int64_t cols = j->b->h.cols;
    const char *types = binary_segment(ctx, j->b, FRAME_COLUMNS, (size_t)cols * sizeof(uint32_t));

    if (!types)
        return ML_EFORMAT;
    for (int64_t k = 0; k < cols; k++) {
        uint32_t type;

        memcpy(&type, types + (size_t)k * sizeof type, sizeof type);
        if (type > FT_HASH64)
            return binary_corrupt(ctx, j->b, "a column has an unknown type");
        TRY((frame_type_is_text((FrameType)type) ? read_texts : read_numbers)(
            ctx, j, (FrameType)type, &j->columns[k]));
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
    if (h->segments < FRAME_FIRST + (uint64_t)h->cols || h->rows > INT64_MAX / 32)
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
