/* Expressions, by operator precedence (Pratt 1973).
 *
 * Each operator binds with a power; parse_binary(min) takes operators that bind at least as tightly
 * as min.  Unary minus binds looser than `^` and `!` looser than comparison, but both may begin any
 * operand: 2 ^ -1 is 2 ^ (-1).
 *
 * `[` after an operand indexes it, unless it begins a statement [a, b] = f(...): newlines mean
 * nothing, so the parser looks for the `=` after the matching `]`.  $names are replaced by their
 * literals here.
 *
 * The tree is never higher than NEST_MAX, so that recursive passes over it need no limit of their
 * own. */
#include "lang/parser.h"

#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct Operator {
    const char *symbol, *same_as; /* same_as: the operator that it is another spelling of */
    int power;
    bool right;
} Operator;

enum { POWER_OR = 1, POWER_NOT = 3, POWER_SIGN = 9 };

static const Operator operators[] = {
    {"^", "^", 10, true},   {"%*%", "%*%", 8, false},    {"%/%", "%/%", 7, false},
    {"%%", "%%", 7, false}, {"*", "*", 6, false},        {"/", "/", 6, false},
    {"+", "+", 5, false},   {"-", "-", 5, false},        {"<", "<", 4, false},
    {"<=", "<=", 4, false}, {">", ">", 4, false},        {">=", ">=", 4, false},
    {"==", "==", 4, false}, {"!=", "!=", 4, false},      {"&", "&", 2, false},
    {"&&", "&", 2, false},  {"|", "|", POWER_OR, false}, {"||", "|", POWER_OR, false},
};

static Expr *parse_binary(Parser *p, int min);

/* ---- nodes ---- */

static Expr *parse_node(Parser *p, ExprKind kind, Span span)
{
    Expr *e = parse_alloc(p, sizeof *e);

    if (e) {
        e->kind = kind;
        e->span = span;
        e->op = -1;
        e->first_given = -1;
        e->height = 1;
    }
    return e;
}

/* Set the arguments and with them the height. */
static bool set_args(Parser *p, Expr *e, Expr **args, int nargs)
{
    e->args = args;
    e->nargs = nargs;
    for (int k = 0; k < nargs; k++)
        if (args[k] && args[k]->height >= e->height)
            e->height = args[k]->height + 1;
    if (e->height <= NEST_MAX)
        return true;
    report_error(p->ctx, p->program, e->span, ML_ELIMIT, "the expression has more than %d levels",
                 NEST_MAX);
    return false;
}

static Expr *operator_new(Parser *p, const char *symbol, int op, Span span, Expr **args, int nargs)
{
    Expr *e = parse_node(p, E_OP, span);
    Expr **own = parse_alloc(p, sizeof *own * (size_t)nargs);

    if (!e || !own)
        return NULL;
    memcpy(own, args, sizeof *own * (size_t)nargs);
    e->op = op;
    e->name = symbol;
    return set_args(p, e, own, nargs) ? e : NULL;
}

/* ---- literals ---- */

static Expr *literal_new(Parser *p, Span span, Value v)
{
    Expr *e = parse_node(p, E_LITERAL, span);

    if (e)
        e->lit = v;
    return e;
}

static Expr *parse_number(Parser *p)
{
    const Token *t = parse_advance(p);
    const char *begin = p->source->text + t->begin, *end = p->source->text + t->end;
    Span span = parse_token_span(p, t);
    int64_t i;
    double d;

    if (t->kind == T_INT) {
        if (num_parse_int64(begin, end, &i))
            return literal_new(p, span, value_int(i));
        report_error(p->ctx, p->program, span, ML_ESYNTAX,
                     "the integer does not fit 64 bits; write %.*s.0 for a double",
                     t->end - t->begin > 40 ? 0 : (int)(t->end - t->begin), begin);
        return NULL;
    }
    if (num_parse_double(begin, end, &d) != end)
        d = NAN; /* not reached: the lexer's numbers are num_parse_double's */
    return literal_new(p, span, value_double(d));
}

/* A string literal from the text between its quotes. */
static Expr *string_new_literal(Parser *p, Span span, const char *text, size_t size)
{
    char *plain = parse_alloc(p, size + 1);
    Value v;

    if (!plain)
        return NULL;
    p->status = program_string(p->ctx, p->program, plain, lex_unescape(text, size, plain), &v);
    return p->status == ML_OK ? literal_new(p, span, v) : NULL;
}

Expr *parse_string(Parser *p)
{
    const Token *t = parse_advance(p);

    return string_new_literal(p, parse_token_span(p, t), p->source->text + t->begin + 1,
                              t->end - t->begin - 2);
}

