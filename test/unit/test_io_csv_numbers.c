/* Columns of CSV parsed eight cells at a time: what is taken has the bits that parsing one by one
 * finds, the usual forms are taken, and nothing else is written. */
#include "kernel_case.h"

#include "base/num.h"
#include "io/csv_numbers.h"

#include <stdio.h>
#include <string.h>

#ifdef __x86_64__

enum { PAGES = 400, MOST_CELLS = 8 * 29 + 5, ROOM = 48 * MOST_CELLS };

/* A column whose cells stand one after the other. */
typedef struct Page {
    char text[ROOM];
    uint32_t ends[MOST_CELLS + CSV_GROUP], sizes[MOST_CELLS + CSV_GROUP];
    uint8_t bad[MOST_CELLS];
    CsvColumn column;
    uint32_t used;
} Page;

static void page_open(Page *p)
{
    *p = (Page){.used = CSV_CELL_BEHIND};
    memset(p->text, '7', sizeof p->text); /* what is around a cell must not matter */
    p->column = (CsvColumn){p->text, p->ends, p->sizes, 0, p->bad};
}

static void page_add(Page *p, const char *cell, size_t size)
{
    const int64_t i = p->column.count++;

    memcpy(p->text + p->used, cell, size);
    p->used += (uint32_t)size;
    p->ends[i] = p->used;
    p->sizes[i] = (uint32_t)size;
    p->used += (uint32_t)(p->used % 3); /* with and without something between them */
    for (int64_t k = i + 1; k % CSV_GROUP; k++) {
        p->ends[k] = p->ends[i];
        p->sizes[k] = 0;
    }
}

static bool is_bad(const Page *p, int64_t i)
{
    return p->bad[i / CSV_GROUP] >> i % CSV_GROUP & 1;
}

/* The cell as a text of its own. */
static const char *cell_of(const Page *p, int64_t i, char room[64])
{
    snprintf(room, 64, "%.*s", (int)p->sizes[i], p->text + p->ends[i] - p->sizes[i]);
    return room;
}

static int64_t count_bad(const Page *p, bool some)
{
    int64_t n = 0;

    for (int64_t i = 0; i < p->column.count; i++)
        n += is_bad(p, i);
    assert_true(some == (n > 0));
    return n;
}

/* How many cells were taken. */
static int64_t check_doubles(Page *p)
{
    static double out[MOST_CELLS + 1];
    const int64_t n = p->column.count;
    bool some;

    out[n] = 42;
    some = csv_doubles_avx512(&p->column, out);
    assert_true(out[n] == 42);
    for (int64_t i = 0; i < n; i++) {
        char room[64];
        const char *cell = cell_of(p, i, room), *end = cell + strlen(cell);
        double want = 0;

        if (is_bad(p, i))
            continue;
        if (*cell && num_parse_double(cell, end, &want) != end)
            fail_msg("\"%s\" is no number", cell);
        if (memcmp(&want, &out[i], sizeof want))
            fail_msg("\"%s\" is %a, not %a", cell, want, out[i]);
    }
    return n - count_bad(p, some);
}

static bool parse_ints(const Page *p, bool wide, int64_t *out)
{
    static int32_t narrow[MOST_CELLS + 1];
    const int64_t n = p->column.count;
    bool some;

    out[n] = narrow[n] = 42;
    if (wide)
        return csv_int64s_avx512(&p->column, out);
    some = csv_int32s_avx512(&p->column, narrow);
    for (int64_t i = 0; i <= n; i++)
        out[i] = narrow[i];
    return some;
}

static int64_t check_ints(const Page *p, bool wide)
{
    static int64_t out[MOST_CELLS + 1];
    const int64_t n = p->column.count;
    const bool some = parse_ints(p, wide, out);

    assert_int_equal(out[n], 42);
    for (int64_t i = 0; i < n; i++) {
        char room[64];
        const char *cell = cell_of(p, i, room), *end = cell + strlen(cell);
        int64_t want = 0;

        if (is_bad(p, i))
            continue;
        if ((*cell && !num_parse_int64(cell, end, &want)) || want != out[i])
            fail_msg("\"%s\" is not %" PRId64, cell, out[i]);
    }
    return n - count_bad(p, some);
}

