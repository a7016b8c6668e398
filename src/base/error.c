/* error: spans, positions and the error record.
 *
 * Idea: a failing function returns its status and leaves one record in the context.  The record has
 * its space from the start, so that reporting exhausted memory cannot fail.  The last report wins;
 * callers add to the call chain. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

/* Line and column of the character that holds byte `at`; one pass over the text before it. */
static Position position_at(const Source *src, size_t at)
{
    Position pos = {1, 1};

    if (!src)
        return (Position){0, 0};
    for (size_t i = 0; i < at && i < src->size; i++) {
        if (src->text[i] == '\n') {
            pos.line++;
            pos.column = 1;
        } else if (((unsigned char)src->text[i] & 0xC0) != 0x80) { /* not a UTF-8 continuation */
            pos.column++;
        }
    }
    return pos;
}

Position span_begin(Span span)
{
    return position_at(span.src, span.begin);
}

Position span_end(Span span)
{
    size_t last = span.end > span.begin ? span.end - 1 : span.begin;

    while (span.src && last > span.begin && ((unsigned char)span.src->text[last] & 0xC0) == 0x80)
        last--;
    return position_at(span.src, last);
}

Span span_join(Span a, Span b)
{
    if (!a.src)
        return b;
    if (b.src == a.src) {
        a.begin = b.begin < a.begin ? b.begin : a.begin;
        a.end = b.end > a.end ? b.end : a.end;
    }
    return a;
}

/* Formats beside the record first: the arguments may point into the old text. */
static ml_status record(Ctx *ctx, Span span, ml_status code, const char *format, va_list args)
{
    char text[ERROR_TEXT];
    int size = vsnprintf(text, sizeof text, format, args);
    size_t kept = size < 0 ? 0 : (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;

    text[kept] = '\0';
    memcpy(ctx->err.text, text, kept + 1);
    ctx->err.code = code;
    ctx->err.span = span;
    ctx->err.shown = false;
    ctx->err.ncalls = ctx->err.ncalls_dropped = 0;
    return code;
}

ml_status fail(Ctx *ctx, ml_status code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    record(ctx, (Span){0}, code, format, args);
    va_end(args);
    return code;
}

ml_status fail_at(Ctx *ctx, Span span, ml_status code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    record(ctx, span, code, format, args);
    va_end(args);
    return code;
}

ml_status fail_memory(Ctx *ctx, size_t bytes)
{
    return fail(ctx, ML_ENOMEM, "out of memory: cannot get %zu bytes", bytes);
}

void error_add_call(Ctx *ctx, const char *function, Span span)
{
    ErrorRecord *err = &ctx->err;

    if (err->ncalls < ERROR_CALLS)
        err->calls[err->ncalls++] = (CallSite){function, span};
    else
        err->ncalls_dropped++;
}

/* Relaxed: the flag publishes nothing but itself. */
ml_status check_cancel(Ctx *ctx)
{
    if (!ctx->cancelled || !atomic_load_explicit(ctx->cancelled, memory_order_relaxed))
        return ML_OK;
    return fail(ctx, ML_ECANCEL, "the run was cancelled");
}
