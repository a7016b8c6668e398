/* Big integers of fixed capacity for the rare cases that 128 bits cannot decide. Schoolbook, no
 * allocation. */
#include "base/num_impl.h"

#include <assert.h>

void big_set(Big *b, uint64_t v)
{
    b->limb[0] = v;
    b->n = v != 0;
}

void big_mul_add(Big *b, uint64_t factor, uint64_t addend)
{
    u128 carry = addend;

    for (int i = 0; i < b->n; i++) {
        carry += (u128)b->limb[i] * factor;
        b->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry) {
        assert(b->n < BIG_LIMBS);
        b->limb[b->n++] = (uint64_t)carry;
    }
}

void big_mul_pow5(Big *b, int k)
{
    const uint64_t five27 =
        UINT64_C(7450580596923828125); /* the greatest power of five in 64 bits */

    for (; k >= 27; k -= 27)
        big_mul_add(b, five27, 0);
    for (; k > 0; k--)
        big_mul_add(b, 5, 0);
}

void big_shift_left(Big *b, int bits)
{
    const int limbs = bits / 64, rest = bits % 64;

    if (b->n == 0)
        return;
    if (rest)
        big_mul_add(b, UINT64_C(1) << rest, 0);
    assert(b->n + limbs <= BIG_LIMBS);
    for (int i = b->n - 1; i >= 0 && limbs > 0; i--)
        b->limb[i + limbs] = b->limb[i];
    for (int i = 0; i < limbs; i++)
        b->limb[i] = 0;
    b->n += limbs;
}

int big_compare(const Big *a, const Big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

uint64_t big_divide(Big *b, uint64_t divisor)
{
    u128 rest = 0;

    for (int i = b->n - 1; i >= 0; i--) {
        rest = rest << 64 | b->limb[i];
        b->limb[i] = (uint64_t)(rest / divisor);
        rest %= divisor;
    }
    while (b->n > 0 && b->limb[b->n - 1] == 0)
        b->n--;
    return (uint64_t)rest;
}

static bool any_bit_below(const Big *b, int bits)
{
    for (int i = 0; i < bits / 64 && i < b->n; i++)
        if (b->limb[i])
            return true;
    return bits / 64 < b->n && bits % 64 && b->limb[bits / 64] << (64 - bits % 64);
}

static void drop_bits(Big *b, int bits)
{
    const int limbs = bits / 64, rest = bits % 64;

    for (int i = limbs; i < b->n; i++) {
        const uint64_t above = i + 1 < b->n ? b->limb[i + 1] : 0;

        b->limb[i - limbs] = rest ? b->limb[i] >> rest | above << (64 - rest) : b->limb[i];
    }
    b->n = b->n > limbs ? b->n - limbs : 0;
    while (b->n > 0 && b->limb[b->n - 1] == 0)
        b->n--;
}

void big_shift_right_half_even(Big *b, int bits)
{
    const int half = (bits - 1) / 64;
    bool up, exact;

    if (bits <= 0)
        return;
    up = half < b->n && b->limb[half] >> ((bits - 1) % 64) & 1;
    exact = !any_bit_below(b, bits - 1);
    drop_bits(b, bits);
    if (!up || (exact && !(b->n > 0 && b->limb[0] & 1)))
        return;
    if (b->n == 0)
        big_set(b, 1);
    else
        big_mul_add(b, 1, 1);
}
