/* Scripts whose output the peer made: folder/NAME.dml with folder/expected/NAME.txt. Where matloom
 * differs on purpose, a row of folder/differences.tsv gives its own line and the reason. */
#include "suites.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line matloom prints instead: the fourth of script, line, peer, matloom, reason. */
static char *own_line(const char *differences, const char *name, int number)
{
    char *copy = format("%s", differences), *rest = copy, *line, *own = NULL;

    while (!own && (line = strsep(&rest, "\n"))) {
        const char *script = strsep(&line, "\t"), *at = strsep(&line, "\t");
        const char *peer = strsep(&line, "\t"), *matloom = strsep(&line, "\t");

        if (peer && matloom && strcmp(script, name) == 0 && strtol(at, NULL, 10) == number)
            own = format("%s", matloom);
    }
    free(copy);
    return own;
}

static Text with_own_lines(const char *peer, const char *differences, const char *name)
{
    char *copy = format("%s", peer), *rest = copy, *line;
    Text out = {0};

    text_add(&out, "", 0);
    for (int number = 1; (line = strsep(&rest, "\n")); number++) {
        char *own = own_line(differences, name, number);
        const char *shown = own ? own : line;

        text_add(&out, shown, strlen(shown));
        if (rest)
            text_add(&out, "\n", 1);
        free(own);
    }
    free(copy);
    return out;
}

static bool add_script(CaseList *list, const char *folder, const char *file,
                       const char *differences)
{
    char *name = format("%.*s", (int)(strlen(file) - strlen(".dml")), file);
    char *path = format("%s/expected/%s.txt", folder, name);
    Text peer;
    const bool ok = text_read(path, &peer);

    if (ok) {
        Case *c = case_add(list);

        c->name = format("%s", file);
        c->folder = format("%s", folder);
        c->file = format("%s", file);
        case_arg(c, format("-f"));
        case_arg(c, format("%s", file));
        case_arg(c, format("-nvargs"));
        case_arg(c, format("data=data"));
        c->has_expected = c->trim = c->rounding = true;
        c->expected = with_own_lines(peer.data, differences, name);
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(peer.data);
    free(path);
    free(name);
    return ok;
}

static int is_script(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot, ".dml") == 0;
}

bool peer_collect(CaseList *list, const char *folder)
{
    char *path = format("%s/differences.tsv", folder);
    struct dirent **entries;
    const int n = scandir(folder, &entries, is_script, alphasort);
    bool ok = n >= 0;
    Text differences;

    text_read(path, &differences);
    for (int i = 0; i < n; i++) {
        ok &=
            add_script(list, folder, entries[i]->d_name, differences.data ? differences.data : "");
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    free(differences.data);
    free(path);
    return ok;
}
