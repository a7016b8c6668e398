/* Statements, by recursive descent (language.md, 3 and 6).
 *
 * After an error the parser skips to where a statement may begin - behind a `;`, at a block, or at
 * a line that begins like a statement - and goes on, so one run shows many errors.  Lists of
 * unknown length grow on one stack and move to the arena when complete.  Statements nest at most
 * NEST_MAX levels. */
#include "lang/parser.h"

#include <string.h>

/* ---- tokens ---- */

Span parse_token_span(const Parser *p, const Token *t)
{
    return (Span){p->source, t->begin, t->end};
}

Span parse_span(const Parser *p, const Token *first)
{
    const Token *last = &p->tokens[p->at > 0 ? p->at - 1 : 0];

    return (Span){p->source, first->begin, last->end > first->end ? last->end : first->end};
}

const Token *parse_advance(Parser *p)
{
    const Token *t = &p->tokens[p->at];

    if (p->at < p->count - 1)
        p->at++;
    return t;
}

bool parse_accept(Parser *p, TokenKind kind)
{
    if (!parse_at(p, kind))
        return false;
    parse_advance(p);
    return true;
}

/* Bytes of the token's text to show: its first line, 40 bytes at most, whole characters. */
static int shown_size(const Parser *p, const Token *t)
{
    const char *text = p->source->text + t->begin;
    uint32_t n = t->end - t->begin, max = n < 40 ? n : 40;
    const char *newline = memchr(text, '\n', max);

    if (newline)
        return (int)(newline - text);
    while (max < n && max > 0 && (text[max] & 0xC0) == 0x80)
        max--;
    return (int)max;
}

void parse_unexpected(Parser *p, const char *what)
{
    const Token *t = parse_peek(p, 0);
    const char *text = p->source->text + t->begin;
    int size = shown_size(p, t);
    Span span = parse_token_span(p, t);

    if (t->kind == T_ERROR)
        report_error(p->ctx, p->program, span, ML_ESYNTAX, "%s: %.*s", t->message, size, text);
    else if (t->kind == T_END)
        report_error(p->ctx, p->program, span, ML_ESYNTAX, "expected %s, found the end of the text",
                     what);
    else if (t->kind == T_STRING)
        report_error(p->ctx, p->program, span, ML_ESYNTAX, "expected %s, found the string %.*s",
                     what, size, text);
    else
        report_error(p->ctx, p->program, span, ML_ESYNTAX, "expected %s, found '%.*s'", what, size,
                     text);
}

const Token *parse_expect(Parser *p, TokenKind kind, const char *what)
{
    if (parse_at(p, kind))
        return parse_advance(p);
    parse_unexpected(p, what);
    return NULL;
}

const char *parse_token_name(Parser *p, const Token *t)
{
    const char *name =
        program_intern(p->ctx, p->program, p->source->text + t->begin, t->end - t->begin);

    if (!name)
        p->status = ML_ENOMEM;
    return name;
}

bool parse_deeper(Parser *p)
{
    if (p->depth < NEST_MAX) {
        p->depth++;
        return true;
    }
    report_error(p->ctx, p->program, parse_token_span(p, parse_peek(p, 0)), ML_ELIMIT,
                 "nested deeper than %d levels", NEST_MAX);
    p->at = p->count - 1; /* what follows would only be reported again, level by level */
    return false;
}

/* ---- lists ---- */

void *parse_alloc(Parser *p, size_t size)
{
    void *out = arena_alloc(p->program->arena, size ? size : 1);

    if (!out)
        p->status = fail_memory(p->ctx, size);
    return out;
}

bool parse_push(Parser *p, void *item)
{
    if (VEC_PUSH(&p->stack, item))
        return true;
    p->status = fail_memory(p->ctx, sizeof item);
    return false;
}

