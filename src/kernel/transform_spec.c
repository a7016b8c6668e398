/* transform_spec: the specification of a transform, JSON, made into one ColumnSpec a column.
 *
 * As in the reference, words may stand without quotes and single quotes do as well; that is mended
 * before the parser (cJSON) sees the text.  Errors name the place: the character where the text
 * stops being JSON, else the path to the value, with lists counted from 1: bin[2].numbins. */
#include "kernel/json.h"
#include "kernel/transform.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BUCKETS = INT32_MAX, MAX_BINS = 1000000, SHOWN = 64 };

typedef struct Reader {
    Ctx *ctx;
    const Frame *frame;
    TransformSpec *spec;
    bool ids;
    bool hashes;
    int64_t buckets; /* K, 0 when absent */
    const char *key; /* at the top level */
    int at;          /* entry of its list, from 1; 0 outside of one */
} Reader;

/* ---- errors ---- */

static const char *shown(const cJSON *item, char buf[SHOWN])
{
    if (json()->is_string(item))
        snprintf(buf, SHOWN, "\"%.40s\"", item->valuestring);
    else if (json()->is_number(item))
        snprintf(buf, SHOWN, "%.15g", item->valuedouble);
    else
        snprintf(buf, SHOWN, "%s",
                 json()->is_array(item)    ? "a list"
                 : json()->is_object(item) ? "an object"
                 : json()->is_true(item)   ? "true"
                 : json()->is_false(item)  ? "false"
                 : item                    ? "null"
                                           : "nothing");
    return buf;
}

/* "transform specification, bin[2].numbins: expected ..., found ..." */
static ml_status expected(const Reader *r, const char *field, const char *what, const cJSON *found)
{
    char buf[SHOWN], at[16] = "";

    if (r->at)
        snprintf(at, sizeof at, "[%d]", r->at);
    return fail(r->ctx, ML_EVALUE, "transform specification, %s%s%s%s: expected %s, found %s",
                r->key, at, *field ? "." : "", field, what, shown(found, buf));
}

/* ---- text to JSON ---- */

/* Copies the string at p, in double quotes; returns where it ends. */
static const char *copy_string(const char *p, Buffer *out)
{
    const char quote = *p++;

    buffer_put(out, "\"", 1);
    for (; *p && *p != quote; p++) {
        if (*p == '\\' && p[1])
            buffer_put(out, p++, 1);
        else if (*p == '"')
            buffer_put(out, "\\", 1);
        buffer_put(out, p, 1);
    }
    if (*p)
        buffer_put(out, "\"", 1);
    return *p ? p + 1 : p;
}

static const char *copy_word(const char *p, Buffer *out)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *end = p;
    bool plain = false;

    while (isalnum((unsigned char)*end) || (*end && strchr("_.-", *end)))
        end++;
    for (int k = 0; k < 3; k++)
        plain |=
            strlen(words[k]) == (size_t)(end - p) && strncmp(words[k], p, strlen(words[k])) == 0;
    buffer_text(out, plain ? "" : "\"");
    buffer_put(out, p, (size_t)(end - p));
    buffer_text(out, plain ? "" : "\"");
    return end;
}

/* The text with all words and strings in double quotes, until `limit` bytes are written; returns
 * how far it came. */
static const char *quote_words(const char *p, size_t limit, Buffer *out)
{
    buffer_text(out, "");
    while (*p && out->size < limit && !out->failed) {
        if (*p == '"' || *p == '\'')
            p = copy_string(p, out);
        else if (isalpha((unsigned char)*p) || *p == '_')
            p = copy_word(p, out);
        else if (isdigit((unsigned char)*p) || *p == '-') /* 1e5 is no word */
            for (bool more = true; more;
                 more = isalnum((unsigned char)*p) || (*p && strchr("+-.", *p)))
                buffer_put(out, p++, 1);
        else
            buffer_put(out, p++, 1);
    }
    return p;
}

