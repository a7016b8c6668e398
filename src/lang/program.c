/* A program: the arena and what lives in it, interned names, literals, and the entry points that
 * run parser and checks.
 *
 * Text handed to the parser is copied, because spans point into it for as long as the program
 * lives. */
#include "lang/program.h"

#include <stdlib.h>
#include <string.h>

Program *program_new(Ctx *ctx)
{
    Program *p = mem_calloc(1, sizeof *p);

    if (p) {
        p->arena = arena_new();
        p->names = map_new();
        p->libraries = map_new();
        p->lib = mem_calloc(1, 1);
    }
    if (p && p->arena && p->names && p->libraries && p->lib)
        return p;
    program_free(p);
    fail_memory(ctx, sizeof *p);
    return NULL;
}

void program_free(Program *p)
{
    if (!p)
        return;
    for (int k = 0; k < p->strings.count; k++)
        string_release(p->strings.items[k]);
    for (int k = 0; k < p->texts.count; k++)
        mem_free(p->texts.items[k]);
    for (int k = 0; k < p->units.count; k++) {
        VEC_FREE(&p->units.items[k]->functions);
        map_free(p->units.items[k]->by_name);
        VEC_FREE(&p->units.items[k]->imports);
    }
    VEC_FREE(&p->strings);
    VEC_FREE(&p->texts);
    VEC_FREE(&p->units);
    VEC_FREE(&p->functions);
    VEC_FREE(&p->queue);
    map_free(p->names);
    map_free(p->libraries);
    arena_free(p->arena);
    mem_free(p->lib);
    mem_free(p);
}

void program_arguments(Program *p, const ScriptArg *args, int count)
{
    p->args = args;
    p->nargs = count;
}

bool program_argument(const Program *p, const char *name, const char **value)
{
    for (int k = 0; k < p->nargs; k++)
        if (strcmp(p->args[k].name, name) == 0 && p->args[k].value[0]) {
            *value = p->args[k].value;
            return true;
        }
    return false;
}

const char *program_intern(Ctx *ctx, Program *p, const char *text, size_t size)
{
    int64_t found;
    char *name;

    if (map_get(p->names, text, size, &found))
        return (const char *)(intptr_t)found;
    name = arena_text(p->arena, text, size);
    if (name && map_put(p->names, name, size, (int64_t)(intptr_t)name))
        return name;
    fail_memory(ctx, size);
    return NULL;
}

ml_status program_string(Ctx *ctx, Program *p, const char *text, size_t size, Value *out)
{
    String *s;

    TRY(string_new(ctx, text, size, &s));
    if (!VEC_PUSH(&p->strings, s)) {
        string_release(s);
        return fail_memory(ctx, sizeof s);
    }
    *out = value_string(s);
    return ML_OK;
}

Arena *program_arena(Program *p)
{
    return p->arena;
}

int program_functions(const Program *p, Function ***out)
{
    *out = p->functions.items;
    return p->functions.count;
}

/* ---- parse ---- */

static ml_status take_options(Ctx *ctx, Program *p, const CheckOptions *o)
{
    const char *lib = o->lib && o->lib[0] ? o->lib : getenv("MATLOOM_LIB");
    size_t size = lib ? strlen(lib) : 0;
    char *copy = mem_calloc(size + 1, 1);

    if (!copy)
        return fail_memory(ctx, size + 1);
    if (size > 0)
        memcpy(copy, lib, size);
    mem_free(p->lib);
    p->lib = copy;
    p->check_only = o->check_only;
    return ML_OK;
}

static Function *main_function(Program *p, Unit *unit)
{
    Function *fn = ARENA_NEW(p->arena, Function);

    if (!fn)
        return NULL;
    fn->name = fn->key = "";
    fn->namespace_ = unit->name;
    fn->unit = unit;
    fn->span = (Span){unit->source, 0, (uint32_t)unit->source->size};
    fn->body = unit->body;
    return fn;
}

ml_status program_parse(Ctx *ctx, Program *p, const char *name, const char *text, size_t size,
                        const CheckOptions *o, Function **main_fn)
{
    Unit *unit = NULL;
    const char *copy, *identity;
    ml_status st;

    p->errors = p->warnings = 0;
    p->quiet = false;
    TRY(take_options(ctx, p, o));
    copy = arena_text(p->arena, text, size);
    identity = unit_identity(p, name);
    if (!copy || !identity)
        return fail_memory(ctx, size);
    TRY(unit_new(ctx, p, name, identity, copy, size, &unit));
    if (unit) {
        unit->is_main = true;
        TRY(unit_parse(ctx, p, unit, 0));
    }
    if (p->errors > 0)
        return ctx->err.code;
    *main_fn = main_function(p, unit);
    if (!*main_fn)
        return fail_memory(ctx, sizeof **main_fn);
    st = check_program(ctx, p, *main_fn);
    return st != ML_OK ? st : p->errors > 0 ? ctx->err.code : ML_OK;
}

/* ---- look-up by name at run time ---- */

ml_status program_find(Ctx *ctx, Program *p, const char *name, const FunctionSet **out)
{
    p->quiet = true;
    p->errors = 0;
    *out = resolve_user(p, name);
    if (!*out)
        TRY(library_find(ctx, p, name, out));
    if (*out)
        TRY(resolve_queue(ctx, p, *out));
    TRY(check_queued(ctx, p));
    return p->errors > 0 ? ctx->err.code : ML_OK;
}
