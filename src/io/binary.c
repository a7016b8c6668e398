/* The container of the binary format: see binary.h.
 *
 * The checksum is two running sums a lane (Fletcher 1982) over eight 64-bit lanes, which vectorize
 * to memory speed, by tiles of a fixed size whose results are mixed in order: the same on any
 * number of threads. It finds accidents, not attacks; what is read is therefore checked besides
 * (sizes, bounds, order), so that no file can make the library misbehave.
 */
#include "io/binary.h"

enum { TILE = 1 << 20, ALIGN = 64, MAX_SEGMENTS = 1 << 24 };

static const char MAGIC[8] = "MLBLOCK\n";
static const uint32_t VERSION = 2;
static const uint64_t ORDER = UINT64_C(0x0102030405060708);

static uint64_t tile_sum(const char *p, size_t n)
{
    uint64_t a[8] = {1}, b[8] = {0}, w[8], sum = n;

    for (; n >= sizeof w; n -= sizeof w, p += sizeof w) {
        memcpy(w, p, sizeof w);
        for (int k = 0; k < 8; k++) {
            a[k] += w[k];
            b[k] += a[k];
        }
    }
    memset(w, 0, sizeof w);
    if (n > 0)
        memcpy(w, p, n);
    for (int k = 0; k < 8; k++)
        sum = hash_mix(hash_mix(sum, a[k] + w[k]), b[k]);
    return sum;
}

typedef struct TileJob {
    const Output *o; /* where to write, or NULL */
    char *to;        /* where to copy, or NULL */
    const char *data;
    size_t size;
    int64_t offset;
    uint64_t *sums; /* a tile, or NULL */
} TileJob;

static ml_status run_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const TileJob *j = arg;

    for (int64_t i = lo; i < hi; i++) {
        const size_t at = (size_t)i * TILE, left = j->size - at, n = left < TILE ? left : TILE;

        TRY(check_cancel(ctx));
        if (j->sums)
            j->sums[i] = tile_sum(j->data + at, n);
        if (j->to)
            memcpy(j->to + at, j->data + at, n);
        if (j->o)
            TRY(output_at(ctx, j->o, j->offset + (int64_t)at, j->data + at, n));
    }
    return ML_OK;
}

static int64_t count_tiles(size_t size)
{
    return (int64_t)((size + TILE - 1) / TILE);
}

/* The checksum of data, which is written to o at offset besides, if o is given. */
static ml_status sum_tiles(Ctx *ctx, const Output *o, int64_t offset, const void *data, size_t size,
                           uint64_t *out)
{
    const int64_t n = count_tiles(size);
    TileJob j = {.o = o, .data = data, .size = size, .offset = offset};
    ml_status st;

    j.sums = mem_calloc((size_t)n + 1, sizeof *j.sums);
    if (!j.sums)
        return fail_memory(ctx, (size_t)n * sizeof *j.sums);
    st = task_for(ctx, n, 1, run_tiles, &j);
    *out = size;
    for (int64_t i = 0; i < n; i++)
        *out = hash_mix(*out, j.sums[i]);
    mem_free(j.sums);
    return st;
}

ml_status binary_copy(Ctx *ctx, void *to, const void *from, size_t size)
{
    TileJob j = {.to = to, .data = from, .size = size};

    return task_for(ctx, count_tiles(size), 1, run_tiles, &j);
}

static uint64_t head_sum(BinaryHeader h, const Segment *table)
{
    h.sum = 0;
    return hash_mix(tile_sum((const char *)&h, sizeof h),
                    tile_sum((const char *)table, (size_t)h.segments * sizeof *table));
}

static uint64_t align_up(uint64_t x)
{
    return (x + ALIGN - 1) / ALIGN * ALIGN;
}

