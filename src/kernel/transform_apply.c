/* transform_apply: rows of a frame to rows of a matrix, by coders that are complete.
 *
 * Tiles of rows are encoded column by column into scratch that stays in the cache, then laid out
 * row by row.  Where coders have several columns a first pass counts the nonzeros of each row,
 * which decides on the form of the matrix: CSR of exactly this size, or dense.  Unknown categories
 * and missing cells are NaN, in several columns a row of zeros.  No result depends on the number of
 * threads: each row is a function of its cells. */
#include "kernel/transform.h"

#include <math.h>
#include <string.h>

enum { TILE = 512 };

typedef struct Encoding {
    const Transform *transform;
    const Frame *frame;
    CodedColumn *sources;
    const int64_t *rows; /* that are kept, or NULL: all */
    int64_t nrows;
    int64_t *row_ptr; /* nonzeros before each row */
    Matrix *out;
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
    *rows = mem_alloc((size_t)(f->rows + 1) * sizeof **rows);
    if (!*rows)
        return fail_memory(ctx, (size_t)f->rows * sizeof **rows);
    *count = 0;
    for (int64_t i = 0; i < f->rows; i++)
        if (keeps(t, f, i))
            (*rows)[(*count)++] = i;
    return ML_OK;
}

/* ---- what a coded cell stands for ---- */

/* The code of a cell with several columns, 0 when it has none. */
static inline int64_t code_of(const Coder *c, double x)
{
    return x >= 1 && x <= (double)c->codes ? (int64_t)x : 0;
}

static int64_t cell_nonzeros(const CodedColumn *s, double x)
{
    const Coder *c = s->coder;

    if (c->spec->coding == CODE_WORDS)
        return s->words.starts[(int64_t)x + 1] - s->words.starts[(int64_t)x];
    if (c->spec->coding == CODE_EMBED && code_of(c, x)) {
        const int64_t at = (code_of(c, x) - 1) * c->width;

        return matrix_count_nnz(c->vectors->values + at, c->width);
    }
    if (c->spec->dummy || c->spec->coding == CODE_EMBED)
        return code_of(c, x) > 0;
    return x != 0;
}

static void put_dense(const CodedColumn *s, double x, double *row)
{
    const Coder *c = s->coder;
    const int64_t code = code_of(c, x);

    if (c->spec->coding == CODE_WORDS) {
        for (int64_t k = s->words.starts[(int64_t)x]; k < s->words.starts[(int64_t)x + 1]; k++)
            row[c->first + s->words.columns.items[k]] = s->words.counts.items[k];
    } else if (c->spec->coding == CODE_EMBED) {
        if (code)
            memcpy(row + c->first, c->vectors->values + (code - 1) * c->width,
                   (size_t)c->width * sizeof *row);
    } else if (!c->spec->dummy) {
        row[c->first] = x;
    } else if (code) {
        row[c->first + code - 1] = 1;
    }
}

static inline int64_t put_one(Matrix *m, int64_t at, int64_t col, double x)
{
    if (x == 0)
        return at;
    m->col_idx[at] = (uint32_t)col;
    m->values[at] = x;
    return at + 1;
}

/* At the place `at` of a CSR matrix; returns the next one. */
static int64_t put_sparse(const CodedColumn *s, double x, Matrix *m, int64_t at)
{
    const Coder *c = s->coder;
    const int64_t code = code_of(c, x);

    if (c->spec->coding == CODE_WORDS) {
        for (int64_t k = s->words.starts[(int64_t)x]; k < s->words.starts[(int64_t)x + 1]; k++)
            at = put_one(m, at, c->first + s->words.columns.items[k], s->words.counts.items[k]);
    } else if (c->spec->coding == CODE_EMBED) {
        for (int64_t k = 0; code && k < c->width; k++)
            at = put_one(m, at, c->first + k, c->vectors->values[(code - 1) * c->width + k]);
    } else if (!c->spec->dummy) {
        at = put_one(m, at, c->first, x);
    } else if (code) {
        at = put_one(m, at, c->first + code - 1, 1);
    }
    return at;
}

/* ---- tiles ---- */

/* Lays out n rows from row lo on, whose codes are column by column in `codes`. */
typedef void (*LayOut)(const Encoding *e, const double *codes, int64_t lo, int64_t n);

static void count_rows(const Encoding *e, const double *codes, int64_t lo, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        e->row_ptr[lo + i + 1] = 0;
    for (int64_t j = 0; j < e->frame->cols; j++)
        for (int64_t i = 0; i < n; i++)
            e->row_ptr[lo + i + 1] += cell_nonzeros(&e->sources[j], codes[j * TILE + i]);
}

static void lay_dense(const Encoding *e, const double *codes, int64_t lo, int64_t n)
{
    const int64_t cols = e->out->cols;
    double *row = e->out->values + lo * cols;

    if (e->transform->wide)
        memset(row, 0, (size_t)(n * cols) * sizeof *row);
    for (int64_t i = 0; i < n; i++, row += cols)
        for (int64_t j = 0; j < e->frame->cols; j++)
            put_dense(&e->sources[j], codes[j * TILE + i], row);
}

