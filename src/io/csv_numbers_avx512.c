/* csv_numbers_avx512: numbers and truth values of a column, eight cells at a time.
 *
 * The characters that end eight cells are loaded, eight a cell, so that the last digits stand at
 * the tops of words whatever their number is; cells of more than 8 characters have a word before
 * that, of more than 16 another. What belongs to a cell follows from its size, by comparing it with
 * how far each character is from the end. What is before the point moves over it by a shift of the
 * word, and digits are joined in pairs, fours and eights. All this stays in vectors: columns of one
 * length cost 60 instructions for eight cells, and no branch depends on the text as long as cells
 * are of this kind; the others are left to the caller.
 *
 * Doubles are a mantissa of at most 2^53 times or divided by at most 10^22. Both are exact, so that
 * one operation rounds right (Clinger 1990). Instead of dividing by 10^k, v is multiplied by the
 * sum of two doubles h + l, l being what h = RN(10^-k) lacks: RN(v * h + RN(v * l)) is off the true
 * quotient by at most 2^-105 of it before the last rounding. A quotient of an integer of 53 bits by
 * 5^k that is none itself is further than 2^-54 / 5^k of it from the middle between two doubles,
 * and that is more for k of up to 22, so that it rounds as the quotient does (Brisebarre, Muller
 * and Raina 2004 for divisors in general).
 */
#include "io/csv_numbers.h"

#include <immintrin.h>

enum {
    WORD = 8,
    WORDS = 3,
    MOST_SIZE = WORDS * WORD,
    MOST_POWER = 22,
    EXPONENT = 4 /* characters, as in e-05 */
};

#define EACH UINT64_C(0x0101010101010101) /* a byte of a word */

#define INLINE static inline __attribute__((always_inline))

/* Eight cells: words of their last characters, and their sizes in each byte of a word. */
typedef struct Cells {
    __m512i word[WORDS]; /* the last one first */
    __m512i sizes;
} Cells;

/* What a word of each cell says. */
typedef struct Word {
    __m512i digits;   /* a byte each, 0 where there is none */
    __m512i fraction; /* how many digits of the cell are behind the point, if it is here */
    __mmask64 minus;
    __mmask8 point;
} Word;

/* What eight cells are: digits / 10^fraction, and a sign. */
typedef struct Group {
    __m512i digits, fraction;
    __mmask8 minus, bad;
} Group;

/* ---- words ---- */

INLINE __m512i repeat(uint64_t word)
{
    return _mm512_set1_epi64((int64_t)word);
}

/* Cells with any of these characters. */
INLINE __mmask8 cells_with(__mmask64 characters)
{
    const __m512i x = _mm512_movm_epi8(characters);

    return _mm512_test_epi64_mask(x, x);
}

INLINE long long load_word(const char *p)
{
    long long word;

    memcpy(&word, p, sizeof word);
    return word;
}

INLINE __m512i load_words(const char *text, const uint32_t *ends)
{
    return _mm512_setr_epi64(load_word(text + ends[0]), load_word(text + ends[1]),
                             load_word(text + ends[2]), load_word(text + ends[3]),
                             load_word(text + ends[4]), load_word(text + ends[5]),
                             load_word(text + ends[6]), load_word(text + ends[7]));
}

INLINE __m256i load_sizes(const CsvColumn *c, int64_t i)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(c->sizes + i));
}

/* How many characters of a cell come after each of those of a word. */
INLINE __m512i after(int word)
{
    return repeat(UINT64_C(0x0001020304050607) + EACH * WORD * (uint64_t)word);
}

INLINE __mmask64 is_letter(__m512i text, char letter, __mmask64 in)
{
    return _mm512_mask_cmpeq_epi8_mask(in, text, _mm512_set1_epi8(letter));
}

