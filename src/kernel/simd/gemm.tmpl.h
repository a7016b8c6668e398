/* The loops of gemm.h for one instruction set and one type of cell.
 *
 * Defined by the includer, undefined at the end: CELL; GEMM_VEC, a vector of them, and GEMM_SQUARE,
 * one of TILE_I; GEMM_FMA, the name of the instruction; STAGES(STAGE), which mirror squares:
 * distance of the rows that change lanes, those of the first, those of the second; TILE_I x TILE_J,
 * rows and registers of a tile of the result, whose sums stay in registers; GEMM_NAME(part);
 * GEMM_OPS, the table, its type GEMM_TYPE and GEMM_PASS.
 *
 * A panel stays near while all groups of rows pass by: a step of a tile loads TILE_I cells of the
 * left factor and a row of the panel for TILE_I x TILE_J multiply-adds (Goto and van de Geijn,
 * "Anatomy of high-performance matrix multiplication", ACM TOMS 34, 2008, with the factors' places
 * exchanged). While they do, the next panel comes from the third cache to the second. */

enum { GEMM_NAME(WIDTH) = TILE_J * (int)(sizeof(GEMM_VEC) / sizeof(CELL)) };

/* ---- tiles ---- */

/* sum += a * b, in the register and at the place where it is written: left to itself the compiler
 * moves sums between registers, loads factors early and then spills. */
#define FMA(sum, a, b) __asm__ volatile(GEMM_FMA " %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
/* Likewise addresses. */
#define KEEP_POINTER(p) __asm__("" : "+r"(p))

/* Where the rows of a tile are read: packed, cell p of row i at p * TILE_I + i behind the first,
 * else as they lie, three rows a pointer, for an address takes one register times 1 or 2. */
typedef struct GEMM_NAME(Rows) {
    const CELL *from[3];
    int64_t row;
} GEMM_NAME(Rows);

/* Products p of the inner dimension, from where the pointers are. */
__attribute__((always_inline)) static inline void
GEMM_NAME(add_products)(const GEMM_NAME(Rows) * a, const CELL *panel, const int p, const int rows,
                        const int njv, const bool packed, GEMM_VEC sum[TILE_I][TILE_J])
{
    const int lanes = (int)(sizeof(GEMM_VEC) / sizeof(CELL));
    GEMM_VEC cells[TILE_J];

#pragma GCC unroll 8
    for (int v = 0; v < njv; v++)
        cells[v] = *(const GEMM_VEC *)(panel + p * GEMM_NAME(WIDTH) + v * lanes);
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        const CELL *at = packed ? a->from[0] + p * TILE_I + i : a->from[i / 3] + i % 3 * a->row + p;
        const GEMM_VEC one = *at - (GEMM_VEC){0};

#pragma GCC unroll 8
        for (int v = 0; v < njv; v++)
            FMA(sum[i][v], one, cells[v]);
    }
}

__attribute__((always_inline)) static inline void
GEMM_NAME(advance)(GEMM_NAME(Rows) * a, const int products, const bool packed)
{
#pragma GCC unroll 8
    for (int k = 0; k < 3; k++)
        if (k == 0 || !packed) {
            a->from[k] += packed ? products * TILE_I : products;
            KEEP_POINTER(a->from[k]);
        }
}

/* A tile of `rows` rows whose cells begin at `first`, which go to c, ldc apart.  Always inlined
 * with constant rows, njv and packed.  `next`: `step` cells are asked for with each product. */
__attribute__((always_inline)) static inline void
GEMM_NAME(tile)(const GEMM_PASS *t, const CELL *first, const int rows, const int njv,
                const bool packed, bool add, CELL *c, int64_t ldc, const CELL *next, int64_t step)
{
    const int lanes = (int)(sizeof(GEMM_VEC) / sizeof(CELL));
    const CELL *panel = t->panel;
    GEMM_NAME(Rows) a = {{first, first + 3 * t->row, first + 6 * t->row}, t->row};
    GEMM_VEC sum[TILE_I][TILE_J];
    int64_t p = t->inner;

#pragma GCC unroll 8
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int v = 0; v < njv; v++) {
            __builtin_prefetch(c + i * ldc + v * lanes, 1);
            sum[i][v] = (GEMM_VEC){0};
        }
    for (; p >= PRODUCTS; p -= PRODUCTS) {
#pragma GCC unroll 8
        for (int k = 0; k < PRODUCTS; k++) {
            if (packed)
                __builtin_prefetch(a.from[0] + (AHEAD + k) * TILE_I);
            if (k % 2 == 0) {
                __builtin_prefetch(next, 0, 2);
                next += 2 * step;
                KEEP_POINTER(next);
            }
            GEMM_NAME(add_products)(&a, panel, k, rows, njv, packed, sum);
        }
        GEMM_NAME(advance)(&a, PRODUCTS, packed);
        panel += PRODUCTS * GEMM_NAME(WIDTH);
    }
    for (; p > 0; p--, panel += GEMM_NAME(WIDTH)) {
        GEMM_NAME(add_products)(&a, panel, 0, rows, njv, packed, sum);
        GEMM_NAME(advance)(&a, 1, packed);
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int v = 0; v < njv; v++) {
            GEMM_VEC *to = (GEMM_VEC *)(c + i * ldc + v * lanes);

            if (add)
                sum[i][v] = *to + sum[i][v];
            *to = sum[i][v];
        }
}

