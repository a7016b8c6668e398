/* Inner loops on dense cells, for one instruction set; dense.h says what each does.
 *
 * Defined by the file that includes this one: DENSE_OPS, the name of the table; W and VEC, the
 * width and type of a vector register; FMA(a, b, c) = a * b + c on VEC, FMA_EXACT the same, rounded
 * once whatever the machine; TILE_I and TILE_J, rows and registers of a tile of tsmm and few.
 *
 * V8 is 8 cells whatever the machine: the compiler lays it out over one, two or four registers,
 * which keeps the number of lanes and with it the digits. */
#include "kernel/simd/ahead.h"

#pragma GCC diagnostic ignored "-Wpsabi" /* every function that takes a V8 is inlined */

typedef double V8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef double V4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef double V2 __attribute__((vector_size(16), aligned(8), may_alias));
typedef float F8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int64_t M8 __attribute__((vector_size(64)));

#define INLINE __attribute__((always_inline)) static inline

/* Columns in one go of vecmat, so that the sums stay in the first-level cache. */
enum { VECMAT_COLS = 2048 };

INLINE V8 load8(const double *p)
{
    return *(const V8 *)p;
}

INLINE double fold8(V8 s)
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* ---- matrix times vector ---- */

/* The lanes of the last 8 cells that are not part of a full group of 8. */
INLINE M8 tail_mask(int64_t n)
{
    const int64_t rest = n & 7;
    M8 mask;

    for (int64_t l = 0; l < 8; l++)
        mask[l] = l >= 8 - rest ? -1 : 0;
    return mask;
}

INLINE V8 masked8(const double *p, const M8 *mask)
{
    return (V8)((M8)load8(p) & *mask);
}

#define CELL double
#define CELL_NAME(function) function
#define LOAD8(p) load8(p)
#include "kernel/simd/vectors.tmpl.h"

#define CELL float
#define CELL_NAME(function) function##32
#define LOAD8(p) __builtin_convertvector(*(const F8 *)(p), V8)
#include "kernel/simd/vectors.tmpl.h"

static void row_dots(const double *d, const uint32_t *rows, int64_t count, int64_t n,
                     const double *v, double *out)
{
    const M8 mask = tail_mask(n);

    if (n < 8) {
        for (int64_t k = 0; k < count; k++)
            out[k] = dot_short(d + rows[k] * n, v, n);
        return;
    }
    const V8 tail = masked8(v + n - 8, &mask);

    for (int64_t k = 0; k < count; k++)
        out[k] = dot_long(d + rows[k] * n, v, n, &mask, &tail);
}

/* ---- matrix times few columns ---- */

/* `rows` rows of x by njv registers of b.  Always inlined with constant sizes, so that the sums
 * stay in registers. */
INLINE void few_tile(const double *x, int64_t ld, int64_t inner, const double *b, int64_t width,
                     const int rows, const int njv, const double *last, double *c)
{
    VEC sum[TILE_I][TILE_J];

    for (int a = 0; a < rows; a++)
        for (int v = 0; v < njv; v++)
            sum[a][v] = (VEC){0};
    for (int64_t p0 = 0; p0 < inner; p0 += 8) {
        const int64_t p1 = p0 + 8 < inner ? p0 + 8 : inner;

        if (last)
            read_ahead(x + rows * p0, x + rows * p1, last);
        for (int64_t p = p0; p < p1; p++)
            for (int a = 0; a < rows; a++) {
                const VEC one = x[a * ld + p] - (VEC){0};

                for (int v = 0; v < njv; v++)
                    sum[a][v] = FMA_EXACT(one, *(const VEC *)(b + p * width + v * W), sum[a][v]);
            }
    }
    for (int a = 0; a < rows; a++)
        for (int v = 0; v < njv; v++)
            *(VEC *)(c + (a * TILE_J + v) * W) = sum[a][v];
}

/* The columns from j on of a tile of rows, as many as registers hold; how many. */
INLINE int64_t few_columns(const double *x, int64_t ld, int64_t inner, const double *b, int64_t n,
                           int64_t j, const int rows, const double *last, double *c)
{
    const int64_t width = few_width(n), left = (n - j + W - 1) / W;
    const int64_t count = left < TILE_J ? n - j : TILE_J * W < n - j ? TILE_J * W : n - j;
    double cells[TILE_I * TILE_J * W];

    if (left >= TILE_J)
        few_tile(x, ld, inner, b + j, width, rows, TILE_J, last, cells);
    else if (left == 2)
        few_tile(x, ld, inner, b + j, width, rows, 2, last, cells);
    else
        few_tile(x, ld, inner, b + j, width, rows, 1, last, cells);
    for (int a = 0; a < rows; a++)
        for (int64_t k = 0; k < count; k++)
            c[a * n + j + k] = cells[a * TILE_J * W + k];
    return count;
}

