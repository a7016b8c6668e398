/* Linearize a DAG: operators in the order in which the roots need them, operands resolved to slots,
 * values freed at their last use. Requires: sizes inferred, rewrites applied, liveness of the
 * block.
 *
 * A root's operator writes straight into its variable when nothing later in the block reads the
 * variable's old value; otherwise it writes a temporary that is moved at the end.  Temporaries are
 * reused once dead.  Cost: linear in nodes. */
#include "plan/plan.h"

#include <string.h>

typedef struct Emit {
    Ctx *ctx;
    const Unit *unit;
    const Routine *r;
    const Block *block;
    const Backend *backend;
    Plan *plan;
    Dag *dag;
    const Hop **order; /* operators as they will run */
    int norder;
    int *place;    /* by node id: operand of its value */
    int *last_use; /* by node id: index in order of the last instruction that reads it; norder: a
                      final move */
    int *home;     /* by node id: variable slot to write into, -1 none */
    VEC(int) idle; /* temporaries free to use */
    VEC(int32_t) frees;
    VEC(Value) literals;
} Emit;

static ml_status no_memory(const Emit *e)
{
    return fail_memory(e->ctx, sizeof(Instr));
}

/* ---- order and last uses ---- */

/* Depth first, inputs before consumers, without recursion deeper than the DAG is high. */
static void visit(Emit *e, const Hop *h, bool *seen)
{
    if (seen[h->id])
        return;
    seen[h->id] = true;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k])
            visit(e, h->in[k], seen);
    if (h->kind == HOP_OP)
        e->order[e->norder++] = h;
}

static ml_status order_operators(Emit *e)
{
    bool *seen = mem_calloc((size_t)e->dag->count + 1, sizeof *seen);

    if (!seen)
        return no_memory(e);
    for (int k = 0; k < e->dag->nroots; k++)
        visit(e, e->dag->roots[k].hop, seen);
    mem_free(seen);
    return ML_OK;
}

static void note_uses(Emit *e)
{
    for (int k = 0; k < e->dag->count; k++)
        e->last_use[k] = -1;
    for (int i = 0; i < e->norder; i++) {
        const Hop *h = e->order[i];

        for (int k = 0; k < h->nin; k++)
            if (h->in[k])
                e->last_use[h->in[k]->id] = i;
    }
}

/* The node that holds a variable's value at entry, NULL when the block does not read it. */
static const Hop *read_of(const Emit *e, int slot)
{
    for (int k = 0; k < e->dag->count; k++)
        if (e->dag->nodes[k]->kind == HOP_READ && e->dag->nodes[k]->slot == slot)
            return e->dag->nodes[k];
    return NULL;
}

static int index_in_order(const Emit *e, const Hop *h)
{
    for (int i = 0; i < e->norder; i++)
        if (e->order[i] == h)
            return i;
    return -1;
}

/* Which variable can each operator write straight into?  Variables that are dead after the block
 * get no value at all. */
static void choose_homes(Emit *e)
{
    for (int k = 0; k < e->dag->count; k++)
        e->home[k] = -1;
    for (int k = 0; k < e->dag->nroots; k++)
        if (e->dag->roots[k].slot >= 0 && !slot_in(e->block->live_out, e->dag->roots[k].slot))
            e->dag->roots[k].slot = -1;
    for (int k = 0; k < e->dag->nroots; k++) {
        Root root = e->dag->roots[k];
        const Hop *of = root.hop->kind == HOP_RESULT ? root.hop->in[0] : root.hop;
        const Hop *old;

        if (root.slot < 0 || of->kind != HOP_OP || e->home[root.hop->id] >= 0)
            continue;
        old = read_of(e, root.slot);
        if (!old || e->last_use[old->id] <= index_in_order(e, of))
            e->home[root.hop->id] = root.slot;
    }
}

/* A matrix, frame or list that the block assigns anew without reading what was there makes room for
 * what comes. */
