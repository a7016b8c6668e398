/* Fixed-point printing: the shortest form where it has no more fraction digits than are wanted,
 * followed by zeros; else round(v * 10^decimals), half-even on the exact binary value.
 *
 * v = c * 2^q, so v * 10^d = c * 5^d * 2^(q+d): up to 27 decimals c * 5^d fits 128 bits and only a
 * shift with rounding is left. Larger values and more decimals take big integers.
 */
#include "base/num.h"

#include <math.h>
#include <string.h>

#include "base/num_impl.h"

enum {
    WIDE_DECIMALS = 27,  /* 5^27 * 2^53 < 2^128, the quotient below 2^63 * 10^d is checked apart */
    MAX_DIGITS = 17 + 16 /* round(v * 10^d) has no more than a shortest form; the last group */
};

/* Output that counts everything but stores only what fits. */
typedef struct {
    char *buf;
    size_t size, n;
} Out;

static void put(Out *o, const char *s, size_t n)
{
    if (o->n + 1 < o->size) {
        const size_t room = o->size - 1 - o->n;

        memcpy(o->buf + o->n, s, n < room ? n : room);
    }
    o->n += n;
}

static void put_zeros(Out *o, size_t n)
{
    static const char zeros[] = "0000000000000000";

    for (; n > 16; n -= 16)
        put(o, zeros, 16);
    put(o, zeros, n);
}

/* The digits of b, least group first computed, written right-aligned into text; returns where they
 * start. */
static char *big_digits(Big *b, char text[MAX_DIGITS])
{
    char *p = text + MAX_DIGITS;

    while (b->n > 0) {
        uint64_t group = big_divide(b, UINT64_C(10000000000000000));

        for (int i = 0; i < 16 && (b->n > 0 || group > 0); i++, group /= 10)
            *--p = (char)('0' + group % 10);
    }
    return p;
}

/* round(c * 2^q * 10^d) in decimal digits; zero has none. */
static char *scaled_digits(uint64_t c, int q, int d, char text[MAX_DIGITS])
{
    Big b;

    big_set(&b, c);
    big_mul_pow5(&b, d);
    if (q + d >= 0)
        big_shift_left(&b, q + d);
    else
        big_shift_right_half_even(&b, -(q + d));
    return big_digits(&b, text);
}

/* The same in 64 bits; false if it does not fit. */
static bool scaled_narrow(uint64_t c, int q, int d, uint64_t *out)
{
    const int drop = -(q + d);
    u128 wide = c, half, rest;

    if (d > WIDE_DECIMALS || drop <= 0)
        return false;
    for (int i = 0; i < d; i++)
        wide *= 5;
    if (drop >= 120) { /* c * 5^27 < 2^116: below a half */
        *out = 0;
        return true;
    }
    half = (u128)1 << (drop - 1);
    rest = wide & (2 * half - 1);
    wide >>= drop;
    if (wide >> 63)
        return false;
    *out = (uint64_t)wide + (rest > half || (rest == half && (wide & 1)));
    return true;
}

/* The digits n characters long as a number with d fraction digits. */
static void put_point(Out *o, const char *digits, size_t n, size_t d)
{
    const size_t whole = n > d ? n - d : 0;

    put(o, whole ? digits : "0", whole ? whole : 1);
    if (d == 0)
        return;
    put(o, ".", 1);
    put_zeros(o, n < d ? d - n : 0);
    put(o, digits + whole, n - whole);
}

/* A value below 1e-3 whose shortest form is 5e-(d+1) prints as zero although its binary value may
 * lie above the tie. */
static bool is_shown_as_zero(Decimal s, int d)
{
    return d >= 3 && s.digits == 5 && s.exp10 == -(d + 1);
}

/* All digits of the shortest form, with zeros after them. */
static void put_shortest(Out *o, Decimal s, int d)
{
    char digits[20];
    const size_t n = num_put_uint64(digits, s.digits);

    if (s.exp10 < 0) {
        put_point(o, digits, n, (size_t)-s.exp10);
        put_zeros(o, (size_t)(d + s.exp10));
        return;
    }
    put(o, digits, n);
    put_zeros(o, (size_t)s.exp10);
    put(o, ".", d > 0);
    put_zeros(o, (size_t)d);
}

/* The binary value rounded to d digits after the point, which are fewer than it has. */
static void put_rounded(Out *o, double size, int d)
{
    char text[MAX_DIGITS], *digits = text;
    uint64_t bits, c, narrow;
    int biased, q;
    size_t n;

    memcpy(&bits, &size, sizeof bits);
    biased = (int)(bits >> 52);
    c = (bits & ((UINT64_C(1) << 52) - 1)) | (uint64_t)(biased > 0) << 52;
    q = (biased ? biased : 1) - 1075;
    if (scaled_narrow(c, q, d, &narrow)) {
        n = narrow ? num_put_uint64(text, narrow) : 0;
    } else {
        digits = scaled_digits(c, q, d, text);
        n = (size_t)(text + MAX_DIGITS - digits);
    }
    put_point(o, digits, n, (size_t)d);
}

static void put_finite(Out *o, double size, int d)
{
    const Decimal zero = {0, 0}, s = size > 0 ? num_shortest(size) : zero;

    if (is_shown_as_zero(s, d))
        put_shortest(o, zero, d);
    else if (s.exp10 >= -d)
        put_shortest(o, s, d);
    else
        put_rounded(o, size, d);
}

size_t num_print_fixed(char *buf, size_t size, double v, int decimals)
{
    Out o = {buf, size, 0};

    if (isnan(v)) {
        put(&o, "NaN", 3);
    } else {
        put(&o, "-", v < 0);
        if (isinf(v))
            put(&o, "Infinity", 8);
        else
            put_finite(&o, fabs(v), decimals > 0 ? decimals : 0);
    }
    if (size > 0)
        buf[o.n < size ? o.n : size - 1] = '\0';
    return o.n;
}
