/* Products of dense matrices.
 *
 * Four ways: narrow sides and few columns, which memory bounds, go to matmult_narrow.c; large
 * products whose left factor is not transposed to matmult_panels.c; small ones to the plain loops;
 * the rest to OpenBLAS, one single-threaded call for each tile of the result.  The tiles follow
 * from the sizes alone: strips of rows as wide as the result, since wide tiles are what dgemm is
 * fastest on; where that makes few of them they are cut. Where the result has too few cells to be
 * divided, the inner dimension is, and the partial results are added in order.
 *
 * dgemm copies its operands into panels, anew in each call, so strips are better joined: then the
 * threads decide how many there are.  This keeps the digits: dgemm adds up each result in the order
 * of the inner dimension, by a kernel that the position of its row within a group decides and, for
 * the last rows, their number; strips are whole groups.  Products as small as it has a different
 * method for are not divided.
 *
 * FP32 factors take the same ways.  Small ones and narrow ones become FP64 before; tiles are those
 * of sgemm, and a sum longer than SINGLE_SUM is added up in doubles. */
#include "kernel/blas.h"
#include "kernel/matmult.h"

#include <limits.h>
#include <string.h>

enum {
    NARROW = 4,           /* vectors that are cheaper one by one */
    SMALL_WORK = 1 << 14, /* multiplications: calling BLAS costs more than it saves */
    STRIP_ROWS = 192,
    TILE_COLS = 4096,
    TILES = 8, /* fewer: cut the columns */
    TILE_MIN = 96,
    GROUP_ROWS = 24,       /* a multiple of the rows that any kernel of dgemm takes at once */
    JOINED_ROWS = 1024,    /* of joined strips, at most */
    JOINED_WORK = 1 << 22, /* multiplications of one, at least */
    SINGLE_SUM = 256,      /* products that are added up in FP32, at most */
    SPLIT_MIN = 1024,      /* of the inner dimension */
    SPLIT_CELLS = 1 << 22  /* of partial results together */
};
static const double TILE_WORK =
    1 << 26; /* multiplications that a tile has at least when it is halved */

static int64_t pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

/* ---- tiles ---- */

typedef struct Tiles {
    Gemm g;                           /* the whole product; c is not used when splits > 1 */
    const float *single_a, *single_b; /* instead of those of g */
    float *single_c;
    bool ta, tb, triangle; /* triangle: strips begin at the diagonal */
    int64_t lda, ldb;
    int64_t tile_rows, tile_cols, split; /* sizes of a piece */
    int64_t down, across, splits;        /* numbers of them */
    double *partials;
    const Blas *blas;
} Tiles;

/* Even pieces of at most `size`. */
static int64_t even(int64_t n, int64_t size)
{
    return pieces(n, pieces(n, size));
}

static void choose_tiles(Tiles *t)
{
    const Gemm *g = &t->g;
    const int64_t strips = (g->m + STRIP_ROWS / 2) / STRIP_ROWS;
    int64_t cols = min64(TILE_COLS, g->n);

    t->tile_rows = pieces(g->m, strips > 1 ? strips : 1);
    t->down = pieces(g->m, t->tile_rows);
    while (t->down * pieces(g->n, cols) < TILES && cols >= 2 * TILE_MIN &&
           (double)t->tile_rows * (double)cols * (double)g->k > 2 * TILE_WORK)
        cols = (cols + 1) / 2;
    t->tile_cols = t->triangle ? g->n : even(g->n, cols);
    t->across = pieces(g->n, t->tile_cols);
}

static void choose_split(Tiles *t)
{
    const Gemm *g = &t->g;
    int64_t splits = pieces(TILES, t->down * t->across);

    splits = min64(splits, g->k / SPLIT_MIN);
    splits = min64(splits, SPLIT_CELLS / (g->m * g->n));
    t->split = pieces(g->k, splits > 1 ? splits : 1);
    t->splits = pieces(g->k, t->split);
}

