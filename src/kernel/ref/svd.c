/* Singular values by Golub and Reinsch ("Singular value decomposition and least squares solutions",
 * 1970): Householder reflections bring the matrix to bidiagonal form, implicit QR steps then make
 * the cells beside the diagonal vanish. The reflections take every column, also those that are
 * reduced already, which decides the signs of the vectors. */
#include "kernel/decompose.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { STEPS = 75 }; /* for one singular value */

typedef struct Svd {
    double *a, *u, *s, *v, *e, *work; /* s: diagonal, e: beside it */
    int64_t m, n;
    int64_t left, right; /* numbers of reflections from the left and from the right */
} Svd;

static double norm(const double *x, int64_t n, int64_t step)
{
    double length = 0;

    for (int64_t i = 0; i < n; i++)
        length = hypot(length, x[i * step]);
    return length;
}

/* Scale x to the vector of a reflection: x / l + unit vector, where l is its length with the sign
 * of its first cell. Returns -l, what the reflection makes of the first cell; 0 when x is 0. */
static double make_reflector(double *x, int64_t n, int64_t step)
{
    double length = norm(x, n, step);

    if (length == 0)
        return 0;
    length = x[0] < 0 ? -length : length;
    for (int64_t i = 0; i < n; i++)
        x[i * step] /= length;
    x[0] += 1;
    return -length;
}

/* Column j of x (ldx) reflected by vector h (ldh), over n rows. */
static void reflect_column(const double *h, int64_t ldh, double *x, int64_t ldx, int64_t n)
{
    double t = 0;

    for (int64_t i = 0; i < n; i++)
        t -= h[i * ldh] * x[i * ldx];
    t /= h[0];
    for (int64_t i = 0; i < n; i++)
        x[i * ldx] += t * h[i * ldh];
}

/* ---- bidiagonal form ---- */

static void reduce_left(Svd *d, int64_t k)
{
    const int64_t n = d->n, rows = d->m - k;
    double *h = d->a + k * n + k;

    d->s[k] = make_reflector(h, rows, n);
    for (int64_t j = k + 1; j < n && d->s[k] != 0; j++)
        reflect_column(h, n, d->a + k * n + j, n, rows);
    for (int64_t i = k; i < d->m; i++)
        d->u[i * n + k] = d->a[i * n + k];
}

static void reduce_right(Svd *d, int64_t k)
{
    const int64_t n = d->n;

    d->e[k] = make_reflector(d->e + k + 1, n - k - 1, 1);
    if (k + 1 < d->m && d->e[k] != 0) {
        memset(d->work, 0, (size_t)d->m * sizeof *d->work);
        for (int64_t i = k + 1; i < d->m; i++)
            for (int64_t j = k + 1; j < n; j++)
                d->work[i] += d->e[j] * d->a[i * n + j];
        for (int64_t i = k + 1; i < d->m; i++)
            for (int64_t j = k + 1; j < n; j++)
                d->a[i * n + j] -= d->e[j] / d->e[k + 1] * d->work[i];
    }
    for (int64_t i = k + 1; i < n; i++)
        d->v[i * n + k] = d->e[i];
}

static void bidiagonalise(Svd *d)
{
    const int64_t n = d->n;

    for (int64_t k = 0; k < max64(d->left, d->right); k++) {
        if (k < d->left)
            reduce_left(d, k);
        for (int64_t j = k + 1; j < n; j++)
            d->e[j] = d->a[k * n + j];
        if (k < d->right)
            reduce_right(d, k);
    }
    if (d->left < n)
        d->s[d->left] = d->a[d->left * n + d->left];
    if (d->right + 1 < n)
        d->e[d->right] = d->a[d->right * n + n - 1];
    d->e[n - 1] = 0;
}

/* The product of the reflections from the left, first n columns. */
static void expand_left(Svd *d)
{
    const int64_t n = d->n;

    for (int64_t k = n - 1; k >= 0; k--) {
        const bool reflected = k < d->left && d->s[k] != 0;

        for (int64_t j = k + 1; reflected && j < n; j++)
            reflect_column(d->u + k * n + k, n, d->u + k * n + j, n, d->m - k);
        for (int64_t i = 0; i < d->m; i++)
            d->u[i * n + k] = reflected && i >= k ? -d->u[i * n + k] : 0;
        d->u[k * n + k] += 1;
    }
}

static void expand_right(Svd *d)
{
    const int64_t n = d->n;

    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t j = k + 1; k < d->right && d->e[k] != 0 && j < n; j++)
            reflect_column(d->v + (k + 1) * n + k, n, d->v + (k + 1) * n + j, n, n - k - 1);
        for (int64_t i = 0; i < n; i++)
            d->v[i * n + k] = i == k;
    }
}

/* ---- iteration ---- */

static void rotate(double *x, int64_t rows, int64_t n, int64_t j, int64_t k, double c, double s)
{
    for (int64_t i = 0; i < rows; i++) {
        const double a = x[i * n + j], b = x[i * n + k];

        x[i * n + j] = c * a + s * b;
        x[i * n + k] = c * b - s * a;
    }
}

static bool negligible(double x, double beside)
{
    return fabs(x) <= DBL_MIN + DBL_EPSILON * beside;
}

