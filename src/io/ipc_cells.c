/* Cells of columns in batches of Arrow IPC: buffers, which are unpacked where they are packed, and
 * what lies in them. All that a message says is checked against the bytes that are there.
 */
#include "io/codec.h"
#include "io/ipc.h"

ml_status ipc_damaged(Ctx *ctx, const char *file, size_t at, const char *what)
{
    return fail(ctx, ML_EFORMAT, "%s: damaged Arrow data in the message at byte %zu: %s", file, at,
                what);
}

/* ---- buffers ---- */

static ml_status unpack(Ctx *ctx, const Records *rec, const char *p, size_t n, IpcBytes *out)
{
    const int64_t raw = n >= 8 ? flat_get(p, 8) : 0;
    size_t used, made = 0;
    Unpacked got = UNPACKED;
    ml_status st = ML_OK;

    if (n < 8 || raw < -1)
        return ipc_damaged(ctx, rec->file, rec->at, "a packed buffer has no size");
    *out = (IpcBytes){.p = p + 8, .size = n - 8};
    if (raw == -1)
        return ML_OK;
    out->size = (size_t)raw;
    out->owned = pool_alloc(ctx, out->size);
    if (!out->owned)
        return ML_ENOMEM;
    out->p = out->owned;
    if (rec->codec == 0) {
        st = lz4_unpack(ctx, p + 8, n - 8, out->owned, out->size, &got);
    } else if ((st = library_load(ctx, codec_zstd.library)) == ML_OK) {
        got = codec_zstd.unpack(p + 8, n - 8, out->owned, out->size, &used, &made);
        got = got == UNPACKED && made != out->size ? UNPACK_DAMAGED : got;
    }
    return st == ML_OK && got != UNPACKED ? ipc_damaged(ctx, rec->file, rec->at, "a packed buffer")
                                          : st;
}

ml_status ipc_buffer(Ctx *ctx, const Records *rec, int64_t k, size_t least, IpcBytes *out)
{
    const char *entry;
    int64_t offset, size;

    *out = (IpcBytes){0};
    if (k >= rec->buffer_count)
        return ipc_damaged(ctx, rec->file, rec->at, "a buffer is missing");
    entry = rec->buffers + 16 * k;
    offset = flat_get(entry, 8);
    size = flat_get(entry + 8, 8);
    if (offset < 0 || size < 0 || (uint64_t)offset > rec->body_size ||
        (uint64_t)size > rec->body_size - (size_t)offset)
        return ipc_damaged(ctx, rec->file, rec->at, "a buffer lies outside its body");
    if (rec->packed && size > 0)
        TRY(unpack(ctx, rec, rec->body + offset, (size_t)size, out));
    else
        *out = (IpcBytes){.p = rec->body + offset, .size = (size_t)size};
    return out->size >= least ? ML_OK
                              : ipc_damaged(ctx, rec->file, rec->at, "a buffer is too short");
}

void ipc_free(Ctx *ctx, IpcBytes *b, int n)
{
    for (int i = 0; i < n; i++)
        pool_release(ctx->pool, b[i].owned, b[i].size);
}

/* ---- cells ---- */

ml_status ipc_buffers(Ctx *ctx, const Records *rec, const IpcType *t, int64_t node, int64_t first,
                      IpcBytes b[3])
{
    const size_t rows = (size_t)rec->rows, bits = (rows + 7) / 8;
    size_t least;
    int64_t nulls;

    if (node >= rec->node_count || flat_get(rec->nodes + 16 * node, 8) != rec->rows)
        return ipc_damaged(ctx, rec->file, rec->at, "a column has another number of rows");
    nulls = flat_get(rec->nodes + 16 * node + 8, 8);
    if (t->views)
        least = rows * 16;
    else if (t->offset_bytes)
        least = rows ? (rows + 1) * (size_t)t->offset_bytes : 0;
    else
        least = t->kind == TYPE_BOOL ? bits : rows * t->number.size;
    if (rows > SIZE_MAX / 16)
        return ipc_damaged(ctx, rec->file, rec->at, "an impossible number of rows");
    TRY(ipc_buffer(ctx, rec, first, nulls != 0 ? bits : 0, &b[0]));
    if (nulls == 0)
        b[0].p = NULL;
    TRY(ipc_buffer(ctx, rec, first + 1, least, &b[1]));
    return t->offset_bytes ? ipc_buffer(ctx, rec, first + 2, 0, &b[2]) : ML_OK;
}

