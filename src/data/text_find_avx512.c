/* text_find_avx512: cells looked up in a set, eight at a time.
 *
 * As text_find.c, but that keys, hashes and comparisons are those of eight cells at once; only the
 * loads of their texts, slots and keys are one by one (instructions that gather are slower). Texts
 * of 16 to 32 bytes have their hashes made by eights too, and then their bytes compared one after
 * the other. Cells whose slot holds another text are queued for the next slot, again by eights,
 * until they are found or are at a free slot. No step branches on what a single cell is. A set of
 * few texts is none of this: each is compared with eight cells.
 *
 * Empty cells are null. Left to the caller, in their order, are texts of more than 32 bytes and
 * those that the set does not have: no text of the set has outer blanks, so cells that have to be
 * trimmed are among them.
 *
 * Cost: 2 ns a cell while the set fits the L1 cache.
 */
#include "data/text_key.h"

#include <immintrin.h>

enum {
    GROUP = 8,
    BATCH = 128,
    FEW = 8,
    NEAR = 1024, /* so many keys are in the cache without being fetched first */
    LONGEST = 2 * TEXT_AHEAD
};

typedef struct Words {
    __m512i low, high;
} Words;

/* Cells that go on to their next slots: their keys, and their places in the batch. */
typedef struct Queue {
    uint64_t low[BATCH + GROUP], high[BATCH + GROUP];
    uint32_t slots[BATCH + GROUP], places[BATCH + GROUP];
    int64_t count;
} Queue;

/* Some cells on their way. */
typedef struct Batch {
    const TextSet *set;
    bool few; /* texts */
    TextCells cells;
    uint32_t begins[BATCH], lasts[BATCH]; /* where they begin, and their last 16 bytes if long */
    Words keys[BATCH / GROUP];
    uint32_t slots[BATCH + GROUP]; /* and then the numbers that these hold */
    __mmask8 left[BATCH / GROUP];
    Queue queue;
} Batch;

static inline __m128i load16(const void *p)
{
    return _mm_loadu_si128(p);
}

static inline __m256i load8(const uint32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline void store8(uint32_t *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

/* The first n of a group, at most. */
static inline __mmask8 first_lanes(int64_t n)
{
    return (__mmask8)(n < GROUP ? (1 << n) - 1 : 0xFF);
}

static inline __m256i places_from(int64_t i)
{
    return _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)i));
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

/* ---- keys ---- */

static void find_begins(Batch *b)
{
    const TextCells *c = &b->cells;

    for (int64_t i = 0; i < c->count; i += GROUP) {
        const __mmask8 some = first_lanes(c->count - i);
        const __m256i ends = _mm256_maskz_loadu_epi32(some, c->ends + i),
                      sizes = _mm256_maskz_loadu_epi32(some, c->sizes + i),
                      begins = _mm256_sub_epi32(ends, sizes);
        const __mmask8 wide = _mm256_cmpgt_epu32_mask(sizes, _mm256_set1_epi32(TEXT_SHORT));

        store8(b->begins + i, begins);
        store8(b->lasts + i,
               _mm256_mask_sub_epi32(begins, wide, ends, _mm256_set1_epi32(TEXT_AHEAD)));
    }
}

/* Keys of long texts, of which these are the first and last words; of those that are too long one
 * that no text has. */
static inline Words long_keys(Words first, Words last, __m512i size)
{
    const __mmask8 fit = _mm512_cmple_epu64_mask(size, _mm512_set1_epi64(LONGEST));
    const __m512i hash = _mm512_add_epi64(mix(first), _mm512_srli_epi64(mix(last), 32)),
                  high = _mm512_or_si512(size, _mm512_set1_epi64((int64_t)TEXT_LONG));

    return (Words){hash, _mm512_mask_mov_epi64(_mm512_set1_epi64((int64_t)TEXT_LONG), fit, high)};
}

/* Keys of the group of cells from i; their high words are 0 where cells are empty. */
static inline void make_keys(Batch *b, int64_t i)
{
    const TextCells *c = &b->cells;
    const __m512i size =
        _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(first_lanes(c->count - i), c->sizes + i));
    const __mmask8 wide = _mm512_cmpgt_epu64_mask(size, _mm512_set1_epi64(TEXT_SHORT));
    const Words w = load_words(c->text, b->begins + i, 1);
    Words k = cut_words(w, _mm512_slli_epi64(size, 3));

    k.high = _mm512_or_si512(k.high, _mm512_slli_epi64(size, TEXT_SIZE_SHIFT));
    if (wide) {
        const Words own = long_keys(w, load_words(c->text, b->lasts + i, 1), size);

        k = (Words){_mm512_mask_mov_epi64(k.low, wide, own.low),
                    _mm512_mask_mov_epi64(k.high, wide, own.high)};
    }
    b->keys[i / GROUP] = k;
}

