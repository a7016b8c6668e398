/* OpenBLAS, loaded when the first kernel asks for it.
 *
 * Why at run time: a script of scalars and small matrices never pays for loading 30 MB, and the
 * program runs without the library.  Why with one thread: the tasks of the engine divide the work,
 * so nesting is safe and tiles are fixed.
 *
 * OpenBLAS chooses its kernels while it loads and takes some AVX-512 machines for older ones, at
 * half the speed; the environment variable that overrules it is set for the moment of loading
 * unless the user has set it.  The one piece of process-wide state of the kernels lives here;
 * pthread_once guards it and it never changes afterwards. */
#include "kernel/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static Blas loaded;
static bool usable;

typedef struct Symbol {
    const char *name;
    size_t offset; /* of the pointer in Blas */
} Symbol;

static const Symbol symbols[] = {
    {"dgemm_", offsetof(Blas, dgemm)},   {"dgetrf_", offsetof(Blas, dgetrf)},
    {"dgetrs_", offsetof(Blas, dgetrs)}, {"dgetri_", offsetof(Blas, dgetri)},
    {"dpotrf_", offsetof(Blas, dpotrf)}, {"dgeqrf_", offsetof(Blas, dgeqrf)},
    {"dsyevd_", offsetof(Blas, dsyevd)}, {"dgeev_", offsetof(Blas, dgeev)},
    {"dgesdd_", offsetof(Blas, dgesdd)}, {"openblas_set_num_threads", offsetof(Blas, set_threads)},
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

static void load(void)
{
    const bool core = cpu_level() == CPU_AVX512 && lend_variable("OPENBLAS_CORETYPE", "SkylakeX");
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

const Blas *blas_get(void)
{
    pthread_once(&load_once, load);
    return usable ? &loaded : NULL;
}
