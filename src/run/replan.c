/* Plans of a block: one for ever where all sizes are known at compile time, otherwise one for each
 * signature of the inputs.
 *
 * The signature covers what the block reads: data type, size, format, sparsity class, and the
 * values of scalars that decide the size of a new matrix.  Values of other scalars and of cells are
 * not in it, so a loop that only changes values never plans twice.  At most PLANS_KEPT plans are
 * kept a block, the least recently used goes first. */
#include "run/interp.h"

#include <string.h>

enum { PLANS_KEPT = 32 };

struct BlockPlans {
    Plan *list; /* most recently used first */
    int count;
    int *reads; /* slots that the block reads */
    int nreads;
    uint64_t *size_slots; /* bit set: scalars whose values count */
};

static BlockPlans *plans_new(Run *run, const Routine *r, const Block *block)
{
    Arena *a = run->unit.arena;
    BlockPlans *p = ARENA_NEW(a, BlockPlans);

    if (!p)
        return NULL;
    p->reads = ARENA_ARRAY(a, int, block->dag->count + 1);
    p->size_slots = ARENA_ARRAY(a, uint64_t, r->nwords + 1);
    if (!p->reads || !p->size_slots)
        return NULL;
    for (int k = 0; k < block->dag->count; k++)
        if (block->dag->nodes[k]->kind == HOP_READ)
            p->reads[p->nreads++] = block->dag->nodes[k]->slot;
    plan_size_slots(block->dag, p->size_slots);
    return p;
}

/* Not the exact number of nonzeros: 0 empty, 1 dense by the format rule, else 2 and one more for
 * each power of 4 by which the cells outnumber the nonzeros. */
static uint64_t sparsity_class(const Matrix *m)
{
    uint64_t class_ = 2;

    if (m->nnz == 0)
        return 0;
    if (!matrix_is_sparse(m->rows, m->cols, m->nnz))
        return 1;
    for (double cells = (double)m->rows * (double)m->cols; cells > (double)m->nnz; cells /= 4)
        class_++;
    return class_;
}

static uint64_t hash_scalar(uint64_t h, Value v)
{
    if (v.vt == VT_STRING)
        return hash_bytes(v.s->text, (size_t)v.s->size, h);
    return hash_mix(hash_mix(h, v.vt), v.vt == VT_BOOL ? (uint64_t)v.b : (uint64_t)v.i);
}

static uint64_t hash_value(uint64_t h, Value v, bool by_value)
{
    h = hash_mix(h, v.dt);
    if (v.dt == DT_MATRIX) {
        h = hash_mix(h, (uint64_t)v.m->rows);
        h = hash_mix(h, (uint64_t)v.m->cols);
        return hash_mix(h, (uint64_t)v.m->format * 64 + sparsity_class(v.m));
    }
    if (v.dt == DT_FRAME)
        return hash_mix(hash_mix(h, (uint64_t)v.f->rows), (uint64_t)v.f->cols);
    return v.dt == DT_SCALAR && by_value ? hash_scalar(h, v) : h;
}

static uint64_t signature(const BlockPlans *p, const Value *frame)
{
    uint64_t h = 1;

    for (int k = 0; k < p->nreads; k++)
        h = hash_value(h, frame[p->reads[k]], slot_in(p->size_slots, p->reads[k]));
    return h;
}

static VarInfo info_now(Value v, bool by_value)
{
    VarInfo info = var_unknown();

    info.dt = (DataType)v.dt;
    info.value = v.dt == DT_MATRIX ? v.m : NULL;
    if (v.dt == DT_MATRIX)
        info.dims = (Dims){v.m->rows, v.m->cols, v.m->nnz};
    else if (v.dt == DT_FRAME)
        info.dims = (Dims){v.f->rows, v.f->cols, -1};
    else if (v.dt == DT_SCALAR && by_value && v.vt != VT_STRING && !v.textual)
        info.lit = v;
    return info;
}

