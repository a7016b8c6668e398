/* text_build: text columns out of cells that come one by one.
 *
 * A builder puts each text into a set and keeps its number, for columns repeat their texts more
 * often than not.  When texts turn out to be new too often - more than MANY and a quarter of the
 * rows so far - the set is given up and texts are kept as they come.  The sets of several builders
 * that were filled in the order of rows are united in their order, so the numbers are those of
 * first appearance, however the rows were divided.
 *
 * Cost: a hash and, mostly, one comparison a cell; the set fits the L2 cache.  The set is open
 * addressing with linear probing, at most half full, and a slot keeps part of the hash. */
#include "data/data.h"

enum { FIRST_SLOTS = 64, MANY = 4096 };

static const uint32_t NULL_SIZE = UINT32_MAX;

/* ---- sets ---- */

typedef struct TextSlot {
    uint32_t tag, number; /* number 0: free */
} TextSlot;

/* A text as it is looked for: texts of at most 16 bytes are their two words, padded with zeros, so
 * that comparing them needs no look at the bytes. */
typedef struct Key {
    const char *text;
    size_t size;
    uint64_t low, high; /* of a longer text: its hash, and 0 */
    uint32_t tag;
} Key;

enum { WORD = sizeof(uint64_t), SHORT = 2 * WORD };

static inline uint64_t first_bytes(uint64_t word, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return n >= WORD ? word : n ? word & ~(UINT64_MAX >> 8 * n) : 0;
#else
    return n >= WORD ? word : word & ((UINT64_C(1) << 8 * n) - 1);
#endif
}

static inline void finish_key(Key *k)
{
    const uint64_t h = hash_mix(hash_mix(k->size, k->low), k->high);

    k->tag = (uint32_t)(h ^ h >> 32);
}

/* Keys are filled in place: a copy right after the fields were written would wait for the stores.
 */
static void key_of(const char *text, size_t size, Key *k)
{
    uint64_t words[2] = {0, 0};

    if (size > SHORT)
        words[0] = hash_bytes(text, size, 0);
    else if (size)
        memcpy(words, text, size);
    k->text = text;
    k->size = size;
    k->low = words[0];
    k->high = words[1];
    finish_key(k);
}

/* The same for a text after which 16 bytes can be read, without a branch on its size. */
static inline void key_ahead(const char *text, size_t size, Key *k)
{
    uint64_t low, high;

    if (size > SHORT) {
        key_of(text, size, k);
        return;
    }
    memcpy(&low, text, WORD);
    memcpy(&high, text + WORD, WORD);
    k->text = text;
    k->size = size;
    k->low = first_bytes(low, size);
    k->high = first_bytes(high, size > WORD ? size - WORD : 0);
    finish_key(k);
}

const char *text_set_at(const TextSet *s, uint32_t number, size_t *size)
{
    const TextEntry *e = &s->entries.items[number - 1];

    *size = e->size;
    return s->bytes.data + e->from;
}

/* The slot that has the text, or the free one where it belongs. */
static inline TextSlot *probe(const TextSet *s, const Key *k)
{
    for (uint32_t at = k->tag & s->mask;; at = (at + 1) & s->mask) {
        TextSlot *slot = &s->slots[at];
        const TextEntry *e;

        if (!slot->number)
            return slot;
        if (slot->tag != k->tag)
            continue;
        e = &s->entries.items[slot->number - 1];
        if (e->size == k->size && e->low == k->low && e->high == k->high &&
            (k->size <= SHORT || memcmp(s->bytes.data + e->from, k->text, k->size) == 0))
            return slot;
    }
}

static bool grow(TextSet *s)
{
    const uint32_t slots = s->slots ? (s->mask + 1) * 2 : FIRST_SLOTS;
    TextSlot *old = s->slots, *grown = mem_calloc(slots, sizeof *grown);

    if (!grown)
        return false;
    for (uint32_t k = 0; old && k <= s->mask; k++) {
        uint32_t at = old[k].tag & (slots - 1);

        while (old[k].number && grown[at].number)
            at = (at + 1) & (slots - 1);
        if (old[k].number)
            grown[at] = old[k];
    }
    mem_free(old);
    s->slots = grown;
    s->mask = slots - 1;
    return true;
}

static uint32_t add_text(TextSet *s, const Key *k)
{
    const TextEntry e = {(uint32_t)s->bytes.size, (uint32_t)k->size, k->low, k->high};

    if (k->size >= UINT32_MAX - s->bytes.size || s->entries.count == INT32_MAX / 2)
        return 0;
    if ((uint32_t)s->entries.count * 2 >= s->mask && !grow(s))
        return 0;
    buffer_put(&s->bytes, k->text, k->size);
    if (s->bytes.failed || !VEC_PUSH(&s->entries, e))
        return 0;
    *probe(s, k) = (TextSlot){k->tag, (uint32_t)s->entries.count};
    return (uint32_t)s->entries.count;
}

static inline uint32_t put_key(TextSet *s, const Key *k)
{
    uint32_t number;

    if (!s->slots && !grow(s))
        return 0;
    number = probe(s, k)->number;
    return number ? number : add_text(s, k);
}