static void lay_sparse(const Encoding *e, const double *codes, int64_t lo, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = e->out->row_ptr[lo + i];

        for (int64_t j = 0; j < e->frame->cols; j++)
            at = put_sparse(&e->sources[j], codes[j * TILE + i], e->out, at);
    }
}

typedef struct Pass {
    const Encoding *encoding;
    LayOut lay_out;
} Pass;

static ml_status encode_tile(Ctx *ctx, const Pass *p, int64_t lo, int64_t n, double *codes)
{
    const Encoding *e = p->encoding;

    for (int64_t j = 0; j < e->frame->cols; j++) {
        ml_status st = source_encode(ctx, &e->sources[j], e->rows, lo, n, codes + j * TILE);

        if (st != ML_OK)
            return frame_name_column(ctx, e->frame, j, st);
    }
    p->lay_out(e, codes, lo, n);
    return ML_OK;
}

static ml_status encode_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Pass *p = arg;
    const Encoding *e = p->encoding;
    const size_t cells = (size_t)(e->frame->cols + 1) * TILE;
    double *codes = mem_alloc(cells * sizeof *codes);
    ml_status st = codes ? ML_OK : fail_memory(ctx, cells * sizeof *codes);

    for (int64_t t = lo; t < hi && st == ML_OK; t++) {
        const int64_t left = e->nrows - t * TILE;

        st = encode_tile(ctx, p, t * TILE, left < TILE ? left : TILE, codes);
    }
    mem_free(codes);
    return st;
}

static ml_status pass(Ctx *ctx, const Encoding *e, LayOut lay_out)
{
    return task_for(ctx, (e->nrows + TILE - 1) / TILE, 8, encode_tiles, &(Pass){e, lay_out});
}

/* ---- all ---- */

/* Counts the nonzeros, then fills a matrix of the form that suits them. */
static ml_status encode_wide(Ctx *ctx, Encoding *e)
{
    int64_t nnz;
    ml_status st = ML_OK;

    e->row_ptr = mem_alloc((size_t)(e->nrows + 1) * sizeof *e->row_ptr);
    if (!e->row_ptr)
        return fail_memory(ctx, (size_t)e->nrows * sizeof *e->row_ptr);
    e->row_ptr[0] = 0;
    TRY_TO(done, st = pass(ctx, e, count_rows));
    for (int64_t i = 0; i < e->nrows; i++)
        e->row_ptr[i + 1] += e->row_ptr[i];
    nnz = e->row_ptr[e->nrows];
    if (!matrix_is_sparse(e->nrows, e->transform->cols, nnz)) {
        TRY_TO(done, st = matrix_new_dense(ctx, e->nrows, e->transform->cols, &e->out));
        st = pass(ctx, e, lay_dense);
        goto done;
    }
    TRY_TO(done, st = matrix_new_csr(ctx, e->nrows, e->transform->cols, nnz, &e->out));
    memcpy(e->out->row_ptr, e->row_ptr, (size_t)(e->nrows + 1) * sizeof *e->row_ptr);
    st = pass(ctx, e, lay_sparse);
done:
    mem_free(e->row_ptr);
    return st;
}

static ml_status encode(Ctx *ctx, Encoding *e)
{
    if (e->transform->wide)
        return encode_wide(ctx, e);
    TRY(matrix_new_dense(ctx, e->nrows, e->transform->cols, &e->out));
    return pass(ctx, e, lay_dense);
}

static ml_status open_sources(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Encoding *e = arg;
    const Transform *t = e->transform;

    for (int64_t j = lo; j < hi; j++)
        TRY(frame_name_column(ctx, e->frame, j,
                              source_open(ctx, &t->coders[j], e->frame->columns[j],
                                          t->seen ? &t->seen[j] : NULL, &e->sources[j])));
    return ML_OK;
}

ml_status transform_apply(Ctx *ctx, const Transform *t, const Frame *f, Matrix **out)
{
    Encoding e = {.transform = t, .frame = f};
    int64_t *rows = NULL;
    ml_status st = kept_rows(ctx, t, f, &rows, &e.nrows);

    e.rows = rows;
    e.sources = mem_calloc((size_t)f->cols + 1, sizeof *e.sources);
    if (st == ML_OK && !e.sources)
        st = fail_memory(ctx, (size_t)f->cols * sizeof *e.sources);
    if (st == ML_OK)
        st = task_for(ctx, f->cols, 1, open_sources, &e);
    if (st == ML_OK)
        st = encode(ctx, &e);
    for (int64_t j = 0; e.sources && j < f->cols; j++)
        source_free(&e.sources[j]);
    mem_free(e.sources);
    mem_free(rows);
    if (st == ML_OK)
        *out = e.out;
    else
        matrix_release(e.out);
    return st;
}
