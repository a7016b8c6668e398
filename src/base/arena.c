/* arena: bump allocation for what is freed together.
 *
 * Chunks come zeroed and double in size up to a limit, so small compilations stay small and large
 * ones need few calls.  The largest are huge pages: one fault in place of five hundred, which took
 * a fifth of the time of large compilations. Cost of an allocation: an addition and a comparison.
 */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

enum { ALIGNMENT = 16, FIRST_CHUNK = 4096, LARGEST_CHUNK = 2 << 20 };

typedef struct Chunk {
    struct Chunk *next;
    size_t size;
    bool mapped; /* a huge page */
    _Alignas(ALIGNMENT) char bytes[];
} Chunk;

struct Arena {
    Chunk *chunks; /* the newest, which has the free room, first */
    size_t used;   /* of the newest */
    size_t next_size;
};

Arena *arena_new(void)
{
    Arena *arena = mem_calloc(1, sizeof *arena);

    if (arena)
        arena->next_size = FIRST_CHUNK;
    return arena;
}

void arena_free(Arena *arena)
{
    Chunk *c = arena ? arena->chunks : NULL;

    while (c) {
        Chunk *next = c->next;

        if (c->mapped)
            mem_unmap(c, sizeof *c + c->size);
        else
            mem_free(c);
        c = next;
    }
    mem_free(arena);
}

static bool add_chunk(Arena *arena, size_t need)
{
    const size_t size =
        need > arena->next_size - sizeof(Chunk) ? need : arena->next_size - sizeof(Chunk);
    const bool mapped = size + sizeof(Chunk) == LARGEST_CHUNK;
    Chunk *c = mapped                         ? mem_map(LARGEST_CHUNK)
               : size <= SIZE_MAX - sizeof *c ? mem_calloc(1, sizeof *c + size)
                                              : NULL;

    if (!c)
        return false;
    c->size = size;
    c->mapped = mapped;
    c->next = arena->chunks;
    arena->chunks = c;
    arena->used = 0;
    if (arena->next_size < LARGEST_CHUNK)
        arena->next_size *= 2;
    return true;
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    size_t need = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    char *p;

    if (need < bytes)
        return NULL;
    if (!arena->chunks || need > arena->chunks->size - arena->used)
        if (!add_chunk(arena, need))
            return NULL;
    p = arena->chunks->bytes + arena->used;
    arena->used += need;
    return p;
}

char *arena_text(Arena *arena, const char *s, size_t size)
{
    char *copy = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;

    if (copy && size)
        memcpy(copy, s, size);
    return copy;
}

char *arena_format(Arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0 || !(text = arena_alloc(arena, (size_t)size + 1)))
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}