static int64_t check_truths(const Page *p)
{
    static uint8_t out[MOST_CELLS + 1];
    const int64_t n = p->column.count;
    bool some;

    out[n] = 42;
    some = csv_truths_avx512(&p->column, out);
    assert_int_equal(out[n], 42);
    for (int64_t i = 0; i < n; i++) {
        char room[64];
        const char *cell = cell_of(p, i, room);

        if (is_bad(p, i))
            continue;
        assert_true(!*cell || strcmp(cell, "true") == 0 || strcmp(cell, "false") == 0);
        assert_int_equal(out[i], strcmp(cell, "true") == 0);
    }
    return n - count_bad(p, some);
}

static bool has_loops(void)
{
    return cpu_machine() >= CPU_AVX512;
}

/* ---- random cells ---- */

static uint64_t below(uint64_t *seed, uint64_t n)
{
    return case_bits(seed) % n;
}

/* Of any size that usual files have, all digits random. */
static double random_double(uint64_t *seed)
{
    double v = (double)(int64_t)case_bits(seed) / 0x1p63;

    for (uint64_t k = below(seed, 12); k > 0; k--)
        v *= below(seed, 2) ? 10 : 0.1;
    return v;
}

static int print_double(uint64_t *seed, char *cell, size_t room)
{
    const int digits = (int)below(seed, 18);
    const double v = random_double(seed);

    switch (below(seed, 3)) {
    case 0:
        return snprintf(cell, room, "%.*f", digits, v);
    case 1:
        return snprintf(cell, room, "%.*e", digits, v);
    default:
        return snprintf(cell, room, "%.*g", digits, v);
    }
}

/* Forms that no double is printed in. */
static int print_odd(uint64_t *seed, char *cell, size_t room)
{
    const uint64_t bits = case_bits(seed) >> below(seed, 63);
    const int digits = (int)below(seed, 18);

    switch (below(seed, 5)) {
    case 0: /* every power and more, with mantissas of any size */
        return snprintf(cell, room, "%" PRIu64 "e%+03d", bits, (int)below(seed, 60) - 30);
    case 1: /* around 2^53 */
        return snprintf(cell, room, "%" PRIu64, (UINT64_C(1) << 53) - 4 + below(seed, 8));
    case 2: /* zeros before and behind */
        return snprintf(cell, room, "%s%.*f", below(seed, 2) ? "-00" : "00", digits,
                        (double)below(seed, 200) / 8);
    case 3: /* a point anywhere */
        snprintf(cell, room, "%018" PRIu64, bits % UINT64_C(1000000000000000000));
        cell[below(seed, 18)] = '.';
        return digits;
    default:
        return snprintf(cell, room, "%" PRId64, (int64_t)bits);
    }
}

static void add_number(Page *p, uint64_t *seed)
{
    char cell[48];
    const int n =
        below(seed, 2) ? print_double(seed, cell, sizeof cell) : print_odd(seed, cell, sizeof cell);

    page_add(p, cell, (size_t)n);
}

static void add_letters(Page *p, uint64_t *seed)
{
    static const char letters[] = "0123456789012345678900..--+eE \r\"";
    char cell[28];
    const size_t n = below(seed, below(seed, 2) ? 6 : sizeof cell);

    for (size_t k = 0; k < n; k++)
        cell[k] = letters[below(seed, sizeof letters - 1)];
    page_add(p, cell, n);
}

/* Pages of any number of cells; one of `share` cells at least is taken as a double. */
static void check_random(int pages, void (*add)(Page *, uint64_t *), int64_t share)
{
    static Page p;
    uint64_t seed = 5;
    int64_t cells = 0, taken = 0;

    for (int i = 0; has_loops() && i < pages; i++) {
        page_open(&p);
        for (uint64_t k = below(&seed, MOST_CELLS) + 1; k > 0; k--)
            add(&p, &seed);
        taken += check_doubles(&p);
        check_ints(&p, true);
        check_ints(&p, false);
        check_truths(&p);
        cells += p.column.count;
    }
    assert_true(taken * share >= cells);
}

ML_TEST(csv_numbers_of_every_form_are_those_that_parsing_finds)
{
    check_random(PAGES, add_number, 2);
}

