/* csv_numbers_avx512: numbers of a column, eight cells at a time.
 *
 * The 16 characters that end a cell are loaded, so that its digits are at the right end of a lane
 * whatever their number is. What belongs to each cell is a field of 16 bits in a word for four
 * cells, and so are its sign and its point; arithmetic on fields tells what is before the point,
 * which moves over it by a blend with the lanes shifted by one. Digits are joined in pairs, fours
 * and eights. A mantissa of at most 2^53 and a power of ten of at most 22 are exact, so that one
 * operation rounds right (Clinger 1990). No branch depends on the text as long as cells are of this
 * kind; the others are left to the caller. Costs 2 ns a number, a third of num_cell.h.
 */
#include "io/csv_numbers.h"

#include <immintrin.h>

enum { LANES = 4, WIDTH = 16, MOST_POWER = 22, EXPONENT = 4 /* characters, as in e-05 */ };

/* Fields of 16 bits: their lowest and highest bits. */
#define LOWS UINT64_C(0x0001000100010001)
#define TOPS UINT64_C(0x8000800080008000)

/* Four cells. */
typedef struct Lanes {
    __m512i text;
    uint64_t cell, minus, above; /* bits of the cell, its sign, its digits behind the point */
    __m512i fours;               /* four digits a 32-bit number */
    uint64_t bad;                /* a bit somewhere in the field */
} Lanes;

/* Eight cells. */
typedef struct Group {
    __m512i digits, fraction; /* integers, and how many digits stand behind the point */
    __mmask8 minus, bad;
} Group;

/* ---- fields ---- */

/* The highest bit of each field that has any. */
static inline uint64_t any(uint64_t x)
{
    return (((x & ~TOPS) + ~TOPS) | x) & TOPS;
}

static inline uint64_t first(uint64_t x) /* of bits that follow one another to the top */
{
    return x & ~(x << 1 & ~LOWS);
}

/* A bit for each of eight fields that has any. */
static inline __mmask8 fields(uint64_t low, uint64_t high)
{
    const __m128i x = _mm_set_epi64x((int64_t)high, (int64_t)low);

    return _mm_test_epi16_mask(x, x);
}

/* ---- four cells ---- */

static inline __m128i load_cell(const char *text, uint32_t end)
{
    return _mm_loadu_si128((const __m128i *)(const void *)(text + end - WIDTH));
}

static inline __m512i load_cells(const char *text, const uint32_t *ends)
{
    __m512i x = _mm512_castsi128_si512(load_cell(text, ends[0]));

    x = _mm512_inserti32x4(x, load_cell(text, ends[1]), 1);
    x = _mm512_inserti32x4(x, load_cell(text, ends[2]), 2);
    return _mm512_inserti32x4(x, load_cell(text, ends[3]), 3);
}

/* The bits of cells of these sizes. */
static inline void cell_bits(const uint32_t *sizes, uint64_t bits[2])
{
    const __m256i wide = _mm256_loadu_si256((const __m256i *)(const void *)sizes);
    const __m256i rest = _mm256_subs_epu16(_mm256_set1_epi32(WIDTH), wide);
    const __m128i x = _mm256_cvtepi32_epi16(_mm256_sllv_epi32(_mm256_set1_epi32(UINT16_MAX), rest));

    bits[0] = (uint64_t)_mm_cvtsi128_si64(x);
    bits[1] = (uint64_t)_mm_extract_epi64(x, 1);
}

static inline void join_digits(Lanes *l, __m512i text, uint64_t digits)
{
    const __m512i x = _mm512_maskz_sub_epi8(digits, text, _mm512_set1_epi8('0'));
    const __m512i pairs = _mm512_maddubs_epi16(x, _mm512_set1_epi16(10 + (1 << 8)));

    l->bad = _mm512_cmpgt_epu8_mask(x, _mm512_set1_epi8(9)) | (l->cell & ~digits & TOPS);
    l->fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(100 + (1 << 16)));
}

/* [-] digits */
static inline Lanes whole(const char *text, const uint32_t *ends, uint64_t cell)
{
    Lanes l = {.text = load_cells(text, ends), .cell = cell};

    l.minus = _mm512_mask_cmpeq_epi8_mask(first(cell), l.text, _mm512_set1_epi8('-'));
    join_digits(&l, l.text, cell & ~l.minus);
    return l;
}

/* [-] digits [. digits] */
static inline void decimal(Lanes *l)
{
    const uint64_t dots = _mm512_mask_cmpeq_epi8_mask(l->cell, l->text, _mm512_set1_epi8('.'));
    const uint64_t has = any(dots) >> (WIDTH - 1), upto = dots ^ (dots - has);
    uint64_t digits;

    l->minus = _mm512_mask_cmpeq_epi8_mask(first(l->cell), l->text, _mm512_set1_epi8('-'));
    digits = l->cell & ~l->minus;
    digits = (digits << 1 & ~LOWS & upto) | (digits & ~upto);
    l->above = ~upto & ((has << WIDTH) - has);
    join_digits(l, _mm512_mask_blend_epi8(upto, l->text, _mm512_bslli_epi128(l->text, 1)), digits);
}