void **parse_pop(Parser *p, int mark, int *count)
{
    int n = p->stack.count - mark;
    void **out = parse_alloc(p, sizeof *out * (size_t)(n + 1));

    if (out && n > 0)
        memcpy(out, p->stack.items + mark, sizeof *out * (size_t)n);
    p->stack.count = mark;
    *count = n;
    return out;
}

/* ---- assignments and calls ---- */

static Stmt *stmt_new(Parser *p, StmtKind kind, Span span)
{
    Stmt *s = parse_alloc(p, sizeof *s);

    if (s) {
        s->kind = kind;
        s->span = span;
    }
    return s;
}

static Stmt *finish(Parser *p, Stmt *s, const Token *first)
{
    s->span = parse_span(p, first);
    return s;
}

/* Names that no variable can have. */
static bool check_target_name(Parser *p, const Token *t)
{
    static const char *const constants[] = {"pi", "Inf", "NaN"};

    for (int k = 0; k < 3; k++)
        if (token_is(p->source, t, constants[k])) {
            report_error(p->ctx, p->program, parse_token_span(p, t), ML_ENAME,
                         "cannot assign to the constant %s", constants[k]);
            return false;
        }
    if (!memchr(p->source->text + t->begin, ':', t->end - t->begin))
        return true;
    report_error(p->ctx, p->program, parse_token_span(p, t), ML_ENAME,
                 "cannot assign to '%.*s': only functions have a namespace", shown_size(p, t),
                 p->source->text + t->begin);
    return false;
}

/* x or x[index] on the left of an assignment. */
static bool parse_target(Parser *p, Target *out)
{
    const Token *first = parse_expect(p, T_NAME, "a variable");

    if (!first || !check_target_name(p, first))
        return false;
    out->name = parse_token_name(p, first);
    if (!out->name)
        return false;
    if (parse_accept(p, T_LBRACKET)) {
        out->index = parse_alloc(p, 4 * sizeof *out->index);
        if (!out->index || !parse_brackets(p, out->index, &out->nindex))
            return false;
    }
    out->span = parse_span(p, first);
    return true;
}

static Stmt *parse_assignment(Parser *p)
{
    const Token *first = parse_peek(p, 0);
    Stmt *s = stmt_new(p, S_ASSIGN, parse_token_span(p, first));

    if (!s || !(s->targets = parse_alloc(p, sizeof *s->targets)) || !parse_target(p, s->targets))
        return NULL;
    s->ntargets = 1;
    if (parse_at(p, T_PLUS_ASSIGN))
        s->kind = S_ACCUMULATE;
    else if (!parse_at(p, T_ASSIGN)) {
        parse_unexpected(p, "'=' after the indexed variable");
        return NULL;
    }
    parse_advance(p);
    s->value = parse_expr(p);
    return s->value ? finish(p, s, first) : NULL;
}

/* [a, b, ...] = call */
static Stmt *parse_multi_assignment(Parser *p)
{
    const Token *first = parse_advance(p);
    Stmt *s = stmt_new(p, S_ASSIGN, parse_token_span(p, first));
    int mark = p->stack.count, n;
    Target *t;
    void **targets;

    if (!s)
        return NULL;
    do {
        t = parse_alloc(p, sizeof *t);
        if (!t || !parse_target(p, t) || !parse_push(p, t)) {
            p->stack.count = mark;
            return NULL;
        }
    } while (parse_accept(p, T_COMMA));
    targets = parse_pop(p, mark, &n);
    s->ntargets = n;
    s->targets = parse_alloc(p, sizeof *s->targets * (size_t)n);
    if (!targets || !s->targets)
        return NULL;
    for (int k = 0; k < n; k++)
        s->targets[k] = *(Target *)targets[k];
    if (!parse_expect(p, T_RBRACKET, "',' or ']' in the list of variables") ||
        !parse_expect(p, T_ASSIGN, "'=' after the list of variables"))
        return NULL;
    if (!parse_at(p, T_NAME) || parse_peek(p, 1)->kind != T_LPAREN) {
        parse_unexpected(p, "a function call");
        return NULL;
    }
    s->value = parse_call(p);
    return s->value ? finish(p, s, first) : NULL;
}