/* The sign is the first character and not the last. */
INLINE __mmask64 sign_of(const Cells *c, int word)
{
    const __m512i one = repeat(word ? EACH : UINT64_C(0xff01010101010101));
    const __m512i size_there = _mm512_add_epi8(after(word), one);

    return is_letter(c->word[word], '-', _mm512_cmpeq_epi8_mask(c->sizes, size_there));
}

/* [-] digits */
INLINE Word whole(const Cells *c, int word)
{
    const __mmask64 cell = _mm512_cmplt_epu8_mask(after(word), c->sizes);
    Word w = {.minus = sign_of(c, word)};

    w.digits =
        _mm512_maskz_sub_epi8(_kandn_mask64(w.minus, cell), c->word[word], _mm512_set1_epi8('0'));
    return w;
}

/* [-] digits [. digits], where a point at the end has two characters before it. What is before the
 * point moves over it; a second one stays as a bad digit. */
INLINE Word decimal(const Cells *c, int word)
{
    const __m512i size_below = word ? after(word) : repeat(UINT64_C(0x0201020304050607));
    const __m512i ends = repeat(UINT64_C(0x4038302820181008)); /* bits up to a character */
    const __mmask64 dots =
        is_letter(c->word[word], '.', _mm512_cmplt_epu8_mask(size_below, c->sizes));
    const __m512i zero = _mm512_setzero_si512();
    const __m512i upto = _mm512_sad_epu8(_mm512_maskz_mov_epi8(dots, ends), zero);
    Word w = whole(c, word);

    w.digits = _mm512_ternarylogic_epi64(_mm512_sllv_epi64(_mm512_set1_epi64(-1), upto), w.digits,
                                         _mm512_slli_epi64(w.digits, 8), 0xca /* a ? b : c */);
    w.fraction = _mm512_sad_epu8(_mm512_maskz_mov_epi8(dots, after(word)), zero);
    w.point = _mm512_test_epi64_mask(upto, upto);
    return w;
}

INLINE __mmask64 bad_digits(const Word *w)
{
    return _mm512_cmpgt_epu8_mask(w->digits, _mm512_set1_epi8(9));
}

/* The number that the eight digits of each cell are. */
INLINE __m512i join(const Word *w)
{
    const __m512i pairs = _mm512_maddubs_epi16(w->digits, _mm512_set1_epi16(10 + (1 << 8)));
    const __m512i fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(100 + (1 << 16)));

    return _mm512_add_epi64(_mm512_mul_epu32(fours, _mm512_set1_epi64(10000)),
                            _mm512_srli_epi64(fours, 32));
}

/* ---- cells ---- */

INLINE bool any_longer(const Cells *c, int size)
{
    return _mm512_cmpgt_epu8_mask(c->sizes, _mm512_set1_epi8((char)size)) != 0;
}

INLINE Cells load_cells(const CsvColumn *c, int64_t i)
{
    const __m256i some = _mm256_min_epu32(load_sizes(c, i), _mm256_set1_epi32(MOST_SIZE + 1));
    const __m512i lowest = _mm512_set4_epi32(0x08080808, 0x08080808, 0, 0);
    Cells cells = {.sizes = _mm512_shuffle_epi8(_mm512_cvtepu32_epi64(some), lowest)};

    cells.word[0] = load_words(c->text - WORD, c->ends + i);
    if (any_longer(&cells, WORD))
        cells.word[1] = load_words(c->text - 2 * WORD, c->ends + i);
    if (any_longer(&cells, 2 * WORD))
        cells.word[2] = load_words(c->text - 3 * WORD, c->ends + i);
    return cells;
}

INLINE Word word_of(const Cells *c, int word, bool points)
{
    return points ? decimal(c, word) : whole(c, word);
}

INLINE Group short_cells(const Cells *c, bool points)
{
    const Word w = word_of(c, 0, points);

    return (Group){join(&w), w.fraction, cells_with(w.minus), cells_with(bad_digits(&w))};
}

