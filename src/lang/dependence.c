/* Dependence tests: two accesses against each other, in two iterations of one parfor.
 *
 * They meet only if their ranges overlap in every dimension, so one dimension in which they do not
 * is enough.  What is tried, in this order:
 *
 *   - order: that one range ends before the other begins, for either order of the two iterations,
 * as an inequality between polynomials (prove.c).  With numbers these are Banerjee's bounds with
 *     direction vectors and the strong, weak-zero and weak-crossing tests of single subscripts;
 * with symbols, as for blocks of k rows, they are the symbolic differences of Allen and
 * Kennedy, 3.3.
 *   - divisors: the GCD test, widened to ranges of constant width;
 *   - counting: small loops are run through.  This finds the pair of iterations that makes a
 *     dependence certain, and settles what the other tests leave open.
 *
 * Sources: Banerjee, Dependence Analysis for Supercomputing, 1988; Goff, Kennedy and Tseng,
 * Practical Dependence Testing, PLDI 1991; Allen and Kennedy, Optimizing Compilers for Modern
 * Architectures, 2001, chapter 3. */
#include "lang/dependence.h"

enum {
    ITERATION = 2, /* the symbol that counts the parfor's iterations */
    OTHER = 3,     /* its twin */
    PROOF_STEPS = 2000,
    COUNT_STEPS = 4000,
    COUNT_BLIND = 12, /* iterations tried of a loop whose length is not known */
    OWN_MAX = 32
};

/* Two accesses; b in terms of the other iteration. */
typedef struct Pair {
    Subscripts *x;
    Range a[2], b[2];
    bool all[2];            /* dimensions in which they surely overlap */
    int own[OWN_MAX], nown; /* symbols of an iteration that matter */
    DependenceBudget *budget;
} Pair;

/* ---- which symbols matter ---- */

static bool matters(const Pair *p, int sym)
{
    for (int k = 0; k < p->nown; k++)
        if (p->own[k] == sym)
            return true;
    return false;
}

static void add_own(Pair *p, const Poly *of)
{
    for (int k = 0; k < of->count; k++)
        for (int i = 0; i < POLY_DEGREE; i++) {
            int sym = of->terms[k].sym[i];

            sym -= sym > 0 && sym % 2 == 1; /* a twin */
            if (sym > 0 && !matters(p, sym) && p->nown < OWN_MAX)
                p->own[p->nown++] = sym;
        }
}

static int latest_own(const Poly *p)
{
    int latest = 0;

    for (int k = 0; k < p->count; k++) /* symbols of a term descend */
        latest = p->terms[k].sym[0] > latest ? p->terms[k].sym[0] : latest;
    return latest;
}

/* Facts come after those about earlier symbols, so one pass backwards finds all that matter. */
static void find_own(Pair *p)
{
    const Poly t = poly_symbol(ITERATION);

    add_own(p, &t);
    for (int d = 0; d < 2; d++) {
        add_own(p, &p->a[d].lo);
        add_own(p, &p->a[d].hi);
        add_own(p, &p->b[d].lo);
        add_own(p, &p->b[d].hi);
    }
    for (int k = p->x->facts.items.count - 1; k >= 0; k--)
        if (matters(p, latest_own(&p->x->facts.items.items[k])))
            add_own(p, &p->x->facts.items.items[k]);
}

/* ---- facts of a pair ---- */

typedef struct Direction {
    int sym;    /* ITERATION or OTHER: the later of the two ... */
    Poly value; /* ... is the earlier one and the distance */
} Direction;

static Direction direction(bool forward)
{
    const Poly d = poly_symbol(POLY_DISTANCE), earlier = poly_symbol(forward ? ITERATION : OTHER);

    return (Direction){forward ? OTHER : ITERATION, poly_add(&earlier, &d, 1)};
}

static void add_fact(Pair *p, Facts *facts, const Direction *way, const Poly *fact)
{
    Poly put = poly_replace(fact, way->sym, &way->value);

    if (!put.bad && put.count > 0 && !VEC_PUSH(&facts->items, put))
        p->x->c->status = fail_memory(p->x->c->ctx, sizeof put);
}

/* The number that sym is multiplied by where it stands alone; 0 where it does not. */
static int64_t coefficient(const Poly *p, int sym)
{
    Poly factor = poly_quotient(p, sym);
    int64_t value;

    return poly_is_constant(&factor, &value) ? value : 0;
}

/* With hi = min(a, b) also a and b are not below lo: the sum of two facts without the symbol of the
 * minimum. */
