/* json: a reader of JSON by recursive descent, lenient in what the reference allows: words without
 * quotes, strings in single quotes.  Everything else is as in RFC 8259, at most DEEP levels deep.
 * Costs one pass over the text. */
#include "kernel/json.h"
#include "kernel/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { DEEP = 32, BEFORE = 24 };

typedef struct Parser {
    Ctx *ctx;
    Arena *arena;
    const JsonSource *source;
    const char *p;
    int depth;
} Parser;

/* ---- errors ---- */

ml_status json_fail(Ctx *ctx, const JsonSource *source, size_t at, const char *format, ...)
{
    char text[512];
    int line = 1, column = 1;
    va_list args;

    for (const char *p = source->text; p < source->text + at; p++) {
        column += ((unsigned char)*p & 0xC0) != 0x80;
        if (*p == '\n') {
            line++;
            column = 1;
        }
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(ctx, ML_EVALUE, "%s, line %d, column %d: %s", source->what, line, column, text);
}

static size_t place(const Parser *s)
{
    return (size_t)(s->p - s->source->text);
}

/* With the last characters before the place, where the eye finds it again. */
static ml_status broken(const Parser *s, const char *expected)
{
    const char *from = s->p - s->source->text > BEFORE ? s->p - BEFORE : s->source->text;

    while (from < s->p && ((unsigned char)*from & 0xC0) == 0x80)
        from++;
    return json_fail(s->ctx, s->source, place(s), "expected %s after '%.*s', found %s%.1s%s",
                     expected, (int)(s->p - from), from, *s->p ? "'" : "the end", s->p,
                     *s->p ? "'" : "");
}

const char *json_shown(const Json *j, char buf[JSON_SHOWN])
{
    static const char *const names[] = {[JSON_NULL] = "null",
                                        [JSON_FALSE] = "false",
                                        [JSON_TRUE] = "true",
                                        [JSON_ARRAY] = "a list",
                                        [JSON_OBJECT] = "an object"};

    if (json_is(j, JSON_STRING))
        snprintf(buf, JSON_SHOWN, "\"%.40s\"", j->text);
    else if (json_is(j, JSON_NUMBER))
        snprintf(buf, JSON_SHOWN, "%.15g", j->number);
    else
        snprintf(buf, JSON_SHOWN, "%s", j ? names[j->type] : "nothing");
    return buf;
}

/* ---- words and strings ---- */

static void skip_blanks(Parser *s)
{
    while (*s->p && strchr(" \t\r\n", *s->p))
        s->p++;
}

static ml_status keep(const Parser *s, Buffer *text, const char **out)
{
    *out = text->failed ? NULL : arena_text(s->arena, text->data ? text->data : "", text->size);
    buffer_free(text);
    return *out ? ML_OK : fail_memory(s->ctx, text->size);
}

/* The four digits behind \u; -1 when they are none. */
static int32_t hex_digits(const char *p)
{
    int32_t code = 0;

    for (int k = 0; k < 4; k++) {
        const char c = p[k];

        if (!isxdigit((unsigned char)c))
            return -1;
        code = code * 16 + (isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* One code point behind \u, of a surrogate pair both halves. */
static bool put_unicode(Parser *s, Buffer *out)
{
    int32_t code = hex_digits(s->p), low;
    char bytes[4];

    if (code < 0)
        return false;
    s->p += 4;
    if (code >= 0xD800 && code < 0xDC00) {
        low = s->p[0] == '\\' && s->p[1] == 'u' ? hex_digits(s->p + 2) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return false;
        s->p += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    buffer_put(out, bytes, (size_t)text_encode((uint32_t)code, bytes));
    return true;
}

static bool put_escape(Parser *s, Buffer *out)
{
    static const char names[] = "bfnrt\"\\/'", values[] = "\b\f\n\r\t\"\\/'";
    const char *found = *s->p ? strchr(names, *s->p) : NULL;

    if (*s->p == 'u') {
        s->p++;
        return put_unicode(s, out);
    }
    if (!found)
        return false;
    buffer_put(out, &values[found - names], 1);
    s->p++;
    return true;
}

static ml_status parse_string(Parser *s, const char **out)
{
    const char quote = *s->p++;
    Buffer text = {0};

    while (*s->p && *s->p != quote) {
        if (*s->p != '\\') {
            buffer_put(&text, s->p++, 1);
            continue;
        }
        s->p++;
        if (!put_escape(s, &text)) {
            buffer_free(&text);
            return broken(s, "one of b f n r t u \" \\ /");
        }
    }
    if (!*s->p) {
        buffer_free(&text);
        return broken(s, quote == '"' ? "a closing \"" : "a closing '");
    }
    s->p++;
    return keep(s, &text, out);
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-' ||
           ((unsigned char)c & 0x80);
}

static ml_status parse_word(Parser *s, const char **out)
{
    Buffer text = {0};

    while (in_word(*s->p))
        buffer_put(&text, s->p++, 1);
    return keep(s, &text, out);
}

/* ---- values ---- */

static ml_status parse_value(Parser *s, Json **out);

static ml_status parse_name(Parser *s, Json *value, size_t *at)
{
    skip_blanks(s);
    *at = place(s);
    if (*s->p == '"' || *s->p == '\'')
        TRY(parse_string(s, &value->name));
    else if (in_word(*s->p))
        TRY(parse_word(s, &value->name));
    else
        return broken(s, "the name of a value");
    skip_blanks(s);
    if (*s->p != ':')
        return broken(s, "':'");
    s->p++;
    return ML_OK;
}

/* What stands between the brackets of an array or object, of which the first is passed. */
static ml_status parse_items(Parser *s, Json *parent, char close)
{
    Json **end = &parent->child;

    skip_blanks(s);
    if (*s->p == close) {
        s->p++;
        return ML_OK;
    }
    if (++s->depth > DEEP)
        return broken(s, "less nesting");
    for (bool more = true; more;) {
        Json named = {0};
        size_t at = 0;

        if (close == '}')
            TRY(parse_name(s, &named, &at));
        TRY(parse_value(s, end));
        (*end)->name = named.name;
        (*end)->name_at = at;
        end = &(*end)->next;
        skip_blanks(s);
        if (*s->p != ',' && *s->p != close)
            return broken(s, close == '}' ? "',' or '}'" : "',' or ']'");
        more = *s->p++ == ',';
    }
    s->depth--;
    return ML_OK;
}

static ml_status parse_number(Parser *s, Json *j)
{
    const char *stop = num_parse_double(s->p, s->p + strlen(s->p), &j->number);

    if (!stop || in_word(*stop))
        return broken(s, "a number");
    j->type = JSON_NUMBER;
    s->p = stop;
    return ML_OK;
}

static ml_status parse_bare(Parser *s, Json *j)
{
    TRY(parse_word(s, &j->text));
    j->type = strcmp(j->text, "true") == 0    ? JSON_TRUE
              : strcmp(j->text, "false") == 0 ? JSON_FALSE
              : strcmp(j->text, "null") == 0  ? JSON_NULL
                                              : JSON_STRING;
    return ML_OK;
}

static ml_status parse_value(Parser *s, Json **out)
{
    Json *j = ARENA_NEW(s->arena, Json);

    if (!j)
        return fail_memory(s->ctx, sizeof *j);
    skip_blanks(s);
    *out = j;
    j->at = place(s);
    if (*s->p == '{' || *s->p == '[') {
        j->type = *s->p == '{' ? JSON_OBJECT : JSON_ARRAY;
        return parse_items(s, j, *s->p++ == '{' ? '}' : ']');
    }
    if (*s->p == '"' || *s->p == '\'') {
        j->type = JSON_STRING;
        return parse_string(s, &j->text);
    }
    if (*s->p == '-' || isdigit((unsigned char)*s->p))
        return parse_number(s, j);
    return in_word(*s->p) ? parse_bare(s, j) : broken(s, "a value");
}

ml_status json_parse(Ctx *ctx, Arena *arena, const JsonSource *source, Json **out)
{
    Parser s = {.ctx = ctx, .arena = arena, .source = source, .p = source->text};

    TRY(parse_value(&s, out));
    skip_blanks(&s);
    if (*s.p)
        return broken(&s, "the end");
    if ((*out)->type != JSON_OBJECT)
        return json_fail(ctx, source, (*out)->at, "expected an object, {\"recode\":[...]}");
    return ML_OK;
}

const Json *json_member(const Json *object, const char *name)
{
    for (const Json *j = json_is(object, JSON_OBJECT) ? object->child : NULL; j; j = j->next)
        if (strcmp(j->name, name) == 0)
            return j;
    return NULL;
}