ML_TEST(csv_numbers_of_random_letters_are_those_that_parsing_finds)
{
    check_random(PAGES, add_letters, 8);
}

/* ---- what is taken ---- */

static void page_of(Page *p, const char *const *cells, size_t n)
{
    page_open(p);
    for (size_t i = 0; i < n; i++)
        page_add(p, cells[i], strlen(cells[i]));
}

/* How many of these cells, each in a column of its own and all in one, a check takes. */
#define CHECK_CELLS(check, taken, ...)                                                             \
    do {                                                                                           \
        static const char *const cells[] = {__VA_ARGS__};                                          \
        static Page page;                                                                          \
        const size_t n = sizeof cells / sizeof *cells;                                             \
                                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            page_of(&page, &cells[i], 1);                                                          \
            if (check != (taken))                                                                  \
                fail_msg("\"%s\": %s", cells[i], (taken) ? "not taken" : "taken");                 \
        }                                                                                          \
        page_of(&page, cells, n);                                                                  \
        assert_int_equal(check, (taken) ? n : 0);                                                  \
    } while (0)

ML_TEST(csv_doubles_of_usual_forms_are_taken)
{
    if (!has_loops())
        return;
    CHECK_CELLS(check_doubles(&page), 1, "", "0", "-0", "7.25", "-140.125734", "0.549701454152872",
                "0.0495284301729933", "-0.00495284301729933", "0.004952843017299331", ".5", "-.5",
                "55.", "-5.", "12345678.", "123456789.", ".123456789", "-.12345678", "00000001",
                "9007199254740992", "9007199254740.99", "00000009007199254740992", "4.231e-03",
                "-4.231E+03", "1e-22", "-1e+22", "10.e-05", "9007199254740992e-22",
                "-0.00000000123456e-05", "0e+00", "-0.0e-00", "1234567.8e+01", "123456789.5e-07");
    CHECK_CELLS(check_doubles(&page), 0, "-", ".", "-.", "--1", "1-", "1-2", "1.2.3", "..5", "1..",
                "12345678.9.", "1.2345678.9", ".123456789012345.", "0.123456789012345678",
                "1.23456789012345678", "9007199254740993", "10.23456789012345678", "1e5", "1e+",
                "e-05", "-e-05", ".e-05", "1e-23", "1e-5x", "1f-05", "1e*05", "1e-1:", "1e-05e-05",
                "+1", " 1", "1 ", "1\r", "NaN", "Infinity", "0x10", "00000000000000000000000000",
                "10000000000000000000000001e+00", "-10000000000000000001e+00",
                "123456789012345678901e+00");
}

/* Quotients as near as can be to the middle of two doubles. */
ML_TEST(csv_doubles_round_as_division_does)
{
    if (!has_loops())
        return;
    CHECK_CELLS(check_doubles(&page), 1, "195850486484131e-03", "917440882109528e-09",
                "4302199775462761e-15", "3967758000930396e-18", "806312146055390e-21",
                "5566324146337960e-22");
}

ML_TEST(csv_integers_of_usual_forms_are_taken)
{
    if (!has_loops())
        return;
    CHECK_CELLS(check_ints(&page, true), 1, "", "0", "-0", "7", "-7", "12345678", "-12345678",
                "123456789", "1234567890123456", "-1234567890123456", "-00001234567890123456");
    CHECK_CELLS(check_ints(&page, true), 0, "-", "--1", "1-", "12-45678", "1234567-9", "1.5", "5.",
                "1e5", "+1", " 1", "1\r", "12345678901234567", "true");
    CHECK_CELLS(check_ints(&page, false), 1, "", "2147483647", "-2147483648", "-1",
                "0000000000012");
    CHECK_CELLS(check_ints(&page, false), 0, "2147483648", "-2147483649", "1234567890123456");
}

ML_TEST(csv_truths_are_taken_as_they_are_spelt)
{
    if (!has_loops())
        return;
    CHECK_CELLS(check_truths(&page), 1, "true", "false", "");
    CHECK_CELLS(check_truths(&page), 0, "True", "TRUE", "rue", "xtrue", "alse", "xfalse", "tru",
                "0", "1", "true ", "falsefalse", "e");
}

#endif
