/* matrix_hyper: matrices with far more rows than nonzeros.
 *
 * Doubly compressed rows (A. Buluc and J. R. Gilbert, On the representation and multiplication of
 * hypersparse matrices, IPDPS 2008): only rows that hold something have a row pointer, beside a
 * list of their numbers.  The rows are a CSR matrix of their own, so that kernels for CSR run on
 * them.  A row of the list may be empty. Cost of all here: rows in the list and nonzeros, but for
 * matrix_squeeze and matrix_spread_plain, which cost the rows of the matrix. */
#include "data/data.h"

#include <string.h>

enum { ROWS_LEAST = 1 << 16, ROWS_A_STORED = 8 };

/* ---- lists of rows ---- */

ml_status row_list_new(Ctx *ctx, int64_t n, RowList **out)
{
    RowList *list = mem_calloc(1, sizeof *list);

    if (!list)
        return fail_memory(ctx, sizeof *list);
    atomic_init(&list->refs, 1);
    list->n = n;
    list->pool = ctx->pool;
    list->rows = pool_alloc(ctx, (size_t)n * sizeof *list->rows);
    if (!list->rows) {
        mem_free(list);
        return ML_ENOMEM;
    }
    *out = list;
    return ML_OK;
}

RowList *row_list_retain(RowList *list)
{
    atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
    return list;
}

/* Release and acquire: what others read comes before it is freed. */
void row_list_release(RowList *list)
{
    if (!list || atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) != 1)
        return;
    pool_release(list->pool, list->rows, (size_t)list->n * sizeof *list->rows);
    mem_free(list);
}

int64_t row_list_lower(const RowList *list, int64_t row)
{
    int64_t lo = 0, hi = list->n;

    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (list->rows[mid] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* ---- matrices ---- */

bool matrix_is_hyper(int64_t rows, int64_t stored)
{
    return rows >= ROWS_LEAST && stored < rows / ROWS_A_STORED;
}

static ml_status spread_csr(Ctx *ctx, int64_t rows, const RowList *list, const Matrix *in,
                            Matrix **out)
{
    const int64_t nnz = in->row_ptr[in->rows];
    int64_t row = 0;
    Matrix *m = NULL;

    TRY(matrix_new_csr_of(ctx, matrix_type(in), rows, in->cols, nnz, &m));
    for (int64_t k = 0; k < list->n; k++) {
        for (; row < list->rows[k]; row++)
            m->row_ptr[row + 1] = m->row_ptr[row];
        m->row_ptr[++row] = in->row_ptr[k + 1];
    }
    for (; row < rows; row++)
        m->row_ptr[row + 1] = m->row_ptr[row];
    matrix_move(in, 0, m, 0, nnz);
    if (nnz > 0)
        memcpy(m->col_idx, in->col_idx, (size_t)nnz * sizeof *m->col_idx);
    m->nnz = nnz;
    *out = m;
    return ML_OK;
}

ml_status matrix_spread_plain(Ctx *ctx, int64_t rows, const RowList *list, Matrix *compact,
                              Matrix **out)
{
    Matrix *csr = NULL;
    ml_status st;

    if (list->n == 0)
        return matrix_new_constant(ctx, rows, compact->cols, 0, out);
    TRY(matrix_csr(ctx, compact, &csr));
    st = spread_csr(ctx, rows, list, csr, out);
    matrix_release(csr);
    if (st == ML_OK && (st = matrix_finish(ctx, out, (*out)->nnz)) != ML_OK)
        matrix_release(*out);
    return st;
}

ml_status matrix_spread(Ctx *ctx, int64_t rows, RowList *list, Matrix *compact, Matrix **out)
{
    Matrix *m = NULL, *csr = NULL;
    ml_status st;

    if (list->n == 0 || !matrix_is_hyper(rows, list->n))
        return matrix_spread_plain(ctx, rows, list, compact, out);
    TRY(matrix_csr(ctx, compact, &csr));
    st = matrix_new_constant(ctx, rows, compact->cols, 0, &m);
    if (st != ML_OK) {
        matrix_release(csr);
        return st;
    }
    m->format = MATRIX_HYPER;
    m->nnz = csr->row_ptr[csr->rows];
    csr->nnz = m->nnz;
    m->compact = csr;
    m->list = row_list_retain(list);
    *out = m;
    return ML_OK;
}

static ml_status list_rows(Ctx *ctx, const Matrix *csr, RowList **out)
{
    int64_t n = 0;

    for (int64_t i = 0; i < csr->rows; i++)
        n += csr->row_ptr[i + 1] > csr->row_ptr[i];
    TRY(row_list_new(ctx, n, out));
    n = 0;
    for (int64_t i = 0; i < csr->rows; i++)
        if (csr->row_ptr[i + 1] > csr->row_ptr[i])
            (*out)->rows[n++] = i;
    return ML_OK;
}

/* The rows of the list, which are all that are not empty. */
static ml_status compact_rows(Ctx *ctx, const Matrix *csr, const RowList *list, Matrix **out)
{
    const int64_t nnz = csr->row_ptr[csr->rows];
    Matrix *m = NULL;

    TRY(matrix_new_csr_of(ctx, matrix_type(csr), list->n, csr->cols, nnz, &m));
    for (int64_t k = 0; k < list->n; k++)
        m->row_ptr[k + 1] = csr->row_ptr[list->rows[k] + 1];
    matrix_move(csr, 0, m, 0, nnz);
    if (nnz > 0)
        memcpy(m->col_idx, csr->col_idx, (size_t)nnz * sizeof *m->col_idx);
    m->nnz = nnz;
    *out = m;
    return ML_OK;
}

ml_status matrix_squeeze(Ctx *ctx, Matrix **m)
{
    Matrix *in = *m, *compact = NULL, *out = NULL;
    RowList *list = NULL;
    ml_status st;

    if (in->format != MATRIX_CSR || !matrix_is_hyper(in->rows, in->nnz))
        return ML_OK;
    TRY(list_rows(ctx, in, &list));
    st = compact_rows(ctx, in, list, &compact);
    if (st == ML_OK)
        st = matrix_spread(ctx, in->rows, list, compact, &out);
    row_list_release(list);
    matrix_release(compact);
    TRY(st);
    matrix_release(in);
    *m = out;
    return ML_OK;
}

ml_status matrix_of_entries(Ctx *ctx, int64_t rows, int64_t n, const int64_t *row_of,
                            Matrix *entries, Matrix **out)
{
    RowList *list = NULL;
    int64_t used = 0;
    ml_status st;

    for (int64_t k = 0; k < n; k++) {
        used += k == 0 || row_of[k] != row_of[k - 1];
        entries->row_ptr[used] = k + 1;
    }
    entries->rows = used;
    entries->nnz = n;
    TRY(row_list_new(ctx, used, &list));
    used = 0;
    for (int64_t k = 0; k < n; k++)
        if (k == 0 || row_of[k] != row_of[k - 1])
            list->rows[used++] = row_of[k];
    st = matrix_spread(ctx, rows, list, entries, out);
    row_list_release(list);
    return st;
}
