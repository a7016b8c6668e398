/* Every operator, called with whatever does not belong there, must end in a result or in an error
 * that says something - never in a crash, a defect or a hang.
 *
 *     misuse [COUNT [NAME]]
 *
 * Every row of the operator table is called with no argument, with each value of `pool` alone, and
 * COUNT times with random values in random numbers; so is every operator of the grammar. The
 * random ones run optimized and not: both must fail or neither, so that what is found while
 * planning is what running would find. With NAME only this operator is called, and each call is
 * printed before it runs, which names the one that crashed. The sanitizers see the rest: `make
 * check` runs this. */
#include "matloom/matloom.h"

#include "op/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a call is made of: every format of matrices, special values, shapes without cells, and sizes
 * that either stay small or exceed the memory budget at once. */
static const char *const prelude =
    "empty_rows = matrix(0, rows=0, cols=3)\n"
    "empty_cols = matrix(0, rows=3, cols=0)\n"
    "nothing = matrix(0, rows=0, cols=0)\n"
    "one = matrix(7, rows=1, cols=1)\n"
    "column = matrix(\"3 1 NaN -2 1\", rows=5, cols=1)\n"
    "row = matrix(\"0.5 0 1e300 2\", rows=1, cols=4)\n"
    "square = matrix(\"2 1 -1 0 3 1 4 0 1\", rows=3, cols=3)\n"
    "special = matrix(\"NaN Infinity -Infinity -0 0 1e308 -1e308 5e-324 9e18\", rows=3, cols=3)\n"
    "wide = matrix(\"1 2 3 4 5 6 7 8 9 10 11 12\", rows=3, cols=4)\n"
    "same = matrix(2, rows=60, cols=40)\n"
    "zeros = matrix(0, rows=60, cols=40)\n"
    "sparse = rand(rows=60, cols=40, sparsity=0.05, seed=3)\n"
    "symmetric = sparse %*% t(sparse)\n"
    "huge = matrix(1, rows=1000000000, cols=1000000000)\n"
    "texts = as.frame(\"abc\")\n"
    "numbers = as.frame(wide)\n"
    "no_rows = frame(\"x\", rows=0, cols=2)\n"
    "mixed = list(a=1.5, b=\"text\", c=wide)\n"
    "bare = list(square, 2, texts)\n"
    "void = list()\n";

static const struct {
    const char *text;
    unsigned type;
} pool[] = {
    {"empty_rows", A_MATRIX},
    {"empty_cols", A_MATRIX},
    {"nothing", A_MATRIX},
    {"one", A_MATRIX},
    {"column", A_MATRIX},
    {"row", A_MATRIX},
    {"square", A_MATRIX},
    {"special", A_MATRIX},
    {"wide", A_MATRIX},
    {"same", A_MATRIX},
    {"zeros", A_MATRIX},
    {"sparse", A_MATRIX},
    {"symmetric", A_MATRIX},
    {"huge", A_MATRIX},
    {"texts", A_FRAME},
    {"numbers", A_FRAME},
    {"no_rows", A_FRAME},
    {"mixed", A_LIST},
    {"bare", A_LIST},
    {"void", A_LIST},
    {"[1,1,2,2]", A_LIST},
    {"[0,-1]", A_LIST},
    {"[1e18,1e18,3,3]", A_LIST},
    {"[\"INT64\"]", A_LIST},
    {"0", A_NUMBER},
    {"1", A_NUMBER},
    {"-1", A_NUMBER},
    {"2", A_NUMBER},
    {"3", A_NUMBER},
    {"2.5", A_NUMBER},
    {"-0.0", A_NUMBER},
    {"1e300", A_NUMBER},
    {"9223372036854775807", A_NUMBER},
    {"(-9223372036854775807)", A_NUMBER},
    {"4294967297", A_NUMBER},
    {"3000000000.5", A_NUMBER},
    {"(0.0/0.0)", A_NUMBER},
    {"(1.0/0.0)", A_NUMBER},
    {"(-1.0/0.0)", A_NUMBER},
    {"TRUE", A_BOOL},
    {"FALSE", A_BOOL},
    {"\"\"", A_STRING},
    {"\"text\"", A_STRING},
    {"\"1\"", A_STRING},
    {"\"rows\"", A_STRING},
    {"\"ij,jk->ik\"", A_STRING},
};
enum { POOL = sizeof pool / sizeof *pool };

typedef struct Search {
    uint64_t state;
    const char *only;
    Buffer text;
    ml_context *plain, *optimized;
    int calls, failed;
} Search;

static int pick(Search *s, int n)
{
    s->state = hash_mix(s->state, 0x5bd1e995);
    return (int)((s->state >> 16) % (uint64_t)n);
}

static int swallow(void *arg, const char *text, size_t size)
{
    (void)text;
    (void)size;
    ++*(int64_t *)arg;
    return 0;
}

static ml_context *context(const char *opt)
{
    static int64_t pieces;
    ml_context *c = ml_context_new();

    if (!c)
        exit(2);
    ml_context_output(c, swallow, swallow, &pieces);
    ml_context_set(c, "opt", opt);
    ml_context_set(c, "threads", "2");
    ml_context_set(c, "memory", "64m");
    return c;
}

static void complain(Search *s, const char *what, const char *detail)
{
    printf("%s: %s\n%s\n", what, s->text.data + strlen(prelude), detail);
    s->failed++;
}

/* What is wrong with how a run ended; NULL: nothing. */
static const char *blame(ml_status st, const char *message)
{
    if (st == ML_EINTERNAL)
        return "a defect";
    if (st != ML_OK && st != ML_ESTOP && !strstr(message, "misuse:"))
        return "an error without a place";
    return NULL;
}

