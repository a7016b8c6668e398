/* LU decomposition with partial pivoting, column by column (Crout): each cell is computed in one go
 * as a dot product, in the order of the textbook, which fixes the digits of det(). */
#include "kernel/decompose.h"

#include <math.h>

static void swap_rows(double *a, int64_t n, int64_t i, int64_t j)
{
    for (int64_t k = 0; k < n; k++) {
        const double cell = a[i * n + k];

        a[i * n + k] = a[j * n + k];
        a[j * n + k] = cell;
    }
}

/* Cells of column `col` after the columns before it; the row of the largest on and below the
 * diagonal. */
static int64_t reduce_column(double *a, int64_t n, int64_t col)
{
    int64_t best = col;
    double largest = -1;

    for (int64_t i = 0; i < n; i++) {
        const int64_t before = i < col ? i : col;
        double sum = a[i * n + col];

        for (int64_t k = 0; k < before; k++)
            sum -= a[i * n + k] * a[k * n + col];
        a[i * n + col] = sum;
        if (i >= col && fabs(sum) > largest) {
            largest = fabs(sum);
            best = i;
        }
    }
    return best;
}

int plain_lu(double *a, int64_t n, int64_t *perm, int64_t *zero)
{
    int sign = 1;

    *zero = -1;
    for (int64_t i = 0; i < n; i++)
        perm[i] = i;
    for (int64_t col = 0; col < n; col++) {
        const int64_t best = reduce_column(a, n, col);

        if (best != col) {
            const int64_t row = perm[best];

            swap_rows(a, n, best, col);
            perm[best] = perm[col];
            perm[col] = row;
            sign = -sign;
        }
        if (a[col * n + col] == 0) {
            *zero = *zero < 0 ? col : *zero;
            continue; /* all below are 0 as well */
        }
        for (int64_t i = col + 1; i < n; i++)
            a[i * n + col] /= a[col * n + col];
    }
    return sign;
}

void plain_lu_solve(const double *lu, const int64_t *perm, int64_t n, const double *b, int64_t k,
                    double *x)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < k; j++)
            x[i * k + j] = b[perm[i] * k + j];
        for (int64_t p = 0; p < i; p++)
            for (int64_t j = 0; j < k; j++)
                x[i * k + j] -= lu[i * n + p] * x[p * k + j];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t p = i + 1; p < n; p++)
            for (int64_t j = 0; j < k; j++)
                x[i * k + j] -= lu[i * n + p] * x[p * k + j];
        for (int64_t j = 0; j < k; j++)
            x[i * k + j] /= lu[i * n + i];
    }
}
