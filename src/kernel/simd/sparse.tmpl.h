/* Products of CSR rows with a dense matrix, for one type of cell of the CSR matrix; everything else
 * is doubles.
 *
 * Defined by the includer, undefined at the end: CELL, CELL_NAME(function).
 *
 * The entries are read once, the rows that they name in any order: so it is the entries that are
 * read ahead, a group of 8 at a time, and sums stay in registers, as a load that overlaps a store
 * would wait for it. */

enum { CELL_NAME(ENTRY_GROUP) = 8 };

/* Do so many entries come from memory, rather than from a cache? */
INLINE bool CELL_NAME(entries_ahead)(int64_t n)
{
    return (size_t)n * sizeof(CELL) >= AHEAD_LEAST;
}

INLINE void CELL_NAME(ask_entries)(const CELL *values, const uint32_t *cols)
{
    ahead_line(values);
    ahead_line(cols);
}

INLINE double CELL_NAME(dot_sparse)(const CELL *values, const uint32_t *cols, int64_t n,
                                    const double *x, bool ahead)
{
    double s[8] = {0}, rest = 0;
    int64_t k = 0;

    for (; k + 8 <= n; k += 8) {
        if (ahead)
            CELL_NAME(ask_entries)(values + k, cols + k);
        for (int l = 0; l < 8; l++)
            s[l] += values[k + l] * x[cols[k + l]];
    }
    for (; k < n; k++)
        rest += values[k] * x[cols[k]];
    return (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))) + rest;
}

static void CELL_NAME(csr_matvec)(const CELL *values, const uint32_t *cols, const int64_t *row_ptr,
                                  int64_t rows, const double *x, double *y)
{
    const bool ahead = rows > 0 && CELL_NAME(entries_ahead)(row_ptr[rows] - row_ptr[0]);

    for (int64_t i = 0; i < rows; i++)
        y[i] = CELL_NAME(dot_sparse)(values + row_ptr[i], cols + row_ptr[i],
                                     row_ptr[i + 1] - row_ptr[i], x, ahead);
}

/* The sum of a row in n < 8 columns; n is constant where this is inlined. */
typedef struct CELL_NAME(FewSums) {
    V4 s4;
    V2 s2;
    double s1;
} CELL_NAME(FewSums);

INLINE void CELL_NAME(few_add)(CELL_NAME(FewSums) * s, double value, const double *row, const int n)
{
    if (n & 4)
        s->s4 += *(const V4 *)row * value;
    if (n & 2)
        s->s2 += *(const V2 *)(row + (n & 4)) * value;
    if (n & 1)
        s->s1 += row[n - 1] * value;
}

INLINE void CELL_NAME(few_put)(const CELL_NAME(FewSums) * s, const int n, double *out)
{
    if (n & 4)
        *(V4 *)out = s->s4;
    if (n & 2)
        *(V2 *)(out + (n & 4)) = s->s2;
    if (n & 1)
        out[n - 1] = s->s1;
}

INLINE void CELL_NAME(gather_few)(const CELL *values, const uint32_t *cols, const int64_t *row_ptr,
                                  int64_t rows, const double *d, const int n, double *out)
{
    const bool ahead = rows > 0 && CELL_NAME(entries_ahead)(row_ptr[rows] - row_ptr[0]);

    for (int64_t i = 0; i < rows; i++) {
        const int64_t end = row_ptr[i + 1];
        CELL_NAME(FewSums) s = {{0}, {0}, 0};
        int64_t k = row_ptr[i];

        for (; k + CELL_NAME(ENTRY_GROUP) <= end; k += CELL_NAME(ENTRY_GROUP)) {
            if (ahead)
                CELL_NAME(ask_entries)(values + k, cols + k);
            for (int l = 0; l < CELL_NAME(ENTRY_GROUP); l++)
                CELL_NAME(few_add)(&s, values[k + l], d + (int64_t)cols[k + l] * n, n);
        }
        for (; k < end; k++)
            CELL_NAME(few_add)(&s, values[k], d + (int64_t)cols[k] * n, n);
        CELL_NAME(few_put)(&s, n, out + i * n);
    }
}

