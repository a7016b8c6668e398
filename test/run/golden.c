/* Golden scripts: DML files that say at their head what must happen; ../README.md describes the
 * form. */
#include "suites.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The text behind `key` when the line begins with it, blanks skipped; else NULL. */
static const char *after(const char *line, const char *key)
{
    const size_t n = strlen(key);

    return strncmp(line, key, n) == 0 ? line + n + strspn(line + n, " ") : NULL;
}

/* Split at blanks outside quotes, either kind; {} becomes the script's name. */
static void add_args(Case *c, const char *words)
{
    while (*words) {
        Text word = {0};
        char quote = 0;

        text_add(&word, "", 0);
        for (; *words && (quote || *words != ' '); words++) {
            if (*words == quote)
                quote = 0;
            else if (!quote && (*words == '"' || *words == '\''))
                quote = *words;
            else
                text_add(&word, words, 1);
        }
        words += strspn(words, " ");
        if (strcmp(word.data, "{}") == 0) {
            free(word.data);
            word.data = format("%s", c->file);
        }
        case_arg(c, word.data);
    }
}

static bool head_line(Case *c, const char *line)
{
    const char *rest;

    if ((rest = after(line, "#! run:"))) {
        while (c->nargs > 0)
            free(c->args[--c->nargs]);
        add_args(c, rest);
    } else if ((rest = after(line, "#! args:"))) {
        add_args(c, rest);
    } else if (after(line, "#! expect:")) {
        c->has_expected = true;
    } else if ((rest = after(line, "#! exit:"))) {
        c->exit_status = (int)strtol(rest, NULL, 10);
    } else if ((rest = after(line, "#! error:")) && c->nerrors < CASE_ERRORS) {
        c->errors[c->nerrors++] = format("%s", rest);
    } else if ((rest = after(line, "#! match:")) && c->nmatches < CASE_ERRORS) {
        c->matches[c->nmatches++] = format("%s", rest);
    } else if (strncmp(line, "#|", 2) == 0) {
        rest = line + 2 + (line[2] == ' ');
        text_add(&c->expected, rest, strlen(rest));
        text_add(&c->expected, "\n", 1);
    } else {
        return strncmp(line, "#!", 2) != 0;
    }
    return true;
}

/* One script; files without a head are helpers of others. */
static bool add_script(CaseList *list, const char *root, const char *folder, const char *file)
{
    char *path = format("%s/%s", folder, file), *line, *rest;
    bool ok = true;
    Text text;
    Case *c;

    if (!text_read(path, &text) || strncmp(text.data, "#!", 2) != 0)
        return free(path), free(text.data), true;
    c = case_add(list);
    c->name = format("%s", path + strlen(root) + 1);
    c->folder = format("%s", folder);
    c->file = format("%s", file);
    c->exit_status = -2;
    case_arg(c, format("-f"));
    case_arg(c, format("%s", c->file));
    for (rest = text.data; ok && rest && *rest == '#';) {
        line = strsep(&rest, "\n");
        ok = head_line(c, line);
        if (!ok)
            fprintf(stderr, "%s: unknown head line: %s\n", c->name, line);
    }
    if (c->exit_status == -2)
        c->exit_status = c->nerrors > 0;
    free(text.data);
    free(path);
    return ok;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

bool golden_collect(CaseList *list, const char *root, const char *folder)
{
    struct dirent **entries;
    struct stat st;
    const int n = scandir(folder, &entries, visible, alphasort);
    bool ok = n >= 0;

    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name, *dot = strrchr(name, '.');
        char *path = format("%s/%s", folder, name);

        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            ok &= golden_collect(list, root, path);
        else if (dot && strcmp(dot, ".dml") == 0)
            ok &= add_script(list, root, folder, name);
        free(path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return ok;
}
