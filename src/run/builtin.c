/* Operators that need the interpreter: exists, eval, evalList.
 *
 * A call by name is compiled as what it is, a call: a wrapper routine whose parameters are the
 * arguments given, so that defaults, variants by type and conversions are those of any other call.
 * Wrappers are kept by function and arguments given. */
#include "run/interp.h"

#include <string.h>

#define ML_OP(name, ...)
#define ML_OP_AS(name, kernel, ...)
#define ML_OP_SCALAR(name, ...)
#define ML_OP_LATER(name, ...)
#define ML_OP_RUN(name, ...) [OP_##name] = ml_r_##name,
static const RunFn functions[OP_COUNT] = {
#include "op/ops.def"
};

RunFn run_function(int op)
{
    return functions[op];
}

ml_status ml_r_exists(Run *run, OpCall *call)
{
    (void)run;
    call->out[0] = value_bool(call->in[0].dt != DT_NONE);
    return ML_OK;
}

/* ---- calls by name ---- */

enum { EVAL_PARAMS = 64, EVAL_RESULTS = 32 };

/* The arguments of a call by name, placed by parameter. */
typedef struct EvalCall {
    const FunctionSet *set;
    const Function *fn;
    uint64_t given;
    int first;
    Value args[EVAL_PARAMS]; /* borrowed, by parameter */
} EvalCall;

static Expr *new_name(Arena *arena, const char *name)
{
    Expr *e = ARENA_NEW(arena, Expr);

    if (e) {
        e->kind = E_NAME;
        e->name = name;
    }
    return e;
}

static bool name_params(Arena *arena, const char *prefix, int count, Param *params)
{
    for (int k = 0; k < count; k++) {
        params[k].name = arena_format(arena, "%s%d", prefix, k);
        params[k].type = (TypeDecl){DT_NONE, VT_UNKNOWN};
        if (!params[k].name)
            return false;
    }
    return true;
}

/* w = function(a0, a1 ...) return (r0, r1 ...) { [r0, r1 ...] = f(a0, a1, default ...) } */
static Function *make_wrapper(Arena *a, const EvalCall *ec)
{
    Function *w = ARENA_NEW(a, Function);
    Stmt *s = ARENA_NEW(a, Stmt), **body = ARENA_ARRAY(a, Stmt *, 1);
    Expr *call = ARENA_NEW(a, Expr);
    int n = ec->fn->nparams, results = ec->fn->nresults;

    if (!w || !s || !body || !call)
        return NULL;
    w->name = w->key = ec->fn->name;
    w->span = ec->fn->span;
    w->params = ARENA_ARRAY(a, Param, n + 1);
    w->results = ARENA_ARRAY(a, Param, results + 1);
    s->targets = ARENA_ARRAY(a, Target, results + 1);
    call->args = ARENA_ARRAY(a, Expr *, n + 1);
    if (!w->params || !w->results || !s->targets || !call->args ||
        !name_params(a, "r", results, w->results))
        return NULL;
    w->nparams = __builtin_popcountll(ec->given);
    w->nresults = results;
    if (!name_params(a, "a", w->nparams, w->params))
        return NULL;
    for (int k = 0, at = 0; k < n; k++)
        if (ec->given >> k & 1 && !(call->args[k] = new_name(a, w->params[at++].name)))
            return NULL;
    for (int k = 0; k < results; k++)
        s->targets[k].name = w->results[k].name;
    *call = (Expr){.kind = E_CALL,
                   .name = ec->fn->name,
                   .fn = ec->set,
                   .args = call->args,
                   .nargs = n,
                   .first_given = ec->first,
                   .span = ec->fn->span};
    s->kind = results ? S_ASSIGN : S_CALL;
    s->ntargets = results;
    s->value = call;
    s->span = ec->fn->span;
    body[0] = s;
    w->body = (StmtList){body, 1};
    return w;
}

/* Of the run of the program, under its lock. */
static ml_status wrapper_for(Run *run, const EvalCall *ec, const Routine **out)
{
    Run *main = run_main(run);
    EvalEntry *e;
    Function *fn;

    for (e = main->evals; e; e = e->next)
        if (e->set == ec->set && e->given == ec->given) {
            *out = e->wrapper;
            return ML_OK;
        }
    e = ARENA_NEW(main->unit.arena, EvalEntry);
    fn = make_wrapper(main->unit.arena, ec);
    if (!e || !fn)
        return fail_memory(run->ctx, sizeof *e);
    TRY(unit_compile(run->ctx, &main->unit, fn, &e->wrapper));
    TRY(unit_optimize(run->ctx, &main->unit, e->wrapper));
    e->set = ec->set;
    e->given = ec->given;
    e->next = main->evals;
    main->evals = e;
    *out = e->wrapper;
    return ML_OK;
}

static ml_status place(Run *run, EvalCall *ec, int k, Value v)
{
    if (k >= ec->fn->nparams)
        return fail(run->ctx, ML_ENAME, "%s takes %d arguments, more were given", ec->fn->name,
                    ec->fn->nparams);
    if (!ec->given)
        ec->first = k;
    ec->given |= UINT64_C(1) << k;
    ec->args[k] = v;
    return ML_OK;
}

