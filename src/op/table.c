/* The operator table as data, and look-ups in it.
 *
 * Names are found by a linear search over some 250 rows: a script has few calls, and the table
 * needs no state. Cost of a look-up: less than a microsecond. */
#include "op/op.h"

#include <stdio.h>
#include <string.h>

#define ML_OP(id, ...) [OP_##id] = {.name = #id, __VA_ARGS__},
#define ML_OP_AS(id, kernel, ...) [OP_##id] = {.name = #id, __VA_ARGS__},
#define ML_OP_SCALAR(id, ...) [OP_##id] = {.name = #id, __VA_ARGS__},
#define ML_OP_RUN(id, ...) [OP_##id] = {.name = #id, __VA_ARGS__},
#define ML_OP_LATER(id, ...) [OP_##id] = {.name = #id, __VA_ARGS__},

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
const OpInfo op_table[OP_COUNT] = {
#include "op/ops.def"
};
#pragma GCC diagnostic pop

/* Does the blank-separated list `names` hold this one? */
static bool has_name(const char *names, const char *s, size_t size)
{
    while (names) {
        if (*names == *s && strncmp(names, s, size) == 0 &&
            (names[size] == '\0' || names[size] == ' '))
            return size > 0;
        names = strchr(names, ' ');
        if (names)
            names++;
    }
    return false;
}

int op_find(const char *dml, size_t size)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (!(op_table[op].props & P_SYNTAX) && has_name(op_table[op].dml, dml, size))
            return op;
    return -1;
}

int op_nargs(const OpInfo *op)
{
    int n = 0;

    while (n < OP_ARGS && op->args[n].name)
        n++;
    return n;
}

int op_find_symbol(const char *symbol, int arity)
{
    size_t size = strlen(symbol);

    for (int op = 0; op < OP_COUNT; op++)
        if ((op_table[op].props & P_SYNTAX) && op_nargs(&op_table[op]) == arity &&
            has_name(op_table[op].dml, symbol, size))
            return op;
    return -1;
}

int op_nresults(const OpInfo *op)
{
    int n = op->result != R_NONE;

    for (int k = 0; k < OP_RESULTS && op->more[k] != R_NONE; k++)
        n++;
    return n;
}

const char *op_label(const OpInfo *op)
{
    if (op->explain)
        return op->explain;
    return strchr(op->dml, ' ') ? op->name : op->dml;
}

void op_types_text(char buf[OP_TYPES_TEXT], unsigned types)
{
    static const struct {
        unsigned types;
        const char *word;
    } words[] = {{A_MATRIX, "a matrix"}, {A_SCALAR, "a scalar"}, {A_NUMBER, "a number"},
                 {A_BOOL, "a boolean"},  {A_STRING, "a string"}, {A_FRAME, "a frame"},
                 {A_LIST, "a list"}};
    size_t used = 0;

    buf[0] = '\0';
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        if ((types & words[k].types) != words[k].types || used >= OP_TYPES_TEXT)
            continue;
        types &= ~words[k].types;
        used += (size_t)snprintf(buf + used, OP_TYPES_TEXT - used, "%s%s",
                                 !used   ? ""
                                 : types ? ", "
                                         : " or ",
                                 words[k].word);
    }
}

bool op_in_place(const OpInfo *op, int nin, int k)
{
    return ((op->props & P_CELLWISE) && nin <= 2) || (k < 32 && (op->in_place >> k & 1));
}
