/* frame_compare: cell by cell comparison of two frames.
 *
 * The row's function on numbers decides: texts are compared by giving it their order (-1, 0, 1) and
 * 0. */
#include "kernel/frame.h"

#include <string.h>

/* By bytes; null equals null and comes before all text. */
static double order_of_texts(const char *a, size_t na, const char *b, size_t nb)
{
    int order;

    if (!a || !b)
        return (a != NULL) - (b != NULL);
    order = memcmp(a, b, na < nb ? na : nb);
    return order ? order : (na > nb) - (na < nb);
}

static double compare_cells(const OpInfo *op, const FrameColumn *a, const FrameColumn *b,
                            int64_t row)
{
    char abuf[NUM_BUFFER], bbuf[NUM_BUFFER];
    size_t na = 0, nb = 0;
    const char *at, *bt;

    if (!frame_type_is_text(a->type) && !frame_type_is_text(b->type))
        return op->cell2(column_number(a, row), column_number(b, row));
    at = frame_cell_string(a, row, abuf, &na);
    bt = frame_cell_string(b, row, bbuf, &nb);
    return op->cell2(order_of_texts(at, na, bt, nb), 0);
}

static ml_status compare_columns(Ctx *ctx, const OpInfo *op, const FrameColumn *a,
                                 const FrameColumn *b, FrameColumn **out)
{
    TRY(frame_column_new(ctx, FT_BOOLEAN, a->rows, out));
    for (int64_t i = 0; i < a->rows; i++)
        column_set_int(*out, i, compare_cells(op, a, b, i) != 0);
    return ML_OK;
}

ml_status frame_compare(Ctx *ctx, OpCall *call)
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
        st = compare_columns(ctx, call->op, a->columns[j], b->columns[j], &columns[j]);
    if (st == ML_OK)
        return result_frame(ctx, call, a->rows, a->cols, columns, NULL);
    columns_free(a->cols, columns);
    return st;
}
