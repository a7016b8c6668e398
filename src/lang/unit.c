/* Units: files of functions, parsed once each, and their look-up.
 *
 * A unit is known by its identity - the real path of a file, the path inside the library - so a
 * file sourced twice or by itself is one unit: it is registered before it is parsed, and calls are
 * resolved only after everything is parsed. */
#include "lang/lexer.h"
#include "lang/program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- new units ---- */

static bool check_text(Ctx *ctx, Program *p, const Source *src)
{
    size_t bad = lex_bad_byte(src);
    Span span = {src, (uint32_t)bad, (uint32_t)bad};

    if (bad == src->size)
        return true;
    if (src->text[bad] == '\0')
        report_error(ctx, p, span, ML_ESYNTAX, "the text holds a NUL byte");
    else
        report_error(ctx, p, span, ML_ESYNTAX, "the text is not UTF-8: byte 0x%02X",
                     (unsigned char)src->text[bad]);
    return false;
}

ml_status unit_new(Ctx *ctx, Program *p, const char *name, const char *identity, const char *text,
                   size_t size, Unit **out)
{
    Unit *unit = ARENA_NEW(p->arena, Unit);
    Source *src = ARENA_NEW(p->arena, Source);

    *out = NULL;
    if (size >= UINT32_MAX)
        return fail(ctx, ML_ELIMIT, "a script has less than 4 GB, found %zu bytes", size);
    if (!unit || !src || !(src->name = arena_text(p->arena, name, strlen(name))) ||
        !VEC_PUSH(&p->units, unit) || !(unit->by_name = map_new()))
        return fail_memory(ctx, sizeof *unit);
    src->text = text;
    src->size = size;
    unit->name = src->name;
    unit->identity = identity;
    unit->source = src;
    if (check_text(ctx, p, src))
        *out = unit;
    return ML_OK;
}

static Unit *find_unit(const Program *p, const char *identity)
{
    for (int k = 0; k < p->units.count; k++)
        if (strcmp(p->units.items[k]->identity, identity) == 0)
            return p->units.items[k];
    return NULL;
}

/* ---- source() ---- */

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

const char *unit_identity(Program *p, const char *path)
{
    char real[PATH_MAX];
    const char *identity = is_file(path) ? realpath(path, real) : NULL;

    if (!identity)
        identity = path;
    return arena_text(p->arena, identity, strlen(identity));
}

static ml_status source_file(Ctx *ctx, Program *p, const char *path, const char *identity,
                             int depth, Unit **out)
{
    char *text;
    size_t size;

    *out = find_unit(p, identity);
    if (*out)
        return ML_OK;
    TRY(file_read(ctx, path, &text, &size));
    if (!VEC_PUSH(&p->texts, text)) {
        mem_free(text);
        return fail_memory(ctx, sizeof text);
    }
    TRY(unit_new(ctx, p, path, identity, text, size, out));
    return *out ? unit_parse(ctx, p, *out, depth) : ML_OK;
}

ml_status unit_library(Ctx *ctx, Program *p, const char *path, int depth, Unit **out)
{
    const char *identity = arena_format(p->arena, "library:%s", path), *text;
    size_t size;

    if (!identity)
        return fail_memory(ctx, strlen(path));
    *out = find_unit(p, identity);
    if (*out)
        return ML_OK;
    TRY(library_text(ctx, p, path, &text, &size));
    if (!text)
        return ML_OK;
    TRY(unit_new(ctx, p, path, identity, text, size, out));
    if (!*out)
        return ML_OK;
    (*out)->library = (*out)->name;
    (*out)->source->library = true;
    return unit_parse(ctx, p, *out, depth);
}

ml_status unit_source(Ctx *ctx, Program *p, const char *path, Span span, int depth, Unit **out)
{
    const char *inside = strncmp(path, "./", 2) == 0 ? path + 2 : path;
    int errors = p->errors;
    const char *identity;

    *out = NULL;
    if (is_file(path)) {
        identity = unit_identity(p, path);
        return identity ? source_file(ctx, p, path, identity, depth, out)
                        : fail_memory(ctx, strlen(path));
    }
    TRY(unit_library(ctx, p, strncmp(inside, "scripts/", 8) == 0 ? inside + 8 : inside, depth,
                     out));
    if (!*out && p->errors == errors)
        report_error(ctx, p, span, ML_EIO, "cannot find the file '%s'", path);
    return ML_OK;
}

/* ---- functions ---- */

ml_status unit_add_function(Ctx *ctx, Program *p, Unit *unit, Function *fn)
{
    const FunctionSet *other = unit_find(unit, fn->name);
    Definition *def;

    if (other) {
        report_error(ctx, p, fn->name_span, ML_ENAME, "the function '%s' is already defined",
                     fn->name);
        report_note(ctx, p, other->matrix->name_span, "first defined here");
        return ML_OK;
    }
    def = ARENA_NEW(p->arena, Definition);
    if (!def || !VEC_PUSH(&unit->functions, def) ||
        !map_put(unit->by_name, fn->name, strlen(fn->name), (intptr_t)def))
        return fail_memory(ctx, sizeof *def);
    def->name = fn->name;
    def->set.matrix = fn;
    return VEC_PUSH(&p->functions, fn) ? ML_OK : fail_memory(ctx, sizeof fn);
}

const FunctionSet *unit_find(const Unit *unit, const char *name)
{
    int64_t found;

    return map_get(unit->by_name, name, strlen(name), &found)
               ? &((const Definition *)(intptr_t)found)->set
               : NULL;
}
