/* text_set: texts that differ, numbered in the order in which they came.
 *
 * Open addressing with linear probing over the numbers of texts, which stand in an array of their
 * own with their first words. Slots are cheap and a second probe is a branch that no processor
 * foresees, so of eight slots, or of four in a large set, one is used at most. What is frequent
 * comes early, mostly, and has the first slot of its chain.
 *
 * Cost: a hash and, mostly, one comparison a text; slots and entries of 20,000 texts fit the L2
 * cache. */
#include "data/text_key.h"

enum { FIRST_SLOTS = 64, SPARSE = 8, DENSE = 4, LARGE = 1 << 16 };

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
    for (int k = 0; k < s->entries.count; k++) {
        const TextEntry *e = &s->entries.items[k];
        uint32_t at = text_hash(e->size, e->low, e->high) & (slots - 1);

        while (grown[at])
            at = (at + 1) & (slots - 1);
        grown[at] = (uint32_t)k + 1;
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

static uint32_t add_text(TextSet *s, const TextKey *k)
{
    const TextEntry e = {(uint32_t)s->bytes.size, (uint32_t)k->size, k->low, k->high};

    if (k->size >= UINT32_MAX - s->bytes.size || !make_room(s))
        return 0;
    buffer_put(&s->bytes, k->text, k->size);
    if (s->bytes.failed || !VEC_PUSH(&s->entries, e))
        return 0;
    *text_probe(s, k) = (uint32_t)s->entries.count;
    return (uint32_t)s->entries.count;
}

uint32_t text_set_put(TextSet *s, const char *text, size_t size)
{
    const TextKey k = text_key(text, size);
    const uint32_t number = text_find(s, &k);

    return number ? number : add_text(s, &k);
}

uint32_t text_set_find(const TextSet *s, const char *text, size_t size)
{
    const TextKey k = text_key(text, size);

    return text_find(s, &k);
}

bool text_set_put_many(TextSet *s, const TextSpan *texts, int64_t n, const char *end,
                       uint32_t *numbers)
{
    for (int64_t i = 0; i < n; i++) {
        const TextSpan t = texts[i];

        numbers[i] = 0;
        if (t.s) {
            const TextKey k =
                end - t.s >= TEXT_SHORT ? text_key_ahead(t.s, t.size) : text_key(t.s, t.size);

            numbers[i] = text_find(s, &k);
            if (!numbers[i] && !(numbers[i] = text_set_put(s, t.s, t.size)))
                return false;
        }
    }
    return true;
}

void text_set_free(TextSet *s)
{
    buffer_free(&s->bytes);
    VEC_FREE(&s->entries);
    mem_free(s->slots);
    *s = (TextSet){0};
}
