/* prove: private to lang.  Is a polynomial never negative, given others that are not? */
#ifndef LANG_PROVE_H
#define LANG_PROVE_H

#include "lang/poly.h"

typedef struct Facts {
    VEC(Poly) items; /* each >= 0 */
    int budget;      /* steps left to all proofs */
} Facts;

/* True: p >= 0 for all values of the symbols that make the facts >= 0.  False: not shown. */
bool prove_not_negative(Facts *facts, const Poly *p);

#endif