static inline int64_t offset_at(const char *p, int64_t i, int bytes)
{
    int64_t wide;
    int32_t narrow;

    if (bytes == 8) {
        memcpy(&wide, p + 8 * i, 8);
        return wide;
    }
    memcpy(&narrow, p + 4 * i, 4);
    return narrow;
}

/* Where n texts from row `at` on lie; false when one lies outside its buffer. */
static bool find_texts(const IpcType *t, const IpcBytes b[3], int64_t at, int64_t n, TextSpan *out)
{
    int64_t from = offset_at(b[1].p, at, t->offset_bytes);

    for (int64_t i = 0; i < n; i++) {
        const int64_t to = offset_at(b[1].p, at + i + 1, t->offset_bytes);

        if (from < 0 || to < from || (uint64_t)to > b[2].size)
            return false;
        if (bit_is_set(b[0].p, at + i))
            out[i] = (TextSpan){b[2].p + from, (size_t)(to - from)};
        else
            out[i] = (TextSpan){NULL, 0};
        from = to;
    }
    return true;
}

static ml_status add_texts(Ctx *ctx, const Records *rec, const IpcType *t, const IpcBytes b[3],
                           TextColumnBuilder *texts)
{
    enum { SOME = 256 };
    TextSpan spans[SOME];

    for (int64_t i = 0; i < rec->rows; i += SOME) {
        const int64_t n = rec->rows - i < SOME ? rec->rows - i : SOME;

        if (!find_texts(t, b, i, n, spans))
            return ipc_damaged(ctx, rec->file, rec->at, "a text lies outside its buffer");
        if (!text_builder_add_many(texts, spans, n, b[2].p + b[2].size))
            return fail_memory(ctx, (size_t)n);
    }
    return ML_OK;
}

static ml_status add_times(Ctx *ctx, const Records *rec, const IpcType *t, const IpcBytes b[3],
                           TextColumnBuilder *texts)
{
    for (int64_t i = 0; i < rec->rows; i++) {
        char text[48];
        const int64_t v = flat_get(b[1].p + i * t->number.size, t->number.size);
        const size_t n = ipc_time_text(t, v, text);

        if (!text_builder_add(texts, bit_is_set(b[0].p, i) ? text : NULL, n))
            return fail_memory(ctx, n);
    }
    return ML_OK;
}

/* Bits as bytes of 0 and 1, in place of b. */
static ml_status spread_bits(Ctx *ctx, int64_t n, IpcBytes *b)
{
    const size_t size = (size_t)n + 1;
    char *bytes = pool_alloc(ctx, size);

    if (!bytes)
        return ML_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        bytes[i] = bit_is_set(b->p, i);
    ipc_free(ctx, b, 1);
    *b = (IpcBytes){.p = bytes, .owned = bytes, .size = size};
    return ML_OK;
}

/* ---- views ---- */

/* Where the text that a view describes lies; false when outside its buffer. */
static bool find_view(const char *view, const IpcBytes *more, int64_t count, TextSpan *out)
{
    enum { INLINE = 12 };
    int32_t part[4]; /* size, first bytes, buffer, offset */

    memcpy(part, view, sizeof part);
    *out = (TextSpan){view + 4, (size_t)part[0]};
    if (part[0] < 0)
        return false;
    if (part[0] <= INLINE)
        return true;
    if (part[2] < 0 || part[2] >= count || part[3] < 0 || (size_t)part[3] > more[part[2]].size ||
        out->size > more[part[2]].size - (size_t)part[3])
        return false;
    out->s = more[part[2]].p + part[3];
    return true;
}

