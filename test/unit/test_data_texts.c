/* Columns of texts: in both forms, built at once and from parts. */
#include "ml_test.h"

#include "data/data.h"
#include "data_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 30000 };

/* Text of a row: one of `kinds`, every 97th null, some empty, some longer than 16 bytes. */
static const char *text_of(int64_t row, int64_t kinds, char buf[64])
{
    const int64_t kind = row * 7919 % kinds;

    if (row % 97 == 3)
        return NULL;
    if (kind == 1)
        return "";
    snprintf(buf, 64, kind % 3 ? "t%" PRId64 : "a longer text than sixteen bytes %" PRId64, kind);
    return buf;
}

static void add_rows(TextColumnBuilder *b, int64_t lo, int64_t hi, int64_t kinds)
{
    char buf[64];

    for (int64_t i = lo; i < hi; i++) {
        const char *text = text_of(i, kinds, buf);

        assert_true(text_builder_add(b, text, text ? strlen(text) : 0));
    }
}

static void check_rows(const FrameColumn *c, int64_t kinds)
{
    char buf[64];

    assert_int_equal(c->rows, ROWS);
    for (int64_t i = 0; i < ROWS; i++) {
        size_t size = 0;
        const char *found = column_text(c, i, &size), *text = text_of(i, kinds, buf);

        assert_int_equal(found == NULL, text == NULL);
        if (text) {
            assert_int_equal(size, strlen(text));
            assert_memory_equal(found, text, size);
        }
    }
}

ML_TEST(texts_that_repeat_become_a_dictionary_and_others_do_not)
{
    static const struct {
        int64_t kinds;
        int width;
    } cases[] = {{1, 1}, {100, 1}, {255, 1}, {256, 2}, {3000, 2}, {ROWS, 0}};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        TextColumnBuilder b = {0};
        FrameColumn *c = NULL;

        add_rows(&b, 0, ROWS, cases[k].kinds);
        assert_ok(text_builder_finish(test_ctx(), &b, FT_STRING, &c));
        assert_int_equal(c->width, cases[k].width);
        check_rows(c, cases[k].kinds);
        frame_column_release(c);
    }
}

/* Parts of any form; numbers of texts are those of first appearance. */
ML_TEST(builders_of_parts_make_the_column_of_one_builder)
{
    static const int64_t kinds[] = {100, 3000, ROWS};

    for (int k = 0; k < 3; k++) {
        TextColumnBuilder whole = {0}, parts[6] = {0};
        FrameColumn *a = NULL, *b = NULL;

        add_rows(&whole, 0, ROWS, kinds[k]);
        add_rows(&parts[0], 0, 10, kinds[k]);
        add_rows(&parts[2], 10, 25000, kinds[k]);
        parts[4].plain = k == 1;
        add_rows(&parts[4], 25000, ROWS, kinds[k]);
        assert_ok(text_builder_finish(test_ctx(), &whole, FT_STRING, &a));
        assert_ok(text_builders_join(test_ctx(), parts, 3, 2, FT_STRING, &b));
        check_rows(b, kinds[k]);
        for (int64_t i = 0; k == 0 && i < ROWS; i++)
            assert_int_equal(column_code(a, i), column_code(b, i));
        frame_column_release(a);
        frame_column_release(b);
    }
}

ML_TEST(columns_without_rows_or_with_nulls_alone)
{
    TextColumnBuilder b = {0};
    FrameColumn *c = NULL;

    assert_ok(text_builder_finish(test_ctx(), &b, FT_STRING, &c));
    assert_int_equal(c->rows, 0);
    frame_column_release(c);
    for (int plain = 0; plain < 2; plain++) {
        b.plain = plain;
        assert_true(text_builder_add(&b, NULL, 0));
        assert_true(text_builder_add(&b, NULL, 0));
        assert_ok(text_builder_finish(test_ctx(), &b, FT_STRING, &c));
        assert_true(column_is_null(c, 0) && column_is_null(c, 1));
        frame_column_release(c);
    }
}

