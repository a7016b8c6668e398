/* Pipelines: from a graph to steps over a tile of rows.
 *
 * Each value has a phase: that of the values it is made of, or the next one where these end a loop:
 * a row aggregate, a product, a column beside a matrix.  All cell-wise values of one phase and
 * width are one loop.  Phases are filled from the last to the first, so that a value is computed
 * only when a result or a later phase asks for it. What a later phase asks for is kept in scratch,
 * unless a cheap step or two make it again from what is at hand anyway.
 *
 * Values of one row that are made of other rows alone are computed once, before the tiles.
 *
 * Invariant: a step reads what steps before it wrote.  Cost: nodes times steps, once a program. */
#include "kernel/pipeline_impl.h"

#include <string.h>

enum { CHEAP = 2, DEAR = 100, STEP_BASE = 64 };

typedef struct Scheduler {
    const PipeGraph *g;
    PipeSchedule *out; /* steps are in reverse order until the end */
    int phases[PIPE_NODES];
    int costs[PIPE_NODES];     /* steps to make a value again */
    bool needed[PIPE_NODES];   /* rows and products that are read, cells that are stored */
    uint8_t slots[PIPE_NODES]; /* where stored values are */
    bool failed;
} Scheduler;

static const PipeNode *node_at(const Scheduler *s, int k)
{
    return &s->g->nodes[k];
}

/* Is the value there from the beginning? */
static bool is_load(const PipeNode *n)
{
    return n->scalar || n->kind == PIPE_OPERAND;
}

/* ---- phases ---- */

/* When a value with this phase can be read by a loop of this width and height. */
static int ready(const Scheduler *s, int k, const PipeNode *reader, int width)
{
    const PipeNode *n = node_at(s, k);

    if (is_load(n) || n->rows != reader->rows) /* values of one row come before all tiles */
        return 0;
    return s->phases[k] + !(n->kind == PIPE_CELL && n->width == width);
}

static int phase_of(const Scheduler *s, const PipeNode *n)
{
    int phase = 0;

    for (int k = 0; k < n->nin && !is_load(n); k++) {
        /* A product ends no loop but begins after one. */
        const int width = n->kind == PIPE_PRODUCT ? -1
                          : n->kind == PIPE_ROW   ? node_at(s, n->in[k])->width
                                                  : n->width;
        const int at = ready(s, n->in[k], n, width);

        phase = at > phase ? at : phase;
    }
    return phase;
}

static bool is_dear(OpCode op)
{
    return op_table[op].flops != NULL || op == OP_div || op == OP_pow || op == OP_mod ||
           op == OP_intdiv || op == OP_sqrt;
}

/* Of cells of one loop made of loads. */
static int cost_of(const Scheduler *s, const PipeNode *n)
{
    int cost = is_load(n) ? 0 : n->kind == PIPE_CELL && !is_dear(n->op) ? 1 : DEAR;

    for (int k = 0; k < n->nin && cost < DEAR; k++)
        if (!is_load(n))
            cost += node_at(s, n->in[k])->kind == PIPE_CELL ? s->costs[n->in[k]] : 0;
    return cost;
}

/* ---- places ---- */

static uint8_t slot_add(Scheduler *s, uint8_t rows, uint8_t width, uint8_t operand)
{
    PipeSchedule *out = s->out;

    if (out->nslots == PIPE_SLOTS) {
        s->failed = true;
        return 0;
    }
    out->slots[out->nslots] = (PipeSlot){rows, width, operand};
    return (uint8_t)out->nslots++;
}

static uint8_t unpacked_slot(Scheduler *s, const PipeNode *n)
{
    for (int k = 0; k < s->out->nslots; k++)
        if (s->out->slots[k].operand == n->operand)
            return (uint8_t)k;
    return slot_add(s, n->rows, n->width, n->operand);
}

/* The result that stores the node as it is, or PIPE_NONE: what later steps read is FP64. */
static uint8_t result_of(const Scheduler *s, int k)
{
    for (int r = 0; r < s->g->nresults && !s->g->shape.single; r++)
        if (s->g->results[r].kind == PIPE_CELLS && s->g->results[r].x == k)
            return (uint8_t)r;
    return PIPE_NONE;
}

