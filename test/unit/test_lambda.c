/* Lambdas of map and the patterns in them: results seen on the reference system, except for what is
 * better defined here - texts compared by their characters, whole numbers of 64 bits. */
#include "ml_test.h"

#include "data_help.h"
#include "kernel/frame_lambda.h"
#include "kernel_case.h"

#include <string.h>

/* The text that map makes of a frame of one cell. */
static ml_status apply(const char *source, const char *x, Buffer *out)
{
    Value f = frame_of_texts(1, 1, &x), result;
    ml_status st =
        case_try(OP_map, ml_k_map, (Value[]){f, text_value(source), value_int(0)}, 3, &result);
    char buf[NUM_BUFFER];
    size_t size = 0;

    if (st != ML_OK)
        return st;
    const char *text = frame_cell_text(result.f->columns[0], 0, buf, &size);
    buffer_put(out, text ? text : "null", text ? size : 4);
    value_release(result);
    return ML_OK;
}

static void check(const char *source, const char *x, const char *expected)
{
    Buffer out = {0};

    buffer_text(&out, "");
    if (apply(source, x, &out) != ML_OK)
        fail_msg("%s: %s", source, test_error());
    if (strcmp(out.data, expected) != 0)
        fail_msg("%s of '%s': expected '%s', found '%s'", source, x, expected, out.data);
    buffer_free(&out);
}

ML_TEST(lambdas_give_what_java_gives)
{
    static const char *const cases[][3] = {
        {"x -> x", "abc", "abc"},
        {"x->x.toUpperCase()", "ab\xC3\xA4\xC3\x9F\xD0\xB6z1", "AB\xC3\x84SS\xD0\x96Z1"},
        {"x -> x.toLowerCase()", "AB\xC3\x84\xC5\xB8\xCE\xA9", "ab\xC3\xA4\xC3\xBF\xCF\x89"},
        {"x -> x.length() + 1",
         "\xC3\xA4"
         "bc",
         "4"},
        {"x -> x.substring(1)",
         "\xC3\xA4"
         "bc",
         "bc"},
        {"(x) -> x.substring(0, 2)",
         "\xC3\xA4"
         "b",
         "\xC3\xA4"
         "b"},
        {"x -> x.substring(3)", "abc", ""},
        {"x -> x.charAt(1)", "abc", "b"},
        {"x -> x.charAt(0) + 1", "abc", "98"},
        {"x -> x.charAt(0) + \"k\"", "abc", "ak"},
        {"x -> x.charAt(0) == 'a'", "abc", "true"},
        {"x -> x == \"abc\"", "abc", "true"},
        {"x -> x.indexOf(\"c\") * 10 + x.lastIndexOf('a')",
         "\xC3\xA4"
         "ac",
         "21"},
        {"x -> x.trim().concat(\"!\")", " a b ", "a b!"},
        {"x -> x.replace('a', 'b')", "abca", "bbcb"},
        {"x -> x.replaceAll(\"([ab])(c?)\", \"<$2$1>\")", "abcx", "<a><cb>x"},
        {"x -> x.replaceFirst(\"\\\\d+\", \"#\")", "a12b34", "a#b34"},
        {"x -> x.split(\",\")[2] + x.split(\",\").length", "a,,c,,", "c3"},
        {"x -> x.split(\"\")[1]", "abc", "b"},
        {"x -> x.startsWith(\"a\") ? \"yes\" : \"no\"", "abc", "yes"},
        {"x -> x.endsWith(\"c\") && !x.isEmpty() || false", "abc", "true"},
        {"x -> x.length() > 5 && x.charAt(5) == 'a'", "abc", "false"},
        {"x -> x.equals(\"abc\") ? null : x", "abc", "null"},
        {"x -> 7 / 2 + 7.0 / 2 + -7 % 3", "", "5.5"},
        {"x -> \"a\" + 1 + 2", "", "a12"},
        {"x -> 1 + 2 + \"a\" + null + true", "", "3anulltrue"},
        {"x -> true ? 1 : 2.5", "", "1.0"},
        {"x -> true ? 1 : \"b\"", "", "1"},
        {"x -> 1.0 / 0", "", "Infinity"},
        {"x -> 100000 * 100000", "", "10000000000"},
        {"x -> Integer.parseInt(x) + 1", "41", "42"},
        {"x -> Double.parseDouble(x) * 2", "1.5", "3.0"},
        {"x -> Math.max(Math.abs(-3), 2) + Math.min(1.5, 2)", "", "4.5"},
        {"x -> x.compareTo(\"b\")", "abc", "-1"},
        {"x -> x.hashCode()", "abc", "96354"},
        {"x -> x.repeat(3)", "ab", "ababab"},
        {"x -> x.equalsIgnoreCase(\"ABC\")", "aBc", "true"},
        {"x -> x.contains(\"\")", "", "true"},
        {"word -> \"\\t'\\\"\" + '\\n' + word", "", "\t'\"\n"},
    };

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        check(cases[k][0], cases[k][1], cases[k][2]);
}

