/* Systems of equations, inverse, determinant, LU, Cholesky, trace.
 *
 * LAPACK reads our rows as columns, that is, the transpose of the matrix: for the determinant, the
 * inverse, symmetric matrices and solving (with the transposed solver) that makes no difference, so
 * nothing is copied but the operand once.
 *
 * solve() and inv() use LU.  Where it meets a pivot of exactly 0 they go over to QR, whose rounding
 * seldom gives 0: matrices that are singular but for rounding then have large values as a result
 * instead of an error. */
#include "kernel/blas.h"
#include "kernel/decompose.h"
#include "kernel/reorg.h"

#include <string.h>

/* ---- LU ---- */

typedef struct Lu {
    Matrix *a;
    int64_t *perm; /* row i of L U is row perm[i] of A */
    int *pivots;   /* LAPACK's row exchanges, in the same piece of memory */
    int64_t zero;  /* column of the first pivot 0, or -1 */
    int sign;      /* of the permutation */
    const Blas *blas;
} Lu;

static size_t perm_bytes(const Matrix *a)
{
    return ((size_t)a->rows + 1) * (sizeof(int64_t) + sizeof(int));
}

static void lapack_lu(Lu *lu)
{
    const int n = (int)lu->a->rows;
    int info;

    lu->blas->dgetrf(&n, &n, lu->a->values, &n, lu->pivots, &info);
    lu->zero = info > 0 ? info - 1 : -1;
    lu->sign = 1;
    for (int i = 0; i < n; i++)
        lu->perm[i] = i;
    for (int i = 0; i < n; i++) {
        const int other = lu->pivots[i] - 1;
        const int64_t row = lu->perm[i];

        lu->perm[i] = lu->perm[other];
        lu->perm[other] = row;
        lu->sign = other == i ? lu->sign : -lu->sign;
    }
}

/* Decompose a in place; the caller keeps it.  By LAPACK it is the decomposition of the transpose.
 */
static ml_status lu_begin(Ctx *ctx, Matrix *a, Lu *lu)
{
    *lu = (Lu){.a = a, .zero = -1, .sign = 1, .blas = linalg_blas(ctx, a->rows)};
    lu->perm = pool_alloc(ctx, perm_bytes(a));
    if (!lu->perm)
        return ML_ENOMEM;
    lu->pivots = (int *)(void *)(lu->perm + a->rows);
    if (lu->blas)
        lapack_lu(lu);
    else
        lu->sign = plain_lu(a->values, a->rows, lu->perm, &lu->zero);
    return ML_OK;
}

static void lu_end(Ctx *ctx, Lu *lu)
{
    if (lu->perm)
        pool_release(ctx->pool, lu->perm, perm_bytes(lu->a));
}

ml_status ml_k_det(Ctx *ctx, OpCall *call)
{
    Matrix *a;
    ml_status st;
    Lu lu;

    TRY(linalg_square(ctx, call, 0, &a));
    st = lu_begin(ctx, a, &lu);
    if (st == ML_OK) {
        double det = lu.sign;

        for (int64_t i = 0; i < a->rows; i++)
            det *= a->values[i * a->rows + i];
        call->out[0] = value_double(det);
    }
    lu_end(ctx, &lu);
    matrix_release(a);
    return st;
}

/* ---- solve and inv ---- */

static ml_status singular(Ctx *ctx, const OpCall *call, int64_t col)
{
    return fail(ctx, ML_EVALUE,
                "%s: matrix is singular, column %" PRId64 " of %s depends on those before it",
                CALL_DML(call), col + 1, call_name(call, 0));
}

/* Right sides go to LAPACK as columns. */
static ml_status lapack_solve(Ctx *ctx, const Lu *lu, Matrix *b)
{
    const int n = (int)b->rows, k = (int)b->cols;
    double *columns;
    int info;

    TRY(linalg_scratch(ctx, matrix_cells(b), &columns));
    linalg_transpose(ctx, b->values, n, k, columns);
    lu->blas->dgetrs("T", &n, &k, lu->a->values, &n, lu->pivots, columns, &n, &info);
    linalg_transpose(ctx, columns, k, n, b->values);
    linalg_scratch_free(ctx, columns, matrix_cells(b));
    return ML_OK;
}