/* ---- eight cells ---- */

/* The integers of eight cells from their fours. */
static inline __m512i join_fours(const Lanes *a, const Lanes *b)
{
    const __m512i eights = _mm512_madd_epi16(_mm512_packus_epi32(a->fours, b->fours),
                                             _mm512_set1_epi32(10000 + (1 << 16)));
    const __m512i both = _mm512_add_epi64(_mm512_mul_epu32(eights, _mm512_set1_epi64(100000000)),
                                          _mm512_srli_epi64(eights, 32));

    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), both);
}

static inline Group join(const Lanes *a, const Lanes *b)
{
    Group g = {.digits = join_fours(a, b), .minus = fields(a->minus, b->minus)};

    if (a->bad | b->bad)
        g.bad = fields(a->bad, b->bad);
    return g;
}

/* How many bits a field has that begin at its top: 2^16 minus these is a power of two. */
static inline __m512i count_above(uint64_t low, uint64_t high)
{
    const __m512i x = _mm512_cvtepu16_epi64(_mm_set_epi64x((int64_t)high, (int64_t)low));
    const __m512d power = _mm512_cvtepi64_pd(_mm512_sub_epi64(_mm512_set1_epi64(1 << WIDTH), x));

    return _mm512_sub_epi64(_mm512_set1_epi64(1023 + WIDTH),
                            _mm512_srli_epi64(_mm512_castpd_si512(power), 52));
}

/* Cells of more than 16 characters: what is before the last 16 may be a sign and a zero. */
static __attribute__((noinline)) void check_long(const char *text, const uint32_t *ends,
                                                 const uint32_t *sizes, Group *g)
{
    for (int k = 0; k < CSV_GROUP; k++) {
        const uint32_t size = sizes[k];
        const char *end = text + ends[k], *p = end - size;
        const bool is_long = size > WIDTH, minus = is_long && *p == '-';
        const uint32_t rest = size - minus;
        const bool good = (rest <= WIDTH || (rest == WIDTH + 1 && p[minus] == '0')) &&
                          end[-WIDTH] != '-'; /* no second sign */

        g->minus = (__mmask8)(g->minus | minus << k);
        g->bad = (__mmask8)(g->bad | (is_long && !good) << k);
    }
}

static inline bool any_long(const uint32_t *sizes)
{
    const __m256i eight = _mm256_loadu_si256((const __m256i *)(const void *)sizes);

    return _mm256_cmpgt_epu32_mask(eight, _mm256_set1_epi32(WIDTH));
}

static inline Group whole_group(const CsvColumn *c, int64_t i)
{
    uint64_t bits[2];
    Lanes a, b;
    Group g;

    cell_bits(c->sizes + i, bits);
    a = whole(c->text, c->ends + i, bits[0]);
    b = whole(c->text, c->ends + i + LANES, bits[1]);
    g = join(&a, &b);
    if (any_long(c->sizes + i))
        check_long(c->text, c->ends + i, c->sizes + i, &g);
    return g;
}

/* Takes exponents of two digits off the cells. */
static void cut_exponents(const CsvColumn *c, int64_t i, uint32_t *ends, uint32_t *sizes,
                          int64_t powers[CSV_GROUP])
{
    for (int k = 0; k < CSV_GROUP; k++) {
        const char *e = c->text + c->ends[i + k] - EXPONENT;
        const unsigned tens = (unsigned)e[2] - '0', ones = (unsigned)e[3] - '0';
        const bool has = c->sizes[i + k] > EXPONENT && (e[0] | 0x20) == 'e' &&
                         (e[1] == '-' || e[1] == '+') && tens <= 9 && ones <= 9;
        const int64_t power = (int64_t)(tens * 10 + ones);

        powers[k] = !has ? 0 : e[1] == '-' ? -power : power;
        ends[k] = c->ends[i + k] - (has ? EXPONENT : 0);
        sizes[k] = c->sizes[i + k] - (has ? EXPONENT : 0);
    }
}

static inline void load_group(const char *text, const uint32_t *ends, const uint32_t *sizes,
                              Lanes *a, Lanes *b)
{
    uint64_t bits[2];

    cell_bits(sizes, bits);
    *a = (Lanes){.text = load_cells(text, ends), .cell = bits[0]};
    *b = (Lanes){.text = load_cells(text, ends + LANES), .cell = bits[1]};
}

