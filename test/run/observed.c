/* Observed results: observed.tsv holds one script a line, the kind of its end and what it prints;
 * the file's first line explains the columns. The scripts that call a builtin listed in the file
 * `pending` belong to later versions. */
#include "suites.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does the script call a function of this name? */
static bool calls(const char *script, const char *name)
{
    const size_t n = strlen(name);

    for (const char *at = script; (at = strstr(at, name)); at += n)
        if ((at == script || (!isalnum((unsigned char)at[-1]) && at[-1] != '_' && at[-1] != '.')) &&
            at[n + strspn(at + n, " ")] == '(')
            return true;
    return false;
}

static bool is_pending(const char *script, const char *pending)
{
    char *names = format("%s", pending), *rest = names, *name;
    bool found = false;

    while ((name = strsep(&rest, "\n")))
        found |= *name && *name != '#' && calls(script, name);
    free(names);
    return found;
}

typedef struct Observed {
    CaseList *list;
    const char *folder, *pending;
} Observed;

static bool add_line(void *arg, int number, char *line)
{
    const Observed *o = arg;
    const char *kind = strsep(&line, "\t"), *script = strsep(&line, "\t"),
               *expected = strsep(&line, "\t");
    const bool prints = strcmp(kind, "prints") == 0;
    Case *c;

    if (!script || (!prints && strcmp(kind, "fails") != 0))
        return fprintf(stderr, "observed.tsv:%d: not kind, script, output\n", number), false;
    c = case_of_line(o->list, o->folder, "observed", number, script);
    c->exit_status = prints ? 0 : EXIT_NOT_ZERO;
    c->has_expected = prints;
    c->trim = true;
    c->expected = text_unescape(expected ? expected : "");
    c->pending = prints && is_pending(c->script.data, o->pending);
    return true;
}

bool observed_collect(CaseList *list, const char *folder)
{
    char *path = format("%s/pending", folder);
    Text pending;
    bool ok;

    text_read(path, &pending);
    ok = table_lines(folder, "observed", add_line,
                     &(Observed){list, folder, pending.data ? pending.data : ""});
    free(pending.data);
    free(path);
    return ok;
}
