/* Shared by the fuzzers of the readers: a context without threads and with little memory, and a
 * read in which chunks are small and then large, which must not make a difference. */
#ifndef FUZZ_IO_H
#define FUZZ_IO_H

#include <stdlib.h>

#include "io/io_impl.h"

static inline Ctx *fuzz_ctx(void)
{
    static Options options;
    static Ctx ctx;

    if (!ctx.pool) {
        options_default(&options);
        ctx.opt = &options;
        ctx.pool = pool_new((size_t)16 << 20);
    }
    return &ctx;
}

static inline ml_status fuzz_read_once(Ctx *ctx, const Spec *spec, const char *data, size_t size,
                                       size_t chunk, Value *out)
{
    Input in;
    ml_status st = input_memory(ctx, "fuzz", data, size, &in);

    *out = value_none();
    if (st != ML_OK)
        return st;
    if (chunk)
        in.chunk = chunk;
    st = io_read_input(ctx, spec, &in, out);
    input_close(&in);
    return st;
}

static inline uint64_t fuzz_print(Value v)
{
    Buffer b = {0};
    uint64_t h;

    value_print(&b, v, &print_format_default);
    h = hash_bytes(b.data ? b.data : "", b.size, 1);
    buffer_free(&b);
    return h;
}

/* Read twice and compare. */
static inline void fuzz_read(const IoOptions *options, const uint8_t *data, size_t size)
{
    Ctx *ctx = fuzz_ctx();
    Spec spec;
    Value a, b;

    if (spec_for_read(ctx, "fuzz", options, &spec) == ML_OK) {
        const ml_status large = fuzz_read_once(ctx, &spec, (const char *)data, size, 0, &a);
        const ml_status small = fuzz_read_once(ctx, &spec, (const char *)data, size, 8, &b);

        const bool enough = large != ML_ENOMEM && small != ML_ENOMEM; /* both results are held */

        if (enough && (large != small || (large == ML_OK && fuzz_print(a) != fuzz_print(b))))
            abort();
        value_release(a);
        value_release(b);
    }
    spec_free(&spec);
}

#endif
