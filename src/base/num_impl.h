/* Shared by the num_*.c files only: the power table, fixed-size big integers, the shortest decimal.
 */
#ifndef NUM_IMPL_H
#define NUM_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 u128;

enum {
    POW10_MIN = -342, /* below it 19 digits round to zero */
    POW10_MAX = 326,  /* what printing the least subnormal needs */
    POW10_EXACT = 55, /* 5^55 is the last power of five below 2^128 */
    BIG_LIMBS =
        80, /* 5120 bits: 769 digits, or 5^1111, with a double's mantissa and shift on top */
};

/* 10^k = (hi:lo + eps) * 2^(pow10_log2(k) - 127), 0 <= eps < 1, the top bit of hi set; eps is 0 iff
 * 0 <= k <= 55. */
typedef struct {
    uint64_t hi, lo;
} Pow10;

extern const Pow10 num_pow10_table[POW10_MAX - POW10_MIN + 1];

/* floor(log2(10^k)), exact for |k| <= 1233. */
static inline int pow10_log2(int k)
{
    return (int)(((int64_t)k * 1741647) >> 19);
}

/* An unsigned integer of at most BIG_LIMBS 64-bit limbs, least first, no leading zero limb. Callers
 * keep inside the capacity by the bounds given at BIG_LIMBS. */
typedef struct {
    uint64_t limb[BIG_LIMBS];
    int n;
} Big;

void big_set(Big *b, uint64_t v);
void big_mul_add(Big *b, uint64_t factor, uint64_t addend);
void big_mul_pow5(Big *b, int k);
void big_shift_left(Big *b, int bits);
int big_compare(const Big *a, const Big *b);
uint64_t big_divide(Big *b, uint64_t divisor);    /* b /= divisor, returns the remainder */
void big_shift_right_half_even(Big *b, int bits); /* b = round(b / 2^bits) */

/* A finite nonzero value as digits * 10^exp10, the shortest digits that round-trip, no trailing
 * zeros. */
typedef struct {
    uint64_t digits;
    int exp10;
} Decimal;

Decimal num_shortest(double magnitude);

size_t num_put_uint64(char *p, uint64_t v); /* plain digits, no NUL */

#endif
