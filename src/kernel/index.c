/* X[a:b, c:d] on the right and on the left of an assignment, for matrices; frames and lists are
 * handed on.
 *
 * Assigning to a part writes in place when the matrix is used nowhere else, so filling a matrix
 * cell by cell costs one step a cell: nnz follows from the cells replaced.  For that the result
 * stays dense, however few nonzeros it has, as long as it is of moderate size.  Into a large sparse
 * matrix rows are written as into a draft (data.h), unless so many are replaced at once that
 * rebuilding it costs no more. */
#include "kernel/csr.h"
#include "kernel/frame.h"

#include <string.h>

enum {
    DENSE_BYTES = 1 << 28, /* results of assignments up to this size are dense */
    ASSIGN_OPERANDS = 6,   /* of left_index */
    ROWS_A_PASS = 16,      /* a row by itself costs so many rows and entries of a pass over all */
    VIEW_CELLS = 1 << 13,  /* rows that are read where they lie: at least so many cells and ... */
    VIEW_SHARE = 16,       /* ... this part of the matrix ... */
    VIEW_ALIGNMENT = 64    /* ... from a multiple of so many bytes, where matrices begin */
};

/* ---- ranges ---- */

/* Operands k and k + 1 as a zero-based range of n rows or columns, end excluded. A range that ends
 * just before it begins is empty. */
static ml_status bounds(Ctx *ctx, const OpCall *call, int k, int64_t n, const char *what,
                        int64_t *lo, int64_t *hi)
{
    int64_t a = 1, b = n;

    if (call_has(call, k)) {
        TRY(call_int(ctx, call, k, &a));
        b = a;
    }
    if (call_has(call, k + 1))
        TRY(call_int(ctx, call, k + 1, &b));
    if (a < 1 || a > n + 1 || b > n || b < a - 1)
        return fail(ctx, ML_EVALUE, "%s %" PRId64 ":%" PRId64 " of %s should lie within 1:%" PRId64,
                    what, a, b, call_name(call, 0), n);
    *lo = a - 1;
    *hi = b;
    return ML_OK;
}

static ml_status range_of(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols,
                          IndexRange *r)
{
    TRY(bounds(ctx, call, k, rows, "rows", &r->row_lo, &r->row_hi));
    return bounds(ctx, call, k + 2, cols, "columns", &r->col_lo, &r->col_hi);
}

/* ---- reading a part ---- */

typedef struct Slice {
    Matrix *in;
    IndexRange r;
    Matrix *out;
} Slice;

static ml_status dense_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Slice *s = arg;
    const int64_t cols = s->out->cols;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        matrix_move(s->in, (s->r.row_lo + i) * s->in->cols + s->r.col_lo, s->out, i * cols, cols);
    return ML_OK;
}

static ml_status dense_slice(Ctx *ctx, Slice *s)
{
    const int64_t rows = s->r.row_hi - s->r.row_lo, cols = s->r.col_hi - s->r.col_lo;

    TRY(matrix_like(ctx, s->in, rows, cols, &s->out));
    return task_for(ctx, rows, task_grain(cols), dense_rows, s);
}

static ml_status csr_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Slice *s = arg;
    const Matrix *in = s->in;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        int64_t to = s->out->row_ptr[i];
        const int64_t n = s->out->row_ptr[i + 1] - to;
        const int64_t from = csr_lower(in, s->r.row_lo + i, s->r.col_lo);

        matrix_move(in, from, s->out, to, n);
        for (int64_t k = from; k < from + n; k++)
            s->out->col_idx[to++] = in->col_idx[k] - (uint32_t)s->r.col_lo;
    }
    return ML_OK;
}

