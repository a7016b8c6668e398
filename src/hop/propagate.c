/* What is known of every variable at every block: types, sizes, constants, through the whole
 * program. Requires: all routines built.  Sets: the nodes' types and sizes.  The last walk, for
 * which the tree must be final, rewrites every DAG for what is known and sets sizes_known of the
 * blocks.
 *
 * Abstract interpretation over the block tree: branches are joined, loops run to a fixpoint,
 * parameters of a function are joined over all its calls and its results flow back; the whole is
 * repeated until no routine's parameters or results change.  The lattice is flat for each fact
 * (unreached < known < unknown), so the number of rounds is bounded by the number of facts. A
 * program that calls functions by name (eval) leaves parameters unknown, as any value may arrive.
 */
#include "hop/hop.h"

#include <string.h>

/* What was known of a variable before it changed. */
typedef struct Change {
    int slot;
    VarInfo before;
} Change;

typedef VEC(Change) Changes;

typedef struct Walk {
    Ctx *ctx;
    Unit *unit;
    Routine *r;
    VarInfo *vars; /* by slot, at the point reached; written by learn() alone */
    Changes log;   /* of vars, while a path may have to be taken back */
    int *seen;     /* by slot: the last gathering that met it */
    int paths, gatherings;
    bool final;   /* the fixpoint is reached: rewrite and record */
    bool changed; /* some routine's parameters or results */
} Walk;

VarInfo var_unknown(void)
{
    return (VarInfo){.reached = true, .sure = true, .vt = VT_UNKNOWN, .dims = {-1, -1, -1}};
}

static VarInfo unknown_like(const VarInfo *v)
{
    VarInfo unknown = var_unknown();

    unknown.sure = v->sure;
    return unknown;
}

static bool same_lit(Value a, Value b)
{
    if (a.dt != b.dt || a.vt != b.vt)
        return false;
    return a.dt == DT_NONE || (a.vt == VT_BOOL     ? a.b == b.b
                               : a.vt == VT_STRING ? a.s == b.s
                                                   : a.i == b.i);
}

/* into = join(into, from); true when it changed. */
static bool join(VarInfo *into, const VarInfo *from)
{
    VarInfo old = *into;

    if (!from->reached)
        return false;
    if (!into->reached) { /* a name may speak of what an earlier round of a loop had */
        *into = *from;
        into->rows_name = into->cols_name = NULL;
        return true;
    }
    if (into->rows_name != from->rows_name)
        into->rows_name = NULL;
    if (into->cols_name != from->cols_name)
        into->cols_name = NULL;
    into->sure &= from->sure;
    into->number &= from->number;
    if (into->dt != from->dt)
        *into = unknown_like(into);
    if (into->vt != from->vt)
        into->vt = VT_UNKNOWN;
    if (into->dims.rows != from->dims.rows)
        into->dims.rows = -1;
    if (into->dims.cols != from->dims.cols)
        into->dims.cols = -1;
    if (into->dims.nnz != from->dims.nnz)
        into->dims.nnz = into->dims.nnz < 0 || from->dims.nnz < 0 ? -1
                         : into->dims.nnz > from->dims.nnz        ? into->dims.nnz
                                                                  : -1;
    if (!same_lit(into->lit, from->lit))
        into->lit = value_none();
    return old.dt != into->dt || old.number != into->number || old.vt != into->vt ||
           old.dims.rows != into->dims.rows || old.dims.cols != into->dims.cols ||
           old.rows_name != into->rows_name || old.cols_name != into->cols_name ||
           old.dims.nnz != into->dims.nnz || !same_lit(old.lit, into->lit);
}

static VarInfo known_type(DataType dt, ValueType vt)
{
    return (VarInfo){.reached = true,
                     .sure = true,
                     .number = dt == DT_SCALAR && is_numeric(vt),
                     .dt = dt,
                     .vt = vt,
                     .dims = {-1, -1, -1}};
}

/* ---- paths ----
 *
 * Where paths meet only what they changed has to be compared, so that the work is in proportion to
 * the assignments and not to all variables times all branches. */

static ml_status learn(Walk *w, int slot, VarInfo info)
{
    if (w->paths > 0 && !VEC_PUSH(&w->log, ((Change){slot, w->vars[slot]})))
        return fail_memory(w->ctx, sizeof(Change));
    w->vars[slot] = info;
    return ML_OK;
}

static int path_begin(Walk *w)
{
    w->paths++;
    return w->log.count;
}

