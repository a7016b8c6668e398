/* Dead code: what nobody reads and what cannot fail is not computed.
 *
 * Requires: rewritten DAGs, liveness.  Drops assignments of variables that are not read later, and
 * evaluations for their errors alone, when every node below is total (total.c) or computed by an
 * earlier statement; then nodes that nothing needs, and blocks that are left empty.  Breaks:
 * liveness, as operands have fewer readers. Cost: one visit a node and statement, and again until
 * nothing more goes, at most ROUNDS times. */
#include "hop/tree.h"

enum { ROUNDS = 4, SILENT = 1, COMPUTED = 2 /* marks of nodes */ };

/* Is every node below total or computed by now? */
static bool is_silent(const Hop *h, uint8_t *marks)
{
    if (marks[h->id])
        return true;
    if (!hop_is_total(h))
        return false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && !is_silent(h->in[k], marks))
            return false;
    marks[h->id] = SILENT;
    return true;
}

static void compute(const Hop *h, uint8_t *marks)
{
    if (marks[h->id] == COMPUTED)
        return;
    marks[h->id] = COMPUTED;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k])
            compute(h->in[k], marks);
}

static ml_status drop_roots(Tree *t, Block *b)
{
    Dag *dag = b->dag;
    uint8_t *marks = mem_calloc((size_t)dag->count + 1, sizeof *marks);
    int kept = 0;

    if (!marks)
        return fail_memory(t->ctx, (size_t)dag->count);
    for (int k = 0; k < dag->nroots; k++) {
        const Root root = dag->roots[k];

        if ((root.slot < 0 || !slot_in(b->live_out, root.slot)) && is_silent(root.hop, marks)) {
            tree_fired(t, PASS_dead_code);
            continue;
        }
        compute(root.hop, marks);
        dag->roots[kept++] = root;
    }
    mem_free(marks);
    if (kept == dag->nroots)
        return ML_OK;
    dag->nroots = kept;
    return dag_compact(t->ctx, t->unit, dag);
}

static ml_status drop_in_list(Tree *t, BlockList *list)
{
    int kept = 0;

    for (int k = 0; k < list->count; k++) {
        Block *b = list->items[k];

        if (b->kind == BLOCK_BASIC) {
            TRY(drop_roots(t, b));
            if (!b->dag->nroots)
                continue;
        }
        list->items[kept++] = b;
    }
    list->count = kept;
    return ML_OK;
}

ml_status drop_dead_code(Tree *t)
{
    for (int k = 0; k < ROUNDS; k++) {
        t->changed = false;
        TRY(tree_each_list(t, &t->r->body, drop_in_list));
        if (!t->changed)
            return ML_OK;
        TRY(routine_liveness(t->ctx, t->unit, t->r));
    }
    return ML_OK;
}
