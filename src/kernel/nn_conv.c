/* Convolution and its gradients, as products of filters and tiles of windows (nn_columns.c).
 *
 *     images to results:  out  = W %*% columns(X)            a unit a tile
 *     to images:          dX   = columns'(t(W) %*% dout)     a unit a group of images and some
 * channels to filters:         dW   = dout %*% t(columns(X))      a unit some cells of the filters
 * and a slice of the tiles
 *
 * Invariant: units and their order of addition follow from the shapes alone, so do the digits.  No
 * more of the matrix of columns exists than a tile for each unit at work, and of sparse images no
 * more dense cells than a tile has. */
#include "kernel/matmult.h"
#include "kernel/nn_columns.h"

#include <string.h>

enum {
    UNITS = 16, /* that the gradient of the filters is divided into at least, if it can be */
    SLICE_CELLS = 1 << 22 /* of partial gradients together */
};

typedef struct Conv {
    Windows g;
    Tiling t;
    const Matrix *x;       /* images, read in any format */
    double *dx;            /* their gradient */
    double *w, *out;       /* filters, results: values or gradients */
    int64_t cut, cuts;     /* cells of the windows, or channels, that a unit computes; such cuts */
    int64_t slice, slices; /* tiles, and the number of such slices */
    double *partials;
} Conv;

/* ---- what a unit works in ---- */

typedef struct Scratch {
    double *columns; /* `rows` of a tile */
    int64_t rows;
    double *result; /* a tile of results */
    double *dense;  /* the images of a tile, when they come in another format */
    int64_t held;   /* the first of those, -1 for none */
} Scratch;

static void scratch_free(Ctx *ctx, const Conv *v, Scratch *s)
{
    partials_free(ctx, s->columns, s->rows, v->t.cols);
    partials_free(ctx, s->result, v->g.k, v->t.cols);
    partials_free(ctx, s->dense, v->t.group, v->g.chw);
}

static ml_status scratch_new(Ctx *ctx, const Conv *v, int64_t rows, Scratch *s)
{
    ml_status st;

    *s = (Scratch){.rows = rows, .held = -1};
    TRY_TO(failed, st = partials_new(ctx, rows, v->t.cols, &s->columns));
    TRY_TO(failed, st = partials_new(ctx, v->g.k, v->t.cols, &s->result));
    if (v->x && v->x->format != MATRIX_DENSE)
        TRY_TO(failed, st = partials_new(ctx, v->t.group, v->g.chw, &s->dense));
    return ML_OK;
failed:
    scratch_free(ctx, v, s);
    return st;
}

/* Strips of the same images follow each other and find them unpacked. */
static const double *images_of(const Conv *v, const Tile *tile, Scratch *s)
{
    if (s->dense && s->held == tile->image)
        return s->dense;
    s->held = tile->image;
    return tile_images(&v->g, tile, v->x, s->dense);
}

/* ---- results ---- */