static void path_end(Walk *w)
{
    if (--w->paths == 0)
        w->log.count = 0;
}

static void take_back(Walk *w, int mark)
{
    while (w->log.count > mark) {
        const Change *c = &w->log.items[--w->log.count];

        w->vars[c->slot] = c->before;
    }
}

/* The variables that changed since the mark, each once, with what was known of it then. */
static ml_status gather(Walk *w, int mark, Changes *out)
{
    w->gatherings++;
    out->count = 0;
    for (int k = mark; k < w->log.count; k++) {
        const int slot = w->log.items[k].slot;

        if (w->seen[slot] == w->gatherings)
            continue;
        w->seen[slot] = w->gatherings;
        if (!VEC_PUSH(out, w->log.items[k]))
            return fail_memory(w->ctx, sizeof(Change));
    }
    return ML_OK;
}

/* The same with what is known of it now. */
static ml_status gather_now(Walk *w, int mark, Changes *out)
{
    TRY(gather(w, mark, out));
    for (int k = 0; k < out->count; k++)
        out->items[k].before = w->vars[out->items[k].slot];
    return ML_OK;
}

/* Two paths meet.  A variable that only one of them assigns is no constant: reading it is an error
 * on the other. */
static bool join_paths(VarInfo *into, const VarInfo *from)
{
    const bool one_sided = into->reached != from->reached, changed = join(into, from);

    if (one_sided) {
        into->lit = value_none();
        into->sure = false;
    }
    return changed;
}

/* Those of more that are not in list. */
static ml_status add_missing(Walk *w, Changes *list, const Changes *more)
{
    w->gatherings++;
    for (int k = 0; k < list->count; k++)
        w->seen[list->items[k].slot] = w->gatherings;
    for (int k = 0; k < more->count; k++)
        if (w->seen[more->items[k].slot] != w->gatherings && !VEC_PUSH(list, more->items[k]))
            return fail_memory(w->ctx, sizeof(Change));
    return ML_OK;
}

/* The path reached is met by another that has these facts, the rest as it is here. */
static ml_status meet(Walk *w, const Changes *other, bool *changed)
{
    for (int k = 0; k < other->count; k++) {
        VarInfo joined = w->vars[other->items[k].slot];

        *changed |= join_paths(&joined, &other->items[k].before);
        TRY(learn(w, other->items[k].slot, joined));
    }
    return ML_OK;
}

static VarInfo info_of(const Hop *h)
{
    VarInfo v = {.reached = true,
                 .sure = true,
                 .number = h->number,
                 .dt = h->dt,
                 .vt = h->vt,
                 .dims = h->dims,
                 .rows_name = h->rows_name,
                 .cols_name = h->cols_name,
                 .lit = h->lit};

    return h->dt == DT_NONE ? var_unknown() : v;
}

/* Are the inputs' types, sizes and nonzeros known, so that planning again on entry could tell
 * nothing new? */
static bool inputs_known(const Dag *dag, const VarInfo *vars)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind != HOP_READ || vars[h->slot].dt == DT_SCALAR || vars[h->slot].dt == DT_LIST)
            continue;
        if (vars[h->slot].dt == DT_NONE || h->dims.rows < 0 || h->dims.cols < 0 ||
            (h->dt == DT_MATRIX && h->dims.nnz < 0))
            return false;
    }
    return true;
}

bool known_truth(Value v, bool *holds)
{
    Ctx quiet = {0};

    return v.dt == DT_SCALAR && v.vt != VT_STRING && !v.textual &&
           scalar_truth(&quiet, v, holds) == ML_OK;
}

static ml_status walk_list(Walk *w, BlockList list);

/* What a block reads of unknown size has a name from then on. */
static ml_status learn_names(Walk *w, const Dag *dag)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];
        VarInfo info;

        if (h->kind != HOP_READ || h->dt != DT_MATRIX)
            continue;
        info = w->vars[h->slot];
        if (info.rows_name == h->rows_name && info.cols_name == h->cols_name)
            continue;
        info.rows_name = h->rows_name;
        info.cols_name = h->cols_name;
        TRY(learn(w, h->slot, info));
    }
    return ML_OK;
}

