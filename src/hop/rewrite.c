/* The rewrite engine: a DAG is rebuilt bottom-up, and every new node is offered to the simplifying
 * rules until none matches; the rules that offer a choice follow in choose.c. Requires: types and
 * sizes inferred.  Keeps: hash-consing, the order of roots.  Breaks: nothing; dead nodes are
 * dropped. Cost: one visit a node times the rules that may match it. */
#include "hop/rewrite.h"
#include "hop/tree.h"

#include <string.h>

#define ML_REWRITE(id, root, step, from, to, when, text)                                           \
    {.name = #id,                                                                                  \
     .stage = REWRITE_##step,                                                                      \
     .on = root,                                                                                   \
     .pattern = from,                                                                              \
     .replacement = to,                                                                            \
     .conditions = when,                                                                           \
     .doc = text},
#define ML_REWRITE_FN(id, root, step, text)                                                        \
    {.name = #id, .stage = REWRITE_##step, .on = root, .fn = rw_##id, .doc = text},
const RewriteInfo rewrite_table[] = {
#include "hop/rewrites.def"
};
#undef ML_REWRITE
#undef ML_REWRITE_FN
const int rewrite_count = sizeof rewrite_table / sizeof *rewrite_table;
_Static_assert(sizeof rewrite_table / sizeof *rewrite_table <= REWRITES_MAX,
               "all rows are counted");

enum { ROUNDS_MAX = 16 };

/* ---- nodes ---- */

Hop *hop_make(Ctx *ctx, Unit *unit, Dag *dag, int op, Hop **in, int nin, Span span)
{
    Hop *h = hop_op(ctx, unit, dag, op, in, NULL, nin, span);

    if (h && h->kind == HOP_OP && h->dt == DT_NONE)
        hop_infer(ctx, h);
    return h;
}

/* ---- uses: consumers of a node, roots included, among the nodes that are alive ---- */

/* A node made by a rule is alive: so are its inputs. */
static void adopt(Hop *h)
{
    if (h->counted)
        return;
    h->counted = true;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k]) {
            h->in[k]->uses++;
            adopt(h->in[k]);
        }
}

/* Nobody needs the node any more. */
static void release(Hop *h)
{
    if (!h->counted)
        return;
    h->counted = false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k]) {
            h->in[k]->uses--;
            if (h->in[k]->uses == 0)
                release(h->in[k]);
        }
}

static void replace(Hop *h, Hop *better)
{
    adopt(better);
    better->uses += h->uses;
    if (!better->variable && better->kind == HOP_OP)
        better->variable = h->variable;
    h->uses = 0;
    release(h);
}

/* ---- rules at a node ---- */

typedef struct Rebuild {
    RewriteCall call;
    bool rules;
    Dag *out;
    Hop **map; /* by old id */
    Match match;
} Rebuild;

static bool take_first(Match *m, Hop *replacement)
{
    m->user = replacement;
    return true;
}

static ml_status try_row(Rebuild *r, int row, Hop *h, Hop **better)
{
    Match *m = &r->match;

    if (rewrite_table[row].fn) {
        *better = rewrite_table[row].fn(&r->call, h);
        return ML_OK;
    }
    m->row = row;
    TRY(rules_get(r->call.ctx, r->call.unit, row, &m->rule));
    *better = rule_try(m, h) ? m->user : NULL;
    return ML_OK;
}

static ml_status apply_rules(Rebuild *r, Hop **node)
{
    Unit *unit = r->call.unit;
    int rounds = 0;

    for (int e = rules_next(unit, *node, -1); e >= 0; e = rules_next(unit, *node, e)) {
        const int row = rules_row(unit, e), made = r->out->count;
        Hop *better = NULL;

        if (rewrite_table[row].stage != REWRITE_SIMPLIFY || unit->rules_off[row])
            continue;
        TRY(try_row(r, row, *node, &better));
        if (!better || better == *node || rounds++ >= ROUNDS_MAX)
            continue;
        rule_fired(unit, r->out->arena, row, *node, better, better->id >= made);
        replace(*node, better);
        *node = better;
        e = -1;
    }
    return ML_OK;
}

/* ---- rebuilding ---- */

/* How often each live node is an input or a root. */
static void count_uses(const Dag *dag)
{
    for (int k = 0; k < dag->count; k++)
        dag->nodes[k]->uses = 0;
    for (int k = 0; k < dag->nroots; k++)
        dag->roots[k].hop->uses++;
    for (int k = dag->count - 1; k >= 0; k--)
        for (int j = 0; dag->nodes[k]->uses && j < dag->nodes[k]->nin; j++)
            if (dag->nodes[k]->in[j])
                dag->nodes[k]->in[j]->uses++;
}

/* The first root that needs each node as an input, by id; -1 none. */
static void note_needs(const Hop *h, int root, int *first)
{
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && first[h->in[k]->id] < 0) {
            first[h->in[k]->id] = root;
            note_needs(h->in[k], root, first);
        }
}