static Stmt *parse_call_statement(Parser *p)
{
    const Token *first = parse_peek(p, 0);
    Stmt *s = stmt_new(p, S_CALL, parse_token_span(p, first));

    if (!s || !(s->value = parse_call(p)))
        return NULL;
    if (!parse_at(p, T_OPERATOR))
        return finish(p, s, first);
    parse_unexpected(p, "the end of the statement: an expression alone is none");
    return NULL;
}

/* A statement that begins with a name. */
static Stmt *parse_name_statement(Parser *p)
{
    switch (parse_peek(p, 1)->kind) {
    case T_LPAREN:
        return parse_call_statement(p);
    case T_ASSIGN:
    case T_PLUS_ASSIGN:
    case T_LBRACKET:
        return parse_assignment(p);
    default:
        parse_advance(p);
        parse_unexpected(p, "'=' or '(' after the name");
        return NULL;
    }
}

/* ---- blocks ---- */

static Stmt *parse_statement(Parser *p);
static bool parse_statements(Parser *p, bool top, StmtList *out);

bool parse_block(Parser *p, StmtList *out)
{
    if (!parse_expect(p, T_LBRACE, "'{'") || !parse_statements(p, false, out))
        return false;
    return parse_expect(p, T_RBRACE, "a statement or '}'");
}

/* One statement, or a block. */
static bool parse_body(Parser *p, StmtList *out)
{
    Stmt *s;

    if (parse_at(p, T_LBRACE))
        return parse_block(p, out);
    if (parse_at(p, T_SOURCE) || parse_at(p, T_SETWD))
        return parse_at(p, T_SOURCE) ? parse_source(p) : parse_setwd(p);
    s = parse_statement(p);
    out->items = parse_alloc(p, sizeof *out->items);
    if (!s || !out->items)
        return false;
    out->items[0] = s;
    out->count = 1;
    return true;
}

static bool parse_predicate(Parser *p, Stmt *s)
{
    if (!parse_expect(p, T_LPAREN, "'(' before the condition"))
        return false;
    p->brackets++;
    s->value = parse_expr(p);
    p->brackets--;
    return s->value && parse_expect(p, T_RPAREN, "')' after the condition");
}

/* Is the next word behind any semicolons an else?  Those are then consumed. */
static bool accept_else(Parser *p)
{
    int k = 0;

    while (parse_peek(p, k)->kind == T_SEMICOLON)
        k++;
    if (parse_peek(p, k)->kind != T_ELSE)
        return false;
    p->at += k + 1;
    return true;
}

static Stmt *parse_if(Parser *p)
{
    const Token *first = parse_advance(p);
    Stmt *s = stmt_new(p, S_IF, parse_token_span(p, first));

    if (!s || !parse_predicate(p, s) || !parse_body(p, &s->body))
        return NULL;
    if (accept_else(p) && !parse_body(p, &s->orelse))
        return NULL;
    return finish(p, s, first);
}

static Stmt *parse_while(Parser *p)
{
    const Token *first = parse_advance(p);
    Stmt *s = stmt_new(p, S_WHILE, parse_token_span(p, first));

    if (!s || !parse_predicate(p, s) || !parse_body(p, &s->body))
        return NULL;
    return finish(p, s, first);
}

/* seq(a, b) or seq(a, b, s) as a range; false when e is something else. */
static bool range_of_seq(Stmt *s, const Expr *e)
{
    if (e->kind != E_CALL || strcmp(e->name, "seq") != 0 || e->nargs < 2 || e->nargs > 3)
        return false;
    for (int k = 0; k < e->nargs; k++)
        if (e->arg_names[k])
            return false;
    s->seq = true;
    s->from = e->args[0];
    s->to = e->args[1];
    s->step = e->nargs == 3 ? e->args[2] : NULL;
    return true;
}

