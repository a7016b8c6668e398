/* The container of the binary format: a header, a table of segments, the segments.
 *
 * All numbers are in the byte order of the machine that wrote them; `order` tells. Segments begin
 * at multiples of 64 bytes, so that a mapped file gives aligned arrays. Header and table are
 * protected by one checksum, each segment by its own.
 */
#ifndef BINARY_H
#define BINARY_H

#include "io/io_impl.h"

typedef enum BinaryKind { BINARY_DENSE = 1, BINARY_CSR, BINARY_CONSTANT, BINARY_FRAME } BinaryKind;

typedef struct BinaryHeader {
    char magic[8];
    uint32_t version, kind;
    uint64_t order;
    int64_t rows, cols, nnz;
    double constant;
    uint64_t segments;
    uint64_t sum; /* of this header, with 0 here, and the table */
    uint64_t reserved[7];
} BinaryHeader;
_Static_assert(sizeof(BinaryHeader) == 128, "the header is part of the format");

typedef struct Segment {
    uint64_t offset, size, sum;
} Segment;

/* What is to be written as one segment. */
typedef struct Part {
    const void *data;
    size_t size;
} Part;

ml_status binary_write(Ctx *ctx, Output *o, BinaryHeader *h, const Part *parts, size_t count);

typedef struct BinaryFile {
    const Spec *spec;
    InputFile *file;
    BinaryHeader h;
    Segment *table; /* owned */
} BinaryFile;

/* Check everything that can be checked without knowing the kind; checksums of all segments
 * included. */
ml_status binary_open(Ctx *ctx, const Spec *spec, Input *in, BinaryFile *out);
void binary_close(BinaryFile *b);
/* The bytes of a segment, whose size must be `size`; NULL with the error recorded. */
const char *binary_segment(Ctx *ctx, const BinaryFile *b, uint64_t index, size_t size);
ml_status binary_corrupt(Ctx *ctx, const BinaryFile *b, const char *what);
/* memcpy by all cores. */
ml_status binary_copy(Ctx *ctx, void *to, const void *from, size_t size);

#endif
