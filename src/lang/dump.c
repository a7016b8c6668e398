/* The tree as s-expressions: (+ 1 (* 2 x)), (= x (call f a b=1)), (if p ((...)) ((...))).  An
 * absent argument is `_`. Calls stand as `call` before they are resolved and as the operator or the
 * function's name after. */
#include "lang/dump.h"

static void dump_expr(Buffer *b, const Expr *e);

static void put_literal(Buffer *b, Value v)
{
    if (v.vt == VT_STRING)
        buffer_format(b, "\"%s\"", v.s->text);
    else
        scalar_print(b, v);
}

static void put_arguments(Buffer *b, const Expr *e)
{
    for (int k = 0; k < e->nargs; k++) {
        buffer_text(b, " ");
        if (e->arg_names && e->arg_names[k])
            buffer_format(b, "%s=", e->arg_names[k]);
        dump_expr(b, e->args[k]);
    }
    buffer_text(b, ")");
}

static void dump_expr(Buffer *b, const Expr *e)
{
    if (!e) {
        buffer_text(b, "_");
        return;
    }
    switch (e->kind) {
    case E_LITERAL:
        put_literal(b, e->lit);
        return;
    case E_NAME:
        buffer_text(b, e->name);
        return;
    case E_DOLLAR:
        buffer_format(b, "$%s", e->name);
        return;
    case E_CALL:
        buffer_format(b, e->fn ? "(%s" : "(call %s", e->name);
        break;
    case E_OP:
        buffer_format(b, "(%s", e->name);
        break;
    case E_SHAPE:
        buffer_text(b, "(list");
        break;
    }
    put_arguments(b, e);
}

static void put_target(Buffer *b, const Target *t)
{
    buffer_text(b, t->name ? t->name : "_");
    if (t->nindex == 0)
        return;
    buffer_text(b, "[");
    for (int k = 0; k < 2 * t->nindex; k++) {
        buffer_text(b, k == 0 ? "" : k == 2 ? ", " : " ");
        dump_expr(b, t->index[k]);
    }
    buffer_text(b, "]");
}

static void put_assignment(Buffer *b, const Stmt *s)
{
    buffer_text(b, s->kind == S_ACCUMULATE ? "(+=" : "(=");
    for (int k = 0; k < s->ntargets; k++) {
        buffer_text(b, " ");
        put_target(b, &s->targets[k]);
    }
    buffer_text(b, " ");
    dump_expr(b, s->value);
}

static void put_body(Buffer *b, const StmtList *list)
{
    buffer_text(b, " (");
    dump_list(b, list);
    buffer_text(b, ")");
}

static void put_loop(Buffer *b, const Stmt *s)
{
    buffer_format(b, "(%s %s (%s ", s->kind == S_FOR ? "for" : "parfor", s->name,
                  s->seq ? "seq" : ":");
    dump_expr(b, s->from);
    buffer_text(b, " ");
    dump_expr(b, s->to);
    if (s->step) {
        buffer_text(b, " ");
        dump_expr(b, s->step);
    }
    buffer_text(b, ")");
    for (int k = 0; k < s->nparams; k++) {
        buffer_format(b, " %s=", s->params[k].key);
        dump_expr(b, s->params[k].value);
    }
    put_body(b, &s->body);
}

static void dump_stmt(Buffer *b, const Stmt *s)
{
    switch (s->kind) {
    case S_ASSIGN:
    case S_ACCUMULATE:
        put_assignment(b, s);
        break;
    case S_CALL:
        dump_expr(b, s->value);
        return;
    case S_IF:
    case S_WHILE:
        buffer_text(b, s->kind == S_IF ? "(if " : "(while ");
        dump_expr(b, s->value);
        put_body(b, &s->body);
        if (s->orelse.count > 0)
            put_body(b, &s->orelse);
        break;
    case S_FOR:
    case S_PARFOR:
        put_loop(b, s);
        break;
    }
    buffer_text(b, ")");
}

void dump_list(Buffer *b, const StmtList *list)
{
    for (int k = 0; k < list->count; k++) {
        buffer_text(b, k ? " " : "");
        dump_stmt(b, list->items[k]);
    }
}

static void put_params(Buffer *b, const Param *params, int count)
{
    buffer_text(b, " (");
    for (int k = 0; k < count; k++) {
        buffer_format(b, "%s%s", k ? " " : "", params[k].name);
        buffer_format(b, ":%s.%s", data_type_name(params[k].type.dt),
                      value_type_name(params[k].type.vt));
        if (params[k].def) {
            buffer_text(b, "=");
            dump_expr(b, params[k].def);
        }
    }
    buffer_text(b, ")");
}

void dump_function(Buffer *b, const Function *fn)
{
    buffer_format(b, "(function %s", fn->name);
    put_params(b, fn->params, fn->nparams);
    put_params(b, fn->results, fn->nresults);
    buffer_text(b, " ");
    dump_list(b, &fn->body);
    buffer_text(b, ")");
}