/* The parser stopped after `limit` bytes of the mended text. */
static ml_status not_json(Ctx *ctx, const char *text, size_t limit)
{
    enum { BEFORE = 24 };
    Buffer part = {0};
    const char *at = quote_words(text, limit, &part),
               *from = at - text > BEFORE ? at - BEFORE : text;
    int column = 1;

    buffer_free(&part);
    for (const char *p = text; p < at; p++)
        column += ((unsigned char)*p & 0xC0) != 0x80;
    while (from < at && ((unsigned char)*from & 0xC0) == 0x80)
        from++;
    return fail(
        ctx, ML_EVALUE,
        "transform specification: expected JSON, which breaks off at character %d, after '%.*s'",
        column, (int)(at - from), from);
}

ml_status transform_json(Ctx *ctx, const char *text, cJSON **out)
{
    const char *end = NULL;
    Buffer strict = {0};
    ml_status st = ML_OK;

    TRY(json_load(ctx));
    quote_words(text, SIZE_MAX, &strict);
    if (strict.failed || !strict.data) {
        buffer_free(&strict);
        return fail_memory(ctx, strlen(text));
    }
    *out = json()->parse(strict.data, &end, true);
    if (!*out)
        st = not_json(ctx, text, end ? (size_t)(end - strict.data) : 0);
    else if (!json()->is_object(*out))
        st =
            fail(ctx, ML_EVALUE, "transform specification: expected an object, {\"recode\":[...]}");
    buffer_free(&strict);
    return st;
}

/* ---- columns ---- */

Text transform_column_name(const Frame *f, int64_t col, char buf[NUM_BUFFER])
{
    if (f->names && f->names[col])
        return (Text){f->names[col]->text, (size_t)f->names[col]->size};
    return (Text){buf, (size_t)snprintf(buf, NUM_BUFFER, "C%" PRId64, col + 1)};
}

static ml_status column_of_name(const Reader *r, const char *field, const cJSON *item, int64_t *col)
{
    char buf[NUM_BUFFER];

    if (!json()->is_string(item))
        return expected(r, field, "the name of a column (\"ids\" is not true)", item);
    for (*col = 0; *col < r->frame->cols; ++*col) {
        const Text name = transform_column_name(r->frame, *col, buf);

        if (strlen(item->valuestring) == name.size &&
            memcmp(name.s, item->valuestring, name.size) == 0)
            return ML_OK;
    }
    return expected(r, field, "the name of a column of the frame", item);
}

static bool whole_number(const cJSON *item, double low, double high, int64_t *out)
{
    if (!json()->is_number(item) || !(item->valuedouble >= low && item->valuedouble <= high) ||
        item->valuedouble != floor(item->valuedouble))
        return false;
    *out = (int64_t)item->valuedouble;
    return true;
}

static ml_status find_column(const Reader *r, const char *field, const cJSON *item,
                             ColumnSpec **out)
{
    char what[SHOWN];
    int64_t col = 0;

    if (!r->ids) {
        TRY(column_of_name(r, field, item, &col));
    } else if (whole_number(item, 1, (double)r->frame->cols, &col)) {
        col--;
    } else {
        snprintf(what, sizeof what, "the number of a column, 1 to %" PRId64, r->frame->cols);
        return expected(r, field, what, item);
    }
    *out = &r->spec->columns[col];
    return ML_OK;
}

static ml_status set_coding(const Reader *r, const char *field, const cJSON *item, ColumnSpec *c,
                            Coding coding)
{
    static const char *const names[] = {"", "recode", "bin", "hash"};
    char what[SHOWN];

    if (c->coding == CODE_NONE || (c->coding == coding && coding != CODE_BIN)) {
        c->coding = coding;
        return ML_OK;
    }
    snprintf(what, sizeof what, "a column that is not in \"%s\" already", names[c->coding]);
    return expected(r, field, what, item);
}

/* ---- keys whose value is a list of columns: [1,2] or {"attributes":[1,2]} ---- */

static ml_status list_of_key(const Reader *r, const cJSON *value, const cJSON **list)
{
    const cJSON *inner = json()->is_object(value) ? value->child : NULL;

    *list = value;
    if (inner && !inner->next && strcmp(inner->string, "attributes") == 0)
        *list = inner;
    if (!json()->is_array(*list))
        return expected(r, "", "a list, or {\"attributes\":[...]}", value);
    return ML_OK;
}

typedef ml_status (*EntryFn)(Reader *r, const cJSON *item);

