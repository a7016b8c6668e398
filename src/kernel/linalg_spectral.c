/* Eigenvalues and singular values.
 *
 * Small matrices take the plain forms (ref/), larger ones LAPACK's divide and conquer. LAPACK sees
 * our rows as columns: a symmetric matrix is its own transpose; left eigenvectors of the transpose
 * are the right ones of the matrix; and the singular vectors of the transpose are those of the
 * matrix with their sides exchanged. */
#include "kernel/blas.h"
#include "kernel/decompose.h"

#include <math.h>
#include <string.h>

static ml_status not_converged(Ctx *ctx, const OpCall *call)
{
    return fail(ctx, ML_EVALUE, "%s: the iteration on %s did not converge", CALL_DML(call),
                call_name(call, 0));
}

/* ---- signs ---- */

/* Cells that differ by less than this part are equally large: what rounding leaves of a tie must
 * not decide. */
static const double TIE = 1e-8;

/* Is the largest cell of column j of the m x k matrix u negative?  The first of those equally
 * large.
 */
static bool largest_is_negative(const double *u, int64_t m, int64_t k, int64_t j)
{
    double most = 0;
    int64_t i = 0;

    for (int64_t r = 0; r < m; r++)
        most = fmax(most, fabs(u[r * k + j]));
    while (i < m - 1 && fabs(u[i * k + j]) < most * (1 - TIE))
        i++;
    return m > 0 && u[i * k + j] < 0;
}

static void turn_column(double *x, int64_t rows, int64_t k, int64_t j)
{
    for (int64_t i = 0; i < rows; i++)
        x[i * k + j] = -x[i * k + j];
}

/* Vectors are found but for their sign, which LAPACK leaves as it comes: make the largest cell of
 * each of the k columns of u positive; v, n x k, has its columns turned with them. */
static void fix_signs(double *u, int64_t m, double *v, int64_t n, int64_t k)
{
    for (int64_t j = 0; j < k; j++)
        if (largest_is_negative(u, m, k, j)) {
            turn_column(u, m, k, j);
            turn_column(v, n, k, j);
        }
}

/* ---- symmetric eigenvalues ---- */

typedef struct Eigen {
    const OpCall *call;
    Matrix *a; /* destroyed */
    double *w; /* n eigenvalues */
    double *v; /* n x n, eigenvectors as columns */
} Eigen;

static ml_status lapack_symmetric(Ctx *ctx, const Blas *blas, const Eigen *e)
{
    const int n = (int)e->a->rows;
    int info, liwork = -1, isize, *iwork = &isize, lwork = -1;
    double size, *work;

    blas->dsyevd("V", "L", &n, e->a->values, &n, e->w, &size, &lwork, iwork, &liwork, &info);
    lwork = (int)size;
    liwork = isize;
    TRY(linalg_scratch(ctx, lwork + liwork, &work));
    iwork = (int *)(void *)(work + lwork);
    blas->dsyevd("V", "L", &n, e->a->values, &n, e->w, work, &lwork, iwork, &liwork, &info);
    linalg_scratch_free(ctx, work, lwork + liwork);
    linalg_transpose(ctx, e->a->values, n, n, e->v);
    return info == 0 ? ML_OK : not_converged(ctx, e->call);
}

static ml_status symmetric(Ctx *ctx, const Eigen *e)
{
    const Blas *blas = linalg_blas(ctx, e->a->rows);

    if (blas)
        return lapack_symmetric(ctx, blas, e);
    return plain_eigen(e->a->values, e->a->rows, e->w, e->v) ? ML_OK : not_converged(ctx, e->call);
}

/* ---- eigenvalues of an asymmetric matrix ---- */

/* Vector k of LAPACK is row k of `vectors`; the ascending eigenvalues and their vectors as columns.
 */
