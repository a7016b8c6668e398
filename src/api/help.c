/* Help on builtins, the optimizer and partitioning, made from the tables and the headers of library
 * functions.
 */
#include "api/context.h"

#include "lang/lang.h"
#include "task/task.h"

#include <string.h>

static const char *kind_name(uint16_t types)
{
    if (types == A_MATRIX)
        return "matrix";
    if (types == A_NUMBER)
        return "number";
    if (types == A_BOOL)
        return "boolean";
    if (types == A_STRING)
        return "string";
    if (types == A_FRAME)
        return "frame";
    if (types == A_LIST)
        return "list";
    if (types == A_SCALAR)
        return "scalar";
    if (types == A_CELLS)
        return "matrix or number";
    return "value";
}

static void help_signature(Buffer *b, const OpInfo *op)
{
    size_t n = strcspn(op->dml, " ");

    buffer_put(b, op->dml, n);
    buffer_text(b, "(");
    for (int k = 0; k < OP_ARGS && op->args[k].name; k++) {
        const OpArg *a = &op->args[k];

        buffer_format(b, "%s%s", k ? ", " : "", a->name);
        if (a->def && *a->def)
            buffer_format(b, "=%s", a->def);
        else if (a->def)
            buffer_text(b, "=?");
        if ((op->props & P_VARIADIC) && !op->args[k + 1 < OP_ARGS ? k + 1 : k].name)
            buffer_text(b, ", ...");
    }
    buffer_text(b, ")");
}

static void help_op(Buffer *b, const OpInfo *op)
{
    const char *alias = strchr(op->dml, ' ');

    help_signature(b, op);
    buffer_format(b, "\n\n%s\n", op->doc);
    if (alias)
        buffer_format(b, "Also called:%s\n", alias);
    if (op->props & P_NAMED)
        buffer_text(b, "Arguments are given by name.\n");
    for (int k = 0; k < OP_ARGS && op->args[k].name; k++)
        buffer_format(b, "  %-14s %s\n", op->args[k].name, kind_name(op->args[k].types));
    if (op->later)
        buffer_format(b, "Not in this version: it belongs to %s.\n", op->later);
    else if (op->example)
        buffer_format(b, "Example: %s\n", op->example);
}

/* The first sentence of a comment, in one line. */
static void help_sentence(Buffer *b, const LibraryEntry *e)
{
    Buffer comment = {0};

    library_comment(e, &comment);
    for (const char *c = comment.data; c && *c && strncmp(c, "\n\n", 2) != 0; c++) {
        buffer_put(b, *c == '\n' ? " " : c, 1);
        if (*c == '.' && (c[1] == ' ' || c[1] == '\n'))
            break;
    }
    buffer_free(&comment);
}

/* The functions of a library file, a line each. */
static void help_file(Buffer *b, const LibFile *file)
{
    const char *at = file->text;
    LibraryEntry e;

    while (library_entry(&at, file->text + file->size, &e))
        if (library_knows(e.name, e.size)) {
            buffer_format(b, "%-22.*s ", (int)e.size, e.name);
            help_sentence(b, &e);
            buffer_text(b, "\n");
        }
}

static void help_all(Buffer *b)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (op_table[op].dml && !(op_table[op].props & P_SYNTAX)) {
            help_signature(b, &op_table[op]);
            buffer_text(b, op_table[op].later ? "  [not in this version]\n" : "\n");
        }
    buffer_text(b, "\n");
    for (size_t k = 0; k < lib_nfiles; k++)
        help_file(b, &lib_files[k]);
}

const char *ml_help(ml_context *c, const char *name)
{
    int op = name ? op_find(name, strlen(name)) : -1;

    c->text.size = 0;
    c->ctx.err = (ErrorRecord){0};
    if (!name)
        help_all(&c->text);
    else if (strcmp(name, "optimizer") == 0)
        optimizer_help(&c->text);
    else if (strcmp(name, "partition") == 0)
        task_partition_help(&c->text);
    else if (op >= 0)
        help_op(&c->text, &op_table[op]);
    else if (library_help(&c->ctx, name, c->options.lib, &c->text) != ML_OK || c->text.size == 0)
        return NULL;
    return c->text.failed ? NULL : c->text.data;
}
