/* Partitioning schemes: their chunks against values by hand, and every scheme under nesting, errors
 * and cancelling. */
#include "ml_test.h"

#include "task/engine.h"

#include <stdio.h>
#include <string.h>

/* The chunks of n = 1000 for p = 4 as the papers give them, worked out with pencil and paper where
 * they do not: a text of sizes, SIZExCOUNT for equal ones in a row. */
static const struct {
    const char *name, *chunks;
} expected[] = {
    {"static", "250x4"},
    {"ss", "1x1000"},
    {"gss", "250 188 141 106 79 59 45 33 25 19 14 11 8 6 4 3x2 2 1x4"},
    {"tss", "125 117 109 101 93 85 77 69 61 53 45 37 28"},
    {"fac2", "125x4 63x4 31x4 16x4 8x4 4x4 2x4 1x4"},
    {"tfss", "113x4 81x4 49x4 17 11"},
    {"fiss", "50x4 83x4 117x4"},
    {"viss", "62x4 93x4 108x3 56"},
    {"pls", "175x4 75 57 42 32 24 18 13 10 8 6 4 3 2x2 1x4"},
    {"mstatic", "63x15 55"},
    {"mfsc", "31x32 8"},
    {"pss", "167 139 116 97 81 67 56 47 39 32 27 22 19 16 13 11 9 7 6 5 4x2 3x2 2x2 1x6"},
};

static int64_t chunk_at(const Partition *scheme, const Division *d, int64_t at)
{
    int64_t size = scheme->size(d, at);

    size = size < d->grain ? d->grain : size;
    return size > d->n - at ? d->n - at : size;
}

/* The chunks in the notation of `expected`. */
static void put_chunks(Buffer *b, const Partition *scheme, const Division *d)
{
    int64_t count = 0;

    for (int64_t at = 0, size, next; at < d->n; at += size) {
        size = chunk_at(scheme, d, at);
        next = at + size < d->n ? chunk_at(scheme, d, at + size) : 0;
        count++;
        if (next == size)
            continue;
        buffer_format(b, "%s%" PRId64, at + size > size * count ? " " : "", size);
        if (count > 1)
            buffer_format(b, "x%" PRId64, count);
        count = 0;
    }
}

ML_TEST(partition_chunks_are_those_of_the_papers)
{
    const Division d = {.n = 1000, .grain = 1, .threads = 4};

    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        const Partition *scheme = partition_find(expected[k].name);
        Buffer b = {0};

        assert_non_null(scheme);
        put_chunks(&b, scheme, &d);
        if (strcmp(b.data, expected[k].chunks) != 0)
            fail_msg("%s: expected %s, found %s", scheme->name, expected[k].chunks, b.data);
        buffer_free(&b);
    }
}

ML_TEST(partition_has_an_expectation_for_every_scheme)
{
    assert_int_equal(partition_count, sizeof expected / sizeof *expected);
    for (int k = 0; k < partition_count; k++)
        assert_string_equal(partition_table[k].name, expected[k].name);
}

ML_TEST(partition_table_has_the_words_of_the_option)
{
    Buffer words = {0};

    for (int k = 0; k < partition_count; k++)
        buffer_format(&words, "%s%s", k ? " " : "", partition_table[k].name);
    for (int k = 0; k < option_count; k++)
        if (strcmp(option_table[k].name, "partition") == 0)
            assert_string_equal(option_table[k].words, words.data);
    buffer_free(&words);
}

ML_TEST(partition_chunks_cover_all_units_and_respect_the_grain)
{
    static const int64_t sizes[] = {1, 2, 3, 7, 16, 33, 100, 4097, 100000};

    for (int k = 0; k < partition_count; k++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int p = 1; p <= 65; p = p * 2 + 1)
                for (int64_t grain = 1; grain <= sizes[s]; grain = grain * 5 + 2) {
                    const Division d = {.n = sizes[s], .grain = grain, .threads = p};
                    int64_t at = 0, chunks = 0;

                    for (; at < d.n; chunks++) {
                        const int64_t size = chunk_at(&partition_table[k], &d, at);

                        assert_true(size >= 1 && (size >= grain || at + size == d.n));
                        at += size;
                    }
                    assert_int_equal(at, d.n);
                    assert_true(chunks <= (d.n + grain - 1) / grain);
                }
}

/* Walks and sums must neither overflow nor take long on the largest calls. */
ML_TEST(partition_sizes_are_sane_for_very_many_units)
{
    const Division d = {.n = INT64_C(1) << 60, .grain = 1, .threads = 1024};

    for (int k = 0; k < partition_count; k++)
        for (int64_t at = 0; at < d.n && at >= 0; at = at * 4 + 1)
            assert_in_range(partition_table[k].size(&d, at), 1, d.n);
}

/* ---- every scheme at work ---- */

enum { UNITS = 600, INNER = 40 };

typedef struct Work {
    atomic_int *hits;       /* UNITS x INNER */
    int64_t outer;          /* the unit of the outer call, or -1 */
    int64_t fails, cancels; /* first inner cell that fails; the one that cancels; or -1 */
} Work;

