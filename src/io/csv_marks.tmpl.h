/* The loop of csv_marks.c, for one instruction set; FILL names it.
 *
 * Comparing a block with separator, line end and quote gives three masks; marks are what is a
 * separator or line end and not inside quotes, where "inside" is the running parity of the quotes
 * before (Langdale and Lemire 2019, for JSON). Parity is right as long as quotes open cells or
 * follow a quote that closes, and no line ends inside of them. Where this does not hold the block
 * is `odd`, and the caller looks at that line in its own way. With AVX-512 no branch depends on
 * what a block holds. Costs half a nanosecond a cell or so, whatever the cells are.
 */
#include "io/csv_marks.h"

#if defined(__AVX512BW__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { BLOCK = 64, AHEAD = 2048 };

typedef struct Masks {
    uint64_t sep, line, quote;
} Masks;

#if defined(__AVX512BW__)
static inline Masks mask_block(const char *p, char sep)
{
    const __m512i x = _mm512_loadu_si512(p);

    return (Masks){_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(sep)),
                   _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\n')),
                   _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('"'))};
}
#elif defined(__SSE2__)
static inline uint64_t equal16(__m128i x, __m128i c, int at)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, c)) << at;
}

static inline Masks mask_block(const char *p, char sep)
{
    const __m128i s = _mm_set1_epi8(sep), n = _mm_set1_epi8('\n'), q = _mm_set1_epi8('"');
    Masks m = {0};

    for (int k = 0; k < BLOCK; k += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + k));

        m.sep |= equal16(x, s, k);
        m.line |= equal16(x, n, k);
        m.quote |= equal16(x, q, k);
    }
    return m;
}
#else
static inline Masks mask_block(const char *p, char sep)
{
    Masks m = {0};

    for (int k = 0; k < BLOCK; k++) {
        m.sep |= (uint64_t)(p[k] == sep) << k;
        m.line |= (uint64_t)(p[k] == '\n') << k;
        m.quote |= (uint64_t)(p[k] == '"') << k;
    }
    return m;
}
#endif

/* Bit k: the parity of bits 0 to k. */
#ifdef __PCLMUL__
enum { PARITIES_ARE_CHEAP = 1 };

static inline uint64_t parities(uint64_t x)
{
    const __m128i ones = _mm_set1_epi8(-1);

    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)x), ones, 0));
}
#else
enum { PARITIES_ARE_CHEAP = 0 };

static inline uint64_t parities(uint64_t x)
{
    for (int k = 1; k < BLOCK; k *= 2)
        x ^= x << k;
    return x;
}
#endif

/* Takes what is inside quotes out of the masks; false where the parity of quotes does not tell. */
static inline bool hide_quoted(CsvMarks *m, Masks *masks)
{
    const uint64_t inside = parities(masks->quote) ^ m->quoted;
    const uint64_t opening = masks->quote & inside, closing = masks->quote & ~inside;
    const uint64_t good = (masks->sep | masks->line | closing) << 1 | m->opens;

    if ((opening & ~good) | (masks->line & inside))
        return false;
    masks->sep &= ~inside;
    m->quoted = (uint64_t)((int64_t)inside >> (BLOCK - 1));
    return true;
}

/* The places of the bits of a mask; more are written than there are, for branches on their number
 * could not be foreseen. */
#if defined(__AVX512VBMI2__)
static const uint8_t places[BLOCK] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

static inline void put_bits(uint32_t *out, uint32_t from, uint64_t mask)
{
    const __m512i base = _mm512_set1_epi32((int)from);
    __m512i at = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(places));

    for (int left = __builtin_popcountll(mask);; left -= 16, out += 16) {
        _mm512_storeu_si512(
            out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(at))));
        if (left <= 16)
            break;
        at = _mm512_shuffle_i64x2(at, at, _MM_SHUFFLE(0, 3, 2, 1));
    }
}
#elif defined(__AVX512BW__)
static inline void put_bits(uint32_t *out, uint32_t from, uint64_t mask)
{
    __m512i at =
        _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32((int)from));

    for (int k = 0; k < BLOCK; k += 16, mask >>= 16) {
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi32((__mmask16)mask, at));
        out += __builtin_popcountll(mask & UINT16_MAX);
        at = _mm512_add_epi32(at, _mm512_set1_epi32(16));
    }
}
#else
static inline void put_bits(uint32_t *out, uint32_t from, uint64_t mask)
{
    enum { AT_ONCE = 8 };
    const int n = __builtin_popcountll(mask);

    for (int k = 0; k < AT_ONCE; k++, mask &= mask - 1)
        out[k] = from + (uint32_t)__builtin_ctzll(mask | UINT64_C(1) << (BLOCK - 1));
    for (int k = AT_ONCE; k < n; k++, mask &= mask - 1)
        out[k] = from + (uint32_t)__builtin_ctzll(mask);
}
#endif

/* Line ends, which are among the marks: there is one in a block or none, mostly. */
static inline void put_ends(CsvMarks *m, uint64_t all, uint64_t line)
{
    do {
        const uint64_t below = (line & (~line + 1)) - 1;

        m->ends[m->lines] = (uint32_t)(m->count + __builtin_popcountll(all & below));
        m->lines += line != 0;
        line &= line - 1;
    } while (line);
}

static inline void put_marks(CsvMarks *m, const Masks *masks)
{
    const uint64_t all = masks->sep | masks->line;

    put_bits(m->at + m->count, (uint32_t)(m->next - m->text), all);
    put_ends(m, all, masks->line);
    m->count += __builtin_popcountll(all);
}

/* The n < BLOCK characters at p; the text has a line end after it, whether it is there or not. */
static Masks mask_some(const CsvMarks *m, const char *p, int64_t n)
{
    char some[BLOCK] = {0};

    memcpy(some, p, (size_t)n);
    if (p + n == m->end && some[n - 1] != '\n')
        some[n] = '\n';
    return mask_block(some, m->sep);
}

/* The next block; false where quotes are odd. */
static inline bool fill_block(CsvMarks *m)
{
    const int64_t left = m->end - m->next, step = left > BLOCK   ? BLOCK
                                                  : left < BLOCK ? left
                                                                 : BLOCK / 2;
    Masks masks = step == BLOCK ? mask_block(m->next, m->sep) : mask_some(m, m->next, step);
    const uint64_t edges = masks.sep | masks.line | masks.quote;

    if ((PARITIES_ARE_CHEAP || (masks.quote | m->quoted)) && !hide_quoted(m, &masks))
        return false;
    m->opens = edges >> (step - 1) & 1;
    put_marks(m, &masks);
    m->next += step;
    return true;
}

void FILL(CsvMarks *marks)
{
    CsvMarks m = *marks; /* stays in registers */

    m.odd = false;
    while (m.next < m.end && m.count < m.room && !m.odd) {
        __builtin_prefetch(m.next + AHEAD);
        m.odd = !fill_block(&m);
    }
    *marks = m;
}
