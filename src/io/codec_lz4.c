/* LZ4 frames, which Arrow IPC packs buffers in by default. */
#include "io/codec.h"

typedef struct Lz4 { /* as the library's header declares them */
    size_t (*create)(void **context, unsigned version);
    size_t (*free)(void *context);
    size_t (*decompress)(void *context, void *out, size_t *made, const void *in, size_t *used,
                         const void *options);
    unsigned (*is_error)(size_t result);
} Lz4;
static Lz4 lz4;

enum { LZ4_VERSION = 100 };

static const LibrarySymbol symbols[] = {
    {"LZ4F_createDecompressionContext", offsetof(Lz4, create)},
    {"LZ4F_freeDecompressionContext", offsetof(Lz4, free)},
    {"LZ4F_decompress", offsetof(Lz4, decompress)},
    {"LZ4F_isError", offsetof(Lz4, is_error)},
};

static Library library = {.purpose = "reading LZ4 data",
                          .names = "liblz4.so.1 liblz4.so",
                          .advice = "install it (Debian: liblz4-1)",
                          .symbols = symbols,
                          .count = sizeof symbols / sizeof *symbols,
                          .functions = &lz4,
                          .lock = PTHREAD_MUTEX_INITIALIZER};

ml_status lz4_unpack(Ctx *ctx, const char *p, size_t n, char *out, size_t size, Unpacked *got)
{
    void *context = NULL;
    size_t made = 0, used = 0, left = 1;

    TRY(library_load(ctx, &library));
    if (lz4.is_error(lz4.create(&context, LZ4_VERSION)))
        return fail_memory(ctx, n);
    while (left > 0 && used < n) {
        size_t some_in = n - used, some_out = size - made;

        left = lz4.decompress(context, out + made, &some_out, p + used, &some_in, NULL);
        if (lz4.is_error(left) || (some_in == 0 && some_out == 0))
            break;
        used += some_in;
        made += some_out;
    }
    lz4.free(context);
    *got = left == 0 && made == size ? UNPACKED : UNPACK_DAMAGED;
    return ML_OK;
}
