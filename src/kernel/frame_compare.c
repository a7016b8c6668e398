/* frame_compare: cell by cell comparison of two frames. */
#include "kernel/frame.h"

#include <string.h>

static bool outcome(FrameCompare what, bool less, bool equal)
{
    switch (what) {
    case FRAME_EQ:
        return equal;
    case FRAME_NE:
        return !equal;
    case FRAME_LT:
        return less;
    case FRAME_LE:
        return less || equal;
    case FRAME_GT:
        return !less && !equal;
    case FRAME_GE:
        return !less;
    }
    return false;
}

/* Numbers as numbers: NaN is not equal to anything and in no order. */
static bool compare_numbers(FrameCompare what, double a, double b)
{
    return a == a && b == b ? outcome(what, a < b, a == b) : what == FRAME_NE;
}

/* Text by its bytes; null equals null and comes before all text. */
static bool compare_texts(FrameCompare what, const char *a, size_t na, const char *b, size_t nb)
{
    int order;

    if (!a || !b)
        return outcome(what, !a && b, !a && !b);
    order = memcmp(a, b, na < nb ? na : nb);
    return outcome(what, order < 0 || (order == 0 && na < nb), order == 0 && na == nb);
}

static ml_status compare_columns(Ctx *ctx, const FrameColumn *a, const FrameColumn *b,
                                 FrameCompare what, FrameColumn **out)
{
    const bool texts = frame_type_is_text(a->type) || frame_type_is_text(b->type);
    FrameColumn *c = NULL;

    TRY(frame_column_new(ctx, FT_BOOLEAN, a->rows, 0, &c));
    for (int64_t i = 0; i < a->rows; i++) {
        if (texts) {
            char abuf[NUM_BUFFER], bbuf[NUM_BUFFER];
            size_t na = 0, nb = 0;
            const char *at = frame_cell_string(a, i, abuf, &na),
                       *bt = frame_cell_string(b, i, bbuf, &nb);

            c->ints[i] = compare_texts(what, at, na, bt, nb);
        } else {
            const double x = a->doubles ? a->doubles[i] : (double)a->ints[i];
            const double y = b->doubles ? b->doubles[i] : (double)b->ints[i];

            c->ints[i] = compare_numbers(what, x, y);
        }
    }
    *out = c;
    return ML_OK;
}

ml_status frame_compare(Ctx *ctx, OpCall *call, FrameCompare what)
{
    FrameColumn **columns = NULL;
    Frame *a, *b;
    ml_status st = ML_OK;

    TRY(call_frame(ctx, call, 0, &a));
    TRY(call_frame(ctx, call, 1, &b));
    if (a->rows != b->rows || a->cols != b->cols)
        return call_shape_error(ctx, call, 0, 1, "frames must have the same shape to be compared");
    TRY(columns_new(ctx, a->cols, &columns));
    for (int64_t j = 0; j < a->cols && st == ML_OK; j++)
        st = compare_columns(ctx, a->columns[j], b->columns[j], what, &columns[j]);
    if (st == ML_OK)
        return result_frame(ctx, call, a->rows, a->cols, columns, NULL);
    columns_free(a->cols, columns);
    return st;
}