/* Those of a group that are cells, and not empty. */
static inline __mmask8 cells_with_text(const Batch *b, int64_t i)
{
    const __m512i high = b->keys[i / GROUP].high;

    return _mm512_test_epi64_mask(high, high);
}

/* ---- few texts ---- */

/* Whether cells are rather compared with each text of the set, as these are few and short. */
static bool has_few(const TextSet *s)
{
    if (s->entries.count > FEW)
        return false;
    for (int k = 1; k <= s->entries.count; k++)
        if (s->keys.items[k].high >= TEXT_LONG)
            return false;
    return true;
}

/* The numbers of the group of cells from i. */
static inline void few_numbers(Batch *b, int64_t i, uint32_t *numbers)
{
    const Words keys = b->keys[i / GROUP];
    const TextKey *own = b->set->keys.items;
    const __mmask8 texts = cells_with_text(b, i);
    __m256i number = _mm256_setzero_si256();

    for (int k = 1; k <= b->set->entries.count; k++) {
        const __m512i differs =
            _mm512_or_si512(_mm512_xor_si512(keys.low, _mm512_set1_epi64((int64_t)own[k].low)),
                            _mm512_xor_si512(keys.high, _mm512_set1_epi64((int64_t)own[k].high)));

        number = _mm256_mask_mov_epi32(number, _mm512_testn_epi64_mask(differs, differs),
                                       _mm256_set1_epi32(k));
    }
    number = _mm256_maskz_mov_epi32(texts, number);
    _mm256_mask_storeu_epi32(numbers + i, first_lanes(b->cells.count - i), number);
    b->left[i / GROUP] = _mm256_mask_testn_epi32_mask(texts, number, number);
}

/* ---- slots ---- */

static inline __m256i first_slots(const TextSet *s, Words keys)
{
    return _mm256_and_si256(_mm512_cvtepi64_epi32(_mm512_srli_epi64(mix(keys), 32)),
                            _mm256_set1_epi32((int)s->mask));
}

/* The numbers in slots, in their place. */
static void read_slots(const TextSet *s, uint32_t *slots, int64_t n)
{
    if (s->keys.count <= NEAR)
        for (int64_t i = 0; i < n; i++)
            slots[i] = s->slots[slots[i]];
    else
        for (int64_t i = 0; i < n; i++) {
            slots[i] = s->slots[slots[i]];
            __builtin_prefetch(s->keys.items + slots[i]);
        }
}

/* Whether texts of the same size, which is at most 32, are the same. */
static inline bool same_bytes(const char *a, const char *b, size_t size)
{
    const __mmask32 some = _bzhi_u32(UINT32_MAX, (uint32_t)size);

    return !_mm256_mask_cmpneq_epi8_mask(some, _mm256_maskz_loadu_epi8(some, a),
                                         _mm256_maskz_loadu_epi8(some, b));
}

/* Of the long texts `which` at these places, those that are the texts with the numbers. */
static __mmask8 same_long(const Batch *b, const uint32_t *numbers, __m256i places, __mmask8 which)
{
    const TextSet *s = b->set;
    uint32_t at[GROUP], same = 0;

    store8(at, places);
    for (uint32_t more = which; more; more &= more - 1) {
        const int k = __builtin_ctz(more);
        const TextEntry e = s->entries.items[numbers[k] - 1];

        same |=
            (uint32_t)same_bytes(b->cells.text + b->begins[at[k]], s->bytes.data + e.from, e.size)
            << k;
    }
    return (__mmask8)same;
}

/* Of eight cells, those that are the texts with the numbers. */
static inline __mmask8 same_texts(const Batch *b, Words keys, const uint32_t *numbers,
                                  __m256i places, __mmask8 which)
{
    const Words own = load_words((const char *)b->set->keys.items, numbers, sizeof(TextKey));
    const __mmask8 same = _mm512_mask_cmpeq_epu64_mask(
        _mm512_mask_cmpeq_epu64_mask(which, own.low, keys.low), own.high, keys.high);
    const __mmask8 wide =
        _mm512_mask_cmpge_epu64_mask(same, keys.high, _mm512_set1_epi64((int64_t)TEXT_LONG));

    return wide ? (__mmask8)((same & ~wide) | same_long(b, numbers, places, wide)) : same;
}

/* The cells of eight that are at other texts go on to the next slots. */
static inline void go_on(Batch *b, Words keys, __m256i slots, __m256i places, __mmask8 which)
{
    Queue *q = &b->queue;
    const __m256i next = _mm256_and_si256(_mm256_add_epi32(slots, _mm256_set1_epi32(1)),
                                          _mm256_set1_epi32((int)b->set->mask));

    _mm512_storeu_si512(q->low + q->count, _mm512_maskz_compress_epi64(which, keys.low));
    _mm512_storeu_si512(q->high + q->count, _mm512_maskz_compress_epi64(which, keys.high));
    store8(q->slots + q->count, _mm256_maskz_compress_epi32(which, next));
    store8(q->places + q->count, _mm256_maskz_compress_epi32(which, places));
    q->count += __builtin_popcount(which);
}

