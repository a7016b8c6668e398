/* text_set: texts that differ, numbered in the order in which they came.
 *
 * Open addressing with linear probing over the numbers of texts, whose keys stand in an array of
 * their own. Slots are cheap and a second probe is a branch that no processor
 * foresees, so of eight slots, or of three in a large set, one is used at most. What is frequent
 * comes early, mostly, and has the first slot of its chain.
 *
 * Cost: a hash and, mostly, one comparison a text; slots and keys of 20,000 texts fit the L2
 * cache. */
#include "data/text_key.h"

enum { FIRST_SLOTS = 64, SPARSE = 8, DENSE = 3, LARGE = 1 << 16 };

const char *text_set_at(const TextSet *s, uint32_t number, size_t *size)
{
    const TextEntry *e = &s->entries.items[number - 1];

    *size = e->size;
    return s->bytes.data + e->from;
}

/* How many slots n texts should have. */
static int64_t slots_wanted(int64_t n)
{
    return n * SPARSE <= LARGE ? n * SPARSE : n * DENSE > LARGE ? n * DENSE : LARGE;
}

/* To a power of two of slots. */
static bool grow_to(TextSet *s, uint32_t slots)
{
    uint32_t *grown = mem_calloc(slots, sizeof *grown);

    if (!grown)
        return false;
    for (int k = 1; k < s->keys.count; k++) {
        uint32_t at = text_key_hash(s->keys.items[k]) & (slots - 1);

        while (grown[at])
            at = (at + 1) & (slots - 1);
        grown[at] = (uint32_t)k;
    }
    mem_free(s->slots);
    s->slots = grown;
    s->mask = slots - 1;
    return true;
}

bool text_set_reserve(TextSet *s, int64_t n)
{
    int64_t slots = s->slots ? s->mask + INT64_C(1) : FIRST_SLOTS;

    if (n > INT32_MAX / 2 / DENSE)
        return true; /* it grows as it can */
    while (slots < slots_wanted(n))
        slots *= 2;
    return (s->slots && slots <= s->mask + INT64_C(1)) || grow_to(s, (uint32_t)slots);
}

/* One more text has its slot; sets beyond the most slots there are become denser. */
static bool make_room(TextSet *s)
{
    const int64_t n = s->entries.count + INT64_C(1), slots = s->slots ? s->mask + INT64_C(1) : 0;

    if (slots >= slots_wanted(n))
        return true;
    if (slots > INT32_MAX / 2)
        return n < slots / 2;
    return grow_to(s, slots ? (uint32_t)slots * 2 : FIRST_SLOTS);
}

/* The slot that has the number of the text, or the free one, 0, where it belongs. */
static uint32_t *probe(const TextSet *s, const char *text, size_t size, TextKey k)
{
    for (uint32_t at = text_key_hash(k) & s->mask;; at = (at + 1) & s->mask) {
        uint32_t *slot = &s->slots[at];

        if (!*slot || text_is(s, *slot, text, size, k))
            return slot;
    }
}

/* There is room for its slot. */
static bool add_text(TextSet *s, const char *text, size_t size, TextKey k)
{
    static const TextKey none = {0, UINT64_MAX};
    const TextEntry e = {(uint32_t)s->bytes.size, (uint32_t)size};

    if (size >= UINT32_MAX - s->bytes.size || (s->keys.count == 0 && !VEC_PUSH(&s->keys, none)))
        return false;
    buffer_put(&s->bytes, text, size);
    if (s->bytes.failed || !VEC_PUSH(&s->entries, e))
        return false;
    if (VEC_PUSH(&s->keys, k))
        return true;
    s->entries.count--;
    return false;
}

uint32_t text_set_put(TextSet *s, const char *text, size_t size)
{
    const TextKey k = text_key(text, size);
    uint32_t *slot;

    if (!make_room(s))
        return 0;
    slot = probe(s, text, size, k);
    if (!*slot && add_text(s, text, size, k))
        *slot = (uint32_t)s->entries.count;
    return *slot;
}

uint32_t text_set_find(const TextSet *s, const char *text, size_t size)
{
    return s->slots ? *probe(s, text, size, text_key(text, size)) : 0;
}

bool text_set_put_many(TextSet *s, const TextSpan *texts, int64_t n, const char *end,
                       uint32_t *numbers)
{
    text_find_many(s, texts, n, end, numbers);
    for (int64_t i = 0; i < n; i++)
        if (!numbers[i] && texts[i].s && !(numbers[i] = text_set_put(s, texts[i].s, texts[i].size)))
            return false;
    return true;
}

void text_set_free(TextSet *s)
{
    buffer_free(&s->bytes);
    VEC_FREE(&s->entries);
    VEC_FREE(&s->keys);
    mem_free(s->slots);
    *s = (TextSet){0};
}
