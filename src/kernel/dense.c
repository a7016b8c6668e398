/* Choice of the inner loops for this machine; see dense.h. */
#include "kernel/dense.h"

const DenseOps *dense_ops(void)
{
#if defined(__x86_64__)
    if (cpu_level() == CPU_AVX512)
        return &dense_ops_avx512;
    if (cpu_level() == CPU_AVX2)
        return &dense_ops_avx2;
#endif
    return &dense_ops_plain;
}
