/* table: contingency tables, F[a, b] += w.
 *
 * One pass checks the categories and finds the largest; then a table of many cells per entry is
 * summed densely, in tiles side by side when it is small, and any other is made as CSR from entries
 * sorted by (row, column). Weights of a cell are added in the order of the entries (tiles: in the
 * order of the tiles), so the digits do not depend on the threads. Cost: two passes over the
 * entries; CSR sorts them, unless a is 1, 2, 3 ..., where each has its own row. */
#include "kernel/sort.h"

enum { TILE = 64 << 10, SMALL_TABLE = 4096 };

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
    TableScan *scans; /* one a tile */
    double *tables;   /* one a tile */
} TableJob;

typedef struct Entry {
    int64_t row, col;
    double weight;
} Entry;

static double value_at(const Entries *e, int64_t i)
{
    return e->cells ? e->cells[i] : e->value;
}

static int64_t tile_end(const TableJob *job, int64_t tile)
{
    return (tile + 1) * TILE < job->n ? (tile + 1) * TILE : job->n;
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

/* ---- checking, and the size ---- */

static ml_status scan_tile(Ctx *ctx, const TableJob *job, int64_t tile)
{
    TableScan scan = {.sequence = true};

    for (int64_t i = tile * TILE; i < tile_end(job, tile); i++) {
        const double a = value_at(&job->a, i), b = value_at(&job->b, i), w = value_at(&job->w, i);

        scan.sequence = scan.sequence && a == (double)(i + 1);
        if (a < 1 || b < 1)
            return fail(ctx, ML_EVALUE,
                        "table: expected categories of at least 1, found %s and %s: one of the "
                        "value <= zero",
                        NUM_SHOW(a), NUM_SHOW(b));
        if (a != a || b != b || w != w)
            continue;
        scan.rows = a > scan.rows ? a : scan.rows;
        scan.cols = b > scan.cols ? b : scan.cols;
    }
    job->scans[tile] = scan;
    return ML_OK;
}

static ml_status scan_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    for (int64_t tile = lo; tile < hi; tile++)
        TRY(scan_tile(ctx, arg, tile));
    return ML_OK;
}

static ml_status scan_entries(Ctx *ctx, TableJob *job, TableScan *all)
{
    const int64_t tiles = (job->n + TILE - 1) / TILE;
    const size_t bytes = (size_t)(tiles + 1) * sizeof *job->scans;
    ml_status st;

    *all = (TableScan){.sequence = job->n > 0};
    job->scans = pool_alloc(ctx, bytes);
    if (!job->scans)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, 1, scan_task, job);
    for (int64_t t = 0; st == ML_OK && t < tiles; t++) {
        const TableScan *s = &job->scans[t];

        all->sequence = all->sequence && s->sequence;
        all->rows = s->rows > all->rows ? s->rows : all->rows;
        all->cols = s->cols > all->cols ? s->cols : all->cols;
    }
    pool_release(ctx->pool, job->scans, bytes);
    return st;
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

static void add_entries(const TableJob *job, int64_t lo, int64_t hi, double *table)
{
    Entry e;

    for (int64_t i = lo; i < hi; i++)
        if (entry_at(job, i, &e))
            table[e.row * job->cols + e.col] += e.weight;
}

static ml_status tables_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const TableJob *job = arg;
    const int64_t cells = job->rows * job->cols;

    (void)ctx;
    for (int64_t tile = lo; tile < hi; tile++) {
        memset(job->tables + tile * cells, 0, (size_t)cells * sizeof(double));
        add_entries(job, tile * TILE, tile_end(job, tile), job->tables + tile * cells);
    }
    return ML_OK;
}

/* Tables of all tiles, then their sum. */
static ml_status add_tables(Ctx *ctx, TableJob *job, double *out)
{
    const int64_t cells = job->rows * job->cols, tiles = (job->n + TILE - 1) / TILE;
    const size_t bytes = (size_t)(cells * tiles) * sizeof(double);
    ml_status st;

    job->tables = pool_alloc(ctx, bytes);
    if (!job->tables)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, 1, tables_task, job);
    for (int64_t tile = 0; st == ML_OK && tile < tiles; tile++)
        for (int64_t k = 0; k < cells; k++)
            out[k] += job->tables[tile * cells + k];
    pool_release(ctx->pool, job->tables, bytes);
    return st;
}

static ml_status dense_table(Ctx *ctx, TableJob *job, Matrix **out)
{
    ml_status st = ML_OK;

    TRY(matrix_new_zero(ctx, job->rows, job->cols, out));
    if (job->n > 4 * TILE && matrix_cells(*out) <= SMALL_TABLE)
        st = add_tables(ctx, job, (*out)->values);
    else
        add_entries(job, 0, job->n, (*out)->values);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
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

/* From items sorted by row and column; equal ones are added up in the order of the entries. */
static void fill_sorted(const TableJob *job, const SortItem *items, int64_t n, Matrix *out)
{
    int64_t row = 0, k = 0;

    for (int64_t i = 0; i < n; i++) {
        const int64_t r = (int64_t)(items[i].key >> 32);
        const double w = value_at(&job->w, items[i].index);

        while (row < r)
            out->row_ptr[++row] = k;
        if (i > 0 && items[i].key == items[i - 1].key) {
            out->values[k - 1] += w;
            continue;
        }
        out->col_idx[k] = (uint32_t)items[i].key;
        out->values[k++] = w;
    }
    while (row < job->rows)
        out->row_ptr[++row] = k;
}

static ml_status sort_entries(Ctx *ctx, const TableJob *job, SortItem *items, Matrix *out)
{
    int64_t n = 0;
    Entry e;

    for (int64_t i = 0; i < job->n; i++)
        if (entry_at(job, i, &e))
            items[n++] = (SortItem){(uint64_t)e.row << 32 | (uint64_t)e.col, i};
    TRY(sort_items(ctx, items, items + job->n, n));
    fill_sorted(job, items, n, out);
    return ML_OK;
}

static ml_status csr_table(Ctx *ctx, const TableJob *job, bool sequence, Matrix **out)
{
    const size_t bytes = (size_t)(2 * job->n + 1) * sizeof(SortItem);
    SortItem *items;
    ml_status st;

    if (job->rows > UINT32_MAX)
        return fail(ctx, ML_EVALUE, "table: %" PRId64 " rows are too many", job->rows);
    TRY(matrix_new_csr(ctx, job->rows, job->cols, job->n, out));
    if (sequence) {
        fill_sequence(job, *out);
        return ML_OK;
    }
    items = pool_alloc(ctx, bytes);
    st = items ? sort_entries(ctx, job, items, *out) : ML_ENOMEM;
    if (items)
        pool_release(ctx->pool, items, bytes);
    if (st != ML_OK)
        matrix_release(*out);
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
    return dense_table(ctx, job, out);
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
