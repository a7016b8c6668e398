/* Products of which at least one factor is CSR.
 *
 * Everything is brought to a CSR factor on the left, t(A B) = t(B) t(A), and then either gathers -
 * a row of the result is the sum of the rows of the dense factor that a sparse row points to - or,
 * when the CSR factor is transposed, scatters: each sparse row adds to the rows of the result it
 * points to, in slices with results of their own (partials.c). A dense factor with many rows on the
 * left has its own loop, one row of the result at a time.
 *
 * IEEE: a product of an absent cell with NaN or an infinity is NaN, yet the loops never see it.  So
 * the dense factor is scanned, and where it has such cells a second pass finds the cells of the
 * result that met one of them with a zero. */
#include "kernel/csr.h"
#include "kernel/dense.h"
#include "kernel/matmult.h"
#include "kernel/reorg.h"

#include <math.h>
#include <string.h>

enum {
    SLICES = 64,
    SLICE_WORK = 1 << 15, /* multiplications of a slice, at least */
    FEW_SLICES = 8,       /* too few slices to be worth it */
    DENSE_LEFT = 16,      /* rows from which on a dense left factor is worked row by row */
};

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- CSR times dense, gathering ---- */

typedef struct Gather {
    const Matrix *s;
    const double *d; /* s.cols x n */
    int64_t n;
    double *out;        /* s.rows x n */
    const int64_t *odd; /* not finite cells in each column of d, or NULL */
} Gather;

static ml_status gather_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Gather *g = arg;
    const Matrix *s = g->s;

    (void)ctx;
    if (g->n == 1) {
        dense_ops()->csr_matvec(s->values, s->col_idx, s->row_ptr + lo, hi - lo, g->d, g->out + lo);
        return ML_OK;
    }
    for (int64_t i = lo; i < hi; i++) {
        const int64_t at = s->row_ptr[i];

        dense_ops()->gather(s->values + at, s->col_idx + at, s->row_ptr[i + 1] - at, g->d, g->n,
                            g->out + i * g->n);
    }
    return ML_OK;
}

/* Set the cells of the result to NaN that lack a not finite cell of their column of d: it met an
 * absent cell. */
static ml_status mend_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Gather *g = arg;
    const Matrix *s = g->s;
    int64_t *met = pool_alloc(ctx, (size_t)g->n * sizeof *met);

    if (!met)
        return ML_ENOMEM;
    for (int64_t i = lo; i < hi; i++) {
        memset(met, 0, (size_t)g->n * sizeof *met);
        for (int64_t k = s->row_ptr[i]; k < s->row_ptr[i + 1]; k++)
            for (int64_t j = 0; j < g->n; j++)
                met[j] += !isfinite(g->d[s->col_idx[k] * g->n + j]);
        for (int64_t j = 0; j < g->n; j++)
            if (met[j] < g->odd[j])
                g->out[i * g->n + j] = NAN;
    }
    pool_release(ctx->pool, met, (size_t)g->n * sizeof *met);
    return ML_OK;
}

static int64_t gather_grain(const Gather *g)
{
    return task_grain((csr_nnz(g->s) / g->s->rows + 1) * g->n);
}

static ml_status mend(Ctx *ctx, Gather *g)
{
    const int64_t cells = g->s->cols * g->n;
    int64_t *odd = pool_alloc(ctx, (size_t)g->n * sizeof *odd);
    ml_status st;

    if (!odd)
        return ML_ENOMEM;
    memset(odd, 0, (size_t)g->n * sizeof *odd);
    for (int64_t i = 0; i < cells; i++)
        odd[i % g->n] += !isfinite(g->d[i]);
    g->odd = odd;
    st = task_for(ctx, g->s->rows, gather_grain(g), mend_rows, g);
    pool_release(ctx->pool, odd, (size_t)g->n * sizeof *odd);
    return st;
}

static ml_status gather(Ctx *ctx, const Matrix *s, const double *d, int64_t n, bool finite,
                        double *out)
{
    Gather g = {s, d, n, out, NULL};

    TRY(task_for(ctx, s->rows, gather_grain(&g), gather_rows, &g));
    return finite ? ML_OK : mend(ctx, &g);
}