static bool parse_loop_range(Parser *p, Stmt *s)
{
    s->from = parse_expr(p);
    if (!s->from)
        return false;
    if (parse_accept(p, T_COLON))
        return (s->to = parse_expr(p)) != NULL;
    if (range_of_seq(s, s->from))
        return true;
    report_error(p->ctx, p->program, s->from->span, ML_ESYNTAX,
                 "expected a range a:b, seq(a, b) or seq(a, b, step) to loop over");
    return false;
}

static Stmt *parse_for(Parser *p)
{
    const Token *first = parse_advance(p), *name;
    Stmt *s = stmt_new(p, first->kind == T_FOR ? S_FOR : S_PARFOR, parse_token_span(p, first));
    bool good;

    if (!s || !parse_expect(p, T_LPAREN, "'(' after the loop's name"))
        return NULL;
    name = parse_expect(p, T_NAME, "the loop variable");
    if (!name || !(s->name = parse_token_name(p, name)))
        return NULL;
    s->name_span = parse_token_span(p, name);
    p->brackets++;
    good = parse_expect(p, T_IN, "'in' after the loop variable") && parse_loop_range(p, s) &&
           parse_parfor_params(p, s);
    p->brackets--;
    if (!good || !parse_expect(p, T_RPAREN, "',' or ')' after the range") ||
        !parse_body(p, &s->body))
        return NULL;
    return finish(p, s, first);
}

/* ---- statements ---- */

static Stmt *refuse(Parser *p, const char *what)
{
    report_error(p->ctx, p->program, parse_token_span(p, parse_peek(p, 0)), ML_ESYNTAX, "%s", what);
    return NULL;
}

/* What cannot begin a statement. */
static Stmt *refuse_statement(Parser *p)
{
    const Token *t = parse_peek(p, 0);

    if (parse_peek(p, 1)->kind == T_ASSIGN && t->kind == T_DOLLAR)
        return refuse(p, "cannot assign to a parameter of the command line");
    if (parse_peek(p, 1)->kind == T_ASSIGN && t->kind >= T_TRUE) {
        report_error(p->ctx, p->program, parse_token_span(p, t), ML_ESYNTAX,
                     "'%.*s' is a reserved word and cannot name a variable", shown_size(p, t),
                     p->source->text + t->begin);
        return NULL;
    }
    parse_unexpected(p, "a statement");
    return NULL;
}

static Stmt *parse_statement_here(Parser *p)
{
    switch (parse_peek(p, 0)->kind) {
    case T_NAME:
        return parse_name_statement(p);
    case T_LBRACKET:
        return parse_multi_assignment(p);
    case T_IF:
        return parse_if(p);
    case T_WHILE:
        return parse_while(p);
    case T_FOR:
    case T_PARFOR:
        return parse_for(p);
    case T_RBRACE:
        return refuse(p, "'}' without its '{'");
    default:
        return refuse_statement(p);
    }
}

static bool at_definition(const Parser *p)
{
    TokenKind kind = parse_peek(p, 2)->kind;

    return parse_at(p, T_NAME) && parse_peek(p, 1)->kind == T_ASSIGN &&
           (kind == T_FUNCTION || kind == T_EXTERNAL_FUNCTION);
}

static Stmt *parse_statement(Parser *p)
{
    Stmt *s;

    if (at_definition(p))
        return refuse(p, "functions are defined at the top level of a script only");
    if (!parse_deeper(p))
        return NULL;
    s = parse_statement_here(p);
    p->depth--;
    return s;
}

/* ---- recovery ---- */

static bool looks_like_statement(const Parser *p)
{
    TokenKind next = parse_peek(p, 1)->kind;

    switch (parse_peek(p, 0)->kind) {
    case T_IF:
    case T_WHILE:
    case T_FOR:
    case T_PARFOR:
    case T_SOURCE:
    case T_SETWD:
        return next == T_LPAREN;
    case T_NAME:
        return next == T_ASSIGN || next == T_PLUS_ASSIGN || next == T_LPAREN || next == T_LBRACKET;
    default:
        return next == T_ASSIGN;
    }
}

