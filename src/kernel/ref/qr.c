/* Householder QR.  Column k is reflected onto a multiple of unit vector k, away from its own sign,
 * so nothing cancels; rows are added to rows, which suits the row-major layout. */
#include "kernel/decompose.h"

#include <math.h>
#include <string.h>

/* Length of a[k.., k]; scaled where squares would leave the range of doubles. */
static double column_norm(const double *a, int64_t m, int64_t n, int64_t k)
{
    double sum = 0, largest = 0;

    for (int64_t i = k; i < m; i++) {
        const double cell = fabs(a[i * n + k]);

        sum += cell * cell;
        largest = cell > largest ? cell : largest;
    }
    if (sum > 0x1p-900 && sum < 0x1p1000)
        return sqrt(sum);
    if (largest == 0 || !isfinite(largest))
        return sum; /* 0, or NaN and infinity as they are */
    sum = 0;
    for (int64_t i = k; i < m; i++) {
        const double cell = a[i * n + k] / largest;

        sum += cell * cell;
    }
    return largest * sqrt(sum);
}

/* Columns [from, cols) of x, rows below k, reflected by column k of v: x - v t(v) x / (-r v[k]). */
static void reflect(const double *v, int64_t n, int64_t k, double r, double *x, int64_t rows,
                    int64_t cols, int64_t from, double *work)
{
    memset(work + from, 0, (size_t)(cols - from) * sizeof *work);
    for (int64_t i = k; i < rows; i++)
        for (int64_t j = from; j < cols; j++)
            work[j] += v[i * n + k] * x[i * cols + j];
    for (int64_t j = from; j < cols; j++)
        work[j] /= r * v[k * n + k];
    for (int64_t i = k; i < rows; i++)
        for (int64_t j = from; j < cols; j++)
            x[i * cols + j] += v[i * n + k] * work[j];
}

void plain_qr(double *a, int64_t m, int64_t n, double *v, double *work)
{
    memset(v, 0, (size_t)(m * n) * sizeof *v);
    for (int64_t k = 0; k < m && k < n; k++) {
        const double norm = column_norm(a, m, n, k), r = a[k * n + k] > 0 ? -norm : norm;

        if (norm == 0)
            continue;
        for (int64_t i = k; i < m; i++) {
            v[i * n + k] = a[i * n + k];
            a[i * n + k] = 0;
        }
        v[k * n + k] -= r;
        a[k * n + k] = r;
        reflect(v, n, k, r, a, m, n, k + 1, work);
    }
}

void plain_qr_scale(double *v, const double *r, int64_t m, int64_t n)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; k <= i && k < n; k++)
            if (r[k * n + k] != 0)
                v[i * n + k] /= -r[k * n + k];
}

int64_t plain_qr_solve(const double *v, const double *r, int64_t n, double *b, int64_t k,
                       double *work)
{
    for (int64_t i = 0; i < n; i++)
        if (r[i * n + i] == 0)
            return i;
    for (int64_t i = 0; i < n; i++)
        reflect(v, n, i, r[i * n + i], b, n, k, 0, work);
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t p = n - 1; p > i; p--)
            for (int64_t j = 0; j < k; j++)
                b[i * k + j] -= r[i * n + p] * b[p * k + j];
        for (int64_t j = 0; j < k; j++)
            b[i * k + j] /= r[i * n + i];
    }
    return -1;
}
