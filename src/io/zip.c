/* Zip archives (PKWARE APPNOTE 6.3, sections 4.3 to 4.5): reading and writing.
 *
 * The directory at the end counts: a member is found by it, and its local header only tells where
 * its bytes begin. Every offset and size is checked against the file, and every checksum. Members
 * are written stored, as numpy.savez does; fields of 64 bits appear where a member needs them.
 */
#include "io/zip.h"

#include "io/codec.h"

enum {
    LOCAL = 30, /* bytes of the records, without what varies */
    CENTRAL = 46,
    END = 22,
    LOCATOR = 20,
    END64 = 56,
    EXTRA64 = 28, /* tag, length, and three numbers of 8 bytes */
    MAX_COMMENT = 0xffff,
    STORED = 0,
    DEFLATED = 8
};
static const uint32_t LOCAL_MAGIC = 0x04034b50, CENTRAL_MAGIC = 0x02014b50, END_MAGIC = 0x06054b50,
                      LOCATOR_MAGIC = 0x07064b50, END64_MAGIC = 0x06064b50;

static uint64_t get(const char *p, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static ml_status damaged(Ctx *ctx, const InputFile *f, uint64_t at, const char *what)
{
    return fail(ctx, ML_EFORMAT, "%s: damaged zip archive at byte %" PRIu64 ": %s", f->name, at,
                what);
}

/* ---- reading ---- */

typedef struct Directory {
    uint64_t at, size, count;
} Directory;

/* The end record, behind which only a comment may follow; 0 when there is none. */
static size_t find_end(const InputFile *f)
{
    for (size_t back = END; back <= f->size && back <= END + MAX_COMMENT; back++)
        if (get(f->data + f->size - back, 4) == END_MAGIC)
            return f->size - back;
    return 0;
}

static ml_status find_directory(Ctx *ctx, const InputFile *f, Directory *d)
{
    const size_t end = f->size >= END ? find_end(f) : 0;
    const char *p = f->data + end;

    if (f->size < END || get(p, 4) != END_MAGIC)
        return fail(ctx, ML_EFORMAT, "%s: not a zip archive, or cut off: its directory is missing",
                    f->name);
    *d = (Directory){.at = get(p + 16, 4), .size = get(p + 12, 4), .count = get(p + 10, 2)};
    if (end >= LOCATOR && get(p - LOCATOR, 4) == LOCATOR_MAGIC) {
        const uint64_t at = get(p - LOCATOR + 8, 8);

        if (f->size < END64 || at > f->size - END64 || get(f->data + at, 4) != END64_MAGIC)
            return damaged(ctx, f, at, "the 64-bit end of its directory is missing");
        p = f->data + at;
        *d = (Directory){.at = get(p + 48, 8), .size = get(p + 40, 8), .count = get(p + 32, 8)};
    }
    if (d->at > end || d->size > end - d->at || d->count > d->size / CENTRAL)
        return damaged(ctx, f, end, "its directory lies outside");
    return ML_OK;
}

/* The 64-bit fields of those that are all ones. */
static bool read_extra(const char *p, size_t n, ZipMember *m)
{
    uint64_t *const fields[] = {&m->size, &m->packed, &m->at};

    while (n >= 4) {
        const size_t length = get(p + 2, 2);

        if (length > n - 4)
            return false;
        if (get(p, 2) == 1) {
            size_t at = 4;

            for (int i = 0; i < 3; i++)
                if (*fields[i] == UINT32_MAX) {
                    if (at + 8 > length + 4)
                        return false;
                    *fields[i] = get(p + at, 8);
                    at += 8;
                }
        }
        p += 4 + length;
        n -= 4 + length;
    }
    return true;
}

/* The entry at *at, which moves behind it. */
static ml_status read_entry(Ctx *ctx, Zip *z, uint64_t *at, uint64_t end, ZipMember *m)
{
    const InputFile *f = z->file;
    const char *p = f->data + *at;
    size_t name, extra, size;

    if (end - *at < CENTRAL || get(p, 4) != CENTRAL_MAGIC)
        return damaged(ctx, f, *at, "an entry of the directory is missing");
    name = get(p + 28, 2);
    extra = get(p + 30, 2);
    size = CENTRAL + name + extra + get(p + 32, 2);
    if (size > end - *at)
        return damaged(ctx, f, *at, "an entry reaches beyond the directory");
    if (get(p + 8, 2) & 1)
        return damaged(ctx, f, *at, "a member is encrypted, which is not supported");
    *m = (ZipMember){.method = (uint16_t)get(p + 10, 2),
                     .crc = (uint32_t)get(p + 16, 4),
                     .packed = get(p + 20, 4),
                     .size = get(p + 24, 4),
                     .at = get(p + 42, 4),
                     .name = arena_text(z->arena, p + CENTRAL, name)};
    if (!m->name)
        return fail_memory(ctx, name);
    if (!read_extra(p + CENTRAL + name, extra, m))
        return damaged(ctx, f, *at, "the extra field of an entry is cut off");
    *at += size;
    return ML_OK;
}

ml_status zip_open(Ctx *ctx, Arena *arena, const InputFile *file, Zip *out)
{
    Directory d = {0};

    *out = (Zip){.arena = arena, .file = file};
    TRY(find_directory(ctx, file, &d));
    out->members = ARENA_ARRAY(arena, ZipMember, d.count + 1);
    if (!out->members)
        return fail_memory(ctx, d.count * sizeof(ZipMember));
    for (uint64_t i = 0, at = d.at; i < d.count; i++)
        TRY(read_entry(ctx, out, &at, d.at + d.size, &out->members[out->count++]));
    return ML_OK;
}

static ml_status find_bytes(Ctx *ctx, const Zip *z, const ZipMember *m, const char **out)
{
    const InputFile *f = z->file;
    uint64_t skip;

    if (m->at > f->size || f->size - m->at < LOCAL || get(f->data + m->at, 4) != LOCAL_MAGIC)
        return damaged(ctx, f, m->at, "a member is missing");
    skip = LOCAL + get(f->data + m->at + 26, 2) + get(f->data + m->at + 28, 2);
    if (skip > f->size - m->at || m->packed > f->size - m->at - skip)
        return damaged(ctx, f, m->at, "a member reaches beyond the end");
    *out = f->data + m->at + skip;
    return ML_OK;
}

static ml_status inflate_member(Ctx *ctx, const Zip *z, const ZipMember *m, const char *packed,
                                const char **data, void **owned)
{
    Unpacked got;

    if (m->size / 1032 > m->packed)
        return damaged(ctx, z->file, m->at, "a member claims more than it can unpack to");
    *owned = pool_alloc(ctx, m->size + 1);
    if (!*owned)
        return ML_ENOMEM;
    got = deflate_unpack(packed, m->packed, *owned, m->size);
    *data = *owned;
    if (got == UNPACKED)
        return ML_OK;
    pool_release(ctx->pool, *owned, m->size + 1);
    *owned = NULL;
    return got == UNPACK_MEMORY ? fail_memory(ctx, m->size)
                                : damaged(ctx, z->file, m->at, "the data of a member");
}

ml_status zip_read(Ctx *ctx, const Zip *z, const ZipMember *m, const char **data, void **owned)
{
    const char *bytes = NULL;

    *owned = NULL;
    TRY(library_load(ctx, codec_gzip.library));
    TRY(find_bytes(ctx, z, m, &bytes));
    if (m->method == STORED && m->packed == m->size)
        *data = bytes;
    else if (m->method == DEFLATED)
        TRY(inflate_member(ctx, z, m, bytes, data, owned));
    else
        return damaged(ctx, z->file, m->at, "a member is neither stored nor deflated");
    if (deflate_crc32(0, *data, m->size) == m->crc)
        return ML_OK;
    pool_release(ctx->pool, *owned, m->size + 1);
    *owned = NULL;
    return damaged(ctx, z->file, m->at, "the checksum of a member is wrong");
}

/* ---- writing ---- */

static void put(Buffer *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        const char byte = (char)(v >> (8 * i) & 255);

        buffer_put(b, &byte, 1);
    }
}