ML_TEST(patterns_match_as_in_java)
{
    static const char *const cases[][3] = {
        {"a.c",
         "x\xC3\xA4"
         "a\xC3\xA4"
         "c",
         "x\xC3\xA4#"},
        {"[^a-c]+", "abxyc", "ab#c"},
        {"a|ab", "ab", "#b"},
        {"(a|ab)c", "abc", "#"},
        {"a*?b", "aab", "#"},
        {"^a|c$", "abac", "#ba#"},
        {"\\\\s+", "a \t b", "a#b"},
        {"\\\\bfoo\\\\b", "foo food foo", "# food #"},
        {"[\\\\d.]+", "v1.25b", "v#b"},
        {"a{2,3}", "aaaaaaa", "##a"},
        {"(?:ab){2}", "ababab", "#ab"},
        {"[\\\\]\\\\-x]", "a]b-cx", "a#b#c#"},
        {"x*", "axb", "#a##b#"},
        {"\\\\.", "a.b", "a#b"},
        {"\\\\W", "a-b_c", "a#b_c"},
        {"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"},
    };

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Buffer source = {0};

        buffer_format(&source, "x -> x.replaceAll(\"%s\", \"#\")", cases[k][0]);
        check(source.data, cases[k][1], cases[k][2]);
        buffer_free(&source);
    }
    check("x -> x.matches(\"a.*|b\")", "b", "true");
    check("x -> x.matches(\"a\")", "ab", "false");
}

ML_TEST(lambdas_say_where_they_are_wrong)
{
    static const char *const cases[][2] = {
        {"5", "character 1 of the lambda: expected a parameter, as in x -> x.length(), found '5'"},
        {"x", "character 2 of the lambda: expected ->, found the end"},
        {"(x, y, z) -> x", "character 6 of the lambda: expected ) after one parameter or two"},
        {"x -> ", "character 6 of the lambda: expected a value, found the end"},
        {"x -> y",
         "character 6 of the lambda: expected x, a literal or a method's class, found 'y'"},
        {"x -> x x", "character 8 of the lambda: expected an operator or the end, found 'x'"},
        {"x -> \"abc", "character 6 of the lambda: expected a closing \""},
        {"x -> 'ab'", "expected one character between single quotes"},
        {"x -> \"\\q\"", "character 7 of the lambda: expected one of \\n"},
        {"x -> x.foo()", "character 8 of the lambda: there is no method 'foo'"},
        {"x -> x.length", "character 14 of the lambda: expected ( after the name of a method"},
        {"x -> x.substring(\"a\")", "substring takes its object and parameters as (text, whole "
                                    "number) or (text, whole number, whole number)"},
        {"x -> x - 1", "character 8 of the lambda: - takes"},
        {"x -> x ? 1 : 2", "expected true or false before ?, found a text"},
        {"x -> true ? 1", "character 14 of the lambda: expected :, found the end"},
        {"x -> x && true", "&& expects true or false, found a text and true or false"},
        {"x -> (x", "character 8 of the lambda: expected ), found the end"},
        {"x -> x[0]", "[ ] expects an array and a whole number, found a text and a whole number"},
        {"x -> x.split(\",\")", "expected a result that is no array"},
        {"x -> x.split(x)",
         "split takes its object and parameters as (text, pattern in double quotes)"},
        {"x -> x.replaceAll(\"a(b\", x)",
         "character 19 of the lambda: expected ) at character 4 of the pattern"},
        {"x -> x.matches(\"*\")", "expected something to repeat at character 1 of the pattern"},
        {"x -> x.matches(\"[b-a]\")", "expected a range in order"},
        {"x -> x.matches(\"a{1001}\")", "{n}, {n,} or {n,m} with at most 1000"},
        {"x -> x.matches(\"((a{1000}){1000}){1000}\")", "expected a smaller pattern"},
        {"x -> x.matches(\"\\\\q\")", "an escaped sign"},
        {"x -> x.substring(4)",
         "expected positions within the 3 characters of 'abc' (row 1, column 1)"},
        {"x -> x.substring(2, 1)", "expected positions within"},
        {"x -> x.split(\",\")[1]", "expected an entry of 0 to 0, found 1"},
        {"x -> x.length() / 0", "expected a divisor other than 0"},
        {"x -> 9223372036854775807 + 1", "expected a result of 64 bits"},
        {"x -> Integer.parseInt(x)", "expected a whole number, found 'abc'"},
        {"x -> (x == x ? null : x).length()", "expected a text, found null"},
        {"x -> x.replaceAll(\"a\", \"$1\")", "expected $ with the number of a group"},
        {"x -> x.repeat(-1)", "expected 0 or more times and at most 16 MiB, found -1"},
    };

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Buffer out = {0};

        if (apply(cases[k][0], "abc", &out) != ML_EVALUE || !strstr(test_error(), cases[k][1]))
            fail_msg("%s: %s", cases[k][0], test_error());
        buffer_free(&out);
    }
}

