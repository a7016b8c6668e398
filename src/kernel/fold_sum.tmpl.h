/* fold_sum: compensated sums of TERM(x, shift), for one vector width and one term.
 *
 * Defined by the includer: FOLD_NAME(part), FOLD_WIDTH (doubles in a vector: 2, 4 or 8) and
 * TERM(x, m), which must mean the same for scalars and vectors.  FOLD_NAME and TERM are undefined
 * at the end. Lane k of a run takes the cells k, k + 8, k + 16 ... whatever the width is. */

typedef double FOLD_NAME(Vec) __attribute__((vector_size(FOLD_WIDTH * 8)));

enum { FOLD_NAME(VECS) = FOLD_LANES / FOLD_WIDTH };

static inline FOLD_NAME(Vec) FOLD_NAME(load)(const double *p)
{
    FOLD_NAME(Vec) v;

    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline void FOLD_NAME(add)(FOLD_NAME(Vec) * s, FOLD_NAME(Vec) * c, FOLD_NAME(Vec) x)
{
    const FOLD_NAME(Vec) t = *s + x, z = t - *s;

    *c += (*s - (t - z)) + (x - z);
    *s = t;
}

/* Lanes of a run into one: 8, 4, 2, 1. */
static void FOLD_NAME(join)(double *s, double *c, Sum2 *acc)
{
    for (int half = FOLD_LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) {
            Sum2 a = {s[k], c[k]};

            sum2_merge(&a, (Sum2){s[k + half], c[k + half]});
            s[k] = a.s;
            c[k] = a.c;
        }
    *acc = (Sum2){s[0], c[0]};
}

static void FOLD_NAME(run)(const double *x, int64_t n, double shift, Sum2 *acc)
{
    FOLD_NAME(Vec) s[FOLD_NAME(VECS)] = {0}, c[FOLD_NAME(VECS)] = {0};
    double sums[FOLD_LANES], rests[FOLD_LANES];
    const int64_t whole = n - n % FOLD_LANES;
    /* Another tile follows a full one, mostly. */
    const double *last = n >= FOLD_TILE ? x + n + AHEAD_GROUP / sizeof *x : NULL;

    (void)shift;
    for (int64_t i = 0; i < whole; i += FOLD_LANES) {
        if (last)
            read_ahead(x + i, x + i + FOLD_LANES, last);
        for (int k = 0; k < FOLD_NAME(VECS); k++) {
            const FOLD_NAME(Vec) v = FOLD_NAME(load)(x + i + k * FOLD_WIDTH);

            FOLD_NAME(add)(&s[k], &c[k], TERM(v, shift));
        }
    }
    __builtin_memcpy(sums, s, sizeof sums);
    __builtin_memcpy(rests, c, sizeof rests);
    for (int64_t i = whole; i < n; i++) {
        Sum2 lane = {sums[i - whole], rests[i - whole]};

        sum2_add(&lane, TERM(x[i], shift));
        sums[i - whole] = lane.s;
        rests[i - whole] = lane.c;
    }
    FOLD_NAME(join)(sums, rests, acc);
}

/* Four rows at a time, so that s and c are loaded and stored once for them. */
static void FOLD_NAME(down)(const double *x, int64_t rows, int64_t cols, int64_t stride,
                            const double *shift, double *s, double *c)
{
    const int64_t whole = cols - cols % FOLD_WIDTH;
    const bool pays = stride == cols && (size_t)(rows * cols) * sizeof *x >= AHEAD_LEAST;
    const double *last = pays ? x + rows * cols : NULL;

    (void)shift;
    for (int64_t i = 0; i < rows; i += 4) {
        const int64_t upto = rows - i < 4 ? rows : i + 4;

        for (int64_t j = 0; j < whole; j += FOLD_WIDTH) {
            if (last) {
                const double *at = x + i * stride + (upto - i) * j;

                read_ahead(at, at + (upto - i) * FOLD_WIDTH, last);
            }
            FOLD_NAME(Vec) sj = FOLD_NAME(load)(s + j), cj = FOLD_NAME(load)(c + j);
            const FOLD_NAME(Vec) m = shift ? FOLD_NAME(load)(shift + j) : (FOLD_NAME(Vec)){0};

            (void)m;
            for (int64_t r = i; r < upto; r++) {
                const FOLD_NAME(Vec) v = FOLD_NAME(load)(x + r * stride + j);

                FOLD_NAME(add)(&sj, &cj, TERM(v, m));
            }
            __builtin_memcpy(s + j, &sj, sizeof sj);
            __builtin_memcpy(c + j, &cj, sizeof cj);
        }
        for (int64_t j = whole; j < cols; j++) {
            Sum2 a = {s[j], c[j]};

            for (int64_t r = i; r < upto; r++)
                sum2_add(&a, TERM(x[r * stride + j], shift ? shift[j] : 0));
            s[j] = a.s;
            c[j] = a.c;
        }
    }
}

#undef FOLD_NAME
#undef TERM