static ml_status inner_unit(Ctx *ctx, const Work *w, int64_t cell)
{
    atomic_fetch_add(&w->hits[cell], 1);
    if (cell == w->cancels)
        atomic_store(ctx->cancelled, true);
    if (w->fails >= 0 && cell >= w->fails)
        return fail(ctx, ML_EVALUE, "cell %" PRId64, cell);
    return ML_OK;
}

static ml_status inner(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Work *w = arg;

    for (int64_t i = lo; i < hi; i++)
        TRY(inner_unit(ctx, w, w->outer * INNER + i));
    return ML_OK;
}

static ml_status outer(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Work w = *(const Work *)arg;

    for (int64_t i = lo; i < hi; i++) {
        w.outer = i;
        TRY(task_for(ctx, INNER, 1, inner, &w));
    }
    return ML_OK;
}

static void use_scheme(int k)
{
    snprintf(test_options()->partition, sizeof test_options()->partition, "%s",
             partition_table[k].name);
}

static Work work_new(void)
{
    Work w = {.hits = mem_calloc(UNITS * INNER, sizeof(atomic_int)), .fails = -1, .cancels = -1};

    assert_non_null(w.hits);
    return w;
}

static void for_each_scheme_and_thread_count(void (*check)(void))
{
    static const int counts[] = {1, 2, 3, 8};

    for (size_t t = 0; t < sizeof counts / sizeof *counts; t++) {
        test_threads(counts[t]);
        for (int k = 0; k < partition_count; k++) {
            use_scheme(k);
            check();
        }
    }
}

static void runs_each_cell_once(void)
{
    Work w = work_new();

    assert_ok(task_for(test_ctx(), UNITS, 1, outer, &w));
    for (int i = 0; i < UNITS * INNER; i++)
        assert_int_equal(w.hits[i], 1);
    mem_free(w.hits);
}

ML_TEST(partition_schemes_run_nested_calls)
{
    for_each_scheme_and_thread_count(runs_each_cell_once);
}

static void reports_the_lowest_cell(void)
{
    Work w = work_new();

    for (w.fails = 5; w.fails < UNITS * INNER; w.fails += 4999) {
        char message[32];

        snprintf(message, sizeof message, "cell %" PRId64, w.fails);
        assert_int_equal(task_for(test_ctx(), UNITS, 1, outer, &w), ML_EVALUE);
        assert_string_equal(test_error(), message);
    }
    mem_free(w.hits);
}

ML_TEST(partition_schemes_report_the_lowest_error_of_nested_calls)
{
    for_each_scheme_and_thread_count(reports_the_lowest_cell);
}

/* The cell cancels in the first chunk of the outer call; nothing is run twice. */
static void ends_when_cancelled(void)
{
    Work w = work_new();
    int64_t done = 0;

    w.cancels = 7;
    assert_int_equal(task_for(test_ctx(), UNITS, 1, outer, &w), ML_ECANCEL);
    for (int i = 0; i < UNITS * INNER; i++) {
        assert_in_range(w.hits[i], 0, 1);
        done += w.hits[i];
    }
    assert_true(done >= 1 && done <= UNITS * INNER);
    atomic_store(test_ctx()->cancelled, false);
    mem_free(w.hits);
}

ML_TEST(partition_schemes_end_when_cancelled)
{
    for_each_scheme_and_thread_count(ends_when_cancelled);
}

/* ---- statistics ---- */

static ml_status nothing(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    (void)ctx, (void)arg, (void)lo, (void)hi;
    return ML_OK;
}

ML_TEST(task_stats_count_calls_and_their_chunks)
{
    for (int k = 0; k < partition_count; k++) {
        const Division d = {.n = 1000, .grain = 1, .threads = 4};
        int64_t chunks = 0;

        test_threads(4);
        use_scheme(k);
        for (int64_t at = 0; at < d.n; chunks++)
            at += chunk_at(&partition_table[k], &d, at);
        for (int call = 0; call < 3; call++)
            assert_ok(task_for(test_ctx(), d.n, 1, nothing, NULL));
        assert_int_equal(task_stats(test_ctx()->tasks).calls, 3);
        assert_int_equal(task_stats(test_ctx()->tasks).chunks, 3 * chunks);
    }
}

/* One unit holds all work, a few steps of it in the rest: whoever gets it is busy alone. */
static ml_status work_in_unit_0(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    double *sink = arg;

    (void)hi;
    for (int i = 0; lo == 0 && i < 2000000; i++)
        sink[0] += 1.0 / (1 + i);
    return check_cancel(ctx);
}

ML_TEST(task_stats_tell_imbalance_where_asked)
{
    double sink = 0;

    test_threads(4);
    assert_ok(task_for(test_ctx(), 64, 1, work_in_unit_0, &sink));
    assert_true(task_stats(test_ctx()->tasks).imbalance == 1);
    test_options()->stats = 10;
    assert_ok(task_for(test_ctx(), 64, 1, work_in_unit_0, &sink));
    assert_true(task_stats(test_ctx()->tasks).imbalance > 1);
    assert_true(task_stats(test_ctx()->tasks).imbalance <= 4 * (1 + 1e-9));
}
