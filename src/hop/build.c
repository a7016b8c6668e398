/* From AST to program blocks: expressions and statements.
 * Requires: a checked program.  Gives: blocks with hash-consed DAGs, variables as slots.  Sizes are
 * not known yet.
 *
 * Inside a basic block variables are in static single assignment: `current` maps a slot to the node
 * last assigned, so reads never see an order.  Statements become roots in the order of the text. */
#include "hop/build.h"

#include <string.h>

int builder_find(const Builder *b, const char *name)
{
    int64_t slot;

    return map_get(b->slots, name, strlen(name), &slot) ? (int)slot : -1;
}

static int new_slot(Builder *b, const char *name)
{
    if (!VEC_PUSH(&b->names, name) || !VEC_PUSH(&b->current, NULL))
        return -1;
    return b->names.count - 1;
}

int builder_temporary(Builder *b)
{
    return new_slot(b, NULL);
}

int builder_slot(Builder *b, const char *name)
{
    int slot = builder_find(b, name);

    if (slot >= 0)
        return slot;
    slot = new_slot(b, name);
    if (slot >= 0 && !map_put(b->slots, name, strlen(name), slot))
        return -1;
    return slot;
}

bool builder_bind(Builder *b, const char *name, int slot)
{
    return map_put(b->slots, name, strlen(name), slot);
}

int builder_shadow(Builder *b, const char *name)
{
    int slot = new_slot(b, name);

    return slot >= 0 && builder_bind(b, name, slot) ? slot : -1;
}

Block *builder_block(Builder *b, BlockKind kind, Span span)
{
    Block *block = ARENA_NEW(b->arena, Block);

    if (!block || !VEC_PUSH(b->blocks, block))
        return NULL;
    block->kind = kind;
    block->span = span;
    block->id = b->routine->nblocks++;
    block->number = b->unit->nblocks++;
    block->cond = block->from = block->to = block->step = block->loop_slot = -1;
    return block;
}

ml_status builder_cut(Builder *b)
{
    if (b->dag->nroots) {
        Block *block = builder_block(b, BLOCK_BASIC, b->dag_span);

        if (!block)
            return fail_memory(b->ctx, sizeof *block);
        block->dag = b->dag;
        b->dag = dag_new(b->arena);
        if (!b->dag)
            return fail_memory(b->ctx, sizeof *b->dag);
    }
    if (b->current.count)
        memset(b->current.items, 0, (size_t)b->current.count * sizeof(Hop *));
    return ML_OK;
}

Hop *builder_variable(Builder *b, int slot, Span span)
{
    if (b->current.items[slot])
        return b->current.items[slot];
    return hop_read(b->dag, slot, span);
}

/* An earlier root of the same variable stays as an evaluation only: its errors are the user's to
 * see. */
ml_status builder_assign(Builder *b, int slot, Hop *hop)
{
    if (b->current.items[slot])
        for (int k = 0; k < b->dag->nroots; k++)
            if (b->dag->roots[k].slot == slot)
                b->dag->roots[k].slot = -1;
    if (!dag_root(b->dag, hop, slot))
        return fail_memory(b->ctx, sizeof(Root));
    b->current.items[slot] = hop;
    if (!hop->variable)
        hop->variable = b->names.items[slot];
    return ML_OK;
}

/* ---- expressions ---- */

static const Lifted *find_lifted(const Builder *b, const Expr *e)
{
    for (int k = 0; k < b->lifted.count; k++)
        if (b->lifted.items[k].expr == e)
            return &b->lifted.items[k];
    return NULL;
}

/* exists(x) asks for x as it is now, exists("x") for x as it was when this block of statements
 * began - the reference binds variables at the end of a block. */
static ml_status build_exists(Builder *b, const Expr *e, Hop **out)
{
    const Expr *arg = e->args[0];
    bool by_text = arg->kind == E_LITERAL && arg->lit.vt == VT_STRING;
    const char *name = arg->kind == E_NAME ? arg->name : by_text ? arg->lit.s->text : NULL;
    int slot = name ? builder_find(b, name) : -1;
    Hop *in;

    if (name && slot < 0) {
        *out = hop_literal(b->dag, value_bool(false), e->span);
    } else if (name && !by_text && b->current.items[slot]) {
        *out = hop_literal(b->dag, value_bool(true), e->span);
    } else {
        if (name)
            in = hop_read(b->dag, slot, arg->span);
        else
            TRY(build_expr(b, arg, &in));
        *out = hop_op(b->ctx, b->unit, b->dag, e->op, &in, NULL, 1, e->span);
    }
    return *out ? ML_OK : fail_memory(b->ctx, sizeof(Hop));
}

