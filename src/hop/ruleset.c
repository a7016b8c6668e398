/* The rules of a unit by the operator at their root, each read when it is first tried.
 *
 * Rows are sorted by operator once a unit, in the order of the table within each; rows for any node
 * stand in every list.  Cost: some microseconds a unit, and a few for each rule that is tried. */
#include "hop/rewrite.h"

#include <string.h>

typedef struct RuleSet {
    int begin[OP_COUNT + 2]; /* into rows, by operator; OP_COUNT: nodes that are no operator */
    int16_t *rows;
    Rule **rules; /* by row; NULL: not read yet */
    Map *names;   /* operators by their name in the table; NULL: no rule read yet */
} RuleSet;

static bool is_about(const RewriteInfo *row, int op)
{
    if (row->on == ANY_NODE)
        return true;
    return row->on >= 0 ? row->on == op : op < OP_COUNT && class_has(CLASS_FIRST - row->on, op);
}

/* Entries of a row are counted or, with rows given, written at *at. */
static void enter(const RewriteInfo *row, int k, int *at, int16_t *rows)
{
    const int from = row->on >= 0 ? row->on : 0, to = row->on >= 0 ? row->on : OP_COUNT;

    for (int op = from; op <= to; op++)
        if (is_about(row, op)) {
            if (rows)
                rows[at[op]] = (int16_t)k;
            at[op]++;
        }
}

ml_status rules_prepare(Ctx *ctx, Unit *unit)
{
    int at[OP_COUNT + 1] = {0};
    RuleSet *set;

    if (unit->rules)
        return ML_OK;
    set = ARENA_NEW(unit->arena, RuleSet);
    if (!set)
        return fail_memory(ctx, sizeof *set);
    for (int k = 0; k < rewrite_count; k++)
        enter(&rewrite_table[k], k, at, NULL);
    for (int op = 0; op <= OP_COUNT; op++) {
        set->begin[op + 1] = set->begin[op] + at[op];
        at[op] = set->begin[op];
    }
    set->rows = ARENA_ARRAY(unit->arena, int16_t, set->begin[OP_COUNT + 1] + 1);
    set->rules = ARENA_ARRAY(unit->arena, Rule *, rewrite_count);
    if (!set->rows || !set->rules)
        return fail_memory(ctx, sizeof *set->rules);
    for (int k = 0; k < rewrite_count; k++)
        enter(&rewrite_table[k], k, at, set->rows);
    unit->rules = set;
    return ML_OK;
}

void rules_free(Unit *unit)
{
    if (unit->rules && unit->rules->names)
        map_free(unit->rules->names);
}

static ml_status name_operators(Ctx *ctx, RuleSet *set)
{
    set->names = map_new();
    for (int op = 0; set->names && op < OP_COUNT; op++)
        if (!map_put(set->names, op_table[op].name, strlen(op_table[op].name), op))
            return fail_memory(ctx, sizeof op);
    return set->names ? ML_OK : fail_memory(ctx, sizeof set->names);
}

ml_status rules_get(Ctx *ctx, Unit *unit, int row, const Rule **out)
{
    RuleSet *set = unit->rules;

    if (!set->names)
        TRY(name_operators(ctx, set));
    if (!set->rules[row])
        TRY(rule_read(ctx, unit->arena, set->names, row, &set->rules[row]));
    *out = set->rules[row];
    return ML_OK;
}

int rules_next(const Unit *unit, const Hop *h, int entry)
{
    const int *begin = &unit->rules->begin[h->kind == HOP_OP ? h->op : OP_COUNT];

    entry = entry < 0 ? begin[0] : entry + 1;
    return entry < begin[1] ? entry : -1;
}

int rules_row(const Unit *unit, int entry)
{
    return unit->rules->rows[entry];
}

static void add_letters(const Pattern *p, uint64_t *letters)
{
    if (p->kind == PATTERN_MATRIX || p->kind == PATTERN_SCALAR)
        *letters |= UINT64_C(1) << p->variable;
    for (int k = 0; k < p->nin; k++)
        if (p->in[k])
            add_letters(p->in[k], letters);
}

ml_status guarded_rule(Ctx *ctx, Unit *unit, int row, GuardedRule *out)
{
    const Rule *rule;

    TRY(rules_get(ctx, unit, row, &rule));
    *out = (GuardedRule){
        .exact = rule->pattern, .fast = rule->replacement, .checked = rule->guard_operands};
    add_letters(rule->pattern, &out->operands);
    return ML_OK;
}