/* s[p - 1] vanished: chase e[p - 2] up and out. */
static void chase_up(Svd *d, int64_t k, int64_t p)
{
    double f = d->e[p - 2];

    d->e[p - 2] = 0;
    for (int64_t j = p - 2; j >= k; j--) {
        const double t = hypot(d->s[j], f), c = d->s[j] / t, s = f / t;

        d->s[j] = t;
        if (j != k) {
            f = -s * d->e[j - 1];
            d->e[j - 1] *= c;
        }
        rotate(d->v, d->n, d->n, j, p - 1, c, s);
    }
}

/* s[k - 1] vanished: chase e[k - 1] down and out. */
static void chase_down(Svd *d, int64_t k, int64_t p)
{
    double f = d->e[k - 1];

    d->e[k - 1] = 0;
    for (int64_t j = k; j < p; j++) {
        const double t = hypot(d->s[j], f), c = d->s[j] / t, s = f / t;

        d->s[j] = t;
        f = -s * d->e[j];
        d->e[j] *= c;
        rotate(d->u, d->m, d->n, j, k - 1, c, s);
    }
}

/* Wilkinson's shift for the block [k, p), and the first rotation's operand. */
static double shifted(const Svd *d, int64_t k, int64_t p, double *g)
{
    const double scale = fmax(
        fmax(fmax(fmax(fabs(d->s[p - 1]), fabs(d->s[p - 2])), fabs(d->e[p - 2])), fabs(d->s[k])),
        fabs(d->e[k]));
    const double sp = d->s[p - 1] / scale, before = d->s[p - 2] / scale, ep = d->e[p - 2] / scale;
    const double sk = d->s[k] / scale, ek = d->e[k] / scale;
    const double b = ((before + sp) * (before - sp) + ep * ep) / 2, c = sp * ep * (sp * ep);
    double shift = 0;

    if (b != 0 || c != 0) {
        shift = b < 0 ? -sqrt(b * b + c) : sqrt(b * b + c);
        shift = c / (b + shift);
    }
    *g = sk * ek;
    return (sk + sp) * (sk - sp) + shift;
}

static void qr_step(Svd *d, int64_t k, int64_t p)
{
    double g, f = shifted(d, k, p, &g);

    for (int64_t j = k; j < p - 1; j++) {
        double t = hypot(f, g), c = f / t, s = g / t;

        if (j != k)
            d->e[j - 1] = t;
        f = c * d->s[j] + s * d->e[j];
        d->e[j] = c * d->e[j] - s * d->s[j];
        g = s * d->s[j + 1];
        d->s[j + 1] *= c;
        rotate(d->v, d->n, d->n, j, j + 1, c, s);
        t = hypot(f, g);
        c = f / t;
        s = g / t;
        d->s[j] = t;
        f = c * d->e[j] + s * d->s[j + 1];
        d->s[j + 1] = c * d->s[j + 1] - s * d->e[j];
        g = s * d->e[j + 1];
        d->e[j + 1] *= c;
        rotate(d->u, d->m, d->n, j, j + 1, c, s);
    }
    d->e[p - 2] = f;
}

static void swap_columns(double *x, int64_t rows, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < rows; i++) {
        const double cell = x[i * n + k];

        x[i * n + k] = x[i * n + k + 1];
        x[i * n + k + 1] = cell;
    }
}

/* s[k] is final: make it positive and move it to its place among those after it. */
static void settle(Svd *d, int64_t k)
{
    const int64_t n = d->n;

    if (d->s[k] <= 0) {
        d->s[k] = d->s[k] < 0 ? -d->s[k] : 0;
        for (int64_t i = 0; i < n; i++)
            d->v[i * n + k] = -d->v[i * n + k];
    }
    for (; k + 1 < n && d->s[k] < d->s[k + 1]; k++) {
        const double s = d->s[k];

        d->s[k] = d->s[k + 1];
        d->s[k + 1] = s;
        swap_columns(d->v, n, n, k);
        swap_columns(d->u, d->m, n, k);
    }
}

/* One step on the leading p values; true when the last of them is final. */
static bool step(Svd *d, int64_t p)
{
    int64_t k = p - 2, ks;

    while (k >= 0 && !negligible(d->e[k], fabs(d->s[k]) + fabs(d->s[k + 1])))
        k--;
    if (k >= 0)
        d->e[k] = 0;
    if (k == p - 2) {
        settle(d, p - 1);
        return true;
    }
    for (ks = p - 1; ks > k; ks--)
        if (negligible(d->s[ks],
                       (ks < p - 1 ? fabs(d->e[ks]) : 0) + (ks > k + 1 ? fabs(d->e[ks - 1]) : 0)))
            break;
    if (ks > k)
        d->s[ks] = 0;
    if (ks == k)
        qr_step(d, k + 1, p);
    else if (ks == p - 1)
        chase_up(d, k + 1, p);
    else
        chase_down(d, ks + 1, p);
    return false;
}

bool plain_svd(double *a, int64_t m, int64_t n, double *u, double *s, double *v, double *e,
               double *work)
{
    Svd d = {a, u, s, v, e, work, m, n, m - 1 < n ? m - 1 : n, max64(0, n - 2)};

    if (n == 0)
        return true;
    bidiagonalise(&d);
    expand_left(&d);
    expand_right(&d);
    for (int64_t p = n, steps = 0; p > 0; steps++) {
        if (steps > STEPS)
            return false;
        if (step(&d, p)) {
            p--;
            steps = 0;
        }
    }
    return true;
}
