/* Static checks of functions: variables, statements, and through check_call.c all calls.
 *
 * Requires: a program without syntax errors.  Leaves: every call resolved, arguments in the
 * callee's order.
 *
 * Variables are followed by abstract interpretation in one pass, top to bottom: at each place a
 * variable is never, maybe or always defined.  Branches join, a loop's body joins with what stood
 * before it when it may run no time.  "Never" is an error; "maybe" a warning under --check.
 * Functions are taken from a queue: first what the main program reaches, then the rest, in which
 * calls of operators that this version lacks are allowed as long as nothing reaches them. Cost:
 * linear in the program times the variables for each branch. */
#include "lang/check.h"
#include "lang/suggest.h"

#include <string.h>

static void check_list(Checker *c, StmtList *list);
static void check_expr(Checker *c, Expr *e);

/* ---- variables ---- */

/* The position of a name, added when it is new; -1 when memory is exhausted. */
static int var_add(Checker *c, const char *name)
{
    int64_t found;
    int k = c->names.count;

    if (map_get(c->index, name, strlen(name), &found))
        return (int)found;
    if ((k >= c->state_size && !vec_grow((void **)&c->state, &c->state_size, k + 1, 1)) ||
        !VEC_PUSH(&c->names, name) || !VEC_PUSH(&c->made_in, NULL) ||
        !map_put(c->index, name, strlen(name), k)) {
        c->status = fail_memory(c->ctx, sizeof name);
        return -1;
    }
    c->state[k] = VAR_NEVER;
    return k;
}

static VarState check_variable(const Checker *c, const char *name)
{
    int64_t k;

    return map_get(c->index, name, strlen(name), &k) ? (VarState)c->state[k] : VAR_NEVER;
}

static void define(Checker *c, const char *name)
{
    int k = var_add(c, name);

    if (k >= 0)
        c->state[k] = VAR_ALWAYS;
}

static const char *variable_hint(const Checker *c, Suggestion *s, const char *name)
{
    suggest_begin(s, name);
    if (strcmp(name, "T") == 0 || strcmp(name, "true") == 0)
        return "; did you mean TRUE?";
    if (strcmp(name, "F") == 0 || strcmp(name, "false") == 0)
        return "; did you mean FALSE?";
    for (int k = 0; k < c->names.count; k++)
        if (c->state[k] != VAR_NEVER)
            suggest_add(s, c->names.items[k], strlen(c->names.items[k]));
    return suggest_hint(s);
}

static void report_undefined(Checker *c, const char *name, Span span)
{
    Suggestion s;
    int64_t k;

    if (map_get(c->index, name, strlen(name), &k) && c->made_in.items[k])
        report_error(c->ctx, c->program, span, ML_ENAME,
                     "'%s' is made in the body of the parfor at line %d and has no value after it",
                     name, span_begin(c->made_in.items[k]->span).line);
    else
        report_error(c->ctx, c->program, span, ML_ENAME, "undefined variable '%s'%s", name,
                     variable_hint(c, &s, name));
}

/* A use of a variable.  Each is reported once: it counts as defined from there on. */
static void use(Checker *c, const char *name, Span span)
{
    VarState state = check_variable(c, name);

    if (state == VAR_ALWAYS)
        return;
    if (state == VAR_NEVER)
        report_undefined(c, name, span);
    else
        report_warning(c->ctx, c->program, span,
                       "'%s' may be undefined here: it is assigned only where that may not run",
                       name);
    define(c, name);
}

/* ---- joining states ---- */

/* A copy of the states, to be freed with mem_free; NULL when memory is exhausted. */
static uint8_t *snapshot(Checker *c, int *count)
{
    uint8_t *copy = mem_alloc((size_t)c->names.count + 1);

    *count = c->names.count;
    if (!copy)
        c->status = fail_memory(c->ctx, (size_t)c->names.count);
    else if (*count > 0)
        memcpy(copy, c->state, (size_t)*count);
    return copy;
}

/* Back to a snapshot; variables that are newer were not defined then. */
static void restore(Checker *c, const uint8_t *copy, int count)
{
    if (count > 0)
        memcpy(c->state, copy, (size_t)count);
    for (int k = count; k < c->names.count; k++)
        c->state[k] = VAR_NEVER;
}

/* What is known when control comes from here or from where the snapshot was taken. */
static void join(Checker *c, const uint8_t *copy, int count)
{
    for (int k = 0; k < c->names.count; k++) {
        VarState other = k < count ? (VarState)copy[k] : VAR_NEVER;

        if (c->state[k] != other)
            c->state[k] = VAR_MAYBE;
    }
}