/* The literal that a value given on the command line stands for (language.md, 8). */
static Expr *argument_literal(Parser *p, Span span, const char *text)
{
    size_t size = strlen(text);
    const char *end = text + size;
    int64_t i;
    double d;

    if (strcmp(text, "TRUE") == 0 || strcmp(text, "FALSE") == 0)
        return literal_new(p, span, value_bool(text[0] == 'T'));
    if (num_parse_int64(text, end, &i))
        return literal_new(p, span, value_int(i));
    if (num_parse_double(text, end, &d) == end)
        return literal_new(p, span, value_double(d));
    if (size >= 2 && (text[0] == '"' || text[0] == '\'') && end[-1] == text[0])
        return string_new_literal(p, span, text + 1, size - 2);
    return string_new_literal(p, span, text, size);
}

/* ---- $name and ifdef ---- */

/* E_DOLLAR when the command line does not give it. */
static Expr *parse_dollar(Parser *p)
{
    const Token *t = parse_advance(p);
    const char *name =
        program_intern(p->ctx, p->program, p->source->text + t->begin + 1, t->end - t->begin - 1);
    const char *value;
    Expr *e;

    if (!name) {
        p->status = ML_ENOMEM;
        return NULL;
    }
    if (program_argument(p->program, name, &value))
        return argument_literal(p, parse_token_span(p, t), value);
    e = parse_node(p, E_DOLLAR, parse_token_span(p, t));
    if (e)
        e->name = name;
    return e;
}

static Expr *parse_required_dollar(Parser *p)
{
    Expr *e = parse_dollar(p);

    if (e && e->kind == E_DOLLAR && !p->program->check_only)
        report_error(p->ctx, p->program, e->span, ML_ENAME,
                     "$%s has no value; give one on the command line or write ifdef($%s, default)",
                     e->name, e->name);
    return e;
}

/* ifdef($x, default): the parameter when it is given, else the default. */
static Expr *parse_ifdef(Parser *p)
{
    Expr *given, *otherwise;

    parse_advance(p);
    if (!parse_expect(p, T_LPAREN, "'(' after ifdef"))
        return NULL;
    if (!parse_at(p, T_DOLLAR)) {
        parse_unexpected(p, "a parameter like $name");
        return NULL;
    }
    given = parse_dollar(p);
    if (!given || !parse_expect(p, T_COMMA, "',' and a default value"))
        return NULL;
    p->brackets++;
    otherwise = parse_expr(p);
    p->brackets--;
    if (!otherwise || !parse_expect(p, T_RPAREN, "')'"))
        return NULL;
    return given->kind == E_DOLLAR ? otherwise : given;
}

/* ---- names, calls, lists ---- */

static Expr *parse_name(Parser *p)
{
    const Token *t = parse_advance(p);
    Expr *e;

    if (token_is(p->source, t, "pi"))
        return literal_new(p, parse_token_span(p, t), value_double(M_PI));
    if (token_is(p->source, t, "Inf"))
        return literal_new(p, parse_token_span(p, t), value_double(INFINITY));
    if (token_is(p->source, t, "NaN"))
        return literal_new(p, parse_token_span(p, t), value_double(NAN));
    e = parse_node(p, E_NAME, parse_token_span(p, t));
    if (!e || !(e->name = parse_token_name(p, t)))
        return NULL;
    return e;
}

/* One argument: its name or NULL, and its value, both onto the stack. */
static bool parse_argument(Parser *p)
{
    const char *name = NULL;
    Expr *value;

    if (parse_at(p, T_NAME) && parse_peek(p, 1)->kind == T_ASSIGN &&
        token_is(p->source, parse_peek(p, 1), "=")) {
        name = parse_token_name(p, parse_advance(p));
        parse_advance(p);
        if (!name)
            return false;
    }
    value = parse_expr(p);
    return value && parse_push(p, (void *)(uintptr_t)name) && parse_push(p, value);
}

/* Expressions separated by commas up to the closing bracket, which is consumed; name and value of
 * each on the stack. */
static bool parse_arguments(Parser *p, TokenKind close, const char *what)
{
    bool good = true;

    p->brackets++;
    if (!parse_at(p, close))
        do
            good = parse_argument(p);
        while (good && parse_accept(p, T_COMMA));
    p->brackets--;
    return good && parse_expect(p, close, what);
}

