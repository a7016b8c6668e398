/* Packing and multiplying of matmult_panels.c for one type of cell.
 *
 * Defined by the includer, undefined at the end: CELL, PANELS_NAME(part), PANELS_OPS, the member of
 * Panels with the loops, PANELS_PASS, the type of what these take. */

/* Products [from, from + count) of the slab, of panels [first, last). */
static void PANELS_NAME(pack_right)(const Panels *t, int64_t first, int64_t last, int64_t from,
                                    int64_t count, CELL *out)
{
    const int64_t width = t->width;

    for (int64_t panel = first; panel < last; panel++, out += width * t->inner)
        t->PANELS_OPS.pack_right(
            (const CELL *)t->b + (t->from + from) * t->b_row + panel * width * t->b_col,
            min64(width, t->n - panel * width), t->b_col, count, t->b_row, out + from * width);
}

/* Likewise of groups of rows. */
static void PANELS_NAME(pack_left)(const Panels *t, int64_t first, int64_t last, int64_t from,
                                   int64_t count, CELL *out)
{
    const int64_t height = t->height;

    for (int64_t group = first; group < last; group++, out += height * t->inner)
        t->PANELS_OPS.pack_left(
            (const CELL *)t->a + group * height * t->a_row + (t->from + from) * t->a_col,
            min64(height, t->m - group * height), t->a_row, count, t->a_col, out + from * height);
}

static void PANELS_NAME(pack)(const Panels *t, bool left, int64_t first, int64_t last, void *out)
{
    /* A right factor is read along its rows where these lie cell by cell. */
    const int64_t most = left || t->b_row == 1 ? t->inner : PACK_ROWS;

    for (int64_t from = 0; from < t->inner; from += most) {
        const int64_t count = min64(most, t->inner - from);

        (left ? PANELS_NAME(pack_left) : PANELS_NAME(pack_right))(t, first, last, from, count, out);
    }
}

/* The products of some groups of rows and the panels of a unit, which lie packed at `right`. */
static void PANELS_NAME(pass)(const Panels *t, Unit u, const void *right)
{
    const int64_t i = u.group * t->height, size = t->width * t->inner;
    PANELS_PASS pass = {.rows = min64(u.groups * t->height, t->m - i),
                        .inner = t->inner,
                        .panel = right,
                        .ldc = t->n,
                        .packed = t->left != NULL,
                        .add = t->from > 0};

    if (t->left) {
        pass.a = (const CELL *)(const void *)t->left + i * t->inner;
        pass.row = 1;
        pass.group = t->height * t->inner;
    } else {
        pass.a = (const CELL *)t->a + i * t->a_row + t->from;
        pass.row = t->a_row;
        pass.group = t->height * t->a_row;
    }
    for (int64_t panel = u.panel; panel < u.panel + u.panels; panel++, pass.panel += size) {
        pass.cols = min64(t->width, t->n - panel * t->width);
        pass.c = (CELL *)t->c + i * t->n + panel * t->width;
        pass.next = panel + 1 < t->panels && !t->wide ? pass.panel + size : pass.panel;
        t->PANELS_OPS.tiles(&pass);
    }
}

/* All groups of a unit pass by a panel; few at a time by short ones, so that the result is written
 * along its rows. */
static void PANELS_NAME(multiply)(const Panels *t, Unit u, const void *right)
{
    const int64_t bytes = u.panels * t->width * t->inner * (int64_t)sizeof(CELL);
    const int64_t most = bytes > SHORT_BYTES ? u.groups : SHORT_GROUPS;

    for (int64_t end = u.group + u.groups; u.group < end; u.group += most) {
        u.groups = min64(most, end - u.group);
        PANELS_NAME(pass)(t, u, right);
    }
}

#undef CELL
#undef PANELS_NAME
#undef PANELS_OPS
#undef PANELS_PASS
