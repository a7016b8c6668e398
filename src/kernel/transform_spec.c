/* transform_spec: the specification of a transform, JSON, made into one ColumnSpec a column.
 *
 * Errors name line and column in the specification, and the path to the value, with lists counted
 * from 1: bin[2].numbins. */
#include "kernel/json.h"
#include "kernel/transform.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BUCKETS = INT32_MAX, MAX_BINS = 1000000 };

typedef struct Reader {
    Ctx *ctx;
    const Frame *frame;
    TransformSpec *spec;
    JsonSource source;
    const Json *key; /* at the top level */
    int at;          /* entry of its list, from 1; 0 outside of one */
    bool ids;
    bool hashes;
    int64_t buckets; /* K, 0 when absent */
} Reader;

/* ---- errors ---- */

/* "bin[2].numbins: expected ..., found ..." at the value, or at the key when there is none. */
static ml_status expected(const Reader *r, const char *field, const char *what, const Json *found)
{
    char buf[JSON_SHOWN], at[16] = "";

    if (r->at)
        snprintf(at, sizeof at, "[%d]", r->at);
    return json_fail(r->ctx, &r->source,
                     found    ? found->at
                     : r->key ? r->key->name_at
                              : 0,
                     "%s%s%s%s: expected %s, found %s", r->key ? r->key->name : "", at,
                     *field ? "." : "", field, what, json_shown(found, buf));
}

/* ---- columns ---- */

static ml_status column_of_name(const Reader *r, const char *field, const Json *item, int64_t *col)
{
    char buf[NUM_BUFFER];

    if (!json_is(item, JSON_STRING))
        return expected(r, field, "the name of a column (\"ids\" is not true)", item);
    for (*col = 0; *col < r->frame->cols; ++*col) {
        const Text name = frame_column_name(r->frame, *col, buf);

        if (strlen(item->text) == name.size && memcmp(name.s, item->text, name.size) == 0)
            return ML_OK;
    }
    return expected(r, field, "the name of a column of the frame", item);
}

static bool whole_number(const Json *item, double low, double high, int64_t *out)
{
    if (!json_is(item, JSON_NUMBER) || !(item->number >= low && item->number <= high) ||
        item->number != floor(item->number))
        return false;
    *out = (int64_t)item->number;
    return true;
}

static ml_status column_of_number(const Reader *r, const char *field, const Json *item,
                                  int64_t *col)
{
    char what[JSON_SHOWN];

    if (whole_number(item, 1, (double)r->frame->cols, col)) {
        --*col;
        return ML_OK;
    }
    snprintf(what, sizeof what, "the number of a column, 1 to %" PRId64, r->frame->cols);
    return expected(r, field, what, item);
}

static ml_status find_column(const Reader *r, const char *field, const Json *item, ColumnSpec **out)
{
    int64_t col = 0;

    TRY((r->ids ? column_of_number : column_of_name)(r, field, item, &col));
    *out = &r->spec->columns[col];
    return ML_OK;
}

static ml_status set_coding(const Reader *r, const char *field, const Json *item, ColumnSpec *c,
                            Coding coding)
{
    static const char *const names[] = {"",     "recode",       "bin",
                                        "hash", "bag_of_words", "word_embedding"};
    char what[JSON_SHOWN];

    if (c->coding == CODE_NONE || (c->coding == coding && coding != CODE_BIN)) {
        c->coding = coding;
        return ML_OK;
    }
    snprintf(what, sizeof what, "a column that is not in \"%s\" already", names[c->coding]);
    return expected(r, field, what, item);
}

/* ---- keys whose value is a list of columns: [1,2] or {"attributes":[1,2]} ---- */

static ml_status list_of_key(const Reader *r, const Json *value, const Json **list)
{
    const Json *inner = json_is(value, JSON_OBJECT) ? value->child : NULL;

    *list = value;
    if (inner && !inner->next && strcmp(inner->name, "attributes") == 0)
        *list = inner;
    if (!json_is(*list, JSON_ARRAY))
        return expected(r, "", "a list, or {\"attributes\":[...]}", value);
    return ML_OK;
}

typedef ml_status (*EntryFn)(Reader *r, const Json *item);

static ml_status each_entry(Reader *r, const Json *value, EntryFn fn)
{
    const Json *list = NULL;

    TRY(list_of_key(r, value, &list));
    for (const Json *item = list->child; item; item = item->next) {
        r->at++;
        TRY(fn(r, item));
    }
    return ML_OK;
}

static ml_status recode_entry(Reader *r, const Json *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    return set_coding(r, "", item, c, CODE_RECODE);
}

static ml_status hash_entry(Reader *r, const Json *item)
{
    ColumnSpec *c = NULL;

    r->hashes = true;
    TRY(find_column(r, "", item, &c));
    return set_coding(r, "", item, c, CODE_HASH);
}

static ml_status words_entry(Reader *r, const Json *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    return set_coding(r, "", item, c, CODE_WORDS);
}