static void place_ascending(const Eigen *e, double *w, const double *vectors)
{
    const int64_t n = e->a->rows;

    for (int64_t j = 0; j < n; j++) {
        int64_t least = 0;

        for (int64_t k = 1; k < n; k++)
            least = w[k] < w[least] ? k : least;
        e->w[j] = w[least];
        for (int64_t i = 0; i < n; i++)
            e->v[i * n + j] = vectors[least * n + i];
        w[least] = INFINITY;
    }
}

static ml_status check_real(Ctx *ctx, const Eigen *e, const double *re, const double *im)
{
    for (int64_t k = 0; k < e->a->rows; k++)
        if (im[k] != 0)
            return fail(ctx, ML_EVALUE, "eigen: %s should have real eigenvalues, found %s%s%si",
                        call_name(e->call, 0), NUM_SHOW(re[k]), im[k] > 0 ? "+" : "",
                        NUM_SHOW(im[k]));
    return ML_OK;
}

static ml_status asymmetric(Ctx *ctx, const Eigen *e)
{
    const Blas *blas = blas_get(ctx);
    const int n = (int)e->a->rows, one = 1, lwork = 34 * n;
    const int64_t cells = (int64_t)n * n + lwork + 2 * (int64_t)n;
    double *vectors, *re, *im, *work;
    ml_status st;
    int info;

    if (!blas || e->a->rows > INT32_MAX / 64)
        return fail(
            ctx, ML_EUNSUPPORTED,
            "eigen: %s is not symmetric; that needs the library OpenBLAS, which was not found",
            call_name(e->call, 0));
    TRY(linalg_scratch(ctx, cells, &vectors));
    re = vectors + (int64_t)n * n;
    im = re + n;
    work = im + n;
    blas->dgeev("V", "N", &n, e->a->values, &n, re, im, vectors, &n, NULL, &one, work, &lwork,
                &info);
    st = info == 0 ? check_real(ctx, e, re, im) : not_converged(ctx, e->call);
    if (st == ML_OK)
        place_ascending(e, re, vectors);
    linalg_scratch_free(ctx, vectors, cells);
    return st;
}

ml_status linalg_symmetric_eigen(Ctx *ctx, const OpCall *call, Matrix *a, double *w, double *v)
{
    const Eigen e = {call, a, w, v};

    return symmetric(ctx, &e);
}

static ml_status eigen(Ctx *ctx, OpCall *call, Matrix *a, Matrix *w, Matrix *v)
{
    const Eigen e = {call, a, w->values, v->values};
    int64_t i, j;

    TRY(linalg_finite(ctx, call, a));
    if (a->rows == 0)
        return ML_OK;
    TRY(linalg_symmetric(a, &i, &j) ? symmetric(ctx, &e) : asymmetric(ctx, &e));
    fix_signs(v->values, v->rows, NULL, 0, v->cols);
    return ML_OK;
}

ml_status ml_k_eigen(Ctx *ctx, OpCall *call)
{
    Matrix *a, *out[2] = {NULL, NULL};
    ml_status st;

    TRY(linalg_square(ctx, call, 0, &a));
    st = matrix_new_dense(ctx, a->rows, 1, &out[0]);
    if (st == ML_OK)
        st = matrix_new_dense(ctx, a->rows, a->rows, &out[1]);
    if (st == ML_OK)
        st = eigen(ctx, call, a, out[0], out[1]);
    matrix_release(a);
    return result_matrices(ctx, call, st, out, 2);
}

/* ---- singular values ---- */

/* Results as LAPACK or the plain form leave them, for an operand of m x n, k = min(m, n). */
typedef struct Svd {
    const OpCall *call;
    Matrix *a;
    double *u, *s, *v; /* m x k, k, n x k */
} Svd;

/* LAPACK gets the matrix or its transpose, whichever is tall in columns: the other way round its
 * first step, a QR decomposition of columns, would be one of rows, which is slower.  Our rows are
 * its columns, so a tall matrix is the one to transpose.  What comes out as rows is the long side's
 * vectors, to be transposed; the short side's are in place. */