static ml_status csr_slice(Ctx *ctx, Slice *s)
{
    const int64_t rows = s->r.row_hi - s->r.row_lo, cols = s->r.col_hi - s->r.col_lo;
    int64_t nnz = 0;

    for (int64_t i = s->r.row_lo; i < s->r.row_hi; i++)
        nnz += csr_lower(s->in, i, s->r.col_hi) - csr_lower(s->in, i, s->r.col_lo);
    TRY(matrix_new_csr_of(ctx, matrix_type(s->in), rows, cols, nnz, &s->out));
    for (int64_t i = 0; i < rows; i++)
        s->out->row_ptr[i + 1] = s->out->row_ptr[i] +
                                 csr_lower(s->in, s->r.row_lo + i, s->r.col_hi) -
                                 csr_lower(s->in, s->r.row_lo + i, s->r.col_lo);
    return task_for(ctx, rows, task_grain(nnz / (rows + 1) + 1), csr_rows, s);
}

/* ---- a part of a hypersparse matrix ---- */

static ml_status hyper_slice(Ctx *ctx, Slice *s)
{
    const RowList *in = s->in->list;
    const int64_t lo = row_list_lower(in, s->r.row_lo), hi = row_list_lower(in, s->r.row_hi);
    Slice compact = {.in = s->in->compact, .r = {lo, hi, s->r.col_lo, s->r.col_hi}};
    RowList *list = NULL;
    ml_status st;

    TRY(row_list_new(ctx, hi - lo, &list));
    for (int64_t k = 0; k < list->n; k++)
        list->rows[k] = in->rows[lo + k] - s->r.row_lo;
    st = csr_slice(ctx, &compact);
    if (st == ML_OK)
        st = matrix_spread(ctx, s->r.row_hi - s->r.row_lo, list, compact.out, &s->out);
    row_list_release(list);
    matrix_release(compact.out);
    return st;
}

/* ---- a part of a draft ---- */

static RowEntries edited_row(const Slice *s, int64_t i)
{
    return matrix_edited_row(s->in, s->r.row_lo + i, s->r.col_lo, s->r.col_hi);
}

/* Rows of an edited matrix; they are few. */
static ml_status edited_slice(Ctx *ctx, Slice *s)
{
    const int64_t rows = s->r.row_hi - s->r.row_lo, cols = s->r.col_hi - s->r.col_lo;
    int64_t nnz = 0, at = 0;

    for (int64_t i = 0; i < rows; i++)
        nnz += edited_row(s, i).n;
    TRY(matrix_new_csr_of(ctx, precision_type(ctx), rows, cols, nnz, &s->out));
    for (int64_t i = 0; i < rows; i++) {
        const RowEntries r = edited_row(s, i);

        for (int64_t k = 0; k < r.n; k++, at++) {
            matrix_put(s->out, at, r.singles ? (double)r.singles[k] : r.cells[k]);
            s->out->col_idx[at] = r.cols[k] - (uint32_t)s->r.col_lo;
        }
        s->out->row_ptr[i + 1] = at;
    }
    return ML_OK;
}

static ml_status slice(Ctx *ctx, Slice *s)
{
    if (s->in->format == MATRIX_EDITED)
        return edited_slice(ctx, s);
    if (s->in->format == MATRIX_HYPER)
        return hyper_slice(ctx, s);
    if (s->in->format == MATRIX_CSR)
        return csr_slice(ctx, s);
    if (s->in->format == MATRIX_DENSE)
        return dense_slice(ctx, s);
    return matrix_new_constant(ctx, s->r.row_hi - s->r.row_lo, s->r.col_hi - s->r.col_lo,
                               s->in->constant, &s->out);
}

/* Is an edited matrix better left as it is for so many rows of it? */
static bool few_rows(const Matrix *m, int64_t rows)
{
    return rows < (m->rows + m->nnz) / ROWS_A_PASS;
}

/* What the range is read from, a reference: m, or the one piece of it that holds the range, which
 * then counts from the piece. */
static ml_status take_operand(Ctx *ctx, Matrix *m, IndexRange *r, Matrix **out)
{
    Matrix *piece = NULL;
    int64_t first = 0;

    if (m->format == MATRIX_PIECES && r->col_lo < r->col_hi)
        piece = matrix_piece(m, r->col_lo, r->col_hi, &first);
    if (m->format == MATRIX_EDITED && few_rows(m, r->row_hi - r->row_lo)) {
        *out = matrix_retain(m);
        return ML_OK;
    }
    if (!piece)
        return matrix_settled(ctx, m, out);
    r->col_lo -= first;
    r->col_hi -= first;
    *out = matrix_retain(piece);
    return ML_OK;
}

