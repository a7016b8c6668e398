/* Sums of products by an equation of indexes.
 *
 * First each operand loses what concerns it alone: a diagonal, indexes that no other operand and
 * not the result have.  Then pairs are multiplied, the cheapest first, as long as their product is
 * a matrix; of the form ik,kj they go to the matrix product, otherwise to loops (einsum_loops.c).
 * If no pair is left whose product has two indexes at most, loops do the rest at once.  The order
 * follows from the equation and the sizes. */
#include "kernel/einsum.h"
#include "kernel/matmult.h"
#include "kernel/reorg.h"

#include <math.h>
#include <string.h>

typedef struct Einsum {
    const char *text;
    Tensor *items; /* operands, later their products */
    int count;
    char row, col;          /* of the result */
    int64_t sizes[LETTERS]; /* -1: not in any operand */
} Einsum;

/* ---- the equation ---- */

typedef struct Parser {
    const char *text;
    int at;
} Parser;

static ml_status malformed(Ctx *ctx, const Parser *p, const char *what)
{
    if (!p->text[p->at])
        return fail(ctx, ML_EVALUE, "einsum: \"%s\" ends too early: %s", p->text, what);
    return fail(ctx, ML_EVALUE, "einsum: character %d of \"%s\": %s", p->at + 1, p->text, what);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char next(Parser *p)
{
    while (p->text[p->at] == ' ' || p->text[p->at] == '\t')
        p->at++;
    return p->text[p->at];
}

/* Up to two letters. */
static ml_status parse_term(Ctx *ctx, Parser *p, char term[2])
{
    int n = 0;

    term[0] = term[1] = 0;
    for (; is_letter(next(p)); p->at++) {
        if (n == 2)
            return malformed(ctx, p,
                             "expected two indexes at most, one for rows and one for columns");
        term[n++] = p->text[p->at];
    }
    return ML_OK;
}

static ml_status parse_operands(Ctx *ctx, Parser *p, const OpCall *call, Einsum *e)
{
    char term[2];

    for (int k = 0;; p->at++) {
        TRY(parse_term(ctx, p, term));
        if (k == e->count)
            return malformed(ctx, p, "the call has fewer operands");
        e->items[k] = (Tensor){call->in[k + 1].m, term[0], term[1]};
        k++;
        if (next(p) == ',')
            continue;
        if (p->text[p->at] != '-' || p->text[p->at + 1] != '>')
            return malformed(ctx, p, "expected a letter, a comma or ->");
        p->at += 2;
        if (k < e->count)
            return fail(ctx, ML_EVALUE, "einsum: \"%s\" names %d operands, the call has %d",
                        e->text, k, e->count);
        return ML_OK;
    }
}

static ml_status parse_result(Ctx *ctx, Parser *p, Einsum *e)
{
    char term[2];

    TRY(parse_term(ctx, p, term));
    if (p->text[p->at])
        return malformed(ctx, p, "expected the letters of the result");
    if (term[0] && term[0] == term[1])
        return fail(ctx, ML_EVALUE, "einsum: the result of \"%s\" has the index %c twice", e->text,
                    term[0]);
    for (int k = 0; k < 2; k++)
        if (term[k] && e->sizes[(int)term[k]] < 0)
            return fail(ctx, ML_EVALUE,
                        "einsum: the result of \"%s\" has the index %c, which no operand has",
                        e->text, term[k]);
    e->row = term[0];
    e->col = term[1];
    return ML_OK;
}

/* ---- operands ---- */

static ml_status set_size(Ctx *ctx, Einsum *e, int k, char letter, int64_t size)
{
    int64_t *known = &e->sizes[(int)letter];

    if (letter && *known >= 0 && *known != size)
        return fail(ctx, ML_ESHAPE,
                    "einsum: the index %c of \"%s\" has size %" PRId64 " before and %" PRId64
                    " in operand %d, which is %" PRId64 "x%" PRId64,
                    letter, e->text, *known, size, k + 1, e->items[k].m->rows, e->items[k].m->cols);
    *known = size;
    return ML_OK;
}

/* A single index is that of the longer dimension; without one the operand is a single cell. */
static ml_status bind(Ctx *ctx, Einsum *e, int k)
{
    Tensor *t = &e->items[k];
    const Matrix *m = t->m;

    if (!t->col && m->cols != 1 && m->rows == 1) {
        t->col = t->row;
        t->row = 0;
    }
    if ((!t->row && m->rows != 1) || (!t->col && m->cols != 1))
        return fail(
            ctx, ML_ESHAPE, "einsum: operand %d of \"%s\" is %" PRId64 "x%" PRId64 ", expected %s",
            k + 1, e->text, m->rows, m->cols,
            t->row || t->col ? "a row or a column for its single index" : "1x1 as it has no index");
    TRY(set_size(ctx, e, k, t->row, m->rows));
    return set_size(ctx, e, k, t->col, m->cols);
}

static ml_status read_equation(Ctx *ctx, const OpCall *call, Einsum *e)
{
    Parser p = {.text = e->text};
    Matrix *m;

    for (int k = 0; k < e->count; k++)
        TRY(call_matrix(ctx, call, k + 1, &m));
    TRY(parse_operands(ctx, &p, call, e));
    for (int k = 1; k < LETTERS; k++)
        e->sizes[k] = -1;
    e->sizes[0] = 1;
    for (int k = 0; k < e->count; k++)
        TRY(bind(ctx, e, k));
    return parse_result(ctx, &p, e);
}

/* ---- one tensor alone ---- */

/* Neither in the result nor in a tensor other than a and b. */
static bool only_in(const Einsum *e, char letter, int a, int b)
{
    if (!letter || letter == e->row || letter == e->col)
        return false;
    for (int k = 0; k < e->count; k++)
        if (k != a && k != b && tensor_has(&e->items[k], letter))
            return false;
    return true;
}

static void replace(Tensor *t, Matrix *m, char row, char col)
{
    matrix_release(t->m);
    *t = (Tensor){m, row, col};
}

static ml_status take_diagonal(Ctx *ctx, const Einsum *e, Tensor *t)
{
    Matrix *m;

    TRY(einsum_loops(ctx, t, 1, e->sizes, t->row, 0, &m));
    replace(t, m, t->row, 0);
    return ML_OK;
}

/* Sums along the rows or the columns are products with ones. */
static ml_status sum_out(Ctx *ctx, Tensor *t, bool rows)
{
    Matrix *ones, *m;
    ml_status st;

    TRY(matrix_new_constant(ctx, rows ? t->m->rows : t->m->cols, 1, 1, &ones));
    if (rows)
        st = product(ctx, (Factor){ones, true}, (Factor){t->m, false}, &m);
    else
        st = product(ctx, (Factor){t->m, false}, (Factor){ones, false}, &m);
    matrix_release(ones);
    if (st == ML_OK)
        replace(t, m, rows ? 0 : t->row, rows ? t->col : 0);
    return st;
}

static ml_status reduce(Ctx *ctx, Einsum *e, int k)
{
    Tensor *t = &e->items[k];

    if (t->row && t->row == t->col)
        TRY(take_diagonal(ctx, e, t));
    if (only_in(e, t->row, k, k))
        TRY(sum_out(ctx, t, true));
    if (only_in(e, t->col, k, k))
        TRY(sum_out(ctx, t, false));
    return ML_OK;
}

/* ---- pairs ---- */

typedef struct Pair {
    int a, b;
    char row, col; /* of the product: at most two indexes stay */
    char sum;      /* the index of a product of the form ik,kj; 0 for i,j */
    bool product;  /* has that form */
    double cost;
} Pair;

/* What stays and what is summed among the letters of a and b; false when more than two stay. */
static bool pair_of(const Einsum *e, int a, int b, Pair *p)
{
    const Tensor *x = &e->items[a], *y = &e->items[b];
    const char letters[] = {x->row, x->col, y->row, y->col};
    char stay[4] = {0};
    int staying = 0, shared = 0, sums = 0;

    *p = (Pair){.a = a, .b = b, .cost = 1};
    for (int k = 0; k < 4; k++) {
        if (!letters[k] || (k >= 2 && tensor_has(x, letters[k])))
            continue;
        p->cost *= (double)e->sizes[(int)letters[k]];
        shared += k < 2 && tensor_has(y, letters[k]);
        if (only_in(e, letters[k], a, b)) {
            p->sum = letters[k];
            sums++;
        } else {
            stay[staying++] = letters[k];
        }
    }
    p->row = stay[0];
    p->col = stay[1];
    p->product = shared == sums && sums <= 1 &&
                 !(tensor_has(x, stay[0]) && tensor_has(x, stay[1])) &&
                 !(tensor_has(y, stay[0]) && tensor_has(y, stay[1]));
    return staying <= 2;
}

/* As a %*% b: rows of the index that stays of a, columns of that of b. */
static ml_status multiply(Ctx *ctx, const Einsum *e, Pair *p, Matrix **out)
{
    const Tensor *x = &e->items[p->a], *y = &e->items[p->b];

    if (p->row && !tensor_has(x, p->row)) { /* only b has an index that stays */
        p->col = p->row;
        p->row = 0;
    }
    return product(ctx, (Factor){x->m, x->row != p->row || x->col != p->sum},
                   (Factor){y->m, y->row != p->sum || y->col != p->col}, out);
}

static ml_status contract(Ctx *ctx, Einsum *e, Pair p)
{
    const Tensor pair[] = {e->items[p.a], e->items[p.b]};
    Matrix *m;

    if (p.product)
        TRY(multiply(ctx, e, &p, &m));
    else
        TRY(einsum_loops(ctx, pair, 2, e->sizes, p.row, p.col, &m));
    replace(&e->items[p.a], m, p.row, p.col);
    matrix_release(e->items[p.b].m);
    e->items[p.b] = e->items[--e->count];
    return ML_OK;
}

static bool cheapest(const Einsum *e, Pair *best)
{
    Pair p;

    best->cost = INFINITY;
    for (int a = 0; a < e->count; a++)
        for (int b = a + 1; b < e->count; b++)
            if (pair_of(e, a, b, &p) && p.cost < best->cost)
                *best = p;
    return best->cost < INFINITY;
}

/* ---- the operator ---- */

static ml_status transpose(Ctx *ctx, const Matrix *m, Matrix **out)
{
    Matrix *t;
    ml_status st;

    TRY(matrix_transpose(ctx, m, &t));
    st = matrix_finish(ctx, &t, m->nnz);
    if (st == ML_OK)
        *out = t;
    else
        matrix_release(t);
    return st;
}

static ml_status evaluate(Ctx *ctx, Einsum *e, Matrix **out)
{
    Pair p;

    for (int k = 0; k < e->count; k++)
        TRY(reduce(ctx, e, k));
    while (e->count > 1 && cheapest(e, &p)) {
        TRY(check_cancel(ctx));
        TRY(contract(ctx, e, p));
    }
    if (e->count > 1)
        return einsum_loops(ctx, e->items, e->count, e->sizes, e->row, e->col, out);
    if (e->items[0].row != e->row || e->items[0].col != e->col)
        return transpose(ctx, e->items[0].m, out);
    *out = matrix_retain(e->items[0].m);
    return ML_OK;
}

static ml_status einsum(Ctx *ctx, OpCall *call, Einsum *e)
{
    Matrix *out;

    TRY(evaluate(ctx, e, &out));
    if (e->row) {
        call->out[0] = value_matrix(out);
        return ML_OK;
    }
    call->out[0] = value_double(matrix_get(out, 0, 0));
    matrix_release(out);
    return ML_OK;
}

ml_status ml_k_einsum(Ctx *ctx, OpCall *call)
{
    Einsum e = {.count = call->nin - 1};
    ml_status st;

    TRY(call_text(ctx, call, 0, &e.text));
    e.items = mem_calloc((size_t)e.count, sizeof *e.items);
    if (!e.items)
        return fail_memory(ctx, (size_t)e.count * sizeof *e.items);
    st = read_equation(ctx, call, &e);
    if (st == ML_OK) {
        for (int k = 0; k < e.count; k++)
            matrix_retain(e.items[k].m);
        st = einsum(ctx, call, &e);
        for (int k = 0; k < e.count; k++)
            matrix_release(e.items[k].m);
    }
    mem_free(e.items);
    return st;
}
