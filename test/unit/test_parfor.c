/* Parallel loops through the public API: the same results on any number of threads and in any
 * chunks; cancelling; the iteration in messages; iterations that leave nothing behind. */
#include "ml_test.h"

#include "matloom/matloom.h"

#include <stdio.h>
#include <string.h>

typedef struct Listener {
    Buffer out;
    ml_context *cancel; /* cancelled by the first print */
} Listener;

static int listen(void *arg, const char *text, size_t size)
{
    Listener *l = arg;

    buffer_put(&l->out, text, size);
    if (l->cancel)
        ml_context_cancel(l->cancel);
    return 0;
}

static int drop(void *arg, const char *text, size_t size)
{
    (void)arg, (void)text, (void)size;
    return 0;
}

static ml_status run(const char *script, int threads, bool cancel, Listener *l)
{
    ml_context *c = ml_context_new();
    char text[8];
    ml_status st;

    snprintf(text, sizeof text, "%d", threads);
    *l = (Listener){.cancel = cancel ? c : NULL};
    ml_context_output(c, listen, drop, l);
    ml_context_set(c, "threads", text);
    ml_context_set(c, "without", "vectorize_loops");
    st = ml_run_text(c, "test", script);
    if (st != ML_OK)
        buffer_format(&l->out, "%s", ml_context_error(c));
    ml_context_free(c);
    return st;
}

static const int thread_counts[] = {1, 2, 3, 8};
static const char *const partitioners[] = {"FIXED, tasksize=3",
                                           "NAIVE",
                                           "STATIC",
                                           "GUIDED",
                                           "FACTORING",
                                           "FACTORING_CMIN, tasksize=4",
                                           "FACTORING_CMAX, tasksize=2"};

/* %s stands for the parameters. */
static const char *const scripts[] = {
    /* columns: written in place */
    "X = rand(rows=300, cols=37, seed=1)\nR = matrix(0, rows=3, cols=37)\n"
    "parfor (j in 1:37, %s) { x = X[, j]; R[1, j] = median(x); R[2:3, j] = rbind(matrix(sd(x), 1, "
    "1), matrix(sum(x ^ 3), 1, 1)) }\n"
    "print(toString(R, decimal=15))",
    /* sums, of matrices and numbers: in order */
    "X = rand(rows=90, cols=9, min=-1, max=1, seed=2)\nS = matrix(0, rows=9, cols=9)\nt = 0.0\n"
    "parfor (i in 1:90, %s) { S += t(X[i, ]) %%*%% X[i, ] / i; t += sum(X[i, ]) / i }\n"
    "print(toString(S, decimal=15) + t)",
    /* a large sparse result, a list and a frame */
    "S = matrix(0, rows=100000, cols=1000)\nL = list(1, 2, 3, 4, 5)\n"
    "parfor (i in 1:50, %s) { S[i * 7, i] = i; if (i <= 5) L[i] = i * 2 }\n"
    "print(sum(S) + \" \" + sum(S != 0) + toString(L))",
    /* own cells read back */
    "R = rand(rows=40, cols=30, seed=3)\n"
    "parfor (i in 1:40, %s) { R[i, ] = R[i, ] / sum(R[i, ]); for (j in 2:30) R[i, j] = "
    "R[i, j - 1] + R[i, j] }\n"
    "print(toString(R[, 28:30], decimal=15))",
    /* functions with loops of their own, called by name too */
    "f = function(matrix[double] x) return (double s) { R = matrix(0, rows=nrow(x), cols=1)\n"
    "  parfor (k in 1:nrow(x), opt=NONE) R[k, 1] = sum(x[k, ]) ^ 2\n  s = sum(R) }\n"
    "X = rand(rows=60, cols=5, seed=4)\nR = matrix(0, rows=20, cols=2)\n"
    "parfor (i in 1:20, %s) { R[i, 1] = f(X[(i * 3 - 2):(i * 3), ]); R[i, 2] = eval(\"f\", X[i, ]) "
    "}\n"
    "print(toString(R, decimal=15))",
    /* check=0: copies merged */
    "v = order(target=rand(rows=60, cols=1, seed=5), index.return=TRUE)\n"
    "R = matrix(7, rows=60, cols=2)\n"
    "parfor (i in 1:60, check=0, %s) { at = as.scalar(v[i, 1]); R[at, 1] = i; R[at, 2] = at }\n"
    "print(toString(R))",
};

ML_TEST(parfor_gives_the_same_on_any_threads_and_chunks)
{
    for (size_t s = 0; s < sizeof scripts / sizeof *scripts; s++) {
        Buffer expected = {0};

        for (size_t p = 0; p < sizeof partitioners / sizeof *partitioners; p++)
            for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
                Buffer params = {0}, script = {0};
                Listener l;

                buffer_format(&params, "opt=NONE, taskpartitioner=%s", partitioners[p]);
                buffer_format(&script, scripts[s], params.data);
                if (run(script.data, thread_counts[t], false, &l) != ML_OK)
                    fail_msg("%s: %s", script.data, l.out.data);
                if (!expected.data)
                    buffer_put(&expected, l.out.data, l.out.size);
                assert_string_equal(l.out.data, expected.data);
                buffer_free(&l.out);
                buffer_free(&script);
                buffer_free(&params);
            }
        buffer_free(&expected);
    }
}

ML_TEST(parfor_ends_when_cancelled)
{
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
        Listener l;
        int lines = 0;

        assert_int_equal(run("s = matrix(0, rows=2, cols=2)\n"
                             "parfor (i in 1:1000000, opt=NONE, taskpartitioner=NAIVE) {\n"
                             "  print(i)\n  s += matrix(i, rows=2, cols=2)\n}",
                             thread_counts[t], true, &l),
                         ML_ECANCEL);
        for (const char *c = l.out.data; *c; c++)
            lines += *c == '\n';
        assert_true(lines < 1000);
        buffer_free(&l.out);
    }
}

ML_TEST(parfor_tells_the_first_iteration_that_fails)
{
    for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++)
        for (int round = 0; round < 20; round++) {
            Listener l;

            assert_int_equal(run("X = matrix(1, rows=11, cols=2)\nR = matrix(0, rows=90, cols=1)\n"
                                 "s = 0\n"
                                 "parfor (i in 1:90, opt=NONE, taskpartitioner=NAIVE) {\n"
                                 "  s += i\n  R[i, 1] = sum(X[i, ]) }",
                                 thread_counts[t], false, &l),
                             ML_EVALUE);
            if (!strstr(l.out.data, "(in the iteration i=12 of the parfor)"))
                fail_msg("%s", l.out.data);
            buffer_free(&l.out);
        }
}
