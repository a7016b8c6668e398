/* Random bits by counter, one form for each instruction set, all with the same bits.
 *
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011): ten rounds turn a 128-bit counter and a 64-bit key into 128 bits.  The key is
 * the seed; the upper half of the counter is the stream, the lower half counts blocks.  Words come
 * in groups of 16 from the 8 blocks 8g ... 8g + 7: first the lower halves of their results, then
 * the upper ones, so vectors of 2, 4 or 8 lanes store them as they are. */
#ifndef SIMD_RANDOM_H
#define SIMD_RANDOM_H

#include "kernel/kernel.h"

enum { RANDOM_GROUP = 16 };

typedef struct RandomLoops {
    /* 16 words a group. */
    void (*words)(uint64_t seed, uint64_t stream, uint64_t group, int64_t ngroups, uint64_t *out);
    /* Words to doubles in [0, 1) with 52 bits, then scaled: low + u * width; gives the nonzeros. */
    int64_t (*uniform)(const uint64_t *words, double low, double width, double *out, int64_t n);
    /* Standard normal cells of whole groups, by Box and Muller: word j and word j + 8 give cells j
     * and j + 8. */
    void (*normal)(const uint64_t *words, double *out, int64_t ngroups);
    /* How many failures before the next success, of probability p, given log(1 - p): by inversion.
     */
    void (*gaps)(const uint64_t *words, double log_fail, double *out, int64_t n);
} RandomLoops;

extern const RandomLoops random_loops_plain;
#if defined(__x86_64__)
extern const RandomLoops random_loops_avx2;
extern const RandomLoops random_loops_avx512;
#endif
const RandomLoops *random_loops_at(CpuLevel level);

#endif