/* Groups of 8 columns, the last of them from column `tail` on; their sums stay in registers. */
INLINE void CELL_NAME(gather_groups)(const CELL *values, const uint32_t *cols, int64_t nnz,
                                     const double *d, int64_t n, const int groups, int64_t tail,
                                     double *out)
{
    V8 sum[4] = {{0}, {0}, {0}, {0}};

    for (int64_t k = 0; k < nnz; k++) {
        const double *row = d + cols[k] * n;

        for (int g = 0; g < groups - 1; g++)
            sum[g] += load8(row + 8 * g) * (double)values[k];
        sum[groups - 1] += load8(row + tail) * (double)values[k];
    }
    for (int g = 0; g < groups - 1; g++)
        *(V8 *)(out + 8 * g) = sum[g];
    *(V8 *)(out + tail) = sum[groups - 1];
}

/* 8 columns or more.  The last ones, when not a full group, are computed in a group with some
 * before them, once more. */
static void CELL_NAME(gather_row)(const CELL *values, const uint32_t *cols, int64_t nnz,
                                  const double *d, int64_t n, double *out)
{
    int64_t j = 0;

    for (; j + 32 <= n; j += 32)
        CELL_NAME(gather_groups)(values, cols, nnz, d + j, n, 4, 24, out + j);
    if (n - j > 24 && j + 8 <= n)
        CELL_NAME(gather_groups)(values, cols, nnz, d + j, n, 4, n - j - 8, out + j);
    else if (n - j > 16 && j + 8 <= n)
        CELL_NAME(gather_groups)(values, cols, nnz, d + j, n, 3, n - j - 8, out + j);
    else if (n - j > 8)
        CELL_NAME(gather_groups)(values, cols, nnz, d + j, n, 2, n - j - 8, out + j);
    else if (j < n)
        CELL_NAME(gather_groups)(values, cols, nnz, d + n - 8, n, 1, 0, out + n - 8);
}

static void CELL_NAME(gather)(const CELL *values, const uint32_t *cols, const int64_t *row_ptr,
                              int64_t rows, const double *d, int64_t n, double *out)
{
#define FEW(columns)                                                                               \
    case columns:                                                                                  \
        CELL_NAME(gather_few)(values, cols, row_ptr, rows, d, columns, out);                       \
        return
    switch (n) {
        FEW(1);
        FEW(2);
        FEW(3);
        FEW(4);
        FEW(5);
        FEW(6);
        FEW(7);
    default:
        break;
    }
#undef FEW
    for (int64_t i = 0; i < rows; i++)
        CELL_NAME(gather_row)
    (values + row_ptr[i], cols + row_ptr[i], row_ptr[i + 1] - row_ptr[i], d, n, out + i * n);
}

/* No cell is stored and loaded again in the same row: a load that overlaps a store would wait. */
INLINE void CELL_NAME(coo_row)(double value, const double *d, int64_t n, double *out)
{
    int64_t j = 0;

    for (; j + 8 <= n; j += 8)
        *(V8 *)(out + j) = load8(out + j) + load8(d + j) * value;
    if (n & 4) {
        *(V4 *)(out + j) += *(const V4 *)(d + j) * value;
        j += 4;
    }
    if (n & 2) {
        *(V2 *)(out + j) += *(const V2 *)(d + j) * value;
        j += 2;
    }
    if (n & 1)
        out[j] += d[j] * value;
}

static void CELL_NAME(coo)(const CELL *values, const uint32_t *from, const uint32_t *to,
                           int64_t count, const double *d, int64_t n, double *out)
{
    if (n == 1)
        for (int64_t k = 0; k < count; k++)
            out[to[k]] += values[k] * d[from[k]];
    else
        for (int64_t k = 0; k < count; k++)
            CELL_NAME(coo_row)(values[k], d + from[k] * n, n, out + to[k] * n);
}

#undef CELL
#undef CELL_NAME