static ml_status note_overwritten(Emit *e)
{
    e->plan->overwritten = ARENA_ARRAY(e->plan->arena, int32_t, e->dag->nroots + 1);
    if (!e->plan->overwritten)
        return no_memory(e);
    for (int k = 0; k < e->dag->nroots; k++) {
        const Root root = e->dag->roots[k];

        if (root.slot >= 0 && root.hop->dt != DT_SCALAR && !read_of(e, root.slot))
            e->plan->overwritten[e->plan->noverwritten++] = root.slot;
    }
    return ML_OK;
}

/* Does a root after the operators need this node's value? */
static void note_final_moves(Emit *e)
{
    for (int k = 0; k < e->dag->nroots; k++) {
        Root root = e->dag->roots[k];

        if (root.slot >= 0 && e->home[root.hop->id] != root.slot && root.hop->kind != HOP_LITERAL)
            e->last_use[root.hop->id] = e->norder;
    }
}

/* ---- places ---- */

static bool is_assigned(const Emit *e, int slot)
{
    for (int k = 0; k < e->dag->nroots; k++)
        if (e->dag->roots[k].slot == slot)
            return true;
    return false;
}

static int new_temporary(Emit *e)
{
    if (e->idle.count)
        return e->idle.items[--e->idle.count];
    return e->r->nslots + e->plan->ntemps++;
}

static ml_status place_literal(Emit *e, const Hop *h)
{
    e->place[h->id] = ~e->literals.count;
    return VEC_PUSH(&e->literals, h->lit) ? ML_OK : no_memory(e);
}

static Instr *new_instr(Emit *e, InstrKind kind, const Hop *h)
{
    Instr *in = &e->plan->instrs[e->plan->count++];

    in->kind = (uint8_t)kind;
    in->span = h->span;
    in->site = h->site;
    in->nout = 1;
    in->over = -1;
    in->out = OPERAND_NONE;
    return in;
}

/* Values that no later instruction reads: temporaries, and variables that are dead after the block
 * or overwritten in it. */
static bool dies_at(const Emit *e, const Hop *h, int i)
{
    if (e->last_use[h->id] != i || h->kind == HOP_LITERAL)
        return false;
    if (h->kind == HOP_READ)
        return is_assigned(e, h->slot) || !slot_in(e->block->live_out, h->slot);
    return e->home[h->id] < 0;
}

static ml_status keep_frees(Emit *e, Instr *in)
{
    in->nfrees = (uint16_t)e->frees.count;
    if (!e->frees.count)
        return ML_OK;
    in->frees = ARENA_ARRAY(e->plan->arena, int32_t, e->frees.count);
    if (!in->frees)
        return no_memory(e);
    memcpy(in->frees, e->frees.items, (size_t)e->frees.count * sizeof(int32_t));
    return ML_OK;
}

static ml_status add_free(Emit *e, int32_t slot)
{
    for (int k = 0; k < e->frees.count; k++)
        if (e->frees.items[k] == slot)
            return ML_OK;
    if (slot >= e->r->nslots && !VEC_PUSH(&e->idle, slot))
        return no_memory(e);
    return VEC_PUSH(&e->frees, slot) ? ML_OK : no_memory(e);
}

static ml_status emit_operands(Emit *e, Instr *in, const Hop *h, int i)
{
    e->frees.count = 0;
    in->nin = (uint16_t)h->nin;
    in->in = ARENA_ARRAY(e->plan->arena, int32_t, h->nin + 1);
    in->in_spans = ARENA_ARRAY(e->plan->arena, Span, h->nin + 1);
    if (!in->in || !in->in_spans)
        return no_memory(e);
    for (int k = 0; k < h->nin; k++)
        in->in_spans[k] = h->in[k] ? h->in[k]->span : h->span;
    for (int k = 0; k < h->nin; k++) {
        const Hop *arg = h->in[k];

        if (!arg) {
            in->in[k] = OPERAND_NONE;
            continue;
        }
        if (arg->kind == HOP_LITERAL)
            TRY(place_literal(e, arg));
        in->in[k] = e->place[arg->id];
        if (dies_at(e, arg, i)) {
            if (k < 32 && unit_does(e->unit, PASS_in_place))
                in->last |= UINT32_C(1) << k;
            TRY(add_free(e, in->in[k]));
        }
    }
    for (int k = 0; k < h->nin;
         k++) /* an operand given twice has two readers: it may not be overwritten */
        for (int j = k + 1; j < h->nin && j < 32; j++)
            if (h->in[k] && h->in[k] == h->in[j])
                in->last &= ~(UINT32_C(1) << k | UINT32_C(1) << j);
    return ML_OK;
}

