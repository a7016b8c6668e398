/* Calls: what the name means, and the arguments put in the callee's order.
 *
 * Natives and functions written in DML follow one rule: arguments without names first, in order,
 * then arguments with names; each parameter at most once; what is not given has a default, of a
 * native a literal written in here, of a function left to the call.  What the peer adds are
 * restrictions of single operators, columns of the table. */
#include "lang/check.h"
#include "lang/parser.h"
#include "lang/suggest.h"

#include <stdio.h>
#include <string.h>

/* The parameters of a callee. */
typedef struct Signature {
    const char *callee;
    int n;
    const char **names;
    bool *required;
    bool variadic;   /* the last parameter repeats */
    bool free_names; /* and its arguments may have any name: list(a=1) */
    bool must_name;
    bool first_unnamed; /* with must_name: the first argument may go without */
} Signature;

/* Arguments in their places; names only of those of a variadic parameter. */
typedef struct Placed {
    Expr **args;
    const char **names;
    int n;     /* places used, counting the variadic ones */
    int first; /* place of the first argument as written */
    bool any_name;
} Placed;

static void *alloc(Checker *c, size_t size)
{
    void *out = arena_alloc(c->program->arena, size ? size : 1);

    if (!out)
        c->status = fail_memory(c->ctx, size);
    return out;
}

/* ---- signatures ---- */

static bool signature_new(Checker *c, Signature *s, const char *callee, int n)
{
    *s = (Signature){.callee = callee, .n = n};
    s->names = alloc(c, sizeof *s->names * (size_t)n);
    s->required = alloc(c, sizeof *s->required * (size_t)n);
    return s->names && s->required;
}

static bool signature_of_op(Checker *c, const Expr *e, const OpInfo *op, Signature *s)
{
    if (!signature_new(c, s, e->name, op_nargs(op)))
        return false;
    for (int k = 0; k < s->n; k++) {
        s->names[k] = op->args[k].name;
        /* A variable without a value arrives like an absent argument, but must be written. */
        s->required[k] = op->args[k].def == NULL || (op->props & P_VARIABLE);
    }
    s->variadic = op->props & P_VARIADIC;
    s->free_names = s->variadic && (op->result == R_LIST || (op->props & P_CALLS));
    s->must_name = op->props & P_NAMED;
    s->first_unnamed = op->props & P_FIRST_UNNAMED;
    return true;
}

static bool signature_of_function(Checker *c, const Expr *e, const Function *fn, Signature *s)
{
    if (!signature_new(c, s, e->name, fn->nparams))
        return false;
    for (int k = 0; k < s->n; k++) {
        s->names[k] = fn->params[k].name;
        s->required[k] = fn->params[k].def == NULL;
    }
    return true;
}

/* ---- placing arguments ---- */

static int find_param(const Signature *s, const char *name)
{
    for (int k = 0; k < s->n; k++)
        if (strcmp(s->names[k], name) == 0)
            return k;
    return -1;
}

/* "; its parameters are a, b" */
static void list_params(const Signature *s, char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, s->n ? "; its parameters are" : "; it has none");

    for (int k = 0; k < s->n && used < size; k++)
        used += (size_t)snprintf(buf + used, size - used, "%s %s", k ? "," : "", s->names[k]);
}

static int refuse_name(Checker *c, const Signature *s, const char *name, Span span)
{
    Suggestion hint;
    char params[512];

    suggest_begin(&hint, name);
    for (int k = 0; k < s->n; k++)
        suggest_add(&hint, s->names[k], strlen(s->names[k]));
    list_params(s, params, sizeof params);
    report_error(c->ctx, c->program, span, ML_ENAME, "'%s' has no parameter '%s'%s", s->callee,
                 name, hint.best[0] ? suggest_hint(&hint) : params);
    return -1;
}

/* The place of an argument with a name; -1 after an error. */
static int place_named(Checker *c, const Signature *s, const Placed *out, const char *name,
                       const Expr *arg)
{
    int k = find_param(s, name);

    if (s->free_names && (k < 0 || k == s->n - 1))
        return out->n < s->n - 1 ? s->n - 1 : out->n;
    if (k < 0)
        return refuse_name(c, s, name, arg->span);
    if (!out->args[k])
        return k;
    report_error(c->ctx, c->program, arg->span, ML_ENAME,
                 "the parameter '%s' of '%s' is given twice", name, s->callee);
    return -1;
}

