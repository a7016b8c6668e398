/* Writes the table of powers of ten that src/base/num_pow10.c includes, by exact integer
 * arithmetic.
 *
 * For k >= 0 the top 128 bits of 5^k; for k < 0 those of floor(2^N / 5^-k), by dividing by five
 * again and again: floors nest, so each quotient is exact to its last bit. Run by the build, its
 * output is never committed.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "base/num_impl.h"

enum {
    LIMBS = 36 /* 1152 bits hold 5^342 and 128 bits of a quotient by it */
};

typedef struct {
    uint32_t limb[LIMBS];
} Wide;

static void times_five(Wide *x)
{
    uint64_t carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)x->limb[i] * 5;
        x->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void over_five(Wide *x)
{
    uint64_t rest = 0;

    for (int i = LIMBS - 1; i >= 0; i--) {
        rest = rest << 32 | x->limb[i];
        x->limb[i] = (uint32_t)(rest / 5);
        rest %= 5;
    }
}

static uint64_t bit(const Wide *x, int i)
{
    return i < 0 ? 0 : x->limb[i / 32] >> (i % 32) & 1;
}

static void print_row(FILE *out, const Wide *x, int k)
{
    int top = LIMBS * 32 - 1;
    Pow10 row = {0, 0};

    while (!bit(x, top))
        top--;
    for (int i = 0; i < 64; i++) {
        row.hi = row.hi << 1 | bit(x, top - i);
        row.lo = row.lo << 1 | bit(x, top - 64 - i);
    }
    fprintf(out, "{0x%016" PRIx64 ", 0x%016" PRIx64 "}, /* %d */\n", row.hi, row.lo, k);
}

static void print_table(FILE *out)
{
    for (int k = POW10_MIN; k <= POW10_MAX; k++) {
        Wide x = {{0}};

        x.limb[k < 0 ? LIMBS - 1 : 0] = k < 0 ? UINT32_C(1) << 31 : 1;
        for (int i = 0; i < (k < 0 ? -k : k); i++)
            (k < 0 ? over_five : times_five)(&x);
        print_row(out, &x, k);
    }
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    bool failed;

    if (!out) {
        fprintf(stderr, "usage: gen_pow10 FILE (writable)\n");
        return 1;
    }
    print_table(out);
    failed = ferror(out);
    return fclose(out) || failed;
}
