/* FlatBuffers: see flat.h. */
#include "io/flat.h"

int64_t flat_get(const char *p, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | (unsigned char)p[i];
    if (bytes < 8 && v >> (8 * bytes - 1))
        v |= ~UINT64_C(0) << (8 * bytes);
    return (int64_t)v;
}

/* The integer at a position. */
static int64_t at(Flat *f, size_t position, int bytes)
{
    if (position > f->size || f->size - position < (size_t)bytes) {
        f->damaged = true;
        return 0;
    }
    return flat_get(f->p + position, bytes);
}

static size_t unsigned_at(Flat *f, size_t position, int bytes)
{
    return (size_t)at(f, position, bytes) & (bytes == 2 ? UINT16_MAX : UINT32_MAX);
}

/* Where the field of a table lies, 0 when it is left out. */
static size_t find(Flat *f, size_t table, int field)
{
    const size_t list =
        table - (size_t)at(f, table, 4); /* wraps when damaged: then it is outside */
    const size_t size = unsigned_at(f, list, 2), entry = 4 + 2 * (size_t)field;
    const size_t offset = entry + 2 <= size ? unsigned_at(f, list + entry, 2) : 0;

    return offset ? table + offset : 0;
}

size_t flat_root(Flat *f)
{
    return unsigned_at(f, 0, 4);
}

int64_t flat_int(Flat *f, size_t table, int field, int bytes, int64_t or_else)
{
    const size_t where = find(f, table, field);

    return where ? at(f, where, bytes) : or_else;
}

size_t flat_table(Flat *f, size_t table, int field)
{
    const size_t where = find(f, table, field);

    return where ? where + unsigned_at(f, where, 4) : 0;
}

const char *flat_vector(Flat *f, size_t table, int field, size_t size, int64_t *count)
{
    const size_t where = flat_table(f, table, field);
    const size_t n = where ? unsigned_at(f, where, 4) : 0;

    *count = 0;
    if (n == 0)
        return NULL;
    if (where + 4 > f->size || n > (f->size - where - 4) / size) {
        f->damaged = true;
        return NULL;
    }
    *count = (int64_t)n;
    return f->p + where + 4;
}

const char *flat_text(Flat *f, size_t table, int field, size_t *size)
{
    int64_t n;
    const char *text = flat_vector(f, table, field, 1, &n);

    *size = (size_t)n;
    return text ? text : "";
}

size_t flat_element(Flat *f, const char *vector, int64_t k)
{
    const size_t where = (size_t)(vector - f->p) + 4 * (size_t)k;

    return where + unsigned_at(f, where, 4);
}

/* ---- writing ---- */

void flat_put_int(Buffer *b, int64_t v, int bytes)
{
    char text[8];

    for (int i = 0; i < bytes; i++)
        text[i] = (char)((uint64_t)v >> (8 * i) & 255);
    buffer_put(b, text, (size_t)bytes);
}

void flat_align(Buffer *b, size_t alignment)
{
    while (b->size % alignment != 0 && !b->failed)
        buffer_put(b, "", 1);
}

static void overwrite(Buffer *b, size_t where, int64_t v, int bytes)
{
    for (int i = 0; i < bytes && !b->failed; i++)
        b->data[where + (size_t)i] = (char)((uint64_t)v >> (8 * i) & 255);
}

void flat_lead(Buffer *b, size_t where, size_t target)
{
    overwrite(b, where, (int64_t)(target - where), 4);
}

size_t flat_put_table(Buffer *b, const FlatField *fields, int count, size_t *where)
{
    size_t list, table;

    flat_align(b, 2);
    list = b->size;
    flat_put_int(b, 4 + 2 * count, 2);
    flat_put_int(b, 0, 2); /* the table's size, below */
    for (int k = 0; k < count; k++)
        flat_put_int(b, 0, 2);
    flat_align(b, 8);
    table = b->size;
    flat_put_int(b, (int64_t)(table - list), 4);
    for (int k = 0; k < count; k++) {
        if (fields[k].bytes == 0)
            continue;
        flat_align(b, (size_t)fields[k].bytes);
        where[k] = b->size;
        overwrite(b, list + 4 + 2 * (size_t)k, (int64_t)(b->size - table), 2);
        flat_put_int(b, fields[k].value, fields[k].bytes);
    }
    overwrite(b, list + 2, (int64_t)(b->size - table), 2);
    return table;
}

size_t flat_put_text(Buffer *b, const char *text, size_t size)
{
    size_t start;

    flat_align(b, 4);
    start = b->size;
    flat_put_int(b, (int64_t)size, 4);
    buffer_put(b, text, size);
    buffer_put(b, "", 1);
    return start;
}

size_t flat_put_vector(Buffer *b, int64_t count, bool wide)
{
    flat_align(b, 4);
    if (wide && b->size % 8 == 0)
        flat_put_int(b, 0, 4);
    flat_put_int(b, count, 4);
    return b->size - 4;
}
