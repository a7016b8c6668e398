/* Printing numbers.
 *
 * The shortest decimal in the rounding interval of a double comes from Giulietti's theorem ("The
 * Schubfach way to render doubles", 2020): with 10^k just below the interval's width, the interval
 * holds at most one multiple of 10^(k+1) and at least one of 10^k, and both are found from one
 * fixed-point estimate of v/10^k. The estimate multiplies by the 128-bit power of ten and keeps a
 * sticky bit (round to odd), which is precise enough for every comparison. Where one digit would
 * do, Double.toString shows the closest of two, so then one more digit is computed. About 30 ns.
 *
 * Fixed point prints round(v * 10^decimals) half-even: in 128 bits where that fits, in big integers
 * otherwise.
 */
#include "base/num.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/num_impl.h"

/* A positive finite value c * 2^q whose neighbours are taken to be (c - 1) * 2^q and (c + 1) * 2^q.
 * Below a power of two the gap is half the one above; it is split in c and q so that both count as
 * the smaller, as in Double.toString, which so prints a digit more there. */
typedef struct {
    uint64_t c;
    int q;
} Binary;

static Binary split_double(double v)
{
    uint64_t bits, fraction;
    int biased;

    memcpy(&bits, &v, sizeof bits);
    biased = (int)(bits >> 52 & 0x7ff);
    fraction = bits & ((UINT64_C(1) << 52) - 1);
    if (biased == 0)
        return (Binary){fraction, -1074};
    if (fraction == 0 && biased > 1)
        return (Binary){UINT64_C(1) << 53, biased - 1076};
    return (Binary){fraction | UINT64_C(1) << 52, biased - 1075};
}

static Binary split_float(float v)
{
    uint32_t bits, fraction;
    int biased;

    memcpy(&bits, &v, sizeof bits);
    biased = (int)(bits >> 23 & 0xff);
    fraction = bits & ((UINT32_C(1) << 23) - 1);
    if (biased == 0)
        return (Binary){fraction, -149};
    if (fraction == 0 && biased > 1)
        return (Binary){UINT32_C(1) << 24, biased - 151};
    return (Binary){fraction | UINT32_C(1) << 23, biased - 150};
}

/* floor(log10(2^q)); exact for |q| <= 1500. */
static int log10_pow2(int q)
{
    return (int)(((int64_t)q * 1262611) >> 22);
}

/* floor(g * x / 2^128) with its last bit set if anything was cut off. */
static inline uint64_t times_odd(const Pow10 *g, uint64_t x)
{
    const u128 low = (u128)g->lo * x;
    const u128 high = (u128)g->hi * x + (uint64_t)(low >> 64);

    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The interval of values that round to b, in units of 10^k / 4; round to odd throughout. */
typedef struct {
    uint64_t lower, value, upper;
} Interval;

static Interval scale(Binary b, int k)
{
    const int shift = b.q + pow10_log2(-k) + 1;
    const uint64_t odd = b.c & 1; /* an odd mantissa loses its end points to its even neighbours */
    Pow10 g = num_pow10_table[-k - POW10_MIN];

    if (-k < 0 || -k > POW10_EXACT) {
        g.lo++; /* the theorem wants the power rounded up; lo is never all ones, num tests see to it
                 */
    }
    return (Interval){
        .lower = times_odd(&g, (4 * b.c - 2) << shift) + odd,
        .value = times_odd(&g, 4 * b.c << shift),
        .upper = times_odd(&g, (4 * b.c + 2) << shift) - odd,
    };
}

static Decimal shortest(Binary b)
{
    int k = log10_pow2(b.q);
    Interval in = scale(b, k);
    uint64_t s = in.value / 4;
    bool below, above;

    if (s < 10) {
        in = scale(b, --k);
        s = in.value / 4;
    }
    if (s >= 100) {
        const uint64_t tens = s / 10;

        below = in.lower <= 40 * tens;
        above = 40 * tens + 40 <= in.upper;
        if (below != above)
            return (Decimal){tens + above, k + 1};
    }
    below = in.lower <= 4 * s;
    above = 4 * s + 4 <= in.upper;
    if (below == above) {
        const uint64_t middle = 4 * s + 2;

        above = in.value > middle || (in.value == middle && (s & 1));
    }
    return (Decimal){s + above, k};
}

static Decimal strip_zeros(Decimal d)
{
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exp10++;
    }
    return d;
}