uint32_t text_set_put(TextSet *s, const char *text, size_t size)
{
    Key k;

    key_of(text, size, &k);
    return put_key(s, &k);
}

uint32_t text_set_find(const TextSet *s, const char *text, size_t size)
{
    Key k;

    key_of(text, size, &k);
    return s->slots ? probe(s, &k)->number : 0;
}

void text_set_free(TextSet *s)
{
    buffer_free(&s->bytes);
    VEC_FREE(&s->entries);
    mem_free(s->slots);
    *s = (TextSet){0};
}

/* ---- builders ---- */

static bool put_plain(TextColumnBuilder *b, const char *text, size_t size)
{
    if (text && size)
        buffer_put(&b->bytes, text, size);
    return !b->bytes.failed && VEC_PUSH(&b->words, text ? (uint32_t)size : NULL_SIZE);
}

/* The text of a row that was added, NULL for null.  Plain texts are taken in order: *from is where
 * the next one begins. */
static const char *row_text(const TextColumnBuilder *b, int64_t row, size_t *from, size_t *size)
{
    if (!b->plain) {
        const uint32_t number = b->words.items[row];

        return number ? text_set_at(&b->set, number, size) : NULL;
    }
    if (b->words.items[row] == NULL_SIZE)
        return NULL;
    *size = b->words.items[row];
    *from += *size;
    return b->bytes.data ? b->bytes.data + *from - *size : "";
}

/* Turns the numbers of all rows so far into sizes. */
static bool give_up_set(TextColumnBuilder *b)
{
    for (int64_t i = 0; i < b->rows; i++) {
        const uint32_t number = b->words.items[i];
        size_t size = 0;
        const char *text = number ? text_set_at(&b->set, number, &size) : NULL;

        buffer_put(&b->bytes, text, size);
        b->words.items[i] = text ? (uint32_t)size : NULL_SIZE;
    }
    b->plain = true;
    text_set_free(&b->set);
    return !b->bytes.failed;
}

/* One more row while there is a set, of a text or null. */
static inline bool add_key(TextColumnBuilder *b, const Key *k)
{
    const uint32_t number = k ? put_key(&b->set, k) : 0;

    if ((k && !number) || !VEC_PUSH(&b->words, number))
        return false;
    b->rows++;
    return true;
}

static inline bool has_set(TextColumnBuilder *b, bool *good)
{
    *good = b->set.entries.count <= MANY + b->rows / 4 || b->plain || give_up_set(b);
    return !b->plain;
}

static bool add_plain(TextColumnBuilder *b, const char *text, size_t size)
{
    if (!put_plain(b, text, size))
        return false;
    b->rows++;
    return true;
}

bool text_builder_add(TextColumnBuilder *b, const char *text, size_t size)
{
    bool good;
    Key k;

    if (text && size >= NULL_SIZE)
        return false;
    if (!has_set(b, &good) || !good)
        return good && add_plain(b, text, size);
    if (!text)
        return add_key(b, NULL);
    key_of(text, size, &k);
    return add_key(b, &k);
}

bool text_builder_add_ahead(TextColumnBuilder *b, const char *text, size_t size)
{
    bool good;
    Key k;

    if (size >= NULL_SIZE)
        return false;
    if (!has_set(b, &good) || !good)
        return good && add_plain(b, text, size);
    key_ahead(text, size, &k);
    return add_key(b, &k);
}

void text_builder_free(TextColumnBuilder *b)
{
    text_set_free(&b->set);
    VEC_FREE(&b->words);
    buffer_free(&b->bytes);
    *b = (TextColumnBuilder){0};
}

/* ---- columns ---- */

/* A store for texts of known number and size; offset 0 is set. */
ml_status text_store_new(Ctx *ctx, int64_t count, size_t bytes, TextStore **out)
{
    const bool beyond = bytes > UINT32_MAX;
    const size_t offsets = ((size_t)count + 1) * (beyond ? sizeof(int64_t) : sizeof(uint32_t));
    TextStore *s = mem_calloc(1, sizeof *s);

    if (!s)
        return fail_memory(ctx, sizeof *s);
    atomic_init(&s->refs, 1);
    s->count = count;
    s->pool = ctx->pool;
    s->bytes_held = offsets + bytes;
    s->buffer = pool_alloc(ctx, s->bytes_held);
    if (!s->buffer) {
        mem_free(s);
        return ML_ENOMEM;
    }
    memset(s->buffer, 0, sizeof(uint32_t));
    if (beyond) {
        s->offsets_beyond = s->buffer;
        s->offsets_beyond[0] = 0;
    } else {
        s->offsets = s->buffer;
    }
    s->bytes = (char *)s->buffer + offsets;
    *out = s;
    return ML_OK;
}

static void store_put(TextStore *s, int64_t k, const char *text, size_t size)
{
    const int64_t from = text_offset(s, k);

    if (size)
        memcpy(s->bytes + from, text, size);
    if (s->offsets)
        s->offsets[k + 1] = (uint32_t)((size_t)from + size);
    else
        s->offsets_beyond[k + 1] = from + (int64_t)size;
}

