/* Cell code run step by step over chunks that stay in the first cache: the plain form of the loops
 * of pipelines, which is the oracle for the machine code of jit/.
 *
 * Each step is one of the loops of simd/cells.h over a chunk, so cells have the digits of the
 * operators one by one.  Rows that fit share a chunk; longer rows are cut at multiples of the
 * lanes, so that a cell's lane depends on its column alone.  Values that are one number throughout
 * a chunk stay numbers.
 *
 * An output may lie over an input: reductions of inputs come before the steps, cells are stored by
 * the last step or after it. */
#include "kernel/cellwise.h"
#include "kernel/code_lanes.h"
#include "kernel/fold.h"

#include <string.h>

enum { CHUNK = 512, VALUES = CODE_INPUTS + CODE_STEPS };

/* The cells of a value in the chunk; NULL: `number` throughout. */
typedef struct Term {
    const double *cells;
    double number;
} Term;

typedef struct Machine {
    const CellCode *code;
    CodeRun *run;
    int64_t row, rows, col, cols; /* the chunk */
    int64_t whole;                /* rows that the spread rows below hold */
    int stored;                   /* outputs of kind CODE_CELLS */
    int direct;                   /* the one that the last step stores itself, or -1 */
    Term terms[VALUES];
    double lanes[CODE_OUTPUTS][CODE_LANE_CELLS]; /* of rows that several chunks make */
    double buffers[VALUES][CHUNK];
} Machine;

static int64_t chunk_cells(const Machine *m)
{
    return m->rows * m->cols;
}

static void fill(double *out, double value, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = value;
}

/* ---- inputs ---- */

static double input_cell(const CodeInput *in, const CodeSource *from, int64_t at)
{
    return in->single ? (double)((const float *)from->cells)[at]
                      : ((const double *)from->cells)[at];
}

static void copy_cells(const CodeInput *in, const CodeSource *from, int64_t at, int64_t n,
                       double *out)
{
    if (in->single)
        cells_widen((const float *)from->cells + at, out, n);
    else
        memcpy(out, (const double *)from->cells + at, (size_t)n * sizeof *out);
}

/* Is input k stored as it is? Then its cells must not be read after a store. */
static bool is_stored(const Machine *m, int k)
{
    for (int o = 0; o < m->code->noutputs; o++)
        if (m->code->outputs[o].kind == CODE_CELLS && m->code->outputs[o].value == k)
            return true;
    return false;
}

static Term tile_term(Machine *m, int k)
{
    const CodeInput *in = &m->code->inputs[k];
    const CodeSource *from = &m->run->in[k];
    const int64_t at = m->row * from->stride + m->col;
    double *out = m->buffers[k];

    if (!in->single && (m->rows == 1 || from->stride == m->cols) &&
        !(m->stored > 1 && is_stored(m, k)))
        return (Term){(const double *)from->cells + at, 0};
    for (int64_t r = 0; r < m->rows; r++)
        copy_cells(in, from, at + r * from->stride, m->cols, out + r * m->cols);
    return (Term){out, 0};
}

/* A row over several rows was spread when the run began. */
static Term row_term(Machine *m, int k)
{
    const CodeInput *in = &m->code->inputs[k];
    const CodeSource *from = &m->run->in[k];

    if (m->whole > 1)
        return (Term){m->buffers[k], 0};
    if (!in->single)
        return (Term){(const double *)from->cells + m->col, 0};
    copy_cells(in, from, m->col, m->cols, m->buffers[k]);
    return (Term){m->buffers[k], 0};
}

static Term col_term(Machine *m, int k)
{
    const CodeInput *in = &m->code->inputs[k];
    const CodeSource *from = &m->run->in[k];
    double *out = m->buffers[k];

    if (m->rows == 1)
        return (Term){NULL, input_cell(in, from, m->row * from->stride)};
    for (int64_t r = 0; r < m->rows; r++)
        fill(out + r * m->cols, input_cell(in, from, (m->row + r) * from->stride), m->cols);
    return (Term){out, 0};
}

static Term input_term(Machine *m, int k)
{
    const CodeInput *in = &m->code->inputs[k];

    return in->kind == CODE_TILE  ? tile_term(m, k)
           : in->kind == CODE_ROW ? row_term(m, k)
           : in->kind == CODE_COL ? col_term(m, k)
                                  : (Term){NULL, input_cell(in, &m->run->in[k], 0)};
}

static void spread_rows(Machine *m)
{
    const CellCode *code = m->code;

    for (int k = 0; k < code->ninputs; k++)
        if (code->inputs[k].kind == CODE_ROW)
            for (int64_t r = 0; r < m->whole; r++)
                copy_cells(&code->inputs[k], &m->run->in[k], 0, m->run->cols,
                           m->buffers[k] + r * m->run->cols);
}