static ml_status walk_basic(Walk *w, Block *b)
{
    dag_infer(w->ctx, b->dag, w->vars);
    if (w->final) {
        if (w->unit->opt > 0)
            TRY(dag_rewrite(w->ctx, w->unit, b->dag, REWRITE_SIMPLIFY));
        if (unit_does(w->unit, PASS_dead_code)) /* what is needed by then stays needed */
            TRY(dag_drop_names(w->ctx, b->dag, b->live_out));
        dag_infer(w->ctx, b->dag, w->vars);
        b->sizes_known = inputs_known(b->dag, w->vars) &&
                         !(unit_does(w->unit, PASS_product_chains) && dag_has_chains(b->dag));
        if (b->sizes_known && w->unit->opt > 1)
            TRY(dag_rewrite(w->ctx, w->unit, b->dag, REWRITE_CHOOSE));
    }
    TRY(learn_names(w, b->dag));
    for (int k = 0; k < b->dag->nroots; k++)
        if (b->dag->roots[k].slot >= 0)
            TRY(learn(w, b->dag->roots[k].slot, info_of(b->dag->roots[k].hop)));
    return ML_OK;
}

/* A known scalar after the conversion to a declared type, else nothing.  Strings pass only as they
 * are: a new one would have no owner. */
static Value literal_as(TypeDecl type, Value v)
{
    Ctx quiet = {0};
    Value out;

    if (v.dt != DT_SCALAR || v.textual || type.dt != DT_SCALAR)
        return value_none();
    if (v.vt == type.vt || type.vt == VT_UNKNOWN || type.vt == VT_NONE)
        return v;
    if (v.vt == VT_STRING || type.vt == VT_STRING || scalar_cast(&quiet, v, type.vt, &out) != ML_OK)
        return value_none();
    return out;
}

/* What a parameter of the type gets from an argument: a declared type is what arrives. */
static VarInfo argument_info(const Walk *w, const CallArg *a, TypeDecl type)
{
    VarInfo arg = a->slot >= 0 ? w->vars[a->slot] : var_unknown(), out;
    const Value lit = a->slot >= 0 ? arg.lit : a->lit;
    const bool open = w->unit->uses_eval || !unit_does(w->unit, PASS_interprocedural);

    if (!arg.reached)
        return arg;
    if (type.dt == DT_NONE)
        return open || a->slot < 0 ? var_unknown() : arg;
    out = known_type(type.dt, type.dt == DT_SCALAR ? type.vt : VT_DOUBLE);
    if (open)
        return out;
    if (type.dt == DT_SCALAR && unit_does(w->unit, PASS_constant_folding))
        out.lit = literal_as(type, lit);
    else if (arg.dt == type.dt) {
        out.dims = arg.dims;
        out.rows_name = arg.rows_name;
        out.cols_name = arg.cols_name;
    } else if (type.dt == DT_MATRIX && (arg.dt == DT_SCALAR || lit.dt == DT_SCALAR))
        out.dims = (Dims){1, 1, 1};
    return out;
}

static void walk_into(Walk *w, Function *fn, const Block *b)
{
    Routine *callee = routine_of(fn);

    if (!callee || callee->settled)
        return;
    for (int k = 0; k < b->nargs && k < fn->nparams; k++) {
        VarInfo arg = argument_info(w, &b->args[k], fn->params[k].type);
        const bool first = !callee->params[k].reached;

        arg.sure = true;
        w->changed |= join(&callee->params[k], &arg);
        if (first) {
            callee->params[k].rows_name = arg.rows_name;
            callee->params[k].cols_name = arg.cols_name;
        }
    }
    if (!callee->analyzed) {
        callee->analyzed = true;
        w->changed = true;
    }
}

static void note_argument(const Walk *w, CallArg *a)
{
    const VarInfo *v = a->slot >= 0 ? &w->vars[a->slot] : NULL;

    a->sure = !v || (v->reached && v->sure);
    a->dt = v ? v->dt : (DataType)a->lit.dt;
    a->vt = v ? v->vt : (ValueType)a->lit.vt;
}

static ml_status walk_call(Walk *w, Block *b)
{
    Function *variants[3] = {b->fn->matrix, b->fn->scalar, b->fn->frame};

    for (int k = 0; w->final && k < b->nargs;
         k++) /* what the body of a loop reads may be a constant */
        if (b->args[k].slot >= 0 && w->vars[b->args[k].slot].lit.dt == DT_SCALAR &&
            unit_does(w->unit, PASS_constant_folding)) {
            b->args[k].lit = w->vars[b->args[k].slot].lit;
            b->args[k].slot = -1;
        }
    for (int k = 0; k < b->nargs; k++)
        note_argument(w, &b->args[k]);
    for (int v = 0; v < 3; v++)
        if (variants[v])
            walk_into(w, variants[v], b);
    for (int t = 0; t < b->ntargets; t++) {
        VarInfo out = {0};

        if (b->targets[t] < 0)
            continue;
        for (int v = 0; v < 3; v++)
            if (variants[v] && t < variants[v]->nresults && routine_of(variants[v]))
                join(&out, &routine_of(variants[v])->outs[t]);
        TRY(learn(w, b->targets[t], out));
    }
    return ML_OK;
}

