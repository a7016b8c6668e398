/* read and write: from the operands of a call to the options of io/. */
#include "io/io.h"
#include "kernel/kernel.h"

#include <string.h>

static int operand(const OpCall *call, const char *name)
{
    for (int k = 0; k < OP_ARGS && call->op->args[k].name; k++)
        if (strcmp(call->op->args[k].name, name) == 0)
            return call_has(call, k) ? k : -1;
    return -1;
}

static ml_status option_text(Ctx *ctx, const OpCall *call, const char *name, const char **out)
{
    int k = operand(call, name);

    return k < 0 ? ML_OK : call_text(ctx, call, k, out);
}

static ml_status option_int(Ctx *ctx, const OpCall *call, const char *name, int64_t *out)
{
    int k = operand(call, name);

    if (k < 0)
        return ML_OK;
    TRY(call_int(ctx, call, k, out));
    if (*out < 0)
        return fail(ctx, ML_EVALUE, "%s: %s must not be negative, found %" PRId64, call->op->dml,
                    name, *out);
    return ML_OK;
}

static ml_status option_flag(Ctx *ctx, const OpCall *call, const char *name, int *out)
{
    int k = operand(call, name);
    bool b;

    if (k < 0)
        return ML_OK;
    TRY(call_bool(ctx, call, k, &b));
    *out = b;
    return ML_OK;
}

static ml_status take_options(Ctx *ctx, const OpCall *call, IoOptions *o)
{
    int k = operand(call, "default");

    io_options_init(o);
    TRY(option_text(ctx, call, "format", &o->format));
    TRY(option_text(ctx, call, "data_type", &o->data_type));
    TRY(option_text(ctx, call, "value_type", &o->value_type));
    TRY(option_text(ctx, call, "schema", &o->schema));
    TRY(option_text(ctx, call, "sep", &o->sep));
    TRY(option_text(ctx, call, "naStrings", &o->na_strings));
    TRY(option_text(ctx, call, "indSep", &o->ind_sep));
    TRY(option_text(ctx, call, "dataset", &o->dataset));
    TRY(option_text(ctx, call, "description", &o->description));
    TRY(option_int(ctx, call, "rows", &o->rows));
    TRY(option_int(ctx, call, "cols", &o->cols));
    TRY(option_int(ctx, call, "nnz", &o->nnz));
    TRY(option_flag(ctx, call, "header", &o->header));
    TRY(option_flag(ctx, call, "fill", &o->fill));
    TRY(option_flag(ctx, call, "sparse", &o->sparse));
    o->has_fill_value = k >= 0;
    return k < 0 ? ML_OK : call_double(ctx, call, k, &o->fill_value);
}

ml_status ml_k_read(Ctx *ctx, OpCall *call)
{
    IoOptions o;
    const char *path;

    TRY(call_text(ctx, call, 0, &path));
    TRY(take_options(ctx, call, &o));
    return io_read(ctx, path, &o, &call->out[0]);
}

ml_status ml_k_readMM(Ctx *ctx, OpCall *call)
{
    IoOptions o;
    const char *path;

    TRY(call_text(ctx, call, 0, &path));
    io_options_init(&o);
    o.format = "mm";
    return io_read(ctx, path, &o, &call->out[0]);
}

ml_status ml_k_write(Ctx *ctx, OpCall *call)
{
    IoOptions o;
    const char *path;

    TRY(call_text(ctx, call, 1, &path));
    TRY(take_options(ctx, call, &o));
    return io_write(ctx, call->in[0], path, &o);
}
