/* transform_learn: what a transform learns of a frame, column by column as tasks: categories and
 * words in the order of their first appearance, edges of bins, the values that replace missing
 * cells.
 *
 * Bins are learned from finite numbers.  As in the reference, an empty cell of a text column counts
 * as 0 there.  Cost: the numbering of the cells (transform_cells.c) and a pass over the numbers,
 * which ends early where all are known; bins of equal height sort. */
#include "kernel/sort.h"
#include "kernel/sum2.h"
#include "kernel/transform.h"

#include <math.h>
#include <string.h>

/* ---- categories ---- */

void categories_free(Categories *c)
{
    text_set_free(&c->names);
    VEC_FREE(&c->codes);
    VEC_FREE(&c->numbers);
}

int64_t categories_count(const Categories *c)
{
    return c->numbers.count ? c->numbers.count : c->names.entries.count;
}

int64_t categories_code(const Categories *c, Text name)
{
    const uint32_t number = text_set_find(&c->names, name.s, name.size);

    return number && c->codes.count ? c->codes.items[number - 1] : number;
}

Text categories_name(const Categories *c, int64_t code)
{
    const uint32_t number = c->numbers.count ? c->numbers.items[code - 1] : (uint32_t)code;
    Text t = {0};

    if (number)
        t.s = text_set_at(&c->names, number, &t.size);
    return t;
}

/* The texts of the codes that rows have, in the order of these rows. */
static ml_status learn_categories(Ctx *ctx, const CellCodes *cells, int64_t rows, TextSet *out)
{
    uint8_t *met = mem_calloc((size_t)cells->count + 1, 1);
    int64_t left = cells->count;

    if (!met)
        return fail_memory(ctx, (size_t)cells->count);
    met[0] = 1;
    for (int64_t i = 0; i < rows && left > 0; i++) {
        const uint32_t code = cell_code(cells, i);
        Text t;

        if (met[code])
            continue;
        met[code] = 1;
        left--;
        t = cell_code_text(cells, code);
        if (t.size && !text_set_put(out, t.s, t.size)) {
            mem_free(met);
            return fail_memory(ctx, t.size);
        }
    }
    mem_free(met);
    return ML_OK;
}

/* ---- bins ---- */

/* The finite ones among n values, in place; returns how many. */
static int64_t keep_finite(double *values, int64_t n)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            values[kept++] = values[i];
    return kept;
}

/* The k-th of n equal steps from low to high, where their difference may overflow. */
static double step(double low, double high, int64_t k, int64_t n)
{
    const double x = low + (high - low) * (double)k / (double)n;

    return k == n        ? high
           : isfinite(x) ? x
                         : low * (1 - (double)k / (double)n) + high * ((double)k / (double)n);
}