static void few(const double *x, int64_t ld, int64_t rows, int64_t inner, const double *b,
                int64_t n, double *c)
{
    const double *last = ahead_last(x, ld, rows, inner);
    int64_t i = 0;

    for (; i + TILE_I <= rows; i += TILE_I)
        for (int64_t j = 0; j < n;)
            j += few_columns(x + i * ld, ld, inner, b, n, j, TILE_I, j ? NULL : last, c + i * n);
    for (; i < rows; i++)
        for (int64_t j = 0; j < n;)
            j += few_columns(x + i * ld, ld, inner, b, n, j, 1, NULL, c + i * n);
}

/* ---- transpose times self ---- */

/* Column j of the panels. */
static inline const double *panel_at(const double *x, int64_t rows, int64_t j)
{
    return x + j / PANEL * PANEL * rows + j % PANEL;
}

/* One tile of the result: TILE_I rows from i, njv registers from column j. Always inlined with
 * constant njv, so that the sums stay in registers. */
INLINE void tsmm_tile(const double *x, int64_t rows, int64_t width, int64_t i, int64_t j,
                      const int njv, double *c)
{
    const double *left = panel_at(x, rows, i), *right[TILE_J];
    VEC sum[TILE_I][TILE_J];

    for (int b = 0; b < njv; b++)
        right[b] = panel_at(x, rows, j + b * W);
    for (int a = 0; a < TILE_I; a++)
        for (int b = 0; b < njv; b++)
            sum[a][b] = *(const VEC *)(c + (i + a) * width + j + b * W);
    for (int64_t r = 0; r < rows; r++) {
        VEC cells[TILE_J];

        for (int b = 0; b < njv; b++)
            cells[b] = *(const VEC *)(right[b] + r * PANEL);
        for (int a = 0; a < TILE_I; a++) {
            const VEC one = left[r * PANEL + a] - (VEC){0};

            for (int b = 0; b < njv; b++)
                sum[a][b] = FMA(one, cells[b], sum[a][b]);
        }
    }
    for (int a = 0; a < TILE_I; a++)
        for (int b = 0; b < njv; b++)
            *(VEC *)(c + (i + a) * width + j + b * W) = sum[a][b];
}

/* PANEL is a multiple of TILE_I and of W, so only the number of registers of the last tiles of a
 * row varies. */
static void tsmm(const double *x, int64_t rows, int64_t width, double *c)
{
    for (int64_t i = 0; i < width; i += TILE_I) {
        int64_t j = i / W * W;

        for (; j + TILE_J * W <= width; j += TILE_J * W)
            tsmm_tile(x, rows, width, i, j, TILE_J, c);
        for (; j + 2 * W <= width; j += 2 * W)
            tsmm_tile(x, rows, width, i, j, 2, c);
        for (; j < width; j += W)
            tsmm_tile(x, rows, width, i, j, 1, c);
    }
}

/* ---- CSR times dense ---- */

#define CELL double
#define CELL_NAME(function) function
#include "kernel/simd/sparse.tmpl.h"

#define CELL float
#define CELL_NAME(function) function##32
#include "kernel/simd/sparse.tmpl.h"

/* ---- whole numbers ---- */

/* The conversion of what does not fit is not defined in C: such cells become 0, as NaN does. */
static int32_t whole(const double *cells, int64_t n, int32_t *out)
{
    int32_t low = INT32_MAX, high = 0;

    for (int64_t i = 0; i < n; i++) {
        const double x = cells[i] < 0x1p31 ? cells[i] : 0;

        out[i] = x >= 1 ? (int32_t)x : 0;
        low = out[i] < low ? out[i] : low;
        high = out[i] > high ? out[i] : high;
    }
    return low >= 1 ? high : 0;
}

/* ---- transpose ---- */

static void transpose_cells(const double *x, int64_t ldx, int64_t rows, int64_t cols, double *y,
                            int64_t ldy)
{
    for (int64_t j = 0; j < cols; j++)
        for (int64_t i = 0; i < rows; i++)
            y[j * ldy + i] = x[i * ldx + j];
}

