/* Libraries that are loaded when first used, so that starting the program loads nothing but the C
 * library, and everything but what needs them runs without.  A mutex guards the loading; afterwards
 * the pointers never change. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { UNTRIED, USABLE, ABSENT, UNFIT };

/* The file that the user named, or else the first of the names that is found. */
static void *open_library(const Library *l)
{
    const char *chosen = l->variable ? getenv(l->variable) : NULL;
    char name[256];
    void *handle = NULL;

    if (chosen && *chosen)
        return dlopen(chosen, RTLD_NOW | RTLD_LOCAL);
    for (const char *p = l->names; *p && !handle; p += strspn(p, " ")) {
        const size_t n = strcspn(p, " ");

        if (n < sizeof name) {
            memcpy(name, p, n);
            name[n] = '\0';
            handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
        }
        p += n;
    }
    return handle;
}

static int load(const Library *l)
{
    void *handle = open_library(l);

    if (!handle)
        return ABSENT;
    for (size_t k = 0; k < l->count; k++) {
        void *address = dlsym(handle, l->symbols[k].name);

        if (!address) {
            dlclose(handle);
            return UNFIT;
        }
        *(void **)((char *)l->functions + l->symbols[k].offset) = address;
    }
    return USABLE;
}

ml_status library_load(Ctx *ctx, Library *l)
{
    /* Acquire: what the loading thread wrote before it set the state is seen. */
    int state = atomic_load_explicit(&l->state, memory_order_acquire);

    if (state == UNTRIED) {
        pthread_mutex_lock(&l->lock);
        state = atomic_load_explicit(&l->state, memory_order_relaxed);
        if (state == UNTRIED) {
            state = load(l);
            atomic_store_explicit(&l->state, state, memory_order_release);
        }
        pthread_mutex_unlock(&l->lock);
    }
    if (state == USABLE)
        return ML_OK;
    return fail(ctx, ML_EUNSUPPORTED, "%s needs the library %.*s, which %s: %s%s%s", l->purpose,
                (int)strcspn(l->names, " "), l->names,
                state == ABSENT ? "was not found" : "lacks functions; another version is expected",
                l->advice,
                l->variable ? "; its file may be named by the environment variable " : "",
                l->variable ? l->variable : "");
}
