/* Compressed bytes: what the files codec*.c and zip.c share.
 *
 * A compressed file is a row of members (gzip) or frames (zstd), each of which unpacks by itself.
 */
#ifndef CODEC_H
#define CODEC_H

#include "io/io_impl.h"

typedef enum Unpacked {
    UNPACKED,
    UNPACK_DAMAGED,
    UNPACK_FULL,  /* more bytes than there is room for */
    UNPACK_MEMORY /* the library has none */
} Unpacked;

struct Codec {
    const char *name, *extension; /* with its dot */
    Library *library;
    bool (*matches)(const unsigned char *p, size_t n);
    /* Sizes of the first member as its header tells them; false when it doesn't. */
    bool (*measure)(const char *p, size_t n, size_t *packed, size_t *raw);
    /* Unpack the first member: *used of n bytes give *made. */
    Unpacked (*unpack)(const char *p, size_t n, char *out, size_t room, size_t *used, size_t *made);
    /* Append members that unpack to [p, p + n); false when memory is exhausted. */
    bool (*pack)(const char *p, size_t n, Buffer *out);
};
extern const Codec codec_gzip, codec_zstd;

/* Of zip files: raw deflate of known sizes, and the checksum. The library is codec_gzip's. */
Unpacked deflate_unpack(const char *p, size_t n, char *out, size_t size);
uint32_t deflate_crc32(uint32_t crc, const void *p, size_t n); /* 0: of nothing yet */

/* One LZ4 frame of known size. */
ml_status lz4_unpack(Ctx *ctx, const char *p, size_t n, char *out, size_t size, Unpacked *got);

#endif