static void equal_widths(const double *values, int64_t n, Coder *coder)
{
    double low = values[0], high = values[0];

    for (int64_t i = 1; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    if (low == high)
        coder->codes = 1;
    for (int64_t k = 0; k <= coder->codes; k++)
        coder->edges[k] = step(low, high, k, coder->codes);
}

/* The upper edge of bin k is the value of rank k n / bins, rounded up. */
static ml_status equal_heights(Ctx *ctx, const double *values, int64_t n, Coder *coder)
{
    SortItem *items = mem_calloc((size_t)n * 2, sizeof *items);
    ml_status st;

    if (!items)
        return fail_memory(ctx, (size_t)n * 2 * sizeof *items);
    for (int64_t i = 0; i < n; i++)
        items[i].key = sort_key(values[i]);
    st = sort_items(ctx, items, items + n, n);
    for (int64_t k = 0; k <= coder->codes && st == ML_OK; k++) {
        const int64_t rank = (k * n + coder->codes - 1) / coder->codes;

        coder->edges[k] = sort_value(items[rank > 0 ? rank - 1 : 0].key);
    }
    mem_free(items);
    return st;
}

static ml_status learn_bins(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    double *values = mem_alloc((size_t)(c->rows + 1) * sizeof *values);
    int64_t n;
    ml_status st;

    coder->codes = coder->spec->codes;
    coder->edges = mem_calloc((size_t)coder->codes + 1, sizeof *coder->edges);
    if (!values || !coder->edges) {
        mem_free(values);
        return fail_memory(ctx, (size_t)(c->rows + coder->codes) * sizeof *values);
    }
    st = cell_numbers(ctx, c, 0, values);
    n = st == ML_OK ? keep_finite(values, c->rows) : 0;
    if (st == ML_OK && n == 0)
        coder->codes = 0;
    else if (st == ML_OK && coder->spec->method == BIN_WIDTH)
        equal_widths(values, n, coder);
    else if (st == ML_OK)
        st = equal_heights(ctx, values, n, coder);
    mem_free(values);
    return st;
}

/* The first bin whose upper edge is not below x; the last one beyond all edges.  Where bins have
 * equal widths the first guess is right or next to it. */
int64_t bin_code(const Coder *coder, double x)
{
    const double *edges = coder->edges;
    int64_t low = 1, high = coder->codes;

    if (coder->spec->method == BIN_WIDTH && x > edges[1] && x < edges[high]) {
        const double share = (x - edges[0]) / (edges[high] - edges[0]);
        int64_t k = share >= 0 && share < 1 ? (int64_t)(share * (double)high) + 1 : 1;

        while (k > 1 && x <= edges[k - 1])
            k--;
        while (k < high && x > edges[k])
            k++;
        return k;
    }
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (x <= edges[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- what replaces missing cells; an empty text where there was nothing to learn from ---- */

static ml_status learn_mean(Ctx *ctx, const FrameColumn *c, String **out)
{
    double *values = mem_alloc((size_t)(c->rows + 1) * sizeof *values);
    char buf[NUM_BUFFER];
    Sum2 sum = {0};
    int64_t n = 0;
    ml_status st = values ? cell_numbers(ctx, c, NAN, values)
                          : fail_memory(ctx, (size_t)c->rows * sizeof *values);

    for (int64_t i = 0; i < c->rows && st == ML_OK; i++)
        if (!isnan(values[i])) {
            sum2_add(&sum, values[i]);
            n++;
        }
    mem_free(values);
    if (st != ML_OK)
        return st;
    return string_new(ctx, buf, n ? num_print_double(buf, sum2_value(sum) / (double)n) : 0, out);
}

/* How many rows have each code. */
static ml_status count_codes(Ctx *ctx, const CellCodes *cells, int64_t rows, int64_t **out)
{
    *out = mem_calloc((size_t)cells->count + 1, sizeof **out);
    if (!*out)
        return fail_memory(ctx, (size_t)cells->count * sizeof **out);
    for (int64_t i = 0; i < rows; i++)
        (*out)[cell_code(cells, i)]++;
    return ML_OK;
}

/* The category of most cells, of several the first one in the metadata's order. */
static ml_status most_frequent(Ctx *ctx, const CellCodes *cells, const Categories *c,
                               const int64_t *counts, String **out)
{
    int64_t *by_category = mem_calloc((size_t)categories_count(c) + 1, sizeof *by_category),
            best = 0;
    int32_t *order = NULL;
    Text name = {"", 0};
    ml_status st = by_category ? categories_order(ctx, c, &order)
                               : fail_memory(ctx, (size_t)categories_count(c));

    for (int64_t k = 1; k <= cells->count && st == ML_OK; k++)
        by_category[counts[k] ? categories_code(c, cell_code_text(cells, (uint32_t)k)) : 0] =
            counts[k];
    for (int64_t k = 0; k < categories_count(c) && st == ML_OK; k++)
        if (by_category[order[k]] > best) {
            best = by_category[order[k]];
            name = categories_name(c, order[k]);
        }
    if (st == ML_OK)
        st = string_new(ctx, name.s, name.size, out);
    mem_free(by_category);
    mem_free(order);
    return st;
}

static ml_status learn_mode(Ctx *ctx, const CellCodes *cells, int64_t rows, String **out)
{
    Categories all = {0};
    int64_t *counts = NULL;
    ml_status st = learn_categories(ctx, cells, rows, &all.names);

    if (st == ML_OK)
        st = count_codes(ctx, cells, rows, &counts);
    if (st == ML_OK)
        st = most_frequent(ctx, cells, &all, counts, out);
    mem_free(counts);
    categories_free(&all);
    return st;
}

static ml_status learn_fill(Ctx *ctx, const FrameColumn *c, const CellCodes *cells, Coder *coder)
{
    switch (coder->spec->impute) {
    case IMPUTE_MEAN:
        return learn_mean(ctx, c, &coder->fill_text);
    case IMPUTE_MODE:
        return learn_mode(ctx, cells, c->rows, &coder->fill_text);
    case IMPUTE_CONSTANT:
        coder->fill_text = string_retain(coder->spec->constant);
        return ML_OK;
    default:
        return ML_OK;
    }
}

/* A text of the frame's type as a bucket: the hash depends on the type. */
static ml_status hash_of_text(Ctx *ctx, const String *text, const FrameColumn *like,
                              int64_t buckets, double *out)
{
    FrameColumn *cell = NULL, *typed = NULL;
    TextColumnBuilder b = {0};
    ml_status st;

    if (!text_builder_add(&b, text->text, (size_t)text->size)) {
        text_builder_free(&b);
        return fail_memory(ctx, (size_t)text->size);
    }
    TRY(text_builder_finish(ctx, &b, FT_STRING, &cell));
    st = column_cast(ctx, cell, like->type, &typed);
    if (st == ML_OK)
        *out = (double)hash_bucket(typed, 0, buckets);
    frame_column_release(cell);
    frame_column_release(typed);
    return st;
}

static ml_status encode_fill(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    const String *text = coder->fill_text;

    coder->fill = NAN;
    if (!text || text->size == 0)
        return ML_OK;
    if (coder->spec->coding == CODE_HASH)
        return hash_of_text(ctx, text, c, coder->codes, &coder->fill);
    if (coder->spec->coding == CODE_WORDS)
        return ML_OK;
    if (coder->spec->coding == CODE_RECODE || coder->spec->coding == CODE_EMBED) {
        coder->fill =
            (double)categories_code(&coder->categories, (Text){text->text, (size_t)text->size});
        return coder->fill > 0 ? ML_OK
                               : fail(ctx, ML_EVALUE,
                                      "expected one of its categories to replace missing cells, "
                                      "found '%.80s'",
                                      text->text);
    }
    if (!text_to_double(text->text, (size_t)text->size, &coder->fill))
        return fail(ctx, ML_EVALUE, "expected a number to replace missing cells, found '%.80s'",
                    text->text);
    if (coder->spec->coding == CODE_BIN)
        coder->fill =
            coder->codes && !isnan(coder->fill) ? (double)bin_code(coder, coder->fill) : NAN;
    return ML_OK;
}

/* ---- all columns ---- */

typedef struct Learning {
    const Frame *frame;
    Transform *transform;
} Learning;

/* Whether the work on a column goes by the numbers of its cells. */
static bool needs_codes(const ColumnSpec *spec)
{
    return spec->coding == CODE_RECODE || spec->coding == CODE_WORDS || spec->impute == IMPUTE_MODE;
}

static ml_status learn_column(Ctx *ctx, const FrameColumn *c, CellCodes *cells, Coder *coder)
{
    const Coding coding = coder->spec->coding;

    if (needs_codes(coder->spec))
        TRY(cell_codes(ctx, c, spec_keeps_nan(coder->spec), cells));
    if (coding == CODE_RECODE && !cells->rows)
        TRY(learn_categories(ctx, cells, c->rows, &coder->categories.names));
    else if (coding == CODE_WORDS)
        TRY(learn_words(ctx, cells, c->rows, &coder->categories));
    else if (coding == CODE_BIN)
        TRY(learn_bins(ctx, c, coder));
    else if (coding == CODE_HASH)
        coder->codes = coder->spec->codes;
    else if (coding == CODE_EMBED)
        return fail(ctx, ML_EUNSUPPORTED,
                    "word_embedding applies metadata of a recoded column; expected it in the "
                    "specification of transformapply alone");
    TRY(learn_fill(ctx, c, cells, coder));
    if (coding == CODE_RECODE && cells->rows) { /* numbered as they first appear: these are they */
        coder->categories.names = cells->texts;
        cells->texts = (TextSet){0};
    }
    if (coding == CODE_RECODE || coding == CODE_WORDS)
        coder->codes = categories_count(&coder->categories);
    return ML_OK;
}

static ml_status learn_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Learning *l = arg;

    for (int64_t j = lo; j < hi; j++)
        TRY(frame_name_column(ctx, l->frame, j,
                              learn_column(ctx, l->frame->columns[j], &l->transform->seen[j],
                                           &l->transform->coders[j])));
    return ML_OK;
}

ml_status transform_fill(Ctx *ctx, Transform *t, const Frame *f)
{
    for (int64_t j = 0; j < f->cols; j++)
        TRY(frame_name_column(ctx, f, j, encode_fill(ctx, f->columns[j], &t->coders[j])));
    return ML_OK;
}

ml_status transform_open(Ctx *ctx, const char *json, const Frame *f, Transform *out)
{
    *out = (Transform){0};
    TRY(transform_spec_parse(ctx, json, f, &out->spec));
    out->coders = mem_calloc((size_t)f->cols, sizeof *out->coders);
    if (!out->coders)
        return fail_memory(ctx, (size_t)f->cols * sizeof *out->coders);
    for (int64_t j = 0; j < f->cols; j++)
        out->coders[j].spec = &out->spec.columns[j];
    return ML_OK;
}

static int64_t coder_width(const Coder *c)
{
    if (c->spec->coding == CODE_EMBED)
        return c->vectors ? c->vectors->cols : 1;
    return c->spec->dummy || c->spec->coding == CODE_WORDS ? c->codes : 1;
}

ml_status transform_place(Ctx *ctx, Transform *t)
{
    int64_t at = 0;

    for (int64_t j = 0; j < t->spec.cols; j++) {
        Coder *c = &t->coders[j];

        c->first = at;
        c->width = coder_width(c);
        at += c->width;
        t->wide |= c->spec->dummy || c->spec->coding >= CODE_WORDS;
    }
    t->cols = at;
    return at <= UINT32_MAX
               ? ML_OK
               : fail(ctx, ML_EVALUE,
                      "the encoded frame would have %" PRId64 " columns, expected less than 2^32",
                      at);
}

ml_status transform_embed(Ctx *ctx, Transform *t, const Frame *f, const Matrix *vectors)
{
    for (int64_t j = 0; j < t->spec.cols; j++) {
        Coder *c = &t->coders[j];

        if (c->spec->coding != CODE_EMBED)
            continue;
        if (!vectors)
            return fail(ctx, ML_EVALUE,
                        "transformapply: expected embedding=, a matrix with a vector a row, for "
                        "word_embedding");
        if (c->codes > vectors->rows)
            return frame_name_column(ctx, f, j,
                                     fail(ctx, ML_ESHAPE,
                                          "expected a row of the embedding for each of %" PRId64
                                          " words, found %" PRId64,
                                          c->codes, vectors->rows));
        c->vectors = vectors;
    }
    return transform_place(ctx, t);
}

ml_status transform_learn(Ctx *ctx, const char *json, const Frame *f, Transform *out)
{
    Learning l = {f, out};

    TRY(transform_open(ctx, json, f, out));
    out->seen = mem_calloc((size_t)f->cols, sizeof *out->seen);
    if (!out->seen)
        return fail_memory(ctx, (size_t)f->cols * sizeof *out->seen);
    TRY(task_for(ctx, f->cols, 1, learn_columns, &l));
    TRY(transform_fill(ctx, out, f));
    return transform_place(ctx, out);
}

void transform_free(Transform *t)
{
    for (int64_t j = 0; t->coders && j < t->spec.cols; j++) {
        categories_free(&t->coders[j].categories);
        mem_free(t->coders[j].edges);
        string_release(t->coders[j].fill_text);
    }
    for (int64_t j = 0; t->seen && j < t->spec.cols; j++)
        cell_codes_free(&t->seen[j]);
    mem_free(t->seen);
    mem_free(t->coders);
    transform_spec_free(&t->spec);
    *t = (Transform){0};
}
