/* Packing and multiplying of matmult_panels.c for one type of cell.
 *
 * Defined by the includer, undefined at the end: CELL, PANELS_NAME(part), PANELS_OPS, the member of
 * Panels with the loops. */

/* Columns of a panel. */
static int64_t PANELS_NAME(columns)(const Panels *t, int64_t panel)
{
    return min64(t->width, t->n - panel * t->width);
}

static CELL *PANELS_NAME(packed)(const Panels *t, int64_t panel)
{
    return (CELL *)t->packed + panel * t->width * t->inner;
}

static void PANELS_NAME(pack)(const Panels *t, int64_t panel)
{
    const CELL *b = (const CELL *)t->b + t->from * t->b_row + panel * t->width * t->b_col;
    const int64_t width = t->width, cols = PANELS_NAME(columns)(t, panel);
    CELL *out = PANELS_NAME(packed)(t, panel);

    if (cols < width)
        memset(out, 0, (size_t)(t->inner * width) * sizeof *out);
    for (int64_t p = 0; p < t->inner && t->b_col == 1; p++)
        memcpy(out + p * width, b + p * t->b_row, (size_t)cols * sizeof *out);
    for (int64_t j = 0; j < cols && t->b_col != 1; j++)
        for (int64_t p = 0; p < t->inner; p++)
            out[p * width + j] = b[j * t->b_col + p * t->b_row];
}

/* Ask for a part of the next rows of the left factor's slab. */
static void PANELS_NAME(fetch)(const Panels *t, int64_t i, int64_t rows, int64_t part)
{
    const int64_t line = 64 / (int64_t)sizeof(CELL), size = pieces(t->inner, BLOCK_PANELS);
    const CELL *a = (const CELL *)t->a + i * t->lda + t->from + part * size;

    for (int64_t r = 0; r < rows; r++)
        for (int64_t p = 0; p < size; p += line)
            __builtin_prefetch(a + r * t->lda + p, 0, 2);
}

static void PANELS_NAME(multiply)(const Panels *t, int64_t unit)
{
    const int64_t from = unit / t->strips * BLOCK_PANELS,
                  to = min64(from + BLOCK_PANELS, t->panels);
    const int64_t begin = unit % t->strips * t->strip, end = min64(begin + t->strip, t->m);

    for (int64_t i = begin; i < end; i += GROUP) {
        const int64_t rows = min64(GROUP, end - i), next = min64(GROUP, end - i - rows);

        for (int64_t panel = from; panel < to; panel++) {
            PANELS_NAME(fetch)(t, i + rows, next, panel - from);
            t->PANELS_OPS.panel((const CELL *)t->a + i * t->lda + t->from, t->lda, rows, t->inner,
                                PANELS_NAME(packed)(t, panel), PANELS_NAME(columns)(t, panel),
                                t->from > 0, (CELL *)t->c + i * t->n + panel * t->width, t->n);
        }
    }
}

#undef CELL
#undef PANELS_NAME
#undef PANELS_OPS
