/* Transposed CSR times dense, scattering: each sparse row adds to the rows of the result that it
 * points to.  And the chain t(x) (w * (x v)), which reads x once.
 *
 * In slices of the rows of equal work with results of their own, where these are small beside the
 * matrix (partials.c); otherwise each thread has a part of the rows of the result and looks through
 * the whole matrix for what belongs there. */
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/matmult.h"

#include <math.h>
#include <string.h>

enum {
    SLICES = 64,
    SLICE_WORK = 1 << 15, /* multiplications of a slice, at least */
    FEW_SLICES = 4,       /* too few slices to be worth it */
};

typedef struct Scatter {
    const Matrix *s;
    const double *d; /* s.rows x n; of the chain the weights w, or NULL */
    int64_t n;
    const double *v; /* of the chain; otherwise NULL */
    int64_t slices;
    int64_t strip_rows; /* rows of the result in a strip */
    double *partials;   /* slices x s.cols x n */
    atomic_bool odd;    /* the chain met a weight that is not finite; relaxed: task_for orders it */
} Scatter;

static void scatter_rows(const DenseOps *ops, const Scatter *t, int64_t lo, int64_t hi, double *out)
{
    const Matrix *s = t->s;
    CsrWalk w;

    if (t->n == 1 && !csr_is_thin(s)) {
        for (int64_t i = lo; i < hi; i++)
            csr_add_scaled(s, s->row_ptr[i], s->row_ptr[i + 1], t->d[i], out);
        return;
    }
    for (csr_walk(&w, s, lo, hi); csr_walk_next(&w);)
        csr_entries_times(ops, s, w.at, w.row, s->col_idx + w.at, w.n, t->d + w.base * t->n, t->n,
                          out);
}

static void chain_rows(const DenseOps *ops, Scatter *t, int64_t lo, int64_t hi, double *out)
{
    const Matrix *s = t->s;

    for (int64_t i = lo; i < hi; i++) {
        double weight;

        csr_rows_times(ops, s, i, i + 1, t->v, 1, &weight);
        weight *= t->d ? t->d[i] : 1;
        if (!isfinite(weight))
            atomic_store_explicit(&t->odd, true, memory_order_relaxed);
        csr_add_scaled(s, s->row_ptr[i], s->row_ptr[i + 1], weight, out);
    }
}

static ml_status scatter_slices(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Scatter *t = arg;
    const int64_t cells = t->s->cols * t->n;

    for (int64_t slice = lo; slice < hi; slice++) {
        const int64_t begin = csr_tile(t->s, slice, t->slices);
        const int64_t end = csr_tile(t->s, slice + 1, t->slices);
        double *out = t->partials + slice * cells;

        memset(out, 0, (size_t)cells * sizeof *out);
        if (t->v)
            chain_rows(dense_ops(ctx), t, begin, end, out);
        else
            scatter_rows(dense_ops(ctx), t, begin, end, out);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* As many slices as keep their results small beside the matrix. */
static int64_t slice_count(const Matrix *s, int64_t n)
{
    const int64_t by_result = csr_nnz(s) / (2 * s->cols * n);
    const int64_t by_work = csr_nnz(s) * n / SLICE_WORK;

    return max64(1, min64(SLICES, min64(by_result, by_work)));
}

static ml_status scatter_by_slices(Ctx *ctx, Scatter *t, double *out)
{
    const int64_t cells = t->s->cols * t->n;
    ml_status st;

    TRY(partials_new(ctx, t->slices, cells, &t->partials));
    TRY_TO(done, st = task_for(ctx, t->slices, 1, scatter_slices, t));
    st = add_partials(ctx, t->partials, t->slices, cells, out);
done:
    partials_free(ctx, t->partials, t->slices, cells);
    return st;
}

/* The entries of row i in columns [from, to). */
static void strip_row(const DenseOps *ops, const Scatter *t, int64_t i, int64_t from, int64_t to)
{
    static const uint32_t first[CSR_WALK];
    const Matrix *s = t->s;
    int64_t begin = from > 0 ? csr_lower(s, i, from) : s->row_ptr[i], n;
    const int64_t end = to < s->cols ? csr_lower(s, i, to) : s->row_ptr[i + 1];

    if (t->n == 1) {
        csr_add_scaled(s, begin, end, t->d[i], t->partials);
        return;
    }
    for (; begin < end; begin += n) {
        n = min64(end - begin, CSR_WALK);
        csr_entries_times(ops, s, begin, first, s->col_idx + begin, n, t->d + i * t->n, t->n,
                          t->partials);
    }
}

/* A unit is a range of rows of the result: of columns of s. */
static ml_status scatter_strips(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Scatter *t = arg;
    const Matrix *s = t->s;
    const int64_t n = t->n, from = lo * t->strip_rows, to = min64(hi * t->strip_rows, s->cols);

    memset(t->partials + from * n, 0, (size_t)((to - from) * n) * sizeof(double));
    if (from == 0 && to == s->cols)
        scatter_rows(dense_ops(ctx), t, 0, s->rows, t->partials);
    else
        for (int64_t i = 0; i < s->rows; i++)
            strip_row(dense_ops(ctx), t, i, from, to);
    return check_cancel(ctx);
}

/* Where the result is too large to have it several times, each thread has a part of it.  Every cell
 * is a sum over the rows in order, whatever the parts are: so these may follow the threads. */
static ml_status scatter_by_strips(Ctx *ctx, Scatter *t, double *out)
{
    const int64_t most = max64(1, csr_nnz(t->s) * t->n / SLICE_WORK);
    const int64_t strips = min64(min64(task_threads(ctx), most), t->s->cols);

    t->partials = out;
    t->strip_rows = (t->s->cols + strips - 1) / strips;
    return task_for(ctx, (t->s->cols + t->strip_rows - 1) / t->strip_rows, 1, scatter_strips, t);
}

ml_status csr_scatter(Ctx *ctx, const Matrix *s, const double *d, int64_t n, double *out)
{
    Scatter t = {.s = s, .d = d, .n = n, .slices = slice_count(s, n)};

    return t.slices >= FEW_SLICES ? scatter_by_slices(ctx, &t, out)
                                  : scatter_by_strips(ctx, &t, out);
}

/* ---- the chain ---- */

/* In two products, for weights that are not finite, wide x and few entries a row. */
static ml_status chain_by_products(Ctx *ctx, Matrix *x, const double *v, const double *w,
                                   double *out)
{
    Matrix *q = NULL;
    bool finite;
    ml_status st;

    TRY(matrix_new_dense(ctx, x->rows, 1, &q));
    TRY_TO(done, st = cells_finite(ctx, v, x->cols, &finite));
    TRY_TO(done, st = csr_gather(ctx, x, v, 1, finite, q->values));
    for (int64_t i = 0; w && i < x->rows; i++)
        q->values[i] *= w[i];
    st = csr_times(ctx, (Factor){x, true}, (Factor){q, false}, out);
done:
    matrix_release(q);
    return st;
}

ml_status csr_chain(Ctx *ctx, Matrix *x, const double *v, const double *w, double *out)
{
    Scatter t = {.s = x, .d = w, .n = 1, .v = v, .slices = slice_count(x, 1)};
    bool finite;

    TRY(cells_finite(ctx, v, x->cols, &finite));
    if (finite && t.slices >= FEW_SLICES && !csr_is_thin(x)) {
        TRY(scatter_by_slices(ctx, &t, out));
        if (!atomic_load_explicit(&t.odd, memory_order_relaxed))
            return ML_OK;
    }
    return chain_by_products(ctx, x, v, w, out);
}