/* What the first branch changed is kept, then taken back for the second; what only the second
 * changed is on the first as it was before. */
static ml_status walk_both(Walk *w, Block *b)
{
    const int mark = path_begin(w);
    Changes then = {0}, before = {0};
    bool changed = false;
    ml_status st;

    TRY_TO(done, st = walk_list(w, b->body));
    TRY_TO(done, st = gather_now(w, mark, &then));
    take_back(w, mark);
    TRY_TO(done, st = walk_list(w, b->orelse));
    TRY_TO(done, st = gather(w, mark, &before));
    TRY_TO(done, st = add_missing(w, &then, &before));
    st = meet(w, &then, &changed);
done:
    VEC_FREE(&then);
    VEC_FREE(&before);
    path_end(w);
    return st;
}

/* A branch that is known not to be taken gives no facts. */
static ml_status walk_if(Walk *w, Block *b)
{
    bool holds;

    TRY(walk_list(w, b->pred));
    if (!unit_does(w->unit, PASS_dead_branches) || !known_truth(w->vars[b->cond].lit, &holds))
        return walk_both(w, b);
    return walk_list(w, holds ? b->body : b->orelse);
}

/* The loop variable is an integer unless seq() starts or steps by a fraction. */
static ValueType loop_value_type(const Walk *w, const Block *b)
{
    const VarInfo *from = &w->vars[b->from];

    if (b->step < 0)
        return VT_INT;
    return from->vt == VT_INT && w->vars[b->step].vt == VT_INT ? VT_INT : VT_UNKNOWN;
}

/* What the iterations of a parfor hand over changes variables that no block of the body assigns. */
static ml_status walk_handed(Walk *w, const Parfor *p)
{
    for (int k = 0; k < p->nresults; k++) {
        const VarInfo *was = &w->vars[p->results[k].slot];
        VarInfo info = var_unknown();
        const bool is_sum = p->results[k].mode == PARFOR_SUM;

        if (!p->results[k].handed)
            continue;
        info.reached = was->reached;
        info.sure = was->sure;
        if (!is_sum || was->dt == DT_MATRIX)
            info.dt = was->dt;
        if (!is_sum || was->dims.rows > 1 || was->dims.cols > 1) {
            info.dims = was->dims;
            info.rows_name = was->rows_name;
            info.cols_name = was->cols_name;
        }
        info.dims.nnz = -1;
        TRY(learn(w, p->results[k].slot, info));
    }
    return ML_OK;
}

/* One pass over the parts of a loop that repeat. */
static ml_status walk_round(Walk *w, Block *b)
{
    if (b->kind == BLOCK_WHILE) {
        bool holds;

        TRY(walk_list(w, b->pred));
        if (unit_does(w->unit, PASS_dead_branches) && known_truth(w->vars[b->cond].lit, &holds) &&
            !holds)
            return ML_OK;
    }
    if (b->kind == BLOCK_FOR)
        TRY(learn(w, b->loop_slot, known_type(DT_SCALAR, loop_value_type(w, b))));
    if (b->parfor)
        TRY(walk_handed(w, b->parfor));
    return walk_list(w, b->body);
}

/* The head's facts are joined with those of the end until they hold; the mark moves past what was
 * learned of the head. */
static ml_status walk_to_fixpoint(Walk *w, Block *b, int *mark)
{
    Changes end = {0};
    bool changed = true;
    ml_status st = ML_OK;

    while (changed) {
        changed = false;
        TRY_TO(done, st = walk_round(w, b));
        TRY_TO(done, st = gather_now(w, *mark, &end));
        take_back(w, *mark);
        TRY_TO(done, st = meet(w, &end, &changed));
        *mark = w->log.count;
    }
done:
    VEC_FREE(&end);
    return st;
}

/* Facts after the loop: a while loop is left after the condition, seen from the head; a for loop
 * from its end or, with no round at all, from the head. */
static ml_status walk_exit(Walk *w, Block *b, int mark)
{
    Changes head = {0};
    bool changed = false;
    ml_status st;

    if (b->kind == BLOCK_WHILE) {
        take_back(w, mark);
        w->final = false;
        return walk_list(w, b->pred);
    }
    st = gather(w, mark, &head);
    if (st == ML_OK)
        st = meet(w, &head, &changed);
    VEC_FREE(&head);
    return st;
}

