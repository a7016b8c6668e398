/* frame_lambda: parsing and typing of lambdas by recursive descent, levels of binary operators from
 * a table.  Errors name the character of the lambda's text. */
#include "kernel/frame_lambda.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 100, MAX_NODES = 2000, NAME_SIZE = 32 };

typedef struct Parser {
    Ctx *ctx;
    Lambda *lambda;
    const char *p;
    Text x, y; /* the parameters' names; y empty where there is one */
    LambdaType x_type;
    int depth;
} Parser;

static const char *const type_names[] = {"a text",   "a character",   "a whole number",
                                         "a number", "true or false", "an array"};

ml_status lambda_fail(Ctx *ctx, const Lambda *l, uint32_t at, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(ctx, ML_EVALUE, "map, character %" PRId64 " of the lambda: %s",
                text_length((Text){l->source, at}) + 1, text);
}

static uint32_t here(const Parser *p)
{
    return (uint32_t)(p->p - p->lambda->source);
}

static void skip(Parser *p)
{
    while (isspace((unsigned char)*p->p))
        p->p++;
}

static ml_status expected(const Parser *p, const char *what)
{
    return *p->p ? lambda_fail(p->ctx, p->lambda, here(p), "expected %s, found '%.16s'", what, p->p)
                 : lambda_fail(p->ctx, p->lambda, here(p), "expected %s, found the end", what);
}

static bool take(Parser *p, const char *word)
{
    skip(p);
    if (strncmp(p->p, word, strlen(word)) != 0)
        return false;
    p->p += strlen(word);
    return true;
}

static bool name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

/* The name at p, of size 0 when there is none. */
static Text take_name(Parser *p)
{
    Text name = {.s = p->p};

    if (name_start(*p->p))
        while (isalnum((unsigned char)*p->p) || *p->p == '_')
            p->p++;
    name.size = (size_t)(p->p - name.s);
    return name;
}

static bool is_name(Text name, const char *word)
{
    return name.size == strlen(word) && memcmp(name.s, word, name.size) == 0;
}

static ml_status new_node(const Parser *p, uint32_t at, LambdaType type, LambdaFn fn,
                          LambdaNode **out)
{
    if (++p->lambda->nodes > MAX_NODES)
        return lambda_fail(p->ctx, p->lambda, at, "expected at most %d operators and values",
                           MAX_NODES);
    *out = ARENA_NEW(p->lambda->arena, LambdaNode);
    if (!*out)
        return fail_memory(p->ctx, sizeof **out);
    **out = (LambdaNode){.fn = fn, .type = type, .at = at};
    return ML_OK;
}

static bool is_text(LambdaType t)
{
    return t == L_STRING || t == L_CHAR;
}

/* A character counts as a whole number, as in Java. */
static bool is_whole(LambdaType t)
{
    return t == L_INT || t == L_CHAR;
}

static bool is_number(LambdaType t)
{
    return is_whole(t) || t == L_DOUBLE;
}

/* ---- literals ---- */

static ml_status literal_value(LambdaRun *run, const LambdaNode *n, const LambdaValue *args,
                               LambdaValue *out)
{
    (void)run;
    (void)args;
    *out = n->literal;
    return ML_OK;
}

static ml_status parameter_value(LambdaRun *run, const LambdaNode *n, const LambdaValue *args,
                                 LambdaValue *out)
{
    (void)n;
    (void)args;
    *out = run->x;
    return ML_OK;
}

static ml_status second_value(LambdaRun *run, const LambdaNode *n, const LambdaValue *args,
                              LambdaValue *out)
{
    (void)n;
    (void)args;
    *out = run->y;
    return ML_OK;
}

/* The character that an escape stands for, -1 when it is none. */
static int escaped(char c)
{
    static const char from[] = "ntrbf\\'\"", to[] = "\n\t\r\b\f\\'\"";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? to[at - from] : -1;
}

