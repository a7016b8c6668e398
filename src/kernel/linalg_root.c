/* sqrtMatrixJava: the principal square root of A, the X with X %*% X = A whose eigenvalues have
 * positive real parts (or are 0).
 *
 * For a symmetric A it is V diag(sqrt(w)) t(V) by its eigenvalues w, none of which may be negative.
 * Any other A takes the iteration of Denman and Beavers (1976), X' = (X + inv(Y)) / 2, Y' = (Y +
 * inv(X)) / 2 from X = A and Y = I, which doubles the digits with each step; a singular A or one
 * with a negative eigenvalue leads nowhere and is refused, and so is a root whose square is not A.
 * Cost: one decomposition and one product; some ten times two inverses. */
#include "kernel/decompose.h"
#include "kernel/matmult.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { STEPS = 60 };

static ml_status no_root(Ctx *ctx, const OpCall *call, const char *why)
{
    return fail(ctx, ML_EVALUE, "%s: %s has no principal square root of real cells, %s",
                CALL_DML(call), call_name(call, 0), why);
}

/* ---- symmetric matrices ---- */

/* Rounding makes the zero eigenvalues of a singular matrix slightly negative. */
static ml_status check_eigenvalues(Ctx *ctx, const OpCall *call, const double *w, int64_t n)
{
    const double largest = fmax(fabs(w[0]), fabs(w[n - 1]));

    if (w[0] < -16 * DBL_EPSILON * (double)n * largest)
        return no_root(ctx, call, "one of its eigenvalues is negative");
    return ML_OK;
}

/* v diag(sqrt(w)) t(v); v becomes its first factor. */
static ml_status root_from(Ctx *ctx, const double *w, Matrix *v, Matrix **out)
{
    const int64_t n = v->rows;
    Matrix *scaled;
    ml_status st;

    TRY(matrix_new_dense(ctx, n, n, &scaled));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            scaled->values[i * n + j] = v->values[i * n + j] * sqrt(fmax(w[j], 0));
    st = product_dense(ctx, (Factor){scaled, false}, (Factor){v, true}, out);
    matrix_release(scaled);
    return st;
}

/* a is destroyed. */
static ml_status symmetric_root(Ctx *ctx, const OpCall *call, Matrix *a, Matrix **out)
{
    Matrix *w = NULL, *v = NULL;
    ml_status st;

    TRY_TO(done, st = matrix_new_dense(ctx, a->rows, 1, &w));
    TRY_TO(done, st = matrix_new_dense(ctx, a->rows, a->rows, &v));
    TRY_TO(done, st = linalg_symmetric_eigen(ctx, call, a, w->values, v->values));
    TRY_TO(done, st = check_eigenvalues(ctx, call, w->values, a->rows));
    st = root_from(ctx, w->values, v, out);
done:
    matrix_release(w);
    matrix_release(v);
    return st;
}

/* ---- the iteration ---- */

/* By the kernel of inv(); dense. */
static ml_status inverse(Ctx *ctx, const OpCall *call, Matrix *a, Matrix **out)
{
    Value in = value_matrix(a), found = value_none();
    OpCall inv = {.op = &op_table[OP_inv], .nin = 1, .nout = 1, .in = &in, .out = &found};
    ml_status st = ml_k_inv(ctx, &inv);

    if (st == ML_EVALUE)
        return no_root(ctx, call, "or it is singular");
    TRY(st);
    st = matrix_dense(ctx, found.m, out);
    matrix_release(found.m);
    return st;
}

/* to = (to + other) / 2; how far its cells moved at most against the largest one. */
static double halve(Matrix *to, const Matrix *other)
{
    double largest = 0, moved = 0;

    for (int64_t i = 0; i < matrix_cells(to); i++) {
        const double mean = 0.5 * (to->values[i] + other->values[i]);

        moved = fmax(moved, fabs(mean - to->values[i]));
        largest = fmax(largest, fabs(mean));
        to->values[i] = mean;
    }
    return moved / largest;
}

static ml_status step(Ctx *ctx, const OpCall *call, Matrix *x, Matrix *y, double *moved)
{
    Matrix *inv_x = NULL, *inv_y = NULL;
    ml_status st;

    TRY_TO(done, st = inverse(ctx, call, x, &inv_x));
    TRY_TO(done, st = inverse(ctx, call, y, &inv_y));
    *moved = halve(x, inv_y);
    halve(y, inv_x);
done:
    matrix_release(inv_x);
    matrix_release(inv_y);
    return st;
}

static ml_status check_square(Ctx *ctx, const OpCall *call, const Matrix *a, Matrix *x)
{
    double largest = 0, wrong = 0;
    Matrix *square;

    TRY(product_dense(ctx, (Factor){x, false}, (Factor){x, false}, &square));
    for (int64_t i = 0; i < matrix_cells(a); i++) {
        largest = fmax(largest, fabs(a->values[i]));
        wrong = fmax(wrong, fabs(square->values[i] - a->values[i]));
    }
    matrix_release(square);
    return wrong <= 1e-8 * largest ? ML_OK : no_root(ctx, call, "or rounding hides it");
}

/* Quadratic convergence: after a step of 1e-9 the next one would be lost in rounding. */
static ml_status iterate(Ctx *ctx, const OpCall *call, const Matrix *a, Matrix *x, Matrix *y)
{
    double moved = 1;

    for (int k = 0; k < STEPS && moved > 1e-9; k++) {
        TRY(step(ctx, call, x, y, &moved));
        if (!isfinite(moved))
            break;
    }
    if (!(moved <= 1e-9))
        return no_root(ctx, call, "one of its eigenvalues is negative or nearly so");
    return check_square(ctx, call, a, x);
}

static ml_status general_root(Ctx *ctx, const OpCall *call, const Matrix *a, Matrix **out)
{
    const int64_t n = a->rows;
    Matrix *y;
    ml_status st;

    TRY(matrix_new_zero(ctx, n, n, &y));
    for (int64_t i = 0; i < n; i++)
        y->values[i * n + i] = 1;
    st = linalg_copy(ctx, call, 0, out);
    if (st == ML_OK)
        st = iterate(ctx, call, a, *out, y);
    matrix_release(y);
    return st;
}

static ml_status root(Ctx *ctx, const OpCall *call, Matrix *a, Matrix **out)
{
    int64_t i, j;

    TRY(linalg_finite(ctx, call, a));
    if (a->rows == 0)
        return matrix_new_dense(ctx, 0, 0, out);
    return linalg_symmetric(a, &i, &j) ? symmetric_root(ctx, call, a, out)
                                       : general_root(ctx, call, a, out);
}

ml_status ml_k_sqrtMatrixJava(Ctx *ctx, OpCall *call)
{
    Matrix *a, *out = NULL;
    ml_status st;

    TRY(linalg_square(ctx, call, 0, &a));
    st = root(ctx, call, a, &out);
    matrix_release(a);
    if (st == ML_OK)
        return result_matrix(ctx, call, 0, out, -1);
    matrix_release(out);
    return st;
}
