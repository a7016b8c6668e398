/* MatrixMarket: a header line, comments, a size line, then one entry a line.
 *
 * Coordinate and array layouts; fields real, integer and pattern; general, symmetric and
 * skew-symmetric. Complex fields and Hermitian symmetry are errors. The number of entries must be
 * the one announced, so that a truncated file is noticed.
 */
#include <strings.h>

#include "io/io_impl.h"

typedef enum Symmetry { MM_GENERAL, MM_SYMMETRIC, MM_SKEW } Symmetry;

typedef struct MmHeader {
    bool array, pattern;
    Symmetry symmetry;
    int64_t rows, cols, entries; /* lines after the size line */
} MmHeader;

typedef struct Word {
    const char *begin, *end;
} Word;

static Word next_word(const char **p, const char *end)
{
    Word w;

    w.begin = skip_blanks(*p, end);
    for (w.end = w.begin; w.end < end && !is_blank(*w.end); w.end++)
        ;
    *p = w.end;
    return w;
}

static bool word_is(Word w, const char *text)
{
    const size_t n = strlen(text);

    return (size_t)(w.end - w.begin) == n && strncasecmp(w.begin, text, n) == 0;
}

static ml_status fail_word(Ctx *ctx, const InputFile *file, Word w, const char *what,
                           const char *expected)
{
    char shown[48];

    return input_fail(ctx, file, w.begin, "MatrixMarket: the %s is %s, expected %s", what,
                      input_quote(w.begin, w.end, shown), expected);
}

static ml_status parse_symmetry(Ctx *ctx, const InputFile *file, Word w, Symmetry *out)
{
    if (word_is(w, "general"))
        *out = MM_GENERAL;
    else if (word_is(w, "symmetric"))
        *out = MM_SYMMETRIC;
    else if (word_is(w, "skew-symmetric"))
        *out = MM_SKEW;
    else
        return fail_word(ctx, file, w, "symmetry", "general, symmetric or skew-symmetric");
    return ML_OK;
}

/* %%MatrixMarket matrix LAYOUT FIELD SYMMETRY */
static ml_status parse_banner(Ctx *ctx, const InputFile *file, const char *p, const char *end,
                              MmHeader *h)
{
    const Word banner = next_word(&p, end), object = next_word(&p, end),
               layout = next_word(&p, end);
    const Word field = next_word(&p, end), symmetry = next_word(&p, end);

    if (!word_is(banner, "%%MatrixMarket"))
        return fail_word(ctx, file, banner, "first word", "%%MatrixMarket");
    if (!word_is(object, "matrix"))
        return fail_word(ctx, file, object, "object", "matrix");
    h->array = word_is(layout, "array");
    if (!h->array && !word_is(layout, "coordinate"))
        return fail_word(ctx, file, layout, "layout", "coordinate or array");
    h->pattern = word_is(field, "pattern");
    if (!h->pattern && !word_is(field, "real") && !word_is(field, "integer") &&
        !word_is(field, "double"))
        return fail_word(ctx, file, field, "field", "real, integer or pattern");
    if (h->pattern && h->array)
        return fail_word(ctx, file, field, "field of an array", "real or integer");
    return parse_symmetry(ctx, file, symmetry, &h->symmetry);
}

static ml_status parse_size(Ctx *ctx, const InputFile *file, const char **p, const char *end,
                            int64_t *out)
{
    const Word w = next_word(p, end);

    if (!num_parse_int64(w.begin, w.end, out) || *out < 0)
        return fail_word(ctx, file, w, "size", "a count that is not negative");
    return ML_OK;
}

/* Lines an array file must have: the lower triangle column by column, without the diagonal if skew.
 */