static ml_status quoted(Parser *p, LambdaNode **out)
{
    const uint32_t at = here(p);
    const char quote = *p->p++, *end = p->p;
    char *text;
    size_t n = 0;

    while (*end && *end != quote)
        end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end)
        return lambda_fail(p->ctx, p->lambda, at, "expected a closing %c of this text", quote);
    text = arena_alloc(p->lambda->arena, (size_t)(end - p->p) + 1);
    if (!text)
        return fail_memory(p->ctx, (size_t)(end - p->p));
    for (; p->p < end; p->p++) {
        if (*p->p == '\\' && escaped(p->p[1]) < 0)
            return expected(p, "one of \\n \\t \\r \\b \\f \\\\ \\' \\\"");
        text[n++] = *p->p == '\\' ? (char)escaped(*++p->p) : *p->p;
    }
    p->p = end + 1;
    TRY(new_node(p, at, quote == '"' ? L_STRING : L_CHAR, literal_value, out));
    (*out)->literal.text = (Text){text, n};
    if (quote == '\'' && text_length((Text){text, n}) != 1)
        return lambda_fail(p->ctx, p->lambda, at,
                           "expected one character between single quotes; a text stands between "
                           "double ones");
    return ML_OK;
}

static ml_status number(Parser *p, LambdaNode **out)
{
    const uint32_t at = here(p);
    const char *end = p->p + strlen(p->p), *stop;
    int64_t whole;
    double d;

    stop = num_parse_double(p->p, end, &d);
    if (!stop)
        return expected(p, "a number");
    if (num_parse_int64(p->p, stop, &whole)) {
        TRY(new_node(p, at, L_INT, literal_value, out));
        (*out)->literal.i = whole;
    } else {
        TRY(new_node(p, at, L_DOUBLE, literal_value, out));
        (*out)->literal.d = d;
    }
    p->p = stop + (*stop == 'L' || *stop == 'd' ? 1 : 0);
    return ML_OK;
}

static ml_status word(Parser *p, Text name, uint32_t at, LambdaNode **out)
{
    if (name.size == p->x.size && memcmp(name.s, p->x.s, name.size) == 0)
        return new_node(p, at, p->x_type, parameter_value, out);
    if (p->lambda->pairs && name.size == p->y.size && memcmp(name.s, p->y.s, name.size) == 0)
        return new_node(p, at, L_STRING, second_value, out);
    if (is_name(name, "null"))
        return new_node(p, at, L_STRING, literal_value, out);
    if (is_name(name, "true") || is_name(name, "false")) {
        TRY(new_node(p, at, L_BOOL, literal_value, out));
        (*out)->literal.b = name.s[0] == 't';
        return ML_OK;
    }
    return lambda_fail(p->ctx, p->lambda, at,
                       "expected %.*s, a literal or a method's class, found '%.*s'", (int)p->x.size,
                       p->x.s, name.size < 40 ? (int)name.size : 40, name.s);
}

/* ---- calls ---- */

static ml_status ternary(Parser *p, LambdaNode **out);

static bool fits(char param, const LambdaNode *arg)
{
    switch (param) {
    case 's':
        return is_text(arg->type);
    case 'r':
        return arg->type == L_STRING && arg->fn == literal_value && arg->literal.text.s;
    case 'i':
        return is_whole(arg->type);
    case 'd':
        return is_number(arg->type);
    case 'l':
        return arg->type == L_LIST;
    case 'b':
        return arg->type == L_BOOL;
    case 't':
        return arg->type == L_STRING;
    default:
        return arg->type != L_LIST;
    }
}

static bool matches(const LambdaMethod *m, Text name, const LambdaNode *call)
{
    if (!is_name(name, m->name) || strlen(m->params) != (size_t)call->nargs)
        return false;
    for (int k = 0; k < call->nargs; k++)
        if (!fits(m->params[k], call->args[k]))
            return false;
    return true;
}

/* What the methods of this name take, for the message. */
static ml_status no_such_call(const Parser *p, Text name, const LambdaNode *call)
{
    static const char letters[] = "stridlb", *const words[] = {"text",
                                                               "text",
                                                               "pattern in double quotes",
                                                               "whole number",
                                                               "number",
                                                               "array",
                                                               "true or false"};
    char text[160] = "";
    size_t n = 0;

    for (int k = 0; k < lambda_nmethods && n + 40 < sizeof text; k++) {
        const LambdaMethod *m = &lambda_methods[k];

        if (!is_name(name, m->name))
            continue;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s(", n ? " or " : "");
        for (const char *c = m->params; *c && n + 20 < sizeof text; c++) {
            const char *at = strchr(letters, *c);

            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", c > m->params ? ", " : "",
                                  at ? words[at - letters] : "value");
        }
        n += (size_t)snprintf(text + n, sizeof text - n, ")");
    }
    return lambda_fail(p->ctx, p->lambda, call->at,
                       n ? "%.*s takes its object and parameters as %s"
                         : "there is no method '%.*s'%s",
                       name.size < 40 ? (int)name.size : 40, name.s, text);
}