/* One strip a thread, or several when they are long.  Long sums of singles stay: their last piece
 * may be small. */
static void join_strips(Tiles *t, int threads)
{
    const Gemm *g = &t->g;
    const bool pieced = t->splits > 1 || (t->single_c && g->k > SINGLE_SUM);
    const int64_t cols = even(g->n, TILE_COLS), least = JOINED_WORK / (cols * g->k) + GROUP_ROWS;
    const int64_t down = min64(threads * pieces(g->m, threads * JOINED_ROWS), g->m / least);

    if (pieced || t->triangle || g->m < STRIP_ROWS)
        return;
    t->tile_cols = cols;
    t->across = pieces(g->n, cols);
    t->down = down > 1 ? down : 1;
    t->tile_rows = g->m / t->down / GROUP_ROWS * GROUP_ROWS;
}

/* Where a piece begins in the factors and in the result. */
typedef struct Place {
    int64_t a, b, c;
} Place;

/* The piece of the product that a unit computes; its pointers are those of the whole.  The last
 * strip takes all rows that are left. */
static Gemm tile_of(const Tiles *t, int64_t unit, Place *at)
{
    Gemm g = t->g;
    const int64_t s = unit % t->splits, tile = unit / t->splits;
    const int64_t i = tile / t->across * t->tile_rows;
    const int64_t j = t->triangle ? i : tile % t->across * t->tile_cols;
    const int64_t p = s * t->split;

    if (t->splits > 1)
        g.c = t->partials + s * g.m * g.n;
    *at = (Place){i * g.a_row + p * g.a_col, p * g.b_row + j * g.b_col, i * g.ldc + j};
    g.m = tile / t->across == t->down - 1 ? g.m - i : t->tile_rows;
    g.n = min64(t->tile_cols, g.n - j);
    g.k = min64(t->split, g.k - p);
    return g;
}

/* By columns the operands change places: t(c) = op(t(b)) op(t(a)). */
static void gemm_blas(const Tiles *t, const Gemm *g)
{
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k;
    const int lda = (int)t->lda, ldb = (int)t->ldb, ldc = (int)g->ldc;
    const double one = 1, beta = g->add;

    t->blas->dgemm(t->tb ? "T" : "N", t->ta ? "T" : "N", &n, &m, &k, &one, g->b, &ldb, g->a, &lda,
                   &beta, g->c, &ldc);
}

/* Products [p, p + k) of the sums of a piece into c. */
static void gemm_single(const Tiles *t, const Gemm *g, Place at, int64_t p, int64_t size, float *c,
                        int64_t row)
{
    const int m = (int)g->m, n = (int)g->n, k = (int)size;
    const int lda = (int)t->lda, ldb = (int)t->ldb, ldc = (int)row;
    const float one = 1, zero = 0;

    t->blas->sgemm(t->tb ? "T" : "N", t->ta ? "T" : "N", &n, &m, &k, &one,
                   t->single_b + at.b + p * g->b_row, &ldb, t->single_a + at.a + p * g->a_col, &lda,
                   &zero, c, &ldc);
}

static void add_singles(const float *part, int64_t n, bool first, double *sum)
{
    for (int64_t k = 0; k < n; k++)
        sum[k] = first ? part[k] : sum[k] + part[k];
}

/* A piece with long sums, or one that is a partial result. */
static ml_status single_sums(Ctx *ctx, const Tiles *t, const Gemm *g, Place at)
{
    const int64_t cells = g->m * g->n;
    const size_t bytes = (size_t)cells * (sizeof(double) + sizeof(float));
    double *sum = pool_alloc(ctx, bytes);
    float *part = (float *)(void *)(sum + cells);

    if (!sum)
        return ML_ENOMEM;
    for (int64_t p = 0; p < g->k; p += SINGLE_SUM) {
        gemm_single(t, g, at, p, min64(SINGLE_SUM, g->k - p), part, g->n);
        add_singles(part, cells, p == 0, sum);
    }
    for (int64_t i = 0; i < g->m; i++)
        if (t->splits > 1)
            memcpy(g->c + at.c + i * g->ldc, sum + i * g->n, (size_t)g->n * sizeof *sum);
        else
            cells_narrow(sum + i * g->n, t->single_c + at.c + i * g->ldc, g->n);
    pool_release(ctx->pool, sum, bytes);
    return ML_OK;
}

