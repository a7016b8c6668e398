/* In-place updates and growth in loops: what they cost, counted in bytes that the pool hands out,
 * not in time.  A loop of ten times as many rounds must not cost more than ten times as much, where
 * a copy of the matrix a round would cost a hundred times as much. */
#include "ml_test.h"

#include "matloom/matloom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ignore(void *arg, const char *text, size_t size)
{
    (void)arg, (void)text, (void)size;
    return 0;
}

/* Megabytes handed out while the script ran, by its statistics. */
static double handed_out(const char *script, int n)
{
    ml_context *c = ml_context_new();
    char value[32];
    const char *line;
    double mb = -1;

    assert_non_null(c);
    snprintf(value, sizeof value, "%d", n);
    assert_int_equal(ml_context_argument(c, "n", value), ML_OK);
    ml_context_output(c, ignore, ignore, NULL);
    if (ml_run_text(c, "loop", script) != ML_OK)
        fail_msg("%s: %s", script, ml_context_error(c));
    line = strstr(ml_context_stats(c, 0), "Buffers allocated/recycled:");
    line = line ? strstr(line, ", ") : NULL;
    assert_non_null(line);
    mb = strtod(line + 2, NULL);
    ml_context_free(c);
    return mb;
}

static void grows_like_its_rounds(const char *script)
{
    const double few = handed_out(script, 200), many = handed_out(script, 2000);

    if (many > 14 * few + 0.05)
        fail_msg("%s: %.3f MB for 200 rounds, %.3f MB for 2000", script, few, many);
}

/* n rounds over a matrix of n rows: X is as long as the loop, so a copy a round is quadratic. */
static const char *const updates[] = {
    "X = matrix(1, rows=$n, cols=20)\n"
    "for (i in 1:$n) { X[i, ] = matrix(i, rows=1, cols=20) }\nprint(sum(X))",
    "X = rand(rows=$n, cols=20, seed=1)\n"
    "for (i in 1:$n) { X[i, 3] = i }\nprint(sum(X))",
    "X = rand(rows=20, cols=$n, seed=1)\n"
    "for (i in 1:$n) { X[, i] = matrix(i, rows=20, cols=1) }\nprint(sum(X))",
    "X = rand(rows=$n, cols=20, seed=1)\n"
    "for (i in 1:($n - 2)) { X[i:(i + 2), 2:4] = matrix(i, rows=3, cols=3) }\nprint(sum(X))",
    "X = rand(rows=$n, cols=20, seed=1)\n"
    "for (i in 1:$n) { if (i %% 2 == 0) { X[i, ] = matrix(i, rows=1, cols=20) }\n"
    "  else { X[i, 1] = 0 } }\nprint(sum(X))",
    "X = rand(rows=$n, cols=20, seed=1)\ni = 1\n"
    "while (i < $n) { x = sum(X[i, ]); X[i + 1, ] = matrix(x, rows=1, cols=20); i = i + 1 }\n"
    "print(sum(X))",
    "f = function(matrix[double] X, int n) return (matrix[double] Y) {\n"
    "  Y = X\n  for (i in 1:n) { Y[i, ] = matrix(i, rows=1, cols=20) } }\n"
    "X = rand(rows=$n, cols=20, seed=1)\nX = f(X, $n)\nprint(sum(X))",
    "X = matrix(0, rows=$n, cols=20)\n"
    "for (i in 1:$n) { X[i, 7] = i }\nprint(sum(X))",
};

ML_TEST(assigning_to_a_part_in_a_loop_costs_the_part)
{
    for (size_t k = 0; k < sizeof updates / sizeof *updates; k++)
        grows_like_its_rounds(updates[k]);
}

/* Sparse, and 400 MB or more if it was dense. */
static const char *const sparse_updates[] = {
    "X = rand(rows=50000, cols=1000, sparsity=0.0002, seed=1)\n"
    "for (i in 1:$n) { X[i, i %% 1000 + 1] = i }\nprint(sum(X))",
    "X = matrix(0, rows=50000, cols=1000)\nv = rand(rows=1, cols=1000, sparsity=0.01, seed=1)\n"
    "for (i in 1:$n) { X[i, ] = v }\nprint(sum(X))",
    "X = matrix(0, rows=50000, cols=1000)\n"
    "for (i in 1:$n) { X[i + 1, 3] = as.scalar(X[i, 3]) + 1 }\nprint(sum(X))",
};

ML_TEST(writing_into_a_large_sparse_matrix_in_a_loop_costs_the_rows)
{
    for (size_t k = 0; k < sizeof sparse_updates / sizeof *sparse_updates; k++)
        grows_like_its_rounds(sparse_updates[k]);
}

static const char *const growth[] = {
    "R = matrix(0, rows=0, cols=20)\n"
    "for (i in 1:$n) { R = rbind(R, matrix(i, rows=1, cols=20)) }\nprint(sum(R))",
    "R = rand(rows=1, cols=20, seed=1)\n"
    "for (i in 1:$n) { R = rbind(R, R[i, ] * 0.5) }\nprint(sum(R))",
    "R = matrix(0, rows=1, cols=500)\nx = rand(rows=1, cols=500, sparsity=0.02, seed=1)\n"
    "for (i in 1:$n) { R = rbind(R, x) }\nprint(sum(R))",
    "f = function(matrix[double] R, int n) return (matrix[double] R) {\n"
    "  for (i in 1:n) { if (i %% 2 == 0) { R = rbind(R, matrix(i, rows=2, cols=20)) } } }\n"
    "R = f(rand(rows=3, cols=20, seed=1), $n)\nprint(sum(R))",
};

ML_TEST(binding_rows_in_a_loop_costs_the_rows)
{
    for (size_t k = 0; k < sizeof growth / sizeof *growth; k++)
        grows_like_its_rounds(growth[k]);
}

static const char *const column_growth[] = {
    "R = matrix(0, rows=20, cols=0)\n"
    "for (i in 1:$n) { R = cbind(R, seq(i, i + 19)) }\nprint(sum(R))",
    "R = rand(rows=20, cols=1, seed=1)\n"
    "for (i in 1:$n) { R = cbind(R, R[, ncol(R)] * 0.5) }\nprint(sum(R))",
    "R = rand(rows=500, cols=3, sparsity=0.02, seed=1)\nx = R\n"
    "for (i in 1:$n) { R = cbind(R, x * i, x) }\nprint(sum(R))",
    "f = function(matrix[double] R, int n) return (matrix[double] R) {\n"
    "  for (i in 1:n) { if (i %% 2 == 0) { R = cbind(R, rand(rows=20, cols=2, seed=i)) } } }\n"
    "R = f(rand(rows=20, cols=3, seed=1), $n)\nprint(sum(R))",
};

ML_TEST(binding_columns_in_a_loop_costs_the_columns)
{
    for (size_t k = 0; k < sizeof column_growth / sizeof *column_growth; k++)
        grows_like_its_rounds(column_growth[k]);
}

ML_TEST(binding_rows_once_takes_no_spare_room)
{
    const double mb = handed_out("A = rand(rows=$n, cols=100, seed=1)\n"
                                 "B = rbind(A + 1, rand(rows=$n, cols=100, seed=2))\nprint(sum(B))",
                                 1000);

    assert_true(mb < 1.3 * 5 * 1000 * 100 * 8 / 1048576.0);
}
