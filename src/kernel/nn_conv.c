/* Convolution and its gradients, as products of filters and tiles of windows (nn_columns.c).
 *
 *     images to results:  out  = W %*% columns(X)            a unit a tile
 *     to images:          dX   = columns'(t(W) %*% dout)     a unit a group of images and some
 * channels to filters:         dW   = dout %*% t(columns(X))      a unit some cells of the filters
 * and a slice of the tiles
 *
 * Invariant: units and their order of addition follow from the shapes alone, so do the digits.  No
 * more of the matrix of columns exists than a tile for each unit at work.  Each operand is read as
 * dense cells. */
#include "kernel/matmult.h"
#include "kernel/nn_columns.h"

enum {
    UNITS = 16, /* that the gradient of the filters is divided into at least, if it can be */
    SLICE_CELLS = 1 << 22 /* of partial gradients together */
};

typedef struct Conv {
    Windows g;
    Tiling t;
    double *x, *w, *out; /* images, filters, results: values or gradients, two are read */
    int64_t cut,
        cuts; /* cells of the windows, or channels, that a unit computes; number of such cuts */
    int64_t slice, slices;
    double *partials;
} Conv;

/* ---- results ---- */

/* By cuts of the cells of the windows, each added to those before. */
static void convolve_tile(const Conv *v, const Tile *tile, double *columns, double *scratch)
{
    const Windows *g = &v->g;
    const TileResult r = tile_result(g, tile, v->out, scratch);

    for (int64_t lo = 0; lo < g->crs; lo += v->cut) {
        const int64_t hi = nn_min(lo + v->cut, g->crs);

        columns_from_images(g, tile, v->x, lo, hi, columns);
        gemm(&(Gemm){.m = g->k,
                     .n = tile->cols,
                     .k = hi - lo,
                     .a = v->w + lo,
                     .b = columns,
                     .a_row = g->crs,
                     .a_col = 1,
                     .b_row = tile->cols,
                     .b_col = 1,
                     .c = r.cells,
                     .ldc = r.ld,
                     .add = lo > 0});
    }
    tile_result_store(g, tile, r, v->out);
}

static ml_status convolve_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Conv *v = arg;
    const int64_t rows = v->cut + v->g.k;
    ml_status st = ML_OK;
    double *columns;

    TRY(partials_new(ctx, rows, v->t.cols, &columns));
    for (int64_t unit = lo; unit < hi && st == ML_OK; unit++) {
        const Tile tile = tile_at(&v->g, &v->t, unit / v->t.strips, unit % v->t.strips);

        convolve_tile(v, &tile, columns, columns + v->cut * v->t.cols);
        st = check_cancel(ctx);
    }
    partials_free(ctx, columns, rows, v->t.cols);
    return st;
}

/* ---- gradient of the images ---- */

static void spread_tile(const Conv *v, const Tile *tile, int64_t lo, int64_t hi, double *columns,
                        double *scratch)
{
    const Windows *g = &v->g;
    const TileResult r = tile_result_load(g, tile, v->out, scratch);

    gemm(&(Gemm){.m = hi - lo,
                 .n = tile->cols,
                 .k = g->k,
                 .a = v->w + lo,
                 .b = r.cells,
                 .a_row = 1,
                 .a_col = g->crs,
                 .b_row = r.ld,
                 .b_col = 1,
                 .c = columns,
                 .ldc = tile->cols});
    columns_to_images(g, tile, columns, lo, hi, v->x);
}

/* Strips of an image overlap in it, so a unit takes all of them; channels do not. */
static ml_status spread_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Conv *v = arg;
    const int64_t rs = v->g.r * v->g.s, rows = v->cut * rs + v->g.k;
    ml_status st = ML_OK;
    double *columns;

    TRY(partials_new(ctx, rows, v->t.cols, &columns));
    for (int64_t unit = lo; unit < hi && st == ML_OK; unit++) {
        const int64_t c = unit % v->cuts * v->cut, c1 = nn_min(c + v->cut, v->g.c);

        for (int64_t strip = 0; strip < v->t.strips; strip++) {
            const Tile tile = tile_at(&v->g, &v->t, unit / v->cuts, strip);

            spread_tile(v, &tile, c * rs, c1 * rs, columns, columns + v->cut * rs * v->t.cols);
        }
        st = check_cancel(ctx);
    }
    partials_free(ctx, columns, rows, v->t.cols);
    return st;
}

/* ---- gradient of the filters ---- */

static void gather_tile(const Conv *v, const Tile *tile, int64_t lo, int64_t hi, bool add,
                        double *to, double *columns)
{
    const Windows *g = &v->g;
    const TileResult r = tile_result_load(g, tile, v->out, columns + v->cut * v->t.cols);

    columns_from_images(g, tile, v->x, lo, hi, columns);
    gemm(&(Gemm){.m = g->k,
                 .n = hi - lo,
                 .k = tile->cols,
                 .a = r.cells,
                 .b = columns,
                 .a_row = r.ld,
                 .a_col = 1,
                 .b_row = 1,
                 .b_col = tile->cols,
                 .c = to + lo,
                 .ldc = g->crs,
                 .add = add});
}

