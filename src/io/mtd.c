/* Metadata files: a flat JSON object, read tolerantly.
 *
 * Besides JSON, words and keys without quotes, single quotes and trailing commas pass. Nested
 * objects (privacy constraints) are skipped. Unknown keys are errors, for a misspelt key would
 * silently change what is read.
 */
#include <ctype.h>
#include <strings.h>
#include <time.h>

#include "io/keys.h"

enum { MAX_DEPTH = 32 };

typedef struct Parser {
    Ctx *ctx;
    Arena *arena;
    const char *name, *start, *p, *end;
    IoOptions *out;
    const char **na; /* the items of the last array */
    int na_count;
} Parser;

/* A value as text; arrays leave their items in the parser. */
typedef struct JsonValue {
    const char *text; /* NULL for an array, an object or null */
    bool array;
} JsonValue;

static ml_status fail_here(const Parser *j, const char *expected)
{
    const InputFile file = {
        .name = (char *)(uintptr_t)j->name, .data = j->start, .size = (size_t)(j->end - j->start)};
    char shown[48];
    const char *stop = j->end - j->p > 12 ? j->p + 12 : j->end;

    return input_fail(j->ctx, &file, j->p, "expected %s, found %s", expected,
                      j->p == j->end ? "the end of the file" : input_quote(j->p, stop, shown));
}

static void skip_space(Parser *j)
{
    while (j->p < j->end && isspace((unsigned char)*j->p))
        j->p++;
}

static bool take(Parser *j, char c)
{
    skip_space(j);
    if (j->p == j->end || *j->p != c)
        return false;
    j->p++;
    return true;
}

/* The character an escape stands for; \u stands for a code point, written as UTF-8. Returns its
 * bytes. */
