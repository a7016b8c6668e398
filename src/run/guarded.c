/* guarded: the fast form of a rewrite that is equal for finite values, and the expression as
 * written when a value that is not finite comes up.
 *
 * Both forms are patterns of the rule, evaluated here operator by operator, each result released as
 * soon as its consumer has it. */
#include "run/interp.h"

#include "hop/pattern.h"

#include <math.h>

typedef struct Evaluation {
    Run *run;
    Value vars[PATTERN_LETTERS]; /* borrowed */
} Evaluation;

static ml_status call_operator(Evaluation *e, int op, Value *in, int nin, uint32_t last, Value *out)
{
    OpCall call = {.op = &op_table[op], .nin = nin, .nout = 1, .in = in, .out = out, .last = last};

    return run_operator_call(e->run, &call);
}

static ml_status evaluate(Evaluation *e, const Pattern *p, Value *out)
{
    Value in[PATTERN_ARGS] = {{0}};
    uint32_t last = 0;
    ml_status st = ML_OK;

    if (p->kind == PATTERN_LITERAL || p->kind != PATTERN_OP) {
        *out = p->kind == PATTERN_LITERAL ? p->lit : value_retain(e->vars[p->variable]);
        return ML_OK;
    }
    for (int k = 0; st == ML_OK && k < p->nin; k++)
        if (p->in[k]) {
            st = evaluate(e, p->in[k], &in[k]);
            if (p->in[k]->kind == PATTERN_OP)
                last |= UINT32_C(1) << k;
        }
    if (st == ML_OK)
        st = call_operator(e, p->op, in, p->nin, last, out);
    for (int k = 0; k < p->nin; k++)
        value_release(in[k]);
    return st;
}

static ml_status is_finite(Evaluation *e, Value v, bool *finite)
{
    Value answer = value_none();

    if (v.dt != DT_MATRIX) {
        *finite = isfinite(scalar_to_double(v));
        return ML_OK;
    }
    TRY(call_operator(e, OP_all_finite, &v, 1, 0, &answer));
    *finite = answer.b;
    return ML_OK;
}

static ml_status operands_finite(Evaluation *e, uint64_t checked, bool *finite)
{
    *finite = true;
    for (int k = 0; *finite && k < PATTERN_LETTERS; k++)
        if (checked >> k & 1)
            TRY(is_finite(e, e->vars[k], finite));
    return ML_OK;
}

/* In the order in which the rule's letters come: see guarded_rule. */
static void bind_operands(Evaluation *e, const OpCall *call, uint64_t operands)
{
    for (int k = 0, n = 1; k < PATTERN_LETTERS; k++)
        if (operands >> k & 1)
            e->vars[k] = call->in[n++];
}

ml_status ml_r_guarded(Run *run, OpCall *call)
{
    Evaluation e = {.run = run};
    GuardedRule rule;
    bool finite;

    TRY(guarded_rule(run->ctx, &run->unit, (int)call->in[0].i, &rule));
    bind_operands(&e, call, rule.operands);
    TRY(operands_finite(&e, rule.checked, &finite));
    if (finite) {
        TRY(evaluate(&e, rule.fast, &call->out[0]));
        if (!rule.checked)
            TRY(is_finite(&e, call->out[0], &finite));
    }
    if (finite)
        return ML_OK;
    value_release(call->out[0]);
    call->out[0] = value_none();
    return evaluate(&e, rule.exact, &call->out[0]);
}
