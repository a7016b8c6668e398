/* print, stop, assert and the clock. */
#include "kernel/format.h"

static ml_status put(Ctx *ctx, Buffer *b)
{
    ml_status st = ML_OK;

    if (b->failed)
        st = fail_memory(ctx, b->size);
    else if (ctx->output(ctx->output_arg, b->data ? b->data : "", b->size) != 0)
        st = fail(ctx, ML_EIO, "the output cannot be written");
    buffer_free(b);
    return st;
}

ml_status ml_k_print(Ctx *ctx, OpCall *call)
{
    Buffer b = {0};
    const char *format;
    ml_status st = ML_OK;

    if (call->nin > 1 && call_has(call, 1)) {
        st = call_text(ctx, call, 0, &format);
        if (st == ML_OK)
            st = format_values(ctx, &b, format, call->in + 1, call->nin - 1);
    } else {
        value_print(&b, call->in[0], &print_format_default);
    }
    buffer_put(&b, "\n", 1);
    if (st == ML_OK)
        return put(ctx, &b);
    buffer_free(&b);
    return st;
}

ml_status ml_k_stop(Ctx *ctx, OpCall *call)
{
    Value message = value_none();

    TRY(scalar_cast(ctx, call->in[0], VT_STRING, &message));
    fail(ctx, ML_ESTOP, "%s", message.s->size ? message.s->text : "Stop Called");
    value_release(message);
    return ML_ESTOP;
}

ml_status ml_k_assert(Ctx *ctx, OpCall *call)
{
    bool holds;

    TRY(scalar_truth(ctx, call->in[0], &holds));
    return holds ? ML_OK : fail(ctx, ML_EASSERT, "assertion failed");
}

ml_status ml_k_time(Ctx *ctx, OpCall *call)
{
    (void)ctx;
    call->out[0] = value_int(clock_now());
    return ML_OK;
}
