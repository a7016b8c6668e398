/* Accesses in the order of the text.  nrow(X), ncol(X), length(X) and exists(X) do not look at
 * cells and are none.  Statements of a loop inside that never runs count for nothing. */
#include "lang/access.h"

typedef struct Finder {
    Subscripts *x;
    bool (*wanted)(const void *arg, const char *name);
    const void *arg;
    AccessList *out;
} Finder;

static void find_in_list(Finder *f, const StmtList *list);

static Range range_of(Finder *f, Expr *const *bounds)
{
    Range range = {.all = !bounds[0] && !bounds[1]};

    if (range.all)
        return range;
    range.lo = bounds[0] ? subscripts_value(f->x, bounds[0]) : poly_constant(1);
    if (bounds[1])
        range.hi = bounds[1] == bounds[0] ? range.lo : subscripts_value(f->x, bounds[1]);
    else
        range.hi = poly_bad();
    return range;
}

/* index: 4 bounds, or NULL for all of the variable. */
static void add_access(Finder *f, const char *name, Span span, AccessKind kind, Expr *const *index)
{
    Access access = {
        .name = name, .span = span, .kind = kind, .whole = !index, .inner = f->x->inner};

    if (!f->wanted(f->arg, name))
        return;
    for (int d = 0; index && d < 2; d++)
        access.dim[d] = range_of(f, index + 2 * d);
    if (f->x->c->status == ML_OK && !VEC_PUSH(&f->out->items, access))
        f->x->c->status = fail_memory(f->x->c->ctx, sizeof access);
}

static bool looks_at_no_cell(const Expr *e)
{
    return e->kind == E_OP && e->nargs == 1 && e->args[0] && e->args[0]->kind == E_NAME &&
           (e->op == OP_nrow || e->op == OP_ncol || e->op == OP_length || e->op == OP_exists);
}

static void find_in_args(Finder *f, Expr *const *args, int count);

static void find_in_expr(Finder *f, const Expr *e)
{
    if (!e || f->x->c->status != ML_OK || looks_at_no_cell(e))
        return;
    if (e->kind == E_NAME) {
        add_access(f, e->name, e->span, ACCESS_READ, NULL);
    } else if (e->kind == E_OP && e->op == OP_index && e->args[0]->kind == E_NAME) {
        find_in_args(f, e->args + 1, 4);
        add_access(f, e->args[0]->name, e->span, ACCESS_READ, e->args + 1);
    } else {
        find_in_args(f, e->args, e->nargs);
    }
}

static void find_in_args(Finder *f, Expr *const *args, int count)
{
    for (int k = 0; k < count; k++)
        if (k == 0 || args[k] != args[k - 1]) /* X[i]: both bounds are one node */
            find_in_expr(f, args[k]);
}

static void find_in_assignment(Finder *f, const Stmt *s)
{
    AccessKind kind = s->kind == S_ACCUMULATE ? ACCESS_ADD : ACCESS_WRITE;

    find_in_expr(f, s->value);
    for (int k = 0; k < s->ntargets; k++) {
        const Target *t = &s->targets[k];

        if (!t->name)
            continue;
        if (t->nindex > 0)
            find_in_args(f, t->index, 4);
        add_access(f, t->name, t->span, t->nindex > 0 ? ACCESS_WRITE : kind,
                   t->nindex > 0 ? t->index : NULL);
    }
    if (s->kind == S_ASSIGN && s->ntargets == 1 && s->targets[0].name && s->targets[0].nindex == 0)
        subscripts_bind(f->x, s->targets[0].name, s->value);
}

static void find_in_loop(Finder *f, const Stmt *s)
{
    int mark = subscripts_mark(f->x), inner = f->x->inner;

    find_in_expr(f, s->from);
    find_in_expr(f, s->to);
    find_in_expr(f, s->step);
    if (subscripts_bind_loop(f->x, s))
        find_in_list(f, &s->body);
    subscripts_forget(f->x, mark);
    f->x->inner = inner;
}

static void find_in_list(Finder *f, const StmtList *list)
{
    int mark = subscripts_mark(f->x);

    for (int k = 0; k < list->count && f->x->c->status == ML_OK; k++) {
        const Stmt *s = list->items[k];

        if (s->kind == S_FOR || s->kind == S_PARFOR) {
            find_in_loop(f, s);
        } else {
            find_in_assignment(f, s);
            find_in_list(f, &s->body);
            find_in_list(f, &s->orelse);
        }
    }
    subscripts_forget(f->x, mark);
}

void accesses_find(Subscripts *x, bool (*wanted)(const void *arg, const char *name),
                   const void *arg, AccessList *out)
{
    Finder f = {x, wanted, arg, out};

    find_in_list(&f, &x->loop->body);
}
