/* transform_cells: the cells of a column by number, and as numbers.
 *
 * A dictionary column has its numbers already.  Any other is numbered in ranges of rows, each with
 * a set of its own; the sets are then united in the order of the ranges, so that numbers are those
 * of first appearance, and the rows' numbers are translated.  Where cells hardly repeat in the
 * first range, its set takes all.  Numeric cells are keyed by their eight bytes and printed once
 * each.  Cost: a look-up in a hash table a cell, two passes over the numbers. */
#include "kernel/transform.h"

#include <math.h>
#include <string.h>

enum { RANGE = 1 << 16, SOME = 64 };

bool cell_is_missing(const FrameColumn *c, int64_t row)
{
    size_t size = 0;

    if (c->texts)
        return !column_text(c, row, &size) || size == 0;
    return isnan(column_number(c, row));
}

Text cell_code_text(const CellCodes *codes, uint32_t code)
{
    Text t;

    if (codes->rows)
        t.s = text_set_at(&codes->texts, code, &t.size);
    else
        t.s = text_at(codes->column->texts, (int64_t)code - 1, &t.size);
    return t;
}

/* ---- numbering ---- */

typedef struct Numbering {
    const FrameColumn *column;
    bool nan_counts;
    uint32_t *rows;
    int64_t ranges;
    TextSet *sets;      /* one a range */
    uint32_t **numbers; /* of their entries in the union */
} Numbering;

/* The keys of n cells: their texts, or eight bytes that differ as the numbers do; `s` NULL where
 * they are missing. Returns up to where the keys can be read. */
static const char *cell_keys(const Numbering *by, int64_t row, int64_t n, TextSpan *keys,
                             int64_t *bits)
{
    const FrameColumn *c = by->column;

    for (int64_t i = 0; i < n; i++) {
        keys[i] = (TextSpan){NULL, 0};
        if (cell_is_missing(c, row + i) && (c->texts || !by->nan_counts))
            continue;
        if (c->texts) {
            keys[i].s = column_text(c, row + i, &keys[i].size);
            continue;
        }
        if (frame_type_is_float(c->type)) {
            const double found = column_number(c, row + i), x = isnan(found) ? NAN : found;

            memcpy(&bits[i], &x, sizeof x);
        } else {
            bits[i] = column_int(c, row + i);
        }
        keys[i] = (TextSpan){(const char *)&bits[i], sizeof *bits};
    }
    return c->texts ? c->texts->bytes + text_offset(c->texts, c->texts->count)
                    : (const char *)(bits + n);
}

static ml_status number_range(Ctx *ctx, const Numbering *n, int64_t r, TextSet *set)
{
    const int64_t end = (r + 1) * RANGE < n->column->rows ? (r + 1) * RANGE : n->column->rows;
    TextSpan keys[SOME];
    int64_t bits[SOME];

    for (int64_t i = r * RANGE; i < end; i += SOME) {
        const int64_t some = end - i < SOME ? end - i : SOME;
        const char *stop = cell_keys(n, i, some, keys, bits);

        if (!text_set_put_many(set, keys, some, stop, n->rows + i))
            return fail_memory(ctx, RANGE);
    }
    return ML_OK;
}

/* All but the first range. */
static ml_status number_ranges(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Numbering *n = arg;

    for (int64_t r = lo + 1; r <= hi; r++)
        TRY(number_range(ctx, n, r, &n->sets[r]));
    return ML_OK;
}

/* All but the first range, where cells hardly repeat: to unite sets of ranges would cost as much as
 * one set does. */
static ml_status number_on(Ctx *ctx, const Numbering *n)
{
    const int64_t expected = n->column->rows / RANGE * n->sets[0].entries.count;

    if (!text_set_reserve(&n->sets[0], expected))
        return fail_memory(ctx, (size_t)expected);
    for (int64_t r = 1; r < n->ranges; r++) {
        TRY(check_cancel(ctx));
        TRY(number_range(ctx, n, r, &n->sets[0]));
    }
    return ML_OK;
}

/* Puts the texts of a set into the union; numbers[k] is that of text k. */
static bool put_set(const TextSet *set, TextSet *all, uint32_t *numbers)
{
    TextSpan keys[SOME];

    for (uint32_t k = 1; k <= (uint32_t)set->entries.count; k += SOME) {
        const uint32_t left = (uint32_t)set->entries.count - k + 1,
                       some = left < SOME ? left : SOME;

        for (uint32_t i = 0; i < some; i++)
            keys[i].s = text_set_at(set, k + i, &keys[i].size);
        if (!text_set_put_many(all, keys, some, set->bytes.data + set->bytes.size, numbers + k))
            return false;
    }
    return true;
}

/* In the order of the ranges. */
static ml_status unite(Ctx *ctx, Numbering *n, TextSet *all)
{
    for (int64_t r = 0; r < n->ranges; r++) {
        const size_t count = (size_t)n->sets[r].entries.count;

        n->numbers[r] = mem_calloc(count + 1, sizeof **n->numbers);
        if (!n->numbers[r] || !put_set(&n->sets[r], all, n->numbers[r]))
            return fail_memory(ctx, count * sizeof **n->numbers);
    }
    return ML_OK;
}

static ml_status translate_ranges(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Numbering *n = arg;

    (void)ctx;
    for (int64_t r = lo; r < hi; r++) {
        const int64_t end = (r + 1) * RANGE < n->column->rows ? (r + 1) * RANGE : n->column->rows;

        for (int64_t i = r * RANGE; i < end; i++)
            n->rows[i] = n->numbers[r][n->rows[i]];
    }
    return ML_OK;
}

