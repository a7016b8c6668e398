/* Windows over images as the columns of a matrix, a tile at a time; see nn_columns.h.
 *
 * Many columns make packing the filters for the product pay; callers cut a tile to what a core's
 * caches hold.  A batch gives some tiles at least, for as many threads. */
#include "kernel/nn_columns.h"

#include <string.h>

enum { COLS = 1024, TILES = 8, TILE_CELLS = 1 << 19 };

Tiling tiling_of(const Windows *g)
{
    Tiling t = {.group = 1, .strip = g->p};

    if (g->pq <= COLS / 2)
        t.group = nn_min(nn_even(g->n, COLS / g->pq), g->n / TILES);
    else
        t.strip = nn_even(g->p, g->q < COLS ? COLS / g->q : 1);
    t.group = t.group > 0 ? t.group : 1;
    t.groups = nn_pieces(g->n, t.group);
    t.strips = nn_pieces(g->p, t.strip);
    t.cols = t.group * t.strip * g->q;
    return t;
}

Tile tile_at(const Windows *g, const Tiling *t, int64_t group, int64_t strip)
{
    Tile tile = {.image = group * t->group, .p = strip * t->strip};

    tile.images = nn_min(t->group, g->n - tile.image);
    tile.rows = nn_min(t->strip, g->p - tile.p);
    tile.cols = tile.images * tile.rows * g->q;
    return tile;
}

int64_t tiling_cut(const Tiling *t, int64_t rows, int64_t all)
{
    const int64_t fit = TILE_CELLS / t->cols / rows;

    return nn_even(all, fit > 0 ? fit : 1);
}

/* ---- one row of results of one cell (r,s) ---- */

static void copy_row(const Windows *g, WindowRow row, const double *plane, double *to)
{
    const int64_t n = row.hi - row.lo;
    const double *from;

    if (row.y < 0) {
        memset(to, 0, (size_t)g->q * sizeof *to);
        return;
    }
    from = plane + row.y * g->w + row.x;
    if (row.lo > 0)
        memset(to, 0, (size_t)row.lo * sizeof *to);
    if (g->stride_w == 1)
        memcpy(to + row.lo, from, (size_t)n * sizeof *to);
    else
        for (int64_t q = 0; q < n; q++)
            to[row.lo + q] = from[q * g->stride_w];
    if (row.hi < g->q)
        memset(to + row.hi, 0, (size_t)(g->q - row.hi) * sizeof *to);
}

/* A step that the compiler knows makes vectors. */
static void add_row(const Windows *g, WindowRow row, const double *from, double *plane)
{
    const int64_t n = row.hi - row.lo;
    double *to;

    if (row.y < 0)
        return;
    from += row.lo;
    to = plane + row.y * g->w + row.x;
    if (g->stride_w == 1)
        for (int64_t q = 0; q < n; q++)
            to[q] += from[q];
    else
        for (int64_t q = 0; q < n; q++)
            to[q * g->stride_w] += from[q];
}

/* ---- tiles ---- */

typedef struct WindowCell {
    int64_t c, r, s;
} WindowCell;

static WindowCell window_cell(const Windows *g, int64_t row)
{
    const int64_t rs = g->r * g->s;

    return (WindowCell){row / rs, row % rs / g->s, row % g->s};
}

const double *tile_images(const Windows *g, const Tile *t, const Matrix *x, double *scratch)
{
    if (x->format == MATRIX_DENSE)
        return x->values + t->image * g->chw;
    for (int64_t i = 0; i < t->images; i++)
        nn_cells(x, t->image + i, 0, g->chw, scratch + i * g->chw);
    return scratch;
}

bool tile_is_image(const Windows *g, const Tile *t)
{
    return g->r * g->s == 1 && g->stride_h == 1 && g->stride_w == 1 && g->pad_h == 0 &&
           g->pad_w == 0 && t->images == 1;
}

Columns columns_from_images(const Windows *g, const Tile *t, const double *x, int64_t lo,
                            int64_t hi, double *scratch)
{
    double *to = scratch;

    if (tile_is_image(g, t))
        return (Columns){x + lo * g->pq + t->p * g->q, g->pq};
    for (int64_t row = lo; row < hi; row++) {
        const WindowCell cell = window_cell(g, row);

        for (int64_t i = 0; i < t->images; i++) {
            const double *plane = x + i * g->chw + cell.c * g->h * g->w;

            for (int64_t p = t->p; p < t->p + t->rows; p++, to += g->q)
                copy_row(g, window_row(g, p, cell.r, cell.s), plane, to);
        }
    }
    return (Columns){scratch, t->cols};
}

void columns_to_images(const Windows *g, const Tile *t, const double *columns, int64_t lo,
                       int64_t hi, double *x)
{
    for (int64_t row = lo; row < hi; row++) {
        const WindowCell cell = window_cell(g, row);

        for (int64_t i = 0; i < t->images; i++) {
            double *plane = x + i * g->chw + cell.c * g->h * g->w;

            for (int64_t p = t->p; p < t->p + t->rows; p++, columns += g->q)
                add_row(g, window_row(g, p, cell.r, cell.s), columns, plane);
        }
    }
}

/* ---- results ---- */

TileResult tile_result(const Windows *g, const Tile *t, double *out, double *scratch)
{
    if (t->images > 1)
        return (TileResult){scratch, t->cols};
    return (TileResult){out + t->image * g->out + t->p * g->q, g->pq};
}

void tile_result_store(const Windows *g, const Tile *t, TileResult r, double *out)
{
    if (t->images == 1)
        return;
    for (int64_t i = 0; i < t->images; i++)
        for (int64_t k = 0; k < g->k; k++)
            memcpy(out + (t->image + i) * g->out + k * g->pq, r.cells + k * r.ld + i * g->pq,
                   (size_t)g->pq * sizeof(double));
}

TileResult tile_result_load(const Windows *g, const Tile *t, const double *out, double *scratch)
{
    /* Not written when the tile is one image. */
    const TileResult r = tile_result(g, t, (double *)(uintptr_t)out, scratch);

    if (t->images == 1)
        return r;
    for (int64_t i = 0; i < t->images; i++)
        for (int64_t k = 0; k < g->k; k++)
            memcpy(r.cells + k * r.ld + i * g->pq, out + (t->image + i) * g->out + k * g->pq,
                   (size_t)g->pq * sizeof(double));
    return r;
}
