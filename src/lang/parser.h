/* parser: private to lang.  The state that statements (parser.c), declarations (parse_function.c)
 * and expressions (parse_expr.c) share.
 *
 * A parse function that returns NULL or false has met an error: reported, or memory exhausted
 * (p->status). */
#ifndef LANG_PARSER_H
#define LANG_PARSER_H

#include "lang/lexer.h"
#include "lang/program.h"

typedef struct Parser {
    Ctx *ctx;
    Program *program;
    Unit *unit;
    const Source *source;
    const Token *tokens;
    int count, at;
    int depth;          /* statements and expressions being parsed */
    int brackets;       /* open ( and [ of expressions */
    const char *folder; /* of the last setwd, "" before */
    ml_status status;   /* not ML_OK: stop */
    VEC(void *) stack;  /* lists being collected, on top of each other */
} Parser;

/* ---- tokens ---- */

static inline const Token *parse_peek(const Parser *p, int ahead)
{
    return &p->tokens[p->at + ahead < p->count ? p->at + ahead : p->count - 1];
}
static inline bool parse_at(const Parser *p, TokenKind kind)
{
    return p->tokens[p->at].kind == kind;
}
const Token *parse_advance(Parser *p);
bool parse_accept(Parser *p, TokenKind kind);
/* The token, consumed; else an error "expected WHAT, found ..." and NULL. */
const Token *parse_expect(Parser *p, TokenKind kind, const char *what);
/* Report that the current token is not WHAT. */
void parse_unexpected(Parser *p, const char *what);
Span parse_token_span(const Parser *p, const Token *t);
/* From the token to the last one consumed. */
Span parse_span(const Parser *p, const Token *first);
const char *parse_token_name(Parser *p, const Token *t); /* interned text */
bool parse_deeper(
    Parser *p); /* enter a level; false with an error at NEST_MAX; p->depth-- to leave */

/* ---- lists: push on the stack, then move all since a mark into the arena ---- */

bool parse_push(Parser *p, void *item);
void **parse_pop(Parser *p, int mark, int *count); /* NULL when memory is exhausted */
void *parse_alloc(Parser *p, size_t size);         /* zeroed */

/* ---- the grammar ---- */

Expr *parse_expr(Parser *p);
Expr *parse_call(Parser *p);                                /* at NAME ( */
bool parse_brackets(Parser *p, Expr *index[4], int *ndims); /* after [, to ] included */
Expr *parse_string(Parser *p);                              /* at a string */
/* The literal that `text` of the operator table stands for, placed at span. */
Expr *parse_default(Ctx *ctx, Program *p, const char *text, Span span);
bool parse_block(Parser *p, StmtList *out); /* { statements } */
bool parse_function(Parser *p);             /* at NAME = function */
bool parse_source(Parser *p);
bool parse_setwd(Parser *p);
bool parse_external(Parser *p);
bool parse_parfor_params(Parser *p, Stmt *s);

#endif
