/* select: removeEmpty, replace and contains.
 *
 * removeEmpty flags what stays, from the cells or from `select`, and moves it; CSR stays CSR.
 * Cost: one look at the cells, which for columns ends once each has shown a nonzero, and one copy.
 */
#include "kernel/select.h"
#include "kernel/sort.h"

#include <math.h>

/* Equal, where NaN equals NaN. */
static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* ---- what stays ---- */

static void mark_rows(const Matrix *m, Kept *kept)
{
    for (int64_t i = 0; i < m->rows; i++) {
        const double *row = m->values + i * m->cols;
        int64_t j = 0;

        if (m->format == MATRIX_CSR) {
            kept->flags[i] = m->row_ptr[i + 1] > m->row_ptr[i];
            continue;
        }
        while (j < m->cols && row[j] == 0)
            j++;
        kept->flags[i] = j < m->cols;
    }
}

static ml_status mark_dense_cols(Ctx *ctx, const Matrix *m, Kept *kept)
{
    int64_t *open = mem_alloc((size_t)(m->cols + 1) * sizeof *open), nopen = m->cols;

    if (!open)
        return fail_memory(ctx, (size_t)m->cols * sizeof *open);
    for (int64_t j = 0; j < m->cols; j++)
        open[j] = j;
    for (int64_t i = 0; i < m->rows && nopen > 0; i++) {
        const double *row = m->values + i * m->cols;
        int64_t left = 0;

        for (int64_t k = 0; k < nopen; k++) {
            if (row[open[k]] != 0)
                kept->flags[open[k]] = 1;
            else
                open[left++] = open[k];
        }
        nopen = left;
    }
    mem_free(open);
    return ML_OK;
}

static ml_status mark_nonempty(Ctx *ctx, const Matrix *m, bool rows, Kept *kept)
{
    memset(kept->flags, 0, (size_t)kept->n);
    if (m->format == MATRIX_CONSTANT)
        memset(kept->flags, m->nnz > 0, (size_t)kept->n);
    else if (rows)
        mark_rows(m, kept);
    else if (m->format == MATRIX_DENSE)
        return mark_dense_cols(ctx, m, kept);
    else
        for (int64_t k = 0; k < m->nnz; k++)
            kept->flags[m->col_idx[k]] = 1;
    return ML_OK;
}

/* Operand 2, a vector with one entry for each row or column. */
static ml_status mark_selected(Ctx *ctx, const OpCall *call, bool rows, Kept *kept)
{
    Matrix *select = NULL;

    TRY(call_matrix(ctx, call, 2, &select));
    if ((select->rows != 1 && select->cols != 1) || matrix_cells(select) != kept->n)
        return fail(ctx, ML_ESHAPE,
                    "removeEmpty: expected select to be a vector of %" PRId64
                    " entries, one a %s, found %" PRId64 "x%" PRId64,
                    kept->n, rows ? "row" : "column", select->rows, select->cols);
    for (int64_t k = 0; k < kept->n; k++)
        kept->flags[k] = matrix_get(select, k / select->cols, k % select->cols) != 0;
    return ML_OK;
}

/* ---- moving what stays ---- */

/* Positions of the flags that are set; to be freed with mem_free. */
static ml_status positions(Ctx *ctx, const Kept *kept, int64_t **at)
{
    int64_t k = 0;

    *at = mem_alloc((size_t)(kept->count + 1) * sizeof **at);
    if (!*at)
        return fail_memory(ctx, (size_t)kept->count * sizeof **at);
    for (int64_t i = 0; i < kept->n; i++)
        if (kept->flags[i])
            (*at)[k++] = i;
    return ML_OK;
}

typedef struct ColsJob {
    const Matrix *m;
    const int64_t *at;
    Matrix *out;
} ColsJob;

static ml_status cols_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ColsJob *job = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        const double *from = job->m->values + i * job->m->cols;
        double *to = job->out->values + i * job->out->cols;

        for (int64_t k = 0; k < job->out->cols; k++)
            to[k] = from[job->at[k]];
    }
    return ML_OK;
}

static ml_status keep_dense_cols(Ctx *ctx, const Matrix *m, const int64_t *at, int64_t n,
                                 Matrix **out)
{
    ColsJob job = {.m = m, .at = at};
    ml_status st;

    TRY(matrix_new_dense(ctx, m->rows, n, &job.out));
    st = task_for(ctx, m->rows, task_grain(n), cols_task, &job);
    if (st != ML_OK)
        matrix_release(job.out);
    else
        *out = job.out;
    return st;
}

