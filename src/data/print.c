/* print: values as text, the way toString and print show them (language.md, section 14). */
#include "data/data.h"

#include <string.h>

enum { CELL_ROOM = 64 }; /* enough for nearly every cell; longer ones take a second try */

const PrintFormat print_format_default = {100, 100, 3, false, " ", "\n"};

static void put_fixed(Buffer *b, double v, int decimals)
{
    size_t room = CELL_ROOM;

    for (;;) {
        char *end = buffer_reserve(b, room);
        size_t size;

        if (!end)
            return;
        size = num_print_fixed(end, room + 1, v, decimals);
        if (size <= room) {
            b->size += size;
            return;
        }
        room = size;
    }
}

/* Cut to what the format shows. */
static int64_t shown(int64_t have, int64_t limit)
{
    return have < limit ? have : limit;
}

/* A row without columns shows a zero, as in the reference. */
static void print_dense_row(Buffer *b, const Matrix *m, int64_t row, const PrintFormat *f)
{
    const int64_t cols = shown(m->cols, f->cols);
    const size_t sep = strlen(f->sep);

    if (cols == 0)
        put_fixed(b, 0, f->decimals);
    for (int64_t j = 0; j < cols; j++) {
        if (j)
            buffer_put(b, f->sep, sep);
        put_fixed(b, matrix_get(m, row, j), f->decimals);
    }
    buffer_text(b, f->linesep);
}

/* One line "row column value" for each cell that is not zero. */
static void print_sparse_row(Buffer *b, const Matrix *m, int64_t row, const PrintFormat *f)
{
    const int64_t cols = shown(m->cols, f->cols);

    for (int64_t j = 0; j < cols; j++) {
        const double cell = matrix_get(m, row, j);

        if (cell == 0)
            continue;
        buffer_format(b, "%" PRId64 "%s%" PRId64 "%s", row + 1, f->sep, j + 1, f->sep);
        put_fixed(b, cell, f->decimals);
        buffer_text(b, f->linesep);
    }
}

/* Cell by cell, so that what is not shown costs nothing: constants may be far wider than memory. */
static void print_matrix(Buffer *b, const Matrix *m, const PrintFormat *f)
{
    const int64_t rows = shown(m->rows, f->rows);

    buffer_put(b, "", 0);
    for (int64_t i = 0; i < rows && !b->failed; i++) {
        if (f->sparse)
            print_sparse_row(b, m, i, f);
        else
            print_dense_row(b, m, i, f);
    }
}

static void print_cell(Buffer *b, const FrameColumn *c, int64_t row, int decimals)
{
    char text[NUM_BUFFER];
    size_t size;
    const char *cell;

    if (c->type == FT_FP64) {
        put_fixed(b, column_number(c, row), decimals);
        return;
    }
    cell = frame_cell_text(c, row, text, &size);
    if (cell)
        buffer_put(b, cell, size);
    else
        buffer_text(b, "null");
}

static void print_header(Buffer *b, const Frame *frame, int64_t cols, const PrintFormat *f)
{
    buffer_format(b, "# FRAME: nrow = %" PRId64 ", ncol = %" PRId64 "%s#", frame->rows, frame->cols,
                  f->linesep);
    for (int64_t j = 0; j < cols; j++) {
        buffer_text(b, f->sep);
        if (frame->names && frame->names[j])
            buffer_put(b, frame->names[j]->text, (size_t)frame->names[j]->size);
        else
            buffer_format(b, "C%" PRId64, j + 1);
    }
    buffer_format(b, "%s#", f->linesep);
    for (int64_t j = 0; j < cols; j++) {
        buffer_text(b, f->sep);
        buffer_text(b, frame_type_name(frame->columns[j]->type));
    }
    buffer_text(b, f->linesep);
}

static void print_frame(Buffer *b, const Frame *frame, const PrintFormat *f)
{
    const int64_t rows = shown(frame->rows, f->rows), cols = shown(frame->cols, f->cols);

    print_header(b, frame, cols, f);
    for (int64_t i = 0; i < rows && !b->failed; i++) {
        for (int64_t j = 0; j < cols; j++) {
            if (j)
                buffer_text(b, f->sep);
            print_cell(b, frame->columns[j], i, f->decimals);
        }
        buffer_text(b, f->linesep);
    }
}

/* Matrices and frames begin on a line of their own; the empty list has no opening bracket. */
static void print_list(Buffer *b, const List *l, const PrintFormat *f)
{
    buffer_text(b, l->count ? "List containing:\n[" : "List containing:");
    for (int64_t i = 0; i < l->count && !b->failed; i++) {
        if (i)
            buffer_text(b, ", ");
        if (l->items[i].dt == DT_MATRIX)
            buffer_text(b, "\nMatrix:\n");
        else if (l->items[i].dt == DT_FRAME)
            buffer_text(b, "\n");
        value_print(b, l->items[i], f);
    }
    buffer_text(b, "]");
}

void value_print(Buffer *b, Value v, const PrintFormat *f)
{
    switch (v.dt) {
    case DT_SCALAR:
        scalar_print(b, v);
        break;
    case DT_MATRIX:
        print_matrix(b, v.m, f);
        break;
    case DT_FRAME:
        print_frame(b, v.f, f);
        break;
    case DT_LIST:
        print_list(b, v.l, f);
        break;
    default:
        break;
    }
}
