/* csv_cells: marked lines into the columns of a frame.
 *
 * Some lines are put at a time, column by column: what a column needs stays in the nearest cache,
 * and its loop knows the type. Cells in the usual forms - texts without outer blanks, numbers of up
 * to 16 digits, true and false - take loops without branches on what they hold; others go through
 * csv_put_cell one by one, which also finds what is wrong.
 */
#include "io/csv_cells.h"

#include "base/num_cell.h"
#include "base/transpose_words.h"
#include "io/csv.h"

static inline size_t cell_at(const CsvColumn *cells, int64_t i, const char **p)
{
    *p = cells->text + cells->ends[i] - cells->sizes[i];
    return cells->sizes[i];
}

static inline bool can_look_ahead(const CsvCells *c, const char *p, size_t bytes)
{
    return (size_t)(c->end - p) >= bytes;
}

ml_status csv_cells_open(Ctx *ctx, CsvCells *c, int64_t rows)
{
    const size_t n = ((size_t)rows / CSV_GROUP + 1) * CSV_GROUP;
    size_t cells;

    c->stride = (int64_t)n;
    if (!mul_size(n * sizeof *c->ends, (size_t)c->build->cols + 1, &cells))
        return fail_memory(ctx, SIZE_MAX);
    c->texts = mem_alloc(n * sizeof *c->texts);
    c->left = mem_alloc(n * sizeof *c->left);
    c->bad = mem_alloc(n / CSV_GROUP);
    c->ends = mem_alloc(cells);
    c->sizes = mem_alloc(n * sizeof *c->sizes);
    return c->texts && c->left && c->bad && c->ends && c->sizes ? ML_OK : fail_memory(ctx, cells);
}

void csv_cells_close(CsvCells *c)
{
    mem_free(c->texts);
    mem_free(c->left);
    mem_free(c->bad);
    mem_free(c->ends);
    mem_free(c->sizes);
}

void csv_trim_cell(const Spec *spec, const char **p, const char **end)
{
    *p = skip_blanks(*p, *end);
    while (*end > *p && is_blank((*end)[-1]))
        --*end;
    if (*p == *end || (spec->na_count && csv_is_na(spec, *p, *end)))
        *p = NULL;
}

__attribute__((noinline)) ml_status csv_put_cell(Ctx *ctx, const CsvCells *c, int64_t row,
                                                 int64_t col, const char *p, const char *end)
{
    if (p)
        csv_trim_cell(c->spec, &p, &end);
    return frame_build_put(ctx, c->build, c->part, c->file, row, col, p, end);
}

/* ---- cells one by one ---- */

