/* Zip archives, as far as .npz needs them: members stored or deflated, 64-bit sizes. */
#ifndef ZIP_H
#define ZIP_H

#include "io/io_impl.h"

typedef struct ZipMember {
    const char *name; /* zero-terminated, in the arena */
    uint16_t method;
    uint32_t crc;
    uint64_t packed, size, at; /* at: of its local header */
} ZipMember;

typedef struct Zip {
    Arena *arena;
    const InputFile *file;
    ZipMember *members;
    int64_t count;
} Zip;

/* Read the directory; strings and unpacked members live in the arena. */
ml_status zip_open(Ctx *ctx, Arena *arena, const InputFile *file, Zip *out);
/* The bytes of a member, its checksum verified: in the file, or unpacked by pool_alloc, which
 * *owned then points to. */
ml_status zip_read(Ctx *ctx, const Zip *zip, const ZipMember *m, const char **data, void **owned);

typedef struct ZipWriter {
    Output *o;
    VEC(ZipMember) members;
    Arena *arena;
} ZipWriter;

/* Members are written one after the other: begin with the size, put all bytes, end. */
ml_status zip_begin(Ctx *ctx, ZipWriter *w, const char *name, uint64_t size);
ml_status zip_put(Ctx *ctx, ZipWriter *w, const void *data, size_t size);
ml_status zip_end(Ctx *ctx, ZipWriter *w);
ml_status zip_finish(Ctx *ctx, ZipWriter *w); /* the directory */
void zip_free(ZipWriter *w);

#endif
