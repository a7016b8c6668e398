/* From coordinates to a matrix.
 *
 * Chunks of lines are parsed in parallel, each into an array of its own. A matrix that will be
 * dense takes the cells one after the other; otherwise a counting sort by row keeps their order,
 * and each row is then sorted by column, stably, so that of several cells at one place the last in
 * the file counts, or their sum is taken in the order of the file. Costs 24 bytes a cell meanwhile.
 * Where there are far fewer cells than rows, only rows with cells are counted.
 */
#include <stdlib.h>

#include "io/io_impl.h"

typedef struct ParseJob {
    const Lines *lines;
    CellParser parse;
    const void *arg;
    CellChunk *out;
} ParseJob;

static ml_status parse_chunks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ParseJob *job = arg;

    for (int64_t i = lo; i < hi; i++) {
        TRY(check_cancel(ctx));
        TRY(job->parse(ctx, job->arg, &job->lines->chunks.items[i], &job->out[i]));
    }
    return ML_OK;
}

ml_status cells_parse(Ctx *ctx, const Lines *lines, CellParser parse, const void *arg,
                      CellChunk **out)
{
    const int n = lines->chunks.count;
    ParseJob job = {lines, parse, arg, NULL};
    ml_status st;

    *out = NULL;
    job.out = mem_calloc((size_t)n + 1, sizeof *job.out);
    if (!job.out)
        return fail_memory(ctx, (size_t)n * sizeof *job.out);
    st = task_for(ctx, n, 1, parse_chunks, &job);
    if (st == ML_OK)
        *out = job.out;
    else
        cells_free(job.out, n);
    return st;
}

void cells_free(CellChunk *chunks, int count)
{
    for (int i = 0; chunks && i < count; i++)
        VEC_FREE(&chunks[i].cells);
    mem_free(chunks);
}

const char *cell_parse_index(Ctx *ctx, const InputFile *file, const char *p, const char *end,
                             int64_t max, const char *what, int64_t *out)
{
    const char *start = skip_blanks(p, end), *q = start;
    char shown[48];
    int64_t v = 0;

    for (; q < end && (unsigned)(*q - '0') < 10; q++)
        if (v <= max)
            v = v * 10 + (*q - '0');
    if (q == start || (q < end && !is_blank(*q) && *q != ':')) {
        while (q < end && !is_blank(*q))
            q++;
        input_fail(ctx, file, start, "expected a %s index, found %s", what,
                   input_quote(start, q, shown));
        return NULL;
    }
    if (v < 1 || v > max) {
        input_fail(ctx, file, start, "%s index %s is outside 1 to %" PRId64, what,
                   input_quote(start, q, shown), max);
        return NULL;
    }
    *out = v - 1;
    return q;
}

static ml_status cells_to_dense(Ctx *ctx, int64_t rows, int64_t cols, const CellChunk *chunks,
                                int count, CellRule rule, Matrix **out)
{
    TRY(matrix_new_zero(ctx, rows, cols, out));
    for (int i = 0; i < count; i++)
        for (int k = 0; k < chunks[i].cells.count; k++) {
            const Cell *c = &chunks[i].cells.items[k];

            double *to = &(*out)->values[c->row * cols + c->col];

            *to = rule == CELLS_SUM ? *to + c->value : c->value;
        }
    return ML_OK;
}

/* A cell of a row. */
typedef struct Entry {
    double value;
    uint32_t col;
} Entry;

static void sort_entries(Entry *e, int64_t n, Entry *scratch)
{
    if (n <= 16) {
        for (int64_t i = 1; i < n; i++) {
            const Entry x = e[i];
            int64_t k = i;

            for (; k > 0 && e[k - 1].col > x.col; k--)
                e[k] = e[k - 1];
            e[k] = x;
        }
        return;
    }
    sort_entries(e, n / 2, scratch);
    sort_entries(e + n / 2, n - n / 2, scratch);
    memcpy(scratch, e, (size_t)n * sizeof *e);
    for (int64_t i = 0, a = 0, b = n / 2; i < n; i++)
        e[i] =
            b == n || (a < n / 2 && scratch[a].col <= scratch[b].col) ? scratch[a++] : scratch[b++];
}

/* Write the sorted row without duplicates and zeros; returns how many are left. */
static int64_t emit_row(const Entry *e, int64_t n, CellRule rule, uint32_t *cols, double *values)
{
    int64_t kept = 0;
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum = rule == CELLS_SUM ? sum + e[i].value : e[i].value;
        if (i + 1 < n && e[i + 1].col == e[i].col)
            continue;
        if (sum != 0) {
            cols[kept] = e[i].col;
            values[kept++] = sum;
        }
        sum = 0;
    }
    return kept;
}

typedef struct RowJob {
    const int64_t *start; /* of each row among the entries, and the end */
    Entry *entries, *scratch;
    Matrix *m; /* rows are written where their entries were, kept[] each */
    int64_t *kept;
    CellRule rule;
} RowJob;

static ml_status sort_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const RowJob *j = arg;

    (void)ctx;
    for (int64_t r = lo; r < hi; r++) {
        const int64_t at = j->start[r], n = j->start[r + 1] - at;

        sort_entries(j->entries + at, n, j->scratch + at);
        j->kept[r] = emit_row(j->entries + at, n, j->rule, j->m->col_idx + at, j->m->values + at);
    }
    return ML_OK;
}