/* ---- expressions ---- */

static void check_arguments(Checker *c, Expr *e)
{
    for (int k = 0; k < e->nargs; k++)
        if (e->args[k] &&
            (k == 0 || e->args[k] != e->args[k - 1])) /* X[i]: both bounds are one node */
            check_expr(c, e->args[k]);
}

/* exists(x) may name what has no value. */
static bool asks_for_variable(const Checker *c, const Expr *e)
{
    int op;

    if (e->nargs != 1 || e->args[0]->kind != E_NAME || unit_find(c->fn->unit, e->name))
        return false;
    op = op_find(e->name, strlen(e->name));
    return op >= 0 && (op_table[op].props & P_VARIABLE);
}

/* A call whose results go to `targets` variables. */
static void check_call_and_arguments(Checker *c, Expr *e, int targets)
{
    if (!asks_for_variable(c, e))
        check_arguments(c, e);
    if (c->status == ML_OK)
        check_call(c, e, targets);
}

static bool is_written_int(const Expr *e)
{
    return e && e->kind == E_LITERAL && e->lit.vt == VT_INT;
}

/* X[2:1, ] with both bounds written out selects nothing and is a mistake; computed bounds may.
 * bounds: row lo, row hi, column lo, column hi, NULL where blank. */
static void check_written_ranges(Checker *c, Expr *const *bounds)
{
    for (int k = 0; k < 4; k += 2)
        if (is_written_int(bounds[k]) && is_written_int(bounds[k + 1]) &&
            bounds[k + 1]->lit.i < bounds[k]->lit.i)
            report_unless_check(c->ctx, c->program, bounds[k]->span, ML_ESHAPE,
                                "the range ends at %" PRId64 ", before it begins at %" PRId64,
                                bounds[k + 1]->lit.i, bounds[k]->lit.i);
}

/* An expression that gives one value: names, calls and their arguments. */
static void check_expr(Checker *c, Expr *e)
{
    if (c->status != ML_OK)
        return;
    switch (e->kind) {
    case E_LITERAL:
    case E_DOLLAR:
        break;
    case E_NAME:
        use(c, e->name, e->span);
        break;
    case E_SHAPE:
        check_arguments(c, e);
        break;
    case E_OP:
        if (!e->name_span.src) { /* of the grammar */
            check_arguments(c, e);
            if (e->op == OP_index)
                check_written_ranges(c, e->args + 1);
            break;
        }
        check_call_and_arguments(c, e, AS_OPERAND);
        break;
    case E_CALL:
        check_call_and_arguments(c, e, AS_OPERAND);
        break;
    }
}

/* ---- statements ---- */

/* The indexes on the left of an assignment; the variable must exist. */
static void check_target(Checker *c, const Target *t)
{
    if (t->nindex == 0)
        return;
    use(c, t->name, t->span);
    for (int k = 0; k < 4; k++)
        if (t->index[k] && (k == 0 || t->index[k] != t->index[k - 1]))
            check_expr(c, t->index[k]);
    check_written_ranges(c, t->index);
}

static void check_assignment(Checker *c, Stmt *s)
{
    if (s->value->name_span.src)
        check_call_and_arguments(c, s->value, s->ntargets);
    else
        check_expr(c, s->value);
    for (int k = 0; k < s->ntargets; k++)
        check_target(c, &s->targets[k]);
    if (s->ntargets == 1 && s->kind == S_ASSIGN && check_result_count(s->value) == 0) {
        s->kind = S_CALL; /* x = print("a") prints, and x stays what it was */
        s->ntargets = 0;
        return;
    }
    if (s->kind == S_ACCUMULATE)
        use(c, s->targets[0].name, s->targets[0].span);
    for (int k = 0; k < s->ntargets; k++)
        define(c, s->targets[k].name);
}

static void check_predicate(Checker *c, Expr *e)
{
    check_expr(c, e);
    if (e->kind == E_LITERAL && e->lit.vt == VT_STRING)
        report_unless_check(c->ctx, c->program, e->span, ML_ETYPE,
                            "a condition is a boolean or a number, found a string");
}

static void check_if(Checker *c, Stmt *s)
{
    uint8_t *before, *then = NULL;
    int nbefore, nthen;

    check_predicate(c, s->value);
    before = snapshot(c, &nbefore);
    if (!before)
        return;
    check_list(c, &s->body);
    then = snapshot(c, &nthen);
    if (then) {
        restore(c, before, nbefore);
        check_list(c, &s->orelse);
        join(c, then, nthen);
    }
    mem_free(before);
    mem_free(then);
}