static ml_status single_tile(Ctx *ctx, const Tiles *t, const Gemm *g, Place at)
{
    if (t->splits > 1 || g->k > SINGLE_SUM)
        return single_sums(ctx, t, g, at);
    gemm_single(t, g, at, 0, g->k, t->single_c + at.c, g->ldc);
    return ML_OK;
}

static void double_tile(const Tiles *t, Gemm *g, Place at)
{
    g->a += at.a;
    g->b += at.b;
    g->c += at.c;
    if (t->blas)
        gemm_blas(t, g);
    else
        gemm_plain(g);
}

static ml_status tiles_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Tiles *t = arg;

    for (int64_t unit = lo; unit < hi; unit++) {
        Place at;
        Gemm g = tile_of(t, unit, &at);

        TRY(check_cancel(ctx));
        if (t->single_c)
            TRY(single_tile(ctx, t, &g, at));
        else
            double_tile(t, &g, at);
    }
    return ML_OK;
}

static bool fits_int(const Tiles *t)
{
    return t->lda <= INT_MAX && t->ldb <= INT_MAX && t->g.ldc <= INT_MAX && t->split <= INT_MAX;
}

/* A single row or column has both strides 1: then the one that is as long as BLAS wants decides. */
void gemm(const Ctx *ctx, const Gemm *g)
{
    Tiles t = {.g = *g, .split = g->k};

    t.ta = g->a_col != 1 || g->a_row < g->k;
    t.tb = g->b_col != 1 || g->b_row < g->n;
    t.lda = t.ta ? g->a_col : g->a_row;
    t.ldb = t.tb ? g->b_col : g->b_row;
    if ((double)g->m * (double)g->n * (double)g->k > SMALL_WORK && fits_int(&t))
        t.blas = blas_get(ctx);
    if (t.blas)
        gemm_blas(&t, g);
    else
        gemm_plain(g);
}

static ml_status run_tiles(Ctx *ctx, Tiles *t)
{
    const int64_t cells = t->g.m * t->g.n;
    ml_status st;

    choose_tiles(t);
    choose_split(t);
    join_strips(t, task_threads(ctx));
    t->blas = fits_int(t) ? blas_get(ctx) : NULL;
    if (t->splits > 1)
        TRY(partials_new(ctx, t->splits, cells, &t->partials));
    TRY_TO(done, st = task_for(ctx, t->down * t->across * t->splits, 1, tiles_range, t));
    if (t->splits > 1)
        st = add_partials(ctx, t->partials, t->splits, cells, t->single_c ? t->partials : t->g.c);
    if (st == ML_OK && t->splits > 1 && t->single_c)
        cells_narrow(t->partials, t->single_c, cells);
done:
    partials_free(ctx, t->partials, t->splits, cells);
    return st;
}

/* ---- narrow sides ---- */

/* The vectors as contiguous rows: the factor itself when it is stored so, else a copy. */
static ml_status vectors_as_rows(Ctx *ctx, const Matrix *m, bool rows, double **copy,
                                 const double **v)
{
    const int64_t n = m->rows, k = m->cols;

    *copy = NULL;
    *v = m->values;
    if (rows || k == 1)
        return ML_OK;
    TRY(partials_new(ctx, n, k, copy));
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < k; c++)
            (*copy)[c * n + i] = m->values[i * k + c];
    *v = *copy;
    return ML_OK;
}

