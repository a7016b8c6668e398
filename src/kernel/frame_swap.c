/* frame_swap: valueSwap, cells that stand in each other's column put right.
 *
 * A cell that does not look like its column's type in the schema trades places with a cell of its
 * row when both fit afterwards: with one that does not fit either, else with one that does; of
 * several with the leftmost.  Missing cells, and columns of other types than STRING, which can hold
 * nothing else, stay.  Rows are taken one by one, from left to right, so that a cycle of cells
 * unwinds.  Costs a look at every cell, and at its whole row for one that does not fit. */
#include "kernel/frame.h"

typedef struct Swapping {
    const Frame *frame;
    FrameType *types;
    int64_t *from; /* the column whose cell goes into this one */
    TextColumnBuilder *columns;
} Swapping;

static bool takes_part(const Swapping *s, int64_t col)
{
    return s->frame->columns[col]->type == FT_STRING;
}

/* Whether the cell that now stands in column `col` would fit column `in`; missing cells never. */
static bool fits(const Swapping *s, int64_t row, int64_t col, int64_t in)
{
    size_t size = 0;
    const char *text = frame_cell_text(s->frame->columns[s->from[col]], row, NULL, &size);

    return text && frame_text_fits(text, size, s->types[in]);
}

static bool is_missing(const Swapping *s, int64_t row, int64_t col)
{
    size_t size = 0;

    return !frame_cell_text(s->frame->columns[s->from[col]], row, NULL, &size) || size == 0;
}

/* The column to trade with, -1 for none. */
static int64_t partner(const Swapping *s, int64_t row, int64_t col)
{
    int64_t found = -1;

    for (int64_t k = 0; k < s->frame->cols; k++) {
        if (k == col || !takes_part(s, k) || !fits(s, row, k, col) || !fits(s, row, col, k))
            continue;
        if (!fits(s, row, k, k))
            return k;
        found = found < 0 ? k : found;
    }
    return found;
}

static void swap_row(const Swapping *s, int64_t row)
{
    for (int64_t j = 0; j < s->frame->cols; j++)
        s->from[j] = j;
    for (int64_t j = 0; j < s->frame->cols; j++) {
        int64_t k = -1, from = s->from[j];

        if (takes_part(s, j) && !is_missing(s, row, j) && !fits(s, row, j, j))
            k = partner(s, row, j);
        if (k >= 0) {
            s->from[j] = s->from[k];
            s->from[k] = from;
        }
    }
}

static ml_status put_row(Ctx *ctx, const Swapping *s, int64_t row)
{
    for (int64_t j = 0; j < s->frame->cols; j++) {
        const FrameColumn *c = s->frame->columns[s->from[j]];
        size_t size = 0;
        const char *text = takes_part(s, j) ? frame_cell_text(c, row, NULL, &size) : NULL;

        if (takes_part(s, j) && !text_builder_add(&s->columns[j], text, size))
            return fail_memory(ctx, size);
    }
    return ML_OK;
}

static ml_status finish(Ctx *ctx, OpCall *call, const Swapping *s)
{
    const Frame *f = s->frame;
    FrameColumn **columns = NULL;
    ml_status st = columns_new(ctx, f->cols, &columns);

    for (int64_t j = 0; j < f->cols && st == ML_OK; j++) {
        if (takes_part(s, j))
            st = text_builder_finish(ctx, &s->columns[j], FT_STRING, &columns[j]);
        else
            columns[j] = frame_column_retain(f->columns[j]);
    }
    if (st == ML_OK)
        return result_frame(ctx, call, f->rows, f->cols, columns, f->names);
    columns_free(f->cols, columns);
    return st;
}

static ml_status swap_cells(Ctx *ctx, OpCall *call, const Swapping *s)
{
    for (int64_t j = 0; j < s->frame->cols; j++)
        TRY(frame_schema_type(ctx, call->in[1], j, &s->types[j]));
    for (int64_t i = 0; i < s->frame->rows; i++) {
        swap_row(s, i);
        TRY(put_row(ctx, s, i));
    }
    return finish(ctx, call, s);
}

ml_status ml_k_valueSwap(Ctx *ctx, OpCall *call)
{
    Swapping s = {0};
    ml_status st = ML_OK;
    size_t n;
    Frame *f;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(frame_schema_check(ctx, call, 1, f->cols));
    n = (size_t)f->cols + 1;
    s = (Swapping){.frame = f,
                   .types = mem_calloc(n, sizeof *s.types),
                   .from = mem_calloc(n, sizeof *s.from),
                   .columns = mem_calloc(n, sizeof *s.columns)};
    if (s.types && s.from && s.columns)
        st = swap_cells(ctx, call, &s);
    else
        st = fail_memory(ctx, n * sizeof *s.columns);
    for (int64_t j = 0; s.columns && j < f->cols; j++)
        text_builder_free(&s.columns[j]);
    mem_free(s.types);
    mem_free(s.from);
    mem_free(s.columns);
    return st;
}
