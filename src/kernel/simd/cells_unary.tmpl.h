/* The loop of one unary operator, OP the name of its cell function. */
static int64_t CELLS_NAME(OP, unary)(const double *x, double *out, int64_t n)
{
    int64_t nnz = 0;

#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        const double r = CELLS_NAME(cell, OP)(x[i]);

        out[i] = r;
        nnz += cell_bits(r) << 1 != 0;
    }
    return nnz;
}

#undef OP
