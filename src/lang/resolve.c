/* Which function a call means: language.md, 7.
 *
 * Functions written in DML come from the caller's own file, from a namespace, or from the script
 * library; native operators stand between the first and the last and are found in the operator
 * table. */
#include "lang/program.h"

#include <string.h>

static const FunctionSet *find_in_namespace(const Unit *unit, const char *name, const char *colons)
{
    size_t size = (size_t)(colons - name);

    for (int k = 0; k < unit->imports.count; k++) {
        const Import *import = &unit->imports.items[k];

        if (strlen(import->alias) == size && memcmp(import->alias, name, size) == 0)
            return unit_find(import->unit, colons + 2);
    }
    return NULL;
}

ml_status resolve_function(Ctx *ctx, Program *p, const Unit *unit, const char *name,
                           const FunctionSet **out)
{
    const char *colons = strstr(name, "::");

    if (colons) {
        *out = find_in_namespace(unit, name, colons);
        return ML_OK;
    }
    *out = unit_find(unit, name);
    if (*out || op_find(name, strlen(name)) >= 0)
        return ML_OK;
    return library_find(ctx, p, name, out);
}

/* A leading ./ says nothing. */
static const char *skip_here(const char *path)
{
    return path[0] == '.' && path[1] == '/' ? path + 2 : path;
}

/* "alias::f" as the script sees it, or "path::f". */
static const FunctionSet *find_qualified(const Program *p, const char *name, const char *colons)
{
    size_t size = (size_t)(colons - name);

    for (int k = 0; k < p->units.count; k++) {
        const Unit *unit = p->units.items[k];
        const char *a = skip_here(unit->name), *b = skip_here(name);

        if (strlen(a) == (size_t)(colons - b) && memcmp(a, b, strlen(a)) == 0)
            return unit_find(unit, colons + 2);
        for (int i = 0; unit->is_main && i < unit->imports.count; i++) {
            const Import *import = &unit->imports.items[i];

            if (strlen(import->alias) == size && memcmp(import->alias, name, size) == 0)
                return unit_find(import->unit, colons + 2);
        }
    }
    return NULL;
}

const FunctionSet *resolve_user(const Program *p, const char *name)
{
    const char *colons = strstr(name, "::");

    if (colons)
        return find_qualified(p, name, colons);
    for (int k = 0; k < p->units.count; k++) /* the script, and what eval added to it */
        if (p->units.items[k]->is_main) {
            const FunctionSet *set = unit_find(p->units.items[k], name);

            if (set)
                return set;
        }
    return NULL;
}

const Function *resolve_variant(const FunctionSet *set)
{
    return set->matrix ? set->matrix : set->scalar ? set->scalar : set->frame;
}

bool resolve_is_single(const FunctionSet *set)
{
    return (set->matrix != NULL) + (set->scalar != NULL) + (set->frame != NULL) == 1;
}

static ml_status queue_one(Ctx *ctx, Program *p, Function *fn)
{
    if (!fn || fn->queued)
        return ML_OK;
    fn->queued = true;
    return VEC_PUSH(&p->queue, fn) ? ML_OK : fail_memory(ctx, sizeof fn);
}

ml_status resolve_queue(Ctx *ctx, Program *p, const FunctionSet *set)
{
    TRY(queue_one(ctx, p, set->matrix));
    TRY(queue_one(ctx, p, set->scalar));
    return queue_one(ctx, p, set->frame);
}
