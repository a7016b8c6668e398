/* The table of optimizer techniques, and which of them a unit uses: those of its -opt level without
 * the ones that the option `without` names. */
#include "hop/hop.h"

#include <string.h>

const PassInfo pass_table[PASS_COUNT] = {
#define ML_PASS(id, lowest, text) {.name = #id, .level = lowest, .doc = text},
#include "hop/passes.def"
#undef ML_PASS
};

static bool is_named(const char *name, const char *word, size_t size)
{
    return strlen(name) == size && memcmp(name, word, size) == 0;
}

static ml_status unknown_name(Ctx *ctx, const char *word, size_t size)
{
    Buffer b = {0};
    ml_status st;

    for (int k = 0; k < PASS_COUNT; k++)
        buffer_format(&b, "%s%s", k ? ", " : "", pass_table[k].name);
    st = fail(ctx, ML_ENAME,
              "option without: '%.*s' is neither a technique nor a rewrite rule; techniques: %s; "
              "--help optimizer lists the rules too",
              (int)size, word, b.data ? b.data : "");
    buffer_free(&b);
    return st;
}

/* Switch one name off in the unit; without a unit only look whether the name exists. */
static ml_status without(Ctx *ctx, Unit *unit, const char *word, size_t size)
{
    for (int k = 0; k < PASS_COUNT; k++)
        if (is_named(pass_table[k].name, word, size)) {
            if (unit)
                unit->passes &= ~(UINT64_C(1) << k);
            return ML_OK;
        }
    for (int k = 0; k < rewrite_count; k++)
        if (is_named(rewrite_table[k].name, word, size)) {
            if (unit)
                unit->rules_off[k] = true;
            return ML_OK;
        }
    return unknown_name(ctx, word, size);
}

static ml_status each_name(Ctx *ctx, Unit *unit, const char *names)
{
    for (const char *s = names; *s; s += *s == ',' || *s == ' ') {
        size_t size = strcspn(s, ", ");

        if (size)
            TRY(without(ctx, unit, s, size));
        s += size;
    }
    return ML_OK;
}

ml_status optimizer_check(Ctx *ctx, const char *names)
{
    return each_name(ctx, NULL, names);
}

ml_status unit_switches(Ctx *ctx, Unit *unit)
{
    unit->rules_off = ARENA_ARRAY(unit->arena, bool, rewrite_count + 1);
    unit->fired = ARENA_ARRAY(unit->arena, int64_t, rewrite_count + 1);
    if (!unit->rules_off || !unit->fired)
        return fail_memory(ctx, sizeof(int64_t));
    unit->opt = (int)ctx->opt->opt;
    for (int k = 0; k < PASS_COUNT; k++)
        if (pass_table[k].level <= unit->opt)
            unit->passes |= UINT64_C(1) << k;
    return each_name(ctx, unit, ctx->opt->without);
}

void optimizer_help(Buffer *b)
{
    buffer_text(b, "Techniques of the optimizer, each with the lowest -opt level that has it;\n"
                   "-without NAME,NAME switches techniques and rewrite rules off.\n\n");
    for (int k = 0; k < PASS_COUNT; k++)
        buffer_format(b, "  %-22s %d  %s\n", pass_table[k].name, pass_table[k].level,
                      pass_table[k].doc);
    buffer_text(b, "\nRewrite rules:\n\n");
    for (int k = 0; k < rewrite_count; k++) {
        const RewriteInfo *row = &rewrite_table[k];

        buffer_format(b, "  %-30s %d  ", row->name, (int)row->stage);
        if (row->fn)
            buffer_format(b, "%s\n", row->doc);
        else
            buffer_format(b, "%s is %s%s%s\n", row->pattern, row->replacement,
                          *row->conditions ? " where " : "", row->conditions);
    }
}

/* Without memory for it the reason is not shown. */
void rule_fired(Unit *unit, Arena *arena, int rule, const Hop *was, Hop *is, bool made)
{
    const RewriteInfo *info = &rewrite_table[rule];

    unit->fired[rule]++;
    if (made && is->expected == 0)
        is->expected = was->expected;
    if (!unit->explained)
        return;
    (void)VEC_PUSH(&unit->places, ((Place){rule, was->span}));
    if (made && is->kind == HOP_OP)
        is->why = arena_format(arena, "%s%s%s: %s", was->why ? was->why : "", was->why ? "; " : "",
                               info->pattern ? info->pattern : info->name,
                               info->doc[0] ? info->doc : info->replacement);
}