/* By cuts of the cells of the windows, each added to those before. */
static void convolve_tile(const Ctx *ctx, const Conv *v, const Tile *tile, Scratch *s)
{
    const Windows *g = &v->g;
    const TileResult r = tile_result(g, tile, v->out, s->result);
    const double *x = images_of(v, tile, s);

    for (int64_t lo = 0; lo < g->crs; lo += v->cut) {
        const int64_t hi = nn_min(lo + v->cut, g->crs);
        const Columns b = columns_from_images(g, tile, x, lo, hi, s->columns);

        gemm(ctx, &(Gemm){.m = g->k,
                          .n = tile->cols,
                          .k = hi - lo,
                          .a = v->w + lo,
                          .b = b.cells,
                          .a_row = g->crs,
                          .a_col = 1,
                          .b_row = b.ld,
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
    ml_status st = ML_OK;
    Scratch s;

    TRY(scratch_new(ctx, v, v->cut, &s));
    for (int64_t unit = lo; unit < hi && st == ML_OK; unit++) {
        const Tile tile = tile_at(&v->g, &v->t, unit / v->t.strips, unit % v->t.strips);

        convolve_tile(ctx, v, &tile, &s);
        st = check_cancel(ctx);
    }
    scratch_free(ctx, v, &s);
    return st;
}

/* ---- gradient of the images ---- */

/* The product is the gradient itself where the columns are the image. */
static void spread_tile(const Ctx *ctx, const Conv *v, const Tile *tile, int64_t lo, int64_t hi,
                        Scratch *s)
{
    const Windows *g = &v->g;
    const TileResult r = tile_result_load(g, tile, v->out, s->result);
    const bool direct = tile_is_image(g, tile);
    double *dx = v->dx + tile->image * g->chw;

    gemm(ctx, &(Gemm){.m = hi - lo,
                      .n = tile->cols,
                      .k = g->k,
                      .a = v->w + lo,
                      .b = r.cells,
                      .a_row = 1,
                      .a_col = g->crs,
                      .b_row = r.ld,
                      .b_col = 1,
                      .c = direct ? dx + lo * g->pq + tile->p * g->q : s->columns,
                      .ldc = direct ? g->pq : tile->cols});
    if (!direct)
        columns_to_images(g, tile, s->columns, lo, hi, dx);
}

/* Strips of an image overlap in it, so a unit takes all of them; channels [c, c1) do not. */
static void spread_group(const Ctx *ctx, const Conv *v, int64_t group, int64_t c, int64_t c1,
                         Scratch *s)
{
    const Windows *g = &v->g;
    const int64_t rs = g->r * g->s, hw = g->h * g->w;

    for (int64_t strip = 0; strip < v->t.strips; strip++) {
        const Tile tile = tile_at(g, &v->t, group, strip);

        for (int64_t i = tile.image; strip == 0 && i < tile.image + tile.images; i++)
            memset(v->dx + i * g->chw + c * hw, 0, (size_t)((c1 - c) * hw) * sizeof(double));
        spread_tile(ctx, v, &tile, c * rs, c1 * rs, s);
    }
}

static ml_status spread_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Conv *v = arg;
    ml_status st = ML_OK;
    Scratch s;

    TRY(scratch_new(ctx, v, v->cut * v->g.r * v->g.s, &s));
    for (int64_t unit = lo; unit < hi && st == ML_OK; unit++) {
        const int64_t c = unit % v->cuts * v->cut;

        spread_group(ctx, v, unit / v->cuts, c, nn_min(c + v->cut, v->g.c), &s);
        st = check_cancel(ctx);
    }
    scratch_free(ctx, v, &s);
    return st;
}

/* ---- gradient of the filters ---- */

static void gather_tile(const Ctx *ctx, const Conv *v, const Tile *tile, int64_t lo, int64_t hi,
                        bool add, double *to, Scratch *s)
{
    const Windows *g = &v->g;
    const TileResult r = tile_result_load(g, tile, v->out, s->result);
    const Columns b = columns_from_images(g, tile, images_of(v, tile, s), lo, hi, s->columns);

    gemm(ctx, &(Gemm){.m = g->k,
                      .n = hi - lo,
                      .k = tile->cols,
                      .a = r.cells,
                      .b = b.cells,
                      .a_row = r.ld,
                      .a_col = 1,
                      .b_row = 1,
                      .b_col = b.ld,
                      .c = to + lo,
                      .ldc = g->crs,
                      .add = add});
}

static ml_status gather_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Conv *v = arg;
    const int64_t tiles = v->t.groups * v->t.strips;
    ml_status st = ML_OK;
    Scratch s;

    TRY(scratch_new(ctx, v, v->cut, &s));
    for (int64_t unit = lo; unit < hi && st == ML_OK; unit++) {
        const int64_t cell = unit % v->cuts * v->cut, slice = unit / v->cuts;
        const int64_t first = slice * v->slice, end = nn_min(first + v->slice, tiles);
        double *to = v->slices > 1 ? v->partials + slice * v->g.k * v->g.crs : v->w;

        for (int64_t k = first; k < end; k++) {
            const Tile tile = tile_at(&v->g, &v->t, k / v->t.strips, k % v->t.strips);

            gather_tile(ctx, v, &tile, cell, nn_min(cell + v->cut, v->g.crs), k > first, to, &s);
        }
        st = check_cancel(ctx);
    }
    scratch_free(ctx, v, &s);
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

typedef enum Part { IMAGES, FILTERS, RESULTS, PARTS } Part;

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

static ml_status read_part(Ctx *ctx, const OpCall *call, int k, const Windows *g, Part part,
                           Matrix **out)
{
    const Shape s = shape_of(g, part);

    if (part == IMAGES) /* unpacked a tile at a time */
        return nn_shaped(ctx, call, k, s.rows, s.cols, s.by, out);
    return nn_operand(ctx, call, k, s.rows, s.cols, s.by, out);
}

/* No images: gradients of filters are zeros. */
static ml_status new_part(Ctx *ctx, const Windows *g, Part part, Matrix **out)
{
    const Shape s = shape_of(g, part);

    if (g->n == 0)
        return matrix_new_zero(ctx, s.rows, s.cols, out);
    return matrix_new_dense(ctx, s.rows, s.cols, out);
}

/* Operands 0 and 1 are the parts a and b, the result is the part c. */
static ml_status conv(Ctx *ctx, OpCall *call, Part a, Part b, Part c,
                      ml_status (*run)(Ctx *, Conv *))
{
    Matrix *part[PARTS] = {NULL};
    Conv v = {0};
    ml_status st;

    TRY(nn_windows(ctx, call, 2, true, &v.g));
    TRY(read_part(ctx, call, 0, &v.g, a, &part[a]));
    TRY_TO(done, st = read_part(ctx, call, 1, &v.g, b, &part[b]));
    TRY_TO(done, st = new_part(ctx, &v.g, c, &part[c]));
    v.t = tiling_of(&v.g);
    v.x = c == IMAGES ? NULL : part[IMAGES];
    v.dx = part[IMAGES]->values, v.w = part[FILTERS]->values, v.out = part[RESULTS]->values;
    if (v.g.n > 0)
        TRY_TO(done, st = run(ctx, &v));
    st = result_matrix(ctx, call, 0, part[c], -1);
    part[c] = NULL;
done:
    for (int k = 0; k < PARTS; k++)
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
