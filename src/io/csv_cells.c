/* csv_cells: marked lines into the columns of a frame.
 *
 * Some lines are put at a time, column by column: what a column needs stays in the nearest cache,
 * and its loop knows the type. Cells in the usual forms - texts without outer blanks, numbers of up
 * to 16 digits, true and false - take loops without branches on what they hold; others go through
 * csv_put_cell one by one, which also finds what is wrong.
 */
#include "io/csv_cells.h"

#include "base/num_cell.h"
#include "io/csv.h"

/* A column of marked lines. */
typedef struct Cells {
    const char *text, *end;
    const uint32_t *stops;
    int64_t stride;
    bool last; /* a carriage return before the line end is no part of the cell */
} Cells;

static inline size_t cell_at(const Cells *c, int64_t i, const char **p)
{
    const uint32_t *stop = c->stops + i * c->stride;
    size_t n;

    *p = c->text + (uint32_t)(stop[-1] + 1);
    n = (size_t)(c->text + *stop - *p);
    return n - (c->last && n && (*p)[n - 1] == '\r');
}

static inline bool can_look_ahead(const Cells *c, const char *p, size_t bytes)
{
    return (size_t)(c->end - p) >= bytes;
}

ml_status csv_cells_open(Ctx *ctx, CsvCells *c, int64_t rows)
{
    const size_t n = (size_t)rows + CSV_GROUP;

    c->texts = mem_alloc(n * sizeof *c->texts);
    c->left = mem_alloc(n * sizeof *c->left);
    c->column.ends = mem_alloc(n * sizeof *c->column.ends);
    c->column.sizes = mem_alloc(n * sizeof *c->column.sizes);
    c->column.bad = mem_alloc(n);
    return c->texts && c->left && c->column.ends && c->column.sizes && c->column.bad
               ? ML_OK
               : fail_memory(ctx, n * sizeof *c->texts);
}

