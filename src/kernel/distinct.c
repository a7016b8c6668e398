/* distinct: how many and which values there are, overall and in each row or column.
 *
 * Rows and columns are lines: runs of stored cells with a step, and a number of zeros that a sparse
 * matrix does not store.  Columns of CSR are rows of its transpose.  Each task has one set and
 * reuses it. */
#include "kernel/distinct.h"
#include "kernel/reorg.h"

enum { PROBE = 64 << 10 };

typedef enum Direction { ALL, ROWS, COLUMNS } Direction;

static ml_status direction_of(Ctx *ctx, const OpCall *call, Direction *dir)
{
    const char *text = "rc";

    if (call_has(call, 1))
        TRY(call_text(ctx, call, 1, &text));
    *dir = strcmp(text, "r") == 0 ? ROWS : strcmp(text, "c") == 0 ? COLUMNS : ALL;
    if (*dir == ALL && strcmp(text, "rc") != 0)
        return fail(ctx, ML_EVALUE, "expected dir to be \"rc\", \"r\" or \"c\", found \"%s\"",
                    text);
    return ML_OK;
}

/* ---- lines ---- */

typedef struct Lines {
    Matrix *m; /* owned: dense, CSR or constant */
    bool columns;
    int64_t count, length;
} Lines;

static ml_status lines_of(Ctx *ctx, Matrix *m, bool columns, Lines *lines)
{
    *lines = (Lines){.columns = columns,
                     .count = columns ? m->cols : m->rows,
                     .length = columns ? m->rows : m->cols};
    if (columns && m->format == MATRIX_CSR) {
        lines->columns = false;
        return matrix_transpose(ctx, m, &lines->m);
    }
    lines->m = matrix_retain(m);
    return ML_OK;
}

/* The values of a line, added to the empty set. */
static ml_status line_values(Ctx *ctx, const Lines *lines, int64_t i, DistinctSet *set)
{
    static const double zero = 0;
    const Matrix *m = lines->m;
    int64_t n;

    if (m->format == MATRIX_CONSTANT)
        return distinct_add(ctx, set, &m->constant, lines->length > 0, 1);
    if (m->format == MATRIX_DENSE && lines->columns)
        return distinct_add(ctx, set, m->values + i, m->rows, m->cols);
    if (m->format == MATRIX_DENSE)
        return distinct_add(ctx, set, m->values + i * m->cols, m->cols, 1);
    n = m->row_ptr[i + 1] - m->row_ptr[i];
    TRY(distinct_add(ctx, set, m->values + m->row_ptr[i], n, 1));
    return distinct_add(ctx, set, &zero, n < m->cols, 1);
}

typedef struct LinesJob {
    Lines lines;
    double *counts;
    Matrix *out; /* values of each line, padded with zeros */
} LinesJob;

static ml_status count_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const LinesJob *job = arg;
    DistinctSet set = {0};
    ml_status st = ML_OK;

    for (int64_t i = lo; st == ML_OK && i < hi; i++) {
        distinct_clear(&set);
        st = line_values(ctx, &job->lines, i, &set);
        job->counts[i] = (double)set.count;
    }
    distinct_free(&set);
    return st;
}

/* Number of values of each line, as a column or a row. */
static ml_status count_lines(Ctx *ctx, Matrix *m, Direction dir, Matrix **out)
{
    const bool columns = dir == COLUMNS;
    LinesJob job = {0};
    ml_status st;

    TRY(matrix_new_dense(ctx, columns ? 1 : m->rows, columns ? m->cols : 1, out));
    job.counts = (*out)->values;
    st = lines_of(ctx, m, columns, &job.lines);
    if (st == ML_OK)
        st = task_for(ctx, job.lines.count, task_grain(8 * job.lines.length), count_task, &job);
    matrix_release(job.lines.m);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

/* ---- all cells ---- */

/* The stored cells of a matrix, and whether there are zeros besides. */
typedef struct Cells {
    const double *x;
    int64_t n;
    bool zero;
} Cells;

static Cells cells_of(const Matrix *m)
{
    const int64_t cells = matrix_cells(m);

    if (m->format == MATRIX_CONSTANT)
        return (Cells){&m->constant, cells > 0, false};
    if (m->format == MATRIX_DENSE)
        return (Cells){m->values, cells, false};
    return (Cells){m->values, m->nnz, m->nnz < cells};
}

typedef struct KeysJob {
    const double *x;
    SortItem *items;
} KeysJob;

static ml_status keys_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const KeysJob *job = arg;

    (void)ctx;
    for (int64_t k = lo; k < hi; k++)
        job->items[k] = (SortItem){sort_key(job->x[k]), 0};
    return ML_OK;
}

