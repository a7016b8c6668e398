/* The task engine: every unit runs once, nesting, errors, cancelling, many small calls. */
#include "ml_test.h"

#include "task/engine.h"

#include <stdio.h>

static const int thread_counts[] = {1, 2, 3, 8};

typedef struct Marks {
    atomic_int *hits;
    int64_t n, grain;
} Marks;

static ml_status mark(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Marks *m = arg;

    (void)ctx;
    assert_true(lo < hi && hi <= m->n);
    for (int64_t i = lo; i < hi; i++)
        atomic_fetch_add(&m->hits[i], 1);
    return ML_OK;
}

static void check_marks(Ctx *ctx, int64_t n, int64_t grain)
{
    Marks m = {mem_calloc((size_t)n, sizeof(atomic_int)), n, grain};

    assert_ok(task_for(ctx, n, grain, mark, &m));
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(m.hits[i], 1);
    mem_free(m.hits);
}

ML_TEST(task_for_runs_every_unit_once)
{
    static const int64_t sizes[] = {0, 1, 2, 3, 7, 8, 64, 1000, 12345};
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
        test_threads(thread_counts[t]);
        for (int s = 0; s < partition_count; s++) {
            snprintf(test_options()->partition, sizeof test_options()->partition, "%s",
                     partition_table[s].name);
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
                for (int64_t grain = 0; grain < 200; grain = grain * 3 + 1)
                    check_marks(test_ctx(), sizes[k], grain);
        }
    }
}

/* Three levels of calls, each unit adding one at the bottom. */
typedef struct Nest {
    int depth;
    atomic_int_fast64_t *sum;
} Nest;

static ml_status nest(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Nest *n = arg;
    Nest deeper = {n->depth - 1, n->sum};

    for (int64_t i = lo; i < hi; i++) {
        if (n->depth == 0)
            atomic_fetch_add(n->sum, 1);
        else
            TRY(task_for(ctx, 10, 1, nest, &deeper));
    }
    return ML_OK;
}

ML_TEST(task_for_nests)
{
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
        test_threads(thread_counts[t]);
        for (int round = 0; round < 20; round++) {
            atomic_int_fast64_t sum = 0;
            Nest n = {3, &sum};

            assert_ok(task_for(test_ctx(), 10, 1, nest, &n));
            assert_int_equal(sum, 10000);
        }
    }
}

static ml_status descend(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const int left = *(const int *)arg;
    int next = left - 1;

    return left > 0 && lo == 0 && hi > 0 ? task_for(ctx, 2, 1, descend, &next) : ML_OK;
}

ML_TEST(task_for_nests_deeper_than_a_deque_holds)
{
    int depth = 100;

    test_threads(2);
    assert_ok(task_for(test_ctx(), 2, 1, descend, &depth));
}

static ml_status fail_from(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const int64_t first = *(const int64_t *)arg;

    for (int64_t i = lo; i < hi; i++)
        if (i >= first)
            return fail(ctx, ML_EVALUE, "unit %" PRId64, i);
    return ML_OK;
}

ML_TEST(task_for_reports_the_error_of_the_lowest_unit)
{
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
        test_threads(thread_counts[t]);
        for (int64_t first = 0; first < 500; first += 7) {
            char expected[32];

            snprintf(expected, sizeof expected, "unit %" PRId64, first);
            assert_int_equal(task_for(test_ctx(), 500, 1, fail_from, &first), ML_EVALUE);
            assert_string_equal(test_error(), expected);
        }
    }
}

static ml_status fail_nested(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    (void)hi;
    return lo >= 0 ? task_for(ctx, 100, 1, fail_from, arg) : ML_OK;
}

ML_TEST(task_for_passes_errors_up_from_nested_calls)
{
    int64_t first = 42;

    test_threads(8);
    assert_int_equal(task_for(test_ctx(), 64, 1, fail_nested, &first), ML_EVALUE);
    assert_string_equal(test_error(), "unit 42");
}

typedef struct CancelAt {
    int64_t at;
    atomic_int_fast64_t done;
} CancelAt;

static ml_status cancel_at(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    CancelAt *c = arg;

    if (lo <= c->at && c->at < hi)
        atomic_store(ctx->cancelled, true);
    atomic_fetch_add(&c->done, hi - lo);
    return ML_OK;
}

ML_TEST(task_for_ends_early_when_cancelled)
{
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
        CancelAt c = {.at = 0};

        test_threads(thread_counts[t]);
        assert_int_equal(task_for(test_ctx(), 100000, 1, cancel_at, &c), ML_ECANCEL);
        assert_true(c.done < 100000);
        atomic_store(test_ctx()->cancelled, false);
    }
}

/* Who takes part at the same time, and the largest chunk. */
typedef struct Crowd {
    atomic_int inside, most;
    atomic_int_fast64_t longest, done;
} Crowd;

static ml_status crowd(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Crowd *c = arg;
    const int inside = atomic_fetch_add(&c->inside, 1) + 1;
    int most = atomic_load(&c->most);
    int64_t longest = atomic_load(&c->longest);
    volatile double x = 1;

    (void)ctx;
    while (inside > most && !atomic_compare_exchange_weak(&c->most, &most, inside))
        ;
    while (hi - lo > longest && !atomic_compare_exchange_weak(&c->longest, &longest, hi - lo))
        ;
    for (int k = 0; k < 20000; k++)
        x = x * 1.0000001;
    atomic_fetch_add(&c->done, hi - lo);
    atomic_fetch_sub(&c->inside, 1);
    return ML_OK;
}

ML_TEST(task_for_divided_bounds_threads_and_chunks)
{
    test_threads(8);
    for (int threads = 1; threads <= 4; threads++) {
        const TaskDivision how = {.grain = 1, .most = 7, .threads = threads, .partition = "static"};
        Crowd c = {0};

        assert_ok(task_for_divided(test_ctx(), 400, &how, crowd, &c));
        assert_int_equal(c.done, 400);
        assert_true(c.most <= threads);
        if (threads > 1) /* one thread goes through in a few steps */
            assert_int_equal(c.longest, 7);
    }
}

ML_TEST(task_for_survives_many_tiny_calls)
{
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
        test_threads(thread_counts[t]);
        for (int round = 0; round < 3000; round++)
            check_marks(test_ctx(), 8, 1);
    }
}

ML_TEST(task_engine_starts_no_thread_without_work)
{
    TaskEngine *engine = task_engine_new(8);

    assert_int_equal(task_stats(engine).calls, 0);
    assert_int_equal(task_stats(engine).threads, 8);
    task_engine_free(engine);
    engine = task_engine_new(0);
    assert_int_equal(task_stats(engine).threads, machine_cpus());
    task_engine_free(engine);
}