/* ---- transposed CSR times dense, scattering ---- */

typedef struct Scatter {
    const Matrix *s;
    const double *d; /* s.rows x n; of the chain the weights w, or NULL */
    int64_t n;
    const double *v;            /* of the chain; otherwise NULL */
    int64_t slices, slice_rows; /* or rows of the result in a strip */
    double *partials;           /* slices x s.cols x n */
    atomic_bool odd; /* the chain met a weight that is not finite; relaxed: task_for orders it */
} Scatter;

/* out[col_idx[k], ] += values[k] * d for the nonzeros [from, to) of s; n cells a row. */
static void add_scaled(const Matrix *s, int64_t from, int64_t to, const double *d, int64_t n,
                       double *out)
{
    if (n == 1) {
        const double scale = *d;

        for (int64_t k = from; k < to; k++)
            out[s->col_idx[k]] += s->values[k] * scale;
        return;
    }
    for (int64_t k = from; k < to; k++) {
        const double scale = s->values[k];
        double *row = out + s->col_idx[k] * n;

        for (int64_t j = 0; j < n; j++)
            row[j] += scale * d[j];
    }
}

static void scatter_row(Scatter *t, int64_t i, double *out)
{
    add_scaled(t->s, t->s->row_ptr[i], t->s->row_ptr[i + 1], t->d + i * t->n, t->n, out);
}

static void chain_row(Scatter *t, int64_t i, double *out)
{
    const Matrix *s = t->s;
    double weight;

    dense_ops()->csr_matvec(s->values, s->col_idx, s->row_ptr + i, 1, t->v, &weight);
    weight *= t->d ? t->d[i] : 1;
    if (!isfinite(weight))
        atomic_store_explicit(&t->odd, true, memory_order_relaxed);
    add_scaled(s, s->row_ptr[i], s->row_ptr[i + 1], &weight, 1, out);
}

