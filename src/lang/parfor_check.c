/* parfor: its parameters, and those dependencies between iterations that are certain from the text
 * alone.
 *
 * A variable from before the loop that an iteration reads before it assigns it carries a value from
 * one iteration to another; so does a matrix of which X[i, ] is written and X[i - 1, ] read.  `x +=
 * e` is allowed: those are summed.  The complete test on subscripts is not made here. */
#include "lang/check.h"
#include "lang/suggest.h"

#include <string.h>
#include <strings.h>

/* ---- parameters ---- */

typedef struct ParforKey {
    const char *key;
    const char *words; /* allowed, separated by blanks; NULL: an integer */
} ParforKey;

static const ParforKey parfor_keys[] = {
    {"check", NULL},
    {"par", NULL},
    {"tasksize", NULL},
    {"profile", NULL},
    {"mode", "LOCAL REMOTE_SPARK REMOTE_SPARK_DP"},
    {"opt", "NONE RULEBASED CONSTRAINED HEURISTIC"},
    {"taskpartitioner", "FIXED NAIVE STATIC FACTORING FACTORING_CMIN FACTORING_CMAX"},
    {"datapartitioner", "NONE LOCAL REMOTE_SPARK"},
    {"resultmerge", "LOCAL_MEM LOCAL_FILE LOCAL_AUTOMATIC REMOTE_SPARK"},
    {"log", "ALL TRACE DEBUG INFO WARN ERROR FATAL OFF"},
};
enum { PARFOR_KEYS = sizeof parfor_keys / sizeof *parfor_keys };

