/* A program evaluated as it is read, each operator by its kernel. */
#include "pipeline_case.h"

#include "backend/cpu/cpu.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 48 };

typedef struct Eval {
    const char *at;
    const Value *in;
    int nin, nnames;
    struct {
        char text[8];
        Value value;
    } names[NAMES];
} Eval;

/* Takes the references of the operands. */
static Value apply(OpCode op, int nin, Value *in)
{
    Value out[1 + OP_RESULTS] = {0};
    OpCall call = {.op = &op_table[op], .nin = nin, .nout = 1, .in = in, .out = out};

    if (nin < op_nargs(call.op))
        call.nin = op_nargs(call.op);
    assert_ok(backend_cpu.operator_fn(op)(test_ctx(), &call));
    for (int k = 0; k < nin; k++)
        value_release(in[k]);
    return out[0];
}

static bool take(Eval *e, const char *text)
{
    while (*e->at == ' ')
        e->at++;
    if (strncmp(e->at, text, strlen(text)) != 0)
        return false;
    e->at += strlen(text);
    return true;
}

static Value expression(Eval *e, int level);

static Value call_of(Eval *e, const char *name, size_t size)
{
    const bool transpose = size == 1 && *name == 't';
    const int op = transpose ? OP_t : op_find(name, size);
    Value in[OP_ARGS + 16] = {0};
    int n = 0;

    assert_true(op >= 0);
    do
        in[n++] = expression(e, 0);
    while (take(e, ","));
    assert_true(take(e, ")"));
    return apply((OpCode)op, n, in);
}

static Value primary(Eval *e)
{
    const char *name;
    size_t size;
    char *end;
    Value v;

    if (take(e, "-"))
        return apply(OP_neg, 1, (Value[OP_ARGS]){expression(e, 6)});
    if (take(e, "!"))
        return apply(OP_not, 1, (Value[OP_ARGS]){expression(e, 2)});
    if (take(e, "(")) {
        v = expression(e, 0);
        assert_true(take(e, ")"));
        return v;
    }
    for (name = e->at; isalnum((unsigned char)*e->at) || *e->at == '.'; e->at++)
        ;
    size = (size_t)(e->at - name);
    if (take(e, "("))
        return call_of(e, name, size);
    for (int k = 0; k < e->nnames; k++)
        if (strlen(e->names[k].text) == size && memcmp(e->names[k].text, name, size) == 0)
            return value_retain(e->names[k].value);
    if (size == 1 && islower((unsigned char)*name))
        return value_retain(e->in[*name - 'a']);
    v = value_double(strtod(name, &end));
    e->at = end;
    return v;
}

static const struct {
    const char *symbol;
    int level;
    OpCode op;
} infix[] = {
    {"%*%", 5, OP_matmult}, {"%/%", 4, OP_intdiv}, {"%%", 4, OP_mod}, {"^", 7, OP_pow},
    {"*", 4, OP_mul},       {"/", 4, OP_div},      {"+", 3, OP_add},  {"-", 3, OP_sub},
    {"==", 2, OP_eq},       {"!=", 2, OP_ne},      {"<=", 2, OP_le},  {">=", 2, OP_ge},
    {"<", 2, OP_lt},        {">", 2, OP_gt},       {"&", 1, OP_and},  {"|", 0, OP_or},
};

static Value expression(Eval *e, int level)
{
    Value left = primary(e);
    bool more = true;

    while (more) {
        more = false;
        for (size_t k = 0; k < sizeof infix / sizeof *infix && !more; k++)
            if (infix[k].level >= level && take(e, infix[k].symbol)) {
                Value right = expression(e, infix[k].level + 1);

                left = apply(infix[k].op, 2, (Value[OP_ARGS]){left, right});
                more = true;
            }
    }
    return left;
}

/* The name that begins a definition, or 0. */
static size_t definition(Eval *e)
{
    size_t n = 0;

    while (*e->at == ' ')
        e->at++;
    while (isalnum((unsigned char)e->at[n]))
        n++;
    return strncmp(e->at + n, " = ", 3) == 0 ? n : 0;
}

int unfused_run(const char *text, const Value *in, int nin, Value out[PIPELINE_RESULTS])
{
    Eval e = {.at = text, .in = in, .nin = nin};
    int nout = 0;

    do {
        const size_t size = definition(&e);

        if (size > 0) {
            memcpy(e.names[e.nnames].text, e.at, size);
            e.at += size + 3;
            e.names[e.nnames].value = expression(&e, 0);
            e.nnames++;
        } else {
            out[nout++] = expression(&e, 0);
        }
    } while (take(&e, ";"));
    assert_int_equal(*e.at, 0);
    for (int k = 0; k < e.nnames; k++)
        value_release(e.names[k].value);
    return nout;
}

ml_status fused_call(Value program, const Value *in, int nin, uint32_t last,
                     Value out[PIPELINE_RESULTS])
{
    Value args[1 + PIPELINE_OPERANDS] = {program};
    OpCall call = {.op = &op_table[OP_pipeline],
                   .nin = 1 + nin,
                   .nout = PIPELINE_RESULTS,
                   .in = args,
                   .out = out,
                   .last = last << 1};

    memcpy(args + 1, in, (size_t)nin * sizeof *in);
    for (int k = 0; k < PIPELINE_RESULTS; k++)
        out[k] = value_none();
    return ml_k_pipeline(test_ctx(), &call);
}

ml_status fused_try(const char *text, const Value *in, int nin, uint32_t last,
                    Value out[PIPELINE_RESULTS])
{
    Value program = case_text(text);
    const ml_status st = fused_call(program, in, nin, last, out);

    value_release(program);
    return st;
}
