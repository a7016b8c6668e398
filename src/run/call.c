/* Calls of functions written in DML: frames, conversion of arguments and results by the declared
 * types.
 *
 * Arguments are passed by value, which costs a reference; a variable that is dead after the call is
 * moved, so the callee may write into it.  Depth is bounded by the C stack that nested calls use.
 */
#include "run/interp.h"

enum { C_STACK_LIMIT = 5 << 20 };

static const char *type_name(TypeDecl t)
{
    return t.dt == DT_SCALAR ? value_type_name(t.vt) : data_type_name(t.dt);
}

/* A 1x1 matrix is taken for a scalar and the other way round, where the declaration asks for it.
 * ML_ETYPE: neither. */
static ml_status convert_data(Ctx *ctx, DataType to, Value *v)
{
    Matrix *m = NULL;
    double d;

    if (to == DT_SCALAR && v->dt == DT_MATRIX && v->m->rows == 1 && v->m->cols == 1) {
        d = matrix_get(v->m, 0, 0);
        value_release(*v);
        *v = value_double(d);
        return ML_OK;
    }
    if (to == DT_MATRIX && scalar_is_number(*v)) {
        TRY(matrix_new_constant(ctx, 1, 1, scalar_to_double(*v), &m));
        *v = value_matrix(m);
        return ML_OK;
    }
    return ML_ETYPE;
}

static ml_status convert_value(Ctx *ctx, ValueType to, Value *v)
{
    Value cast;

    if (v->dt != DT_SCALAR || to == VT_UNKNOWN || to == VT_NONE || (v->vt == to && !v->textual))
        return ML_OK;
    TRY(scalar_cast(ctx, *v, to, &cast));
    value_release(*v);
    *v = cast;
    return ML_OK;
}

static ml_status convert_argument(Ctx *ctx, const char *function, const Param *p, Value *v)
{
    char text[64];

    if (v->dt != p->type.dt && p->type.dt != DT_NONE) {
        ml_status st = convert_data(ctx, p->type.dt, v);

        if (st == ML_ETYPE)
            return fail(ctx, ML_ETYPE, "%s: argument '%s' must be of type %s, found a %s", function,
                        p->name, type_name(p->type), value_describe(*v, text));
        TRY(st);
    }
    return convert_value(ctx, p->type.vt, v);
}

/* A double does not become an int by itself. */
static ml_status convert_result(Ctx *ctx, const char *function, const Param *p, Value *v)
{
    char text[64];

    if (v->dt == DT_NONE)
        return fail_at(ctx, p->span, ML_ENAME,
                       "%s: result '%s' has no value at the end of the function", function,
                       p->name);
    if (v->dt != p->type.dt && p->type.dt != DT_NONE) {
        ml_status st = convert_data(ctx, p->type.dt, v);

        if (st == ML_ETYPE)
            return fail_at(ctx, p->span, ML_ETYPE, "%s: result '%s' is declared as %s, found a %s",
                           function, p->name, type_name(p->type), value_describe(*v, text));
        TRY(st);
    }
    if (v->dt == DT_SCALAR && v->vt == VT_DOUBLE && !v->textual && p->type.vt == VT_INT)
        return fail_at(ctx, p->span, ML_ETYPE,
                       "%s: result '%s' is declared int and is a double: cannot safely cast FP64 "
                       "as INT64; use as.integer",
                       function, p->name);
    return convert_value(ctx, p->type.vt, v);
}

/* ---- frames ---- */

static ml_status enter(Run *run, const Routine *r, Value **frame)
{
    const char *here = __builtin_frame_address(0);
    int64_t used = run->c_stack - here;

    if (run->top + (size_t)r->nslots > run->stack_size || used > C_STACK_LIMIT ||
        -used > C_STACK_LIMIT)
        return fail(run->ctx, ML_ELIMIT,
                    "calls are nested too deep: the recursion of '%s' does not seem to end",
                    r->fn->name);
    *frame = run->stack + run->top;
    run->top += (size_t)r->nslots;
    run->stats->calls++;
    return ML_OK;
}

static void leave(Run *run, const Routine *r, Value *frame)
{
    for (int k = 0; k < r->nslots; k++) {
        if (value_is_counted(frame[k]))
            value_release_counted(frame[k]);
        frame[k] = value_none();
    }
    run->top -= (size_t)r->nslots;
}

static void release_all(Value *values, int count)
{
    for (int k = 0; k < count; k++) {
        value_release(values[k]);
        values[k] = value_none();
    }
}

