/* tokenize: the texts of a column as tokens, a row each or a row a document.
 *
 * A document is split at a pattern; its parts, or sequences of letters of a part or of parts of the
 * document (n-grams), are the tokens. They are then given as they stand with their positions, or
 * counted by their text or by the bucket that their hash falls into. Counted texts come in the
 * order that a hash table of Java keeps them in, so that the first max_tokens are those of the
 * reference. Cost: tokens times their length; counting sorts those of a document. */
#include "kernel/frame.h"
#include "kernel/json.h"
#include "kernel/text.h"
#include "kernel/transform.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_IDS = 64 };

typedef enum Output { OUT_COUNT, OUT_POSITION, OUT_HASH } Output;

typedef struct TokenSpec {
    Regex *regex;
    bool ngrams, of_letters; /* letters of a token, else tokens of the document */
    int64_t least, most;     /* length of n-grams */
    Output out;
    bool by_alphabet, wide, pad;
    int64_t buckets, limit; /* limit: tokens of a document, INT64_MAX without */
    int64_t column, ids[MAX_IDS];
    int nids;
} TokenSpec;

/* A token, or what a row of the result says of one. */
typedef struct Token {
    Text text;
    int64_t at;    /* position from 1, or bucket */
    int64_t count; /* of equal ones */
    uint32_t order;
} Token;

typedef VEC(Token) Tokens;

typedef struct Tokenizer {
    Ctx *ctx;
    Arena *arena;
    const Frame *in;
    TokenSpec spec;
    Tokens parts, tokens; /* of the document at hand */
    Tokens rows;          /* of the result; wide: limit a document */
    VEC(int64_t) sources; /* document of each row of the result */
} Tokenizer;

/* ---- specification ---- */

static ml_status wrong(Ctx *ctx, const char *key, const char *expected)
{
    return fail(ctx, ML_EVALUE, "tokenize specification, %s: expected %s", key, expected);
}

static ml_status read_word(Ctx *ctx, const Json *object, const char *key, const char *def,
                           const char **out)
{
    const Json *item = json_member(object, key);

    *out = def;
    if (!item && def)
        return ML_OK;
    if (!json_is(item, JSON_STRING))
        return wrong(ctx, key, "a text");
    *out = item->text;
    return ML_OK;
}

static ml_status read_count(Ctx *ctx, const Json *object, const char *key, int64_t def,
                            int64_t *out)
{
    const Json *item = json_member(object, key);

    *out = def;
    if (!item)
        return ML_OK;
    if (!json_is(item, JSON_NUMBER) || !(item->number >= 1 && item->number < 0x1p31))
        return wrong(ctx, key, "a number from 1 on");
    *out = (int64_t)item->number;
    return ML_OK;
}

static bool read_flag(const Json *object, const char *key)
{
    return json_is(json_member(object, key), JSON_TRUE);
}

static ml_status read_column(Tokenizer *t, const char *key, const Json *item, int64_t *out)
{
    if (!json_is(item, JSON_NUMBER) ||
        !(item->number >= 1 && item->number < (double)t->in->cols + 1))
        return fail(t->ctx, ML_EVALUE,
                    "tokenize specification, %s: expected columns from 1 to %" PRId64, key,
                    t->in->cols);
    *out = (int64_t)item->number - 1;
    return ML_OK;
}

static ml_status read_ids(Tokenizer *t, const Json *root)
{
    const Json *list = json_member(root, "id_cols");

    if (!json_is(list, JSON_ARRAY))
        return wrong(t->ctx, "id_cols", "a list of columns");
    for (const Json *item = list->child; item; item = item->next) {
        if (t->spec.nids == MAX_IDS)
            return wrong(t->ctx, "id_cols", "at most 64 columns");
        TRY(read_column(t, "id_cols", item, &t->spec.ids[t->spec.nids++]));
    }
    return read_column(t, "tokenize_col", json_member(root, "tokenize_col"), &t->spec.column);
}