static ml_status place_named(Run *run, EvalCall *ec, const char *name, Value v)
{
    for (int k = 0; k < ec->fn->nparams; k++)
        if (strcmp(ec->fn->params[k].name, name) == 0)
            return place(run, ec, k, v);
    return fail(run->ctx, ML_ENAME, "%s has no parameter '%s'", ec->fn->name, name);
}

/* A lone list is the argument list, unless the function's only parameter is a list. */
static ml_status place_arguments(Run *run, const OpCall *call, EvalCall *ec)
{
    const Function *fn = ec->fn;
    const List *l;

    if (call->nin == 2 && call->in[1].dt == DT_LIST &&
        !(fn->nparams == 1 && fn->params[0].type.dt == DT_LIST)) {
        l = call->in[1].l;
        for (int64_t k = 0; k < l->count; k++)
            TRY(l->names && l->names[k] ? place_named(run, ec, l->names[k]->text, l->items[k])
                                        : place(run, ec, (int)k, l->items[k]));
        return ML_OK;
    }
    for (int k = 1; k < call->nin; k++)
        if (call->in[k].dt != DT_NONE)
            TRY(call->names && call->names[k] ? place_named(run, ec, call->names[k], call->in[k])
                                              : place(run, ec, k - 1, call->in[k]));
    return ML_OK;
}

static DataType first_type(const OpCall *call)
{
    const List *l;

    if (call->nin < 2)
        return DT_MATRIX;
    if (call->in[1].dt != DT_LIST)
        return (DataType)call->in[1].dt;
    l = call->in[1].l;
    return l->count ? (DataType)l->items[0].dt : DT_MATRIX;
}

/* ---- native operators by name ---- */

static const char *declared_type(Value v)
{
    switch (v.dt) {
    case DT_MATRIX:
        return "matrix[double]";
    case DT_FRAME:
        return "frame[string]";
    case DT_LIST:
        return "list[unknown]";
    default:
        return v.vt == VT_STRING ? "string"
               : v.vt == VT_BOOL ? "boolean"
               : v.vt == VT_INT  ? "int"
                                 : "double";
    }
}

/* As DML: NAME_TYPES = function(T a0, ...) return (matrix[double] r) { r = OPERATOR(a0, name=a1
 * ...) }.  Only the name when `body` is not wanted. */
static void native_text(Buffer *b, const char *op, Value *const *args, const char *const *names,
                        int n, bool body)
{
    buffer_text(b, "native_");
    for (const char *s = op; *s; s++)
        buffer_put(b, *s == '.' ? "_" : s, 1);
    for (int k = 0; k < n; k++)
        buffer_format(b, "_%c%s", declared_type(*args[k])[0], names[k] ? names[k] : "");
    if (!body)
        return;
    buffer_text(b, " = function(");
    for (int k = 0; k < n; k++)
        buffer_format(b, "%s%s a%d", k ? ", " : "", declared_type(*args[k]), k);
    buffer_format(b, ") return (matrix[double] r) { r = %s(", op);
    for (int k = 0; k < n; k++)
        buffer_format(b, "%s%s%sa%d", k ? ", " : "", names[k] ? names[k] : "", names[k] ? "=" : "",
                      k);
    buffer_text(b, ") }\n");
}

/* The function that wraps the operator for these arguments, parsed when it is new. */
static ml_status native_function(Run *run, const char *op, Value *const *args,
                                 const char *const *names, int n, const FunctionSet **out)
{
    Buffer name = {0}, text = {0};
    CheckOptions o = {.lib = run->ctx->opt->lib};
    Function *unused;
    ml_status st;

    native_text(&name, op, args, names, n, false);
    native_text(&text, op, args, names, n, true);
    st = name.failed || text.failed ? fail_memory(run->ctx, text.size) : ML_OK;
    if (st == ML_OK)
        st = program_find(run->ctx, run->program, name.data, out);
    if (st == ML_OK && !*out) {
        char *kept = arena_text(run_main(run)->unit.arena, text.data, text.size);

        st = kept ? program_parse(run->ctx, run->program, "eval", kept, text.size, &o, &unused)
                  : fail_memory(run->ctx, text.size);
        if (st == ML_OK)
            st = program_find(run->ctx, run->program, name.data, out);
        if (st == ML_OK && *out)
            (*out)->matrix->results[0].type = (TypeDecl){DT_NONE, VT_UNKNOWN};
    }
    buffer_free(&name);
    buffer_free(&text);
    return st;
}

/* A native operator becomes a function of the script, so that its arguments are checked like those
 * of any call. */
