/* frame: typed columns, shared between frames, each in one buffer of the pool.
 *
 * Text columns keep all bytes of the column in one run with an offset a row, so a frame of a
 * million short strings is three arrays and not a million allocations. */
#include "data/data.h"

#include <string.h>

enum { ALIGNMENT = 64 };

static const char *const type_names[] = {"STRING",    "FP64",    "FP32",  "INT64",
                                         "INT32",     "BOOLEAN", "UINT8", "UINT4",
                                         "CHARACTER", "HASH32",  "HASH64"};

const char *frame_type_name(FrameType type)
{
    return type_names[type];
}

bool frame_type_parse(const char *name, size_t size, FrameType *type)
{
    for (size_t k = 0; k < sizeof type_names / sizeof *type_names; k++) {
        if (strlen(type_names[k]) == size && memcmp(type_names[k], name, size) == 0) {
            *type = (FrameType)k;
            return true;
        }
    }
    return false;
}

bool frame_type_is_text(FrameType type)
{
    return type == FT_STRING || type == FT_CHARACTER || type == FT_HASH32 || type == FT_HASH64;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* Place the arrays of a text column in its buffer. */
static void place_text(FrameColumn *c)
{
    char *at = c->buffer;
    size_t offsets = aligned((size_t)(c->rows + 1) * sizeof *c->offsets),
           nulls = aligned((size_t)c->rows);

    c->offsets = (int64_t *)(void *)at;
    c->nulls = (uint8_t *)at + offsets;
    c->bytes = at + offsets + nulls;
    c->offsets[0] = 0;
    memset(c->nulls, 0, (size_t)c->rows);
}

static size_t column_bytes(FrameType type, int64_t rows, int64_t text_bytes)
{
    size_t n = (size_t)rows;

    if (!frame_type_is_text(type))
        return n * sizeof(int64_t);
    return aligned((n + 1) * sizeof(int64_t)) + aligned(n) + (size_t)text_bytes;
}

ml_status frame_column_new(Ctx *ctx, FrameType type, int64_t rows, int64_t text_bytes,
                           FrameColumn **out)
{
    FrameColumn *c;

    if (rows < 0 || rows > INT64_MAX / 32)
        return fail(ctx, ML_EVALUE, "a frame of %" PRId64 " rows is not possible", rows);
    c = mem_calloc(1, sizeof *c);
    if (!c)
        return fail_memory(ctx, sizeof *c);
    atomic_init(&c->refs, 1);
    c->type = type;
    c->rows = rows;
    c->pool = ctx->pool;
    c->bytes_held = column_bytes(type, rows, text_bytes);
    c->buffer = pool_alloc(ctx, c->bytes_held);
    if (!c->buffer) {
        mem_free(c);
        return ML_ENOMEM;
    }
    if (frame_type_is_text(type))
        place_text(c);
    else if (type == FT_FP64 || type == FT_FP32)
        c->doubles = c->buffer;
    else
        c->ints = c->buffer;
    *out = c;
    return ML_OK;
}

FrameColumn *frame_column_retain(FrameColumn *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void frame_column_release(FrameColumn *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    string_release(c->fill);
    pool_release(c->pool, c->buffer, c->bytes_held);
    mem_free(c);
}

static void release_parts(int64_t cols, FrameColumn **columns, String **names)
{
    for (int64_t j = 0; j < cols; j++) {
        frame_column_release(columns[j]);
        if (names)
            string_release(names[j]);
    }
}

ml_status frame_new(Ctx *ctx, int64_t rows, int64_t cols, FrameColumn **columns, String **names,
                    Frame **out)
{
    Frame *f = mem_calloc(1, sizeof *f);
    size_t n = (size_t)cols;

    if (f) {
        f->columns = mem_calloc(n, sizeof *f->columns);
        f->names = names ? mem_calloc(n, sizeof *f->names) : NULL;
    }
    if (!f || !f->columns || (names && !f->names)) {
        if (f) {
            mem_free(f->columns);
            mem_free(f->names);
        }
        mem_free(f);
        release_parts(cols, columns, names);
        return fail_memory(ctx, n * sizeof *columns);
    }
    atomic_init(&f->refs, 1);
    f->rows = rows;
    f->cols = cols;
    memcpy(f->columns, columns, n * sizeof *columns);
    if (names)
        memcpy(f->names, names, n * sizeof *names);
    *out = f;
    return ML_OK;
}

Frame *frame_retain(Frame *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void frame_release(Frame *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
        return;
    release_parts(f->cols, f->columns, f->names);
    mem_free(f->columns);
    mem_free(f->names);
    mem_free(f);
}

static const char *text_cell(const FrameColumn *c, int64_t row, size_t *size)
{
    if (c->nulls && c->nulls[row])
        return NULL;
    *size = (size_t)(c->offsets[row + 1] - c->offsets[row]);
    return c->bytes + c->offsets[row];
}

const char *frame_cell_text(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER], size_t *size)
{
    switch (c->type) {
    case FT_FP64:
        *size = num_print_double(buf, c->doubles[row]);
        return buf;
    case FT_FP32:
        *size = num_print_float(buf, (float)c->doubles[row]);
        return buf;
    case FT_BOOLEAN:
        *size = c->ints[row] ? 4 : 5;
        return c->ints[row] ? "TRUE" : "FALSE";
    case FT_INT64:
    case FT_INT32:
    case FT_UINT8:
    case FT_UINT4:
        *size = num_print_int64(buf, c->ints[row]);
        return buf;
    default:
        return text_cell(c, row, size);
    }
}

/* ---- building a text column row by row ---- */

bool text_builder_add(TextColumnBuilder *b, const char *text, size_t size)
{
    if (text && size)
        buffer_put(&b->bytes, text, size);
    b->any_null |= !text;
    return !b->bytes.failed && VEC_PUSH(&b->ends, (int64_t)b->bytes.size) &&
           VEC_PUSH(&b->nulls, !text);
}

ml_status text_builder_finish(Ctx *ctx, TextColumnBuilder *b, FrameType type, FrameColumn **out)
{
    const size_t rows = (size_t)b->ends.count;
    FrameColumn *c = NULL;
    ml_status st = frame_column_new(ctx, type, b->ends.count, (int64_t)b->bytes.size, &c);

    if (st == ML_OK) {
        if (rows)
            memcpy(c->offsets + 1, b->ends.items, rows * sizeof *c->offsets);
        if (b->any_null)
            memcpy(c->nulls, b->nulls.items, rows);
        else
            c->nulls = NULL;
        if (b->bytes.size)
            memcpy(c->bytes, b->bytes.data, b->bytes.size);
        *out = c;
    }
    text_builder_free(b);
    return st;
}

void text_builder_free(TextColumnBuilder *b)
{
    buffer_free(&b->bytes);
    VEC_FREE(&b->ends);
    VEC_FREE(&b->nulls);
    b->any_null = false;
}
