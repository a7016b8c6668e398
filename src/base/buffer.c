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

void buffer_free(Buffer *b)
{
    mem_free(b->data);
    *b = (Buffer){0};
}
