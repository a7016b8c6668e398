/* matloom: a declarative machine-learning system.  The public C API.
 *
 * A context holds everything: options, compiled scripts, memory, threads, the last error.  It
 * serves one caller at a time; only ml_context_cancel may be called from another thread or a signal
 * handler.  Nothing here aborts, exits or prints by itself: what scripts print goes to the output
 * callback (standard output by default), errors and warnings with their source lines to the
 * diagnostics callback (standard error by default). */
#ifndef MATLOOM_H
#define MATLOOM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ML_API __attribute__((visibility("default")))

typedef enum ml_status {
#define ML_ERROR(name, word, meaning) ML_##name,
#include "matloom/errors.def"
#undef ML_ERROR
} ml_status;

typedef struct ml_context ml_context;

/* Receives what the script prints; returns 0, or non-zero to end the run with ML_EIO. */
typedef int (*ml_output)(void *arg, const char *text, size_t size);

ML_API const char *ml_version(void);
ML_API const char *ml_status_name(ml_status status);

/* NULL when memory is exhausted. */
ML_API ml_context *ml_context_new(void);
ML_API void ml_context_free(ml_context *ctx);

/* Set an option by its name, e.g. ("threads", "4"), or ("config", FILE) all that a configuration
 * file sets.  value NULL: what the option means when its value is left out.  ML_ENAME or ML_EVALUE
 * with a message when it does not fit. */
ML_API ml_status ml_context_set(ml_context *ctx, const char *option, const char *value);

/* How an option is given: 0 there is none of this name, 1 with a value, 2 with or without one. */
ML_API int ml_option_arity(const char *option);
ML_API int ml_option_accepts(const char *option, const char *value);
/* The options as lines of a help text. */
ML_API const char *ml_options_help(ml_context *ctx);
/* Called from any thread of the context, but by one at a time. */
ML_API void ml_context_output(ml_context *ctx, ml_output out, ml_output diagnostics, void *arg);

/* Arguments of the script: $name, or $1, $2 ... with name "1", "2" ... */
ML_API ml_status ml_context_argument(ml_context *ctx, const char *name, const char *value);

/* Compile and run a script from a file or from text.  `name` is the name shown in messages. */
ML_API ml_status ml_run_file(ml_context *ctx, const char *path);
ML_API ml_status ml_run_text(ml_context *ctx, const char *name, const char *text);

/* Check syntax and names without running.  All findings go to the diagnostics callback. */
ML_API ml_status ml_check_file(ml_context *ctx, const char *path);

/* The last error as text for a person: position, message, source line with a caret, call chain. */
ML_API const char *ml_context_error(const ml_context *ctx);

/* The statistics of the last run as text, with `heavy` heavy hitters. */
ML_API const char *ml_context_stats(ml_context *ctx, int heavy);

/* Help on one builtin operator or library function by its DML name, NULL when there is none; on all
 * when name is NULL. */
ML_API const char *ml_help(ml_context *ctx, const char *name);

/* Ask a running script to end with ML_ECANCEL.  Safe in signal handlers and from other threads. */
ML_API void ml_context_cancel(ml_context *ctx);

#ifdef __cplusplus
}
#endif
#endif
