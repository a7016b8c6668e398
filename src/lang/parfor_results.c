/* The results of a parfor: what becomes of each variable from before the loop that its body
 * assigns, and whether iterations depend on each other through it.
 *
 * A variable is safe when it is only added to as a whole, or only touched by index and no two
 * iterations meet in a cell that one of them writes (dependence.c).  Conditions are not looked at:
 * what stands in a branch counts as if it ran.  Variables that the body makes, and those of loops
 * in it, are an iteration's own and end with it. */
#include "lang/dependence.h"

#include <stdio.h>
#include <string.h>

typedef struct Results {
    Checker *c;
    Stmt *loop;
    const uint8_t *before;
    int count;
    Subscripts x;
    AccessList accesses;
    DependenceBudget budget;
} Results;

/* The worst that was found about a variable. */
typedef struct Conflict {
    Verdict verdict;
    const Access *write, *other;
} Conflict;

static bool existed(const Results *r, const char *name)
{
    int64_t k;

    return map_get(r->c->index, name, strlen(name), &k) && k < r->count &&
           r->before[k] != VAR_NEVER;
}

static bool is_result(const void *arg, const char *name)
{
    const Results *r = arg;
    const VarDefs *v = defs_find(&r->x.defs, name);

    return v && v->inside.whole + v->inside.indexed > 0 && v->inside.loops == 0 &&
           name != r->loop->name && existed(r, name);
}

/* ---- verdicts ---- */

static void note_conflict(Conflict *worst, Verdict verdict, const Access *a, const Access *b)
{
    if (verdict > worst->verdict)
        *worst = (Conflict){verdict, a, b};
}

/* Values that are assigned or added as a whole meet in everything; only sums may stand beside each
 * other. */
static Verdict test_pair(Results *r, const Access *a, const Access *b)
{
    if (a->kind == ACCESS_ADD && b->kind == ACCESS_ADD)
        return INDEPENDENT;
    if (a->kind == ACCESS_WRITE && a->whole)
        return DEPENDENT;
    return dependence_test(&r->x, a, b, &r->budget);
}

/* The first access from `from` on to the variable, or the count of all. */
static int next_access(const Results *r, int from, const char *name)
{
    while (from < r->accesses.items.count && r->accesses.items.items[from].name != name)
        from++;
    return from;
}

/* A write against everything, but for writes before it, which were compared already. */
static void test_write(Results *r, int which, Conflict *worst)
{
    const Access *all = r->accesses.items.items, *write = &all[which];

    for (int k = next_access(r, 0, write->name);
         k < r->accesses.items.count && worst->verdict < DEPENDENT && r->c->status == ML_OK;
         k = next_access(r, k + 1, write->name))
        if (all[k].kind == ACCESS_READ || k >= which)
            note_conflict(worst, test_pair(r, write, &all[k]), write, &all[k]);
}

static Conflict test_variable(Results *r, const char *name)
{
    Conflict worst = {INDEPENDENT, NULL, NULL};

    for (int k = next_access(r, 0, name); k < r->accesses.items.count && worst.verdict < DEPENDENT;
         k = next_access(r, k + 1, name))
        if (r->accesses.items.items[k].kind != ACCESS_READ)
            test_write(r, k, &worst);
    return worst;
}

static ParforMode mode_of(const Results *r, const char *name, Verdict verdict)
{
    const VarDefs *v = defs_find(&r->x.defs, name);
    int added = 0;

    for (int k = next_access(r, 0, name); k < r->accesses.items.count;
         k = next_access(r, k + 1, name))
        added += r->accesses.items.items[k].kind == ACCESS_ADD;
    if (v->inside.whole > added)
        return PARFOR_LOST;
    if (v->inside.indexed == 0)
        return PARFOR_SUM;
    return verdict == INDEPENDENT ? PARFOR_DISJOINT : PARFOR_MERGE;
}

/* ---- the message ---- */

/* "written at 3:7 (R[i, 1])", the text cut when it is long. */
static void describe(const Access *access, char *buf, size_t size)
{
    enum { SHOWN = 40 };
    static const char *const done[] = {
        [ACCESS_READ] = "read", [ACCESS_WRITE] = "written", [ACCESS_ADD] = "added to"};
    const char *text = access->span.src->text + access->span.begin;
    int length = (int)(access->span.end - access->span.begin), line = (int)strcspn(text, "\n");
    const bool cut = length > SHOWN || length > line;
    Position at = span_begin(access->span);

    length = length < line ? length : line;
    length = length < SHOWN ? length : SHOWN;
    while (cut && length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--; /* not inside a character */
    snprintf(buf, size, "%s at %d:%d (%.*s%s)", done[access->kind], at.line, at.column, length,
             text, cut ? "..." : "");
}

static void report_conflict(Results *r, const Conflict *worst)
{
    const bool alone = worst->other == worst->write, certain = worst->verdict == DEPENDENT;
    char write[128], other[128] = "";

    describe(worst->write, write, sizeof write);
    if (!alone)
        describe(worst->other, other, sizeof other);
    report_error(r->c->ctx, r->c->program, worst->write->span, ML_EVALUE,
                 "iterations of the parfor %s each other: '%s' is %s%s%s, %s; a for loop allows "
                 "that, and check=0 takes this analysis away",
                 certain ? "depend on" : "may depend on", worst->write->name, write,
                 alone ? "" : " and ", other,
                 !certain ? "and it cannot be decided whether two of them meet in a cell"
                 : worst->write->whole ? "one value for all of them"
                                       : "certainly the same cell in two of them");
}

/* ---- a loop ---- */

static void add_result(Results *r, const char *name, bool report)
{
    Conflict worst = test_variable(r, name);

    r->loop->results[r->loop->nresults++] = (ParforResult){name, mode_of(r, name, worst.verdict)};
    if (report && worst.verdict != INDEPENDENT && r->c->status == ML_OK)
        report_conflict(r, &worst);
}

static void find_results(Results *r, bool report)
{
    const int n = r->x.defs.vars.count;

    r->loop->nresults = 0;
    r->loop->results = ARENA_ARRAY(r->c->program->arena, ParforResult, n + 1);
    if (!r->loop->results) {
        r->c->status = fail_memory(r->c->ctx, sizeof(ParforResult) * (size_t)n);
        return;
    }
    accesses_find(&r->x, is_result, r, &r->accesses);
    for (int k = 0; k < n && r->c->status == ML_OK; k++)
        if (is_result(r, r->x.defs.vars.items[k].name))
            add_result(r, r->x.defs.vars.items[k].name, report);
}

/* After the loop what it assigned is as it was before it, but for its own variable. */
static void forget_made(Results *r)
{
    Checker *c = r->c;

    for (int k = 0; k < c->names.count; k++) {
        const VarDefs *v = defs_find(&r->x.defs, c->names.items[k]);

        if (!v || v->inside.whole + v->inside.indexed + v->inside.loops == 0 ||
            c->names.items[k] == r->loop->name)
            continue;
        c->state[k] = k < r->count ? r->before[k] : VAR_NEVER;
        c->made_in.items[k] = r->loop;
    }
}

void check_parfor_results(Checker *c, Stmt *s, const uint8_t *before, int count, bool report)
{
    Results r = {.c = c, .loop = s, .before = before, .count = count, .budget = DEPENDENCE_BUDGET};

    if (c->status == ML_OK)
        subscripts_new(&r.x, c, s);
    if (c->status == ML_OK)
        find_results(&r, report);
    if (c->status == ML_OK)
        forget_made(&r);
    VEC_FREE(&r.accesses.items);
    subscripts_free(&r.x);
}