/* Keep one of equal neighbours; their number. */
static int64_t drop_repeated(SortItem *items, int64_t n)
{
    int64_t kept = n > 0;

    for (int64_t k = 1; k < n; k++)
        if (items[k].key != items[kept - 1].key)
            items[kept++] = items[k];
    return kept;
}

/* By sorting: where nearly all values differ, a set would miss the cache with each of them. */
static ml_status unique_by_sorting(Ctx *ctx, Cells cells, Matrix **out)
{
    const int64_t n = cells.n + cells.zero;
    const size_t bytes = (size_t)(2 * n) * sizeof(SortItem);
    KeysJob job = {.x = cells.x, .items = pool_alloc(ctx, bytes)};
    ml_status st;

    if (!job.items)
        return ML_ENOMEM;
    job.items[n - 1] = (SortItem){sort_key(0), 0};
    st = task_for(ctx, cells.n, task_grain(1), keys_task, &job);
    if (st == ML_OK)
        st = sort_items(ctx, job.items, job.items + n, n);
    if (st == ML_OK)
        st = matrix_new_dense(ctx, drop_repeated(job.items, n), 1, out);
    for (int64_t k = 0; st == ML_OK && k < (*out)->rows; k++)
        (*out)->values[k] = sort_value(job.items[k].key);
    pool_release(ctx->pool, job.items, bytes);
    return st;
}

typedef struct SetsJob {
    Cells cells;
    DistinctSet *sets;
    int64_t part; /* cells of a set */
} SetsJob;

static ml_status sets_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SetsJob *job = arg;

    for (int64_t p = lo; p < hi; p++) {
        const int64_t begin = p * job->part, left = job->cells.n - begin;

        TRY(distinct_add(ctx, &job->sets[p], job->cells.x + begin,
                         left < job->part ? left : job->part, 1));
    }
    return ML_OK;
}

/* Each thread has a set of its own; the result is that of one. */
static ml_status fill_set(Ctx *ctx, Cells cells, DistinctSet *set)
{
    static const double zero = 0;
    SetsJob job = {.cells = cells, .part = cells.n / task_threads(ctx) + 1};
    int64_t parts;
    ml_status st;

    job.part = job.part < PROBE ? PROBE : job.part;
    parts = (cells.n + job.part - 1) / job.part;
    job.sets = mem_calloc((size_t)parts + 1, sizeof *job.sets);
    if (!job.sets)
        return fail_memory(ctx, (size_t)parts * sizeof *job.sets);
    st = task_for(ctx, parts, 1, sets_task, &job);
    for (int64_t p = 0; p < parts; p++) {
        if (st == ML_OK)
            st = distinct_join(ctx, set, &job.sets[p]);
        distinct_free(&job.sets[p]);
    }
    mem_free(job.sets);
    return st == ML_OK ? distinct_add(ctx, set, &zero, cells.zero, 1) : st;
}

