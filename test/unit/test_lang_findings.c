/* How findings are shown, that many are found in one run, and files: source, the library, eval. */
#include "lang_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the form of a finding ---- */

ML_TEST(marks_stand_under_the_span_whatever_the_characters)
{
    lang_expect("x = 1; s = \"\xC3\xA4\xE2\x82\xAC\"; print(zz)",
                "t.dml:1:24: error: undefined variable 'zz'\n"
                "x = 1; s = \"\xC3\xA4\xE2\x82\xAC\"; print(zz)\n"
                "                       ^~\n");
    lang_expect("\tprint(\tzz)", "t.dml:1:9: error: undefined variable 'zz'\n"
                                 "\tprint(\tzz)\n"
                                 "\t      \t^~\n");
    lang_expect("print(zz)\r\n", "t.dml:1:7: error: undefined variable 'zz'\n"
                                 "print(zz)\n"
                                 "      ^~\n");
    lang_expect("x = matrix(1,\n 2)", "t.dml:1:5: error: 'matrix' needs the argument 'cols'\n"
                                      "x = matrix(1,\n"
                                      "    ^~~~~~~~~\n");
}

ML_TEST(of_a_long_line_the_part_around_the_position_is_shown)
{
    char text[1200], shown[512];
    Buffer b = {0};
    const Source src = {.name = "long.dml", .text = text, .size = sizeof text};
    const char *marks;

    memset(text, 'a', sizeof text);
    memset(text + 600, 'b', 10);
    diagnostic_format(&b, "error", (Span){&src, 600, 610}, "here");
    assert_true(b.size < sizeof shown);
    marks = strstr(b.data, "bbbbbbbbbb");
    assert_non_null(marks);
    marks = strchr(marks, '\n') + 1;
    assert_int_equal(marks[80], '^');
    assert_int_equal(strcspn(marks, "^"), 80);
    buffer_free(&b);
}

ML_TEST(a_finding_without_position_is_one_line)
{
    Buffer b = {0};

    diagnostic_format(&b, "error", (Span){0}, "no place");
    assert_string_equal(b.data, "error: no place\n");
    buffer_free(&b);
}

ML_TEST(an_error_record_is_shown_with_its_calls)
{
    const char *text = "f(1)\ng(2)\n";
    const Source src = {.name = "t.dml", .text = text, .size = strlen(text)};
    ErrorRecord err = {.code = ML_EVALUE, .span = {&src, 0, 4}, .ncalls = 1, .ncalls_dropped = 2};
    Buffer b = {0};

    strncpy(err.text, "bad", sizeof err.text - 1);
    err.calls[0] = (CallSite){"g", {&src, 5, 9}};
    error_format(&b, &err);
    assert_string_equal(b.data, "t.dml:1:1: error: bad\n"
                                "f(1)\n"
                                "^~~~\n"
                                "t.dml:2:1: note: in function 'g', called here\n"
                                "g(2)\n"
                                "^~~~\n"
                                "note: and 2 more calls\n");
    buffer_free(&b);
}

/* ---- syntax errors and recovery ---- */

ML_TEST(an_error_says_what_was_expected_and_found)
{
    lang_expect("x = 1 +", "t.dml:1:8: error: expected an expression, found the end of the text\n"
                           "x = 1 +\n"
                           "       ^\n");
    lang_expect(
        "print(1",
        "t.dml:1:8: error: expected ',' or ')' in the arguments, found the end of the text\n"
        "print(1\n"
        "       ^\n");
    lang_expect("x = (1 \"a\")", "t.dml:1:8: error: expected ')', found the string \"a\"\n"
                                 "x = (1 \"a\")\n"
                                 "       ^~~\n");
    lang_expect("print(1:3)", "t.dml:1:8: error: expected ',' or ')' in the arguments, found ':'\n"
                              "print(1:3)\n"
                              "       ^\n");
    lang_expect(
        "for (i in 3) {}",
        "t.dml:1:11: error: expected a range a:b, seq(a, b) or seq(a, b, step) to loop over\n"
        "for (i in 3) {}\n"
        "          ^\n");
    lang_expect("f = function(matrix X) { }",
                "t.dml:1:21: error: expected '[' and a value type, found 'X'\n"
                "f = function(matrix X) { }\n"
                "                    ^\n");
    lang_expect("{ x = 1 }", "t.dml:1:1: error: expected a statement, found '{'\n"
                             "{ x = 1 }\n"
                             "^\n");
}

