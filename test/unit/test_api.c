/* The public API as a program that embeds matloom uses it. */
#include "ml_test.h"

#include "matloom/matloom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Host {
    ml_context *context;
    Buffer out, diagnostics;
    bool cancel_when_printed;
} Host;

/* Two callbacks share the argument; what is printed is told apart by its marker. */
static int receive(void *arg, const char *text, size_t size)
{
    Host *host = arg;

    buffer_put(&host->out, text, size);
    if (host->cancel_when_printed)
        ml_context_cancel(host->context);
    return 0;
}

static int diagnose(void *arg, const char *text, size_t size)
{
    Host *host = arg;

    buffer_put(&host->diagnostics, text, size);
    return 0;
}

static int refuse(void *arg, const char *text, size_t size)
{
    (void)arg, (void)text, (void)size;
    return -1;
}

static void host_open(Host *host)
{
    *host = (Host){.context = ml_context_new()};
    assert_non_null(host->context);
    ml_context_output(host->context, receive, diagnose, host);
}

static void host_close(Host *host)
{
    ml_context_free(host->context);
    buffer_free(&host->out);
    buffer_free(&host->diagnostics);
}

ML_TEST(a_context_runs_one_script_after_another)
{
    Host h;

    host_open(&h);
    assert_int_equal(ml_run_text(h.context, "one", "x = 1\nprint(x)"), ML_OK);
    assert_int_equal(ml_run_text(h.context, "two", "print(x)"), ML_ENAME);
    assert_non_null(strstr(ml_context_error(h.context), "two:1:7: error: undefined variable 'x'"));
    assert_int_equal(ml_run_text(h.context, "three", "print(3)"), ML_OK);
    assert_string_equal(h.out.data, "1\n3\n");
    host_close(&h);
}

ML_TEST(an_error_is_shown_once_and_kept)
{
    Host h;

    host_open(&h);
    assert_int_equal(ml_run_text(h.context, "t", "X = matrix(1, 2, 2) %*% matrix(1, 3, 3)"),
                     ML_ESHAPE);
    assert_string_equal(h.diagnostics.data, ml_context_error(h.context));
    host_close(&h);
}

ML_TEST(a_run_can_be_cancelled)
{
    Host h;

    host_open(&h);
    h.cancel_when_printed = true;
    assert_int_equal(ml_run_text(h.context, "t", "print(1)\nwhile(TRUE) { x = 1 }"), ML_ECANCEL);
    h.cancel_when_printed = false;
    assert_int_equal(ml_run_text(h.context, "t", "print(2)"), ML_OK);
    host_close(&h);
}

ML_TEST(output_that_cannot_be_written_ends_the_run)
{
    Host h;

    host_open(&h);
    ml_context_output(h.context, refuse, diagnose, &h);
    assert_int_equal(ml_run_text(h.context, "t", "print(1)"), ML_EIO);
    host_close(&h);
}

ML_TEST(arguments_reach_the_script_by_name)
{
    Host h;

    host_open(&h);
    assert_int_equal(ml_context_argument(h.context, "n", "7"), ML_OK);
    assert_int_equal(ml_run_text(h.context, "t", "print($n + 1)\nprint(ifdef($m, \"none\"))"),
                     ML_OK);
    assert_string_equal(h.out.data, "8\nnone\n");
    host_close(&h);
}

ML_TEST(options_are_known_by_name_and_refused_with_what_is_allowed)
{
    Host h;

    host_open(&h);
    assert_int_equal(ml_option_arity("threads"), 1);
    assert_int_equal(ml_option_arity("mem"), 1);
    assert_int_equal(ml_option_arity("explain"), 2);
    assert_int_equal(ml_option_arity("nosuch"), 0);
    assert_true(ml_option_accepts("explain", "hops"));
    assert_false(ml_option_accepts("explain", "file.dml"));
    assert_int_equal(ml_context_set(h.context, "exec", "moon"), ML_EVALUE);
    assert_non_null(strstr(ml_context_error(h.context), "singlenode"));
    assert_int_equal(ml_context_set(h.context, "nosuch", "1"), ML_ENAME);
    host_close(&h);
}

ML_TEST(memory_beyond_the_budget_is_an_error_that_names_both)
{
    Host h;

    host_open(&h);
    assert_int_equal(ml_context_set(h.context, "mem", "1M"), ML_OK);
    assert_int_equal(
        ml_run_text(h.context, "t", "X = rand(rows=1000, cols=1000, seed=1)\nprint(sum(X))"),
        ML_ENOMEM);
    assert_non_null(strstr(ml_context_error(h.context), "8000000 bytes wanted"));
    assert_non_null(strstr(ml_context_error(h.context), "1048576"));
    host_close(&h);
}

ML_TEST(the_seed_option_fixes_what_has_no_seed)
{
    const char *script = "print(sum(rand(rows=3, cols=3)))\nprint(sum(sample(100, 3)))";
    Host a, b;

    host_open(&a);
    host_open(&b);
    ml_context_set(a.context, "seed", "42");
    ml_context_set(b.context, "seed", "42");
    assert_int_equal(ml_run_text(a.context, "t", script), ML_OK);
    assert_int_equal(ml_run_text(b.context, "t", script), ML_OK);
    assert_string_equal(a.out.data, b.out.data);
    host_close(&a);
    host_close(&b);
}

ML_TEST(a_folder_overrides_the_library)
{
    char folder[] = "/tmp/matloom-lib-XXXXXX", path[128], sub[64];
    FILE *file;
    Host h;

    assert_non_null(mkdtemp(folder));
    snprintf(sub, sizeof sub, "%s/builtin", folder);
    snprintf(path, sizeof path, "mkdir %s", sub);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/sigmoid.dml", sub);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("m_sigmoid = function(matrix[double] X) return (matrix[double] Y) { Y = X + 41 }\n",
          file);
    fclose(file);
    host_open(&h);
    assert_int_equal(ml_context_set(h.context, "lib", folder), ML_OK);
    assert_int_equal(ml_run_text(h.context, "t", "print(as.scalar(sigmoid(matrix(1, 1, 1))))"),
                     ML_OK);
    assert_string_equal(h.out.data, "42.0\n");
    host_close(&h);
    unlink(path);
    rmdir(sub);
    rmdir(folder);
}

ML_TEST(help_knows_operators_and_library_functions)
{
    Host h;

    host_open(&h);
    assert_non_null(strstr(ml_help(h.context, "rev"), "Rows in reverse order"));
    assert_non_null(strstr(ml_help(h.context, "lmDS"), "EXAMPLE"));
    assert_null(ml_help(h.context, "nosuch"));
    assert_non_null(strstr(ml_help(h.context, NULL), "cumsumprod(X)"));
    host_close(&h);
}

ML_TEST(statistics_count_plans_and_name_heavy_hitters)
{
    const char *text;
    Host h;

    host_open(&h);
    ml_context_set(h.context, "stats", "5");
    assert_int_equal(
        ml_run_text(h.context, "t",
                    "X = rand(rows=50, cols=50, seed=1)\nprint(max(cumsum(X %*% X)) > 0)"),
        ML_OK);
    text = ml_context_stats(h.context, 5);
    assert_non_null(strstr(text, "Plans made/reused:\t\t1/0."));
    assert_non_null(strstr(text, "%*%"));
    host_close(&h);
}