static ml_status slice_operand(Ctx *ctx, OpCall *call, Slice *s, Matrix *in)
{
    ml_status st;

    if (s->r.row_hi - s->r.row_lo == in->rows && s->r.col_hi - s->r.col_lo == in->cols) {
        call->out[0] = value_matrix(matrix_retain(in));
        return ML_OK;
    }
    s->in = in;
    st = slice(ctx, s);
    if (st != ML_OK) {
        matrix_release(s->out);
        return st;
    }
    return result_matrix(ctx, call, 0, s->out,
                         s->out->format == MATRIX_CSR ? s->out->row_ptr[s->out->rows]
                         : s->out->view               ? matrix_cells(s->out)
                                                      : -1);
}

static ml_status index_matrix(Ctx *ctx, OpCall *call)
{
    Matrix *m = call->in[0].m, *in = NULL;
    Slice s = {0};
    ml_status st;

    TRY(range_of(ctx, call, 1, m->rows, m->cols, &s.r));
    TRY(take_operand(ctx, m, &s.r, &in));
    st = slice_operand(ctx, call, &s, in);
    matrix_release(in);
    return st;
}

static ml_status index_frame(Ctx *ctx, OpCall *call)
{
    Frame *f = call->in[0].f, *out;
    IndexRange r;

    TRY(range_of(ctx, call, 1, f->rows, f->cols, &r));
    TRY(frame_index(ctx, f, r, &out));
    call->out[0] = value_frame(out);
    return ML_OK;
}

static ml_status one_index(Ctx *ctx, const OpCall *call, int k)
{
    if (call_has(call, k + 2) || call_has(call, k + 3) || !call_has(call, k))
        return fail(ctx, ML_EVALUE,
                    "%s is a list: one index expected, a position, a range or a name",
                    call_name(call, 0));
    return ML_OK;
}

static ml_status index_list(Ctx *ctx, OpCall *call)
{
    List *out;

    TRY(one_index(ctx, call, 1));
    TRY(list_index(ctx, call->in[0].l, call->in[1], call_has(call, 2) ? call->in[2] : value_none(),
                   &out));
    call->out[0] = value_list(out);
    return ML_OK;
}

ml_status ml_k_index(Ctx *ctx, OpCall *call)
{
    Matrix *m;

    if (call->in[0].dt == DT_FRAME)
        return index_frame(ctx, call);
    if (call->in[0].dt == DT_LIST)
        return index_list(ctx, call);
    TRY(call_matrix(ctx, call, 0, &m));
    return index_matrix(ctx, call);
}

/* ---- replacing a part ---- */

/* What is put into the range: a matrix of its shape, or a number for each cell. */
typedef struct Assign {
    IndexRange r;
    const Matrix *value; /* NULL: the number */
    double number;
} Assign;

static ml_status assigned(Ctx *ctx, const OpCall *call, Assign *a)
{
    const int64_t rows = a->r.row_hi - a->r.row_lo, cols = a->r.col_hi - a->r.col_lo;
    const Value v = call->in[1];

    if (v.dt == DT_SCALAR && scalar_is_number(v)) {
        a->number = scalar_to_double(v);
        return ML_OK;
    }
    if (v.dt != DT_MATRIX) {
        char found[64];

        return fail(ctx, ML_ETYPE,
                    "a part of matrix %s should be replaced by a matrix or a number, found %s",
                    call_name(call, 0), value_describe(v, found));
    }
    if (v.m->rows != rows || v.m->cols != cols)
        return fail(ctx, ML_ESHAPE,
                    "%s[%" PRId64 ":%" PRId64 ", %" PRId64 ":%" PRId64 "] is %" PRId64 "x%" PRId64
                    ", the value is %" PRId64 "x%" PRId64,
                    call_name(call, 0), a->r.row_lo + 1, a->r.row_hi, a->r.col_lo + 1, a->r.col_hi,
                    rows, cols, v.m->rows, v.m->cols);
    a->value = v.m;
    return ML_OK;
}

