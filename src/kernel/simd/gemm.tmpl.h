/* The loop of gemm.h for one instruction set and one type of cell.
 *
 * Defined by the includer, undefined at the end: CELL; GEMM_VEC, a vector of them; FMA(a, b, c);
 * TILE_I x TILE_J, rows and registers of a tile of the result, whose sums stay in registers;
 * GEMM_NAME(part); GEMM_OPS, the table, and its type GEMM_TYPE.
 *
 * Eight rows of the left factor fit into the first cache, the panels of the right one come from the
 * second, asked for AHEAD_ROWS before: a row of a panel is loaded once for TILE_I rows of
 * multiply-adds (Goto and van de Geijn,
 * "Anatomy of high-performance matrix multiplication", ACM TOMS 34, 2008, with the factors'
 * places exchanged). */

enum { GEMM_NAME(WIDTH) = TILE_J * (int)(sizeof(GEMM_VEC) / sizeof(CELL)) };

/* Always inlined with constant rows and njv. */
__attribute__((always_inline)) static inline void GEMM_NAME(tile)(const CELL *a, int64_t lda,
                                                                  int64_t inner, const CELL *panel,
                                                                  const int rows, const int njv,
                                                                  bool add, CELL *c, int64_t ldc)
{
    const int lanes = (int)(sizeof(GEMM_VEC) / sizeof(CELL));
    GEMM_VEC sum[TILE_I][TILE_J];

    for (int i = 0; i < rows; i++)
        for (int v = 0; v < njv; v++)
            __builtin_prefetch(c + i * ldc + v * lanes, 1);
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < njv; v++)
            sum[i][v] = (GEMM_VEC){0};
    for (int64_t p = 0; p < inner; p++) {
        const CELL *b = panel + p * GEMM_NAME(WIDTH);
        GEMM_VEC cells[TILE_J];

        for (int v = 0; v < njv; v++) {
            __builtin_prefetch(b + AHEAD_ROWS * GEMM_NAME(WIDTH) + v * lanes);
            cells[v] = *(const GEMM_VEC *)(b + v * lanes);
        }
        for (int i = 0; i < rows; i++) {
            const GEMM_VEC one = a[i * lda + p] - (GEMM_VEC){0};

            for (int v = 0; v < njv; v++)
                sum[i][v] = FMA(one, cells[v], sum[i][v]);
        }
    }
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < njv; v++) {
            GEMM_VEC *to = (GEMM_VEC *)(c + i * ldc + v * lanes);

            if (add)
                sum[i][v] = *to + sum[i][v];
            *to = sum[i][v];
        }
}

/* Tiles that the result has only in part are computed aside. */
__attribute__((always_inline)) static inline void GEMM_NAME(rows)(const CELL *a, int64_t lda,
                                                                  const int rows, int64_t inner,
                                                                  const CELL *panel, int64_t cols,
                                                                  bool add, CELL *c, int64_t ldc)
{
    const int64_t lanes = (int64_t)(sizeof(GEMM_VEC) / sizeof(CELL)),
                  njv = (cols + lanes - 1) / lanes;
    const bool whole = cols % lanes == 0;
    CELL aside[TILE_I * GEMM_NAME(WIDTH)], *to = whole ? c : aside;
    const int64_t ld = whole ? ldc : GEMM_NAME(WIDTH);

    if (njv == TILE_J)
        GEMM_NAME(tile)(a, lda, inner, panel, rows, TILE_J, whole && add, to, ld);
    else if (njv == 2)
        GEMM_NAME(tile)(a, lda, inner, panel, rows, 2, whole && add, to, ld);
    else
        GEMM_NAME(tile)(a, lda, inner, panel, rows, 1, whole && add, to, ld);
    for (int i = 0; i < rows && !whole; i++)
        for (int64_t j = 0; j < cols; j++)
            c[i * ldc + j] = add ? c[i * ldc + j] + aside[i * ld + j] : aside[i * ld + j];
}

static void GEMM_NAME(panel)(const CELL *a, int64_t lda, int64_t rows, int64_t inner,
                             const CELL *panel, int64_t cols, bool add, CELL *c, int64_t ldc)
{
    int64_t i = 0;

    for (; i + TILE_I <= rows; i += TILE_I)
        GEMM_NAME(rows)(a + i * lda, lda, TILE_I, inner, panel, cols, add, c + i * ldc, ldc);
    for (; i < rows; i++)
        GEMM_NAME(rows)(a + i * lda, lda, 1, inner, panel, cols, add, c + i * ldc, ldc);
}

const GEMM_TYPE GEMM_OPS = {.width = GEMM_NAME(WIDTH), .panel = GEMM_NAME(panel)};

#undef CELL
#undef GEMM_VEC
#undef FMA
#undef GEMM_NAME
#undef GEMM_OPS
#undef GEMM_TYPE
