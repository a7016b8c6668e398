/* text_build: text columns out of cells that come one by one.
 *
 * A builder puts each text into a set (text_set.c) and keeps its number, for columns repeat their
 * texts more often than not.  When texts turn out to be new too often - more than MANY and half of
 * the rows so far - the set is given up and texts are kept as they come.  Of several builders for
 * parts of a column the first ones are filled first; their sets, united in the order of rows, are
 * the base of the others, which then mostly look up and hardly add.  What these add is united in
 * the same order, so the numbers are those of first appearance, however the rows were divided. */
#include "data/text_key.h"

enum {
    MANY = 4096,
    FEW_NEW = 1024,         /* texts are no sign, nor are five of eight */
    MARGIN = 16,            /* of bytes, a part in so many more than expected */
    COPIED = 2 * TEXT_AHEAD /* of a short plain text, however short */
};

static const uint32_t NULL_SIZE = UINT32_MAX;

static uint32_t base_count(const TextColumnBuilder *b)
{
    return b->base ? (uint32_t)b->base->entries.count : 0;
}

/* The text with a number, NULL for 0. */
static const char *number_text(const TextColumnBuilder *b, uint32_t number, size_t *size)
{
    const uint32_t known = base_count(b);

    if (number == 0)
        return NULL;
    return number <= known ? text_set_at(b->base, number, size)
                           : text_set_at(&b->set, number - known, size);
}

/* Room for some bytes at the end; what came from the pool is left when it is full. */
static char *reserve_bytes(TextColumnBuilder *b, size_t extra)
{
    Buffer grown = {0};

    if (b->pool && b->bytes.capacity - b->bytes.size <= extra) {
        if (!buffer_reserve(&grown, b->bytes.size + extra))
            return NULL;
        memcpy(grown.data, b->bytes.data, b->bytes.size);
        grown.size = b->bytes.size;
        pool_release(b->pool, b->bytes.data, b->bytes.capacity);
        b->bytes = grown;
        b->pool = NULL;
    }
    return buffer_reserve(&b->bytes, extra);
}

static bool put_plain(TextColumnBuilder *b, const char *text, size_t size)
{
    b->nulls |= !text;
    if (text && size) {
        if (!reserve_bytes(b, size))
            return false;
        buffer_put(&b->bytes, text, size);
    }
    return VEC_PUSH(&b->words, text ? (uint32_t)size : NULL_SIZE);
}

/* Turns the numbers of all rows so far into sizes. */
static bool give_up_set(TextColumnBuilder *b)
{
    for (int64_t i = 0; i < b->rows; i++) {
        size_t size = 0;
        const char *text = number_text(b, b->words.items[i], &size);

        buffer_put(&b->bytes, text, size);
        b->words.items[i] = text ? (uint32_t)size : NULL_SIZE;
        b->nulls |= !text;
    }
    b->plain = true;
    text_set_free(&b->set);
    return !b->bytes.failed;
}

/* The set that is looked into first. */
static inline const TextSet *first_set(const TextColumnBuilder *b)
{
    return b->base ? b->base : &b->set;
}

/* The number of a text that the first set does not have, 0 when memory is exhausted. */
static uint32_t number_of_new(TextColumnBuilder *b, const char *text, size_t size)
{
    const uint32_t number = text_set_put(&b->set, text, size);

    return number ? number + base_count(b) : 0;
}

/* Whether the set is still worth its while. */
static bool keeps_set(const TextColumnBuilder *b)
{
    return b->set.entries.count <= MANY + b->rows / 2;
}

bool text_builder_add(TextColumnBuilder *b, const char *text, size_t size)
{
    uint32_t number = 0;

    if ((text && size >= NULL_SIZE) || (!b->plain && !keeps_set(b) && !give_up_set(b)))
        return false;
    b->rows++;
    if (b->plain)
        return put_plain(b, text, size);
    if (text) {
        number = text_set_find(first_set(b), text, size);
        number = number ? number : number_of_new(b, text, size);
    }
    return (number || !text) && VEC_PUSH(&b->words, number);
}

/* Room for the words of n more rows. */
static bool reserve_words(TextColumnBuilder *b, int64_t n)
{
    const int64_t need = b->words.count + n;

    return need <= b->words.capacity ||
           (need < INT32_MAX && vec_grow((void **)&b->words.items, &b->words.capacity, (int)need,
                                         sizeof *b->words.items));
}

