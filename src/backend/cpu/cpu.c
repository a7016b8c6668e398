/* The kernels of the operator table as a backend. */
#include "backend/cpu/cpu.h"

#include "kernel/kernel.h"

static OperatorFn cpu_operator(int op)
{
    return kernel_of(op) ? kernel_call : NULL;
}

static bool cpu_supports(int op)
{
    return kernel_of(op) != NULL;
}

/* Bytes moved at 10 GB/s; the only backend so far, so the figure is relative to nothing yet. */
static double cpu_cost(int op, const Dims *in, int nin, Dims out)
{
    double bytes = dims_bytes(CELL_FP64, out);

    (void)op;
    for (int k = 0; k < nin; k++)
        bytes += dims_bytes(CELL_FP64, in[k]);
    return bytes * 1e-10;
}

const Backend backend_cpu = {
    .name = "CP", .supports = cpu_supports, .operator_fn = cpu_operator, .cost = cpu_cost};