/* ---- steps ---- */

static double number_of(const CodeStep *s, const Term *x)
{
    const OpInfo *op = &op_table[s->op];

    return s->nin == 1        ? op->cell1(x[0].number)
           : s->nin == 2      ? op->cell2(x[0].number, x[1].number)
           : x[0].number != 0 ? x[1].number
                              : x[2].number;
}

static int64_t run_binary(CpuLevel level, OpCode code, const Term *x, double *out, int64_t n)
{
    const BinaryOp op = binary_op(level, code);

    if (!x[0].cells)
        return binary_sv(&op, x[0].number, x[1].cells, out, n);
    if (!x[1].cells)
        return binary_vs(&op, x[0].cells, x[1].number, out, n);
    return binary_vv(&op, x[0].cells, x[1].cells, out, n);
}

static double cell_of(Term x, int64_t i)
{
    return x.cells ? x.cells[i] : x.number;
}

static int64_t run_ifelse(const Term *x, double *out, int64_t n)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++) {
        out[i] = cell_of(x[0], i) != 0 ? cell_of(x[1], i) : cell_of(x[2], i);
        nnz += out[i] != 0;
    }
    return nnz;
}

/* Gives the nonzeros. */
static int64_t run_step(Machine *m, int k, double *out)
{
    const CodeStep *s = &m->code->steps[k];
    Term *to = &m->terms[m->code->ninputs + k], x[CODE_ARITY] = {{0}};
    bool number = true;

    for (int i = 0; i < s->nin; i++) {
        x[i] = m->terms[s->in[i]];
        number = number && !x[i].cells;
    }
    if (number) {
        *to = (Term){NULL, number_of(s, x)};
        return 0;
    }
    *to = (Term){out, 0};
    return s->nin == 1   ? cells_unary(m->run->level, s->op, x[0].cells, out, chunk_cells(m))
           : s->nin == 2 ? run_binary(m->run->level, s->op, x, out, chunk_cells(m))
                         : run_ifelse(x, out, chunk_cells(m));
}

/* ---- reductions ---- */

/* Cells of a row of the chunk as lanes: position j goes to lane j % 8. */
static void add_lanes(const double *x, int64_t n, double *s, double *c)
{
    for (int64_t j = 0; j < n; j += CODE_LANES)
        for (int64_t k = 0; k < min64(CODE_LANES, n - j); k++) {
            Sum2 lane = {s[k], c[k]};

            sum2_add(&lane, x[j + k]);
            s[k] = lane.s;
            c[k] = lane.c;
        }
}

static void pick_lanes(CodeOutputKind kind, const double *x, int64_t n, double *lanes)
{
    for (int64_t j = 0; j < n; j++)
        lanes[j % CODE_LANES] = code_pick(kind, lanes[j % CODE_LANES], x[j]);
}

static void fold_cells(CodeOutputKind kind, const double *x, int64_t n, double *lanes)
{
    if (kind == CODE_SUM)
        add_lanes(x, n, lanes, lanes + CODE_LANES);
    else
        pick_lanes(kind, x, n, lanes);
}

/* Pieces of rows; the lanes of rows that several chunks make last from the first to the last. */
static void fold_rows(Machine *m, int k, FoldKind fold, const double *x)
{
    const CodeOutputKind all = fold == FOLD_SUM ? CODE_SUM : fold == FOLD_MIN ? CODE_MIN : CODE_MAX;
    const CodeTarget *to = &m->run->out[k];
    double *out = (double *)to->cells + m->row * to->stride, *lanes = m->lanes[k];

    for (int64_t r = 0; r < m->rows; r++, x += m->cols) {
        if (m->col == 0)
            code_lanes_start(all, lanes);
        fold_cells(all, x, m->cols, lanes);
        if (m->col + m->cols == m->run->cols)
            out[r * to->stride] =
                all == CODE_SUM ? sum2_value(code_lanes_sum(lanes)) : code_lanes_pick(all, lanes);
    }
}

static void fold_columns_of(const Machine *m, FoldKind kind, const double *x, CodeTarget *to)
{
    double *s = (double *)to->cells + m->col;

    fold_get(m->run->level, kind)->down(x, m->rows, m->cols, m->cols, NULL, s, s + to->stride);
}

static const struct {
    FoldKind fold;
    int over; /* 0: all cells, 1: rows, 2: columns */
} reductions[] = {
    [CODE_SUM] = {FOLD_SUM, 0},     [CODE_MIN] = {FOLD_MIN, 0},     [CODE_MAX] = {FOLD_MAX, 0},
    [CODE_ROW_SUM] = {FOLD_SUM, 1}, [CODE_ROW_MIN] = {FOLD_MIN, 1}, [CODE_ROW_MAX] = {FOLD_MAX, 1},
    [CODE_COL_SUM] = {FOLD_SUM, 2}, [CODE_COL_MIN] = {FOLD_MIN, 2}, [CODE_COL_MAX] = {FOLD_MAX, 2},
};

