/* scan: running folds down the columns of a block.
 *
 * Defined by the includer: SCAN_NAME, and SCAN_STEP(acc, x), which folds x into the Sum2 *acc and
 * gives the running value.  Both are undefined at the end. s[j], c[j] carry the fold of what came
 * before and then of this block; out may be x. */

static void SCAN_NAME(const double *x, int64_t rows, int64_t cols, int64_t stride, double *s,
                      double *c, double *out)
{
    if (cols == 1) {
        Sum2 acc = {s[0], c[0]};

        for (int64_t i = 0; i < rows; i++)
            out[i * stride] = SCAN_STEP(&acc, x[i * stride]);
        return;
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            Sum2 acc = {s[j], c[j]};

            out[i * stride + j] = SCAN_STEP(&acc, x[i * stride + j]);
            s[j] = acc.s;
            c[j] = acc.c;
        }
}

#undef SCAN_NAME
#undef SCAN_STEP