static ml_status put_doubles(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t row,
                             int64_t col)
{
    FrameColumn *column = c->build->columns[col];

    for (int64_t i = 0; i < cells->count; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);
        double v;

        if (can_look_ahead(c, p, NUM_CELL_AHEAD) && num_cell_double(p, size, &v))
            column_set_number(column, row + i, v);
        else
            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

static ml_status put_integers(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t row,
                              int64_t col)
{
    FrameColumn *column = c->build->columns[col];
    const bool wide = column->type == FT_INT64;

    for (int64_t i = 0; i < cells->count; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);
        int64_t v;

        if (can_look_ahead(c, p, NUM_CELL_AHEAD) && num_cell_int64(p, size, &v) &&
            (wide || v == (int32_t)v))
            column_set_int(column, row + i, v);
        else
            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

/* The first n bytes of eight, n of 1 to 8. */
static inline uint64_t some_bytes(const char *p, size_t n)
{
    char word[sizeof(uint64_t)];
    uint64_t v;

    memcpy(word, p, sizeof word);
    memcpy(&v, word, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return v >> (sizeof v - n) * 8;
#else
    return v << (sizeof v - n) * 8;
#endif
}

static ml_status put_truths(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t row,
                            int64_t col)
{
    const uint64_t yes = some_bytes("true\0\0\0", 4), no = some_bytes("false\0\0", 5);
    uint8_t *out = (uint8_t *)c->build->columns[col]->cells + row;

    for (int64_t i = 0; i < cells->count; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);
        const bool near = size - 1 < sizeof yes && can_look_ahead(c, p, sizeof yes);
        const uint64_t word = near ? some_bytes(p, size) : 0;

        out[i] = (word == yes) & (size == 4);
        if (!(out[i] | ((word == no) & (size == 5))))
            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

static ml_status put_any(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t row,
                         int64_t col)
{
    for (int64_t i = 0; i < cells->count; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);

        TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

/* ---- many cells at once ---- */

#ifdef __x86_64__
/* Whether there is a loop for the type, and it would read nothing before the text. */
static bool takes_many(const CsvCells *c, const CsvColumn *cells, FrameType type)
{
    return c->marks->level == CPU_AVX512 &&
           (type == FT_FP64 || type == FT_INT64 || type == FT_INT32 || type == FT_BOOLEAN) &&
           cells->text + cells->ends[0] - c->begin >= CSV_CELL_BEHIND;
}

static ml_status put_many(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t row,
                          int64_t col)
{
    FrameColumn *column = c->build->columns[col];
    void *out = column_cell(column, row);
    const bool bad = column->type == FT_FP64    ? csv_doubles_avx512(cells, out)
                     : column->type == FT_INT64 ? csv_int64s_avx512(cells, out)
                     : column->type == FT_INT32 ? csv_int32s_avx512(cells, out)
                                                : csv_truths_avx512(cells, out);

    for (int64_t i = 0; bad && i < cells->count; i++)
        if (csv_is_bad(cells, i)) {
            const char *p;
            const size_t size = cell_at(cells, i, &p);

            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
        }
    return ML_OK;
}
#else
static bool takes_many(const CsvCells *c, const CsvColumn *cells, FrameType type)
{
    (void)c;
    (void)cells;
    (void)type;
    return false;
}

static ml_status put_many(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t row,
                          int64_t col)
{
    return put_any(ctx, c, cells, row, col);
}
#endif

/* ---- texts ---- */

/* The text of a cell; null where it is empty or NA. */
static inline TextSpan text_of(const CsvCells *c, const char *p, size_t size)
{
    const char *end = p + size;

    if (c->spec->na_count == 0 && size && (unsigned char)*p > ' ' && (unsigned char)end[-1] > ' ')
        return (TextSpan){p, size};
    csv_trim_cell(c->spec, &p, &end);
    return (TextSpan){p, p ? (size_t)(end - p) : 0};
}

#ifdef __x86_64__
static bool put_cells(const CsvCells *c, const CsvColumn *cells, TextColumnBuilder *b)
{
    const TextCells texts = {cells->text, c->end, cells->ends, cells->sizes, cells->count};
    const int64_t some = text_builder_add_cells(b, &texts, c->left);

    for (int64_t k = 0; k < some; k++) {
        const char *p;
        const size_t size = cell_at(cells, c->left[k], &p);

        c->texts[k] = text_of(c, p, size);
    }
    return some >= 0 && text_builder_add_left(b, &texts, c->texts, c->left, some);
}
#endif

static bool put_spans(const CsvCells *c, const CsvColumn *cells, TextColumnBuilder *b)
{
    for (int64_t i = 0; i < cells->count; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);

        c->texts[i] = text_of(c, p, size);
    }
    return text_builder_add_many(b, c->texts, cells->count, c->end);
}

static ml_status put_texts(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t col)
{
    TextColumnBuilder *b = &c->build->texts[c->part * c->build->cols + col];
    bool good;

#ifdef __x86_64__
    if (c->marks->level == CPU_AVX512 && c->spec->na_count == 0)
        good = put_cells(c, cells, b);
    else
#endif
        good = put_spans(c, cells, b);
    return good ? ML_OK : fail_memory(ctx, 0);
}

/* ---- columns ---- */

static ml_status put_column(Ctx *ctx, const CsvCells *c, const CsvColumn *cells, int64_t row,
                            int64_t col)
{
    const FrameType type = c->build->types[col];

    if (frame_type_is_text(type))
        return put_texts(ctx, c, cells, col);
    if (!c->plain)
        return put_any(ctx, c, cells, row, col);
    if (takes_many(c, cells, type))
        return put_many(ctx, c, cells, row, col);
    if (frame_type_is_float(type))
        return put_doubles(ctx, c, cells, row, col);
    if (type == FT_INT64 || type == FT_INT32)
        return put_integers(ctx, c, cells, row, col);
    return (type == FT_BOOLEAN ? put_truths : put_any)(ctx, c, cells, row, col);
}

/* The error of the first bad cell; texts are never wrong. */
static ml_status first_error(Ctx *ctx, const CsvCells *c, int64_t row, int64_t n)
{
    const CsvMarks *m = c->marks;
    const int64_t cols = c->build->cols;

    for (int64_t i = 0; i < n * cols; i++) {
        const char *p = m->text + (uint32_t)(m->at[i - 1] + 1), *end = m->text + m->at[i];

        if (c->build->columns[i % cols])
            TRY(csv_put_cell(ctx, c, row + i / cols, i % cols, p, end));
    }
    return ML_OK;
}

/* ---- places ---- */

/* A carriage return before the line end is no part of the last cell. */
static void cut_returns(const char *text, uint32_t *ends, uint32_t *sizes, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const bool more = sizes[i] && text[ends[i] - 1] == '\r';

        ends[i] -= more;
        sizes[i] -= more;
    }
}

/* The cells of a column of n lines, whose ends were taken. */
static CsvColumn column_of(const CsvCells *c, int64_t col, int64_t n)
{
    const uint32_t *before = c->ends + col * c->stride;
    uint32_t *ends = c->ends + (col + 1) * c->stride, *sizes = c->sizes;

    for (int64_t i = 0; i < n; i++)
        sizes[i] = ends[i] - before[i] - 1;
    if (col + 1 == c->build->cols)
        cut_returns(c->marks->text, ends, sizes, n);
    csv_fill_group(ends, sizes, n);
    return (CsvColumn){c->marks->text, ends, sizes, n, c->bad};
}

ml_status csv_put_lines(Ctx *ctx, const CsvCells *c, int64_t row, int64_t n)
{
    const int64_t cols = c->build->cols;

    transpose_words(c->marks->at - 1, cols, n, cols + 1, c->ends, c->stride);
    for (int64_t k = 0; k < cols; k++) {
        const CsvColumn cells = column_of(c, k, n);
        const ml_status st = put_column(ctx, c, &cells, row, k);

        if (st != ML_OK)
            return st == ML_EFORMAT ? first_error(ctx, c, row, n) : st;
    }
    return ML_OK;
}
