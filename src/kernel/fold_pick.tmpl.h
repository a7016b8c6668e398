/* fold_pick: folds whose accumulator is one number, a = PICK(a, x).
 *
 * Defined by the includer: PICK_NAME(part) and PICK(a, x), associative but for rounding, which may
 * lose a NaN x but keeps a NaN a.  Both are undefined at the end. */

/* NaN are counted aside, so that PICK compiles to one instruction without a branch. */
static void PICK_NAME(run)(const double *x, int64_t n, double shift, Sum2 *acc)
{
    double lanes[FOLD_LANES];
    int64_t odd[FOLD_LANES] = {0}, any = 0, i = 0;
    /* Another tile follows a full one, mostly. */
    const double *last = n >= FOLD_TILE ? x + n + AHEAD_GROUP / sizeof *x : NULL;

    (void)shift;
    for (int k = 0; k < FOLD_LANES; k++)
        lanes[k] = acc->s;
    for (; i + FOLD_LANES <= n; i += FOLD_LANES) {
        double next[FOLD_LANES];

        if (last)
            read_ahead(x + i, x + i + FOLD_LANES, last);
        for (int k = 0; k < FOLD_LANES; k++) {
            next[k] = PICK(lanes[k], x[i + k]);
            odd[k] |= x[i + k] != x[i + k];
        }
        __builtin_memcpy(lanes, next, sizeof lanes);
    }
    for (int k = 0; i < n; i++, k++) {
        lanes[k] = PICK(lanes[k], x[i]);
        any |= x[i] != x[i];
    }
    for (int k = 0; k < FOLD_LANES; k++) {
        acc->s = PICK(acc->s, lanes[k]);
        any |= odd[k];
    }
    if (any)
        acc->s = NAN;
}

static void PICK_NAME(down)(const double *x, int64_t rows, int64_t cols, int64_t stride,
                            const double *shift, double *restrict s, double *c)
{
    const bool pays = stride == cols && (size_t)(rows * cols) * sizeof *x >= AHEAD_LEAST;
    const double *last = pays ? x + rows * cols : NULL;

    (void)shift;
    (void)c;
    for (int64_t i = 0; i < rows; i++) {
        const double *row = x + i * stride;

        if (last)
            read_ahead(row, row + cols, last);
        for (int64_t j = 0; j < cols; j++)
            s[j] = row[j] != row[j] ? row[j] : PICK(s[j], row[j]);
    }
}

static void PICK_NAME(merge)(Sum2 *acc, Sum2 part)
{
    acc->s = part.s != part.s ? part.s : PICK(acc->s, part.s);
}

#undef PICK_NAME
#undef PICK
