/* Variables of an iteration: scalars that are bound to their values, and those of loops.
 *
 * A loop variable is from + step * t, where t counts iterations from 0 (loop normalization; Allen
 * and Kennedy, 4.3), so a step of any sign needs no case of its own.  A range whose bounds are no
 * numbers is taken to ascend, from 0 or above. */
#include "lang/subscript.h"

#include <math.h>

enum { RANGE_STEPS = 500 };

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

    if (s->step || symbols_are_integers(x, &bound))
        return bound;
    if (e->kind == E_LITERAL && e->lit.vt == VT_DOUBLE && fabs(e->lit.d) <= 0x1p53)
        return poly_constant((int64_t)e->lit.d);
    cut = x->place == IN_RANGE ? symbols_same(x, (Symbol){.integer = true})
                               : poly_symbol(symbols_own(x, (Symbol){.integer = true}));
    symbols_order(x, symbols_owner(&cut), &bound, &cut);
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
        if (!symbols_are_integers(x, step))
            return poly_bad(); /* its sign is not known */
        symbols_order(x, sym, step, &one);
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
        loop = symbols_find(x, loop)->outer;
    return sym == 0 || loop == sym || !symbols_find(x, sym)->counts;
}

static bool is_never_negative(Subscripts *x, const Poly *p)
{
    Facts facts = {.budget = RANGE_STEPS};
    int64_t value;
    bool shown;

    if (poly_is_constant(p, &value))
        return value >= 0;
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
    symbols_fact(x, sym, &t);
    symbols_fact(x, sym, &left);
    symbols_fact(x, sym, &first); /* it runs */
}

static bool counts(const Subscripts *x, int sym)
{
    return sym > 0 && symbols_find(x, sym)->counts;
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

/* The end before it was cut to an integer is not before the start either. */
static void add_uncut(Subscripts *x, const Stmt *s, int sym, const Poly *from, const Poly *step)
{
    Poly end = s->step ? poly_bad() : subscripts_value(x, s->to);
    int64_t by;

    if (poly_is_constant(step, &by) && by == 1)
        symbols_order(x, sym, &end, from);
}

/* The variable of a loop; *sym counts its iterations.  That symbol is made after those of the
 * bounds: facts belong to the latest symbol in them. */
static Poly loop_variable(Subscripts *x, const Stmt *s, int *sym)
{
    Poly from = bound_of(x, s, s->from), to = bound_of(x, s, s->to);
    Poly distance = poly_add(&to, &from, -1), way;
    Poly step = s->step ? subscripts_value(x, s->step) : direction_of(x, &distance);

    *sym = symbols_own(x, (Symbol){.integer = true, .counts = true});
    way = poly_symbol(*sym);
    way = poly_times(&step, &way);
    if (x->c->status == ML_OK)
        bound_iterations(x, *sym, &distance, &step);
    add_uncut(x, s, *sym, &from, &step);
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
    left = poly_replace(&symbols_find(x, sym)->left, sym, &value);
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
        value = poly_symbol(symbols_own(x, (Symbol){.integer = false}));
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
