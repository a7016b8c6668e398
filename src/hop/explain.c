/* Programs and DAGs as text, for -explain: a walk over the tree of blocks, and what a basic block
 * holds as its statements or as its nodes.  Lines are cells that buffer_columns aligns. */
#include "hop/hop.h"

/* ---- pieces ---- */

void explain_size(Buffer *b, double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    int u = 0;

    if (!(bytes >= 0 && bytes < 1e30)) {
        buffer_text(b, "?");
        return;
    }
    for (; bytes >= 1024 && u < 5; u++)
        bytes /= 1024;
    buffer_format(b, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
}

static void extent(Buffer *b, int64_t n)
{
    if (n < 0)
        buffer_text(b, "?");
    else
        buffer_format(b, "%" PRId64, n);
}

void explain_dims(Buffer *b, DataType dt, ValueType vt, Dims d)
{
    if (dt == DT_MATRIX || dt == DT_FRAME) {
        buffer_text(b, dt == DT_FRAME ? "frame [" : "[");
        extent(b, d.rows);
        buffer_text(b, ",");
        extent(b, d.cols);
        buffer_text(b, ",");
        extent(b, d.nnz);
        buffer_text(b, "]");
    } else if (dt == DT_SCALAR) {
        buffer_text(b, vt == VT_UNKNOWN || vt == VT_NONE ? "scalar" : value_type_name(vt));
    } else {
        buffer_text(b, dt == DT_LIST ? "list" : "unknown");
    }
}

/* The format that the estimate selects, and why. */
static void explain_format(Buffer *b, Dims d, double expected)
{
    const double cells = (double)d.rows * (double)d.cols;

    if (d.rows < 0 || d.cols < 0 || d.nnz < 0 || cells == 0)
        return;
    buffer_text(b, matrix_format_reason(d.rows, d.cols, d.nnz));
    if ((double)d.nnz < cells)
        buffer_format(b, ", %.3g%% nonzeros", 100 * (double)d.nnz / cells);
    if (expected > 0)
        buffer_format(b, ", %.3g%% expected", 100 * expected / cells);
}

void explain_value(Buffer *b, DataType dt, ValueType vt, Dims d, double bytes, double expected)
{
    explain_dims(b, dt, vt, d);
    if (dt == DT_MATRIX) {
        buffer_text(b, " [");
        explain_size(b, bytes);
        buffer_text(b, "]\t");
        explain_format(b, d, expected);
    } else {
        buffer_text(b, "\t");
    }
}

void explain_literal(Buffer *b, Value v)
{
    if (v.vt != VT_STRING) {
        scalar_print(b, v);
        return;
    }
    buffer_text(b, "\"");
    for (int64_t k = 0; k < v.s->size && k < 60; k++)
        buffer_put(b, (unsigned char)v.s->text[k] < ' ' ? " " : &v.s->text[k], 1);
    buffer_text(b, "\"");
}

void explain_indent(Buffer *b, int depth)
{
    for (int k = 0; k < depth; k++)
        buffer_text(b, "--");
}

static const char *slot_name(const Routine *r, int slot)
{
    return slot >= 0 && slot < r->nslots && r->names[slot] ? r->names[slot] : "_tmp";
}

double hop_bytes_in(const Hop *h)
{
    double sum = 0;

    for (int k = 0; k < h->nin; k++) {
        bool again = false;

        for (int j = 0; j < k; j++)
            again |= h->in[j] == h->in[k];
        if (h->in[k] && !again && h->in[k]->dt == DT_MATRIX)
            sum += h->in[k]->bytes;
    }
    return sum;
}

/* ---- the nodes of a DAG ---- */

static void explain_node(Buffer *b, const Routine *r, const Hop *h, int depth)
{
    explain_indent(b, depth);
    buffer_format(b, "(%d) ", h->id);
    if (h->kind == HOP_READ) {
        buffer_format(b, "read %s", slot_name(r, h->slot));
    } else if (h->kind == HOP_LITERAL) {
        buffer_text(b, "literal ");
        explain_literal(b, h->lit);
    } else if (h->kind == HOP_RESULT) {
        buffer_format(b, "result %d (%d)", h->index + 1, h->in[0]->id);
    } else {
        buffer_text(b, op_label(hop_info(h)));
        for (int k = 0; k < h->nin; k++)
            buffer_format(b, h->in[k] ? " (%d)" : " -", h->in[k] ? h->in[k]->id : 0);
    }
    buffer_text(b, "\t");
    explain_value(b, h->dt, h->vt, h->dims, h->bytes, h->expected);
    buffer_text(b, "\t");
    if (h->kind == HOP_OP && hop_bytes_in(h) != 0) {
        buffer_text(b, "reads ");
        explain_size(b, hop_bytes_in(h));
    }
    buffer_format(b, "\t%s\n", h->why ? h->why : "");
}

void explain_dag(Buffer *b, const Routine *r, const Dag *dag, int depth)
{
    Buffer lines = {0};

    for (int k = 0; k < dag->count; k++)
        explain_node(&lines, r, dag->nodes[k], depth);
    buffer_columns(b, &lines);
    buffer_free(&lines);
    for (int k = 0; k < dag->nroots; k++)
        if (dag->roots[k].slot >= 0) {
            explain_indent(b, depth);
            buffer_format(b, "%s = (%d)\n", slot_name(r, dag->roots[k].slot),
                          dag->roots[k].hop->id);
        }
}

static void count_of(Buffer *b, double n)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    int u = 0;

    for (; n >= 1000 && u < 4; u++)
        n /= 1000;
    buffer_format(b, u ? "%.3g%s" : "%.0f%s", n, units[u]);
}