ML_TEST(what_is_no_token_is_an_error_at_its_place)
{
    lang_expect("x = 1L", "t.dml:1:5: error: a number has no suffix: 1L\n"
                          "x = 1L\n"
                          "    ^~\n");
    lang_expect("x.y = 3", "t.dml:1:1: error: a name cannot contain a dot: x.y\n"
                           "x.y = 3\n"
                           "^~~\n");
    lang_expect("x = 1 @ 2", "t.dml:1:7: error: a character that the language does not have: @\n"
                             "x = 1 @ 2\n"
                             "      ^\n");
    lang_expect("x = \"a\\qb\"", "t.dml:1:7: error: an escape that strings do not have: \\q\n"
                                 "x = \"a\\qb\"\n"
                                 "      ^~\n");
    lang_expect("x = \"abc\ny = 1", "t.dml:1:5: error: a string without an end: \"abc\n"
                                    "x = \"abc\n"
                                    "    ^~~~\n");
    lang_expect("x = 9223372036854775808", "t.dml:1:5: error: the integer does not fit 64 bits; "
                                           "write 9223372036854775808.0 for a double\n"
                                           "x = 9223372036854775808\n"
                                           "    ^~~~~~~~~~~~~~~~~~~\n");
}

ML_TEST(texts_that_are_not_utf8_or_hold_nul_are_refused)
{
    ml_status st;

    assert_string_equal(lang_findings(&(LangCase){.text = "x = 1\ny \0= 2", .size = 12}, &st),
                        "t.dml:2:3: error: the text holds a NUL byte\ny \n  ^\n");
    assert_int_equal(st, ML_ESYNTAX);
    lang_findings(&(LangCase){.text = "x = \"\xFF\"", .size = 7}, &st);
    assert_int_equal(st, ML_ESYNTAX);
}

/* The lines of findings that name an error. */
static int count_errors(const char *findings)
{
    int n = 0;

    for (const char *s = findings; (s = strstr(s, "error: ")); s++)
        n++;
    return n;
}

ML_TEST(the_parser_goes_on_after_an_error)
{
    ml_status st;

    assert_int_equal(
        count_errors(lang_findings(&(LangCase){.text = "x = 1 +\n"
                                                       "y = 3\n"
                                                       "a = b = 4\n"
                                                       "$x = 3\n"
                                                       "int = 4\n"
                                                       "if (x > ) { y = = 3 } else { z = 4 4 }\n"
                                                       "k = 3 +* 4\n"
                                                       "} m = (\n"
                                                       "n = f(1,,2)\n"},
                                   &st)),
        9);
    assert_int_equal(st, ML_ESYNTAX);
}

ML_TEST(after_twenty_errors_the_parser_stops)
{
    const char *line = "x = = 1\n";
    char text[8 * 40 + 1] = "";
    const char *shown;
    ml_status st;

    for (int k = 0; k < 40; k++)
        memcpy(text + 8 * k, line, 9);
    shown = lang_findings(&(LangCase){.text = text}, &st);
    assert_int_equal(count_errors(shown), 21);
    assert_non_null(strstr(shown, "t.dml:20:5: error: expected"));
    assert_null(strstr(shown, "t.dml:21:"));
    assert_non_null(strstr(shown, "\nerror: too many errors\n"));
}

ML_TEST(external_functions_are_refused_with_a_clear_message)
{
    lang_expect(
        "f = externalFunction(int a) return (int b) implemented in (classname=\"x\")\ny = z",
        "t.dml:1:5: error: external functions were removed from the language; write the function "
        "in DML\n"
        "f = externalFunction(int a) return (int b) implemented in (classname=\"x\")\n"
        "    ^~~~~~~~~~~~~~~~\n");
}

/* ---- files ---- */

/* A new folder that is the current one until leave. */
static char *enter(char folder[32])
{
    static char old[4096];

    memcpy(folder, "/tmp/matloom-lang-XXXXXX", 25);
    assert_non_null(getcwd(old, sizeof old));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    return old;
}