static ml_status read_algorithm(Tokenizer *t, const Json *root)
{
    const Json *params = json_member(root, "algo_params");
    const char *algorithm, *regex, *type;
    size_t at;

    TRY(read_word(t->ctx, root, "algo", NULL, &algorithm));
    TRY(read_word(t->ctx, params, "regex", "\\s+", &regex));
    TRY(read_word(t->ctx, params, "ngram_type", "document", &type));
    TRY(read_count(t->ctx, params, "min_gram", 1, &t->spec.least));
    TRY(read_count(t->ctx, params, "max_gram", 2, &t->spec.most));
    t->spec.ngrams = strcmp(algorithm, "ngram") == 0;
    t->spec.of_letters = strcmp(type, "token") == 0;
    if (!t->spec.ngrams && strcmp(algorithm, "split") != 0)
        return wrong(t->ctx, "algo", "split or ngram");
    if (!t->spec.of_letters && strcmp(type, "document") != 0)
        return wrong(t->ctx, "ngram_type", "token or document");
    if (regex_compile(t->ctx, t->arena, (Text){regex, strlen(regex)}, &t->spec.regex, &at) != ML_OK)
        return wrong(t->ctx, "regex", "a pattern");
    return ML_OK;
}

static ml_status read_output(Tokenizer *t, const Json *root)
{
    static const char *const names[] = {"count", "position", "hash"};
    const Json *params = json_member(root, "out_params");
    const char *out;

    TRY(read_word(t->ctx, root, "out", NULL, &out));
    for (t->spec.out = OUT_COUNT; strcmp(names[t->spec.out], out) != 0; t->spec.out++)
        if (t->spec.out == OUT_HASH)
            return wrong(t->ctx, "out", "count, position or hash");
    t->spec.by_alphabet = read_flag(params, "sort_alpha");
    t->spec.wide = read_flag(root, "format_wide");
    t->spec.pad = read_flag(root, "apply_padding");
    if (t->spec.wide && t->spec.out == OUT_COUNT)
        return wrong(t->ctx, "format_wide", "out position or hash beside it, found count");
    if ((t->spec.wide || t->spec.pad) && t->spec.limit == INT64_MAX)
        return wrong(t->ctx, t->spec.wide ? "format_wide" : "apply_padding",
                     "max_tokens to be given");
    return read_count(t->ctx, params, "num_features", 1 << 20, &t->spec.buckets);
}

static ml_status read_spec(Tokenizer *t, const char *text)
{
    const JsonSource source = {"tokenize specification", text};
    Json *root = NULL;

    TRY(json_parse(t->ctx, t->arena, &source, &root));
    TRY(read_ids(t, root));
    TRY(read_algorithm(t, root));
    return read_output(t, root);
}

/* ---- tokens of a document ---- */

static ml_status push(Tokenizer *t, Tokens *to, Token token)
{
    return VEC_PUSH(to, token) ? ML_OK : fail_memory(t->ctx, sizeof token);
}

/* The parts between matches of the pattern, but for empty ones; positions count characters. */
static ml_status split(Tokenizer *t, Text d)
{
    size_t from = 0, search = 0;
    bool found = true;

    while (found && search <= d.size) {
        RegexMatch m = {0};
        size_t end = d.size, next = d.size + 1;

        TRY(regex_search(t->ctx, t->spec.regex, d, search, false, &m, &found));
        if (found && m.to[0] == m.from[0]) { /* an empty match splits nothing */
            search++;
            continue;
        }
        if (found) {
            end = (size_t)m.from[0];
            next = (size_t)m.to[0];
        }
        if (end > from)
            TRY(push(t, &t->parts,
                     (Token){.text = {d.s + from, end - from},
                             .at = text_length((Text){d.s, from}) + 1,
                             .count = 1}));
        from = search = next;
    }
    return ML_OK;
}