/* Before the last two words there may be a sign, a point and zeros. */
INLINE void add_front(const Cells *c, bool points, __mmask8 point, Group *g)
{
    const Word w = word_of(c, 2, points);
    const __mmask64 long_cell = _mm512_cmpgt_epu8_mask(c->sizes, _mm512_set1_epi8(MOST_SIZE));

    g->fraction = _mm512_add_epi64(g->fraction, w.fraction);
    g->minus |= cells_with(w.minus);
    g->bad |= (w.point & point) | cells_with(_mm512_test_epi8_mask(w.digits, w.digits) | long_cell);
}

/* Cells of two words and three. */
INLINE Group long_cells(const Cells *c, bool points)
{
    const Word w = word_of(c, 0, points), before = word_of(c, 1, points);
    const __m512i shift =
        _mm512_mask_mov_epi64(_mm512_set1_epi64(100000000), w.point, _mm512_set1_epi64(10000000));
    Group g = {.digits = _mm512_add_epi64(join(&w), _mm512_mul_epu32(join(&before), shift)),
               .fraction = _mm512_add_epi64(w.fraction, before.fraction),
               .minus = cells_with(w.minus | before.minus),
               .bad = cells_with(bad_digits(&w) | bad_digits(&before))};

    g.bad |= w.point & before.point;
    if (any_longer(c, 2 * WORD))
        add_front(c, points, w.point | before.point, &g);
    return g;
}

INLINE Group whole_cells(const CsvColumn *column, int64_t i)
{
    const Cells c = load_cells(column, i);

    return any_longer(&c, WORD) ? long_cells(&c, false) : short_cells(&c, false);
}

/* ---- powers of ten ---- */

enum { POWERS = 32 };

static const double ten[POWERS] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const double tenth[POWERS] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
                                     1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15,
                                     1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22};

/* What those lack of the powers of ten, rounded. */
static const double rest[POWERS] = {0.0,
                                    -5.551115123125783e-18,
                                    -2.0816681711721684e-19,
                                    -2.0816681711721686e-20,
                                    -4.79217360238593e-21,
                                    -8.180305391403131e-22,
                                    4.525188817411374e-23,
                                    4.525188817411374e-24,
                                    -2.092256083012847e-25,
                                    -6.228159145777985e-26,
                                    -3.643219731549774e-27,
                                    6.050303071806019e-28,
                                    2.0113352370744385e-29,
                                    -3.037374556340037e-30,
                                    1.1806906454401013e-32,
                                    -7.770539987666108e-32,
                                    2.0902213275965398e-33,
                                    -7.154242405462192e-34,
                                    -7.154242405462193e-35,
                                    2.475407316473987e-36,
                                    5.484672854579043e-37,
                                    9.246254777210363e-38,
                                    -4.859677432657087e-39};

INLINE __m512d pick(const double of[POWERS], __m512i k)
{
    const __m512d low = _mm512_permutex2var_pd(_mm512_loadu_pd(of), k, _mm512_loadu_pd(of + 8));
    const __m512d high =
        _mm512_permutex2var_pd(_mm512_loadu_pd(of + 16), k, _mm512_loadu_pd(of + 24));

    return _mm512_mask_mov_pd(low, _mm512_test_epi64_mask(k, _mm512_set1_epi64(16)), high);
}

INLINE __m512d times_sum(__m512d v, __m512d high, __m512d low)
{
    return _mm512_fmadd_pd(v, high, _mm512_mul_pd(v, low));
}

/* v / 10^k, k of 0 to 7. */
INLINE __m512d divide_some(__m512d v, __m512i k)
{
    return times_sum(v, _mm512_permutexvar_pd(k, _mm512_loadu_pd(tenth)),
                     _mm512_permutexvar_pd(k, _mm512_loadu_pd(rest)));
}

/* v / 10^k, k of 0 to 22. */
INLINE __m512d divide(__m512d v, __m512i k)
{
    return times_sum(v, pick(tenth, k), pick(rest, k));
}

