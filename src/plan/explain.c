/* Plans as text, for -explain runtime: one instruction a line with operands by name, size and
 * format of the result, bytes read, what is freed, and why this operator. */
#include "plan/plan.h"

static void operand(Buffer *b, const Routine *r, const Plan *plan, int32_t x)
{
    if (x == OPERAND_NONE)
        buffer_text(b, "-");
    else if (x < 0)
        explain_literal(b, plan->literals[~x]);
    else if (x < r->nslots && r->names[x])
        buffer_text(b, r->names[x]);
    else
        buffer_format(b, "_%d", x);
}

static void explain_results(Buffer *b, const Routine *r, const Plan *plan, const Instr *in)
{
    buffer_text(b, " ->");
    int nout = in->nout;

    while (nout > 1 && in->outs[nout - 1] == OPERAND_NONE) /* results that nobody reads */
        nout--;
    for (int k = 0; k < nout; k++) {
        buffer_text(b, " ");
        operand(b, r, plan, in->outs ? in->outs[k] : in->out);
    }
    buffer_text(b, "\t");
    explain_value(b, in->dt, VT_UNKNOWN, in->dims, in->bytes, in->expected);
}

static void explain_reason(Buffer *b, const Routine *r, const Plan *plan, const Instr *in)
{
    if (in->over >= 0) {
        buffer_text(b, "in place of ");
        operand(b, r, plan, in->in[in->over]);
        buffer_text(b, in->why ? "; " : "");
    }
    buffer_text(b, in->why ? in->why : "");
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
    if (in->out != OPERAND_NONE)
        explain_results(b, r, plan, in);
    else
        buffer_text(b, "\t\t");
    buffer_text(b, "\t");
    if (in->bytes_in != 0) {
        buffer_text(b, "reads ");
        explain_size(b, in->bytes_in);
    }
    buffer_text(b, in->nfrees ? "\tfree" : "\t");
    for (int k = 0; k < in->nfrees; k++) {
        buffer_text(b, " ");
        operand(b, r, plan, in->frees[k]);
    }
    buffer_text(b, "\t");
    explain_reason(b, r, plan, in);
}

void explain_plan(Buffer *b, const Routine *r, const Plan *plan, const Backend *backend, int indent)
{
    Buffer lines = {0};

    for (int k = 0; k < plan->count; k++) {
        explain_indent(&lines, indent);
        buffer_format(&lines, "%s ", backend->name);
        explain_instr(&lines, r, plan, &plan->instrs[k]);
        buffer_text(&lines, "\n");
    }
    buffer_columns(b, &lines);
    buffer_free(&lines);
}