/* Where a computed value is to be found by later steps, which makes it needed. */
static Place stored_place(Scheduler *s, int k)
{
    const PipeNode *n = node_at(s, k);
    const uint8_t result = result_of(s, k);

    s->needed[k] = true;
    if (result != PIPE_NONE)
        return (Place){PLACE_RESULT, result, n->rows, n->width};
    if (s->slots[k] == PIPE_NONE)
        s->slots[k] = slot_add(s, n->rows, n->width, PIPE_NONE);
    return (Place){PLACE_SLOT, s->slots[k], n->rows, n->width};
}

/* Where a loop, or a product, which needs cells, finds a value. */
static Place place_of(Scheduler *s, int k, bool cells)
{
    const PipeNode *n = node_at(s, k);
    const uint8_t format = s->g->shape.operands[n->operand].format;
    Place place = {PLACE_NUMBER, (uint8_t)k, n->rows, n->width};

    if (!is_load(n))
        return stored_place(s, k);
    if (n->scalar || (format == PIPE_CONSTANT && !cells))
        return place;
    if (format != PIPE_DENSE && !(format == PIPE_SINGLE && !cells))
        return (Place){PLACE_UNPACKED, unpacked_slot(s, n), n->rows, n->width};
    return (Place){PLACE_OPERAND, n->operand, n->rows, n->width};
}

/* Where a product finds a factor; sparse ones are read as they are when `sparse`. */
static Place factor_place(Scheduler *s, int k, bool sparse)
{
    const PipeNode *n = node_at(s, k);

    if (sparse && is_load(n) && s->g->shape.operands[n->operand].format == PIPE_CSR)
        return (Place){PLACE_SPARSE, n->operand, n->rows, n->width};
    return place_of(s, k, true);
}

/* ---- loops ---- */

typedef struct Loop {
    Scheduler *s;
    PipeStep *step;
    int phase, rows, width;
    uint8_t local[PIPE_NODES]; /* inputs from 0, steps from STEP_BASE */
} Loop;

static CodeInputKind input_kind(const Loop *l, Place p)
{
    const bool one = p.rows == PIPE_ONE && l->rows == PIPE_TALL;

    if (p.kind == PLACE_NUMBER || (p.rows == PIPE_ONE && p.width == 0))
        return CODE_NUMBER;
    return one ? CODE_ROW : p.width == l->width ? CODE_TILE : CODE_COL;
}

static uint8_t add_input(Loop *l, int k)
{
    CellCode *code = &l->step->code;
    const Place place = place_of(l->s, k, false);

    if (code->ninputs == CODE_INPUTS) {
        l->s->failed = true;
        return 0;
    }
    l->step->from[code->ninputs] = place;
    code->inputs[code->ninputs] =
        (CodeInput){.kind = input_kind(l, place),
                    .single = place.kind == PLACE_OPERAND &&
                              l->s->g->shape.operands[place.index].format == PIPE_SINGLE};
    return l->local[k] = (uint8_t)code->ninputs++;
}

static bool computed_here(const Loop *l, int k)
{
    const PipeNode *n = node_at(l->s, k);

    if (n->scalar || n->kind != PIPE_CELL || n->rows != l->rows || n->width != l->width)
        return false;
    return l->s->phases[k] == l->phase || l->s->costs[k] <= CHEAP;
}

static uint8_t add_value(Loop *l, int k)
{
    const PipeNode *n = node_at(l->s, k);
    CellCode *code = &l->step->code;
    CodeStep step = {.op = n->op, .nin = n->nin};

    if (l->local[k] != PIPE_NONE)
        return l->local[k];
    if (!computed_here(l, k))
        return add_input(l, k);
    for (int i = 0; i < n->nin; i++)
        step.in[i] = add_value(l, n->in[i]);
    if (code->nsteps == CODE_STEPS || l->s->failed) {
        l->s->failed = true;
        return 0;
    }
    code->steps[code->nsteps] = step;
    return l->local[k] = (uint8_t)(STEP_BASE + code->nsteps++);
}

static void add_output(Loop *l, CodeOutputKind kind, int value, Place to)
{
    CellCode *code = &l->step->code;
    const uint8_t v = add_value(l, value);

    if (code->noutputs == CODE_OUTPUTS) {
        l->s->failed = true;
        return;
    }
    l->step->to[code->noutputs] = to;
    code->outputs[code->noutputs++] = (CodeOutput){
        .kind = kind, .value = v, .single = to.kind == PLACE_RESULT && l->s->g->shape.single};
}

