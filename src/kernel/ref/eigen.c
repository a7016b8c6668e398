/* Eigenvalues of a symmetric matrix by cyclic Jacobi rotations: each sets one cell beside the
 * diagonal to 0; sweeps over all of them converge quadratically, in some six to ten sweeps. */
#include "kernel/decompose.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 60 };

typedef struct Rotation {
    double c, s;
} Rotation;

/* The rotation by the smaller angle that sets a[p,q] to 0. */
static Rotation rotation_for(double app, double aqq, double apq)
{
    const double theta = (aqq - app) / (2 * apq);
    const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + hypot(theta, 1));
    const double c = 1 / hypot(t, 1);

    return (Rotation){c, t * c};
}

/* (x, y) cells of two columns or rows, `step` apart. */
static void rotate(double *x, double *y, int64_t n, int64_t step, Rotation r)
{
    for (int64_t i = 0; i < n; i++) {
        const double a = x[i * step], b = y[i * step];

        x[i * step] = r.c * a - r.s * b;
        y[i * step] = r.s * a + r.c * b;
    }
}

/* True when nothing was left to rotate. */
static bool sweep(double *a, int64_t n, double *v)
{
    bool done = true;

    for (int64_t p = 0; p < n; p++)
        for (int64_t q = p + 1; q < n; q++) {
            const double apq = a[p * n + q], scale = fabs(a[p * n + p]) + fabs(a[q * n + q]);
            Rotation r;

            if (fabs(apq) <= 0x1p-60 * scale || apq == 0) {
                a[p * n + q] = a[q * n + p] = 0;
                continue;
            }
            done = false;
            r = rotation_for(a[p * n + p], a[q * n + q], apq);
            rotate(a + p, a + q, n, n, r);
            rotate(a + p * n, a + q * n, n, 1, r);
            a[p * n + q] = a[q * n + p] = 0;
            rotate(v + p, v + q, n, n, r);
        }
    return done;
}

static void sort_ascending(double *w, double *v, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        int64_t least = j;

        for (int64_t k = j + 1; k < n; k++)
            least = w[k] < w[least] ? k : least;
        if (least == j)
            continue;

        const double first = w[j];

        w[j] = w[least];
        w[least] = first;
        for (int64_t i = 0; i < n; i++) {
            const double cell = v[i * n + j];

            v[i * n + j] = v[i * n + least];
            v[i * n + least] = cell;
        }
    }
}

bool plain_eigen(double *a, int64_t n, double *w, double *v)
{
    bool done = false;

    memset(v, 0, (size_t)(n * n) * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i * n + i] = 1;
    for (int k = 0; k < SWEEPS && !done; k++)
        done = sweep(a, n, v);
    for (int64_t i = 0; i < n; i++)
        w[i] = a[i * n + i];
    sort_ascending(w, v, n);
    return done;
}
