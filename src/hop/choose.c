/* The cheapest of the equal forms that a DAG has.
 *
 * Rules that offer a choice do not replace: each adds a node to the ring of nodes that have the
 * same value, so no rule can spoil another's pattern and their order does not matter (equality
 * saturation, Tate et al., POPL 2009, bounded).  Then the cheapest member of each ring is taken, a
 * shared node's cost divided among its consumers.  As that misjudges what is shared once some
 * consumers take other forms, members are then exchanged one by one as long as the whole plan gets
 * cheaper.  If it is not cheaper than what was there, nothing changes.
 *
 * Requires: sizes inferred, uses counted.  Keeps: the values and the order of roots.  Cost: at most
 * ROUNDS visits of each node, and no more than GROWTH new nodes for each old one. */
#include "hop/rewrite.h"

#include <math.h>

enum {
    ROUNDS = 3,
    GROWTH = 4,
    GROWTH_LEAST = 64,
    RING_MAX = 12,
    EXCHANGE_STEPS = 100000 /* nodes visited, at most */
};
#define EXCHANGE_GAIN 1e-6 /* of the cost: less is rounding */

typedef struct Choice {
    double cost; /* of the cheapest form with all that it needs, shared inputs in part */
    Hop *best;   /* the member taken; NULL: not known yet */
    bool open;   /* being computed: a form that needs itself is no form */
    int seen;    /* the last sum of a whole plan that it was in */
    Hop *made;   /* in the new DAG */
} Choice;

typedef struct Chooser {
    Ctx *ctx;
    Unit *unit;
    Dag *dag, *out;
    int limit;       /* of nodes */
    bool grew;       /* a ring did in this round */
    bool any;        /* or in one before */
    Choice *choices; /* by id of the ring's first node */
    int sums;        /* of whole plans so far */
} Chooser;

/* ---- rings ---- */

static int ring_size(const Hop *h)
{
    int size = 1;

    for (const Hop *n = next_same(h); n != h; n = next_same(n))
        size++;
    return size;
}

/* Two rings become one. */
static void join_rings(Hop *a, Hop *b)
{
    Hop *after = next_same(a);

    a->same = next_same(b);
    b->same = after;
}

/* The member that stands for the ring: the oldest. */
static Hop *first_of(Hop *h)
{
    Hop *first = h;

    for (Hop *n = next_same(h); n != h; n = next_same(n))
        if (n->id < first->id)
            first = n;
    return first;
}

/* ---- saturation ---- */

static bool offer(Match *m, Hop *replacement)
{
    Chooser *c = m->user;

    if (ring_size(m->root) < RING_MAX && !same_value(m->root, replacement)) {
        join_rings(m->root, replacement);
        c->grew = c->any = true;
    }
    return c->dag->count >= c->limit;
}

static ml_status offer_all(Chooser *c, Hop *h)
{
    Match m = {.ctx = c->ctx, .unit = c->unit, .dag = c->dag, .found = offer, .user = c};

    c->dag->site = h->site;
    for (int e = rules_next(c->unit, h, -1); e >= 0; e = rules_next(c->unit, h, e)) {
        m.row = rules_row(c->unit, e);
        if (rewrite_table[m.row].fn || c->unit->rules_off[m.row])
            continue;
        TRY(rules_get(c->ctx, c->unit, m.row, &m.rule));
        rule_try(&m, h);
    }
    return ML_OK;
}

static ml_status saturate(Chooser *c)
{
    c->limit = GROWTH * c->dag->count + GROWTH_LEAST;
    c->grew = true;
    for (int round = 0; c->grew && round < ROUNDS; round++) {
        c->grew = false;
        for (int k = 0; k < c->dag->count && c->dag->count < c->limit; k++)
            TRY(offer_all(c, c->dag->nodes[k]));
    }
    return ML_OK;
}

/* ---- the cheapest form ---- */

static Choice *choice_of(Chooser *c, Hop *h)
{
    return &c->choices[first_of(h)->id];
}

static double form_cost(Chooser *c, const Hop *h);

static double ring_cost(Chooser *c, Hop *h)
{
    Choice *choice = choice_of(c, h);
    Hop *n = first_of(h);

    if (choice->open)
        return INFINITY;
    if (choice->best)
        return choice->cost;
    choice->open = true;
    choice->cost = INFINITY;
    choice->best = n;
    do {
        double cost = form_cost(c, n);

        if (cost < choice->cost) {
            choice->cost = cost;
            choice->best = n;
        }
        n = next_same(n);
    } while (n != first_of(h));
    choice->open = false;
    return choice->cost;
}

static double form_cost(Chooser *c, const Hop *h)
{
    double sum = h->kind == HOP_OP ? h->seconds : 0;

    for (int k = 0; k < h->nin; k++)
        if (h->in[k]) {
            Hop *first = first_of(h->in[k]);

            sum += ring_cost(c, first) / (first->uses > 1 ? first->uses : 1);
        }
    return sum;
}