/* Whole numbers from 2^53 to 2^63 are printed from their integer: all its digits but those worth
 * less than half the last bit, the last kept one rounded half up.  That is Double.toString as the
 * language's results show it: 2^62 is 4.6116860184273879E18. */
static bool from_integer(double magnitude, Decimal *out)
{
    uint64_t drop = 1;
    int exponent;

    if (magnitude < 0x1p53 || magnitude >= 0x1p63)
        return false;
    frexp(magnitude, &exponent);
    out->exp10 = exponent > 55 ? log10_pow2(exponent - 55) : 0;
    for (int k = 0; k < out->exp10; k++)
        drop *= 10;
    out->digits = ((uint64_t)magnitude + drop / 2) / drop;
    return true;
}

Decimal num_shortest(double magnitude)
{
    Decimal d;

    return strip_zeros(from_integer(magnitude, &d) ? d : shortest(split_double(magnitude)));
}

/* The eight digits of v < 10^8, as values, the first in the lowest byte: halves, then pairs, then
 * digits split at once. */
static inline uint64_t split8(uint32_t v)
{
    const uint64_t halves = v / 10000 | (uint64_t)(v % 10000) << 32;
    const uint64_t hundreds = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    const uint64_t pairs = hundreds | (halves - hundreds * 100) << 16;
    const uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);

    return tens | (pairs - tens * 10) << 8;
}

static inline void put8(char *p, uint64_t digits)
{
    digits |= UINT64_C(0x3030303030303030);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    digits = __builtin_bswap64(digits);
#endif
    memcpy(p, &digits, sizeof digits);
}

static inline size_t count_digits(uint64_t v)
{
    static const uint64_t ten[20] = {0, /* one digit even for zero */
                                     UINT64_C(10),
                                     UINT64_C(100),
                                     UINT64_C(1000),
                                     UINT64_C(10000),
                                     UINT64_C(100000),
                                     UINT64_C(1000000),
                                     UINT64_C(10000000),
                                     UINT64_C(100000000),
                                     UINT64_C(1000000000),
                                     UINT64_C(10000000000),
                                     UINT64_C(100000000000),
                                     UINT64_C(1000000000000),
                                     UINT64_C(10000000000000),
                                     UINT64_C(100000000000000),
                                     UINT64_C(1000000000000000),
                                     UINT64_C(10000000000000000),
                                     UINT64_C(100000000000000000),
                                     UINT64_C(1000000000000000000),
                                     UINT64_C(10000000000000000000)};
    const int bits = 64 - __builtin_clzll(v | 1), guess = bits * 1233 >> 12;

    return (size_t)(guess + (v >= ten[guess]));
}

size_t num_put_uint64(char *p, uint64_t v)
{
    const size_t n = count_digits(v);
    char text[24], *q = text + sizeof text;

    do {
        put8(q -= 8, split8((uint32_t)(v % 100000000)));
        v /= 100000000;
    } while (v > 0);
    memcpy(p, text + sizeof text - n, n);
    return n;
}