ml_status binary_write(Ctx *ctx, Output *o, BinaryHeader *h, const Part *parts, size_t count)
{
    Segment *table = mem_calloc(count + 1, sizeof *table);
    uint64_t at = align_up(sizeof *h + count * sizeof *table);
    ml_status st = table ? ML_OK : fail_memory(ctx, count * sizeof *table);

    for (size_t i = 0; i < count && st == ML_OK; i++) {
        table[i] = (Segment){.offset = parts[i].size ? at : 0, .size = parts[i].size};
        st = sum_tiles(ctx, o, (int64_t)at, parts[i].data, parts[i].size, &table[i].sum);
        at = align_up(at + parts[i].size);
    }
    if (st == ML_OK) {
        memcpy(h->magic, MAGIC, sizeof MAGIC);
        h->version = VERSION;
        h->order = ORDER;
        h->segments = count;
        h->sum = head_sum(*h, table);
        st = output_append(ctx, o, h, sizeof *h);
    }
    if (st == ML_OK)
        st = output_append(ctx, o, table, count * sizeof *table);
    mem_free(table);
    return st;
}

ml_status binary_corrupt(Ctx *ctx, const BinaryFile *b, const char *what)
{
    return fail(ctx, ML_EFORMAT, "%s: the binary file is damaged: %s", b->file->name, what);
}

static ml_status check_header(Ctx *ctx, const BinaryFile *b)
{
    const BinaryHeader *h = &b->h;

    if (memcmp(h->magic, MAGIC, sizeof MAGIC) != 0)
        return fail(ctx, ML_EFORMAT, "%s: not a binary file of matloom", b->file->name);
    if (h->order != ORDER)
        return fail(ctx, ML_EFORMAT, "%s: written on a machine of another byte order",
                    b->file->name);
    if (h->version != VERSION)
        return fail(ctx, ML_EFORMAT,
                    "%s: version %" PRIu32 " of the binary format, expected %" PRIu32,
                    b->file->name, h->version, VERSION);
    if (h->rows < 0 || h->cols < 0 || h->segments > MAX_SEGMENTS)
        return binary_corrupt(ctx, b, "impossible sizes in its header");
    if (b->file->size - sizeof *h < h->segments * sizeof(Segment))
        return binary_corrupt(ctx, b, "it ends in its table of segments");
    return ML_OK;
}

static ml_status check_segments(Ctx *ctx, const BinaryFile *b)
{
    const uint64_t size = b->file->size;

    for (uint64_t i = 0; i < b->h.segments; i++) {
        const Segment *s = &b->table[i];
        uint64_t sum;

        if (s->offset % ALIGN != 0 || s->offset > size || s->size > size - s->offset)
            return binary_corrupt(ctx, b, "a segment lies beyond its end");
        TRY(sum_tiles(ctx, NULL, 0, b->file->data + s->offset, s->size, &sum));
        if (sum != s->sum)
            return binary_corrupt(ctx, b, "the checksum of its content is wrong");
    }
    return ML_OK;
}

ml_status binary_open(Ctx *ctx, const Spec *spec, Input *in, BinaryFile *out)
{
    *out = (BinaryFile){.spec = spec, .file = &in->files[0]};
    if (in->count != 1)
        return fail(ctx, ML_EFORMAT, "%s: a binary matrix or frame is one file, found %d",
                    spec->path, in->count);
    if (out->file->size < sizeof out->h)
        return fail(ctx, ML_EFORMAT, "%s: too short for a binary file of matloom", out->file->name);
    memcpy(&out->h, out->file->data, sizeof out->h);
    TRY(check_header(ctx, out));
    out->table = mem_calloc((size_t)out->h.segments + 1, sizeof *out->table);
    if (!out->table)
        return fail_memory(ctx, (size_t)out->h.segments * sizeof *out->table);
    memcpy(out->table, out->file->data + sizeof out->h,
           (size_t)out->h.segments * sizeof *out->table);
    if (head_sum(out->h, out->table) != out->h.sum)
        return binary_corrupt(ctx, out, "the checksum of its header is wrong");
    TRY(check_segments(ctx, out));
    return input_check_dims(ctx, spec, out->h.rows, out->h.cols);
}

void binary_close(BinaryFile *b)
{
    mem_free(b->table);
    b->table = NULL;
}

const char *binary_segment(Ctx *ctx, const BinaryFile *b, uint64_t index, size_t size)
{
    if (index < b->h.segments && b->table[index].size == size)
        return b->file->data + b->table[index].offset;
    binary_corrupt(ctx, b, "a segment is missing or has the wrong size");
    return NULL;
}
