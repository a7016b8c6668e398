/* Definitions of variables, counted in one pass over a function. */
#include "lang/defs.h"

#include <string.h>

typedef struct Place {
    bool inside; /* the body of the parfor */
    bool in_loop;
} Place;

static void scan_list(Defs *d, const StmtList *list, Place at);

VarDefs *defs_find(const Defs *d, const char *name)
{
    int64_t k;

    return map_get(d->index, name, strlen(name), &k) ? &d->vars.items[k] : NULL;
}

static VarDefs *find_or_add(Defs *d, const char *name)
{
    VarDefs *v = defs_find(d, name);
    VarDefs fresh = {.name = name};

    if (v)
        return v;
    if (!map_put(d->index, name, strlen(name), d->vars.count) || !VEC_PUSH(&d->vars, fresh)) {
        d->failed = true;
        return NULL;
    }
    return &d->vars.items[d->vars.count - 1];
}

static void count(Defs *d, const char *name, DefCount one, Place at, const Expr *value)
{
    VarDefs *v = find_or_add(d, name);

    if (!v)
        return;
    if (!one.indexed)
        v->value = v->all.whole + v->all.loops == 0 && !at.in_loop ? value : NULL;
    v->repeated |= at.in_loop && !one.indexed;
    v->fraction |= one.whole > 0;
    v->all.whole += one.whole;
    v->all.indexed += one.indexed;
    v->all.loops += one.loops;
    if (!at.inside)
        return;
    v->inside.whole += one.whole;
    v->inside.indexed += one.indexed;
    v->inside.loops += one.loops;
}

static void scan_assignment(Defs *d, const Stmt *s, Place at)
{
    const Expr *value = s->kind == S_ASSIGN && s->ntargets == 1 ? s->value : NULL;

    for (int k = 0; k < s->ntargets && !d->failed; k++) {
        const Target *t = &s->targets[k];

        if (t->name && t->nindex == 0)
            count(d, t->name, (DefCount){.whole = 1}, at, value);
        else if (t->name)
            count(d, t->name, (DefCount){.indexed = 1}, at, NULL);
    }
}

/* A loop variable takes integers unless a step says otherwise. */
static void scan_loop(Defs *d, const Stmt *s, Place at)
{
    VarDefs *v;

    count(d, s->name, (DefCount){.loops = 1}, at, NULL);
    v = d->failed ? NULL : defs_find(d, s->name);
    if (v && s->step)
        v->fraction = true;
    at.in_loop = true;
    at.inside |= s == d->loop;
    scan_list(d, &s->body, at);
}

static void scan_list(Defs *d, const StmtList *list, Place at)
{
    for (int k = 0; k < list->count && !d->failed; k++) {
        const Stmt *s = list->items[k];
        Place below = {.inside = at.inside, .in_loop = at.in_loop || s->kind == S_WHILE};

        if (s->kind == S_FOR || s->kind == S_PARFOR) {
            scan_loop(d, s, at);
            continue;
        }
        scan_assignment(d, s, at);
        scan_list(d, &s->body, below);
        scan_list(d, &s->orelse, below);
    }
}

bool defs_new(Defs *d, const Function *fn, const Stmt *loop)
{
    *d = (Defs){.index = map_new(), .loop = loop};
    d->failed = !d->index;
    for (int k = 0; k < fn->nparams && !d->failed; k++) {
        count(d, fn->params[k].name, (DefCount){.whole = 1}, (Place){0}, NULL);
        if (!d->failed && fn->params[k].type.dt == DT_SCALAR && fn->params[k].type.vt == VT_INT)
            defs_find(d, fn->params[k].name)->fraction = false;
    }
    if (!d->failed)
        scan_list(d, &fn->body, (Place){0});
    return !d->failed;
}

void defs_free(Defs *d)
{
    map_free(d->index);
    VEC_FREE(&d->vars);
}

bool defs_is_fixed(const Defs *d, const char *name)
{
    const VarDefs *v = defs_find(d, name);

    return name != d->loop->name &&
           (!v || v->inside.whole + v->inside.indexed + v->inside.loops == 0);
}

bool defs_is_size_fixed(const Defs *d, const char *name)
{
    const VarDefs *v = defs_find(d, name);

    return name != d->loop->name && (!v || v->inside.whole + v->inside.loops == 0);
}

bool defs_is_size_single(const Defs *d, const char *name)
{
    const VarDefs *v = defs_find(d, name);

    return v && v->all.whole == 1 && v->all.loops == 0 && !v->repeated;
}

bool defs_is_single(const Defs *d, const char *name)
{
    return defs_is_size_single(d, name) && defs_find(d, name)->all.indexed == 0;
}