/* A text is found by all of its bytes, also those around a zero. */
ML_TEST(sets_tell_texts_apart_by_size_and_bytes)
{
    static const struct {
        const char *text;
        size_t size;
    } texts[] = {{"", 0},
                 {"\0", 1},
                 {"\0\0", 2},
                 {"a", 1},
                 {"a\0", 2},
                 {"12345678", 8},
                 {"12345678\0", 9},
                 {"1234567812345678", 16},
                 {"1234567812345678\0", 17},
                 {"12345678123456789", 17}};
    TextSet s = {0};

    for (int round = 0; round < 2; round++)
        for (uint32_t k = 0; k < sizeof texts / sizeof *texts; k++)
            assert_int_equal(text_set_put(&s, texts[k].text, texts[k].size), k + 1);
    assert_int_equal(text_set_find(&s, "b", 1), 0);
    text_set_free(&s);
}

/* ---- cells, many at once ---- */

enum { CELLS = 20000, LONGEST = 40, COLUMN = 97, MOST = 300 };

/* The text of a cell without outer blanks; null where it is empty. */
static TextSpan trimmed(const char *p, size_t size)
{
    while (size && (unsigned char)*p <= ' ')
        p++, size--;
    while (size && (unsigned char)p[size - 1] <= ' ')
        size--;
    return (TextSpan){size ? p : NULL, size};
}

/* Appends cell i to a text. */
typedef void MakeCell(uint64_t *state, int i, Buffer *text);

static uint64_t next_random(uint64_t *state)
{
    return *state = *state * UINT64_C(6364136223846793005) + 1;
}

/* Of all sizes, of few or of many letters, some of which are blanks, zeros and quotes. */
static void any_cell(uint64_t *state, int i, Buffer *text)
{
    static const char letters[] = {'a', 'b', ' ', '\0', '"', '\xc3', '\t', 'z'};
    const uint64_t r = next_random(state);
    const uint32_t size = (uint32_t)(r >> 33) % (r >> 60 ? LONGEST / 4 : LONGEST + 1);
    const uint32_t kinds = r >> 58 & 1 ? sizeof letters : 1;

    (void)i;
    for (uint32_t k = 0; k < size; k++)
        buffer_put(text, &letters[(next_random(state) >> 33) % kinds], 1);
}

/* Of all sizes, each in some forms that differ in a single byte: one in the middle, the first or
 * the last, which are blanks or quotes too. The first time in order, then again and again. */
static void similar_cell(uint64_t *state, int i, Buffer *text)
{
    static const char letters[] = {'a', 'b', ' ', '"', '\n', '\0'};
    enum { KINDS = 3 * sizeof letters };
    const uint32_t kind = i < KINDS * (LONGEST + 1)
                              ? (uint32_t)i
                              : (uint32_t)(next_random(state) >> 33) % (KINDS * (LONGEST + 1));
    const size_t size = kind / KINDS, at = text->size;

    for (size_t k = 0; k < size; k++)
        buffer_put(text, "x", 1);
    if (size)
        text->data[at + (size - 1) * (kind % 3) / 2] = letters[kind % KINDS / 3];
}

/* Eight texts, of up to 15 bytes; some cells are empty or have outer blanks. */
static void cell_of_few(uint64_t *state, int i, Buffer *text)
{
    static const char *const texts[] = {
        "a", "b",  "ab", "fifteen letters", "fifteen lettert", "\xc3\xbc", "\"a\"", "0",
        "",  "a ", "\tb"};

    (void)i;
    buffer_text(text, texts[(next_random(state) >> 33) % (sizeof texts / sizeof *texts)]);
}

/* Cells one after the other in memory that has not a byte more. */
static char *make_cells(MakeCell *make, uint64_t seed, uint32_t *ends, uint32_t *sizes)
{
    Buffer b = {0};
    char *text;

    for (int i = 0; i < CELLS; i++) {
        const size_t from = b.size;

        make(&seed, i, &b);
        ends[i] = (uint32_t)b.size;
        sizes[i] = (uint32_t)(b.size - from);
    }
    text = malloc(b.size);
    assert_non_null(text);
    memcpy(text, b.data, b.size);
    buffer_free(&b);
    return text;
}

static void add_cells(TextColumnBuilder *b, const TextCells *c, TextSpan *texts, uint32_t *left)
{
    const int64_t n = text_builder_add_cells(b, c, left);

    for (int64_t k = 0; k < n; k++)
        texts[k] = trimmed(c->text + c->ends[left[k]] - c->sizes[left[k]], c->sizes[left[k]]);
    assert_true(text_builder_add_left(b, c, texts, left, n));
}

