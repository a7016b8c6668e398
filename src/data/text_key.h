/* Texts as sets look for them: shared by text_set.c and text_build.c.
 *
 * A text of at most 16 bytes is its two words, padded with zeros, and its size, so that comparing
 * it needs no look at the bytes; a longer one has a hash for its first word. Where the processor
 * has an instruction for CRC-32, that is the hash of a key: three cycles a word.
 */
#ifndef TEXT_KEY_H
#define TEXT_KEY_H

#include "data/data.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

typedef struct TextKey {
    const char *text;
    size_t size;
    uint64_t low, high; /* of a longer text: its hash, and 0 */
    uint32_t hash;
} TextKey;

enum { TEXT_WORD = sizeof(uint64_t), TEXT_SHORT = 2 * TEXT_WORD };

#ifdef __SSE4_2__
/* CRC-32 is linear: without a product the low bits of dates, say, would be those of few others. */
static inline uint32_t text_hash(uint64_t seed, uint64_t low, uint64_t high)
{
    const uint64_t crc = _mm_crc32_u64(_mm_crc32_u64(seed, low), high);

    return (uint32_t)(crc * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}
#else
static inline uint32_t text_hash(uint64_t seed, uint64_t low, uint64_t high)
{
    const uint64_t h = hash_mix(hash_mix(seed, low), high);

    return (uint32_t)(h ^ h >> 32);
}
#endif

static inline uint64_t text_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* The hash of more than 16 bytes; up to 32 are two pairs of words, which may overlap. */
static inline uint64_t text_hash_long(const char *text, size_t size)
{
    const char *last = text + size - TEXT_SHORT;

    if (size > 2 * TEXT_SHORT)
        return hash_bytes(text, size, 0);
    return (uint64_t)text_hash(size, text_word(text), text_word(text + TEXT_WORD)) << 32 |
           text_hash(size, text_word(last), text_word(last + TEXT_WORD));
}

static inline TextKey text_key_of_words(const char *text, size_t size, uint64_t low, uint64_t high)
{
    return (TextKey){text, size, low, high, text_hash(size, low, high)};
}

static inline TextKey text_key(const char *text, size_t size)
{
    uint64_t words[2] = {0, 0};

    if (size > TEXT_SHORT)
        return text_key_of_words(text, size, text_hash_long(text, size), 0);
    if (size)
        memcpy(words, text, size);
    return text_key_of_words(text, size, words[0], words[1]);
}

/* The same for a text after which 16 bytes can be read, without a branch on how short it is. */
static inline TextKey text_key_ahead(const char *text, size_t size)
{
    static const uint64_t keep[2 * TEXT_SHORT / TEXT_WORD] = {UINT64_MAX, UINT64_MAX, 0, 0};
    const char *mask = (const char *)keep + TEXT_SHORT - size;

    if (size > TEXT_SHORT)
        return text_key_of_words(text, size, text_hash_long(text, size), 0);
    return text_key_of_words(text, size, text_word(text) & text_word(mask),
                             text_word(text + TEXT_WORD) & text_word(mask + TEXT_WORD));
}

static inline uint64_t text_differ16(const char *a, const char *b)
{
    return (text_word(a) ^ text_word(b)) | (text_word(a + TEXT_WORD) ^ text_word(b + TEXT_WORD));
}

/* Whether texts of one size above 16 are the same; up to 32 without a call. */
static inline bool text_same_long(const char *a, const char *b, size_t size)
{
    const size_t last = size - TEXT_SHORT;

    if (size > 2 * TEXT_SHORT)
        return memcmp(a, b, size) == 0;
    return !(text_differ16(a, b) | text_differ16(a + last, b + last));
}

static inline bool text_key_equals(const TextSet *s, const TextEntry *e, const TextKey *k)
{
    if ((e->low ^ k->low) | (e->high ^ k->high) | (e->size ^ k->size))
        return false;
    return k->size <= TEXT_SHORT || text_same_long(s->bytes.data + e->from, k->text, k->size);
}

/* The slot that has the number of the text, or the free one, 0, where it belongs. */
static inline uint32_t *text_probe(const TextSet *s, const TextKey *k)
{
    for (uint32_t at = k->hash & s->mask;; at = (at + 1) & s->mask) {
        uint32_t *slot = &s->slots[at];

        if (!*slot || text_key_equals(s, &s->entries.items[*slot - 1], k))
            return slot;
    }
}

static inline uint32_t text_find(const TextSet *s, const TextKey *k)
{
    return s->slots ? *text_probe(s, k) : 0;
}

#endif
