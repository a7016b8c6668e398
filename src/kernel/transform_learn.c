/* transform_learn: what a transform learns of a frame, column by column as tasks: categories in the
 * order of their first appearance, edges of bins, the values that replace missing cells.
 *
 * Bins are learned from finite numbers.  As in the reference, an empty cell of a text column counts
 * as 0 there.  Cost: one pass and a look-up in a hash table a cell; bins of equal height sort. */
#include "kernel/sort.h"
#include "kernel/sum2.h"
#include "kernel/transform.h"

#include <math.h>
#include <string.h>

bool cell_is_missing(const FrameColumn *c, int64_t row)
{
    size_t size;

    if (c->texts)
        return !column_text(c, row, &size) || size == 0;
    return isnan(column_number(c, row));
}

/* ---- categories ---- */

ml_status categories_open(Ctx *ctx, Categories *c)
{
    c->codes = map_new();
    return c->codes ? ML_OK : fail_memory(ctx, sizeof(Category));
}

static void categories_free(Categories *c)
{
    map_free(c->codes);
    arena_free(c->copies);
    VEC_FREE(&c->items);
}

int64_t categories_code(const Categories *c, Text name)
{
    int64_t code = 0;

    map_get(c->codes, name.s, name.size, &code);
    return code;
}

static ml_status add_category(Ctx *ctx, Categories *c, Text name, bool borrowed)
{
    if (!borrowed) {
        if (!c->copies)
            c->copies = arena_new();
        name.s = c->copies ? arena_text(c->copies, name.s, name.size) : NULL;
    }
    if (name.s && VEC_PUSH(&c->items, ((Category){name, 1})) &&
        map_put(c->codes, name.s, name.size, c->items.count))
        return ML_OK;
    return fail_memory(ctx, name.size);
}

static ml_status learn_categories(Ctx *ctx, const FrameColumn *c, Categories *out)
{
    const bool borrowed = frame_type_is_text(c->type);
    char buf[NUM_BUFFER];

    TRY(categories_open(ctx, out));
    for (int64_t i = 0; i < c->rows; i++) {
        Text name;
        int64_t code;

        if (cell_is_missing(c, i))
            continue;
        name.s = frame_cell_string(c, i, buf, &name.size);
        code = categories_code(out, name);
        if (code)
            out->items.items[code - 1].count++;
        else
            TRY(add_category(ctx, out, name, borrowed));
    }
    return ML_OK;
}

/* ---- bins ---- */

static ml_status finite_cells(Ctx *ctx, const FrameColumn *c, double *values, int64_t *n)
{
    *n = 0;
    for (int64_t i = 0; i < c->rows; i++) {
        double x = 0;

        if (frame_type_is_float(c->type) || !cell_is_missing(c, i))
            TRY(frame_cell_number(ctx, c, i, &x));
        if (isfinite(x))
            values[(*n)++] = x;
    }
    return ML_OK;
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
    double *values = mem_calloc((size_t)c->rows, sizeof *values);
    int64_t n = 0;
    ml_status st;

    coder->codes = coder->spec->codes;
    coder->edges = mem_calloc((size_t)coder->codes + 1, sizeof *coder->edges);
    if (!values || !coder->edges) {
        mem_free(values);
        return fail_memory(ctx, (size_t)(c->rows + coder->codes) * sizeof *values);
    }
    st = finite_cells(ctx, c, values, &n);
    if (st == ML_OK && n == 0)
        coder->codes = 0;
    else if (st == ML_OK && coder->spec->method == BIN_WIDTH)
        equal_widths(values, n, coder);
    else if (st == ML_OK)
        st = equal_heights(ctx, values, n, coder);
    mem_free(values);
    return st;
}