INLINE __mmask8 above_most(__m512i power)
{
    return _mm512_cmpgt_epu64_mask(power, _mm512_set1_epi64(MOST_POWER));
}

INLINE __mmask8 above_exact(__m512i digits)
{
    return _mm512_cmpgt_epu64_mask(digits, _mm512_set1_epi64(INT64_C(1) << 53));
}

/* ---- doubles ---- */

typedef struct Doubles {
    __m512d v;
    __mmask8 bad;
} Doubles;

INLINE Doubles with_signs(__m512d v, const Group *g)
{
    return (Doubles){_mm512_mask_xor_pd(v, g->minus, v, _mm512_set1_pd(-0.0)), g->bad};
}

INLINE Doubles plain_doubles(const CsvColumn *column, int64_t i)
{
    const Cells c = load_cells(column, i);
    Group g;
    __m512d v;

    if (any_longer(&c, WORD)) {
        g = long_cells(&c, true);
        g.bad |= above_most(g.fraction) | above_exact(g.digits);
        v = divide(_mm512_cvtepi64_pd(g.digits), g.fraction);
    } else {
        g = short_cells(&c, true);
        v = divide_some(_mm512_cvtepi64_pd(g.digits), g.fraction);
    }
    return with_signs(v, &g);
}

/* Takes exponents of two digits off the cells; which had one? What then is missing of the longest
 * cells comes in as characters 0, which are no digits. */
INLINE __mmask8 cut_exponents(Cells *c, __m512i *powers)
{
    const __m512i last = c->word[0], zero = _mm512_setzero_si512(), nines = repeat(0x0909);
    const __m512i length = repeat(EACH * EXPONENT);
    const __m512i head = _mm512_and_si512(_mm512_srli_epi64(last, 32), repeat(0xffdf)); /* E */
    const __m512i digits = _mm512_srli_epi64(_mm512_sub_epi8(last, _mm512_set1_epi8('0')), 48);
    const __mmask8 fits = _mm512_mask_cmpeq_epi64_mask(_mm512_cmpgt_epu64_mask(c->sizes, length),
                                                       _mm512_min_epu8(digits, nines), digits);
    const __mmask8 plus = _mm512_mask_cmpeq_epi64_mask(fits, head, repeat('E' | '+' << 8));
    const __mmask8 minus = _mm512_mask_cmpeq_epi64_mask(fits, head, repeat('E' | '-' << 8));
    const __mmask8 has = plus | minus;
    const __m512i power = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(10 + (1 << 8)));

    *powers = _mm512_mask_sub_epi64(_mm512_maskz_mov_epi64(plus, power), minus, zero, power);
    c->sizes = _mm512_mask_sub_epi64(c->sizes, has, c->sizes, length);
    for (int k = 0; k < WORDS; k++) {
        const __m512i before = k + 1 < WORDS ? c->word[k + 1] : zero;

        c->word[k] = _mm512_mask_or_epi64(c->word[k], has, _mm512_slli_epi64(c->word[k], 32),
                                          _mm512_srli_epi64(before, 32));
    }
    return has;
}

INLINE Doubles scaled_doubles(const CsvColumn *column, int64_t i, bool *some)
{
    const __m512i zero = _mm512_setzero_si512();
    Cells c = load_cells(column, i);
    __m512i power, up, down;
    Group g;
    __m512d v;

    *some = cut_exponents(&c, &power) != 0;
    g = any_longer(&c, WORD) ? long_cells(&c, true) : short_cells(&c, true);
    up = _mm512_max_epi64(_mm512_sub_epi64(power, g.fraction), zero);
    down = _mm512_max_epi64(_mm512_sub_epi64(g.fraction, power), zero);
    g.bad |= above_most(_mm512_max_epi64(up, down)) | above_exact(g.digits);
    v = _mm512_mul_pd(_mm512_cvtepi64_pd(g.digits), pick(ten, up)); /* one of them is 0 */
    return with_signs(divide(v, down), &g);
}