/* abs(-3): a scalar function over a number written in place folds to a double, as in the reference.
 */
static bool is_written_number(const Expr *e)
{
    if (e->kind == E_OP && e->nargs == 1 && (op_table[e->op].props & P_SYNTAX))
        e = e->args[0];
    return e && e->kind == E_LITERAL && e->lit.vt == VT_INT;
}

static ml_status build_op(Builder *b, const Expr *e, Hop **out)
{
    const OpInfo *op = &op_table[e->op];
    Hop **in = ARENA_ARRAY(b->arena, Hop *, e->nargs + 1);

    if (!in)
        return fail_memory(b->ctx, sizeof(Hop *));
    for (int k = 0; k < e->nargs; k++)
        if (e->args[k])
            TRY(build_expr(b, e->args[k], &in[k]));
    if (op->props & P_CALLS)
        b->unit->uses_eval = true;
    *out = hop_op(b->ctx, b->unit, b->dag, e->op, in, e->arg_names, e->nargs, e->span);
    if (*out && (*out)->kind == HOP_LITERAL && (*out)->lit.vt == VT_INT &&
        (op->props & P_LITERAL_DOUBLE) && is_written_number(e->args[0]))
        *out = hop_literal(b->dag, value_double((double)(*out)->lit.i), e->span);
    if (*out && hop_has_effect(*out) && !dag_root(b->dag, *out, -1))
        *out = NULL;
    return *out ? ML_OK : fail_memory(b->ctx, sizeof(Hop));
}

ml_status build_expr(Builder *b, const Expr *e, Hop **out)
{
    const Lifted *lifted = find_lifted(b, e);
    int slot;

    if (lifted) {
        *out = builder_variable(b, lifted->slot, e->span);
        return *out ? ML_OK : fail_memory(b->ctx, sizeof(Hop));
    }
    switch (e->kind) {
    case E_LITERAL:
        *out = hop_literal(b->dag, e->lit, e->span);
        break;
    case E_NAME:
        slot = builder_slot(b, e->name);
        *out = slot < 0 ? NULL : builder_variable(b, slot, e->span);
        break;
    case E_DOLLAR:
        return fail_at(b->ctx, e->span, ML_ENAME,
                       "the script needs the argument $%s: give it with -nvargs or -args", e->name);
    case E_SHAPE: /* a literal list is the operator list over its entries */
        return build_op(
            b,
            &(Expr){
                .kind = E_OP, .op = OP_list, .args = e->args, .nargs = e->nargs, .span = e->span},
            out);
    case E_OP:
        return e->op == OP_exists ? build_exists(b, e, out) : build_op(b, e, out);
    case E_CALL:
        return fail_at(b->ctx, e->span, ML_EINTERNAL, "a call was not lifted");
    }
    return *out ? ML_OK : fail_memory(b->ctx, sizeof(Hop));
}

/* ---- statements ---- */

/* The value that X[...] = v or X[...] += v gives to X. */
static ml_status build_left_index(Builder *b, const Target *t, Hop *value, Hop **out)
{
    Hop *in[6] = {NULL, value};
    int slot = builder_slot(b, t->name);

    in[0] = slot < 0 ? NULL : builder_variable(b, slot, t->span);
    if (!in[0])
        return fail_memory(b->ctx, sizeof(Hop));
    for (int k = 0; k < 4; k++)
        if (t->index[k])
            TRY(build_expr(b, t->index[k], &in[k + 2]));
    *out = hop_op(b->ctx, b->unit, b->dag, OP_left_index, in, NULL, 6, t->span);
    return *out ? ML_OK : fail_memory(b->ctx, sizeof(Hop));
}

static ml_status build_target(Builder *b, const Target *t, Hop *value)
{
    int slot;

    if (!t->name)
        return dag_root(b->dag, value, -1) ? ML_OK : fail_memory(b->ctx, sizeof(Root));
    if (t->index)
        TRY(build_left_index(b, t, value, &value));
    slot = builder_slot(b, t->name);
    return slot < 0 ? fail_memory(b->ctx, sizeof(int)) : builder_assign(b, slot, value);
}

