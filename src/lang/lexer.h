/* lexer: private to lang.  Text to tokens; see lexer.c. */
#ifndef LANG_LEXER_H
#define LANG_LEXER_H

#include "lang/lang.h"

typedef enum TokenKind {
    T_END,
    T_ERROR, /* not a token: message says why; no rule accepts it */
    T_NAME,  /* also ns::name and the names with dots */
    T_DOLLAR,
    T_INT,
    T_DOUBLE,
    T_STRING,
    T_OPERATOR, /* of expressions, told apart by its text */
    T_ASSIGN,   /* = <- */
    T_PLUS_ASSIGN,
    T_LPAREN,
    T_RPAREN,
    T_LBRACKET,
    T_RBRACKET,
    T_LBRACE,
    T_RBRACE,
    T_COMMA,
    T_SEMICOLON,
    T_COLON,
    /* words */
    T_TRUE,
    T_FALSE,
    T_IF,
    T_ELSE,
    T_WHILE,
    T_FOR,
    T_PARFOR,
    T_IN,
    T_FUNCTION,
    T_EXTERNAL_FUNCTION,
    T_IMPLEMENTED,
    T_RETURN,
    T_SOURCE,
    T_SETWD,
    T_AS,
    T_IFDEF,
    T_VALUE_TYPE /* int, Double ... */
} TokenKind;

typedef struct Token {
    TokenKind kind;
    uint32_t begin, end;
    bool first_on_line;
    const char *message; /* T_ERROR: what the text is */
} Token;

typedef struct TokenList {
    Token *items; /* ends with T_END */
    int count, capacity;
} TokenList;

/* False when memory is exhausted or there are more than INT_MAX tokens.  Free with VEC_FREE. */
bool lex(const Source *src, TokenList *out);

/* Offset of the first byte that no text may hold (NUL or not UTF-8), or src->size. */
size_t lex_bad_byte(const Source *src);

static inline bool token_is(const Source *src, const Token *t, const char *text)
{
    size_t n = __builtin_strlen(text);

    return t->end - t->begin == n && __builtin_memcmp(src->text + t->begin, text, n) == 0;
}

/* The value of a string literal's inside: escapes substituted.  At most as long as the text;
 * returns the size. */
size_t lex_unescape(const char *text, size_t size, char *out);

#endif
