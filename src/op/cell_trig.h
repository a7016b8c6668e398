/* Sine, cosine, tangent and their inverses: continues cell_math.h, which includes it. */
#ifndef OP_CELL_TRIG_H
#define OP_CELL_TRIG_H

/* The reduction by multiplication is exact enough up to here; beyond, and for NaN, cell_trig_far
 * (cell.c) reduces. */
#define CELL_TRIG_NEAR 0x1p20

#define CELL_PIO2_HI 0x1.921fb54442d18p+0
#define CELL_PIO2_LO 0x1.1a62633145c07p-54

/* An angle within pi/4 of a multiple of pi/2: the rest as a pair, and the multiple modulo 4. */
typedef struct Angle {
    Pair r;
    uint64_t quadrant;
} Angle;

/* For large and non-finite arguments; slow. */
Angle cell_angle_far(double x);

/* a - b with its error. */
static inline Pair pair_difference(double a, double b)
{
    return pair_sum(a, -b);
}

/* pi/2 in four parts, of which the first three have 33 bits: their products with a multiple below
 * 2^20 are exact. */
static inline Angle cell_angle_near(double x)
{
    const double shifted = x * 0x1.45f306dc9c883p-1 + CELL_SHIFTER, k = shifted - CELL_SHIFTER;
    const Pair a = pair_difference(x - k * 0x1.921fb544p+0, k * 0x1.0b4611a6p-34);
    const Pair b = pair_difference(a.hi, k * 0x1.3198a2ep-69);
    const double lo = (a.lo + b.lo) - k * 0x1.b839a252049c1p-104;

    return (Angle){pair_fast_sum(b.hi, lo), cell_bits(shifted)};
}

/* sin of the rest, as the rest plus a correction. */
static inline Pair cell_sin_rest(Pair r)
{
    const double z = r.hi * r.hi;
    const double z2 = z * z;
    const double low = cell_poly4(z, z2, -0x1.5555555555555p-3, 0x1.111111111111p-7,
                                  -0x1.a01a01a019936p-13, 0x1.71de3a5460533p-19);
    const double high =
        (-0x1.ae64541251e39p-26 + 0x1.61217eaffbfdbp-33 * z) - 0x1.ab179e14267cdp-41 * z2;
    const double p = low + high * (z2 * z2);

    return (Pair){r.hi, r.hi * z * p + r.lo * (1 - 0.5 * z)};
}

/* cos of the rest, as 1 - z/2 plus a correction. */
static inline Pair cell_cos_rest(Pair r)
{
    const Pair zz = pair_product(r.hi, r.hi);
    const double z = zz.hi, half = 0.5 * z, one = 1 - half;
    const double z2 = z * z;
    const double low = cell_poly4(z, z2, 0x1.5555555555555p-5, -0x1.6c16c16c16c16p-10,
                                  0x1.a01a01a019d09p-16, -0x1.27e4fb7712b8cp-22);
    const double high =
        (0x1.1eed8deb644b7p-29 - 0x1.9394b9bb6e16dp-37 * z) + 0x1.ab782b04de8dep-45 * z2;
    const double p = low + high * (z2 * z2);

    return (Pair){one, ((1 - one) - half) + (z * z * p - (r.hi * r.lo + 0.5 * zz.lo))};
}

static inline double cell_flip(double x, uint64_t bit)
{
    return cell_from_bits(cell_bits(x) ^ bit << 63);
}

static inline double cell_sin_angle(Angle a)
{
    const Pair s = cell_sin_rest(a.r), c = cell_cos_rest(a.r);
    const double r = a.quadrant & 1 ? c.hi + c.lo : s.hi + s.lo;

    return cell_flip(r, a.quadrant >> 1 & 1);
}

static inline double cell_cos_angle(Angle a)
{
    a.quadrant++;
    return cell_sin_angle(a);
}

static inline double cell_tan_angle(Angle a)
{
    const Pair s = cell_sin_rest(a.r), c = cell_cos_rest(a.r);
    const Pair sn = pair_fast_sum(s.hi, s.lo), cn = pair_fast_sum(c.hi, c.lo);
    const uint64_t odd = a.quadrant & 1;
    const Pair n = {odd ? cn.hi : sn.hi, odd ? cn.lo : sn.lo};
    const Pair d = {odd ? sn.hi : cn.hi, odd ? sn.lo : cn.lo};

    return cell_flip(pair_quotient(n, d).hi, odd);
}

/* Zero keeps its sign, which the reduction would lose. */
static inline double cell_sin_near(double x)
{
    return x == 0 ? x : cell_sin_angle(cell_angle_near(x));
}

static inline double cell_cos_near(double x)
{
    return cell_cos_angle(cell_angle_near(x));
}

static inline double cell_tan_near(double x)
{
    return x == 0 ? x : cell_tan_angle(cell_angle_near(x));
}

static inline double cell_sin(double x)
{
    return fabs(x) <= CELL_TRIG_NEAR ? cell_sin_near(x) : cell_sin_angle(cell_angle_far(x));
}