/* Where an exponent of two digits would begin. */
static inline bool has_exponent(const Lanes *l)
{
    const __m512i lower = _mm512_or_si512(l->text, _mm512_set1_epi8(0x20));

    return _mm512_mask_cmpeq_epi8_mask(l->cell & LOWS << (WIDTH - EXPONENT), lower,
                                       _mm512_set1_epi8('e'));
}

static const double ten[32] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline __m512d ten_to_some(__m512i power, const double *of) /* of 0 to 15 */
{
    return _mm512_permutex2var_pd(_mm512_loadu_pd(of), power, _mm512_loadu_pd(of + 8));
}

static inline __m512d ten_to(__m512i power) /* of 0 to 22 */
{
    return _mm512_mask_blend_pd(_mm512_test_epi64_mask(power, _mm512_set1_epi64(16)),
                                ten_to_some(power, ten), ten_to_some(power, ten + 16));
}

/* digits * 10^(powers - fraction) */
static inline __m512d scale(Group *g, const int64_t powers[CSV_GROUP])
{
    const __m512i zero = _mm512_setzero_si512(), most = _mm512_set1_epi64(MOST_POWER);
    const __m512d v = _mm512_cvtepi64_pd(g->digits);
    __m512i power;

    if (!powers)
        return _mm512_div_pd(v, ten_to_some(g->fraction, ten));
    power = _mm512_sub_epi64(_mm512_loadu_si512(powers), g->fraction);
    g->bad = (__mmask8)(g->bad | _mm512_cmpgt_epi64_mask(_mm512_abs_epi64(power), most));
    return _mm512_div_pd(_mm512_mul_pd(v, ten_to(_mm512_max_epi64(power, zero))),
                         ten_to(_mm512_max_epi64(_mm512_sub_epi64(zero, power), zero)));
}

static inline __m512d doubles_of(const CsvColumn *c, int64_t i, __mmask8 *bad)
{
    const uint32_t *ends = c->ends + i, *sizes = c->sizes + i;
    uint32_t cut_ends[CSV_GROUP], cut_sizes[CSV_GROUP];
    int64_t powers[CSV_GROUP];
    bool scaled;
    Lanes a, b;
    Group g;
    __m512d v;

    load_group(c->text, ends, sizes, &a, &b);
    scaled = has_exponent(&a) || has_exponent(&b);
    if (scaled) {
        cut_exponents(c, i, cut_ends, cut_sizes, powers);
        ends = cut_ends;
        sizes = cut_sizes;
        load_group(c->text, ends, sizes, &a, &b);
    }
    decimal(&a);
    decimal(&b);
    g = join(&a, &b);
    g.fraction = count_above(a.above, b.above);
    g.bad =
        (__mmask8)(g.bad | _mm512_cmpgt_epu64_mask(g.digits, _mm512_set1_epi64(INT64_C(1) << 53)));
    if (any_long(sizes))
        check_long(c->text, ends, sizes, &g);
    v = scale(&g, scaled ? powers : NULL);
    *bad = g.bad;
    return _mm512_mask_xor_pd(v, g.minus, v, _mm512_set1_pd(-0.0));
}

/* ---- columns ---- */

static inline __mmask8 cells_left(const CsvColumn *c, int64_t i)
{
    const int64_t left = c->count - i;

    return (__mmask8)((1u << (left < CSV_GROUP ? left : CSV_GROUP)) - 1);
}

static inline __m512i signed_of(const Group *g)
{
    return _mm512_mask_sub_epi64(g->digits, g->minus, _mm512_setzero_si512(), g->digits);
}

/* Keep which of the cells left were not put; are there some? */
static inline bool note_bad(const CsvColumn *c, int64_t i, unsigned bad)
{
    c->bad[i / CSV_GROUP] = (uint8_t)bad;
    return bad != 0;
}

bool csv_doubles_avx512(const CsvColumn *c, double *out)
{
    bool some = false;

    for (int64_t i = 0; i < c->count; i += CSV_GROUP) {
        const __mmask8 left = cells_left(c, i);
        __mmask8 bad;
        const __m512d v = doubles_of(c, i, &bad);

        _mm512_mask_storeu_pd(out + i, left, v);
        some |= note_bad(c, i, bad & left);
    }
    return some;
}

bool csv_int64s_avx512(const CsvColumn *c, int64_t *out)
{
    bool some = false;

    for (int64_t i = 0; i < c->count; i += CSV_GROUP) {
        const __mmask8 left = cells_left(c, i);
        const Group g = whole_group(c, i);

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
        const Group g = whole_group(c, i);
        const __m512i v = signed_of(&g);
        const __m256i narrow = _mm512_cvtepi64_epi32(v);
        const __mmask8 bad =
            (__mmask8)(g.bad | _mm512_cmpneq_epi64_mask(_mm512_cvtepi32_epi64(narrow), v));

        _mm256_mask_storeu_epi32(out + i, left, narrow);
        some |= note_bad(c, i, bad & left);
    }
    return some;
}