/* Steps are numbered after the inputs, of which only now all are known. */
static void number_values(CellCode *code)
{
    const int shift = STEP_BASE - code->ninputs;

    for (int k = 0; k < code->nsteps; k++)
        for (int i = 0; i < code->steps[k].nin; i++)
            if (code->steps[k].in[i] >= STEP_BASE)
                code->steps[k].in[i] = (uint8_t)(code->steps[k].in[i] - shift);
    for (int k = 0; k < code->noutputs; k++)
        if (code->outputs[k].value >= STEP_BASE)
            code->outputs[k].value = (uint8_t)(code->outputs[k].value - shift);
}

static void add_row_aggregates(Loop *l)
{
    Scheduler *s = l->s;

    for (int k = 0; k < s->g->nnodes; k++) {
        const PipeNode *n = node_at(s, k);

        if (n->kind == PIPE_ROW && s->needed[k] && n->rows == l->rows && s->phases[k] == l->phase &&
            node_at(s, n->in[0])->width == l->width)
            add_output(l,
                       n->op == OP_rowSums   ? CODE_ROW_SUM
                       : n->op == OP_rowMins ? CODE_ROW_MIN
                                             : CODE_ROW_MAX,
                       n->in[0], stored_place(s, k));
    }
}

/* Cells that a later phase, or a result, reads. */
static void add_stored(Loop *l)
{
    Scheduler *s = l->s;

    for (int k = 0; k < s->g->nnodes; k++)
        if (s->needed[k] && node_at(s, k)->kind == PIPE_CELL && node_at(s, k)->rows == l->rows &&
            node_at(s, k)->width == l->width && s->phases[k] == l->phase)
            add_output(l, CODE_CELLS, k, stored_place(s, k));
}

static CodeOutputKind reduction(const PipeResult *r, int width)
{
    const bool column = r->kind == PIPE_COLUMN && width != 0;

    if (r->fold == CODE_SUM)
        return column ? CODE_COL_SUM : CODE_SUM;
    return r->fold == CODE_MIN ? (column ? CODE_COL_MIN : CODE_MIN)
                               : (column ? CODE_COL_MAX : CODE_MAX);
}

static void add_reductions(Loop *l)
{
    Scheduler *s = l->s;

    for (int k = 0; k < s->g->nresults; k++) {
        const PipeResult *r = &s->g->results[k];
        const PipeNode *x = node_at(s, r->x);

        if ((r->kind == PIPE_FULL || r->kind == PIPE_COLUMN) && l->rows == PIPE_TALL &&
            x->width == l->width && ready(s, r->x, x, x->width) == l->phase)
            add_output(l, reduction(r, x->width), r->x,
                       (Place){PLACE_PARTIAL, (uint8_t)k, PIPE_TALL, x->width});
    }
}

/* Results that copy an operand, second results of a value, and all in FP32. */
static void add_copies(Loop *l)
{
    Scheduler *s = l->s;

    for (int k = 0; k < s->g->nresults; k++) {
        const PipeResult *r = &s->g->results[k];
        const PipeNode *x = node_at(s, r->x);

        if (r->kind == PIPE_CELLS && l->rows == PIPE_TALL && x->width == l->width &&
            (is_load(x) || result_of(s, r->x) != k) && ready(s, r->x, x, x->width) == l->phase)
            add_output(l, CODE_CELLS, r->x, (Place){PLACE_RESULT, (uint8_t)k, PIPE_TALL, x->width});
    }
}

static bool has_rows(const CellCode *code)
{
    for (int k = 0; k < code->noutputs; k++)
        if (code->outputs[k].kind >= CODE_ROW_SUM && code->outputs[k].kind <= CODE_ROW_MAX)
            return true;
    return false;
}

static PipeStep *step_add(Scheduler *s, StepKind kind, int rows)
{
    PipeStep *step = &s->out->steps[s->out->nsteps];

    if (s->out->nsteps == PIPE_STEPS) {
        s->failed = true;
        return step - 1;
    }
    memset(step, 0, sizeof *step);
    step->kind = (uint8_t)kind;
    step->before = rows == PIPE_ONE;
    s->out->nsteps++;
    return step;
}