/* The texts of numeric keys, with the same numbers. */
static ml_status print_keys(Ctx *ctx, FrameType type, const TextSet *keys, TextSet *texts)
{
    FrameColumn *cell = NULL;
    ml_status st = frame_column_new(ctx, type, 1, &cell);

    for (uint32_t k = 1; k <= (uint32_t)keys->entries.count && st == ML_OK; k++) {
        char buf[NUM_BUFFER];
        const char *text;
        int64_t bits;
        size_t size;
        double x;

        memcpy(&bits, text_set_at(keys, k, &size), sizeof bits);
        memcpy(&x, &bits, sizeof x);
        if (frame_type_is_float(type))
            column_set_number(cell, 0, x);
        else
            column_set_int(cell, 0, bits);
        text = frame_cell_string(cell, 0, buf, &size);
        if (text_set_put(texts, text, size) != k)
            st = fail_memory(ctx, size);
    }
    frame_column_release(cell);
    return st;
}

/* Numbers the rows; *keys has what they stand for. */
static ml_status number_cells(Ctx *ctx, Numbering *n, TextSet *keys)
{
    if (n->ranges == 0)
        return ML_OK;
    TRY(number_range(ctx, n, 0, &n->sets[0]));
    if (n->ranges == 1 || n->sets[0].entries.count > RANGE / 2) {
        TRY(number_on(ctx, n));
        *keys = n->sets[0];
        n->sets[0] = (TextSet){0};
        return ML_OK;
    }
    TRY(task_for(ctx, n->ranges - 1, 1, number_ranges, n));
    TRY(unite(ctx, n, keys));
    return task_for(ctx, n->ranges, 1, translate_ranges, n);
}

static ml_status number_column(Ctx *ctx, Numbering *n, CellCodes *out)
{
    TextSet keys = {0};
    ml_status st = number_cells(ctx, n, &keys);

    if (st == ML_OK && !n->column->texts) {
        st = print_keys(ctx, n->column->type, &keys, &out->texts);
    } else {
        out->texts = keys;
        keys = (TextSet){0};
    }
    text_set_free(&keys);
    out->count = out->texts.entries.count;
    return st;
}

ml_status cell_codes(Ctx *ctx, const FrameColumn *c, bool nan_counts, CellCodes *out)
{
    Numbering n = {.column = c, .nan_counts = nan_counts, .ranges = (c->rows + RANGE - 1) / RANGE};
    ml_status st = ML_OK;

    *out = (CellCodes){.column = c};
    if (column_is_dictionary(c)) {
        out->count = c->texts->count;
        return ML_OK;
    }
    out->rows = n.rows = mem_alloc((size_t)(c->rows + 1) * sizeof *n.rows);
    n.sets = mem_calloc((size_t)n.ranges + 1, sizeof *n.sets);
    n.numbers = mem_calloc((size_t)n.ranges + 1, sizeof *n.numbers);
    st = n.rows && n.sets && n.numbers ? number_column(ctx, &n, out)
                                       : fail_memory(ctx, (size_t)c->rows * sizeof *n.rows);
    for (int64_t r = 0; r < n.ranges; r++) {
        if (n.sets)
            text_set_free(&n.sets[r]);
        if (n.numbers)
            mem_free(n.numbers[r]);
    }
    mem_free(n.sets);
    mem_free(n.numbers);
    return st;
}

void cell_codes_free(CellCodes *codes)
{
    mem_free(codes->rows);
    text_set_free(&codes->texts);
    *codes = (CellCodes){0};
}

/* ---- cells as numbers ---- */

bool text_cell_number(Text t, double *out)
{
    bool truth;

    if (text_to_double(t.s, t.size, out))
        return true;
    if (!text_is_boolean(t.s, t.size, &truth))
        return false;
    *out = truth;
    return true;
}

typedef struct Numbers {
    const FrameColumn *column;
    double missing; /* of text cells */
    double *table;  /* of a dictionary: by code */
    uint8_t *bad;
    double *out;
} Numbers;

static ml_status number_of_cell(Ctx *ctx, const Numbers *n, int64_t row, double *out)
{
    if (n->table) {
        const uint32_t code = column_code(n->column, row);

        *out = n->table[code];
        return n->bad[code] ? frame_cell_number(ctx, n->column, row, out) : ML_OK;
    }
    if (n->column->texts && cell_is_missing(n->column, row)) {
        *out = n->missing;
        return ML_OK;
    }
    return frame_cell_number(ctx, n->column, row, out);
}

static ml_status number_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Numbers *n = arg;

    for (int64_t i = lo; i < hi; i++)
        TRY(number_of_cell(ctx, n, i, &n->out[i]));
    return ML_OK;
}

static ml_status number_table(Ctx *ctx, Numbers *n)
{
    const int64_t count = n->column->texts->count;

    n->table = mem_calloc((size_t)count + 1, sizeof *n->table);
    n->bad = mem_calloc((size_t)count + 1, sizeof *n->bad);
    if (!n->table || !n->bad)
        return fail_memory(ctx, (size_t)count * sizeof *n->table);
    n->table[0] = n->missing;
    for (int64_t k = 0; k < count; k++) {
        Text t;

        t.s = text_at(n->column->texts, k, &t.size);
        n->table[k + 1] = n->missing;
        n->bad[k + 1] = t.size && !text_cell_number(t, &n->table[k + 1]);
    }
    return ML_OK;
}

ml_status cell_numbers(Ctx *ctx, const FrameColumn *c, double missing, double *out)
{
    Numbers n = {.column = c, .missing = missing, .out = out};
    ml_status st = column_is_dictionary(c) ? number_table(ctx, &n) : ML_OK;

    if (st == ML_OK)
        st = task_for(ctx, c->rows, RANGE, number_rows, &n);
    mem_free(n.table);
    mem_free(n.bad);
    return st;
}