/* After the fixpoint one more pass, the only one that is final. */
static ml_status walk_loop(Walk *w, Block *b)
{
    const bool final = w->final;
    int mark;
    ml_status st;

    if (b->kind == BLOCK_FOR)
        TRY(walk_list(w, b->pred));
    mark = path_begin(w);
    w->final = false;
    TRY_TO(done, st = walk_to_fixpoint(w, b, &mark));
    w->final = final;
    TRY_TO(done, st = walk_round(w, b));
    st = walk_exit(w, b, mark);
done:
    w->final = final;
    path_end(w);
    return st;
}

static ml_status walk_block(Walk *w, Block *b)
{
    switch (b->kind) {
    case BLOCK_BASIC:
        return walk_basic(w, b);
    case BLOCK_CALL:
        return walk_call(w, b);
    case BLOCK_IF:
        return walk_if(w, b);
    case BLOCK_WHILE:
    case BLOCK_FOR:
        return walk_loop(w, b);
    }
    return ML_OK;
}

static ml_status walk_list(Walk *w, BlockList list)
{
    for (int k = 0; k < list.count; k++)
        TRY(walk_block(w, list.items[k]));
    return ML_OK;
}

/* Results are cast to their declared types when returned. */
static VarInfo declared_result(const Walk *w, const Routine *r, int k)
{
    const VarInfo *v = &w->vars[r->results[k]];
    TypeDecl type = r->fn->results[k].type;
    VarInfo out = *v;

    out.lit = value_none();
    if (!v->reached || type.dt == DT_NONE)
        return out;
    out = known_type(type.dt, type.dt == DT_SCALAR ? type.vt : VT_DOUBLE);
    out.sure = v->sure;
    if (v->dt == type.dt && type.dt != DT_SCALAR)
        out.dims = v->dims;
    if (unit_does(w->unit, PASS_interprocedural) && v->sure &&
        !(type.vt == VT_INT && v->lit.vt == VT_DOUBLE)) /* that is an error when run */
        out.lit = literal_as(type, v->lit);
    return out;
}

static ml_status walk_routine(Walk *w, Routine *r)
{
    size_t n = (size_t)r->nslots + 1;
    ml_status st;

    w->r = r;
    w->vars = mem_calloc(n, sizeof *w->vars);
    w->seen = mem_calloc(n, sizeof *w->seen);
    if (!w->vars || !w->seen) {
        st = fail_memory(w->ctx, n * sizeof *w->vars);
        goto done;
    }
    for (int k = 0; k < r->fn->nparams; k++)
        w->vars[k] = r->params[k];
    st = walk_list(w, r->body);
    for (int k = 0; st == ML_OK && k < r->fn->nresults; k++) {
        VarInfo out = declared_result(w, r, k);

        r->ends[k] = w->vars[r->results[k]];
        w->changed |= join(&r->outs[k], &out);
    }
done:
    VEC_FREE(&w->log);
    mem_free(w->seen);
    mem_free(w->vars);
    return st;
}

static ml_status walk_all(Walk *w)
{
    w->changed = false;
    for (Routine *r = w->unit->routines; r; r = r->next)
        if (r->analyzed && !r->settled)
            TRY(walk_routine(w, r));
    return ML_OK;
}

/* Nothing is known yet: facts of an earlier analysis no longer hold when the tree was changed. */
static void forget(const Unit *unit)
{
    for (Routine *r = unit->routines; r; r = r->next) {
        if (r->settled)
            continue;
        r->analyzed = r->stale = false;
        memset(r->params, 0, (size_t)r->fn->nparams * sizeof *r->params);
        memset(r->outs, 0, (size_t)r->fn->nresults * sizeof *r->outs);
    }
}

ml_status unit_analyze(Ctx *ctx, Unit *unit, Routine *main)
{
    Walk w = {.ctx = ctx, .unit = unit};

    forget(unit);
    main->analyzed = true;
    for (int k = 0; k < main->fn->nparams; k++)
        main->params[k] = var_unknown();
    do
        TRY(walk_all(&w));
    while (w.changed);
    return ML_OK;
}

ml_status unit_rewrite(Ctx *ctx, Unit *unit)
{
    Walk w = {.ctx = ctx, .unit = unit, .final = true};

    return walk_all(&w);
}
