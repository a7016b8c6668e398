/* DAG nodes: made once, found again by hash.
 *
 * Invariants: a node's inputs have smaller ids; two pure operator nodes of one DAG never have equal
 * operator and inputs; operators over literals that have a scalar form and succeed are literals.
 * Cost: one hash and one comparison a node. */
#include "hop/hop.h"

#include <string.h>

Dag *dag_new(Arena *arena)
{
    Dag *dag = ARENA_NEW(arena, Dag);

    if (dag)
        dag->arena = arena;
    return dag;
}

/* Double an array that lives in the arena. */
static bool grow(Arena *arena, void **items, int count, int *capacity, size_t size)
{
    int want = *capacity ? *capacity * 2 : 16;
    void *bigger;

    if (count < *capacity)
        return true;
    bigger = arena_alloc(arena, (size_t)want * size);
    if (!bigger)
        return false;
    if (count)
        memcpy(bigger, *items, (size_t)count * size);
    *items = bigger;
    *capacity = want;
    return true;
}

bool dag_root(Dag *dag, Hop *hop, int slot)
{
    if (!grow(dag->arena, (void **)&dag->roots, dag->nroots, &dag->roots_capacity, sizeof(Root)))
        return false;
    dag->roots[dag->nroots++] = (Root){hop, slot};
    return true;
}

static uint64_t value_hash(Value v)
{
    uint64_t h = hash_mix(v.dt, v.vt);

    if (v.dt == DT_SCALAR && v.vt == VT_STRING)
        return hash_bytes(v.s->text, (size_t)v.s->size, h);
    return hash_mix(h, v.vt == VT_BOOL ? (uint64_t)v.b : (uint64_t)v.i);
}

static bool value_same(Value a, Value b)
{
    if (a.dt != b.dt || a.vt != b.vt)
        return false;
    if (a.vt == VT_STRING)
        return a.s == b.s ||
               (a.s->size == b.s->size && memcmp(a.s->text, b.s->text, (size_t)a.s->size) == 0);
    return a.vt == VT_BOOL ? a.b == b.b : a.i == b.i; /* doubles by their bits: -0 is not 0 */
}

uint64_t hop_literal_hash(const Hop *h)
{
    return value_hash(h->lit);
}

bool hop_literal_same(const Hop *a, const Hop *b)
{
    return value_same(a->lit, b->lit);
}

static uint64_t node_hash(const Hop *h)
{
    uint64_t x = hash_mix((uint64_t)h->kind, (uint64_t)h->op);

    x = hash_mix(x, (uint64_t)(h->slot + 1));
    x = hash_mix(x, (uint64_t)h->index);
    if (h->kind == HOP_LITERAL)
        x = hash_mix(x, value_hash(h->lit));
    for (int k = 0; k < h->nin; k++)
        x = hash_mix(x, h->in[k] ? (uint64_t)h->in[k]->id + 1 : 0);
    return x;
}

static bool node_same(const Hop *a, const Hop *b)
{
    if (a->hash != b->hash || a->kind != b->kind || a->op != b->op || a->slot != b->slot ||
        a->index != b->index || a->nin != b->nin || a->names || b->names)
        return false;
    if (a->kind == HOP_LITERAL && !value_same(a->lit, b->lit))
        return false;
    return a->nin == 0 || memcmp(a->in, b->in, (size_t)a->nin * sizeof *a->in) == 0;
}

bool hop_has_effect(const Hop *h)
{
    return h->kind == HOP_OP && (op_table[h->op].props & P_EFFECT) != 0;
}

/* Random operators are fixed by a literal seed. */
bool hop_is_unique(const Hop *h)
{
    const OpInfo *op;

    if (h->kind != HOP_OP)
        return false;
    op = &op_table[h->op];
    if (op->props & P_EFFECT)
        return true;
    if (!(op->props & P_RANDOM))
        return false;
    for (int k = 0; k < op_nargs(op); k++)
        if (strcmp(op->args[k].name, "seed") == 0)
            return !h->in[k] || h->in[k]->kind != HOP_LITERAL || h->in[k]->lit.vt != VT_INT ||
                   h->in[k]->lit.i < 0;
    return true;
}

static Hop **bucket_of(Dag *dag, uint64_t hash)
{
    return dag->nbuckets ? &dag->buckets[hash & (uint64_t)(dag->nbuckets - 1)]
                         : &dag->few[hash & (DAG_BUCKETS - 1)];
}

/* Without memory for more the chains only get longer. */
static void more_buckets(Dag *dag)
{
    const int n = 4 * (dag->nbuckets ? dag->nbuckets : DAG_BUCKETS);
    Hop **old = dag->nbuckets ? dag->buckets : dag->few;
    const int count = dag->nbuckets ? dag->nbuckets : DAG_BUCKETS;
    Hop **buckets = ARENA_ARRAY(dag->arena, Hop *, n);

    if (!buckets)
        return;
    dag->buckets = buckets;
    dag->nbuckets = n;
    for (int k = 0; k < count; k++)
        for (Hop *h = old[k], *next; h; h = next) {
            next = h->chain;
            h->chain = *bucket_of(dag, h->hash);
            *bucket_of(dag, h->hash) = h;
        }
}