static double rest_cost(Chooser *c, Hop *h)
{
    Choice *choice = choice_of(c, h);
    const Hop *n = choice->best;
    double sum;

    if (choice->open || !n)
        return INFINITY;
    if (choice->seen == c->sums)
        return 0;
    choice->seen = c->sums;
    choice->open = true;
    sum = n->kind == HOP_OP ? n->seconds : 0;
    for (int k = 0; k < n->nin; k++)
        if (n->in[k])
            sum += rest_cost(c, n->in[k]);
    choice->open = false;
    return sum;
}

/* Of the plan with the forms chosen, each node once. */
static double plan_cost(Chooser *c)
{
    double sum = 0;

    c->sums++;
    for (int k = 0; k < c->dag->nroots; k++)
        sum += rest_cost(c, c->dag->roots[k].hop);
    return sum;
}

/* Take the member of a ring that makes the plan cheapest. */
static void exchange(Chooser *c, Hop *first, double *cost)
{
    Choice *choice = &c->choices[first->id];
    Hop *best = choice->best, *n = first;

    do {
        choice->best = n;
        if (n != best) {
            const double other = plan_cost(c);

            if (other < *cost * (1 - EXCHANGE_GAIN)) {
                *cost = other;
                best = n;
            }
        }
        n = next_same(n);
    } while (n != first);
    choice->best = best;
}

static void exchange_all(Chooser *c, double *cost)
{
    double before;
    int steps = 0;

    do {
        before = *cost;
        for (int k = 0; k < c->dag->count && steps < EXCHANGE_STEPS; k++) {
            Hop *h = c->dag->nodes[k];

            if (h->same && first_of(h) == h && c->choices[k].best) {
                exchange(c, h, cost);
                steps += c->dag->count;
            }
        }
    } while (*cost < before);
}

/* Cost of the plan as written: each ring's first node. */
static double written_cost(Chooser *c)
{
    double cost;

    for (int k = 0; k < c->dag->count; k++)
        c->choices[k].best = c->dag->nodes[k];
    cost = plan_cost(c);
    for (int k = 0; k < c->dag->count; k++)
        c->choices[k].best = NULL;
    return cost;
}

/* The rules that led to a form, each with the node that it was tried at. */
static void count_rules(Chooser *c, const Hop *form, Hop *made)
{
    for (int steps = 0; form->rule && form->instead && steps < RING_MAX; steps++) {
        rule_fired(c->unit, c->out->arena, form->rule - 1, form->instead, made, true);
        form = form->instead;
    }
}

static Hop *make(Chooser *c, Hop **map, Hop *h)
{
    Choice *choice = choice_of(c, h);
    Hop *best = choice->best;

    if (choice->made)
        return choice->made;
    for (int k = 0; k < best->nin; k++)
        if (best->in[k]) {
            map[best->in[k]->id] = make(c, map, best->in[k]);
            if (!map[best->in[k]->id])
                return NULL;
        }
    choice->made = hop_remake(c->ctx, c->unit, c->out, best, map);
    if (choice->made && best != first_of(h)) {
        count_rules(c, best, choice->made);
        if (first_of(h)->why) /* why the node is there counts more than its form */
            choice->made->why = first_of(h)->why;
        if (!choice->made->variable && choice->made->kind == HOP_OP)
            choice->made->variable = first_of(h)->variable;
    }
    return choice->made;
}

static ml_status make_plan(Chooser *c)
{
    Hop **map = mem_calloc((size_t)c->dag->count + 1, sizeof(Hop *));
    ml_status st = map ? ML_OK : fail_memory(c->ctx, sizeof *map);

    for (int k = 0; st == ML_OK && k < c->dag->nroots; k++) {
        Hop *h = make(c, map, c->dag->roots[k].hop);

        if (!h || !dag_root(c->out, h, c->dag->roots[k].slot))
            st = fail_memory(c->ctx, sizeof *h);
    }
    mem_free(map);
    return st;
}

static ml_status choose(Chooser *c)
{
    const double written = written_cost(c);
    double cost;

    for (int k = 0; k < c->dag->nroots; k++)
        ring_cost(c, c->dag->roots[k].hop);
    cost = plan_cost(c);
    exchange_all(c, &cost);
    if (cost >= written)
        return ML_OK;
    TRY(make_plan(c));
    *c->dag = *c->out;
    return ML_OK;
}

ml_status dag_choose(Ctx *ctx, Unit *unit, Dag *dag)
{
    Chooser c = {.ctx = ctx, .unit = unit, .dag = dag};
    ml_status st;

    TRY(saturate(&c));
    if (!c.any)
        return ML_OK;
    c.out = dag_new(dag->arena);
    c.choices = mem_calloc((size_t)dag->count + 1, sizeof *c.choices);
    st = c.out && c.choices ? choose(&c) : fail_memory(ctx, sizeof *c.choices);
    mem_free(c.choices);
    return st;
}
