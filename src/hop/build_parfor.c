/* The body of a parfor: which of its variables are whose.
 * Requires: the check's verdict on every variable that the body assigns and that existed before.
 *
 * Iterations see what was there before the loop.  A variable that the body assigns is therefore
 * either a result, which all iterations change together, or private to an iteration: then its name
 * stands for a new variable inside the body, and for the old one again behind it.  With check=0 a
 * private variable may have had a value before; it begins with that one, and what an iteration
 * makes of it is lost. */
#include "hop/build.h"

#include <string.h>
#include <strings.h>

typedef struct Private {
    const char *name;
    int before; /* slot, -1: there was none */
    int slot;
} Private;

typedef struct Scope {
    Builder *b;
    const Stmt *loop;
    VEC(Private) privates;
} Scope;

static const ParforResult *result_of(const Stmt *loop, const char *name)
{
    for (int k = 0; k < loop->nresults; k++)
        if (strcmp(loop->results[k].name, name) == 0)
            return &loop->results[k];
    return NULL;
}

static bool is_private(const Scope *s, const char *name)
{
    const ParforResult *result = result_of(s->loop, name);

    return strcmp(name, s->loop->name) != 0 && (!result || result->mode == PARFOR_LOST);
}

static ml_status add_private(Scope *s, const char *name)
{
    Private p = {.name = name};

    if (!name || !is_private(s, name))
        return ML_OK;
    for (int k = 0; k < s->privates.count; k++)
        if (strcmp(s->privates.items[k].name, name) == 0)
            return ML_OK;
    p.before = builder_find(s->b, name);
    p.slot = builder_shadow(s->b, name);
    return p.slot >= 0 && VEC_PUSH(&s->privates, p) ? ML_OK : fail_memory(s->b->ctx, sizeof p);
}

static ml_status add_assigned(Scope *s, StmtList list)
{
    for (int k = 0; k < list.count; k++) {
        const Stmt *stmt = list.items[k];

        for (int t = 0; t < stmt->ntargets; t++)
            TRY(add_private(s, stmt->targets[t].name));
        if (stmt->kind == S_FOR || stmt->kind == S_PARFOR)
            TRY(add_private(s, stmt->name));
        TRY(add_assigned(s, stmt->body));
        TRY(add_assigned(s, stmt->orelse));
    }
    return ML_OK;
}

/* What had a value before begins with it. */
static ml_status copy_in(Scope *s)
{
    for (int k = 0; k < s->privates.count; k++) {
        const Private *p = &s->privates.items[k];
        Hop *before;

        if (p->before < 0 || !result_of(s->loop, p->name))
            continue;
        before = builder_variable(s->b, p->before, s->loop->span);
        if (!before)
            return fail_memory(s->b->ctx, sizeof *before);
        TRY(builder_assign(s->b, p->slot, before));
    }
    return ML_OK;
}

static ml_status leave_scope(Scope *s)
{
    for (int k = 0; k < s->privates.count; k++) {
        const Private *p = &s->privates.items[k];

        if (p->before >= 0 && !builder_bind(s->b, p->name, p->before))
            return fail_memory(s->b->ctx, sizeof *p);
    }
    return ML_OK;
}

static ml_status describe(const Scope *s, Parfor **out)
{
    Builder *b = s->b;
    const Stmt *loop = s->loop;
    Parfor *p = ARENA_NEW(b->arena, Parfor);

    if (!p)
        return fail_memory(b->ctx, sizeof *p);
    p->params = loop->params;
    p->nparams = loop->nparams;
    p->results = ARENA_ARRAY(b->arena, ParforSlot, loop->nresults + 1);
    p->privates = ARENA_ARRAY(b->arena, int, s->privates.count + 1);
    if (!p->results || !p->privates)
        return fail_memory(b->ctx, sizeof *p->results);
    for (int k = 0; k < loop->nresults; k++) {
        if (loop->results[k].mode == PARFOR_LOST)
            continue;
        p->results[p->nresults].slot = builder_slot(b, loop->results[k].name);
        p->results[p->nresults++].mode = loop->results[k].mode;
    }
    for (int k = 0; k < s->privates.count; k++)
        p->privates[p->nprivates++] = s->privates.items[k].slot;
    *out = p;
    return ML_OK;
}

const ParforParam *parfor_remote(const ParforParam *params, int count)
{
    for (int k = 0; k < count; k++) {
        const Expr *e = params[k].value;

        if (e->kind == E_LITERAL && e->lit.vt == VT_STRING &&
            strncasecmp(e->lit.s->text, "REMOTE", 6) == 0)
            return &params[k];
    }
    return NULL;
}

/* Where scripts shall run on Spark, what is asked to run there must not run here unnoticed. */
static ml_status refuse_remote(const Builder *b, const Stmt *s)
{
    const ParforParam *p = parfor_remote(s->params, s->nparams);

    if (!p || strcmp(b->ctx->opt->exec, "spark") != 0)
        return ML_OK;
    return fail_at(b->ctx, p->key_span, ML_EUNSUPPORTED,
                   "%s=%s needs Spark, which this version cannot reach; with -exec singlenode the "
                   "loop runs on this machine",
                   p->key, p->value->lit.s->text);
}

ml_status build_parfor(Builder *b, const Stmt *s, Block *block)
{
    Scope scope = {.b = b, .loop = s};
    ml_status st;

    TRY(refuse_remote(b, s));
    TRY_TO(done, st = add_assigned(&scope, s->body));
    TRY_TO(done, st = describe(&scope, &block->parfor));
    TRY_TO(done, st = copy_in(&scope));
    TRY_TO(done, st = build_statements(b, s->body));
    st = leave_scope(&scope);
done:
    VEC_FREE(&scope.privates);
    return st;
}
