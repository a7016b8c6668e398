/* Which form of the random loops a level has. */
#include "kernel/simd/random.h"

const RandomLoops *random_loops_at(CpuLevel level)
{
#if defined(__x86_64__)
    if (level == CPU_AVX512)
        return &random_loops_avx512;
    if (level == CPU_AVX2)
        return &random_loops_avx2;
#endif
    (void)level;
    return &random_loops_plain;
}