static void check_while(Checker *c, Stmt *s)
{
    uint8_t *before;
    int count;

    check_predicate(c, s->value);
    before = snapshot(c, &count);
    if (!before)
        return;
    check_list(c, &s->body);
    join(c, before, count);
    mem_free(before);
}

/* a:b and seq(a, b) run at least once, downwards when a > b; only a given step can fit no
 * iteration. */
static bool runs_at_least_once(const Stmt *s)
{
    return !s->step;
}

static void check_for(Checker *c, Stmt *s)
{
    uint8_t *before;
    int count;

    check_expr(c, s->from);
    check_expr(c, s->to);
    if (s->step)
        check_expr(c, s->step);
    before = snapshot(c, &count);
    if (!before)
        return;
    define(c, s->name);
    check_list(c, &s->body);
    if (s->kind == S_PARFOR)
        check_parfor(c, s, before, count);
    if (!runs_at_least_once(s))
        join(c, before, count);
    mem_free(before);
}

static void check_stmt(Checker *c, Stmt *s)
{
    switch (s->kind) {
    case S_ASSIGN:
    case S_ACCUMULATE:
        check_assignment(c, s);
        break;
    case S_CALL:
        check_call_and_arguments(c, s->value, 0);
        break;
    case S_IF:
        check_if(c, s);
        break;
    case S_WHILE:
        check_while(c, s);
        break;
    case S_FOR:
    case S_PARFOR:
        check_for(c, s);
        break;
    }
}

static void check_list(Checker *c, StmtList *list)
{
    for (int k = 0; k < list->count && c->status == ML_OK && !report_full(c->program); k++)
        check_stmt(c, list->items[k]);
}

/* ---- functions ---- */

/* Defaults see no variables, not even other parameters. */
static void check_params(Checker *c)
{
    for (int k = 0; k < c->fn->nparams; k++)
        if (c->fn->params[k].def)
            check_expr(c, c->fn->params[k].def);
    for (int k = 0; k < c->fn->nparams; k++)
        define(c, c->fn->params[k].name);
}

static void check_results(Checker *c)
{
    for (int k = 0; k < c->fn->nresults; k++) {
        const Param *r = &c->fn->results[k];
        VarState state = check_variable(c, r->name);

        if (state == VAR_NEVER)
            report_error(c->ctx, c->program, r->span, ML_ENAME,
                         "the function '%s' never assigns its result '%s'", c->fn->name, r->name);
        else if (state == VAR_MAYBE)
            report_warning(c->ctx, c->program, r->span,
                           "the function '%s' may end without assigning its result '%s'",
                           c->fn->name, r->name);
    }
}

static ml_status check_function(Ctx *ctx, Program *p, Function *fn)
{
    Checker c = {.ctx = ctx, .program = p, .fn = fn, .index = map_new()};

    if (!c.index)
        return fail_memory(ctx, sizeof c);
    p->muted = fn->library != NULL;
    check_params(&c);
    check_list(&c, &fn->body);
    if (c.status == ML_OK && !report_full(p))
        check_results(&c);
    p->muted = false;
    map_free(c.index);
    VEC_FREE(&c.names);
    VEC_FREE(&c.made_in);
    mem_free(c.state);
    return c.status;
}

ml_status check_queued(Ctx *ctx, Program *p)
{
    while (p->checked < p->queue.count && !report_full(p))
        TRY(check_function(ctx, p, p->queue.items[p->checked++]));
    return ML_OK;
}

/* Check what the script does not reach.  It stays open whether eval does: these are checked again
 * then. */
static ml_status check_unreached(Ctx *ctx, Program *p)
{
    int first = p->queue.count;
    ml_status st = ML_OK;

    p->unreached = true;
    for (int k = 0; k < p->functions.count && st == ML_OK; k++) {
        const FunctionSet one = {.matrix = p->functions.items[k]};

        st = resolve_queue(ctx, p, &one);
        if (st == ML_OK)
            st = check_queued(ctx, p);
    }
    for (int k = first; k < p->queue.count; k++)
        p->queue.items[k]->queued = false;
    p->unreached = false;
    return st;
}

ml_status check_program(Ctx *ctx, Program *p, Function *main_fn)
{
    const FunctionSet set = {.matrix = main_fn};

    TRY(resolve_queue(ctx, p, &set));
    TRY(check_queued(ctx, p));
    return check_unreached(ctx, p);
}