/* Run what is in s->text, by one plan or by both; `fits`: may it have a result or reach stop()? */
static void call(Search *s, bool fits, int plans)
{
    ml_context *c[2] = {s->optimized, s->plain};
    ml_status st[2] = {ML_OK, ML_OK};

    if (s->only) {
        printf("%s", s->text.data + strlen(prelude));
        fflush(stdout);
    }
    s->calls++;
    for (int k = 0; k < plans; k++) {
        const char *message, *what;

        st[k] = ml_run_text(c[k], "misuse", s->text.data);
        message = ml_context_error(c[k]);
        what = blame(st[k], message);
        if (what)
            complain(s, what, message);
    }
    if (plans == 2 && (st[0] == ML_OK) != (st[1] == ML_OK))
        complain(s, "one plan fails, the other does not", ml_context_error(c[st[0] == ML_OK]));
    if (!fits && (st[0] == ML_OK || st[0] == ML_ESTOP))
        complain(s, "the table does not declare this type", "");
}

/* [r0, r1 ...] = name(arguments), and the results are printed. */
static void begin(Search *s, const OpInfo *op)
{
    int n = op_nresults(op);

    s->text.size = 0;
    buffer_text(&s->text, prelude);
    if (n > 1) {
        for (int k = 0; k < n; k++)
            buffer_format(&s->text, "%sr%d", k ? ", " : "[", k);
        buffer_text(&s->text, "] = ");
    } else if (n) {
        buffer_text(&s->text, "r0 = ");
    }
}

static void finish(Search *s, const OpInfo *op, bool fits, int plans)
{
    buffer_text(&s->text, "\n");
    for (int k = 0; k < op_nresults(op); k++)
        buffer_format(&s->text, "print(toString(r%d))\n", k);
    call(s, fits, plans);
}

/* Numbers and booleans stand for each other. */
static bool stands_for(const OpArg *arg, unsigned type)
{
    if (type & (A_NUMBER | A_BOOL))
        type = A_NUMBER | A_BOOL;
    return arg->types & type;
}

static void function_call(Search *s, const OpInfo *op, const int *values, int n, int plans)
{
    int declared = op_nargs(op);
    bool fits = true;

    begin(s, op);
    buffer_format(&s->text, "%.*s(", (int)strcspn(op->dml, " "), op->dml);
    for (int k = 0; k < n; k++) {
        buffer_text(&s->text, k ? ", " : "");
        if ((op->props & P_NAMED) && k < declared)
            buffer_format(&s->text, "%s=", op->args[k].name);
        buffer_text(&s->text, pool[values[k]].text);
        fits &= k >= declared || stands_for(&op->args[k], pool[values[k]].type);
    }
    buffer_text(&s->text, ")");
    finish(s, op, fits, plans);
}

static void operator_call(Search *s, const OpInfo *op, const int *values)
{
    const char *symbol = op->dml;

    begin(s, op);
    if (op_nargs(op) == 1)
        buffer_format(&s->text, "%s %s", symbol, pool[values[0]].text);
    else
        buffer_format(&s->text, "%s %s %s", pool[values[0]].text, symbol, pool[values[1]].text);
    finish(s, op, true, 2);
}

/* A value of the declared kind, most of the time. */
static int likely(Search *s, const OpArg *arg)
{
    for (int tries = 0; tries < 20 && pick(s, 8); tries++) {
        int v = pick(s, POOL);

        if (arg->types & pool[v].type)
            return v;
    }
    return pick(s, POOL);
}

static void functions(Search *s, const OpInfo *op, int count)
{
    int values[OP_ARGS + 1] = {0};

    function_call(s, op, values, 0, 1);
    for (values[0] = 0; values[0] < POOL; values[0]++)
        function_call(s, op, values, 1, 1);
    for (int k = 0; k < count; k++) {
        int n = op_nargs(op) + (pick(s, 8) ? 0 : pick(s, 3) - 1);

        if (pick(s, 4) == 0)
            n = 1 + pick(s, n + 1);
        n = n > OP_ARGS ? OP_ARGS : n < 0 ? 0 : n;
        for (int a = 0; a < n; a++)
            values[a] = a < op_nargs(op) ? likely(s, &op->args[a]) : pick(s, POOL);
        function_call(s, op, values, n, 2);
    }
}

static void operators(Search *s, const OpInfo *op, int count)
{
    int values[2];

    for (int k = 0; k < 4 * count; k++) {
        values[0] = likely(s, &op->args[0]);
        values[1] = likely(s, &op->args[1]);
        operator_call(s, op, values);
    }
}

/* Those that touch files, or that the grammar spells in forms of their own. */
static bool skipped(const OpInfo *op)
{
    static const char *const names[] = {"read", "readMM", "write", "print"};

    if (!op->dml || op->later)
        return true;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(op->name, names[k]) == 0)
            return true;
    return (op->props & P_SYNTAX) && (op_nargs(op) > 2 || strpbrk(op->dml, " []"));
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
    Search s = {.state = 42, .only = argc > 2 ? argv[2] : NULL};

    s.optimized = context("2");
    s.plain = context("0");
    for (int k = 0; k < OP_COUNT; k++) {
        const OpInfo *op = &op_table[k];

        if (skipped(op) || (s.only && strcmp(op->name, s.only)))
            continue;
        printf("%s\n", op->name);
        fflush(stdout);
        if (op->props & P_SYNTAX)
            operators(&s, op, count);
        else
            functions(&s, op, count);
    }
    buffer_free(&s.text);
    ml_context_free(s.optimized);
    ml_context_free(s.plain);
    printf("%d calls, %d failed\n", s.calls, s.failed);
    return s.failed != 0;
}
