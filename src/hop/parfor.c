/* Results of a parfor: where the body only hands parts of a variable to the loop, it no longer
 * assigns the variable.
 *
 *     R[i, ] = v    becomes  parfor_put(R, v, i, , k)     and     R += v    parfor_add(R, v, k)
 *
 * for result k of the loop, an effect instead of a new value of R: the run writes the cells where
 * they belong, or keeps the part until its turn has come (run/parfor.c).  Requires: facts; the
 * check's verdict on each result.  Applies when in every block of the body the variable is assigned
 * by a chain of such forms over its value at entry, and read besides only by its size and, before
 * the first write of the block, by index.  Otherwise each worker has an R of its own; a sum that
 * stands in no such chain makes the loop run one iteration after the other.
 *
 * Breaks: liveness.  Cost: nodes x results of the loop. */
#include "hop/tree.h"

#include <string.h>

enum { CHAIN = 64 }; /* parts that one block hands over, at most */

/* How one DAG treats a result. */
typedef struct Use {
    const Dag *dag;
    int slot;
    ParforMode mode;
    const Hop *read; /* its value at entry, NULL: not read */
    Hop *chain[CHAIN];
    int links; /* of the chain, the first write first */
} Use;

/* ---- does it fit? ---- */

static const Hop *entry_value(const Dag *dag, int slot)
{
    for (int k = 0; k < dag->count; k++)
        if (dag->nodes[k]->kind == HOP_READ && dag->nodes[k]->slot == slot)
            return dag->nodes[k];
    return NULL;
}

static bool reads_size(const Hop *h)
{
    return hop_is_op(h, OP_nrow) || hop_is_op(h, OP_ncol) || hop_is_op(h, OP_length);
}

static bool is_in_chain(const Use *u, const Hop *h)
{
    for (int k = 0; k < u->links; k++)
        if (u->chain[k] == h)
            return true;
    return false;
}

/* X[i, ] = v and X += e have the variable as their first operand. */
static bool is_form(const Use *u, const Hop *h)
{
    return u->mode == PARFOR_SUM ? hop_is_op(h, OP_add) && h->nin == 2
                                 : hop_is_op(h, OP_left_index);
}

static bool push_link(Use *u, Hop *h)
{
    if (u->links == CHAIN)
        return false;
    u->chain[u->links++] = h;
    return true;
}

/* From the value at entry to h by forms of the mode alone. */
static bool find_chain(Use *u, Hop *h)
{
    for (; h != u->read; h = h->in[0])
        if (!is_form(u, h) || !h->in[0] || !push_link(u, h))
            return false;
    for (int k = 0; k < u->links / 2; k++) {
        Hop *later = u->chain[k];

        u->chain[k] = u->chain[u->links - 1 - k];
        u->chain[u->links - 1 - k] = later;
    }
    return true;
}

static bool depends_on(const Hop *h, const Hop *on, uint8_t *seen)
{
    if (h == on)
        return true;
    if (seen[h->id]++)
        return false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && depends_on(h->in[k], on, seen))
            return true;
    return false;
}

/* Is what h reads of the variable read before the block's first write? */
static bool is_read_before(const Use *u, const Hop *h, bool *before)
{
    uint8_t *seen = u->links ? mem_calloc((size_t)u->dag->count + 1, 1) : NULL;

    *before = u->links == 0 || (seen && depends_on(u->chain[0], h, seen));
    mem_free(seen);
    return u->links == 0 || seen;
}

/* May h have the value at entry as operand k?  false: memory is exhausted. */
static bool may_read(const Use *u, const Hop *h, int k, ParforSlot *result, bool *may)
{
    *may = reads_size(h) || h == (u->links ? u->chain[0] : NULL);
    if (*may || u->mode == PARFOR_SUM || k != 0 || !hop_is_op(h, OP_index))
        return true;
    result->read_back = true;
    return is_read_before(u, h, may);
}

static int times_read(const Hop *by, const Hop *of)
{
    int times = 0;

    for (int k = 0; k < by->nin; k++)
        times += by->in[k] == of;
    return times;
}

