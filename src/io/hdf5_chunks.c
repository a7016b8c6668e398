/* Cells that lie in chunks without filters: matrices cut into tiles of the same shape, one after
 * the other in the file in any order, those at the edges filled up.
 *
 * libhdf5 copies them to a cache and from there to their places, some cells at a time.  Here it
 * only finds them: the child reads them whole, as they lie, into the shared pieces (as many as fit
 * TOGETHER, since each piece costs calls of the kernel), and the parent puts them to their places
 * while it reads the next.  Only where all chunks are stored: those that are not hold fill values.
 */
#include "io/hdf5.h"

enum {
    TOGETHER = 512 << 10, /* bytes; stays in the cache between the two processes */
    STEP = 2048           /* cells that are converted at a time */
};

/* How many tiles cover a side. */
static int64_t tiles_along(int64_t cells, int64_t chunk)
{
    return cells / chunk + (cells % chunk != 0);
}

bool hdf5_chunks_bytes(const Hdf5Chunks *c, NumberType type, int64_t rows, int64_t cols,
                       size_t *chunk, size_t *all)
{
    size_t count;

    return c->rows > 0 && c->cols > 0 && c->down == tiles_along(rows, c->rows) &&
           c->along == tiles_along(cols, c->cols) &&
           mul_size((size_t)c->rows, (size_t)c->cols, chunk) &&
           mul_size(*chunk, type.size, chunk) && *chunk <= ISOLATE_PIECE &&
           mul_size((size_t)c->down, (size_t)c->along, &count) && mul_size(count, *chunk, all);
}

Hdf5Chunks hdf5_chunks(const Hdf5 *h, const Hdf5Data *d)
{
    const Hid creation = h->data_creation(d->id);
    Hsize shape[HDF5_DIMS] = {1, 1};
    Hdf5Chunks c = {0};
    size_t chunk, all;
    bool plain;

    if (creation < 0)
        return c;
    plain = d->plain && (d->dims == 1 || d->dims == 2) && d->rows > 0 && d->cols > 0 &&
            h->list_layout(creation) == HDF5_CHUNKED && h->list_filters(creation) == 0 &&
            h->list_chunk(creation, HDF5_DIMS, shape) == d->dims && shape[0] <= INT64_MAX &&
            shape[1] <= INT64_MAX && shape[0] > 0 && shape[1] > 0;
    h->list_close(creation);
    if (!plain)
        return c;
    c = (Hdf5Chunks){.rows = (int64_t)shape[0], .cols = (int64_t)shape[1]};
    c.down = tiles_along(d->rows, c.rows);
    c.along = tiles_along(d->cols, c.cols);
    return hdf5_chunks_bytes(&c, d->number, d->rows, d->cols, &chunk, &all) &&
                   all == h->data_stored(d->id)
               ? c
               : (Hdf5Chunks){0};
}

ml_status hdf5_put_chunks(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, const Hdf5Chunks *c)
{
    size_t size, all, used = 0;
    char *piece = NULL;
    uint32_t skipped;

    if (!hdf5_chunks_bytes(c, d->number, d->rows, d->cols, &size, &all))
        return fail_memory(ctx, SIZE_MAX);
    isolate_allow(f->self, all);
    for (int64_t k = 0; k < c->down * c->along; k++) {
        const Hsize at[2] = {(Hsize)(k / c->along * c->rows), (Hsize)(k % c->along * c->cols)};

        piece = piece ? piece : isolate_piece(f->self);
        if (f->h->data_chunk(d->id, HDF5_ALL, at, &skipped, piece + used) < 0)
            return hdf5_fail_data(ctx, f, d->name, "cannot be read");
        used += size;
        if (used + size > TOGETHER) {
            isolate_pass(f->self, used);
            piece = NULL;
            used = 0;
        }
    }
    if (used > 0)
        isolate_pass(f->self, used);
    return ML_OK;
}

typedef struct Placing {
    const Hdf5Chunks *c;
    NumberType type;
    const Hdf5Rule *rule;
    Matrix *m;
    int64_t nnz;
} Placing;

/* Numbers of some rows of a chunk, `width` a row and one row after the other, of which the first
 * `there` belong to the matrix. By way of a buffer in the first cache: the rows of chunks may be of
 * a few cells, for which a call each costs more than the cells. */
static void place(Placing *p, const char *from, int64_t rows, int64_t width, int64_t there,
                  double *to)
{
    double cells[STEP];

    numbers_to_doubles(p->type, from, p->type.size, rows * width, cells);
    hdf5_apply(p->rule, cells, rows * width);
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + i * p->m->cols, cells + i * width, (size_t)there * sizeof *to);
    if (there == width)
        p->nnz += matrix_count_nnz(cells, rows * width);
    else
        for (int64_t i = 0; i < rows; i++)
            p->nnz += matrix_count_nnz(cells + i * width, there);
}

/* Rows of one chunk, from the column of the matrix where it begins. */
static void place_rows(Placing *p, const char *chunk, int64_t r, int64_t rows, int64_t col,
                       double *to)
{
    const int64_t cols = min64(p->c->cols, p->m->cols - col);

    for (int64_t lo = 0; lo < cols; lo += STEP) /* once where there are several rows */
        place(p, chunk + (size_t)(r * p->c->cols + lo) * p->type.size, rows,
              min64(p->c->cols - lo, STEP), min64(cols - lo, STEP), to + col + lo);
}

/* Chunks side by side, some rows of all at a time: their cells share lines of the cache. */
static void place_band(Placing *p, const char *from, int64_t number, int64_t count)
{
    const Hdf5Chunks *c = p->c;
    const size_t size = (size_t)(c->rows * c->cols) * p->type.size;
    const int64_t row = number / c->along * c->rows, first = number % c->along,
                  rows = min64(c->rows, p->m->rows - row),
                  step = c->cols < STEP ? STEP / c->cols : 1;

    for (int64_t r = 0; r < rows; r += step)
        for (int64_t k = 0; k < count; k++)
            place_rows(p, from + (size_t)k * size, r, min64(rows - r, step), (first + k) * c->cols,
                       p->m->values + (row + r) * p->m->cols);
}

int64_t hdf5_take_chunks(const Hdf5Chunks *c, NumberType type, const Hdf5Rule *rule,
                         const char *from, int64_t number, int64_t count, Matrix *m)
{
    const size_t size = (size_t)(c->rows * c->cols) * type.size;
    Placing p = {.c = c, .type = type, .rule = rule, .m = m};

    for (int64_t k = 0, some; k < count; k += some) {
        some = min64(count - k, c->along - (number + k) % c->along);
        place_band(&p, from + (size_t)k * size, number + k, some);
    }
    return p.nnz;
}
