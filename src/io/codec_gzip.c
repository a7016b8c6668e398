/* gzip (RFC 1952) by libdeflate, which unpacks whole members at twice the speed of zlib.
 *
 * Files are written in blocks of 64 KB, a member each, whose header tells the member's size in a
 * field "BC" as the tools of genome research do (BGZF): such files unpack in parallel, here and
 * there, and are ordinary gzip to all others.
 */
#include "io/codec.h"

enum {
    LEVEL = 1,
    BLOCK = 0xff00, /* packs into less than 64 KB whatever it holds */
    HEADER = 18,
    TRAILER = 8,
    HAS_EXTRA = 4 /* flag of a header with fields */
};

struct libdeflate_compressor;
struct libdeflate_decompressor;

typedef struct Deflate { /* as the library's header declares them */
    struct libdeflate_compressor *(*alloc_compressor)(int level);
    void (*free_compressor)(struct libdeflate_compressor *c);
    size_t (*compress)(struct libdeflate_compressor *c, const void *in, size_t n, void *out,
                       size_t room);
    struct libdeflate_decompressor *(*alloc_decompressor)(void);
    void (*free_decompressor)(struct libdeflate_decompressor *d);
    int (*gunzip)(struct libdeflate_decompressor *d, const void *in, size_t n, void *out,
                  size_t room, size_t *used, size_t *made);
    int (*inflate)(struct libdeflate_decompressor *d, const void *in, size_t n, void *out,
                   size_t room, size_t *made);
    uint32_t (*crc32)(uint32_t crc, const void *p, size_t n);
} Deflate;
static Deflate deflate;

enum { DEFLATE_SUCCESS, DEFLATE_NO_ROOM = 3 }; /* results of gunzip and inflate */

static const LibrarySymbol symbols[] = {
    {"libdeflate_alloc_compressor", offsetof(Deflate, alloc_compressor)},
    {"libdeflate_free_compressor", offsetof(Deflate, free_compressor)},
    {"libdeflate_deflate_compress", offsetof(Deflate, compress)},
    {"libdeflate_alloc_decompressor", offsetof(Deflate, alloc_decompressor)},
    {"libdeflate_free_decompressor", offsetof(Deflate, free_decompressor)},
    {"libdeflate_gzip_decompress_ex", offsetof(Deflate, gunzip)},
    {"libdeflate_deflate_decompress", offsetof(Deflate, inflate)},
    {"libdeflate_crc32", offsetof(Deflate, crc32)},
};

static Library library = {.purpose = "reading and writing gzip and zip data",
                          .names = "libdeflate.so.0 libdeflate.so",
                          .advice = "install it (Debian: libdeflate0)",
                          .symbols = symbols,
                          .count = sizeof symbols / sizeof *symbols,
                          .functions = &deflate,
                          .lock = PTHREAD_MUTEX_INITIALIZER};

static bool matches(const unsigned char *p, size_t n)
{
    return n > 2 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

static uint32_t get16(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

static uint32_t get32(const char *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static bool measure(const char *p, size_t n, size_t *packed, size_t *raw)
{
    if (n < HEADER + TRAILER || !matches((const unsigned char *)p, n) || p[3] != HAS_EXTRA ||
        get16(p + 10) != 6 || p[12] != 'B' || p[13] != 'C' || get16(p + 14) != 2)
        return false;
    *packed = (size_t)get16(p + 16) + 1;
    if (*packed < HEADER + TRAILER || *packed > n)
        return false;
    *raw = get32(p + *packed - 4);
    return *raw <= 1 << 16;
}

static Unpacked result(int got)
{
    return got == DEFLATE_SUCCESS   ? UNPACKED
           : got == DEFLATE_NO_ROOM ? UNPACK_FULL
                                    : UNPACK_DAMAGED;
}

static Unpacked unpack(const char *p, size_t n, char *out, size_t room, size_t *used, size_t *made)
{
    struct libdeflate_decompressor *d = deflate.alloc_decompressor();
    int got;

    if (!d)
        return UNPACK_MEMORY;
    got = deflate.gunzip(d, p, n, out, room, used, made);
    deflate.free_decompressor(d);
    return result(got);
}

Unpacked deflate_unpack(const char *p, size_t n, char *out, size_t size)
{
    struct libdeflate_decompressor *d = deflate.alloc_decompressor();
    size_t made = 0;
    int got;

    if (!d)
        return UNPACK_MEMORY;
    got = deflate.inflate(d, p, n, out, size, &made);
    deflate.free_decompressor(d);
    return got == DEFLATE_SUCCESS && made != size ? UNPACK_DAMAGED : result(got);
}

uint32_t deflate_crc32(uint32_t crc, const void *p, size_t n)
{
    return deflate.crc32(crc, p, n);
}

static void put16(char *p, size_t v)
{
    p[0] = (char)(v & 255);
    p[1] = (char)(v >> 8 & 255);
}

static void put32(char *p, size_t v)
{
    put16(p, v);
    put16(p + 2, v >> 16);
}

static bool pack_block(struct libdeflate_compressor *c, const char *p, size_t n, Buffer *out)
{
    static const char head[] = {31, (char)139, 8, HAS_EXTRA, 0,   0,   0, 0,
                                0,  (char)255, 6, 0,         'B', 'C', 2, 0};
    const size_t room = 1 << 16;
    char *to = buffer_reserve(out, room);
    size_t size;

    if (!to)
        return false;
    size = deflate.compress(c, p, n, to + HEADER, room - HEADER - TRAILER);
    memcpy(to, head, sizeof head);
    put16(to + sizeof head, HEADER + size + TRAILER - 1);
    put32(to + HEADER + size, deflate.crc32(0, p, n));
    put32(to + HEADER + size + 4, n);
    out->size += HEADER + size + TRAILER;
    return size > 0;
}

static bool pack(const char *p, size_t n, Buffer *out)
{
    struct libdeflate_compressor *c = deflate.alloc_compressor(LEVEL);
    bool done = c != NULL;

    for (size_t at = 0; at < n && done; at += BLOCK)
        done = pack_block(c, p + at, n - at < BLOCK ? n - at : BLOCK, out);
    if (c)
        deflate.free_compressor(c);
    return done;
}

const Codec codec_gzip = {"gzip", ".gz", &library, matches, measure, unpack, pack};
