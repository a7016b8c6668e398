/* Random programs must give the same answer however they are run.
 *
 *     random_programs [COUNT [SEED]]
 *
 * Each program is run optimized on 1 thread (the reference), optimized on 8 threads - the same text
 * to the last digit - and not optimized, where cells may differ by rounding.  A program that ends
 * in an error must end in the same one.  The seed of a failing program is printed; random_programs
 * 1 SEED runs it alone and prints it. */
#include "matloom/matloom.h"

#include "base/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Gen {
    uint64_t state;
    Buffer text;
    int nvars;
    struct {
        int rows, cols;
    } vars[64];
} Gen;

static const int sizes[] = {1, 2, 3, 7, 40};
enum { NSIZES = sizeof sizes / sizeof *sizes };

static int pick(Gen *g, int n)
{
    g->state = hash_mix(g->state, 0x5bd1e995);
    return (int)((g->state >> 16) % (uint64_t)n);
}

static int pick_size(Gen *g)
{
    return sizes[pick(g, NSIZES)];
}

static void expr(Gen *g, int rows, int cols, int depth);

static void scalar(Gen *g)
{
    static const char *const words[] = {"2", "0.5", "-1", "0", "3", "NaN", "Inf", "1e-3"};

    buffer_text(&g->text, words[pick(g, 8 - 2 * (pick(g, 4) != 0))]);
}

/* A variable of this shape, or a new random matrix; a few hold special values. */
static void leaf(Gen *g, int rows, int cols)
{
    static const char *const sparsity[] = {"1", "0.5", "0.1", "0.01"};

    for (int k = 0, start = pick(g, 64); k < g->nvars; k++) {
        int v = (start + k) % g->nvars;

        if (g->vars[v].rows == rows && g->vars[v].cols == cols && pick(g, 3)) {
            buffer_format(&g->text, "V%d", v);
            return;
        }
    }
    if (pick(g, 6) == 0) {
        buffer_text(&g->text, "matrix(");
        scalar(g);
        buffer_format(&g->text, ", %d, %d)", rows, cols);
        return;
    }
    buffer_format(&g->text, "rand(rows=%d, cols=%d, min=-1, max=2, sparsity=%s, seed=%d)", rows,
                  cols, sparsity[pick(g, 4)], 1 + pick(g, 5));
}

static void call1(Gen *g, const char *name, int rows, int cols, int depth)
{
    buffer_format(&g->text, "%s(", name);
    expr(g, rows, cols, depth);
    buffer_text(&g->text, ")");
}

static void binary(Gen *g, int rows, int cols, int depth)
{
    static const char *const ops[] = {"+", "-",  "*",  "*", "+", "/",
                                      "<", ">=", "!=", "&", "|", "%%"};
    int form = pick(g, 5);

    buffer_text(&g->text, "(");
    expr(g, rows, cols, depth);
    buffer_format(&g->text, " %s ", ops[pick(g, 12)]);
    if (form == 0)
        scalar(g);
    else
        expr(g, form == 1 ? 1 : rows, form == 2 ? 1 : cols, depth);
    buffer_text(&g->text, ")");
}

/* t(V) %*% (V %*% v), or with weights, when some V has as many columns as the result rows. */
static bool product_chain(Gen *g, int rows, int depth)
{
    int v = g->nvars ? pick(g, g->nvars) : -1;

    if (v < 0 || g->vars[v].cols != rows)
        return false;
    buffer_format(&g->text, "(t(V%d) %%*%% (", v);
    if (pick(g, 2)) {
        expr(g, g->vars[v].rows, 1, depth);
        buffer_text(&g->text, " * ");
    }
    buffer_format(&g->text, "(V%d %%*%% ", v);
    expr(g, rows, 1, depth);
    buffer_text(&g->text, ")))");
    return true;
}

static void product(Gen *g, int rows, int cols, int depth)
{
    int inner = pick_size(g);

    if (cols == 1 && pick(g, 2) && product_chain(g, rows, depth))
        return;

    buffer_text(&g->text, "(");
    if (rows == cols && pick(g, 3) == 0) { /* the shape of a Gram matrix */
        int v = g->nvars ? pick(g, g->nvars) : -1;

        if (v >= 0 && g->vars[v].cols == rows) {
            buffer_format(&g->text, "t(V%d) %%*%% V%d)", v, v);
            return;
        }
    }
    expr(g, rows, inner, depth);
    buffer_text(&g->text, " %*% ");
    expr(g, inner, cols, depth);
    buffer_text(&g->text, ")");
}

static void bind(Gen *g, const char *name, int r1, int c1, int r2, int c2, int depth)
{
    buffer_format(&g->text, "%s(", name);
    expr(g, r1, c1, depth);
    buffer_text(&g->text, ", ");
    expr(g, r2, c2, depth);
    buffer_text(&g->text, ")");
}

