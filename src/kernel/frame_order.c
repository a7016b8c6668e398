/* frame_order: the rows of a frame in the order of some columns.
 *
 * The columns become a matrix of keys, which is sorted as every matrix is: numbers themselves, and
 * of texts their places among the column's distinct texts, in the order of their bytes, which is
 * that of UTF-8's characters.  What is missing is NaN and comes last.  INT64 beyond 2^53 are
 * ordered as the doubles nearest to them.  Costs a look-up in a hash table for each text, and
 * sorting the distinct ones. */
#include "kernel/frame.h"
#include "kernel/select.h"
#include "kernel/sort.h"

#include <math.h>
#include <stdlib.h>

/* ---- texts ---- */

static int compare_texts(const void *a, const void *b, void *arg)
{
    const TextSet *set = arg;
    size_t m = 0, n = 0;
    const char *x = text_set_at(set, *(const uint32_t *)a, &m);
    const char *y = text_set_at(set, *(const uint32_t *)b, &n);
    const int order = memcmp(x, y, m < n ? m : n);

    return order ? order : (m > n) - (m < n);
}

/* ranks[k]: the place of text k + 1 of the set. */
static ml_status rank_texts(Ctx *ctx, TextSet *set, uint32_t **ranks)
{
    const size_t n = (size_t)set->entries.count;
    uint32_t *sorted = mem_alloc((n + 1) * sizeof *sorted);

    *ranks = mem_alloc((n + 1) * sizeof **ranks);
    if (!sorted || !*ranks) {
        mem_free(sorted);
        return fail_memory(ctx, n * sizeof *sorted);
    }
    for (size_t k = 0; k < n; k++)
        sorted[k] = (uint32_t)k + 1;
    qsort_r(sorted, n, sizeof *sorted, compare_texts, set);
    for (size_t k = 0; k < n; k++)
        (*ranks)[sorted[k] - 1] = (uint32_t)k;
    mem_free(sorted);
    return ML_OK;
}

/* Numbers of the texts of a column, NaN for null, in cells that lie `stride` apart. */
static ml_status number_texts(Ctx *ctx, const FrameColumn *c, TextSet *set, double *cells,
                              int64_t stride)
{
    char buf[NUM_BUFFER];

    for (int64_t i = 0; i < c->rows; i++) {
        size_t size = 0;
        const char *text = frame_cell_text(c, i, buf, &size);
        const uint32_t number = text ? text_set_put(set, text, size) : 0;

        if (text && !number)
            return fail_memory(ctx, size);
        cells[i * stride] = text ? (double)number : (double)NAN;
    }
    return ML_OK;
}

static ml_status text_keys(Ctx *ctx, const FrameColumn *c, double *cells, int64_t stride)
{
    TextSet set = {0};
    uint32_t *ranks = NULL;
    ml_status st = number_texts(ctx, c, &set, cells, stride);

    if (st == ML_OK)
        st = rank_texts(ctx, &set, &ranks);
    for (int64_t i = 0; st == ML_OK && i < c->rows; i++)
        if (!isnan(cells[i * stride]))
            cells[i * stride] = ranks[(uint32_t)cells[i * stride] - 1];
    mem_free(ranks);
    text_set_free(&set);
    return st;
}

/* ---- rows ---- */

static ml_status fill_keys(Ctx *ctx, const Frame *f, const int64_t *by, Matrix *keys)
{
    for (int64_t k = 0; k < keys->cols; k++) {
        const FrameColumn *c = f->columns[by[k]];

        if (frame_type_is_text(c->type))
            TRY(text_keys(ctx, c, keys->values + k, keys->cols));
        else
            for (int64_t i = 0; i < c->rows; i++)
                keys->values[i * keys->cols + k] = column_number(c, i);
    }
    return ML_OK;
}

static ml_status gather_sorted(Ctx *ctx, const Frame *f, const SortItem *items, Frame **out)
{
    int64_t *rows = sort_positions(ctx, items, f->rows);
    const ml_status st = rows ? frame_gather(ctx, f, rows, f->rows, out) : ML_ENOMEM;

    sort_positions_free(ctx, rows, f->rows);
    return st;
}

ml_status frame_order(Ctx *ctx, const Frame *f, const int64_t *by, int64_t nby, bool decreasing,
                      Frame **out)
{
    int64_t *columns = mem_alloc(((size_t)nby + 1) * sizeof *columns); /* of the keys */
    SortItem *items = NULL;
    Matrix *keys = NULL;
    ml_status st = columns ? matrix_new_dense(ctx, f->rows, nby, &keys)
                           : fail_memory(ctx, (size_t)nby * sizeof *columns);

    for (int64_t k = 0; st == ML_OK && k < nby; k++)
        columns[k] = k;
    if (st == ML_OK)
        st = fill_keys(ctx, f, by, keys);
    if (st == ML_OK)
        st = sort_rows(ctx, keys, columns, nby, decreasing, &items);
    if (st == ML_OK)
        st = gather_sorted(ctx, f, items, out);
    sort_free(ctx, items, f->rows);
    matrix_release(keys);
    mem_free(columns);
    return st;
}
