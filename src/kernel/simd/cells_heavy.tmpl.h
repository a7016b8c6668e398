/* The loops of a binary operator OP beside a scalar, for long functions: the scalar is spread over
 * a block and runs as cells do, since what the compiler makes of invariant parts keeps it from
 * vectorizing.  OP_vv is there already. */
static int64_t CELLS_NAME(OP, vs)(const double *x, double y, double *out, int64_t n)
{
    double block[BLOCK];
    int64_t nnz = 0, m;

    spread(block, y);
    for (int64_t at = 0; at < n; at += m) {
        m = n - at < BLOCK ? n - at : BLOCK;
        nnz += CELLS_NAME(OP, vv)(x + at, block, out + at, m);
    }
    return nnz;
}

static int64_t CELLS_NAME(OP, sv)(double x, const double *y, double *out, int64_t n)
{
    double block[BLOCK];
    int64_t nnz = 0, m;

    spread(block, x);
    for (int64_t at = 0; at < n; at += m) {
        m = n - at < BLOCK ? n - at : BLOCK;
        nnz += CELLS_NAME(OP, vv)(block, y + at, out + at, m);
    }
    return nnz;
}

#undef OP