/* wide %*% narrow: y(i,c) at y + i * y_row + c * y_vec; `rows` says that the vectors are the rows
 * of `narrow`. */
static ml_status wide_dots(Ctx *ctx, const Matrix *wide, const Matrix *narrow, bool rows,
                           NarrowDots d)
{
    double *copy;

    TRY(vectors_as_rows(ctx, narrow, rows, &copy, &d.v));
    d.x = wide;
    d.rows = wide->rows;
    d.cols = wide->cols;

    const ml_status st = narrow_dots(ctx, &d);

    partials_free(ctx, copy, narrow->rows, narrow->cols);
    return st;
}

static void swap_axes(const double *x, int64_t rows, int64_t cols, double *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            y[j * rows + i] = x[i * cols + j];
}

/* t(wide) %*% narrow, of which `rows` says that the vectors are its rows; the result by vectors (as
 * rows) or transposed. */
static ml_status wide_sums(Ctx *ctx, const Matrix *wide, const Matrix *narrow, bool rows,
                           bool by_vector, double *c)
{
    const int64_t vectors = rows ? narrow->rows : narrow->cols;
    NarrowSums s = {.x = wide,
                    .rows = wide->rows,
                    .cols = wide->cols,
                    .w = narrow->values,
                    .vectors = vectors,
                    .w_row = rows ? 1 : vectors,
                    .w_vec = rows ? wide->rows : 1,
                    .out = c};
    double *flat = NULL;

    if (by_vector || vectors == 1)
        return narrow_sums(ctx, &s);
    TRY(partials_new(ctx, vectors, wide->cols, &flat));
    s.out = flat;

    const ml_status st = narrow_sums(ctx, &s);

    if (st == ML_OK)
        swap_axes(flat, vectors, wide->cols, c);
    partials_free(ctx, flat, vectors, wide->cols);
    return st;
}

/* A factor with few columns on the right. */
static ml_status narrow_right(Ctx *ctx, Factor a, Factor b, double *c)
{
    const int64_t n = factor_cols(b);

    if (a.t)
        return wide_sums(ctx, a.m, b.m, b.t, false, c);
    return wide_dots(ctx, a.m, b.m, b.t,
                     (NarrowDots){.vectors = n, .y = c, .y_row = n, .y_vec = 1});
}

/* A factor with few rows on the left. */
static ml_status narrow_left(Ctx *ctx, Factor a, Factor b, double *c)
{
    const int64_t m = factor_rows(a);

    if (!b.t)
        return wide_sums(ctx, b.m, a.m, !a.t, true, c);
    return wide_dots(ctx, b.m, a.m, !a.t,
                     (NarrowDots){.vectors = m, .y = c, .y_row = 1, .y_vec = b.m->rows});
}

/* ---- the product ---- */

static Tiles whole_product(Factor a, Factor b, double *c)
{
    Tiles t = {.ta = a.t, .tb = b.t, .lda = a.m->cols, .ldb = b.m->cols};

    t.g = (Gemm){.m = factor_rows(a),
                 .n = factor_cols(b),
                 .k = factor_cols(a),
                 .a = a.m->values,
                 .b = b.m->values,
                 .c = c,
                 .ldc = factor_cols(b)};
    t.g.a_row = a.t ? 1 : t.lda;
    t.g.a_col = a.t ? t.lda : 1;
    t.g.b_row = b.t ? 1 : t.ldb;
    t.g.b_col = b.t ? t.ldb : 1;
    return t;
}

static ml_status multiply(Ctx *ctx, Factor a, Factor b, double *c)
{
    Tiles t = whole_product(a, b, c);

    if (t.g.n <= NARROW)
        return narrow_right(ctx, a, b, c);
    if (t.g.m <= NARROW)
        return narrow_left(ctx, a, b, c);
    if ((double)t.g.m * (double)t.g.n * (double)t.g.k <= SMALL_WORK) {
        gemm_plain(&t.g);
        return ML_OK;
    }
    return run_tiles(ctx, &t);
}