static ml_status scatter_slices(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Scatter *t = arg;
    const int64_t cells = t->s->cols * t->n;

    for (int64_t slice = lo; slice < hi; slice++) {
        const int64_t end = min64((slice + 1) * t->slice_rows, t->s->rows);
        double *out = t->partials + slice * cells;

        memset(out, 0, (size_t)cells * sizeof *out);
        for (int64_t i = slice * t->slice_rows; i < end; i++)
            (t->v ? chain_row : scatter_row)(t, i, out);
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* As many slices as keep adding them up cheap beside the work itself. */
static int64_t slice_count(const Matrix *s, int64_t n)
{
    const int64_t by_result = csr_nnz(s) / (4 * s->cols), by_work = csr_nnz(s) * n / SLICE_WORK;

    return max64(1, min64(min64(SLICES, s->rows), min64(by_result, by_work)));
}

static ml_status scatter_by_slices(Ctx *ctx, Scatter *t, double *out)
{
    const int64_t cells = t->s->cols * t->n;
    ml_status st;

    t->slice_rows = (t->s->rows + t->slices - 1) / t->slices;
    TRY(partials_new(ctx, t->slices, cells, &t->partials));
    TRY_TO(done, st = task_for(ctx, t->slices, 1, scatter_slices, t));
    st = add_partials(ctx, t->partials, t->slices, cells, out);
done:
    partials_free(ctx, t->partials, t->slices, cells);
    return st;
}

/* A unit is a range of rows of the result: of columns of s. */
static ml_status scatter_strips(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Scatter *t = arg;
    const Matrix *s = t->s;
    const int64_t n = t->n, from = lo * t->slice_rows, to = min64(hi * t->slice_rows, s->cols);

    memset(t->partials + from * n, 0, (size_t)((to - from) * n) * sizeof(double));
    for (int64_t i = 0; i < s->rows; i++) {
        const int64_t begin = from > 0 ? csr_lower(s, i, from) : s->row_ptr[i];
        const int64_t end = to < s->cols ? csr_lower(s, i, to) : s->row_ptr[i + 1];

        add_scaled(s, begin, end, t->d + i * n, n, t->partials);
    }
    return check_cancel(ctx);
}

/* Where the result is too large to have it several times, each thread has a part of it and looks
 * through all of s for what belongs there.  Every cell is a sum over the rows in order, whatever
 * the parts are: so these may follow the threads. */
static ml_status scatter_by_strips(Ctx *ctx, Scatter *t, double *out)
{
    const int64_t most = max64(1, csr_nnz(t->s) * t->n / SLICE_WORK);
    const int64_t strips = min64(min64(task_threads(ctx), most), t->s->cols);

    t->partials = out;
    t->slice_rows = (t->s->cols + strips - 1) / strips;
    return task_for(ctx, (t->s->cols + t->slice_rows - 1) / t->slice_rows, 1, scatter_strips, t);
}

static ml_status scatter(Ctx *ctx, Scatter *t, double *out)
{
    t->slices = slice_count(t->s, t->n);
    return t->slices >= FEW_SLICES ? scatter_by_slices(ctx, t, out)
                                   : scatter_by_strips(ctx, t, out);
}

/* ---- a CSR factor on the left ---- */

/* The dense factor as it is stored when that is row-major in the order asked for, else a transposed
 * copy. */
static ml_status dense_rows(Ctx *ctx, Factor d, Matrix **out)
{
    if (!d.t || d.m->rows == 1 || d.m->cols == 1) {
        *out = matrix_retain(d.m);
        return ML_OK;
    }
    return matrix_transpose(ctx, d.m, out);
}

static ml_status csr_rows(Ctx *ctx, Factor s, Matrix **out)
{
    if (s.t)
        return matrix_transpose(ctx, s.m, out);
    *out = matrix_retain(s.m);
    return ML_OK;
}

/* out = s d. */
static ml_status sparse_left(Ctx *ctx, Factor s, Factor d, double *out)
{
    const int64_t n = factor_cols(d);
    Matrix *cells = NULL, *rows = NULL;
    bool finite;
    ml_status st;

    TRY(cells_finite(ctx, d.m->values, matrix_cells(d.m), &finite));
    TRY_TO(done, st = dense_rows(ctx, d, &cells));
    if (s.t && finite) {
        Scatter t = {.s = s.m, .d = cells->values, .n = n};

        st = scatter(ctx, &t, out);
        goto done;
    }
    TRY_TO(done, st = csr_rows(ctx, s, &rows));
    st = gather(ctx, rows, cells->values, n, finite, out);
done:
    matrix_release(cells);
    matrix_release(rows);
    return st;
}

/* ---- the chain ---- */

/* The chain in two products, for weights that are not finite and for wide x. */
static ml_status chain_by_products(Ctx *ctx, Matrix *x, const double *v, const double *w,
                                   double *out)
{
    Matrix *q = NULL;
    bool finite;
    ml_status st;

    TRY(matrix_new_dense(ctx, x->rows, 1, &q));
    TRY_TO(done, st = cells_finite(ctx, v, x->cols, &finite));
    TRY_TO(done, st = gather(ctx, x, v, 1, finite, q->values));
    for (int64_t i = 0; w && i < x->rows; i++)
        q->values[i] *= w[i];
    st = sparse_left(ctx, (Factor){x, true}, (Factor){q, false}, out);
done:
    matrix_release(q);
    return st;
}

ml_status csr_chain(Ctx *ctx, Matrix *x, const double *v, const double *w, double *out)
{
    Scatter t = {.s = x, .d = w, .n = 1, .v = v, .slices = slice_count(x, 1)};
    bool finite;

    TRY(cells_finite(ctx, v, x->cols, &finite));
    if (finite && t.slices >= FEW_SLICES) {
        TRY(scatter_by_slices(ctx, &t, out));
        if (!atomic_load_explicit(&t.odd, memory_order_relaxed))
            return ML_OK;
    }
    return chain_by_products(ctx, x, v, w, out);
}

/* ---- a dense factor with many rows on the left ---- */

typedef struct DenseLeft {
    const Matrix *d, *s;
    double *out;
    bool finite; /* d */
} DenseLeft;

/* NaN where a cell of row d that is not finite met an absent cell. */
static ml_status mend_row(Ctx *ctx, const DenseLeft *t, const double *d, double *out)
{
    const Matrix *s = t->s;
    int64_t *met = pool_alloc(ctx, (size_t)s->cols * sizeof *met), odd = 0;

    if (!met)
        return ML_ENOMEM;
    memset(met, 0, (size_t)s->cols * sizeof *met);
    for (int64_t p = 0; p < s->rows; p++) {
        if (isfinite(d[p]))
            continue;
        odd++;
        for (int64_t k = s->row_ptr[p]; k < s->row_ptr[p + 1]; k++)
            met[s->col_idx[k]]++;
    }
    for (int64_t j = 0; j < s->cols; j++)
        if (met[j] < odd)
            out[j] = NAN;
    pool_release(ctx->pool, met, (size_t)s->cols * sizeof *met);
    return ML_OK;
}

static ml_status dense_left_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const DenseLeft *t = arg;
    const Matrix *s = t->s;

    for (int64_t i = lo; i < hi; i++) {
        const double *d = t->d->values + i * s->rows;
        double *out = t->out + i * s->cols;

        memset(out, 0, (size_t)s->cols * sizeof *out);
        for (int64_t p = 0; p < s->rows; p++)
            for (int64_t k = s->row_ptr[p]; k < s->row_ptr[p + 1]; k++)
                out[s->col_idx[k]] += d[p] * s->values[k];
        if (!t->finite)
            TRY(mend_row(ctx, t, d, out));
    }
    return ML_OK;
}

static ml_status dense_left(Ctx *ctx, Factor d, Factor s, double *out)
{
    DenseLeft t = {.out = out};
    Matrix *cells = NULL, *rows = NULL;
    ml_status st;

    TRY(cells_finite(ctx, d.m->values, matrix_cells(d.m), &t.finite));
    TRY_TO(done, st = dense_rows(ctx, d, &cells));
    TRY_TO(done, st = csr_rows(ctx, s, &rows));
    t.d = cells;
    t.s = rows;
    st = task_for(ctx, factor_rows(d), task_grain(csr_nnz(rows) + rows->cols), dense_left_rows, &t);
done:
    matrix_release(cells);
    matrix_release(rows);
    return st;
}

/* t(c), of few rows, from c = t(s) t(d). */
static ml_status few_rows(Ctx *ctx, Factor d, Factor s, double *out)
{
    const int64_t m = factor_rows(d), n = factor_cols(s);
    double *flat = out;
    ml_status st;

    if (m > 1)
        TRY(partials_new(ctx, m, n, &flat));
    st = sparse_left(ctx, (Factor){s.m, !s.t}, (Factor){d.m, !d.t}, flat);
    if (m == 1)
        return st;
    if (st == ML_OK)
        dense_ops()->transpose(flat, m, n, m, out, n);
    partials_free(ctx, flat, m, n);
    return st;
}

/* ---- the product ---- */

/* Both CSR.  Where one has cells that are not finite, the left one becomes dense, whose zeros
 * count. */
static ml_status both_sparse(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    Matrix *left = NULL, *right = NULL;
    bool finite_a, finite_b;
    ml_status st;

    TRY(cells_finite(ctx, a.m->values, csr_nnz(a.m), &finite_a));
    TRY(cells_finite(ctx, b.m->values, csr_nnz(b.m), &finite_b));
    if (!finite_a || !finite_b) {
        TRY(matrix_dense(ctx, a.m, &left));
        st = product_sparse(ctx, (Factor){left, a.t}, b, out);
        goto done;
    }
    TRY_TO(done, st = csr_rows(ctx, a, &left));
    TRY_TO(done, st = csr_rows(ctx, b, &right));
    st = product_csr(ctx, left, right, out);
done:
    matrix_release(left);
    matrix_release(right);
    return st;
}

ml_status product_sparse(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    Matrix *c;
    ml_status st;

    if (a.m->format == MATRIX_CSR && b.m->format == MATRIX_CSR)
        return both_sparse(ctx, a, b, out);
    TRY(matrix_new_dense(ctx, factor_rows(a), factor_cols(b), &c));
    if (a.m->format == MATRIX_CSR)
        st = sparse_left(ctx, a, b, c->values);
    else
        st = (factor_rows(a) < DENSE_LEFT ? few_rows : dense_left)(ctx, a, b, c->values);
    if (st != ML_OK) {
        matrix_release(c);
        return st;
    }
    *out = c;
    return ML_OK;
}
