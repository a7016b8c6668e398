/* The public API: contexts, options, scripts.  The one place that knows which backends there are.
 */
#include "api/context.h"

#include "backend/cpu/cpu.h"
#include "kernel/pipeline.h"
#include "task/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_to(FILE *file, const char *text, size_t size)
{
    return fwrite(text, 1, size, file) == size ? 0 : -1;
}

static int to_stdout(void *arg, const char *text, size_t size)
{
    (void)arg;
    return write_to(stdout, text, size);
}

static int to_stderr(void *arg, const char *text, size_t size)
{
    (void)arg;
    return write_to(stderr, text, size);
}

const char *ml_version(void)
{
    return ML_VERSION;
}

const char *ml_status_name(ml_status status)
{
    static const char *const names[] = {
#define ML_ERROR(name, word, meaning) word,
#include "matloom/errors.def"
#undef ML_ERROR
    };

    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

static int print_whole(ml_context *c, ml_output to, const char *text, size_t size)
{
    int failed;

    pthread_mutex_lock(&c->printing);
    failed = to(c->output_arg, text, size);
    pthread_mutex_unlock(&c->printing);
    return failed;
}

static int print_output(void *arg, const char *text, size_t size)
{
    ml_context *c = arg;

    return print_whole(c, c->output, text, size);
}

static int print_diagnostics(void *arg, const char *text, size_t size)
{
    ml_context *c = arg;

    return print_whole(c, c->diagnostics, text, size);
}

ml_context *ml_context_new(void)
{
    ml_context *c = mem_calloc(1, sizeof *c);
    const char *lib = getenv("MATLOOM_LIB");

    if (!c)
        return NULL;
    options_default(&c->options);
    c->ctx.opt = &c->options;
    c->ctx.cancelled = &c->cancelled;
    c->ctx.unseeded = &c->unseeded;
    pthread_mutex_init(&c->printing, NULL);
    ml_context_output(c, NULL, NULL, NULL);
    c->ctx.output = print_output;
    c->ctx.diagnostics = print_diagnostics;
    c->ctx.output_arg = c;
    if (lib)
        ml_context_set(c, "lib", lib);
    return c;
}

static void free_args(ml_context *c)
{
    for (int k = 0; k < c->args.count; k++) {
        mem_free((void *)(uintptr_t)c->args.items[k].name);
        mem_free((void *)(uintptr_t)c->args.items[k].value);
    }
    VEC_FREE(&c->args);
}

void ml_context_free(ml_context *c)
{
    if (!c)
        return;
    free_args(c);
    task_engine_free(c->ctx.tasks);
    code_cache_free(c->ctx.codes);
    pool_free(c->ctx.pool);
    buffer_free(&c->text);
    mem_free(c);
}

static const OptionInfo *find_option(const char *name)
{
    for (int k = 0; k < option_count; k++)
        if (strcmp(option_table[k].name, name) == 0)
            return &option_table[k];
    for (int k = 0; k < option_count; k++) { /* as on the command line: -mem sets memory */
        const char *form = option_table[k].form + 1;

        if (strncmp(form, name, strlen(name)) == 0 && form[strlen(name)] == ' ')
            return &option_table[k];
    }
    return NULL;
}

int ml_option_arity(const char *option)
{
    const OptionInfo *o = find_option(option);

    return !o ? 0 : strchr(o->form, '[') ? 2 : 1;
}

int ml_option_accepts(const char *option, const char *value)
{
    const OptionInfo *o = find_option(option);
    Options scratch;
    Ctx quiet = {0};

    options_default(&scratch);
    return o && option_set(&quiet, &scratch, o->name, value) == ML_OK;
}

/* Left out: the last of the words, or ten. */
static const char *value_left_out(const OptionInfo *o)
{
    const char *last = strrchr(o->words, ' ');

    return last ? last + 1 : "10";
}

static void keep_error(ml_context *c)
{
    c->text.size = 0;
    error_format(&c->text, &c->ctx.err);
}

/* What the options' table cannot check is checked here. */
ml_status context_option(ml_context *c, const char *name, const char *value)
{
    TRY(option_set(&c->ctx, &c->options, name, value));
    return optimizer_check(&c->ctx, c->options.without);
}

ml_status ml_context_set(ml_context *c, const char *option, const char *value)
{
    const OptionInfo *o = find_option(option);
    ml_status st;

    c->ctx.err = (ErrorRecord){0};
    if (strcmp(option, "config") == 0)
        st = config_read(c, value);
    else
        st = context_option(c, o ? o->name : option, value || !o ? value : value_left_out(o));
    if (st != ML_OK)
        keep_error(c);
    return st;
}

const char *ml_options_help(ml_context *c)
{
    c->text.size = 0;
    for (int k = 0; k < option_count; k++)
        buffer_format(&c->text, "  %-21s %s\n", option_table[k].form, option_table[k].help);
    return c->text.data ? c->text.data : "";
}

void ml_context_output(ml_context *c, ml_output out, ml_output diagnostics, void *arg)
{
    c->output = out ? out : to_stdout;
    c->diagnostics = diagnostics ? diagnostics : to_stderr;
    c->output_arg = arg;
}

static char *copy_text(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = mem_alloc(size);

    if (copy)
        memcpy(copy, s, size);
    return copy;
}

ml_status ml_context_argument(ml_context *c, const char *name, const char *value)
{
    ScriptArg arg = {copy_text(name), copy_text(value)};

    if (arg.name && arg.value && VEC_PUSH(&c->args, arg))
        return ML_OK;
    mem_free((void *)(uintptr_t)arg.name);
    mem_free((void *)(uintptr_t)arg.value);
    return fail_memory(&c->ctx, sizeof arg);
}

/* Services start with the first script, when the options are known. */
static ml_status start(ml_context *c)
{
    size_t limit;

    TRY(pool_parse_limit(&c->ctx, c->options.memory, &limit));
    if (!c->ctx.pool)
        c->ctx.pool = pool_new(limit);
    if (!c->ctx.tasks)
        c->ctx.tasks = task_engine_new((int)c->options.threads);
    if (!c->ctx.codes)
        c->ctx.codes = code_cache_new();
    if (!c->ctx.pool || !c->ctx.tasks || !c->ctx.codes)
        return fail_memory(&c->ctx, sizeof(TaskEngine *));
    return ML_OK;
}

static ml_status parse(ml_context *c, Program *p, const char *name, const char *text, size_t size,
                       bool check_only, Function **main)
{
    CheckOptions o = {.check_only = check_only, .lib = c->options.lib};

    program_arguments(p, c->args.items, c->args.count);
    return program_parse(&c->ctx, p, name, text, size, &o, main);
}

/* All findings go to the diagnostics output; what the front end showed is not shown again. */
static void show_error(ml_context *c)
{
    keep_error(c);
    if (!c->ctx.err.shown && c->text.data)
        c->ctx.diagnostics(c->ctx.output_arg, c->text.data, c->text.size);
}

static const Backend *backend_of(const Ctx *ctx)
{
    return precision_type(ctx) == CELL_FP32 ? &backend_cpu_single : &backend_cpu;
}

static ml_status run_source(ml_context *c, const char *name, const char *text, size_t size,
                            bool check_only)
{
    Program *p;
    Function *main = NULL;
    int64_t begin = clock_now();
    ml_status st;

    memset(&c->stats, 0, sizeof c->stats);
    c->stats.timed = c->options.stats > 0;
    c->ctx.err = (ErrorRecord){0};
    atomic_store(&c->cancelled, false);
    st = start(c);
    p = st == ML_OK ? program_new(&c->ctx) : NULL;
    if (st == ML_OK && !p)
        st = fail_memory(&c->ctx, sizeof(void *));
    if (st == ML_OK)
        st = parse(c, p, name, text, size, check_only, &main);
    c->stats.compile_ns = clock_now() - begin;
    if (st == ML_OK && !check_only)
        st = run_program(&c->ctx, p, main, backend_of(&c->ctx), &c->stats);
    if (st != ML_OK)
        show_error(c); /* before the sources that its spans point into go */
    program_free(p);
    return st;
}

static ml_status source_file(ml_context *c, const char *path, bool check_only)
{
    char *text = NULL;
    size_t size;
    ml_status st;

    c->ctx.err = (ErrorRecord){0};
    st = file_read(&c->ctx, path, &text, &size);
    if (st == ML_OK)
        st = run_source(c, path, text, size, check_only);
    else
        show_error(c);
    mem_free(text);
    return st;
}

ml_status ml_run_file(ml_context *c, const char *path)
{
    return source_file(c, path, false);
}

ml_status ml_check_file(ml_context *c, const char *path)
{
    return source_file(c, path, true);
}

ml_status ml_run_text(ml_context *c, const char *name, const char *text)
{
    return run_source(c, name, text, strlen(text), false);
}

const char *ml_context_error(const ml_context *c)
{
    return c->text.data ? c->text.data : "";
}

const char *ml_context_stats(ml_context *c, int heavy)
{
    c->text.size = 0;
    stats_format(&c->text, &c->stats, &c->ctx, heavy);
    return c->text.data ? c->text.data : "";
}

void ml_context_cancel(ml_context *c)
{
    atomic_store(&c->cancelled, true);
}
