/* cbind and rbind.  The nonzeros add up, so the format of the result is known before it is made.
 *
 * R = rbind(R, row) in a loop: a first operand that dies with the call keeps its buffer, and rows
 * are put behind its own.  Where there is no room for them, the result gets twice what it needs,
 * if its first operand was made in the same way; so n rows cost O(n) rows in total, and binding
 * once costs no memory.
 *
 * X = cbind(X, column) in a loop: from the second round on X is a draft of pieces (data.h), which
 * are put together for the first reader. */
#include "kernel/kernel.h"

typedef struct Bind {
    bool rows; /* one below the other */
    int n;
    Matrix **parts;
    int64_t *offsets; /* n + 1: first row (or column) of each part in the result */
    int64_t nnz;
    Matrix *owned; /* the first part when it dies with the call, else NULL */
    Matrix *out;
    int64_t first; /* row of the result from which on rows are made */
} Bind;

/* ---- one below the other ---- */

/* The part that row i of the result comes from. */
static int part_of_row(const Bind *b, int64_t i)
{
    int lo = 0, hi = b->n - 1;

    while (lo < hi) {
        const int mid = (lo + hi + 1) / 2;

        if (b->offsets[mid] <= i)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

static ml_status dense_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Bind *b = arg;

    (void)ctx;
    for (int64_t i = b->first + lo; i < b->first + hi; i++) {
        const int part = part_of_row(b, i);

        matrix_put_row(b->parts[part], i - b->offsets[part], b->out, i * b->out->cols);
    }
    return ML_OK;
}

/* The nonzeros of row i of m as entries from `at` on. */
static void put_entries(Matrix *out, int64_t at, const Matrix *m, int64_t i)
{
    if (m->format == MATRIX_CSR) {
        const int64_t from = m->row_ptr[i], n = m->row_ptr[i + 1] - from;

        for (int64_t k = from; k < from + n; k++, at++) {
            matrix_put(out, at, matrix_cell(m, k));
            out->col_idx[at] = m->col_idx[k];
        }
        return;
    }
    for (int64_t j = 0; j < m->cols; j++) {
        const double cell =
            m->format == MATRIX_DENSE ? matrix_cell(m, i * m->cols + j) : m->constant;

        if (cell != 0) {
            matrix_put(out, at, cell);
            out->col_idx[at++] = (uint32_t)j;
        }
    }
}

static ml_status csr_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Bind *b = arg;

    (void)ctx;
    for (int64_t i = b->first + lo; i < b->first + hi; i++) {
        const int part = part_of_row(b, i);

        put_entries(b->out, b->out->row_ptr[i], b->parts[part], i - b->offsets[part]);
    }
    return ML_OK;
}

static void set_row_pointers(const Bind *b)
{
    int64_t *row_ptr = b->out->row_ptr;

    for (int64_t i = b->first; i < b->out->rows; i++) {
        const int part = part_of_row(b, i);

        row_ptr[i + 1] = row_ptr[i] + matrix_row_nnz(b->parts[part], i - b->offsets[part]);
    }
}

/* ---- room behind a matrix ---- */

static bool has_room(const Matrix *m, int64_t rows, int64_t nnz)
{
    const char *cells = matrix_at(m, 0), *pointers = (const char *)m->row_ptr;
    const char *columns = (const char *)m->col_idx;

    if (m->format == MATRIX_DENSE)
        return m->cols == 0 || rows <= (int64_t)(m->bytes / matrix_cell_size(m)) / m->cols;
    return nnz <= (pointers - cells) / (int64_t)matrix_cell_size(m) &&
           rows < (columns - pointers) / (int64_t)sizeof(int64_t) &&
           nnz <= (cells + m->bytes - columns) / (int64_t)sizeof(uint32_t);
}

/* The result: the first part if the others fit behind it, or a new matrix. */
static ml_status take_result(Ctx *ctx, Bind *b, int64_t rows, int64_t cols)
{
    const bool sparse = matrix_is_sparse(rows, cols, b->nnz);
    const CellType type = precision_type(ctx);
    Matrix *owned = b->owned;
    int64_t times = 1, room;

    if (owned && matrix_type(owned) == type &&
        owned->format == (sparse ? MATRIX_CSR : MATRIX_DENSE) && has_room(owned, rows, b->nnz)) {
        b->first = owned->rows;
        b->out = matrix_retain(owned);
    } else {
        if (owned && owned->grown && rows <= 2 * owned->rows && mul_int64(rows, 2 * cols, &room))
            times = 2;
        TRY(sparse ? matrix_new_csr_of(ctx, type, times * rows, cols, times * b->nnz, &b->out)
                   : matrix_new_dense_of(ctx, type, times * rows, cols, &b->out));
        b->out->grown = owned != NULL;
    }
    return ML_OK;
}