static inline double cell_cos(double x)
{
    return fabs(x) <= CELL_TRIG_NEAR ? cell_cos_near(x) : cell_cos_angle(cell_angle_far(x));
}

static inline double cell_tan(double x)
{
    return fabs(x) <= CELL_TRIG_NEAR ? cell_tan_near(x) : cell_tan_angle(cell_angle_far(x));
}

/* ---- inverses ---- */

/* atan of |x|: of x, (x - 1) / (x + 1) and -1 / x around 0, pi/4 and pi/2, so that |t| <=
 * tan(pi/8). */
static inline double cell_atan(double x)
{
    const double a = fabs(x), top = a > 0x1p54 ? 0x1p54 : a;
    const double mid = a > 0x1.a827999fcef32p-2 ? 1.0 : 0.0,
                 far = a > 0x1.3504f333f9de6p+1 ? 1.0 : 0.0;
    const Pair n = far > 0 ? (Pair){-1, 0} : mid > 0 ? pair_sum(top, -1) : (Pair){top, 0};
    const Pair d = far > 0 ? (Pair){top, 0} : mid > 0 ? pair_sum(top, 1) : (Pair){1, 0};
    const Pair t = pair_quotient(n, d);
    const double base = far > 0 ? CELL_PIO2_HI : mid > 0 ? CELL_PIO2_HI / 2 : 0.0;
    const double base_lo = far > 0 ? CELL_PIO2_LO : mid > 0 ? CELL_PIO2_LO / 2 : 0.0;
    const double z = t.hi * t.hi;
    const double z2 = z * z, z4 = z2 * z2;
    const double low = cell_poly8(
        z, -0x1.5555555555555p-2, 0x1.9999999999997p-3, -0x1.24924924920adp-3, 0x1.c71c71c6ddb9cp-4,
        -0x1.745d173563ab2p-4, 0x1.3b13aea9b6b8dp-4, -0x1.1110cee3bf64ep-4, 0x1.e1d8e942d6a22p-5);
    const double high = cell_poly4(z, z2, -0x1.aebd1ae878fa4p-5, 0x1.829cc4e1e78d4p-5,
                                   -0x1.503bca231ad2dp-5, 0x1.f5ed3e270c8a6p-6) -
                        0x1.c80e16e6bcb9dp-7 * z4;
    const double p = low + high * (z4 * z4);
    const Pair sum = pair_fast_sum(base, t.hi);

    return copysign(x == x ? sum.hi + (sum.lo + (t.hi * z * p + (t.lo + base_lo))) : x, x);
}

/* (asin(s) - s) / s^3 as a polynomial in z = s^2 <= 1/4. */
static inline double cell_asin_rest(double z)
{
    const double z2 = z * z, z4 = z2 * z2;
    const double low = cell_poly8(z, 0x1.5555555555555p-3, 0x1.3333333333388p-4,
                                  0x1.6db6db6dac1ep-5, 0x1.f1c71c7a52ba3p-6, 0x1.6e8ba123e494cp-6,
                                  0x1.1c4efce23019fp-6, 0x1.c990ad3d8fdcap-7, 0x1.7b027ee1dd585p-7);
    const double high = cell_poly4(z, z2, 0x1.3b49de7121487p-7, 0x1.31622469ce5adp-7,
                                   0x1.8f193743418ffp-9, 0x1.406192d124629p-6) +
                        (-0x1.3b416bb7d9257p-6 + 0x1.e529c6fce9bb4p-6 * z) * z4;

    return low + high * (z4 * z4);
}

/* asin of sqrt(z) as a pair; for z = 0 without dividing by it. */
static inline Pair cell_asin_root(double z)
{
    const double s = sqrt(z);
    const Pair square = pair_product(s, s);
    const double s_lo = z > 0 ? ((z - square.hi) - square.lo) / (2 * s) : 0.0;

    return (Pair){s, s * z * cell_asin_rest(z) + s_lo};
}

/* asin(a) = pi/2 - 2 asin(sqrt((1 - a) / 2)) for a > 1/2. */
static inline double cell_asin(double x)
{
    const double a = fabs(x), z = x * x;
    const Pair far = cell_asin_root(0.5 * (1 - a)), sum = pair_fast_sum(CELL_PIO2_HI, -2 * far.hi);
    const double near = a + a * z * cell_asin_rest(z);

    return copysign(a > 0.5 ? sum.hi + (sum.lo + (CELL_PIO2_LO - 2 * far.lo)) : near, x);
}

static inline double cell_acos(double x)
{
    const double a = fabs(x), z = x * x;
    const Pair far = cell_asin_root(0.5 * (1 - a)), sum = pair_fast_sum(CELL_PIO2_HI, -x);
    const Pair turn = pair_fast_sum(2 * CELL_PIO2_HI, -2 * far.hi);
    const double near = sum.hi + (sum.lo + (CELL_PIO2_LO - x * z * cell_asin_rest(z)));
    const double left = turn.hi + (turn.lo + (2 * CELL_PIO2_LO - 2 * far.lo));

    return a <= 0.5 ? near : x > 0 ? 2 * (far.hi + far.lo) : left;
}

#endif
