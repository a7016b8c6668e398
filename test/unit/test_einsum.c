/* Products by index equations, against a loop over all indexes of the equation. */
#include "nn_case.h"

#include <string.h>

enum { MOST = 6 };

typedef struct Equation {
    const char *text;
    int64_t sizes[5]; /* of a, b, c, d, e */
} Equation;

static const Equation equations[] = {
    {"ab,bc->ac", {5, 4, 6}},
    {"ab,cb->ac", {5, 4, 6}},
    {"ba,bc->ca", {5, 4, 6}},
    {"ba,cb->ca", {50, 70, 60}},
    {"ab,bc,cd->ad", {3, 4, 5, 6}},
    {"ab,bc,cd,de->ea", {7, 3, 2, 4, 5}},
    {"ab->ab", {3, 4}},
    {"ab->ba", {3, 4}},
    {"ab->a", {3, 4}},
    {"ab->b", {3, 4}},
    {"ab->", {3, 4}},
    {"aa->a", {4}},
    {"aa->", {4}},
    {"a->a", {4}},
    {"a->", {4}},
    {"a,a->", {4}},
    {"a,a->a", {4}},
    {"a,b->ab", {4, 3}},
    {"a,b->ba", {4, 3}},
    {"a,b->", {4, 3}},
    {"ab,b->a", {4, 3}},
    {"b,ab->a", {4, 3}},
    {"ab,a->b", {4, 3}},
    {"ab,a->ab", {4, 3}},
    {"ab,b->ba", {4, 3}},
    {"ab,ab->ab", {4, 3}},
    {"ab,ba->ab", {4, 3}},
    {"ab,ab->", {4, 3}},
    {"ab,ab->a", {4, 3}},
    {"ab,ba->b", {4, 3}},
    {"aa,ab->b", {4, 3}},
    {"aa,bb->ab", {4, 3}},
    {"ab,->ab", {4, 3}},
    {",a,->a", {4, 3}},
    {",->", {1}},
    {"ab,cd->", {2, 3, 4, 5}},
    {"ab,cd->ad", {2, 3, 4, 5}},
    {"ab,ac,ad->bc", {2, 3, 4, 5}},
    {"ab,bc,ca->", {3, 4, 5}},
    {"ab,ac,ad,bc,bd,cd->", {3, 4, 2, 5}},
    {"ab,ac,ad,bc,bd,cd->ca", {3, 4, 2, 5}},
    {" a b , b c -> a c ", {2, 3, 2}},
    {"ab,bc->ac", {5, 0, 6}},
    {"ab,bc->ac", {0, 3, 6}},
    {"ab->a", {3, 0}},
    {"ab,ac,ad,bc,bd,cd->ca", {3, 0, 2, 5}},
    {"ab,bc->ac", {1, 1, 1}},
    {"ab,ac->a", {60, 50, 40}},
};

typedef struct Case {
    const Equation *e;
    char terms[MOST + 1][3]; /* the last one is the result */
    int n;
    Matrix *in[MOST];
} Case;

/* Well-formed equations only. */
static void split(Case *c)
{
    int at = 0;

    c->n = 0;
    memset(c->terms, 0, sizeof c->terms);
    for (const char *p = c->e->text; *p; p++) {
        if (*p == ',' || *p == '>') {
            c->n++;
            at = 0;
        } else if (*p >= 'a' && *p <= 'e') {
            c->terms[c->n][at++] = *p;
        }
    }
}

static int64_t size_of(const Case *c, char letter)
{
    return letter ? c->e->sizes[letter - 'a'] : 1;
}

/* Vectors are rows or columns by turns. */
static void make_operands(Case *c, double density)
{
    for (int k = 0; k < c->n; k++) {
        const int64_t rows = size_of(c, c->terms[k][0]), cols = size_of(c, c->terms[k][1]);
        const bool row = !c->terms[k][1] && k % 2;

        c->in[k] = case_random(row ? cols : rows, row ? rows : cols, density, (uint64_t)k + 1);
    }
}

static double plain_cell(const Case *c, const int64_t *index)
{
    double product = 1;

    for (int k = 0; k < c->n; k++) {
        const char *t = c->terms[k];
        const int64_t i = t[0] ? index[t[0] - 'a'] : 0, j = t[1] ? index[t[1] - 'a'] : 0;

        product *= c->in[k]->values[t[1] ? i * c->in[k]->cols + j : i];
    }
    return product;
}

static Matrix *plain(const Case *c)
{
    const char *t = c->terms[c->n];
    int64_t all = 1, index[5];
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), size_of(c, t[0]), size_of(c, t[1]), &m));
    for (int letter = 0; letter < 5; letter++)
        if (memchr(c->e->text, 'a' + letter, strlen(c->e->text)))
            all *= c->e->sizes[letter];
    for (int64_t at = 0; at < all; at++) {
        int64_t rest = at;

        for (int letter = 0; letter < 5; letter++) {
            const int64_t size =
                memchr(c->e->text, 'a' + letter, strlen(c->e->text)) ? c->e->sizes[letter] : 1;

            index[letter] = rest % size;
            rest /= size;
        }
        m->values[(t[0] ? index[t[0] - 'a'] : 0) * m->cols + (t[1] ? index[t[1] - 'a'] : 0)] +=
            plain_cell(c, index);
    }
    return m;
}

