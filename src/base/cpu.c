/* Which vector instructions this machine has and the operating system keeps the registers of, and
 * which of them a context lets its inner loops use.
 *
 * The compiler's own check reads the first two, the option `cpu` of the context is the third;
 * asking costs next to nothing, so there is no state. */
#include "base/base.h"

#include <string.h>

CpuLevel cpu_machine(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul"))
        return CPU_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return CPU_AVX2;
#endif
    return CPU_PLAIN;
}

CpuLevel cpu_level(const Ctx *ctx)
{
    static const char *const words[] = {"plain", "avx2", "avx512"}; /* by level */
    const CpuLevel machine = cpu_machine();

    if (ctx->opt)
        for (CpuLevel level = CPU_PLAIN; level < machine; level++)
            if (strcmp(ctx->opt->cpu, words[level]) == 0)
                return level;
    return machine;
}