static bool is_one_of(const char *words, const char *word)
{
    size_t size = strlen(word);

    while (*words) {
        size_t n = strcspn(words, " ");

        if (n == size && strncasecmp(words, word, n) == 0)
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

static void check_value(Checker *c, const ParforKey *key, const Expr *value)
{
    bool is_word = value->kind == E_LITERAL && value->lit.vt == VT_STRING;

    if (value->kind == E_DOLLAR)
        return;
    if (!key->words && !(value->kind == E_LITERAL && value->lit.vt == VT_INT))
        report_error(c->ctx, c->program, value->span, ML_EVALUE,
                     "the parfor parameter '%s' is an integer literal", key->key);
    else if (key->words && !(is_word && is_one_of(key->words, value->lit.s->text)))
        report_error(c->ctx, c->program, value->span, ML_EVALUE,
                     "the parfor parameter '%s' is one of %s", key->key, key->words);
}

static void check_parameter(Checker *c, const Stmt *s, int which)
{
    const ParforParam *param = &s->params[which];
    Suggestion hint;

    for (int k = 0; k < which; k++)
        if (s->params[k].key == param->key) {
            report_error(c->ctx, c->program, param->key_span, ML_ENAME,
                         "the parfor parameter '%s' is given twice", param->key);
            return;
        }
    suggest_begin(&hint, param->key);
    for (int k = 0; k < PARFOR_KEYS; k++) {
        if (strcmp(parfor_keys[k].key, param->key) == 0) {
            check_value(c, &parfor_keys[k], param->value);
            return;
        }
        suggest_add(&hint, parfor_keys[k].key, strlen(parfor_keys[k].key));
    }
    report_error(c->ctx, c->program, param->key_span, ML_ENAME, "parfor has no parameter '%s'%s",
                 param->key, suggest_hint(&hint));
}

static bool wants_dependency_check(const Stmt *s)
{
    for (int k = 0; k < s->nparams; k++)
        if (strcmp(s->params[k].key, "check") == 0 && s->params[k].value->kind == E_LITERAL)
            return !(s->params[k].value->lit.vt == VT_INT && s->params[k].value->lit.i == 0);
    return true;
}

/* ---- walking ---- */

typedef struct Walk {
    bool (*expr)(const Expr *e, void *arg); /* true: stop, found */
    bool (*target)(const Target *t, const Stmt *s, void *arg);
    void *arg;
} Walk;

static bool walk_expr(const Walk *w, const Expr *e)
{
    if (!e)
        return false;
    if (w->expr && w->expr(e, w->arg))
        return true;
    for (int k = 0; k < e->nargs; k++)
        if ((k == 0 || e->args[k] != e->args[k - 1]) && walk_expr(w, e->args[k]))
            return true;
    return false;
}

static bool walk_list(const Walk *w, const StmtList *list);

static bool walk_targets(const Walk *w, const Stmt *s)
{
    for (int k = 0; k < s->ntargets; k++) {
        if (w->target && w->target(&s->targets[k], s, w->arg))
            return true;
        for (int i = 0; s->targets[k].index && i < 4; i++)
            if (walk_expr(w, s->targets[k].index[i]))
                return true;
    }
    return false;
}

static bool walk_stmt(const Walk *w, const Stmt *s)
{
    return walk_expr(w, s->value) || walk_expr(w, s->from) || walk_expr(w, s->to) ||
           walk_expr(w, s->step) || walk_targets(w, s) || walk_list(w, &s->body) ||
           walk_list(w, &s->orelse);
}

static bool walk_list(const Walk *w, const StmtList *list)
{
    for (int k = 0; k < list->count; k++)
        if (walk_stmt(w, list->items[k]))
            return true;
    return false;
}

/* ---- stop and assert ---- */

typedef struct Found {
    const Expr *expr;
} Found;

static bool is_stop(const Expr *e, void *arg)
{
    if (e->kind != E_OP || e->op < 0)
        return false;
    if (strcmp(op_table[e->op].name, "stop") != 0 && strcmp(op_table[e->op].name, "assert") != 0)
        return false;
    ((Found *)arg)->expr = e;
    return true;
}

static void check_stop(Checker *c, const Stmt *s)
{
    Found found = {0};
    const Walk w = {.expr = is_stop, .arg = &found};

    if (walk_list(&w, &s->body))
        report_error(c->ctx, c->program, found.expr->span, ML_ENAME,
                     "%s cannot stand in the body of a parfor", found.expr->name);
}

/* ---- variables carried from one iteration to the next ---- */

static bool reads_name(const Expr *e, void *arg)
{
    return e->kind == E_NAME && e->name == arg;
}

/* What happens first to a variable on every way through statements. */
typedef enum First { FIRST_NOTHING, FIRST_READ, FIRST_WRITE } First;

static First first_in_list(const StmtList *list, const char *name);

static bool reads(const Expr *e, const char *name)
{
    const Walk w = {.expr = reads_name, .arg = (void *)(uintptr_t)name};

    return walk_expr(&w, e);
}

static First first_in_assignment(const Stmt *s, const char *name)
{
    First first = reads(s->value, name) ? FIRST_READ : FIRST_NOTHING;

    for (int k = 0; k < s->ntargets; k++) {
        const Target *t = &s->targets[k];

        for (int i = 0; t->index && i < 4; i++)
            if (reads(t->index[i], name))
                return FIRST_READ;
        if (first == FIRST_NOTHING && t->name == name && t->nindex == 0 && s->kind == S_ASSIGN)
            first = FIRST_WRITE;
    }
    return first;
}

static First first_in_if(const Stmt *s, const char *name)
{
    First then, otherwise;

    if (reads(s->value, name))
        return FIRST_READ;
    then = first_in_list(&s->body, name);
    otherwise = first_in_list(&s->orelse, name);
    if (then == FIRST_READ || otherwise == FIRST_READ)
        return FIRST_READ;
    return then == FIRST_WRITE && otherwise == FIRST_WRITE ? FIRST_WRITE : FIRST_NOTHING;
}

static First first_in_loop(const Stmt *s, const char *name)
{
    if (reads(s->value, name) || reads(s->from, name) || reads(s->to, name) || reads(s->step, name))
        return FIRST_READ;
    if (s->name == name)
        return FIRST_WRITE;
    return first_in_list(&s->body, name) == FIRST_READ ? FIRST_READ : FIRST_NOTHING;
}

static First first_in_list(const StmtList *list, const char *name)
{
    First first = FIRST_NOTHING;

    for (int k = 0; k < list->count && first == FIRST_NOTHING; k++) {
        const Stmt *s = list->items[k];

        if (s->kind == S_IF)
            first = first_in_if(s, name);
        else if (s->kind == S_WHILE || s->kind == S_FOR || s->kind == S_PARFOR)
            first = first_in_loop(s, name);
        else
            first = first_in_assignment(s, name);
    }
    return first;
}

typedef struct Carried {
    Checker *c;
    const Stmt *loop;
    const uint8_t *before;
    int count;
    const Target *target; /* the culprit */
} Carried;

static bool existed(const Carried *x, const char *name)
{
    for (int k = 0; k < x->count; k++)
        if (x->c->names.items[k] == name)
            return x->before[k] != VAR_NEVER;
    return false;
}

/* ---- X[i, ] written, X[i - 1, ] read ---- */

/* e is the loop variable plus a constant. */
static bool is_offset(const Expr *e, const char *loop, int64_t *offset)
{
    const Expr *left, *right;

    *offset = 0;
    if (!e)
        return false;
    if (e->kind == E_NAME)
        return e->name == loop;
    if (e->kind != E_OP || e->nargs != 2 ||
        (strcmp(e->name, "+") != 0 && strcmp(e->name, "-") != 0))
        return false;
    left = e->args[0];
    right = e->args[1];
    if (left->kind != E_NAME || left->name != loop || right->kind != E_LITERAL ||
        right->lit.vt != VT_INT || right->lit.i > INT32_MAX || right->lit.i < -INT32_MAX)
        return false;
    *offset = e->name[0] == '+' ? right->lit.i : -right->lit.i;
    return true;
}

typedef struct Shifted {
    const char *loop, *name;
    int64_t offset[2]; /* of what is written, by dimension */
    bool known[2];
} Shifted;

/* Does e read the same matrix at another distance from the loop variable? */
static bool reads_shifted(const Expr *e, void *arg)
{
    const Shifted *w = arg;
    int64_t offset;

    if (e->kind != E_OP || e->op != OP_index || e->args[0]->kind != E_NAME ||
        e->args[0]->name != w->name)
        return false;
    for (int d = 0; d < 2; d++)
        if (w->known[d] && e->args[1 + 2 * d] == e->args[2 + 2 * d] &&
            is_offset(e->args[1 + 2 * d], w->loop, &offset) && offset != w->offset[d])
            return true;
    return false;
}

static bool is_carried(const Target *t, const Stmt *s, void *arg)
{
    Carried *x = arg;
    Shifted shifted = {.loop = x->loop->name, .name = t->name};
    const Walk w = {.expr = reads_shifted, .arg = &shifted};
    bool bad;

    if (!existed(x, t->name) || s->kind == S_ACCUMULATE)
        return false;
    for (int d = 0; d < t->nindex; d++)
        shifted.known[d] = t->index[2 * d] == t->index[2 * d + 1] &&
                           is_offset(t->index[2 * d], x->loop->name, &shifted.offset[d]);
    bad = t->nindex == 0 ? first_in_list(&x->loop->body, t->name) == FIRST_READ
                         : walk_list(&w, &x->loop->body);
    if (bad)
        x->target = t;
    return bad;
}

static void check_carried(Checker *c, const Stmt *s, const uint8_t *before, int count)
{
    Carried x = {.c = c, .loop = s, .before = before, .count = count};
    const Walk w = {.target = is_carried, .arg = &x};

    if (walk_list(&w, &s->body))
        report_error(c->ctx, c->program, x.target->span, ML_EVALUE,
                     "'%s' carries values from one iteration of the parfor to another; a for loop "
                     "allows that",
                     x.target->name);
}

void check_parfor(Checker *c, Stmt *s, const uint8_t *before, int count)
{
    for (int k = 0; k < s->nparams; k++)
        check_parameter(c, s, k);
    check_stop(c, s);
    if (wants_dependency_check(s))
        check_carried(c, s, before, count);
}
