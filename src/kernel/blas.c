/* OpenBLAS, loaded when the first kernel asks for it.
 *
 * Why at run time: a script of scalars and small matrices never pays for loading 30 MB, and the
 * program runs without the library.  Why with one thread: the tasks of the engine divide the work,
 * so nesting is safe and tiles are fixed.
 *
 * OpenBLAS chooses its kernels while it loads and takes some AVX-512 machines for older ones, at
 * half the speed, and knows no cap; the environment variable that overrules it is set for the
 * moment of loading unless the user has set it.  The one piece of process-wide state of the kernels
 * lives here, with the level of the context that loads it; a mutex guards it and it never changes
 * afterwards. */
#include "kernel/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER; /* guards `loaded` until `ready` */
static atomic_bool ready;
static Blas loaded;
static bool usable;

typedef struct Symbol {
    const char *name;
    size_t offset; /* of the pointer in Blas */
} Symbol;

static const Symbol symbols[] = {
    {"sgemm_", offsetof(Blas, sgemm)},
    {"dgemm_", offsetof(Blas, dgemm)},
    {"dgetrf_", offsetof(Blas, dgetrf)},
    {"dgetrs_", offsetof(Blas, dgetrs)},
    {"dgetri_", offsetof(Blas, dgetri)},
    {"dpotrf_", offsetof(Blas, dpotrf)},
    {"dgeqrf_", offsetof(Blas, dgeqrf)},
    {"dsyevd_", offsetof(Blas, dsyevd)},
    {"dgeev_", offsetof(Blas, dgeev)},
    {"dgesdd_", offsetof(Blas, dgesdd)},
    {"openblas_set_num_threads", offsetof(Blas, set_threads)},
};

static void *open_library(void)
{
    static const char *const names[] = {"libopenblas.so.0", "libopenblas.so", "libopenblasp.so.0"};
    void *library = NULL;

    for (size_t k = 0; k < sizeof names / sizeof *names && !library; k++)
        library = dlopen(names[k], RTLD_NOW | RTLD_LOCAL);
    return library;
}

static bool find_symbols(void *library, Blas *blas)
{
    for (size_t k = 0; k < sizeof symbols / sizeof *symbols; k++) {
        void *address = dlsym(library, symbols[k].name);

        if (!address)
            return false;
        *(void **)((char *)blas + symbols[k].offset) = address;
    }
    return true;
}

/* Set the variable for the time of loading; true when it has to be unset again. */
static bool lend_variable(const char *name, const char *value)
{
    return !getenv(name) && setenv(name, value, 1) == 0;
}

/* What OpenBLAS calls the machine of a level; below AVX-512 it finds the best of an uncapped
 * machine by itself. */
static const char *core_type(const Ctx *ctx)
{
    static const char *const names[] = {"Prescott", "Haswell", "SkylakeX"};
    const CpuLevel level = cpu_level(ctx);

    return level < cpu_machine() || level == CPU_AVX512 ? names[level] : NULL;
}

static void load(const Ctx *ctx)
{
    const char *type = core_type(ctx);
    const bool core = type && lend_variable("OPENBLAS_CORETYPE", type);
    const bool threads = lend_variable("OPENBLAS_NUM_THREADS", "1");
    void *library = open_library();

    if (core)
        unsetenv("OPENBLAS_CORETYPE");
    if (threads)
        unsetenv("OPENBLAS_NUM_THREADS");
    if (!library)
        return;
    usable = find_symbols(library, &loaded);
    if (usable)
        loaded.set_threads(1);
    else
        dlclose(library);
}

const Blas *blas_get(const Ctx *ctx)
{
    /* Acquire: what the loading thread wrote before it set `ready` is seen. */
    if (!atomic_load_explicit(&ready, memory_order_acquire)) {
        pthread_mutex_lock(&load_lock);
        if (!atomic_load_explicit(&ready, memory_order_relaxed)) {
            load(ctx);
            atomic_store_explicit(&ready, true, memory_order_release);
        }
        pthread_mutex_unlock(&load_lock);
    }
    return usable ? &loaded : NULL;
}
