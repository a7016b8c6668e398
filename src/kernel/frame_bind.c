/* frame_bind: frames put together and taken apart.  Whole columns are shared; only ranges of rows
 * are copied. */
#include "kernel/frame.h"

#include <stdio.h>
#include <string.h>

/* ---- side by side ---- */

/* The names of all columns in order, "C1" ... where a frame has none. */
static ml_status gather_names(Ctx *ctx, Frame *const *frames, int n, String **names)
{
    for (int k = 0, at = 0; k < n; k++) {
        for (int64_t j = 0; j < frames[k]->cols; j++, at++) {
            char text[NUM_BUFFER];

            if (frames[k]->names && frames[k]->names[j]) {
                names[at] = string_retain(frames[k]->names[j]);
                continue;
            }
            snprintf(text, sizeof text, "C%" PRId64, j + 1);
            TRY(string_new(ctx, text, strlen(text), &names[at]));
        }
    }
    return ML_OK;
}

static ml_status all_different(Ctx *ctx, String *const *names, int64_t n, bool *different)
{
    Map *seen = map_new();
    bool good = seen != NULL;

    for (int64_t j = 0; j < n && good; j++)
        good = map_put(seen, names[j]->text, (size_t)names[j]->size, j);
    *different = good && map_count(seen) == n;
    map_free(seen);
    return good ? ML_OK : fail_memory(ctx, (size_t)n);
}

static ml_status share_all(Ctx *ctx, Frame *const *frames, int n, int64_t cols, FrameColumn ***out)
{
    TRY(columns_new(ctx, cols, out));
    for (int k = 0, at = 0; k < n; k++)
        for (int64_t j = 0; j < frames[k]->cols; j++)
            (*out)[at++] = frame_column_retain(frames[k]->columns[j]);
    return ML_OK;
}

/* The names stay when all are different, else the result has the default names. */
ml_status frame_cbind(Ctx *ctx, Frame *const *frames, int n, Frame **out)
{
    FrameColumn **columns = NULL;
    String **names;
    bool different = false;
    int64_t cols = 0;
    ml_status st;

    for (int k = 0; k < n; k++)
        cols += frames[k]->cols;
    names = mem_calloc((size_t)cols, sizeof *names);
    if (!names)
        return fail_memory(ctx, (size_t)cols * sizeof *names);
    TRY_TO(done, st = gather_names(ctx, frames, n, names));
    TRY_TO(done, st = all_different(ctx, names, cols, &different));
    TRY_TO(done, st = share_all(ctx, frames, n, cols, &columns));
    st = frame_wrap(ctx, frames[0]->rows, cols, columns, different ? names : NULL, out);
done:
    for (int64_t j = 0; j < cols; j++)
        string_release(names[j]);
    mem_free(names);
    return st;
}

/* ---- one below the other ---- */

static ml_status stack_column(Ctx *ctx, Frame *const *frames, int n, int64_t col, int64_t rows,
                              FrameColumn **out)
{
    FrameType type = frames[0]->columns[col]->type;
    ColumnWriter w;
    ml_status st = ML_OK;

    for (int k = 1; k < n; k++)
        type = frame_type_join(type, frames[k]->columns[col]->type);
    TRY(column_open(ctx, &w, type, rows));
    for (int k = 0; k < n && st == ML_OK; k++)
        st = column_copy(ctx, &w, frames[k]->columns[col], 0, frames[k]->rows);
    if (st == ML_OK)
        return column_close(ctx, &w, out);
    column_discard(&w);
    return st;
}

ml_status frame_rbind(Ctx *ctx, Frame *const *frames, int n, Frame **out)
{
    const int64_t cols = frames[0]->cols;
    FrameColumn **columns = NULL;
    int64_t rows = 0;
    ml_status st = ML_OK;

    for (int k = 0; k < n; k++)
        rows += frames[k]->rows;
    TRY(columns_new(ctx, cols, &columns));
    for (int64_t j = 0; j < cols && st == ML_OK; j++)
        st = frame_name_column(ctx, frames[0], j,
                               stack_column(ctx, frames, n, j, rows, &columns[j]));
    if (st == ML_OK)
        return frame_wrap(ctx, rows, cols, columns, frames[0]->names, out);
    columns_free(cols, columns);
    return st;
}

/* ---- parts ---- */

/* Rows [lo, hi) of a column; the column itself when these are all. */
static ml_status slice_column(Ctx *ctx, FrameColumn *c, int64_t lo, int64_t hi, FrameColumn **out)
{
    ColumnWriter w;
    ml_status st;

    if (lo == 0 && hi == c->rows) {
        *out = frame_column_retain(c);
        return ML_OK;
    }
    TRY(column_open(ctx, &w, c->type, hi - lo));
    st = column_copy(ctx, &w, c, lo, hi);
    if (st == ML_OK)
        return column_close(ctx, &w, out);
    column_discard(&w);
    return st;
}

ml_status frame_index(Ctx *ctx, Frame *f, IndexRange r, Frame **out)
{
    const int64_t cols = r.col_hi - r.col_lo;
    FrameColumn **columns = NULL;
    ml_status st = ML_OK;

    TRY(columns_new(ctx, cols, &columns));
    for (int64_t j = 0; j < cols && st == ML_OK; j++)
        st = slice_column(ctx, f->columns[r.col_lo + j], r.row_lo, r.row_hi, &columns[j]);
    if (st == ML_OK)
        return frame_wrap(ctx, r.row_hi - r.row_lo, cols, columns,
                          f->names ? f->names + r.col_lo : NULL, out);
    columns_free(cols, columns);
    return st;
}

/* Column `old` with the rows of a range replaced; it keeps its type unless all its rows are
 * replaced. */
static ml_status replace_rows(Ctx *ctx, FrameColumn *old, FrameColumn *part, const IndexRange *r,
                              FrameColumn **out)
{
    ColumnWriter w;
    ml_status st;

    if (r->row_lo == 0 && r->row_hi == old->rows) {
        *out = frame_column_retain(part);
        return ML_OK;
    }
    TRY(column_open(ctx, &w, old->type, old->rows));
    TRY_TO(failed, st = column_copy(ctx, &w, old, 0, r->row_lo));
    TRY_TO(failed, st = column_copy(ctx, &w, part, 0, part->rows));
    TRY_TO(failed, st = column_copy(ctx, &w, old, r->row_hi, old->rows));
    return column_close(ctx, &w, out);
failed:
    column_discard(&w);
    return st;
}

ml_status frame_assign(Ctx *ctx, Frame *f, IndexRange r, Frame *value, Frame **out)
{
    FrameColumn **columns = NULL;
    ml_status st = ML_OK;

    TRY(columns_new(ctx, f->cols, &columns));
    for (int64_t j = 0; j < f->cols && st == ML_OK; j++) {
        if (j < r.col_lo || j >= r.col_hi)
            columns[j] = frame_column_retain(f->columns[j]);
        else
            st = frame_name_column(
                ctx, f, j,
                replace_rows(ctx, f->columns[j], value->columns[j - r.col_lo], &r, &columns[j]));
    }
    if (st == ML_OK)
        return frame_wrap(ctx, f->rows, f->cols, columns, f->names, out);
    columns_free(f->cols, columns);
    return st;
}