static ml_status each_entry(Reader *r, const cJSON *value, EntryFn fn)
{
    const cJSON *list = NULL;

    TRY(list_of_key(r, value, &list));
    for (const cJSON *item = list->child; item; item = item->next) {
        r->at++;
        TRY(fn(r, item));
    }
    return ML_OK;
}

static ml_status recode_entry(Reader *r, const cJSON *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    return set_coding(r, "", item, c, CODE_RECODE);
}

static ml_status hash_entry(Reader *r, const cJSON *item)
{
    ColumnSpec *c = NULL;

    r->hashes = true;
    TRY(find_column(r, "", item, &c));
    return set_coding(r, "", item, c, CODE_HASH);
}

static ml_status dummy_entry(Reader *r, const cJSON *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    c->dummy = true;
    return ML_OK;
}

static ml_status omit_entry(Reader *r, const cJSON *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    c->omit = true;
    return ML_OK;
}

/* ---- keys whose value is a list of objects ---- */

/* The object has no keys but these, and its column. */
static ml_status object_entry(const Reader *r, const cJSON *item, const char *const keys[4],
                              ColumnSpec **out)
{
    const char *id = r->ids ? "id" : "name";

    if (!json()->is_object(item))
        return expected(r, "", "an object", item);
    for (const cJSON *field = item->child; field; field = field->next) {
        bool known = strcmp(field->string, id) == 0;

        for (int k = 0; k < 4 && keys[k] && !known; k++)
            known = strcmp(field->string, keys[k]) == 0;
        if (!known)
            return fail(r->ctx, ML_EVALUE,
                        "transform specification, %s[%d]: expected \"%s\", \"%s\" or \"%s\", found "
                        "\"%.40s\"",
                        r->key, r->at, id, keys[0], keys[1], field->string);
    }
    return find_column(r, id, json()->member(item, id), out);
}

static bool is_word(const cJSON *item, const char *word)
{
    return json()->is_string(item) && strcmp(item->valuestring, word) == 0;
}

static ml_status bin_entry(Reader *r, const cJSON *item)
{
    static const char *const keys[4] = {"method", "numbins"};
    const cJSON *method, *bins;
    ColumnSpec *c = NULL;

    TRY(object_entry(r, item, keys, &c));
    TRY(set_coding(r, "", json()->member(item, r->ids ? "id" : "name"), c, CODE_BIN));
    method = json()->member(item, "method");
    bins = json()->member(item, "numbins");
    if (is_word(method, "equi-width"))
        c->method = BIN_WIDTH;
    else if (is_word(method, "equi-height") || is_word(method, "equi-height-approx"))
        c->method = BIN_HEIGHT;
    else
        return expected(r, "method", "\"equi-width\" or \"equi-height\"", method);
    c->codes = 1;
    if (bins && !whole_number(bins, 1, MAX_BINS, &c->codes))
        return expected(r, "numbins", "a whole number, 1 to 1000000", bins);
    return ML_OK;
}

/* A constant may be written as text or as a number. */
static ml_status constant_value(const Reader *r, const cJSON *value, String **out)
{
    char buf[NUM_BUFFER];
    int64_t whole;

    if (json()->is_string(value))
        return string_new(r->ctx, value->valuestring, strlen(value->valuestring), out);
    if (!json()->is_number(value))
        return expected(r, "value", "a text or a number", value);
    if (whole_number(value, -0x1p53, 0x1p53, &whole))
        return string_new(r->ctx, buf, num_print_int64(buf, whole), out);
    return string_new(r->ctx, buf, num_print_double(buf, value->valuedouble), out);
}

static ml_status impute_entry(Reader *r, const cJSON *item)
{
    static const char *const keys[4] = {"method", "value"};
    const cJSON *method;
    ColumnSpec *c = NULL;

    TRY(object_entry(r, item, keys, &c));
    if (c->impute != IMPUTE_NONE)
        return expected(r, "", "a column that is not in \"impute\" already",
                        json()->member(item, r->ids ? "id" : "name"));
    method = json()->member(item, "method");
    c->impute = is_word(method, "global_mean")   ? IMPUTE_MEAN
                : is_word(method, "global_mode") ? IMPUTE_MODE
                : is_word(method, "constant")    ? IMPUTE_CONSTANT
                                                 : IMPUTE_NONE;
    if (c->impute == IMPUTE_NONE)
        return expected(r, "method", "\"global_mean\", \"global_mode\" or \"constant\"", method);
    if (c->impute != IMPUTE_CONSTANT)
        return ML_OK;
    return constant_value(r, json()->member(item, "value"), &c->constant);
}

