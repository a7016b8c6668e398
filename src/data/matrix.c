/* matrix: making, counting and reading matrices.
 *
 * A matrix is one counted header and one buffer of the pool (dense: cells; CSR: values, row
 * pointers, column indexes one after the other, each aligned to a cache line; constant: nothing).
 * CSR cells are never zero.  Cells are FP64 or FP32; the loops over them are those of
 * matrix_cells.h. */
#include "data/matrix_cells.h"
#include "data/matrix_draft.h"
#include "task/task.h"

#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, SPARSE_MIN_CELLS = 1024, FILL_TILE = 8192, COUNT_TILE = 4096 };

static const double SPARSE_BELOW = 0.4;

CellType precision_type(const Ctx *ctx)
{
    return ctx->opt && strcmp(ctx->opt->precision, "single") == 0 ? CELL_FP32 : CELL_FP64;
}

static ml_status matrix_new(Ctx *ctx, int64_t rows, int64_t cols, MatrixFormat format, Matrix **out)
{
    Matrix *m = NULL;
    int64_t cells;

    if (rows < 0 || cols < 0 || !mul_int64(rows, cols, &cells) || cells > INT64_MAX / 8)
        return fail(ctx, ML_EVALUE, "a matrix of %" PRId64 "x%" PRId64 " cells is not possible",
                    rows, cols);
    m = mem_calloc(1, sizeof *m);
    if (!m)
        return fail_memory(ctx, sizeof *m);
    atomic_init(&m->refs, 1);
    m->format = format;
    m->rows = rows;
    m->cols = cols;
    m->nnz = -1;
    m->pool = ctx->pool;
    *out = m;
    return ML_OK;
}

/* Give m its buffer; frees m on failure. */
static ml_status take_buffer(Ctx *ctx, CellType type, Matrix *m, size_t bytes)
{
    void *buffer = pool_alloc(ctx, bytes);

    if (!buffer) {
        matrix_release(m);
        return ML_ENOMEM;
    }
    m->bytes = bytes;
    if (type == CELL_FP32)
        m->singles = buffer;
    else
        m->values = buffer;
    return ML_OK;
}

ml_status matrix_new_dense_of(Ctx *ctx, CellType type, int64_t rows, int64_t cols, Matrix **out)
{
    Matrix *m = NULL;

    TRY(matrix_new(ctx, rows, cols, MATRIX_DENSE, &m));
    TRY(take_buffer(ctx, type, m, (size_t)matrix_cells(m) * cell_size(type)));
    *out = m;
    return ML_OK;
}

ml_status matrix_new_dense(Ctx *ctx, int64_t rows, int64_t cols, Matrix **out)
{
    return matrix_new_dense_of(ctx, CELL_FP64, rows, cols, out);
}

static ml_status zero_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Matrix *m = arg;
    int64_t begin = lo * FILL_TILE, end = hi * FILL_TILE;

    (void)ctx;
    end = end < matrix_cells(m) ? end : matrix_cells(m);
    memset(matrix_at(m, begin), 0, (size_t)(end - begin) * matrix_cell_size(m));
    return ML_OK;
}

