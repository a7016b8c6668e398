/* Chains of matrix products: the order against all orders, sketches against counted nonzeros,
 * whole scripts against the order written. */
#include "ml_test.h"

#include "hop/chain.h"
#include "kernel_case.h"
#include "script_case.h"

#include <math.h>
#include <string.h>

/* ---- the dynamic program against brute force ---- */

static double best(const Chain *c, int i, int j, bool t);

/* Of t(part) or the part itself by a product, in every form and at every split. */
static double best_product(const Chain *c, int i, int j, bool t)
{
    double least = INFINITY;

    for (int s = i; s < j; s++) {
        const double cost =
            chain_product_cost(&c->parts[i][s], &c->parts[s + 1][j], c->parts[i][j].nnz);

        for (int form = 0; form < 3; form++) {
            const bool ta = form == 1, tb = form == 2;
            const double a = t ? best(c, s + 1, j, ta != t) : best(c, i, s, ta);
            const double b = t ? best(c, i, s, tb != t) : best(c, s + 1, j, tb);

            least = fmin(least, a + b + cost);
        }
    }
    return least;
}

static double best(const Chain *c, int i, int j, bool t)
{
    const ChainPart *p = &c->parts[i][j];
    const double native = i == j ? 0 : best_product(c, i, j, i == j ? c->factors[i].t : t);
    double transposed;

    if (i == j)
        return c->factors[i].t == t ? 0 : p->cost[t];
    transposed = best_product(c, i, j, !t) +
                 (p->form[t] == CHAIN_TRANSPOSE ? p->cost[t] - p->cost[!t] : INFINITY);
    return fmin(native, transposed);
}

static int pick(uint64_t *state, int n)
{
    return (int)(case_bits(state) % (uint64_t)n);
}

/* n distinct factors that fit, some of them sparse, some standing transposed. */
static void random_chain(Chain *c, Hop *hops, int n, uint64_t *state)
{
    static const double sizes[] = {1, 3, 40, 700, 9000}, densities[] = {1, 1, 0.1, 0.001};
    double rows = sizes[pick(state, 5)];

    memset(c, 0, sizeof *c);
    c->n = n;
    for (int k = 0; k < n; k++) {
        const double cols = sizes[pick(state, 5)];

        c->factors[k] = (ChainFactor){.hop = &hops[k],
                                      .t = pick(state, 3) == 0,
                                      .rows = rows,
                                      .cols = cols,
                                      .nnz = ceil(rows * cols * densities[pick(state, 4)])};
        rows = cols;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            c->parts[i][j].written = -1;
}

ML_TEST(chain_order_is_the_best_of_all_orders)
{
    static Chain c;
    Hop hops[7] = {{0}};
    uint64_t bits = 5;

    for (int round = 0; round < 400; round++) {
        const int n = 2 + pick(&bits, 6);

        random_chain(&c, hops, n, &bits);
        chain_order(&c);
        for (int t = 0; t < 2; t++) {
            const double cost = c.parts[0][n - 1].cost[t], least = best(&c, 0, n - 1, t);

            if (fabs(cost - least) > 1e-9 * least)
                fail_msg("round %d: %d factors cost %g, best %g", round, n, cost, least);
        }
    }
}

ML_TEST(chain_keeps_the_written_order_unless_another_is_clearly_better)
{
    static Chain c;
    Hop hops[3] = {{0}};

    for (int columns = 1; columns <= 100; columns += 99) {
        memset(&c, 0, sizeof c);
        c.n = 3;
        for (int k = 0; k < 3; k++)
            c.factors[k] = (ChainFactor){
                .hop = &hops[k], .rows = 100, .cols = k == 2 ? columns : 100, .nnz = 10000};
        c.factors[2].nnz = 100.0 * columns;
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
                c.parts[i][j].written = -1;
        c.parts[0][2].written = 1; /* (A %*% B) %*% C */
        c.parts[0][1].written = 0;
        chain_order(&c);
        assert_int_equal(c.parts[0][2].split[0], columns == 1 ? 0 : 1);
    }
}

/* ---- sketches ---- */

static Matrix *product_of(Matrix *a, Matrix *b)
{
    return CASE_RUN(matmult, case_share(a), case_share(b)).m;
}

static double estimated_product(const Matrix *a, const Matrix *b, bool *exact)
{
    Arena *arena = arena_new();
    Sketch *x = sketch_of(arena, a), *y = sketch_of(arena, b), *s = sketch_product(arena, x, y);
    const double nnz = s->nnz;

    *exact = s->exact;
    arena_free(arena);
    return nnz;
}

static void check_product(Matrix *a, Matrix *b, bool exact, double tolerance)
{
    Matrix *c = product_of(a, b);
    bool claims;
    const double found = estimated_product(a, b, &claims), truth = (double)c->nnz;

    if (claims != exact || fabs(found - truth) > tolerance * fmax(truth, 1))
        fail_msg("%" PRId64 "x%" PRId64 " by %" PRId64 " columns: estimated %g (%s), found %g",
                 a->rows, a->cols, b->cols, found, claims ? "exact" : "a guess", truth);
    matrix_release(a);
    matrix_release(b);
    matrix_release(c);
}

static Matrix *finished(Matrix *m)
{
    Matrix *csr;

    assert_ok(matrix_finish(test_ctx(), &m, -1));
    csr = case_csr(m);
    matrix_release(m);
    return csr;
}

/* Row i has its one nonzero in a column of choice: a selection or, shuffled, a permutation. */
static Matrix *one_in_each_row(int64_t rows, int64_t cols, uint64_t seed)
{
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), rows, cols, &m));
    for (int64_t i = 0; i < rows; i++)
        m->values[i * cols + pick(&seed, (int)cols)] = 1;
    return finished(m);
}

