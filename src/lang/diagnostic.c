/* Findings: collected while a program is parsed and checked, shown as
 *
 *     file:line:col: error: text
 *     the source line
 *         ^~~~
 *
 * The first error of a program is also left in the context's record.  After ERRORS_MAX errors the
 * rest is counted only. */
#include "lang/lexer.h"
#include "lang/program.h"

#include <stdio.h>
#include <string.h>

enum {
    LINE_MAX_SHOWN = 160 /* bytes of a source line; of longer ones the part around the position */
};

/* ---- the source line ---- */

typedef struct Extract {
    const char *text; /* what is shown of the line */
    size_t size;
    size_t begin, end; /* what is marked, as bytes of text */
} Extract;

static bool is_inner(char c)
{
    return (c & 0xC0) == 0x80;
}

/* The line on which the span begins, and the span as far as it lies on it. */
static Extract extract_line(Span span)
{
    const char *text = span.src->text, *end = text + span.src->size;
    const char *at = text + span.begin, *from = at, *to;
    Extract x;

    while (from > text && from[-1] != '\n' && at - from < LINE_MAX_SHOWN / 2)
        from--;
    while (from < at && is_inner(*from))
        from++;
    to = memchr(from, '\n', (size_t)(end - from));
    if (!to)
        to = end;
    if (to - from > LINE_MAX_SHOWN)
        to = from + LINE_MAX_SHOWN;
    while (to < end && to > at && is_inner(*to))
        to--;
    x.text = from;
    x.size = (size_t)(to - from);
    if (x.size > 0 && to[-1] == '\r')
        x.size--;
    x.size = lex_bad_byte(&(Source){.text = from, .size = x.size}); /* show what is text */
    x.begin = (size_t)(at - from);
    x.end = span.end > span.begin ? (size_t)(text + span.end - from) : x.begin;
    if (x.end > x.size)
        x.end = x.size;
    return x;
}

/* Blanks (tabs stay tabs) up to the position, then ^~~~, a mark a character. */
static void put_marks(Buffer *b, const Extract *x)
{
    for (size_t k = 0; k < x->begin && k < x->size; k++)
        if (!is_inner(x->text[k]))
            buffer_put(b, x->text[k] == '\t' ? "\t" : " ", 1);
    buffer_put(b, "^", 1);
    for (size_t k = x->begin + 1; k < x->end; k++)
        if (!is_inner(x->text[k]))
            buffer_put(b, "~", 1);
    buffer_put(b, "\n", 1);
}

void diagnostic_format(Buffer *b, const char *severity, Span span, const char *text)
{
    Position pos;
    Extract x;

    if (!span.src) {
        buffer_format(b, "%s: %s\n", severity, text);
        return;
    }
    pos = span_begin(span);
    buffer_format(b, "%s:%d:%d: %s: %s\n", span.src->name, pos.line, pos.column, severity, text);
    x = extract_line(span);
    buffer_put(b, x.text, x.size);
    buffer_put(b, "\n", 1);
    put_marks(b, &x);
}

/* The words of stop(): alone when the script's own; those of the script library at the place in the
 * script that called it. */
static void stop_format(Buffer *b, const ErrorRecord *err)
{
    int k = 0;

    while (k < err->ncalls && err->calls[k].span.src && err->calls[k].span.src->library)
        k++;
    if (err->span.src && err->span.src->library && k < err->ncalls)
        diagnostic_format(b, "error", err->calls[k].span, err->text);
    else
        buffer_format(b, "%s\n", err->text);
}

void error_format(Buffer *b, const ErrorRecord *err)
{
    char text[ERROR_TEXT];

    if (err->code == ML_ESTOP) {
        stop_format(b, err);
        return;
    }
    diagnostic_format(b, "error", err->span, err->text);
    for (int k = 0; k < err->ncalls; k++) {
        if (k && err->calls[k].span.src == err->calls[k - 1].span.src &&
            err->calls[k].span.begin == err->calls[k - 1].span.begin)
            continue; /* a recursion shows once */
        snprintf(text, sizeof text, "in function '%s', called here", err->calls[k].function);
        diagnostic_format(b, "note", err->calls[k].span, text);
    }
    if (err->ncalls_dropped > 0)
        buffer_format(b, "note: and %d more calls\n", err->ncalls_dropped);
}

/* ---- reports ---- */

static void show(Ctx *ctx, Program *p, const char *severity, Span span, const char *text)
{
    Buffer b = {0};

    p->shown = !p->quiet;
    if (p->quiet || !ctx->diagnostics)
        return;
    diagnostic_format(&b, severity, span, text);
    if (b.data)
        ctx->diagnostics(ctx->output_arg, b.data, b.size);
    buffer_free(&b);
}

static void count_error(Ctx *ctx, Program *p, Span span, ml_status code, const char *text)
{
    p->errors++;
    p->shown = false;
    if (p->errors == 1)
        fail_at(ctx, span, code, "%s", text), ctx->err.shown = !p->quiet;
    if (p->errors <= ERRORS_MAX)
        show(ctx, p, "error", span, text);
    else if (p->errors == ERRORS_MAX + 1)
        show(ctx, p, "error", (Span){0}, "too many errors");
}

void report_error(Ctx *ctx, Program *p, Span span, ml_status code, const char *format, ...)
{
    char text[ERROR_TEXT];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    count_error(ctx, p, span, code, text);
}

static void count_warning(Ctx *ctx, Program *p, Span span, const char *text)
{
    p->shown = false;
    if (!p->check_only || p->muted)
        return;
    p->warnings++;
    show(ctx, p, "warning", span, text);
}

void report_warning(Ctx *ctx, Program *p, Span span, const char *format, ...)
{
    char text[ERROR_TEXT];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    count_warning(ctx, p, span, text);
}

void report_unless_check(Ctx *ctx, Program *p, Span span, ml_status code, const char *format, ...)
{
    char text[ERROR_TEXT];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (p->check_only)
        count_warning(ctx, p, span, text);
    else
        count_error(ctx, p, span, code, text);
}

void report_note(Ctx *ctx, Program *p, Span span, const char *format, ...)
{
    char text[ERROR_TEXT];
    va_list list;

    if (!p->shown)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    show(ctx, p, "note", span, text);
}
