/* The entries of a folder in natural order: part-2 before part-10. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "io/io_impl.h"

static int by_version(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static ml_status add_name(Ctx *ctx, const char *name, Folder *out)
{
    const size_t size = strlen(name) + 1;
    char *copy = mem_alloc(size);

    if (!copy)
        return fail_memory(ctx, size);
    memcpy(copy, name, size);
    if (VEC_PUSH(out, copy))
        return ML_OK;
    mem_free(copy);
    return fail_memory(ctx, sizeof copy * (size_t)out->count);
}

ml_status folder_open(Ctx *ctx, const char *path, bool (*wanted)(const char *name), Folder *out)
{
    DIR *dir = opendir(path);
    const struct dirent *e;
    ml_status st = ML_OK;

    *out = (Folder){0};
    if (!dir)
        return fail(ctx, ML_EIO, "cannot read the folder %s: %s", path, strerror(errno));
    while (st == ML_OK && (e = readdir(dir)) != NULL)
        if (wanted(e->d_name))
            st = add_name(ctx, e->d_name, out);
    closedir(dir);
    if (st != ML_OK)
        folder_close(out);
    else if (out->count > 1)
        qsort(out->items, (size_t)out->count, sizeof *out->items, by_version);
    return st;
}

void folder_close(Folder *f)
{
    for (int i = 0; i < f->count; i++)
        mem_free(f->items[i]);
    VEC_FREE(f);
}
