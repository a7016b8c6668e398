/* table: contingency tables, F[a, b] += w.
 *
 * A pass over the entries checks the categories and finds the largest; then a table of many cells
 * per entry is made as CSR from entries sorted by (row, column), any other is summed densely, in
 * slices of the entries side by side when these are many, each with a table of its own.  Where a
 * sample of the entries promises such a table, one pass does both, and its tables count if the
 * largest categories were in the sample.  Weights of a cell are added in the order of the entries,
 * then of the slices, whose number follows from the sizes alone, so the digits do not depend on the
 * threads. Cost: one or two passes over the entries; CSR sorts them, unless a is 1, 2, 3 ..., where
 * each has its own row. */
#include "kernel/dense.h"
#include "kernel/simd/ahead.h"
#include "kernel/sort.h"

enum {
    CHUNK = 1024,             /* entries that are checked, then added */
    SLICE_LEAST = 64 * CHUNK, /* entries of a slice */
    SLICES = 16,
    SLICE_CELLS = 8, /* entries of a slice for each cell of its table, at least */
    SAMPLES = 16     /* chunks */
};

/* An operand: cells, or one value for all. */
typedef struct Entries {
    Matrix *dense; /* owned */
    const double *cells;
    double value;
} Entries;

typedef struct TableScan {
    double rows, cols; /* largest categories */
    bool sequence;     /* a is 1, 2, 3 ... */
} TableScan;

typedef struct TableJob {
    Entries a, b, w;
    bool weighted;
    int64_t n, rows, cols;
    int64_t slices;
    TableScan *scans; /* one a slice */
    double *tables;   /* one a slice; NULL: they are only scanned ... */
    uint32_t *counts; /* ... or, where every weight is 1, counted */
} TableJob;

typedef struct Entry {
    int64_t row, col;
    double weight;
} Entry;

static double value_at(const Entries *e, int64_t i)
{
    return e->cells ? e->cells[i] : e->value;
}

/* Entry i; false when it does not count: something is NaN, or it lies outside the table. */
static bool entry_at(const TableJob *job, int64_t i, Entry *e)
{
    const double a = value_at(&job->a, i), b = value_at(&job->b, i);

    e->weight = value_at(&job->w, i);
    if (!(a < (double)job->rows + 1 && b < (double)job->cols + 1) || e->weight != e->weight)
        return false;
    e->row = (int64_t)a - 1;
    e->col = (int64_t)b - 1;
    return true;
}

/* ---- a pass over the entries ---- */

/* Entry by entry, where something may be wrong. */
static ml_status scan_odd(Ctx *ctx, const TableJob *job, int64_t lo, int64_t hi, TableScan *scan)
{
    for (int64_t i = lo; i < hi; i++) {
        const double a = value_at(&job->a, i), b = value_at(&job->b, i), w = value_at(&job->w, i);

        if (a < 1 || b < 1)
            return fail(ctx, ML_EVALUE,
                        "table: expected categories of at least 1, found %s and %s: one of the "
                        "value <= zero",
                        NUM_SHOW(a), NUM_SHOW(b));
        if (a != a || b != b || w != w)
            continue;
        scan->rows = a > scan->rows ? a : scan->rows;
        scan->cols = b > scan->cols ? b : scan->cols;
    }
    return ML_OK;
}

static bool is_sequence(const TableJob *job, int64_t lo, int64_t hi)
{
    for (int64_t i = lo; i < hi; i++)
        if (value_at(&job->a, i) != (double)(i + 1))
            return false;
    return true;
}

static bool has_weights(const TableJob *job, int64_t lo, int64_t hi)
{
    int64_t odd = 0;

    if (!job->w.cells)
        return job->w.value == job->w.value;
    for (int64_t i = lo; i < hi; i++)
        odd += job->w.cells[i] != job->w.cells[i];
    return odd == 0;
}

/* Entries of a chunk as whole numbers. */
typedef struct Chunk {
    int32_t a[CHUNK], b[CHUNK];
    bool sound; /* all are there and count */
} Chunk;

