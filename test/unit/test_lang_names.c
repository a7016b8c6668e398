/* Every name of the language is known, and every script whose result was observed passes the
 * checks. */
#include "lang_case.h"

#include "lang/program.h"

#include <string.h>

/* Read a file of the repository; the tests run in its root. */
static char *read_all(const char *path)
{
    Ctx ctx = {0};
    char *text;
    size_t size;

    if (file_read(&ctx, path, &text, &size) != ML_OK)
        fail_msg("%s", ctx.err.text);
    return text;
}

/* Cut the next line off *rest; NULL at the end. */
static char *next_line(char **rest)
{
    char *line = *rest, *newline;

    if (!*line)
        return NULL;
    newline = strchr(line, '\n');
    *rest = newline ? newline + 1 : line + strlen(line);
    if (newline)
        *newline = '\0';
    return line;
}

ML_TEST(every_name_of_the_language_is_known)
{
    char *text = read_all("test/unit/names.txt"), *rest = text, *name;
    bool native = true;
    int unknown = 0, count = 0;

    while ((name = next_line(&rest))) {
        if (name[0] == '#') {
            native = strcmp(name, "# library") != 0;
            continue;
        }
        count++;
        if (native ? op_find(name, strlen(name)) >= 0 : library_knows(name, strlen(name)))
            continue;
        print_error("%s is not known\n", name);
        unknown++;
    }
    mem_free(text);
    assert_int_equal(unknown, 0);
    assert_true(count > 350);
}

ML_TEST(no_name_is_native_and_of_the_library)
{
    for (int k = 0; k < library_nnames; k++)
        if (op_find(library_names[k], strlen(library_names[k])) >= 0)
            fail_msg("%s is both", library_names[k]);
}

/* \n, \t and \\ in place. */
static void decode(char *s)
{
    char *out = s;

    for (; *s; s++) {
        char c = *s;

        if (c == '\\' && s[1])
            c = *++s == 'n' ? '\n' : *s == 't' ? '\t' : *s;
        *out++ = c;
    }
    *out = '\0';
}

ML_TEST(scripts_that_print_on_the_peer_pass_the_checks)
{
    char *text = read_all("test/observed/observed.tsv"), *rest = text, *line, *script, *tab;
    const char *findings;
    ml_status st;
    int bad = 0;

    while ((line = next_line(&rest))) {
        if (strncmp(line, "prints\t", 7) != 0)
            continue;
        script = line + 7;
        tab = strchr(script, '\t');
        if (tab)
            *tab = '\0';
        decode(script);
        findings = lang_findings(&(LangCase){.text = script}, &st);
        if (st != ML_OK && st != ML_EUNSUPPORTED) {
            print_error("%s\n%s\n", script, findings);
            bad++;
        }
    }
    mem_free(text);
    assert_int_equal(bad, 0);
}
