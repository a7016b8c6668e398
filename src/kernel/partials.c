/* Partial results of a reduction over slices of the rows.
 *
 * The number of slices follows from the sizes alone and the slices are added in their order, so the
 * digits do not depend on the number of threads. */
#include "kernel/matmult.h"

typedef struct AddPartials {
    const double *partials;
    int64_t count, n;
    double *out;
} AddPartials;

static ml_status add_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const AddPartials *a = arg;

    (void)ctx;
    for (int64_t j = lo; j < hi; j++)
        a->out[j] = a->partials[j];
    for (int64_t p = 1; p < a->count; p++) {
        const double *from = a->partials + p * a->n;

        for (int64_t j = lo; j < hi; j++)
            a->out[j] += from[j];
    }
    return ML_OK;
}

ml_status add_partials(Ctx *ctx, const double *partials, int64_t count, int64_t n, double *out)
{
    AddPartials a = {partials, count, n, out};

    return task_for(ctx, n, task_grain(count), add_range, &a);
}

ml_status partials_new(Ctx *ctx, int64_t count, int64_t n, double **out)
{
    size_t bytes;

    if (!mul_size((size_t)count * sizeof(double), (size_t)n, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    *out = pool_alloc(ctx, bytes);
    return *out ? ML_OK : ML_ENOMEM;
}

void partials_free(Ctx *ctx, double *partials, int64_t count, int64_t n)
{
    if (partials)
        pool_release(ctx->pool, partials, (size_t)count * (size_t)n * sizeof(double));
}
