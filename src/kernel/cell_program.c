/* Cell programs: reading an expression, and running it over chunks.
 *
 * Reading climbs precedence with the levels of the language and takes some microseconds, once a
 * call of a fused operator.  Every step overwrites the value, so a chunk needs no memory but its
 * result. */
#include "kernel/cell_program.h"

#include "base/num.h"

#include <ctype.h>
#include <string.h>

typedef struct Reader {
    const char *at, *end, *letters;
    Program *out;
    bool begun;  /* there is a value */
    bool failed; /* what is at `at` cannot be read */
} Reader;

/* ---- reading ---- */

static Term read_expr(Reader *r, int level);

static bool skip(Reader *r, const char *text)
{
    const size_t n = strlen(text);

    while (r->at < r->end && *r->at == ' ')
        r->at++;
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
        return false;
    r->at += n;
    return true;
}

/* The operand becomes the value. */
static Term begin(Reader *r, Term t)
{
    r->failed |= r->begun || t.kind != TERM_OPERAND;
    r->begun = true;
    r->out->start = t.operand;
    return (Term){.kind = TERM_VALUE};
}

static Term add_step(Reader *r, int op, bool binary, Term left, Term right)
{
    Program *p = r->out;

    r->failed |= op < 0 || p->nsteps == PROGRAM_STEPS;
    if (!r->failed)
        p->steps[p->nsteps++] = (Step){(OpCode)op, binary, left, right};
    return (Term){.kind = TERM_VALUE};
}

static Term add_unary(Reader *r, int op, Term x)
{
    return add_step(r, op, false, x.kind == TERM_VALUE ? x : begin(r, x), x);
}

static Term add_binary(Reader *r, int op, Term x, Term y)
{
    r->failed |= x.kind == TERM_VALUE && y.kind == TERM_VALUE;
    if (x.kind != TERM_VALUE && y.kind != TERM_VALUE) {
        if (x.kind == TERM_OPERAND)
            x = begin(r, x);
        else
            y = begin(r, y);
    }
    return add_step(r, op, true, x, y);
}

static Term read_word(Reader *r)
{
    const char *word = r->at, *letter;
    Term t = {.kind = TERM_OPERAND};
    int op;

    while (r->at < r->end && (isalnum((unsigned char)*r->at) || *r->at == '.'))
        r->at++;
    letter = r->at - word == 1 ? strchr(r->letters, *word) : NULL;
    if (letter) {
        t.operand = (int)(letter - r->letters);
        return t;
    }
    op = op_find(word, (size_t)(r->at - word));
    r->failed |= op < 0 || !op_table[op].cell1 || !skip(r, "(");
    if (r->failed)
        return t;
    t = add_unary(r, op, read_expr(r, 0));
    r->failed |= !skip(r, ")");
    return t;
}

static Term read_primary(Reader *r)
{
    Term t = {.kind = TERM_NUMBER};
    const char *to;

    if (skip(r, "(")) {
        t = read_expr(r, 0);
        r->failed |= !skip(r, ")");
        return t;
    }
    if (r->at < r->end && isalpha((unsigned char)*r->at))
        return read_word(r);
    to = num_parse_double(r->at, r->end, &t.number);
    r->failed |= !to;
    r->at = to ? to : r->at;
    return t;
}

/* Symbols by level, loosest first. */
static const struct {
    int level;
    const char *symbol;
    OpCode op;
} infix[] = {
    {0, "==", OP_eq}, {0, "!=", OP_ne}, {0, "<=", OP_le}, {0, ">=", OP_ge},
    {0, "<", OP_lt},  {0, ">", OP_gt},  {1, "+", OP_add}, {1, "-", OP_sub},
    {2, "*", OP_mul}, {2, "/", OP_div}, {3, "^", OP_pow},
};
enum { INFIX_COUNT = sizeof infix / sizeof *infix, LEVEL_LAST = 3 };

static int read_infix(Reader *r, int level)
{
    for (int k = 0; k < INFIX_COUNT; k++)
        if (infix[k].level == level && skip(r, infix[k].symbol))
            return infix[k].op;
    return -1;
}

static Term read_expr(Reader *r, int level)
{
    Term t;
    int op;

    if (level > LEVEL_LAST)
        return skip(r, "-")   ? add_unary(r, OP_neg, read_primary(r))
               : skip(r, "+") ? add_unary(r, OP_plus, read_primary(r))
               : skip(r, "!") ? add_unary(r, OP_not, read_primary(r))
                              : read_primary(r);
    t = read_expr(r, level + 1);
    while (!r->failed && (op = read_infix(r, level)) >= 0)
        t = add_binary(r, op, t, read_expr(r, level + 1));
    return t;
}

ml_status program_read(Ctx *ctx, const char *text, const char *letters, Program *out)
{
    Reader r = {.at = text, .end = text + strlen(text), .letters = letters, .out = out};
    Term t;

    *out = (Program){.level = cpu_level(ctx)};
    t = read_expr(&r, 0);
    if (!r.failed && t.kind == TERM_OPERAND)
        begin(&r, t);
    if (r.failed || !r.begun || r.at != r.end)
        return fail(ctx, ML_EVALUE,
                    "expected a chain of cell-wise operators over the operands %s, found '%s'",
                    letters, text);
    return ML_OK;
}

/* ---- running ---- */

/* A term over a chunk; `value` holds the value so far. */
static Cells term_cells(Term t, const Cells *operands, const double *value)
{
    return t.kind == TERM_VALUE     ? (Cells){.cells = value}
           : t.kind == TERM_OPERAND ? operands[t.operand]
                                    : (Cells){.scalar = t.number};
}

static int64_t step_run(CpuLevel level, const Step *s, const Cells *operands, const double *value,
                        int64_t n, double *out)
{
    const Cells x = term_cells(s->left, operands, value), y = term_cells(s->right, operands, value);
    BinaryOp op;

    if (!s->binary)
        return cells_unary(level, s->op, value, out, n);
    op = binary_op(level, s->op);
    if (!x.cells)
        return binary_sv(&op, x.scalar, y.cells, out, n);
    if (!y.cells)
        return binary_vs(&op, x.cells, y.scalar, out, n);
    return binary_vv(&op, x.cells, y.cells, out, n);
}

int64_t program_run(const Program *p, const Cells *operands, int64_t n, double *out)
{
    const double *value = operands[p->start].cells;
    int64_t nnz = -1;

    if (!value) {
        for (int64_t i = 0; i < n; i++)
            out[i] = operands[p->start].scalar;
        value = out;
    }
    for (int k = 0; k < p->nsteps; k++, value = out)
        nnz = step_run(p->level, &p->steps[k], operands, value, n, out);
    if (p->nsteps > 0)
        return nnz;
    if (value != out)
        memcpy(out, value, (size_t)n * sizeof *out);
    return matrix_count_nnz(out, n);
}