ml_status text_store_of_set(Ctx *ctx, const TextSet *set, TextStore **out)
{
    TRY(text_store_new(ctx, set->entries.count, set->bytes.size, out));
    for (int k = 0; k < set->entries.count; k++) {
        size_t size;
        const char *text = text_set_at(set, (uint32_t)k + 1, &size);

        store_put(*out, k, text, size);
    }
    return ML_OK;
}

/* The number in `all` of each text of a set; for mem_free. */
static ml_status unite(Ctx *ctx, const TextSet *set, TextSet *all, uint32_t **numbers)
{
    *numbers = mem_calloc((size_t)set->entries.count + 1, sizeof **numbers);
    if (!*numbers)
        return fail_memory(ctx, (size_t)set->entries.count * sizeof **numbers);
    for (uint32_t k = 1; k <= (uint32_t)set->entries.count; k++) {
        size_t size;
        const char *text = text_set_at(set, k, &size);

        (*numbers)[k] = text_set_put(all, text, size);
        if (!(*numbers)[k])
            return fail_memory(ctx, size);
    }
    return ML_OK;
}

static ml_status join_codes(Ctx *ctx, TextColumnBuilder *b, int n, int64_t stride, int64_t rows,
                            FrameType type, FrameColumn **out)
{
    uint32_t **numbers = mem_calloc((size_t)n, sizeof *numbers);
    TextStore *texts = NULL;
    TextSet all = {0};
    ml_status st = numbers ? ML_OK : fail_memory(ctx, (size_t)n * sizeof *numbers);

    for (int k = 0; k < n && st == ML_OK; k++)
        st = unite(ctx, &b[k * stride].set, &all, &numbers[k]);
    if (st == ML_OK)
        st = text_store_of_set(ctx, &all, &texts);
    text_set_free(&all);
    if (st == ML_OK)
        st = frame_column_codes(ctx, type, rows, texts, out);
    for (int64_t k = 0, at = 0; k < n && st == ML_OK; at += b[k * stride].rows, k++)
        for (int64_t i = 0; i < b[k * stride].rows; i++)
            column_set_code(*out, at + i, numbers[k][b[k * stride].words.items[i]]);
    for (int k = 0; numbers && k < n; k++)
        mem_free(numbers[k]);
    mem_free(numbers);
    return st;
}

/* The bytes of all rows' texts, and whether some are null. */
static size_t plain_bytes(const TextColumnBuilder *b, bool *nulls)
{
    size_t bytes = b->bytes.size;

    for (int64_t i = 0; i < b->rows; i++) {
        size_t size = 0;

        if (b->plain) {
            *nulls |= b->words.items[i] == NULL_SIZE;
        } else {
            *nulls |= !row_text(b, i, NULL, &size);
            bytes += size;
        }
    }
    return bytes;
}

static void copy_plain(const TextColumnBuilder *b, int64_t at, FrameColumn *c)
{
    size_t from = 0;

    for (int64_t i = 0; i < b->rows; i++) {
        size_t size = 0;
        const char *text = row_text(b, i, &from, &size);

        store_put(c->texts, at + i, text, text ? size : 0);
        if (!text)
            c->nulls[(at + i) / 64] |= UINT64_C(1) << ((at + i) % 64);
    }
}

static ml_status join_plain(Ctx *ctx, TextColumnBuilder *b, int n, int64_t stride, int64_t rows,
                            FrameType type, FrameColumn **out)
{
    TextStore *texts = NULL;
    bool nulls = false;
    size_t bytes = 0;

    for (int k = 0; k < n; k++)
        bytes += plain_bytes(&b[k * stride], &nulls);
    TRY(text_store_new(ctx, rows, bytes, &texts));
    TRY(frame_column_plain(ctx, type, rows, nulls, texts, out));
    for (int64_t k = 0, at = 0; k < n; k++) {
        TextColumnBuilder *part = &b[k * stride];

        copy_plain(part, at, *out);
        at += part->rows;
        text_builder_free(part);
    }
    return ML_OK;
}

ml_status text_builders_join(Ctx *ctx, TextColumnBuilder *b, int n, int64_t stride, FrameType type,
                             FrameColumn **out)
{
    bool plain = false;
    int64_t rows = 0;
    ml_status st;

    for (int k = 0; k < n; k++) {
        rows += b[k * stride].rows;
        plain |= b[k * stride].plain;
    }
    *out = NULL;
    st = (plain ? join_plain : join_codes)(ctx, b, n, stride, rows, type, out);
    for (int k = 0; k < n; k++)
        text_builder_free(&b[k * stride]);
    if (st != ML_OK) {
        frame_column_release(*out);
        *out = NULL;
    }
    return st;
}

ml_status text_builder_finish(Ctx *ctx, TextColumnBuilder *b, FrameType type, FrameColumn **out)
{
    return text_builders_join(ctx, b, 1, 1, type, out);
}