static ml_status count_array(Ctx *ctx, const InputFile *file, const char *at, MmHeader *h)
{
    int64_t n = h->rows, cells;

    if (!mul_int64(h->rows, h->cols, &cells) || cells > INT64_MAX / 2)
        return input_fail(ctx, file, at,
                          "MatrixMarket: a matrix of %" PRId64 "x%" PRId64 " is too large", h->rows,
                          h->cols);
    if (h->symmetry == MM_GENERAL)
        h->entries = cells;
    else
        h->entries = (cells - n) / 2 + (h->symmetry == MM_SYMMETRIC ? n : 0);
    return ML_OK;
}

static ml_status parse_sizes(Ctx *ctx, const InputFile *file, const char *p, const char *end,
                             MmHeader *h)
{
    const char *at = p;

    TRY(parse_size(ctx, file, &p, end, &h->rows));
    TRY(parse_size(ctx, file, &p, end, &h->cols));
    if (h->symmetry != MM_GENERAL && h->rows != h->cols)
        return input_fail(ctx, file, at,
                          "MatrixMarket: a symmetric matrix of %" PRId64 "x%" PRId64
                          " is not square",
                          h->rows, h->cols);
    return h->array ? count_array(ctx, file, at, h) : parse_size(ctx, file, &p, end, &h->entries);
}

/* Reads the head of the lines and skips it. */
static ml_status parse_head(Ctx *ctx, const Spec *spec, Lines *lines, MmHeader *h)
{
    const char *begin, *end;
    const InputFile *file;

    if (!lines_first(lines, &begin, &end))
        return fail(ctx, ML_EFORMAT, "%s: the file is empty, expected a MatrixMarket header",
                    spec->path);
    file = lines->chunks.items[0].file;
    TRY(parse_banner(ctx, file, begin, end, h));
    do {
        lines_skip_first(lines);
        if (!lines_first(lines, &begin, &end))
            return fail(ctx, ML_EFORMAT, "%s: the MatrixMarket size line is missing", spec->path);
    } while (skip_blanks(begin, end) == end || *begin == '%');
    file = lines->chunks.items[0].file;
    TRY(parse_sizes(ctx, file, begin, end, h));
    lines_skip_first(lines);
    return ML_OK;
}

/* Add a cell and its mirror image. */
static ml_status push_cell(Ctx *ctx, const MmHeader *h, Cell cell, CellChunk *out)
{
    const Cell mirror = {cell.col, cell.row, h->symmetry == MM_SKEW ? -cell.value : cell.value};
    const bool twice = h->symmetry != MM_GENERAL && cell.row != cell.col;

    if (!VEC_PUSH(&out->cells, cell) || (twice && !VEC_PUSH(&out->cells, mirror)))
        return fail_memory(ctx, sizeof cell * (size_t)out->cells.count);
    return ML_OK;
}

static ml_status parse_entry(Ctx *ctx, const MmHeader *h, const Chunk *c, const char *p,
                             const char *end, CellChunk *out)
{
    char shown[48];
    Cell cell = {.value = 1};

    p = cell_parse_index(ctx, c->file, p, end, h->rows, "row", &cell.row);
    p = p ? cell_parse_index(ctx, c->file, p, end, h->cols, "column", &cell.col) : NULL;
    if (!p)
        return ML_EFORMAT;
    p = skip_blanks(p, end);
    if (!h->pattern && !cell_parse(p, end, &cell.value))
        return input_fail(ctx, c->file, p, "expected a number, found %s",
                          input_quote(p, end, shown));
    return push_cell(ctx, h, cell, out);
}

/* Lines that hold an entry: the mirror images of one chunk's cells are those off the diagonal. */
static int64_t count_entries(const MmHeader *h, const CellChunk *chunks, int n)
{
    int64_t entries = 0, images = 0;

    for (int i = 0; i < n; i++) {
        entries += chunks[i].cells.count;
        for (int k = 0; h->symmetry != MM_GENERAL && k < chunks[i].cells.count; k++)
            images += chunks[i].cells.items[k].row != chunks[i].cells.items[k].col;
    }
    return entries - images / 2;
}