/* Close the gaps that dropped cells left. */
static void close_gaps(const RowJob *j, int64_t rows)
{
    Matrix *m = j->m;

    for (int64_t r = 0; r < rows; r++) {
        const int64_t from = j->start[r], to = m->row_ptr[r], n = j->kept[r];

        if (from != to) {
            memmove(m->col_idx + to, m->col_idx + from, (size_t)n * sizeof *m->col_idx);
            memmove(m->values + to, m->values + from, (size_t)n * sizeof *m->values);
        }
        m->row_ptr[r + 1] = to + n;
    }
}

static void scatter(const CellChunk *chunks, int count, int64_t *next, Entry *entries)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < chunks[i].cells.count; k++) {
            const Cell *c = &chunks[i].cells.items[k];

            entries[next[c->row]++] = (Entry){.col = (uint32_t)c->col, .value = c->value};
        }
}

/* start[r] = entries before row r; next is a copy to be advanced. */
static void count_rows(const CellChunk *chunks, int count, int64_t rows, int64_t *start,
                       int64_t *next)
{
    memset(start, 0, ((size_t)rows + 1) * sizeof *start);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < chunks[i].cells.count; k++)
            start[chunks[i].cells.items[k].row + 1]++;
    for (int64_t r = 0; r < rows; r++)
        start[r + 1] += start[r];
    memcpy(next, start, (size_t)rows * sizeof *next);
}

static ml_status cells_to_csr(Ctx *ctx, int64_t rows, int64_t cols, const CellChunk *chunks,
                              int count, int64_t total, CellRule rule, Matrix **out)
{
    const size_t row_bytes = ((size_t)rows + 1) * sizeof(int64_t),
                 entry_bytes = (size_t)(total + 1) * sizeof(Entry);
    RowJob job = {.rule = rule};
    int64_t *start = NULL;
    ml_status st;

    TRY(matrix_new_csr(ctx, rows, cols, total, &job.m)); /* refuses sizes that overflow */
    start = mem_alloc(row_bytes);
    job.kept = mem_alloc(row_bytes);
    job.entries = mem_alloc(entry_bytes);
    job.scratch = mem_alloc(entry_bytes);
    if (!start || !job.kept || !job.entries || !job.scratch) {
        st = fail_memory(ctx, 2 * (row_bytes + entry_bytes));
        goto done;
    }
    count_rows(chunks, count, rows, start, job.kept);
    scatter(chunks, count, job.kept, job.entries);
    job.start = start;
    TRY_TO(done, st = task_for(ctx, rows, 1024, sort_rows, &job));
    close_gaps(&job, rows);
    *out = job.m;
    job.m = NULL;
done:
    mem_free(job.scratch);
    mem_free(job.entries);
    mem_free(job.kept);
    mem_free(start);
    matrix_release(job.m);
    return st;
}

/* ---- far more rows than cells ---- */

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The rows that have cells, in order, at the front of `rows`; gives how many. */
static int64_t distinct_rows(const CellChunk *chunks, int count, int64_t *rows)
{
    int64_t n = 0, kept = 0;

    for (int i = 0; i < count; i++)
        for (int k = 0; k < chunks[i].cells.count; k++)
            rows[n++] = chunks[i].cells.items[k].row;
    qsort(rows, (size_t)n, sizeof *rows, by_number);
    for (int64_t k = 0; k < n; k++)
        if (k == 0 || rows[k] != rows[k - 1])
            rows[kept++] = rows[k];
    return kept;
}

/* Cells count their rows in the list from now on. */
static void renumber(const CellChunk *chunks, int count, const RowList *list)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < chunks[i].cells.count; k++)
            chunks[i].cells.items[k].row = row_list_lower(list, chunks[i].cells.items[k].row);
}

static ml_status cells_to_hyper(Ctx *ctx, int64_t rows, int64_t cols, const CellChunk *chunks,
                                int count, int64_t total, CellRule rule, Matrix **out)
{
    int64_t *used = mem_alloc((size_t)(total + 1) * sizeof *used), n;
    Matrix *compact = NULL;
    RowList *list = NULL;
    ml_status st;

    if (!used)
        return fail_memory(ctx, (size_t)total * sizeof *used);
    n = distinct_rows(chunks, count, used);
    st = row_list_new(ctx, n, &list);
    if (st == ML_OK) {
        memcpy(list->rows, used, (size_t)n * sizeof *used);
        renumber(chunks, count, list);
        st = cells_to_csr(ctx, n, cols, chunks, count, total, rule, &compact);
    }
    if (st == ML_OK)
        st = matrix_spread(ctx, rows, list, compact, out);
    mem_free(used);
    row_list_release(list);
    matrix_release(compact);
    return st;
}

ml_status cells_to_matrix(Ctx *ctx, int64_t rows, int64_t cols, const CellChunk *chunks, int count,
                          CellRule rule, Matrix **out)
{
    int64_t total = 0, cells, nnz = -1;
    ml_status st;

    for (int i = 0; i < count; i++)
        total += chunks[i].cells.count;
    if (mul_int64(rows, cols, &cells) && !matrix_is_sparse(rows, cols, total)) {
        st = cells_to_dense(ctx, rows, cols, chunks, count, rule, out);
    } else if (matrix_is_hyper(rows, total)) {
        return cells_to_hyper(ctx, rows, cols, chunks, count, total, rule, out);
    } else {
        st = cells_to_csr(ctx, rows, cols, chunks, count, total, rule, out);
        nnz = st == ML_OK ? (*out)->row_ptr[rows] : -1;
    }
    return st == ML_OK ? matrix_finish(ctx, out, nnz) : st;
}
