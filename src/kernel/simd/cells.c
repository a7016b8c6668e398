/* Which set of cell loops a level has. */
#include "kernel/simd/cells.h"

const CellLoops *cell_loops_at(CpuLevel level, OpCode op)
{
#if defined(__x86_64__)
    if (level == CPU_AVX512)
        return &cell_loops_avx512[op];
    if (level == CPU_AVX2)
        return &cell_loops_avx2[op];
#endif
    (void)level;
    return &cell_loops_plain[op];
}
