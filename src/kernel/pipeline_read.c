/* Pipelines: from text to a graph of nodes.
 *
 * A recursive descent by the powers of the operators, as lang/parse_expr.c has them, that makes a
 * node at each operator.  Equal nodes are one, so a value that is written twice is computed once.
 * Each node knows its rows and the class of its width; an expression that does not fit is an error
 * here, so the later stages need no checks.  Numbers are folded by the cell functions.
 *
 * Cost: some microseconds, once for a program and classes of sizes. */
#include "kernel/pipeline_impl.h"

#include "base/num.h"

#include <ctype.h>
#include <string.h>

enum { NAMES = 64, DEPTH = 100, NAME_SIZE = 8 };

typedef struct Name {
    char text[NAME_SIZE];
    uint8_t node;
} Name;

typedef struct Reader {
    const char *at, *end;
    PipeGraph *g;
    int nnames, depth;
    Name names[NAMES];
    const char *wrong; /* what was expected at `at`, NULL so far */
} Reader;

/* ---- errors ---- */

/* The first one is reported; the node returned is any. */
static uint8_t stop(Reader *r, const char *expected)
{
    if (!r->wrong) {
        r->wrong = expected;
        r->end = r->at;
    }
    return 0;
}

/* ---- text ---- */

static void skip_blanks(Reader *r)
{
    while (r->at < r->end && *r->at == ' ')
        r->at++;
}