static uint64_t limited(uint64_t v, bool large)
{
    return large ? UINT32_MAX : v;
}

static bool is_large(const ZipMember *m)
{
    return m->size >= UINT32_MAX || m->at >= UINT32_MAX;
}

/* The record of a member in its place or, with more, in the directory. */
static void put_member(Buffer *b, const ZipMember *m, bool directory)
{
    enum { VERSION = 45, DATE = 1 << 5 | 1 }; /* the first day of 1980, like numpy.savez */
    const bool large = is_large(m);

    put(b, directory ? CENTRAL_MAGIC : LOCAL_MAGIC, 4);
    put(b, VERSION, directory ? 2 : 0);
    put(b, VERSION, 2);
    put(b, 0, 2 + 2 + 2); /* flags, method, time */
    put(b, DATE, 2);
    put(b, m->crc, 4);
    put(b, limited(m->size, large), 4);
    put(b, limited(m->size, large), 4);
    put(b, strlen(m->name), 2);
    put(b, large ? EXTRA64 : 0, 2);
    if (directory) {
        put(b, 0, 2 + 2 + 2); /* comment, disk, attributes inside */
        put(b, 0, 4);         /* and outside */
        put(b, limited(m->at, large), 4);
    }
    buffer_text(b, m->name);
    if (large) {
        put(b, 1, 2);
        put(b, EXTRA64 - 4, 2);
        put(b, m->size, 8);
        put(b, m->size, 8);
        put(b, m->at, 8);
    }
}

