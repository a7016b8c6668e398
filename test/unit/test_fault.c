/* Memory that runs out: the n-th allocation fails, for every n until the script gets through. Each
 * run must end in ML_ENOMEM or, where the library can do without, in success; nothing may leak
 * (make check) or crash.
 */
#include "ml_test.h"

#include <stdio.h>
#include <string.h>

static int drop(void *arg, const char *text, size_t size)
{
    (void)arg, (void)text, (void)size;
    return 0;
}

/* One run with allocations failing after `calls`; the context's own are not spared. */
static ml_status run_with(const char *script, const char *explain, const char *threads,
                          int64_t calls)
{
    ml_context *ctx;
    ml_status st = ML_ENOMEM;

    mem_fail_after(calls);
    ctx = ml_context_new();
    if (ctx) {
        ml_context_output(ctx, drop, drop, NULL);
        st = ml_context_set(ctx, "threads", threads);
        if (st == ML_OK)
            st = ml_context_set(ctx, "explain", explain);
        if (st == ML_OK)
            st = ml_run_text(ctx, "fault", script);
        if (st != ML_OK && st != ML_ENOMEM)
            print_error("after %" PRId64 " allocations: %s\n", calls, ml_context_error(ctx));
    }
    mem_fail_after(-1);
    ml_context_free(ctx);
    return st;
}

static void exhaust_with(const char *script, const char *explain, const char *threads)
{
    enum { ENOUGH = 200000 };
    int64_t calls = 0;
    ml_status st;

    assert_int_equal(run_with(script, explain, threads, -1), ML_OK);
    do {
        st = run_with(script, explain, threads, calls);
        assert_true(st == ML_OK || st == ML_ENOMEM);
        calls += 1 + calls / 50; /* every early one, later ones in growing steps */
    } while (st != ML_OK && calls < ENOUGH);
    assert_int_equal(st, ML_OK);
}

static void exhaust_explained(const char *script, const char *explain)
{
    exhaust_with(script, explain, "1");
}

static void exhaust(const char *script)
{
    exhaust_with(script, "none", "1");
}

static void exhaust_threads(const char *script, const char *threads)
{
    exhaust_with(script, "none", threads);
}

ML_TEST(scalars_strings_and_functions_survive_failing_allocations)
{
    exhaust("f = function(double x, double y = 2) return (double z) { z = x * y }\n"
            "s = 0\n"
            "for(i in 1:5) { if(i > 2) { s = s + f(i) } else { s = s - 1 } }\n"
            "print(\"s = \" + s + toString(list(a=1, b=\"two\")))\n");
}

ML_TEST(matrices_survive_failing_allocations)
{
    exhaust("X = rand(rows=50, cols=40, sparsity=0.1, seed=1)\n"
            "Y = matrix(seq(1, 2000), rows=50, cols=40)\n"
            "Y[2:3, ] = X[4:5, ] + 1\n"
            "b = solve(t(Y) %*% Y + diag(matrix(1, rows=40, cols=1)), t(colSums(X)))\n"
            "print(toString(order(target=cbind(X, Y), by=3)) + sum(b))\n");
}

ML_TEST(library_calls_survive_failing_allocations)
{
    exhaust("X = rand(rows=100, cols=5, seed=1)\n"
            "B = lmDS(X=X, y=rowSums(X), icpt=1, verbose=FALSE)\n"
            "print(sum(B))\n");
}

ML_TEST(neural_networks_survive_failing_allocations)
{
    exhaust("X = rand(rows=6, cols=32, seed=1)\n"
            "W = rand(rows=3, cols=18, seed=2)\n"
            "Y = conv2d(X, W, input_shape=[6,2,4,4], filter_shape=[3,2,3,3], stride=[1,1], "
            "padding=[1,1])\n"
            "G = conv2d_backward_filter(X, Y, input_shape=[6,2,4,4], filter_shape=[3,2,3,3], "
            "stride=[1,1], "
            "padding=[1,1])\n"
            "D = conv2d_backward_data(W, Y, input_shape=[6,2,4,4], filter_shape=[3,2,3,3], "
            "stride=[1,1], "
            "padding=[1,1])\n"
            "P = max_pool(D, input_shape=[6,2,4,4], pool_size=[2,2], stride=[2,2], padding=[0,0])\n"
            "P = avg_pool_backward(D, P, input_shape=[6,2,4,4], pool_size=[2,2], stride=[2,2], "
            "padding=[0,0])\n"
            "b = matrix(1, rows=2, cols=1)\n"
            "[N, m, v, cm, ci] = batch_norm2d(bias_add(P, b), b, b, b, b, \"train\", 0.1, 0.9)\n"
            "[dN, ds, db] = batch_norm2d_backward(P, N, b, 0.1, cm, ci)\n"
            "h = matrix(0.5, rows=6, cols=2)\n"
            "V = matrix(0.1, rows=10, cols=8)\n"
            "[o, c, co, cc, cf] = lstm(dN, V, V[1, ], h, h, TRUE)\n"
            "[dX, dV, dv, dh, dc] = lstm_backward(dN, V, V[1, ], h, h, TRUE, o, c)\n"
            "print(einsum(\"ij,jk,kk->ik\", dX, t(dX), D[, 1:6]) + sum(G))\n");
}

ML_TEST(plans_and_pictures_survive_failing_allocations)
{
    static const char script[] = "S = rand(rows=300, cols=300, sparsity=0.02, seed=1)\n"
                                 "X = rand(rows=300, cols=300, seed=2)\n"
                                 "v = rand(rows=300, cols=1, seed=3)\n"
                                 "for (i in 1:2) {\n"
                                 "  Y = t(S %*% X %*% S %*% (S * X))\n"
                                 "  z = t(X) %*% X %*% v\n"
                                 "  print(sum(Y) + sum(z) + sum(X %*% S %*% X %*% v))\n"
                                 "}\n";

    exhaust_explained(script, "runtime");
    exhaust_explained(script, "rewrites");
    exhaust_explained(script, "svg=/dev/null");
}

ML_TEST(parallel_loops_survive_failing_allocations)
{
    static const char script[] =
        "f = function(double x) return (double y) { y = x; while (y > 3) y = y / 2 }\n"
        "R = matrix(0, rows=6, cols=4)\n"
        "s = matrix(0, rows=1, cols=4)\n"
        "L = list(1, 2, 3, 4, 5, 6)\n"
        "M = matrix(0, rows=6, cols=1)\n"
        "parfor (i in 1:6, opt=NONE, taskpartitioner=NAIVE) {\n"
        "  parfor (j in 1:4, opt=NONE) R[i, j] = f(i * j)\n"
        "  s += matrix(i, rows=1, cols=4)\n"
        "  L[i] = toString(i)\n"
        "}\n"
        "parfor (i in 1:6, check=0, opt=NONE) { at = as.scalar(R[i, 1]) * 0 + i; M[at, 1] = "
        "as.scalar(eval(\"f\", i)) }\n"
        "print(sum(R) + sum(s) + sum(M))\n";

    exhaust(script);
    exhaust_threads(script, "3");
}