/* Nowhere, when nobody reads it. */
static int32_t place_result(Emit *e, const Hop *h)
{
    if (e->home[h->id] < 0 && e->last_use[h->id] < 0)
        return OPERAND_NONE;
    e->place[h->id] = e->home[h->id] >= 0 ? e->home[h->id] : new_temporary(e);
    return e->place[h->id];
}

/* Results after the first have nodes of their own where they are used. */
static ml_status emit_results(Emit *e, Instr *in, const Hop *h)
{
    int n = op_nresults(hop_info(h));

    if (n <= 1) {
        in->nout = (uint16_t)n;
        in->out = n ? place_result(e, h) : OPERAND_NONE;
        return ML_OK;
    }
    in->nout = (uint16_t)n;
    in->outs = ARENA_ARRAY(e->plan->arena, int32_t, n);
    if (!in->outs)
        return no_memory(e);
    for (int k = 0; k < n; k++)
        in->outs[k] = OPERAND_NONE;
    in->out = in->outs[0] = place_result(e, h);
    for (int k = 0; k < e->dag->count; k++) {
        const Hop *x = e->dag->nodes[k];

        if (x->kind == HOP_RESULT && x->in[0] == h)
            in->outs[x->index] = place_result(e, x);
    }
    return ML_OK;
}

/* Names as the script wrote them: of the arguments of list(a=1), else of the variables that are
 * operands, for messages. */
static ml_status emit_names(Emit *e, Instr *in, const Hop *h)
{
    const char **names;

    if (!h->nin || (!h->names && (hop_info(h)->props & P_VARIADIC)))
        return ML_OK;
    names = ARENA_ARRAY(e->plan->arena, const char *, h->nin);
    if (!names)
        return no_memory(e);
    for (int k = 0; k < h->nin; k++)
        if (h->names)
            names[k] = h->names[k];
        else if (h->said)
            names[k] = h->said[k];
        else if (h->in[k])
            names[k] =
                h->in[k]->kind == HOP_READ ? e->r->names[h->in[k]->slot] : h->in[k]->variable;
    in->names = names;
    return ML_OK;
}

static bool is_dense(const Hop *h)
{
    return h->dt == DT_MATRIX && h->dims.rows >= 0 && h->dims.cols >= 0 && h->dims.nnz >= 0 &&
           !matrix_is_sparse(h->dims.rows, h->dims.cols, h->dims.nnz);
}

/* The operand that dies here and whose memory the kernel will take for the result, as far as
 * estimates tell. */
static int16_t taken_over(const Instr *in, const Hop *h)
{
    for (int k = 0; k < h->nin && k < 32; k++) {
        const Hop *x = h->in[k];

        if ((in->last >> k & 1) && op_in_place(hop_info(h), h->nin, k) && is_dense(x) &&
            is_dense(h) && x->dims.rows == h->dims.rows && x->dims.cols == h->dims.cols)
            return (int16_t)k;
    }
    return -1;
}

static ml_status emit_reason(Emit *e, Instr *in, const Hop *h)
{
    in->over = taken_over(in, h);
    in->bytes_in = hop_bytes_in(h);
    if (!h->why)
        return ML_OK;
    in->why = arena_text(e->plan->arena, h->why, strlen(h->why));
    return in->why ? ML_OK : no_memory(e);
}

