/* Powers of ten to 128 bits, 10^POW10_MIN to 10^POW10_MAX, made by tools/gen_pow10.c while building
 * (11 KB). */
#include "base/num_impl.h"

const Pow10 num_pow10_table[POW10_MAX - POW10_MIN + 1] = {
#include "num_pow10.inc"
};