static ml_status bind_pattern(const Parser *p, LambdaNode *call, const char *params)
{
    size_t at = 0;
    ml_status st;

    if (call->nargs < 2 || params[1] != 'r')
        return ML_OK;
    st = regex_compile(p->ctx, p->lambda->arena, call->args[1]->literal.text, &call->regex, &at);
    return st == ML_EVALUE
               ? lambda_fail(p->ctx, p->lambda, call->args[1]->at,
                             "%.120s at character %zu of the pattern", p->ctx->err.text, at + 1)
               : st;
}

static ml_status bind_method(const Parser *p, Text name, LambdaNode *call)
{
    for (int k = 0; k < lambda_nmethods; k++) {
        if (!matches(&lambda_methods[k], name, call))
            continue;
        call->fn = lambda_methods[k].fn;
        call->nulls = lambda_methods[k].nulls;
        call->type = lambda_methods[k].type;
        return bind_pattern(p, call, lambda_methods[k].params);
    }
    return no_such_call(p, name, call);
}

static ml_status arguments(Parser *p, LambdaNode *call)
{
    if (take(p, ")"))
        return ML_OK;
    do {
        if (call->nargs == LAMBDA_ARGS)
            return expected(p, "a call with fewer parameters");
        TRY(ternary(p, &call->args[call->nargs++]));
    } while (take(p, ","));
    return take(p, ")") ? ML_OK : expected(p, ", or )");
}

/* object.name(arguments), object.length; object NULL: Class.name(arguments). */
static ml_status member(Parser *p, LambdaNode *object, Text class_name, LambdaNode **out)
{
    char full[NAME_SIZE * 2];
    const uint32_t at = here(p);
    Text name;

    skip(p);
    name = take_name(p);
    if (name.size == 0)
        return expected(p, "the name of a method");
    TRY(new_node(p, at, L_STRING, NULL, out));
    if (object)
        (*out)->args[(*out)->nargs++] = object;
    if (take(p, "("))
        TRY(arguments(p, *out));
    else if (!object || object->type != L_LIST || !is_name(name, "length"))
        return expected(p, "( after the name of a method");
    if (object)
        return bind_method(p, name, *out);
    snprintf(full, sizeof full, "%.*s.%.*s", (int)class_name.size, class_name.s,
             name.size < NAME_SIZE ? (int)name.size : NAME_SIZE - 1, name.s);
    return bind_method(p, (Text){full, strlen(full)}, *out);
}

static ml_status entry_value(LambdaRun *run, const LambdaNode *n, const LambdaValue *args,
                             LambdaValue *out)
{
    const int64_t k = args[1].i;

    if (k < 0 || k >= args[0].list.count)
        return lambda_fail(run->ctx, run->lambda, n->at,
                           "expected an entry of 0 to %" PRId64 ", found %" PRId64,
                           args[0].list.count - 1, k);
    out->text = args[0].list.items[k];
    return ML_OK;
}

static ml_status entry(Parser *p, LambdaNode *object, LambdaNode **out)
{
    TRY(new_node(p, here(p) - 1, L_STRING, entry_value, out));
    (*out)->nargs = 2;
    (*out)->args[0] = object;
    TRY(ternary(p, &(*out)->args[1]));
    if (object->type != L_LIST || (*out)->args[1]->type != L_INT)
        return lambda_fail(p->ctx, p->lambda, (*out)->at,
                           "[ ] expects an array and a whole number, found %s and %s",
                           type_names[object->type], type_names[(*out)->args[1]->type]);
    return take(p, "]") ? ML_OK : expected(p, "]");
}

/* ---- expressions ---- */

static ml_status primary(Parser *p, LambdaNode **out)
{
    uint32_t at;
    Text name;

    if (take(p, "(")) {
        TRY(ternary(p, out));
        return take(p, ")") ? ML_OK : expected(p, ")");
    }
    skip(p);
    if (*p->p == '"' || *p->p == '\'')
        return quoted(p, out);
    if (isdigit((unsigned char)*p->p))
        return number(p, out);
    at = here(p);
    name = take_name(p);
    if (name.size == 0)
        return expected(p, "a value");
    if (isupper((unsigned char)name.s[0]) && name.size < NAME_SIZE && take(p, "."))
        return member(p, NULL, name, out);
    return word(p, name, at, out);
}

