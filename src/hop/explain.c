/* DAGs and program blocks as text, for -explain hops. */
#include "hop/hop.h"

void explain_bytes(Buffer *b, double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    int u = 0;

    if (bytes < 0) {
        buffer_text(b, " [?]");
        return;
    }
    while (bytes >= 1024 && u < 5) {
        bytes /= 1024;
        u++;
    }
    buffer_format(b, u ? " [%.1f %s]" : " [%.0f %s]", bytes, units[u]);
}

static void size(Buffer *b, int64_t n)
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
        size(b, d.rows);
        buffer_text(b, ",");
        size(b, d.cols);
        buffer_text(b, ",");
        size(b, d.nnz);
        buffer_text(b, "]");
    } else if (dt == DT_SCALAR) {
        buffer_text(b, vt == VT_UNKNOWN || vt == VT_NONE ? "scalar" : value_type_name(vt));
    } else {
        buffer_text(b, dt == DT_LIST ? "list" : "unknown");
    }
}

static void indentation(Buffer *b, int depth)
{
    for (int k = 0; k < depth; k++)
        buffer_text(b, "--");
}

static const char *slot_name(const Routine *r, int slot)
{
    return slot >= 0 && slot < r->nslots && r->names[slot] ? r->names[slot] : "_tmp";
}

static void explain_node(Buffer *b, const Routine *r, const Hop *h)
{
    buffer_format(b, "(%d) ", h->id);
    if (h->kind == HOP_READ) {
        buffer_format(b, "read %s", slot_name(r, h->slot));
    } else if (h->kind == HOP_LITERAL) {
        buffer_text(b, "literal ");
        if (h->lit.vt == VT_STRING)
            buffer_format(b, "\"%.*s\"", (int)(h->lit.s->size > 24 ? 24 : h->lit.s->size),
                          h->lit.s->text);
        else
            scalar_print(b, h->lit);
    } else if (h->kind == HOP_RESULT) {
        buffer_format(b, "result %d (%d)", h->index + 1, h->in[0]->id);
    } else {
        buffer_text(b, op_label(hop_info(h)));
        for (int k = 0; k < h->nin; k++)
            buffer_format(b, h->in[k] ? " (%d)" : " -", h->in[k] ? h->in[k]->id : 0);
    }
    buffer_text(b, "  ");
    explain_dims(b, h->dt, h->vt, h->dims);
    if (h->dt == DT_MATRIX)
        explain_bytes(b, h->bytes);
    buffer_text(b, "\n");
}

static void explain_dag(Buffer *b, const Routine *r, const Dag *dag, int depth)
{
    for (int k = 0; k < dag->count; k++) {
        indentation(b, depth);
        explain_node(b, r, dag->nodes[k]);
    }
    for (int k = 0; k < dag->nroots; k++)
        if (dag->roots[k].slot >= 0) {
            indentation(b, depth);
            buffer_format(b, "%s = (%d)\n", slot_name(r, dag->roots[k].slot),
                          dag->roots[k].hop->id);
        }
}

static void explain_list(Buffer *b, const Routine *r, BlockList list, int depth);

static void part(Buffer *b, const Routine *r, const char *title, BlockList list, int depth)
{
    if (!list.count)
        return;
    indentation(b, depth);
    buffer_format(b, "%s\n", title);
    explain_list(b, r, list, depth + 1);
}

static void explain_call(Buffer *b, const Routine *r, const Block *block, int depth)
{
    const Function *fn = block->fn->matrix   ? block->fn->matrix
                         : block->fn->scalar ? block->fn->scalar
                                             : block->fn->frame;

    indentation(b, depth);
    buffer_format(b, "CALL %s (", fn->name);
    for (int k = 0; k < block->nargs; k++) {
        buffer_text(b, k ? ", " : "");
        if (block->args[k].slot >= 0)
            buffer_text(b, slot_name(r, block->args[k].slot));
        else
            scalar_print(b, block->args[k].lit);
    }
    buffer_text(b, ")");
    for (int k = 0; k < block->ntargets; k++)
        buffer_format(b, "%s%s", k ? ", " : " -> ",
                      block->targets[k] < 0 ? "-" : slot_name(r, block->targets[k]));
    buffer_text(b, "\n");
}

static void explain_block(Buffer *b, const Routine *r, const Block *block, int depth)
{
    int first = span_begin(block->span).line, last = span_end(block->span).line;

    if (block->kind == BLOCK_CALL) {
        explain_call(b, r, block, depth);
        return;
    }
    indentation(b, depth);
    switch (block->kind) {
    case BLOCK_BASIC:
        buffer_format(b, "GENERIC (lines %d-%d)%s\n", first, last,
                      block->sizes_known ? "" : " [planned again on entry]");
        explain_dag(b, r, block->dag, depth + 1);
        return;
    case BLOCK_IF:
        buffer_format(b, "IF (lines %d-%d)\n", first, last);
        break;
    case BLOCK_WHILE:
        buffer_format(b, "WHILE (lines %d-%d)\n", first, last);
        break;
    case BLOCK_FOR:
        buffer_format(b, "%s %s (lines %d-%d)%s\n", block->parallel ? "PARFOR" : "FOR",
                      slot_name(r, block->loop_slot), first, last,
                      block->parallel ? " [runs as a for loop in this version]" : "");
        break;
    case BLOCK_CALL:
        break;
    }
    part(b, r, block->kind == BLOCK_FOR ? "BOUNDS" : "CONDITION", block->pred, depth + 1);
    part(b, r, block->kind == BLOCK_IF ? "THEN" : "BODY", block->body, depth + 1);
    part(b, r, "ELSE", block->orelse, depth + 1);
}

static void explain_list(Buffer *b, const Routine *r, BlockList list, int depth)
{
    for (int k = 0; k < list.count; k++)
        explain_block(b, r, list.items[k], depth);
}

void explain_hops(Buffer *b, const Unit *unit, const Routine *main)
{
    buffer_text(b, "# EXPLAIN (HOPS): (id) operator (inputs)  [rows,cols,nnz] [memory]\nPROGRAM\n");
    for (const Routine *r = unit->routines; r; r = r->next) {
        if (r == main || !r->settled)
            continue;
        buffer_format(b, "--FUNCTION %s\n", r->fn->name);
        explain_list(b, r, r->body, 2);
    }
    buffer_text(b, "--MAIN PROGRAM\n");
    explain_list(b, main, main->body, 2);
    for (int k = 0; k < rewrite_count; k++)
        if (unit->fired[k])
            buffer_format(b, "# rewrite %s: %" PRId64 " times\n", rewrite_table[k].name,
                          unit->fired[k]);
    for (int k = 0; k < PASS_COUNT; k++)
        if (unit->pass_fired[k])
            buffer_format(b, "# pass %s: %" PRId64 " times\n", pass_table[k].name,
                          unit->pass_fired[k]);
}
