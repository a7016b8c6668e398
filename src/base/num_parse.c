/* Parsing numbers, exactly rounded.
 *
 * Eight characters at a time become digits inside one 64-bit word. The first 19 significant digits
 * w and a power of ten q then decide: if w < 2^53 and |q| <= 22 one IEEE operation on exact
 * operands rounds right (Clinger 1990). Otherwise w times the 128-bit power of ten brackets the
 * value in an interval two units of the 128th bit wide; only if a rounding boundary lies inside it
 * (Lemire 2021, after Eisel) do big integers compare the digits with that boundary. Costs about 12
 * ns a number; the last resort about 1 us, for ties and digit strings made to be hard.
 */
#include "base/num.h"

#include <string.h>

#include "base/num_impl.h"

enum {
    EXACT_DIGITS = 19, /* any 19 digits fit 64 bits */
    MAX_DIGITS = 768,  /* a halfway point between doubles has at most 767 significant digits */
    EXP_CAP = 100000   /* beyond it an exponent changes nothing for texts shorter than memory allows
                          to matter */
};

/* Where a number's digits are. */
typedef struct {
    const char *first, *stop; /* digits and at most one point */
    const char *point;        /* NULL if none */
    uint64_t w;    /* all digits as one integer, wrapped around if there are more than 19 */
    int64_t exp10; /* value = digits * 10^exp10 */
    int64_t count; /* digits, leading zeros included */
} Scan;

static inline uint64_t load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* Eight digit values, the first in the lowest byte, as one integer: neighbours join to pairs,
 * quads, the whole. */
static inline uint64_t join8(uint64_t v)
{
    v = (v * (1 + (10 << 8)) >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v * (1 + (100 << 16)) >> 16) & UINT64_C(0x0000ffff0000ffff);
    return v * (1 + (UINT64_C(10000) << 32)) >> 32;
}

