/* transform_apply: rows of a frame to rows of a matrix, by coders that are complete.
 *
 * The codes of all cells are computed first, tile of rows by tile, into a dense matrix with the
 * columns of the frame.  Without dummy columns that is the result; else it is spread out, straight
 * into CSR where the result is sparse.  Unknown categories and missing cells are NaN, in dummy
 * columns a row of zeros.  No result depends on the number of threads: each row is a function of
 * its cells. */
#include "kernel/transform.h"

#include <math.h>
#include <string.h>

enum { TILE = 1024 };

typedef struct Encoding {
    const Transform *transform;
    const Frame *frame;
    const int64_t *rows; /* that are kept, or NULL: all */
    int64_t nrows;
    double *codes; /* nrows x columns of the frame */
    Matrix *out;   /* to spread into */
} Encoding;

/* ---- which rows are kept ---- */

static bool keeps(const Transform *t, const Frame *f, int64_t row)
{
    for (int64_t j = 0; j < f->cols; j++)
        if (t->spec.columns[j].omit && cell_is_missing(f->columns[j], row))
            return false;
    return true;
}

/* The numbers of the rows without missing cells in "omit"; NULL when nothing is omitted. */
static ml_status kept_rows(Ctx *ctx, const Transform *t, const Frame *f, int64_t **rows,
                           int64_t *count)
{
    bool any = false;

    *rows = NULL;
    *count = f->rows;
    for (int64_t j = 0; j < f->cols; j++)
        any |= t->spec.columns[j].omit;
    if (!any)
        return ML_OK;
    *rows = mem_alloc((size_t)f->rows * sizeof **rows);
    if (!*rows)
        return fail_memory(ctx, (size_t)f->rows * sizeof **rows);
    *count = 0;
    for (int64_t i = 0; i < f->rows; i++)
        if (keeps(t, f, i))
            (*rows)[(*count)++] = i;
    return ML_OK;
}

/* ---- codes ---- */

static double category_cell(const Coder *coder, const FrameColumn *c, int64_t row)
{
    char buf[NUM_BUFFER];
    Text name;
    int64_t code;

    name.s = frame_cell_string(c, row, buf, &name.size);
    code = categories_code(&coder->categories, name);
    return code ? (double)code : NAN;
}

static ml_status bin_cell(Ctx *ctx, const Coder *coder, const FrameColumn *c, int64_t row,
                          double *out)
{
    double x;

    TRY(frame_cell_number(ctx, c, row, &x));
    *out = isnan(x) || coder->codes == 0 ? NAN : (double)bin_code(coder, x);
    return ML_OK;
}

static ml_status encode_cell(Ctx *ctx, const Coder *coder, const FrameColumn *c, int64_t row,
                             double *out)
{
    if (cell_is_missing(c, row)) {
        *out = coder->fill;
        return ML_OK;
    }
    switch (coder->spec->coding) {
    case CODE_RECODE:
        *out = category_cell(coder, c, row);
        return ML_OK;
    case CODE_BIN:
        return bin_cell(ctx, coder, c, row, out);
    case CODE_HASH:
        *out = (double)hash_bucket(c, row, coder->codes);
        return ML_OK;
    default:
        return frame_cell_number(ctx, c, row, out);
    }
}

static ml_status encode_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Encoding *e = arg;
    const int64_t cols = e->frame->cols;

    for (int64_t i = lo; i < hi; i++) {
        const int64_t row = e->rows ? e->rows[i] : i;

        for (int64_t j = 0; j < cols; j++) {
            ml_status st = encode_cell(ctx, &e->transform->coders[j], e->frame->columns[j], row,
                                       &e->codes[i * cols + j]);

            if (st != ML_OK)
                return transform_name_column(ctx, e->frame, j, st);
        }
    }
    return ML_OK;
}

/* ---- dummy columns ---- */

