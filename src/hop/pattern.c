/* Reading the rows of rewrites.def: patterns and conditions.
 *
 * Precedence climbing over one line of text, with the levels of the language.  Numbers are literals
 * as in scripts.  Cost: some microseconds a
 * row, paid when a program first has the operator that the row is about. */
#include "hop/pattern.h"

#include "base/num.h"
#include "hop/rewrite.h"

#include <ctype.h>
#include <string.h>

typedef struct Reader {
    Arena *arena;
    const Map *names;
    const char *at, *end;
    bool failed;
    bool no_memory;
} Reader;

/* ---- classes of operators ---- */

static bool is_unary(const OpInfo *op)
{
    return (op->props & P_CELLWISE) && op_nargs(op) == 1 && op->cell1;
}

static bool is_binary(const OpInfo *op)
{
    return (op->props & P_CELLWISE) && op_nargs(op) == 2 && op->cell2;
}

static bool is_idempotent(const OpInfo *op)
{
    static const int list[] = {OP_abs, OP_sign, OP_round, OP_floor, OP_ceil};

    for (size_t k = 0; k < sizeof list / sizeof *list; k++)
        if (op == &op_table[list[k]])
            return true;
    return false;
}

static bool is_full(const OpInfo *op)
{
    static const int list[] = {OP_sum, OP_mean, OP_min, OP_max, OP_var, OP_sd};

    for (size_t k = 0; k < sizeof list / sizeof *list; k++)
        if (op == &op_table[list[k]])
            return true;
    return false;
}

static const struct {
    const char *name;
    bool (*has)(const OpInfo *op);
} operator_classes[] = {
#define CLASS_ROW(id, text) {#id, is_##id},
    PATTERN_CLASS_LIST(CLASS_ROW)
#undef CLASS_ROW
};

bool class_has(int class_, int op)
{
    return operator_classes[class_].has(&op_table[op]);
}

int class_find(const char *name, size_t size)
{
    for (int k = 0; k < PATTERN_CLASSES; k++)
        if (strlen(operator_classes[k].name) == size &&
            memcmp(operator_classes[k].name, name, size) == 0)
            return k;
    return -1;
}

int letter_index(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1;
}

/* ---- expressions ---- */

static Pattern *read_expr(Reader *r, int level);

static void blanks(Reader *r)
{
    while (r->at < r->end && *r->at == ' ')
        r->at++;
}

static bool skip(Reader *r, const char *text)
{
    size_t n = strlen(text);

    blanks(r);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
        return false;
    r->at += n;
    return true;
}

static void expect(Reader *r, const char *text)
{
    r->failed |= !skip(r, text);
}

static size_t word_size(const Reader *r)
{
    size_t n = 0;

    while (r->at + n < r->end && (isalnum((unsigned char)r->at[n]) || r->at[n] == '_'))
        n++;
    return n;
}

static Pattern *new_pattern(Reader *r, PatternKind kind)
{
    Pattern *p = ARENA_NEW(r->arena, Pattern);

    r->failed |= !p;
    r->no_memory |= !p;
    if (p)
        p->kind = kind;
    return p;
}

static Pattern *new_operator(Reader *r, int op, Pattern *x, Pattern *y)
{
    Pattern *p = new_pattern(r, PATTERN_OP);

    r->failed |= op < 0;
    if (!p || op < 0)
        return NULL;
    p->op = op;
    p->in[0] = x;
    p->in[1] = y;
    p->nin = op_table[op].props & P_VARIADIC ? 1 + (y != NULL) : op_nargs(&op_table[op]);
    return p;
}

static Pattern *read_number(Reader *r)
{
    Pattern *p = new_pattern(r, PATTERN_LITERAL);
    const char *from = r->at, *to;
    double d;
    int64_t i;

    to = num_parse_double(r->at, r->end, &d);
    r->failed |= !to;
    if (!p || !to)
        return NULL;
    r->at = to;
    p->lit = num_parse_int64(from, to, &i) ? value_int(i) : value_double(d);
    return p;
}

static Pattern *new_truth(Reader *r, bool truth)
{
    Pattern *p = new_pattern(r, PATTERN_LITERAL);

    if (p)
        p->lit = value_bool(truth);
    return p;
}

/* What the front end fills in for an argument that is left out; NULL: nothing, or a text. */
static Pattern *read_default(Reader *r, const char *def)
{
    Reader d = {.arena = r->arena, .at = def, .end = def + strlen(def)};

    if (!*def || *def == '"')
        return NULL;
    return skip(&d, "TRUE")    ? new_truth(r, true)
           : skip(&d, "FALSE") ? new_truth(r, false)
                               : read_number(&d);
}

/* After the quote. */
static Pattern *read_text(Reader *r)
{
    Pattern *p = new_pattern(r, PATTERN_TEXT);
    const char *end = memchr(r->at, '\'', (size_t)(r->end - r->at));

    r->failed |= !end;
    if (!p || !end)
        return NULL;
    p->text = arena_text(r->arena, r->at, (size_t)(end - r->at));
    r->no_memory |= !p->text;
    r->failed |= !p->text;
    r->at = end + 1;
    return p;
}