static bool plans_once(const Run *run, const Block *block)
{
    return block->sizes_known || !unit_does(&run->unit, PASS_recompile);
}

/* Facts by slot, of which a plan uses those that its block reads. */
static ml_status facts_now(Run *run, const Routine *r, const Value *frame, const BlockPlans *p)
{
    if (run->nfacts < r->nslots) {
        VarInfo *more = mem_realloc(run->facts, (size_t)r->nslots * sizeof *more);

        if (!more)
            return fail_memory(run->ctx, (size_t)r->nslots * sizeof *more);
        run->facts = more;
        run->nfacts = r->nslots;
    }
    for (int k = 0; k < p->nreads; k++)
        run->facts[p->reads[k]] = info_now(frame[p->reads[k]], slot_in(p->size_slots, p->reads[k]));
    return ML_OK;
}

static ml_status make_plan(Run *run, const Routine *r, const Value *frame, const Block *block,
                           const BlockPlans *p, Plan **out)
{
    const bool once = plans_once(run, block);

    if (!once)
        TRY(facts_now(run, r, frame, p));
    return plan_block(run->ctx, &run->unit, r, block, once ? NULL : run->facts, run->backend, out);
}

static void drop_last(BlockPlans *p)
{
    Plan **at = &p->list;

    while (*at && (*at)->next)
        at = &(*at)->next;
    plan_free(*at);
    *at = NULL;
    p->count--;
}

static Plan *find_plan(BlockPlans *p, uint64_t sig)
{
    for (Plan **at = &p->list; *at; at = &(*at)->next)
        if ((*at)->signature == sig) {
            Plan *plan = *at;

            *at = plan->next;
            plan->next = p->list;
            p->list = plan;
            return plan;
        }
    return NULL;
}

static ml_status add_plan(Run *run, const Routine *r, const Value *frame, const Block *block,
                          BlockPlans *p, uint64_t sig, const Plan **out)
{
    const int64_t start = clock_now();
    Plan *plan;

    run->stats->plans_made++;
    TRY(make_plan(run, r, frame, block, p, &plan));
    run->stats->plan_ns += clock_now() - start;
    if (p->count == PLANS_KEPT)
        drop_last(p);
    plan->signature = sig;
    plan->next = p->list;
    p->list = plan;
    p->count++;
    *out = plan;
    return ML_OK;
}

/* The place of a block in the list, which grows to hold it; NULL: no memory. */
static BlockPlans **plans_of(Run *run, const Block *block)
{
    const int room = block->number + 64;
    BlockPlans **more;

    if (block->number < run->nplans)
        return &run->plans[block->number];
    more = mem_realloc(run->plans, (size_t)room * sizeof(BlockPlans *));
    if (!more)
        return NULL;
    memset(more + run->nplans, 0, (size_t)(room - run->nplans) * sizeof(BlockPlans *));
    run->plans = more;
    run->nplans = room;
    return &run->plans[block->number];
}

ml_status plan_for(Run *run, const Routine *r, const Value *frame, Block *block, const Plan **out)
{
    BlockPlans *p = block->number < run->nplans ? run->plans[block->number] : NULL;
    uint64_t sig;

    if (p && p->list && plans_once(run, block)) {
        *out = p->list;
        return ML_OK;
    }
    if (!p) {
        BlockPlans **at = plans_of(run, block);

        p = at ? plans_new(run, r, block) : NULL;
        if (!p)
            return fail_memory(run->ctx, sizeof *p);
        *at = p;
    }
    sig = plans_once(run, block) ? 0 : signature(p, frame);
    *out = find_plan(p, sig);
    if (!*out)
        return add_plan(run, r, frame, block, p, sig, out);
    run->stats->plans_reused++;
    return ML_OK;
}

void plans_free(Run *run)
{
    for (int k = 0; k < run->nplans; k++) {
        BlockPlans *p = run->plans[k];

        while (p && p->list) {
            Plan *next = p->list->next;

            plan_free(p->list);
            p->list = next;
        }
    }
    mem_free(run->plans);
}
