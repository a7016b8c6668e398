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
    Matrix *base; /* CSR, or constant 0 */
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

    if (base->format != MATRIX_CSR)
        return r;
    from = base->row_ptr[row];
    r.n = base->row_ptr[row + 1] - from;
    r.cols = base->col_idx + from;
    r.cells = base->values ? base->values + from : NULL;
    r.singles = base->singles ? base->singles + from : NULL;
    return r;
}

static RowEntries whole_row(const Edits *e, int64_t row)
{
    const EditedRow *r = find_row(e, row);

    return r ? (RowEntries){r->n, r->cols, r->cells, r->singles} : base_row(e->base, row);
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

/* Rows [lo, hi) of the base behind the entries that out has. */
static void append_base(Matrix *out, const Matrix *base, int64_t lo, int64_t hi)
{
    const int64_t at = out->row_ptr[lo];
    int64_t from, n;

    if (base->format != MATRIX_CSR) {
        for (int64_t i = lo; i < hi; i++)
            out->row_ptr[i + 1] = at;
        return;
    }
    from = base->row_ptr[lo];
    n = base->row_ptr[hi] - from;
    matrix_move(base, from, out, at, n);
    if (n > 0)
        memcpy(out->col_idx + at, base->col_idx + from, (size_t)n * sizeof *out->col_idx);
    for (int64_t i = lo; i < hi; i++)
        out->row_ptr[i + 1] = at + base->row_ptr[i + 1] - from;
}

static void append_row(Matrix *out, const EditedRow *r)
{
    const int64_t at = out->row_ptr[r->row];

    if (r->n > 0) {
        memcpy(out->col_idx + at, r->cols, (size_t)r->n * sizeof *r->cols);
        memcpy(matrix_at(out, at), r->singles ? (void *)r->singles : (void *)r->cells,
               (size_t)r->n * matrix_cell_size(out));
    }
    out->row_ptr[r->row + 1] = at + r->n;
}

ml_status edits_settled(Ctx *ctx, const Matrix *m, Matrix **out)
{
    const Edits *e = m->edits;
    const int count = e->rows.count;
    EditedRow **order = mem_alloc(((size_t)count + 1) * sizeof(EditedRow *));
    Matrix *csr = NULL;
    int64_t next = 0;
    ml_status st = order ? matrix_new_csr_of(ctx, e->type, m->rows, m->cols, m->nnz, &csr)
                         : fail_memory(ctx, (size_t)count * sizeof(EditedRow *));

    if (st == ML_OK) {
        memcpy(order, e->rows.items, (size_t)count * sizeof(EditedRow *));
        qsort(order, (size_t)count, sizeof(EditedRow *), by_row);
        for (int k = 0; k < count; k++) {
            append_base(csr, e->base, next, order[k]->row);
            append_row(csr, order[k]);
            next = order[k]->row + 1;
        }
        append_base(csr, e->base, next, m->rows);
        st = matrix_finish(ctx, &csr, m->nnz);
    }
    mem_free(order);
    if (st != ML_OK) {
        matrix_release(csr);
        return st;
    }
    *out = csr;
    return ML_OK;
}
