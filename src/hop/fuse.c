/* Fusion: which operators of a DAG become one pass over their rows.
 *
 * Every operator that the table lets into pipelines (OpFuse) begins as a group of its own.  Groups
 * merge along values that one computes row by row and the other reads row by row, then groups that
 * read the same large matrix.  Two groups may merge when
 *   - they have the same rows,
 *   - no member needs a value of another complete: a sum over all rows, the right side of a
 * product,
 *   - no path leaves the merged group and comes back, through other groups either (else the
 * pipeline would need itself),
 *   - the program stays within its limits.
 * What pays is decided afterwards, see fuse_cost.c.
 *
 * Requires: sizes inferred; nodes after their operands.  Keeps: values, the order of effects, of
 * which no member has any.  Breaks: hop_infer of pipelines, whose sizes are those of what they
 * replace.  Cost: one merge for each edge, each over bit sets of the DAG's nodes. */
#include "hop/fuse.h"

#include <string.h>

enum { NODES_MAX = 1 << 14, SHARED_BYTES = 1 << 18 };

bool bits_meet(const Bits *a, const Bits *b, int words)
{
    for (int w = 0; w < words; w++)
        if (a[w] & b[w])
            return true;
    return false;
}

void bits_add(Bits *a, const Bits *b, int words)
{
    for (int w = 0; w < words; w++)
        a[w] |= b[w];
}

/* ---- groups ---- */

/* Does somebody outside of the set read the node, or is it kept? */
static bool is_read_outside(const Fuser *f, const Hop *h, const Bits *set)
{
    const FuseNode *n = fuse_node(f, h);

    if (n->kept)
        return true;
    for (int w = 0; w < f->words; w++)
        if (n->readers[w] & ~set[w])
            return true;
    return false;
}

int bits_count(const Bits *a, const Bits *without, int words)
{
    int n = 0;

    for (int w = 0; w < words; w++)
        n += __builtin_popcountll(a[w] & ~without[w]);
    return n;
}

static int count_results(const Fuser *f, const Bits *members)
{
    int n = 0;

    FOR_BITS (k, members, f->words)
        n += is_read_outside(f, f->dag->nodes[k], members);
    return n;
}

/* Would the group need itself?  What it needs from outside is complete when the groups that this
 * belongs to are, and these need more; none of it may depend on the group. */
static bool needs_itself(const Fuser *f, const Group *g)
{
    Bits *before = f->before;
    bool grows = true;

    for (int w = 0; w < f->words; w++)
        before[w] = g->above[w] & ~g->members[w];
    while (grows && !bits_meet(before, g->below, f->words)) {
        grows = false;
        for (int k = 0; k < f->nmany; k++) {
            const Group *other = &f->groups[f->many[k]];

            if (other->size > 0 && !bits_meet(other->members, g->members, f->words) &&
                bits_meet(other->members, before, f->words) &&
                bits_count(other->members, before, f->words) > 0) { /* not all of it yet */
                bits_add(before, other->members, f->words);
                bits_add(before, other->above, f->words);
                for (int w = 0; w < f->words; w++)
                    before[w] &= ~g->members[w];
                grows = true;
            }
        }
    }
    return grows;
}

/* Beside a sparse driver only its nonzeros are computed: all results must be zero where it is, or
 * sums of such cells. */
static bool fits_driver(const Fuser *f, const Group *g)
{
    if (!g->driver)
        return true;
    if (g->by_rows || !g->adds_up)
        return false;
    FOR_BITS (k, g->members, f->words)
        if (!f->nodes[k].driver && is_read_outside(f, f->dag->nodes[k], g->members))
            return false;
    return true;
}

static bool group_fits(const Fuser *f, const Group *g)
{
    return g->size <= FUSE_OPERATORS && !bits_meet(g->whole, g->members, f->words) &&
           bits_count(g->needed, g->members, f->words) <= FUSE_OPERANDS &&
           count_results(f, g->members) <= FUSE_RESULTS && fits_driver(f, g) && !needs_itself(f, g);
}

static bool group_new(Fuser *f, Group *g)
{
    Bits *bits = ARENA_ARRAY(f->arena, Bits, 5 * f->words);

    if (!bits)
        return false;
    g->members = bits;
    g->above = bits + f->words;
    g->below = bits + 2 * f->words;
    g->whole = bits + 3 * f->words;
    g->needed = bits + 4 * f->words;
    return true;
}

