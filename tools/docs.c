/* Write the reference pages that tables can print: docs FOLDER
 *
 * operators.md from the operator table, library.md from the comments in lib/, options.md,
 * errors.md, optimizer.md and rewrites.md from their lists. `make docs` runs it; the pages lie in
 * the build folder and are never committed.
 */
#include "hop/hop.h"
#include "lang/lang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *page(const char *folder, const char *name, const char *title)
{
    char path[4096];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s.md", folder, name);
    out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
    fprintf(out, "# %s\n", title);
    return out;
}

static void end_page(FILE *out)
{
    if (fclose(out) != 0) {
        perror("docs");
        exit(1);
    }
}

/* ---- operators */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const OpInfo *const *)a)->dml, (*(const OpInfo *const *)b)->dml);
}

/* name(X, by=1, [w]) as one writes it. */
static void put_signature(FILE *out, const OpInfo *op)
{
    const int n = op_nargs(op);

    fprintf(out, "\n## %.*s(", (int)strcspn(op->dml, " "), op->dml);
    for (int k = 0; k < n; k++) {
        const OpArg *arg = &op->args[k];

        fputs(k ? ", " : "", out);
        if (!arg->def)
            fputs(arg->name, out);
        else if (!*arg->def)
            fprintf(out, "[%s]", arg->name);
        else
            fprintf(out, "%s=%s", arg->name, arg->def);
    }
    fprintf(out, "%s)\n\n", op->props & P_VARIADIC ? ", ..." : "");
}

static void put_operator(FILE *out, const OpInfo *op)
{
    const char *more = strchr(op->dml, ' ');

    put_signature(out, op);
    if (op->doc)
        fprintf(out, "%s\n", op->doc);
    if (more)
        fprintf(out, "\nAlso called:%s.\n", more);
    if (op->later)
        fprintf(out, "\nNot in this version; belongs to %s.\n", op->later);
    if (op->example)
        fprintf(out, "\n    %s\n", op->example);
    if (op->yields)
        fprintf(out, "    # %s\n", op->yields);
}

static void write_operators(const char *folder)
{
    const OpInfo *rows[OP_COUNT];
    FILE *out = page(folder, "operators", "Builtin operators");
    size_t n = 0;

    for (int op = 0; op < OP_COUNT; op++)
        if (op_table[op].dml && !(op_table[op].props & P_SYNTAX))
            rows[n++] = &op_table[op];
    qsort(rows, n, sizeof *rows, by_name);
    for (size_t i = 0; i < n; i++)
        put_operator(out, rows[i]);
    end_page(out);
}

/* ---- the script library: the comments of its functions */

static void write_library(const char *folder)
{
    FILE *out = page(folder, "library", "Script library");

    for (size_t i = 0; i < lib_nfiles; i++) {
        const char *at = lib_files[i].text;
        LibraryEntry e;

        while (library_entry(&at, lib_files[i].text + lib_files[i].size, &e)) {
            Buffer text = {0};

            library_comment(&e, &text);
            fprintf(out, "\n## %.*s\n\n```\n%s```\n", (int)e.size, e.name, text.data);
            buffer_free(&text);
        }
    }
    end_page(out);
}

/* ---- options and errors */

static void write_options(const char *folder)
{
    FILE *out = page(folder, "options", "Options");

    fputs("\n| option | default | words | |\n|---|---|---|---|\n", out);
    for (int i = 0; i < option_count; i++)
        fprintf(out, "| `%s` | %s | %s | %s |\n", option_table[i].form, option_table[i].def,
                option_table[i].words, option_table[i].help);
    end_page(out);
}

static void write_errors(const char *folder)
{
    FILE *out = page(folder, "errors", "Errors");

    fputs("\n| code | printed as | meaning |\n|---|---|---|\n", out);
#define ML_ERROR(name, word, meaning) fprintf(out, "| `ML_%s` | %s | %s |\n", #name, word, meaning);
#include "matloom/errors.def"
#undef ML_ERROR
    end_page(out);
}

static void write_rewrites(const char *folder)
{
    FILE *out = page(folder, "rewrites", "Rewrites");

    fputs("\nA capital is any matrix, a small letter any number. Rules of stage *simplify* apply "
          "wherever they "
          "match, those of stage *choose* where the estimated cost of the plan is lower, and a "
          "*guarded* one is "
          "undone by the run when values are not finite. `-explain hops` counts what fired.\n\n"
          "| rule | stage | from | to | where | remark |\n|---|---|---|---|---|---|\n",
          out);
    for (int k = 0; k < rewrite_count; k++) {
        const RewriteInfo *row = &rewrite_table[k];

        fprintf(out, "| %s | %s |", row->name,
                row->stage == REWRITE_SIMPLIFY ? "simplify" : "choose");
        if (row->fn)
            fputs(" | | |", out);
        else
            fprintf(out, " `%s` | `%s` | %s |", row->pattern, row->replacement, row->conditions);
        fprintf(out, " %s |\n", row->doc);
    }
    end_page(out);
}

static void write_optimizer(const char *folder)
{
    FILE *out = page(folder, "optimizer", "Techniques of the optimizer");

    fputs("\n`-opt LEVEL` chooses the level, `-without NAME,NAME` switches techniques and rewrite "
          "rules off; `-explain hops` and `-stats` count what fired.\n\n"
          "| technique | from level | what it does |\n|---|---|---|\n",
          out);
    for (int k = 0; k < PASS_COUNT; k++)
        fprintf(out, "| %s | %d | %s |\n", pass_table[k].name, pass_table[k].level,
                pass_table[k].doc);
    end_page(out);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return fputs("usage: docs FOLDER\n", stderr), 2;
    write_operators(argv[1]);
    write_library(argv[1]);
    write_options(argv[1]);
    write_errors(argv[1]);
    write_optimizer(argv[1]);
    write_rewrites(argv[1]);
    return 0;
}
