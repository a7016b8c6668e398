/* buffer: a byte buffer that grows by half and remembers that memory ran out, so that writers check
 * once. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

char *buffer_reserve(Buffer *b, size_t extra)
{
    size_t need, room;
    char *grown;

    if (b->failed || __builtin_add_overflow(b->size, extra, &need) ||
        __builtin_add_overflow(need, (size_t)1, &need)) {
        b->failed = true;
        return NULL;
    }
    if (need <= b->capacity)
        return b->data + b->size;
    room = b->capacity + b->capacity / 2;
    room = room < need ? need : room;
    room = room < 64 ? 64 : room;
    grown = mem_realloc(b->data, room);
    if (!grown) {
        b->failed = true;
        return NULL;
    }
    b->data = grown;
    b->capacity = room;
    return b->data + b->size;
}

void buffer_put(Buffer *b, const char *s, size_t size)
{
    char *end = buffer_reserve(b, size);

    if (!end)
        return;
    if (size)
        memcpy(end, s, size);
    end[size] = '\0';
    b->size += size;
}

void buffer_text(Buffer *b, const char *s)
{
    buffer_put(b, s, strlen(s));
}

void buffer_format(Buffer *b, const char *format, ...)
{
    va_list args;
    char *end;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0 || !(end = buffer_reserve(b, (size_t)size)))
        return;
    va_start(args, format);
    vsnprintf(end, (size_t)size + 1, format, args);
    va_end(args);
    b->size += (size_t)size;
}

/* ---- columns ---- */

enum { COLUMNS = 12 };

/* Characters of UTF-8. */
static size_t width_of(const char *s, size_t size)
{
    size_t n = 0;

    for (size_t k = 0; k < size; k++)
        n += ((unsigned char)s[k] & 0xC0) != 0x80;
    return n;
}

/* The widest cell of each column that has one to its right in the same line. */
static void measure(const Buffer *lines, size_t widths[COLUMNS])
{
    const char *s = lines->data, *end = s + lines->size;

    for (int column = 0; s < end; s++) {
        const size_t size = strcspn(s, "\t\n"), width = width_of(s, size);

        s += size;
        if (*s == '\t' && column < COLUMNS && width > widths[column])
            widths[column] = width;
        column = *s == '\n' ? 0 : column + 1;
    }
}

void buffer_columns(Buffer *b, const Buffer *lines)
{
    size_t widths[COLUMNS] = {0}, gap = 0;
    const char *s = lines->data, *end = s + lines->size;

    b->failed |= lines->failed;
    if (!s)
        return;
    measure(lines, widths);
    for (int column = 0; s < end; s++) {
        const size_t size = strcspn(s, "\t\n");

        if (size) {
            buffer_format(b, "%*s", (int)gap, "");
            buffer_put(b, s, size);
            gap = 0;
        }
        if (column < COLUMNS && widths[column])
            gap += widths[column] - width_of(s, size) + 2;
        s += size;
        column++;
        if (*s == '\n') {
            buffer_text(b, "\n");
            gap = 0;
            column = 0;
        }
    }
}

void buffer_free(Buffer *b)
{
    mem_free(b->data);
    *b = (Buffer){0};
}