/* ---- truth values ---- */

/* Which cells are this text of at most eight characters. */
INLINE __mmask8 is_text(__m512i last, __m256i sizes, const char *text, unsigned size)
{
    const unsigned before = 8 * (WORD - size);
    uint64_t word = 0;

    memcpy(&word, text, size);
    return _mm512_mask_cmpeq_epi64_mask(
        _mm256_cmpeq_epi32_mask(sizes, _mm256_set1_epi32((int)size)),
        _mm512_srli_epi64(last, before), repeat(word));
}

/* ---- columns ---- */

INLINE __mmask8 cells_left(const CsvColumn *c, int64_t i)
{
    const int64_t left = c->count - i;

    return (__mmask8)((1u << (left < CSV_GROUP ? left : CSV_GROUP)) - 1);
}

INLINE __m512i signed_of(const Group *g)
{
    return _mm512_mask_sub_epi64(g->digits, g->minus, _mm512_setzero_si512(), g->digits);
}

/* Keep which of the cells left were not put; are there some? */
INLINE bool note_bad(const CsvColumn *c, int64_t i, unsigned bad)
{
    c->bad[i / CSV_GROUP] = (uint8_t)bad;
    return bad != 0;
}

bool csv_doubles_avx512(const CsvColumn *c, double *out)
{
    bool some = false, scaled = false;

    for (int64_t i = 0; i < c->count; i += CSV_GROUP) {
        const __mmask8 left = cells_left(c, i);
        Doubles d;

        if (!scaled) {
            d = plain_doubles(c, i);
            scaled = d.bad;
        }
        if (scaled)
            d = scaled_doubles(c, i, &scaled);
        _mm512_mask_storeu_pd(out + i, left, d.v);
        some |= note_bad(c, i, d.bad & left);
    }
    return some;
}

bool csv_int64s_avx512(const CsvColumn *c, int64_t *out)
{
    bool some = false;

    for (int64_t i = 0; i < c->count; i += CSV_GROUP) {
        const __mmask8 left = cells_left(c, i);
        const Group g = whole_cells(c, i);

        _mm512_mask_storeu_epi64(out + i, left, signed_of(&g));
        some |= note_bad(c, i, g.bad & left);
    }
    return some;
}

bool csv_int32s_avx512(const CsvColumn *c, int32_t *out)
{
    bool some = false;

    for (int64_t i = 0; i < c->count; i += CSV_GROUP) {
        const __mmask8 left = cells_left(c, i);
        const Group g = whole_cells(c, i);
        const __m512i v = signed_of(&g);
        const __m256i narrow = _mm512_cvtepi64_epi32(v);
        const __mmask8 bad =
            (__mmask8)(g.bad | _mm512_cmpneq_epi64_mask(_mm512_cvtepi32_epi64(narrow), v));

        _mm256_mask_storeu_epi32(out + i, left, narrow);
        some |= note_bad(c, i, bad & left);
    }
    return some;
}

bool csv_truths_avx512(const CsvColumn *c, uint8_t *out)
{
    bool some = false;

    for (int64_t i = 0; i < c->count; i += CSV_GROUP) {
        const __mmask8 left = cells_left(c, i);
        const __m256i sizes = load_sizes(c, i);
        const __m512i last = load_words(c->text - WORD, c->ends + i);
        const __mmask8 yes = is_text(last, sizes, "true", 4);
        const __mmask8 no = is_text(last, sizes, "false", 5);
        const __mmask8 empty = _mm256_testn_epi32_mask(sizes, sizes);

        _mm_mask_storeu_epi8(out + i, left, _mm_maskz_set1_epi8(yes, 1));
        some |= note_bad(c, i, (uint8_t) ~(yes | no | empty) & left);
    }
    return some;
}
