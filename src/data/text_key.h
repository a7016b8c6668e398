/* Texts as sets look for them: shared by the text_*.c files.
 *
 * A key is two words: those of a text of at most 15 bytes, padded with zeros, with its size in the
 * last byte; or the hash of a longer text, and its size. Short texts are the same when their keys
 * are, without a look at their bytes. The hash of a key takes multiplications only, so that eight
 * are made at once where the processor can (text_find_avx512.c).
 */
#ifndef TEXT_KEY_H
#define TEXT_KEY_H

#include "data/data.h"

typedef struct TextKey {
    uint64_t low, high;
} TextKey;

enum { TEXT_WORD = sizeof(uint64_t), TEXT_SHORT = 2 * TEXT_WORD - 1, TEXT_AHEAD = 2 * TEXT_WORD };

/* Odd numbers, of the golden ratio and of a generator of random numbers (Steele and Vigna 2021). */
#define TEXT_FACTOR_LOW UINT64_C(0x9E3779B97F4A7C15)
#define TEXT_FACTOR_HIGH UINT64_C(0xD1342543DE82EF95)
#define TEXT_FACTOR_MIXED UINT64_C(0xAF251AF3B0F025B5)
#define TEXT_SIZE_SHIFT 56
#define TEXT_LONG (UINT64_C(0xFF) << TEXT_SIZE_SHIFT)

static inline uint64_t text_mix(uint64_t low, uint64_t high)
{
    const uint64_t x = low * TEXT_FACTOR_LOW + high * TEXT_FACTOR_HIGH;

    return (x ^ x >> 32) * TEXT_FACTOR_MIXED;
}

static inline uint32_t text_key_hash(TextKey k)
{
    return (uint32_t)(text_mix(k.low, k.high) >> 32);
}

static inline uint64_t text_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Of more than 15 bytes; up to 32 are two pairs of words, which may overlap. */
static inline TextKey text_key_long(const char *text, size_t size)
{
    const char *last = text + size - TEXT_AHEAD;
    const uint64_t high = TEXT_LONG | size;

    if (size > 2 * TEXT_AHEAD)
        return (TextKey){hash_bytes(text, size, 0), high};
    return (TextKey){text_mix(text_word(text), text_word(text + TEXT_WORD)) +
                         (text_mix(text_word(last), text_word(last + TEXT_WORD)) >> 32),
                     high};
}

static inline TextKey text_key(const char *text, size_t size)
{
    uint64_t words[2] = {0, 0};

    if (size > TEXT_SHORT)
        return text_key_long(text, size);
    if (size)
        memcpy(words, text, size);
    return (TextKey){words[0], words[1] | (uint64_t)size << TEXT_SIZE_SHIFT};
}

/* The same for a short text after which 16 bytes can be read, without a branch on how short. */
static inline TextKey text_key_ahead(const char *text, size_t size)
{
    static const uint64_t keep[2 * TEXT_AHEAD / TEXT_WORD] = {UINT64_MAX, UINT64_MAX, 0, 0};
    const char *mask = (const char *)keep + TEXT_AHEAD - size;

    return (TextKey){text_word(text) & text_word(mask),
                     (text_word(text + TEXT_WORD) & text_word(mask + TEXT_WORD)) |
                         (uint64_t)size << TEXT_SIZE_SHIFT};
}

static inline uint64_t text_differ16(const char *a, const char *b)
{
    return (text_word(a) ^ text_word(b)) | (text_word(a + TEXT_WORD) ^ text_word(b + TEXT_WORD));
}

/* Whether texts of one size above 15 are the same; up to 32 without a call. */
static inline bool text_same_long(const char *a, const char *b, size_t size)
{
    const size_t last = size - TEXT_AHEAD;

    if (size > 2 * TEXT_AHEAD)
        return memcmp(a, b, size) == 0;
    return !(text_differ16(a, b) | text_differ16(a + last, b + last));
}

/* Whether text `number` is the one of this key. */
static inline bool text_is(const TextSet *s, uint32_t number, const char *text, size_t size,
                           TextKey k)
{
    const TextKey *own = &s->keys.items[number];

    if ((own->low ^ k.low) | (own->high ^ k.high))
        return false;
    return size <= TEXT_SHORT ||
           text_same_long(s->bytes.data + s->entries.items[number - 1].from, text, size);
}

/* The numbers of n texts, 0 for null and for what the set does not have. The texts lie in memory
 * that can be read up to `end`. */
void text_find_many(const TextSet *s, const TextSpan *texts, int64_t n, const char *end,
                    uint32_t *numbers);
/* The numbers of cells in a set of texts without outer blanks. Those that it does not have or that
 * are long are listed in `left`, which has room for seven more. Returns how many. */
int64_t text_find_cells_avx512(const TextSet *s, const TextCells *c, uint32_t *numbers,
                               uint32_t *left);

#endif