static ml_status lu_solve(Ctx *ctx, const Lu *lu, Matrix *b)
{
    double *x;

    if (lu->blas)
        return lapack_solve(ctx, lu, b);
    TRY(linalg_scratch(ctx, matrix_cells(b), &x));
    plain_lu_solve(lu->a->values, lu->perm, b->rows, b->values, b->cols, x);
    memcpy(b->values, x, (size_t)matrix_cells(b) * sizeof *x);
    linalg_scratch_free(ctx, x, matrix_cells(b));
    return ML_OK;
}

/* b becomes x with A x = b for operand A, which LU could not handle; always by the plain form, as a
 * matter of digits. */
static ml_status qr_solve(Ctx *ctx, const OpCall *call, Matrix *b)
{
    const int64_t n = b->rows, cells = n * n + n + b->cols;
    Matrix *r;
    double *v;
    int64_t zero;

    TRY(linalg_copy(ctx, call, 0, &r));
    if (linalg_scratch(ctx, cells, &v) != ML_OK) {
        matrix_release(r);
        return ML_ENOMEM;
    }
    plain_qr(r->values, n, n, v, v + n * n);
    zero = plain_qr_solve(v, r->values, n, b->values, b->cols, v + n * n + n);
    linalg_scratch_free(ctx, v, cells);
    matrix_release(r);
    return zero < 0 ? ML_OK : singular(ctx, call, zero);
}

/* a is operand 0, copied. */
static ml_status solve_copy(Ctx *ctx, const OpCall *call, Matrix *a, Matrix *b)
{
    ml_status st;
    Lu lu;

    st = lu_begin(ctx, a, &lu);
    if (st == ML_OK)
        st = lu.zero < 0 ? lu_solve(ctx, &lu, b) : qr_solve(ctx, call, b);
    lu_end(ctx, &lu);
    return st;
}

ml_status ml_k_solve(Ctx *ctx, OpCall *call)
{
    Matrix *a, *b = NULL;
    ml_status st;

    TRY(linalg_square(ctx, call, 0, &a));
    TRY_TO(done, st = linalg_copy(ctx, call, 1, &b));
    if (b->rows != a->rows) {
        st = call_shape_error(ctx, call, 0, 1, "solve needs as many rows in b as in A");
        goto done;
    }
    if (matrix_cells(b) > 0)
        st = solve_copy(ctx, call, a, b);
    if (st == ML_OK) {
        st = result_matrix(ctx, call, 0, b, -1);
        b = NULL;
    }
done:
    matrix_release(a);
    matrix_release(b);
    return st;
}

static ml_status identity(Ctx *ctx, int64_t n, Matrix **out)
{
    TRY(matrix_new_zero(ctx, n, n, out));
    for (int64_t i = 0; i < n; i++)
        (*out)->values[i * n + i] = 1;
    return ML_OK;
}

/* By LAPACK in place of the decomposition: the inverse of the transpose is the transpose of the
 * inverse. */
static ml_status lapack_inv(Ctx *ctx, const Lu *lu)
{
    const int n = (int)lu->a->rows, lwork = 64 * n;
    double *work;
    int info;

    TRY(linalg_scratch(ctx, lwork, &work));
    lu->blas->dgetri(&n, lu->a->values, &n, lu->pivots, work, &lwork, &info);
    linalg_scratch_free(ctx, work, lwork);
    return ML_OK;
}

ml_status ml_k_inv(Ctx *ctx, OpCall *call)
{
    Matrix *a, *b = NULL;
    Lu lu = {0};
    ml_status st;

    TRY(linalg_square(ctx, call, 0, &a));
    TRY_TO(done, st = lu_begin(ctx, a, &lu));
    if (lu.blas && lu.zero < 0 && a->rows < INT32_MAX / 64) {
        TRY_TO(done, st = lapack_inv(ctx, &lu));
        b = matrix_retain(a);
    } else {
        TRY_TO(done, st = identity(ctx, a->rows, &b));
        TRY_TO(done, st = lu.zero < 0 ? lu_solve(ctx, &lu, b) : qr_solve(ctx, call, b));
    }
    st = result_matrix(ctx, call, 0, b, -1);
    b = NULL;
done:
    lu_end(ctx, &lu);
    matrix_release(a);
    matrix_release(b);
    return st;
}

/* ---- the factors of LU ---- */

/* *m becomes its transpose. */
static ml_status flip(Ctx *ctx, Matrix **m)
{
    Matrix *out;

    TRY(matrix_transpose(ctx, *m, &out));
    matrix_release(*m);
    *m = out;
    return ML_OK;
}

