/* Every function of the script library has the sections that its users read, and its example runs.
 */
#include "ml_test.h"
#include "script_case.h"

#include "lang/program.h"

#include <string.h>

/* The lines of the section EXAMPLE, the last one. */
static const char *example_of(const char *comment)
{
    const char *head = strstr(comment, "\nEXAMPLE\n");

    return head ? head + strlen("\nEXAMPLE\n") : NULL;
}

static bool runs(const LibraryEntry *e)
{
    Buffer comment = {0}, out = {0};
    const char *example;
    bool ok;

    library_comment(e, &comment);
    example = example_of(comment.data);
    ok = example && script_words(example, &out);
    if (!ok)
        print_error("%.*s: its example %s\n%s\n", (int)e->size, e->name,
                    example ? "fails" : "is missing", out.data ? out.data : "");
    buffer_free(&comment);
    buffer_free(&out);
    return ok;
}

ML_TEST(examples_of_the_script_library_run)
{
    int wrong = 0, entries = 0;

    for (size_t k = 0; k < lib_nfiles; k++) {
        const char *at = lib_files[k].text;
        LibraryEntry e;

        while (library_entry(&at, lib_files[k].text + lib_files[k].size, &e)) {
            wrong += !runs(&e);
            entries++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(entries > 10);
}

static bool has_sections(const LibraryEntry *e)
{
    static const char *const sections[] = {"\nMethod:", "\nINPUT\n", "\nOUTPUT\n"};
    Buffer comment = {0};
    bool ok = true;

    library_comment(e, &comment);
    for (size_t k = 0; k < sizeof sections / sizeof *sections; k++)
        if (!strstr(comment.data, sections[k])) {
            print_error("%.*s: no %s\n", (int)e->size, e->name, sections[k] + 1);
            ok = false;
        }
    buffer_free(&comment);
    return ok;
}

ML_TEST(comments_of_the_script_library_are_whole) /* those of helpers may be shorter */
{
    int wrong = 0;

    for (size_t k = 0; k < lib_nfiles; k++) {
        const char *at = lib_files[k].text;
        LibraryEntry e;

        while (library_entry(&at, lib_files[k].text + lib_files[k].size, &e))
            wrong += library_knows(e.name, e.size) && !has_sections(&e);
    }
    assert_int_equal(wrong, 0);
}