/* (a, b, ...) of a call, after the parenthesis. */
static void read_arguments(Reader *r, Pattern *p)
{
    int n = 0;

    if (skip(r, ")"))
        return;
    do {
        r->failed |= n == PATTERN_ARGS;
        if (r->failed)
            return;
        p->in[n++] = read_expr(r, 0);
    } while (skip(r, ","));
    expect(r, ")");
    if (p->kind == PATTERN_CLASS || (op_table[p->op].props & P_VARIADIC)) {
        p->nin = n;
        return;
    }
    for (; n < p->nin; n++)
        if (op_table[p->op].args[n].def)
            p->in[n] = read_default(r, op_table[p->op].args[n].def);
}

static Pattern *read_call(Reader *r)
{
    bool class_ = skip(r, "@");
    size_t n = word_size(r);
    int64_t op = -1;
    Pattern *p = new_pattern(r, class_ ? PATTERN_CLASS : PATTERN_OP);

    if (class_)
        op = class_find(r->at, n);
    else if (!map_get(r->names, r->at, n, &op))
        op = -1;
    r->failed |= op < 0;
    if (r->failed)
        return NULL;
    r->at += n;
    p->op = (int)op;
    p->nin = class_ ? 0 : op_nargs(&op_table[op]);
    r->failed |= p->nin > PATTERN_ARGS;
    expect(r, "(");
    if (!r->failed)
        read_arguments(r, p);
    return p;
}

static Pattern *read_primary(Reader *r)
{
    Pattern *p;
    size_t n;

    if (skip(r, "(")) {
        p = read_expr(r, 0);
        expect(r, ")");
        return p;
    }
    if (skip(r, "'"))
        return read_text(r);
    if (r->at < r->end && isdigit((unsigned char)*r->at))
        return read_number(r);
    if (skip(r, "TRUE"))
        return new_truth(r, true);
    if (skip(r, "FALSE"))
        return new_truth(r, false);
    n = word_size(r);
    if (n == 1 && letter_index(*r->at) >= 0 && (r->at + 1 == r->end || r->at[1] != '(')) {
        p = new_pattern(r, isupper((unsigned char)*r->at) ? PATTERN_MATRIX : PATTERN_SCALAR);
        if (p)
            p->variable = letter_index(*r->at);
        r->at++;
        return p;
    }
    return read_call(r);
}

/* lo:hi, lo or nothing. */
static void read_range(Reader *r, Pattern **lo, Pattern **hi)
{
    blanks(r);
    if (r->at < r->end && (*r->at == ',' || *r->at == ']'))
        return;
    *lo = read_expr(r, 0);
    if (skip(r, ":"))
        *hi = read_expr(r, 0);
}

static Pattern *read_postfix(Reader *r)
{
    Pattern *p = read_primary(r);

    while (!r->failed && skip(r, "[")) {
        p = new_operator(r, OP_index, p, NULL);
        if (!p)
            return NULL;
        read_range(r, &p->in[1], &p->in[2]);
        expect(r, ",");
        read_range(r, &p->in[3], &p->in[4]);
        expect(r, "]");
    }
    return p;
}

/* Symbols by level, loosest first; longer ones before their beginnings. */
static const struct {
    int level;
    const char *symbol;
    int op;
} infix[] = {
    {0, "|", OP_or},       {1, "&", OP_and},  {3, "==", OP_eq},       {3, "!=", OP_ne},
    {3, "<=", OP_le},      {3, ">=", OP_ge},  {3, "<", OP_lt},        {3, ">", OP_gt},
    {4, "+", OP_add},      {4, "-", OP_sub},  {5, "*", OP_mul},       {5, "/", OP_div},
    {6, "%/%", OP_intdiv}, {6, "%%", OP_mod}, {7, "%*%", OP_matmult},
};
enum { INFIX_COUNT = sizeof infix / sizeof *infix, LEVEL_NOT = 2, LEVEL_MINUS = 8 };

static int read_infix(Reader *r, int level)
{
    for (int k = 0; k < INFIX_COUNT; k++)
        if (infix[k].level == level && skip(r, infix[k].symbol))
            return infix[k].op;
    return -1;
}

static Pattern *read_power(Reader *r)
{
    Pattern *p = read_postfix(r);

    if (!r->failed && skip(r, "^"))
        p = new_operator(r, OP_pow, p, read_expr(r, LEVEL_MINUS));
    return p;
}

/* -1 is a number, as in scripts. */
static bool begins_number(Reader *r)
{
    blanks(r);
    return r->end - r->at > 1 && *r->at == '-' && isdigit((unsigned char)r->at[1]);
}

static Pattern *read_expr(Reader *r, int level)
{
    Pattern *p;
    int op;

    if (r->failed)
        return NULL;
    if (level == LEVEL_NOT && skip(r, "!"))
        return new_operator(r, OP_not, read_expr(r, LEVEL_NOT), NULL);
    if (level == LEVEL_MINUS && begins_number(r))
        return read_number(r);
    if (level == LEVEL_MINUS)
        return skip(r, "-") ? new_operator(r, OP_neg, read_expr(r, LEVEL_MINUS), NULL)
                            : read_power(r);
    p = read_expr(r, level + 1);
    while (!r->failed && (op = read_infix(r, level)) >= 0)
        p = new_operator(r, op, p, read_expr(r, level + 1));
    return p;
}