/* Part k and the first one cannot lie side by side, or one below the other. */
static ml_status sizes_differ(Ctx *ctx, const OpCall *call, bool rows, Dims first, int64_t k,
                              Dims part)
{
    return fail(ctx, ML_ESHAPE,
                "%s: all should have the same number of %s, number 1 is %" PRId64 "x%" PRId64
                ", number %" PRId64 " is %" PRId64 "x%" PRId64,
                CALL_DML(call), rows ? "columns" : "rows", first.rows, first.cols, k + 1, part.rows,
                part.cols);
}

/* ---- matrices ---- */

static ml_status check_parts(Ctx *ctx, const OpCall *call, Bind *b)
{
    const Matrix *first = b->parts[0];

    for (int k = 0; k < b->n; k++) {
        const Matrix *m = b->parts[k];
        const int64_t size = b->rows ? m->rows : m->cols;

        if (b->rows ? m->cols != first->cols : m->rows != first->rows)
            return sizes_differ(ctx, call, b->rows, (Dims){first->rows, first->cols, -1}, k,
                                (Dims){m->rows, m->cols, -1});
        if (__builtin_add_overflow(b->offsets[k], size, &b->offsets[k + 1]))
            return fail(ctx, ML_EVALUE, "%s: the result would be too large", CALL_DML(call));
        b->nnz += m->nnz;
    }
    return ML_OK;
}

static ml_status bind_rows(Ctx *ctx, Bind *b)
{
    const int64_t rows = b->offsets[b->n], cols = b->parts[0]->cols;

    TRY(take_result(ctx, b, rows, cols));
    b->out->rows = rows;
    if (b->out->format == MATRIX_DENSE)
        return task_for(ctx, rows - b->first, task_grain(cols), dense_rows, b);
    set_row_pointers(b);
    return task_for(ctx, rows - b->first, task_grain(b->nnz / rows + 1), csr_rows, b);
}

/* A first part that was bound before waits for more columns; else they are put together at once. */
static ml_status bind_columns(Ctx *ctx, Bind *b)
{
    const Matrix *owned = b->owned;

    if ((owned && owned->grown) || matrix_is_draft(b->parts[0]))
        return matrix_pieces(ctx, b->parts, b->n, owned != NULL, &b->out);
    TRY(matrix_cbind(ctx, precision_type(ctx), b->parts, b->n, b->nnz, &b->out));
    b->out->grown = owned != NULL;
    return ML_OK;
}

static ml_status bind_parts(Ctx *ctx, OpCall *call, Bind *b)
{
    ml_status st;

    b->offsets = mem_calloc((size_t)b->n + 1, sizeof *b->offsets);
    if (!b->offsets)
        return fail_memory(ctx, ((size_t)b->n + 1) * sizeof *b->offsets);
    st = check_parts(ctx, call, b);
    if (st == ML_OK)
        st = b->rows ? bind_rows(ctx, b) : bind_columns(ctx, b);
    mem_free(b->offsets);
    if (st != ML_OK) {
        matrix_release(b->out);
        return st;
    }
    if (matrix_is_draft(b->out)) {
        call->out[0] = value_matrix(b->out);
        return ML_OK;
    }
    /* A scalar of a list may round to 0. */
    return result_matrix(ctx, call, 0, b->out, b->out->singles ? -1 : b->nnz);
}

/* A value to bind as a matrix: scalars of a list become 1 x 1. */
static ml_status as_part(Ctx *ctx, const OpCall *call, Value v, bool scalars, Matrix **out)
{
    char found[64];

    if (v.dt == DT_MATRIX) {
        *out = matrix_retain(v.m);
        return ML_OK;
    }
    if (scalars && v.dt == DT_SCALAR && scalar_is_number(v))
        return matrix_new_constant(ctx, 1, 1, scalar_to_double(v), out);
    return fail(ctx, ML_ETYPE, "%s: expected matrices only or frames only, found %s",
                CALL_DML(call), value_describe(v, found));
}

static ml_status bind_matrices(Ctx *ctx, OpCall *call, const Value *values, int64_t n, bool scalars,
                               bool rows)
{
    Bind b = {.rows = rows, .n = (int)n, .owned = !scalars ? call_owned(call, 0) : NULL};
    ml_status st = ML_OK;

    b.parts = mem_calloc((size_t)n, sizeof(Matrix *));
    if (!b.parts)
        return fail_memory(ctx, (size_t)n * sizeof(Matrix *));
    for (int64_t k = 0; k < n && st == ML_OK; k++)
        st = as_part(ctx, call, values[k], scalars, &b.parts[k]);
    if (st == ML_OK)
        st = bind_parts(ctx, call, &b);
    for (int64_t k = 0; k < n; k++)
        matrix_release(b.parts[k]);
    mem_free(b.parts);
    return st;
}

