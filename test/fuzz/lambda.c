/* The expressions of map over a few cells. The first byte chooses the margin. */
#include "fuzz_io.h"

#include "kernel/frame.h"

static Frame *small_frame(Ctx *ctx)
{
    static const char *const cells[] = {"a-b", "", "12", "\xC3\xA9t\xC3\xA9", NULL, "true"};
    FrameColumn *columns[2] = {0};
    Frame *f = NULL;

    for (int j = 0; j < 2; j++) {
        TextColumnBuilder b = {0};

        for (int i = 0; i < 3; i++) {
            const char *cell = cells[3 * j + i];

            if (!text_builder_add(&b, cell, cell ? strlen(cell) : 0))
                abort();
        }
        if (text_builder_finish(ctx, &b, FT_STRING, &columns[j]) != ML_OK)
            abort();
    }
    if (frame_new(ctx, 3, 2, columns, NULL, &f) != ML_OK)
        abort();
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Ctx *ctx = fuzz_ctx();
    String *source = NULL;
    Value in[3], out = value_none();
    OpCall call = {.op = &op_table[OP_map], .nin = 3, .nout = 1, .in = in, .out = &out};

    if (size < 1 || memchr(data, 0, size) ||
        string_new(ctx, (const char *)data + 1, size - 1, &source) != ML_OK)
        return 0;
    in[0] = value_frame(small_frame(ctx));
    in[1] = value_string(source);
    in[2] = value_int(*data % 3);
    ml_k_map(ctx, &call);
    for (int k = 0; k < 3; k++)
        value_release(in[k]);
    value_release(out);
    return 0;
}
