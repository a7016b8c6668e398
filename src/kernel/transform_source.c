/* transform_source: a column about to be encoded.
 *
 * Where cells have numbers (CellCodes) the code or value of each is computed once and a row costs
 * one look-up in a table; other cells - numbers, and plain texts that are to be numbers, bins or
 * buckets - are encoded one by one.  A text that is no number is an error only where a row has it.
 *
 * Null is missing to all methods.  Of the empty text and NaN, as in the reference, the hash is
 * taken, and the empty text counts as 0 in the bins of the frame that they are learned from, but
 * not in those of others; in columns that are imputed both are missing. */
#include "kernel/transform.h"

#include <math.h>

/* ---- tables ---- */

/* What a text becomes that is no category: NaN, which is replaced like that of a missing one. */
static double unknown(const Coder *coder)
{
    return coder->spec->coding == CODE_RECODE && !coder->spec->dummy ? coder->fill : NAN;
}

/* What a text becomes; false when it is no number where one is needed. */
static bool encode_text(const Coder *coder, Text t, double *out)
{
    switch (coder->spec->coding) {
    case CODE_HASH:
        *out = (double)hash_bucket_of_text(t, coder->codes);
        return true;
    case CODE_RECODE:
    case CODE_EMBED: {
        const int64_t code = categories_code(&coder->categories, t);

        *out = code ? (double)code : unknown(coder);
        return true;
    }
    default:
        if (!text_cell_number(t, out))
            return false;
        if (coder->spec->coding == CODE_BIN)
            *out = isnan(*out) || !coder->codes ? NAN : (double)bin_code(coder, *out);
        return true;
    }
}

static ml_status fill_table(Ctx *ctx, CodedColumn *s)
{
    const int64_t count = s->cells.count;
    bool any_bad = false;

    s->table = mem_alloc((size_t)(count + 1) * sizeof *s->table);
    s->bad = mem_calloc((size_t)count + 1, 1);
    if (!s->table || !s->bad)
        return fail_memory(ctx, (size_t)count * sizeof *s->table);
    s->table[0] = s->coder->fill;
    for (int64_t k = 1; k <= count; k++) {
        const Text t = cell_code_text(&s->cells, (uint32_t)k);

        s->table[k] = s->blank;
        s->bad[k] = t.size && !encode_text(s->coder, t, &s->table[k]);
        any_bad |= s->bad[k];
    }
    if (!any_bad) {
        mem_free(s->bad);
        s->bad = NULL;
    }
    return ML_OK;
}

/* Where codes are those that cells were numbered by, but for missing cells. */
static ml_status same_table(Ctx *ctx, CodedColumn *s)
{
    s->table = mem_alloc((size_t)(s->cells.count + 1) * sizeof *s->table);
    if (!s->table)
        return fail_memory(ctx, (size_t)s->cells.count * sizeof *s->table);
    for (int64_t k = 0; k <= s->cells.count; k++)
        s->table[k] = k ? (double)k : s->coder->fill;
    return ML_OK;
}

static ml_status count_table(Ctx *ctx, CodedColumn *s)
{
    TRY(same_table(ctx, s));
    s->table[0] = 0;
    return count_words(ctx, &s->cells, &s->coder->categories, &s->words);
}

static double encode_blank(const Coder *coder, const FrameColumn *c, bool learned)
{
    const Coding coding = coder->spec->coding;

    if (coding == CODE_HASH && !coder->spec->impute)
        return (double)hash_bucket_of_blank(c->type, coder->codes);
    if (coding == CODE_BIN && !coder->spec->impute && c->texts && learned && coder->codes)
        return (double)bin_code(coder, 0);
    return coder->fill;
}

ml_status source_open(Ctx *ctx, const Coder *coder, const FrameColumn *c, const CellCodes *seen,
                      CodedColumn *out)
{
    const Coding coding = coder->spec->coding;

    *out = (CodedColumn){.coder = coder, .column = c, .blank = encode_blank(coder, c, seen)};
    out->by_code = column_is_dictionary(c) || coding == CODE_RECODE || coding >= CODE_WORDS;
    if (!out->by_code)
        return ML_OK;
    if (seen && seen->column) {
        out->cells = *seen;
        out->borrowed = true;
    } else {
        TRY(cell_codes(ctx, c, spec_keeps_nan(coder->spec), &out->cells));
    }
    if (out->borrowed && out->cells.rows && coding == CODE_RECODE)
        return same_table(ctx, out);
    return coding == CODE_WORDS ? count_table(ctx, out) : fill_table(ctx, out);
}

void source_free(CodedColumn *s)
{
    if (!s->borrowed)
        cell_codes_free(&s->cells);
    mem_free(s->table);
    mem_free(s->bad);
    word_counts_free(&s->words);
}

/* ---- rows ---- */

static inline int64_t row_at(const int64_t *rows, int64_t i)
{
    return rows ? rows[i] : i;
}

/* By codes of one width; NULL for rows that are not listed. */
#define LOOK_UP(type, codes)                                                                       \
    do {                                                                                           \
        const type *c_ = (codes);                                                                  \
        for (int64_t i = 0; i < n; i++)                                                            \
            out[i] = s->table[c_[row_at(rows, lo + i)]];                                           \
    } while (0)

static void look_up(const CodedColumn *s, const int64_t *rows, int64_t lo, int64_t n, double *out)
{
    if (s->cells.rows)
        LOOK_UP(uint32_t, s->cells.rows);
    else if (s->column->width == 1)
        LOOK_UP(uint8_t, s->column->cells);
    else if (s->column->width == 2)
        LOOK_UP(uint16_t, s->column->cells);
    else
        LOOK_UP(uint32_t, s->column->cells);
}

static ml_status find_bad(Ctx *ctx, const CodedColumn *s, const int64_t *rows, int64_t lo,
                          int64_t n)
{
    double x;

    for (int64_t i = lo; i < lo + n; i++)
        if (s->bad[cell_code(&s->cells, row_at(rows, i))])
            TRY(frame_cell_number(ctx, s->column, row_at(rows, i), &x));
    return ML_OK;
}

static ml_status encode_cell(Ctx *ctx, const CodedColumn *s, int64_t row, double *out)
{
    const Coder *coder = s->coder;

    if (cell_is_missing(s->column, row)) {
        *out = column_is_null(s->column, row) ? coder->fill : s->blank;
        return ML_OK;
    }
    if (coder->spec->coding == CODE_HASH) {
        *out = (double)hash_bucket(s->column, row, coder->codes);
        return ML_OK;
    }
    TRY(frame_cell_number(ctx, s->column, row, out));
    if (coder->spec->coding == CODE_BIN)
        *out = isnan(*out) || !coder->codes ? NAN : (double)bin_code(coder, *out);
    return ML_OK;
}

ml_status source_encode(Ctx *ctx, const CodedColumn *s, const int64_t *rows, int64_t lo, int64_t n,
                        double *out)
{
    if (s->by_code) {
        look_up(s, rows, lo, n, out);
        return s->bad ? find_bad(ctx, s, rows, lo, n) : ML_OK;
    }
    for (int64_t i = 0; i < n; i++)
        TRY(encode_cell(ctx, s, row_at(rows, lo + i), &out[i]));
    return ML_OK;
}
