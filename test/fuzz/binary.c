/* Binary files. A first byte below 128: the rest is a file. Otherwise the rest is cut into segments
 * of a file whose checksums are right, so that what lies behind them is reached. */
#include <stdio.h>
#include <unistd.h>

#include "fuzz_io.h"
#include "io/binary.h"

static void read_bytes(const char *data, size_t size)
{
    static const char *const kinds[] = {"matrix", "frame"};

    for (int i = 0; i < 2; i++) {
        IoOptions o;
        Value v;

        io_options_init(&o);
        o.format = "binary";
        o.data_type = kinds[i];
        if (io_read_memory(fuzz_ctx(), "fuzz", data, size, &o, &v) == ML_OK) {
            fuzz_print(v);
            value_release(v);
        }
    }
}

static void read_output(Ctx *ctx, const char *path)
{
    char *text;
    size_t size;

    if (file_read(ctx, path, &text, &size) == ML_OK) {
        read_bytes(text, size);
        mem_free(text);
    }
}

/* kind, rows, cols, nnz, then up to 8 segments of a size byte and so many bytes. */
static void read_sealed(const uint8_t *data, size_t size)
{
    BinaryHeader h = {.kind = data[0] & 7,
                      .rows = (int8_t)data[1],
                      .cols = (int8_t)data[2],
                      .nnz = (int8_t)data[3]};
    Part parts[8];
    size_t n = 0;
    Ctx *ctx = fuzz_ctx();
    char path[64];
    Output o;

    for (data += 4, size -= 4; n < 8 && size > 0 && data[0] <= size - 1; n++) {
        parts[n] = (Part){data + 1, data[0]};
        size -= parts[n].size + 1;
        data += parts[n].size + 1;
    }
    snprintf(path, sizeof path, "/tmp/matloom-fuzz-%ld", (long)getpid());
    if (output_open(ctx, path, &o) == ML_OK && binary_write(ctx, &o, &h, parts, n) == ML_OK)
        read_output(ctx, o.temp);
    output_discard(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 5 && *data >= 128)
        read_sealed(data + 1, size - 1);
    else if (size >= 1)
        read_bytes((const char *)data + 1, size - 1);
    return 0;
}