static void special(Gen *g, int rows, int cols, int depth)
{
    static const char *const unary[] = {"abs", "round", "sign",   "floor", "exp",
                                        "-",   "!",     "cumsum", "rev",   "is.nan"};

    if (cols == 1 && pick(g, 2)) {
        call1(g, pick(g, 2) ? "rowSums" : "rowMaxs", rows, pick_size(g), depth);
    } else if (rows == 1 && pick(g, 2)) {
        call1(g, pick(g, 2) ? "colSums" : "colMeans", pick_size(g), cols, depth);
    } else if (rows > 1 && pick(g, 4) == 0) {
        bind(g, "rbind", 1, cols, rows - 1, cols, depth);
    } else if (cols > 1 && pick(g, 4) == 0) {
        bind(g, "cbind", rows, 1, rows, cols - 1, depth);
    } else {
        call1(g, unary[pick(g, 10)], rows, cols, depth);
    }
}

static void expr(Gen *g, int rows, int cols, int depth)
{
    if (depth <= 0) {
        leaf(g, rows, cols);
        return;
    }
    switch (pick(g, 7)) {
    case 0:
        leaf(g, rows, cols);
        break;
    case 1:
        call1(g, "t", cols, rows, depth - 1);
        break;
    case 2:
        product(g, rows, cols, depth - 1);
        break;
    case 3:
        special(g, rows, cols, depth - 1);
        break;
    case 4:
        buffer_text(&g->text, "(");
        expr(g, rows, cols, depth - 1);
        buffer_text(&g->text, " * sum(");
        expr(g, pick_size(g), pick_size(g), depth - 2);
        buffer_text(&g->text, "^2))");
        break;
    default:
        binary(g, rows, cols, depth - 1);
    }
}

static void statement(Gen *g)
{
    int v = g->nvars, rows = pick_size(g), cols = pick_size(g), form = pick(g, 6);

    buffer_format(&g->text, "V%d = ", v);
    expr(g, rows, cols, 3);
    buffer_text(&g->text, "\n");
    g->vars[v].rows = rows;
    g->vars[v].cols = cols;
    g->nvars++;
    if (form == 0) {
        buffer_format(&g->text, "for(k in 1:3) { V%d = V%d * 0.5 + ", v, v);
        expr(g, rows, cols, 2);
        buffer_format(&g->text, "; V%d[%d,%d] = k }\n", v, 1 + pick(g, rows), 1 + pick(g, cols));
    } else if (form == 1) {
        buffer_text(&g->text, "if(sum(");
        expr(g, rows, cols, 1);
        buffer_format(&g->text, ") > 0) { V%d = ", v);
        expr(g, rows, cols, 2);
        buffer_text(&g->text, " }\n");
    } else if (form == 2) {
        buffer_format(&g->text, "V%d = f(V%d, %d)\n", v, v, pick(g, 3));
    }
}

static void program(Gen *g, uint64_t seed)
{
    int n = 0;

    g->state = hash_mix(seed, 77);
    buffer_text(&g->text, "f = function(matrix[double] X, int k) return (matrix[double] Y) {\n"
                          "  if(k > 1) { Y = X + k } else { Y = X * 0.5 } }\n");
    for (n = 2 + pick(g, 5); n > 0; n--)
        statement(g);
    for (int k = 0; k < g->nvars; k++)
        buffer_format(&g->text, "print(toString(V%d, rows=1000, cols=1000, decimal=12))\n", k);
}

/* ---- runs ---- */

static int collect(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

static void run(const char *script, const char *opt, const char *threads, Buffer *out)
{
    ml_context *c = ml_context_new();

    if (!c)
        exit(2);
    ml_context_output(c, collect, collect, out);
    ml_context_set(c, "opt", opt);
    ml_context_set(c, "threads", threads);
    ml_run_text(c, "random", script);
    buffer_text(out, "");
    ml_context_free(c);
}

/* The same words, numbers up to rounding. */
static bool close_texts(const char *a, const char *b)
{
    while (*a && *b) {
        char *enda, *endb;
        double x = strtod(a, &enda), y = strtod(b, &endb);

        if (enda == a || endb == b) {
            if (*a++ != *b++)
                return false;
            continue;
        }
        if (!(fabs(x - y) <= 1e-9 * (1 + fabs(x) + fabs(y)) || x == y || (isnan(x) && isnan(y))))
            return false;
        a = enda;
        b = endb;
    }
    return *a == *b;
}

static bool holds(uint64_t seed, bool show)
{
    Gen g = {0};
    Buffer one = {0}, eight = {0}, plain = {0};
    bool good;

    program(&g, seed);
    run(g.text.data, "2", "1", &one);
    run(g.text.data, "2", "8", &eight);
    run(g.text.data, "0", "1", &plain);
    good = strcmp(one.data, eight.data) == 0 && close_texts(one.data, plain.data);
    if (!good)
        printf("seed %" PRIu64 ": %s differ\n", seed,
               strcmp(one.data, eight.data) ? "1 and 8 threads" : "plans");
    if (show)
        printf("%s---- optimized\n%s---- not optimized\n%s", g.text.data, one.data, plain.data);
    buffer_free(&g.text);
    buffer_free(&one);
    buffer_free(&eight);
    buffer_free(&plain);
    return good;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 300, failed = 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

    for (int k = 0; k < count; k++)
        failed += !holds(seed + (uint64_t)k, argc > 2 && count == 1);
    printf("%d passed, %d failed\n", count - failed, failed);
    return failed != 0;
}
