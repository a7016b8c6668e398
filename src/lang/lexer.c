/* Text to tokens, by language.md section 1.
 *
 * A script is cut into an array of tokens at once, so the parser may look ahead as far as it likes
 * (the grammar needs that where `[` may index what stands before it or begin the next statement).
 * What is no token becomes T_ERROR, which the parser reports at its place among its own errors.
 * Newlines are blanks; tokens only remember whether they are the first on their line, for recovery.
 * One pass over the text. */
#include "lang/lexer.h"

#include <limits.h>
#include <string.h>

typedef struct Lexer {
    const char *text;
    uint32_t at, size;
    bool first_on_line;
} Lexer;

/* ---- characters; of ASCII alone, and not the C library's, which knows locales ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* The character `ahead` places on, NUL past the end (no text holds NUL). */
static char look(const Lexer *x, uint32_t ahead)
{
    return x->size - x->at > ahead ? x->text[x->at + ahead] : '\0';
}

/* ---- words ---- */

typedef struct Word {
    const char *text;
    TokenKind kind;
} Word;

static const Word words[] = {
    {"TRUE", T_TRUE},
    {"FALSE", T_FALSE},
    {"if", T_IF},
    {"else", T_ELSE},
    {"while", T_WHILE},
    {"for", T_FOR},
    {"parfor", T_PARFOR},
    {"in", T_IN},
    {"function", T_FUNCTION},
    {"externalFunction", T_EXTERNAL_FUNCTION},
    {"implemented", T_IMPLEMENTED},
    {"return", T_RETURN},
    {"source", T_SOURCE},
    {"setwd", T_SETWD},
    {"as", T_AS},
    {"ifdef", T_IFDEF},
    {"int", T_VALUE_TYPE},
    {"Int", T_VALUE_TYPE},
    {"integer", T_VALUE_TYPE},
    {"Integer", T_VALUE_TYPE},
    {"double", T_VALUE_TYPE},
    {"Double", T_VALUE_TYPE},
    {"boolean", T_VALUE_TYPE},
    {"Boolean", T_VALUE_TYPE},
    {"string", T_VALUE_TYPE},
    {"String", T_VALUE_TYPE},
    {"unknown", T_VALUE_TYPE},
    {"Unknown", T_VALUE_TYPE},
};

/* The only names with dots; all other dots are errors. */
static const char *const dotted_names[] = {
    "as.scalar",  "as.matrix",  "as.frame",     "as.list",      "as.double",  "as.integer",
    "as.logical", "as.boolean", "index.return", "empty.return", "lower.tail", "lower.tri",
    "upper.tri",  "is.na",      "is.nan",       "is.infinite",
};

static bool same_text(const char *word, const char *s, size_t size)
{
    return word[0] == s[0] && strlen(word) == size && memcmp(word, s, size) == 0;
}

static TokenKind word_kind(const char *s, size_t size)
{
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (same_text(words[k].text, s, size))
            return words[k].kind;
    return T_NAME;
}

static bool is_dotted_name(const char *s, size_t size)
{
    for (size_t k = 0; k < sizeof dotted_names / sizeof *dotted_names; k++)
        if (same_text(dotted_names[k], s, size))
            return true;
    return false;
}

static void skip_word(Lexer *x)
{
    while (is_word(look(x, 0)))
        x->at++;
}

/* A name: word, word::word, or words joined by dots. */
static void lex_word(Lexer *x, Token *t)
{
    bool dots = false;

    skip_word(x);
    if (look(x, 0) == ':' && look(x, 1) == ':' && is_letter(look(x, 2))) {
        x->at += 2;
        skip_word(x);
        t->kind = T_NAME;
        return;
    }
    while (look(x, 0) == '.' && is_letter(look(x, 1))) {
        x->at++;
        skip_word(x);
        dots = true;
    }
    if (!dots) {
        t->kind = word_kind(x->text + t->begin, x->at - t->begin);
    } else if (is_dotted_name(x->text + t->begin, x->at - t->begin)) {
        t->kind = T_NAME;
    } else {
        t->kind = T_ERROR;
        t->message = "a name cannot contain a dot";
    }
}

