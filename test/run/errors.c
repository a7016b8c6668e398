/* Wrong calls of the script library: errors.tsv holds one script a line and a regular expression
 * that the message must match; the call is in the script's last line, and so is the message's
 * place. */
#include "suites.h"

#include <stdio.h>
#include <string.h>

static int lines_of(const char *text)
{
    int n = 1;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

typedef struct Errors {
    CaseList *list;
    const char *folder;
} Errors;

static bool add_line(void *arg, int number, char *line)
{
    const Errors *e = arg;
    const char *script = strsep(&line, "\t"), *message = line;
    Case *c;

    if (!message)
        return fprintf(stderr, "errors.tsv:%d: not script, message\n", number), false;
    c = case_of_line(e->list, e->folder, "errors", number, script);
    c->exit_status = 1;
    c->errors[c->nerrors++] =
        format("errors\\.dml:%d:[0-9]+: error: .*%s", lines_of(c->script.data), message);
    return true;
}

bool errors_collect(CaseList *list, const char *folder)
{
    return table_lines(folder, "errors", add_line, &(Errors){list, folder});
}