static ml_status postfix(Parser *p, LambdaNode **out)
{
    LambdaNode *object;

    TRY(primary(p, out));
    for (;;) {
        object = *out;
        if (take(p, "."))
            TRY(member(p, object, (Text){0}, out));
        else if (take(p, "["))
            TRY(entry(p, object, out));
        else
            return ML_OK;
    }
}

static ml_status unary(Parser *p, LambdaNode **out)
{
    const uint32_t at = here(p);
    const bool minus = take(p, "-");
    LambdaNode *inner = NULL;

    if (!minus && !(take(p, "!")))
        return postfix(p, out);
    if (++p->depth > MAX_DEPTH)
        return lambda_fail(p->ctx, p->lambda, at, "expected at most %d levels", MAX_DEPTH);
    TRY(unary(p, &inner));
    p->depth--;
    TRY(new_node(p, at, inner->type, NULL, out));
    (*out)->args[0] = inner;
    (*out)->nargs = 1;
    return bind_method(p, minus ? (Text){"-", 1} : (Text){"!", 1}, *out);
}

/* ---- binary operators: && and || evaluate their right side only when they need it ---- */

static ml_status both_value(LambdaRun *run, const LambdaNode *n, const LambdaValue *args,
                            LambdaValue *out)
{
    (void)args;
    TRY(lambda_eval(run, n->args[0], out));
    return out->b ? lambda_eval(run, n->args[1], out) : ML_OK;
}

static ml_status either_value(LambdaRun *run, const LambdaNode *n, const LambdaValue *args,
                              LambdaValue *out)
{
    (void)args;
    TRY(lambda_eval(run, n->args[0], out));
    return out->b ? ML_OK : lambda_eval(run, n->args[1], out);
}

static const struct Operator {
    const char *symbol;
    int level;
} operators[] = {{"||", 0}, {"&&", 1}, {"==", 2}, {"!=", 2}, {"<=", 3}, {">=", 3}, {"<", 3},
                 {">", 3},  {"+", 4},  {"-", 4},  {"*", 5},  {"/", 5},  {"%", 5}};
enum { LEVELS = 6, OPERATORS = sizeof operators / sizeof *operators };

static const struct Operator *take_operator(Parser *p, int level)
{
    for (int k = 0; k < OPERATORS; k++)
        if (operators[k].level == level && take(p, operators[k].symbol))
            return &operators[k];
    return NULL;
}

static ml_status join(const Parser *p, const struct Operator *op, LambdaNode *n)
{
    if (op->level > 1)
        return bind_method(p, (Text){op->symbol, strlen(op->symbol)}, n);
    n->type = L_BOOL;
    n->lazy = true;
    n->fn = op->level == 0 ? either_value : both_value;
    if (n->args[0]->type == L_BOOL && n->args[1]->type == L_BOOL)
        return ML_OK;
    return lambda_fail(p->ctx, p->lambda, n->at, "%s expects true or false, found %s and %s",
                       op->symbol, type_names[n->args[0]->type], type_names[n->args[1]->type]);
}

static ml_status binary(Parser *p, int level, LambdaNode **out)
{
    const struct Operator *op;

    if (level == LEVELS)
        return unary(p, out);
    TRY(binary(p, level + 1, out));
    for (;;) {
        LambdaNode *left = *out;

        skip(p);
        const uint32_t at = here(p);
        op = take_operator(p, level);
        if (!op)
            return ML_OK;
        TRY(new_node(p, at, L_STRING, NULL, out));
        (*out)->nargs = 2;
        (*out)->args[0] = left;
        TRY(binary(p, level + 1, &(*out)->args[1]));
        TRY(join(p, op, *out));
    }
}

/* ---- c ? a : b ---- */

/* A value of one type as one of another: a number as a double, anything as text. */
static ml_status converted(LambdaRun *run, LambdaType from, LambdaType to, LambdaValue *v)
{
    char buf[NUM_BUFFER];
    Text t;
    char *copy;

    if (from == to)
        return ML_OK;
    if (to == L_DOUBLE) {
        v->d = (double)v->i;
        return ML_OK;
    }
    t = lambda_text(from, v, buf);
    copy = t.s ? arena_text(run->arena, t.s, t.size) : NULL;
    if (t.s && !copy)
        return fail_memory(run->ctx, t.size);
    v->text = (Text){copy, t.size};
    return ML_OK;
}

