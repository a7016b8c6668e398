/* Subscripts as polynomials over what varies and what does not.
 *
 * A scalar of the body that is assigned once is replaced by its value where its assignment is sure
 * to have run before.  Variables that the function assigns once stand for their values, so k = 3 is
 * a number.  Everything else is a symbol: one for the whole loop when the body cannot change it, a
 * fresh one for an iteration otherwise.  min and max become symbols with facts about them. */
#include "lang/subscript.h"

#include <math.h>

enum { ARITHMETIC_DEPTH = 40 };

/* ---- what varies ---- */

static bool is_native(const Expr *e, int op)
{
    return e->kind == E_OP && e->op == op;
}

static bool is_random(const Expr *e)
{
    return e->kind == E_CALL ||
           (e->kind == E_OP &&
            (e->op < 0 || (op_table[e->op].props & (P_RANDOM | P_EFFECT | P_CALLS))));
}

static bool is_size(const Expr *e)
{
    return (is_native(e, OP_nrow) || is_native(e, OP_ncol) || is_native(e, OP_length)) &&
           e->args[0] && e->args[0]->kind == E_NAME;
}

/* Is the value of a variable, or its size, one and the same wherever the expression may be
 * evaluated? */
static bool is_same_variable(const Subscripts *x, const char *name, bool size)
{
    if (x->place == IN_RANGE)
        return true;
    if (x->place == IN_FUNCTION)
        return size ? defs_is_size_single(&x->defs, name) : defs_is_single(&x->defs, name);
    return size ? defs_is_size_fixed(&x->defs, name) : defs_is_fixed(&x->defs, name);
}

static bool is_same(const Subscripts *x, const Expr *e)
{
    if (!e)
        return true;
    if (e->kind == E_NAME)
        return is_same_variable(x, e->name, false);
    if (is_size(e))
        return is_same_variable(x, e->args[0]->name, true);
    if (is_random(e))
        return false;
    for (int k = 0; k < e->nargs; k++)
        if (!is_same(x, e->args[k]))
            return false;
    return true;
}

static bool gives_integer(const Expr *e)
{
    static const int ops[] = {OP_as_integer, OP_floor, OP_ceil,  OP_round,
                              OP_nrow,       OP_ncol,  OP_length};

    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++)
        if (is_native(e, ops[k]))
            return true;
    return false;
}

/* The value of an expression of which nothing else is known. */
static Poly opaque(Subscripts *x, const Expr *e)
{
    Symbol symbol = {.integer = gives_integer(e)};

    if (is_same(x, e)) {
        symbol.expr = e;
        return symbols_same(x, symbol);
    }
    if (x->place == IN_RANGE)
        return symbols_same(x, symbol);
    return x->place == IN_FUNCTION ? poly_bad() : poly_symbol(symbols_own(x, symbol));
}

/* ---- names ---- */

/* What a variable that the function assigns once has in all of it: its value, rows or columns, by
 * the expression for that.  Kept, because each may be built from the one before, twice. */
typedef enum Known { KNOWN_VALUE, KNOWN_ROWS, KNOWN_COLS } Known;

static Poly known_of(Subscripts *x, VarDefs *v, Known what, const Expr *e)
{
    const SubscriptPlace place = x->place;
    Poly value = poly_bad();

    if (v->known[what] > 0)
        return x->known.items[v->known[what] - 1];
    if (v->seen)
        return value;
    v->seen = true;
    x->place = IN_FUNCTION;
    value = subscripts_value(x, e);
    x->place = place;
    v->seen = false;
    if (VEC_PUSH(&x->known, value))
        v->known[what] = x->known.count;
    else
        x->c->status = fail_memory(x->c->ctx, sizeof value);
    return value;
}

/* Bad when the variable has no value in the whole function, or not one of such values. */
static Poly single_value(Subscripts *x, VarDefs *v)
{
    if (!v || !v->value || !defs_is_single(&x->defs, v->name))
        return poly_bad();
    return known_of(x, v, KNOWN_VALUE, v->value);
}

static Poly variable(Subscripts *x, const Expr *e)
{
    VarDefs *v = defs_find(&x->defs, e->name);
    Symbol symbol = {.name = e->name, .integer = v && !v->fraction};
    Poly value;

    if (x->place == IN_BODY)
        for (int k = x->bound.count - 1; k >= 0; k--)
            if (x->bound.items[k].name == e->name)
                return x->bound.items[k].value;
    value = single_value(x, v);
    if (!value.bad)
        return value;
    return is_same_variable(x, e->name, false) ? symbols_same(x, symbol) : opaque(x, e);
}