/* But for its size, which no form changes. */
static int times_used(const Dag *dag, const Hop *of)
{
    int times = 0;

    for (int k = 0; k < dag->count; k++)
        if (!reads_size(dag->nodes[k]))
            times += times_read(dag->nodes[k], of);
    return times;
}

/* Values of the chain have one reader, the next link; the last has none but the variable. */
static bool links_are_private(const Use *u)
{
    for (int k = 0; k < u->links; k++)
        if (times_used(u->dag, u->chain[k]) != (k + 1 < u->links))
            return false;
    if (u->links && times_read(u->chain[0], u->read) != 1)
        return false;
    for (int k = 0; k < u->dag->nroots; k++) {
        const Root root = u->dag->roots[k];

        if (root.hop == u->read
                ? root.slot != u->slot
                : is_in_chain(u, root.hop) && root.slot >= 0 && root.slot != u->slot)
            return false;
    }
    return true;
}

/* false: memory is exhausted. */
static bool dag_fits(const Dag *dag, ParforSlot *result, Use *u, bool *fits)
{
    Hop *last = dag_value(dag, result->slot);

    *u = (Use){.dag = dag, .slot = result->slot, .mode = result->mode};
    u->read = entry_value(dag, result->slot);
    *fits = !last || (u->read && find_chain(u, last) && links_are_private(u));
    for (int i = 0; *fits && u->read && i < dag->count; i++)
        for (int k = 0; *fits && k < dag->nodes[i]->nin; k++)
            if (dag->nodes[i]->in[k] == u->read && !may_read(u, dag->nodes[i], k, result, fits))
                return false;
    for (int k = 0; *fits && !last && k < dag->nroots; k++)
        *fits = !u->read || dag->roots[k].hop != u->read;
    return true;
}

static const ParforSlot *result_in(const Parfor *p, int slot)
{
    for (int k = 0; p && k < p->nresults; k++)
        if (p->results[k].slot == slot)
            return &p->results[k];
    return NULL;
}

/* A parfor inside whose iterations hand the variable over as well. */
static bool is_handed_inside(const Block *b, ParforSlot *result)
{
    const ParforSlot *inner = result_in(b->parfor, result->slot);

    result->read_back |= inner && inner->read_back;
    return inner && inner->handed && (inner->mode == PARFOR_SUM) == (result->mode == PARFOR_SUM);
}

static bool call_fits(const Block *b, int slot)
{
    for (int k = 0; k < b->nargs; k++)
        if (b->args[k].slot == slot)
            return false;
    for (int k = 0; k < b->ntargets; k++)
        if (b->targets[k] == slot)
            return false;
    return true;
}

static bool list_fits(BlockList list, ParforSlot *result, bool *fits)
{
    for (int k = 0; *fits && k < list.count; k++) {
        const Block *b = list.items[k];
        Use use;

        if (b->kind == BLOCK_BASIC) {
            if (!dag_fits(b->dag, result, &use, fits))
                return false;
            continue;
        }
        *fits = b->kind != BLOCK_CALL || call_fits(b, result->slot);
        if (!list_fits(b->pred, result, fits) || !list_fits(b->orelse, result, fits) ||
            (!is_handed_inside(b, result) && !list_fits(b->body, result, fits)))
            return false;
    }
    return true;
}

/* ---- the effects ---- */

typedef struct Rebuild {
    Tree *t;
    const Use *use;
    Dag *to;
    Hop **map; /* by old id */
    int result;
} Rebuild;

static Hop *handed_part(Rebuild *r, const Hop *h)
{
    const bool is_sum = r->use->mode == PARFOR_SUM;
    Hop *in[7] = {r->map[r->use->read->id]}, *made;
    int n = 1;

    for (; n < (is_sum ? 2 : 6); n++)
        in[n] = n < h->nin && h->in[n] ? r->map[h->in[n]->id] : NULL;
    in[n++] = hop_literal(r->to, value_int(r->result), h->span);
    if (!in[n - 1])
        return NULL;
    made = hop_op(r->t->ctx, r->t->unit, r->to, is_sum ? OP_parfor_add : OP_parfor_put, in, NULL, n,
                  h->span);
    if (made)
        hop_infer(r->t->ctx, made);
    return made;
}