/* Texts that the first set does not have get numbers of their own. */
static bool number_new(TextColumnBuilder *b, const TextSpan *texts, int64_t n, uint32_t *numbers)
{
    for (int64_t i = 0; i < n; i++)
        if (!numbers[i] && texts[i].s &&
            !(numbers[i] = number_of_new(b, texts[i].s, texts[i].size)))
            return false;
    return true;
}

static bool add_numbers(TextColumnBuilder *b, const TextSpan *texts, int64_t n, const char *end)
{
    uint32_t *words = b->words.items + b->words.count;

    text_find_many(first_set(b), texts, n, end, words);
    b->words.count += (int)n;
    return number_new(b, texts, n, words);
}

static bool add_plain(TextColumnBuilder *b, const TextSpan *texts, int64_t n, const char *end)
{
    size_t total = 0;
    char *to;

    for (int64_t i = 0; i < n; i++)
        total += texts[i].size;
    to = reserve_bytes(b, total + TEXT_AHEAD);
    if (!to)
        return false;
    for (int64_t i = 0; i < n; i++) {
        const TextSpan *t = &texts[i];

        if (t->size <= TEXT_AHEAD && end - t->s >= TEXT_AHEAD &&
            t->s) /* more is copied, and overwritten */
            memcpy(to, t->s, TEXT_AHEAD);
        else if (t->size)
            memcpy(to, t->s, t->size);
        to += t->size;
        b->nulls |= !t->s;
        b->words.items[b->words.count++] = t->s ? (uint32_t)t->size : NULL_SIZE;
    }
    b->bytes.size += total;
    *to = '\0';
    return true;
}

bool text_builder_add_many(TextColumnBuilder *b, const TextSpan *texts, int64_t n, const char *end)
{
    for (int64_t i = 0; i < n; i++)
        if (texts[i].size >= NULL_SIZE)
            return false;
    if (!reserve_words(b, n) || (!b->plain && !keeps_set(b) && !give_up_set(b)))
        return false;
    b->rows += n;
    return (b->plain ? add_plain : add_numbers)(b, texts, n, end);
}

/* ---- cells ---- */

/* How many of the cells are at least so far before the end of what can be read. */
static int64_t cells_before(const TextCells *c, int64_t ahead)
{
    int64_t n = c->count;

    while (n > 0 && c->end - (c->text + c->ends[n - 1] - c->sizes[n - 1]) < ahead)
        n--;
    return n;
}

/* Copies cells until one might have to be trimmed; returns how many, and leaves *to behind them.
 * Where it writes there is room for some bytes more. */
static int64_t copy_cells(const TextCells *c, int64_t n, char **to)
{
    for (int64_t i = 0; i < n; i++) {
        const size_t size = c->sizes[i];
        const char *text = c->text + c->ends[i] - size;
        const unsigned char first = (unsigned char)*text,
                            last = (unsigned char)text[size - (size != 0)];

        if ((size != 0) & ((first <= ' ') | (last <= ' ')))
            return i;
        if (size > COPIED)
            memcpy(*to, text, size);
        else
            memcpy(*to, text, COPIED); /* more is copied, and overwritten */
        *to += size;
    }
    return n;
}

/* Takes cells as plain texts; those from the first on that might have to be trimmed are left. */
static int64_t add_plain_cells(TextColumnBuilder *b, const TextCells *c, uint32_t *left)
{
    uint32_t *words = b->words.items + b->words.count;
    size_t total = 0;
    int64_t n = cells_before(c, COPIED);
    char *to;

    for (int64_t i = 0; i < n; i++)
        total += c->sizes[i];
    to = reserve_bytes(b, total + COPIED);
    if (!to)
        return -1;
    n = copy_cells(c, n, &to);
    *to = '\0';
    for (int64_t i = 0; i < n; i++) {
        words[i] = c->sizes[i] ? c->sizes[i] : NULL_SIZE;
        b->nulls |= !c->sizes[i];
    }
    b->bytes.size = (size_t)(to - b->bytes.data);
    b->words.count += (int)n;
    b->rows += n;
    for (int64_t i = n; i < c->count; i++)
        left[i - n] = (uint32_t)i;
    return c->count - n;
}

#ifdef __x86_64__
int64_t text_builder_add_cells(TextColumnBuilder *b, const TextCells *c, uint32_t *left)
{
    uint32_t *words;

    if (!reserve_words(b, c->count) || (!b->plain && !keeps_set(b) && !give_up_set(b)))
        return -1;
    if (b->plain)
        return add_plain_cells(b, c, left);
    words = b->words.items + b->words.count;
    b->rows += c->count;
    b->words.count += (int)c->count;
    return text_find_cells_avx512(first_set(b), c, words, left);
}