static void group_add(const Fuser *f, Group *to, const Group *from)
{
    bits_add(to->members, from->members, f->words);
    bits_add(to->above, from->above, f->words);
    bits_add(to->below, from->below, f->words);
    bits_add(to->whole, from->whole, f->words);
    bits_add(to->needed, from->needed, f->words);
    to->size += from->size;
    to->by_rows |= from->by_rows;
    to->adds_up &= from->adds_up;
    to->driver = to->driver ? to->driver : from->driver;
}

/* The group of b becomes part of that of a, if it may. */
static void try_merge(Fuser *f, int a, int b, Group *scratch)
{
    Group *to = &f->groups[a], *from = &f->groups[b], merged = *scratch;

    if (a == b || to->rows != from->rows || to->size + from->size > FUSE_OPERATORS ||
        (to->driver && from->driver && to->driver != from->driver))
        return;
    memset(merged.members, 0, 5 * (size_t)f->words * sizeof(Bits));
    merged.rows = to->rows;
    merged.adds_up = true;
    group_add(f, &merged, to);
    group_add(f, &merged, from);
    if (!group_fits(f, &merged))
        return;
    if (to->size == 1)
        f->many[f->nmany++] = a;
    group_add(f, to, from);
    FOR_BITS (k, from->members, f->words)
        f->nodes[k].group = a;
    from->size = 0;
}

/* ---- the DAG as bit sets ---- */

/* Effects keep their order, so each comes after the one before: previous[k] is the number of the
 * effect before node k, -1 for none.  false: numbers do not tell the order. */
static bool order_effects(const Dag *dag, int *previous)
{
    int last = -1;

    for (int k = 0; k < dag->count; k++)
        previous[k] = -1;
    for (int k = 0; k < dag->nroots; k++) {
        const int id = dag->roots[k].hop->id;

        if (!hop_has_effect(dag->roots[k].hop) || id == last)
            continue;
        if (id < last)
            return false;
        previous[id] = last;
        last = id;
    }
    return true;
}

/* `to` needs `from`. */
static void add_above(const Fuser *f, Bits *above, int from, int to)
{
    bits_add(above + to * f->words, above + from * f->words, f->words);
    bit_set(above + to * f->words, from);
}

static void add_below(const Fuser *f, Bits *below, int from, int to)
{
    bits_add(below + from * f->words, below + to * f->words, f->words);
    bit_set(below + from * f->words, to);
}

static ml_status node_bits(Fuser *f, const int *previous, Bits **above, Bits **below)
{
    const int n = f->dag->count;

    *above = ARENA_ARRAY(f->arena, Bits, (size_t)n * (size_t)f->words);
    *below = ARENA_ARRAY(f->arena, Bits, (size_t)n * (size_t)f->words);
    if (!*above || !*below)
        return fail_memory(f->ctx, (size_t)n * (size_t)f->words * sizeof(Bits));
    for (int k = 0; k < n; k++) {
        const Hop *h = f->dag->nodes[k];

        if (previous[k] >= 0)
            add_above(f, *above, previous[k], k);
        for (int j = 0; j < h->nin; j++)
            if (h->in[j]) {
                add_above(f, *above, h->in[j]->id, k);
                bit_set(f->nodes[h->in[j]->id].readers, k);
            }
    }
    for (int k = n - 1; k >= 0; k--) {
        const Hop *h = f->dag->nodes[k];

        if (previous[k] >= 0)
            add_below(f, *below, previous[k], k);
        for (int j = 0; j < h->nin; j++)
            if (h->in[j])
                add_below(f, *below, h->in[j]->id, k);
    }
    return ML_OK;
}

/* A group of one operator. */
static ml_status begin_group(Fuser *f, const Hop *h, const Bits *above, const Bits *below)
{
    FuseNode *n = &f->nodes[h->id];
    Group *g = &f->groups[h->id];

    if (!group_new(f, g))
        return fail_memory(f->ctx, 5 * (size_t)f->words * sizeof(Bits));
    n->group = h->id;
    g->rows = fuse_rows(h, n->role);
    g->size = 1;
    g->by_rows = n->role != FUSE_CELLS && n->role != FUSE_END;
    g->driver = n->driver;
    g->adds_up = n->role != FUSE_END || h->op == OP_sum;
    bit_set(g->members, h->id);
    bits_add(g->above, above + h->id * f->words, f->words);
    bits_add(g->below, below + h->id * f->words, f->words);
    for (int k = 0; k < h->nin; k++) {
        const Hop *in = h->in[k];

        if (!in || in->kind == HOP_LITERAL)
            continue;
        bit_set(g->needed, in->id);
        if (!fuse_by_row(f, h, k) || f->nodes[in->id].role == FUSE_END ||
            f->nodes[in->id].role == FUSE_CROSS)
            bit_set(g->whole, in->id);
    }
    return ML_OK;
}