static void put_row(const Assign *a, int64_t i, Matrix *m, int64_t at)
{
    const int64_t cols = a->r.col_hi - a->r.col_lo;

    if (a->value)
        matrix_put_row(a->value, i, m, at);
    for (int64_t j = 0; j < cols && !a->value; j++)
        matrix_put(m, at + j, a->number);
}

/* Into a dense matrix that nobody else has; keeps nnz exact. */
static void put_dense(const Assign *a, Matrix *m)
{
    const int64_t cols = a->r.col_hi - a->r.col_lo;

    for (int64_t i = a->r.row_lo; i < a->r.row_hi; i++) {
        const int64_t at = i * m->cols + a->r.col_lo;

        m->nnz -= matrix_stored_nnz(m, at, cols);
        put_row(a, i - a->r.row_lo, m, at);
        m->nnz += matrix_stored_nnz(m, at, cols);
    }
}

static ml_status assign_dense(Ctx *ctx, OpCall *call, const Assign *a)
{
    Matrix *m = call_reusable(call, 0), *copy;
    ml_status st;

    if (m) {
        put_dense(a, m);
        call->out[0] = value_matrix(matrix_retain(m));
        return ML_OK;
    }
    TRY(matrix_dense_of(ctx, precision_type(ctx), call->in[0].m, &copy));
    st = matrix_writable(ctx, &copy);
    if (st != ML_OK) {
        matrix_release(copy);
        return st;
    }
    put_dense(a, copy);
    call->out[0] = value_matrix(copy);
    return ML_OK;
}

/* ---- into a large sparse matrix ---- */

/* Append the nonzeros of n cells as columns from `col`. */
static void append_cells(Matrix *out, int64_t *at, const double *cells, int64_t n, int64_t col)
{
    for (int64_t j = 0; j < n; j++)
        if (cells[j] != 0) {
            matrix_put(out, *at, cells[j]);
            out->col_idx[(*at)++] = (uint32_t)(col + j);
        }
}

static void append_csr(Matrix *out, int64_t *at, const Matrix *in, int64_t from, int64_t to)
{
    const int64_t n = to - from;

    matrix_move(in, from, out, *at, n);
    memcpy(out->col_idx + *at, in->col_idx + from, (size_t)n * sizeof(uint32_t));
    *at += n;
}

/* Row i of what is put into the range. */
static const double *row_of(const Assign *a, int64_t i, double *scratch)
{
    if (a->value)
        return matrix_row(a->value, i, scratch);
    for (int64_t j = 0; j < a->r.col_hi - a->r.col_lo; j++)
        scratch[j] = a->number;
    return scratch;
}

static int64_t rebuild(const Assign *a, const Matrix *in, Matrix *out, double *scratch)
{
    int64_t at = 0;

    for (int64_t i = 0; i < in->rows; i++) {
        const int64_t begin = in->row_ptr[i], end = in->row_ptr[i + 1];

        if (i < a->r.row_lo || i >= a->r.row_hi) {
            append_csr(out, &at, in, begin, end);
        } else {
            append_csr(out, &at, in, begin, csr_lower(in, i, a->r.col_lo));
            append_cells(out, &at, row_of(a, i - a->r.row_lo, scratch), a->r.col_hi - a->r.col_lo,
                         a->r.col_lo);
            append_csr(out, &at, in, csr_lower(in, i, a->r.col_hi), end);
        }
        out->row_ptr[i + 1] = at;
    }
    return at;
}

