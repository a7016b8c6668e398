/* print, stop, assert and the clock.
 *
 * print with a format follows the conversions of Java's Formatter that the reference documents:
 * each conversion takes one type of value, so a wrong one is an error instead of a wrong digit. */
#include "kernel/kernel.h"

#include <stdio.h>
#include <string.h>

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

/* One conversion of a format: %[flags][width][.precision]letter */
typedef struct Conversion {
    char spec[32]; /* without the letter */
    size_t size;
    char letter;
} Conversion;

static ml_status parse_conversion(Ctx *ctx, const char **at, Conversion *c)
{
    const char *s = *at;
    size_t n = 1 + strspn(s + 1, "-+ 0#");

    n += strspn(s + n, "0123456789");
    if (s[n] == '.')
        n += 1 + strspn(s + n + 1, "0123456789");
    if (n + 4 > sizeof c->spec || !s[n])
        return fail(ctx, ML_EVALUE, "print: the format ends in an incomplete conversion: %s", s);
    memcpy(c->spec, s, n);
    c->spec[n] = '\0';
    c->size = n;
    c->letter = s[n];
    *at = s + n + 1;
    return ML_OK;
}

static ml_status wrong_value(Ctx *ctx, const Conversion *c, const char *expected, Value v)
{
    char text[64];

    return fail(ctx, ML_ETYPE, "print: the conversion %s%c takes %s, found a %s", c->spec,
                c->letter, expected, value_describe(v, text));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void format_int(Buffer *b, Conversion *c, int64_t i)
{
    memcpy(c->spec + c->size, PRId64, sizeof PRId64);
    c->spec[c->size + sizeof PRId64 - 2] = c->letter; /* the letter of d, x, o */
    buffer_format(b, c->spec, i);
}

static void format_double(Buffer *b, Conversion *c, double d)
{
    if (c->letter == 'g' && !strchr(c->spec, '#')) { /* Java keeps the zeros */
        memmove(c->spec + 2, c->spec + 1, c->size);
        c->spec[1] = '#';
        c->size++;
    }
    c->spec[c->size] = c->letter;
    c->spec[c->size + 1] = '\0';
    buffer_format(b, c->spec, d);
}

static void format_text(Buffer *b, Conversion *c, const char *s)
{
    c->spec[c->size] = 's';
    c->spec[c->size + 1] = '\0';
    buffer_format(b, c->spec, s);
}
#pragma GCC diagnostic pop

static ml_status format_scalar_text(Ctx *ctx, Buffer *b, Conversion *c, Value v)
{
    Buffer text = {0};

    if (v.vt == VT_BOOL) { /* as Java shows it */
        format_text(b, c, v.b ? "true" : "false");
        return ML_OK;
    }
    scalar_print(&text, v);
    if (text.failed) {
        buffer_free(&text);
        return fail_memory(ctx, text.size);
    }
    format_text(b, c, text.data ? text.data : "");
    buffer_free(&text);
    return ML_OK;
}

static ml_status format_value(Ctx *ctx, Buffer *b, Conversion *c, Value v)
{
    switch (c->letter) {
    case 'd':
    case 'x':
    case 'o':
        if (v.vt != VT_INT)
            return wrong_value(ctx, c, "an int", v);
        format_int(b, c, v.i);
        return ML_OK;
    case 'f':
    case 'e':
    case 'g':
        if (v.vt != VT_DOUBLE)
            return wrong_value(ctx, c, "a double", v);
        format_double(b, c, v.d);
        return ML_OK;
    case 'b':
    case 's':
        return format_scalar_text(ctx, b, c, v);
    default:
        return fail(
            ctx, ML_EVALUE,
            "print: unknown conversion %s%c; known are %%d %%x %%o %%f %%e %%g %%s %%b %%n %%%%",
            c->spec, c->letter);
    }
}

static ml_status print_format(Ctx *ctx, OpCall *call, Buffer *b)
{
    const char *s, *next;
    int k = 1;

    TRY(call_text(ctx, call, 0, &s));
    for (; *(next = strchrnul(s, '%')); s = next) {
        Conversion c;

        buffer_put(b, s, (size_t)(next - s));
        TRY(parse_conversion(ctx, &next, &c));
        if (c.letter == '%' || c.letter == 'n') {
            buffer_text(b, c.letter == 'n' ? "\n" : "%");
            continue;
        }
        if (k >= call->nin)
            return fail(ctx, ML_EVALUE,
                        "print: the format has more conversions than the %d values given",
                        call->nin - 1);
        TRY(format_value(ctx, b, &c, call->in[k++]));
    }
    buffer_text(b, s);
    return ML_OK;
}

ml_status ml_k_print(Ctx *ctx, OpCall *call)
{
    Buffer b = {0};
    ml_status st = ML_OK;

    if (call->nin > 1 && call_has(call, 1))
        st = print_format(ctx, call, &b);
    else
        value_print(&b, call->in[0], &print_format_default);
    buffer_put(&b, "\n", 1);
    if (st == ML_OK)
        return put(ctx, &b);
    buffer_free(&b);
    return st;
}

ml_status ml_k_stop(Ctx *ctx, OpCall *call)
{
    Buffer b = {0};
    ml_status st;

    scalar_print(&b, call->in[0]);
    st = fail(ctx, ML_ESTOP, "%s", b.data && *b.data ? b.data : "Stop Called");
    buffer_free(&b);
    return st;
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
