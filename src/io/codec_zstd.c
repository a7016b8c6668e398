/* Zstandard (RFC 8878) by its library. Each piece written is a frame that tells its size, so files
 * written here unpack in parallel. */
#include "io/codec.h"

enum { LEVEL = 1 };

typedef struct Zstd { /* as the library's header declares them */
    size_t (*frame_size)(const void *in, size_t n);
    unsigned long long (*content_size)(const void *in, size_t n);
    size_t (*decompress)(void *out, size_t room, const void *in, size_t n);
    size_t (*compress)(void *out, size_t room, const void *in, size_t n, int level);
    size_t (*bound)(size_t n);
    unsigned (*is_error)(size_t result);
    int (*error_code)(size_t result);
} Zstd;
static Zstd zstd;

enum { ZSTD_MEMORY = 64, ZSTD_NO_ROOM = 70 };     /* error codes */
static const unsigned long long NOT_TOLD = -2ULL; /* contents not told, or no frame, are above */

static const LibrarySymbol symbols[] = {
    {"ZSTD_findFrameCompressedSize", offsetof(Zstd, frame_size)},
    {"ZSTD_getFrameContentSize", offsetof(Zstd, content_size)},
    {"ZSTD_decompress", offsetof(Zstd, decompress)},
    {"ZSTD_compress", offsetof(Zstd, compress)},
    {"ZSTD_compressBound", offsetof(Zstd, bound)},
    {"ZSTD_isError", offsetof(Zstd, is_error)},
    {"ZSTD_getErrorCode", offsetof(Zstd, error_code)},
};

static Library library = {.purpose = "reading and writing zstd data",
                          .names = "libzstd.so.1 libzstd.so",
                          .advice = "install it (Debian: libzstd1)",
                          .symbols = symbols,
                          .count = sizeof symbols / sizeof *symbols,
                          .functions = &zstd,
                          .lock = PTHREAD_MUTEX_INITIALIZER};

static bool matches(const unsigned char *p, size_t n)
{
    return n > 3 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd;
}

static bool measure(const char *p, size_t n, size_t *packed, size_t *raw)
{
    const unsigned long long size = zstd.content_size(p, n);

    *packed = zstd.frame_size(p, n);
    *raw = (size_t)size;
    return size < NOT_TOLD && !zstd.is_error(*packed);
}

static Unpacked unpack(const char *p, size_t n, char *out, size_t room, size_t *used, size_t *made)
{
    *used = zstd.frame_size(p, n);
    if (zstd.is_error(*used))
        return UNPACK_DAMAGED;
    *made = zstd.decompress(out, room, p, *used);
    if (!zstd.is_error(*made))
        return UNPACKED;
    switch (zstd.error_code(*made)) {
    case ZSTD_NO_ROOM:
        return UNPACK_FULL;
    case ZSTD_MEMORY:
        return UNPACK_MEMORY;
    default:
        return UNPACK_DAMAGED;
    }
}

static bool pack(const char *p, size_t n, Buffer *out)
{
    const size_t room = zstd.bound(n);
    char *to = buffer_reserve(out, room);
    size_t size;

    if (!to)
        return false;
    size = zstd.compress(to, room, p, n, LEVEL);
    if (zstd.is_error(size))
        return false;
    out->size += size;
    return true;
}

const Codec codec_zstd = {"zstd", ".zst", &library, matches, measure, unpack, pack};