static void put_end(Buffer *b, const ZipWriter *w, uint64_t at, uint64_t size)
{
    const uint64_t count = (uint64_t)w->members.count, end = at + size;
    const bool large = end >= UINT32_MAX || count >= UINT16_MAX;

    if (large) {
        put(b, END64_MAGIC, 4);
        put(b, END64 - 12, 8);
        put(b, 45 << 16 | 45, 4);
        put(b, 0, 8);
        put(b, count, 8);
        put(b, count, 8);
        put(b, size, 8);
        put(b, at, 8);
        put(b, LOCATOR_MAGIC, 4);
        put(b, 0, 4);
        put(b, end, 8);
        put(b, 1, 4);
    }
    put(b, END_MAGIC, 4);
    put(b, 0, 4);
    put(b, large ? UINT16_MAX : count, 2);
    put(b, large ? UINT16_MAX : count, 2);
    put(b, limited(size, large), 4);
    put(b, limited(at, large), 4);
    put(b, 0, 2);
}

ml_status zip_begin(Ctx *ctx, ZipWriter *w, const char *name, uint64_t size)
{
    const ZipMember m = {
        .name = arena_text(w->arena, name, strlen(name)), .size = size, .at = (uint64_t)w->o->size};

    TRY(library_load(ctx, codec_gzip.library));
    if (!m.name || !VEC_PUSH(&w->members, m))
        return fail_memory(ctx, sizeof m);
    w->o->size += LOCAL + (int64_t)strlen(name) + (is_large(&m) ? EXTRA64 : 0);
    return ML_OK;
}

ml_status zip_put(Ctx *ctx, ZipWriter *w, const void *data, size_t size)
{
    ZipMember *m = &w->members.items[w->members.count - 1];

    m->crc = deflate_crc32(m->crc, data, size);
    return output_append(ctx, w->o, data, size);
}

ml_status zip_end(Ctx *ctx, ZipWriter *w)
{
    const ZipMember *m = &w->members.items[w->members.count - 1];
    Buffer b = {0};
    ml_status st;

    put_member(&b, m, false);
    st = b.failed ? fail_memory(ctx, b.capacity)
                  : output_at(ctx, w->o, (int64_t)m->at, b.data, b.size);
    buffer_free(&b);
    return st;
}

ml_status zip_finish(Ctx *ctx, ZipWriter *w)
{
    Buffer b = {0};
    ml_status st;

    for (int i = 0; i < w->members.count; i++)
        put_member(&b, &w->members.items[i], true);
    put_end(&b, w, (uint64_t)w->o->size, b.size);
    st = b.failed ? fail_memory(ctx, b.capacity) : output_append(ctx, w->o, b.data, b.size);
    buffer_free(&b);
    return st;
}

void zip_free(ZipWriter *w)
{
    VEC_FREE(&w->members);
}
