/* Which vector instructions this machine has and the operating system keeps the registers of.
 *
 * The compiler's own check reads both; asking costs nothing, so there is no state. */
#include "kernel/kernel.h"

CpuLevel cpu_level(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return CPU_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return CPU_AVX2;
#endif
    return CPU_PLAIN;
}