static ml_status embedding_entry(Reader *r, const Json *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    return set_coding(r, "", item, c, CODE_EMBED);
}

static ml_status dummy_entry(Reader *r, const Json *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    c->dummy = true;
    return ML_OK;
}

static ml_status omit_entry(Reader *r, const Json *item)
{
    ColumnSpec *c = NULL;

    TRY(find_column(r, "", item, &c));
    c->omit = true;
    return ML_OK;
}

/* ---- keys whose value is a list of objects ---- */

/* The object has no keys but these, and its column. */
static ml_status object_entry(const Reader *r, const Json *item, const char *const keys[4],
                              ColumnSpec **out)
{
    const char *id = r->ids ? "id" : "name";

    if (!json_is(item, JSON_OBJECT))
        return expected(r, "", "an object", item);
    for (const Json *field = item->child; field; field = field->next) {
        bool known = strcmp(field->name, id) == 0;

        for (int k = 0; k < 4 && keys[k] && !known; k++)
            known = strcmp(field->name, keys[k]) == 0;
        if (!known)
            return json_fail(r->ctx, &r->source, field->name_at,
                             "%s[%d]: expected \"%s\", \"%s\" or \"%s\", found \"%.40s\"",
                             r->key->name, r->at, id, keys[0], keys[1], field->name);
    }
    return find_column(r, id, json_member(item, id), out);
}

static ml_status bin_entry(Reader *r, const Json *item)
{
    static const char *const keys[4] = {"method", "numbins"};
    const Json *method, *bins;
    ColumnSpec *c = NULL;

    TRY(object_entry(r, item, keys, &c));
    TRY(set_coding(r, "", json_member(item, r->ids ? "id" : "name"), c, CODE_BIN));
    method = json_member(item, "method");
    bins = json_member(item, "numbins");
    if (json_is_word(method, "equi-width"))
        c->method = BIN_WIDTH;
    else if (json_is_word(method, "equi-height") || json_is_word(method, "equi-height-approx"))
        c->method = BIN_HEIGHT;
    else
        return expected(r, "method", "\"equi-width\" or \"equi-height\"", method);
    c->codes = 1;
    if (bins && !whole_number(bins, 1, MAX_BINS, &c->codes))
        return expected(r, "numbins", "a whole number, 1 to 1000000", bins);
    return ML_OK;
}

/* A constant may be written as text or as a number. */
static ml_status constant_value(const Reader *r, const Json *value, String **out)
{
    char buf[NUM_BUFFER];
    int64_t whole;

    if (json_is(value, JSON_STRING))
        return string_new(r->ctx, value->text, strlen(value->text), out);
    if (!json_is(value, JSON_NUMBER))
        return expected(r, "value", "a text or a number", value);
    if (whole_number(value, -0x1p53, 0x1p53, &whole))
        return string_new(r->ctx, buf, num_print_int64(buf, whole), out);
    return string_new(r->ctx, buf, num_print_double(buf, value->number), out);
}

static ml_status impute_entry(Reader *r, const Json *item)
{
    static const char *const keys[4] = {"method", "value"};
    const Json *method;
    ColumnSpec *c = NULL;

    TRY(object_entry(r, item, keys, &c));
    if (c->impute != IMPUTE_NONE)
        return expected(r, "", "a column that is not in \"impute\" already",
                        json_member(item, r->ids ? "id" : "name"));
    method = json_member(item, "method");
    c->impute = json_is_word(method, "global_mean")   ? IMPUTE_MEAN
                : json_is_word(method, "global_mode") ? IMPUTE_MODE
                : json_is_word(method, "constant")    ? IMPUTE_CONSTANT
                                                      : IMPUTE_NONE;
    if (c->impute == IMPUTE_NONE)
        return expected(r, "method", "\"global_mean\", \"global_mode\" or \"constant\"", method);
    if (c->impute != IMPUTE_CONSTANT)
        return ML_OK;
    return constant_value(r, json_member(item, "value"), &c->constant);
}

/* ---- "udf": {"name": a function, "ids" or "names": columns} ---- */

static ml_status udf_columns(Reader *r, const Json *list, bool ids)
{
    for (const Json *item = list->child; item; item = item->next) {
        int64_t col = 0;

        r->at++;
        TRY((ids ? column_of_number : column_of_name)(r, ids ? "ids" : "names", item, &col));
        r->spec->columns[col].udf = true;
    }
    return ML_OK;
}

static ml_status read_udf(Reader *r, const Json *value)
{
    const Json *name = json_member(value, "name"), *ids = json_member(value, "ids"),
               *names = json_member(value, "names");

    for (const Json *field = json_is(value, JSON_OBJECT) ? value->child : NULL; field;
         field = field->next)
        if (field != name && field != ids && field != names)
            return json_fail(r->ctx, &r->source, field->name_at,
                             "udf: expected \"name\" and \"ids\" or \"names\", found \"%.40s\"",
                             field->name);
    if (!json_is(value, JSON_OBJECT))
        return expected(r, "", "an object with \"name\" and \"ids\" or \"names\"", value);
    if (!json_is(name, JSON_STRING) || !*name->text)
        return expected(r, "name", "the name of a function", name);
    if (!json_is(ids ? ids : names, JSON_ARRAY) || (ids && names))
        return expected(r, ids ? "ids" : "names", "one list of columns", names ? names : ids);
    TRY(string_new(r->ctx, name->text, strlen(name->text), &r->spec->udf));
    return udf_columns(r, ids ? ids : names, ids != NULL);
}

