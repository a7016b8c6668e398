/* text_find: many texts looked up in a set at a time.
 *
 * Slots and keys of a large set are far away, and one text after the other would wait for both. So
 * some texts go through the steps together - keys, then numbers from the slots, then keys compared
 * - where no load waits for that of another text, and no step branches on what a text is. What does
 * not fit the steps is listed, again without a branch: texts longer than 15 bytes have their hashes
 * made, and their bytes compared, apart, and the few whose first slot holds another text are looked
 * up one by one.
 *
 * Cost: 8 ns a text while the set fits the L1 cache, three times that when it does not fit L2.
 */
#include "data/text_key.h"

enum { BATCH = 64 };

/* Some texts on their way; lists name them by their places. */
typedef struct Batch {
    const TextSpan *texts;
    int n, odds, misses;
    TextKey keys[BATCH];
    uint8_t odd[BATCH]; /* long ones, and those behind which 16 bytes cannot be read */
    uint8_t missed[BATCH];
} Batch;

static void make_keys(Batch *b, const char *end)
{
    static const char nothing[TEXT_AHEAD] = {0};

    b->odds = 0;
    for (int i = 0; i < b->n; i++) {
        const TextSpan t = b->texts[i];
        const bool odd = t.s && (t.size > TEXT_SHORT || end - t.s < TEXT_AHEAD);
        const bool plain = t.s && !odd;

        b->keys[i] = text_key_ahead(plain ? t.s : nothing, plain ? t.size : 0);
        b->odd[b->odds] = (uint8_t)i;
        b->odds += odd;
    }
    for (int j = 0; j < b->odds; j++) {
        const int i = b->odd[j];

        b->keys[i] = text_key(b->texts[i].s, b->texts[i].size);
    }
}

/* The number in the first slot of each. */
static void read_slots(const TextSet *s, const Batch *b, uint32_t *numbers)
{
    for (int i = 0; i < b->n; i++) {
        numbers[i] = s->slots[text_key_hash(b->keys[i]) & s->mask];
        __builtin_prefetch(s->keys.items + numbers[i]);
    }
}

/* Whether these are the texts themselves; where they are not numbers are 0. */
static void compare_keys(const TextSet *s, Batch *b, uint32_t *numbers)
{
    b->misses = 0;
    for (int i = 0; i < b->n; i++) {
        const uint32_t number = numbers[i];
        const TextKey *own = &s->keys.items[number], *k = &b->keys[i];
        const bool differs = ((own->low ^ k->low) | (own->high ^ k->high)) != 0;
        const bool null = !b->texts[i].s;

        numbers[i] = differs | null ? 0 : number;
        b->missed[b->misses] = (uint8_t)i;
        b->misses += differs & !null & (number != 0);
    }
}

static void compare_long(const TextSet *s, const Batch *b, uint32_t *numbers)
{
    for (int j = 0; j < b->odds; j++) {
        const int i = b->odd[j];
        const TextSpan t = b->texts[i];

        if (numbers[i] && !text_is(s, numbers[i], t.s, t.size, b->keys[i]))
            numbers[i] = text_set_find(s, t.s, t.size);
    }
}

static void find_batch(const TextSet *s, Batch *b, const char *end, uint32_t *numbers)
{
    make_keys(b, end);
    read_slots(s, b, numbers);
    compare_keys(s, b, numbers);
    compare_long(s, b, numbers);
    for (int j = 0; j < b->misses; j++) {
        const int i = b->missed[j];

        numbers[i] = text_set_find(s, b->texts[i].s, b->texts[i].size);
    }
}

void text_find_many(const TextSet *s, const TextSpan *texts, int64_t n, const char *end,
                    uint32_t *numbers)
{
    Batch b;

    if (s->entries.count == 0) {
        memset(numbers, 0, (size_t)n * sizeof *numbers);
        return;
    }
    for (int64_t i = 0; i < n; i += b.n) {
        b.texts = texts + i;
        b.n = n - i < BATCH ? (int)(n - i) : BATCH;
        find_batch(s, &b, end, numbers + i);
    }
}