static bool skip(Reader *r, const char *text)
{
    const size_t n = strlen(text);

    skip_blanks(r);
    if (r->wrong || (size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
        return false;
    r->at += n;
    return true;
}

static void expect(Reader *r, const char *text, const char *what)
{
    if (!skip(r, text))
        stop(r, what);
}

/* The name that begins here: letters, digits and dots. */
static size_t name_size(const Reader *r)
{
    size_t n = 0;

    while (r->at + n < r->end && (isalnum((unsigned char)r->at[n]) || r->at[n] == '.'))
        n++;
    return n;
}

/* NaN and Infinity are numbers; all names begin with a small letter. */
static bool at_name(Reader *r)
{
    skip_blanks(r);
    return r->at < r->end && islower((unsigned char)*r->at);
}

/* A name and "(", which is taken too. */
static bool skip_call(Reader *r, const char *name)
{
    const char *begin;

    skip_blanks(r);
    begin = r->at;
    if (at_name(r) && name_size(r) == strlen(name) && skip(r, name) && skip(r, "("))
        return true;
    r->at = begin;
    return false;
}

/* ---- nodes ---- */

static PipeNode *node_at(const Reader *r, int k)
{
    return &r->g->nodes[k];
}

static bool same_node(const PipeNode *a, const PipeNode *b)
{
    return a->kind == b->kind && a->nin == b->nin && a->operand == b->operand &&
           a->transposed == b->transposed && memcmp(a->in, b->in, sizeof a->in) == 0 &&
           a->op == b->op && memcmp(&a->number, &b->number, sizeof a->number) == 0;
}

static uint8_t node_add(Reader *r, PipeNode n)
{
    PipeGraph *g = r->g;

    for (int k = 0; k < g->nnodes; k++)
        if (same_node(&g->nodes[k], &n))
            return (uint8_t)k;
    if (g->nnodes == PIPE_NODES)
        return stop(r, "a shorter program");
    g->nodes[g->nnodes] = n;
    return (uint8_t)g->nnodes++;
}

static uint8_t number_node(Reader *r, double x)
{
    return node_add(r, (PipeNode){.kind = PIPE_NUMBER, .scalar = true, .number = x});
}

/* Its rows are those of operand a or one; with one row everything is tall but scalars, and a cell
 * is a column of one row. */
static uint8_t operand_node(Reader *r, int k)
{
    const PipeShape *s = &r->g->shape;
    const PipeOperand *o = &s->operands[k];
    PipeNode n = {.kind = PIPE_OPERAND, .operand = (uint8_t)k, .width = o->cols};

    if (k >= s->noperands)
        return stop(r, "an operand that the call has");
    n.rows = o->format != PIPE_SCALAR && o->rows == s->operands[0].rows ? PIPE_TALL : PIPE_ONE;
    if (n.rows == PIPE_ONE && o->rows != 0)
        return stop(r, "a value with the rows of operand a");
    n.scalar = n.rows == PIPE_ONE && o->cols == 0;
    return node_add(r, n);
}

static uint8_t cell_node(Reader *r, int op, int nin, const uint8_t *in)
{
    PipeNode n = {.kind = PIPE_CELL, .nin = (uint8_t)nin, .op = (OpCode)op, .scalar = true};
    bool literal = true;

    for (int k = 0; k < nin; k++) {
        const PipeNode *x = node_at(r, in[k]);

        n.in[k] = in[k];
        n.rows = n.rows > x->rows ? n.rows : x->rows;
        n.scalar = n.scalar && x->scalar;
        literal = literal && x->kind == PIPE_NUMBER;
        if (n.width && x->width && n.width != x->width)
            return stop(r, "values of one width");
        n.width = n.width ? n.width : x->width;
    }
    if (literal && nin < 3)
        return number_node(
            r, nin == 1 ? op_table[op].cell1(node_at(r, in[0])->number)
                        : op_table[op].cell2(node_at(r, in[0])->number, node_at(r, in[1])->number));
    return node_add(r, n);
}

static uint8_t binary_node(Reader *r, OpCode op, uint8_t x, uint8_t y)
{
    const PipeNode *two = node_at(r, y);

    if (r->wrong)
        return 0;
    if (op == OP_pow && two->kind == PIPE_NUMBER && two->number == 2) /* as its loops do */
        return cell_node(r, OP_mul, 2, (uint8_t[]){x, x});
    return cell_node(r, op, 2, (uint8_t[]){x, y});
}

static uint8_t row_node(Reader *r, OpCode op, uint8_t x)
{
    const PipeNode *of = node_at(r, x);

    if (of->scalar)
        return stop(r, "a row aggregate of a matrix");
    return node_add(r,
                    (PipeNode){.kind = PIPE_ROW, .nin = 1, .op = op, .in = {x}, .rows = of->rows});
}

/* rowMeans are sums divided, as the aggregate does it. */
static uint8_t row_mean(Reader *r, uint8_t x)
{
    const uint8_t width = node_at(r, x)->width, sum = row_node(r, OP_rowSums, x);

    return binary_node(
        r, OP_div, sum,
        node_add(r, (PipeNode){.kind = PIPE_SIZE, .scalar = true, .operand = width}));
}

/* x %*% operand; the node of an operand on the right was not made. */
static uint8_t product_node(Reader *r, uint8_t x, int operand, bool transposed)
{
    const PipeOperand *o = &r->g->shape.operands[operand];
    const PipeNode *left = node_at(r, x);

    if (operand >= r->g->shape.noperands || o->format == PIPE_SCALAR || left->scalar ||
        left->width != (transposed ? o->cols : o->rows))
        return stop(r, "factors that fit");
    return node_add(r, (PipeNode){.kind = PIPE_PRODUCT,
                                  .nin = 1,
                                  .operand = (uint8_t)operand,
                                  .transposed = transposed,
                                  .in = {x},
                                  .rows = left->rows,
                                  .width = transposed ? o->rows : o->cols});
}

/* ---- expressions ---- */

static uint8_t read_expr(Reader *r, int power);

/* The letter of an operand, taken, or -1. */
static int read_letter(Reader *r)
{
    if (at_name(r) && name_size(r) == 1 && *r->at >= 'a' && *r->at < 'a' + PIPELINE_OPERANDS)
        return *r->at++ - 'a';
    return -1;
}

static uint8_t read_product(Reader *r, uint8_t x)
{
    const bool transposed = skip_call(r, "t");
    const int operand = read_letter(r);

    if (operand < 0)
        return stop(r, "an operand as right factor");
    if (transposed)
        expect(r, ")", "')'");
    return r->wrong ? 0 : product_node(r, x, operand, transposed);
}

/* Arguments after the name and "("; their number, at most CODE_ARITY. */
static int read_arguments(Reader *r, uint8_t in[CODE_ARITY])
{
    int n = 0;

    do {
        if (n == CODE_ARITY)
            stop(r, "fewer arguments");
        else
            in[n++] = read_expr(r, 0);
    } while (skip(r, ","));
    expect(r, ")", "')'");
    return n;
}

static uint8_t cell_call(Reader *r, int op)
{
    uint8_t in[CODE_ARITY] = {0};
    const int n = read_arguments(r, in);
    const bool fits = op == OP_ifelse ? n == 3
                      : n == 1        ? op_table[op].cell1 != NULL
                                      : op_table[op].cell2 != NULL;

    if (r->wrong)
        return 0;
    if (!fits || (n == 3 && op != OP_ifelse && op != OP_min && op != OP_max))
        return stop(r, "as many arguments as the function takes");
    if (n == 3 && op != OP_ifelse) {
        in[0] = cell_node(r, op, 2, in);
        return r->wrong ? 0 : cell_node(r, op, 2, (uint8_t[]){in[0], in[2]});
    }
    return cell_node(r, op, n, in);
}

static uint8_t read_function(Reader *r, const char *name, size_t size)
{
    const int op = op_find(name, size);
    uint8_t x;

    if (op < 0)
        return stop(r, "a function of the table");
    if ((op_table[op].props & P_CELLWISE) &&
        (op_table[op].cell1 || op_table[op].cell2 || op == OP_ifelse))
        return cell_call(r, op);
    if (op != OP_rowSums && op != OP_rowMeans && op != OP_rowMins && op != OP_rowMaxs)
        return stop(r, "a cell-wise function or a row aggregate");
    x = read_expr(r, 0);
    expect(r, ")", "')'");
    return r->wrong ? 0 : op == OP_rowMeans ? row_mean(r, x) : row_node(r, (OpCode)op, x);
}

static uint8_t read_name(Reader *r)
{
    const size_t size = name_size(r);
    const char *name = r->at;

    for (int k = 0; k < r->nnames; k++)
        if (strlen(r->names[k].text) == size && memcmp(r->names[k].text, name, size) == 0) {
            r->at += size;
            return r->names[k].node;
        }
    if (size == 1 && *name >= 'a' && *name < 'a' + PIPELINE_OPERANDS)
        return operand_node(r, read_letter(r));
    r->at += size;
    if (!skip(r, "(")) {
        r->at = name;
        return stop(r, "an operand, the name of a value or a function");
    }
    return read_function(r, name, size);
}

static uint8_t read_number(Reader *r)
{
    double x = 0;
    const char *to = num_parse_double(r->at, r->end, &x);

    if (!to || to == r->at)
        return stop(r, "an operand, a number or '('");
    r->at = to;
    return number_node(r, x);
}

static uint8_t unary_node(Reader *r, OpCode op, int power)
{
    const uint8_t x = read_expr(r, power);

    return r->wrong ? 0 : cell_node(r, op, 1, &x);
}

enum { POWER_NOT = 3, POWER_SIGN = 9, POWER_PRODUCT = 8 };

static uint8_t read_operand(Reader *r)
{
    uint8_t x;

    if (skip(r, "-"))
        return unary_node(r, OP_neg, POWER_SIGN);
    if (skip(r, "+"))
        return unary_node(r, OP_plus, POWER_SIGN);
    if (skip(r, "!"))
        return unary_node(r, OP_not, POWER_NOT);
    if (skip(r, "(")) {
        x = read_expr(r, 0);
        expect(r, ")", "')'");
        return x;
    }
    return at_name(r) ? read_name(r) : read_number(r);
}

/* Longer symbols before those that begin them. */
static const struct {
    const char *symbol;
    int power;
    OpCode op;
} infix[] = {
    {"%/%", 7, OP_intdiv}, {"%%", 7, OP_mod}, {"^", 10, OP_pow}, {"*", 6, OP_mul}, {"/", 6, OP_div},
    {"+", 5, OP_add},      {"-", 5, OP_sub},  {"==", 4, OP_eq},  {"!=", 4, OP_ne}, {"<=", 4, OP_le},
    {">=", 4, OP_ge},      {"<", 4, OP_lt},   {">", 4, OP_gt},   {"&", 2, OP_and}, {"|", 1, OP_or},
};
enum { INFIX = sizeof infix / sizeof *infix };

/* The operator at hand when it binds at least as tightly as `power`, or -1. */
static int read_infix(Reader *r, int power)
{
    for (int k = 0; k < INFIX; k++)
        if (infix[k].power >= power && skip(r, infix[k].symbol))
            return k;
    return -1;
}

static uint8_t read_expr(Reader *r, int power)
{
    uint8_t x;
    int k;

    if (r->wrong || r->depth == DEPTH)
        return stop(r, "an expression of fewer levels");
    r->depth++;
    x = read_operand(r);
    for (;;) {
        if (power <= POWER_PRODUCT && skip(r, "%*%"))
            x = read_product(r, x);
        else if ((k = read_infix(r, power)) >= 0)
            x = binary_node(r, infix[k].op, x,
                            read_expr(r, infix[k].power + (infix[k].op != OP_pow)));
        else
            break;
    }
    r->depth--;
    return x;
}

/* ---- statements ---- */

static bool at_end(Reader *r)
{
    skip_blanks(r);
    return r->at == r->end || *r->at == ';';
}

static void result_add(Reader *r, PipeResult result)
{
    PipeGraph *g = r->g;
    const PipeNode *x = node_at(r, result.x), *y = node_at(r, result.y);

    if (r->wrong)
        return;
    if (x->rows != PIPE_TALL || y->rows != PIPE_TALL)
        stop(r, "a result with the rows of operand a");
    else if (g->nresults == PIPELINE_RESULTS)
        stop(r, "fewer results");
    else
        g->results[g->nresults++] = result;
}

static const struct {
    const char *name;
    PipeResultKind kind;
    CodeOutputKind fold;
    bool mean;
} aggregates[] = {
    {"sum", PIPE_FULL, CODE_SUM, false},       {"mean", PIPE_FULL, CODE_SUM, true},
    {"min", PIPE_FULL, CODE_MIN, false},       {"max", PIPE_FULL, CODE_MAX, false},
    {"colSums", PIPE_COLUMN, CODE_SUM, false}, {"colMeans", PIPE_COLUMN, CODE_SUM, true},
    {"colMins", PIPE_COLUMN, CODE_MIN, false}, {"colMaxs", PIPE_COLUMN, CODE_MAX, false},
};
enum { AGGREGATES = sizeof aggregates / sizeof *aggregates };

/* An aggregate of one value; false when it is none, min(a, b) for example. */
static bool read_aggregate(Reader *r)
{
    const char *begin = r->at;

    for (int k = 0; k < AGGREGATES; k++) {
        uint8_t x;

        if (!skip_call(r, aggregates[k].name))
            continue;
        x = read_expr(r, 0);
        if (skip(r, ")") && at_end(r)) {
            result_add(r, (PipeResult){.kind = aggregates[k].kind,
                                       .x = x,
                                       .y = x,
                                       .fold = aggregates[k].fold,
                                       .mean = aggregates[k].mean});
            return true;
        }
        r->at = r->wrong ? r->at : begin;
        return r->wrong;
    }
    return false;
}

static bool read_cross(Reader *r)
{
    uint8_t x, y;

    if (!skip_call(r, "t"))
        return false;
    x = read_expr(r, 0);
    expect(r, ")", "')'");
    expect(r, "%*%", "%*%");
    y = read_expr(r, POWER_PRODUCT + 1);
    result_add(r, (PipeResult){.kind = PIPE_CROSS, .x = x, .y = y});
    return true;
}

/* The name before a single "=", taken with it; 0 when there is none. */
static size_t read_target(Reader *r, const char **name)
{
    const char *begin;
    size_t size;

    skip_blanks(r);
    *name = begin = r->at;
    size = at_name(r) ? name_size(r) : 0;
    r->at += size;
    if (size > 0 && !skip(r, "==") && skip(r, "="))
        return size;
    r->at = begin;
    return 0;
}

static void read_definition(Reader *r, const char *name, size_t size)
{
    const uint8_t node = read_expr(r, 0);
    Name *n = &r->names[r->nnames];

    if (size < 2 || size >= NAME_SIZE || r->nnames == NAMES) {
        stop(r, "a name of two to seven letters, and fewer names");
        return;
    }
    *n = (Name){.node = node};
    memcpy(n->text, name, size);
    r->nnames++;
}

static void read_statement(Reader *r)
{
    const char *name;
    const size_t size = read_target(r, &name);

    if (size > 0)
        read_definition(r, name, size);
    else if (!read_aggregate(r) && !read_cross(r)) {
        const uint8_t x = read_expr(r, 0);

        result_add(r, (PipeResult){.kind = PIPE_CELLS, .x = x, .y = x});
    }
}

ml_status pipeline_read(Ctx *ctx, const char *text, const PipeShape *shape, PipeGraph *out)
{
    Reader r = {.at = text, .end = text + strlen(text), .g = out};

    out->shape = *shape;
    out->nnodes = out->nresults = 0;
    do
        read_statement(&r);
    while (skip(&r, ";"));
    if (!r.wrong && r.at != r.end)
        stop(&r, "an operator or ';'");
    if (!r.wrong && out->nresults == 0)
        stop(&r, "a result");
    if (r.wrong)
        return fail(ctx, ML_EINTERNAL, "pipeline: expected %s at '%s' of '%s'", r.wrong, r.end,
                    text);
    return ML_OK;
}