/* ---- the object ---- */

static const struct Key {
    const char *name;
    EntryFn entry;
} spec_keys[] = {{"ids", NULL},
                 {"K", NULL},
                 {"udf", NULL},
                 {"recode", recode_entry},
                 {"bin", bin_entry},
                 {"hash", hash_entry},
                 {"bag_of_words", words_entry},
                 {"word_embedding", embedding_entry},
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
static ml_status read_settings(Reader *r, const Json *root)
{
    const Json *ids = json_member(root, "ids"), *buckets = json_member(root, "K");

    r->key = ids;
    if (ids && !json_is(ids, JSON_TRUE) && !json_is(ids, JSON_FALSE))
        return expected(r, "", "true or false", ids);
    r->ids = json_is(ids, JSON_TRUE);
    r->key = buckets;
    if (buckets && !whole_number(buckets, 1, MAX_BUCKETS, &r->buckets))
        return expected(r, "", "a whole number of at least 1", buckets);
    return ML_OK;
}

static ml_status read_keys(Reader *r, const Json *root)
{
    for (const Json *item = root->child; item; item = item->next) {
        const struct Key *key = find_key(item->name);

        if (!key)
            return json_fail(r->ctx, &r->source, item->name_at,
                             "expected ids, K, recode, bin, hash, dummycode, impute, omit, "
                             "bag_of_words, word_embedding or udf, found \"%.40s\"",
                             item->name);
        if (json_member(root, item->name) != item)
            return json_fail(r->ctx, &r->source, item->name_at, "\"%s\" is given twice",
                             item->name);
        r->key = item;
        r->at = 0;
        if (key->entry)
            TRY(each_entry(r, item, key->entry));
        else if (strcmp(key->name, "udf") == 0)
            TRY(read_udf(r, item));
    }
    r->key = json_member(root, "hash");
    r->at = 0;
    return r->hashes && !r->buckets
               ? expected(r, "K", "the number of buckets, \"K\", beside it", NULL)
               : ML_OK;
}

/* What follows from several keys together. */
static ml_status complete_column(const Reader *r, int64_t col)
{
    ColumnSpec *c = &r->spec->columns[col];
    char buf[NUM_BUFFER];
    const Text name = frame_column_name(r->frame, col, buf);

    if (c->dummy && c->coding == CODE_NONE)
        c->coding = CODE_RECODE;
    if (c->coding == CODE_HASH)
        c->codes = r->buckets;
    if (c->dummy && (c->coding == CODE_WORDS || c->coding == CODE_EMBED))
        return fail(r->ctx, ML_EVALUE,
                    "transform specification, dummycode: column '%.*s' has several columns already "
                    "by %s",
                    name.size < 80 ? (int)name.size : 80, name.s,
                    c->coding == CODE_WORDS ? "bag_of_words" : "word_embedding");
    if (c->impute == IMPUTE_MEAN && c->coding != CODE_NONE && c->coding != CODE_BIN)
        return fail(r->ctx, ML_EVALUE,
                    "transform specification, impute: column '%.*s' holds categories, so it has no "
                    "global_mean; expected global_mode or constant",
                    name.size < 80 ? (int)name.size : 80, name.s);
    return ML_OK;
}

ml_status transform_spec_parse(Ctx *ctx, const char *text, const Frame *f, TransformSpec *out)
{
    Reader r = {.ctx = ctx,
                .frame = f,
                .spec = out,
                .source = {.what = "transform specification", .text = text}};
    Arena *arena = arena_new();
    Json *root = NULL;
    ml_status st;

    *out = (TransformSpec){.cols = f->cols};
    out->columns = mem_calloc((size_t)f->cols, sizeof *out->columns);
    st = arena && out->columns ? ML_OK : fail_memory(ctx, (size_t)f->cols * sizeof *out->columns);
    if (st == ML_OK)
        st = json_parse(ctx, arena, &r.source, &root);
    if (st == ML_OK)
        st = read_settings(&r, root);
    if (st == ML_OK)
        st = read_keys(&r, root);
    for (int64_t j = 0; j < f->cols && st == ML_OK; j++)
        st = complete_column(&r, j);
    arena_free(arena);
    return st;
}

void transform_spec_free(TransformSpec *spec)
{
    for (int64_t j = 0; spec->columns && j < spec->cols; j++)
        string_release(spec->columns[j].constant);
    string_release(spec->udf);
    mem_free(spec->columns);
    *spec = (TransformSpec){0};
}