static void same_columns(TextColumnBuilder *x, TextColumnBuilder *y)
{
    FrameColumn *a, *b;

    assert_true(x->rows == CELLS && x->words.count == CELLS);
    assert_memory_equal(x->words.items, y->words.items, CELLS * sizeof(uint32_t));
    assert_ok(text_builder_finish(test_ctx(), x, FT_STRING, &a));
    assert_ok(text_builder_finish(test_ctx(), y, FT_STRING, &b));
    assert_memory_equal(a->texts->bytes, b->texts->bytes,
                        (size_t)text_offset(b->texts, b->texts->count));
    frame_column_release(a);
    frame_column_release(b);
}

/* Of two builders one takes cells as AVX-512 finds them, `some` at a time, the other one after the
 * other. */
static void check_cells(MakeCell *make, uint64_t seed, int some, bool plain)
{
    uint32_t ends[CELLS], sizes[CELLS], left[MOST + 8];
    TextSpan texts[MOST];
    TextColumnBuilder eights = {.plain = plain}, single = {.plain = plain};
    char *text = make_cells(make, seed, ends, sizes);

    for (int i = 0; i < CELLS; i += some) {
        const int64_t n = CELLS - i < some ? CELLS - i : some;
        const TextCells c = {text, text + ends[CELLS - 1], ends + i, sizes + i, n};

        add_cells(&eights, &c, texts, left);
        for (int64_t k = 0; k < n; k++) {
            const TextSpan t = trimmed(text + ends[i + k] - sizes[i + k], sizes[i + k]);

            assert_true(text_builder_add(&single, t.s, t.size));
        }
    }
    assert_true(plain || make != any_cell || eights.set.entries.count > 4096);
    same_columns(&eights, &single);
    free(text);
}

ML_TEST(cells_by_eights_are_the_texts_one_by_one)
{
    static const int some[] = {COLUMN, 1, 8, 13, MOST};

    if (cpu_level(test_ctx()) < CPU_AVX512)
        return;
    for (uint64_t k = 0; k < sizeof some / sizeof *some; k++) {
        check_cells(any_cell, k + 1, some[k], false);
        check_cells(similar_cell, k + 1, some[k], false);
        check_cells(cell_of_few, k + 1, some[k], false);
        check_cells(any_cell, k + 1, some[k], true);
        check_cells(similar_cell, k + 1, some[k], true);
    }
}

/* Parts whose first ones are shared: with texts that repeat or not, and later ones that are as long
 * as the first ones or outgrow the room that was guessed for them. */
ML_TEST(shared_parts_make_the_column_of_one_builder)
{
    enum { PARTS = 5, FILLED = 2, PART = ROWS / PARTS };
    static const int64_t kinds[] = {5, 3000, ROWS};

    for (int k = 0; k < 6; k++) {
        TextColumnBuilder whole = {0}, parts[PARTS] = {{0}};
        TextSet base = {0};
        FrameColumn *a = NULL, *b = NULL;
        uint32_t *words = malloc(ROWS * sizeof *words);

        assert_non_null(words);
        for (int i = 0; i < PARTS; i++)
            assert_true(text_builder_lend(&parts[i], words + i * PART, PART));
        for (int64_t i = 0; i < ROWS; i++) {
            char buf[64], longer[128];
            const char *text = text_of(i, kinds[k % 3], buf);
            size_t size = text ? strlen(text) : 0;

            if (k >= 3 && i >= FILLED * PART && size) {
                size = (size_t)snprintf(longer, sizeof longer, "%s, and some words more", text);
                text = longer;
            }
            if (i == (int64_t)FILLED * PART)
                assert_ok(text_builders_share(test_ctx(), parts, PARTS, FILLED, 1, &base));
            assert_true(text_builder_add(&whole, text, size));
            assert_true(text_builder_add(&parts[i / PART], text, size));
        }
        assert_int_equal(parts[PARTS - 1].plain, k % 3 == 2);
        assert_ok(text_builder_finish(test_ctx(), &whole, FT_STRING, &a));
        assert_ok(text_builders_join(test_ctx(), parts, PARTS, 1, FT_STRING, &b));
        for (int64_t i = 0; i < ROWS; i++) {
            size_t m = 0, n = 0;
            const char *x = column_text(a, i, &m), *y = column_text(b, i, &n);

            assert_true(!x == !y && m == n);
            if (x)
                assert_memory_equal(x, y, n);
            if (a->width && b->width)
                assert_int_equal(column_code(a, i), column_code(b, i));
        }
        frame_column_release(a);
        frame_column_release(b);
        text_set_free(&base);
        free(words);
    }
}