/* Deep and long ones end in errors, not in the stack. */
ML_TEST(lambdas_have_a_limit)
{
    static const char *const parts[] = {"(", "-", "x+", "!"};

    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        Buffer source = {0}, out = {0};

        buffer_text(&source, "x -> ");
        for (int n = 0; n < 5000; n++)
            buffer_text(&source, parts[k]);
        buffer_text(&source, "x");
        assert_int_equal(apply(source.data, "abc", &out), ML_EVALUE);
        assert_non_null(strstr(test_error(), "expected at most"));
        buffer_free(&source);
        buffer_free(&out);
    }
}

ML_TEST(map_makes_one_cell_of_a_row_or_a_column)
{
    static const char *const cells[] = {"a", "b", NULL, "d"};
    Value rows = CASE_RUN(map, frame_of_texts(2, 2, cells),
                          text_value("x -> x.length + String.join(\"-\", x)"), value_int(1)),
          cols = CASE_RUN(map, frame_of_texts(2, 2, cells), text_value("x -> x[1] + x[0]"),
                          value_int(2));
    char buf[NUM_BUFFER];
    size_t size;

    assert_int_equal(rows.f->rows, 2);
    assert_int_equal(rows.f->cols, 1);
    assert_memory_equal(frame_cell_text(rows.f->columns[0], 1, buf, &size), "2null-d", 7);
    assert_int_equal(cols.f->rows, 1);
    assert_int_equal(cols.f->cols, 2);
    assert_memory_equal(frame_cell_text(cols.f->columns[1], 0, buf, &size), "db", 2);
    value_release(rows);
    value_release(cols);
}

ML_TEST(map_survives_every_failing_allocation)
{
    int failures = 0;

    test_threads(1);
    for (int64_t n = 0; n < 150; n++) {
        Value f = frame_of_texts(2, 1, (const char *const[]){"a,b", NULL}),
              source =
                  text_value("x -> x.split(\",\")[1].toUpperCase().replaceAll(\"b|c\", \"z\") + 1"),
              out;
        ml_status st;

        mem_fail_after(n);
        st = case_try(OP_map, ml_k_map, (Value[]){f, source, value_int(0)}, 3, &out);
        mem_fail_after(-1);
        failures += st != ML_OK;
        if (st == ML_OK)
            value_release(out);
    }
    assert_true(failures >= 15 && failures < 150);
}