/* Few rows hold most nonzeros. */
static Matrix *skewed(int64_t rows, int64_t cols, uint64_t seed)
{
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), rows, cols, &m));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            if (pick(&seed, (int)(i + 1)) == 0)
                m->values[i * cols + j] = 1;
    return finished(m);
}

static Matrix *sparse(int64_t rows, int64_t cols, double density, uint64_t seed)
{
    Matrix *m = case_random(rows, cols, density, seed), *csr = case_csr(m);

    matrix_release(m);
    return csr;
}

ML_TEST(sketch_of_a_product_is_exact_where_rows_or_columns_hold_one_nonzero)
{
    check_product(one_in_each_row(300, 200, 1), sparse(200, 90, 0.05, 2), true, 0);
    check_product(one_in_each_row(300, 200, 3), skewed(200, 90, 4), true, 0);
    check_product(sparse(50, 80, 0, 5), sparse(80, 40, 0.2, 6), true, 0);
    check_product(case_random(50, 80, 1, 7),
                  CASE_RUN(t, value_matrix(one_in_each_row(60, 80, 8))).m, true, 0);
}

ML_TEST(sketch_of_a_product_is_close_for_scattered_nonzeros)
{
    check_product(sparse(200, 200, 0.01, 1), sparse(200, 200, 0.01, 2), false, 0.1);
    check_product(sparse(300, 100, 0.05, 3), sparse(100, 200, 0.1, 4), false, 0.1);
    check_product(skewed(200, 200, 5), sparse(200, 150, 0.02, 6), false, 0.15);
    check_product(sparse(150, 200, 0.02, 7), skewed(200, 200, 8), false, 0.15);
    check_product(skewed(100, 100, 9), skewed(100, 100, 10), false, 0.15);
}

static void check_rule(SketchFn rule, OpCode op, KernelFn kernel, Matrix *a, Matrix *b,
                       double tolerance)
{
    Value in[2] = {value_matrix(a), value_none()};
    Arena *arena = arena_new();
    Sketch *operands[2] = {sketch_of(arena, a), b ? sketch_of(arena, b) : NULL}, *s, *truth;
    Value out;

    if (b)
        in[1] = value_matrix(b);
    out = case_run(op, kernel, in, b ? 2 : 1);
    s = rule(&(SketchCall){.arena = arena,
                           .nin = b ? 2 : 1,
                           .in = operands,
                           .rows = out.m->rows,
                           .cols = out.m->cols});
    truth = sketch_of(arena, out.m);
    assert_int_equal(s->rows, truth->rows);
    assert_int_equal(s->cols, truth->cols);
    if (fabs(s->nnz - truth->nnz) > tolerance * fmax(truth->nnz, 1))
        fail_msg("%s: estimated %g, found %g", op_table[op].name, s->nnz, truth->nnz);
    for (int64_t i = 0; tolerance == 0 && i < s->rows; i++)
        assert_true(s->row[i] == truth->row[i]);
    for (int64_t j = 0; tolerance == 0 && j < s->cols; j++)
        assert_true(s->col[j] == truth->col[j]);
    value_release(out);
    arena_free(arena);
}

ML_TEST(sketches_follow_transpose_binding_and_diagonals_exactly)
{
    check_rule(sketch_transpose, OP_t, ml_k_t, skewed(70, 40, 1), NULL, 0);
    check_rule(sketch_cbind, OP_cbind, ml_k_cbind, skewed(70, 40, 1), sparse(70, 9, 0.3, 2), 0);
    check_rule(sketch_rbind, OP_rbind, ml_k_rbind, skewed(30, 40, 1), sparse(7, 40, 0.3, 2), 0);
    check_rule(sketch_diag, OP_diag, ml_k_diag, case_random(60, 1, 0.4, 3), NULL, 0);
}

