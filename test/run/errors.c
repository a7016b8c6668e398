/* Wrong calls of the script library: errors.tsv holds one script a line and a regular expression
 * that the message must match; the call is in the script's last line, and so is the message's
 * place. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int lines_of(const char *text)
{
    int n = 1;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static bool add_line(CaseList *list, const char *folder, int number, char *line)
{
    const char *script = strsep(&line, "\t"), *message = line;
    Case *c;

    if (!message)
        return fprintf(stderr, "errors.tsv:%d: not script, message\n", number), false;
    c = case_add(list);
    c->name = format("errors.tsv:%d: %s", number, script);
    c->folder = format("%s", folder);
    c->file = format("errors.dml");
    case_arg(c, format("-f"));
    case_arg(c, format("%s", c->file));
    c->script = text_unescape(script);
    c->exit_status = 1;
    c->errors[c->nerrors++] =
        format("errors\\.dml:%d:[0-9]+: error: .*%s", lines_of(c->script.data), message);
    return true;
}

bool errors_collect(CaseList *list, const char *folder)
{
    char *path = format("%s/errors.tsv", folder), *line, *rest;
    Text text;
    bool ok = text_read(path, &text);

    if (!ok)
        fprintf(stderr, "%s: cannot be read\n", path);
    rest = text.data;
    for (int number = 1; ok && (line = strsep(&rest, "\n")); number++)
        if (*line && *line != '#')
            ok = add_line(list, folder, number, line);
    free(text.data);
    free(path);
    return ok;
}