static ml_status lapack_svd(Ctx *ctx, const Blas *blas, const Svd *d)
{
    const bool tall = d->a->rows > d->a->cols;
    const int n = (int)(tall ? d->a->rows : d->a->cols), k = (int)(tall ? d->a->cols : d->a->rows);
    const int64_t cells = (int64_t)n * k, fixed = (tall ? 2 : 1) * cells + 4 * (int64_t)k;
    double *in = d->a->values, *const across = tall ? d->v : d->u;
    int lwork = -1, info;
    double size, *rows, *work;
    int *iwork;

    blas->dgesdd("S", &n, &k, in, &n, d->s, NULL, &n, across, &k, &size, &lwork, NULL, &info);
    lwork = (int)size;
    TRY(linalg_scratch(ctx, fixed + lwork, &rows));
    iwork = (int *)(void *)(rows + fixed - 4 * (int64_t)k);
    work = rows + fixed;
    if (tall) {
        in = rows + cells;
        linalg_transpose(ctx, d->a->values, n, k, in);
    }
    blas->dgesdd("S", &n, &k, in, &n, d->s, rows, &n, across, &k, work, &lwork, iwork, &info);
    linalg_transpose(ctx, rows, k, n, tall ? d->u : d->v);
    linalg_scratch_free(ctx, rows, fixed + lwork);
    return info == 0 ? ML_OK : not_converged(ctx, d->call);
}

/* The plain form takes tall matrices; a wide one is transposed, which exchanges the sides. */
static ml_status plain_form(Ctx *ctx, const Svd *d)
{
    const bool wide = d->a->rows < d->a->cols;
    const int64_t m = wide ? d->a->cols : d->a->rows, n = wide ? d->a->rows : d->a->cols;
    double *flat, *e;
    bool done;

    TRY(linalg_scratch(ctx, m * n + n + m, &flat));
    e = flat + m * n;
    if (wide)
        linalg_transpose(ctx, d->a->values, n, m, flat);
    else
        memcpy(flat, d->a->values, (size_t)(m * n) * sizeof *flat);
    memset(d->u, 0, (size_t)(d->a->rows * n) * sizeof *d->u);
    memset(d->v, 0, (size_t)(d->a->cols * n) * sizeof *d->v);
    done = plain_svd(flat, m, n, wide ? d->v : d->u, d->s, wide ? d->u : d->v, e, e + n);
    linalg_scratch_free(ctx, flat, m * n + n + m);
    return done ? ML_OK : not_converged(ctx, d->call);
}

static ml_status svd(Ctx *ctx, OpCall *call, Matrix *a, Matrix *out[3])
{
    const int64_t m = a->rows, n = a->cols, k = m < n ? m : n;
    const Blas *blas = m <= INT32_MAX && n <= INT32_MAX ? linalg_blas(ctx, k) : NULL;
    Svd d = {.call = call, .a = a};
    ml_status st;

    TRY(linalg_finite(ctx, call, a));
    TRY(matrix_new_dense(ctx, m, k, &out[0]));
    TRY(matrix_new_zero(ctx, k, k, &out[1]));
    TRY(matrix_new_dense(ctx, n, k, &out[2]));
    TRY(linalg_scratch(ctx, k, &d.s));
    d.u = out[0]->values;
    d.v = out[2]->values;
    st = blas ? lapack_svd(ctx, blas, &d) : plain_form(ctx, &d);
    if (st == ML_OK && k > PLAIN_MAX)
        fix_signs(d.u, m, d.v, n, k);
    for (int64_t i = 0; i < k; i++)
        out[1]->values[i * k + i] = d.s[i];
    linalg_scratch_free(ctx, d.s, k);
    return st;
}

ml_status ml_k_svd(Ctx *ctx, OpCall *call)
{
    Matrix *a, *out[3] = {NULL, NULL, NULL};
    ml_status st;

    TRY(linalg_copy(ctx, call, 0, &a));
    st = svd(ctx, call, a, out);
    matrix_release(a);
    return result_matrices(ctx, call, st, out, 3);
}
