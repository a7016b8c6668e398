/* poly: private to lang.  Polynomials with integer coefficients: what subscripts are to the
 * analysis of a parfor.
 *
 * A symbol is a number other than 0.  Symbols below 0 have one value in the whole loop.  Those
 * above are an iteration's own: an even one belongs to one iteration, the odd one after it is its
 * twin in another.  DISTANCE is how many iterations lie between the two.
 *
 * What overflows, has too many terms or too high a degree is `bad`, and all that is computed from
 * it. */
#ifndef LANG_POLY_H
#define LANG_POLY_H

#include "base/base.h"

enum { POLY_TERMS = 20, POLY_DEGREE = 3, POLY_DISTANCE = 1 };

/* coef * the product of the symbols, which stand in descending order before zeros. */
typedef struct Term {
    int64_t coef; /* never 0, at most 2^53 */
    int sym[POLY_DEGREE];
} Term;

typedef struct Poly {
    bool bad;
    int count;
    Term terms[POLY_TERMS];
} Poly;

Poly poly_constant(int64_t value);
Poly poly_symbol(int sym);
Poly poly_bad(void);
/* a + scale * b */
Poly poly_add(const Poly *a, const Poly *b, int64_t scale);
Poly poly_times(const Poly *a, const Poly *b);
/* p / by, bad unless exact. */
Poly poly_divide(const Poly *p, int64_t by);
/* p with q for sym. */
Poly poly_replace(const Poly *p, int sym, const Poly *q);
/* p with the twin of each symbol that is an iteration's own. */
Poly poly_twin(const Poly *p);
/* What sym is multiplied by: the terms that hold it, one power of it taken away. */
Poly poly_quotient(const Poly *p, int sym);
/* p by the largest number that divides all its coefficients. */
Poly poly_reduce(const Poly *p);
bool poly_is_constant(const Poly *p, int64_t *value);
bool poly_has(const Poly *p, int sym);

#endif