static ml_status letter_grams(Tokenizer *t, const Token *part)
{
    const int64_t length = text_length(part->text);

    for (int64_t n = t->spec.least; n <= t->spec.most && n <= length; n++)
        for (int64_t i = 0; i + n <= length; i++) {
            const int64_t lo = text_byte(part->text, i), hi = text_byte(part->text, i + n);
            const Text gram = {part->text.s + lo, (size_t)(hi - lo)};

            TRY(push(t, &t->tokens, (Token){.text = gram, .at = part->at + i, .count = 1}));
        }
    return ML_OK;
}

/* "('a', 'b')", quotes included; a single part as it is. */
static ml_status join_parts(Tokenizer *t, const Token *parts, int64_t n, Text *out)
{
    Buffer b = {0};
    char *copy;

    *out = parts[0].text;
    if (n == 1)
        return ML_OK;
    for (int64_t k = 0; k < n; k++) {
        buffer_text(&b, k ? ", '" : "\"('");
        buffer_put(&b, parts[k].text.s, parts[k].text.size);
        buffer_text(&b, "'");
    }
    buffer_text(&b, ")\"");
    copy = b.failed ? NULL : arena_text(t->arena, b.data, b.size);
    *out = (Text){copy, b.size};
    buffer_free(&b);
    return copy ? ML_OK : fail_memory(t->ctx, out->size);
}

static ml_status part_grams(Tokenizer *t)
{
    for (int64_t n = t->spec.least; n <= t->spec.most; n++)
        for (int64_t i = 0; i + n <= t->parts.count; i++) {
            Token gram = {.at = t->parts.items[i].at, .count = 1};

            TRY(join_parts(t, t->parts.items + i, n, &gram.text));
            TRY(push(t, &t->tokens, gram));
        }
    return ML_OK;
}

static ml_status find_tokens(Tokenizer *t, Text document)
{
    t->parts.count = t->tokens.count = 0;
    TRY(split(t, document));
    if (t->spec.ngrams && !t->spec.of_letters)
        return part_grams(t);
    for (int k = 0; k < t->parts.count; k++)
        TRY(t->spec.ngrams ? letter_grams(t, &t->parts.items[k])
                           : push(t, &t->tokens, t->parts.items[k]));
    return ML_OK;
}

/* ---- counting ---- */

static int compare_texts(const Token *a, const Token *b)
{
    const size_t n = a->text.size < b->text.size ? a->text.size : b->text.size;
    const int c = memcmp(a->text.s, b->text.s, n);

    return c ? c : (a->text.size > b->text.size) - (a->text.size < b->text.size);
}

static int by_text(const void *x, const void *y)
{
    const Token *a = x, *b = y;
    const int c = compare_texts(a, b);

    return c ? c : (a->order > b->order) - (a->order < b->order);
}

static int by_place(const void *x, const void *y)
{
    const Token *a = x, *b = y;

    return a->at != b->at ? (a->at > b->at) - (a->at < b->at)
                          : (a->order > b->order) - (a->order < b->order);
}

static bool same_token(const Token *a, const Token *b, bool by_bucket)
{
    return by_bucket ? a->at == b->at : compare_texts(a, b) == 0;
}

/* Equal neighbours become one, at the place of the first. */
static void merge_equal(Tokens *tokens, bool by_bucket)
{
    int n = 0;

    for (int k = 0; k < tokens->count; k++) {
        Token *last = &tokens->items[n - 1];

        if (n > 0 && same_token(last, &tokens->items[k], by_bucket))
            last->count += tokens->items[k].count;
        else
            tokens->items[n++] = tokens->items[k];
    }
    tokens->count = n;
}

static void sort_tokens(Tokens *tokens, int (*order)(const void *, const void *))
{
    if (tokens->count > 1)
        qsort(tokens->items, (size_t)tokens->count, sizeof(Token), order);
}

