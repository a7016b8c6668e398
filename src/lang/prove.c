/* Inequalities between polynomials, by elimination.
 *
 * To show p >= 0, a symbol v is eliminated from p = c v + r.  When c >= 0 can be shown, a fact
 * a v + g >= 0 with a number a > 0 gives a p >= a p - c (a v + g) = a r - c g, in which v has one
 * power less; when c <= 0, a fact with a < 0 does.  For numbers c this puts v at its extreme, which
 * is how Banerjee's inequalities are derived (Banerjee, Dependence Analysis for Supercomputing,
 * 1988; Allen and Kennedy, Optimizing Compilers for Modern Architectures, 3.3); bounds that hold
 * other symbols, as those of triangular loops, are substituted in turn.
 *
 * Symbols are eliminated from the inside out: those of inner loops first, the distance of two
 * iterations late, what is the same in all of them last.  A fact serves only the latest symbol in
 * it, so none comes back and every proof ends; a budget of steps ends it sooner. */
#include "lang/prove.h"

enum { PROVE_DEPTH = 12 };

static bool prove(Facts *facts, const Poly *p, int depth);

/* Later symbols stand for what depends on earlier ones. */
static int order(int sym)
{
    return sym > 0 ? INT32_MAX / 2 + sym : -sym;
}

static int first_to_eliminate(const Poly *p)
{
    int first = 0;

    for (int k = 0; k < p->count; k++)
        for (int i = 0; i < POLY_DEGREE; i++)
            if (p->terms[k].sym[i] != 0 && (first == 0 || order(p->terms[k].sym[i]) > order(first)))
                first = p->terms[k].sym[i];
    return first;
}

/* 1: c >= 0, -1: c <= 0, 0: not known. */
static int sign_of(Facts *facts, const Poly *c, int depth)
{
    const Poly zero = poly_constant(0);
    Poly negated;

    if (prove(facts, c, depth))
        return 1;
    negated = poly_add(&zero, c, -1);
    return prove(facts, &negated, depth) ? -1 : 0;
}

/* c: what v is multiplied by in p, of the sign given.  A fact that bounds v from that side lowers p
 * to what does not hold v. */
static bool prove_by_fact(Facts *facts, const Poly *p, const Poly *c, int sign, int v,
                          const Poly *fact, int depth)
{
    Poly a = poly_quotient(fact, v), product, lowered;
    const Poly zero = poly_constant(0);
    int64_t factor;

    if (first_to_eliminate(fact) != v || !poly_is_constant(&a, &factor) ||
        (factor > 0) != (sign > 0))
        return false;
    product = poly_times(c, fact);
    lowered = poly_add(&zero, p, factor < 0 ? -factor : factor);
    lowered = poly_add(&lowered, &product, -sign);
    lowered = poly_reduce(&lowered);
    return prove(facts, &lowered, depth);
}

static bool prove(Facts *facts, const Poly *p, int depth)
{
    int64_t value;
    int v, sign;
    Poly c;

    if (p->bad || --facts->budget < 0)
        return false;
    if (poly_is_constant(p, &value))
        return value >= 0;
    if (depth == 0)
        return false;
    v = first_to_eliminate(p);
    c = poly_quotient(p, v);
    sign = sign_of(facts, &c, depth - 1);
    for (int k = 0; sign != 0 && k < facts->items.count; k++)
        if (prove_by_fact(facts, p, &c, sign, v, &facts->items.items[k], depth - 1))
            return true;
    return false;
}

bool prove_not_negative(Facts *facts, const Poly *p)
{
    return prove(facts, p, PROVE_DEPTH);
}
