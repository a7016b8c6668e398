/* Plans as text, for -explain runtime: one instruction a line with operands by name, sizes, memory
 * and what is freed. */
#include "plan/plan.h"

static void operand(Buffer *b, const Routine *r, const Plan *plan, int32_t x)
{
    if (x == OPERAND_NONE) {
        buffer_text(b, "-");
    } else if (x < 0) {
        Value v = plan->literals[~x];

        if (v.vt == VT_STRING)
            buffer_format(b, "\"%.*s\"", (int)(v.s->size > 24 ? 24 : v.s->size), v.s->text);
        else
            scalar_print(b, v);
    } else if (x < r->nslots && r->names[x]) {
        buffer_text(b, r->names[x]);
    } else {
        buffer_format(b, "_%d", x);
    }
}

static void explain_instr(Buffer *b, const Routine *r, const Plan *plan, const Instr *in)
{
    if (in->kind == INSTR_MOVE)
        buffer_text(b, "mvvar");
    else
        buffer_text(b, op_label(&op_table[in->op]));
    for (int k = 0; k < in->nin; k++) {
        buffer_text(b, " ");
        operand(b, r, plan, in->in[k]);
    }
    if (in->out != OPERAND_NONE) {
        buffer_text(b, " ->");
        for (int k = 0; k < in->nout; k++) {
            buffer_text(b, " ");
            operand(b, r, plan, in->outs ? in->outs[k] : in->out);
        }
        buffer_text(b, "  ");
        explain_dims(b, in->dt, VT_UNKNOWN, in->dims);
        if (in->dt == DT_MATRIX)
            explain_bytes(b, in->bytes);
    }
    if (in->nfrees)
        buffer_text(b, "  free");
    for (int k = 0; k < in->nfrees; k++) {
        buffer_text(b, " ");
        operand(b, r, plan, in->frees[k]);
    }
}

void explain_plan(Buffer *b, const Routine *r, const Plan *plan, const Backend *backend, int indent)
{
    for (int k = 0; k < plan->count; k++) {
        const Instr *in = &plan->instrs[k];

        for (int j = 0; j < indent; j++)
            buffer_text(b, "--");
        buffer_format(b, "%s ", backend->name);
        explain_instr(b, r, plan, in);
        buffer_text(b, "\n");
    }
}
