/* Lists: a folder with one file an item, INDEX_NAME or INDEX, each with its metadata; and metadata
 * for the whole.
 *
 * The folder is built beside its target and takes its place when complete.
 */
#include <stdio.h>

#include "io/io_impl.h"

enum {
    MAX_DEPTH = 64 /* lists in lists */
};

/* The index a file name begins with, -1 if it is no item of a list. *name gets what follows the
 * underscore, or NULL. */
static int64_t item_index(const char *file, const char **name)
{
    const char *underscore = strchr(file, '_'),
               *end = underscore ? underscore : file + strlen(file);
    const size_t n = strlen(file);
    int64_t index;

    if (n > 4 && strcmp(file + n - 4, ".mtd") == 0)
        return -1;
    *name = underscore ? underscore + 1 : NULL;
    return num_parse_int64(file, end, &index) && index >= 0 ? index : -1;
}

static bool is_item(const char *file)
{
    const char *name;

    return item_index(file, &name) >= 0;
}

static ml_status read_item(Ctx *ctx, const char *folder, const char *file, int64_t index, List *l,
                           int depth)
{
    const size_t size = strlen(folder) + strlen(file) + 2;
    const char *name = NULL;
    char *path;
    ml_status st;

    if (item_index(file, &name) != index)
        return fail(ctx, ML_EFORMAT, "the list %s has no item %" PRId64, folder, index);
    path = mem_alloc(size);
    if (!path)
        return fail_memory(ctx, size);
    snprintf(path, size, "%s/%s", folder, file);
    st = io_read_value(ctx, path, NULL, &l->items[index], depth + 1);
    mem_free(path);
    if (st == ML_OK && name && strcmp(name, "null") != 0)
        st = string_new(ctx, name, strlen(name), &l->names[index]);
    return st;
}

/* Items without any name make a list without names. */
static void drop_empty_names(List *l)
{
    for (int64_t i = 0; i < l->count; i++)
        if (l->names[i])
            return;
    mem_free(l->names);
    l->names = NULL;
}

static ml_status read_items(Ctx *ctx, const char *path, const Folder *names, Value *out, int depth)
{
    List *l;
    ml_status st = ML_OK;

    TRY(list_new(ctx, names->count, true, &l));
    for (int i = 0; i < names->count && st == ML_OK; i++)
        st = read_item(ctx, path, names->items[i], i, l, depth);
    if (st != ML_OK) {
        list_release(l);
        return st;
    }
    drop_empty_names(l);
    *out = value_list(l);
    return ML_OK;
}

ml_status list_read(Ctx *ctx, const char *path, Value *out, int depth)
{
    Folder names;
    ml_status st;

    if (depth > MAX_DEPTH)
        return fail(ctx, ML_ELIMIT, "%s: lists are nested deeper than %d", path, MAX_DEPTH);
    TRY(folder_open(ctx, path, is_item, &names));
    st = read_items(ctx, path, &names, out, depth);
    folder_close(&names);
    return st;
}

static ml_status write_item(Ctx *ctx, const List *l, int64_t i, const char *folder,
                            const IoOptions *options, int depth)
{
    const char *name = l->names && l->names[i] ? l->names[i]->text : NULL;
    const size_t size = strlen(folder) + (name ? strlen(name) : 0) + NUM_BUFFER + 3;
    char *path;
    ml_status st;

    if (name && strchr(name, '/'))
        return fail(ctx, ML_EVALUE, "write: the name %s of a list item cannot be a file name",
                    name);
    path = mem_alloc(size);
    if (!path)
        return fail_memory(ctx, size);
    snprintf(path, size, name ? "%s/%" PRId64 "_%s" : "%s/%" PRId64, folder, i, name);
    st = io_write_value(ctx, l->items[i], path, options, depth + 1);
    mem_free(path);
    return st;
}

ml_status list_write(Ctx *ctx, const List *l, const char *path, const IoOptions *options, int depth)
{
    Output o;
    ml_status st;

    if (depth > MAX_DEPTH)
        return fail(ctx, ML_ELIMIT, "%s: lists are nested deeper than %d", path, MAX_DEPTH);
    st = output_open_folder(ctx, path, &o);
    for (int64_t i = 0; i < l->count && st == ML_OK; i++)
        st = write_item(ctx, l, i, o.temp, options, depth);
    if (st == ML_OK)
        st = output_commit(ctx, &o);
    output_discard(&o);
    return st;
}
