/* defs: private to lang.  Where the variables of a function are assigned, seen from one parfor. */
#ifndef LANG_DEFS_H
#define LANG_DEFS_H

#include "lang/lang.h"
#include "lang/poly.h"

typedef struct DefCount {
    int whole;   /* x = e, x += e, [x, y] = e, a parameter */
    int indexed; /* x[...] = e */
    int loops;   /* for (x in ...) */
} DefCount;

typedef struct VarDefs {
    const char *name;
    DefCount all, inside; /* in the function; in the body of the parfor */
    const Expr *value;    /* of the only x = e, when that stands in no loop; else NULL */
    bool repeated;        /* assigned in a loop */
    bool fraction;        /* may have a value that is no integer */
    bool seen;            /* its value is being looked at */
    int known[3];         /* where its value, rows and columns were kept, from 1 on; 0: not yet */
} VarDefs;

typedef struct Defs {
    Map *index; /* name -> position in vars */
    VEC(VarDefs) vars;
    const Stmt *loop;
    bool failed; /* memory exhausted */
} Defs;

/* Look at a function; false when memory is exhausted.  defs_free in any case. */
bool defs_new(Defs *d, const Function *fn, const Stmt *loop);
void defs_free(Defs *d);
/* NULL for a name that is never assigned. */
VarDefs *defs_find(const Defs *d, const char *name);
/* Does the body of the parfor leave the variable as it is? */
bool defs_is_fixed(const Defs *d, const char *name);
/* Does it leave its size as it is? */
bool defs_is_size_fixed(const Defs *d, const char *name);
/* One size, and one value, in the whole function: assigned once, or a parameter. */
bool defs_is_size_single(const Defs *d, const char *name);
bool defs_is_single(const Defs *d, const char *name);

#endif