/* ---- frames, lists, strings ---- */

static ml_status bind_frames(Ctx *ctx, OpCall *call, const Value *values, int64_t n, bool rows)
{
    Frame *out = NULL, **frames = mem_calloc((size_t)n, sizeof(Frame *));
    ml_status st = frames ? ML_OK : fail_memory(ctx, (size_t)n * sizeof(Frame *));
    char found[64];

    for (int64_t k = 0; k < n && st == ML_OK; k++) {
        frames[k] = values[k].dt == DT_FRAME ? values[k].f : NULL;
        if (!frames[k])
            st = fail(ctx, ML_ETYPE, "%s: expected matrices only or frames only, found %s",
                      CALL_DML(call), value_describe(values[k], found));
        else if (rows ? frames[k]->cols != frames[0]->cols : frames[k]->rows != frames[0]->rows)
            st = sizes_differ(ctx, call, rows, (Dims){frames[0]->rows, frames[0]->cols, -1}, k,
                              (Dims){frames[k]->rows, frames[k]->cols, -1});
    }
    if (st == ML_OK)
        st = rows ? frame_rbind(ctx, frames, (int)n, &out) : frame_cbind(ctx, frames, (int)n, &out);
    mem_free(frames);
    if (st == ML_OK)
        call->out[0] = value_frame(out);
    return st;
}

/* *list with one entry more; the old one is released. */
static ml_status grow(Ctx *ctx, List **list, Value entry)
{
    List *longer = NULL;

    TRY(list_append(ctx, *list, entry, &longer));
    list_release(*list);
    *list = longer;
    return ML_OK;
}

/* cbind appends a list as list_append does, rbind entry by entry. */
static ml_status append_all(Ctx *ctx, OpCall *call, bool rows)
{
    List *list = list_retain(call->in[0].l);
    ml_status st = ML_OK;

    for (int k = 1; k < call->nin && st == ML_OK; k++) {
        const Value v = call->in[k];

        if (!rows || v.dt != DT_LIST)
            st = grow(ctx, &list, v);
        for (int64_t i = 0; rows && v.dt == DT_LIST && i < v.l->count && st == ML_OK; i++)
            st = grow(ctx, &list, v.l->items[i]);
    }
    if (st == ML_OK)
        call->out[0] = value_list(list);
    else
        list_release(list);
    return st;
}

/* The texts of all operands, joined by line ends. */
static ml_status join_texts(Ctx *ctx, OpCall *call)
{
    Buffer text = {0};
    String *out = NULL;
    ml_status st;

    for (int k = 0; k < call->nin; k++) {
        buffer_text(&text, k > 0 ? "\n" : "");
        if (call->in[k].dt != DT_SCALAR) {
            buffer_free(&text);
            return fail(ctx, ML_ETYPE, "%s: strings go with strings only", CALL_DML(call));
        }
        scalar_print(&text, call->in[k]);
    }
    st = text.failed ? fail_memory(ctx, text.size)
                     : string_new(ctx, text.data ? text.data : "", text.size, &out);
    buffer_free(&text);
    if (st == ML_OK)
        call->out[0] = value_string(out);
    return st;
}

static ml_status bind_values(Ctx *ctx, OpCall *call, const Value *values, int64_t n, bool in_list,
                             bool rows)
{
    if (n == 0)
        return fail(ctx, ML_EVALUE, "%s: nothing to bind, the list is empty", CALL_DML(call));
    if (n > INT32_MAX)
        return fail(ctx, ML_ELIMIT, "%s: too many operands", CALL_DML(call));
    if (values[0].dt == DT_FRAME)
        return bind_frames(ctx, call, values, n, rows);
    return bind_matrices(ctx, call, values, n, in_list, rows);
}

static ml_status bind(Ctx *ctx, OpCall *call, bool rows)
{
    const Value first = call->in[0];

    if (first.dt == DT_LIST && call->nin == 1)
        return bind_values(ctx, call, first.l->items, first.l->count, true, rows);
    if (first.dt == DT_LIST)
        return append_all(ctx, call, rows);
    if (first.dt == DT_SCALAR && first.vt == VT_STRING)
        return join_texts(ctx, call);
    return bind_values(ctx, call, call->in, call->nin, false, rows);
}

ml_status ml_k_cbind(Ctx *ctx, OpCall *call)
{
    return bind(ctx, call, false);
}

ml_status ml_k_rbind(Ctx *ctx, OpCall *call)
{
    return bind(ctx, call, true);
}