/* Column and cell that a code becomes; a zero cell where there is none to set. */
static int64_t spread(const Coder *coder, double code, double *cell)
{
    if (!coder->spec->dummy) {
        *cell = code;
        return coder->first;
    }
    *cell = code >= 1 && code <= (double)coder->codes;
    return *cell != 0 ? coder->first + (int64_t)code - 1 : coder->first;
}

static int64_t row_nonzeros(const Encoding *e, int64_t row)
{
    const int64_t cols = e->frame->cols;
    int64_t n = 0;
    double cell;

    for (int64_t j = 0; j < cols; j++) {
        spread(&e->transform->coders[j], e->codes[row * cols + j], &cell);
        n += cell != 0;
    }
    return n;
}

static ml_status spread_dense(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Encoding *e = arg;
    const int64_t cols = e->frame->cols;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        double *out = e->out->values + i * e->out->cols, cell;

        for (int64_t j = 0; j < cols; j++) {
            const int64_t at = spread(&e->transform->coders[j], e->codes[i * cols + j], &cell);

            if (cell != 0)
                out[at] = cell;
        }
    }
    return ML_OK;
}

static ml_status spread_sparse(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Encoding *e = arg;
    const int64_t cols = e->frame->cols;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        int64_t k = e->out->row_ptr[i];
        double cell;

        for (int64_t j = 0; j < cols; j++) {
            const int64_t at = spread(&e->transform->coders[j], e->codes[i * cols + j], &cell);

            if (cell == 0)
                continue;
            e->out->col_idx[k] = (uint32_t)at;
            e->out->values[k++] = cell;
        }
    }
    return ML_OK;
}

/* row_ptr[i + 1] = nonzeros of row i, still to be summed up. */
static ml_status count_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Encoding *e = arg;
    int64_t *counts = e->out->row_ptr;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        counts[i + 1] = row_nonzeros(e, i);
    return ML_OK;
}

static ml_status to_sparse(Ctx *ctx, Encoding *e, int64_t bound)
{
    TRY(matrix_new_csr(ctx, e->nrows, e->transform->cols, bound, &e->out));
    TRY(task_for(ctx, e->nrows, TILE, count_rows, e));
    for (int64_t i = 0; i < e->nrows; i++)
        e->out->row_ptr[i + 1] += e->out->row_ptr[i];
    return task_for(ctx, e->nrows, TILE, spread_sparse, e);
}

static ml_status spread_codes(Ctx *ctx, Encoding *e)
{
    const int64_t bound = e->nrows * e->frame->cols;

    if (matrix_is_sparse(e->nrows, e->transform->cols, bound))
        return to_sparse(ctx, e, bound);
    TRY(matrix_new_zero(ctx, e->nrows, e->transform->cols, &e->out));
    return task_for(ctx, e->nrows, TILE, spread_dense, e);
}

/* ---- all ---- */

static ml_status encode(Ctx *ctx, Encoding *e, Matrix **out)
{
    Matrix *codes = NULL;
    ml_status st;

    TRY(matrix_new_dense(ctx, e->nrows, e->frame->cols, &codes));
    e->codes = codes->values;
    st = task_for(ctx, e->nrows, TILE, encode_rows, e);
    if (st == ML_OK && !e->transform->dummies) {
        *out = codes;
        return ML_OK;
    }
    if (st == ML_OK)
        st = spread_codes(ctx, e);
    matrix_release(codes);
    if (st == ML_OK)
        *out = e->out;
    else
        matrix_release(e->out);
    return st;
}

ml_status transform_apply(Ctx *ctx, const Transform *t, const Frame *f, Matrix **out)
{
    Encoding e = {.transform = t, .frame = f};
    int64_t *rows = NULL;
    ml_status st = kept_rows(ctx, t, f, &rows, &e.nrows);

    e.rows = rows;
    if (st == ML_OK)
        st = encode(ctx, &e, out);
    mem_free(rows);
    return st;
}
