/* subscript: private to lang.  Expressions in the body of a parfor as polynomials. */
#ifndef LANG_SUBSCRIPT_H
#define LANG_SUBSCRIPT_H

#include "lang/check.h"
#include "lang/defs.h"
#include "lang/prove.h"

/* What counts the iterations of the parfor, and its twin. */
enum { SYM_ITERATION = 2, SYM_OTHER = 3 };

/* What is known of a symbol. */
typedef struct Symbol {
    bool integer;
    bool counts; /* a loop's iterations: 0, 1, 2 ... */
    Poly left;   /* of a loop: not negative up to the last of them; bad when not known */
    bool unsure; /* a loop that may not run at all */
    int outer;   /* of a loop: the loop around it, or 0 */
    /* What a symbol that is the same in all iterations stands for, to find it again: a variable, a
     * variable's size by op, or the value of an expression. */
    const char *name;
    int op;
    const Expr *expr;
} Symbol;

typedef struct Binding {
    const char *name;
    Poly value;
} Binding;

typedef enum SubscriptPlace {
    IN_BODY,     /* an iteration */
    IN_RANGE,    /* the range of the parfor: evaluated once */
    IN_FUNCTION, /* the value of a variable that the function assigns once */
} SubscriptPlace;

typedef struct Subscripts {
    Checker *c;
    Defs defs;
    const Stmt *loop;
    VEC(Symbol) own, same; /* symbol 2 k + 2 is own[k], symbol -1 - k is same[k] */
    VEC(Binding) bound;    /* variables of an iteration, as far as known here */
    VEC(Poly) known;       /* values and sizes of variables that the function assigns once */
    Facts facts;           /* of one iteration */
    VEC(int) owners;       /* of each fact: the symbol that it is about, 0 when it always holds */
    SubscriptPlace place;
    int inner;  /* counts the innermost loop around this place */
    bool empty; /* the parfor runs one iteration at most */
} Subscripts;

/* Begin with the parfor's own variable bound; errors are in the checker's status.  subscripts_free
 * in any case. */
void subscripts_new(Subscripts *x, Checker *c, const Stmt *loop);
void subscripts_free(Subscripts *x);
Poly subscripts_value(Subscripts *x, const Expr *e);

/* What is bound from a mark on is forgotten at the end of the block. */
int subscripts_mark(const Subscripts *x);
void subscripts_forget(Subscripts *x, int mark);
/* name = e, which the body assigns nowhere else. */
void subscripts_bind(Subscripts *x, const char *name, const Expr *e);
/* The body of a loop inside begins; false when it never runs.  Whoever forgets it puts `inner`
 * back.
 */
bool subscripts_bind_loop(Subscripts *x, const Stmt *s);

/* ---- symbols (symbols.c) ---- */

/* A symbol of an iteration's own; the one that stands for what is given, or a new one when nothing
 * is. */
int symbols_own(Subscripts *x, Symbol symbol);
Poly symbols_same(Subscripts *x, Symbol symbol);
/* What is known of an own symbol or its twin. */
const Symbol *symbols_find(const Subscripts *x, int sym);
bool symbols_are_integers(const Subscripts *x, const Poly *p); /* all of p's */
/* fact >= 0, a >= b; about the symbol `owner`, 0 when it always holds. */
void symbols_fact(Subscripts *x, int owner, const Poly *fact);
void symbols_order(Subscripts *x, int owner, const Poly *a, const Poly *b);
/* Who owns what is known of a symbol. */
int symbols_owner(const Poly *symbol);

#endif