/* L, with its diagonal of ones, and U out of a. */
static void split(const Matrix *a, Matrix *l, Matrix *u)
{
    const int64_t n = a->rows;

    for (int64_t i = 0; i < n; i++) {
        memcpy(l->values + i * n, a->values + i * n, (size_t)i * sizeof(double));
        l->values[i * n + i] = 1;
        memcpy(u->values + i * n + i, a->values + i * n + i, (size_t)(n - i) * sizeof(double));
    }
}

/* LAPACK should see a itself, not its transpose. */
static ml_status factors(Ctx *ctx, Matrix **a, Lu *lu, Matrix *out[3])
{
    const int64_t n = (*a)->rows;
    const bool by_columns = linalg_blas(ctx, n) != NULL;

    if (by_columns)
        TRY(flip(ctx, a));
    TRY(lu_begin(ctx, *a, lu));
    if (by_columns) {
        TRY(flip(ctx, a));
        lu->a = *a;
    }
    for (int k = 0; k < 3; k++)
        TRY(matrix_new_zero(ctx, n, n, &out[k]));
    for (int64_t i = 0; i < n; i++)
        out[0]->values[i * n + lu->perm[i]] = 1;
    split(*a, out[1], out[2]);
    return ML_OK;
}

ml_status ml_k_lu(Ctx *ctx, OpCall *call)
{
    Matrix *a, *out[3] = {NULL, NULL, NULL};
    Lu lu = {0};
    ml_status st;

    TRY(linalg_square(ctx, call, 0, &a));
    lu.a = a;
    st = factors(ctx, &a, &lu, out);
    lu.a = a;
    for (int k = 0; k < 3; k++)
        if (st == ML_OK)
            st = result_matrix(ctx, call, k, out[k], -1);
        else
            matrix_release(out[k]);
    lu_end(ctx, &lu);
    matrix_release(a);
    return st;
}

/* ---- Cholesky, trace ---- */

/* The first row that shows a not to be positive definite, or -1. Our lower triangle is LAPACK's
 * upper one. */
static int64_t cholesky(const Blas *blas, Matrix *a)
{
    const int n = (int)a->rows;
    int info;

    if (!blas)
        return plain_cholesky(a->values, a->rows);
    blas->dpotrf("U", &n, a->values, &n, &info);
    for (int64_t i = 0; i < n; i++)
        memset(a->values + i * n + i + 1, 0, (size_t)(n - i - 1) * sizeof(double));
    return info > 0 ? info - 1 : -1;
}

static ml_status check_and_factor(Ctx *ctx, const OpCall *call, Matrix *a)
{
    int64_t i, j;

    TRY(linalg_finite(ctx, call, a));
    if (!linalg_symmetric(a, &i, &j))
        return fail(ctx, ML_EVALUE,
                    "cholesky: %s should be symmetric, [%" PRId64 ",%" PRId64 "] is %s, [%" PRId64
                    ",%" PRId64 "] is %s",
                    call_name(call, 0), i + 1, j + 1, NUM_SHOW(a->values[i * a->rows + j]), j + 1,
                    i + 1, NUM_SHOW(a->values[j * a->rows + i]));
    i = cholesky(linalg_blas(ctx, a->rows), a);
    if (i >= 0)
        return fail(ctx, ML_EVALUE,
                    "cholesky: %s should be positive definite, its leading %" PRId64 "x%" PRId64
                    " part (row %" PRId64 ") is not",
                    call_name(call, 0), i + 1, i + 1, i + 1);
    return ML_OK;
}

ml_status ml_k_cholesky(Ctx *ctx, OpCall *call)
{
    Matrix *a;
    ml_status st;

    TRY(linalg_square(ctx, call, 0, &a));
    st = check_and_factor(ctx, call, a);
    if (st == ML_OK)
        return result_matrix(ctx, call, 0, a, -1);
    matrix_release(a);
    return st;
}

ml_status ml_k_trace(Ctx *ctx, OpCall *call)
{
    double sum = 0;
    Matrix *a;

    TRY(call_matrix(ctx, call, 0, &a));
    if (a->rows != a->cols)
        return fail(ctx, ML_ESHAPE, "trace: %s should be square, found %" PRId64 "x%" PRId64,
                    call_name(call, 0), a->rows, a->cols);
    for (int64_t i = 0; i < a->rows; i++)
        sum += matrix_get(a, i, i);
    call->out[0] = value_double(sum);
    return ML_OK;
}
