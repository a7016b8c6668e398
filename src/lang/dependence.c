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
 *   - counting: small loops are run through (count.c).  This finds the pair of iterations that
 * makes a dependence certain, and settles what the other tests leave open.
 *
 * Sources: Banerjee, Dependence Analysis for Supercomputing, 1988; Goff, Kennedy and Tseng,
 * Practical Dependence Testing, PLDI 1991; Allen and Kennedy, Optimizing Compilers for Modern
 * Architectures, 2001, chapter 3. */
#include "lang/dependence.h"
#include "lang/count.h"

enum { PROOF_STEPS = 2000, COUNT_STEPS = 4000, OWN_MAX = COUNT_SYMBOLS / 2 };

/* An access in one of the two iterations. */
typedef struct Side {
    Range dim[2];
    bool twin;              /* in terms of the other iteration */
    int own[OWN_MAX], nown; /* the symbols of an iteration that matter, the even ones */
} Side;

typedef struct Pair {
    Subscripts *x;
    Side a, b;
    bool all[2]; /* dimensions in which they overlap unless one is empty */
    DependenceBudget *budget;
} Pair;

/* ---- which symbols matter ---- */

static bool matters(const Side *side, int sym)
{
    for (int k = 0; k < side->nown; k++)
        if (side->own[k] == sym)
            return true;
    return false;
}

static void add_symbol(Side *side, int sym)
{
    if (!matters(side, sym) && side->nown < OWN_MAX)
        side->own[side->nown++] = sym;
}

static void add_symbols(Side *side, const Poly *of)
{
    for (int k = 0; k < of->count; k++)
        for (int i = 0; i < POLY_DEGREE; i++)
            if (of->terms[k].sym[i] > 0)
                add_symbol(side, of->terms[k].sym[i]);
}

/* What the access is about: its subscripts, the loops that may not run, and what is known of these.
 * Facts come after those about earlier symbols, so one pass backwards finds all. */
static void find_symbols(const Subscripts *x, Side *side, const Access *access)
{
    add_symbol(side, SYM_ITERATION);
    for (int d = 0; d < 2; d++) {
        add_symbols(side, &access->dim[d].lo);
        add_symbols(side, &access->dim[d].hi);
    }
    for (int sym = access->inner; sym != 0; sym = symbols_find(x, sym)->outer)
        if (symbols_find(x, sym)->unsure)
            add_symbol(side, sym);
    for (int k = x->facts.items.count - 1; k >= 0; k--)
        if (matters(side, x->owners.items[k]))
            add_symbols(side, &x->facts.items.items[k]);
}

/* What was said of one iteration, said of the side's. */
static Poly of_side(const Side *side, const Poly *p)
{
    return side->twin ? poly_twin(p) : *p;
}

static Side side_of(const Subscripts *x, const Access *access, bool twin)
{
    Side side = {.twin = twin};

    find_symbols(x, &side, access);
    for (int d = 0; d < 2; d++) {
        const Range *r = &access->dim[d];

        side.dim[d] = (Range){r->all, of_side(&side, &r->lo), of_side(&side, &r->hi)};
    }
    return side;
}

/* ---- facts of a pair ---- */

typedef struct Direction {
    int sym;    /* SYM_ITERATION or SYM_OTHER: the later of the two ... */
    Poly value; /* ... is the earlier one and the distance */
} Direction;

static Direction direction(bool forward)
{
    const Poly d = poly_symbol(POLY_DISTANCE),
               earlier = poly_symbol(forward ? SYM_ITERATION : SYM_OTHER);

    return (Direction){forward ? SYM_OTHER : SYM_ITERATION, poly_add(&earlier, &d, 1)};
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
        bool extreme = sym < 0 || (sym > 0 && !symbols_find(p->x, sym)->counts);
        int64_t c = extreme ? coefficient(fact, sym) : 0;

        if (c != 0 && coefficient(width, sym) == -c)
            return poly_add(width, fact, 1);
    }
    return poly_bad();
}

/* A range that is touched has hi >= lo.  An empty one meets nothing. */
static void add_width(Pair *p, Facts *facts, const Direction *way, const Side *side, int d)
{
    const Range *range = &side->dim[d];
    const Subscripts *x = p->x;
    Poly width = poly_add(&range->hi, &range->lo, -1), other;

    if (range->all || width.bad || width.count == 0)
        return;
    add_fact(p, facts, way, &width);
    for (int k = 0; k < x->facts.items.count; k++) {
        Poly fact;

        if (x->owners.items[k] != 0 && !matters(side, x->owners.items[k]))
            continue;
        fact = of_side(side, &x->facts.items.items[k]);
        other = without_extreme(p, &width, &fact);
        if (!other.bad)
            add_fact(p, facts, way, &other);
    }
}

/* Two iterations are no further apart than the first and the last. */
static void add_distance(Pair *p, Facts *facts, const Direction *way)
{
    const Poly d = poly_symbol(POLY_DISTANCE), one = poly_constant(1);
    Poly apart = poly_add(&d, &one, -1), left = symbols_find(p->x, SYM_ITERATION)->left;

    add_fact(p, facts, way, &apart);
    left = poly_replace(&left, SYM_ITERATION, &d);
    add_fact(p, facts, way, &left);
}

/* What is known of one side. */
static void add_side(Pair *p, Facts *facts, const Direction *way, const Side *side)
{
    const Subscripts *x = p->x;

    for (int k = 0; k < x->facts.items.count; k++) {
        Poly fact;

        if (x->owners.items[k] == 0 || !matters(side, x->owners.items[k]))
            continue;
        fact = of_side(side, &x->facts.items.items[k]);
        add_fact(p, facts, way, &fact);
    }
    for (int d = 0; d < 2; d++)
        add_width(p, facts, way, side, d);
}

