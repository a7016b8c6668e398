/* transform_words: texts as bags of words.
 *
 * A word is a run of letters, told in lower case, as the reference takes texts apart: digits and
 * whatever else divides words.  Words are numbered in the order in which they first appear, and
 * counted once for each distinct cell. */
#include "kernel/transform.h"

#include <stdlib.h>

/* Letters of ASCII, and beyond it all but spaces, punctuation and symbols. */
static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (c < 0x100)
        return c == 0xAA || c == 0xB5 || c == 0xBA || (c >= 0xC0 && c != 0xD7 && c != 0xF7);
    return !((c >= 0x2000 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x303F) || c == 0x1680 ||
             (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE10 && c <= 0xFE6F) || c == 0xFEFF ||
             (c >= 0xFF00 && c <= 0xFF20) || c >= 0x1F000);
}

bool next_word(Text t, size_t *at, Buffer *word)
{
    const char *end = t.s + t.size, *p = t.s + *at;
    char bytes[4];
    int size;

    word->size = 0;
    while (p < end) {
        const uint32_t c = text_decode(p, end, &size);

        if (!is_letter(c) && word->size)
            break;
        if (is_letter(c))
            buffer_put(word, bytes, (size_t)text_encode(text_lower(c), bytes));
        p += size;
    }
    *at = (size_t)(p - t.s);
    return word->size > 0;
}

static ml_status put_words(Ctx *ctx, Text t, Buffer *word, Categories *out)
{
    for (size_t at = 0; next_word(t, &at, word);)
        if (word->failed || !text_set_put(&out->names, word->data, word->size))
            return fail_memory(ctx, t.size);
    return ML_OK;
}

ml_status learn_words(Ctx *ctx, const CellCodes *cells, int64_t rows, Categories *out)
{
    uint8_t *met = mem_calloc((size_t)cells->count + 1, 1);
    int64_t left = cells->count;
    Buffer word = {0};
    ml_status st = met ? ML_OK : fail_memory(ctx, (size_t)cells->count);

    for (int64_t i = 0; i < rows && left > 0 && st == ML_OK; i++) {
        const uint32_t code = cell_code(cells, i);

        if (!code || met[code])
            continue;
        met[code] = 1;
        left--;
        st = put_words(ctx, cell_code_text(cells, code), &word, out);
    }
    buffer_free(&word);
    mem_free(met);
    return st;
}

/* ---- counting ---- */

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

typedef VEC(uint32_t) Found;

/* Sorts the columns that were found and adds each with how often it was. */
static bool add_counts(Found *found, WordCounts *out)
{
    if (found->count)
        qsort(found->items, (size_t)found->count, sizeof *found->items, by_value);
    for (int k = 0, n; k < found->count; k += n) {
        for (n = 1; k + n < found->count && found->items[k + n] == found->items[k]; n++)
            ;
        if (!VEC_PUSH(&out->columns, found->items[k]) || !VEC_PUSH(&out->counts, (uint32_t)n))
            return false;
    }
    return true;
}

static ml_status count_cell(Ctx *ctx, Text t, const Categories *words, Buffer *word, Found *found,
                            WordCounts *out)
{
    bool good = true;

    found->count = 0;
    for (size_t at = 0; good && next_word(t, &at, word);) {
        const int64_t code =
            word->failed ? 0 : categories_code(words, (Text){word->data, word->size});

        good = !word->failed && (!code || VEC_PUSH(found, (uint32_t)code - 1));
    }
    return good && add_counts(found, out) ? ML_OK : fail_memory(ctx, t.size);
}

ml_status count_words(Ctx *ctx, const CellCodes *cells, const Categories *words, WordCounts *out)
{
    Buffer word = {0};
    Found found = {0};
    ml_status st = ML_OK;

    out->starts = mem_calloc((size_t)cells->count + 2, sizeof *out->starts);
    if (!out->starts)
        return fail_memory(ctx, (size_t)cells->count * sizeof *out->starts);
    for (int64_t k = 1; k <= cells->count && st == ML_OK; k++) {
        out->starts[k] = out->columns.count;
        st = count_cell(ctx, cell_code_text(cells, (uint32_t)k), words, &word, &found, out);
    }
    out->starts[cells->count + 1] = out->columns.count;
    buffer_free(&word);
    VEC_FREE(&found);
    return st;
}

void word_counts_free(WordCounts *w)
{
    mem_free(w->starts);
    VEC_FREE(&w->columns);
    VEC_FREE(&w->counts);
}
