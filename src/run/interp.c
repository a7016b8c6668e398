/* The interpreter: program blocks and instructions.
 *
 * Operands are copied out of the frame without counting, as the frame holds them during the call.
 * After the call the slots that die are released and only then are results stored, so a result may
 * take the slot of an operand.  Scalar operators go straight to their scalar function, which knows
 * its types; before any other call the operands' types are held against the table, so kernels need
 * not ask for what no row of theirs allows. */
#include "run/interp.h"

enum { LOCAL_OPERANDS = 16 };

/* ---- instructions ---- */

static ml_status undefined(Run *run, const Routine *r, Span span, int32_t slot)
{
    const char *name = slot < r->nslots && r->names[slot] ? r->names[slot] : "of a temporary";

    return fail_at(run->ctx, span, ML_ENAME,
                   "variable '%s' has no value here: it is assigned only on another path", name);
}

ml_status slot_settle(Run *run, Value *slot)
{
    Matrix *settled = NULL;

    if (slot->dt != DT_MATRIX || !matrix_is_draft(slot->m))
        return ML_OK;
    TRY(matrix_settled(run->ctx, slot->m, &settled));
    matrix_release(slot->m);
    slot->m = settled;
    return ML_OK;
}

/* Drafts that the operator does not read become ordinary matrices: in their slots, so that it
 * happens once, and before any operand is taken, as one slot may come twice. */
static ml_status settle(Run *run, Value *frame, const Instr *in)
{
    const bool reads = op_table[in->op].props & P_DRAFT;

    for (int k = reads; k < in->nin; k++)
        if (in->in[k] >= 0)
            TRY(slot_settle(run, &frame[in->in[k]]));
    return ML_OK;
}

/* Fills args; *scalars: all are scalars or absent. */
static ml_status gather(Run *run, const Routine *r, Value *frame, const Plan *plan, const Instr *in,
                        Value *args, bool *scalars)
{
    const OpInfo *op = &op_table[in->op];

    TRY(settle(run, frame, in));
    *scalars = true;
    for (int k = 0; k < in->nin; k++) {
        int32_t x = in->in[k];

        if (x >= 0) {
            args[k] = frame[x];
            if (args[k].dt == DT_NONE && !(k < OP_ARGS && op->args[k].def))
                return undefined(run, r, in->in_spans[k], x);
        } else {
            args[k] = x == OPERAND_NONE ? value_none() : plan->literals[~x];
        }
        *scalars &= args[k].dt <= DT_SCALAR;
    }
    return ML_OK;
}

static ml_status execute(Run *run, const Instr *in, Value *args, bool scalars, Value *out)
{
    const OpInfo *op = &op_table[in->op];
    OpCall call = {.op = op,
                   .nin = in->nin,
                   .nout = in->nout,
                   .in = args,
                   .out = out,
                   .last = in->last,
                   .names = in->names};

    if (scalars && op->scalar)
        return op->scalar(run->ctx, args, in->nin, out);
    TRY(call_check_types(run->ctx, &call));
    if (in->kind != INSTR_RUN)
        return in->fn(run->ctx, &call);
    run->instr = in;
    return run_function(in->op)(run, &call);
}

ml_status run_operator_call(Run *run, OpCall *call)
{
    bool scalars = true;

    for (int k = 0; k < call->nin; k++)
        scalars &= call->in[k].dt <= DT_SCALAR;
    if (scalars && call->op->scalar)
        return call->op->scalar(run->ctx, call->in, call->nin, call->out);
    TRY(call_check_types(run->ctx, call));
    return run->backend->operator_fn((int)(call->op - op_table))(run->ctx, call);
}

static inline void store(Value *frame, int32_t slot, const Value *v)
{
    if (slot == OPERAND_NONE) {
        value_release(*v);
        return;
    }
    if (value_is_counted(frame[slot]))
        value_release_counted(frame[slot]);
    value_copy(&frame[slot], v);
}

static inline void finish(Value *frame, const Instr *in, const Value *out)
{
    for (int k = 0; k < in->nfrees; k++) {
        Value *dead = &frame[in->frees[k]];

        if (value_is_counted(*dead))
            value_release_counted(*dead);
        *dead = value_none();
    }
    if (in->nout == 1)
        store(frame, in->out, &out[0]);
    else
        for (int k = 0; k < in->nout; k++)
            store(frame, in->outs[k], &out[k]);
}

static ml_status run_operator(Run *run, const Routine *r, Value *frame, const Plan *plan,
                              const Instr *in)
{
    Value local[LOCAL_OPERANDS], *args = local, out[OP_RESULTS + 1] = {{0}};
    bool scalars;
    ml_status st;

    if (in->nin > LOCAL_OPERANDS) {
        args = mem_alloc(in->nin * sizeof *args);
        if (!args)
            return fail_memory(run->ctx, in->nin * sizeof *args);
    }
    st = gather(run, r, frame, plan, in, args, &scalars);
    if (st == ML_OK)
        st = execute(run, in, args, scalars, out);
    if (st == ML_OK)
        finish(frame, in, out);
    else
        for (int k = 0; k <= OP_RESULTS; k++)
            value_release(out[k]);
    if (args != local)
        mem_free(args);
    return st;
}

/* The short way for one or two scalars, which is what loops over scalars consist of.  *done: it
 * applied. */
static inline ml_status run_scalar(Run *run, Value *frame, const Plan *plan, const Instr *in,
                                   bool *done)
{
    Value args[2], out = {0};

    *done = false;
    for (int k = 0; k < in->nin; k++) {
        int32_t x = in->in[k];

        if (x == OPERAND_NONE)
            return ML_OK;
        value_copy(&args[k], x >= 0 ? &frame[x] : &plan->literals[~x]);
        if (args[k].dt != DT_SCALAR)
            return ML_OK;
    }
    *done = true;
    TRY(op_table[in->op].scalar(run->ctx, args, in->nin, &out));
    finish(frame, in, &out);
    return ML_OK;
}