static ml_status scan_chunk(Ctx *ctx, const TableJob *job, int64_t lo, int64_t hi, TableScan *scan,
                            Chunk *chunk)
{
    int32_t rows = 0, cols = 0;

    scan->sequence = scan->sequence && is_sequence(job, lo, hi);
    if (job->a.cells && job->b.cells) {
        rows = dense_ops(ctx)->whole(job->a.cells + lo, hi - lo, chunk->a);
        cols = dense_ops(ctx)->whole(job->b.cells + lo, hi - lo, chunk->b);
    }
    chunk->sound = rows > 0 && cols > 0 && has_weights(job, lo, hi);
    if (!chunk->sound)
        return scan_odd(ctx, job, lo, hi, scan);
    scan->rows = rows > scan->rows ? rows : scan->rows;
    scan->cols = cols > scan->cols ? cols : scan->cols;
    return ML_OK;
}

static void add_odd(const TableJob *job, int64_t lo, int64_t hi, double *table, uint32_t *counts)
{
    Entry e;

    for (int64_t i = lo; i < hi; i++)
        if (entry_at(job, i, &e)) {
            const int64_t at = e.row * job->cols + e.col;

            if (counts)
                counts[at]++;
            else
                table[at] += e.weight;
        }
}

/* Each operand is read ahead line by line while entries are added, which takes longer.  Inlined by
 * force: the compiler drops calls of functions that do nothing but prefetch. */
__attribute__((always_inline)) static inline void ask_ahead(const TableJob *job, int64_t i)
{
    if ((size_t)job->n * sizeof(double) < AHEAD_LEAST)
        return;
    if (job->a.cells)
        ahead_line(job->a.cells + i);
    if (job->b.cells)
        ahead_line(job->b.cells + i);
    if (job->w.cells)
        ahead_line(job->w.cells + i);
}

/* n entries from i on, which belong to the cells `at`; n is mostly a constant. */
__attribute__((always_inline)) static inline void add_some(const TableJob *job, const int32_t *at,
                                                           int64_t i, int64_t n, double *table,
                                                           uint32_t *counts)
{
    const double *w = job->w.cells;

    if (counts)
        for (int64_t k = 0; k < n; k++)
            counts[at[k]]++;
    else if (w)
        for (int64_t k = 0; k < n; k++)
            table[at[k]] += w[i + k];
    else
        for (int64_t k = 0; k < n; k++)
            table[at[k]] += job->w.value;
}

/* All of these count, in a table of few cells. */
static void add_sound(const TableJob *job, Chunk *chunk, int64_t lo, int64_t hi, double *table,
                      uint32_t *counts)
{
    enum { LINE = 8 };
    const int32_t n = (int32_t)(hi - lo), cols = (int32_t)job->cols;
    int32_t *at = chunk->a, i = 0;

    for (int32_t k = 0; k < n; k++)
        at[k] = (at[k] - 1) * cols + chunk->b[k] - 1;
    for (; i + LINE <= n; i += LINE) {
        ask_ahead(job, lo + i);
        add_some(job, at + i, lo + i, LINE, table, counts);
    }
    add_some(job, at + i, lo + i, n - i, table, counts);
}

static ml_status pass_slice(Ctx *ctx, const TableJob *job, int64_t slice)
{
    const int64_t size = (job->n + job->slices - 1) / job->slices, cells = job->rows * job->cols;
    const int64_t end = min64((slice + 1) * size, job->n);
    double *table = job->tables ? job->tables + slice * cells : NULL;
    uint32_t *counts = job->counts ? job->counts + slice * cells : NULL;
    TableScan scan = {.sequence = true};
    Chunk chunk;

    if (counts)
        memset(counts, 0, (size_t)cells * sizeof *counts);
    else if (table)
        memset(table, 0, (size_t)cells * sizeof *table);
    for (int64_t lo = slice * size; lo < end; lo += CHUNK) {
        const int64_t hi = min64(lo + CHUNK, end);

        TRY(scan_chunk(ctx, job, lo, hi, &scan, &chunk));
        if (!table && !counts)
            continue;
        if (chunk.sound && cells <= INT32_MAX && scan.rows <= (double)job->rows &&
            scan.cols <= (double)job->cols)
            add_sound(job, &chunk, lo, hi, table, counts);
        else
            add_odd(job, lo, hi, table, counts);
    }
    job->scans[slice] = scan;
    return ML_OK;
}

