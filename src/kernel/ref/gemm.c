/* The matrix product as three loops, over the inner dimension in order.
 *
 * Twin of dgemm and stand-in where OpenBLAS is missing; for products of a few thousand operations
 * also the faster one. Blocks of the inner dimension keep the rows of b that are in use in the
 * second-level cache. */
#include "kernel/matmult.h"

#include <string.h>

enum { BLOCK_K = 64, BLOCK_N = 512 };

/* Rows of b lie cell by cell: add scaled rows. */
static void add_rows(const Gemm *g, int64_t i, int64_t p0, int64_t p1, int64_t j0, int64_t j1)
{
    double *c = g->c + i * g->ldc;

    for (int64_t p = p0; p < p1; p++) {
        const double scale = g->a[i * g->a_row + p * g->a_col];
        const double *b = g->b + p * g->b_row;

        for (int64_t j = j0; j < j1; j++)
            c[j] += scale * b[j];
    }
}

/* Columns of b lie cell by cell. */
static void add_dots(const Gemm *g, int64_t i, int64_t p0, int64_t p1, int64_t j0, int64_t j1)
{
    double *c = g->c + i * g->ldc;

    for (int64_t j = j0; j < j1; j++) {
        double sum = c[j];

        for (int64_t p = p0; p < p1; p++)
            sum += g->a[i * g->a_row + p * g->a_col] * g->b[p * g->b_row + j * g->b_col];
        c[j] = sum;
    }
}

void gemm_plain(const Gemm *g)
{
    for (int64_t i = 0; i < g->m && !g->add; i++)
        memset(g->c + i * g->ldc, 0, (size_t)g->n * sizeof(double));
    for (int64_t j = 0; j < g->n; j += BLOCK_N)
        for (int64_t p = 0; p < g->k; p += BLOCK_K) {
            const int64_t p1 = p + BLOCK_K < g->k ? p + BLOCK_K : g->k;
            const int64_t j1 = j + BLOCK_N < g->n ? j + BLOCK_N : g->n;

            for (int64_t i = 0; i < g->m; i++)
                (g->b_col == 1 ? add_rows : add_dots)(g, i, p, p1, j, j1);
        }
}