/* All that is known when the iterations are in the given order. */
static void collect_facts(Pair *p, Facts *facts, const Direction *way)
{
    add_distance(p, facts, way);
    for (int k = 0; k < p->x->facts.items.count; k++)
        if (p->x->owners.items[k] == 0)
            add_fact(p, facts, way, &p->x->facts.items.items[k]);
    add_side(p, facts, way, &p->a);
    add_side(p, facts, way, &p->b);
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
        apart = !p->all[d] && (ends_before(&facts, &way, &p->a.dim[d], &p->b.dim[d]) ||
                               ends_before(&facts, &way, &p->b.dim[d], &p->a.dim[d]));
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
    const Range *first = &p->a.dim[d], *second = &p->b.dim[d];
    Poly wide_a = poly_add(&first->hi, &first->lo, -1);
    Poly wide_b = poly_add(&second->hi, &second->lo, -1);
    Poly gap = poly_add(&second->lo, &first->lo, -1);
    int64_t a, b, g = 0, c = 0;

    if (!poly_is_constant(&wide_a, &a) || !poly_is_constant(&wide_b, &b) || gap.bad ||
        !symbols_are_integers(p->x, &gap))
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

static void add_order(Count *s, const Poly *low, const Poly *high)
{
    s->condition[s->nconditions++] = poly_add(high, low, -1);
}

/* Ranges that overlap: none is empty, and each begins before the other ends. */
static void add_conditions(Count *s, const Pair *p, int d)
{
    const Range *a = &p->a.dim[d], *b = &p->b.dim[d];

    if (!a->all)
        add_order(s, &a->lo, &a->hi);
    if (!b->all)
        add_order(s, &b->lo, &b->hi);
    if (p->all[d])
        return;
    add_order(s, &a->lo, &b->hi);
    add_order(s, &b->lo, &a->hi);
}

static void count_side(Count *s, const Side *side)
{
    for (int k = 0; k < side->nown; k++)
        if (symbols_find(s->x, side->own[k])->counts)
            s->sym[s->nsym++] = side->own[k] + side->twin;
}

static Verdict count_pairs(Pair *p)
{
    int steps = p->budget->counts < COUNT_STEPS ? p->budget->counts : COUNT_STEPS;
    Count s = {.x = p->x, .steps = steps};
    bool found;

    for (int d = 0; d < 2; d++)
        add_conditions(&s, p, d);
    count_side(&s, &p->a);
    count_side(&s, &p->b);
    found = count_meeting(&s);
    p->budget->counts -= steps - (s.steps > 0 ? s.steps : 0);
    return found ? DEPENDENT : s.all ? INDEPENDENT : UNDECIDABLE;
}

/* ---- at a glance ---- */

static int latest_own(const Poly *p)
{
    int latest = 0;

    for (int k = 0; k < p->count; k++) /* symbols of a term descend */
        latest = p->terms[k].sym[0] > latest ? p->terms[k].sym[0] : latest;
    return latest;
}

/* No symbol after `latest` is in p: with 0, none of an iteration's own. */
static bool holds_up_to(const Poly *p, int latest)
{
    return !p->bad && latest_own(p) <= latest;
}

/* The same point in both, which moves with the iteration and with no loop inside. */
static bool moves(const Range *a, const Range *b)
{
    const Poly gap = poly_add(&a->lo, &b->lo, -1), width = poly_add(&a->hi, &a->lo, -1);
    const Poly other = poly_add(&b->hi, &b->lo, -1);

    return !gap.bad && !width.bad && !other.bad && gap.count + width.count + other.count == 0 &&
           holds_up_to(&a->lo, SYM_ITERATION) && coefficient(&a->lo, SYM_ITERATION) != 0;
}

/* Neither range moves, and they are a known distance apart. */
static bool differ(const Range *a, const Range *b)
{
    const Poly gap = poly_add(&b->lo, &a->hi, -1), back = poly_add(&a->lo, &b->hi, -1);
    int64_t value;

    return holds_up_to(&a->lo, 0) && holds_up_to(&a->hi, 0) && holds_up_to(&b->lo, 0) &&
           holds_up_to(&b->hi, 0) &&
           ((poly_is_constant(&gap, &value) && value > 0) ||
            (poly_is_constant(&back, &value) && value > 0));
}

/* Most pairs are of this kind: strong SIV with distance 0, or ZIV. */
static bool apart_at_a_glance(const Access *a, const Access *b)
{
    for (int d = 0; d < 2; d++) {
        const Range *r = &a->dim[d], *q = &b->dim[d];

        if (!r->all && !q->all && (moves(r, q) || differ(r, q)))
            return true;
    }
    return false;
}

/* ---- a pair ---- */

Verdict dependence_test(Subscripts *x, const Access *a, const Access *b, DependenceBudget *budget)
{
    Pair p = {.x = x, .budget = budget};

    if (x->empty)
        return INDEPENDENT;
    if (a->whole || b->whole)
        return DEPENDENT;
    if (apart_at_a_glance(a, b))
        return INDEPENDENT;
    if (--budget->pairs < 0)
        return UNDECIDABLE;
    p.a = side_of(x, a, false);
    p.b = side_of(x, b, true);
    for (int d = 0; d < 2; d++)
        p.all[d] = p.a.dim[d].all || p.b.dim[d].all;
    if (p.a.nown == OWN_MAX || p.b.nown == OWN_MAX)
        return UNDECIDABLE;
    if (apart_in(&p, true) && apart_in(&p, false))
        return INDEPENDENT;
    for (int d = 0; d < 2; d++)
        if (!p.all[d] && no_multiple(&p, d))
            return INDEPENDENT;
    return count_pairs(&p);
}