/* Skip to where a statement may begin; `start` is the first token of the one that failed.  A block
 * met on the way is parsed, for its errors. */
static void recover(Parser *p, int start, bool top)
{
    StmtList ignored = {0};

    p->brackets = 0;
    if (p->at == start && !parse_at(p, T_LBRACE) && (top || !parse_at(p, T_RBRACE)))
        parse_advance(p);
    while (p->status == ML_OK && !report_full(p->program)) {
        if (parse_accept(p, T_SEMICOLON) || parse_at(p, T_END) || (parse_at(p, T_RBRACE) && !top))
            return;
        if (p->at > start && parse_peek(p, 0)->first_on_line && looks_like_statement(p))
            return;
        if (!parse_at(p, T_LBRACE) || p->depth >= NEST_MAX) {
            parse_advance(p);
            continue;
        }
        p->depth++;
        parse_block(p, &ignored);
        p->depth--;
        if (!parse_accept(p, T_ELSE))
            return;
    }
}

/* A statement onto the stack; or what is none of the program's body: source and setwd, which count
 * wherever they stand, and definitions. */
static bool parse_one(Parser *p, bool top)
{
    Stmt *s;

    if (parse_at(p, T_SOURCE))
        return parse_source(p);
    if (parse_at(p, T_SETWD))
        return parse_setwd(p);
    if (top && at_definition(p))
        return parse_peek(p, 2)->kind == T_FUNCTION ? parse_function(p) : parse_external(p);
    s = parse_statement(p);
    return s && parse_push(p, s);
}

/* Statements up to the end of the text or a `}` that is not consumed.  Errors in them are reported
 * and survived. */
static bool parse_statements(Parser *p, bool top, StmtList *out)
{
    int mark = p->stack.count, start, depth = p->depth;

    for (;;) {
        while (parse_accept(p, T_SEMICOLON))
            ;
        if (parse_at(p, T_END) || (!top && parse_at(p, T_RBRACE)))
            break;
        start = p->at;
        if (!parse_one(p, top)) {
            p->depth = depth;
            recover(p, start, top);
        }
        if (p->status != ML_OK || report_full(p->program))
            break;
    }
    out->items = (Stmt **)parse_pop(p, mark, &out->count);
    return p->status == ML_OK && out->items;
}

/* ---- a text ---- */

Expr *parse_default(Ctx *ctx, Program *p, const char *text, Span span)
{
    Source src = {.name = "", .text = text, .size = strlen(text)};
    TokenList tokens = {0};
    Parser parser = {.ctx = ctx, .program = p, .source = &src, .folder = ""};
    Expr *e = NULL;

    if (lex(&src, &tokens)) {
        parser.tokens = tokens.items;
        parser.count = tokens.count;
        e = parse_expr(&parser);
    } else {
        fail_memory(ctx, sizeof(Token));
    }
    if (e)
        e->span = span;
    VEC_FREE(&parser.stack);
    VEC_FREE(&tokens);
    return e;
}

ml_status unit_parse(Ctx *ctx, Program *p, Unit *unit, int depth)
{
    TokenList tokens = {0};
    Parser parser = {.ctx = ctx,
                     .program = p,
                     .unit = unit,
                     .source = unit->source,
                     .depth = depth,
                     .folder = ""};

    if (!lex(unit->source, &tokens)) {
        VEC_FREE(&tokens);
        return fail_memory(ctx, unit->source->size * sizeof(Token));
    }
    parser.tokens = tokens.items;
    parser.count = tokens.count;
    parse_statements(&parser, true, &unit->body);
    VEC_FREE(&parser.stack);
    VEC_FREE(&tokens);
    return parser.status;
}
