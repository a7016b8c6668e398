/* Pipelines: the steps of a schedule on one tile of rows.
 *
 * A loop gets the addresses of its inputs and outputs at the tile; products are in
 * pipeline_product.c. */
#include "kernel/code_lanes.h"
#include "kernel/pipeline_impl.h"

#include <string.h>

/* ---- addresses ---- */

static int64_t width_of(const PipeTile *t, Place p)
{
    return t->run->sizes[p.width];
}

static double *scratch_of(const PipeTile *t, Place p)
{
    const PipeRun *r = t->run;

    return (p.rows == PIPE_ONE ? r->before : t->scratch) + r->slot_at[p.index];
}

static double *partial_of(const PipeTile *t, Place p)
{
    return t->run->partials[p.index] + t->block * t->run->partial_cells[p.index];
}

/* The value's first cell in the tile; rows lie width_of() apart. */
void *pipeline_cells(const PipeTile *t, Place p)
{
    const int64_t col = p.width ? t->col : 0;
    const int64_t row = p.rows == PIPE_ONE ? 0 : t->row * width_of(t, p);

    switch ((PlaceKind)p.kind) {
    case PLACE_OPERAND:
        return matrix_at(t->run->operands[p.index], row + col);
    case PLACE_RESULT:
        return matrix_at(t->run->results[p.index], row + col);
    case PLACE_NUMBER:
        return t->run->numbers + p.index;
    case PLACE_PARTIAL:
        return partial_of(t, p);
    default:
        return scratch_of(t, p) + col;
    }
}

/* ---- loops ---- */

static bool is_row_output(CodeOutputKind kind)
{
    return kind >= CODE_ROW_SUM && kind <= CODE_ROW_MAX;
}

/* Aggregates of rows without cells are 0. */
static void clear_row_outputs(const PipeTile *t, const PipeStep *s)
{
    for (int k = 0; k < s->code.noutputs; k++)
        if (is_row_output(s->code.outputs[k].kind))
            memset(pipeline_cells(t, s->to[k]), 0, (size_t)t->rows * sizeof(double));
}

void pipeline_loop(const PipeProgram *p, int k, CodeRun *run)
{
    const CodeFn fn = atomic_load_explicit(&p->fns[k], memory_order_acquire);

    if (fn)
        fn(run);
    else
        code_interpret(k < PIPE_STEPS ? &p->schedule.steps[k].code : &p->schedule.driven, run);
}

static void call_loop(PipeTile *t, int k, CodeRun *run)
{
    const PipeStep *s = &t->run->p->schedule.steps[k];

    pipeline_loop(t->run->p, k, run);
    for (int i = 0; i < s->code.noutputs; i++)
        if (s->code.outputs[i].kind == CODE_CELLS && s->to[i].kind == PLACE_RESULT)
            t->nnz[s->to[i].index] += run->out[i].nnz;
}

/* Lanes of all cells, or columns from the tile's first on: of rows side by side or, behind them, of
 * those left over. */
static double *partial_cells(const PipeTile *t, CodeOutputKind kind, Place p, int64_t side)
{
    double *cells = partial_of(t, p);

    if (kind < CODE_COL_SUM)
        return cells;
    return cells + t->col + (side < t->run->side ? 2 * t->run->side * width_of(t, p) : 0);
}

static int64_t loop_cols(const PipeTile *t, const PipeStep *s)
{
    if (s->vector)
        return t->rows;
    return s->width && !s->before && t->run->tile_cols ? t->cols : t->run->sizes[s->width];
}

/* On rows of the tile, `side` of them as one. */
static void run_rows(PipeTile *t, int k, int64_t side)
{
    const PipeStep *s = &t->run->p->schedule.steps[k];
    CodeRun run;

    run.level = cpu_level(t->run->ctx);
    run.memory = t->run->far && !s->before ? CODE_FAR : CODE_NEAR;
    run.rows = s->vector ? 1 : t->rows / side;
    run.cols = loop_cols(t, s) * side;
    for (int i = 0; i < s->code.ninputs; i++)
        run.in[i] = (CodeSource){pipeline_cells(t, s->from[i]), width_of(t, s->from[i]) * side};
    for (int i = 0; i < s->code.noutputs; i++) {
        const Place to = s->to[i];
        void *cells = to.kind == PLACE_PARTIAL ? partial_cells(t, s->code.outputs[i].kind, to, side)
                                               : pipeline_cells(t, to);

        run.out[i] = (CodeTarget){cells, width_of(t, to) * side, 0};
    }
    call_loop(t, k, &run);
}

