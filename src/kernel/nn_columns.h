/* Convolution as matrix products: a tile of windows as the columns of a matrix, private to nn_*.c.
 *
 * A tile is a strip of result rows of one image or, where results are small, a group of whole
 * images.  Tiles follow from the shapes alone. */
#ifndef NN_COLUMNS_H
#define NN_COLUMNS_H

#include "kernel/nn.h"

typedef struct Tiling {
    int64_t group; /* images a tile */
    int64_t strip; /* result rows a tile; P when group > 1 */
    int64_t groups, strips;
    int64_t cols; /* columns of the largest tile */
} Tiling;
Tiling tiling_of(const Windows *g);

typedef struct Tile {
    int64_t image, images; /* first, how many */
    int64_t p, rows;       /* first row of results, how many */
    int64_t cols;          /* windows: images * rows * Q */
} Tile;
Tile tile_at(const Windows *g, const Tiling *t, int64_t group, int64_t strip);

/* Even cuts of `all` things, each of which has that many rows in the columns, so that the columns
 * of a cut and a tile stay in the cache. */
int64_t tiling_cut(const Tiling *t, int64_t rows, int64_t all);

/* The cells of the tile's images, the first one's first; from another format than dense by way of
 * scratch (images * CHW cells). */
const double *tile_images(const Windows *g, const Tile *t, const Matrix *x, double *scratch);

/* Is the tile, as its columns, a part of the image?  So it is where windows are single cells side
 * by side. */
bool tile_is_image(const Windows *g, const Tile *t);

/* Rows [lo, hi) - cells (c,r,s) of the windows - of the tile's columns, rows ld apart: where they
 * lie already or in scratch. x are the tile's images. */
typedef struct Columns {
    const double *cells;
    int64_t ld;
} Columns;
Columns columns_from_images(const Windows *g, const Tile *t, const double *x, int64_t lo,
                            int64_t hi, double *scratch);
/* The transpose of that map: adds each cell of the columns to the cell of the images x that it
 * comes from. */
void columns_to_images(const Windows *g, const Tile *t, const double *columns, int64_t lo,
                       int64_t hi, double *x);

/* The tile's part of results (N x KPQ) as a K x cols matrix: where it lies already, with its rows
 * PQ apart, or for a group of images by way of scratch (K * cols cells). */
typedef struct TileResult {
    double *cells;
    int64_t ld;
} TileResult;
TileResult tile_result(const Windows *g, const Tile *t, double *out, double *scratch);
void tile_result_store(const Windows *g, const Tile *t, TileResult r, double *out);
TileResult tile_result_load(const Windows *g, const Tile *t, const double *out, double *scratch);

#endif
