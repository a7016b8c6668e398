/* dependence: private to lang.  Can two iterations of a parfor meet in one cell of a variable? */
#ifndef LANG_DEPENDENCE_H
#define LANG_DEPENDENCE_H

#include "lang/access.h"

typedef enum Verdict {
    INDEPENDENT, /* no */
    UNDECIDABLE, /* not known */
    DEPENDENT    /* yes, if both accesses happen at all */
} Verdict;

/* The work left to all pairs of a parfor together; when it is used up the rest is undecidable.  A
 * step is about a microsecond. */
typedef struct DependenceBudget {
    int pairs, steps, counts;
} DependenceBudget;
#define DEPENDENCE_BUDGET ((DependenceBudget){20000, 300000, 100000})

/* a and b, which may be the same access, are of one variable, and one of them writes; errors are in
 * the checker's status. */
Verdict dependence_test(Subscripts *x, const Access *a, const Access *b, DependenceBudget *budget);

#endif