/* Move names and values since mark from the stack to e. */
static bool take_arguments(Parser *p, Expr *e, int mark)
{
    int n = (p->stack.count - mark) / 2;
    Expr **args = parse_alloc(p, sizeof *args * (size_t)(n + 1));
    const char **names = parse_alloc(p, sizeof *names * (size_t)(n + 1));

    for (int k = 0; args && names && k < n; k++) {
        names[k] = p->stack.items[mark + 2 * k];
        args[k] = p->stack.items[mark + 2 * k + 1];
    }
    p->stack.count = mark;
    e->arg_names = names;
    return args && names && set_args(p, e, args, n);
}

Expr *parse_call(Parser *p)
{
    const Token *first = parse_advance(p);
    int mark = p->stack.count;
    Expr *e = parse_node(p, E_CALL, parse_token_span(p, first));

    if (!e || !(e->name = parse_token_name(p, first)))
        return NULL;
    e->name_span = e->span;
    parse_advance(p);
    if (!parse_arguments(p, T_RPAREN, "',' or ')' in the arguments")) {
        p->stack.count = mark;
        return NULL;
    }
    e->span = parse_span(p, first);
    return take_arguments(p, e, mark) ? e : NULL;
}

static bool without_names(Parser *p, Expr *e)
{
    for (int k = 0; k < e->nargs; k++)
        if (e->arg_names[k]) {
            report_error(p->ctx, p->program, e->args[k]->span, ML_ESYNTAX,
                         "the entries of a list [a, b] have no names, found '%s ='",
                         e->arg_names[k]);
            return false;
        }
    e->arg_names = NULL;
    return true;
}

/* [a, b, ...] */
static Expr *parse_shape(Parser *p)
{
    const Token *first = parse_advance(p);
    int mark = p->stack.count;
    Expr *e = parse_node(p, E_SHAPE, parse_token_span(p, first));

    if (!e)
        return NULL;
    if (parse_at(p, T_RBRACKET))
        parse_unexpected(p, "an expression in the list");
    else if (parse_arguments(p, T_RBRACKET, "',' or ']' in the list")) {
        e->span = parse_span(p, first);
        return take_arguments(p, e, mark) && without_names(p, e) ? e : NULL;
    }
    p->stack.count = mark;
    return NULL;
}

static Expr *parse_parenthesized(Parser *p)
{
    const Token *first = parse_advance(p);
    Expr *e;

    p->brackets++;
    e = parse_expr(p);
    p->brackets--;
    if (!e || !parse_expect(p, T_RPAREN, "')'"))
        return NULL;
    e->span = parse_span(p, first);
    return e;
}

/* ---- operands ---- */

/* At NAME =, where an operand is missing: on a new line the next statement, else a = b = c. */
static Expr *refuse_assignment(Parser *p)
{
    bool next = parse_peek(p, 0)->first_on_line;

    if (!next)
        parse_advance(p);
    report_error(p->ctx, p->program, parse_token_span(p, parse_peek(p, 0)), ML_ESYNTAX,
                 next ? "expected an expression, found the next statement"
                      : "an assignment is not an expression");
    return NULL;
}

static Expr *parse_primary(Parser *p)
{
    const Token *t = parse_peek(p, 0);

    switch (t->kind) {
    case T_INT:
    case T_DOUBLE:
        return parse_number(p);
    case T_STRING:
        return parse_string(p);
    case T_TRUE:
    case T_FALSE:
        parse_advance(p);
        return literal_new(p, parse_token_span(p, t), value_bool(t->kind == T_TRUE));
    case T_DOLLAR:
        return parse_required_dollar(p);
    case T_IFDEF:
        return parse_ifdef(p);
    case T_NAME:
        if (parse_peek(p, 1)->kind == T_ASSIGN && p->brackets == 0)
            return refuse_assignment(p);
        return parse_peek(p, 1)->kind == T_LPAREN ? parse_call(p) : parse_name(p);
    case T_LPAREN:
        return parse_parenthesized(p);
    case T_LBRACKET:
        return parse_shape(p);
    default:
        parse_unexpected(p, "an expression");
        return NULL;
    }
}

/* Does the `[` here begin a statement [a, b[i]] = ...? */
static bool begins_assignment(const Parser *p)
{
    int depth = 0, k = p->at;

    if (p->brackets > 0 || parse_peek(p, 1)->kind != T_NAME)
        return false;
    do {
        TokenKind kind = p->tokens[k++].kind;

        depth +=
            (kind == T_LBRACKET || kind == T_LPAREN) - (kind == T_RBRACKET || kind == T_RPAREN);
    } while (depth > 0 && k < p->count);
    return k < p->count && p->tokens[k].kind == T_ASSIGN;
}