static ml_status begin(Fuser *f, const int *previous, const uint64_t *live_out)
{
    const int n = f->dag->count;
    Bits *above, *below;

    f->words = n / 64 + 1;
    f->groups = ARENA_ARRAY(f->arena, Group, n);
    f->map = ARENA_ARRAY(f->arena, Hop *, n);
    if (!f->groups || !f->map)
        return fail_memory(f->ctx, (size_t)n * sizeof *f->groups);
    for (int k = 0; k < n; k++) {
        f->nodes[k].readers = ARENA_ARRAY(f->arena, Bits, f->words);
        if (!f->nodes[k].readers)
            return fail_memory(f->ctx, (size_t)f->words * sizeof(Bits));
    }
    for (int k = 0; k < f->dag->nroots; k++) {
        const Root *root = &f->dag->roots[k];

        f->nodes[root->hop->id].kept |= root->slot >= 0 && slot_in(live_out, root->slot);
    }
    TRY(node_bits(f, previous, &above, &below));
    for (int k = 0; k < n; k++)
        if (f->nodes[k].role != FUSE_NONE)
            TRY(begin_group(f, f->dag->nodes[k], above, below));
    return ML_OK;
}

/* ---- merging ---- */

static void merge_producers(Fuser *f, const Hop *h, Group *scratch)
{
    for (int k = 0; k < h->nin; k++)
        if (fuse_by_row(f, h, k) && f->nodes[h->in[k]->id].group >= 0)
            try_merge(f, f->nodes[h->in[k]->id].group, f->nodes[h->id].group, scratch);
}

static bool reads_by_row(const Fuser *f, const Hop *h, const Hop *x)
{
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] == x && fuse_by_row(f, h, k))
            return true;
    return false;
}

/* Those that pass over the rows of the same large matrix. */
static void merge_readers(Fuser *f, const Hop *x, Group *scratch)
{
    int first = -1;

    FOR_BITS (k, f->nodes[x->id].readers, f->words) {
        const int group = f->nodes[k].group;

        if (group < 0 || !reads_by_row(f, f->dag->nodes[k], x))
            continue;
        if (first < 0)
            first = group;
        else
            try_merge(f, first, group, scratch);
    }
}

static ml_status merge_all(Fuser *f)
{
    Group scratch = {0};

    f->many = ARENA_ARRAY(f->arena, int, f->dag->count);
    f->before = ARENA_ARRAY(f->arena, Bits, f->words);
    if (!f->many || !f->before || !group_new(f, &scratch))
        return fail_memory(f->ctx, 5 * (size_t)f->words * sizeof(Bits));
    for (int k = 0; k < f->dag->count; k++)
        if (f->nodes[k].group >= 0)
            merge_producers(f, f->dag->nodes[k], &scratch);
    for (int k = 0; k < f->dag->count; k++)
        if (fuse_has_size(f->dag->nodes[k]) &&
            fuse_cells(f->dag->nodes[k]) * sizeof(double) >= SHARED_BYTES)
            merge_readers(f, f->dag->nodes[k], &scratch);
    return ML_OK;
}

ml_status dag_fuse(Ctx *ctx, Unit *unit, Dag *dag, const uint64_t *live_out)
{
    Fuser f = {.ctx = ctx, .unit = unit, .dag = dag, .arena = dag->arena};
    int found, *previous;

    if (dag->count > NODES_MAX)
        return ML_OK;
    TRY(fuse_roles(&f, &found));
    if (found < 2)
        return ML_OK;
    previous = ARENA_ARRAY(f.arena, int, dag->count);
    if (!previous)
        return fail_memory(ctx, (size_t)dag->count * sizeof(int));
    if (!order_effects(dag, previous))
        return ML_OK;
    TRY(begin(&f, previous, live_out));
    TRY(merge_all(&f));
    TRY(fuse_decide(&f));
    return fuse_rebuild(&f);
}
