/* Sizes that are unknown and known to be equal: what the analysis says of variables a and b where
 * the script's last statement reads both. */
#include "ml_test.h"

#include "hop/hop.h"

#include <string.h>

typedef struct Found {
    const Hop *a, *b;
    bool rows, cols; /* equal */
} Found;

static const Hop *read_of(const Routine *r, const Dag *dag, const char *name)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind == HOP_READ && r->names[h->slot] && strcmp(r->names[h->slot], name) == 0)
            return h;
    }
    return NULL;
}

static void find(const Routine *r, BlockList list, Found *f)
{
    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];
        const Hop *x, *y;

        find(r, b->body, f);
        find(r, b->orelse, f);
        if (b->kind != BLOCK_BASIC)
            continue;
        x = read_of(r, b->dag, "a");
        y = read_of(r, b->dag, "b");
        if (x && y) {
            f->a = x;
            f->b = y;
        }
    }
}

/* Unoptimized, so that the blocks stay as they are written. */
static Found analyze(const char *text)
{
    Ctx *ctx = test_ctx();
    Program *p = program_new(ctx);
    const CheckOptions o = {.lib = ""};
    Unit unit = {.program = p, .arena = program_arena(p)};
    Function *fn;
    Routine *main;
    Found f = {0};

    test_options()->opt = 0;
    assert_ok(program_parse(ctx, p, "names.dml", text, strlen(text), &o, &fn));
    assert_ok(unit_switches(ctx, &unit));
    assert_ok(unit_compile(ctx, &unit, fn, &main));
    assert_ok(unit_optimize(ctx, &unit, main));
    for (const Routine *r = unit.routines; r; r = r->next)
        find(r, r->body, &f);
    assert_true(f.a && f.b);
    f.rows = hop_rows_equal(f.a, f.b);
    f.cols = hop_cols_equal(f.a, f.b);
    unit_free(&unit);
    program_free(p);
    return f;
}

#define UNKNOWN(name, seed)                                                                        \
    name " = removeEmpty(target=rand(rows=9, cols=9, sparsity=0.1, seed=" seed                     \
         "), margin=\"rows\", select=seq(1, 9) > 2)\n"                                             \
         "if (" seed " > 1) {" name " = t(removeEmpty(target=t(" name "), margin=\"rows\"))}\n"
#define SCRIPT(body)                                                                               \
    UNKNOWN("X", "1")                                                                              \
    UNKNOWN("Y", "2") "if (nrow(X) > 1) {}\n" body "\nif (nrow(X) > 2) { print(sum(a) + sum(b)) }"

static void expect(const char *script, bool rows, bool cols)
{
    const Found f = analyze(script);

    if (f.rows != rows || f.cols != cols)
        fail_msg("%s\nrows %sequal, columns %sequal", script, f.rows ? "" : "not ",
                 f.cols ? "" : "not ");
}

ML_TEST(names_follow_products_transposes_and_cells)
{
    expect(SCRIPT("a = X\nb = Y"), false, false);
    expect(SCRIPT("a = X\nb = X * 2 + 1"), true, true);
    expect(SCRIPT("a = X %*% Y\nb = rowSums(X)"), true, false);
    expect(SCRIPT("a = X %*% Y\nb = exp(2 - Y)"), false, true);
    expect(SCRIPT("a = t(X)\nb = matrix(0, ncol(X), nrow(X))"), true, true);
    expect(SCRIPT("a = t(X) %*% X\nb = t(cbind(X, X))[, 1] %*% X[1, ]"), false, true);
    expect(SCRIPT("n = nrow(X)\na = X[, 1:2]\nb = rand(rows=n, cols=2)"), true, true);
    expect(SCRIPT("a = diag(X)\nb = X"), false, false);
}

ML_TEST(names_are_dropped_where_paths_disagree)
{
    expect(SCRIPT("a = X\nif (sum(Y) > 0) { b = X * 2 } else { b = X / 3 }"), true, true);
    expect(SCRIPT("a = X\nif (sum(Y) > 0) { b = X * 2 } else { b = Y }"), false, false);
    expect(SCRIPT("a = X\nb = X\nfor (i in 1:3) { a = a + 1 }"), true, true);
    expect(SCRIPT("a = X\nb = X\nfor (i in 1:3) { a = rbind(a, Y) }"), false, true);
    expect(SCRIPT("a = X\nb = X\nwhile (sum(a) > 0) { b = a - 1\n a = rbind(a, a) }"), false, true);
}

/* b holds what a was one round before. */
ML_TEST(names_do_not_outlive_a_round_of_a_loop)
{
    expect(SCRIPT("a = X\nb = Y\nfor (i in 1:3) { if (i > 1) { print(sum(a) + sum(b)) }\n"
                  "b = a * 2\nif (i < 9) { a = cbind(a, rbind(a, a)) } }"),
           false, false);
}

ML_TEST(names_go_into_functions)
{
    expect("f = function(matrix[double] a, matrix[double] b) return (double s) {\n"
           "  s = sum(a) + sum(b)\n}\n" UNKNOWN("X", "1") "print(f(X, X * 2))",
           true, true);
    expect("f = function(matrix[double] a, matrix[double] b) return (double s) {\n"
           "  s = sum(a) + sum(b)\n}\n" UNKNOWN("X", "1") "print(f(X, X * 2) + f(X, t(X)))",
           false, false);
}