static void duration(Buffer *b, double seconds)
{
    if (seconds < 1e-3)
        buffer_format(b, "%.3g us", seconds * 1e6);
    else if (seconds < 1)
        buffer_format(b, "%.3g ms", seconds * 1e3);
    else
        buffer_format(b, "%.3g s", seconds);
}

static void cost_line(Buffer *b, const Hop *h, int depth)
{
    explain_indent(b, depth);
    buffer_format(b, "(%d) %s\t", h->id, op_label(hop_info(h)));
    explain_dims(b, h->dt, h->vt, h->dims);
    buffer_text(b, "\tflops ");
    count_of(b, hop_flops(h));
    buffer_text(b, "\treads ");
    explain_size(b, hop_bytes_in(h));
    buffer_text(b, "\twrites ");
    explain_size(b, h->bytes < 0 ? 0 : h->bytes);
    buffer_text(b, "\ttime ");
    duration(b, h->seconds);
    buffer_text(b, "\n");
}

/* Estimated work, traffic and time of the operators that read or make a matrix. */
void explain_cost(Buffer *b, const Routine *r, const Dag *dag, int depth)
{
    Buffer lines = {0};
    double sum = 0;

    (void)r;
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind != HOP_OP || (h->dt != DT_MATRIX && hop_bytes_in(h) == 0))
            continue;
        cost_line(&lines, h, depth);
        sum += h->seconds;
    }
    buffer_columns(b, &lines);
    if (lines.size) {
        explain_indent(b, depth);
        buffer_text(b, "in all ");
        duration(b, sum);
        buffer_text(b, "\n");
    }
    buffer_free(&lines);
}

/* Operators that do the work of several of the language: those without a name in it. */
void explain_fused(Buffer *b, const Routine *r, const Dag *dag, int depth)
{
    Buffer lines = {0};

    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind != HOP_OP || hop_info(h)->dml)
            continue;
        explain_indent(&lines, depth);
        buffer_format(&lines, "%s of", op_label(hop_info(h)));
        for (int j = 0; j < h->nin; j++) {
            const Hop *in = h->in[j];
            const char *name = !in                       ? "-"
                               : in->kind == HOP_READ    ? slot_name(r, in->slot)
                               : in->variable            ? in->variable
                               : in->kind == HOP_LITERAL ? NULL
                                                         : op_label(hop_info(in));

            buffer_text(&lines, j ? ", " : " ");
            if (name)
                buffer_text(&lines, name);
            else if (in->lit.vt == VT_STRING) /* a program: whole */
                buffer_format(&lines, "\"%s\"", in->lit.s->text);
            else
                explain_literal(&lines, in->lit);
        }
        buffer_text(&lines, "\t");
        explain_value(&lines, h->dt, h->vt, h->dims, h->bytes, h->expected);
        buffer_format(&lines, "\t%s\n", h->why ? h->why : hop_info(h)->doc);
    }
    buffer_columns(b, &lines);
    buffer_free(&lines);
}

/* ---- the statements of a block ---- */