/* The first bin whose upper edge is not below x; the last one beyond all edges. */
int64_t bin_code(const Coder *coder, double x)
{
    int64_t low = 1, high = coder->codes;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (x <= coder->edges[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- what replaces missing cells; an empty text where there was nothing to learn from ---- */

static ml_status learn_mean(Ctx *ctx, const FrameColumn *c, String **out)
{
    char buf[NUM_BUFFER];
    Sum2 sum = {0};
    int64_t n = 0;

    for (int64_t i = 0; i < c->rows; i++) {
        double x;

        if (cell_is_missing(c, i))
            continue;
        TRY(frame_cell_number(ctx, c, i, &x));
        if (isnan(x))
            continue;
        sum2_add(&sum, x);
        n++;
    }
    return string_new(ctx, buf, n ? num_print_double(buf, sum2_value(sum) / (double)n) : 0, out);
}

/* The category of most cells, of several the first one in the metadata's order. */
static ml_status mode_of(Ctx *ctx, const Categories *c, String **out)
{
    Category best = {.name = {"", 0}};
    int32_t *order = NULL;

    TRY(categories_order(ctx, c, &order));
    for (int k = 0; k < c->items.count; k++)
        if (c->items.items[order[k]].count > best.count)
            best = c->items.items[order[k]];
    mem_free(order);
    return string_new(ctx, best.name.s, best.name.size, out);
}

static ml_status learn_mode(Ctx *ctx, const FrameColumn *c, const Coder *coder, String **out)
{
    Categories all = {0};
    ml_status st = ML_OK;

    if (coder->spec->coding == CODE_RECODE)
        return mode_of(ctx, &coder->categories, out);
    st = learn_categories(ctx, c, &all);
    if (st == ML_OK)
        st = mode_of(ctx, &all, out);
    categories_free(&all);
    return st;
}

static ml_status learn_fill(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    switch (coder->spec->impute) {
    case IMPUTE_MEAN:
        return learn_mean(ctx, c, &coder->fill_text);
    case IMPUTE_MODE:
        return learn_mode(ctx, c, coder, &coder->fill_text);
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
    if (coder->spec->coding == CODE_RECODE) {
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

ml_status transform_name_column(Ctx *ctx, const Frame *f, int64_t col, ml_status st)
{
    char buf[NUM_BUFFER];
    const Text name = transform_column_name(f, col, buf);

    if (st == ML_OK || st == ML_ENOMEM || st == ML_ECANCEL)
        return st;
    return fail(ctx, st, "column '%.*s': %s", name.size < 80 ? (int)name.size : 80, name.s,
                ctx->err.text);
}

static ml_status learn_column(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    if (coder->spec->coding == CODE_RECODE) {
        TRY(learn_categories(ctx, c, &coder->categories));
        coder->codes = coder->categories.items.count;
    } else if (coder->spec->coding == CODE_BIN) {
        TRY(learn_bins(ctx, c, coder));
    } else if (coder->spec->coding == CODE_HASH) {
        coder->codes = coder->spec->codes;
    }
    return learn_fill(ctx, c, coder);
}

static ml_status learn_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Learning *l = arg;

    for (int64_t j = lo; j < hi; j++)
        TRY(transform_name_column(
            ctx, l->frame, j, learn_column(ctx, l->frame->columns[j], &l->transform->coders[j])));
    return ML_OK;
}

ml_status transform_fill(Ctx *ctx, Transform *t, const Frame *f)
{
    for (int64_t j = 0; j < f->cols; j++)
        TRY(transform_name_column(ctx, f, j, encode_fill(ctx, f->columns[j], &t->coders[j])));
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

ml_status transform_place(Ctx *ctx, Transform *t)
{
    int64_t at = 0;

    for (int64_t j = 0; j < t->spec.cols; j++) {
        Coder *c = &t->coders[j];

        c->first = at;
        c->width = c->spec->dummy ? c->codes : 1;
        at += c->width;
        t->dummies |= c->spec->dummy;
    }
    t->cols = at;
    return at <= UINT32_MAX
               ? ML_OK
               : fail(ctx, ML_EVALUE,
                      "the encoded frame would have %" PRId64 " columns, expected less than 2^32",
                      at);
}

ml_status transform_learn(Ctx *ctx, const char *json, const Frame *f, Transform *out)
{
    Learning l = {f, out};

    TRY(transform_open(ctx, json, f, out));
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
    mem_free(t->coders);
    transform_spec_free(&t->spec);
    *t = (Transform){0};
}