/* The place of the k-th argument, which has no name. */
static int place_unnamed(Checker *c, const Signature *s, const Expr *e, int k)
{
    const Expr *arg = e->args[k];

    if (s->must_name && !(k == 0 && s->first_unnamed)) {
        report_error(c->ctx, c->program, arg->span, ML_ENAME,
                     "the arguments of '%s' need names, as in %s(%s=...)", s->callee, s->callee,
                     k < s->n ? s->names[k] : "name");
        return -1;
    }
    if (k > 0 && e->arg_names[k - 1] && !s->free_names) {
        report_error(c->ctx, c->program, arg->span, ML_ENAME,
                     "an argument without a name cannot follow '%s=' in the call of '%s'",
                     e->arg_names[k - 1], s->callee);
        return -1;
    }
    if (k < s->n || s->variadic)
        return k;
    report_error(c->ctx, c->program, arg->span, ML_ENAME,
                 "'%s' takes at most %d argument%s, found %d", s->callee, s->n,
                 s->n == 1 ? "" : "s", e->nargs);
    return -1;
}

static bool place_arguments(Checker *c, const Signature *s, const Expr *e, Placed *out)
{
    size_t room = (size_t)(s->n + e->nargs);
    int place;

    *out = (Placed){.args = alloc(c, sizeof *out->args * room),
                    .names = alloc(c, sizeof *out->names * room),
                    .first = -1};
    if (!out->args || !out->names)
        return false;
    for (int k = 0; k < e->nargs; k++) {
        const char *name = e->arg_names[k];

        place = name ? place_named(c, s, out, name, e->args[k]) : place_unnamed(c, s, e, k);
        if (place < 0)
            return false;
        out->args[place] = e->args[k];
        if (s->free_names && place >= s->n - 1) {
            out->names[place] = name;
            out->any_name |= name != NULL;
        }
        out->first = k == 0 ? place : out->first;
        out->n = place + 1 > out->n ? place + 1 : out->n;
    }
    return true;
}

static bool check_required(Checker *c, const Signature *s, const Expr *e, const Placed *placed)
{
    for (int k = 0; k < s->n; k++)
        if (s->required[k] && !placed->args[k]) {
            report_error(c->ctx, c->program, e->span, ML_ENAME, "'%s' needs the argument '%s'",
                         s->callee, s->names[k]);
            return false;
        }
    return true;
}

static void put_arguments(Expr *e, const Placed *placed, int n)
{
    e->args = placed->args;
    e->nargs = n;
    e->first_given = placed->first;
    e->arg_names = placed->any_name ? placed->names : NULL;
}

/* ---- types of literals ---- */

/* The type of what is written out, as a mask; 0 when it is not. */
static unsigned literal_type(const Expr *e)
{
    if (e->kind == E_SHAPE)
        return A_LIST;
    if (e->kind != E_LITERAL)
        return 0;
    return e->lit.vt == VT_STRING
               ? A_STRING
               : A_NUMBER | A_BOOL; /* numbers and booleans stand for each other */
}

static void check_literal(Checker *c, const Signature *s, int param, const Expr *arg,
                          unsigned types)
{
    unsigned type = arg ? literal_type(arg) : 0;
    char expected[OP_TYPES_TEXT];

    if (type == 0 || (type & types))
        return;
    op_types_text(expected, types);
    report_unless_check(c->ctx, c->program, arg->span, ML_ETYPE,
                        "the argument '%s' of '%s' is %s, found a %s", s->names[param], s->callee,
                        expected,
                        type == A_LIST     ? "list"
                        : type == A_STRING ? "string"
                                           : "number");
}

static unsigned param_types(const Param *param)
{
    switch (param->type.dt) {
    case DT_MATRIX:
        return A_MATRIX;
    case DT_FRAME:
        return A_FRAME;
    case DT_LIST:
        return A_LIST;
    default:
        return A_SCALAR; /* cast on entry */
    }
}

/* ---- results ---- */

