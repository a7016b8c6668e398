/* Private to hop/: the rules of rewrites.def, how they are tried and how the best plan is chosen.
 */
#ifndef HOP_REWRITE_H
#define HOP_REWRITE_H

#include "hop/pattern.h"

/* ---- rules (match.c) ---- */

/* A rule tried at a node. */
typedef struct Match {
    Ctx *ctx;
    Unit *unit;
    Dag *dag;
    int row;
    const Rule *rule;
    bool once; /* inner nodes may have no other consumer, unless the rule says `shared` */
    Hop *root; /* the node that the rule would replace */
    Hop *vars[PATTERN_LETTERS];   /* empty but while a rule is tried: a Match serves for many */
    int classes[PATTERN_CLASSES]; /* operator + 1; 0 none yet; likewise */
    /* Called for each way in which the rule applies; true ends the search. */
    bool (*found)(struct Match *m, Hop *replacement);
    void *user;
} Match;

/* The next member of the ring of nodes that have the same value. */
static inline Hop *next_same(const Hop *h)
{
    return h->same ? h->same : (Hop *)(uintptr_t)h;
}
bool same_value(const Hop *a, const Hop *b); /* one ring */

/* All ways in which m->rule applies at a node; true when `found` ended the search. */
bool rule_try(Match *m, Hop *root);
PredicateFn rule_predicate(const char *name, size_t size);

/* ---- the rules of a unit (ruleset.c) ---- */

/* Must have run before the others. */
ml_status rules_prepare(Ctx *ctx, Unit *unit);
void rules_free(Unit *unit);
/* Entries of the rules whose root may be this node, in the order of the table: the one after
 * `entry` (-1: the first), -1 at the end; and its row. */
int rules_next(const Unit *unit, const Hop *h, int entry);
int rules_row(const Unit *unit, int entry);
/* The row read as patterns. */
ml_status rules_get(Ctx *ctx, Unit *unit, int row, const Rule **out);

/* ---- rules that patterns cannot say (rules.c) ---- */

#define ML_REWRITE(id, ...)
#define ML_REWRITE_FN(id, ...) Hop *rw_##id(RewriteCall *c, Hop *h);
#include "hop/rewrites.def"
#undef ML_REWRITE
#undef ML_REWRITE_FN

/* ---- nodes (rewrite.c) ---- */

/* The operator over in[] with its type and size inferred. */
Hop *hop_make(Ctx *ctx, Unit *unit, Dag *dag, int op, Hop **in, int nin, Span span);
/* The cheapest plan that the rules with a choice can reach (choose.c). */
ml_status dag_choose(Ctx *ctx, Unit *unit, Dag *dag);

#endif