static ml_status assign_csr(Ctx *ctx, OpCall *call, const Assign *a)
{
    const int64_t rows = a->r.row_hi - a->r.row_lo, cols = a->r.col_hi - a->r.col_lo;
    const int64_t added = a->value ? a->value->nnz : a->number != 0 ? rows * cols : 0;
    double *scratch = NULL;
    Matrix *in = NULL, *out = NULL;
    int64_t nnz;
    ml_status st;

    TRY(matrix_csr(ctx, call->in[0].m, &in));
    TRY_TO(done, st = matrix_new_csr_of(ctx, matrix_type(in), in->rows, in->cols,
                                        in->row_ptr[in->rows] + added, &out));
    scratch = mem_alloc((size_t)(cols + 1) * sizeof *scratch);
    if (!scratch) {
        st = fail_memory(ctx, (size_t)cols * sizeof *scratch);
        goto done;
    }
    nnz = rebuild(a, in, out, scratch);
    st = result_matrix(ctx, call, 0, out, in->singles ? -1 : nnz); /* a number may round to 0 */
    out = NULL;
done:
    mem_free(scratch);
    matrix_release(in);
    matrix_release(out);
    return st;
}

/* ---- into a draft ---- */

/* Room for a row of what is assigned, as entries of the matrix. */
typedef struct RowScratch {
    uint32_t *cols;
    double *cells;
} RowScratch;

static int64_t csr_entries(const Assign *a, int64_t i, RowScratch *s)
{
    const Matrix *m = a->value;
    const int64_t from = m->row_ptr[i], n = m->row_ptr[i + 1] - from;

    for (int64_t k = 0; k < n; k++) {
        s->cols[k] = m->col_idx[from + k] + (uint32_t)a->r.col_lo;
        s->cells[k] = matrix_cell(m, from + k);
    }
    return n;
}

/* Zeros come along: matrix_edit_row leaves them out. */
static int64_t all_entries(const Assign *a, int64_t i, RowScratch *s)
{
    const int64_t n = a->r.col_hi - a->r.col_lo;

    for (int64_t j = 0; j < n; j++) {
        s->cols[j] = (uint32_t)(a->r.col_lo + j);
        s->cells[j] = a->value ? matrix_get(a->value, i, j) : a->number;
    }
    return n;
}

static ml_status edit_rows(Ctx *ctx, const Assign *a, Matrix *draft, RowScratch *s)
{
    const bool csr = a->value && a->value->format == MATRIX_CSR;

    for (int64_t i = 0; i < a->r.row_hi - a->r.row_lo; i++) {
        const int64_t n = csr ? csr_entries(a, i, s) : all_entries(a, i, s);

        TRY(matrix_edit_row(ctx, draft, a->r.row_lo + i, a->r.col_lo, a->r.col_hi, n, s->cols,
                            s->cells));
    }
    return ML_OK;
}

static ml_status assign_edits(Ctx *ctx, OpCall *call, const Assign *a)
{
    const size_t cols = (size_t)(a->r.col_hi - a->r.col_lo) + 1;
    RowScratch s = {mem_alloc(cols * sizeof *s.cols), mem_alloc(cols * sizeof *s.cells)};
    Matrix *draft = NULL;
    ml_status st = s.cols && s.cells ? ML_OK : fail_memory(ctx, cols * sizeof *s.cells);

    if (st == ML_OK)
        st = matrix_edits(ctx, call->in[0].m, call_owned(call, 0) != NULL, &draft);
    if (st == ML_OK)
        st = edit_rows(ctx, a, draft, &s);
    mem_free(s.cols);
    mem_free(s.cells);
    if (st != ML_OK) {
        matrix_release(draft);
        return st;
    }
    call->out[0] = value_matrix(draft);
    return ML_OK;
}

/* ---- how ---- */

static bool stays_sparse(const Matrix *m)
{
    return m->format != MATRIX_DENSE &&
           (double)m->rows * (double)m->cols * sizeof(double) > DENSE_BYTES &&
           matrix_is_sparse(m->rows, m->cols, m->nnz);
}

static ml_status assign_ordinary(Ctx *ctx, OpCall *call, const Assign *a)
{
    return stays_sparse(call->in[0].m) ? assign_csr(ctx, call, a) : assign_dense(ctx, call, a);
}

