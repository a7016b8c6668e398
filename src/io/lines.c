/* Cutting inputs into chunks of whole lines.
 *
 * A chunk ends at the first newline after its share of bytes, so chunks can be parsed
 * independently; counting newlines in all chunks in parallel and adding up tells each which row it
 * starts with. The chunks depend on the bytes only, never on the number of threads. Costs one pass
 * at memory speed, which readers that can do with estimates save: these come from the bytes at the
 * ends of chunks, which are looked at anyway.
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

enum {
    MARGIN = 64,         /* that loops may read around the text of a chunk */
    SAMPLE = 4096,       /* bytes at the end of a chunk, */
    SAMPLE_LINES = 8,    /* in which so many lines end or more, */
    GUESSED_CHUNKS = 128 /* and so many chunks */
};

void chunk_forget(const Chunk *c)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)c->begin + page - 1) / page * page,
                    to = (uintptr_t)c->end / page * page;

    if (c->file->mapping && !c->file->unpacked && from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

/* The n bytes of the file at p, read into `room` where that can be; else at p. */
static const char *read_text(const InputFile *file, const char *p, size_t n, char *room)
{
    const off_t from = (off_t)(p - file->data);
    size_t done = 0;

    while (file->open && done < n) {
        const ssize_t got = pread(file->fd, room + done, n - done, from + (off_t)done);

        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return p; /* the mapping says what is wrong */
    }
    return file->open ? room : p;
}

/* The text of a chunk, in `room` of `size` bytes if it fits. */
static const char *chunk_text(const Chunk *c, char *room, size_t size)
{
    const size_t n = (size_t)(c->end - c->begin);

    return n <= size ? read_text(c->file, c->begin, n, room) : c->begin;
}

void chunk_load(const Chunk *c, char *room, LoadedChunk *out)
{
    const size_t size = (size_t)(c->end - c->begin);
    const char *text = chunk_text(c, room + MARGIN, CHUNK_ROOM - 2 * MARGIN);

    *out = (LoadedChunk){*c, {0}, c->file->data, c->file->data + c->file->size};
    if (text == c->begin)
        return;
    out->file = (InputFile){
        .name = c->file->name, .data = text, .size = size, .whole = c->file, .origin = c->begin};
    out->chunk.begin = text;
    out->chunk.end = text + size;
    out->chunk.file = &out->file;
    out->begin = room;
    out->end = room + CHUNK_ROOM;
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

/* The chunk that begins at p; its lines are estimated from what is read to find its end. */
static Chunk cut_chunk(const InputFile *file, const char *p, size_t size)
{
    const char *end = file->data + file->size;
    const bool whole = (size_t)(end - p) > size;
    const char *at = whole ? p + size - 1 : p, *text, *newline;
    const size_t left = (size_t)(end - at), most = size < SAMPLE ? size : SAMPLE,
                 seen = left < most ? left : most;
    char room[SAMPLE];
    Chunk c = {.begin = p, .end = end, .file = file};

    text = read_text(file, at, seen, room);
    if (whole) {
        newline = memchr(text, '\n', seen);
        newline = newline ? at + (newline - text) : memchr(at, '\n', left);
        c.end = newline ? newline + 1 : end;
    }
    c.lines = count_newlines(text, seen) * (c.end - c.begin) / (int64_t)seen;
    return c;
}

static ml_status split_file(Ctx *ctx, const InputFile *file, size_t size, Lines *out)
{
    const char *p = file->data, *end = p + file->size;

    if (file->size >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3; /* a byte-order mark, as spreadsheets write it, is no text */
    while (p < end) {
        const Chunk c = cut_chunk(file, p, size);

        if (!VEC_PUSH(&out->chunks, c))
            return fail_memory(ctx, sizeof c * (size_t)out->chunks.count);
        p = c.end;
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

ml_status lines_count(Ctx *ctx, Lines *l)
{
    l->guessed = false;
    TRY(task_for(ctx, l->chunks.count, 1, count_chunks, l));
    number_chunks(l);
    return ML_OK;
}

/* Estimates come of many samples, which hold some lines each, or are none. */
static bool can_guess(const Lines *l, size_t chunk)
{
    const int n = l->chunks.count;

    return n >= GUESSED_CHUNKS && l->count / n >= (int64_t)(chunk / SAMPLE * SAMPLE_LINES);
}

ml_status lines_guess(Ctx *ctx, const Input *in, Lines *out)
{
    ml_status st = ML_OK;

    *out = (Lines){0};
    for (int i = 0; i < in->count && st == ML_OK; i++)
        st = split_file(ctx, &in->files[i], in->chunk, out);
    number_chunks(out);
    out->guessed = true;
    if (st == ML_OK && !can_guess(out, in->chunk))
        st = lines_count(ctx, out);
    if (st != ML_OK)
        lines_free(out);
    return st;
}

ml_status lines_split(Ctx *ctx, const Input *in, Lines *out)
{
    ml_status st;

    TRY(lines_guess(ctx, in, out));
    st = out->guessed ? lines_count(ctx, out) : ML_OK;
    if (st != ML_OK)
        lines_free(out);
    return st;
}

void lines_free(Lines *l)
{
    VEC_FREE(&l->chunks);
    *l = (Lines){0};
}

bool lines_first(const Lines *l, const char **begin, const char **end)
{
    const char *next;

    if (l->chunks.count == 0)
        return false;
    *begin = l->chunks.items[0].begin;
    *end = line_end(*begin, l->chunks.items[0].end, &next);
    return true;
}

void lines_skip_first(Lines *l)
{
    Chunk *c = l->chunks.items;

    if (l->chunks.count == 0)
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