ml_status matrix_new_zero(Ctx *ctx, int64_t rows, int64_t cols, Matrix **out)
{
    Matrix *m = NULL;
    ml_status st;

    TRY(matrix_new_dense(ctx, rows, cols, &m));
    st = task_for(ctx, (matrix_cells(m) + FILL_TILE - 1) / FILL_TILE, task_grain(FILL_TILE),
                  zero_tiles, m);
    if (st != ML_OK) {
        matrix_release(m);
        return st;
    }
    *out = m;
    return ML_OK;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

ml_status matrix_new_csr_of(Ctx *ctx, CellType type, int64_t rows, int64_t cols, int64_t capacity,
                            Matrix **out)
{
    size_t values, pointers, indexes;
    Matrix *m = NULL;

    if (cols > UINT32_MAX || capacity > INT64_MAX / 32 || rows > INT64_MAX / 32)
        return fail(ctx, ML_EVALUE,
                    "a sparse matrix of %" PRId64 "x%" PRId64 " cells is not possible", rows, cols);
    TRY(matrix_new(ctx, rows, cols, MATRIX_CSR, &m));
    values = aligned((size_t)capacity * cell_size(type));
    pointers = aligned((size_t)(rows + 1) * sizeof *m->row_ptr);
    indexes = (size_t)capacity * sizeof *m->col_idx;
    TRY(take_buffer(ctx, type, m, values + pointers + indexes));
    m->row_ptr = (int64_t *)(void *)((char *)matrix_at(m, 0) + values);
    m->col_idx = (uint32_t *)(void *)((char *)matrix_at(m, 0) + values + pointers);
    memset(m->row_ptr, 0, (size_t)(rows + 1) * sizeof *m->row_ptr);
    *out = m;
    return ML_OK;
}

ml_status matrix_new_csr(Ctx *ctx, int64_t rows, int64_t cols, int64_t capacity, Matrix **out)
{
    return matrix_new_csr_of(ctx, CELL_FP64, rows, cols, capacity, out);
}

ml_status matrix_new_constant(Ctx *ctx, int64_t rows, int64_t cols, double value, Matrix **out)
{
    TRY(matrix_new(ctx, rows, cols, MATRIX_CONSTANT, out));
    (*out)->constant = value;
    (*out)->nnz = value != 0 ? rows * cols : 0;
    return ML_OK;
}

ml_status matrix_new_mapped(Ctx *ctx, int64_t rows, int64_t cols, double *cells, void *mapping,
                            size_t size, Matrix **out)
{
    ml_status st = matrix_new(ctx, rows, cols, MATRIX_DENSE, out);

    if (st != ML_OK) {
        munmap(mapping, size);
        return st;
    }
    (*out)->values = cells;
    (*out)->mapping = mapping;
    (*out)->mapping_size = size;
    return ML_OK;
}

ml_status matrix_alias(Ctx *ctx, Matrix *m, Matrix **out)
{
    TRY(matrix_new(ctx, m->rows, m->cols, MATRIX_DENSE, out));
    (*out)->values = m->values;
    (*out)->singles = m->singles;
    (*out)->nnz = matrix_cells(m);
    (*out)->owner = matrix_retain(m);
    return ML_OK;
}

ml_status matrix_view(Ctx *ctx, Matrix *m, int64_t lo, int64_t hi, Matrix **out)
{
    TRY(matrix_new(ctx, hi - lo, m->cols, MATRIX_DENSE, out));
    if (m->singles)
        (*out)->singles = m->singles + lo * m->cols;
    else
        (*out)->values = m->values + lo * m->cols;
    (*out)->owner = matrix_retain(m);
    (*out)->view = true;
    return ML_OK;
}

Matrix *matrix_retain(Matrix *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void matrix_release(Matrix *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (m->owner)
        matrix_release(m->owner);
    else if (m->mapping)
        munmap(m->mapping, m->mapping_size);
    else
        pool_release(m->pool, matrix_at(m, 0), m->bytes);
    matrix_release(m->compact);
    row_list_release(m->list);
    pieces_free(m->pieces);
    edits_free(m->edits);
    mem_free(m);
}

bool matrix_is_sparse(int64_t rows, int64_t cols, int64_t nnz)
{
    double cells = (double)rows * (double)cols;

    return cols > 1 && cols <= UINT32_MAX && cells >= SPARSE_MIN_CELLS &&
           (double)nnz < SPARSE_BELOW * cells;
}

const char *matrix_format_reason(int64_t rows, int64_t cols, int64_t nnz)
{
    if (matrix_is_sparse(rows, cols, nnz))
        return "sparse";
    if (cols <= 1)
        return "dense: one column";
    if ((double)rows * (double)cols < SPARSE_MIN_CELLS)
        return "dense: few cells";
    return cols > UINT32_MAX ? "dense: wide" : "dense";
}

int64_t matrix_row_nnz(const Matrix *m, int64_t i)
{
    if (m->format == MATRIX_CSR)
        return m->row_ptr[i + 1] - m->row_ptr[i];
    if (m->format == MATRIX_DENSE)
        return matrix_stored_nnz(m, i * m->cols, m->cols);
    return m->constant != 0 ? m->cols : 0;
}

typedef struct CountJob {
    const Matrix *m;
    int64_t n;
    atomic_int_fast64_t count;
} CountJob;

/* Integers add up to the same in any order, so one shared sum is as good as a tree.  Relaxed:
 * task_for orders it. */
static ml_status count_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    CountJob *job = arg;
    int64_t begin = lo * COUNT_TILE, end = hi * COUNT_TILE;

    (void)ctx;
    end = end < job->n ? end : job->n;
    atomic_fetch_add_explicit(&job->count, matrix_stored_nnz(job->m, begin, end - begin),
                              memory_order_relaxed);
    return ML_OK;
}

static ml_status count_parallel(Ctx *ctx, const Matrix *m, int64_t n, int64_t *nnz)
{
    CountJob job = {.m = m, .n = n};

    TRY(task_for(ctx, (n + COUNT_TILE - 1) / COUNT_TILE, task_grain(COUNT_TILE), count_tiles,
                 &job));
    *nnz = atomic_load_explicit(&job.count, memory_order_relaxed);
    return ML_OK;
}

static ml_status count_matrix(Ctx *ctx, Matrix *m, int64_t *nnz)
{
    if (m->format == MATRIX_CONSTANT)
        *nnz = m->constant != 0 ? matrix_cells(m) : 0;
    else if (*nnz < 0)
        return count_parallel(ctx, m,
                              m->format == MATRIX_CSR ? m->row_ptr[m->rows] : matrix_cells(m), nnz);
    return ML_OK;
}

ml_status matrix_finish(Ctx *ctx, Matrix **m, int64_t nnz)
{
    Matrix *in = *m, *out = NULL;
    bool sparse;

    if (in->format == MATRIX_HYPER)
        return ML_OK;
    TRY(count_matrix(ctx, in, &nnz));
    if (in->format == MATRIX_CSR && in->row_ptr[in->rows] != nnz)
        matrix_compact(in);
    in->nnz = nnz;
    sparse = matrix_is_sparse(in->rows, in->cols, nnz);
    if (in->format == MATRIX_CONSTANT || sparse == (in->format == MATRIX_CSR))
        return ML_OK;
    TRY(sparse ? matrix_csr(ctx, in, &out) : matrix_dense(ctx, in, &out));
    matrix_release(in);
    *m = out;
    return ML_OK;
}

/* Position of a column in one row of a CSR matrix, or -1: binary search. */
static int64_t csr_find(const Matrix *m, int64_t row, int64_t col)
{
    int64_t lo = m->row_ptr[row], hi = m->row_ptr[row + 1];

    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;

        if (m->col_idx[mid] < col)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < m->row_ptr[row + 1] && m->col_idx[lo] == col ? lo : -1;
}

double matrix_get(const Matrix *m, int64_t row, int64_t col)
{
    int64_t at;

    if (m->format == MATRIX_CONSTANT)
        return m->constant;
    if (m->format == MATRIX_HYPER) {
        at = row_list_lower(m->list, row);
        return at < m->list->n && m->list->rows[at] == row ? matrix_get(m->compact, at, col) : 0;
    }
    at = m->format == MATRIX_DENSE ? row * m->cols + col : csr_find(m, row, col);
    if (at < 0)
        return 0;
    return matrix_cell(m, at);
}

const double *matrix_row(const Matrix *m, int64_t row, double *scratch)
{
    const double fill = m->format == MATRIX_CONSTANT ? m->constant : 0;

    if (m->format == MATRIX_DENSE)
        return matrix_load(m, row * m->cols, m->cols, scratch);
    for (int64_t j = 0; j < m->cols; j++)
        scratch[j] = fill;
    if (m->format == MATRIX_CSR)
        for (int64_t k = m->row_ptr[row]; k < m->row_ptr[row + 1]; k++)
            scratch[m->col_idx[k]] = matrix_cell(m, k);
    return scratch;
}
