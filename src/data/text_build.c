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

const char *text_set_at(const TextSet *s, uint32_t number, size_t *size)
{
    const uint32_t from = number > 1 ? s->ends.items[number - 2] : 0;

    *size = s->ends.items[number - 1] - from;
    return s->bytes.data + from;
}

static uint32_t tag_of(const char *text, size_t size)
{
    const uint64_t h = hash_bytes(text, size, 0);

    return (uint32_t)(h ^ h >> 32);
}

/* The slot that has the text, or the free one where it belongs. */
static TextSlot *probe(const TextSet *s, uint32_t tag, const char *text, size_t size)
{
    uint32_t at = tag & s->mask;

    for (;; at = (at + 1) & s->mask) {
        TextSlot *slot = &s->slots[at];
        size_t n;

        if (!slot->number)
            return slot;
        if (slot->tag == tag) {
            const char *known = text_set_at(s, slot->number, &n);

            if (n == size && memcmp(known, text, size) == 0)
                return slot;
        }
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

uint32_t text_set_put(TextSet *s, const char *text, size_t size)
{
    const uint32_t tag = tag_of(text, size);
    TextSlot *slot;

    if ((!s->slots || (uint32_t)s->ends.count * 2 >= s->mask) && !grow(s))
        return 0;
    slot = probe(s, tag, text, size);
    if (slot->number)
        return slot->number;
    if (size >= UINT32_MAX - s->bytes.size || s->ends.count == INT32_MAX / 2)
        return 0;
    buffer_put(&s->bytes, text, size);
    if (s->bytes.failed || !VEC_PUSH(&s->ends, (uint32_t)s->bytes.size))
        return 0;
    *slot = (TextSlot){tag, (uint32_t)s->ends.count};
    return slot->number;
}

uint32_t text_set_find(const TextSet *s, const char *text, size_t size)
{
    return s->slots ? probe(s, tag_of(text, size), text, size)->number : 0;
}

void text_set_free(TextSet *s)
{
    buffer_free(&s->bytes);
    VEC_FREE(&s->ends);
    mem_free(s->slots);
    *s = (TextSet){0};
}

/* ---- builders ---- */

static bool put_word(Buffer *b, uint32_t word)
{
    buffer_put(b, (const char *)&word, sizeof word);
    return !b->failed;
}

static uint32_t word_at(const Buffer *b, int64_t k)
{
    uint32_t word;

    memcpy(&word, b->data + (size_t)k * sizeof word, sizeof word);
    return word;
}

static bool put_plain(TextColumnBuilder *b, const char *text, size_t size)
{
    if (text && size)
        buffer_put(&b->bytes, text, size);
    return !b->bytes.failed && put_word(&b->sizes, text ? (uint32_t)size : NULL_SIZE);
}

/* The text of a row that was added, NULL for null.  Plain texts are taken in order: *from is where
 * the next one begins. */
static const char *row_text(const TextColumnBuilder *b, int64_t row, size_t *from, size_t *size)
{
    if (!b->plain) {
        const uint32_t number = word_at(&b->codes, row);

        return number ? text_set_at(&b->set, number, size) : NULL;
    }
    if (word_at(&b->sizes, row) == NULL_SIZE)
        return NULL;
    *size = word_at(&b->sizes, row);
    *from += *size;
    return b->bytes.data ? b->bytes.data + *from - *size : "";
}

static bool give_up_set(TextColumnBuilder *b)
{
    for (int64_t i = 0; i < b->rows; i++) {
        const uint32_t number = word_at(&b->codes, i);
        size_t size = 0;
        const char *text = number ? text_set_at(&b->set, number, &size) : NULL;

        if (!put_plain(b, text, size))
            return false;
    }
    b->plain = true;
    text_set_free(&b->set);
    buffer_free(&b->codes);
    return true;
}

bool text_builder_add(TextColumnBuilder *b, const char *text, size_t size)
{
    uint32_t number = 0;

    if (text && size >= NULL_SIZE)
        return false;
    if (!b->plain && b->set.ends.count > MANY + b->rows / 4 && !give_up_set(b))
        return false;
    if (b->plain) {
        if (!put_plain(b, text, size))
            return false;
    } else {
        if (text)
            number = text_set_put(&b->set, text, size);
        if ((text && !number) || !put_word(&b->codes, number))
            return false;
    }
    b->rows++;
    return true;
}

void text_builder_free(TextColumnBuilder *b)
{
    text_set_free(&b->set);
    buffer_free(&b->codes);
    buffer_free(&b->bytes);
    buffer_free(&b->sizes);
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

static ml_status store_of_set(Ctx *ctx, const TextSet *set, TextStore **out)
{
    TRY(text_store_new(ctx, set->ends.count, set->bytes.size, out));
    for (int k = 0; k < set->ends.count; k++) {
        size_t size;
        const char *text = text_set_at(set, (uint32_t)k + 1, &size);

        store_put(*out, k, text, size);
    }
    return ML_OK;
}

/* The number in `all` of each text of a set; for mem_free. */
static ml_status unite(Ctx *ctx, const TextSet *set, TextSet *all, uint32_t **numbers)
{
    *numbers = mem_calloc((size_t)set->ends.count + 1, sizeof **numbers);
    if (!*numbers)
        return fail_memory(ctx, (size_t)set->ends.count * sizeof **numbers);
    for (uint32_t k = 1; k <= (uint32_t)set->ends.count; k++) {
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
        st = store_of_set(ctx, &all, &texts);
    text_set_free(&all);
    if (st == ML_OK)
        st = frame_column_codes(ctx, type, rows, texts, out);
    for (int64_t k = 0, at = 0; k < n && st == ML_OK; at += b[k * stride].rows, k++)
        for (int64_t i = 0; i < b[k * stride].rows; i++)
            column_set_code(*out, at + i, numbers[k][word_at(&b[k * stride].codes, i)]);
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
            *nulls |= word_at(&b->sizes, i) == NULL_SIZE;
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
