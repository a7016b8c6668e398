/* Columns from numbers of texts: see coded_texts.h.
 *
 * Dictionaries come before the rows that use them, so more texts than rows is nothing unusual; only
 * beyond MANY of them are the two compared, and the set is given up when less than four rows share
 * a text. What was learned before keeps its number. */
#include "io/coded_texts.h"

enum { MANY = 20480 /* DuckDB looks at dictionaries of up to 20,000 texts */, ROWS_PER_TEXT = 4 };

/* The texts of the set become the first of those that lie one after the other. */
static bool give_up(CodedTexts *t)
{
    t->plain = true;
    for (int k = 0; k < t->set.entries.count; k++) {
        const TextEntry *e = &t->set.entries.items[k];

        if (!VEC_PUSH(&t->ends, (size_t)e->from + e->size))
            return false;
    }
    t->bytes = t->set.bytes;
    t->set.bytes = (Buffer){0};
    text_set_free(&t->set);
    return true;
}

bool coded_texts_learn(CodedTexts *t, const char *text, size_t size, uint32_t *number)
{
    const int texts = t->set.entries.count;

    if (texts > MANY && texts > t->rows.count / ROWS_PER_TEXT && !give_up(t))
        return false;
    if (!t->plain) {
        *number = text_set_put(&t->set, text, size);
        return *number != 0;
    }
    if (size)
        buffer_put(&t->bytes, text, size);
    if (t->bytes.failed || !VEC_PUSH(&t->ends, t->bytes.size))
        return false;
    *number = (uint32_t)t->ends.count;
    return true;
}

bool coded_texts_add(CodedTexts *t, const uint32_t *numbers, int64_t n)
{
    const int count = t->rows.count;

    if (n > INT32_MAX - count ||
        (count + (int)n > t->rows.capacity &&
         !vec_grow((void **)&t->rows.items, &t->rows.capacity, count + (int)n, sizeof *numbers)))
        return false;
    if (n > 0)
        memcpy(t->rows.items + count, numbers, (size_t)n * sizeof *numbers);
    t->rows.count += (int)n;
    return true;
}

/* ---- as a dictionary ---- */

/* The texts in the order in which rows have them first; *place is where each number went. */
static ml_status arrange(Ctx *ctx, const CodedTexts *t, TextSet *to, uint32_t **place)
{
    *place = mem_calloc((size_t)t->set.entries.count + 1, sizeof **place);
    if (!*place)
        return fail_memory(ctx, (size_t)t->set.entries.count * sizeof **place);
    for (int i = 0; i < t->rows.count; i++) {
        const uint32_t number = t->rows.items[i];
        size_t size;
        const char *text;

        if (!number || (*place)[number])
            continue;
        text = text_set_at(&t->set, number, &size);
        (*place)[number] = text_set_put(to, text, size);
        if (!(*place)[number])
            return fail_memory(ctx, size);
    }
    return ML_OK;
}

static ml_status finish_codes(Ctx *ctx, const CodedTexts *t, FrameColumn **out)
{
    TextSet texts = {0};
    TextStore *store = NULL;
    uint32_t *place = NULL;
    ml_status st = arrange(ctx, t, &texts, &place);

    if (st == ML_OK)
        st = text_store_of_set(ctx, &texts, &store);
    if (st == ML_OK)
        st = frame_column_codes(ctx, FT_STRING, t->rows.count, store, out);
    for (int i = 0; st == ML_OK && i < t->rows.count; i++)
        column_set_code(*out, i, place[t->rows.items[i]]);
    text_set_free(&texts);
    mem_free(place);
    return st;
}

/* ---- plain ---- */

static size_t start_of(const CodedTexts *t, uint32_t number)
{
    return number > 1 ? t->ends.items[number - 2] : 0;
}

static size_t size_of(const CodedTexts *t, uint32_t number)
{
    return number ? t->ends.items[number - 1] - start_of(t, number) : 0;
}

static void set_end(TextStore *s, int64_t row, size_t end)
{
    if (s->offsets)
        s->offsets[row + 1] = (uint32_t)end;
    else
        s->offsets_beyond[row + 1] = (int64_t)end;
}

/* Texts that follow one another are copied at once; mostly these are all. */
static void copy_rows(const CodedTexts *t, FrameColumn *c)
{
    const uint32_t *rows = t->rows.items;
    size_t to = 0;

    for (int i = 0, next; i < t->rows.count; i = next) {
        const size_t from = rows[i] ? start_of(t, rows[i]) : 0, begin = to;

        next = i;
        do {
            to += size_of(t, rows[next]);
            set_end(c->texts, next++, to);
        } while (rows[i] && next < t->rows.count && rows[next] == rows[next - 1] + 1);
        if (!rows[i])
            c->nulls[i / 64] |= UINT64_C(1) << (i % 64);
        else if (to > begin)
            memcpy(c->texts->bytes + begin, t->bytes.data + from, to - begin);
    }
}

static ml_status finish_plain(Ctx *ctx, const CodedTexts *t, FrameColumn **out)
{
    TextStore *store = NULL;
    bool nulls = false;
    size_t bytes = 0;

    for (int i = 0; i < t->rows.count; i++) {
        bytes += size_of(t, t->rows.items[i]);
        nulls |= !t->rows.items[i];
    }
    TRY(text_store_new(ctx, t->rows.count, bytes, &store));
    TRY(frame_column_plain(ctx, FT_STRING, t->rows.count, nulls, store, out));
    copy_rows(t, *out);
    return ML_OK;
}

ml_status coded_texts_finish(Ctx *ctx, CodedTexts *t, FrameColumn **out)
{
    ml_status st = (t->plain ? finish_plain : finish_codes)(ctx, t, out);

    coded_texts_free(t);
    return st;
}

void coded_texts_free(CodedTexts *t)
{
    text_set_free(&t->set);
    buffer_free(&t->bytes);
    VEC_FREE(&t->ends);
    VEC_FREE(&t->rows);
    *t = (CodedTexts){0};
}