/* The size of a value that the chain made is that of the variable. */
static Hop *remade(const Rebuild *r, const Hop *h)
{
    Hop *read = (Hop *)(uintptr_t)r->use->read, like = *h;

    if (reads_size(h) && is_in_chain(r->use, h->in[0]))
        like.in = &read;
    return hop_remake(r->t->ctx, r->t->unit, r->to, &like, r->map);
}

static bool rebuild_roots(Rebuild *r)
{
    const Use *u = r->use;

    for (int k = 0; k < u->dag->nroots; k++) {
        const Root root = u->dag->roots[k];
        const bool handed = root.slot == u->slot;

        for (int j = 0; handed && j < u->links; j++)
            if (!dag_root(r->to, r->map[u->chain[j]->id], -1))
                return false;
        if (!handed && !is_in_chain(u, root.hop) &&
            !dag_root(r->to, r->map[root.hop->id], root.slot))
            return false;
    }
    return true;
}

static ml_status rebuild_dag(Tree *t, const Use *use, int result, Block *b)
{
    const Dag *old = use->dag;
    Rebuild r = {.t = t, .use = use, .result = result};

    r.to = dag_new(t->unit->arena);
    r.map = mem_calloc((size_t)old->count + 1, sizeof(Hop *));
    if (!r.to || !r.map) {
        mem_free(r.map);
        return fail_memory(t->ctx, sizeof(Hop *));
    }
    for (int k = 0; k < old->count; k++) {
        const Hop *h = old->nodes[k];
        Hop *now = is_in_chain(use, h) ? handed_part(&r, h) : remade(&r, h);

        if (!now) {
            mem_free(r.map);
            return fail_memory(t->ctx, sizeof *h);
        }
        r.map[h->id] = now;
    }
    b->dag = r.to;
    if (!rebuild_roots(&r))
        t->ctx->err.code = fail_memory(t->ctx, sizeof(Root));
    mem_free(r.map);
    return t->ctx->err.code;
}

static ml_status hand_over(Tree *t, BlockList list, ParforSlot *result, int number)
{
    for (int k = 0; k < list.count; k++) {
        Block *b = list.items[k];
        bool fits;
        Use use;

        if (b->kind == BLOCK_BASIC) {
            if (!dag_fits(b->dag, result, &use, &fits))
                return fail_memory(t->ctx, (size_t)b->dag->count);
            if (use.links)
                TRY(rebuild_dag(t, &use, number, b));
        } else if (!is_handed_inside(b, result)) {
            TRY(hand_over(t, b->body, result, number));
            TRY(hand_over(t, b->orelse, result, number));
        }
    }
    return ML_OK;
}

/* ---- loops ---- */

static ml_status prepare_result(Tree *t, Block *loop, int k)
{
    Parfor *p = loop->parfor;
    ParforSlot *result = &p->results[k];
    bool fits = result->mode != PARFOR_MERGE;

    if (!list_fits(loop->body, result, &fits))
        return fail_memory(t->ctx, sizeof *result);
    if (fits) {
        TRY(hand_over(t, loop->body, result, k));
        result->handed = true;
    } else if (result->mode == PARFOR_SUM) {
        p->serial = "what is added up with += is used in another way as well";
    }
    return ML_OK;
}

static ml_status prepare_list(Tree *t, BlockList *list)
{
    for (int k = 0; k < list->count; k++) {
        Block *b = list->items[k];

        if (!b->parfor || b->parfor->prepared)
            continue;
        for (int j = 0; j < b->parfor->nresults; j++)
            TRY(prepare_result(t, b, j));
        b->parfor->prepared = true;
        tree_fired(t, PASS_parallel_loops);
    }
    return ML_OK;
}

ml_status prepare_parfors(Tree *t)
{
    return tree_each_list(t, &t->r->body, prepare_list);
}