bool text_builder_add_left(TextColumnBuilder *b, const TextCells *c, const TextSpan *texts,
                           const uint32_t *left, int64_t n)
{
    enum { SOME = 64 };
    uint32_t numbers[SOME], *words = b->words.items + b->words.count - c->count;

    if (b->plain)
        return text_builder_add_many(b, texts, n, c->end);
    for (int64_t k = 0; k < n; k += SOME) {
        const int64_t some = n - k < SOME ? n - k : SOME;

        text_find_many(first_set(b), texts + k, some, c->end, numbers);
        if (!number_new(b, texts + k, some, numbers))
            return false;
        for (int64_t i = 0; i < some; i++)
            words[left[k + i]] = numbers[i];
    }
    return true;
}
#endif

bool text_builder_lend(TextColumnBuilder *b, uint32_t *words, int64_t rows)
{
    if (rows >= INT32_MAX)
        return false;
    b->words.items = words;
    b->words.capacity = (int)rows;
    b->lent = true;
    return true;
}

void text_builder_free(TextColumnBuilder *b)
{
    text_set_free(&b->set);
    if (!b->lent)
        VEC_FREE(&b->words);
    if (b->pool)
        pool_release(b->pool, b->bytes.data, b->bytes.capacity);
    else
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

/* Where text k ends. */
static inline void store_end(TextStore *s, int64_t k, int64_t end)
{
    if (s->offsets)
        s->offsets[k + 1] = (uint32_t)end;
    else
        s->offsets_beyond[k + 1] = end;
}

static void store_put(TextStore *s, int64_t k, const char *text, size_t size)
{
    const int64_t from = text_offset(s, k);

    if (size)
        memcpy(s->bytes + from, text, size);
    store_end(s, k, from + (int64_t)size);
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

/* ---- builders of parts ---- */

/* Numbers in the builder's own set become those in `base`, which has all its texts. */
static ml_status take_base(Ctx *ctx, TextColumnBuilder *b, TextSet *base)
{
    uint32_t *numbers;
    ml_status st = unite(ctx, &b->set, base, &numbers);

    for (int64_t i = 0; i < b->rows && st == ML_OK; i++)
        b->words.items[i] = numbers[b->words.items[i]];
    mem_free(numbers);
    return st;
}

/* The first builders have hardly met a text twice: an empty one keeps its texts plain, with room
 * for so many bytes a row from the pool, as fresh memory would cost as much as copying the texts.
 */
static ml_status begin_plain(Ctx *ctx, TextColumnBuilder *b, size_t bytes)
{
    size_t room;

    b->plain = true;
    if (!b->lent || !mul_size((size_t)b->words.capacity, bytes, &room))
        return ML_OK;
    room += COPIED;
    b->bytes.data = pool_alloc(ctx, room);
    if (!b->bytes.data)
        return ML_ENOMEM;
    b->bytes.capacity = room;
    b->pool = ctx->pool;
    return ML_OK;
}

ml_status text_builders_share(Ctx *ctx, TextColumnBuilder *b, int n, int filled, int64_t stride,
                              TextSet *base)
{
    int64_t rows = 0;
    size_t texts = 1, bytes = 0; /* that are known */
    bool plain = false;

    for (int k = 0; k < filled; k++) {
        const TextColumnBuilder *part = &b[k * stride];

        rows += part->rows;
        texts += part->plain ? (size_t)part->rows : 0;
        bytes += part->bytes.size;
        plain |= part->plain;
    }
    for (int k = 0; k < filled && !plain; k++) {
        TRY(take_base(ctx, &b[k * stride], base));
        text_set_free(&b[k * stride].set);
        b[k * stride].base = base;
        plain = base->entries.count > FEW_NEW + rows / 8 * 5;
    }
    texts += (size_t)base->entries.count;
    bytes += base->bytes.size;
    bytes = (bytes + bytes / MARGIN) / texts + 1;
    for (int k = filled; k < n; k++)
        if (plain)
            TRY(begin_plain(ctx, &b[k * stride], bytes));
        else
            b[k * stride].base = base;
    return ML_OK;
}

/* ---- joining codes ---- */

/* The texts of all builders: those of the base, then those that are new, whose numbers among all
 * are numbers[builder][number in the builder's own set]. */
static ml_status join_sets(Ctx *ctx, TextColumnBuilder *b, int n, int64_t stride,
                           uint32_t **numbers, TextStore **out)
{
    TextSet fresh = {0};
    uint32_t *base_numbers = NULL;
    ml_status st = ML_OK;
    bool any = false;

    for (int k = 0; k < n; k++)
        any |= b[k * stride].set.entries.count > 0;
    if (!any)
        return text_store_of_set(ctx, b->base ? b->base : &fresh, out);
    if (b->base)
        st = unite(ctx, b->base, &fresh, &base_numbers);
    mem_free(base_numbers);
    for (int k = 0; k < n && st == ML_OK; k++)
        st = unite(ctx, &b[k * stride].set, &fresh, &numbers[k]);
    if (st == ML_OK)
        st = text_store_of_set(ctx, &fresh, out);
    text_set_free(&fresh);
    return st;
}

/* Numbers in the builder's own set become those among all texts. */
static void take_numbers(TextColumnBuilder *b, const uint32_t *numbers)
{
    const uint32_t known = base_count(b);
    uint32_t *words = b->words.items;

    for (int64_t i = 0; b->set.entries.count > 0 && i < b->rows; i++)
        words[i] = words[i] > known ? numbers[words[i] - known] : words[i];
}

static void narrow_to_bytes(const uint32_t *restrict words, int64_t n, uint8_t *restrict out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (uint8_t)words[i];
}

static void narrow_to_halves(const uint32_t *restrict words, int64_t n, uint16_t *restrict out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (uint16_t)words[i];
}

/* Rows from `at` get the codes of the builder. */
static void copy_codes(const TextColumnBuilder *b, int64_t at, FrameColumn *c)
{
    if (b->rows == 0) /* there may be no cells at all */
        return;
    if (c->width == sizeof(uint8_t))
        narrow_to_bytes(b->words.items, b->rows, column_cell(c, at));
    else if (c->width == sizeof(uint16_t))
        narrow_to_halves(b->words.items, b->rows, column_cell(c, at));
    else
        memcpy(column_cell(c, at), b->words.items, (size_t)b->rows * sizeof(uint32_t));
}

static ml_status join_codes(Ctx *ctx, TextColumnBuilder *b, int n, int64_t stride, int64_t rows,
                            FrameType type, FrameColumn **out)
{
    uint32_t **numbers = mem_calloc((size_t)n, sizeof *numbers);
    TextStore *texts = NULL;
    ml_status st = numbers ? ML_OK : fail_memory(ctx, (size_t)n * sizeof *numbers);

    if (st == ML_OK)
        st = join_sets(ctx, b, n, stride, numbers, &texts);
    if (st == ML_OK)
        st = frame_column_codes(ctx, type, rows, texts, out);
    for (int64_t k = 0, at = 0; k < n && st == ML_OK; k++) {
        TextColumnBuilder *part = &b[k * stride];

        take_numbers(part, numbers[k]);
        copy_codes(part, at, *out);
        at += part->rows;
        text_builder_free(part);
    }
    for (int k = 0; numbers && k < n; k++)
        mem_free(numbers[k]);
    mem_free(numbers);
    return st;
}

/* ---- joining plain texts ---- */

/* The bytes of all rows' texts, and whether some are null. */
static size_t plain_bytes(const TextColumnBuilder *b, bool *nulls)
{
    size_t bytes = b->bytes.size;

    *nulls |= b->nulls;
    for (int64_t i = 0; !b->plain && i < b->rows; i++) {
        size_t size = 0;

        *nulls |= !number_text(b, b->words.items[i], &size);
        bytes += size;
    }
    return bytes;
}

static void set_null(FrameColumn *c, int64_t row)
{
    c->nulls[row / 64] |= UINT64_C(1) << (row % 64);
}

static void copy_numbered(const TextColumnBuilder *b, int64_t at, FrameColumn *c)
{
    for (int64_t i = 0; i < b->rows; i++) {
        size_t size = 0;
        const char *text = number_text(b, b->words.items[i], &size);

        store_put(c->texts, at + i, text, text ? size : 0);
        if (!text)
            set_null(c, at + i);
    }
}

static void copy_plain(const TextColumnBuilder *b, int64_t at, FrameColumn *c)
{
    TextStore *s = c->texts;
    int64_t from = text_offset(s, at);

    if (b->bytes.size)
        memcpy(s->bytes + from, b->bytes.data, b->bytes.size);
    for (int64_t i = 0; i < b->rows; i++) {
        const uint32_t size = b->words.items[i];

        if (b->nulls && size == NULL_SIZE)
            set_null(c, at + i);
        else
            from += size;
        store_end(s, at + i, from);
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

        (part->plain ? copy_plain : copy_numbered)(part, at, *out);
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
