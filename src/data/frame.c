/* frame: typed columns, shared between frames, each in one buffer of the pool; data/frame.h has the
 * forms.  A column of a million short strings is two or three arrays and not a million allocations.
 */
#include "data/data.h"

#include <string.h>

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

/* ---- text stores ---- */

TextStore *text_store_retain(TextStore *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void text_store_release(TextStore *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    pool_release(s->pool, s->buffer, s->bytes_held);
    mem_free(s);
}

/* ---- columns ---- */

/* A column with room for `bytes` in its buffer; takes the store's reference. */
static ml_status column_new(Ctx *ctx, FrameType type, int64_t rows, size_t bytes, TextStore *texts,
                            FrameColumn **out)
{
    FrameColumn *c = mem_calloc(1, sizeof *c);

    if (!c) {
        text_store_release(texts);
        return fail_memory(ctx, sizeof *c);
    }
    atomic_init(&c->refs, 1);
    c->type = type;
    c->rows = rows;
    c->texts = texts;
    c->pool = ctx->pool;
    c->bytes_held = bytes;
    c->buffer = bytes ? pool_alloc(ctx, bytes) : NULL;
    if (bytes && !c->buffer) {
        frame_column_release(c);
        return ML_ENOMEM;
    }
    c->cells = c->buffer;
    *out = c;
    return ML_OK;
}

static ml_status check_rows(Ctx *ctx, int64_t rows)
{
    return rows >= 0 && rows <= INT64_MAX / 32
               ? ML_OK
               : fail(ctx, ML_EVALUE, "a frame of %" PRId64 " rows is not possible", rows);
}

ml_status frame_column_new(Ctx *ctx, FrameType type, int64_t rows, FrameColumn **out)
{
    const size_t width = frame_type_size(type);

    TRY(check_rows(ctx, rows));
    TRY(column_new(ctx, type, rows, (size_t)rows * width, NULL, out));
    (*out)->width = (uint8_t)width;
    return ML_OK;
}

ml_status frame_column_codes(Ctx *ctx, FrameType type, int64_t rows, TextStore *texts,
                             FrameColumn **out)
{
    const size_t width = texts->count <= UINT8_MAX ? 1 : texts->count <= UINT16_MAX ? 2 : 4;
    ml_status st = check_rows(ctx, rows);

    if (st != ML_OK) {
        text_store_release(texts);
        return st;
    }
    TRY(column_new(ctx, type, rows, (size_t)rows * width, texts, out));
    (*out)->width = (uint8_t)width;
    return ML_OK;
}

ml_status frame_column_plain(Ctx *ctx, FrameType type, int64_t rows, bool nulls, TextStore *texts,
                             FrameColumn **out)
{
    const size_t bytes = nulls ? ((size_t)rows + 63) / 64 * sizeof(uint64_t) : 0;

    TRY(column_new(ctx, type, rows, bytes, texts, out));
    (*out)->cells = NULL;
    (*out)->nulls = (*out)->buffer;
    if (bytes)
        memset((*out)->nulls, 0, bytes);
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
    text_store_release(c->texts);
    if (c->buffer)
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

size_t frame_bytes(const Frame *f)
{
    size_t total = 0;

    for (int64_t j = 0; j < f->cols; j++) {
        const FrameColumn *c = f->columns[j];

        total += c->bytes_held + (c->texts ? c->texts->bytes_held : 0);
    }
    return total;
}

const char *frame_cell_text(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER], size_t *size)
{
    switch (c->type) {
    case FT_FP64:
        *size = num_print_double(buf, ((const double *)c->cells)[row]);
        return buf;
    case FT_FP32:
        *size = num_print_float(buf, ((const float *)c->cells)[row]);
        return buf;
    case FT_BOOLEAN:
        *size = column_int(c, row) ? 4 : 5;
        return column_int(c, row) ? "TRUE" : "FALSE";
    case FT_INT64:
    case FT_INT32:
    case FT_UINT8:
    case FT_UINT4:
        *size = num_print_int64(buf, column_int(c, row));
        return buf;
    default:
        return column_text(c, row, size);
    }
}