/* Into the slots of a hash table that is at most three quarters full; a slot keeps the order in
 * which its entries came. */
static void order_by_slot(Tokens *tokens)
{
    uint32_t slots = 16;

    while ((uint32_t)tokens->count > slots / 4 * 3)
        slots *= 2;
    for (int k = 0; k < tokens->count; k++) {
        Token *token = &tokens->items[k];
        const uint32_t h = (uint32_t)text_hash(token->text.s, token->text.size);

        token->at = (h ^ h >> 16) & (slots - 1);
    }
    sort_tokens(tokens, by_place);
}

static void count_tokens(const TokenSpec *spec, Tokens *tokens)
{
    for (int k = 0; k < tokens->count; k++) {
        Token *token = &tokens->items[k];
        const int64_t h = text_hash(token->text.s, token->text.size);

        token->order = (uint32_t)k;
        if (spec->out == OUT_HASH)
            token->at = (h % spec->buckets + spec->buckets) % spec->buckets + 1;
    }
    sort_tokens(tokens, spec->out == OUT_HASH ? by_place : by_text);
    merge_equal(tokens, spec->out == OUT_HASH);
    if (spec->out == OUT_COUNT && !spec->by_alphabet)
        order_by_slot(tokens);
}

/* ---- rows ---- */

static ml_status add_row(Tokenizer *t, int64_t document, Token row)
{
    if (!VEC_PUSH(&t->sources, document))
        return fail_memory(t->ctx, sizeof document);
    return push(t, &t->rows, row);
}

/* What stands where there is no token; a text of NULL is null. */
static Token padding(const TokenSpec *spec)
{
    const Text none = {spec->wide && !spec->pad ? NULL : "", 0};

    if (spec->out == OUT_HASH)
        return (Token){.text = none};
    return (Token){.text = none, .at = -1, .count = -1};
}

/* Counts of buckets 1 ... limit. */
static ml_status add_buckets(Tokenizer *t, int64_t document)
{
    for (int64_t k = 1, at = 0; k <= t->spec.limit; k++) {
        Token row = padding(&t->spec);

        while (at < t->tokens.count && t->tokens.items[at].at < k)
            at++;
        if (at < t->tokens.count && t->tokens.items[at].at == k)
            row.count = t->tokens.items[at].count;
        TRY(add_row(t, document, row));
    }
    return ML_OK;
}

static ml_status add_document(Tokenizer *t, int64_t document)
{
    const bool fill = t->spec.wide || t->spec.pad;

    if (t->spec.out != OUT_POSITION)
        count_tokens(&t->spec, &t->tokens);
    if (t->spec.wide && t->spec.out == OUT_HASH)
        return add_buckets(t, document);
    for (int64_t k = 0; k < t->spec.limit && (fill || k < t->tokens.count); k++)
        TRY(add_row(t, document, k < t->tokens.count ? t->tokens.items[k] : padding(&t->spec)));
    return ML_OK;
}

static ml_status add_documents(Tokenizer *t)
{
    for (int64_t i = 0; i < t->in->rows; i++) {
        char buf[NUM_BUFFER];
        size_t size = 0;
        const char *text = frame_cell_string(t->in->columns[t->spec.column], i, buf, &size);
        char *kept = arena_text(t->arena, text ? text : "", text ? size : 0);

        if (!kept)
            return fail_memory(t->ctx, size);
        TRY(find_tokens(t, (Text){kept, text ? size : 0}));
        TRY(add_document(t, i));
        TRY(check_cancel(t->ctx));
    }
    return ML_OK;
}

/* ---- the result ---- */

/* Rows first, first + step ... */
typedef struct Every {
    int64_t first, step;
} Every;