/* R = matrix(0, rows=10, cols=1), and R is never made anew: nrow(R) is 10. */
static Poly size_from_value(Subscripts *x, const Expr *e)
{
    const bool rows = is_native(e, OP_nrow);
    VarDefs *v = defs_find(&x->defs, e->args[0]->name);

    if (!v || !v->value || !defs_is_size_single(&x->defs, v->name) ||
        !is_native(v->value, OP_matrix) || is_native(e, OP_length))
        return poly_bad();
    return known_of(x, v, rows ? KNOWN_ROWS : KNOWN_COLS, v->value->args[rows ? 1 : 2]);
}

static Poly size_of(Subscripts *x, const Expr *e)
{
    Symbol symbol = {.name = e->args[0]->name, .op = e->op, .integer = true};
    Poly size = size_from_value(x, e);

    if (!size.bad)
        return size;
    if (!is_same_variable(x, symbol.name, true))
        return opaque(x, e);
    size = symbols_same(x, symbol);
    symbols_fact(x, 0, &size);
    return size;
}

/* ---- arithmetic ---- */

static Poly literal(Subscripts *x, const Expr *e)
{
    if (e->lit.vt == VT_INT)
        return poly_constant(e->lit.i);
    if (e->lit.vt == VT_DOUBLE && fabs(e->lit.d) <= 0x1p53 && e->lit.d == trunc(e->lit.d))
        return poly_constant((int64_t)e->lit.d);
    return opaque(x, e);
}

static Poly quotient(const Poly *a, const Poly *b)
{
    int64_t by;

    return poly_is_constant(b, &by) ? poly_divide(a, by) : poly_bad();
}

static Poly power(const Poly *a, const Poly *b)
{
    Poly product = poly_constant(1);
    int64_t exponent;

    if (!poly_is_constant(b, &exponent) || exponent < 0 || exponent > POLY_DEGREE)
        return poly_bad();
    for (int64_t k = 0; k < exponent; k++)
        product = poly_times(&product, a);
    return product;
}

/* min(a, b, ...): a symbol not above any of them. */
static Poly extreme(Subscripts *x, const Expr *e)
{
    const bool least = is_native(e, OP_min);
    bool same = is_same(x, e), integer = true;
    Poly result, sides[4];

    if (e->nargs < 2 || e->nargs > 4 || (x->place == IN_FUNCTION && !same))
        return poly_bad();
    for (int k = 0; k < e->nargs; k++) {
        sides[k] = subscripts_value(x, e->args[k]);
        integer &= symbols_are_integers(x, &sides[k]);
    }
    if (same || x->place == IN_RANGE)
        result = symbols_same(x, (Symbol){.expr = same ? e : NULL, .integer = integer});
    else
        result = poly_symbol(symbols_own(x, (Symbol){.integer = integer}));
    for (int k = 0; k < e->nargs; k++)
        if (least)
            symbols_order(x, symbols_owner(&result), &sides[k], &result);
        else
            symbols_order(x, symbols_owner(&result), &result, &sides[k]);
    return result;
}

/* A cast or rounding leaves what is an integer. */
static Poly rounded(Subscripts *x, const Expr *e)
{
    Poly value = subscripts_value(x, e->args[0]);

    return symbols_are_integers(x, &value) ? value : poly_bad();
}

static Poly binary(Subscripts *x, const Expr *e)
{
    Poly a = subscripts_value(x, e->args[0]), b = subscripts_value(x, e->args[1]);

    switch (e->op) {
    case OP_add:
        return poly_add(&a, &b, 1);
    case OP_sub:
        return poly_add(&a, &b, -1);
    case OP_mul:
        return poly_times(&a, &b);
    case OP_div:
        return quotient(&a, &b);
    default:
        return power(&a, &b);
    }
}

static Poly operation(Subscripts *x, const Expr *e)
{
    const Poly zero = poly_constant(0);
    Poly value;

    switch (e->op) {
    case OP_add:
    case OP_sub:
    case OP_mul:
    case OP_div:
    case OP_pow:
        return binary(x, e);
    case OP_neg:
        value = subscripts_value(x, e->args[0]);
        return poly_add(&zero, &value, -1);
    case OP_plus:
        return subscripts_value(x, e->args[0]);
    case OP_as_integer:
    case OP_as_double:
    case OP_floor:
    case OP_ceil:
    case OP_round:
        return rounded(x, e);
    case OP_min:
    case OP_max:
        return extreme(x, e);
    default:
        return is_size(e) ? size_of(x, e) : poly_bad();
    }
}

Poly subscripts_value(Subscripts *x, const Expr *e)
{
    Poly value = poly_bad();

    if (x->c->status != ML_OK)
        return value;
    if (e->kind == E_LITERAL)
        value = literal(x, e);
    else if (e->kind == E_NAME)
        value = variable(x, e);
    else if (e->kind == E_OP && e->height <= ARITHMETIC_DEPTH)
        value = operation(x, e);
    return value.bad && e->kind != E_NAME ? opaque(x, e) : value;
}