/* The group of cells from i at the numbers in their first slots. */
static inline void first_numbers(Batch *b, int64_t i, uint32_t *numbers)
{
    const Words keys = b->keys[i / GROUP];
    const __m256i number = load8(b->slots + i), places = places_from(i);
    const __mmask8 texts = cells_with_text(b, i),
                   same = same_texts(b, keys, b->slots + i, places, texts),
                   others = _mm256_mask_test_epi32_mask((__mmask8)(texts & ~same), number, number);

    _mm256_mask_storeu_epi32(numbers + i, first_lanes(b->cells.count - i),
                             _mm256_maskz_mov_epi32(same, number));
    b->left[i / GROUP] = (__mmask8)(texts & ~(same | others));
    if (others)
        go_on(b, keys, first_slots(b->set, keys), places, others);
}

static void mark_left(Batch *b, const uint32_t *places, __mmask8 which)
{
    for (uint32_t more = which; more; more &= more - 1) {
        const uint32_t at = places[__builtin_ctz(more)];

        b->left[at / GROUP] |= (__mmask8)(1 << at % GROUP);
    }
}

/* All in the queue at the numbers in their next slots. */
static void next_numbers(Batch *b, uint32_t *numbers)
{
    Queue *q = &b->queue;
    const int64_t n = q->count;

    store8(b->slots + n, _mm256_setzero_si256());
    memcpy(b->slots, q->slots, (size_t)n * sizeof *q->slots);
    read_slots(b->set, b->slots, n);
    q->count = 0;
    for (int64_t i = 0; i < n; i += GROUP) {
        const Words keys = {_mm512_loadu_si512(q->low + i), _mm512_loadu_si512(q->high + i)};
        const __m256i number = load8(b->slots + i), places = load8(q->places + i);
        const __mmask8 which = first_lanes(n - i),
                       same = same_texts(b, keys, b->slots + i, places, which),
                       none = _mm256_mask_testn_epi32_mask(which, number, number);

        _mm256_mask_i32scatter_epi32(numbers, same, places, number, sizeof *numbers);
        mark_left(b, q->places + i, none);
        go_on(b, keys, load8(q->slots + i), places, (__mmask8)(which & ~(same | none)));
    }
}

/* The places of the bits of a group. */
static inline int64_t list(uint32_t *left, int64_t n, int64_t from, __mmask8 bits)
{
    store8(left + n, _mm256_maskz_compress_epi32(bits, places_from(from)));
    return n + __builtin_popcount(bits);
}

static void find_numbers(Batch *b, uint32_t *numbers)
{
    const int64_t n = b->cells.count;

    for (int64_t i = 0; i < n; i += GROUP)
        store8(b->slots + i, first_slots(b->set, b->keys[i / GROUP]));
    read_slots(b->set, b->slots, (n + GROUP - 1) / GROUP * GROUP);
    b->queue.count = 0;
    for (int64_t i = 0; i < n; i += GROUP)
        first_numbers(b, i, numbers);
    while (b->queue.count > 0)
        next_numbers(b, numbers);
}

/* The numbers of a batch; its cells that are left are listed, counted from `from`. */
static int64_t find_batch(Batch *b, int64_t from, uint32_t *numbers, uint32_t *left, int64_t some)
{
    const int64_t n = b->cells.count;

    find_begins(b);
    for (int64_t i = 0; i < n; i += GROUP)
        make_keys(b, i);
    if (b->few)
        for (int64_t i = 0; i < n; i += GROUP)
            few_numbers(b, i, numbers);
    else
        find_numbers(b, numbers);
    for (int64_t i = 0; i < n; i += GROUP)
        some = list(left, some, from + i, b->left[i / GROUP]);
    return some;
}

/* How many of the cells can be read 16 bytes from their beginnings. */
static int64_t cells_ahead(const TextSet *s, const TextCells *c)
{
    int64_t n = s->entries.count > 0 ? c->count : 0;

    while (n > 0 && c->end - (c->text + c->ends[n - 1] - c->sizes[n - 1]) < TEXT_AHEAD)
        n--;
    return n;
}

int64_t text_find_cells_avx512(const TextSet *s, const TextCells *c, uint32_t *numbers,
                               uint32_t *left)
{
    const int64_t n = cells_ahead(s, c);
    int64_t some = 0;
    Batch b;

    b.set = s;
    b.few = has_few(s);
    for (int64_t i = 0; i < n; i += BATCH) {
        b.cells =
            (TextCells){c->text, c->end, c->ends + i, c->sizes + i, n - i < BATCH ? n - i : BATCH};
        some = find_batch(&b, i, numbers + i, left, some);
    }
    for (int64_t i = n; i < c->count; i++) {
        numbers[i] = 0;
        left[some++] = (uint32_t)i;
    }
    return some;
}