size_t num_print_int64(char buf[NUM_BUFFER], int64_t v)
{
    const size_t sign = v < 0;
    size_t n;

    buf[0] = '-';
    n = sign + num_put_uint64(buf + sign, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    buf[n] = '\0';
    return n;
}

/* The digits of a decimal, left-aligned and filled up with zeros. */
typedef struct Digits {
    char text[24];
    int n;     /* up to the last one that is not zero, at least 1 */
    int whole; /* digits before the point in plain notation */
} Digits;

enum {
    ALIGNED = 17 /* digits; no shortest form of a double has more */
};

static inline Digits align_digits(Decimal d)
{
    static const uint64_t ten[ALIGNED] = {
        UINT64_C(1),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
    };
    const int n = (int)count_digits(d.digits);
    const uint64_t all = d.digits * ten[ALIGNED - n], head = all / ten[8];
    const uint64_t low = split8((uint32_t)(all % ten[8])), high = split8((uint32_t)(head % ten[8]));
    Digits out = {.whole = n + d.exp10};

    out.text[0] = (char)('0' + head / ten[8]);
    put8(out.text + 1, high);
    put8(out.text + 9, low);
    if (low)
        out.n = ALIGNED - (__builtin_clzll(low) >> 3);
    else
        out.n = high ? 9 - (__builtin_clzll(high) >> 3) : 1;
    return out;
}

/* Plain notation of 1e-3 <= v < 1e7. Whole blocks are copied, the buffer has room for what is too
 * much. */
static inline size_t put_plain(char *p, const Digits *d)
{
    const int whole = d->whole;

    if (whole <= 0) {
        memcpy(p, "0.00", 4);
        memcpy(p + 2 - whole, d->text, ALIGNED);
        return (size_t)(2 - whole + d->n);
    }
    memcpy(p, d->text, 8);
    p[whole] = '.';
    memcpy(p + whole + 1, d->text + whole, ALIGNED);
    return (size_t)(d->n > whole ? d->n + 1 : whole + 2);
}

static size_t put_scientific(char *p, const Digits *d)
{
    const int exp10 = d->whole - 1;
    char *q = p + (d->n > 1 ? d->n + 1 : 3);

    p[0] = d->text[0];
    p[1] = '.';
    memcpy(p + 2, d->text + 1, ALIGNED - 1);
    *q++ = 'E';
    if (exp10 < 0)
        *q++ = '-';
    q += num_put_uint64(q, (uint64_t)(exp10 < 0 ? -exp10 : exp10));
    return (size_t)(q - p);
}

static inline size_t put_decimal(char *p, Decimal d)
{
    const Digits digits = align_digits(d);

    return digits.whole >= -2 && digits.whole <= 7 ? put_plain(p, &digits)
                                                   : put_scientific(p, &digits);
}

/* Of up to 19 digits, always d.dddE[n]. */
static size_t put_long(char *p, Decimal d)
{
    const size_t n = num_put_uint64(p + 1, d.digits);
    size_t end = n > 1 ? n + 1 : 3;

    p[0] = p[1];
    p[1] = '.';
    if (n == 1)
        p[2] = '0';
    p[end++] = 'E';
    return end + num_put_uint64(p + end, (uint64_t)d.exp10 + n - 1);
}

/* Zero, infinities and NaN. Returns 0 for any other value. */
static size_t put_special(char *p, double v)
{
    const char *word = isnan(v) ? "NaN" : isinf(v) ? "Infinity" : v == 0 ? "0.0" : "";
    const size_t n = strlen(word);

    memcpy(p, word, n);
    return n;
}

/* Data mostly has few decimals: a value below 10^7 that is the double nearest to n / 10^6.  Two
 * decimals of up to 15 digits never share a double, so n without its last zeros is the shortest.
 * Returns 0 for other values. */
static inline size_t put_millionths(char *p, double size)
{
    const double scaled = size * 1e6;
    uint32_t decimals;
    uint64_t n;
    size_t end;

    if (size < 1e-3 || scaled >= 1e13)
        return 0;
    n = (uint64_t)scaled;
    if ((double)n != scaled || scaled / 1e6 != size)
        return 0;
    decimals = (uint32_t)(n % 1000000);
    end = num_put_uint64(p, n / 1000000);
    p[end] = '.';
    for (int k = 6; k > 0; k--, decimals /= 10)
        p[end + (size_t)k] = (char)('0' + decimals % 10);
    end += 6;
    while (p[end] == '0' && p[end - 1] != '.')
        end--;
    return end + 1;
}

static size_t print_binary(char *buf, double v, bool narrow)
{
    char *p = buf;
    const double size = fabs(v);
    Decimal whole;
    size_t n;

    if (signbit(v) && !isnan(v))
        *p++ = '-';
    n = put_special(p, v);
    if (n == 0 && size < 1e7 && size == (double)(int32_t)size) {
        n = num_put_uint64(p, (uint64_t)size);
        memcpy(p + n, ".0", 2);
        n += 2;
    } else if (n == 0 && !narrow) {
        n = put_millionths(p, size);
    }
    if (n == 0) {
        n = !narrow && from_integer(size, &whole)
                ? put_long(p, strip_zeros(whole))
                : put_decimal(p, shortest(narrow ? split_float((float)size) : split_double(size)));
    }
    p[n] = '\0';
    return (size_t)(p - buf) + n;
}

size_t num_print_double(char buf[NUM_BUFFER], double v)
{
    return print_binary(buf, v, false);
}

size_t num_print_float(char buf[NUM_BUFFER], float v)
{
    return print_binary(buf, (double)v, true);
}

const char *num_show(char buf[NUM_BUFFER], double v)
{
    const size_t n = num_print_double(buf, v);

    if (n > 2 && buf[n - 2] == '.' && buf[n - 1] == '0')
        buf[n - 2] = '\0';
    return buf;
}