static void leave(const char *old, const char *folder)
{
    char command[64];

    assert_int_equal(chdir(old), 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

ML_TEST(sourced_functions_are_called_by_their_namespace)
{
    char folder[32], *old = enter(folder);

    assert_int_equal(mkdir("sub", 0700), 0);
    put_file("sub/a.dml",
             "source(\"b.dml\") as b\nf = function(int x) return (int y) { y = b::g(x) + h(x) }\n"
             "h = function(int x) return (int y) { y = x }\nignored = undefined\n");
    put_file("b.dml", "source(\"sub/a.dml\") as a g = function(int x) return (int y) { y = x }");
    lang_expect("source(\"sub/a.dml\") as a\nsource(\"./sub/a.dml\") as c\nx = a::f(1) + c::h(2)",
                "");
    lang_expect("setwd(\"sub\") source(\"a.dml\") as a\nx = a::f(1)", "");
    lang_expect(
        "source(\"scripts/builtin/mse.dml\") as m\nx = m::m_mse(matrix(1,1,1), matrix(1,1,1))", "");
    lang_expect("source(\"b.dml\") as b x = b::gg(1) y = g(1)",
                "t.dml:1:26: error: b.dml defines no function 'gg'\n"
                "source(\"b.dml\") as b x = b::gg(1) y = g(1)\n"
                "                         ^~~~~\n"
                "t.dml:1:39: error: undefined function 'g'\n"
                "source(\"b.dml\") as b x = b::gg(1) y = g(1)\n"
                "                                      ^\n");
    leave(old, folder);
}

ML_TEST(a_missing_file_or_a_namespace_for_two_files_is_an_error)
{
    char folder[32], *old = enter(folder);

    put_file("a.dml", "f = function(int x) { print(x) }");
    put_file("b.dml", "f = function(int x) { print(x) }");
    lang_expect("source(\"c.dml\") as c", "t.dml:1:8: error: cannot find the file 'c.dml'\n"
                                          "source(\"c.dml\") as c\n"
                                          "       ^~~~~~~\n");
    lang_expect("source(\"a.dml\") as x\nsource(\"b.dml\") as x",
                "t.dml:2:1: error: the namespace 'x' already stands for a.dml\n"
                "source(\"b.dml\") as x\n"
                "^~~~~~~~~~~~~~~~~~~~\n"
                "t.dml:1:1: note: first named here\n"
                "source(\"a.dml\") as x\n"
                "^~~~~~~~~~~~~~~~~~~~\n");
    leave(old, folder);
}

ML_TEST(errors_in_a_sourced_file_name_it)
{
    char folder[32], *old = enter(folder);

    put_file("a.dml", "f = function(int x) { print(y) }\n");
    lang_expect("source(\"a.dml\") as a", "a.dml:1:29: error: undefined variable 'y'\n"
                                          "f = function(int x) { print(y) }\n"
                                          "                            ^\n");
    put_file("a.dml", "f = function(int x { print(x) }\n");
    lang_expect("source(\"a.dml\") as a",
                "a.dml:1:20: error: expected ',' or ')' in the declarations, found '{'\n"
                "f = function(int x { print(x) }\n"
                "                   ^\n");
    leave(old, folder);
}

/* ---- the script library ---- */

static const char *findings_with_lib(const char *text)
{
    ml_status st;

    return lang_findings(&(LangCase){.text = text, .lib = "lib"}, &st);
}

ML_TEST(a_folder_overrides_the_library)
{
    char folder[32], *old = enter(folder);

    assert_int_equal(mkdir("lib", 0700), 0);
    assert_int_equal(mkdir("lib/builtin", 0700), 0);
    put_file("lib/builtin/kmeans.dml",
             "m_kmeans = function(matrix[double] X, int k = 3) return (double y) { y = own(X) }\n"
             "s_kmeans = function(double X, int k = 3) return (double y) { y = X }\n"
             "own = function(matrix[double] X) return (double y) { y = sum(X) }\n");
    assert_string_equal(
        findings_with_lib("x = kmeans(matrix(1,2,2)) y = kmeans(3, k=2) z = kmeans(k=2, X=1)"), "");
    assert_string_equal(
        findings_with_lib("x = kmeans(1, r=2)"),
        "t.dml:1:17: error: 'kmeans' has no parameter 'r'; its parameters are X, k\n"
        "x = kmeans(1, r=2)\n"
        "                ^\n");
    assert_string_equal(findings_with_lib("x = own(matrix(1,2,2))"),
                        "t.dml:1:5: error: undefined function 'own'\n"
                        "x = own(matrix(1,2,2))\n"
                        "    ^~~\n");
    leave(old, folder);
}

ML_TEST(variants_of_a_library_function_have_the_same_parameters)
{
    char folder[32], *old = enter(folder);

    assert_int_equal(mkdir("lib", 0700), 0);
    assert_int_equal(mkdir("lib/builtin", 0700), 0);
    put_file("lib/builtin/g.dml",
             "m_g = function(matrix[double] X) return (double y) { y = sum(X) }\n"
             "s_g = function(double x) return (double y) { y = x }\n");
    assert_string_equal(
        findings_with_lib("x = g(1)"),
        "builtin/g.dml:2:1: error: the parameters of 'g' are not those of its other variant\n"
        "s_g = function(double x) return (double y) { y = x }\n"
        "^~~\n");
    leave(old, folder);
}

ML_TEST(what_eval_calls_by_a_literal_name_is_checked)
{
    char folder[32], *old = enter(folder);

    assert_int_equal(mkdir("lib", 0700), 0);
    assert_int_equal(mkdir("lib/builtin", 0700), 0);
    put_file("lib/builtin/g.dml", "m_g = function(matrix[double] X) return (double y) { y = Z }\n");
    assert_string_equal(findings_with_lib("x = eval(\"g\", 1)"),
                        "builtin/g.dml:1:58: error: undefined variable 'Z'\n"
                        "m_g = function(matrix[double] X) return (double y) { y = Z }\n"
                        "                                                         ^\n");
    leave(old, folder);
}

/* ---- look-up at run time ---- */

ML_TEST(functions_are_found_by_name_namespace_and_path)
{
    char folder[32], *old = enter(folder);
    const char *text = "source(\"./a.dml\") as n\ng = function(int x) return (int y) { y = x }";
    const CheckOptions options = {.lib = ""};
    const FunctionSet *set;
    Ctx ctx = {0};
    Program *p = program_new(&ctx);
    Function *main_fn;

    put_file("a.dml", "f = function(int x) return (int y) { y = x }");
    assert_int_equal(program_parse(&ctx, p, "t.dml", text, strlen(text), &options, &main_fn),
                     ML_OK);
    for (const char *const *name =
             (const char *const[]){"g", "n::f", "./a.dml::f", "a.dml::f", "sigmoid", NULL};
         *name; name++) {
        assert_int_equal(program_find(&ctx, p, *name, &set), ML_OK);
        if (!set)
            fail_msg("%s is not found", *name);
    }
    for (const char *const *name =
             (const char *const[]){"f", "n::g", "b.dml::f", "../x", "", "sum", NULL};
         *name; name++) {
        assert_int_equal(program_find(&ctx, p, *name, &set), ML_OK);
        assert_null(set);
    }
    program_free(p);
    leave(old, folder);
}

ML_TEST(a_function_that_eval_reaches_must_not_need_a_later_version)
{
    const char *text =
        "f = function(matrix[double] X) return (double y) { y = g(X) print(exists(zz)) }\n"
        "g = function(matrix[double] X) return (double y) { [C, y] = xgboost(X=X) y = sum(X) }\n"
        "h = function(matrix[double] X) return (double y) { y = sum(decompress(X)) print(y) }\n"
        "k = function(double x) return (double y) { y = eval(\"sigmoid\", x) [a] = l(y) }\n"
        "l = function(double x) return (double y) { y = x }";
    const CheckOptions options = {.lib = ""};
    const FunctionSet *set;
    Ctx ctx = {0};
    Program *p = program_new(&ctx);
    Function *main_fn;

    assert_int_equal(program_parse(&ctx, p, "t.dml", text, strlen(text), &options, &main_fn),
                     ML_OK);
    assert_int_equal(program_find(&ctx, p, "f", &set), ML_EUNSUPPORTED);
    assert_string_equal(ctx.err.text,
                        "'xgboost' is part of the script library but not in this version");
    assert_int_equal(program_find(&ctx, p, "h", &set), ML_EUNSUPPORTED);
    assert_int_equal(program_find(&ctx, p, "k", &set), ML_OK);
    program_free(p);
}

ML_TEST(a_library_function_lies_in_the_file_of_its_family)
{
    char folder[32], *old = enter(folder);

    assert_int_equal(mkdir("lib", 0700), 0);
    assert_int_equal(mkdir("lib/builtin", 0700), 0);
    put_file(
        "lib/builtin/fill.dml",
        "# Fills.\n\nm_fillByMean = function(matrix[double] X) return (double y) { y = own(X) }\n"
        "own = function(matrix[double] X) return (double y) { y = mean(X) }\n"
        "# Fills as before.\n"
        "m_fillByMeanApply = function(matrix[double] X) return (double y) { y = fillByMean(X) }");
    put_file("lib/builtin/fillBy.dml",
             "m_fillByMode = function(double x) return (double y) { y = x }");
    assert_string_equal(
        findings_with_lib("x = fillByMean(matrix(1,2,2)) y = fillByMeanApply(X=matrix(1,2,2))"),
        "");
    assert_string_equal(findings_with_lib("x = fillByMode(1)"), "");
    assert_non_null(strstr(findings_with_lib("x = fillByMedian(1)"), "fillByMedian"));
    leave(old, folder);
}

ML_TEST(help_on_a_library_function_is_its_head_comment)
{
    Ctx ctx = {0};
    Buffer b = {0};

    assert_int_equal(library_help(&ctx, "sigmoid", "", &b), ML_OK);
    assert_int_equal(strncmp(b.data, "Logistic function", 17), 0);
    assert_null(strstr(b.data, "m_sigmoid"));
    buffer_free(&b);
    assert_int_equal(library_help(&ctx, "nosuch", "", &b), ML_OK);
    assert_null(b.data);
}