static inline const char *scan_digits(const char *p, const char *end, uint64_t *w)
{
    static const uint64_t ten[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint64_t acc = *w;

    while (end - p >= 8) {
        const uint64_t v = load8(p) ^ UINT64_C(0x3030303030303030);
        const uint64_t other = (v + UINT64_C(0x7676767676767676)) | v;
        const uint64_t mask = other & UINT64_C(0x8080808080808080);

        if (mask) { /* a carry out of a non-digit disturbs later bytes only */
            const int n = __builtin_ctzll(mask) >> 3;

            *w = acc * ten[n] + join8((v << (56 - 8 * n)) << 8); /* in two steps: n may be 0 */
            return p + n;
        }
        acc = acc * 100000000 + join8(v);
        p += 8;
    }
    for (; p < end && (unsigned)(*p - '0') < 10; p++)
        acc = acc * 10 + (uint64_t)(*p - '0');
    *w = acc;
    return p;
}

/* Read the exponent after 'e'; a bare 'e' belongs to what follows the number. */
static const char *scan_exponent(const char *p, const char *end, int64_t *exp10)
{
    const char *q = p + 1;
    int64_t value = 0;
    bool minus = false;

    if (q < end && (*q == '-' || *q == '+'))
        minus = *q++ == '-';
    if (q == end || (unsigned)(*q - '0') >= 10)
        return p;
    for (; q < end && (unsigned)(*q - '0') < 10; q++)
        if (value < EXP_CAP)
            value = value * 10 + (*q - '0');
    *exp10 += minus ? -value : value;
    return q;
}

/* Returns the char after the number, NULL if there is no digit. */
static inline const char *scan_number(const char *p, const char *end, Scan *s)
{
    const char *q;

    *s = (Scan){.first = p};
    q = scan_digits(p, end, &s->w);
    s->count = q - p;
    if (q < end && *q == '.') {
        const char *fraction = q + 1;

        s->point = q;
        q = scan_digits(fraction, end, &s->w);
        s->exp10 = fraction - q;
        s->count += q - fraction;
    }
    if (s->count == 0)
        return NULL;
    s->stop = q;
    if (q < end && (*q | 0x20) == 'e')
        q = scan_exponent(q, end, &s->exp10);
    return q;
}

static inline double from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline uint64_t to_bits(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static const uint64_t INF_BITS = UINT64_C(0x7ff) << 52;

/* Round the product hi:mid (a value in [2^62, 2^64) times 2^64) to a double whose first bit weighs
 * 2^exp2. low says what lies below mid: 0 nothing, 1 something, -1 unknown and up to two units of
 * mid. False if that decides. */
static inline bool round_product(uint64_t hi, uint64_t mid, int low, int exp2, uint64_t *bits)
{
    const int top = (int)(hi >> 63);
    const int keep = exp2 < -1022 ? 53 + 1022 + exp2 : 53;
    const int cut = 63 + top - keep; /* bits of hi below the mantissa */
    uint64_t rest, half, mant;
    bool up;

    if (keep < 0) {
        *bits = 0;
        return true;
    }
    if (cut > 63)
        return false;
    half = UINT64_C(1) << (cut - 1);
    rest = hi & (2 * half - 1);
    mant = hi >> cut;
    if (low < 0 && ((rest == half && mid == 0) || (rest == half - 1 && mid >= UINT64_MAX - 1)))
        return false;
    up = rest > half || (rest == half && (mid || low || (mant & 1)));
    mant += up;
    if (exp2 >= -1022)
        mant += (uint64_t)(exp2 + 1022) << 52; /* the mantissa's own top bit adds the last one */
    *bits = exp2 > 1023 || mant > INF_BITS ? INF_BITS : mant;
    return true;
}

/* w * 10^q to the nearest double; false if 128 bits of 10^q do not decide. */
static inline bool round_decimal(uint64_t w, int64_t q, uint64_t *bits)
{
    const Pow10 *t;
    u128 high, low;
    int shift, below = -1;
    uint64_t hi, mid;

    *bits = 0;
    if (w == 0 || q < POW10_MIN)
        return true;
    *bits = INF_BITS;
    if (q > 308)
        return true;
    t = &num_pow10_table[q - POW10_MIN];
    shift = __builtin_clzll(w);
    w <<= shift;
    low = (u128)w * t->lo;
    high = (u128)w * t->hi + (uint64_t)(low >> 64);
    if (q >= 0 && q <= POW10_EXACT)
        below = (uint64_t)low != 0;
    hi = (uint64_t)(high >> 64);
    mid = (uint64_t)high;
    return round_product(hi, mid, below, 63 + (int)(hi >> 63) + pow10_log2((int)q) - shift, bits);
}

/* All significant digits, at most MAX_DIGITS and a final 1 that stands for any further ones. */
static void big_from_text(const Scan *s, Big *digits, int64_t *exp10)
{
    int64_t used = 0, dropped = 0;
    bool sticky = false;

    big_set(digits, 0);
    for (const char *p = s->first; p < s->stop; p++) {
        if (p == s->point)
            continue;
        if (used < MAX_DIGITS) {
            big_mul_add(digits, 10, (uint64_t)(*p - '0'));
            used += digits->n > 0;
        } else {
            sticky |= *p != '0';
            dropped++;
        }
    }
    *exp10 = s->exp10 + dropped;
    if (sticky) {
        big_mul_add(digits, 10, 1);
        --*exp10;
    }
}

/* The sign of digits * 10^q - m * 2^e. */
static int compare_decimal(const Big *digits, int64_t q, uint64_t m, int e)
{
    Big left = *digits, right;
    const int shift = e - (int)q;

    big_set(&right, m);
    if (q >= 0)
        big_mul_pow5(&left, (int)q);
    else
        big_mul_pow5(&right, (int)-q);
    big_shift_left(shift > 0 ? &right : &left, shift > 0 ? shift : -shift);
    return big_compare(&left, &right);
}

/* Start from a double that is not above the value and step up while the value is past the next
 * halfway point. */
static uint64_t round_exact(const Scan *s, uint64_t bits)
{
    Big digits;
    int64_t q;

    big_from_text(s, &digits, &q);
    while (bits < INF_BITS) {
        const int biased = (int)(bits >> 52);
        const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
        const uint64_t m = biased ? fraction | UINT64_C(1) << 52 : fraction;
        const int e = (biased ? biased : 1) - 1075;
        const int side = compare_decimal(&digits, q, 2 * m + 1, e - 1);

        if (side < 0 || (side == 0 && !(bits & 1)))
            return bits;
        bits++;
    }
    return INF_BITS;
}

/* A double not above w * 10^q and at most a few steps below the value it stands for. */
static uint64_t lower_bound(uint64_t w, int64_t q)
{
    const Pow10 *t = &num_pow10_table[q - POW10_MIN];
    const int shift = __builtin_clzll(w);
    const u128 low = (u128)(w << shift) * t->lo;
    const uint64_t hi = (uint64_t)(((u128)(w << shift) * t->hi + (uint64_t)(low >> 64)) >> 64);
    const int top = (int)(hi >> 63), exp2 = 63 + top + pow10_log2((int)q) - shift;
    const int cut = 10 + top + (exp2 < -1022 ? -1022 - exp2 : 0);
    const uint64_t mant = cut > 63 ? 0 : hi >> cut;

    if (exp2 > 1023)
        return INF_BITS - 1;
    return exp2 < -1022 ? mant : mant + ((uint64_t)(exp2 + 1022) << 52);
}

/* The first 19 significant digits; what is left out raises the exponent. */
static void take_19_digits(const Scan *s, uint64_t *w, int64_t *q, bool *more)
{
    int64_t taken = 0, left = s->count;

    *w = 0;
    for (const char *p = s->first; p < s->stop && taken < EXACT_DIGITS; p++) {
        if (p == s->point)
            continue;
        *w = *w * 10 + (uint64_t)(*p - '0');
        taken += *w != 0;
        left--;
    }
    *q = s->exp10 + left;
    *more = left > 0;
}

/* Digits but for leading zeros. */
static int64_t count_significant(const Scan *s)
{
    int64_t n = s->count;

    for (const char *p = s->first; p < s->stop && (*p == '0' || *p == '.'); p++)
        n -= *p == '0';
    return n;
}

static __attribute__((noinline)) uint64_t round_scanned(const Scan *s)
{
    uint64_t w = s->w, bits, above;
    int64_t q = s->exp10;
    bool more = false;

    if (s->count > EXACT_DIGITS && count_significant(s) > EXACT_DIGITS)
        take_19_digits(s, &w, &q, &more);
    if (round_decimal(w, q, &bits)) {
        if (!more || w == 0 || (round_decimal(w + 1, q, &above) && above == bits))
            return bits;
    }
    return round_exact(s, lower_bound(w, q));
}

static const char *parse_word(const char *p, const char *end, double *out)
{
    if (end - p >= 3 && memcmp(p, "NaN", 3) == 0) {
        *out = __builtin_nan("");
        return p + 3;
    }
    if (end - p >= 8 && memcmp(p, "Infinity", 8) == 0) {
        *out = __builtin_inf();
        return p + 8;
    }
    return NULL;
}

const char *num_parse_double(const char *s, const char *end, double *out)
{
    static const double ten[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool minus = false;
    const char *stop;
    Scan scan;
    double v;

    if (s < end) { /* signs come at random, so no branch on them */
        minus = *s == '-';
        s += minus | (*s == '+');
    }
    stop = scan_number(s, end, &scan);
    if (!stop)
        stop = parse_word(s, end, &v);
    else if (scan.count <= EXACT_DIGITS && scan.w >> 53 == 0 && scan.exp10 >= -22 &&
             scan.exp10 <= 22)
        v = scan.exp10 < 0 ? (double)scan.w / ten[-scan.exp10] : (double)scan.w * ten[scan.exp10];
    else
        v = from_bits(round_scanned(&scan));
    if (!stop)
        return NULL;
    *out = from_bits(to_bits(v) | (uint64_t)minus << 63);
    return stop;
}

bool num_parse_int64(const char *s, const char *end, int64_t *out)
{
    bool minus = false;
    uint64_t v = 0;

    if (s < end && (*s == '-' || *s == '+'))
        minus = *s++ == '-';
    if (s == end)
        return false;
    for (; s < end; s++) {
        const unsigned digit = (unsigned)(*s - '0');

        if (digit > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    if (v > (uint64_t)INT64_MAX + minus)
        return false;
    *out = (int64_t)(minus ? 0 - v : v);
    return true;
}
