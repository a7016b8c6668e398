/* matrix_edits: a sparse matrix that a loop writes into, cell by cell or row by row.
 *
 * CSR has no room between its rows, so a cell more would move all that follow.  Here rows are
 * copied out of the matrix when they are first written to, each as a list of its own that grows by
 * doubling, and are found by a hash map; the matrix under them stays as it was and may be shared.
 * Writing costs the entries of the row; settling one pass over matrix and rows.
 *
 * Lists are held in doubles; with precision=single their cells are rounded when written. */
#include "data/matrix_draft.h"

#include <stdlib.h>
#include <string.h>

typedef struct EditedRow {
    int64_t row; /* the key in the map */
    int64_t n, capacity;
    uint32_t *cols;
    double *cells;
    float *singles;
} EditedRow;

struct Edits {
    Matrix *base; /* CSR, hypersparse, or constant 0 */
    CellType type;
    Map *index; /* from a row to its place in the list */
    VEC(EditedRow *) rows;
};

static void row_free(EditedRow *r)
{
    if (!r)
        return;
    mem_free(r->cols);
    mem_free(r->cells);
    mem_free(r->singles);
    mem_free(r);
}

void edits_free(Edits *e)
{
    if (!e)
        return;
    for (int k = 0; k < e->rows.count; k++)
        row_free(e->rows.items[k]);
    VEC_FREE(&e->rows);
    map_free(e->index);
    matrix_release(e->base);
    mem_free(e);
}

/* Takes the reference to base. */
static ml_status edits_new(Ctx *ctx, Matrix *base, Matrix **out)
{
    Matrix *m = NULL;
    ml_status st = matrix_new_constant(ctx, base->rows, base->cols, 0, &m);

    if (st == ML_OK)
        m->edits = mem_calloc(1, sizeof *m->edits);
    if (!m || !m->edits) {
        matrix_release(base);
        matrix_release(m);
        return st != ML_OK ? st : fail_memory(ctx, sizeof *m->edits);
    }
    m->format = MATRIX_EDITED;
    m->nnz = base->nnz;
    m->edits->base = base;
    m->edits->type = precision_type(ctx);
    m->edits->index = map_new();
    if (!m->edits->index) {
        matrix_release(m);
        return fail_memory(ctx, sizeof *m->edits);
    }
    *out = m;
    return ML_OK;
}

ml_status matrix_edits(Ctx *ctx, Matrix *m, bool owned, Matrix **out)
{
    Matrix *base = NULL, *typed = NULL;
    ml_status st;

    if (owned && m->format == MATRIX_EDITED) {
        *out = matrix_retain(m);
        return ML_OK;
    }
    TRY(matrix_settled(ctx, m, &base));
    st = matrix_as(ctx, precision_type(ctx), base, &typed);
    matrix_release(base);
    return st == ML_OK ? edits_new(ctx, typed, out) : st;
}

/* ---- reading ---- */

static EditedRow *find_row(const Edits *e, int64_t row)
{
    int64_t at;

    return map_get(e->index, (const char *)&row, sizeof row, &at) ? e->rows.items[at] : NULL;
}

