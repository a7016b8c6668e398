/* Binary cell-wise operators with sparse results.
 *
 * map: one CSR operand beside a scalar, a vector or dense cells that leave its zeros zero.  The
 * result has its structure; only the values run through the loops. union: two CSR operands.  Cells
 * that either one stores are merged row by row; all others are f(0, 0) = 0.  That holds for NaN and
 * infinities too, as these are stored. meet: two CSR operands that leave each other's zeros zero;
 * only cells that both store are looked at. Results that turn out zero are dropped by
 * matrix_finish. */
#include "kernel/cellwise.h"

#include <string.h>

/* A grain in rows for work of `entries` entries in all. */
static int64_t row_grain(const Matrix *m, int64_t entries)
{
    return task_grain(m->rows > 0 ? entries / m->rows + 1 : 1);
}

typedef struct MapJob {
    const BinaryOp *op;
    const Matrix *in;
    const Side *other;
    bool csr_left;
    Matrix *out;
    atomic_int_fast64_t nnz;
} MapJob;

/* The other operand's values beside entries [k, k + n) of row i. */
static void gather(const MapJob *job, int64_t i, int64_t k, int64_t n, double *out)
{
    const Side *other = job->other;
    const uint32_t *idx = job->in->col_idx + k;
    const int64_t at = other->kind == SIDE_CELLS ? i * job->in->cols : 0;

    for (int64_t j = 0; j < n && other->m->singles; j++)
        out[j] = other->m->singles[at + idx[j]];
    for (int64_t j = 0; j < n && other->m->values; j++)
        out[j] = other->m->values[at + idx[j]];
}

static int64_t map_scalar(const MapJob *job, int64_t k, int64_t n, double value)
{
    const double *x = job->in->values + k;
    double *out = job->out->values + k;

    return job->csr_left ? binary_vs(job->op, x, value, out, n)
                         : binary_sv(job->op, value, x, out, n);
}

static int64_t map_row(const MapJob *job, int64_t i)
{
    const int64_t end = job->in->row_ptr[i + 1];
    double beside[CELL_CHUNK];
    int64_t nnz = 0, n;

    if (job->other->kind == SIDE_COL)
        return map_scalar(job, job->in->row_ptr[i], end - job->in->row_ptr[i],
                          job->other->m->values[i]);
    for (int64_t k = job->in->row_ptr[i]; k < end; k += n) {
        const double *x = job->in->values + k;
        double *out = job->out->values + k;

        n = end - k < CELL_CHUNK ? end - k : CELL_CHUNK;
        gather(job, i, k, n, beside);
        nnz += job->csr_left ? binary_vv(job->op, x, beside, out, n)
                             : binary_vv(job->op, beside, x, out, n);
    }
    return nnz;
}

static ml_status map_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    MapJob *job = arg;
    const int64_t begin = job->in->row_ptr[lo], n = job->in->row_ptr[hi] - begin;
    int64_t nnz = 0;

    (void)ctx;
    memcpy(job->out->col_idx + begin, job->in->col_idx + begin, (size_t)n * sizeof(uint32_t));
    memcpy(job->out->row_ptr + lo + 1, job->in->row_ptr + lo + 1,
           (size_t)(hi - lo) * sizeof(int64_t));
    if (job->other->kind == SIDE_SCALAR)
        nnz = map_scalar(job, begin, n, job->other->scalar);
    else
        for (int64_t i = lo; i < hi; i++)
            nnz += map_row(job, i);
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

ml_status binary_sparse_map(Ctx *ctx, OpCall *call, const BinaryOp *op, const Side *x,
                            const Side *y)
{
    const bool left = side_is_csr(x);
    const Matrix *in = left ? x->m : y->m;
    MapJob job = {.op = op, .in = in, .other = left ? y : x, .csr_left = left};
    const int64_t entries = in->row_ptr[in->rows];
    ml_status st;

    TRY(matrix_new_csr(ctx, in->rows, in->cols, entries, &job.out));
    st = task_for(ctx, in->rows, row_grain(in, entries), map_rows, &job);
    if (st != ML_OK) {
        matrix_release(job.out);
        return st;
    }
    return result_matrix(ctx, call, 0, job.out,
                         atomic_load_explicit(&job.nnz, memory_order_relaxed));
}

typedef struct MergeJob {
    const BinaryOp *op;
    const Matrix *x, *y;
    bool meet;     /* of the two, or union */
    int64_t *ends; /* rows + 1 */
    Matrix *out;
    atomic_int_fast64_t nnz;
} MergeJob;

/* Columns that row i stores in x or in y. */
static int64_t union_size(const Matrix *x, const Matrix *y, int64_t i)
{
    int64_t a = x->row_ptr[i], b = y->row_ptr[i], n = 0;
    const int64_t aend = x->row_ptr[i + 1], bend = y->row_ptr[i + 1];

    for (; a < aend && b < bend; n++) {
        const uint32_t p = x->col_idx[a], q = y->col_idx[b];

        a += p <= q;
        b += q <= p;
    }
    return n + (aend - a) + (bend - b);
}

/* Columns that row i stores in both. */
static int64_t meet_size(const Matrix *x, const Matrix *y, int64_t i)
{
    int64_t a = x->row_ptr[i], b = y->row_ptr[i], n = 0;
    const int64_t aend = x->row_ptr[i + 1], bend = y->row_ptr[i + 1];

    while (a < aend && b < bend) {
        const uint32_t p = x->col_idx[a], q = y->col_idx[b];

        n += p == q;
        a += p <= q;
        b += q <= p;
    }
    return n;
}

