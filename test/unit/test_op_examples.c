/* Every row of the operator table is complete, and its example yields what it says. */
#include "ml_test.h"
#include "script_case.h"

#include "op/op.h"

#include <string.h>

static void run_example(const OpInfo *op, Buffer *out)
{
    Buffer script = {0};

    if (strstr(op->example, "print("))
        buffer_text(&script, op->example);
    else
        buffer_format(&script, "print(%s)", op->example);
    script_words(script.data, out);
    buffer_free(&script);
}

ML_TEST(examples_of_operators_yield_what_the_table_says)
{
    int wrong = 0;

    for (int k = 0; k < OP_COUNT; k++) {
        const OpInfo *op = &op_table[k];
        Buffer out = {0};

        if (op->later)
            continue;
        run_example(op, &out);
        if (strcmp(out.data, op->yields) != 0) {
            print_error("%s: example %s\n  yields %s\n  the table says %s\n", op->name, op->example,
                        out.data, op->yields);
            wrong++;
        }
        buffer_free(&out);
    }
    assert_int_equal(wrong, 0);
}

ML_TEST(rows_of_the_operator_table_are_complete)
{
    for (int k = 0; k < OP_COUNT; k++) {
        const OpInfo *op = &op_table[k];

        assert_non_null(op->doc);
        assert_true(op->dml || op->explain);
        assert_true(op->later || (op->shape && op->example && op->yields));
        for (int j = 0; j < OP_ARGS && op->args[j].name; j++)
            assert_true(op->args[j].types != 0);
    }
}

ML_TEST(names_of_operators_are_unique)
{
    for (int k = 0; k < OP_COUNT; k++) {
        const char *names = op_table[k].dml;

        while (names && *names && !(op_table[k].props & P_SYNTAX)) {
            size_t n = strcspn(names, " ");

            assert_int_equal(op_find(names, n), k);
            names += n + (names[n] == ' ');
        }
    }
}