static Value run(const Case *c, bool csr)
{
    Value in[MOST + 1], out;

    in[0] = case_text(c->e->text);
    for (int k = 0; k < c->n; k++)
        in[k + 1] = csr ? value_matrix(case_csr(c->in[k])) : case_share(c->in[k]);
    assert_ok(call_values(OP_einsum, ml_k_einsum, c->n + 1, in, 1, &out));
    for (int k = 0; k <= c->n; k++)
        value_release(in[k]);
    return out;
}

static void check_value(Value found, const Matrix *expected, bool scalar)
{
    if (scalar) {
        assert_int_equal(found.dt, DT_SCALAR);
        assert_close(found.d, expected->values[0], 1e-9);
    } else {
        assert_int_equal(found.dt, DT_MATRIX);
        assert_matrix_near(found.m, expected, 1e-9);
    }
    value_release(found);
}

ML_TEST(equations_of_indexes_agree_with_loops_over_all_indexes)
{
    for (size_t k = 0; k < sizeof equations / sizeof *equations; k++)
        for (double density = 0.25; density <= 1; density += 0.75) {
            Case c = {.e = &equations[k]};
            Matrix *expected;

            split(&c);
            make_operands(&c, density);
            expected = plain(&c);
            check_value(run(&c, false), expected, !c.terms[c.n][0]);
            check_value(run(&c, true), expected, !c.terms[c.n][0]);
            matrix_release(expected);
            for (int j = 0; j < c.n; j++)
                matrix_release(c.in[j]);
        }
}

ML_TEST(equations_of_indexes_do_not_depend_on_threads)
{
    const Equation e[] = {{"ab,ac,ad,bc,bd,cd->ca", {9, 8, 12, 10}}, {"ab,bc->ca", {90, 80, 70}}};

    for (int k = 0; k < 2; k++) {
        Case c = {.e = &e[k]};
        Value one;

        split(&c);
        make_operands(&c, 1);
        test_threads(1);
        one = run(&c, false);
        test_threads(8);
        assert_same_matrix(run(&c, false), one);
        for (int j = 0; j < c.n; j++)
            matrix_release(c.in[j]);
    }
}

ML_TEST(malformed_equations_are_shown_with_the_position)
{
    static const struct {
        const char *text;
        int operands;
        ml_status code;
        const char *message;
    } cases[] = {
        {"ab,bc", 2, ML_EVALUE, "\"ab,bc\" ends too early: expected a letter, a comma or ->"},
        {"", 1, ML_EVALUE, "\"\" ends too early"},
        {"ab-bc", 1, ML_EVALUE, "character 3 of \"ab-bc\": expected a letter, a comma or ->"},
        {"a1->a", 1, ML_EVALUE, "character 2 of \"a1->a\""},
        {"abc->a", 1, ML_EVALUE, "character 3 of \"abc->a\": expected two indexes at most"},
        {"ab->abc", 1, ML_EVALUE, "character 7 of \"ab->abc\": expected two indexes at most"},
        {"ab->a,b", 1, ML_EVALUE, "character 6 of \"ab->a,b\": expected the letters of the result"},
        {"ab,bc->ac", 1, ML_EVALUE, "character 6 of \"ab,bc->ac\": the call has fewer operands"},
        {"ab->a", 2, ML_EVALUE, "\"ab->a\" names 1 operands, the call has 2"},
        {"ab->aa", 1, ML_EVALUE, "the result of \"ab->aa\" has the index a twice"},
        {"ab->ac", 1, ML_EVALUE, "the result of \"ab->ac\" has the index c, which no operand has"},
        {"a->a", 1, ML_ESHAPE, "operand 1 of \"a->a\" is 2x3, expected a row or a column"},
        {"->", 1, ML_ESHAPE, "is 2x3, expected 1x1"},
        {"ab,bc->ac", 2, ML_ESHAPE,
         "the index b of \"ab,bc->ac\" has size 3 before and 2 in operand 2, which is 2x3"},
        {"aa->a", 1, ML_ESHAPE, "the index a of \"aa->a\" has size 2 before and 3 in operand 1"},
    };

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        NnCall c = {.op = OP_einsum, .kernel = ml_k_einsum, .nout = 1};

        c.in[c.nin++] = case_text(cases[k].text);
        while (c.nin <= cases[k].operands)
            c.in[c.nin++] = value_matrix(case_random(2, 3, 1, 1));
        nn_fails(&c, cases[k].code, cases[k].message);
        nn_end(&c);
    }
}