/* The equal node that exists, or a copy of the candidate. */
static Hop *intern(Dag *dag, const Hop *candidate)
{
    Hop *h = NULL;
    bool unique = hop_is_unique(candidate);
    Hop probe = *candidate;

    probe.hash = node_hash(&probe);
    for (h = unique ? NULL : *bucket_of(dag, probe.hash); h; h = h->chain)
        if (node_same(h, &probe))
            return h;
    h = ARENA_NEW(dag->arena, Hop);
    if (!h || !grow(dag->arena, (void **)&dag->nodes, dag->count, &dag->capacity, sizeof(Hop *)))
        return NULL;
    *h = probe;
    if (h->nin) {
        h->in = ARENA_ARRAY(dag->arena, Hop *, h->nin);
        if (!h->in)
            return NULL;
        memcpy(h->in, candidate->in, (size_t)h->nin * sizeof(Hop *));
    }
    h->id = dag->count;
    h->site = dag->site;
    h->dims = (Dims){-1, -1, -1};
    h->bytes = -1;
    if (!unique) {
        if (dag->count > 2 * (dag->nbuckets ? dag->nbuckets : DAG_BUCKETS))
            more_buckets(dag);
        h->chain = *bucket_of(dag, h->hash);
        *bucket_of(dag, h->hash) = h;
    }
    dag->nodes[dag->count++] = h;
    return h;
}

Hop *hop_literal(Dag *dag, Value v, Span span)
{
    return intern(dag, &(Hop){.kind = HOP_LITERAL,
                              .lit = v,
                              .slot = -1,
                              .span = span,
                              .dt = DT_SCALAR,
                              .vt = v.vt,
                              .number = is_numeric(v.vt) && !v.textual});
}

Hop *hop_read(Dag *dag, int slot, Span span)
{
    return intern(dag, &(Hop){.kind = HOP_READ, .slot = slot, .span = span});
}

Hop *hop_result(Dag *dag, Hop *of, int index, Span span)
{
    return intern(
        dag,
        &(Hop){.kind = HOP_RESULT, .slot = -1, .index = index, .in = &of, .nin = 1, .span = span});
}

/* The value of an operator over scalar literals; value_none() when it has none or fails - then the
 * error is the run's. */
static Value fold(Ctx *ctx, const OpInfo *op, Hop **in, int nin)
{
    Value args[OP_ARGS], out = value_none();

    if (!op->scalar || nin > OP_ARGS || (op->props & (P_EFFECT | P_RANDOM)))
        return out;
    for (int k = 0; k < nin; k++) {
        if (in[k] && in[k]->kind != HOP_LITERAL)
            return out;
        args[k] = in[k] ? in[k]->lit : value_none();
    }
    if (op->scalar(ctx, args, nin, &out) != ML_OK) {
        ctx->err.code = ML_OK;
        return value_none();
    }
    return out;
}

Hop *hop_op(Ctx *ctx, Unit *unit, Dag *dag, int op, Hop **in, const char **names, int nin,
            Span span)
{
    Value v = fold(ctx, &op_table[op], in, nin);

    if (v.dt == DT_SCALAR) {
        if (v.vt == VT_STRING && !VEC_PUSH(&unit->literals, v)) {
            value_release(v);
            return NULL;
        }
        return hop_literal(dag, v, span);
    }
    return intern(dag, &(Hop){.kind = HOP_OP,
                              .op = op,
                              .in = in,
                              .nin = nin,
                              .names = names,
                              .slot = -1,
                              .span = span});
}

void hop_take_facts(Hop *h, const Hop *old)
{
    if (!h->variable)
        h->variable = old->variable;
    h->sure = old->sure;
    h->number = old->number;
    h->dt = old->dt;
    h->vt = old->vt;
    h->dims = old->dims;
    h->expected = old->expected;
    h->rows_name = old->rows_name;
    h->cols_name = old->cols_name;
    h->lit = old->lit;
    h->bytes = old->bytes;
    h->seconds = old->seconds;
    h->rule = old->rule;
    h->why = old->why;
}

Hop *hop_remake(Ctx *ctx, Unit *unit, Dag *dag, const Hop *old, Hop *const *map)
{
    Hop *in_local[OP_ARGS], **in = in_local, *h;
    const int before = dag->count;

    if (old->nin > OP_ARGS) {
        in = ARENA_ARRAY(dag->arena, Hop *, old->nin);
        if (!in)
            return NULL;
    }
    for (int k = 0; k < old->nin; k++)
        in[k] = old->in[k] ? map[old->in[k]->id] : NULL;
    dag->site = old->site;
    switch (old->kind) {
    case HOP_LITERAL:
        return hop_literal(dag, old->lit, old->span);
    case HOP_READ:
        h = hop_read(dag, old->slot, old->span);
        break;
    case HOP_RESULT:
        h = hop_result(dag, in[0], old->index, old->span);
        break;
    default:
        h = hop_op(ctx, unit, dag, old->op, in, old->names, old->nin, old->span);
    }
    if (h && dag->count > before)
        h->said = old->said;
    if (h && h->kind != HOP_LITERAL)
        hop_take_facts(h, old);
    return h;
}

Dag *dag_copy(const Dag *dag, Arena *arena)
{
    Dag *copy = dag_new(arena);
    Hop **map = ARENA_ARRAY(arena, Hop *, dag->count + 1);
    Ctx quiet = {0};
    Unit unit = {0};

    if (!copy || !map)
        return NULL;
    for (int k = 0; k < dag->count; k++) {
        map[k] = hop_remake(&quiet, &unit, copy, dag->nodes[k], map);
        if (!map[k])
            return NULL;
        map[k]->uses = dag->nodes[k]->uses;
    }
    for (int k = 0; k < dag->nroots; k++)
        if (!dag_root(copy, map[dag->roots[k].hop->id], dag->roots[k].slot))
            return NULL;
    return copy;
}