static void add_loop(Scheduler *s, int phase, int rows, int width)
{
    Loop l = {.s = s, .phase = phase, .rows = rows, .width = width};

    l.step = step_add(s, STEP_LOOP, rows);
    l.step->width = (uint8_t)width;
    memset(l.local, PIPE_NONE, sizeof l.local);
    add_row_aggregates(&l);
    add_stored(&l);
    add_reductions(&l);
    add_copies(&l);
    if (s->failed)
        return;
    l.step->vector = width == 0 && !has_rows(&l.step->code);
    number_values(&l.step->code);
    if (l.step->code.noutputs == 0)
        s->out->nsteps--;
}

/* ---- products ---- */

static void add_products(Scheduler *s, int phase, int rows)
{
    for (int k = 0; k < s->g->nnodes; k++) {
        const PipeNode *n = node_at(s, k);
        PipeStep *step;

        if (n->kind != PIPE_PRODUCT || !s->needed[k] || n->rows != rows || s->phases[k] != phase)
            continue;
        step = step_add(s, STEP_PRODUCT, rows);
        step->operand = n->operand;
        step->transposed = n->transposed;
        step->x = factor_place(s, n->in[0], true);
        step->out = stored_place(s, k);
        s->out->whole[n->operand] = true;
    }
}

static int cross_phase(const Scheduler *s, const PipeResult *r)
{
    const int x = ready(s, r->x, node_at(s, r->x), -1), y = ready(s, r->y, node_at(s, r->y), -1);

    return x > y ? x : y;
}

static void add_crosses(Scheduler *s, int phase)
{
    for (int k = 0; k < s->g->nresults; k++) {
        const PipeResult *r = &s->g->results[k];
        PipeStep *step;

        if (r->kind != PIPE_CROSS || cross_phase(s, r) != phase)
            continue;
        step = step_add(s, STEP_CROSS, PIPE_TALL);
        step->x = factor_place(s, r->x, true);
        step->y = factor_place(s, r->y, step->x.kind != PLACE_SPARSE);
        step->out = (Place){PLACE_PARTIAL, (uint8_t)k, PIPE_TALL, node_at(s, r->y)->width};
    }
}

/* ---- the whole ---- */

static int count_widths(const PipeGraph *g)
{
    int n = 0;

    for (int k = 0; k < g->nnodes; k++)
        n = g->nodes[k].width > n ? g->nodes[k].width : n;
    return n + 1;
}

static void add_phase(Scheduler *s, int phase, int rows)
{
    const int widths = count_widths(s->g);

    if (rows == PIPE_TALL)
        add_crosses(s, phase);
    add_products(s, phase, rows);
    for (int width = 0; width < widths && !s->failed; width++)
        add_loop(s, phase, rows, width);
}

static void reverse_steps(PipeSchedule *out)
{
    for (int i = 0, j = out->nsteps - 1; i < j; i++, j--) {
        const PipeStep step = out->steps[i];

        out->steps[i] = out->steps[j];
        out->steps[j] = step;
    }
}

static void note_read(PipeSchedule *out, Place p, int step)
{
    if (p.kind == PLACE_OPERAND)
        out->last_read[p.index] = (uint8_t)step;
}

/* Who reads an operand first gets its cells from memory. */
static void note_input(PipeSchedule *out, int k, int i)
{
    const Place from = out->steps[k].from[i];
    CodeInput *in = &out->steps[k].code.inputs[i];

    in->ahead = in->kind == CODE_TILE && from.kind == PLACE_OPERAND &&
                out->last_read[from.index] == PIPE_NONE;
    note_read(out, from, k);
}

static void note_reads(PipeSchedule *out)
{
    memset(out->last_read, PIPE_NONE, sizeof out->last_read);
    for (int k = 0; k < out->nsteps; k++) {
        const PipeStep *step = &out->steps[k];

        for (int i = 0; i < step->code.ninputs; i++)
            note_input(out, k, i);
        if (step->kind != STEP_LOOP)
            note_read(out, step->x, k);
        if (step->kind == STEP_CROSS)
            note_read(out, step->y, k);
    }
}

