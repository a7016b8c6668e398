/* NaN, infinities, -0 and empty matrices: test/special/special-values.tsv, row by row.
 *
 * The table is the full list behind docs/special-values.md, so no operator may be missing from it.
 */
#include "ml_test.h"
#include "script_case.h"

#include "op/op.h"

#include <string.h>

/* A row: the operator's first name in DML, an expression or statements, what is printed. */
typedef struct Row {
    char *op, *text, *prints;
} Row;

/* Cut what comes before `end` off `rest`, in place; NULL when nothing is left. */
static char *cut(char **rest, char end)
{
    const char ends[] = {end, 0};
    char *start = *rest;
    size_t n = strcspn(start, ends);

    if (!*start)
        return NULL;
    *rest = start + n + (start[n] != 0);
    start[n] = 0;
    return start;
}

/* The next row that is no comment. */
static bool next_row(char **rest, Row *row)
{
    char *line;

    while ((line = cut(rest, '\n'))) {
        if (*line == '#' || !*line)
            continue;
        row->op = cut(&line, '\t');
        row->text = cut(&line, '\t');
        row->prints = line;
        if (!row->text)
            fail_msg("'%s' has no expression", row->op);
        return true;
    }
    return false;
}

static char *read_table(void)
{
    Ctx ctx = {0};
    char *text;
    size_t size;

    if (file_read(&ctx, "test/special/special-values.tsv", &text, &size) != ML_OK)
        fail_msg("%s", ctx.err.text);
    return text;
}

/* Does this row show `op`?  Symbols stand for all operators written with them. */
static bool shows(const Row *row, const OpInfo *op)
{
    size_t n = strcspn(op->dml, " ");
    char name[64];

    assert_true(n < sizeof name);
    memcpy(name, op->dml, n);
    name[n] = 0;
    return strcmp(row->op, name) == 0 &&
           ((op->props & P_SYNTAX) || strstr(row->text, name) != NULL);
}

static bool prints_as_told(const Row *row, const Buffer *lets)
{
    Buffer script = {0}, out = {0};
    bool ok, same;

    buffer_text(&script, lets->data);
    if (strstr(row->text, "print("))
        buffer_text(&script, row->text);
    else
        buffer_format(&script, "print(%s)", row->text);
    ok = script_words(script.data, &out);
    same = strcmp(ok ? out.data : "error", row->prints) == 0;
    if (!same)
        print_error("%s: %s\n  prints %s\n  the table says %s\n", row->op, row->text, out.data,
                    row->prints);
    buffer_free(&out);
    buffer_free(&script);
    return same;
}

ML_TEST(operators_do_with_special_values_what_the_table_says)
{
    char *text = read_table(), *rest = text;
    bool shown[OP_COUNT] = {false};
    int wrong = 0;
    Buffer lets = {0};
    Row row;

    while (next_row(&rest, &row)) {
        bool known = false;

        if (strcmp(row.op, "let") == 0) {
            buffer_format(&lets, "%s;\n", row.text);
            continue;
        }
        for (int op = 0; op < OP_COUNT; op++)
            if (op_table[op].dml && shows(&row, &op_table[op]))
                known = shown[op] = true;
        if (!known)
            print_error("%s: no operator of that name in %s\n", row.op, row.text);
        wrong += !known + !prints_as_told(&row, &lets);
    }
    for (int op = 0; op < OP_COUNT; op++)
        if (op_table[op].dml && !op_table[op].later && !shown[op]) {
            print_error("%s: not in the table of special values\n", op_table[op].dml);
            wrong++;
        }
    buffer_free(&lets);
    mem_free(text);
    assert_int_equal(wrong, 0);
}
