/* The loop of one of sin, cos and tan, OP its name: blocks of near angles run as vectors, others
 * cell by cell. */
static int64_t CELLS_NAME(OP, near)(const double *x, double *out, int64_t n)
{
    int64_t nnz = 0;

#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        const double r = CELLS_NAME(CELLS_NAME(cell, OP), near)(x[i]);

        out[i] = r;
        nnz += cell_bits(r) << 1 != 0;
    }
    return nnz;
}

static int64_t CELLS_NAME(OP, far)(const double *x, double *out, int64_t n)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++) {
        out[i] = CELLS_NAME(cell, OP)(x[i]);
        nnz += out[i] != 0;
    }
    return nnz;
}

static int64_t CELLS_NAME(OP, unary)(const double *x, double *out, int64_t n)
{
    int64_t nnz = 0, m;

    for (int64_t at = 0; at < n; at += m) {
        m = n - at < BLOCK ? n - at : BLOCK;
        nnz += all_near(x + at, m) ? CELLS_NAME(OP, near)(x + at, out + at, m)
                                   : CELLS_NAME(OP, far)(x + at, out + at, m);
    }
    return nnz;
}

#undef OP