/* ---- literals ---- */

static void skip_digits(Lexer *x)
{
    while (is_digit(look(x, 0)))
        x->at++;
}

static void lex_number(Lexer *x, Token *t)
{
    uint32_t sign;

    t->kind = T_INT;
    skip_digits(x);
    if (look(x, 0) == '.') {
        t->kind = T_DOUBLE;
        x->at++;
        skip_digits(x);
    }
    sign = look(x, 1) == '+' || look(x, 1) == '-';
    if ((look(x, 0) == 'e' || look(x, 0) == 'E') && is_digit(look(x, 1 + sign))) {
        t->kind = T_DOUBLE;
        x->at += 1 + sign;
        skip_digits(x);
    }
    if ((look(x, 0) == 'L' || look(x, 0) == 'l') && !is_word(look(x, 1))) {
        x->at++;
        t->kind = T_ERROR;
        t->message = "a number has no suffix";
    }
}

static bool is_escape(char c)
{
    return c && strchr("btnfr\"'\\", c);
}

/* A string may hold newlines.  When its end is missing, the rest of its first line is what the
 * error covers. */
static void lex_string(Lexer *x, Token *t)
{
    const char quote = look(x, 0);
    const char *newline;
    uint32_t bad_escape = 0;

    t->kind = T_STRING;
    for (x->at++; x->at < x->size && look(x, 0) != quote; x->at++) {
        if (look(x, 0) != '\\')
            continue;
        if (!bad_escape && !is_escape(look(x, 1)))
            bad_escape = x->at;
        if (x->at + 1 < x->size)
            x->at++;
    }
    if (x->at >= x->size) {
        newline = memchr(x->text + t->begin, '\n', x->size - t->begin);
        x->at = newline ? (uint32_t)(newline - x->text) : x->size;
        t->kind = T_ERROR;
        t->message = "a string without an end";
        return;
    }
    x->at++;
    if (bad_escape) {
        t->kind = T_ERROR;
        t->begin = bad_escape;
        t->end = bad_escape + 2;
        t->message = "an escape that strings do not have";
    }
}

size_t lex_unescape(const char *text, size_t size, char *out)
{
    static const char codes[] = "btnfr\"'", values[] = "\b\t\n\f\r\"'";
    const char *code;
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        code = text[i] == '\\' && i + 1 < size && text[i + 1] ? strchr(codes, text[i + 1]) : NULL;
        out[n++] = code ? values[code - codes] : text[i];
        i += code != NULL;
    }
    return n;
}

/* ---- the rest ---- */

static void lex_dollar(Lexer *x, Token *t)
{
    x->at++;
    t->kind = T_DOLLAR;
    if (is_letter(look(x, 0))) {
        skip_word(x);
    } else if (is_digit(look(x, 0))) {
        skip_digits(x);
    } else {
        t->kind = T_ERROR;
        t->message = "a parameter without a name";
    }
}

static const Word symbols[] = {
    /* longer before shorter */
    {"%*%", T_OPERATOR}, {"%/%", T_OPERATOR}, {"%%", T_OPERATOR},    {"<-", T_ASSIGN},
    {"<=", T_OPERATOR},  {">=", T_OPERATOR},  {"==", T_OPERATOR},    {"!=", T_OPERATOR},
    {"&&", T_OPERATOR},  {"||", T_OPERATOR},  {"+=", T_PLUS_ASSIGN}, {"=", T_ASSIGN},
    {"<", T_OPERATOR},   {">", T_OPERATOR},   {"!", T_OPERATOR},     {"&", T_OPERATOR},
    {"|", T_OPERATOR},   {"+", T_OPERATOR},   {"-", T_OPERATOR},     {"*", T_OPERATOR},
    {"/", T_OPERATOR},   {"^", T_OPERATOR},   {"(", T_LPAREN},       {")", T_RPAREN},
    {"[", T_LBRACKET},   {"]", T_RBRACKET},   {"{", T_LBRACE},       {"}", T_RBRACE},
    {",", T_COMMA},      {";", T_SEMICOLON},  {":", T_COLON},
};

