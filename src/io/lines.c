/* Cutting inputs into chunks of whole lines.
 *
 * A chunk ends at the first newline after its share of bytes, so chunks can be parsed
 * independently; counting newlines in all chunks in parallel and adding up tells each which row it
 * starts with. The chunks depend on the bytes only, never on the number of threads. Costs one pass
 * at memory speed.
 *
 * A mapped file is read for this, chunk by chunk into a buffer that stays in the cache: copying 256
 * KB costs half of what mapping, forgetting and mapping again their pages do, with threads that
 * must hear of it. What was read in the mapping after all is given back, so that a file is never
 * held whole.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/io_impl.h"

void chunk_forget(const Chunk *c)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)c->begin + page - 1) / page * page,
                    to = (uintptr_t)c->end / page * page;

    if (c->file->mapping && !c->file->unpacked && from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

const char *chunk_text(const Chunk *c, char *room, size_t size)
{
    const size_t n = (size_t)(c->end - c->begin);
    const off_t from = (off_t)(c->begin - c->file->data);
    size_t done = 0;

    if (!c->file->open || n > size)
        return c->begin;
    while (done < n) {
        const ssize_t got = pread(c->file->fd, room + done, n - done, from + (off_t)done);

        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return c->begin; /* the mapping says what is wrong */
    }
    return room;
}

static int64_t count_newlines(const char *p, size_t n)
{
    int64_t total = 0;

    while (n > 0) { /* at most 255 a byte-wide counter keeps the inner loop to byte operations */
        const size_t step = n < 255 * 64 ? n : 255 * 64;
        uint8_t count[64] = {0};
        size_t i = 0;

        for (; i + 64 <= step; i += 64)
            for (int k = 0; k < 64; k++)
                count[k] = (uint8_t)(count[k] + (p[i + (size_t)k] == '\n'));
        for (; i < step; i++)
            total += p[i] == '\n';
        for (int k = 0; k < 64; k++)
            total += count[k];
        p += step;
        n -= step;
    }
    return total;
}

static ml_status count_chunks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Lines *l = arg;
    char *room = pool_alloc(ctx, CHUNK_ROOM);

    if (!room)
        return ML_ENOMEM;
    for (int64_t i = lo; i < hi; i++) {
        Chunk *c = &l->chunks.items[i];
        const size_t n = (size_t)(c->end - c->begin);
        const char *text = chunk_text(c, room, CHUNK_ROOM);

        c->lines = count_newlines(text, n) + (text[n - 1] != '\n');
        if (text != room)
            chunk_forget(c);
    }
    pool_release(ctx->pool, room, CHUNK_ROOM);
    return ML_OK;
}

static ml_status split_file(Ctx *ctx, const InputFile *file, size_t size, Lines *out)
{
    const char *p = file->data, *end = p + file->size;

    if (file->size >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3; /* a byte-order mark, as spreadsheets write it, is no text */
    while (p < end) {
        const char *stop = (size_t)(end - p) > size
                               ? memchr(p + size - 1, '\n', (size_t)(end - p) - size + 1)
                               : NULL;

        stop = stop ? stop + 1 : end;
        if (!VEC_PUSH(&out->chunks, ((Chunk){.begin = p, .end = stop, .file = file})))
            return fail_memory(ctx, sizeof(Chunk) * (size_t)out->chunks.count);
        p = stop;
    }
    return ML_OK;
}

static void number_chunks(Lines *l)
{
    l->count = 0;
    for (int i = 0; i < l->chunks.count; i++) {
        l->chunks.items[i].line = l->count;
        l->count += l->chunks.items[i].lines;
    }
}

ml_status lines_split(Ctx *ctx, const Input *in, Lines *out)
{
    ml_status st = ML_OK;

    *out = (Lines){0};
    for (int i = 0; i < in->count && st == ML_OK; i++)
        st = split_file(ctx, &in->files[i], in->chunk, out);
    if (st == ML_OK)
        st = task_for(ctx, out->chunks.count, 1, count_chunks, out);
    if (st != ML_OK)
        lines_free(out);
    number_chunks(out);
    return st;
}

void lines_free(Lines *l)
{
    VEC_FREE(&l->chunks);
}

bool lines_first(const Lines *l, const char **begin, const char **end)
{
    const char *next;

    if (l->count == 0)
        return false;
    *begin = l->chunks.items[0].begin;
    *end = line_end(*begin, l->chunks.items[0].end, &next);
    return true;
}

void lines_skip_first(Lines *l)
{
    Chunk *c = l->chunks.items;

    if (l->count == 0)
        return;
    line_end(c->begin, c->end, &c->begin);
    c->lines--;
    if (c->begin == c->end) {
        l->chunks.count--;
        memmove(c, c + 1, (size_t)l->chunks.count * sizeof *c);
    }
    number_chunks(l);
}

/* The start of the last line of c. */
static const char *last_line(const Chunk *c)
{
    const char *p = c->end - (c->end[-1] == '\n');

    while (p > c->begin && p[-1] != '\n')
        p--;
    return p;
}

void lines_trim_blank_end(Lines *l)
{
    while (l->chunks.count > 0) {
        Chunk *c = &l->chunks.items[l->chunks.count - 1];
        const char *start = last_line(c);
        const char *p = skip_blanks(start, c->end);

        if (p < c->end && *p != '\n')
            break;
        c->end = start;
        c->lines--;
        l->count--;
        if (c->begin == c->end)
            l->chunks.count--;
    }
}