static ml_status add_viewed(Ctx *ctx, const Records *rec, const IpcColumn *from,
                            const IpcBytes *more, TextColumnBuilder *texts)
{
    for (int64_t i = 0; i < rec->rows; i++) {
        TextSpan text = {NULL, 0};

        if (bit_is_set(from->b[0].p, i) &&
            !find_view(from->b[1].p + 16 * i, more, from->count, &text))
            return ipc_damaged(ctx, rec->file, rec->at, "a text lies outside its buffer");
        if (!text_builder_add(texts, text.s, text.size))
            return fail_memory(ctx, text.size);
    }
    return ML_OK;
}

static ml_status add_views(Ctx *ctx, const Records *rec, const IpcColumn *from,
                           TextColumnBuilder *texts)
{
    IpcBytes *more;
    ml_status st = ML_OK;

    if (from->count < 0 || from->count > rec->buffer_count)
        return ipc_damaged(ctx, rec->file, rec->at, "an impossible number of buffers");
    more = mem_calloc((size_t)from->count + 1, sizeof *more);
    if (!more)
        return fail_memory(ctx, (size_t)from->count * sizeof *more);
    for (int64_t k = 0; k < from->count && st == ML_OK; k++)
        st = ipc_buffer(ctx, rec, from->first + k, 0, &more[k]);
    if (st == ML_OK)
        st = add_viewed(ctx, rec, from, more, texts);
    ipc_free(ctx, more, (int)from->count);
    mem_free(more);
    return st;
}

/* ---- numbers ---- */

/* A decimal of 16 bytes, exactly rounded. */
static double decimal_value(const char *p, int scale)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    char text[64], *at = text + 48;
    double value = 0;
    unsigned __int128 size;
    __int128 v;

    memcpy(&v, p, sizeof v);
    if (v < (__int128)1 << 53 && v > -((__int128)1 << 53) && scale >= 0 && scale <= 22)
        return (double)v / powers[scale];
    snprintf(at, 16, "e%d", -scale);
    for (size = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v; size > 0; size /= 10)
        *--at = (char)('0' + (int)(size % 10));
    num_parse_double(at, text + 48 + strlen(text + 48), &value);
    return v < 0 ? -value : value;
}

static ml_status spread_decimals(Ctx *ctx, int64_t n, int scale, IpcBytes *b)
{
    const size_t size = ((size_t)n + 1) * sizeof(double);
    double *values = pool_alloc(ctx, size);

    if (!values)
        return ML_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        values[i] = decimal_value(b->p + 16 * i, scale);
    ipc_free(ctx, b, 1);
    *b = (IpcBytes){.p = (const char *)values, .owned = values, .size = size};
    return ML_OK;
}

ml_status ipc_numbers(Ctx *ctx, const Records *rec, const IpcType *t, IpcBytes *b,
                      NumberType *number)
{
    *number = t->number;
    if (t->kind == TYPE_BOOL)
        return spread_bits(ctx, rec->rows, b);
    if (t->kind != TYPE_DECIMAL)
        return ML_OK;
    *number = number_type_of(FT_FP64);
    return spread_decimals(ctx, rec->rows, t->scale, b);
}

ml_status ipc_cells(Ctx *ctx, const Records *rec, const IpcColumn *from, TextColumnBuilder *texts,
                    FrameColumn **c, int64_t at)
{
    const IpcType *t = from->type;
    char where[256];
    NumberType number;

    if (t->views)
        return add_views(ctx, rec, from, texts);
    if (t->offset_bytes)
        return add_texts(ctx, rec, t, from->b, texts);
    if (t->per_second)
        return add_times(ctx, rec, t, from->b, texts);
    TRY(ipc_numbers(ctx, rec, t, &from->b[1], &number));
    snprintf(where, sizeof where, "%s: column '%s'", rec->file, from->name);
    return numbers_fill(ctx, where, number, from->b[1].p, from->b[0].p, rec->rows, c, at);
}