static ml_status choice_value(LambdaRun *run, const LambdaNode *n, const LambdaValue *args,
                              LambdaValue *out)
{
    const LambdaNode *chosen;

    (void)args;
    TRY(lambda_eval(run, n->args[0], out));
    chosen = n->args[out->b ? 1 : 2];
    TRY(lambda_eval(run, chosen, out));
    return converted(run, chosen->type, n->type, out);
}

static LambdaType common_type(LambdaType a, LambdaType b)
{
    if (a == b)
        return a;
    return (a == L_INT && b == L_DOUBLE) || (a == L_DOUBLE && b == L_INT) ? L_DOUBLE : L_STRING;
}

static ml_status choose(Parser *p, LambdaNode *condition, LambdaNode **out)
{
    LambdaNode *n = NULL;

    TRY(new_node(p, condition->at, L_STRING, choice_value, &n));
    n->lazy = true;
    n->nargs = 3;
    n->args[0] = condition;
    TRY(ternary(p, &n->args[1]));
    if (!take(p, ":"))
        return expected(p, ":");
    TRY(ternary(p, &n->args[2]));
    n->type = common_type(n->args[1]->type, n->args[2]->type);
    *out = n;
    if (condition->type != L_BOOL)
        return lambda_fail(p->ctx, p->lambda, condition->at,
                           "expected true or false before ?, found %s",
                           type_names[condition->type]);
    if (n->type != n->args[1]->type && (n->args[1]->type == L_LIST || n->args[2]->type == L_LIST))
        return lambda_fail(p->ctx, p->lambda, n->args[1]->at,
                           "expected values of one type around :");
    return ML_OK;
}

static ml_status ternary(Parser *p, LambdaNode **out)
{
    if (++p->depth > MAX_DEPTH)
        return lambda_fail(p->ctx, p->lambda, here(p), "expected at most %d levels", MAX_DEPTH);
    TRY(binary(p, 0, out));
    if (take(p, "?"))
        TRY(choose(p, *out, out));
    p->depth--;
    return ML_OK;
}

/* ---- x -> expression ---- */

static ml_status parameter(Parser *p, Text *name)
{
    skip(p);
    *name = take_name(p);
    return name->size > 0 && name->size < NAME_SIZE
               ? ML_OK
               : expected(p, "a parameter, as in x -> x.length()");
}

static ml_status parameters(Parser *p)
{
    const bool bracket = take(p, "(");

    TRY(parameter(p, &p->x));
    if (bracket && take(p, ",")) {
        TRY(parameter(p, &p->y));
        p->lambda->pairs = true;
        if (p->x_type != L_STRING)
            return expected(p, "one parameter, for margin is not 0,");
    }
    if (bracket && !take(p, ")"))
        return expected(p, ") after one parameter or two");
    return take(p, "->") ? ML_OK : expected(p, "->");
}

ml_status lambda_compile(Ctx *ctx, const char *source, LambdaType x, Lambda *out)
{
    Parser p = {.ctx = ctx, .lambda = out, .p = source, .x_type = x};

    *out = (Lambda){.source = source, .arena = arena_new()};
    if (!out->arena)
        return fail_memory(ctx, sizeof(LambdaNode));
    TRY(parameters(&p));
    TRY(ternary(&p, &out->root));
    skip(&p);
    return *p.p ? expected(&p, "an operator or the end") : ML_OK;
}

void lambda_free(Lambda *l)
{
    arena_free(l->arena);
}

ml_status lambda_eval(LambdaRun *run, const LambdaNode *node, LambdaValue *out)
{
    LambdaValue args[LAMBDA_ARGS];

    for (int k = 0; k < node->nargs && !node->lazy; k++) {
        TRY(lambda_eval(run, node->args[k], &args[k]));
        if (!node->nulls && node->args[k]->type == L_STRING && !args[k].text.s)
            return lambda_fail(run->ctx, run->lambda, node->at, "expected a text, found null");
    }
    return node->fn(run, node, args, out);
}

Text lambda_text(LambdaType type, const LambdaValue *v, char buf[NUM_BUFFER])
{
    switch (type) {
    case L_INT:
        return (Text){buf, num_print_int64(buf, v->i)};
    case L_DOUBLE:
        return (Text){buf, num_print_double(buf, v->d)};
    case L_BOOL:
        return v->b ? (Text){"true", 4} : (Text){"false", 5};
    default:
        return v->text;
    }
}
