/* text_find_avx512: cells looked up in a set, eight at a time.
 *
 * As text_find.c, but that keys, hashes and comparisons are those of eight cells at once; only the
 * loads of their texts, slots and keys are one by one (instructions that gather are slower). Cells
 * of at most 15 bytes that are in the first slot of their hash are done, and so are empty ones,
 * which are null; the others are listed for the caller.
 *
 * Cost: 2 ns a cell while the set fits the L1 cache.
 */
#include "data/text_key.h"

#include <immintrin.h>

enum { GROUP = 8, BATCH = 128 };

typedef struct Words {
    __m512i low, high;
} Words;

static inline __m128i load16(const void *p)
{
    return _mm_loadu_si128(p);
}

/* Eight pairs of words, each at its place. */
static inline Words load_words(const char *base, const uint32_t at[GROUP], int scale)
{
#define PAIR(k) load16(base + (size_t)at[k] * (size_t)scale)
    __m512i even = _mm512_castsi128_si512(PAIR(0)), odd = _mm512_castsi128_si512(PAIR(1));

    even = _mm512_inserti32x4(even, PAIR(2), 1);
    odd = _mm512_inserti32x4(odd, PAIR(3), 1);
    even = _mm512_inserti32x4(even, PAIR(4), 2);
    odd = _mm512_inserti32x4(odd, PAIR(5), 2);
    even = _mm512_inserti32x4(even, PAIR(6), 3);
    odd = _mm512_inserti32x4(odd, PAIR(7), 3);
    return (Words){_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd)};
#undef PAIR
}

static inline __m512i mix(Words k)
{
    const __m512i x =
        _mm512_add_epi64(_mm512_mullo_epi64(k.low, _mm512_set1_epi64((int64_t)TEXT_FACTOR_LOW)),
                         _mm512_mullo_epi64(k.high, _mm512_set1_epi64((int64_t)TEXT_FACTOR_HIGH)));

    return _mm512_mullo_epi64(_mm512_xor_si512(x, _mm512_srli_epi64(x, 32)),
                              _mm512_set1_epi64((int64_t)TEXT_FACTOR_MIXED));
}

/* The first `bits` bits of the words; 128 at most. */
static inline Words cut_words(Words w, __m512i bits)
{
    const __m512i ones = _mm512_set1_epi64(-1),
                  above = _mm512_subs_epu16(bits, _mm512_set1_epi64(64));

    return (Words){_mm512_andnot_si512(_mm512_sllv_epi64(ones, bits), w.low),
                   _mm512_andnot_si512(_mm512_sllv_epi64(ones, above), w.high)};
}

/* Which cells begin or end with a blank, or are empty. */
static inline __mmask8 with_blanks(Words w, __m512i bits)
{
    const __m512i first = _mm512_and_si512(w.low, _mm512_set1_epi64(0xFF));
    const __m512i last =
        _mm512_or_si512(_mm512_srlv_epi64(w.low, _mm512_sub_epi64(bits, _mm512_set1_epi64(8))),
                        _mm512_srlv_epi64(w.high, _mm512_sub_epi64(bits, _mm512_set1_epi64(72))));

    return _mm512_cmple_epu64_mask(_mm512_min_epu64(first, last), _mm512_set1_epi64(' '));
}

/* Some cells on their way. */
typedef struct Batch {
    Words keys[BATCH / GROUP];
    uint32_t slots[BATCH];
    __mmask8 empty[BATCH / GROUP], odd[BATCH / GROUP];
} Batch;