static ml_status pass_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    for (int64_t slice = lo; slice < hi; slice++)
        TRY(pass_slice(ctx, arg, slice));
    return ML_OK;
}

/* Scans, and adds to job->tables if there are some. */
static ml_status pass(Ctx *ctx, TableJob *job, TableScan *all)
{
    TableScan scans[SLICES];

    *all = (TableScan){.sequence = job->n > 0};
    job->scans = scans;
    TRY(task_for(ctx, job->slices, 1, pass_task, job));
    for (int64_t t = 0; t < job->slices; t++) {
        all->sequence = all->sequence && scans[t].sequence;
        all->rows = scans[t].rows > all->rows ? scans[t].rows : all->rows;
        all->cols = scans[t].cols > all->cols ? scans[t].cols : all->cols;
    }
    return ML_OK;
}

/* At most one for so many entries. */
static int64_t slices_of(const TableJob *job, int64_t entries)
{
    const int64_t n = job->n / entries;

    return n < 1 ? 1 : min64(n, SLICES);
}

static ml_status scan_entries(Ctx *ctx, TableJob *job, TableScan *all)
{
    job->tables = NULL;
    job->slices = slices_of(job, SLICE_LEAST);
    return pass(ctx, job, all);
}

/* A size that was not given: the largest category. */
static ml_status size_of_table(Ctx *ctx, double largest, int64_t *size)
{
    if (*size >= 0)
        return ML_OK;
    if (largest >= 0x1p53)
        return fail(ctx, ML_EVALUE, "table: category %s is too large", NUM_SHOW(largest));
    *size = (int64_t)largest;
    return ML_OK;
}

/* ---- dense ---- */

/* The tables of all slices, and their sum. */
static ml_status add_slices(Ctx *ctx, TableJob *job, double *out, TableScan *all)
{
    const int64_t cells = job->rows * job->cols;
    const bool ones = !job->w.cells && job->w.value == 1 && job->n < UINT32_MAX;
    const size_t bytes = (size_t)(cells * job->slices) * (ones ? sizeof(uint32_t) : sizeof(double));
    void *tables = pool_alloc(ctx, bytes);
    ml_status st;

    if (!tables)
        return ML_ENOMEM;
    job->tables = ones ? NULL : tables;
    job->counts = ones ? tables : NULL;
    st = pass(ctx, job, all);
    for (int64_t t = 0; st == ML_OK && t < job->slices; t++)
        for (int64_t k = 0; k < cells; k++)
            out[k] += ones ? job->counts[t * cells + k] : job->tables[t * cells + k];
    pool_release(ctx->pool, tables, bytes);
    job->tables = NULL;
    job->counts = NULL;
    return st;
}