int check_result_count(const Expr *e)
{
    if (e->kind == E_OP && e->op >= 0)
        return op_nresults(&op_table[e->op]);
    if (e->kind == E_CALL && e->fn)
        return resolve_variant(e->fn)->nresults;
    return 1;
}

/* Do the callee's results fit what takes them? */
static void check_targets(Checker *c, const Expr *e, int targets, uint32_t props)
{
    int n = check_result_count(e);

    if (targets == 0 && n > 0 && !(props & P_EFFECT))
        report_error(c->ctx, c->program, e->span, ML_ENAME, "the result of '%s' must be assigned",
                     e->name);
    else if (targets == AS_OPERAND && n == 0)
        report_error(c->ctx, c->program, e->span, ML_ENAME, "'%s' has no result to compute with",
                     e->name);
    else if ((props & P_MULTI) && (targets == 1 || targets == AS_OPERAND))
        report_error(c->ctx, c->program, e->span, ML_ENAME,
                     "'%s' has %d results and needs to be called with multi-return assignment, [a, "
                     "b] = %s(...)",
                     e->name, n, e->name);
    else if (targets > (n > 1 ? n : 1) || (targets == 1 && n == 0 && e->kind == E_CALL))
        report_error(c->ctx, c->program, e->span, ML_ENAME,
                     "'%s' has %d result%s, found %d variable%s to take them", e->name, n,
                     n == 1 ? "" : "s", targets, targets == 1 ? "" : "s");
}

/* ---- natives ---- */

static bool put_defaults(Checker *c, const OpInfo *op, const Expr *e, Placed *placed, int n)
{
    for (int k = 0; k < n; k++) {
        const char *def = op->args[k].def;

        if (placed->args[k] || !def || !def[0])
            continue;
        placed->args[k] = parse_default(c->ctx, c->program, def, e->span);
        if (!placed->args[k]) {
            c->status = ML_ENOMEM;
            return false;
        }
    }
    return true;
}

/* A native that calls a function by its name, as eval does: when the name is written out, it is
 * reached. */
static void reach_by_name(Checker *c, const Expr *name)
{
    const FunctionSet *set;

    if (!name || name->kind != E_LITERAL || name->lit.vt != VT_STRING)
        return;
    set = resolve_user(c->program, name->lit.s->text);
    if (!set)
        c->status = library_find(c->ctx, c->program, name->lit.s->text, &set);
    if (c->status == ML_OK && set)
        c->status = resolve_queue(c->ctx, c->program, set);
}

/* What is known but not in this version: a warning where nothing reaches it. */
static void refuse_later(Checker *c, const Expr *e, const char *text)
{
    if (c->program->unreached)
        report_warning(c->ctx, c->program, e->name_span, "%s", text);
    else
        report_unless_check(c->ctx, c->program, e->name_span, ML_EUNSUPPORTED, "%s", text);
}

static void refuse_later_native(Checker *c, const Expr *e, const char *belongs_to)
{
    char text[256];

    snprintf(text, sizeof text, "'%s' belongs to %s, which this version does not have", e->name,
             belongs_to);
    refuse_later(c, e, text);
}

static void refuse_later_library(Checker *c, const Expr *e)
{
    char text[256];

    snprintf(text, sizeof text, "'%s' is part of the script library but not in this version",
             e->name);
    refuse_later(c, e, text);
}

static void check_native(Checker *c, Expr *e, int code, int targets)
{
    const OpInfo *op = &op_table[code];
    Signature s;
    Placed placed;
    int n;

    if (op->later)
        refuse_later_native(c, e, op->later);
    if (!signature_of_op(c, e, op, &s) || !place_arguments(c, &s, e, &placed) ||
        !check_required(c, &s, e, &placed))
        return;
    n = !s.variadic ? s.n : placed.n > s.n - 1 ? placed.n : s.n - 1;
    if (!put_defaults(c, op, e, &placed, n < s.n ? n : s.n))
        return;
    for (int k = 0; k < n; k++)
        check_literal(c, &s, k < s.n ? k : s.n - 1, placed.args[k],
                      op->args[k < s.n ? k : s.n - 1].types);
    put_arguments(e, &placed, n);
    e->kind = E_OP;
    e->op = code;
    check_targets(c, e, targets, op->props);
    if (op->props & P_CALLS)
        reach_by_name(c, n > 0 ? e->args[0] : NULL);
}