static bool effect_between(const Dag *dag, int after, int before)
{
    for (int k = after + 1; k < before; k++)
        if (hop_has_effect(dag->roots[k].hop))
            return true;
    return false;
}

/* Take the uses by a node without uses from its inputs; true when nothing that loses all of them
 * can fail. */
static bool give_up(Hop *h)
{
    bool total = hop_is_total(h);

    if (!total)
        return false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && --h->in[k]->uses == 0)
            total &= give_up(h->in[k]);
    return total;
}

static void take_back(Hop *h)
{
    if (!hop_is_total(h))
        return;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k]) {
            if (h->in[k]->uses == 0)
                take_back(h->in[k]);
            h->in[k]->uses++;
        }
}

/* Nobody needs the value of a dead variable, and its evaluation shows no error. */
static bool is_idle(const Root *root)
{
    bool idle;

    if (root->hop->uses > 1)
        return false;
    idle = give_up(root->hop);
    if (!idle)
        take_back(root->hop);
    return idle;
}

ml_status dag_drop_names(Ctx *ctx, Dag *dag, const uint64_t *live_out)
{
    int *first = mem_alloc(((size_t)dag->count + 1) * sizeof *first), kept = 0;

    if (!first)
        return fail_memory(ctx, sizeof *first);
    for (int k = 0; k < dag->count; k++)
        first[k] = -1;
    for (int k = 0; k < dag->nroots; k++)
        note_needs(dag->roots[k].hop, k, first);
    count_uses(dag);
    for (int k = 0; k < dag->nroots; k++) {
        const Root root = dag->roots[k];
        const int need = first[root.hop->id];
        const bool dead = root.slot >= 0 && !slot_in(live_out, root.slot);

        if (!dead || (need < 0 ? !is_idle(&root) : effect_between(dag, k, need)))
            dag->roots[kept++] = root;
        else
            root.hop->uses--;
    }
    dag->nroots = kept;
    mem_free(first);
    return ML_OK;
}

/* The uses of the old node come to the new one.  If that existed, the old node's inputs have one
 * consumer less than was counted. */
static void inherit_uses(Hop *h, const Hop *old)
{
    if (h->counted)
        for (int k = 0; k < h->nin; k++)
            if (h->in[k])
                h->in[k]->uses--;
    h->counted = true;
    h->uses += old->uses;
}

static ml_status rebuild(Rebuild *r, const Dag *dag)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *old = dag->nodes[k];

        if (!old->uses)
            continue;
        r->map[k] = hop_remake(r->call.ctx, r->call.unit, r->out, old, r->map);
        if (!r->map[k])
            return fail_memory(r->call.ctx, sizeof(Hop));
        inherit_uses(r->map[k], old);
        if (r->rules)
            TRY(apply_rules(r, &r->map[k]));
    }
    for (int k = 0; k < dag->nroots; k++)
        if (!dag_root(r->out, r->map[dag->roots[k].hop->id], dag->roots[k].slot))
            return fail_memory(r->call.ctx, sizeof(Root));
    return ML_OK;
}

/* One pass from `dag` into a new one that replaces it; without rules it drops dead nodes. */
static ml_status rebuild_into(Ctx *ctx, Unit *unit, Dag *dag, bool rules)
{
    Rebuild r = {.rules = rules};
    ml_status st;

    r.call = (RewriteCall){.ctx = ctx, .unit = unit};
    r.call.dag = r.out = dag_new(dag->arena);
    r.match = (Match){.ctx = ctx, .unit = unit, .dag = r.out, .once = true, .found = take_first};
    r.map = mem_calloc((size_t)dag->count + 1, sizeof *r.map);
    if (r.map && r.out) {
        count_uses(dag);
        st = rebuild(&r, dag);
    } else {
        st = fail_memory(ctx, sizeof *r.map);
    }
    if (st == ML_OK)
        *dag = *r.out;
    mem_free(r.map);
    return st;
}

/* Mostly there is nothing to drop. */
ml_status dag_compact(Ctx *ctx, Unit *unit, Dag *dag)
{
    count_uses(dag);
    for (int k = 0; k < dag->count; k++)
        if (!dag->nodes[k]->uses)
            return rebuild_into(ctx, unit, dag, false);
    return ML_OK;
}

ml_status dag_rewrite(Ctx *ctx, Unit *unit, Dag *dag, RewriteStage stage)
{
    if (!unit_does(unit, PASS_rewrites))
        return dag_compact(ctx, unit, dag);
    TRY(rules_prepare(ctx, unit));
    TRY(rebuild_into(ctx, unit, dag, true));
    if (stage >= REWRITE_CHOOSE) {
        count_uses(dag);
        TRY(dag_choose(ctx, unit, dag));
    }
    return dag_compact(ctx, unit, dag); /* nodes that rules made useless */
}
