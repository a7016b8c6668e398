/* What passes over the tree of blocks share: walking its lists, making blocks and variables,
 * putting one DAG behind another. */
#include "hop/tree.h"

#include <string.h>

ml_status tree_each_list(Tree *t, BlockList *list, ListFn fn)
{
    for (int k = 0; k < list->count; k++) {
        Block *b = list->items[k];

        TRY(tree_each_list(t, &b->pred, fn));
        TRY(tree_each_list(t, &b->body, fn));
        TRY(tree_each_list(t, &b->orelse, fn));
    }
    return fn(t, list);
}

ml_status tree_store(Tree *t, const Blocks *from, BlockList *to)
{
    if (from->count > to->count) {
        to->items = ARENA_ARRAY(t->unit->arena, Block *, from->count);
        if (!to->items)
            return fail_memory(t->ctx, sizeof(Block *));
    }
    if (from->count)
        memcpy(to->items, from->items, (size_t)from->count * sizeof(Block *));
    to->count = from->count;
    return ML_OK;
}

Block *tree_block(Tree *t, BlockKind kind, const Block *like)
{
    Block *b = ARENA_NEW(t->unit->arena, Block);

    if (!b) {
        fail_memory(t->ctx, sizeof *b);
        return NULL;
    }
    b->kind = kind;
    b->id = t->r->nblocks++;
    b->number = t->unit->nblocks++;
    b->span = like->span;
    b->site = like->site;
    b->cond = b->from = b->to = b->step = b->loop_slot = -1;
    return b;
}

/* The names move to a larger array now and then, as vectors do. */
int tree_slot(Tree *t, const char *name)
{
    Routine *r = t->r;

    if (r->nslots == r->names_capacity) {
        int capacity = r->names_capacity * 2 + 8;
        const char **names = ARENA_ARRAY(t->unit->arena, const char *, capacity);

        if (!names) {
            fail_memory(t->ctx, sizeof *names);
            return -1;
        }
        if (r->nslots)
            memcpy(names, r->names, (size_t)r->nslots * sizeof *names);
        r->names = names;
        r->names_capacity = capacity;
    }
    r->names[r->nslots++] = name;
    r->nwords = (r->nslots + 63) / 64;
    return r->nslots - 1;
}

void tree_fired(Tree *t, Pass pass)
{
    t->unit->pass_fired[pass]++;
    t->changed = true;
}

bool tree_push(Tree *t, Blocks *blocks, Block *block)
{
    if (VEC_PUSH(blocks, block))
        return true;
    fail_memory(t->ctx, sizeof block);
    return false;
}

Hop *dag_value(const Dag *dag, int slot)
{
    for (int k = dag->nroots - 1; k >= 0; k--)
        if (dag->roots[k].slot == slot)
            return dag->roots[k].hop;
    return NULL;
}

Value list_literal(BlockList list, int slot)
{
    const Block *last = list.count ? list.items[list.count - 1] : NULL;
    const Hop *h = last && last->kind == BLOCK_BASIC ? dag_value(last->dag, slot) : NULL;

    return h ? h->lit : value_none();
}

Hop *hop_read_like(Dag *dag, int slot, const Hop *like)
{
    Hop *h = hop_read(dag, slot, like->span);

    if (h) {
        h->dt = like->dt;
        h->vt = like->vt;
        h->dims = like->dims;
        h->bytes = like->bytes;
        h->number = like->number;
        h->sure = true;
    }
    return h;
}

/* The nodes of `from` in `into`; map by old id, values by slot. */
static ml_status append_nodes(Tree *t, Dag *into, const Dag *from, Hop **values, Hop **map)
{
    for (int k = 0; k < into->nroots; k++)
        if (into->roots[k].slot >= 0)
            values[into->roots[k].slot] = into->roots[k].hop;
    for (int k = 0; k < from->count; k++) {
        const Hop *h = from->nodes[k];

        if (h->kind == HOP_READ && values[h->slot])
            map[k] = values[h->slot];
        else
            map[k] = hop_remake(t->ctx, t->unit, into, h, map);
        if (!map[k])
            return fail_memory(t->ctx, sizeof(Hop));
    }
    return ML_OK;
}

static ml_status append_roots(Tree *t, Dag *into, const Dag *from, Hop **map)
{
    const int before = into->nroots;

    for (int k = 0; k < from->nroots; k++) {
        const Root *root = &from->roots[k];
        Hop *h = map[root->hop->id];

        for (int j = 0; root->slot >= 0 && j < before; j++)
            if (into->roots[j].slot == root->slot)
                into->roots[j].slot = -1;
        if (root->slot >= 0 && !h->variable) /* what a temporary held now has a name */
            h->variable = t->r->names[root->slot];
        if (!dag_root(into, h, root->slot))
            return fail_memory(t->ctx, sizeof(Root));
    }
    return ML_OK;
}

ml_status dag_append(Tree *t, Dag *into, const Dag *from)
{
    Hop **values = mem_calloc((size_t)t->r->nslots + 1, sizeof *values);
    Hop **map = mem_calloc((size_t)from->count + 1, sizeof *map);
    ml_status st;

    st =
        values && map ? append_nodes(t, into, from, values, map) : fail_memory(t->ctx, sizeof *map);
    if (st == ML_OK)
        st = append_roots(t, into, from, map);
    mem_free(values);
    mem_free(map);
    return st;
}