/* The first line of what a node was made of. */
static void source_text(Buffer *b, Span span)
{
    const char *s = span.src ? span.src->text + span.begin : "";
    const size_t size = span.src ? span.end - span.begin : 0;
    size_t n = 0;

    while (n < size && n < 100 && s[n] != '\n' && s[n] != '\r')
        n++;
    for (size_t k = 0; k < n; k++)
        buffer_put(b, s[k] == '\t' ? " " : &s[k], 1);
    if (n < size)
        buffer_text(b, " ...");
}

void explain_statements(Buffer *b, const Routine *r, const Dag *dag, int depth)
{
    Buffer lines = {0};

    for (int k = 0; k < dag->nroots; k++) {
        const Root root = dag->roots[k];
        const Hop *h = root.hop;

        explain_indent(&lines, depth);
        if (h->span.src)
            buffer_format(&lines, "%d:%d", span_begin(h->span).line, span_begin(h->span).column);
        buffer_text(&lines, "\t");
        if (root.slot >= 0 && !hop_is_op(h, OP_left_index))
            buffer_format(&lines, "%s = ", slot_name(r, root.slot));
        if (h->kind == HOP_LITERAL)
            explain_literal(&lines, h->lit);
        else if (h->kind == HOP_READ)
            buffer_text(&lines, slot_name(r, h->slot));
        else
            source_text(&lines, h->span);
        if (hop_is_op(h, OP_left_index)) { /* its span is that of the target */
            buffer_text(&lines, " = ");
            source_text(&lines, h->in[1]->span);
        }
        buffer_text(&lines, "\t");
        if (root.slot >= 0)
            explain_dims(&lines, h->dt, h->vt, h->dims);
        buffer_text(&lines, "\n");
    }
    buffer_columns(b, &lines);
    buffer_free(&lines);
}

/* ---- the tree of blocks ---- */

static ml_status explain_list(Explainer *e, const Routine *r, BlockList list, int depth);

static ml_status part(Explainer *e, const Routine *r, const char *title, BlockList list, int depth)
{
    if (!list.count)
        return ML_OK;
    explain_indent(e->b, depth);
    buffer_format(e->b, "%s\n", title);
    return explain_list(e, r, list, depth + 1);
}

void explain_call(Buffer *b, const Routine *r, const Block *block)
{
    const Function *fn = block->fn->matrix   ? block->fn->matrix
                         : block->fn->scalar ? block->fn->scalar
                                             : block->fn->frame;

    buffer_format(b, "CALL %s (", fn->name);
    for (int k = 0; k < block->nargs; k++) {
        buffer_text(b, k ? ", " : "");
        if (block->args[k].slot >= 0)
            buffer_text(b, slot_name(r, block->args[k].slot));
        else
            explain_literal(b, block->args[k].lit);
    }
    buffer_text(b, ")");
    for (int k = 0; k < block->ntargets; k++)
        buffer_format(b, "%s%s", k ? ", " : " -> ",
                      block->targets[k] < 0 ? "-" : slot_name(r, block->targets[k]));
}

static const char *result_way(const ParforSlot *result)
{
    if (result->mode == PARFOR_SUM)
        return "summed in order";
    return result->handed ? "written in place" : "merged by changed cells";
}

static void explain_parfor(Buffer *b, const Routine *r, const Block *block)
{
    const Parfor *p = block->parfor;
    const ParforCost c = parfor_cost(block);

    for (int k = 0; k < p->nresults; k++)
        buffer_format(b, "%s%s %s", k ? ", " : " [", slot_name(r, p->results[k].slot),
                      result_way(&p->results[k]));
    buffer_text(b, p->nresults ? "]" : "");
    if (p->serial || !p->prepared)
        buffer_format(b, " [one iteration after the other: %s]",
                      p->serial ? p->serial : "parallel_loops is switched off");
    else if (isfinite(c.seconds)) {
        buffer_text(b, " [an iteration: ");
        duration(b, c.seconds);
        buffer_text(b, "]");
    } else {
        buffer_text(b, " [an iteration: size not known]");
    }
}