static ml_status emit_operator(Emit *e, const Hop *h, int i)
{
    Instr *in = new_instr(e, INSTR_OP, h);

    in->op = h->op;
    in->fn = e->backend->operator_fn(h->op);
    if (!in->fn && !hop_info(h)->scalar)
        in->kind = INSTR_RUN;
    in->scalar = hop_info(h)->scalar && (h->nin == 1 || h->nin == 2);
    in->dims = h->dims;
    in->bytes = h->bytes;
    in->expected = h->expected;
    in->dt = (uint8_t)h->dt;
    TRY(emit_operands(e, in, h, i));
    TRY(emit_reason(e, in, h));
    TRY(emit_names(e, in, h));
    TRY(emit_results(e, in, h));
    return keep_frees(e, in);
}

/* ---- reads and moves ---- */

/* An old value that a final move needs although its variable gets a new one is saved first (a swap:
 * t=a; a=b; b=t). */
static ml_status place_reads(Emit *e)
{
    for (int k = 0; k < e->dag->count; k++) {
        const Hop *h = e->dag->nodes[k];
        Instr *in;

        if (h->kind != HOP_READ)
            continue;
        e->place[k] = h->slot;
        if (e->last_use[k] != e->norder || !is_assigned(e, h->slot))
            continue;
        in = new_instr(e, INSTR_MOVE, h);
        in->in = ARENA_ARRAY(e->plan->arena, int32_t, 1);
        if (!in->in)
            return no_memory(e);
        in->in[0] = h->slot;
        in->nin = 1;
        e->place[k] = in->out = new_temporary(e);
    }
    return ML_OK;
}

static ml_status emit_move(Emit *e, Root root)
{
    Instr *in;

    if (root.slot < 0 || e->home[root.hop->id] == root.slot)
        return ML_OK;
    if (root.hop->kind == HOP_READ && root.hop->slot == root.slot &&
        e->place[root.hop->id] == root.slot)
        return ML_OK; /* x = x */
    in = new_instr(e, INSTR_MOVE, root.hop);
    in->in = ARENA_ARRAY(e->plan->arena, int32_t, 1);
    if (!in->in)
        return no_memory(e);
    if (root.hop->kind == HOP_LITERAL)
        TRY(place_literal(e, root.hop));
    in->in[0] = e->place[root.hop->id];
    in->nin = 1;
    in->out = root.slot;
    in->dt = (uint8_t)root.hop->dt;
    in->dims = root.hop->dims;
    return ML_OK;
}

/* Does the value that a final move copied have no further reader? */
static bool dies_after_moves(const Emit *e, const Hop *h)
{
    if (h->kind == HOP_LITERAL || e->last_use[h->id] != e->norder)
        return false;
    return e->place[h->id] >= e->r->nslots || (h->kind == HOP_READ && !is_assigned(e, h->slot) &&
                                               !slot_in(e->block->live_out, h->slot));
}

static ml_status free_moved(Emit *e)
{
    Instr *in = e->plan->count ? &e->plan->instrs[e->plan->count - 1] : NULL;

    if (!in || in->kind != INSTR_MOVE)
        return ML_OK;
    e->frees.count = 0;
    for (int k = 0; k < e->dag->count; k++)
        if (dies_after_moves(e, e->dag->nodes[k]))
            TRY(add_free(e, e->place[k]));
    return keep_frees(e, in);
}

static ml_status emit_all(Emit *e)
{
    TRY(order_operators(e));
    note_uses(e);
    choose_homes(e);
    note_final_moves(e);
    TRY(note_overwritten(e));
    TRY(place_reads(e));
    for (int i = 0; i < e->norder; i++)
        TRY(emit_operator(e, e->order[i], i));
    for (int k = 0; k < e->dag->nroots; k++)
        TRY(emit_move(e, e->dag->roots[k]));
    TRY(free_moved(e));
    e->plan->nliterals = e->literals.count;
    e->plan->literals = ARENA_ARRAY(e->plan->arena, Value, e->literals.count + 1);
    if (!e->plan->literals)
        return no_memory(e);
    if (e->literals.count)
        memcpy(e->plan->literals, e->literals.items, (size_t)e->literals.count * sizeof(Value));
    return ML_OK;
}