static ml_status dense_table(Ctx *ctx, TableJob *job, TableScan *all, Matrix **out)
{
    const int64_t cells = job->rows * job->cols;
    ml_status st;

    TRY(matrix_new_zero(ctx, job->rows, job->cols, out));
    job->slices = cells > job->n ? 1 : slices_of(job, SLICE_LEAST + SLICE_CELLS * cells);
    job->tables = (*out)->values;
    st = job->slices > 1 ? add_slices(ctx, job, (*out)->values, all)
         : cells > 0     ? pass(ctx, job, all)
                         : ML_OK;
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

/* Sizes that the table will have, most likely; false: it would be too large to try. */
static bool guess(Ctx *ctx, TableJob *job)
{
    int64_t rows = job->rows, cols = job->cols;
    Chunk chunk;

    if (job->n < SAMPLES * SLICE_LEAST || !job->a.cells || !job->b.cells)
        return false;
    for (int64_t k = 0; k < SAMPLES && job->rows < 0; k++) {
        const int64_t lo = k * (job->n / SAMPLES);
        const int64_t a = dense_ops(ctx)->whole(job->a.cells + lo, CHUNK, chunk.a);
        const int64_t b = dense_ops(ctx)->whole(job->b.cells + lo, CHUNK, chunk.b);

        rows = a > rows ? a : rows;
        cols = b > cols ? b : cols;
    }
    if (rows <= 0 || cols <= 0 || rows > job->n / SLICE_CELLS / cols)
        return false;
    job->rows = rows;
    job->cols = cols;
    return true;
}

/* In one pass, if the sizes are those that were guessed; else *out stays NULL. */
static ml_status guessed_table(Ctx *ctx, TableJob *job, Matrix **out)
{
    const int64_t rows = job->rows, cols = job->cols;
    TableScan all;

    if (guess(ctx, job)) {
        TRY(dense_table(ctx, job, &all, out));
        if (rows >= 0 || (job->rows == (int64_t)all.rows && job->cols == (int64_t)all.cols))
            return ML_OK;
        matrix_release(*out);
        *out = NULL;
    }
    job->rows = rows;
    job->cols = cols;
    return ML_OK;
}

/* ---- CSR ---- */

/* Each entry has a row of its own, in order. */
static void fill_sequence(const TableJob *job, Matrix *out)
{
    int64_t k = 0;
    Entry e;

    for (int64_t i = 0; i < job->rows; i++) {
        if (i < job->n && entry_at(job, i, &e)) {
            out->col_idx[k] = (uint32_t)e.col;
            out->values[k++] = e.weight;
        }
        out->row_ptr[i + 1] = k;
    }
}

/* From items sorted by row and column; equal ones are added up in the order of the entries.  Gives
 * how many are left, their rows in row_of. */
static int64_t fill_sorted(const TableJob *job, const SortItem *items, int64_t n, int64_t *row_of,
                           Matrix *out)
{
    int64_t k = 0;

    for (int64_t i = 0; i < n; i++) {
        const double w = value_at(&job->w, items[i].index);

        if (i > 0 && items[i].key == items[i - 1].key) {
            out->values[k - 1] += w;
            continue;
        }
        out->col_idx[k] = (uint32_t)items[i].key;
        row_of[k] = (int64_t)(items[i].key >> 32);
        out->values[k++] = w;
    }
    return k;
}

/* Weights may have added up to zero. */
static int64_t drop_zeros(Matrix *m, int64_t *row_of, int64_t n)
{
    int64_t kept = 0;

    for (int64_t k = 0; k < n; k++) {
        if (m->values[k] == 0)
            continue;
        m->values[kept] = m->values[k];
        m->col_idx[kept] = m->col_idx[k];
        row_of[kept++] = row_of[k];
    }
    return kept;
}

/* The rows that occur are put in a matrix of their own first: there may be far fewer of them than
 * the table has. */
static ml_status fill_entries(Ctx *ctx, const TableJob *job, SortItem *items, int64_t n,
                              Matrix **out)
{
    const size_t bytes = (size_t)n * sizeof(int64_t);
    int64_t *row_of = pool_alloc(ctx, bytes);
    Matrix *entries = NULL;
    ml_status st = row_of ? matrix_new_csr(ctx, n, job->cols, n, &entries) : ML_ENOMEM;

    if (st == ML_OK) {
        n = drop_zeros(entries, row_of, fill_sorted(job, items, n, row_of, entries));
        st = matrix_of_entries(ctx, job->rows, n, row_of, entries, out);
    }
    pool_release(ctx->pool, row_of, bytes);
    matrix_release(entries);
    return st;
}

static ml_status sort_entries(Ctx *ctx, const TableJob *job, SortItem *items, Matrix **out)
{
    int64_t n = 0;
    Entry e;

    for (int64_t i = 0; i < job->n; i++)
        if (entry_at(job, i, &e))
            items[n++] = (SortItem){(uint64_t)e.row << 32 | (uint64_t)e.col, i};
    TRY(sort_items(ctx, items, items + job->n, n));
    return fill_entries(ctx, job, items, n, out);
}

static ml_status csr_table(Ctx *ctx, const TableJob *job, bool sequence, Matrix **out)
{
    const size_t bytes = (size_t)(2 * job->n + 1) * sizeof(SortItem);
    SortItem *items;
    ml_status st;

    if (job->rows > UINT32_MAX)
        return fail(ctx, ML_EVALUE, "table: %" PRId64 " rows are too many", job->rows);
    if (sequence && !matrix_is_hyper(job->rows, job->n)) {
        TRY(matrix_new_csr(ctx, job->rows, job->cols, job->n, out));
        fill_sequence(job, *out);
        return ML_OK;
    }
    items = pool_alloc(ctx, bytes);
    st = items ? sort_entries(ctx, job, items, out) : ML_ENOMEM;
    if (items)
        pool_release(ctx->pool, items, bytes);
    return st;
}

/* ---- operands ---- */

/* Operand k: a number, or cells of the shape of operand 0. */
static ml_status entries_of(Ctx *ctx, const OpCall *call, int k, Entries *e)
{
    const Matrix *first = call->in[0].m;
    Matrix *m = NULL;

    if (call->in[k].dt != DT_MATRIX)
        return call_double(ctx, call, k, &e->value);
    TRY(call_matrix(ctx, call, k, &m));
    if (m->rows != first->rows || m->cols != first->cols)
        return call_shape_error(ctx, call, 0, k, "table needs operands of one shape");
    e->value = m->constant;
    if (m->format == MATRIX_CONSTANT)
        return ML_OK;
    TRY(matrix_dense(ctx, m, &e->dense));
    e->cells = e->dense->values;
    return ML_OK;
}

static bool is_boolean(Value v)
{
    return v.dt == DT_SCALAR && v.vt == VT_BOOL;
}

/* Which operands are what: (a, b), (a, b, w), (a, b, rows, cols), (a, b, w, rows, cols), each
 * possibly with a last boolean that says how to store the result and means nothing here; or rows
 * and columns by name without weights.  -1: not given. */
static void split_arguments(const OpCall *call, int *weights, int *rows)
{
    int n = 2;

    if (!call_has(call, 2)) {
        *weights = -1;
        *rows = call_has(call, 3) ? 3 : -1;
        return;
    }
    while (n < 6 && call_has(call, n))
        n++;
    if (n > 2 && is_boolean(call->in[n - 1]))
        n--;
    *weights = n == 3 || n == 5 ? 2 : -1;
    *rows = n == 4 ? 2 : n == 5 ? 3 : -1;
}

static ml_status read_arguments(Ctx *ctx, const OpCall *call, TableJob *job)
{
    int weights, rows;
    double r, c;

    split_arguments(call, &weights, &rows);
    job->n = matrix_cells(call->in[0].m);
    job->w.value = 1;
    job->weighted = weights >= 0;
    job->rows = job->cols = -1;
    TRY(entries_of(ctx, call, 0, &job->a));
    TRY(entries_of(ctx, call, 1, &job->b));
    if (weights >= 0)
        TRY(entries_of(ctx, call, weights, &job->w));
    if (rows < 0)
        return ML_OK;
    TRY(call_double(ctx, call, rows, &r));
    TRY(call_double(ctx, call, rows + 1, &c));
    job->rows = double_to_int(r);
    job->cols = double_to_int(c);
    return ML_OK;
}

static ml_status make_table(Ctx *ctx, TableJob *job, Matrix **out)
{
    const bool rows_given = job->rows >= 0;
    TableScan all;
    int64_t most;

    TRY(guessed_table(ctx, job, out));
    if (*out)
        return ML_OK;
    TRY(scan_entries(ctx, job, &all));
    TRY(size_of_table(ctx, all.rows, &job->rows));
    TRY(size_of_table(ctx, all.cols, &job->cols));
    /* A row for every entry even when the last ones are skipped: what one-hot encoding expects. */
    if (all.sequence && !rows_given && !job->weighted)
        job->rows = job->n;
    if (!mul_int64(job->rows, job->cols, &most))
        return fail(ctx, ML_EVALUE, "table: a result of %" PRId64 "x%" PRId64 " is not possible",
                    job->rows, job->cols);
    most = most < job->n ? most : job->n;
    if (matrix_is_sparse(job->rows, job->cols, most))
        return csr_table(ctx, job, all.sequence, out);
    return dense_table(ctx, job, &all, out);
}

ml_status ml_k_table(Ctx *ctx, OpCall *call)
{
    TableJob job = {0};
    Matrix *a = NULL, *out = NULL;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &a));
    st = read_arguments(ctx, call, &job);
    if (st == ML_OK)
        st = make_table(ctx, &job, &out);
    matrix_release(job.a.dense);
    matrix_release(job.b.dense);
    matrix_release(job.w.dense);
    return st == ML_OK ? result_matrix(ctx, call, 0, out, -1) : st;
}