static Poly without_extreme(const Pair *p, const Poly *width, const Poly *fact)
{
    for (int k = 0; k < fact->count; k++) {
        int sym = fact->terms[k].sym[0];
        bool extreme = sym < 0 || (sym > 0 && !subscripts_own(p->x, sym)->counts);
        int64_t c = extreme ? coefficient(fact, sym) : 0;

        if (c != 0 && coefficient(width, sym) == -c)
            return poly_add(width, fact, 1);
    }
    return poly_bad();
}

/* A range that is touched has hi >= lo.  An empty one meets nothing. */
static void add_width(Pair *p, Facts *facts, const Direction *way, const Range *range, bool twin)
{
    Poly width = poly_add(&range->hi, &range->lo, -1), other;

    if (range->all || width.bad || width.count == 0)
        return;
    add_fact(p, facts, way, &width);
    for (int k = 0; k < p->x->facts.items.count; k++) {
        const Poly *fact = &p->x->facts.items.items[k];
        Poly mine = twin ? poly_twin(fact) : *fact;

        other = without_extreme(p, &width, &mine);
        if (!other.bad)
            add_fact(p, facts, way, &other);
    }
}

/* All that is known when the iterations are in the given order. */
static void collect_facts(Pair *p, Facts *facts, const Direction *way)
{
    Poly apart = poly_symbol(POLY_DISTANCE), one = poly_constant(1), twin;

    apart = poly_add(&apart, &one, -1);
    add_fact(p, facts, way, &apart);
    for (int k = 0; k < p->x->facts.items.count; k++) {
        const Poly *fact = &p->x->facts.items.items[k];
        int latest = latest_own(fact);

        if (latest > 0 && !matters(p, latest))
            continue;
        add_fact(p, facts, way, fact);
        twin = poly_twin(fact);
        if (latest > 0)
            add_fact(p, facts, way, &twin);
    }
    for (int d = 0; d < 2; d++) {
        add_width(p, facts, way, &p->a[d], false);
        add_width(p, facts, way, &p->b[d], true);
    }
}

/* ---- order ---- */

/* Does one range end before the other begins? */
static bool ends_before(Facts *facts, const Direction *way, const Range *first, const Range *second)
{
    const Poly one = poly_constant(1);
    Poly gap = poly_add(&second->lo, &first->hi, -1);

    gap = poly_add(&gap, &one, -1);
    gap = poly_replace(&gap, way->sym, &way->value);
    return prove_not_negative(facts, &gap);
}

static bool apart_in(Pair *p, bool forward)
{
    const Direction way = direction(forward);
    int steps = p->budget->steps < PROOF_STEPS ? p->budget->steps : PROOF_STEPS;
    Facts facts = {.budget = steps};
    bool apart = false;

    collect_facts(p, &facts, &way);
    for (int d = 0; d < 2 && !apart && p->x->c->status == ML_OK; d++)
        apart = !p->all[d] && (ends_before(&facts, &way, &p->a[d], &p->b[d]) ||
                               ends_before(&facts, &way, &p->b[d], &p->a[d]));
    VEC_FREE(&facts.items);
    p->budget->steps -= steps - (facts.budget > 0 ? facts.budget : 0);
    return apart;
}

/* ---- divisors ---- */

