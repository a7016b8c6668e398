/* Choice of the inner loops for a context's level; see dense.h. */
#include "kernel/dense.h"

const DenseOps *dense_ops(const Ctx *ctx)
{
#if defined(__x86_64__)
    static const DenseOps *const ops[] = {&dense_ops_plain, &dense_ops_avx2, &dense_ops_avx512};

    return ops[cpu_level(ctx)];
#else
    (void)ctx;
    return &dense_ops_plain;
#endif
}
