/* Products with vectors, for one type of cell of the matrix; those of vectors are doubles.
 *
 * Defined by the includer, undefined at the end: CELL, CELL_NAME(function), and LOAD8(p), 8 cells
 * as doubles. */

#define MASKED8(p, mask) ((V8)((M8)LOAD8(p) & *(mask)))

static double CELL_NAME(dot_short)(const CELL *x, const double *v, int64_t n)
{
    double s = 0;

    for (int64_t j = 0; j < n; j++)
        s += x[j] * v[j];
    return s;
}

/* n >= 8. The last n % 8 cells are read with those before them, which the mask clears on both
 * sides. */
INLINE double CELL_NAME(dot_long)(const CELL *x, const double *v, int64_t n, const M8 *mask,
                                  const V8 *tail)
{
    V8 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    int64_t j = 0;

    for (; j + 32 <= n; j += 32) {
        s0 += LOAD8(x + j) * load8(v + j);
        s1 += LOAD8(x + j + 8) * load8(v + j + 8);
        s2 += LOAD8(x + j + 16) * load8(v + j + 16);
        s3 += LOAD8(x + j + 24) * load8(v + j + 24);
    }
    for (; j + 8 <= n; j += 8)
        s0 += LOAD8(x + j) * load8(v + j);
    if (j < n)
        s1 += MASKED8(x + n - 8, mask) * *tail;
    return fold8((s0 + s1) + (s2 + s3));
}

/* Where to stop reading ahead in these rows; at once when they have gaps or are few. */
INLINE const CELL *CELL_NAME(ahead_last)(const CELL *x, int64_t ld, int64_t rows, int64_t cols)
{
    const bool pays = ld == cols && (size_t)(rows * cols) * sizeof *x >= AHEAD_LEAST;

    return pays ? x + rows * cols : NULL;
}

static void CELL_NAME(matvec)(const CELL *x, int64_t ld, int64_t rows, int64_t cols,
                              const double *v, double *y, int64_t step)
{
    const CELL *last = CELL_NAME(ahead_last)(x, ld, rows, cols);
    const M8 mask = tail_mask(cols);

    if (cols < 8) {
        for (int64_t i = 0; i < rows; i++)
            y[i * step] = CELL_NAME(dot_short)(x + i * ld, v, cols);
        return;
    }
    const V8 tail = masked8(v + cols - 8, &mask);

    for (int64_t i = 0; i < rows; i++) {
        if (last)
            read_ahead(x + i * ld, x + i * ld + cols, last);
        y[i * step] = CELL_NAME(dot_long)(x + i * ld, v, cols, &mask, &tail);
    }
}

/* ---- vector times matrix ---- */

/* out += four rows, each scaled.  They are read ahead, if at all, one after the other: requests in
 * a bunch would wait for each other. */
INLINE void CELL_NAME(add_rows4)(const CELL *x, int64_t ld, int64_t cols, const double s[4],
                                 double *out, const CELL *last)
{
    const CELL *x1 = x + ld, *x2 = x1 + ld, *x3 = x2 + ld;
    int64_t j = 0;

    for (; j + 8 <= cols; j += 8) {
        V8 sum = load8(out + j);

        if (last)
            read_ahead(x + 4 * j, x + 4 * (j + 8), last);
        sum += LOAD8(x + j) * s[0];
        sum += LOAD8(x1 + j) * s[1];
        sum += LOAD8(x2 + j) * s[2];
        sum += LOAD8(x3 + j) * s[3];
        *(V8 *)(out + j) = sum;
    }
    for (; j < cols; j++)
        out[j] = (((out[j] + x[j] * s[0]) + x1[j] * s[1]) + x2[j] * s[2]) + x3[j] * s[3];
}

static void CELL_NAME(vecmat_strip)(const CELL *x, int64_t ld, int64_t rows, int64_t cols,
                                    const double *w, int64_t step, double *out)
{
    const CELL *last = CELL_NAME(ahead_last)(x, ld, rows, cols);
    int64_t i = 0;

    for (; i + 4 <= rows; i += 4) {
        const double *s = w + i * step;
        const double scale[4] = {s[0], s[step], s[2 * step], s[3 * step]};

        CELL_NAME(add_rows4)(x + i * ld, ld, cols, scale, out, last);
    }
    for (; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            out[j] += x[i * ld + j] * w[i * step];
}

static void CELL_NAME(vecmat)(const CELL *x, int64_t ld, int64_t rows, int64_t cols,
                              const double *w, int64_t step, double *out)
{
    for (int64_t j = 0; j < cols; j += VECMAT_COLS) {
        const int64_t n = cols - j < VECMAT_COLS ? cols - j : VECMAT_COLS;

        CELL_NAME(vecmat_strip)(x + j, ld, rows, n, w, step, out + j);
    }
}

/* ---- the chain t(x) (w * (x v)) ---- */

static void CELL_NAME(chain)(const CELL *x, int64_t rows, int64_t cols, const double *v,
                             const double *w, double *out)
{
    enum { ROWS = 4 };
    const CELL *last = CELL_NAME(ahead_last)(x, cols, rows, cols);
    double scale[ROWS];

    for (int64_t i = 0; i < rows; i += ROWS) {
        const int64_t n = rows - i < ROWS ? rows - i : ROWS;

        for (int64_t r = 0; r < n; r++) {
            const CELL *row = x + (i + r) * cols;

            if (last)
                read_ahead(row, row + cols, last);
            CELL_NAME(matvec)(row, cols, 1, cols, v, scale + r, 1);
            if (w)
                scale[r] *= w[i + r];
        }
        CELL_NAME(vecmat)(x + i * cols, cols, n, cols, scale, 1, out);
    }
}

#undef MASKED8
#undef CELL
#undef CELL_NAME
#undef LOAD8