static ml_status find_native(Run *run, OpCall *call, const char *name, EvalCall *ec)
{
    const List *l = call->nin == 2 && call->in[1].dt == DT_LIST ? call->in[1].l : NULL;
    Value *args[EVAL_PARAMS];
    const char *names[EVAL_PARAMS] = {NULL};
    int n = l ? (int)l->count : call->nin - 1;

    if (op_find(name, strlen(name)) < 0 || n > EVAL_PARAMS)
        return ML_OK;
    for (int k = 0; k < n; k++) {
        args[k] = l ? &l->items[k] : &call->in[k + 1];
        if (l && l->names && l->names[k])
            names[k] = l->names[k]->text;
        else if (!l && call->names)
            names[k] = call->names[k + 1];
    }
    TRY(native_function(run, name, args, names, n, &ec->set));
    for (int k = 0; ec->set && k < n; k++)
        ec->args[k] = *args[k];
    ec->given = ec->set && n ? ~UINT64_C(0) >> (64 - n) : 0;
    return ML_OK;
}

/* The function of this name, its arguments in place, and the routine that calls it.  Under the lock
 * of the run of the program, as it may parse and compile. */
static ml_status resolve(Run *run, OpCall *call, const char *name, EvalCall *ec,
                         const Routine **wrapper)
{
    bool native;

    TRY(program_find(run->ctx, run->program, name, &ec->set));
    native = !ec->set;
    if (native)
        TRY(find_native(run, call, name, ec));
    if (!ec->set)
        return fail(run->ctx, ML_ENAME,
                    "no function '%s': it is neither in the script nor a builtin", name);
    ec->fn = pick_variant(ec->set, first_type(call));
    ec->first = -1;
    if (ec->fn->nparams > EVAL_PARAMS || ec->fn->nresults > EVAL_RESULTS)
        return fail(run->ctx, ML_ELIMIT,
                    "%s has too many parameters or results to be called by name", name);
    if (!native)
        TRY(place_arguments(run, call, ec));
    return wrapper_for(run, ec, wrapper);
}

/* All results; the caller owns them. */
static ml_status call_by_name(Run *run, OpCall *call, EvalCall *ec, Value *results)
{
    Run *main = run_main(run);
    Value args[EVAL_PARAMS];
    const Routine *wrapper = NULL;
    const char *name;
    ml_status st;
    int n = 0;

    TRY(call_text(run->ctx, call, 0, &name));
    pthread_mutex_lock(&main->lock);
    st = resolve(run, call, name, ec, &wrapper);
    pthread_mutex_unlock(&main->lock);
    if (st != ML_OK)
        return st;
    for (int k = 0; k < ec->fn->nparams; k++)
        if (ec->given >> k & 1)
            args[n++] = value_retain(ec->args[k]);
    return call_routine(run, wrapper, args, results);
}

/* The operator that converts, as.matrix, does it for frames; scalars are 1x1. */
static ml_status to_matrix(Run *run, Value *v)
{
    OpCall call = {.op = &op_table[OP_as_matrix],
                   .nin = 1,
                   .nout = 1,
                   .in = v,
                   .out = (Value[]){value_none()}};
    Value in = *v;

    if (v->dt == DT_MATRIX)
        return ML_OK;
    TRY(run->backend->operator_fn(OP_as_matrix)(run->ctx, &call));
    *v = call.out[0];
    value_release(in);
    return ML_OK;
}

ml_status ml_r_eval(Run *run, OpCall *call)
{
    EvalCall ec = {0};
    Value results[EVAL_RESULTS] = {{0}};
    ml_status st = call_by_name(run, call, &ec, results);

    if (st != ML_OK)
        return st;
    for (int k = 1; k < ec.fn->nresults; k++)
        value_release(results[k]);
    call->out[0] = results[0];
    if (ec.fn->nresults == 0)
        return fail(run->ctx, ML_ETYPE, "%s has no result", ec.fn->name);
    return to_matrix(run, &call->out[0]);
}

ml_status run_call_function(Ctx *ctx, const char *name, Matrix *in, Matrix **out)
{
    String *text = NULL;
    Value args[2], result = value_none();
    OpCall call = {.op = &op_table[OP_eval], .nin = 2, .nout = 1, .in = args, .out = &result};
    ml_status st;

    TRY(string_new(ctx, name, strlen(name), &text));
    args[0] = value_string(text);
    args[1] = value_matrix(in);
    st = ml_r_eval(ctx->run, &call);
    string_release(text);
    if (st == ML_OK)
        *out = result.m;
    else
        value_release(result);
    return st;
}

static ml_status fill_list(Run *run, const Function *fn, Value *results, List *l)
{
    for (int k = 0; k < fn->nresults; k++) {
        l->items[k] = results[k];
        results[k] = value_none();
        TRY(string_new(run->ctx, fn->results[k].name, strlen(fn->results[k].name), &l->names[k]));
    }
    return ML_OK;
}

ml_status ml_r_evalList(Run *run, OpCall *call)
{
    EvalCall ec = {0};
    Value results[EVAL_RESULTS] = {{0}};
    List *l = NULL;
    ml_status st = call_by_name(run, call, &ec, results);

    if (st == ML_OK)
        st = list_new(run->ctx, ec.fn->nresults, true, &l);
    if (st == ML_OK) {
        call->out[0] = value_list(l);
        st = fill_list(run, ec.fn, results, l);
    }
    for (int k = 0; k < EVAL_RESULTS; k++)
        value_release(results[k]);
    return st;
}