static size_t unescape(Parser *j, const char *end, char *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at;
    unsigned code = 0;

    if (*j->p != 'u' || end - j->p < 5) {
        at = *j->p ? strchr(from, *j->p) : NULL;
        *out = at ? to[at - from] : *j->p;
        j->p++;
        return 1;
    }
    for (int i = 1; i <= 4; i++) {
        const char c = j->p[i];

        if (!isxdigit((unsigned char)c))
            break;
        code = code * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    j->p += 5;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

/* Where the string at p ends: its closing quote, or the end of the file. */
static const char *find_quote(const char *p, const char *end, char quote)
{
    for (; p < end && *p != quote; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p;
}

static ml_status parse_string(Parser *j, char quote, const char **out)
{
    const char *close = find_quote(j->p, j->end, quote);
    const size_t room = (size_t)(close - j->p) + 1; /* no escape is shorter than its meaning */
    char *text = arena_alloc(j->arena, room);
    size_t n = 0;

    if (!text)
        return fail_memory(j->ctx, room);
    while (j->p < close) {
        if (*j->p == '\\' && close - j->p > 1) {
            j->p++;
            n += unescape(j, close, text + n);
        } else {
            text[n++] = *j->p++;
        }
    }
    if (j->p == j->end)
        return fail_here(j, "a closing quote");
    j->p++;
    text[n] = '\0';
    *out = text;
    return ML_OK;
}

/* A string, or a word that ends where JSON goes on. */
static ml_status parse_word(Parser *j, const char *stops, const char **out)
{
    const char *begin, *stop;

    skip_space(j);
    if (j->p < j->end && (*j->p == '"' || *j->p == '\'')) {
        const char quote = *j->p++;

        return parse_string(j, quote, out);
    }
    for (begin = j->p; j->p < j->end && *j->p && !strchr(stops, *j->p) && *j->p != '\n'; j->p++)
        ;
    for (stop = j->p; stop > begin && isspace((unsigned char)stop[-1]); stop--)
        ;
    if (stop == begin)
        return fail_here(j, "a word or a string");
    *out = arena_text(j->arena, begin, (size_t)(stop - begin));
    return *out ? ML_OK : fail_memory(j->ctx, (size_t)(stop - begin));
}

static ml_status parse_array(Parser *j)
{
    VEC(const char *) items = {0};
    ml_status st = ML_OK;

    while (st == ML_OK && !take(j, ']')) {
        const char *text = NULL;

        st = parse_word(j, ",]}", &text);
        if (st == ML_OK && !VEC_PUSH(&items, text))
            st = fail_memory(j->ctx, sizeof text * (size_t)items.count);
        if (st == ML_OK && !take(j, ',') && (j->p == j->end || *j->p != ']'))
            st = fail_here(j, "',' or ']'");
    }
    if (st == ML_OK) {
        j->na = ARENA_ARRAY(j->arena, const char *, items.count + 1);
        j->na_count = items.count;
        if (!j->na)
            st = fail_memory(j->ctx, sizeof(char *) * (size_t)items.count);
        else if (items.count > 0)
            memcpy(j->na, items.items, sizeof(char *) * (size_t)items.count);
    }
    VEC_FREE(&items);
    return st;
}

/* Skip a nested object up to its closing brace, its opening one being read. */
static ml_status skip_object(Parser *j)
{
    for (int depth = 1; depth > 0;) {
        const char *text;

        if (take(j, '}'))
            depth--;
        else if (take(j, '{'))
            depth++;
        else if (!take(j, ',') && !take(j, ':') && !take(j, '[') && !take(j, ']'))
            TRY(parse_word(j, ",:{}[]", &text));
        if (depth > MAX_DEPTH)
            return fail_here(j, "fewer nested objects");
    }
    return ML_OK;
}

static ml_status parse_value(Parser *j, JsonValue *out)
{
    *out = (JsonValue){0};
    if (take(j, '[')) {
        out->array = true;
        return parse_array(j);
    }
    return take(j, '{') ? skip_object(j) : parse_word(j, ",}", &out->text);
}

static ml_status fail_value(const Parser *j, const Key *k, const char *expected, const char *text)
{
    return fail(j->ctx, ML_EFORMAT, "%s: the value of '%s' is '%s', expected %s", j->name, k->name,
                text ? text : "", expected);
}

static ml_status store_na(Parser *j, JsonValue v)
{
    if (!v.array) {
        j->na = ARENA_ARRAY(j->arena, const char *, 1);
        if (!j->na)
            return fail_memory(j->ctx, sizeof *j->na);
        j->na[0] = v.text;
        j->na_count = v.text != NULL;
    }
    j->out->na_strings = j->na_count > 0 ? j->na[0] : NULL;
    return ML_OK;
}

static ml_status store(Parser *j, const Key *k, JsonValue v)
{
    const char *text = v.text, *end = text ? text + strlen(text) : NULL;

    if (k->kind == KEY_NA)
        return store_na(j, v);
    if (k->kind == KEY_NOTE)
        return ML_OK;
    if (!text)
        return fail_value(j, k, "a single value", v.array ? "[...]" : "{...}");
    if (k->kind == KEY_TEXT) {
        *key_text(j->out, k) = text;
    } else if (k->kind == KEY_COUNT) {
        if (!num_parse_int64(text, end, key_int64(j->out, k)) || *key_int64(j->out, k) < -1)
            return fail_value(j, k, "a count", text);
    } else if (k->kind == KEY_FLAG) {
        if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
            return fail_value(j, k, "true or false", text);
        *key_flag(j->out, k) = strcasecmp(text, "true") == 0;
    } else {
        if (!cell_parse(text, end, &j->out->fill_value))
            return fail_value(j, k, "a number", text);
        j->out->has_fill_value = true;
    }
    return ML_OK;
}

static const Key *find_key(const char *name)
{
    for (int i = 0; i < key_count; i++)
        if (strcmp(key_table[i].name, name) == 0)
            return &key_table[i];
    return NULL;
}

static ml_status parse_member(Parser *j, const char ***na, int *na_count)
{
    const char *name = NULL;
    const Key *key;
    JsonValue v;

    TRY(parse_word(j, ":,{}[]", &name));
    key = find_key(name);
    if (!key)
        return fail(j->ctx, ML_EFORMAT,
                    "the metadata file %s contains an invalid parameter name: %s", j->name, name);
    if (!take(j, ':'))
        return fail_here(j, "':'");
    TRY(parse_value(j, &v));
    TRY(store(j, key, v));
    if (key->kind == KEY_NA) {
        *na = j->na;
        *na_count = j->na_count;
    }
    return ML_OK;
}

ml_status mtd_parse(Ctx *ctx, Arena *arena, const char *name, const char *text, size_t size,
                    IoOptions *out, const char ***na, int *na_count)
{
    Parser j = {.ctx = ctx,
                .arena = arena,
                .name = name,
                .start = text,
                .p = text,
                .end = text + size,
                .out = out};

    io_options_init(out);
    *na = NULL;
    *na_count = 0;
    if (!take(&j, '{'))
        return fail_here(&j, "'{'");
    while (!take(&j, '}')) {
        TRY(parse_member(&j, na, na_count));
        if (!take(&j, ',') && (j.p == j.end || *j.p != '}'))
            return fail_here(&j, "',' or '}'");
    }
    skip_space(&j);
    return j.p == j.end ? ML_OK : fail_here(&j, "the end of the file");
}

/* ---- writing ---- */

static void put_string(Buffer *b, const char *s)
{
    buffer_put(b, "\"", 1);
    for (; *s; s++) {
        if ((unsigned char)*s < 32)
            buffer_format(b, "\\u%04x", (unsigned)*s);
        else if (*s == '"' || *s == '\\')
            buffer_format(b, "\\%c", *s);
        else
            buffer_put(b, s, 1);
    }
    buffer_put(b, "\"", 1);
}

static void put_member(Buffer *b, const char *key, const char *value)
{
    buffer_format(b, ",\n    \"%s\": ", key);
    put_string(b, value);
}

static void put_count(Buffer *b, const char *key, int64_t value)
{
    buffer_format(b, ",\n    \"%s\": %" PRId64, key, value);
}

static void put_schema(Buffer *b, const Frame *f)
{
    buffer_text(b, ",\n    \"schema\": \"");
    for (int64_t k = 0; k < f->cols; k++)
        buffer_format(b, "%s%s", k ? "," : "", frame_type_name(f->columns[k]->type));
    buffer_text(b, "\"");
}

static void put_sizes(Buffer *b, Value v, const Format *format)
{
    if (v.dt == DT_MATRIX) {
        put_member(b, "value_type", "double");
        put_count(b, "rows", v.m->rows);
        put_count(b, "cols", v.m->cols - format->label);
        put_count(b, "nnz", v.m->nnz);
    } else if (v.dt == DT_FRAME) {
        put_schema(b, v.f);
        put_count(b, "rows", v.f->rows);
        put_count(b, "cols", v.f->cols);
    } else if (v.dt == DT_LIST) {
        put_member(b, "value_type", "unknown");
        put_count(b, "rows", v.l->count);
        put_count(b, "cols", 1);
    } else {
        put_member(b, "value_type", value_type_name((ValueType)v.vt));
    }
}

void mtd_print(Buffer *b, Value v, const Spec *spec)
{
    const time_t now = time(NULL);
    struct tm utc;
    char created[64];

    buffer_format(b, "{\n    \"data_type\": \"%s\"", data_type_name((DataType)v.dt));
    put_sizes(b, v, spec->format);
    put_member(b, "format", spec->format->name);
    if (spec->format->sep && (v.dt == DT_MATRIX || v.dt == DT_FRAME)) {
        buffer_format(b, ",\n    \"header\": %s", spec->header ? "true" : "false");
        put_member(b, "sep", spec->sep);
        if (strcmp(spec->ind_sep, ":") != 0)
            put_member(b, "indSep", spec->ind_sep);
    }
    if (spec->description)
        put_member(b, "description", spec->description);
    put_member(b, "author", "matloom");
    if (gmtime_r(&now, &utc) &&
        strftime(created, sizeof created, "%Y-%m-%d %H:%M:%S UTC", &utc) > 0)
        put_member(b, "created", created);
    buffer_text(b, "\n}\n");
}
