/* Transposing an array of 32-bit cells, 4 x 4 of them at a time in registers. */
#ifndef TRANSPOSE_WORDS_H
#define TRANSPOSE_WORDS_H

#include <stdint.h>
#include <string.h>

enum { TRANSPOSE_SIDE = 4 };

typedef uint32_t Word __attribute__((may_alias)); /* also the bits of a float */
typedef uint32_t FourWords __attribute__((vector_size(16)));

static inline FourWords four_words(const Word *x)
{
    FourWords v;

    memcpy(&v, x, sizeof v);
    return v;
}

static inline void transpose_4x4(const Word *x, int64_t ldx, Word *y, int64_t ldy)
{
    const FourWords a = four_words(x), b = four_words(x + ldx), c = four_words(x + 2 * ldx),
                    d = four_words(x + 3 * ldx);
    const FourWords ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const FourWords cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const FourWords ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const FourWords cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const FourWords rows[] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5),
                              __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                              __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5),
                              __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7)};

    for (int64_t k = 0; k < TRANSPOSE_SIDE; k++)
        memcpy(y + k * ldy, &rows[k], sizeof rows[k]);
}

/* y[j * ldy + i] = x[i * ldx + j] for `rows` i and `cols` j. */
static inline void transpose_words(const Word *x, int64_t ldx, int64_t rows, int64_t cols, Word *y,
                                   int64_t ldy)
{
    const int64_t down = rows - rows % TRANSPOSE_SIDE, wide = cols - cols % TRANSPOSE_SIDE;

    for (int64_t j = 0; j < wide; j += TRANSPOSE_SIDE)
        for (int64_t i = 0; i < down; i += TRANSPOSE_SIDE)
            transpose_4x4(x + i * ldx + j, ldx, y + j * ldy + i, ldy);
    for (int64_t j = 0; j < cols; j++)
        for (int64_t i = j < wide ? down : 0; i < rows; i++)
            y[j * ldy + i] = x[i * ldx + j];
}

#endif