/* Cells of a value, a number being spread. */
static const double *cells_of(Machine *m, int value)
{
    if (!m->terms[value].cells) {
        fill(m->buffers[value], m->terms[value].number, chunk_cells(m));
        return m->buffers[value];
    }
    return m->terms[value].cells;
}

static void reduce(Machine *m, int k)
{
    const CodeOutput *o = &m->code->outputs[k];
    const FoldKind fold = reductions[o->kind].fold;
    CodeTarget *to = &m->run->out[k];
    const double *x = cells_of(m, o->value);

    if (reductions[o->kind].over == 1)
        fold_rows(m, k, fold, x);
    else if (reductions[o->kind].over == 2)
        fold_columns_of(m, fold, x, to);
    else
        for (int64_t r = 0; r < m->rows; r++)
            fold_cells(o->kind, x + r * m->cols, m->cols, to->cells);
}

/* Reductions of inputs, or of steps. */
static void reduce_all(Machine *m, bool inputs)
{
    for (int k = 0; k < m->code->noutputs; k++)
        if (m->code->outputs[k].kind != CODE_CELLS &&
            (m->code->outputs[k].value < m->code->ninputs) == inputs)
            reduce(m, k);
}

/* ---- stored cells ---- */

static int64_t store_row(const CodeOutput *o, CodeTarget *to, int64_t at, const double *x,
                         int64_t n)
{
    if (o->single)
        return cells_narrow(x, (float *)to->cells + at, n);
    memcpy((double *)to->cells + at, x, (size_t)n * sizeof *x);
    return matrix_count_nnz(x, n);
}

static void store(Machine *m, int k)
{
    const CodeOutput *o = &m->code->outputs[k];
    CodeTarget *to = &m->run->out[k];
    const double *x = cells_of(m, o->value);

    for (int64_t r = 0; r < m->rows; r++)
        to->nnz += store_row(o, to, (m->row + r) * to->stride + m->col, x + r * m->cols, m->cols);
}

/* Can the last step write this output? The only one that is stored, its rows without gaps. */
static int direct_output(const Machine *m)
{
    const CellCode *code = m->code;

    for (int k = 0; m->stored == 1 && k < code->noutputs; k++)
        if (code->outputs[k].kind == CODE_CELLS && !code->outputs[k].single && code->nsteps > 0 &&
            code->outputs[k].value == code->ninputs + code->nsteps - 1)
            return k;
    return -1;
}

static void run_steps(Machine *m)
{
    const CellCode *code = m->code;

    for (int k = 0; k < code->nsteps; k++) {
        CodeTarget *to = m->direct >= 0 && k + 1 == code->nsteps ? &m->run->out[m->direct] : NULL;
        double *out = m->buffers[code->ninputs + k];

        if (to && (m->rows == 1 || to->stride == m->cols))
            out = (double *)to->cells + m->row * to->stride + m->col;
        else
            to = NULL;

        const int64_t nnz = run_step(m, k, out);

        if (to && m->terms[code->ninputs + k].cells)
            to->nnz += nnz;
    }
}

static bool lies_there(const Machine *m, int k)
{
    const CodeTarget *to = &m->run->out[k];

    return m->terms[m->code->outputs[k].value].cells ==
           (double *)to->cells + m->row * to->stride + m->col;
}

static void run_chunk(Machine *m)
{
    const CellCode *code = m->code;

    for (int k = 0; k < code->ninputs; k++)
        m->terms[k] = input_term(m, k);
    reduce_all(m, true);
    run_steps(m);
    reduce_all(m, false);
    for (int k = 0; k < code->noutputs; k++)
        if (code->outputs[k].kind == CODE_CELLS && !(k == m->direct && lies_there(m, k)))
            store(m, k);
}

static int count_stored(const CellCode *code)
{
    int n = 0;

    for (int k = 0; k < code->noutputs; k++)
        n += code->outputs[k].kind == CODE_CELLS;
    return n;
}

/* The machine is large, so only what needs it is set. */
void code_interpret(const CellCode *code, CodeRun *run)
{
    Machine m;

    m.code = code;
    m.run = run;
    m.whole = run->cols <= CHUNK ? min64(run->rows, CHUNK / run->cols) : 1;
    m.stored = count_stored(code);
    m.direct = direct_output(&m);
    if (m.whole > 1)
        spread_rows(&m);
    for (m.row = 0; m.row < run->rows; m.row += m.rows) {
        m.rows = min64(m.whole, run->rows - m.row);
        for (m.col = 0; m.col < run->cols; m.col += m.cols) {
            m.cols = min64(CHUNK, run->cols - m.col);
            run_chunk(&m);
        }
    }
}