static ml_status lift_target(Builder *b, const Target *t)
{
    for (int k = 0; t->index && k < 4; k++)
        if (t->index[k])
            TRY(lift_calls(b, t->index[k], true));
    return ML_OK;
}

/* [a, b] = f(...) or a = f(...) where f is written in DML: results go straight into plain
 * variables. */
static ml_status build_call_assignment(Builder *b, const Stmt *s)
{
    int *targets = ARENA_ARRAY(b->arena, int, s->ntargets + 1);

    if (!targets)
        return fail_memory(b->ctx, sizeof(int));
    for (int k = 0; k < s->ntargets; k++) {
        const Target *t = &s->targets[k];

        targets[k] = -1;
        if (t->name)
            targets[k] = t->index ? builder_temporary(b) : builder_slot(b, t->name);
        if (t->name && targets[k] < 0)
            return fail_memory(b->ctx, sizeof(int));
    }
    TRY(build_call(b, s->value, targets, s->ntargets));
    for (int k = 0; k < s->ntargets; k++)
        if (s->targets[k].name && s->targets[k].index) {
            Hop *value = builder_variable(b, targets[k], s->value->span);

            if (!value)
                return fail_memory(b->ctx, sizeof(Hop));
            TRY(build_target(b, &s->targets[k], value));
        }
    return ML_OK;
}

static ml_status build_assign(Builder *b, const Stmt *s)
{
    Hop *value;

    for (int k = 0; k < s->ntargets; k++)
        TRY(lift_target(b, &s->targets[k]));
    if (s->value->kind == E_CALL)
        return build_call_assignment(b, s);
    TRY(lift_calls(b, s->value, true));
    TRY(build_expr(b, s->value, &value));
    if (s->ntargets == 1)
        return build_target(b, &s->targets[0], value);
    for (int k = 0; k < s->ntargets; k++) {
        Hop *result = k == 0 ? value : hop_result(b->dag, value, k, s->value->span);

        if (!result)
            return fail_memory(b->ctx, sizeof(Hop));
        TRY(build_target(b, &s->targets[k], result));
    }
    return ML_OK;
}

/* x += e is x = x + e, and X[i,j] += e likewise over the cells. */
static ml_status build_accumulate(Builder *b, const Stmt *s)
{
    const Target *t = &s->targets[0];
    Hop *in[2], *value;
    int slot, plus = op_find_symbol("+", 2);

    TRY(lift_target(b, t));
    TRY(lift_calls(b, s->value, true));
    slot = builder_slot(b, t->name);
    in[0] = slot < 0 ? NULL : builder_variable(b, slot, t->span);
    if (!in[0])
        return fail_memory(b->ctx, sizeof(Hop));
    if (t->index) {
        Hop *cells[5] = {in[0]};

        for (int k = 0; k < 4; k++)
            if (t->index[k])
                TRY(build_expr(b, t->index[k], &cells[k + 1]));
        in[0] = hop_op(b->ctx, b->unit, b->dag, OP_index, cells, NULL, 5, t->span);
    }
    TRY(build_expr(b, s->value, &in[1]));
    value = in[0] ? hop_op(b->ctx, b->unit, b->dag, plus, in, NULL, 2, s->span) : NULL;
    return value ? build_target(b, t, value) : fail_memory(b->ctx, sizeof(Hop));
}

static ml_status build_call_statement(Builder *b, const Stmt *s)
{
    Hop *value;

    if (s->value->kind == E_CALL)
        return build_call(b, s->value, NULL, 0);
    TRY(lift_calls(b, s->value, true));
    TRY(build_expr(b, s->value, &value));
    if (hop_has_effect(value))
        return ML_OK;
    return dag_root(b->dag, value, -1) ? ML_OK : fail_memory(b->ctx, sizeof(Root));
}

/* Blocks built by `fn` for statement s go to a list of their own. */
typedef ml_status (*Part)(Builder *b, const Stmt *s, Block *block);