/* A result that is no parameter is moved out of the frame. */
static void take_result(Value *frame, const Routine *r, int k, Value *out)
{
    Value *v = &frame[r->results[k]];

    value_copy(out, v);
    for (int j = k + 1; j < r->fn->nresults; j++)
        if (r->results[j] == r->results[k]) {
            value_retain(*v);
            return;
        }
    *v = value_none();
}

ml_status call_routine(Run *run, const Routine *r, Value *args, Value *results)
{
    const Function *fn = r->fn;
    Value *frame = NULL;
    ml_status st = enter(run, r, &frame);

    if (st != ML_OK) {
        release_all(args, fn->nparams);
        return st;
    }
    for (int k = 0; k < fn->nparams; k++)
        value_copy(&frame[k], &args[k]);
    for (int k = 0; st == ML_OK && k < fn->nparams; k++)
        st = convert_argument(run->ctx, fn->name, &fn->params[k], &frame[k]);
    if (st == ML_OK)
        st = run_blocks(run, r, frame, r->body);
    for (int k = 0; st == ML_OK && k < fn->nresults; k++) {
        take_result(frame, r, k, &results[k]);
        st = convert_result(run->ctx, fn->name, &fn->results[k], &results[k]);
    }
    if (st != ML_OK)
        release_all(results, fn->nresults);
    leave(run, r, frame);
    return st;
}

/* ---- calls ---- */

static ml_status take_arguments(Run *run, const Routine *caller, Value *frame, const Block *block,
                                Value *args)
{
    for (int k = 0; k < block->nargs; k++) {
        const CallArg *a = &block->args[k];

        value_copy(&args[k], a->slot < 0 ? &a->lit : &frame[a->slot]);
        if (value_is_counted(args[k]))
            value_retain_counted(args[k]);
        if (args[k].dt == DT_NONE)
            return fail(run->ctx, ML_ENAME,
                        "variable '%s' has no value here: it is assigned only on another path",
                        caller->names[a->slot] ? caller->names[a->slot] : "of a temporary");
    }
    for (int k = 0; k < block->nargs; k++)
        if (block->args[k].dies && block->args[k].slot >= 0) {
            value_release(frame[block->args[k].slot]);
            frame[block->args[k].slot] = value_none();
        }
    return ML_OK;
}

static void give_results(Value *frame, const Block *block, const Function *fn, const Value *results)
{
    for (int k = 0; k < fn->nresults; k++) {
        if (k >= block->ntargets || block->targets[k] < 0) {
            value_release(results[k]);
            continue;
        }
        if (value_is_counted(frame[block->targets[k]]))
            value_release_counted(frame[block->targets[k]]);
        value_copy(&frame[block->targets[k]], &results[k]);
    }
}

static ml_status call_with(Run *run, const Routine *caller, Value *frame, Block *block, Value *args,
                           Value *results)
{
    ml_status st = take_arguments(run, caller, frame, block, args);
    int first = block->first_given;
    const Function *fn = pick_variant(
        block->fn, first >= 0 && first < block->nargs ? (DataType)args[first].dt : DT_MATRIX);

    if (st == ML_OK && block->nargs != fn->nparams)
        st = fail(run->ctx, ML_ETYPE,
                  "%s: %d arguments given, %d expected by the variant for this type", fn->name,
                  block->nargs, fn->nparams);
    if (st != ML_OK) {
        release_all(args, block->nargs);
        return st;
    }
    TRY(call_routine(run, routine_of(fn), args, results));
    give_results(frame, block, fn, results);
    return ML_OK;
}

static int most_results(const FunctionSet *set)
{
    const Function *variants[3] = {set->matrix, set->scalar, set->frame};
    int n = 0;

    for (int k = 0; k < 3; k++)
        if (variants[k] && variants[k]->nresults > n)
            n = variants[k]->nresults;
    return n;
}

enum { LOCAL_VALUES = 16 };

ml_status run_call(Run *run, const Routine *caller, Value *frame, Block *block)
{
    Value local[LOCAL_VALUES], *values = local;
    int count = block->nargs + most_results(block->fn);
    ml_status st;

    if (count > LOCAL_VALUES) {
        values = mem_calloc((size_t)count, sizeof *values);
        if (!values)
            return fail_memory(run->ctx, sizeof *values);
    } else {
        for (int k = 0; k < count; k++)
            local[k] = value_none();
    }
    st = call_with(run, caller, frame, block, values, values + block->nargs);
    if (values != local)
        mem_free(values);
    if (st == ML_OK)
        return ML_OK;
    if (!run->ctx->err.span.src)
        run->ctx->err.span = block->span;
    else
        error_add_call(run->ctx, pick_variant(block->fn, DT_MATRIX)->name, block->span);
    return st;
}
