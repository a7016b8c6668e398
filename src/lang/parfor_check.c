/* parfor: its parameters, and what its body may not call.  The dependencies between its iterations
 * are in parfor_results.c. */
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
    {"opt", "AUTO NONE RULEBASED CONSTRAINED HEURISTIC"},
    {"taskpartitioner", "FIXED NAIVE STATIC GUIDED FACTORING FACTORING_CMIN FACTORING_CMAX"},
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

/* ---- stop and assert ---- */

/* The first call of one of them, or NULL. */
static const Expr *find_stop(const Expr *e)
{
    const Expr *found = NULL;

    if (!e || (e->kind == E_OP && (e->op == OP_stop || e->op == OP_assert)))
        return e;
    for (int k = 0; k < e->nargs && !found; k++)
        found = find_stop(e->args[k]);
    return found;
}

/* They are statements, so no expression holds one. */
static const Expr *find_stop_in(const StmtList *list)
{
    const Expr *found = NULL;

    for (int k = 0; k < list->count && !found; k++) {
        const Stmt *s = list->items[k];

        found = s->kind == S_CALL ? find_stop(s->value) : find_stop_in(&s->body);
        if (!found)
            found = find_stop_in(&s->orelse);
    }
    return found;
}

static void check_stop(Checker *c, const Stmt *s)
{
    const Expr *found = find_stop_in(&s->body);

    if (found)
        report_error(c->ctx, c->program, found->span, ML_ENAME,
                     "%s cannot stand in the body of a parfor", found->name);
}

void check_parfor(Checker *c, Stmt *s, const uint8_t *before, int count)
{
    for (int k = 0; k < s->nparams; k++)
        check_parameter(c, s, k);
    check_stop(c, s);
    check_parfor_results(c, s, before, count, wants_dependency_check(s));
}