void explain_title(Buffer *b, const Routine *r, const Block *block)
{
    const int first = span_begin(block->span).line, last = span_end(block->span).line;

    switch (block->kind) {
    case BLOCK_BASIC:
        buffer_format(b, "GENERIC (lines %d-%d)%s", first, last,
                      block->sizes_known ? "" : " [planned again on entry]");
        break;
    case BLOCK_IF:
        buffer_format(b, "IF (lines %d-%d)", first, last);
        break;
    case BLOCK_WHILE:
        buffer_format(b, "WHILE (lines %d-%d)", first, last);
        break;
    case BLOCK_FOR:
        buffer_format(b, "%s %s (lines %d-%d)", block->parfor ? "PARFOR" : "FOR",
                      slot_name(r, block->loop_slot), first, last);
        if (block->parfor)
            explain_parfor(b, r, block);
        break;
    case BLOCK_CALL:
        explain_call(b, r, block);
        break;
    }
}

static ml_status explain_block(Explainer *e, const Routine *r, const Block *block, int depth)
{
    explain_indent(e->b, depth);
    explain_title(e->b, r, block);
    buffer_text(e->b, "\n");
    if (block->kind == BLOCK_BASIC)
        return e->basic(e, r, block, depth + 1);
    TRY(part(e, r, block->kind == BLOCK_FOR ? "BOUNDS" : "CONDITION", block->pred, depth + 1));
    TRY(part(e, r, block->kind == BLOCK_IF ? "THEN" : "BODY", block->body, depth + 1));
    return part(e, r, "ELSE", block->orelse, depth + 1);
}

static ml_status explain_list(Explainer *e, const Routine *r, BlockList list, int depth)
{
    for (int k = 0; k < list.count; k++)
        TRY(explain_block(e, r, list.items[k], depth));
    return ML_OK;
}

ml_status explain_program(Explainer *e, const Routine *main)
{
    buffer_text(e->b, "PROGRAM\n");
    for (const Routine *r = e->unit->routines; r; r = r->next) {
        if (r == main || !r->settled)
            continue;
        buffer_format(e->b, "--FUNCTION %s\n", r->fn->name);
        TRY(explain_list(e, r, r->body, 2));
    }
    buffer_text(e->b, "--MAIN PROGRAM\n");
    return explain_list(e, main, main->body, 2);
}

/* ---- what fired ---- */

void explain_fired(Buffer *b, const Unit *unit)
{
    for (int k = 0; k < rewrite_count; k++)
        if (unit->fired[k])
            buffer_format(b, "# rewrite %s: %" PRId64 " times\n", rewrite_table[k].name,
                          unit->fired[k]);
    for (int k = 0; k < PASS_COUNT; k++)
        if (unit->pass_fired[k])
            buffer_format(b, "# pass %s: %" PRId64 " times\n", pass_table[k].name,
                          unit->pass_fired[k]);
}

static void explain_rule(Buffer *b, const RewriteInfo *rule)
{
    if (rule->pattern)
        buffer_format(b, "\t%s => %s  %s\n", rule->pattern, rule->replacement, rule->doc);
    else
        buffer_format(b, "\t%s\n", rule->doc);
}

/* Positions of one rule in the order of the text, each once with its count. */
static void explain_places(Buffer *b, const Unit *unit, int rule)
{
    for (int k = 0; k < unit->places.count; k++) {
        const Place *p = &unit->places.items[k];
        int times = 0, before = 0;

        if (p->rule != rule)
            continue;
        for (int j = 0; j < unit->places.count; j++) {
            const Place *q = &unit->places.items[j];
            const bool same = q->rule == rule && q->span.src == p->span.src &&
                              q->span.begin == p->span.begin && q->span.end == p->span.end;

            times += same;
            before += same && j < k;
        }
        if (before)
            continue;
        if (p->span.src)
            buffer_format(b, "%s:%d:%d", p->span.src->name, span_begin(p->span).line,
                          span_begin(p->span).column);
        buffer_format(b, "\t%d\t", times);
        buffer_format(b, "%s\t", rewrite_table[rule].name);
        source_text(b, p->span);
        explain_rule(b, &rewrite_table[rule]);
    }
}

void explain_rewrites(Buffer *b, const Unit *unit)
{
    Buffer lines = {0};

    buffer_text(&lines, "# where\ttimes\trule\twhat was written\twhat the rule does\n");
    for (int k = 0; k < rewrite_count; k++)
        explain_places(&lines, unit, k);
    buffer_columns(b, &lines);
    buffer_free(&lines);
    for (int k = 0; k < PASS_COUNT; k++)
        if (unit->pass_fired[k])
            buffer_format(b, "# pass %s: %" PRId64 " times\n", pass_table[k].name,
                          unit->pass_fired[k]);
}
