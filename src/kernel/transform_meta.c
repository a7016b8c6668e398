/* transform_meta: the metadata frame of a transform, written and read.
 *
 * It has the columns of the frame, all of text.  A recoded column holds "category·code" in each
 * row, a binned one "low·high" bin by bin, a hashed one the number of buckets; the other cells are
 * null.  What replaces missing cells travels with the column (FrameColumn.fill), not in a cell.
 *
 * Categories stand in the order in which the reference writes them, that of its hash table: by the
 * low bits of the mixed hash value, a power of two of buckets at most 3/4 full, and in the order of
 * the codes where these agree.  Readers must not depend on it. */
#include "kernel/sort.h"
#include "kernel/transform.h"

#include <string.h>

static const char dot[] = "\xC2\xB7";
enum { DOT_SIZE = sizeof dot - 1, FIRST_BUCKETS = 16, AHEAD = 16 };

/* ---- the order of categories ---- */

static uint32_t place_of(Text name, uint32_t mask)
{
    const uint32_t h = (uint32_t)text_hash(name.s, name.size);

    return (h ^ h >> 16) & mask;
}

ml_status categories_order(Ctx *ctx, const Categories *c, int32_t **out)
{
    const int64_t n = categories_count(c);
    SortItem *items = mem_alloc((size_t)(n + 1) * 2 * sizeof *items);
    int64_t buckets = FIRST_BUCKETS;
    ml_status st;

    *out = mem_calloc((size_t)n + 1, sizeof **out);
    if (!items || !*out) {
        mem_free(items);
        mem_free(*out);
        *out = NULL;
        return fail_memory(ctx, (size_t)n * 2 * sizeof *items);
    }
    while (n * 4 > buckets * 3)
        buckets *= 2;
    for (int64_t k = 0; k < n; k++)
        items[k] = (SortItem){place_of(categories_name(c, k + 1), (uint32_t)buckets - 1), k + 1};
    st = sort_items(ctx, items, items + n, n);
    for (int64_t k = 0; k < n; k++)
        (*out)[k] = (int32_t)items[k].index;
    mem_free(items);
    return st;
}

/* ---- writing ---- */

typedef struct MetaColumn {
    TextColumnBuilder text;
    Buffer cell;
} MetaColumn;

static ml_status put_cell(Ctx *ctx, MetaColumn *m)
{
    if (!m->cell.failed && text_builder_add(&m->text, m->cell.data, m->cell.size))
        return ML_OK;
    return fail_memory(ctx, m->cell.size);
}

static void cell_number(MetaColumn *m, double x)
{
    char buf[NUM_BUFFER];

    buffer_put(&m->cell, buf, num_print_double(buf, x));
}

/* Codes come in no order: asks for the texts of those that follow order[k], first for where each
 * is, later for itself. */
static inline __attribute__((always_inline)) void fetch_names(const Categories *c,
                                                              const int32_t *order, int64_t k)
{
    const TextEntry *entries = c->names.entries.items;

    if (c->numbers.count || k + 2 * AHEAD >= categories_count(c))
        return;
    __builtin_prefetch(&entries[order[k + 2 * AHEAD] - 1]);
    __builtin_prefetch(c->names.bytes.data + entries[order[k + AHEAD] - 1].from);
}

static ml_status write_categories(Ctx *ctx, const Coder *coder, MetaColumn *m)
{
    const Categories *c = &coder->categories;
    const int64_t n = categories_count(c);
    int32_t *order = NULL;
    ml_status st = categories_order(ctx, c, &order);

    m->text.plain = true; /* no two are equal */
    for (int64_t k = 0; k < n && st == ML_OK; k++) {
        const Text name = categories_name(c, order[k]);
        char number[NUM_BUFFER];

        fetch_names(c, order, k);
        if (!name.s)
            continue;
        m->cell.size = 0;
        buffer_put(&m->cell, name.s, name.size);
        buffer_put(&m->cell, dot, DOT_SIZE);
        buffer_put(&m->cell, number, num_print_int64(number, order[k]));
        st = put_cell(ctx, m);
    }
    mem_free(order);
    return st;
}

static ml_status write_bins(Ctx *ctx, const Coder *coder, MetaColumn *m)
{
    for (int64_t k = 0; k < coder->codes; k++) {
        m->cell.size = 0;
        cell_number(m, coder->edges[k]);
        buffer_put(&m->cell, dot, DOT_SIZE);
        cell_number(m, coder->edges[k + 1]);
        TRY(put_cell(ctx, m));
    }
    return ML_OK;
}

