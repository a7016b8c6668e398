/* The kernels of the operator table as a backend: one row, one function, found by number. */
#include "backend/cpu/cpu.h"

#include "kernel/kernel.h"

#define ML_OP(name, ...) [OP_##name] = ml_k_##name,
#define ML_OP_AS(name, kernel, ...) [OP_##name] = ml_k_##kernel,
#define ML_OP_SCALAR(name, ...)
#define ML_OP_RUN(name, ...)
#define ML_OP_LATER(name, ...)
static const OperatorFn kernels[OP_COUNT] = {
#include "op/ops.def"
};

static OperatorFn cpu_operator(int op)
{
    return kernels[op];
}

static bool cpu_supports(int op)
{
    return kernels[op] != NULL;
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