static int64_t gcd(int64_t a, int64_t b)
{
    return b == 0 ? (a < 0 ? -a : a) : gcd(b, a % b);
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* lo' - lo is a multiple of g and a constant.  The ranges overlap where it lies between minus the
 * width of b and the width of a. */
static bool no_multiple(const Pair *p, int d)
{
    Poly wide_a = poly_add(&p->a[d].hi, &p->a[d].lo, -1);
    Poly wide_b = poly_add(&p->b[d].hi, &p->b[d].lo, -1);
    Poly gap = poly_add(&p->b[d].lo, &p->a[d].lo, -1);
    int64_t a, b, g = 0, c = 0;

    if (!poly_is_constant(&wide_a, &a) || !poly_is_constant(&wide_b, &b) || gap.bad ||
        !subscripts_is_integer(p->x, &gap))
        return false;
    for (int k = 0; k < gap.count; k++)
        if (gap.terms[k].sym[0] == 0)
            c = gap.terms[k].coef;
        else
            g = gcd(g, gap.terms[k].coef);
    if (g == 0)
        return c > a || c < -b;
    return floor_divide(a - c, g) * g < -b - c;
}

/* ---- counting ---- */

typedef struct Search {
    const Pair *p;
    int sym[2 * OWN_MAX],
        nsym; /* in ascending order: what a loop's length depends on comes first */
    int64_t value[2 * OWN_MAX];
    int steps;
    bool all; /* nothing was left out */
} Search;

static void sort_symbols(Search *s)
{
    for (int k = 1; k < s->nsym; k++)
        for (int i = k; i > 0 && s->sym[i] < s->sym[i - 1]; i--) {
            int swap = s->sym[i];

            s->sym[i] = s->sym[i - 1];
            s->sym[i - 1] = swap;
        }
}

/* p where the first `known` symbols have their values. */
static Poly at_values(const Search *s, Poly p, int known)
{
    for (int k = 0; k < known; k++) {
        Poly value = poly_constant(s->value[k]);

        p = poly_replace(&p, s->sym[k], &value);
    }
    return p;
}

/* Do the ranges overlap in dimension d?  -1 when that takes more than the values. */
static int overlap(const Search *s, int d)
{
    Poly before = poly_add(&s->p->a[d].lo, &s->p->b[d].hi, -1);
    Poly behind = poly_add(&s->p->b[d].lo, &s->p->a[d].hi, -1);
    int64_t x, y;

    before = at_values(s, before, s->nsym);
    behind = at_values(s, behind, s->nsym);
    if (!poly_is_constant(&before, &x) || !poly_is_constant(&behind, &y))
        return -1;
    return x <= 0 && y <= 0;
}

static bool meet_here(Search *s)
{
    bool meet = true, sure = false, known = true;

    for (int d = 0; d < 2; d++) {
        int here = s->p->all[d] ? 1 : overlap(s, d);

        meet &= here == 1;
        sure |= here == 0;
        known &= here >= 0;
    }
    s->all &= known || sure;
    return meet;
}

/* The last value to try of symbol k. */
static int64_t last_value(Search *s, int k)
{
    const Symbol *symbol = subscripts_own(s->p->x, s->sym[k]);
    Poly last = s->sym[k] % 2 == 1 ? poly_twin(&symbol->last) : symbol->last;
    int64_t value;

    last = at_values(s, last, k);
    if (poly_is_constant(&last, &value))
        return value;
    s->all = false;
    return COUNT_BLIND - 1;
}

/* Is there a pair of iterations that meets, with the first k symbols as they are? */
static bool search(Search *s, int k)
{
    int64_t last;

    if (k == s->nsym)
        return meet_here(s);
    last = last_value(s, k);
    for (int64_t v = 0; v <= last; v++) {
        if (k > 0 && s->sym[k] == OTHER && v == s->value[k - 1])
            continue;
        if (--s->steps < 0) {
            s->all = false;
            return false;
        }
        s->value[k] = v;
        if (search(s, k + 1))
            return true;
    }
    return false;
}

static Verdict count_pairs(Pair *p)
{
    int steps = p->budget->counts < COUNT_STEPS ? p->budget->counts : COUNT_STEPS;
    Search s = {.p = p, .steps = steps, .all = p->nown < OWN_MAX};
    bool found;

    for (int k = 0; k < p->nown; k++) {
        if (!subscripts_own(p->x, p->own[k])->counts)
            continue;
        s.sym[s.nsym++] = p->own[k];
        s.sym[s.nsym++] = p->own[k] + 1;
    }
    sort_symbols(&s);
    found = search(&s, 0);
    p->budget->counts -= steps - (s.steps > 0 ? s.steps : 0);
    return found ? DEPENDENT : s.all ? INDEPENDENT : UNDECIDABLE;
}

/* ---- a pair ---- */

static Range other_iteration(const Range *range)
{
    return (Range){range->all, poly_twin(&range->lo), poly_twin(&range->hi)};
}

Verdict dependence_test(Subscripts *x, const Access *a, const Access *b, DependenceBudget *budget)
{
    Pair p = {.x = x, .budget = budget};
    bool any = false;

    if (x->empty)
        return INDEPENDENT;
    if (a->whole || b->whole)
        return DEPENDENT;
    for (int d = 0; d < 2; d++) {
        p.a[d] = a->dim[d];
        p.b[d] = other_iteration(&b->dim[d]);
        p.all[d] = p.a[d].all || p.b[d].all;
        any |= !p.all[d];
    }
    if (!any)
        return DEPENDENT;
    if (--budget->pairs < 0)
        return UNDECIDABLE;
    find_own(&p);
    if (p.nown < OWN_MAX && apart_in(&p, true) && apart_in(&p, false))
        return INDEPENDENT;
    for (int d = 0; d < 2; d++)
        if (!p.all[d] && no_multiple(&p, d))
            return INDEPENDENT;
    return count_pairs(&p);
}
