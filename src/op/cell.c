/* The cell functions of the table: those of cell.h and cell_math.h, made into functions that can be
 * pointed to.
 *
 * And the reduction of large angles, after Payne and Hanek ("Radian reduction for trigonometric
 * functions", 1983): of the product of x with 2/pi only the bits around the binary point matter, so
 * three words of 2/pi suffice for any x. */
#include "op/cell_math.h"

#include "op/op.h"

#define CELL1(name)                                                                                \
    double c_##name(double x)                                                                      \
    {                                                                                              \
        return cell_##name(x);                                                                     \
    }
#define CELL2(name)                                                                                \
    double c_##name(double x, double y)                                                            \
    {                                                                                              \
        return cell_##name(x, y);                                                                  \
    }

/* clang-format off */
CELL1_RULES(CELL1)
CELL1(abs)
CELL1(log)
CELL1(not)
CELL1(neg)
CELL1(plus)

CELL2_RULES(CELL2)
/* clang-format on */

/* 2/pi after the binary point. */
static const uint64_t two_over_pi[20] = {
    0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561,
    0xB7246E3A424DD2E0, 0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484,
    0xE99C7026B45F7E41, 0x3991D639835339F4, 0x9C845F8BBDF9283B, 0x1FF897FFDE05980F,
    0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7, 0x4F463F669E5FEA2D, 0x7527BAC7EBE5F17B,
    0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB, 0xF0CFBC209AF4361D,
};

/* 64 bits of 2/pi from the bit of weight 2^-(1 + first) on; zeros before the binary point. */
static uint64_t two_over_pi_bits(int first)
{
    const int word = first >> 6, shift = first & 63;

    if (first < 0)
        return first <= -64 ? 0 : two_over_pi[0] >> -first;
    return shift ? two_over_pi[word] << shift | two_over_pi[word + 1] >> (64 - shift)
                 : two_over_pi[word];
}

/* x 2/pi modulo 4 with 190 bits after the binary point, for x = m 2^e. */
static void times_two_over_pi(uint64_t m, int e, uint64_t out[3])
{
    __uint128_t carry = 0;

    for (int k = 2; k >= 0; k--) {
        carry += (__uint128_t)m * two_over_pi_bits(e - 2 + 64 * k);
        out[k] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* The fraction f[0] f[1] f[2] < 1/2 times pi/2. */
static Pair quarter_turns(const uint64_t f[3])
{
    const int n = f[0] ? __builtin_clzll(f[0]) : 63;
    const uint64_t top = n ? f[0] << n | f[1] >> (64 - n) : f[0];
    const uint64_t low = n ? f[1] << n | f[2] >> (64 - n) : f[1];
    const double hi = ldexp((double)(top >> 11), -53 - n);
    const double lo = ldexp((double)(top << 53 | low >> 11), -117 - n);
    const Pair p = pair_product(hi, CELL_PIO2_HI);

    return pair_fast_sum(p.hi, p.lo + (hi * CELL_PIO2_LO + lo * CELL_PIO2_HI));
}

Angle cell_angle_far(double x)
{
    const uint64_t bits = cell_bits(x);
    const int exponent = (int)(bits >> 52 & 2047);
    const bool minus = bits >> 63;
    uint64_t p[3], quadrant;
    bool up;
    Angle a;

    if (exponent == 2047)
        return (Angle){{NAN, NAN}, 0};
    times_two_over_pi((bits & 0x000FFFFFFFFFFFFF) | 0x0010000000000000, exponent - 1075, p);
    quadrant = p[0] >> 62;
    p[0] = p[0] << 2 | p[1] >> 62;
    p[1] = p[1] << 2 | p[2] >> 62;
    p[2] <<= 2;
    up = p[0] >> 63; /* nearer to the next multiple: count back from there */
    if (up) {
        quadrant++;
        for (int k = 0; k < 3; k++)
            p[k] = ~p[k];
    }
    a = (Angle){quarter_turns(p), minus ? 0 - quadrant : quadrant};
    if (up != minus)
        a.r = (Pair){-a.r.hi, -a.r.lo};
    return a;
}