/* ---- conditions ---- */

/* A capital or small letter in parentheses. */
static int read_letter(Reader *r)
{
    int k = -1;

    expect(r, "(");
    if (!r->failed && r->at < r->end)
        k = letter_index(*r->at++);
    r->failed |= k < 0;
    expect(r, ")");
    return k;
}

static void read_part(Reader *r, Term *t, int sign)
{
    static const char *const words[] = {
        [SIZE_ROWS] = "rows", [SIZE_COLS] = "cols", [SIZE_CELLS] = "cells", [SIZE_VALUE] = "value"};
    double number = 0;

    for (SizeKind k = SIZE_ROWS; k <= SIZE_VALUE; k++)
        if (skip(r, words[k])) {
            r->failed |= t->n == TERM_PARTS;
            if (r->failed)
                return;
            t->part[t->n].kind = k;
            t->part[t->n].sign = sign;
            t->part[t->n++].variable = read_letter(r);
            return;
        }
    blanks(r);
    r->at = num_parse_double(r->at, r->end, &number);
    r->failed |= !r->at;
    t->number += sign * number;
}

/* rows(X) + 1, value(b) - value(a) ... */
static Term read_term(Reader *r)
{
    Term t = {0};
    int sign = 1;

    do {
        read_part(r, &t, sign);
        sign = r->failed ? 0 : skip(r, "+") ? 1 : skip(r, "-") ? -1 : 0;
    } while (sign);
    return t;
}

static Condition read_relation(Reader *r)
{
    static const char *const symbols[] = {[REL_EQ] = "==", [REL_NE] = "!=", [REL_LE] = "<=",
                                          [REL_GE] = ">=", [REL_LT] = "<",  [REL_GT] = ">"};
    static const Relation order[] = {REL_EQ, REL_NE, REL_LE, REL_GE, REL_LT, REL_GT};
    Condition c = {.left = read_term(r), .relation = REL_HOLDS};

    for (int k = 0; !r->failed && c.relation == REL_HOLDS && k < 6; k++)
        if (skip(r, symbols[order[k]]))
            c.relation = order[k];
    r->failed |= c.relation == REL_HOLDS;
    if (!r->failed)
        c.right = read_term(r);
    return c;
}

static void read_guard(Reader *r, Rule *rule)
{
    rule->guarded = true;
    rule->guard_result = !skip(r, "(");
    if (rule->guard_result)
        return;
    do {
        blanks(r);
        r->failed |= r->at >= r->end || letter_index(*r->at) < 0;
        if (r->failed)
            return;
        rule->guard_operands |= UINT64_C(1) << letter_index(*r->at++);
    } while (skip(r, ","));
    expect(r, ")");
}

static void read_condition(Reader *r, Rule *rule)
{
    Condition c = {.relation = REL_HOLDS};
    size_t n;

    blanks(r);
    if (skip(r, "shared")) {
        rule->shared = true;
        return;
    }
    if (skip(r, "guard")) {
        read_guard(r, rule);
        return;
    }
    n = word_size(r);
    c.holds = rule_predicate(r->at, n);
    if (c.holds) {
        r->at += n;
        c.variable = read_letter(r);
    } else {
        c = read_relation(r);
    }
    r->failed |= rule->nconditions == RULE_CONDITIONS;
    if (!r->failed)
        rule->conditions[rule->nconditions++] = c;
}

/* ---- rows ---- */

static void begin(Reader *r, const char *text)
{
    r->at = text;
    r->end = text + strlen(text);
}

static ml_status finish(Ctx *ctx, const Reader *r, int k)
{
    if (!r->failed && r->at == r->end)
        return ML_OK;
    if (r->no_memory)
        return fail_memory(ctx, sizeof(Pattern));
    return fail(ctx, ML_EINTERNAL, "rewrite %s cannot be read at '%s'", rewrite_table[k].name,
                r->at ? r->at : "a number");
}

ml_status rule_read(Ctx *ctx, Arena *arena, const Map *names, int k, Rule **out)
{
    const RewriteInfo *row = &rewrite_table[k];
    Reader r = {.arena = arena, .names = names};
    Rule *rule = ARENA_NEW(arena, Rule);

    if (!rule)
        return fail_memory(ctx, sizeof *rule);
    begin(&r, row->pattern);
    rule->pattern = read_expr(&r, 0);
    TRY(finish(ctx, &r, k));
    begin(&r, row->replacement);
    rule->replacement = read_expr(&r, 0);
    TRY(finish(ctx, &r, k));
    begin(&r, row->conditions);
    while (!r.failed && r.at < r.end) {
        read_condition(&r, rule);
        if (r.at && r.at < r.end)
            expect(&r, ",");
        if (!r.failed)
            blanks(&r);
    }
    TRY(finish(ctx, &r, k));
    *out = rule;
    return ML_OK;
}
