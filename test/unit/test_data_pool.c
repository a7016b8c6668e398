/* The pool: exact accounting, reuse, the budget, and what happens when it is reached. */
#include "ml_test.h"

#include "task/task.h"

#include <string.h>

static Ctx context_with(Pool *pool)
{
    Ctx ctx = *test_ctx();

    ctx.pool = pool;
    return ctx;
}

ML_TEST(pool_gives_aligned_buffers_of_every_size)
{
    Pool *pool = pool_new(SIZE_MAX);
    Ctx ctx = context_with(pool);

    for (size_t bytes = 0; bytes < (size_t)40 << 20; bytes = bytes * 5 / 4 + 1) {
        char *p = pool_alloc(&ctx, bytes);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        assert_true(pool_stats(pool).used >= bytes);
        assert_true(pool_stats(pool).used <= (bytes < 256 ? bytes + 64 : bytes + bytes / 4));
        memset(p, 0xAB, bytes);
        pool_release(pool, p, bytes);
        assert_int_equal(pool_stats(pool).used, 0);
    }
    pool_free(pool);
}

ML_TEST(pool_reuses_a_released_buffer)
{
    Pool *pool = pool_new(SIZE_MAX);
    Ctx ctx = context_with(pool);
    void *p = pool_alloc(&ctx, 100000), *q;

    pool_release(pool, p, 100000);
    q = pool_alloc(&ctx, 99000);
    assert_ptr_equal(p, q);
    assert_int_equal(pool_stats(pool).reused, 1);
    assert_int_equal(pool_stats(pool).cached, 0);
    pool_release(pool, q, 99000);
    pool_free(pool);
}

ML_TEST(pool_fails_at_its_budget_and_names_the_sizes)
{
    Pool *pool = pool_new(1 << 20);
    Ctx ctx = context_with(pool);
    void *p = pool_alloc(&ctx, 512 << 10);

    assert_non_null(p);
    assert_null(pool_alloc(&ctx, 768 << 10));
    assert_int_equal(ctx.err.code, ML_ENOMEM);
    assert_string_equal(ctx.err.text,
                        "out of memory: 786432 bytes wanted, 524288 of the budget of 1048576 "
                        "bytes in use");
    assert_null(pool_alloc(&ctx, SIZE_MAX));
    pool_release(pool, p, 512 << 10);
    pool_free(pool);
}

ML_TEST(pool_gives_cached_buffers_back_before_it_fails)
{
    Pool *pool = pool_new(1 << 20);
    Ctx ctx = context_with(pool);

    for (int round = 0; round < 10; round++) {
        for (size_t bytes = 256 << 10; bytes <= 1 << 20; bytes *= 2) {
            void *p = pool_alloc(&ctx, bytes);

            assert_non_null(p);
            assert_true(pool_stats(pool).used + pool_stats(pool).cached <= 1 << 20);
            pool_release(pool, p, bytes);
        }
    }
    assert_int_equal(pool_stats(pool).peak, 1 << 20);
    pool_free(pool);
}

ML_TEST(pool_survives_a_failing_system)
{
    Pool *pool = pool_new(SIZE_MAX);
    Ctx ctx = context_with(pool);
    void *p;

    for (size_t bytes = 1000; bytes < 10000000; bytes *= 1000) {
        p = pool_alloc(&ctx,
                       bytes); /* cached afterwards, so the second try has something to drop */
        pool_release(pool, p, bytes);
        mem_fail_after(0);
        p = pool_alloc(&ctx, bytes * 4);
        mem_fail_after(-1);
        assert_non_null(p);
        assert_int_equal(pool_stats(pool).cached, 0);
        pool_release(pool, p, bytes * 4);
    }
    pool_free(pool);
}

static ml_status churn(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    (void)arg;
    for (int64_t i = lo; i < hi; i++) {
        size_t bytes = (size_t)(i % 37 + 1) * 100;
        char *p = pool_alloc(ctx, bytes);

        if (!p)
            return ML_ENOMEM;
        memset(p, (int)i, bytes);
        for (size_t k = 0; k < bytes; k += 99)
            if (p[k] != (char)i)
                return fail(ctx, ML_EINTERNAL, "shared buffer");
        pool_release(ctx->pool, p, bytes);
    }
    return ML_OK;
}

ML_TEST(pool_serves_many_threads)
{
    test_threads(8);
    assert_ok(task_for(test_ctx(), 20000, 16, churn, NULL));
    assert_int_equal(pool_stats(test_ctx()->pool).used, 0);
}

static void check_limit(const char *text, double expected)
{
    size_t limit = 0;

    assert_ok(pool_parse_limit(test_ctx(), text, &limit));
    assert_true((double)limit == expected);
}

ML_TEST(memory_budgets_are_sizes_or_shares)
{
    static const char *const bad[] = {"", "8X", "-1G", "0", "8Gx", "%", "x", "nan", "8GBB"};
    size_t limit = 0;

    check_limit("1000000", 1e6);
    check_limit("8G", 8.0 * (1 << 30));
    check_limit("512m", 512.0 * (1 << 20));
    check_limit("1.5kB", 1536);
    check_limit("100%", (double)machine_memory());
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_int_equal(pool_parse_limit(test_ctx(), bad[k], &limit), ML_EVALUE);
}
