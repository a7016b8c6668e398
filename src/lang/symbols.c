/* Symbols of a parfor, and facts about them.
 *
 * A symbol that is the same in all iterations is found again by what it stands for; one that is an
 * iteration's own is made anew each time.  A fact belongs to the symbol that it is about: it holds
 * where that symbol has a value, which is in the loop that it counts. */
#include "lang/subscript.h"

#include <string.h>

void symbols_fact(Subscripts *x, int owner, const Poly *fact)
{
    if (!fact->bad && (!VEC_PUSH(&x->facts.items, *fact) || !VEC_PUSH(&x->owners, owner)))
        x->c->status = fail_memory(x->c->ctx, sizeof *fact);
}

void symbols_order(Subscripts *x, int owner, const Poly *a, const Poly *b)
{
    Poly difference = poly_add(a, b, -1);

    symbols_fact(x, owner, &difference);
}

int symbols_own(Subscripts *x, Symbol symbol)
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

Poly symbols_same(Subscripts *x, Symbol symbol)
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

const Symbol *symbols_find(const Subscripts *x, int sym)
{
    return &x->own.items[sym / 2 - 1];
}

bool symbols_are_integers(const Subscripts *x, const Poly *p)
{
    for (int k = 0; k < p->count; k++)
        for (int i = 0; i < POLY_DEGREE; i++) {
            int sym = p->terms[k].sym[i];

            if ((sym > POLY_DISTANCE && !symbols_find(x, sym)->integer) ||
                (sym < 0 && !x->same.items[-sym - 1].integer))
                return false;
        }
    return !p->bad;
}

int symbols_owner(const Poly *symbol)
{
    return symbol->terms[0].sym[0] > 0 ? symbol->terms[0].sym[0] : 0;
}