/* 8 x 8 cells in registers, in three rounds of exchanging halves, quarters and neighbours. */
INLINE void transpose8(const double *x, int64_t ldx, double *y, int64_t ldy)
{
    V8 a[8], b[8];

    for (int k = 0; k < 8; k++)
        a[k] = load8(x + k * ldx);
    for (int k = 0; k < 4; k++) {
        b[k] = __builtin_shufflevector(a[k], a[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        b[k + 4] = __builtin_shufflevector(a[k], a[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int h = 0; h < 8; h += 4)
        for (int k = h; k < h + 2; k++) {
            a[k] = __builtin_shufflevector(b[k], b[k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            a[k + 2] = __builtin_shufflevector(b[k], b[k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int k = 0; k < 8; k += 2) {
        *(V8 *)(y + k * ldy) = __builtin_shufflevector(a[k], a[k + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        *(V8 *)(y + (k + 1) * ldy) =
            __builtin_shufflevector(a[k], a[k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
}

static void transpose(const double *x, int64_t ldx, int64_t rows, int64_t cols, double *y,
                      int64_t ldy)
{
    const int64_t full_rows = rows & ~(int64_t)7, full_cols = cols & ~(int64_t)7;

    for (int64_t j = 0; j < full_cols; j += 8)
        for (int64_t i = 0; i < full_rows; i += 8)
            transpose8(x + i * ldx + j, ldx, y + j * ldy + i, ldy);
    transpose_cells(x + full_cols, ldx, full_rows, cols - full_cols, y + full_cols * ldy, ldy);
    transpose_cells(x + full_rows * ldx, ldx, rows - full_rows, cols, y + full_rows, ldy);
}

/* ---- Fourier transforms ---- */

/* n cells of four runs; d: between quarters of x, s: between runs of y. */
INLINE void butterfly4(int64_t n, int64_t d, int64_t s, const double *restrict xr,
                       const double *restrict xi, double *restrict yr, double *restrict yi,
                       const double w[6])
{
    for (int64_t q = 0; q < n; q++) {
        const double sum_r = xr[q] + xr[q + 2 * d], dif_r = xr[q] - xr[q + 2 * d];
        const double sum_i = xi[q] + xi[q + 2 * d], dif_i = xi[q] - xi[q + 2 * d];
        const double odd_r = xr[q + d] + xr[q + 3 * d], tip_r = xr[q + d] - xr[q + 3 * d];
        const double odd_i = xi[q + d] + xi[q + 3 * d], tip_i = xi[q + d] - xi[q + 3 * d];
        const double r1 = dif_r + tip_i, i1 = dif_i - tip_r;
        const double r2 = sum_r - odd_r, i2 = sum_i - odd_i;
        const double r3 = dif_r - tip_i, i3 = dif_i + tip_r;

        yr[q] = sum_r + odd_r;
        yi[q] = sum_i + odd_i;
        yr[q + s] = r1 * w[0] - i1 * w[1];
        yi[q + s] = r1 * w[1] + i1 * w[0];
        yr[q + 2 * s] = r2 * w[2] - i2 * w[3];
        yi[q + 2 * s] = r2 * w[3] + i2 * w[2];
        yr[q + 3 * s] = r3 * w[4] - i3 * w[5];
        yi[q + 3 * s] = r3 * w[5] + i3 * w[4];
    }
}

static void fourier4(const FourierPass *pass, int64_t lo, int64_t hi)
{
    const double *re = pass->root_re, *im = pass->root_im;
    const int64_t s = pass->s;
    int64_t p = lo / s, q = lo % s, n;

    for (int64_t at = lo; at < hi; at += n, p++, q = 0) {
        const int64_t k = p * pass->turn, to = 4 * p * s + q;
        const double w[6] = {re[k], im[k], re[2 * k], im[2 * k], re[3 * k], im[3 * k]};

        n = s - q < hi - at ? s - q : hi - at;
        butterfly4(n, pass->quarter, s, pass->xr + at, pass->xi + at, pass->yr + to, pass->yi + to,
                   w);
    }
}

const DenseOps DENSE_OPS = {.few = few,
                            .matvec = matvec,
                            .vecmat = vecmat,
                            .chain = chain,
                            .matvec32 = matvec32,
                            .vecmat32 = vecmat32,
                            .chain32 = chain32,
                            .tsmm = tsmm,
                            .csr_matvec = csr_matvec,
                            .gather = gather,
                            .coo = coo,
                            .csr_matvec32 = csr_matvec32,
                            .gather32 = gather32,
                            .coo32 = coo32,
                            .row_dots = row_dots,
                            .whole = whole,
                            .transpose = transpose,
                            .fourier4 = fourier4};