/* ---- the object ---- */

static const struct Key {
    const char *name;
    EntryFn entry;
} spec_keys[] = {{"ids", NULL},
                 {"K", NULL},
                 {"recode", recode_entry},
                 {"bin", bin_entry},
                 {"hash", hash_entry},
                 {"dummycode", dummy_entry},
                 {"impute", impute_entry},
                 {"omit", omit_entry}};

static const struct Key *find_key(const char *name)
{
    for (size_t k = 0; k < sizeof spec_keys / sizeof *spec_keys; k++)
        if (strcmp(spec_keys[k].name, name) == 0)
            return &spec_keys[k];
    return NULL;
}

/* "ids" and "K" hold for all keys, wherever they stand. */
static ml_status read_settings(Reader *r, const cJSON *root)
{
    const cJSON *ids = json()->member(root, "ids"), *buckets = json()->member(root, "K");

    r->key = "ids";
    if (ids && !json()->is_bool(ids))
        return expected(r, "", "true or false", ids);
    r->ids = json()->is_true(ids);
    r->key = "K";
    if (buckets && !whole_number(buckets, 1, MAX_BUCKETS, &r->buckets))
        return expected(r, "", "a whole number of at least 1", buckets);
    return ML_OK;
}

static ml_status read_keys(Reader *r, const cJSON *root)
{
    for (const cJSON *item = root->child; item; item = item->next) {
        const struct Key *key = find_key(item->string);

        if (!key)
            return fail(r->ctx, ML_EVALUE,
                        "transform specification: expected ids, K, recode, bin, hash, dummycode, "
                        "impute or omit, found \"%.40s\"",
                        item->string);
        r->key = item->string;
        r->at = 0;
        if (key->entry)
            TRY(each_entry(r, item, key->entry));
    }
    r->key = "K";
    r->at = 0;
    return r->hashes && !r->buckets
               ? expected(r, "", "the number of buckets that \"hash\" needs", NULL)
               : ML_OK;
}

/* What follows from several keys together. */
static ml_status complete_column(const Reader *r, int64_t col)
{
    ColumnSpec *c = &r->spec->columns[col];
    char buf[NUM_BUFFER];
    const Text name = transform_column_name(r->frame, col, buf);

    if (c->dummy && c->coding == CODE_NONE)
        c->coding = CODE_RECODE;
    if (c->coding == CODE_HASH)
        c->codes = r->buckets;
    if (c->impute == IMPUTE_MEAN && (c->coding == CODE_RECODE || c->coding == CODE_HASH))
        return fail(r->ctx, ML_EVALUE,
                    "transform specification, impute: column '%.*s' holds categories, so it has no "
                    "global_mean; expected global_mode or constant",
                    name.size < 80 ? (int)name.size : 80, name.s);
    return ML_OK;
}

ml_status transform_spec_parse(Ctx *ctx, const char *text, const Frame *f, TransformSpec *out)
{
    Reader r = {.ctx = ctx, .frame = f, .spec = out};
    cJSON *root = NULL;
    ml_status st;

    *out = (TransformSpec){.cols = f->cols};
    out->columns = mem_calloc((size_t)f->cols, sizeof *out->columns);
    if (!out->columns)
        return fail_memory(ctx, (size_t)f->cols * sizeof *out->columns);
    TRY_TO(done, st = transform_json(ctx, text, &root));
    TRY_TO(done, st = read_settings(&r, root));
    TRY_TO(done, st = read_keys(&r, root));
    for (int64_t j = 0; j < f->cols && st == ML_OK; j++)
        st = complete_column(&r, j);
done:
    json()->free(root);
    return st;
}

void transform_spec_free(TransformSpec *spec)
{
    for (int64_t j = 0; spec->columns && j < spec->cols; j++)
        string_release(spec->columns[j].constant);
    mem_free(spec->columns);
    *spec = (TransformSpec){0};
}
