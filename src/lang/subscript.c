/* Subscripts as polynomials over what varies and what does not.
 *
 * A loop variable is from + step * t, where t counts iterations from 0 (loop normalization; Allen
 * and Kennedy, 4.3), so a step of any sign needs no case of its own.  A scalar of the body that is
 * assigned once is replaced by its value where its assignment is sure to have run before. Variables
 * that the function assigns once stand for their values, so k = 3 is a number.  Everything else is
 * a symbol: one for the whole loop when the body cannot change it, a fresh one for an iteration
 * otherwise.
 *
 * min and max become symbols with facts about them.  A range whose bounds are no numbers is taken
 * to ascend, from 0 or above. */
#include "lang/subscript.h"

#include <math.h>
#include <string.h>

enum { ARITHMETIC_DEPTH = 40, RANGE_STEPS = 500 };

/* ---- symbols ---- */

static void push_fact(Subscripts *x, int owner, const Poly *fact)
{
    if (!fact->bad && (!VEC_PUSH(&x->facts.items, *fact) || !VEC_PUSH(&x->owners, owner)))
        x->c->status = fail_memory(x->c->ctx, sizeof *fact);
}

/* a >= b */
static void add_fact(Subscripts *x, int owner, const Poly *a, const Poly *b)
{
    Poly difference = poly_add(a, b, -1);

    push_fact(x, owner, &difference);
}

static int own_symbol(Subscripts *x, Symbol symbol)
{
    if (!VEC_PUSH(&x->own, symbol))
        x->c->status = fail_memory(x->c->ctx, sizeof symbol);
    return 2 * x->own.count;
}

static bool equal_expressions(const Expr *a, const Expr *b)
{
    if (!a || !b || a->kind != b->kind || a->nargs != b->nargs || a->op != b->op ||
        a->name != b->name || a->lit.vt != b->lit.vt)
        return a == b;
    if (a->kind == E_LITERAL &&
        (a->lit.vt == VT_STRING ? strcmp(a->lit.s->text, b->lit.s->text) != 0
                                : a->lit.i != b->lit.i))
        return false;
    for (int k = 0; k < a->nargs; k++)
        if (!equal_expressions(a->args[k], b->args[k]))
            return false;
    return true;
}

static Poly same_symbol(Subscripts *x, Symbol symbol)
{
    for (int k = 0; k < x->same.count; k++) {
        const Symbol *old = &x->same.items[k];

        if (symbol.name == old->name && symbol.op == old->op && (symbol.name || symbol.expr) &&
            equal_expressions(symbol.expr, old->expr))
            return poly_symbol(-1 - k);
    }
    if (!VEC_PUSH(&x->same, symbol))
        x->c->status = fail_memory(x->c->ctx, sizeof symbol);
    return poly_symbol(-x->same.count);
}

const Symbol *subscripts_own(const Subscripts *x, int sym)
{
    return &x->own.items[sym / 2 - 1];
}

bool subscripts_is_integer(const Subscripts *x, const Poly *p)
{
    for (int k = 0; k < p->count; k++)
        for (int i = 0; i < POLY_DEGREE; i++) {
            int sym = p->terms[k].sym[i];

            if ((sym > POLY_DISTANCE && !subscripts_own(x, sym)->integer) ||
                (sym < 0 && !x->same.items[-sym - 1].integer))
                return false;
        }
    return !p->bad;
}

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
        return same_symbol(x, symbol);
    }
    if (x->place == IN_RANGE)
        return same_symbol(x, symbol);
    return x->place == IN_FUNCTION ? poly_bad() : poly_symbol(own_symbol(x, symbol));
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
    return is_same_variable(x, e->name, false) ? same_symbol(x, symbol) : opaque(x, e);
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
    size = same_symbol(x, symbol);
    push_fact(x, 0, &size);
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

/* A symbol of an iteration owns the facts about it. */
static int owner_of(const Poly *symbol)
{
    return symbol->terms[0].sym[0] > 0 ? symbol->terms[0].sym[0] : 0;
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
        integer &= subscripts_is_integer(x, &sides[k]);
    }
    if (same || x->place == IN_RANGE)
        result = same_symbol(x, (Symbol){.expr = same ? e : NULL, .integer = integer});
    else
        result = poly_symbol(own_symbol(x, (Symbol){.integer = integer}));
    for (int k = 0; k < e->nargs; k++)
        if (least)
            add_fact(x, owner_of(&result), &sides[k], &result);
        else
            add_fact(x, owner_of(&result), &result, &sides[k]);
    return result;
}

