/* The coordinate text format: lines `row column value`, counted from 1, in any order; cells not
 * named are zero or null.
 *
 * Blank lines are skipped. A frame's value is the rest of its line, so text with blanks comes back
 * whole.
 */
#include <stdio.h>

#include "io/frame_build.h"
#include "io/io_impl.h"

/* Row and column of the line [p, end); *rest is what follows. False with the error recorded. */
static bool parse_place(Ctx *ctx, const Spec *spec, const Chunk *c, const char *p, const char *end,
                        Cell *cell, const char **rest)
{
    p = cell_parse_index(ctx, c->file, p, end, spec->rows, "row", &cell->row);
    p = p ? cell_parse_index(ctx, c->file, p, end, spec->cols, "column", &cell->col) : NULL;
    *rest = p ? skip_blanks(p, end) : NULL;
    return p != NULL;
}

static ml_status parse_cells(Ctx *ctx, const void *arg, const Chunk *c, CellChunk *out)
{
    const Spec *spec = arg;
    const char *next;

    for (const char *p = c->begin; p < c->end; p = next) {
        const char *end = line_end(p, c->end, &next), *rest;
        char shown[48];
        Cell cell;

        if (skip_blanks(p, end) == end)
            continue;
        if (!parse_place(ctx, spec, c, p, end, &cell, &rest))
            return ML_EFORMAT;
        if (!cell_parse(rest, end, &cell.value))
            return input_fail(ctx, c->file, rest, "expected a number, found %s",
                              input_quote(rest, end, shown));
        if (!VEC_PUSH(&out->cells, cell))
            return fail_memory(ctx, sizeof cell * (size_t)out->cells.count);
    }
    return ML_OK;
}

ml_status text_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    Lines lines;
    CellChunk *chunks = NULL;
    ml_status st;

    TRY(lines_split(ctx, in, &lines));
    st = cells_parse(ctx, &lines, parse_cells, spec, &chunks);
    if (st == ML_OK)
        st = cells_to_matrix(ctx, spec->rows, spec->cols, chunks, lines.chunks.count, CELLS_LAST,
                             out);
    cells_free(chunks, lines.chunks.count);
    lines_free(&lines);
    return st;
}

/* A frame's cell text; begin NULL: null. */
typedef struct TextCell {
    const char *begin, *end;
    const InputFile *file;
} TextCell;

static ml_status place_texts(Ctx *ctx, const Spec *spec, const Chunk *c, TextCell *table)
{
    const char *next;

    for (const char *p = c->begin; p < c->end; p = next) {
        const char *end = line_end(p, c->end, &next), *rest;
        Cell cell;

        if (skip_blanks(p, end) == end)
            continue;
        if (!parse_place(ctx, spec, c, p, end, &cell, &rest))
            return ML_EFORMAT;
        table[cell.row * spec->cols + cell.col] = (TextCell){rest, end, c->file};
    }
    return ML_OK;
}

static ml_status build_frame(Ctx *ctx, const Spec *spec, const TextCell *table, Frame **out)
{
    FrameBuild b = {0};
    ml_status st;

    TRY_TO(done, st = frame_build_start(ctx, spec, spec->cols, 1, &b));
    b.parts[0].room = b.parts[0].rows = spec->rows;
    TRY_TO(done, st = frame_build_room(ctx, &b));
    for (int64_t r = 0; r < spec->rows; r++)
        for (int64_t k = 0; k < spec->cols; k++) {
            const TextCell *t = &table[r * spec->cols + k];

            TRY_TO(done, st = frame_build_put(ctx, &b, 0, t->file, r, k, t->begin, t->end));
        }
    st = frame_build_finish(ctx, &b, NULL, out);
done:
    frame_build_free(&b);
    return st;
}