ML_TEST(sketches_of_cells_are_close)
{
    check_rule(sketch_both, OP_mul, ml_k_binary, sparse(200, 200, 0.3, 1), sparse(200, 200, 0.2, 2),
               0.1);
    check_rule(sketch_both, OP_mul, ml_k_binary, skewed(200, 200, 3), sparse(200, 200, 0.2, 4),
               0.15);
    check_rule(sketch_either, OP_add, ml_k_binary, sparse(200, 200, 0.1, 5),
               sparse(200, 200, 0.2, 6), 0.05);
    check_rule(sketch_either, OP_add, ml_k_binary, skewed(200, 200, 7), sparse(200, 200, 0.2, 8),
               0.05);
}

/* ---- scripts: every order gives the same numbers ---- */

typedef struct Shape {
    int rows, cols;
} Shape;

/* A random chain of the variables M0.. with these shapes, some under t(): its shape in *out. */
static void write_chain(Buffer *b, const Shape *shapes, int n, int depth, uint64_t *state,
                        Shape *out)
{
    const int first = pick(state, n);
    Shape other = shapes[first];
    bool t = pick(state, 3) == 0;
    char open = pick(state, 2) ? '(' : ' ';

    if (depth == 0) {
        buffer_format(b, t ? "t(M%d)" : "M%d", first);
        *out = t ? (Shape){other.cols, other.rows} : other;
        return;
    }
    buffer_format(b, "%c", open);
    write_chain(b, shapes, n, depth - 1, state, out);
    for (int tries = 0; tries < 60; tries++) { /* a factor that fits on the right */
        const int k = pick(state, n);

        t = pick(state, 2);
        other = t ? (Shape){shapes[k].cols, shapes[k].rows} : shapes[k];
        if (other.rows != out->cols)
            continue;
        buffer_format(b, t ? " %%*%% t(M%d)" : " %%*%% M%d", k);
        out->cols = other.cols;
        break;
    }
    buffer_text(b, open == '(' ? ")" : " ");
}

static void random_script(Buffer *b, uint64_t *state)
{
    static const int sizes[] = {1, 1, 2, 7, 40, 0, 90};
    Shape shapes[6], out;

    for (int k = 0; k < 6; k++) {
        shapes[k] = (Shape){sizes[pick(state, pick(state, 4) ? 5 : 7)], sizes[pick(state, 7)]};
        buffer_format(b, "M%d = rand(rows=%d, cols=%d, sparsity=%s, seed=%d)\n", k, shapes[k].rows,
                      shapes[k].cols, pick(state, 2) ? "1.0" : "0.05", k + 1);
    }
    for (int k = 0; k < 6; k++) {
        const bool t = pick(state, 4) == 0;

        buffer_format(b, t ? "R%d = t(" : "R%d = ", k);
        write_chain(b, shapes, 6, 1 + pick(state, 6), state, &out);
        buffer_text(b, t ? ")\n" : "\n");
        buffer_format(b, "print(sum(R%d) + \" \" + sum(R%d * R%d) + \" \" + nrow(R%d))\n", k, k, k,
                      k);
        if (pick(state, 3) == 0)
            buffer_format(b, "print(sum(R%d %%*%% t(R%d)))\n", k, k);
    }
}

/* Words that are numbers may differ in their last digits. */
static void assert_same_words(const char *script, const char *a, const char *b)
{
    while (*a || *b) {
        const size_t na = strcspn(a, " "), nb = strcspn(b, " ");
        double x, y;
        const bool numbers = text_to_double(a, na, &x) && text_to_double(b, nb, &y);

        if (numbers ? fabs(x - y) > 1e-9 * fabs(x) : na != nb || memcmp(a, b, na) != 0)
            fail_msg("%sas written %.*s, in another order %.*s", script, (int)na, a, (int)nb, b);
        a += na + (a[na] == ' ');
        b += nb + (b[nb] == ' ');
    }
}

ML_TEST(chains_in_any_order_give_the_same_numbers)
{
    uint64_t bits = 11;

    for (int round = 0; round < 150; round++) {
        Buffer script = {0}, written = {0}, ordered = {0};

        random_script(&script, &bits);
        assert_true(script_words_with("opt", "0", script.data, &written));
        if (!script_words_with("opt", "2", script.data, &ordered))
            fail_msg("%s%s", script.data, ordered.data);
        assert_same_words(script.data, written.data, ordered.data);
        buffer_free(&script);
        buffer_free(&written);
        buffer_free(&ordered);
    }
}
