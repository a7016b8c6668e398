/* The rewrite engine: a DAG is rebuilt bottom-up, and every new node is offered to the rules of the
 * stage until none matches. Requires: types and sizes inferred.  Keeps: hash-consing, the order of
 * roots.  Breaks: nothing; dead nodes are dropped. Cost: one visit a node times the rules that may
 * match it. */
#include "hop/rewrite.h"

#include <string.h>

#define ML_REWRITE(id, stage, text, sample)                                                        \
    {.name = #id, .when = REWRITE_##stage, .fn = rw_##id, .doc = text, .example = sample},
const RewriteInfo rewrite_table[] = {
#include "hop/rewrites.def"
};
#undef ML_REWRITE
const int rewrite_count = sizeof rewrite_table / sizeof *rewrite_table;

typedef struct Rebuild {
    RewriteCall call;
    RewriteWhen stage;
    Dag *out;
    Hop **map; /* by old id */
} Rebuild;

static Hop *apply_rules(Rebuild *r, Hop *h)
{
    for (int k = 0, rounds = 0; h && k < rewrite_count; k++) {
        Hop *better;

        if (!(rewrite_table[k].when & r->stage) || r->call.unit->rules_off[k])
            continue;
        better = rewrite_table[k].fn(&r->call, h);
        if (better && better != h && rounds++ < 16) {
            r->call.unit->fired[k]++;
            better->uses += h->uses;
            better->product_uses += h->product_uses;
            h = better;
            k = -1;
        }
    }
    return h;
}

/* How often each live node is an input or a root, and how often the input of a matrix product. */
typedef struct Uses {
    int all, products;
} Uses;

static void count_uses(const Dag *dag, Uses *uses)
{
    for (int k = 0; k < dag->nroots; k++)
        uses[dag->roots[k].hop->id].all++;
    for (int k = dag->count - 1; k >= 0; k--)
        for (int j = 0; uses[k].all && j < dag->nodes[k]->nin; j++)
            if (dag->nodes[k]->in[j]) {
                Uses *u = &uses[dag->nodes[k]->in[j]->id];

                u->all++;
                u->products += hop_is_op(dag->nodes[k], OP_matmult);
            }
}

static ml_status rebuild(Rebuild *r, const Dag *dag, const Uses *uses)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *old = dag->nodes[k];

        if (!uses[k].all)
            continue;
        r->map[k] = hop_remake(r->call.ctx, r->call.unit, r->out, old, r->map);
        if (r->map[k]) {
            r->map[k]->uses += uses[k].all;
            r->map[k]->product_uses += uses[k].products;
            if (r->stage && unit_does(r->call.unit, PASS_rewrites))
                r->map[k] = apply_rules(r, r->map[k]);
        }
        if (!r->map[k])
            return fail_memory(r->call.ctx, sizeof(Hop));
    }
    for (int k = 0; k < dag->nroots; k++)
        if (!dag_root(r->out, r->map[dag->roots[k].hop->id], dag->roots[k].slot))
            return fail_memory(r->call.ctx, sizeof(Root));
    return ML_OK;
}

/* One pass from `dag` into a new one that replaces it; stage 0 applies no rules and drops dead
 * nodes. */
static ml_status rebuild_into(Ctx *ctx, Unit *unit, Dag *dag, RewriteWhen stage)
{
    size_t n = (size_t)dag->count + 1;
    Uses *uses = mem_calloc(n, sizeof *uses);
    Rebuild r = {.stage = stage};
    ml_status st;

    r.call = (RewriteCall){.ctx = ctx, .unit = unit};
    r.call.dag = r.out = dag_new(dag->arena);
    r.map = mem_calloc(n, sizeof *r.map);
    if (!uses || !r.map || !r.out) {
        st = fail_memory(ctx, n * sizeof *r.map);
    } else {
        count_uses(dag, uses);
        st = rebuild(&r, dag, uses);
    }
    if (st == ML_OK)
        *dag = *r.out;
    mem_free(uses);
    mem_free(r.map);
    return st;
}

ml_status dag_rewrite(Ctx *ctx, Unit *unit, Dag *dag, RewriteWhen stage)
{
    TRY(rebuild_into(ctx, unit, dag, stage));
    return rebuild_into(ctx, unit, dag, 0); /* nodes that rules made useless */
}
