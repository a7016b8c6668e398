/* Common subexpressions across blocks: what a block computes that an earlier block on the way to it
 * computed from the same values is read from a variable instead.
 *
 * Requires: facts.  Values are numbered from the start of the routine: two nodes have the same
 * number when they have equal operators over operands of the same numbers; a variable has the
 * number of the node that it was assigned.  A variable that a loop or one branch of an `if` assigns
 * has a new number behind it, so nothing is said about it.  Expressions are known from the block
 * that computes them to the end of its list, and in all that is nested there: the scope is left by
 * forgetting.  (Hash-based value numbering over the dominator tree, which a tree of blocks is:
 * Briggs, Cooper, Simpson 1997.)
 *
 * Only what is worth holding is kept (invariant.c), in the variable that has it or a new one.
 * Errors stay what they are, as the first computation has succeeded.  Breaks: nothing; facts of
 * reads are those of the nodes.  Cost: a look-up a node. */
#include "hop/tree.h"

#include <string.h>

/* An expression that is known: node `hop` of the block computes it. */
typedef struct Known {
    uint64_t hash;
    int number;
    const int *operands; /* their numbers */
    Hop *hop;
    Block *block;
    int slot; /* a new variable that holds it, -1: none yet */
    int next; /* in the bucket, -1 ends */
} Known;

enum { BUCKETS = 256 };

typedef struct Numbering {
    Tree *t;
    VEC(Known) known;
    int buckets[BUCKETS];
    int *of_slot; /* number of each variable's value */
    int slots;    /* that of_slot has */
    int count;    /* numbers given */
} Numbering;

/* ---- numbers ---- */

static void forget_since(Numbering *n, int count)
{
    while (n->known.count > count) {
        const Known *k = &n->known.items[--n->known.count];

        n->buckets[k->hash % BUCKETS] = k->next;
    }
}

static bool is_plain(const Hop *h)
{
    if (h->kind == HOP_LITERAL)
        return true;
    return h->kind == HOP_OP && !h->names && !hop_is_unique(h) &&
           !(hop_info(h)->props & (P_CALLS | P_VARIABLE));
}

static uint64_t hash_of(const Hop *h, const int *operands)
{
    uint64_t x = hash_mix((uint64_t)h->kind, (uint64_t)h->op);

    if (h->kind == HOP_LITERAL)
        return hop_literal_hash(h);
    for (int k = 0; k < h->nin; k++)
        x = hash_mix(x, (uint64_t)(operands[k] + 1));
    return x;
}

static bool is_same(const Known *k, const Hop *h, const int *operands)
{
    if (k->hop->kind != h->kind || k->hop->op != h->op || k->hop->nin != h->nin)
        return false;
    if (h->kind == HOP_LITERAL)
        return hop_literal_same(k->hop, h);
    return h->nin == 0 || memcmp(k->operands, operands, (size_t)h->nin * sizeof(int)) == 0;
}

static Known *find(Numbering *n, const Hop *h, const int *operands, uint64_t hash)
{
    for (int i = n->buckets[hash % BUCKETS]; i >= 0; i = n->known.items[i].next)
        if (n->known.items[i].hash == hash && is_same(&n->known.items[i], h, operands))
            return &n->known.items[i];
    return NULL;
}

static bool add(Numbering *n, Hop *h, Block *b, const int *operands, uint64_t hash)
{
    Known k = {.hash = hash,
               .number = n->count++,
               .operands = operands,
               .hop = h,
               .block = b,
               .slot = -1,
               .next = n->buckets[hash % BUCKETS]};

    if (!VEC_PUSH(&n->known, k))
        return false;
    n->buckets[hash % BUCKETS] = n->known.count - 1;
    return true;
}

/* Variables made meanwhile get numbers too. */
static bool cover_slots(Numbering *n)
{
    int *more;

    if (n->slots >= n->t->r->nslots)
        return true;
    more = mem_realloc(n->of_slot, (size_t)n->t->r->nslots * sizeof *more);
    if (!more)
        return false;
    for (n->of_slot = more; n->slots < n->t->r->nslots; n->slots++)
        n->of_slot[n->slots] = n->count++;
    return true;
}

/* ---- one block ---- */

typedef struct BlockNumbers {
    int *number;  /* by id */
    int *found;   /* index in `known` of an earlier block's expression, -1: none */
    bool *needed; /* by a root, not through a node that is found */
    Hop **map;    /* the new nodes */
} BlockNumbers;