static int64_t lower(const uint32_t *cols, int64_t n, int64_t col)
{
    int64_t lo = 0, hi = n;

    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (cols[mid] < col)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static RowEntries base_row(const Matrix *base, int64_t row)
{
    RowEntries r = {0};
    int64_t from;

    if (base->format == MATRIX_HYPER) {
        const int64_t at = row_list_lower(base->list, row);

        return at < base->list->n && base->list->rows[at] == row ? base_row(base->compact, at) : r;
    }
    if (base->format != MATRIX_CSR)
        return r;
    from = base->row_ptr[row];
    r.n = base->row_ptr[row + 1] - from;
    r.cols = base->col_idx + from;
    r.cells = base->values ? base->values + from : NULL;
    r.singles = base->singles ? base->singles + from : NULL;
    return r;
}

static RowEntries entries_of(const EditedRow *r)
{
    return (RowEntries){r->n, r->cols, r->cells, r->singles};
}

static RowEntries whole_row(const Edits *e, int64_t row)
{
    const EditedRow *r = find_row(e, row);

    return r ? entries_of(r) : base_row(e->base, row);
}

RowEntries matrix_edited_row(const Matrix *m, int64_t row, int64_t lo, int64_t hi)
{
    RowEntries r = whole_row(m->edits, row);
    const int64_t from = lower(r.cols, r.n, lo), to = lower(r.cols, r.n, hi);

    if (r.n == 0)
        return r;
    r.n = to - from;
    r.cols += from;
    r.cells = r.cells ? r.cells + from : NULL;
    r.singles = r.singles ? r.singles + from : NULL;
    return r;
}

/* ---- writing ---- */

static bool row_reserve(EditedRow *r, CellType type, int64_t n)
{
    const int64_t capacity = n > 2 * r->capacity ? n : 2 * r->capacity;
    void *cols, *cells;

    if (n <= r->capacity)
        return true;
    cols = mem_realloc(r->cols, (size_t)capacity * sizeof *r->cols);
    if (!cols)
        return false;
    r->cols = cols;
    cells = mem_realloc(type == CELL_FP32 ? (void *)r->singles : (void *)r->cells,
                        (size_t)capacity * cell_size(type));
    if (!cells)
        return false;
    if (type == CELL_FP32)
        r->singles = cells;
    else
        r->cells = cells;
    r->capacity = capacity;
    return true;
}

static bool copy_row(EditedRow *r, CellType type, RowEntries from)
{
    if (!row_reserve(r, type, from.n + 1))
        return false;
    r->n = from.n;
    if (from.n == 0)
        return true;
    memcpy(r->cols, from.cols, (size_t)from.n * sizeof *r->cols);
    if (type == CELL_FP32)
        memcpy(r->singles, from.singles, (size_t)from.n * sizeof *r->singles);
    else
        memcpy(r->cells, from.cells, (size_t)from.n * sizeof *r->cells);
    return true;
}

/* The row as a list of its own; NULL when memory ran out. */
static EditedRow *own_row(Edits *e, int64_t row)
{
    EditedRow *r = find_row(e, row);

    if (r)
        return r;
    r = mem_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->row = row;
    if (!copy_row(r, e->type, base_row(e->base, row)) || !VEC_PUSH(&e->rows, r)) {
        row_free(r);
        return NULL;
    }
    if (!map_put(e->index, (const char *)&r->row, sizeof r->row, e->rows.count - 1)) {
        e->rows.count--;
        row_free(r);
        return NULL;
    }
    return r;
}

/* Entries [from, n) move to begin at `to`; there is room. */
static void move_tail(EditedRow *r, int64_t from, int64_t to)
{
    const size_t n = (size_t)(r->n - from);

    memmove(r->cols + to, r->cols + from, n * sizeof *r->cols);
    if (r->singles)
        memmove(r->singles + to, r->singles + from, n * sizeof *r->singles);
    else
        memmove(r->cells + to, r->cells + from, n * sizeof *r->cells);
    r->n += to - from;
}

static double stored(CellType type, double cell)
{
    return type == CELL_FP32 ? (double)(float)cell : cell;
}

ml_status matrix_edit_row(Ctx *ctx, Matrix *m, int64_t row, int64_t lo, int64_t hi, int64_t n,
                          const uint32_t *cols, const double *cells)
{
    const CellType type = m->edits->type;
    EditedRow *r = own_row(m->edits, row);
    int64_t from, to, kept = 0;

    for (int64_t k = 0; k < n; k++)
        kept += stored(type, cells[k]) != 0;
    if (!r || !row_reserve(r, type, r->n + kept))
        return fail_memory(ctx, (size_t)kept * sizeof(double));
    from = lower(r->cols, r->n, lo);
    to = lower(r->cols, r->n, hi);
    move_tail(r, to, from + kept);
    m->nnz += kept - (to - from);
    for (int64_t k = 0; k < n; k++) {
        const double cell = stored(type, cells[k]);

        if (cell == 0)
            continue;
        r->cols[from] = cols[k];
        if (r->singles)
            r->singles[from++] = (float)cell;
        else
            r->cells[from++] = cell;
    }
    return ML_OK;
}

/* ---- settling ---- */

static int by_row(const void *a, const void *b)
{
    const EditedRow *x = *(EditedRow *const *)a, *y = *(EditedRow *const *)b;

    return x->row < y->row ? -1 : x->row > y->row;
}

/* The rows of the result that may hold something, in order: those of the base - all, if it is CSR -
 * and those written to. */
static int64_t count_rows(const Edits *e, EditedRow *const *order, int64_t *rows)
{
    const Matrix *base = e->base;
    const int64_t most = base->format == MATRIX_CSR     ? base->rows
                         : base->format == MATRIX_HYPER ? base->list->n
                                                        : 0;
    int64_t i = 0, k = 0, n = 0;

    while (i < most || k < e->rows.count) {
        const int64_t a = i == most                      ? INT64_MAX
                          : base->format == MATRIX_HYPER ? base->list->rows[i]
                                                         : i;
        const int64_t b = k == e->rows.count ? INT64_MAX : order[k]->row;

        if (rows)
            rows[n] = a < b ? a : b;
        n++;
        i += a <= b;
        k += b <= a;
    }
    return n;
}

static void append_row(Matrix *out, int64_t i, RowEntries r)
{
    const int64_t at = out->row_ptr[i];

    if (r.n > 0) {
        memcpy(out->col_idx + at, r.cols, (size_t)r.n * sizeof *r.cols);
        memcpy(matrix_at(out, at), r.singles ? (const void *)r.singles : (const void *)r.cells,
               (size_t)r.n * matrix_cell_size(out));
    }
    out->row_ptr[i + 1] = at + r.n;
}

static ml_status merge_rows(Ctx *ctx, const Matrix *m, EditedRow *const *order, Matrix **out)
{
    const Edits *e = m->edits;
    RowList *list = NULL;
    Matrix *compact = NULL;
    int64_t k = 0;
    ml_status st;

    TRY(row_list_new(ctx, count_rows(e, order, NULL), &list));
    count_rows(e, order, list->rows);
    st = matrix_new_csr_of(ctx, e->type, list->n, m->cols, m->nnz, &compact);
    for (int64_t i = 0; st == ML_OK && i < list->n; i++) {
        const bool edited = k < e->rows.count && order[k]->row == list->rows[i];

        append_row(compact, i, edited ? entries_of(order[k]) : base_row(e->base, list->rows[i]));
        k += edited;
    }
    if (st == ML_OK && list->n == m->rows) {
        *out = matrix_retain(compact);
        st = matrix_finish(ctx, out, m->nnz);
        if (st != ML_OK)
            matrix_release(*out);
    } else if (st == ML_OK) {
        st = matrix_spread(ctx, m->rows, list, compact, out);
    }
    row_list_release(list);
    matrix_release(compact);
    return st;
}

ml_status edits_settled(Ctx *ctx, const Matrix *m, Matrix **out)
{
    const Edits *e = m->edits;
    const size_t count = (size_t)e->rows.count;
    EditedRow **order = mem_alloc((count + 1) * sizeof(EditedRow *));
    ml_status st;

    if (!order)
        return fail_memory(ctx, count * sizeof(EditedRow *));
    memcpy(order, e->rows.items, count * sizeof(EditedRow *));
    qsort(order, count, sizeof(EditedRow *), by_row);
    st = merge_rows(ctx, m, order, out);
    mem_free(order);
    return st;
}