ml_status product_triangle(Ctx *ctx, Factor f, double *c)
{
    Tiles t = whole_product(f, (Factor){f.m, !f.t}, c);

    t.triangle = true;
    return run_tiles(ctx, &t);
}

static ml_status product_double(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    Matrix *c = NULL;

    TRY(matrix_new_dense(ctx, factor_rows(a), factor_cols(b), &c));

    const ml_status st = multiply(ctx, a, b, c->values);

    if (st != ML_OK) {
        matrix_release(c);
        return st;
    }
    *out = c;
    return ML_OK;
}

/* ---- FP32 ---- */

static ml_status product_tiles(Ctx *ctx, Tiles *t, Factor a, Factor b, Matrix **out)
{
    ml_status st;

    TRY(matrix_new_dense_of(ctx, CELL_FP32, t->g.m, t->g.n, out));
    t->single_a = a.m->singles;
    t->single_b = b.m->singles;
    t->single_c = (*out)->singles;
    st = run_tiles(ctx, t);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

/* A tall factor and few columns beside it. */
static bool is_few(Factor a, Factor b)
{
    const int64_t m = factor_rows(a), n = factor_cols(b), k = factor_cols(a);

    return !a.t && n > NARROW && narrow_few_pays(a.m->singles, k, n) &&
           (double)m * (double)n * (double)k > SMALL_WORK;
}

static ml_status product_few(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    NarrowFew f = {.x = a.m, .n = factor_cols(b)};
    Matrix *wide;
    ml_status st;

    TRY(matrix_as(ctx, CELL_FP64, b.m, &wide));
    f.b = wide->values;
    f.b_row = b.t ? 1 : wide->cols;
    f.b_col = b.t ? wide->cols : 1;
    st = matrix_new_dense_of(ctx, a.m->singles ? CELL_FP32 : CELL_FP64, a.m->rows, f.n, &f.c);
    if (st == ML_OK && (st = narrow_few(ctx, &f)) != ML_OK)
        matrix_release(f.c);
    matrix_release(wide);
    *out = f.c;
    return st;
}

static ml_status product_own(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    ml_status st;

    TRY(matrix_new_dense_of(ctx, a.m->singles ? CELL_FP32 : CELL_FP64, factor_rows(a),
                            factor_cols(b), out));
    st = product_panels(ctx, a, b, *out);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

/* In FP64 what is not read through tiles: all of a small product, the narrow side of a narrow one.
 */
static ml_status product_single(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    Tiles t = whole_product(a, b, NULL);
    const bool right = t.g.n <= NARROW, left = !right && t.g.m <= NARROW;
    const bool small = (double)t.g.m * (double)t.g.n * (double)t.g.k <= SMALL_WORK;
    Factor x = {NULL, a.t}, y = {NULL, b.t};
    ml_status st;

    t.split = t.g.k;
    if (!right && !left && !small && fits_int(&t) && blas_get(ctx))
        return product_tiles(ctx, &t, a, b, out);
    TRY_TO(done, st = matrix_as(ctx, right ? CELL_FP32 : CELL_FP64, a.m, &x.m));
    TRY_TO(done, st = matrix_as(ctx, left ? CELL_FP32 : CELL_FP64, b.m, &y.m));
    st = product_double(ctx, x, y, out);
done:
    matrix_release(x.m);
    matrix_release(y.m);
    return st;
}

ml_status product_dense(Ctx *ctx, Factor a, Factor b, Matrix **out)
{
    if (is_few(a, b))
        return product_few(ctx, a, b, out);
    if (factor_cols(b) > NARROW && panels_pay(ctx, a, b))
        return product_own(ctx, a, b, out);
    return a.m->singles ? product_single(ctx, a, b, out) : product_double(ctx, a, b, out);
}