static bool runs_flat(const PipeSchedule *out)
{
    const PipeStep *step = &out->steps[0];

    if (out->nsteps != 1 || step->kind != STEP_LOOP || has_rows(&step->code))
        return false;
    for (int k = 0; k < step->code.ninputs; k++)
        if (step->from[k].kind == PLACE_UNPACKED ||
            (step->code.inputs[k].kind != CODE_TILE && step->code.inputs[k].kind != CODE_NUMBER))
            return false;
    for (int k = 0; k < step->code.noutputs; k++)
        if (step->code.outputs[k].kind >= CODE_COL_SUM)
            return false;
    return true;
}

/* Loops alone, all as wide, none of which needs a row whole. */
static bool runs_by_strips(const PipeSchedule *out)
{
    int width = 0;

    for (int k = 0; k < out->nsteps; k++) {
        const PipeStep *step = &out->steps[k];

        if (step->before)
            continue;
        if (step->kind != STEP_LOOP || has_rows(&step->code) ||
            (width && step->width && width != step->width))
            return false;
        width = step->width ? step->width : width;
    }
    for (int k = 0; k < out->nslots; k++)
        if (out->slots[k].operand != PIPE_NONE)
            return false;
    return true;
}

/* Loops with aggregates of columns, of cells and numbers alone. */
static bool runs_by_sides(const PipeSchedule *out)
{
    bool columns = false;

    for (int k = 0; k < out->nsteps; k++) {
        const CellCode *code = &out->steps[k].code;

        for (int i = 0; i < code->ninputs && !out->steps[k].before; i++)
            if (code->inputs[i].kind == CODE_ROW || code->inputs[i].kind == CODE_COL)
                return false;
        for (int i = 0; i < code->noutputs; i++)
            columns = columns || code->outputs[i].kind >= CODE_COL_SUM;
    }
    return columns && out->by_strips;
}

static bool is_drivable(const PipeSchedule *out)
{
    const CellCode *code = &out->steps[0].code;
    bool sparse = false;

    for (int k = 0; k < out->nslots; k++)
        sparse = sparse || out->slots[k].operand != PIPE_NONE;
    for (int k = 0; k < code->noutputs; k++)
        if (code->outputs[k].kind >= CODE_ROW_SUM)
            return false;
    return sparse && out->nsteps == 1 && out->steps[0].kind == STEP_LOOP;
}

/* At the nonzeros every input has a cell of its own but numbers; gathered cells and sparse results
 * are FP64. */
static void make_driven(PipeSchedule *out)
{
    out->driven = out->steps[0].code;
    for (int k = 0; k < out->driven.ninputs; k++) {
        if (out->driven.inputs[k].kind != CODE_NUMBER)
            out->driven.inputs[k].kind = CODE_TILE;
        out->driven.inputs[k].single = false;
    }
    for (int k = 0; k < out->driven.noutputs; k++)
        out->driven.outputs[k].single = false;
}

/* Phases and costs of all nodes; the last phase. */
static int find_phases(Scheduler *s)
{
    int last = 0;

    for (int k = 0; k < s->g->nnodes; k++) {
        s->phases[k] = phase_of(s, node_at(s, k));
        s->costs[k] = cost_of(s, node_at(s, k));
        last = s->phases[k] > last ? s->phases[k] : last;
    }
    return last + 1; /* reductions of a product come after it */
}

void pipeline_schedule(const PipeGraph *g, PipeSchedule *out)
{
    Scheduler s = {.g = g, .out = out};
    const int last = find_phases(&s);

    out->nsteps = out->nslots = 0;
    memset(out->whole, 0, sizeof out->whole);
    memset(s.slots, PIPE_NONE, sizeof s.slots);
    for (int k = 0; k < g->nresults; k++)
        if (g->results[k].kind == PIPE_CELLS && result_of(&s, g->results[k].x) != PIPE_NONE &&
            !is_load(&g->nodes[g->results[k].x]))
            s.needed[g->results[k].x] = true;
    for (int rows = PIPE_TALL; rows >= PIPE_ONE; rows--)
        for (int phase = last; phase >= 0 && !s.failed; phase--)
            add_phase(&s, phase, rows);
    out->too_large = s.failed;
    if (s.failed)
        return;
    reverse_steps(out);
    note_reads(out);
    out->flat = runs_flat(out);
    out->by_strips = runs_by_strips(out);
    out->by_sides = runs_by_sides(out);
    out->drivable = is_drivable(out);
    if (out->drivable)
        make_driven(out);
}
