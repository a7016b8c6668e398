/* Private to api/: what a context holds. */
#ifndef API_CONTEXT_H
#define API_CONTEXT_H

#include "run/run.h"

#include <pthread.h>

struct ml_context {
    Ctx ctx;
    Options options;
    atomic_bool cancelled;
    atomic_uint_fast64_t unseeded;
    VEC(ScriptArg) args; /* owned strings */
    RunStats stats;
    /* What is printed goes to the callbacks one piece after the other, whoever prints. */
    pthread_mutex_t printing;
    ml_output output, diagnostics;
    void *output_arg;
    Buffer text; /* of the last error, statistics or help */
};

ml_status context_option(ml_context *c, const char *name, const char *value);
ml_status config_read(ml_context *c, const char *path);

#endif
