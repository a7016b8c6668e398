/* What the operators of linear algebra share: their operands as dense cells, checks of them,
 * scratch. */
#include "kernel/blas.h"
#include "kernel/decompose.h"
#include "kernel/dense.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* Of the largest cell: how far rounding may take a matrix from symmetry. */
static const double SYMMETRY = 1e-10;

ml_status linalg_copy(Ctx *ctx, const OpCall *call, int k, Matrix **out)
{
    Matrix *m;
    ml_status st;

    TRY(call_matrix(ctx, call, k, &m));
    TRY(matrix_dense(ctx, m, out));
    st = matrix_writable(ctx, out);
    if (st != ML_OK) {
        matrix_release(*out);
        *out = NULL;
    }
    return st;
}

ml_status linalg_square(Ctx *ctx, const OpCall *call, int k, Matrix **out)
{
    Matrix *m;

    TRY(call_matrix(ctx, call, k, &m));
    if (m->rows != m->cols)
        return fail(ctx, ML_ESHAPE, "%s: %s should be square, found %" PRId64 "x%" PRId64,
                    CALL_DML(call), call_name(call, k), m->rows, m->cols);
    return linalg_copy(ctx, call, k, out);
}

ml_status linalg_finite(Ctx *ctx, const OpCall *call, const Matrix *m)
{
    for (int64_t i = 0; i < matrix_cells(m); i++)
        if (!isfinite(m->values[i]))
            return fail(ctx, ML_EVALUE,
                        "%s: the cells of %s should be finite, [%" PRId64 ",%" PRId64 "] is %s",
                        CALL_DML(call), call_name(call, 0), i / m->cols + 1, i % m->cols + 1,
                        isnan(m->values[i]) ? "NaN" : "infinite");
    return ML_OK;
}

bool linalg_symmetric(const Matrix *m, int64_t *i, int64_t *j)
{
    const int64_t n = m->rows;
    double largest = 0;

    for (int64_t k = 0; k < n * n; k++)
        largest = fmax(largest, fabs(m->values[k]));
    for (*i = 0; *i < n; ++*i)
        for (*j = *i + 1; *j < n; ++*j)
            if (fabs(m->values[*i * n + *j] - m->values[*j * n + *i]) > SYMMETRY * largest)
                return false;
    return true;
}

const Blas *linalg_blas(const Ctx *ctx, int64_t n)
{
    return n > PLAIN_MAX && n <= INT_MAX ? blas_get(ctx) : NULL;
}

void linalg_transpose(const Ctx *ctx, const double *x, int64_t rows, int64_t cols, double *y)
{
    dense_ops(ctx)->transpose(x, cols, rows, cols, y, rows);
}

ml_status linalg_scratch(Ctx *ctx, int64_t cells, double **out)
{
    const size_t bytes = ((size_t)cells + 1) * sizeof **out;

    *out = pool_alloc(ctx, bytes);
    if (!*out)
        return ML_ENOMEM;
    memset(*out, 0, bytes);
    return ML_OK;
}

void linalg_scratch_free(Ctx *ctx, double *p, int64_t cells)
{
    if (p)
        pool_release(ctx->pool, p, ((size_t)cells + 1) * sizeof *p);
}