static void lex_symbol(Lexer *x, Token *t)
{
    for (size_t k = 0; k < sizeof symbols / sizeof *symbols; k++) {
        size_t n;

        if (symbols[k].text[0] != x->text[x->at]) /* nearly all end here */
            continue;
        n = strlen(symbols[k].text);
        if (x->size - x->at >= n && memcmp(x->text + x->at, symbols[k].text, n) == 0) {
            x->at += (uint32_t)n;
            t->kind = symbols[k].kind;
            return;
        }
    }
    t->kind = T_ERROR;
    t->message = "a character that the language does not have";
    do /* one character: its first byte and its continuation bytes */
        x->at++;
    while ((look(x, 0) & 0xC0) == 0x80);
}

/* Skip blanks and comments.  False when a block comment has no end: t is then the error. */
static bool skip_blanks(Lexer *x, Token *t)
{
    const char *end;

    for (;;) {
        if (is_blank(look(x, 0))) {
            x->first_on_line |= look(x, 0) == '\n';
            x->at++;
        } else if (look(x, 0) == '#') {
            end = memchr(x->text + x->at, '\n', x->size - x->at);
            x->at = end ? (uint32_t)(end - x->text) : x->size;
        } else if (look(x, 0) == '/' && look(x, 1) == '*') {
            end = memmem(x->text + x->at + 2, x->size - x->at - 2, "*/", 2);
            if (!end) {
                *t = (Token){T_ERROR, x->at, x->at + 2, true, "a comment without an end"};
                x->at = x->size;
                return false;
            }
            x->at = (uint32_t)(end + 2 - x->text);
        } else {
            return true;
        }
    }
}

static Token next_token(Lexer *x)
{
    Token t = {0};

    if (!skip_blanks(x, &t))
        return t;
    t = (Token){T_END, x->at, 0, x->first_on_line, NULL};
    x->first_on_line = false;
    if (x->at == x->size)
        ;
    else if (is_letter(look(x, 0)))
        lex_word(x, &t);
    else if (is_digit(look(x, 0)) || (look(x, 0) == '.' && is_digit(look(x, 1))))
        lex_number(x, &t);
    else if (look(x, 0) == '"' || look(x, 0) == '\'')
        lex_string(x, &t);
    else if (look(x, 0) == '$')
        lex_dollar(x, &t);
    else
        lex_symbol(x, &t);
    if (t.end == 0)
        t.end = x->at;
    return t;
}

bool lex(const Source *src, TokenList *out)
{
    Lexer x = {src->text, 0, (uint32_t)src->size, true};
    Token t;

    if (src->size >= 3 && memcmp(src->text, "\xEF\xBB\xBF", 3) == 0)
        x.at = 3; /* byte order mark */
    do {
        if (out->count == INT_MAX - 1)
            return false;
        t = next_token(&x);
        if (!VEC_PUSH(out, t))
            return false;
    } while (t.kind != T_END);
    return true;
}

/* ---- UTF-8 ---- */

/* Length of the character at s, 0 when it is not UTF-8 (overlong forms and surrogates are not) or
 * NUL. */
static size_t utf8_length(const unsigned char *s, size_t size)
{
    const unsigned char c = s[0];
    const size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;

    if (c == 0 || n > size)
        return 0;
    for (size_t k = 1; k < n; k++)
        if ((s[k] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && s[1] < 0xA0) || (c == 0xED && s[1] >= 0xA0) || (c == 0xF0 && s[1] < 0x90) ||
        (c == 0xF4 && s[1] >= 0x90))
        return 0;
    return n;
}

size_t lex_bad_byte(const Source *src)
{
    size_t i = 0, n;

    while (i < src->size) {
        n = utf8_length((const unsigned char *)src->text + i, src->size - i);
        if (n == 0)
            break;
        i += n;
    }
    return i;
}