static ml_status merge_count(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const MergeJob *job = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        job->ends[i + 1] = (job->meet ? meet_size : union_size)(job->x, job->y, i);
    return ML_OK;
}

/* A place in the merge of two rows. */
typedef struct Merge {
    int64_t a, aend, b, bend;
} Merge;

/* *x or 0, without a branch: which of two rows has the next column cannot be predicted. */
static double value_if(bool stored, const double *x)
{
    uint64_t bits;
    double value;

    memcpy(&bits, x, sizeof bits);
    bits &= -(uint64_t)stored;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The next n columns that both have; there are that many. */
static void meet_next(const Matrix *x, const Matrix *y, Merge *at, int64_t n, uint32_t *idx,
                      double *xs, double *ys)
{
    for (int64_t j = 0; j < n;) {
        const uint32_t p = x->col_idx[at->a], q = y->col_idx[at->b];

        idx[j] = p;
        xs[j] = x->values[at->a];
        ys[j] = y->values[at->b];
        j += p == q;
        at->a += p <= q;
        at->b += q <= p;
    }
}

/* The next n columns that either has, with both operands' values. */
static void union_next(const Matrix *x, const Matrix *y, Merge *at, int64_t n, uint32_t *idx,
                       double *xs, double *ys)
{
    int64_t j = 0, a = at->a, b = at->b;

    for (; j < n && a < at->aend && b < at->bend; j++) {
        const uint32_t p = x->col_idx[a], q = y->col_idx[b];

        idx[j] = p < q ? p : q;
        xs[j] = value_if(p <= q, &x->values[a]);
        ys[j] = value_if(q <= p, &y->values[b]);
        a += p <= q;
        b += q <= p;
    }
    for (; j < n && a < at->aend; j++, a++) {
        idx[j] = x->col_idx[a];
        xs[j] = x->values[a];
        ys[j] = 0;
    }
    for (; j < n; j++, b++) {
        idx[j] = y->col_idx[b];
        xs[j] = 0;
        ys[j] = y->values[b];
    }
    at->a = a;
    at->b = b;
}

/* Operands side by side that wait for the operator: of several rows, as these follow each other in
 * the result. */
typedef struct Pending {
    double x[CELL_CHUNK], y[CELL_CHUNK];
    int64_t at, n; /* cells [at, at + n) of the result */
} Pending;

static int64_t flush(const MergeJob *job, Pending *p)
{
    const int64_t nnz = binary_vv(job->op, p->x, p->y, job->out->values + p->at, p->n);

    p->at += p->n;
    p->n = 0;
    return nnz;
}

static int64_t merge_row(const MergeJob *job, int64_t i, Pending *p)
{
    const Matrix *x = job->x, *y = job->y;
    const int64_t end = job->ends[i + 1];
    Merge at = {x->row_ptr[i], x->row_ptr[i + 1], y->row_ptr[i], y->row_ptr[i + 1]};
    int64_t nnz = 0, n;

    for (int64_t k = job->ends[i]; k < end; k += n) {
        n = end - k < CELL_CHUNK - p->n ? end - k : CELL_CHUNK - p->n;
        (job->meet ? meet_next : union_next)(x, y, &at, n, job->out->col_idx + k, p->x + p->n,
                                             p->y + p->n);
        p->n += n;
        if (p->n == CELL_CHUNK)
            nnz += flush(job, p);
    }
    job->out->row_ptr[i + 1] = end;
    return nnz;
}

static ml_status merge_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    MergeJob *job = arg;
    Pending p;
    int64_t nnz = 0;

    (void)ctx;
    p.at = job->ends[lo];
    p.n = 0;
    for (int64_t i = lo; i < hi; i++)
        nnz += merge_row(job, i, &p);
    nnz += flush(job, &p);
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status merge_run(Ctx *ctx, MergeJob *job)
{
    const Matrix *x = job->x;
    const int64_t grain = row_grain(x, x->row_ptr[x->rows] + job->y->row_ptr[x->rows]);

    TRY(task_for(ctx, x->rows, grain, merge_count, job));
    job->ends[0] = 0;
    for (int64_t i = 0; i < x->rows; i++)
        job->ends[i + 1] += job->ends[i];
    TRY(matrix_new_csr(ctx, x->rows, x->cols, job->ends[x->rows], &job->out));
    return task_for(ctx, x->rows, grain, merge_rows, job);
}

ml_status binary_sparse_merge(Ctx *ctx, OpCall *call, const BinaryOp *op, const Matrix *x,
                              const Matrix *y, bool meet)
{
    const size_t bytes = (size_t)(x->rows + 1) * sizeof(int64_t);
    MergeJob job = {.op = op, .x = x, .y = y, .meet = meet, .ends = pool_alloc(ctx, bytes)};
    ml_status st;

    if (!job.ends)
        return ML_ENOMEM;
    st = merge_run(ctx, &job);
    pool_release(ctx->pool, job.ends, bytes);
    if (st != ML_OK) {
        matrix_release(job.out);
        return st;
    }
    return result_matrix(ctx, call, 0, job.out,
                         atomic_load_explicit(&job.nnz, memory_order_relaxed));
}
