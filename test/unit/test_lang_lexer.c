/* The lexer: literals, names, comments, and what is no token. */
#include "lang_case.h"

#include "lang/lexer.h"

#include <string.h>

/* Kinds of the tokens of a text as letters. */
static const char *kinds(const char *text)
{
    static const char letters[] = "!?nDids=+()[]{},;:";
    static char out[64];
    const Source src = {.name = "t", .text = text, .size = strlen(text)};
    TokenList tokens = {0};

    memset(out, 0, sizeof out);
    assert_true(lex(&src, &tokens));
    for (int k = 0; k < tokens.count - 1; k++) {
        TokenKind kind = tokens.items[k].kind;

        out[k] = kind == T_OPERATOR ? 'o' : kind >= T_TRUE ? 'w' : kind == T_ASSIGN ? '=' : '?';
        if (kind < T_OPERATOR)
            out[k] = letters[kind];
        else if (kind >= T_PLUS_ASSIGN && kind <= T_COLON)
            out[k] = letters[kind - T_PLUS_ASSIGN + 8];
    }
    VEC_FREE(&tokens);
    return out;
}

ML_TEST(lexer_tells_integers_from_doubles)
{
    assert_string_equal(kinds("1 1.0 5. .5 1e3 1E-3 1.5e+3 12"), "iddddddi");
    assert_string_equal(kinds("1e 5x"), "inin");
    assert_string_equal(kinds("1L 1.5L 2l"), "???");
}

ML_TEST(lexer_reads_names_with_namespace_or_dots)
{
    assert_string_equal(kinds("a a_1 ns::f as.scalar index.return is.nan T F"), "nnnnnnnn");
    assert_string_equal(kinds("x.y as.foo"), "??");
    assert_string_equal(kinds("if else TRUE double Double in"), "wwwwww");
    assert_string_equal(kinds("$a $12 $"), "DD?");
}

ML_TEST(lexer_takes_the_longest_operator)
{
    assert_string_equal(kinds("%*% %/% %% <= >= == != && || ! & | + - * / ^ < >"),
                        "ooooooooooooooooooo");
    assert_string_equal(kinds("= <- += ( ) [ ] { } , ; :"), "==+()[]{},;:");
}

ML_TEST(lexer_skips_comments)
{
    assert_string_equal(kinds("a # b c\n d"), "nn");
    assert_string_equal(kinds("a /* b \n * c */ d # end"), "nn");
    assert_string_equal(kinds("a /* b"), "n?");
    assert_string_equal(kinds("\xEF\xBB\xBF"
                              "a"),
                        "n");
}

ML_TEST(lexer_reads_strings)
{
    assert_string_equal(kinds("\"a\" 'b' \"a'b\" 'a\"b' \"a\\\"b\" \"a\nb\" \"\""), "sssssss");
    assert_string_equal(kinds("\"a\\qb\" 'x"), "??");
}

ML_TEST(escapes_are_substituted_and_backslashes_stay_two)
{
    const char *text = "\\b\\t\\n\\f\\r\\\"\\'|\\\\|\\\\n";
    char out[64];
    size_t n = lex_unescape(text, strlen(text), out);

    out[n] = '\0';
    assert_string_equal(out, "\b\t\n\f\r\"'|\\\\|\\\n");
}

static size_t bad_byte(const char *text, size_t size)
{
    const Source src = {.name = "t", .text = text, .size = size};

    return lex_bad_byte(&src);
}

ML_TEST(only_utf8_without_nul_is_text)
{
    assert_int_equal(bad_byte("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 10), 10);
    assert_int_equal(bad_byte("a\0b", 3), 1);
    assert_int_equal(bad_byte("a\xFF", 2), 1);
    assert_int_equal(bad_byte("a\xC3", 2), 1);         /* cut short */
    assert_int_equal(bad_byte("a\xC0\x80", 3), 1);     /* overlong */
    assert_int_equal(bad_byte("a\xED\xA0\x80", 4), 1); /* surrogate */
    assert_int_equal(bad_byte("a\xF4\x90\x80\x80", 5), 1);
}