/* ---- functions written in DML ---- */

static void check_function_call(Checker *c, Expr *e, const FunctionSet *set, int targets)
{
    const Function *fn = resolve_variant(set);
    Signature s;
    Placed placed;

    c->status = resolve_queue(c->ctx, c->program, set);
    if (c->status != ML_OK || !signature_of_function(c, e, fn, &s) ||
        !place_arguments(c, &s, e, &placed) || !check_required(c, &s, e, &placed))
        return;
    for (int k = 0; k < s.n; k++)
        if (resolve_is_single(set))
            check_literal(c, &s, k, placed.args[k], param_types(&fn->params[k]));
    put_arguments(e, &placed, s.n);
    e->fn = set;
    check_targets(c, e, targets, 0);
}

/* ---- unknown names ---- */

static const char *function_hint(Checker *c, Suggestion *s, const char *name)
{
    const Unit *unit = c->fn->unit;

    suggest_begin(s, name);
    for (int k = 0; k < unit->functions.count; k++)
        suggest_add(s, unit->functions.items[k]->name, strlen(unit->functions.items[k]->name));
    for (int op = 0; op < OP_COUNT; op++)
        if (op_table[op].dml && !(op_table[op].props & P_SYNTAX))
            suggest_names(s, op_table[op].dml);
    for (int k = 0; k < library_nnames; k++)
        suggest_add(s, library_names[k], strlen(library_names[k]));
    return suggest_hint(s);
}

/* ns::f: is it the namespace or the function? */
static void refuse_qualified(Checker *c, const Expr *e, const char *colons)
{
    const Unit *unit = c->fn->unit;
    size_t size = (size_t)(colons - e->name);
    Suggestion s;

    for (int k = 0; k < unit->imports.count; k++) {
        const Import *import = &unit->imports.items[k];

        if (strlen(import->alias) != size || memcmp(import->alias, e->name, size) != 0)
            continue;
        suggest_begin(&s, colons + 2);
        for (int i = 0; i < import->unit->functions.count; i++)
            suggest_names(&s, import->unit->functions.items[i]->name);
        report_error(c->ctx, c->program, e->name_span, ML_ENAME, "%s defines no function '%s'%s",
                     import->unit->name, colons + 2, suggest_hint(&s));
        return;
    }
    report_error(c->ctx, c->program, e->name_span, ML_ENAME,
                 "no namespace '%.*s'; source(\"file.dml\") as %.*s would make it", (int)size,
                 e->name, (int)size, e->name);
}

static void refuse_call(Checker *c, const Expr *e)
{
    const char *colons = strstr(e->name, "::");
    Suggestion s;

    if (colons)
        refuse_qualified(c, e, colons);
    else if (library_knows(e->name, strlen(e->name)))
        refuse_later_library(c, e);
    else
        report_error(c->ctx, c->program, e->name_span, ML_ENAME, "undefined function '%s'%s",
                     e->name, function_hint(c, &s, e->name));
}

/* A call resolved when nothing reached its function, which eval now does. */
static void check_reached(Checker *c, const Expr *e)
{
    if (e->kind == E_CALL)
        c->status = resolve_queue(c->ctx, c->program, e->fn);
    else if (op_table[e->op].later)
        refuse_later_native(c, e, op_table[e->op].later);
    else if (op_table[e->op].props & P_CALLS)
        reach_by_name(c, e->args[0]);
}

void check_call(Checker *c, Expr *e, int targets)
{
    const FunctionSet *set;
    int op;

    if (e->kind == E_OP || e->fn) {
        check_reached(c, e);
        return;
    }
    c->status = resolve_function(c->ctx, c->program, c->fn->unit, e->name, &set);
    if (c->status != ML_OK)
        return;
    if (set) {
        check_function_call(c, e, set, targets);
        return;
    }
    op = op_find(e->name, strlen(e->name));
    if (op >= 0)
        check_native(c, e, op, targets);
    else
        refuse_call(c, e);
}