static bool is_cheap_scalar(const Hop *h)
{
    return h->dt == DT_SCALAR && !(h->kind == HOP_OP && (hop_info(h)->props & P_AGG_FULL));
}

static bool number_node(Numbering *n, Block *b, Hop *h, BlockNumbers *out)
{
    int *operands = NULL;
    uint64_t hash;
    Known *k;

    out->found[h->id] = -1;
    if (h->kind == HOP_READ || !is_plain(h)) {
        out->number[h->id] = h->kind == HOP_READ ? n->of_slot[h->slot] : n->count++;
        return true;
    }
    if (h->nin)
        operands = ARENA_ARRAY(n->t->unit->arena, int, h->nin);
    if (h->nin && !operands)
        return false;
    for (int j = 0; j < h->nin; j++)
        operands[j] = h->in[j] ? out->number[h->in[j]->id] : -1;
    hash = hash_of(h, operands);
    k = find(n, h, operands, hash);
    if (!k && !add(n, h, b, operands, hash))
        return false;
    out->number[h->id] = k ? k->number : n->count - 1;
    if (k && k->block != b && is_worth_holding(n->t, h) && !is_cheap_scalar(h))
        out->found[h->id] = (int)(k - n->known.items);
    return true;
}

static bool mark_needed(const Dag *dag, BlockNumbers *x)
{
    bool any = false;

    for (int k = 0; k < dag->nroots; k++)
        x->needed[dag->roots[k].hop->id] = true;
    for (int k = dag->count - 1; k >= 0; k--) {
        const Hop *h = dag->nodes[k];

        any |= x->needed[k] && x->found[k] >= 0;
        for (int j = 0; x->needed[k] && x->found[k] < 0 && j < h->nin; j++)
            if (h->in[j])
                x->needed[h->in[j]->id] = true;
    }
    return any;
}

/* The variable that holds a known expression: one that was assigned it and still has it, or a new
 * one that the block which computes it assigns. */
static int holder(Numbering *n, Known *k)
{
    const Dag *dag = k->block->dag;

    for (int r = 0; k->slot < 0 && r < dag->nroots; r++)
        if (dag->roots[r].hop == k->hop && dag->roots[r].slot >= 0 &&
            n->of_slot[dag->roots[r].slot] == k->number)
            return dag->roots[r].slot;
    if (k->slot < 0) {
        k->slot = tree_slot(n->t, k->hop->variable);
        if (k->slot >= 0 && (!cover_slots(n) || !dag_root(k->block->dag, k->hop, k->slot)))
            k->slot = -1;
        if (k->slot >= 0)
            n->of_slot[k->slot] = k->number;
    }
    return k->slot;
}

/* The block's nodes anew, those found as reads; the expressions that it made known move along. */
static ml_status replace_found(Numbering *n, Block *b, BlockNumbers *x)
{
    Tree *t = n->t;
    Dag *dag = dag_new(t->unit->arena);
    bool room = dag != NULL;

    for (int k = 0; room && k < b->dag->count; k++) {
        const Hop *h = b->dag->nodes[k];

        if (x->needed[k] && x->found[k] >= 0) {
            const int slot = holder(n, &n->known.items[x->found[k]]);

            x->map[k] = slot < 0 ? NULL : hop_read_like(dag, slot, h);
            tree_fired(t, PASS_common_subexpressions);
        } else {
            x->map[k] = hop_remake(t->ctx, t->unit, dag, h, x->map);
        }
        room = x->map[k] != NULL;
    }
    for (int k = 0; room && k < b->dag->nroots; k++)
        room = dag_root(dag, x->map[b->dag->roots[k].hop->id], b->dag->roots[k].slot);
    if (!room)
        return fail_memory(t->ctx, sizeof(Hop));
    for (int k = n->known.count - 1; k >= 0 && n->known.items[k].block == b; k--)
        n->known.items[k].hop = x->map[n->known.items[k].hop->id];
    b->dag = dag;
    return ML_OK;
}

static ml_status number_nodes(Numbering *n, Block *b, BlockNumbers *x, int *roots)
{
    for (int k = 0; k < b->dag->count; k++)
        if (!number_node(n, b, b->dag->nodes[k], x))
            return fail_memory(n->t->ctx, sizeof(Known));
    for (int k = 0; k < b->dag->nroots; k++)
        roots[k] = x->number[b->dag->roots[k].hop->id];
    if (mark_needed(b->dag, x))
        TRY(replace_found(n, b, x));
    return ML_OK;
}