static ml_status write_buckets(Ctx *ctx, const Coder *coder, MetaColumn *m)
{
    buffer_format(&m->cell, "%" PRId64, coder->codes);
    return put_cell(ctx, m);
}

static bool has_categories(const ColumnSpec *spec)
{
    return spec->coding == CODE_RECODE || spec->coding >= CODE_WORDS;
}

static ml_status write_column(Ctx *ctx, const Coder *coder, int64_t rows, FrameColumn **out)
{
    MetaColumn m = {0};
    ml_status st = ML_OK;

    if (has_categories(coder->spec))
        st = write_categories(ctx, coder, &m);
    else if (coder->spec->coding == CODE_BIN)
        st = write_bins(ctx, coder, &m);
    else if (coder->spec->coding == CODE_HASH)
        st = write_buckets(ctx, coder, &m);
    while (st == ML_OK && m.text.rows < rows)
        if (!text_builder_add(&m.text, NULL, 0))
            st = fail_memory(ctx, (size_t)rows);
    buffer_free(&m.cell);
    if (st == ML_OK)
        st = text_builder_finish(ctx, &m.text, FT_STRING, out);
    if (st == ML_OK)
        (*out)->fill = string_retain(coder->fill_text);
    text_builder_free(&m.text);
    return st;
}

typedef struct Writing {
    const Transform *transform;
    int64_t rows;
    FrameColumn **columns;
} Writing;

static ml_status write_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Writing *w = arg;

    for (int64_t j = lo; j < hi; j++)
        TRY(write_column(ctx, &w->transform->coders[j], w->rows, &w->columns[j]));
    return ML_OK;
}

static int64_t meta_rows(const Coder *c)
{
    return c->spec->coding == CODE_HASH ? 1 : c->codes;
}

ml_status transform_meta(Ctx *ctx, const Transform *t, const Frame *f, Frame **out)
{
    Writing w = {.transform = t};
    ml_status st;

    for (int64_t j = 0; j < f->cols; j++)
        w.rows = meta_rows(&t->coders[j]) > w.rows ? meta_rows(&t->coders[j]) : w.rows;
    TRY(columns_new(ctx, f->cols, &w.columns));
    st = task_for(ctx, f->cols, 1, write_columns, &w);
    if (st == ML_OK)
        return frame_wrap(ctx, w.rows, f->cols, w.columns, f->names, out);
    columns_free(f->cols, w.columns);
    return st;
}

/* ---- reading ---- */

static ml_status bad_cell(Ctx *ctx, int64_t row, const char *what, Text cell)
{
    return fail(ctx, ML_EVALUE, "row %" PRId64 " of the metadata: expected %s, found '%.*s'",
                row + 1, what, cell.size < 80 ? (int)cell.size : 80, cell.s ? cell.s : "");
}

/* The last dot of a cell: a category may hold dots of its own. */
static const char *find_dot(Text cell)
{
    for (const char *p = cell.s + cell.size - DOT_SIZE; p >= cell.s; p--)
        if (memcmp(p, dot, DOT_SIZE) == 0)
            return p;
    return NULL;
}

/* Names and codes come in any order. */
ml_status categories_set(Ctx *ctx, Categories *c, Text name, int64_t code, bool *again)
{
    const uint32_t known = (uint32_t)c->names.entries.count,
                   number = text_set_put(&c->names, name.s, name.size);

    while (number && c->numbers.count < code)
        if (!VEC_PUSH(&c->numbers, 0))
            return fail_memory(ctx, (size_t)code * sizeof number);
    if (!number)
        return fail_memory(ctx, name.size);
    *again = number <= known || c->numbers.items[code - 1];
    c->numbers.items[code - 1] = number;
    return number <= known || VEC_PUSH(&c->codes, (uint32_t)code)
               ? ML_OK
               : fail_memory(ctx, (size_t)code * sizeof number);
}

/* Codes are 1 to at most the number of rows, each once. */
static ml_status read_category(Ctx *ctx, const FrameColumn *c, int64_t row, Text cell,
                               Categories *out)
{
    static const char form[] = "category\xC2\xB7"
                               "code with codes of 1 to the number of rows";
    const char *end = cell.size >= DOT_SIZE ? find_dot(cell) : NULL;
    bool again = false;
    int64_t code;

    if (!end || !num_parse_int64(end + DOT_SIZE, cell.s + cell.size, &code) || code < 1 ||
        code > c->rows)
        return bad_cell(ctx, row, form, cell);
    TRY(categories_set(ctx, out, (Text){cell.s, (size_t)(end - cell.s)}, code, &again));
    return again ? bad_cell(ctx, row, "each category and each code once", cell) : ML_OK;
}