/* One instance of each: the compiler keeps sums in registers only where a function has no more. */
#define INSTANCE(PART, ROWS, NJV, PACKED)                                                          \
    __attribute__((noinline)) static void GEMM_NAME(PART)(const GEMM_PASS *t, const CELL *a,       \
                                                          bool add, CELL *c, int64_t ldc,          \
                                                          const CELL *next, int64_t step)          \
    {                                                                                              \
        GEMM_NAME(tile)(t, a, ROWS, NJV, PACKED, add, c, ldc, next, step);                         \
    }
#define TILE(PART, ROWS, NJV)                                                                      \
    INSTANCE(PART##_packed, ROWS, NJV, true)                                                       \
    INSTANCE(PART##_lying, ROWS, NJV, false)                                                       \
    static inline void GEMM_NAME(PART)(const GEMM_PASS *t, const CELL *a, bool add, CELL *c,       \
                                       int64_t ldc, const CELL *next, int64_t step)                \
    {                                                                                              \
        (t->packed ? GEMM_NAME(PART##_packed) : GEMM_NAME(PART##_lying))(t, a, add, c, ldc, next,  \
                                                                         step);                    \
    }
TILE(whole, TILE_I, TILE_J)
TILE(two, TILE_I, 2)
TILE(one, TILE_I, 1)
TILE(half, TILE_I / 2, TILE_J)
TILE(row, 1, TILE_J)
#undef TILE
#undef INSTANCE

/* A tile that the result has only in part is computed aside.  Says how many rows it took. */
static int64_t GEMM_NAME(part)(const GEMM_PASS *t, const CELL *a, int64_t rows, CELL *c)
{
    CELL aside[TILE_I * GEMM_NAME(WIDTH)];
    const int64_t ld = GEMM_NAME(WIDTH);
    int64_t taken = 1;

    if (rows >= TILE_I) {
        GEMM_NAME(whole)(t, a, false, aside, ld, t->panel, 0);
        taken = TILE_I;
    } else if (rows >= TILE_I / 2) {
        GEMM_NAME(half)(t, a, false, aside, ld, t->panel, 0);
        taken = TILE_I / 2;
    } else {
        GEMM_NAME(row)(t, a, false, aside, ld, t->panel, 0);
    }
    for (int64_t i = 0; i < taken; i++)
        for (int64_t j = 0; j < t->cols; j++) {
            CELL *to = c + i * t->ldc + j;

            *to = t->add ? *to + aside[i * ld + j] : aside[i * ld + j];
        }
    return taken;
}

static void GEMM_NAME(tiles)(const GEMM_PASS *t)
{
    const int64_t lanes = (int64_t)(sizeof(GEMM_VEC) / sizeof(CELL)), groups = t->rows / TILE_I,
                  step = groups > 0 ? (GEMM_NAME(WIDTH) + groups - 1) / groups : 0;
    const bool whole = t->cols % lanes == 0;
    const CELL *a = t->a, *next = t->next;
    CELL *c = t->c;

    for (int64_t g = 0; g < groups; g++) {
        if (!whole)
            GEMM_NAME(part)(t, a, TILE_I, c);
        else if (t->cols == GEMM_NAME(WIDTH))
            GEMM_NAME(whole)(t, a, t->add, c, t->ldc, next, step);
        else if (t->cols == 2 * lanes)
            GEMM_NAME(two)(t, a, t->add, c, t->ldc, next, step);
        else
            GEMM_NAME(one)(t, a, t->add, c, t->ldc, next, step);
        a += t->group;
        c += TILE_I * t->ldc;
        next += step * t->inner;
    }
    for (int64_t i = groups * TILE_I; i < t->rows;) {
        const int64_t taken = GEMM_NAME(part)(t, a, t->rows - i, c);

        a += taken * t->row;
        c += taken * t->ldc;
        i += taken;
    }
}

/* ---- packing ---- */

/* Cells of TILE_I lanes each of which lies cell by cell: a square is mirrored, its halves off the
 * diagonal change places, then quarters of each half, down to single cells. */
__attribute__((always_inline)) static inline void
GEMM_NAME(pack_square)(const CELL *from, int64_t lane_step, const int width, CELL *out)
{
#define LANES(...) __VA_ARGS__
#define STAGE(SIZE, UPPER, LOWER)                                                                  \
    _Pragma("GCC unroll 8") for (int i = 0; i < TILE_I; i++) if (!(i & SIZE))                      \
    {                                                                                              \
        const GEMM_SQUARE first = rows[i], second = rows[i + SIZE];                                \
                                                                                                   \
        rows[i] = __builtin_shufflevector(first, second, LANES UPPER);                             \
        rows[i + SIZE] = __builtin_shufflevector(first, second, LANES LOWER);                      \
    }
    GEMM_SQUARE rows[TILE_I];

#pragma GCC unroll 8
    for (int i = 0; i < TILE_I; i++) {
        __builtin_prefetch(from + i * lane_step + SQUARES_AHEAD * TILE_I);
        rows[i] = *(const GEMM_SQUARE *)(from + i * lane_step);
    }
    STAGES(STAGE)
#pragma GCC unroll 8
    for (int p = 0; p < TILE_I; p++)
        *(GEMM_SQUARE *)(out + p * width) = rows[p];
#undef STAGE
#undef LANES
}

/* TILE_I lanes, of which `lanes` are there. */
__attribute__((always_inline)) static inline void
GEMM_NAME(pack_lanes)(const CELL *from, int64_t lanes, int64_t lane_step, int64_t inner,
                      int64_t inner_step, const int width, CELL *out)
{
    int64_t p = 0;

    for (; lanes >= TILE_I && lane_step == 1 && p < inner; p++)
        *(GEMM_SQUARE *)(out + p * width) = *(const GEMM_SQUARE *)(from + p * inner_step);
    for (; lanes >= TILE_I && inner_step == 1 && p + TILE_I <= inner; p += TILE_I)
        GEMM_NAME(pack_square)(from + p, lane_step, width, out + p * width);
    for (; p < inner; p++)
        for (int64_t i = 0; i < TILE_I; i++)
            out[p * width + i] = i < lanes ? from[i * lane_step + p * inner_step] : 0;
}

static void GEMM_NAME(pack_left)(const CELL *from, int64_t lanes, int64_t lane_step, int64_t inner,
                                 int64_t inner_step, CELL *out)
{
    GEMM_NAME(pack_lanes)(from, lanes, lane_step, inner, inner_step, TILE_I, out);
}

/* Whole rows of a panel, some rows before they are needed. */
static void GEMM_NAME(pack_rows)(const CELL *from, int64_t inner, int64_t inner_step, CELL *out)
{
    const int lanes = (int)(sizeof(GEMM_VEC) / sizeof(CELL));

    for (int64_t p = 0; p < inner; p++, from += inner_step, out += GEMM_NAME(WIDTH))
        for (int v = 0; v < TILE_J; v++) {
            __builtin_prefetch(from + ROWS_AHEAD * inner_step + v * lanes);
            *(GEMM_VEC *)(out + v * lanes) = *(const GEMM_VEC *)(from + v * lanes);
        }
}

static void GEMM_NAME(pack_right)(const CELL *from, int64_t lanes, int64_t lane_step, int64_t inner,
                                  int64_t inner_step, CELL *out)
{
    const int64_t width = GEMM_NAME(WIDTH);

    if (lanes == width && lane_step == 1)
        GEMM_NAME(pack_rows)(from, inner, inner_step, out);
    else
        for (int64_t j = 0; j < width; j += TILE_I)
            GEMM_NAME(pack_lanes)
    (j < lanes ? from + j * lane_step : from, lanes - j, lane_step, inner, inner_step,
     GEMM_NAME(WIDTH), out + j);
}

const GEMM_TYPE GEMM_OPS = {.height = TILE_I,
                            .width = GEMM_NAME(WIDTH),
                            .tiles = GEMM_NAME(tiles),
                            .pack_left = GEMM_NAME(pack_left),
                            .pack_right = GEMM_NAME(pack_right)};

#undef KEEP_POINTER
#undef CELL
#undef GEMM_VEC
#undef GEMM_SQUARE
#undef FMA
#undef GEMM_FMA
#undef GEMM_NAME
#undef GEMM_OPS
#undef GEMM_TYPE
#undef GEMM_PASS