/* Rows that are left over come at the end of the last tile. */
static void run_sides(PipeTile *t, int k)
{
    const int64_t rows = t->rows, row = t->row, rest = rows % t->run->side;

    t->rows -= rest;
    if (t->rows > 0)
        run_rows(t, k, t->run->side);
    t->row += t->rows;
    t->rows = rest;
    if (rest > 0)
        run_rows(t, k, 1);
    t->row = row;
    t->rows = rows;
}

static void run_loop(PipeTile *t, int k)
{
    const PipeStep *s = &t->run->p->schedule.steps[k];

    if (s->vector && t->col > 0) /* done with the first strip */
        return;
    if (loop_cols(t, s) == 0)
        clear_row_outputs(t, s);
    else if (t->run->side > 1 && s->width && !s->before)
        run_sides(t, k);
    else
        run_rows(t, k, 1);
}

static void *flat_cells(const PipeTile *t, Place p)
{
    switch ((PlaceKind)p.kind) {
    case PLACE_OPERAND:
        return matrix_at(t->run->operands[p.index], t->col);
    case PLACE_RESULT:
        return matrix_at(t->run->results[p.index], t->col);
    default:
        return pipeline_cells(t, p);
    }
}

/* Results past the caches, unless they take the place of an operand. */
static CodeMemory flat_memory(const PipeTile *t, const CodeRun *run)
{
    const CellCode *code = &t->run->p->schedule.steps[0].code;

    if (!t->run->far)
        return CODE_NEAR;
    for (int o = 0; o < code->noutputs; o++) {
        if (code->outputs[o].kind != CODE_CELLS)
            continue;
        if ((uintptr_t)run->out[o].cells % 64 != 0)
            return CODE_FAR;
        for (int i = 0; i < code->ninputs; i++)
            if (run->in[i].cells == run->out[o].cells)
                return CODE_FAR;
    }
    return CODE_STREAM;
}

void pipeline_flat_tile(PipeTile *t)
{
    const PipeStep *s = &t->run->p->schedule.steps[0];
    CodeRun run;

    run.level = cpu_level(t->run->ctx);
    run.rows = 1;
    run.cols = t->cols;
    for (int i = 0; i < s->code.ninputs; i++)
        run.in[i] = (CodeSource){flat_cells(t, s->from[i]), t->cols};
    for (int i = 0; i < s->code.noutputs; i++)
        run.out[i] = (CodeTarget){flat_cells(t, s->to[i]), t->cols, 0};
    run.memory = flat_memory(t, &run);
    call_loop(t, 0, &run);
}

/* ---- sparse, constant and FP32 operands as cells ---- */

void pipeline_unpack(const Matrix *m, int64_t row, int64_t rows, double *out)
{
    if (m->cols == 0)
        return;
    if (m->format == MATRIX_CONSTANT) {
        for (int64_t i = 0; i < rows * m->cols; i++)
            out[i] = m->constant;
        return;
    }
    if (m->format == MATRIX_DENSE) {
        cells_widen(m->singles + row * m->cols, out, rows * m->cols);
        return;
    }
    memset(out, 0, (size_t)(rows * m->cols) * sizeof *out);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = m->row_ptr[row + i]; k < m->row_ptr[row + i + 1]; k++)
            out[i * m->cols + m->col_idx[k]] = m->values[k];
}

static void unpack(PipeTile *t, PipeRows rows)
{
    const PipeSchedule *s = &t->run->p->schedule;

    for (int k = 0; k < s->nslots; k++)
        if (s->slots[k].operand != PIPE_NONE && s->slots[k].rows == rows)
            pipeline_unpack(t->run->operands[s->slots[k].operand], t->row, t->rows,
                            scratch_of(t, (Place){.index = (uint8_t)k, .rows = (uint8_t)rows}));
}

/* ---- all steps ---- */

void pipeline_tile(PipeTile *t, bool before)
{
    const PipeSchedule *s = &t->run->p->schedule;

    unpack(t, before ? PIPE_ONE : PIPE_TALL);
    for (int k = 0; k < s->nsteps; k++) {
        const PipeStep *step = &s->steps[k];

        if (step->before != before)
            continue;
        if (step->kind == STEP_LOOP)
            run_loop(t, k);
        else if (step->kind == STEP_PRODUCT)
            pipeline_product(t, k);
        else
            pipeline_cross(t, step);
    }
}