static ml_status build_part(Builder *b, const Stmt *s, Block *block, Part fn, BlockList *out)
{
    Blocks own = {0}, *outer = b->blocks;
    ml_status st;

    b->blocks = &own;
    b->dag_span = s->span;
    st = fn(b, s, block);
    if (st == ML_OK)
        st = builder_cut(b);
    b->blocks = outer;
    if (st == ML_OK && own.count) {
        out->items = ARENA_ARRAY(b->arena, Block *, own.count);
        if (out->items) {
            memcpy(out->items, own.items, (size_t)own.count * sizeof(Block *));
            out->count = own.count;
        } else {
            st = fail_memory(b->ctx, sizeof(Block *));
        }
    }
    VEC_FREE(&own);
    return st;
}

/* An expression into a temporary, for conditions and bounds. */
static ml_status build_into_temporary(Builder *b, const Expr *e, int *slot)
{
    Hop *value;

    TRY(lift_calls(b, e, true));
    TRY(build_expr(b, e, &value));
    *slot = builder_temporary(b);
    return *slot < 0 ? fail_memory(b->ctx, sizeof(int)) : builder_assign(b, *slot, value);
}

static ml_status part_condition(Builder *b, const Stmt *s, Block *block)
{
    return build_into_temporary(b, s->value, &block->cond);
}

static ml_status part_bounds(Builder *b, const Stmt *s, Block *block)
{
    TRY(build_into_temporary(b, s->from, &block->from));
    TRY(build_into_temporary(b, s->to, &block->to));
    return s->step ? build_into_temporary(b, s->step, &block->step) : ML_OK;
}

static ml_status part_body(Builder *b, const Stmt *s, Block *block)
{
    (void)block;
    return build_statements(b, s->body);
}

static ml_status part_parfor(Builder *b, const Stmt *s, Block *block)
{
    return build_parfor(b, s, block);
}

static ml_status part_else(Builder *b, const Stmt *s, Block *block)
{
    (void)block;
    return build_statements(b, s->orelse);
}

static ml_status build_if_or_while(Builder *b, const Stmt *s)
{
    Block *block;

    TRY(builder_cut(b));
    block = builder_block(b, s->kind == S_IF ? BLOCK_IF : BLOCK_WHILE, s->span);
    if (!block)
        return fail_memory(b->ctx, sizeof *block);
    TRY(build_part(b, s, block, part_condition, &block->pred));
    TRY(build_part(b, s, block, part_body, &block->body));
    return build_part(b, s, block, part_else, &block->orelse);
}

static ml_status build_for(Builder *b, const Stmt *s)
{
    Block *block;

    TRY(builder_cut(b));
    block = builder_block(b, BLOCK_FOR, s->span);
    if (!block)
        return fail_memory(b->ctx, sizeof *block);
    block->seq = s->seq;
    block->loop_slot = builder_slot(b, s->name);
    if (block->loop_slot < 0)
        return fail_memory(b->ctx, sizeof(int));
    TRY(build_part(b, s, block, part_bounds, &block->pred));
    return build_part(b, s, block, s->kind == S_PARFOR ? part_parfor : part_body, &block->body);
}

static ml_status build_statement(Builder *b, const Stmt *s)
{
    b->lifted.count = 0;
    switch (s->kind) {
    case S_ASSIGN:
        return build_assign(b, s);
    case S_ACCUMULATE:
        return build_accumulate(b, s);
    case S_CALL:
        return build_call_statement(b, s);
    case S_IF:
    case S_WHILE:
        return build_if_or_while(b, s);
    case S_FOR:
    case S_PARFOR:
        return build_for(b, s);
    }
    return ML_OK;
}

/* Did the nodes since `first` bring one whose size depends on data? */
static bool sizes_depend_on_data(const Dag *dag, int first)
{
    for (int k = first; k < dag->count; k++) {
        const OpInfo *op = dag->nodes[k]->kind == HOP_OP ? hop_info(dag->nodes[k]) : NULL;

        if (op && op->shape == shape_unknown && (op->result == R_MATRIX || op->result == R_FRAME))
            return true;
    }
    return false;
}

ml_status build_statements(Builder *b, StmtList list)
{
    for (int k = 0; k < list.count; k++) {
        const Dag *dag = b->dag;
        int before = dag->count;

        if (dag->count == 0)
            b->dag_span = list.items[k]->span;
        else
            b->dag_span = span_join(b->dag_span, list.items[k]->span);
        TRY(build_statement(b, list.items[k]));
        if (sizes_depend_on_data(b->dag, b->dag == dag ? before : 0))
            TRY(builder_cut(b));
    }
    return ML_OK;
}