/* Keys and slots of the group of cells from i. */
static inline void make_keys(const TextCells *c, int64_t i, uint32_t mask, Batch *b, int64_t g)
{
    const __m256i sizes = _mm256_loadu_si256((const __m256i *)(const void *)(c->sizes + i));
    const __m512i size = _mm512_cvtepu32_epi64(sizes), bits = _mm512_slli_epi64(size, 3);
    uint32_t begins[GROUP];
    Words w;

    _mm256_storeu_si256(
        (__m256i *)(void *)begins,
        _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(c->ends + i)), sizes));
    w = cut_words(load_words(c->text, begins, 1), bits);
    b->empty[g] = _mm512_testn_epi64_mask(size, size);
    b->odd[g] = (__mmask8)(_mm512_cmpgt_epu64_mask(size, _mm512_set1_epi64(TEXT_SHORT)) |
                           (with_blanks(w, bits) & ~b->empty[g]));
    w.high = _mm512_or_si512(w.high, _mm512_slli_epi64(size, TEXT_SIZE_SHIFT));
    b->keys[g] = w;
    _mm256_storeu_si256((__m256i *)(void *)(b->slots + g * GROUP),
                        _mm256_and_si256(_mm512_cvtepi64_epi32(_mm512_srli_epi64(mix(w), 32)),
                                         _mm256_set1_epi32((int)mask)));
}

static void read_slots(const TextSet *s, Batch *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const uint32_t number = s->slots[b->slots[i]];

        b->slots[i] = number;
        __builtin_prefetch(s->keys.items + number);
    }
}

/* The numbers of a group, whose slots were read; bits of those that are others. */
static inline __mmask8 compare_keys(const TextSet *s, const Batch *b, int64_t g, uint32_t *numbers)
{
    const __m256i number =
        _mm256_loadu_si256((const __m256i *)(const void *)(b->slots + g * GROUP));
    const __mmask8 none = _mm256_testn_epi32_mask(number, number);
    uint32_t at[GROUP];
    Words own;
    __mmask8 bad;

    _mm256_storeu_si256((__m256i *)(void *)at, _mm256_mask_sub_epi32(number, (__mmask8)~none,
                                                                     number, _mm256_set1_epi32(1)));
    own = load_words((const char *)s->keys.items, at, sizeof(TextKey));
    bad = (__mmask8)(_mm512_cmpneq_epi64_mask(own.low, b->keys[g].low) |
                     _mm512_cmpneq_epi64_mask(own.high, b->keys[g].high) | none | b->odd[g]);
    _mm256_storeu_si256((__m256i *)(void *)numbers,
                        _mm256_maskz_mov_epi32((__mmask8)~b->empty[g], number));
    return (__mmask8)(bad & ~b->empty[g]);
}

/* The places of the bits of a group. */
static inline int64_t list(uint32_t *left, int64_t n, uint32_t from, __mmask8 bits)
{
    const __m256i places =
        _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)from));

    _mm256_storeu_si256((__m256i *)(void *)(left + n), _mm256_maskz_compress_epi32(bits, places));
    return n + __builtin_popcount(bits);
}

/* Of the cells from i, whole groups. */
static int64_t find_batch(const TextSet *s, const TextCells *c, int64_t i, int64_t n,
                          uint32_t *numbers, uint32_t *left, int64_t some)
{
    Batch b;

    for (int64_t g = 0; g * GROUP < n; g++)
        make_keys(c, i + g * GROUP, s->mask, &b, g);
    read_slots(s, &b, n);
    for (int64_t g = 0; g * GROUP < n; g++) {
        const __mmask8 bad = compare_keys(s, &b, g, numbers + i + g * GROUP);

        some = list(left, some, (uint32_t)(i + g * GROUP), bad);
    }
    return some;
}

/* How many of the cells can be read 16 bytes from their beginnings, in whole groups. */
static int64_t cells_ahead(const TextSet *s, const TextCells *c)
{
    int64_t n = s->keys.count > 0 ? c->count / GROUP * GROUP : 0;

    while (n > 0 && c->end - (c->text + c->ends[n - 1] - c->sizes[n - 1]) < TEXT_AHEAD)
        n -= GROUP;
    return n;
}

int64_t text_find_cells_avx512(const TextSet *s, const TextCells *c, uint32_t *numbers,
                               uint32_t *left)
{
    const int64_t n = cells_ahead(s, c);
    int64_t some = 0;

    for (int64_t i = 0; i < n; i += BATCH)
        some = find_batch(s, c, i, n - i < BATCH ? n - i : BATCH, numbers, left, some);
    for (int64_t i = n; i < c->count; i++) {
        numbers[i] = 0;
        left[some++] = (uint32_t)i;
    }
    return some;
}
