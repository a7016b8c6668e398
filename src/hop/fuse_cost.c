/* Which pipelines pay, and whether a value that two of them need is stored or computed twice.
 *
 * A group saves what its members would write and read again.  Two groups that cannot merge, as one
 * needs a sum of the other (exp(X - m) and the same over its sum), may still share a chain of
 * cell-wise operators: storing it costs a write and a read for each reader, repeating it costs its
 * operators and reading its operands there.  The estimates are those of the cost model (hop.h). */
#include "hop/fuse.h"

enum {
    LEAST_CELLS = 32,     /* below, an operator's overhead is what counts */
    FEW_ROWS = 8,         /* too few to share between threads ... */
    MANY_CELLS = 1 << 16, /* ... where that would matter */
    WRITE_WEIGHT = 2,     /* a store reads the line first */
};

static const double flops_second = COST_FLOPS_PER_SECOND, bytes_second = COST_BYTES_PER_SECOND;

/* Does the reader, in a pipeline, take h row by row wherever it does? */
static bool reads_rows(const Fuser *f, const Hop *reader, const Hop *h)
{
    if (!fuse_group(f, reader))
        return false;
    for (int k = 0; k < reader->nin; k++)
        if (reader->in[k] == h && !fuse_by_row(f, reader, k))
            return false;
    return true;
}

bool fuse_is_result(const Fuser *f, const Group *g, const Hop *h)
{
    const FuseNode *n = fuse_node(f, h);

    if (n->kept)
        return true;
    FOR_BITS (k, n->readers, f->words)
        if (!bit_get(g->members, k) && !(n->repeated && reads_rows(f, f->dag->nodes[k], h)))
            return true;
    return false;
}

/* ---- repeating ---- */

/* A chain of cell-wise operators of one group that ends in a value, and what it starts from. */
typedef struct Chain {
    const Group *group;
    Bits *nodes, *starts;
    int size;
    double flops, bytes; /* of all its cells; to read what it starts from */
} Chain;

static void walk_chain(const Fuser *f, Chain *c, const Hop *h)
{
    if (bit_get(c->nodes, h->id))
        return;
    bit_set(c->nodes, h->id);
    c->size++;
    c->flops += hop_flops(h);
    for (int k = 0; k < h->nin; k++) {
        const Hop *in = h->in[k];

        if (!in || in->kind == HOP_LITERAL || bit_get(c->starts, in->id))
            continue;
        if (bit_get(c->group->members, in->id) && fuse_node(f, in)->role == FUSE_CELLS &&
            fuse_by_row(f, h, k)) {
            walk_chain(f, c, in);
            continue;
        }
        bit_set(c->starts, in->id);
        c->bytes += in->dt == DT_MATRIX ? fuse_cells(in) * sizeof(double) : 0;
    }
}

/* Would the chain fit into the group as well? */
static bool has_room(const Fuser *f, const Group *g, const Chain *c)
{
    return g->size + c->size <= FUSE_OPERATORS &&
           bits_count(g->needed, g->members, f->words) +
                   bits_count(c->starts, g->needed, f->words) <=
               FUSE_OPERANDS;
}

/* Operators of other groups that read h row by row; -1 when somebody else needs its value. */
static int other_readers(const Fuser *f, const Hop *h, const Chain *c)
{
    const FuseNode *n = fuse_node(f, h);
    int count = 0;

    FOR_BITS (k, n->readers, f->words) {
        const Hop *reader = f->dag->nodes[k];

        if (bit_get(c->group->members, k))
            continue;
        if (!reads_rows(f, reader, h) || !has_room(f, fuse_group(f, reader), c))
            return -1;
        count++;
    }
    return n->kept ? -1 : count;
}

/* Each reader computes the chain for itself; what it starts from must then be there. */
static void repeat(Fuser *f, const Hop *h, const Chain *c)
{
    f->nodes[h->id].repeated = true;
    FOR_BITS (k, c->starts, f->words)
        f->nodes[k].kept |= bit_get(c->group->members, k);
    FOR_BITS (k, f->nodes[h->id].readers, f->words)
        if (!bit_get(c->group->members, k)) {
            Group *g = &f->groups[f->nodes[k].group];

            bits_add(g->needed, c->starts, f->words);
            g->size += c->size;
        }
}

static ml_status decide_repeat(Fuser *f, const Hop *h)
{
    Chain c = {.group = fuse_group(f, h),
               .nodes = ARENA_ARRAY(f->arena, Bits, f->words),
               .starts = ARENA_ARRAY(f->arena, Bits, f->words)};
    const double bytes = fuse_cells(h) * sizeof(double);
    int readers;

    if (!c.nodes || !c.starts)
        return fail_memory(f->ctx, (size_t)f->words * sizeof(Bits));
    walk_chain(f, &c, h);
    readers = other_readers(f, h, &c);
    if (readers > 0 && readers * (c.flops / flops_second + c.bytes / bytes_second) <
                           (WRITE_WEIGHT + readers) * bytes / bytes_second)
        repeat(f, h, &c);
    return ML_OK;
}

static ml_status decide_repeats(Fuser *f)
{
    for (int k = f->dag->count - 1; k >= 0; k--) {
        const Hop *h = f->dag->nodes[k];
        const Group *g = fuse_group(f, h);

        if (g && fuse_node(f, h)->role == FUSE_CELLS && fuse_cells(h) >= MANY_CELLS &&
            fuse_is_result(f, g, h))
            TRY(decide_repeat(f, h));
    }
    return ML_OK;
}

/* ---- groups that pay ---- */

static double most_cells(const Fuser *f, const Group *g)
{
    double most = 0;

    FOR_BITS (k, g->members, f->words)
        most = fmax(most, fuse_cells(f->dag->nodes[k]));
    FOR_BITS (k, g->needed, f->words)
        most = fmax(most, fuse_cells(f->dag->nodes[k]));
    return most;
}

static bool pays(const Fuser *f, const Group *g)
{
    const double cells = most_cells(f, g);

    return g->size > 1 && cells >= LEAST_CELLS &&
           !(g->by_rows && g->rows < FEW_ROWS && cells > MANY_CELLS);
}

static void dissolve(Fuser *f, Group *g)
{
    FOR_BITS (k, g->members, f->words)
        f->nodes[k].group = -1;
    g->size = 0;
}

/* After the chains, as a lone reader of one is a pipeline of them both. */
ml_status fuse_decide(Fuser *f)
{
    TRY(decide_repeats(f));
    for (int k = 0; k < f->dag->count; k++)
        if (f->groups[k].size > 0 && !pays(f, &f->groups[k]))
            dissolve(f, &f->groups[k]);
    return ML_OK;
}