static ml_status emit_setup(Emit *e)
{
    int n = e->dag->count + 1;
    Arena *a = e->dag->arena;

    e->order = ARENA_ARRAY(a, const Hop *, n);
    e->place = ARENA_ARRAY(a, int, n);
    e->last_use = ARENA_ARRAY(a, int, n);
    e->home = ARENA_ARRAY(a, int, n);
    e->plan->instrs = ARENA_ARRAY(e->plan->arena, Instr, n + e->dag->count + e->dag->nroots);
    return e->order && e->place && e->last_use && e->home && e->plan->instrs ? ML_OK : no_memory(e);
}

/* With facts of this entry the DAG is a copy that may be rewritten; the shared one stays as it is.
 */
ml_status plan_dag(Ctx *ctx, Unit *unit, const Routine *r, const Block *block, const VarInfo *vars,
                   Arena *arena, Dag **out)
{
    *out = dag_copy(block->dag, arena);
    if (!*out)
        return fail_memory(ctx, sizeof(Dag));
    if (vars)
        dag_infer(ctx, *out, vars);
    if (unit_does(unit, PASS_product_chains))
        TRY(dag_chains(ctx, unit, r, *out, vars));
    if (unit->opt > 1 && !block->sizes_known)
        TRY(dag_rewrite(ctx, unit, *out, REWRITE_CHOOSE));
    return unit_does(unit, PASS_fusion) ? dag_fuse(ctx, unit, *out, block->live_out) : ML_OK;
}

ml_status plan_block(Ctx *ctx, Unit *unit, const Routine *r, const Block *block,
                     const VarInfo *vars, const Backend *backend, Plan **out)
{
    Emit e = {.ctx = ctx, .unit = unit, .r = r, .block = block, .backend = backend};
    Arena *scratch = arena_new(), *arena = arena_new();
    ml_status st = ML_OK;

    e.plan = arena ? ARENA_NEW(arena, Plan) : NULL;
    if (!e.plan || !scratch) {
        st = fail_memory(ctx, sizeof(Plan));
    } else {
        e.plan->arena = arena;
        st = plan_dag(ctx, unit, r, block, vars, scratch, &e.dag);
    }
    if (st == ML_OK)
        st = emit_setup(&e);
    if (st == ML_OK)
        st = emit_all(&e);
    VEC_FREE(&e.idle);
    VEC_FREE(&e.frees);
    VEC_FREE(&e.literals);
    arena_free(scratch);
    if (st == ML_OK)
        *out = e.plan;
    else
        arena_free(arena);
    return st;
}

void plan_free(Plan *plan)
{
    if (plan)
        arena_free(plan->arena);
}

/* Arguments rows, cols and the like of operators that make a matrix of a size given by scalars. */
static bool decides_size(const OpInfo *op)
{
    return op->shape == shape_matrix || op->shape == shape_rand || op->shape == shape_seq;
}

static void mark_scalars(const Hop *h, uint64_t *slots)
{
    if (!h || h->dt == DT_MATRIX || h->dt == DT_FRAME || h->dt == DT_LIST)
        return;
    if (h->kind == HOP_READ)
        slots[h->slot >> 6] |= UINT64_C(1) << (h->slot & 63);
    for (int k = 0; k < h->nin; k++)
        mark_scalars(h->in[k], slots);
}

void plan_size_slots(const Dag *dag, uint64_t *slots)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind == HOP_OP && decides_size(hop_info(h)))
            for (int j = 0; j < h->nin; j++)
                mark_scalars(h->in[j], slots);
    }
}