/* lo:hi, lo, or nothing. */
static bool parse_range(Parser *p, Expr **lo, Expr **hi)
{
    *lo = *hi = NULL;
    if (parse_at(p, T_COMMA) || parse_at(p, T_RBRACKET))
        return true;
    *lo = *hi = parse_expr(p);
    if (*lo && parse_accept(p, T_COLON))
        *hi = parse_expr(p);
    return *lo && *hi;
}

/* X[] is all of X, as X[,]. */
bool parse_brackets(Parser *p, Expr *index[4], int *ndims)
{
    bool good;

    *ndims = 1;
    p->brackets++;
    good = parse_range(p, &index[0], &index[1]);
    index[2] = index[3] = NULL;
    if (good && parse_accept(p, T_COMMA)) {
        *ndims = 2;
        good = parse_range(p, &index[2], &index[3]);
    }
    p->brackets--;
    return good && parse_expect(p, T_RBRACKET, "',' or ']' in the index");
}

/* X[...] for the X given, at `[`. */
static Expr *parse_indexing(Parser *p, Expr *x, const Token *first)
{
    Expr *args[5] = {x};
    int ndims;

    parse_advance(p);
    if (!parse_brackets(p, args + 1, &ndims))
        return NULL;
    return operator_new(p, "[]", OP_index, parse_span(p, first), args, 5);
}

static Expr *parse_postfix(Parser *p)
{
    const Token *first = parse_peek(p, 0);
    Expr *e = parse_primary(p);

    while (e && parse_at(p, T_LBRACKET) && !begins_assignment(p))
        e = parse_indexing(p, e, first);
    return e;
}

/* ---- operators ---- */

static bool is_number(const Expr *e)
{
    return e->kind == E_LITERAL && (e->lit.vt == VT_INT || e->lit.vt == VT_DOUBLE);
}

/* A sign before a number makes a literal, so that -1 is one wherever a literal is wanted. */
static Expr *apply_sign(Parser *p, const char *sign, Expr *e, Span span)
{
    if (!is_number(e))
        return operator_new(p, sign, op_find_symbol(sign, 1), span, &e, 1);
    if (sign[0] == '-' && e->lit.vt == VT_INT)
        e->lit.i = (int64_t)(0 - (uint64_t)e->lit.i);
    else if (sign[0] == '-')
        e->lit.d = -e->lit.d;
    e->span = span;
    return e;
}

static Expr *parse_prefix(Parser *p)
{
    const Token *first = parse_peek(p, 0);
    const char *symbol = token_is(p->source, first, "-")   ? "-"
                         : token_is(p->source, first, "+") ? "+"
                         : token_is(p->source, first, "!") ? "!"
                                                           : NULL;
    Expr *e;

    if (first->kind != T_OPERATOR || !symbol)
        return parse_postfix(p);
    if (!parse_deeper(p))
        return NULL;
    parse_advance(p);
    e = parse_binary(p, symbol[0] == '!' ? POWER_NOT : POWER_SIGN);
    p->depth--;
    if (!e)
        return NULL;
    if (symbol[0] == '!')
        return operator_new(p, symbol, op_find_symbol("!", 1), parse_span(p, first), &e, 1);
    return apply_sign(p, symbol, e, parse_span(p, first));
}

static const Operator *operator_here(const Parser *p)
{
    const Token *t = parse_peek(p, 0);

    for (size_t k = 0; t->kind == T_OPERATOR && k < sizeof operators / sizeof *operators; k++)
        if (token_is(p->source, t, operators[k].symbol))
            return &operators[k];
    return NULL;
}

/* The right operand of an operator that associates to the right: the one place where operators
 * alone nest without end. */
static Expr *parse_right(Parser *p, int power)
{
    Expr *e;

    if (!parse_deeper(p))
        return NULL;
    e = parse_binary(p, power);
    p->depth--;
    return e;
}

static Expr *parse_binary(Parser *p, int min)
{
    const Token *first = parse_peek(p, 0);
    Expr *left = parse_prefix(p);
    const Operator *o;

    while (left && (o = operator_here(p)) && o->power >= min) {
        Expr *sides[2] = {left};

        parse_advance(p);
        sides[1] = o->right ? parse_right(p, o->power) : parse_binary(p, o->power + 1);
        if (!sides[1])
            return NULL;
        left = operator_new(p, o->same_as, op_find_symbol(o->same_as, 2), parse_span(p, first),
                            sides, 2);
    }
    return left;
}

Expr *parse_expr(Parser *p)
{
    Expr *e;

    if (!parse_deeper(p))
        return NULL;
    e = parse_binary(p, POWER_OR);
    p->depth--;
    return e;
}
