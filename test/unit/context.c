/* The context that unit tests work in (ml_test.h): options at their defaults, a pool and an engine
 * of four threads, so that tests cross threads on any machine. It lasts for one test; what a test
 * leaves in the pool is a leak and fails it.
 */
#include "ml_test.h"

#include "kernel/pipeline.h"
#include "task/task.h"

#include <stdio.h>

static Options options;
static atomic_bool cancelled;
static atomic_uint_fast64_t unseeded;
static Ctx context;
static Buffer printed;

static int keep_output(void *arg, const char *text, size_t size)
{
    (void)arg;
    buffer_put(&printed, text, size);
    return printed.failed;
}

Ctx *test_ctx(void)
{
    if (context.opt)
        return &context;
    options_default(&options);
    cancelled = false;
    unseeded = 0;
    context = (Ctx){.opt = &options,
                    .tasks = task_engine_new(4),
                    .pool = pool_new(SIZE_MAX),
                    .codes = code_cache_new(),
                    .cancelled = &cancelled,
                    .unseeded = &unseeded,
                    .output = keep_output,
                    .diagnostics = keep_output};
    assert_non_null(context.tasks);
    assert_non_null(context.pool);
    return &context;
}

Options *test_options(void)
{
    test_ctx();
    return &options;
}

void test_threads(int threads)
{
    test_ctx();
    task_engine_free(context.tasks);
    context.tasks = task_engine_new(threads);
    assert_non_null(context.tasks);
}

const char *test_error(void)
{
    return context.err.text;
}

const char *test_printed(void)
{
    return printed.data ? printed.data : "";
}

int test_ctx_end(void **state)
{
    size_t left = 0;

    (void)state;
    if (context.opt) {
        left = pool_stats(context.pool).used;
        task_engine_free(context.tasks);
        code_cache_free(context.codes);
        pool_free(context.pool);
    }
    buffer_free(&printed);
    context = (Ctx){0};
    if (left > 0)
        print_error("the test left %zu bytes in the pool\n", left);
    return left > 0;
}
