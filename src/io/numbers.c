/* From the numbers of other programs to cells: see numbers.h.
 *
 * Numbers of the other byte order are turned piece by piece into a small buffer first. Whole
 * matrices are converted in parallel by tiles; what lies column by column is transposed in tiles
 * that fit the first cache.
 */
#include "io/numbers.h"

enum {
    PIECE = 512,
    COUNTED = 2048,
    TILE_COLS = 8,
    ROWS_PER_TASK = 4096,
    MAP_FROM = 1 << 20 /* bytes; smaller files are copied and give their mapping back */
};

#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define T double
#define NAME f8
#include "io/numbers.tmpl.h"
#define T float
#define NAME f4
#include "io/numbers.tmpl.h"
#define T int8_t
#define NAME i1
#include "io/numbers.tmpl.h"
#define T int16_t
#define NAME i2
#include "io/numbers.tmpl.h"
#define T int32_t
#define NAME i4
#include "io/numbers.tmpl.h"
#define T int64_t
#define NAME i8
#include "io/numbers.tmpl.h"
#define T uint8_t
#define NAME u1
#include "io/numbers.tmpl.h"
#define T uint16_t
#define NAME u2
#include "io/numbers.tmpl.h"
#define T uint32_t
#define NAME u4
#include "io/numbers.tmpl.h"
#define T uint64_t
#define NAME u8
#include "io/numbers.tmpl.h"

static double half_value(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits >> 15 ? -1 : 1;

    if (exponent == 31)
        return fraction ? (double)__builtin_nan("") : sign * (double)__builtin_inf();
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static void doubles_of_f2(const char *from, size_t stride, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++) {
        uint16_t bits;

        memcpy(&bits, from + (size_t)i * stride, sizeof bits);
        to[i] = half_value(bits);
    }
}

static void doubles_of_b1(const char *from, size_t stride, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = from[(size_t)i * stride] != 0;
}

static const struct {
    char kind;
    uint8_t size;
    FrameType column;
    void (*doubles)(const char *from, size_t stride, int64_t n, double *to);
} types[] = {
    {'f', 8, FT_FP64, doubles_of_f8},  {'f', 4, FT_FP32, doubles_of_f4},
    {'f', 2, FT_FP32, doubles_of_f2},  {'i', 8, FT_INT64, doubles_of_i8},
    {'i', 4, FT_INT32, doubles_of_i4}, {'i', 2, FT_INT32, doubles_of_i2},
    {'i', 1, FT_INT32, doubles_of_i1}, {'u', 8, FT_INT64, doubles_of_u8},
    {'u', 4, FT_INT64, doubles_of_u4}, {'u', 2, FT_INT32, doubles_of_u2},
    {'u', 1, FT_UINT8, doubles_of_u1}, {'b', 1, FT_BOOLEAN, doubles_of_b1},
};
enum { TYPES = sizeof types / sizeof *types };

/* TYPES if there is none. */
static int find(NumberType t)
{
    int i = 0;

    while (i < TYPES && (types[i].kind != t.kind || types[i].size != t.size))
        i++;
    return i;
}

bool number_type_known(NumberType t)
{
    return find(t) < TYPES;
}

FrameType number_frame_type(NumberType t)
{
    return types[find(t)].column;
}

/* Numbers one after the other in the byte order of this machine. */
static void turn(size_t size, const char *from, size_t stride, int64_t n, char *to)
{
    for (int64_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++)
            to[(size_t)i * size + k] = from[(size_t)i * stride + size - 1 - k];
}

void numbers_to_doubles(NumberType t, const char *from, size_t stride, int64_t n, double *to)
{
    const int type = find(t);
    char turned[PIECE * 8];

    if (!t.swapped || t.size == 1) {
        types[type].doubles(from, stride, n, to);
        return;
    }
    for (int64_t i = 0; i < n; i += PIECE) {
        const int64_t some = n - i < PIECE ? n - i : PIECE;

        turn(t.size, from + (size_t)i * stride, stride, some, turned);
        types[type].doubles(turned, t.size, some, to + i);
    }
}

/* A cache full at a time, so that counting reads no memory. */
int64_t numbers_to_cells(NumberType t, const char *from, int64_t n, double *to)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i += COUNTED) {
        const int64_t some = n - i < COUNTED ? n - i : COUNTED;

        numbers_to_doubles(t, from + (size_t)i * t.size, t.size, some, to + i);
        nnz += matrix_count_nnz(to + i, some);
    }
    return nnz;
}

/* ---- matrices ---- */

typedef struct MatrixJob {
    NumberType t;
    const char *from;
    int64_t rows, cols;
    double *to;
    atomic_int_fast64_t nnz; /* integers: the same in any order */
} MatrixJob;

static ml_status convert_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    MatrixJob *j = arg;
    int64_t nnz;

    TRY(check_cancel(ctx));
    nnz = numbers_to_cells(j->t, j->from + (size_t)(lo * j->cols) * j->t.size, (hi - lo) * j->cols,
                           j->to + lo * j->cols);
    atomic_fetch_add_explicit(&j->nnz, nnz, memory_order_relaxed); /* task_for orders it */
    return ML_OK;
}

static void convert_tile(const MatrixJob *j, int64_t row, int64_t rows, int64_t col, int64_t cols)
{
    double tile[TILE_COLS][PIECE];

    for (int64_t c = 0; c < cols; c++)
        numbers_to_doubles(j->t, j->from + (size_t)((col + c) * j->rows + row) * j->t.size,
                           j->t.size, rows, tile[c]);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            j->to[(row + r) * j->cols + col + c] = tile[c][r];
}

static ml_status convert_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const MatrixJob *j = arg;

    for (int64_t row = lo; row < hi; row += PIECE) {
        TRY(check_cancel(ctx));
        for (int64_t col = 0; col < j->cols; col += TILE_COLS)
            convert_tile(j, row, hi - row < PIECE ? hi - row : PIECE, col,
                         j->cols - col < TILE_COLS ? j->cols - col : TILE_COLS);
    }
    return ML_OK;
}

ml_status numbers_to_matrix(Ctx *ctx, NumberType t, const char *from, bool by_column, int64_t rows,
                            int64_t cols, Matrix **out)
{
    MatrixJob j = {.t = t, .from = from, .rows = rows, .cols = cols};

    TRY(matrix_new_dense(ctx, rows, cols, out));
    j.to = (*out)->values;
    if (by_column && rows > 1 && cols > 1)
        return task_for(ctx, rows, ROWS_PER_TASK, convert_columns, &j);
    TRY(task_for(ctx, rows, task_grain(cols), convert_rows, &j));
    (*out)->nnz = atomic_load_explicit(&j.nnz, memory_order_relaxed);
    return ML_OK;
}

ml_status numbers_of_file(Ctx *ctx, InputFile *f, NumberType t, const char *from, bool by_column,
                          int64_t rows, int64_t cols, Matrix **out)
{
    void *mapping = f->mapping;

    if (!mapping || f->unpacked || t.kind != 'f' || t.size != sizeof(double) || t.swapped ||
        (by_column && cols != 1) || rows * cols < MAP_FROM / (int64_t)sizeof(double) ||
        (uintptr_t)from % 64 != 0)
        return numbers_to_matrix(ctx, t, from, by_column, rows, cols, out);
    f->mapping = NULL;
    return matrix_new_mapped(ctx, rows, cols, (double *)(uintptr_t)from, mapping, f->size, out);
}
