/* QR decomposition. */
#include "kernel/blas.h"
#include "kernel/decompose.h"

#include <math.h>

/* Row k of r changes its sign: LAPACK leaves a column alone that has nothing below the diagonal,
 * the plain form reflects it. */
static void reflect_row(Matrix *r, int64_t k)
{
    for (int64_t j = k; j < r->cols; j++)
        r->values[k * r->cols + j] = -r->values[k * r->cols + j];
}

/* From LAPACK's column-major factors, vectors with an implied 1 and scales tau, to r and h. */
static void unpack(const double *f, const double *tau, Matrix *r, Matrix *h)
{
    const int64_t m = r->rows, n = r->cols;

    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            const double cell = f[j * m + i];
            const double scale = j < m ? tau[j] : 0;

            r->values[i * n + j] = i <= j ? cell : 0;
            h->values[i * n + j] = i < j ? 0 : i == j ? scale : scale * cell;
        }
    for (int64_t k = 0; k < min64(m, n); k++)
        if (tau[k] == 0 && r->values[k * n + k] != 0) {
            h->values[k * n + k] = 2;
            reflect_row(r, k);
        }
}

static ml_status lapack_qr(Ctx *ctx, const Blas *blas, Matrix *a, Matrix *h)
{
    const int m = (int)a->rows, n = (int)a->cols, most = (m > n ? m : n), lwork = 64 * n;
    const int64_t cells = matrix_cells(a) + most + lwork;
    double *f, *tau, *work;
    int info;

    TRY(linalg_scratch(ctx, cells, &f));
    tau = f + matrix_cells(a);
    work = tau + most;
    linalg_transpose(ctx, a->values, m, n, f);
    blas->dgeqrf(&m, &n, f, &m, tau, work, &lwork, &info);
    unpack(f, tau, a, h);
    linalg_scratch_free(ctx, f, cells);
    return ML_OK;
}

/* a becomes R. */
static ml_status factor(Ctx *ctx, Matrix *a, Matrix *h)
{
    const Blas *blas = a->rows < INT32_MAX ? linalg_blas(ctx, min64(a->rows, a->cols)) : NULL;
    double *work;

    if (blas && a->cols < INT32_MAX / 64)
        return lapack_qr(ctx, blas, a, h);
    TRY(linalg_scratch(ctx, a->cols, &work));
    plain_qr(a->values, a->rows, a->cols, h->values, work);
    plain_qr_scale(h->values, a->values, a->rows, a->cols);
    linalg_scratch_free(ctx, work, a->cols);
    return ML_OK;
}

ml_status ml_k_qr(Ctx *ctx, OpCall *call)
{
    Matrix *r, *h;
    ml_status st;

    TRY(linalg_copy(ctx, call, 0, &r));
    st = matrix_new_dense(ctx, r->rows, r->cols, &h);
    if (st != ML_OK) {
        matrix_release(r);
        return st;
    }
    st = factor(ctx, r, h);
    if (st == ML_OK)
        st = result_matrix(ctx, call, 0, h, -1);
    else
        matrix_release(h);
    if (st == ML_OK)
        return result_matrix(ctx, call, 1, r, -1);
    matrix_release(r);
    return st;
}