static ml_status gather_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Conv *v = arg;
    const int64_t rows = v->cut + v->g.k, tiles = v->t.groups * v->t.strips;
    ml_status st = ML_OK;
    double *columns;

    TRY(partials_new(ctx, rows, v->t.cols, &columns));
    for (int64_t unit = lo; unit < hi && st == ML_OK; unit++) {
        const int64_t cell = unit % v->cuts * v->cut, slice = unit / v->cuts;
        const int64_t first = slice * v->slice, end = nn_min(first + v->slice, tiles);
        double *to = v->slices > 1 ? v->partials + slice * v->g.k * v->g.crs : v->w;

        for (int64_t k = first; k < end; k++) {
            const Tile tile = tile_at(&v->g, &v->t, k / v->t.strips, k % v->t.strips);

            gather_tile(v, &tile, cell, nn_min(cell + v->cut, v->g.crs), k > first, to, columns);
        }
        st = check_cancel(ctx);
    }
    partials_free(ctx, columns, rows, v->t.cols);
    return st;
}

static void choose_slices(Conv *v)
{
    const int64_t tiles = v->t.groups * v->t.strips, cells = v->g.k * v->g.crs;
    int64_t slices;

    v->cut = tiling_cut(&v->t, 1, v->g.crs);
    v->cuts = nn_pieces(v->g.crs, v->cut);
    slices = nn_min(nn_pieces(UNITS, v->cuts), nn_min(tiles, SLICE_CELLS / cells));
    v->slice = nn_pieces(tiles, slices > 1 ? slices : 1);
    v->slices = nn_pieces(tiles, v->slice);
}

static ml_status gather_all(Ctx *ctx, Conv *v)
{
    const int64_t cells = v->g.k * v->g.crs;
    ml_status st;

    choose_slices(v);
    if (v->slices > 1)
        TRY(partials_new(ctx, v->slices, cells, &v->partials));
    st = task_for(ctx, v->cuts * v->slices, 1, gather_range, v);
    if (st == ML_OK && v->slices > 1)
        st = add_partials(ctx, v->partials, v->slices, cells, v->w);
    partials_free(ctx, v->partials, v->slices, cells);
    return st;
}

/* ---- the operators ---- */

static ml_status run_results(Ctx *ctx, Conv *v)
{
    v->cut = tiling_cut(&v->t, 1, v->g.crs);
    return task_for(ctx, v->t.groups * v->t.strips, 1, convolve_range, v);
}

static ml_status run_images(Ctx *ctx, Conv *v)
{
    v->cut = tiling_cut(&v->t, v->g.r * v->g.s, v->g.c);
    v->cuts = nn_pieces(v->g.c, v->cut);
    return task_for(ctx, v->t.groups * v->cuts, 1, spread_range, v);
}

typedef enum Part { IMAGES, FILTERS, RESULTS } Part;

typedef struct Shape {
    int64_t rows, cols;
    const char *by;
} Shape;

static Shape shape_of(const Windows *g, Part part)
{
    if (part == IMAGES)
        return (Shape){g->n, g->chw, "input_shape"};
    if (part == FILTERS)
        return (Shape){g->k, g->crs, "filter_shape"};
    return (Shape){g->n, g->out, "the result of conv2d"};
}

/* Operands 0 and 1 are the parts a and b, the result is the part c. */
static ml_status conv(Ctx *ctx, OpCall *call, Part a, Part b, Part c,
                      ml_status (*run)(Ctx *, Conv *))
{
    Matrix *part[3] = {NULL};
    Shape s;
    Conv v = {0};
    ml_status st;

    TRY(nn_windows(ctx, call, 2, true, &v.g));
    s = shape_of(&v.g, a);
    TRY(nn_operand(ctx, call, 0, s.rows, s.cols, s.by, &part[a]));
    s = shape_of(&v.g, b);
    TRY_TO(done, st = nn_operand(ctx, call, 1, s.rows, s.cols, s.by, &part[b]));
    s = shape_of(&v.g, c);
    if (c == IMAGES || v.g.n == 0) /* gradients of images are added up */
        TRY_TO(done, st = matrix_new_zero(ctx, s.rows, s.cols, &part[c]));
    else
        TRY_TO(done, st = matrix_new_dense(ctx, s.rows, s.cols, &part[c]));
    v.t = tiling_of(&v.g);
    v.x = part[IMAGES]->values, v.w = part[FILTERS]->values, v.out = part[RESULTS]->values;
    if (v.g.n > 0)
        TRY_TO(done, st = run(ctx, &v));
    st = result_matrix(ctx, call, 0, part[c], -1);
    part[c] = NULL;
done:
    for (int k = 0; k < 3; k++)
        matrix_release(part[k]);
    return st;
}

ml_status ml_k_conv2d(Ctx *ctx, OpCall *call)
{
    return conv(ctx, call, IMAGES, FILTERS, RESULTS, run_results);
}

ml_status ml_k_conv2d_backward_filter(Ctx *ctx, OpCall *call)
{
    return conv(ctx, call, IMAGES, RESULTS, FILTERS, gather_all);
}

ml_status ml_k_conv2d_backward_data(Ctx *ctx, OpCall *call)
{
    return conv(ctx, call, FILTERS, RESULTS, IMAGES, run_images);
}