ml_status text_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    Lines lines;
    TextCell *table;
    size_t cells, bytes;
    ml_status st = ML_OK;

    if (!mul_size((size_t)spec->rows, (size_t)spec->cols, &cells) ||
        !mul_size(cells, sizeof *table, &bytes))
        return fail(ctx, ML_ELIMIT, "a frame of %" PRId64 "x%" PRId64 " is too large", spec->rows,
                    spec->cols);
    TRY(lines_split(ctx, in, &lines));
    table = mem_calloc(cells + 1, sizeof *table);
    if (!table)
        st = fail_memory(ctx, bytes);
    for (int i = 0; i < lines.chunks.count && st == ML_OK; i++)
        st = place_texts(ctx, spec, &lines.chunks.items[i], table);
    if (st == ML_OK)
        st = build_frame(ctx, spec, table, out);
    mem_free(table);
    lines_free(&lines);
    return st;
}

static void put_cell(Buffer *b, int64_t row, int64_t col, double v)
{
    put_int64(b, row + 1);
    buffer_put(b, " ", 1);
    put_int64(b, col + 1);
    buffer_put(b, " ", 1);
    put_double(b, v);
    buffer_put(b, "\n", 1);
}

static void format_cells(const void *arg, int64_t lo, int64_t hi, Buffer *b)
{
    const Matrix *m = arg;

    for (int64_t r = lo; r < hi; r++) {
        if (m->format == MATRIX_CSR) {
            for (int64_t i = m->row_ptr[r]; i < m->row_ptr[r + 1]; i++)
                put_cell(b, r, m->col_idx[i], m->values[i]);
            continue;
        }
        for (int64_t k = 0; k < m->cols; k++) {
            const double v =
                m->format == MATRIX_CONSTANT ? m->constant : m->values[r * m->cols + k];

            if (v != 0)
                put_cell(b, r, k, v);
        }
    }
}

/* Rows of the list of a hypersparse matrix. */
static void format_hyper(const void *arg, int64_t lo, int64_t hi, Buffer *b)
{
    const Matrix *m = arg, *compact = m->compact;

    for (int64_t r = lo; r < hi; r++)
        for (int64_t i = compact->row_ptr[r]; i < compact->row_ptr[r + 1]; i++)
            put_cell(b, m->list->rows[r], compact->col_idx[i], compact->values[i]);
}

ml_status text_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    (void)spec;
    if (m->format == MATRIX_HYPER)
        return output_rows(ctx, o, m->list->n, m->nnz / m->list->n + 1, format_hyper, m);
    return output_rows(ctx, o, m->rows, m->rows > 0 ? m->nnz / m->rows + 1 : 1, format_cells, m);
}

/* A frame cell that is 0 or false in a numeric column says nothing and is left out, as are nulls.
 */
static bool is_default(const FrameColumn *c, int64_t r)
{
    return !c->texts && column_number(c, r) == 0;
}

static void format_frame(const void *arg, int64_t lo, int64_t hi, Buffer *b)
{
    const Frame *f = arg;

    for (int64_t r = lo; r < hi; r++)
        for (int64_t k = 0; k < f->cols; k++) {
            char number[NUM_BUFFER];
            size_t size;
            const char *text = frame_text(f->columns[k], r, number, &size);

            if (!text || is_default(f->columns[k], r))
                continue;
            put_int64(b, r + 1);
            buffer_put(b, " ", 1);
            put_int64(b, k + 1);
            buffer_put(b, " ", 1);
            buffer_put(b, text, size);
            buffer_put(b, "\n", 1);
        }
}

ml_status text_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    (void)spec;
    TRY(frame_check_lines(ctx, f, "text"));
    return output_rows(ctx, o, f->rows, f->cols, format_frame, f);
}

ml_status mm_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    char head[128];
    const int n = snprintf(head, sizeof head,
                           "%%%%MatrixMarket matrix coordinate real general\n%" PRId64 " %" PRId64
                           " %" PRId64 "\n",
                           m->rows, m->cols, m->nnz);

    TRY(output_append(ctx, o, head, (size_t)n));
    return text_write_matrix(ctx, spec, m, o);
}