static ml_status unique_by_set(Ctx *ctx, Cells cells, DistinctSet *set, Matrix **out)
{
    ml_status st;

    TRY(fill_set(ctx, cells, set));
    TRY(matrix_new_dense(ctx, set->count, 1, out));
    st = distinct_sorted(ctx, set, (*out)->values);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

/* All values in ascending order, as a column. */
static ml_status unique_all(Ctx *ctx, const Matrix *m, Matrix **out)
{
    const Cells cells = cells_of(m);
    const int64_t probe = cells.n < PROBE ? cells.n : PROBE;
    DistinctSet set = {0};
    bool many;
    ml_status st;

    TRY(distinct_add(ctx, &set, cells.x, probe, 1));
    many = cells.n > 8 * PROBE && set.count > PROBE / 8 * 7;
    st = many ? unique_by_sorting(ctx, cells, out) : unique_by_set(ctx, cells, &set, out);
    distinct_free(&set);
    return st;
}

/* ---- kernels ---- */

static ml_status counts_of(Ctx *ctx, OpCall *call, Direction dir)
{
    Matrix *m = NULL, *out = NULL;
    const int type = call->nin - 1; /* the sketch to estimate with: here the count is exact */
    const char *sketch;

    TRY(call_matrix(ctx, call, 0, &m));
    if (type > 0 && call_has(call, type))
        TRY(call_text(ctx, call, type, &sketch));
    if (dir != ALL) {
        TRY(count_lines(ctx, m, dir, &out));
        return result_matrix(ctx, call, 0, out, -1);
    }
    TRY(unique_all(ctx, m, &out));
    call->out[0] = value_int(out->rows);
    matrix_release(out);
    return ML_OK;
}

ml_status ml_k_countDistinct(Ctx *ctx, OpCall *call)
{
    Direction dir = ALL;

    TRY(direction_of(ctx, call, &dir));
    return counts_of(ctx, call, dir);
}

ml_status ml_k_rowCountDistinct(Ctx *ctx, OpCall *call)
{
    return counts_of(ctx, call, ROWS);
}

ml_status ml_k_colCountDistinct(Ctx *ctx, OpCall *call)
{
    return counts_of(ctx, call, COLUMNS);
}

static ml_status unique_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const LinesJob *job = arg;
    const int64_t width = job->out->cols;
    DistinctSet set = {0};
    ml_status st = ML_OK;

    for (int64_t i = lo; st == ML_OK && i < hi; i++) {
        double *values = job->out->values + i * width;

        distinct_clear(&set);
        st = line_values(ctx, &job->lines, i, &set);
        if (st == ML_OK)
            st = distinct_sorted(ctx, &set, values);
        for (int64_t k = set.count; st == ML_OK && k < width; k++)
            values[k] = 0;
    }
    distinct_free(&set);
    return st;
}

/* The values of each line as a row of the result. */
static ml_status unique_lines(Ctx *ctx, Matrix *m, Direction dir, Matrix **out)
{
    LinesJob job = {0};
    Matrix *counts = NULL;
    int64_t width = 0;
    ml_status st;

    TRY(count_lines(ctx, m, dir, &counts));
    for (int64_t i = 0; i < matrix_cells(counts); i++)
        width = (int64_t)counts->values[i] > width ? (int64_t)counts->values[i] : width;
    matrix_release(counts);
    TRY(matrix_new_dense(ctx, dir == COLUMNS ? m->cols : m->rows, width, &job.out));
    st = lines_of(ctx, m, dir == COLUMNS, &job.lines);
    if (st == ML_OK)
        st = task_for(ctx, job.lines.count, task_grain(8 * job.lines.length), unique_task, &job);
    matrix_release(job.lines.m);
    if (st != ML_OK)
        matrix_release(job.out);
    else
        *out = job.out;
    return st;
}

ml_status ml_k_unique(Ctx *ctx, OpCall *call)
{
    Matrix *m = NULL, *out = NULL, *lines = NULL;
    Direction dir = ALL;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(direction_of(ctx, call, &dir));
    if (dir == ALL) {
        TRY(unique_all(ctx, m, &out));
    } else if (dir == ROWS) {
        TRY(unique_lines(ctx, m, dir, &out));
    } else {
        TRY(unique_lines(ctx, m, dir, &lines));
        st = matrix_transpose(ctx, lines, &out);
        matrix_release(lines);
        TRY(st);
    }
    return result_matrix(ctx, call, 0, out, -1);
}
