/* fold_pick: folds whose accumulator is one number, a = PICK(a, x).
 *
 * Defined by the includer: PICK_NAME(part) and PICK(a, x), associative but for rounding.  Both
 * undefined at the end. */

static void PICK_NAME(run)(const double *x, int64_t n, double shift, Sum2 *acc)
{
    double lanes[FOLD_LANES];
    int64_t i = 0;

    (void)shift;
    for (int k = 0; k < FOLD_LANES; k++)
        lanes[k] = acc->s;
    for (; i + FOLD_LANES <= n; i += FOLD_LANES)
        for (int k = 0; k < FOLD_LANES; k++)
            lanes[k] = PICK(lanes[k], x[i + k]);
    for (int k = 0; i < n; i++, k++)
        lanes[k] = PICK(lanes[k], x[i]);
    for (int k = 0; k < FOLD_LANES; k++)
        acc->s = PICK(acc->s, lanes[k]);
}

static void PICK_NAME(down)(const double *x, int64_t rows, int64_t cols, int64_t stride,
                            const double *shift, double *s, double *c)
{
    (void)shift;
    (void)c;
    for (int64_t i = 0; i < rows; i++) {
        const double *restrict row = x + i * stride;

        for (int64_t j = 0; j < cols; j++)
            s[j] = PICK(s[j], row[j]);
    }
}

static void PICK_NAME(merge)(Sum2 *acc, Sum2 part)
{
    acc->s = PICK(acc->s, part.s);
}

#undef PICK_NAME
#undef PICK
