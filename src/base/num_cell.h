/* num_cell: numbers that fill a cell whose ends are known.
 *
 * Idea: up to 16 digits are moved to the right end of a vector, the gap of the point closed by the
 * same shuffle, and joined in pairs, fours, eights; so no branch depends on how many digits a cell
 * has, which a processor could not foresee. A mantissa of at most 2^53 and a power of ten of at
 * most 22 are exact, so that one operation rounds right (Clinger 1990). Whatever is not of this
 * kind - longer, other signs and letters, other machines - is false: num_parse_double decides.
 * NUM_CELL_AHEAD bytes from the start of the cell must be readable.
 */
#ifndef NUM_CELL_H
#define NUM_CELL_H

#include <string.h>

#include "base/num.h"

#ifdef __SSE4_1__
#include <smmintrin.h>

enum { NUM_CELL_AHEAD = 18, NUM_CELL_DIGITS = 16, NUM_EXACT_POWER = 22 };

/* The bytes of text that `from` names, which are digits, as one integer; a byte below 0 stands for
 * a leading zero. */
static inline bool num_join16(__m128i text, __m128i from, uint64_t *out)
{
    const __m128i pad =
        _mm_and_si128(_mm_cmplt_epi8(from, _mm_setzero_si128()), _mm_set1_epi8('0'));
    const __m128i x =
        _mm_sub_epi8(_mm_or_si128(_mm_shuffle_epi8(text, from), pad), _mm_set1_epi8('0'));
    const __m128i pairs = _mm_maddubs_epi16(x, _mm_set1_epi16(10 + (1 << 8)));
    const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 + (1 << 16)));
    const __m128i eights =
        _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(10000 + (1 << 16)));
    const uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);

    *out = (both & UINT32_MAX) * 100000000 + (both >> 32);
    return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(x, _mm_set1_epi8(9)), _mm_set1_epi8(9))) ==
           0xffff;
}

/* Which byte goes where, so that n bytes end at the right. */
static inline __m128i num_right_aligned(size_t n)
{
    const __m128i order = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    return _mm_add_epi8(order, _mm_set1_epi8((char)(n - 16)));
}

/* [-] digits, 1 to 16 of them, in [p, p + n). */
static inline bool num_cell_int64(const char *p, size_t n, int64_t *out)
{
    const bool minus = n > 0 && *p == '-';
    uint64_t v;

    p += minus;
    n -= minus;
    if (n - 1 >= NUM_CELL_DIGITS ||
        !num_join16(_mm_loadu_si128((const __m128i *)(const void *)p), num_right_aligned(n), &v))
        return false;
    *out = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

/* Takes e, a sign and two digits off the end of [p, p + *n); false where there is an e of another
 * form. */
static inline bool num_cell_exponent(const char *p, size_t *n, int *power)
{
    const char *e = p + *n - 4;
    const unsigned tens = (unsigned)e[2] - '0', ones = (unsigned)e[3] - '0';

    if ((e[1] != '-' && e[1] != '+') || tens > 9 || ones > 9)
        return false;
    *n -= 4;
    *power = (int)(tens * 10 + ones);
    *power = e[1] == '-' ? -*power : *power;
    return true;
}

/* Digits and at most one point, 1 to 16 characters, as digits times 10^*power. */
static inline bool num_cell_decimal(const char *p, size_t n, uint64_t *digits, int *power)
{
    const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i dots = _mm_cmpeq_epi8(text, _mm_set1_epi8('.'));
    const unsigned found = (unsigned)_mm_movemask_epi8(dots) & ((1u << n) - 1);
    const int dot = found ? __builtin_ctz(found) : -1;
    __m128i from = num_right_aligned(n);

    /* what stands before the point moves over it */
    from = _mm_add_epi8(from, _mm_cmpgt_epi8(_mm_set1_epi8((char)(dot + 1)), from));
    *power -= found ? (int)n - 1 - dot : 0;
    return num_join16(text, from, digits) && (!found || n > 1);
}

/* [-] digits [. digits] [e sign digit digit], 1 to 16 digits and point, in [p, p + n). */
static inline bool num_cell_double(const char *p, size_t n, double *out)
{
    static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const bool minus = n > 0 && *p == '-';
    uint64_t digits, bits;
    int power = 0;
    double v;

    p += minus;
    n -= minus;
    if (n > 4 && (p[n - 4] | 0x20) == 'e' && !num_cell_exponent(p, &n, &power))
        return false;
    if (n > NUM_CELL_DIGITS && *p == '0') { /* 0.1 with 15 digits more */
        p++;
        n--;
    }
    if (n - 1 >= NUM_CELL_DIGITS || !num_cell_decimal(p, n, &digits, &power) ||
        digits > UINT64_C(1) << 53 || power < -NUM_EXACT_POWER || power > NUM_EXACT_POWER)
        return false;
    v = (double)digits * ten[power > 0 ? power : 0] / ten[power < 0 ? -power : 0];
    memcpy(&bits, &v, sizeof bits);
    bits |= (uint64_t)minus << 63;
    memcpy(out, &bits, sizeof bits);
    return true;
}

#else

enum { NUM_CELL_AHEAD = 0 };

static inline bool num_cell_int64(const char *p, size_t n, int64_t *out)
{
    return num_parse_int64(p, p + n, out);
}

static inline bool num_cell_double(const char *p, size_t n, double *out)
{
    return n > 0 && num_parse_double(p, p + n, out) == p + n;
}

#endif
#endif
