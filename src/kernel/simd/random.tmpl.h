/* The random loops for one instruction set.  The file that includes this defines
 *   RANDOM_LOOPS     the name of the table,
 *   RANDOM_LANES     64-bit lanes of a vector: 2, 4 or 8,
 *   RANDOM_MUL(a, b) the products of the lower halves of the lanes,
 *   RANDOM_HIGH(a)   the upper halves of the lanes as the lower ones, above them anything. */
#include "kernel/simd/random.h"
#include "op/cell_math.h"

typedef uint64_t Lanes __attribute__((vector_size(RANDOM_LANES * sizeof(uint64_t))));

enum { ROUNDS = 10, BLOCKS = RANDOM_GROUP / 2 };

/* The keys of the rounds, in all lanes. */
typedef struct Keys {
    Lanes even[ROUNDS], odd[ROUNDS];
} Keys;

static inline Keys keys_of(uint64_t seed)
{
    uint32_t even = (uint32_t)seed, odd = (uint32_t)(seed >> 32);
    Keys keys;

    for (int round = 0; round < ROUNDS; round++) {
        keys.even[round] = (Lanes){0} + even;
        keys.odd[round] = (Lanes){0} + odd;
        even += UINT32_C(0x9E3779B9);
        odd += UINT32_C(0xBB67AE85);
    }
    return keys;
}

/* The upper halves of the lanes hold what is left of products; nothing reads them before the end.
 */
static inline void philox(const Keys *keys, Lanes c[4])
{
    const Lanes m0 = (Lanes){0} + UINT64_C(0xD2511F53), m1 = (Lanes){0} + UINT64_C(0xCD9E8D57);

    for (int round = 0; round < ROUNDS; round++) {
        const Lanes p0 = RANDOM_MUL(c[0], m0), p1 = RANDOM_MUL(c[2], m1);

        c[0] = RANDOM_HIGH(p1) ^ c[1] ^ keys->even[round];
        c[1] = p1;
        c[2] = RANDOM_HIGH(p0) ^ c[3] ^ keys->odd[round];
        c[3] = p0;
    }
}

static inline Lanes word(Lanes low, Lanes high)
{
    return (low & UINT64_C(0xFFFFFFFF)) | high << 32;
}

/* Lanes 0, 1, 2 ... */
static inline Lanes iota(void)
{
    Lanes v;

    for (int i = 0; i < RANDOM_LANES; i++)
        v[i] = (uint64_t)i;
    return v;
}

static void words(uint64_t seed, uint64_t stream, uint64_t group, int64_t ngroups, uint64_t *out)
{
    const Lanes first = iota() + group * BLOCKS;
    const Keys keys = keys_of(seed);

    for (int64_t at = 0; at < ngroups * BLOCKS; at += RANDOM_LANES) {
        const Lanes block = first + (uint64_t)at;
        Lanes c[4] = {block, block >> 32, (Lanes){0} + stream, (Lanes){0} + (stream >> 32)};
        uint64_t *to = out + at / BLOCKS * RANDOM_GROUP + at % BLOCKS;

        philox(&keys, c);
        c[0] = word(c[0], c[1]);
        c[2] = word(c[2], c[3]);
        memcpy(to, &c[0], sizeof c[0]);
        memcpy(to + BLOCKS, &c[2], sizeof c[2]);
    }
}

/* In [1, 2): the upper 52 bits as fraction. */
static inline double one_to_two(uint64_t bits)
{
    return cell_from_bits(bits >> 12 | UINT64_C(0x3FF0000000000000));
}

static int64_t uniform(const uint64_t *bits, double low, double width, double *out, int64_t n)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++) {
        const double x = low + (one_to_two(bits[i]) - 1) * width;

        out[i] = x;
        nnz += x != 0;
    }
    return nnz;
}

static void normal(const uint64_t *bits, double *out, int64_t ngroups)
{
    for (int64_t g = 0; g < ngroups; g++, bits += RANDOM_GROUP, out += RANDOM_GROUP)
        for (int j = 0; j < BLOCKS; j++) {
            const double r = sqrt(-2 * cell_log(2 - one_to_two(bits[j])));
            const double turn = 0x1.921fb54442d18p+2 * (one_to_two(bits[j + BLOCKS]) - 1);

            out[j] = r * cell_cos_near(turn);
            out[j + BLOCKS] = r * cell_sin_near(turn);
        }
}

static void gaps(const uint64_t *bits, double log_fail, double *out, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = floor(cell_log(2 - one_to_two(bits[i])) / log_fail);
}

const RandomLoops RANDOM_LOOPS = {words, uniform, normal, gaps};
