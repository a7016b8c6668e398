/* The dependency analysis of parfor on the table of cases, parfor_cases.tsv. */
#include "ml_test.h"

#include "lang/lang.h"

#include <string.h>

static const char before[] =
    "g = function(int i) return (double a, double b) { a = i b = i }\n"
    "R2 = function(matrix[double] X) return (double s) { s = sum(X) }\n"
    "f = function(matrix[double] R, matrix[double] V, list[unknown] L, frame[string] F, int n, "
    "int k, double d, double x) return (int out) { out = 1\n";

static const char *const modes[] = {[PARFOR_DISJOINT] = "disjoint",
                                    [PARFOR_MERGE] = "merge",
                                    [PARFOR_SUM] = "sum",
                                    [PARFOR_LOST] = "lost"};

static int keep_finding(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

/* ---- what the checks say ---- */

/* The verdict on a result.  Errors come in the order in which loops end, so the next one is its own
 * if it has one. */
static const char *verdict_of(const ParforResult *result, const char **findings)
{
    const char *next = strstr(*findings, " depend on each other: '");
    size_t size = strlen(result->name);
    bool undecidable;

    if (!next || result->mode == PARFOR_DISJOINT)
        return modes[result->mode];
    undecidable = memcmp(next - 4, " may", 4) == 0;
    next = strchr(next, '\'') + 1;
    if (memcmp(next, result->name, size) != 0 || next[size] != '\'')
        return modes[result->mode];
    *findings = next;
    return undecidable ? "undecidable" : "dependent";
}

static void describe_list(Buffer *out, const StmtList *list, const char **findings)
{
    for (int k = 0; k < list->count; k++) {
        const Stmt *s = list->items[k];

        describe_list(out, &s->body, findings);
        describe_list(out, &s->orelse, findings);
        if (s->kind != S_PARFOR)
            continue;
        buffer_text(out, out->size ? " | " : "");
        for (int i = 0; i < s->nresults; i++)
            buffer_format(out, "%s%s %s", i ? ", " : "", s->results[i].name,
                          verdict_of(&s->results[i], findings));
        buffer_text(out, s->nresults ? "" : "none");
    }
}

static void describe(Buffer *out, const char *script, Buffer *findings)
{
    const CheckOptions options = {.lib = ""};
    Ctx ctx = {.diagnostics = keep_finding, .output_arg = findings};
    Program *p = program_new(&ctx);
    Function *main_fn, **functions;
    Buffer text = {0};
    const char *next;

    buffer_format(&text, "%s%s }", before, script);
    program_parse(&ctx, p, "t.dml", text.data, text.size, &options, &main_fn);
    buffer_text(findings, "");
    next = findings->data ? findings->data : "";
    for (int k = 0, n = program_functions(p, &functions); k < n; k++)
        describe_list(out, &functions[k]->body, &next);
    buffer_text(out, "");
    program_free(p);
    buffer_free(&text);
}

/* ---- the table ---- */

/* The next field of a line; it ends before a tab or the end of the line. */
static char *field(char **line)
{
    char *start = *line;

    *line += strcspn(start, "\t\n");
    if (**line)
        *(*line)++ = '\0';
    return start;
}

static bool case_holds(char *line, int number)
{
    const char *expected = field(&line), *script = field(&line), *why = field(&line);
    Buffer out = {0}, findings = {0};
    bool holds;

    describe(&out, script, &findings);
    holds = strcmp(out.data, expected) == 0;
    if (!holds)
        print_error("line %d: %s\n  %s\n  expected %s, found %s\n%s", number, why, script, expected,
                    out.data, findings.data ? findings.data : "");
    buffer_free(&out);
    buffer_free(&findings);
    return holds;
}

ML_TEST(each_case_of_the_table_has_its_verdict)
{
    Ctx ctx = {0};
    char *text = NULL, *line, *next;
    size_t size;
    int cases = 0, wrong = 0, number = 0;

    if (file_read(&ctx, "test/unit/parfor_cases.tsv", &text, &size) != ML_OK)
        fail_msg("%s", ctx.err.text);
    for (line = text; *line; line = next) {
        next = line + strcspn(line, "\n");
        next += *next != '\0';
        number++;
        if (*line == '#' || *line == '\n')
            continue;
        cases++;
        wrong += !case_holds(line, number);
    }
    mem_free(text);
    assert_true(cases >= 150);
    assert_int_equal(wrong, 0);
}
