/* access: private to lang.  What the body of a parfor does to variables from before it. */
#ifndef LANG_ACCESS_H
#define LANG_ACCESS_H

#include "lang/subscript.h"

typedef enum AccessKind {
    ACCESS_READ,
    ACCESS_WRITE,
    ACCESS_ADD /* x += e */
} AccessKind;

typedef struct Range {
    bool all; /* the whole dimension */
    Poly lo, hi;
} Range;

typedef struct Access {
    const char *name;
    Span span;
    AccessKind kind;
    bool whole; /* not by index */
    int inner;  /* counts the innermost loop around it */
    Range dim[2];
} Access;

typedef struct AccessList {
    VEC(Access) items;
} AccessList;

/* All accesses in the body of x's loop to variables that `wanted` names; errors are in the
 * checker's status. */
void accesses_find(Subscripts *x, bool (*wanted)(const void *arg, const char *name),
                   const void *arg, AccessList *out);

#endif