/* Into a draft that has to be an ordinary matrix first. */
static ml_status assign_settled(Ctx *ctx, OpCall *call, const Assign *a)
{
    Value in[ASSIGN_OPERANDS] = {{0}};
    OpCall inner = *call;
    Matrix *m = NULL;
    ml_status st;

    TRY(matrix_settled(ctx, call->in[0].m, &m));
    memcpy(in, call->in, (size_t)call->nin * sizeof *in);
    if (m == in[0].m) {
        matrix_release(m); /* in place: the caller's reference is the only one */
        return assign_ordinary(ctx, call, a);
    }
    in[0].m = m;
    inner.in = in;
    inner.last |= 1;
    st = assign_ordinary(ctx, &inner, a);
    matrix_release(m);
    return st;
}

static ml_status assign_matrix(Ctx *ctx, OpCall *call)
{
    const Matrix *m = call->in[0].m;
    Assign a = {0};

    TRY(range_of(ctx, call, 2, m->rows, m->cols, &a.r));
    TRY(assigned(ctx, call, &a));
    if (stays_sparse(m) && (m->format == MATRIX_EDITED || few_rows(m, a.r.row_hi - a.r.row_lo)))
        return assign_edits(ctx, call, &a);
    return matrix_is_draft(m) ? assign_settled(ctx, call, &a) : assign_ordinary(ctx, call, &a);
}

/* A hypersparse value has no rows to put: it is made CSR first, which costs the rows of the range.
 */
static ml_status assign_value(Ctx *ctx, OpCall *call)
{
    Value in[ASSIGN_OPERANDS] = {{0}};
    OpCall inner = *call;
    Matrix *plain = NULL;
    ml_status st;

    if (call->in[1].dt != DT_MATRIX || call->in[1].m->format != MATRIX_HYPER)
        return assign_matrix(ctx, call);
    TRY(matrix_csr(ctx, call->in[1].m, &plain));
    memcpy(in, call->in, (size_t)call->nin * sizeof *in);
    in[1].m = plain;
    inner.in = in;
    st = assign_matrix(ctx, &inner);
    matrix_release(plain);
    return st;
}

static ml_status assign_frame(Ctx *ctx, OpCall *call)
{
    Frame *f = call->in[0].f, *value = NULL, *out = NULL;
    IndexRange r;
    ml_status st;

    TRY(range_of(ctx, call, 2, f->rows, f->cols, &r));
    if (call->in[1].dt == DT_SCALAR) {
        TRY(frame_from_scalar(ctx, call->in[1], &value));
    } else {
        TRY(call_frame(ctx, call, 1, &value));
        frame_retain(value);
    }
    if (value->rows != r.row_hi - r.row_lo || value->cols != r.col_hi - r.col_lo)
        st = fail(
            ctx, ML_ESHAPE,
            "%s[...]: the range is %" PRId64 "x%" PRId64 ", the value is %" PRId64 "x%" PRId64,
            call_name(call, 0), r.row_hi - r.row_lo, r.col_hi - r.col_lo, value->rows, value->cols);
    else
        st = frame_assign(ctx, f, r, value, &out);
    frame_release(value);
    if (st == ML_OK)
        call->out[0] = value_frame(out);
    return st;
}

static ml_status assign_list(Ctx *ctx, OpCall *call)
{
    List *out;

    TRY(one_index(ctx, call, 2));
    TRY(list_assign(ctx, call->in[0].l, call->in[2], call_has(call, 3) ? call->in[3] : value_none(),
                    call->in[1], &out));
    call->out[0] = value_list(out);
    return ML_OK;
}

ml_status ml_k_left_index(Ctx *ctx, OpCall *call)
{
    Matrix *m;

    if (call->in[0].dt == DT_FRAME)
        return assign_frame(ctx, call);
    if (call->in[0].dt == DT_LIST)
        return assign_list(ctx, call);
    TRY(call_matrix(ctx, call, 0, &m));
    return assign_value(ctx, call);
}
