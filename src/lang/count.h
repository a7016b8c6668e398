/* count: private to lang.  Running through small loops to see whether two iterations meet. */
#ifndef LANG_COUNT_H
#define LANG_COUNT_H

#include "lang/subscript.h"

enum { COUNT_SYMBOLS = 64, COUNT_CONDITIONS = 8 };

typedef struct Count {
    const Subscripts *x;
    Poly condition[COUNT_CONDITIONS]; /* none negative where two iterations meet */
    int nconditions;
    int sym[COUNT_SYMBOLS], nsym; /* loops to run through, of either iteration */
    int64_t value[COUNT_SYMBOLS];
    int steps; /* left */
    bool all;  /* afterwards: nothing was left out */
} Count;

/* Do two iterations meet?  When none were found and `all` holds there are none. */
bool count_meeting(Count *s);

#endif
