/* t(x) %*% x of a CSR matrix with few columns: every row adds the products of its pairs of cells to
 * the upper triangle of a dense result.
 *
 * Slices of the rows of equal work have results of their own, which are then added in order
 * (partials.c).  Cost: half the sum of the squares of the rows' entries, against as many searches
 * for columns and a transpose in the general product. */
#include "kernel/csr.h"
#include "kernel/matmult.h"

#include <string.h>

enum {
    SLICES = 64,
    SLICE_WORK = 1 << 16,    /* multiplications of a slice, at least */
    PARTIAL_CELLS = 1 << 22, /* of all slices together, unless there are only two */
    RESULT_CELLS = 1 << 22   /* most that are worth having */
};

typedef struct Gram {
    const Matrix *x;
    int64_t slices;
    double *partials;
} Gram;

/* Pairs of cells in a row, estimated: as if all rows had as many. */
static double pairs(const Matrix *x)
{
    const double nnz = (double)csr_nnz(x);

    return nnz * (nnz / (double)x->rows + 1);
}

bool csr_gram_pays(const Matrix *x)
{
    const double cells = (double)x->cols * (double)x->cols;

    return x->rows > 0 && cells <= RESULT_CELLS && pairs(x) >= cells;
}

static void add_row(const Matrix *x, int64_t i, double *c)
{
    const int64_t end = x->row_ptr[i + 1];

    for (int64_t k = x->row_ptr[i]; k < end; k++)
        csr_add_scaled(x, k, end, matrix_cell(x, k), c + x->col_idx[k] * x->cols);
}

static ml_status slices_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Gram *g = arg;
    const Matrix *x = g->x;
    const int64_t n = x->cols;

    for (int64_t slice = lo; slice < hi; slice++) {
        const int64_t end = csr_tile(x, slice + 1, g->slices);
        double *c = g->partials + slice * n * n;

        memset(c, 0, (size_t)(n * n) * sizeof *c);
        for (int64_t i = csr_tile(x, slice, g->slices); i < end; i++)
            add_row(x, i, c);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

static int64_t slice_count(const Matrix *x)
{
    const double by_work = pairs(x) / 2 / SLICE_WORK;
    const int64_t cells = x->cols * x->cols, room = PARTIAL_CELLS / (cells + 1);
    int64_t slices = by_work < SLICES ? (int64_t)by_work : SLICES;

    if (slices > room)
        slices = room > 2 ? room : 2;
    return slices > 1 ? slices : 1;
}

ml_status csr_gram(Ctx *ctx, const Matrix *x, double *c)
{
    const int64_t cells = x->cols * x->cols;
    Gram g = {.x = x, .slices = slice_count(x), .partials = c};
    ml_status st;

    if (g.slices == 1)
        return slices_range(ctx, &g, 0, 1);
    TRY(partials_new(ctx, g.slices, cells, &g.partials));
    TRY_TO(done, st = task_for(ctx, g.slices, 1, slices_range, &g));
    st = add_partials(ctx, g.partials, g.slices, cells, c);
done:
    partials_free(ctx, g.partials, g.slices, cells);
    return st;
}
