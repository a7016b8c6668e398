/* Every function of the script library has the sections that its users read, and its example runs.
 */
#include "ml_test.h"
#include "script_case.h"

#include "lang/lang.h"

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

/* Functions for the users that the page does not name. */
static int missing_in(const char *page, const LibFile *file)
{
    const char *at = file->text;
    int missing = 0;
    LibraryEntry e;

    while (library_entry(&at, file->text + file->size, &e)) {
        Buffer name = {0};

        buffer_format(&name, "`%.*s`", (int)e.size, e.name);
        if (library_knows(e.name, e.size) && !strstr(page, name.data)) {
            print_error("docs/library.md: no %s\n", name.data);
            missing++;
        }
        buffer_free(&name);
    }
    return missing;
}

ML_TEST(the_page_of_the_script_library_names_every_function)
{
    char *page;
    size_t size;
    int missing = 0;

    assert_ok(file_read(test_ctx(), "docs/library.md", &page, &size));
    for (size_t k = 0; k < lib_nfiles; k++)
        missing += missing_in(page, &lib_files[k]);
    mem_free(page);
    assert_int_equal(missing, 0);
}

ML_TEST(the_comment_of_a_function_begins_after_the_head_of_its_file)
{
    const char text[] =
        "# Of the file.\n\n# Of f.\n#\n# More.\n\nm_f = function() return (int a) { a = 1 }\n";
    const char *at = text;
    Buffer comment = {0};
    LibraryEntry e;

    assert_true(library_entry(&at, text + sizeof text - 1, &e));
    library_comment(&e, &comment);
    assert_string_equal(comment.data, "Of f.\n\nMore.\n");
    assert_false(library_entry(&at, text + sizeof text - 1, &e));
    buffer_free(&comment);
}