static ml_status run_move(Run *run, const Routine *r, Value *frame, const Plan *plan,
                          const Instr *in)
{
    int32_t x = in->in[0];
    Value v = x >= 0 ? frame[x] : plan->literals[~x];

    if (v.dt == DT_NONE)
        return undefined(run, r, in->span, x);
    v = value_retain(v);
    finish(frame, in, &v);
    return ML_OK;
}

static ml_status run_timed(Run *run, const Routine *r, Value *frame, const Plan *plan,
                           const Instr *in)
{
    OpTime *t = &run->stats->ops[in->op];
    int64_t start = clock_now();
    ml_status st = run_operator(run, r, frame, plan, in);

    t->nanoseconds += clock_now() - start;
    t->count++;
    return st;
}

/* The place of an error that has none, and the calls that were put in line around it. */
static ml_status failed_at(Run *run, ml_status st, Span span, const InlineSite *site)
{
    if (!run->ctx->err.span.src)
        run->ctx->err.span = span;
    for (; site; site = site->outer)
        error_add_call(run->ctx, site->function, site->span);
    return st;
}

static ml_status run_plan(Run *run, const Routine *r, Value *frame, const Plan *plan)
{
    for (int k = 0; k < plan->noverwritten; k++) {
        value_release(frame[plan->overwritten[k]]);
        frame[plan->overwritten[k]] = value_none();
    }
    for (int k = 0; k < plan->count; k++) {
        const Instr *in = &plan->instrs[k];
        bool done = false;
        ml_status st = ML_OK;

        if (in->scalar)
            st = run_scalar(run, frame, plan, in, &done);
        if (st == ML_OK && !done)
            st = in->kind == INSTR_MOVE ? run_move(run, r, frame, plan, in)
                 : run->stats->timed    ? run_timed(run, r, frame, plan, in)
                                        : run_operator(run, r, frame, plan, in);
        if (st != ML_OK) {
            return failed_at(run, st, in->span, in->site);
        }
    }
    run->stats->instructions += plan->count;
    return check_cancel(run->ctx);
}

/* Temporaries above the frame are the plan's own while it runs; after an error they are released
 * here. */
static ml_status run_basic(Run *run, const Routine *r, Value *frame, Block *block)
{
    size_t outer = run->top;
    const Plan *plan;
    ml_status st;

    TRY(plan_for(run, r, frame, block, &plan));
    if (outer + (size_t)plan->ntemps > run->stack_size)
        return fail_at(run->ctx, block->span, ML_ELIMIT,
                       "the stack of values is full: recursion is too deep");
    run->top = outer + (size_t)plan->ntemps;
    st = run_plan(run, r, frame, plan);
    if (st != ML_OK)
        for (size_t k = outer; k < run->top; k++) {
            value_release(run->stack[k]);
            run->stack[k] = value_none();
        }
    run->top = outer;
    return st;
}

/* ---- control flow ---- */

static ml_status condition(Run *run, const Routine *r, Value *frame, const Block *block,
                           bool *holds)
{
    ml_status st;

    TRY(run_blocks(run, r, frame, block->pred));
    if (frame[block->cond].dt == DT_SCALAR && frame[block->cond].vt == VT_BOOL) {
        *holds = frame[block->cond].b;
        return ML_OK;
    }
    st = scalar_truth(run->ctx, frame[block->cond], holds);
    return st == ML_OK ? st : failed_at(run, st, block->span, block->site);
}

static ml_status run_while(Run *run, const Routine *r, Value *frame, const Block *block)
{
    for (;;) {
        bool holds;

        TRY(check_cancel(run->ctx));
        TRY(condition(run, r, frame, block, &holds));
        if (!holds)
            return ML_OK;
        TRY(run_blocks(run, r, frame, block->body));
    }
}

static ml_status run_for(Run *run, const Routine *r, Value *frame, const Block *block)
{
    LoopRange range;
    ml_status st;

    TRY(run_blocks(run, r, frame, block->pred));
    st = loop_range(run->ctx, frame, block, &range);
    if (st != ML_OK)
        return failed_at(run, st, block->span, block->site);
    if (block->dead && frame[block->loop_slot].dt != DT_NONE)
        return ML_OK;
    if (block->parfor)
        return run_parfor(run, r, frame, block, &range);
    for (int64_t k = 0; k < range.count; k++) {
        Value now = loop_value(&range, k);

        store(frame, block->loop_slot, &now);
        TRY(check_cancel(run->ctx));
        TRY(run_blocks(run, r, frame, block->body));
    }
    return ML_OK;
}

static ml_status run_if(Run *run, const Routine *r, Value *frame, const Block *block)
{
    bool holds;

    TRY(condition(run, r, frame, block, &holds));
    return run_blocks(run, r, frame, holds ? block->body : block->orelse);
}

ml_status run_blocks(Run *run, const Routine *r, Value *frame, BlockList list)
{
    for (int k = 0; k < list.count; k++) {
        Block *block = list.items[k];

        switch (block->kind) {
        case BLOCK_BASIC:
            TRY(run_basic(run, r, frame, block));
            break;
        case BLOCK_CALL:
            TRY(run_call(run, r, frame, block));
            break;
        case BLOCK_IF:
            TRY(run_if(run, r, frame, block));
            break;
        case BLOCK_WHILE:
            TRY(run_while(run, r, frame, block));
            break;
        case BLOCK_FOR:
            TRY(run_for(run, r, frame, block));
            break;
        }
    }
    return ML_OK;
}
