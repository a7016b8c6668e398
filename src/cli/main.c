/* The program: options, scripts, reports.  Uses the public API only.
 *
 * Exit status: 0 success, 1 an error of the script or its data, 2 wrong use of the command line. */
#include "matloom/matloom.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Command {
    ml_context *ctx;
    const char *file, *text;
    int heavy; /* heavy hitters of -stats, 0: none */
} Command;

static ml_context *running; /* for the signal handler */

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (running)
        ml_context_cancel(running);
    signal(SIGINT, SIG_DFL); /* a second Ctrl-C ends at once */
}

static int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int usage(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("matloom: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\nTry 'matloom --help'.\n", stderr);
    va_end(args);
    return 2;
}

static void print_usage(ml_context *ctx)
{
    fputs("Usage: matloom [-f] FILE.dml [OPTION ...]\n"
          "       matloom -s 'SCRIPT' [OPTION ...]\n"
          "       matloom --check FILE.dml ...\n"
          "\n"
          "Run a script of linear algebra in DML.\n"
          "\n"
          "  -f FILE               The script in a file.\n"
          "  -s TEXT               The script itself.\n"
          "  -args V1 V2 ...       Arguments $1, $2 ... of the script, up to the next option.\n"
          "  -nvargs K=V ...       Arguments $K of the script, up to the next option.\n",
          stdout);
    fputs(ml_options_help(ctx), stdout);
    fputs(
        "  -config FILE          Options from an XML file.\n"
        "  --check FILE ...      Check syntax and names without running.\n"
        "  --help [NAME]         This text, or what the builtin NAME does; --help all lists them,\n"
        "                        --help optimizer the optimizer's techniques and rules,\n"
        "                        --help partition the ways to divide work into tasks.\n"
        "  --version             The version.\n"
        "\n"
        "Exit status: 0 success, 1 an error of the script or its data, 2 wrong use.\n",
        stdout);
}

static bool is_option(const char *s)
{
    static const char *const known[] = {"-f",      "-s",     "-args", "-nvargs",   "-config",
                                        "--check", "--help", "-help", "--version", NULL};

    for (int k = 0; known[k]; k++)
        if (strcmp(s, known[k]) == 0)
            return true;
    return s[0] == '-' && s[1] && ml_option_arity(s + 1) > 0;
}

/* -args and -nvargs: everything up to the next option.  Words taken, -1 after an error. */
static int take_arguments(Command *c, char **argv, bool named)
{
    int n = 0;

    for (; argv[n] && !is_option(argv[n]); n++) {
        char *equals = strchr(argv[n], '=');
        char number[16];

        if (named && (!equals || equals == argv[n] || strchr(equals + 1, '='))) {
            usage("-nvargs takes name=value, found '%s'", argv[n]);
            return -1;
        }
        if (named)
            *equals = '\0';
        snprintf(number, sizeof number, "%d", n + 1);
        if (ml_context_argument(c->ctx, named ? argv[n] : number, named ? equals + 1 : argv[n]) !=
            ML_OK) {
            usage("%s", ml_context_error(c->ctx));
            return -1;
        }
    }
    return n;
}

/* An option of the engine.  Words taken after its name, -1 after an error. */
static int take_option(Command *c, const char *name, char **argv)
{
    const char *value = argv[0];

    if (ml_option_arity(name) == 2 && value && (value[0] == '-' || !ml_option_accepts(name, value)))
        value = NULL;
    if (ml_option_arity(name) == 1 && !value) {
        usage("-%s needs a value", name);
        return -1;
    }
    if (ml_context_set(c->ctx, name, value) != ML_OK) {
        usage("%s", ml_context_error(c->ctx));
        return -1;
    }
    if (strcmp(name, "stats") == 0)
        c->heavy = value ? (int)strtol(value, NULL, 10) : 10;
    return value != NULL;
}

/* Words taken with the option at argv[0]; 0: the command is complete; -1: wrong use. */
static int take(Command *c, char **argv)
{
    const char *word = argv[0];
    int n;

    if (strcmp(word, "-args") == 0 || strcmp(word, "-nvargs") == 0) {
        n = take_arguments(c, argv + 1, word[1] == 'n');
        return n < 0 ? -1 : n + 1;
    }
    if (strcmp(word, "-f") == 0 || strcmp(word, "-s") == 0 || strcmp(word, "-config") == 0) {
        if (!argv[1])
            return usage("%s needs a value", word) ? -1 : 0;
        if (word[1] == 'f')
            c->file = argv[1];
        else if (word[1] == 's')
            c->text = argv[1];
        else if (ml_context_set(c->ctx, "config", argv[1]) != ML_OK)
            return usage("%s", ml_context_error(c->ctx)) ? -1 : 0;
        return 2;
    }
    if (word[0] == '-' && word[1] && ml_option_arity(word + 1)) {
        n = take_option(c, word + 1, argv + 1);
        return n < 0 ? -1 : n + 1;
    }
    if (word[0] == '-' || c->file || c->text)
        return usage(word[0] == '-' ? "unknown option '%s'"
                                    : "one script at a time, found also '%s'",
                     word)
                   ? -1
                   : 0;
    c->file = word;
    return 1;
}

static int check_files(ml_context *ctx, char **files)
{
    int result = 0;

    if (!files[0])
        return usage("--check needs %s", "a file");
    for (; *files; files++)
        if (ml_check_file(ctx, *files) != ML_OK)
            result = 1; /* the findings have been printed as diagnostics */
    return result;
}

static int show_help(ml_context *ctx, const char *name)
{
    const char *text;

    if (!name) {
        print_usage(ctx);
        return 0;
    }
    text = ml_help(ctx, strcmp(name, "all") == 0 ? NULL : name);
    if (!text)
        return usage("there is no builtin '%s'", name);
    fputs(text, stdout);
    return 0;
}

static int run_script(Command *c)
{
    ml_status st;

    running = c->ctx;
    signal(SIGINT, on_interrupt);
    st = c->file ? ml_run_file(c->ctx, c->file) : ml_run_text(c->ctx, "script", c->text);
    running = NULL;
    fflush(stdout);
    if (c->heavy)
        fputs(ml_context_stats(c->ctx, c->heavy), stdout);
    if (fflush(stdout) != 0)
        return 1;
    return st == ML_OK ? 0 : 1;
}

static int command(ml_context *ctx, char **argv)
{
    Command c = {.ctx = ctx};

    while (*argv) {
        int n;

        if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-help") == 0)
            return show_help(ctx, argv[1]);
        if (strcmp(*argv, "--version") == 0)
            return printf("matloom %s\n", ml_version()) < 0;
        if (strcmp(*argv, "--check") == 0)
            return check_files(ctx, argv + 1);
        n = take(&c, argv);
        if (n < 0)
            return 2;
        argv += n;
    }
    if (!c.file == !c.text)
        return usage("%s",
                     c.file ? "give -f or -s, not both" : "no script: give a file or -s TEXT");
    return run_script(&c);
}

int main(int argc, char **argv)
{
    ml_context *ctx = ml_context_new();
    int result;

    if (!ctx || argc < 1)
        return usage("%s", "out of memory");
    result = command(ctx, argv + 1);
    ml_context_free(ctx);
    return result;
}