/* at[k] is the k-th column that stays; `to` gets the new place of each. */
static ml_status keep_csr_cols(Ctx *ctx, const Matrix *m, const Kept *kept, Matrix **out)
{
    uint32_t *to = mem_alloc((size_t)(m->cols + 1) * sizeof *to), next = 0;
    int64_t k = 0;
    ml_status st;

    if (!to)
        return fail_memory(ctx, (size_t)m->cols * sizeof *to);
    for (int64_t j = 0; j < m->cols; j++) {
        to[j] = next;
        next += kept->flags[j];
    }
    st = matrix_new_csr(ctx, m->rows, kept->count, m->nnz, out);
    for (int64_t i = 0; st == ML_OK && i < m->rows; i++) {
        for (int64_t p = m->row_ptr[i]; p < m->row_ptr[i + 1]; p++) {
            if (!kept->flags[m->col_idx[p]])
                continue;
            (*out)->col_idx[k] = to[m->col_idx[p]];
            (*out)->values[k++] = m->values[p];
        }
        (*out)->row_ptr[i + 1] = k;
    }
    mem_free(to);
    return st;
}

static ml_status keep(Ctx *ctx, const Matrix *m, bool rows, const Kept *kept, Matrix **out)
{
    int64_t *at = NULL;
    ml_status st;

    if (m->format == MATRIX_CONSTANT)
        return matrix_new_constant(ctx, rows ? kept->count : m->rows, rows ? m->cols : kept->count,
                                   m->constant, out);
    if (!rows && m->format == MATRIX_CSR)
        return keep_csr_cols(ctx, m, kept, out);
    TRY(positions(ctx, kept, &at));
    st = rows ? rows_gather(ctx, m, at, kept->count, out)
              : keep_dense_cols(ctx, m, at, kept->count, out);
    mem_free(at);
    return st;
}

/* ---- removeEmpty ---- */

static void count_kept(Kept *kept)
{
    kept->count = 0;
    for (int64_t k = 0; k < kept->n; k++)
        kept->count += kept->flags[k];
}

static ml_status remove_from_matrix(Ctx *ctx, OpCall *call, bool rows, bool empty_return,
                                    Kept *kept)
{
    Matrix *m = call->in[0].m, *out = NULL;

    TRY(call_has(call, 2) ? mark_selected(ctx, call, rows, kept)
                          : mark_nonempty(ctx, m, rows, kept));
    count_kept(kept);
    if (kept->count == 0)
        TRY(matrix_new_constant(ctx, rows ? empty_return : m->rows, rows ? m->cols : empty_return,
                                0, &out));
    else if (kept->count == kept->n)
        out = matrix_retain(m);
    else
        TRY(keep(ctx, m, rows, kept, &out));
    if (out == m) {
        call->out[0] = value_matrix(out);
        return ML_OK;
    }
    return result_matrix(ctx, call, 0, out, call_has(call, 2) ? -1 : m->nnz);
}

static ml_status remove_from_frame(Ctx *ctx, OpCall *call, bool rows, bool empty_return, Kept *kept)
{
    const Frame *f = call->in[0].f;
    Frame *out = NULL;

    if (call_has(call, 2))
        TRY(mark_selected(ctx, call, rows, kept));
    else
        frame_mark_empty(f, rows, kept);
    count_kept(kept);
    if (kept->count == 0 && kept->n > 0 && empty_return) {
        kept->flags[0] = 1; /* an empty row or column of the frame stands for one of zeros */
        kept->count = 1;
    }
    TRY(rows ? frame_keep_rows(ctx, f, kept, &out) : frame_keep_cols(ctx, f, kept, &out));
    call->out[0] = value_frame(out);
    return ML_OK;
}

ml_status ml_k_removeEmpty(Ctx *ctx, OpCall *call)
{
    const bool frame = call->in[0].dt == DT_FRAME;
    const char *margin = NULL;
    bool rows, empty_return = true;
    Matrix *m = NULL;
    Kept kept = {0};
    ml_status st;

    if (!frame)
        TRY(call_matrix(ctx, call, 0, &m));
    TRY(call_text(ctx, call, 1, &margin));
    rows = strcmp(margin, "rows") == 0;
    if (!rows && strcmp(margin, "cols") != 0)
        return fail(ctx, ML_EVALUE,
                    "removeEmpty: expected margin to be \"rows\" or \"cols\", found \"%s\"",
                    margin);
    if (call_has(call, 3))
        TRY(call_bool(ctx, call, 3, &empty_return));
    if (frame)
        kept.n = rows ? call->in[0].f->rows : call->in[0].f->cols;
    else
        kept.n = rows ? m->rows : m->cols;
    kept.flags = mem_alloc((size_t)kept.n + 1);
    if (!kept.flags)
        return fail_memory(ctx, (size_t)kept.n);
    st = frame ? remove_from_frame(ctx, call, rows, empty_return, &kept)
               : remove_from_matrix(ctx, call, rows, empty_return, &kept);
    mem_free(kept.flags);
    return st;
}

/* ---- replace ---- */

typedef struct ReplaceJob {
    const double *x;
    double *out;
    double pattern, replacement;
} ReplaceJob;

