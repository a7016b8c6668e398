/* The script library: files found in the folder given (MATLOOM_LIB) or else embedded, parsed when
 * first called.
 *
 * A library function g is m_g, s_g and/or f_g - the variants for a matrix or list, a scalar, a
 * frame as first argument - in the file of its family: builtin/g.dml, or else the file named by the
 * longest beginning of g that ends before a capital letter: lmPredict is in builtin/lm.dml. A file
 * holds helper functions of its own, too. */
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

static bool is_plain_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_plain_name(const char *name)
{
    size_t size = 0;

    while (is_plain_char(name[size]))
        size++;
    return size > 0 && !name[size];
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

/* The unit that defines the function with this name in the file named by its first `size` bytes. */
static ml_status load_from(Ctx *ctx, Program *p, const char *name, size_t size, FunctionSet *set)
{
    const char *path = arena_format(p->arena, "builtin/%.*s.dml", (int)size, name);
    Unit *unit;

    if (!path)
        return fail_memory(ctx, size);
    TRY(unit_library(ctx, p, path, 0, &unit));
    if (!unit)
        return ML_OK;
    TRY(find_variant(ctx, p, unit, "m_", name, &set->matrix));
    TRY(find_variant(ctx, p, unit, "s_", name, &set->scalar));
    return find_variant(ctx, p, unit, "f_", name, &set->frame);
}

static bool set_is_empty(const FunctionSet *set)
{
    return !set->matrix && !set->scalar && !set->frame;
}

/* The longest beginning shorter than `size` that ends before a capital letter; 0 when there is
 * none. */
static size_t family(const char *name, size_t size)
{
    while (--size > 0)
        if (name[size] >= 'A' && name[size] <= 'Z')
            return size;
    return 0;
}

static ml_status load(Ctx *ctx, Program *p, const char *name, FunctionSet *set)
{
    for (size_t size = strlen(name); size && set_is_empty(set); size = family(name, size))
        TRY(load_from(ctx, p, name, size, set));
    set->by_type = true;
    if (!set_is_empty(set)) {
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
    if (!set_is_empty(set))
        *out = set;
    return ML_OK;
}

/* ---- help ---- */

/* Does the line define a variant of a library function?  Its name goes to *out. */
static bool defines(const char *line, const char *end, LibraryEntry *out)
{
    const char *last;

    if (end - line < 3 || !strchr("msf", line[0]) || line[1] != '_')
        return false;
    out->name = line + 2;
    for (last = out->name; last < end && is_plain_char(*last); last++)
        ;
    out->size = (size_t)(last - out->name);
    while (last < end && *last == ' ')
        last++;
    return out->size > 0 && end - last > 10 && memcmp(last, "= function", 10) == 0;
}

bool library_entry(const char **at, const char *end, LibraryEntry *out)
{
    const char *comment = NULL, *line = *at;
    bool apart = true; /* after a blank line a comment begins anew */

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *next = newline ? newline + 1 : end;

        if (*line == '#') {
            comment = apart ? line : comment;
            out->end = next;
        } else if (comment && defines(line, next, out)) {
            out->comment = comment;
            *at = next;
            return true;
        } else if (*line != '\n') {
            comment = NULL;
        }
        apart = *line != '#';
        line = next;
    }
    return false;
}

void library_comment(const LibraryEntry *e, Buffer *out)
{
    const char *line = e->comment;

    while (line < e->end) {
        const char *newline = memchr(line, '\n', (size_t)(e->end - line));
        const char *stop = newline ? newline : e->end;
        const char *text = line + (line + 1 < stop && line[1] == ' ' ? 2 : 1);

        buffer_put(out, text, (size_t)(stop - text));
        buffer_put(out, "\n", 1);
        line = newline ? newline + 1 : e->end;
    }
}

/* The comment of the function in the file named by the first `size` bytes of its name. */
static ml_status help_from(Ctx *ctx, const char *name, size_t size, const char *lib, Buffer *out)
{
    Buffer path = {0};
    char *owned = NULL;
    const char *text = NULL, *at;
    size_t length = 0;
    LibraryEntry e;
    ml_status st;

    buffer_format(&path, "builtin/%.*s.dml", (int)size, name);
    st = path.failed ? fail_memory(ctx, size)
                     : read_file(ctx, lib ? lib : "", path.data, &owned, &text, &length);
    at = text;
    while (st == ML_OK && at && out->size == 0 && library_entry(&at, text + length, &e))
        if (e.size == strlen(name) && memcmp(e.name, name, e.size) == 0)
            library_comment(&e, out);
    mem_free(owned);
    buffer_free(&path);
    return st == ML_OK && out->failed ? fail_memory(ctx, out->size) : st;
}

ml_status library_help(Ctx *ctx, const char *name, const char *lib, Buffer *out)
{
    if (!is_plain_name(name))
        return ML_OK;
    for (size_t size = strlen(name); size && out->size == 0; size = family(name, size))
        TRY(help_from(ctx, name, size, lib, out));
    return ML_OK;
}
