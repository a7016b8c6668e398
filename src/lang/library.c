/* The script library: files found in the folder given (MATLOOM_LIB) or else embedded, parsed when
 * first called.
 *
 * A library function g is a file builtin/g.dml that defines m_g, s_g and/or f_g - the variants for
 * a matrix or list, a scalar, a frame as first argument - and functions of its own. */
#include "lang/program.h"

#include <string.h>
#include <sys/stat.h>

const char *const library_names[] = {
#define ML_LIBRARY(name) #name,
#include "lang/library.def"
#undef ML_LIBRARY
};
const int library_nnames = sizeof library_names / sizeof *library_names;

bool library_knows(const char *name, size_t size)
{
    for (int k = 0; k < library_nnames; k++)
        if (strlen(library_names[k]) == size && memcmp(library_names[k], name, size) == 0)
            return true;
    return false;
}

/* ---- files ---- */

/* The file's text: *owned is to be freed and holds it, or is NULL when it is embedded.  *text is
 * NULL when there is none. */
static ml_status read_file(Ctx *ctx, const char *lib, const char *path, char **owned,
                           const char **text, size_t *size)
{
    Buffer full = {0};
    struct stat info;
    ml_status st = ML_OK;

    *owned = NULL;
    *text = NULL;
    if (lib[0]) {
        buffer_format(&full, "%s/%s", lib, path);
        if (full.failed)
            st = fail_memory(ctx, strlen(path));
        else if (stat(full.data, &info) == 0 && S_ISREG(info.st_mode))
            st = file_read(ctx, full.data, owned, size);
        buffer_free(&full);
        *text = *owned;
    }
    for (size_t k = 0; st == ML_OK && !*text && k < lib_nfiles; k++)
        if (strcmp(lib_files[k].path, path) == 0) {
            *text = lib_files[k].text;
            *size = lib_files[k].size;
        }
    return st;
}

ml_status library_text(Ctx *ctx, Program *p, const char *path, const char **text, size_t *size)
{
    char *owned;

    TRY(read_file(ctx, p->lib, path, &owned, text, size));
    if (owned && !VEC_PUSH(&p->texts, owned)) {
        mem_free(owned);
        return fail_memory(ctx, sizeof owned);
    }
    return ML_OK;
}

/* ---- functions ---- */

static bool is_plain_name(const char *name)
{
    return name[0] &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}

/* The function prefix + name of the unit; messages know it by the name that is called. */
static ml_status find_variant(Ctx *ctx, Program *p, const Unit *unit, const char *prefix,
                              const char *name, Function **out)
{
    const char *full = arena_format(p->arena, "%s%s", prefix, name);
    const FunctionSet *set;

    if (!full)
        return fail_memory(ctx, strlen(name));
    set = unit_find(unit, full);
    *out = set ? set->matrix : NULL;
    if (set)
        set->matrix->name = name;
    return ML_OK;
}

/* A call's arguments are put in order before its variant is known, so all variants have the same
 * parameters. */
static void check_variants(Ctx *ctx, Program *p, const Function *first, const Function *other)
{
    bool same = !other || other->nparams == first->nparams;

    for (int k = 0; other && same && k < first->nparams; k++)
        same = other->params[k].name == first->params[k].name;
    if (!same)
        report_error(ctx, p, other->name_span, ML_ENAME,
                     "the parameters of '%s' are not those of its other variant", other->name);
}

static ml_status load(Ctx *ctx, Program *p, const char *name, FunctionSet *set)
{
    const char *path = arena_format(p->arena, "builtin/%s.dml", name);
    Unit *unit;

    if (!path)
        return fail_memory(ctx, strlen(name));
    TRY(unit_library(ctx, p, path, 0, &unit));
    if (!unit)
        return ML_OK;
    TRY(find_variant(ctx, p, unit, "m_", name, &set->matrix));
    TRY(find_variant(ctx, p, unit, "s_", name, &set->scalar));
    TRY(find_variant(ctx, p, unit, "f_", name, &set->frame));
    set->by_type = true;
    if (set->matrix || set->scalar || set->frame) {
        check_variants(ctx, p, resolve_variant(set), set->scalar);
        check_variants(ctx, p, resolve_variant(set), set->frame);
    }
    return ML_OK;
}

ml_status library_find(Ctx *ctx, Program *p, const char *name, const FunctionSet **out)
{
    const char *key = program_intern(ctx, p, name, strlen(name));
    int64_t known;
    FunctionSet *set;

    *out = NULL;
    if (!key)
        return ML_ENOMEM;
    if (map_get(p->libraries, key, strlen(key), &known)) {
        set = (FunctionSet *)(intptr_t)known;
    } else {
        set = ARENA_NEW(p->arena, FunctionSet);
        if (!set || !map_put(p->libraries, key, strlen(key), (int64_t)(intptr_t)set))
            return fail_memory(ctx, sizeof *set);
        if (is_plain_name(key))
            TRY(load(ctx, p, key, set));
    }
    if (set->matrix || set->scalar || set->frame)
        *out = set;
    return ML_OK;
}

/* ---- help ---- */

/* The comment lines at the start of the text, without their marks. */
static void head_comment(const char *text, const char *end, Buffer *out)
{
    while (text < end && *text == '#') {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;

        text += text[1] == ' ' && text + 1 < stop ? 2 : 1;
        buffer_put(out, text, (size_t)(stop - text));
        buffer_put(out, "\n", 1);
        text = newline ? newline + 1 : end;
    }
}

ml_status library_help(Ctx *ctx, const char *name, const char *lib, Buffer *out)
{
    Buffer path = {0};
    char *owned = NULL;
    const char *text = NULL;
    size_t size;
    ml_status st;

    if (!is_plain_name(name))
        return ML_OK;
    buffer_format(&path, "builtin/%s.dml", name);
    st = path.failed ? fail_memory(ctx, strlen(name))
                     : read_file(ctx, lib ? lib : "", path.data, &owned, &text, &size);
    if (st == ML_OK && text)
        head_comment(text, text + size, out);
    mem_free(owned);
    buffer_free(&path);
    return st == ML_OK && out->failed ? fail_memory(ctx, out->size) : st;
}