static ml_status replace_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ReplaceJob *job = arg;

    (void)ctx;
    if (isnan(job->pattern))
        for (int64_t k = lo; k < hi; k++)
            job->out[k] = job->x[k] != job->x[k] ? job->replacement : job->x[k];
    else
        for (int64_t k = lo; k < hi; k++)
            job->out[k] = job->x[k] == job->pattern ? job->replacement : job->x[k];
    return ML_OK;
}

/* A CSR matrix with room for the same nonzeros at the same places. */
static ml_status csr_like(Ctx *ctx, const Matrix *m, Matrix **out)
{
    TRY(matrix_new_csr(ctx, m->rows, m->cols, m->nnz, out));
    memcpy((*out)->row_ptr, m->row_ptr, (size_t)(m->rows + 1) * sizeof *m->row_ptr);
    memcpy((*out)->col_idx, m->col_idx, (size_t)m->nnz * sizeof *m->col_idx);
    return ML_OK;
}

static ml_status replace_cells(Ctx *ctx, OpCall *call, double pattern, double replacement)
{
    ReplaceJob job = {.pattern = pattern, .replacement = replacement};
    Matrix *m = call->in[0].m, *in = NULL, *out = call_reusable(call, 0);
    const bool sparse = m->format == MATRIX_CSR && pattern != 0;
    ml_status st = ML_OK;

    if (m->format == MATRIX_CONSTANT) {
        const double x = same(m->constant, pattern) ? replacement : m->constant;

        TRY(matrix_new_constant(ctx, m->rows, m->cols, x, &out));
        return result_matrix(ctx, call, 0, out, -1);
    }
    if (sparse)
        in = matrix_retain(m);
    else
        TRY(matrix_dense(ctx, m, &in));
    if (out || in != m)
        out = matrix_retain(in);
    else
        st = sparse ? csr_like(ctx, m, &out) : matrix_new_dense(ctx, m->rows, m->cols, &out);
    if (st == ML_OK) {
        job.x = in->values;
        job.out = out->values;
        st = task_for(ctx, sparse ? m->nnz : matrix_cells(m), task_grain(1), replace_task, &job);
        if (st == ML_OK)
            st = result_matrix(ctx, call, 0, out, -1);
        else
            matrix_release(out);
    }
    matrix_release(in);
    return st;
}

/* A number, or text that is one. */
static ml_status number_of(Ctx *ctx, const OpCall *call, int k, double *out)
{
    Value d;

    if (call->in[k].vt == VT_DOUBLE || call->in[k].vt == VT_INT)
        return call_double(ctx, call, k, out);
    TRY(scalar_cast(ctx, call->in[k], VT_DOUBLE, &d));
    *out = d.d;
    return ML_OK;
}

ml_status ml_k_replace(Ctx *ctx, OpCall *call)
{
    double pattern = 0, replacement = 0;
    Matrix *m = NULL;
    Frame *out = NULL;

    if (call->in[0].dt == DT_FRAME) {
        TRY(frame_replace(ctx, call->in[0].f, call->in[1], call->in[2], &out));
        call->out[0] = value_frame(out);
        return ML_OK;
    }
    TRY(call_matrix(ctx, call, 0, &m));
    TRY(number_of(ctx, call, 1, &pattern));
    TRY(number_of(ctx, call, 2, &replacement));
    return replace_cells(ctx, call, pattern, replacement);
}

/* ---- contains ---- */

static bool contains_value(const Matrix *m, double pattern)
{
    const int64_t cells = matrix_cells(m), n = m->format == MATRIX_CSR ? m->nnz : cells;

    if (m->format == MATRIX_CONSTANT)
        return cells > 0 && same(m->constant, pattern);
    if (pattern == 0 && m->nnz < cells)
        return true;
    for (int64_t k = 0; k < n; k++)
        if (same(m->values[k], pattern))
            return true;
    return false;
}

static bool contains_row(const Matrix *m, const Matrix *pattern)
{
    for (int64_t i = 0; i < m->rows; i++) {
        int64_t j = 0;

        while (j < m->cols && same(matrix_get(m, i, j), matrix_get(pattern, 0, j)))
            j++;
        if (j == m->cols)
            return true;
    }
    return false;
}

ml_status ml_k_contains(Ctx *ctx, OpCall *call)
{
    Matrix *m = NULL, *row = NULL;
    double pattern = 0;

    TRY(call_matrix(ctx, call, 0, &m));
    if (call->in[1].dt == DT_MATRIX) {
        TRY(call_matrix(ctx, call, 1, &row));
        if (row->rows != 1 || row->cols != m->cols)
            return call_shape_error(ctx, call, 0, 1,
                                    "contains needs a row vector of as many columns");
        call->out[0] = value_bool(contains_row(m, row));
        return ML_OK;
    }
    TRY(number_of(ctx, call, 1, &pattern));
    call->out[0] = value_bool(contains_value(m, pattern));
    return ML_OK;
}