static ml_status text_column(const Tokenizer *t, int64_t id, Every rows, FrameColumn **out)
{
    TextColumnBuilder b = {0};
    bool ok = true;
    ml_status st;

    for (int64_t k = rows.first; ok && k < t->rows.count; k += rows.step) {
        char buf[NUM_BUFFER];
        size_t size = t->rows.items[k].text.size;
        const char *s = t->rows.items[k].text.s;

        if (id >= 0)
            s = frame_cell_string(t->in->columns[id], t->sources.items[k], buf, &size);
        ok = text_builder_add(&b, s, size);
    }
    st = ok ? text_builder_finish(t->ctx, &b, FT_STRING, out) : fail_memory(t->ctx, (size_t)b.rows);
    text_builder_free(&b);
    return st;
}

static ml_status number_column(const Tokenizer *t, bool counts, Every rows, FrameColumn **out)
{
    const int64_t n = (t->rows.count - rows.first + rows.step - 1) / rows.step;

    TRY(frame_column_new(t->ctx, FT_INT64, n, out));
    for (int64_t k = 0; k < n; k++) {
        const Token *row = &t->rows.items[rows.first + k * rows.step];

        column_set_int(*out, k, counts ? row->count : row->at);
    }
    return ML_OK;
}

/* Column j of the result, the identifiers' first. */
static ml_status result_column(const Tokenizer *t, int64_t j, FrameColumn **out)
{
    const TokenSpec *s = &t->spec;
    const Every all = {0, s->wide ? s->limit : 1}, one = {j - s->nids, s->limit};
    const bool first = j == s->nids;

    if (j < s->nids)
        return text_column(t, s->ids[j], all, out);
    if (s->wide)
        return s->out == OUT_HASH ? number_column(t, true, one, out) : text_column(t, -1, one, out);
    if (s->out == OUT_HASH)
        return number_column(t, !first, all, out);
    return first == (s->out == OUT_COUNT) ? text_column(t, -1, all, out)
                                          : number_column(t, s->out == OUT_COUNT, all, out);
}

static ml_status make_result(Tokenizer *t, OpCall *call)
{
    const bool wide = t->spec.wide;
    const int64_t cols = t->spec.nids + (wide ? t->spec.limit : 2);
    const int64_t rows = wide ? t->in->rows : t->rows.count;
    FrameColumn **columns = NULL;
    ml_status st = ML_OK;

    TRY(columns_new(t->ctx, cols, &columns));
    for (int64_t j = 0; st == ML_OK && j < cols; j++)
        st = result_column(t, j, &columns[j]);
    if (st == ML_OK)
        return result_frame(t->ctx, call, rows, cols, columns, NULL);
    columns_free(cols, columns);
    return st;
}

static ml_status read_limit(Ctx *ctx, const OpCall *call, int64_t *limit)
{
    *limit = INT64_MAX;
    if (!call_has(call, 2))
        return ML_OK;
    TRY(call_int(ctx, call, 2, limit));
    if (*limit < 1 || *limit > INT32_MAX)
        return fail(ctx, ML_EVALUE, "tokenize: max_tokens should be from 1 to %d, found %" PRId64,
                    INT32_MAX, *limit);
    return ML_OK;
}

ml_status ml_k_tokenize(Ctx *ctx, OpCall *call)
{
    Tokenizer t = {.ctx = ctx};
    Frame *in = NULL;
    const char *spec;
    ml_status st;

    TRY(call_frame(ctx, call, 0, &in));
    TRY(call_text(ctx, call, 1, &spec));
    TRY(read_limit(ctx, call, &t.spec.limit));
    t.in = in;
    t.arena = arena_new();
    st = t.arena ? read_spec(&t, spec) : fail_memory(ctx, sizeof t);
    if (st == ML_OK)
        st = add_documents(&t);
    if (st == ML_OK)
        st = make_result(&t, call);
    VEC_FREE(&t.parts);
    VEC_FREE(&t.tokens);
    VEC_FREE(&t.rows);
    VEC_FREE(&t.sources);
    arena_free(t.arena);
    return st;
}