static void number_roots(Numbering *n, const Dag *dag, const int *number)
{
    for (int k = 0; k < dag->nroots; k++)
        if (dag->roots[k].slot >= 0)
            n->of_slot[dag->roots[k].slot] = number[k];
}

/* What no root needs is not computed, so it is not known: it goes first. */
static ml_status number_basic(Numbering *n, Block *b)
{
    BlockNumbers x = {0};
    int *roots; /* numbers of the roots, whose nodes are replaced */
    size_t size;
    ml_status st;

    TRY(dag_compact(n->t->ctx, n->t->unit, b->dag));
    size = (size_t)b->dag->count + 1;
    x.number = mem_calloc(size, sizeof *x.number);
    x.found = mem_calloc(size, sizeof *x.found);
    x.needed = mem_calloc(size, sizeof *x.needed);
    x.map = mem_calloc(size, sizeof *x.map);
    roots = mem_calloc((size_t)b->dag->nroots + 1, sizeof *roots);
    st = x.number && x.found && x.needed && x.map && roots
             ? number_nodes(n, b, &x, roots)
             : fail_memory(n->t->ctx, size * sizeof *x.map);
    if (st == ML_OK)
        number_roots(n, b->dag, roots);
    mem_free(roots);
    mem_free(x.number);
    mem_free(x.found);
    mem_free(x.needed);
    mem_free(x.map);
    return st;
}

/* ---- the tree ---- */

static void new_number(Numbering *n, int slot)
{
    if (slot >= 0)
        n->of_slot[slot] = n->count++;
}

/* All that the list assigns has another value than before. */
static void renumber(Numbering *n, BlockList list)
{
    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];

        for (int j = 0; b->kind == BLOCK_BASIC && j < b->dag->nroots; j++)
            new_number(n, b->dag->roots[j].slot);
        for (int j = 0; j < b->ntargets; j++)
            new_number(n, b->targets[j]);
        if (b->kind == BLOCK_FOR)
            new_number(n, b->loop_slot);
        renumber(n, b->pred);
        renumber(n, b->body);
        renumber(n, b->orelse);
    }
}

static ml_status number_list(Numbering *n, BlockList list);

/* A list of which it is not known that it runs, or how often. */
static ml_status number_scope(Numbering *n, BlockList list)
{
    const int known = n->known.count;

    TRY(number_list(n, list));
    forget_since(n, known);
    return ML_OK;
}

static ml_status number_if(Numbering *n, const Block *b)
{
    TRY(number_list(n, b->pred));
    TRY(number_scope(n, b->body));
    renumber(n, b->body); /* what the other branch sees is older still, which new numbers allow */
    TRY(number_scope(n, b->orelse));
    renumber(n, b->orelse);
    return ML_OK;
}

static ml_status number_loop(Numbering *n, Block *b)
{
    const BlockList self = {(Block *[]){b}, 1};

    if (b->kind == BLOCK_FOR)
        TRY(number_list(n, b->pred));
    renumber(n, self);
    if (b->kind == BLOCK_WHILE)
        TRY(number_scope(n, b->pred));
    TRY(number_scope(n, b->body));
    renumber(n, self);
    return ML_OK;
}

static ml_status number_block(Numbering *n, Block *b)
{
    switch (b->kind) {
    case BLOCK_BASIC:
        return number_basic(n, b);
    case BLOCK_CALL:
        for (int k = 0; k < b->ntargets; k++)
            new_number(n, b->targets[k]);
        return ML_OK;
    case BLOCK_IF:
        return number_if(n, b);
    case BLOCK_WHILE:
    case BLOCK_FOR:
        return number_loop(n, b);
    }
    return ML_OK;
}

static ml_status number_list(Numbering *n, BlockList list)
{
    for (int k = 0; k < list.count; k++)
        TRY(number_block(n, list.items[k]));
    return ML_OK;
}

ml_status share_expressions(Tree *t)
{
    Numbering n = {.t = t};
    ml_status st;

    for (int k = 0; k < BUCKETS; k++)
        n.buckets[k] = -1;
    st = cover_slots(&n) ? number_list(&n, t->r->body) : fail_memory(t->ctx, sizeof(int));
    mem_free(n.of_slot);
    VEC_FREE(&n.known);
    return st;
}