static ml_status parse_coordinates(Ctx *ctx, const void *arg, const Chunk *c, CellChunk *out)
{
    const MmHeader *h = arg;
    const char *next;

    for (const char *p = c->begin; p < c->end; p = next) {
        const char *end = line_end(p, c->end, &next);

        if (skip_blanks(p, end) < end && *p != '%')
            TRY(parse_entry(ctx, h, c, p, end, out));
    }
    return ML_OK;
}

/* Step to the next place of an array: down the column, from the diagonal (or below it) if
 * symmetric. */
static void next_place(const MmHeader *h, int64_t *row, int64_t *col)
{
    if (++*row < h->rows)
        return;
    ++*col;
    *row = h->symmetry == MM_GENERAL ? 0 : *col + (h->symmetry == MM_SKEW);
}

/* Arrays are dense and their lines have no place of their own, so they are read in one go. */
static ml_status read_array(Ctx *ctx, const MmHeader *h, const Spec *spec, const Lines *lines,
                            CellChunk *out)
{
    int64_t row = h->symmetry == MM_SKEW, col = 0, left = h->entries;
    char shown[48];

    for (int i = 0; i < lines->chunks.count; i++) {
        const Chunk *c = &lines->chunks.items[i];
        const char *next;

        for (const char *p = c->begin; p < c->end; p = next) {
            const char *end = line_end(p, c->end, &next), *q = skip_blanks(p, end);
            Cell cell = {row, col, 0};

            if (q == end || *p == '%')
                continue;
            if (left-- == 0)
                return input_fail(ctx, c->file, q, "MatrixMarket: more than %" PRId64 " values",
                                  h->entries);
            if (!cell_parse(q, end, &cell.value))
                return input_fail(ctx, c->file, q, "expected a number, found %s",
                                  input_quote(q, end, shown));
            TRY(push_cell(ctx, h, cell, out));
            next_place(h, &row, &col);
        }
    }
    return left == 0 ? ML_OK
                     : fail(ctx, ML_EFORMAT,
                            "%s: MatrixMarket: expected %" PRId64 " values, found %" PRId64,
                            spec->path, h->entries, h->entries - left);
}

static ml_status read_coordinates(Ctx *ctx, const Spec *spec, const MmHeader *h, const Lines *lines,
                                  Matrix **out)
{
    CellChunk *chunks = NULL;
    ml_status st = cells_parse(ctx, lines, parse_coordinates, h, &chunks);
    const int64_t found = st == ML_OK ? count_entries(h, chunks, lines->chunks.count) : 0;

    if (st == ML_OK && found != h->entries)
        st = fail(ctx, ML_EFORMAT, "%s: MatrixMarket: expected %" PRId64 " entries, found %" PRId64,
                  spec->path, h->entries, found);
    if (st == ML_OK)
        st = cells_to_matrix(ctx, h->rows, h->cols, chunks, lines->chunks.count, CELLS_LAST, out);
    cells_free(chunks, lines->chunks.count);
    return st;
}

static ml_status read_dense(Ctx *ctx, const Spec *spec, const MmHeader *h, const Lines *lines,
                            Matrix **out)
{
    CellChunk cells = {0};
    ml_status st = read_array(ctx, h, spec, lines, &cells);

    if (st == ML_OK)
        st = cells_to_matrix(ctx, h->rows, h->cols, &cells, 1, CELLS_LAST, out);
    VEC_FREE(&cells.cells);
    return st;
}

ml_status mm_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    Lines lines;
    MmHeader h = {0};
    ml_status st;

    TRY(lines_split(ctx, in, &lines));
    TRY_TO(done, st = parse_head(ctx, spec, &lines, &h));
    TRY_TO(done, st = input_check_dims(ctx, spec, h.rows, h.cols));
    st = h.array ? read_dense(ctx, spec, &h, &lines, out)
                 : read_coordinates(ctx, spec, &h, &lines, out);
done:
    lines_free(&lines);
    return st;
}