static ml_status read_categories(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    for (int64_t i = 0; i < c->rows; i++) {
        Text cell = {0};

        cell.s = frame_cell_text(c, i, NULL, &cell.size);
        if (cell.s)
            TRY(read_category(ctx, c, i, cell, &coder->categories));
    }
    coder->codes = categories_count(&coder->categories);
    return ML_OK;
}

static bool parse_bin(Text cell, double *low, double *high)
{
    const char *end = cell.size >= DOT_SIZE ? find_dot(cell) : NULL, *rest;

    if (!end || !text_to_double(cell.s, (size_t)(end - cell.s), low))
        return false;
    rest = end + DOT_SIZE;
    return text_to_double(rest, (size_t)(cell.s + cell.size - rest), high) && *low <= *high;
}

static ml_status read_bin(Ctx *ctx, int64_t row, Text cell, double *edges)
{
    double low, high;

    if (!parse_bin(cell, &low, &high) || (row > 0 && low != edges[row]))
        return bad_cell(ctx, row, "low\xC2\xB7high of a bin that begins where the one before ends",
                        cell);
    edges[row] = low;
    edges[row + 1] = high;
    return ML_OK;
}

static ml_status read_bins(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    coder->edges = mem_calloc((size_t)c->rows + 1, sizeof *coder->edges);
    if (!coder->edges)
        return fail_memory(ctx, (size_t)c->rows * sizeof *coder->edges);
    for (int64_t i = 0; i < c->rows; i++) {
        Text cell = {0};

        cell.s = frame_cell_text(c, i, NULL, &cell.size);
        if (!cell.s)
            break;
        TRY(read_bin(ctx, i, cell, coder->edges));
        coder->codes = i + 1;
    }
    return ML_OK;
}

static ml_status read_buckets(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    Text cell = {0};

    if (c->rows > 0)
        cell.s = frame_cell_text(c, 0, NULL, &cell.size);
    if (!cell.s || !num_parse_int64(cell.s, cell.s + cell.size, &coder->codes) ||
        coder->codes < 1 || coder->codes > INT32_MAX)
        return bad_cell(ctx, 0, "the number of hash buckets", cell);
    return ML_OK;
}

static ml_status read_fill(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    const Impute impute = coder->spec->impute;

    if (impute == IMPUTE_CONSTANT)
        coder->fill_text = string_retain(coder->spec->constant);
    else if (impute != IMPUTE_NONE && c->fill)
        coder->fill_text = string_retain(c->fill);
    else if (impute != IMPUTE_NONE)
        return fail(ctx, ML_EVALUE,
                    "the metadata has no value for missing cells; expected the second result of "
                    "transformencode with the same specification, as it was returned");
    return ML_OK;
}

static ml_status read_column(Ctx *ctx, const FrameColumn *c, Coder *coder)
{
    if (!frame_type_is_text(c->type) && coder->spec->coding != CODE_NONE)
        return fail(ctx, ML_ETYPE, "the metadata should be text, found %s",
                    frame_type_name(c->type));
    if (has_categories(coder->spec))
        TRY(read_categories(ctx, c, coder));
    else if (coder->spec->coding == CODE_BIN)
        TRY(read_bins(ctx, c, coder));
    else if (coder->spec->coding == CODE_HASH)
        TRY(read_buckets(ctx, c, coder));
    return read_fill(ctx, c, coder);
}

typedef struct Reading {
    const Frame *meta;
    Coder *coders;
} Reading;

static ml_status read_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Reading *r = arg;

    for (int64_t j = lo; j < hi; j++)
        TRY(frame_name_column(ctx, r->meta, j,
                              read_column(ctx, r->meta->columns[j], &r->coders[j])));
    return ML_OK;
}

ml_status transform_from_meta(Ctx *ctx, const char *json, const Frame *meta, Transform *out)
{
    Reading r = {.meta = meta};

    TRY(transform_open(ctx, json, meta, out));
    r.coders = out->coders;
    TRY(task_for(ctx, meta->cols, 1, read_columns, &r));
    return transform_place(ctx, out);
}