/* A cast or rounding leaves what is an integer. */
static Poly rounded(Subscripts *x, const Expr *e)
{
    Poly value = subscripts_value(x, e->args[0]);

    return subscripts_is_integer(x, &value) ? value : poly_bad();
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

/* ---- bindings ---- */

static void bind(Subscripts *x, const char *name, const Poly *value)
{
    Binding binding = {name, *value};

    if (!VEC_PUSH(&x->bound, binding))
        x->c->status = fail_memory(x->c->ctx, sizeof binding);
}

int subscripts_mark(const Subscripts *x)
{
    return x->bound.count;
}

void subscripts_forget(Subscripts *x, int mark)
{
    x->bound.count = mark;
}

void subscripts_bind(Subscripts *x, const char *name, const Expr *e)
{
    const DefCount inside = defs_find(&x->defs, name)->inside;
    Poly value;

    if (inside.whole != 1 || inside.indexed != 0 || inside.loops != 0)
        return;
    value = subscripts_value(x, e);
    bind(x, name, &value);
}

/* ---- loops ---- */

/* Bounds of a range without a step are cut to integers. */
static Poly bound_of(Subscripts *x, const Stmt *s, const Expr *e)
{
    Poly bound = subscripts_value(x, e), cut;

    if (s->step || subscripts_is_integer(x, &bound))
        return bound;
    if (e->kind == E_LITERAL && e->lit.vt == VT_DOUBLE && fabs(e->lit.d) <= 0x1p53)
        return poly_constant((int64_t)e->lit.d);
    cut = x->place == IN_RANGE ? same_symbol(x, (Symbol){.integer = true})
                               : poly_symbol(own_symbol(x, (Symbol){.integer = true}));
    add_fact(x, owner_of(&cut), &bound, &cut);
    return cut;
}

/* The last of the iterations 0, 1 ... of from, from + step ... to, where the distance to - from is
 * a number. */
static int64_t last_iteration(int64_t distance, int64_t step)
{
    return step == 0 || (distance != 0 && (distance > 0) != (step > 0)) ? -1 : distance / step;
}

/* What is not negative while iteration t runs, (to - from) / step - t by a positive factor; bad
 * when not known. */
static Poly left_of(Subscripts *x, int sym, const Poly *distance, const Poly *step)
{
    const Poly t = poly_symbol(sym), zero = poly_constant(0), one = poly_constant(1);
    Poly left = poly_times(step, &t), last;
    int64_t by, far;

    left = poly_add(distance, &left, -1);
    if (!poly_is_constant(step, &by)) {
        if (!subscripts_is_integer(x, step))
            return poly_bad(); /* its sign is not known */
        add_fact(x, sym, step, &one);
        return left;
    }
    if (!poly_is_constant(distance, &far))
        return poly_add(&zero, &left, by < 0 ? -1 : 1);
    last = poly_constant(last_iteration(far, by));
    return poly_add(&last, &t, -1);
}

/* Is the loop, or what else the symbol stands for, sure to have come to pass here? */
static bool is_around(const Subscripts *x, int sym)
{
    int loop = x->inner;

    while (loop != 0 && loop != sym)
        loop = subscripts_own(x, loop)->outer;
    return sym == 0 || loop == sym || !subscripts_own(x, sym)->counts;
}

static bool is_never_negative(Subscripts *x, const Poly *p)
{
    Facts facts = {.budget = RANGE_STEPS};
    bool shown;

    for (int k = 0; k < x->facts.items.count && x->c->status == ML_OK; k++)
        if (is_around(x, x->owners.items[k]) && !VEC_PUSH(&facts.items, x->facts.items.items[k]))
            x->c->status = fail_memory(x->c->ctx, sizeof(Poly));
    shown = prove_not_negative(&facts, p);
    VEC_FREE(&facts.items);
    return shown;
}

static void bound_iterations(Subscripts *x, int sym, const Poly *distance, const Poly *step)
{
    const Poly t = poly_symbol(sym), left = left_of(x, sym, distance, step);
    const Poly zero = poly_constant(0), first = poly_replace(&left, sym, &zero);
    Symbol *symbol = &x->own.items[sym / 2 - 1];

    symbol->left = left;
    symbol->unsure = !is_never_negative(x, &first);
    symbol->outer = x->inner;
    x->inner = sym;
    push_fact(x, sym, &t);
    push_fact(x, sym, &left);
    push_fact(x, sym, &first); /* it runs */
}

static bool counts(const Subscripts *x, int sym)
{
    return sym > 0 && subscripts_own(x, sym)->counts;
}

/* A range without a step runs towards its end.  Which way is known, taken to be upwards because the
 * script's own values decide, or differs between iterations: then bad. */
static Poly direction_of(Subscripts *x, const Poly *distance)
{
    const Poly zero = poly_constant(0), back = poly_add(&zero, distance, -1);
    bool counted = true;

    if (is_never_negative(x, distance))
        return poly_constant(1);
    if (is_never_negative(x, &back))
        return poly_constant(-1);
    for (int k = 0; k < distance->count; k++)
        for (int i = 0; i < POLY_DEGREE; i++)
            counted &= distance->terms[k].sym[i] == 0 || counts(x, distance->terms[k].sym[i]);
    return counted ? poly_bad() : poly_constant(1);
}

/* The variable of a loop; *sym counts its iterations.  That symbol is made after those of the
 * bounds: facts belong to the latest symbol in them. */
static Poly loop_variable(Subscripts *x, const Stmt *s, int *sym)
{
    Poly from = bound_of(x, s, s->from), to = bound_of(x, s, s->to);
    Poly distance = poly_add(&to, &from, -1), way;
    Poly step = s->step ? subscripts_value(x, s->step) : direction_of(x, &distance);

    *sym = own_symbol(x, (Symbol){.integer = true, .counts = true});
    way = poly_symbol(*sym);
    way = poly_times(&step, &way);
    if (x->c->status == ML_OK)
        bound_iterations(x, *sym, &distance, &step);
    return poly_add(&from, &way, 1);
}

/* Is it known that iteration t of a loop does not run? */
static bool never_reaches(const Subscripts *x, int sym, int64_t t)
{
    const Poly value = poly_constant(t);
    Poly left;
    int64_t number;

    if (x->c->status != ML_OK)
        return false;
    left = poly_replace(&subscripts_own(x, sym)->left, sym, &value);
    return poly_is_constant(&left, &number) && number < 0;
}

static bool assigns(const StmtList *list, const char *name)
{
    for (int k = 0; k < list->count; k++) {
        const Stmt *s = list->items[k];

        for (int i = 0; i < s->ntargets; i++)
            if (s->targets[i].name == name)
                return true;
        if (s->name == name || assigns(&s->body, name) || assigns(&s->orelse, name))
            return true;
    }
    return false;
}

bool subscripts_bind_loop(Subscripts *x, const Stmt *s)
{
    int sym;
    Poly value = loop_variable(x, s, &sym);
    bool known = !value.bad && !assigns(&s->body, s->name);

    if (!known)
        value = poly_symbol(own_symbol(x, (Symbol){.integer = false}));
    bind(x, s->name, &value);
    return !never_reaches(x, sym, 0);
}

void subscripts_new(Subscripts *x, Checker *c, const Stmt *loop)
{
    *x = (Subscripts){.c = c, .loop = loop, .place = IN_RANGE};
    if (!defs_new(&x->defs, c->fn, loop))
        c->status = fail_memory(c->ctx, sizeof(VarDefs));
    if (c->status == ML_OK)
        x->empty = !subscripts_bind_loop(x, loop) || never_reaches(x, SYM_ITERATION, 1);
    x->place = IN_BODY;
}

void subscripts_free(Subscripts *x)
{
    defs_free(&x->defs);
    VEC_FREE(&x->own);
    VEC_FREE(&x->same);
    VEC_FREE(&x->bound);
    VEC_FREE(&x->known);
    VEC_FREE(&x->facts.items);
    VEC_FREE(&x->owners);
}