void csv_cells_close(CsvCells *c)
{
    mem_free(c->texts);
    mem_free(c->left);
    mem_free(c->column.ends);
    mem_free(c->column.sizes);
    mem_free(c->column.bad);
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

/* ---- columns by their types ---- */

static ml_status put_doubles(Ctx *ctx, const CsvCells *c, const Cells *cells, int64_t row,
                             int64_t col, int64_t n)
{
    FrameColumn *column = c->build->columns[col];

    for (int64_t i = 0; i < n; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);
        double v;

        if (can_look_ahead(cells, p, NUM_CELL_AHEAD) && num_cell_double(p, size, &v))
            column_set_number(column, row + i, v);
        else
            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

static ml_status put_integers(Ctx *ctx, const CsvCells *c, const Cells *cells, int64_t row,
                              int64_t col, int64_t n)
{
    FrameColumn *column = c->build->columns[col];
    const bool wide = column->type == FT_INT64;

    for (int64_t i = 0; i < n; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);
        int64_t v;

        if (can_look_ahead(cells, p, NUM_CELL_AHEAD) && num_cell_int64(p, size, &v) &&
            (wide || v == (int32_t)v))
            column_set_int(column, row + i, v);
        else
            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

/* ---- numbers, many at once ---- */

/* The cells as the loops over many take them; false where these would read before the file. */
static bool gather(const CsvCells *c, const Cells *cells, int64_t n, CsvColumn *out)
{
    *out = c->column;
    out->text = cells->text;
    out->count = n;
    for (int64_t i = 0; i < n; i++) {
        const uint32_t *stop = cells->stops + i * cells->stride;

        out->ends[i] = *stop;
        out->sizes[i] = *stop - stop[-1] - 1;
    }
    for (int64_t i = 0; cells->last && i < n; i++) {
        const bool more = out->sizes[i] && cells->text[out->ends[i] - 1] == '\r';

        out->ends[i] -= more;
        out->sizes[i] -= more;
    }
    for (int64_t i = n; i % CSV_GROUP; i++) {
        out->ends[i] = out->ends[i - 1];
        out->sizes[i] = 0;
    }
    return cells->text + out->ends[0] - c->file->data >= CSV_CELL_BEHIND;
}

/* The cells that were left. */
static ml_status put_bad(Ctx *ctx, const CsvCells *c, const Cells *cells, const uint8_t *bad,
                         int64_t row, int64_t col, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (bad[i / CSV_GROUP] >> i % CSV_GROUP & 1) {
            const char *p;
            const size_t size = cell_at(cells, i, &p);

            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
        }
    return ML_OK;
}

#ifdef __x86_64__
static ml_status put_numbers(Ctx *ctx, const CsvCells *c, const Cells *cells, int64_t row,
                             int64_t col, int64_t n)
{
    FrameColumn *column = c->build->columns[col];
    CsvColumn all;
    bool bad;

    if (c->marks->level < CPU_AVX512 || column->type == FT_FP32 || !gather(c, cells, n, &all))
        return (frame_type_is_float(column->type) ? put_doubles : put_integers)(ctx, c, cells, row,
                                                                                col, n);
    bad = column->type == FT_FP64    ? csv_doubles_avx512(&all, column_cell(column, row))
          : column->type == FT_INT64 ? csv_int64s_avx512(&all, column_cell(column, row))
                                     : csv_int32s_avx512(&all, column_cell(column, row));
    return bad ? put_bad(ctx, c, cells, all.bad, row, col, n) : ML_OK;
}
#else
static ml_status put_numbers(Ctx *ctx, const CsvCells *c, const Cells *cells, int64_t row,
                             int64_t col, int64_t n)
{
    return (frame_type_is_float(c->build->types[col]) ? put_doubles : put_integers)(ctx, c, cells,
                                                                                    row, col, n);
}
#endif

/* ---- columns of other types ---- */

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

static ml_status put_truths(Ctx *ctx, const CsvCells *c, const Cells *cells, int64_t row,
                            int64_t col, int64_t n)
{
    const uint64_t yes = some_bytes("true\0\0\0", 4), no = some_bytes("false\0\0", 5);
    uint8_t *out = (uint8_t *)c->build->columns[col]->cells + row;

    for (int64_t i = 0; i < n; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);
        const bool near = size - 1 < sizeof yes && can_look_ahead(cells, p, sizeof yes);
        const uint64_t word = near ? some_bytes(p, size) : 0;

        out[i] = (word == yes) & (size == 4);
        if (!(out[i] | ((word == no) & (size == 5))))
            TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

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
static bool put_cells(const CsvCells *c, const Cells *cells, TextColumnBuilder *b, int64_t n)
{
    CsvColumn all;
    TextCells texts;
    int64_t some;

    gather(c, cells, n, &all);
    texts = (TextCells){all.text, cells->end, all.ends, all.sizes, n};
    some = text_builder_add_cells(b, &texts, c->left);
    for (int64_t k = 0; k < some; k++) {
        const uint32_t i = c->left[k], size = all.sizes[i];

        c->texts[k] = text_of(c, all.text + all.ends[i] - size, size);
    }
    return some >= 0 && text_builder_add_left(b, &texts, c->texts, c->left, some);
}
#endif

static bool put_spans(const CsvCells *c, const Cells *cells, TextColumnBuilder *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);

        c->texts[i] = text_of(c, p, size);
    }
    return text_builder_add_many(b, c->texts, n, cells->end);
}

static ml_status put_texts(Ctx *ctx, const CsvCells *c, const Cells *cells, int64_t col, int64_t n)
{
    TextColumnBuilder *b = &c->build->texts[c->part * c->build->cols + col];
    bool good;

#ifdef __x86_64__
    if (c->marks->level == CPU_AVX512 && c->spec->na_count == 0 && text_builder_numbers(b))
        good = put_cells(c, cells, b, n);
    else
#endif
        good = put_spans(c, cells, b, n);
    return good ? ML_OK : fail_memory(ctx, 0);
}

static ml_status put_any(Ctx *ctx, const CsvCells *c, const Cells *cells, int64_t row, int64_t col,
                         int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const char *p;
        const size_t size = cell_at(cells, i, &p);

        TRY(csv_put_cell(ctx, c, row + i, col, p, p + size));
    }
    return ML_OK;
}

static Cells cells_of(const CsvCells *c, int64_t col)
{
    const CsvMarks *m = c->marks;
    const int64_t cols = c->build->cols;

    return (Cells){.text = m->text,
                   .end = m->end,
                   .stops = m->at + col,
                   .stride = cols,
                   .last = col + 1 == cols};
}

static ml_status put_column(Ctx *ctx, const CsvCells *c, int64_t row, int64_t col, int64_t n)
{
    const Cells cells = cells_of(c, col);
    const FrameType type = c->build->types[col];

    if (frame_type_is_text(type))
        return put_texts(ctx, c, &cells, col, n);
    if (!c->plain)
        return put_any(ctx, c, &cells, row, col, n);
    if (frame_type_is_float(type) || type == FT_INT64 || type == FT_INT32)
        return put_numbers(ctx, c, &cells, row, col, n);
    return type == FT_BOOLEAN ? put_truths(ctx, c, &cells, row, col, n)
                              : put_any(ctx, c, &cells, row, col, n);
}

/* The error of the first bad cell; texts are never wrong. */
static ml_status first_error(Ctx *ctx, const CsvCells *c, int64_t row, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < c->build->cols; k++) {
            const Cells cells = cells_of(c, k);
            const char *p;
            const size_t size = cell_at(&cells, i, &p);

            if (c->build->columns[k])
                TRY(csv_put_cell(ctx, c, row + i, k, p, p + size));
        }
    return ML_OK;
}

ml_status csv_put_lines(Ctx *ctx, const CsvCells *c, int64_t row, int64_t n)
{
    for (int64_t k = 0; k < c->build->cols; k++) {
        const ml_status st = put_column(ctx, c, row, k, n);

        if (st != ML_OK)
            return st == ML_EFORMAT ? first_error(ctx, c, row, n) : st;
    }
    return ML_OK;
}
