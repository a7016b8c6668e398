/* Pipelines: the results, from where the tiles store them or from partial results merged in order.
 *
 * A result of cells is written over an operand that dies with the call when no later step reads the
 * operand and the step that stores the result reads it cell by cell. */
#include "kernel/code_lanes.h"
#include "kernel/fold.h"
#include "kernel/matmult.h"
#include "kernel/pipeline_impl.h"

#include <string.h>

static int64_t width_of(const PipeRun *r, int node)
{
    return r->sizes[r->p->graph.nodes[node].width];
}

/* ---- before the tiles ---- */

/* The last step that stores the result, and whether it is a loop that reads operand k at most cell
 * by cell. */
static int storing_step(const PipeSchedule *s, int result, int operand, bool *by_cells)
{
    for (int k = s->nsteps - 1; k >= 0; k--) {
        const PipeStep *step = &s->steps[k];

        *by_cells = step->kind == STEP_LOOP;
        for (int i = 0; i < step->code.ninputs; i++)
            if (step->from[i].kind == PLACE_OPERAND && step->from[i].index == operand)
                *by_cells = *by_cells && step->code.inputs[i].kind == CODE_TILE;
        for (int i = 0; i < step->code.noutputs; i++)
            if (step->to[i].kind == PLACE_RESULT && step->to[i].index == result) {
                *by_cells = *by_cells && step->code.outputs[i].kind == CODE_CELLS;
                return k;
            }
        if (step->kind == STEP_PRODUCT && step->out.kind == PLACE_RESULT &&
            step->out.index == result)
            return k;
    }
    return -1;
}

static bool may_overwrite(const PipeRun *r, int result, int operand)
{
    const PipeSchedule *s = &r->p->schedule;
    const int last = s->last_read[operand];
    bool by_cells = false;
    const int step = storing_step(s, result, operand, &by_cells);

    for (int k = 0; k < PIPELINE_OPERANDS; k++)
        if (k != operand && r->operands[k] == r->operands[operand])
            return false;
    for (int k = 0; k < r->p->graph.nresults; k++)
        if (r->results[k] == r->operands[operand])
            return false;
    if (s->whole[operand] || last == PIPE_NONE)
        return false;
    return last < step || (last == step && by_cells);
}

static ml_status new_result(Ctx *ctx, const OpCall *call, PipeRun *r, int k)
{
    const int64_t cols = width_of(r, r->p->graph.results[k].x);
    const bool single = r->p->graph.shape.single;

    for (int i = 1; i < call->nin && i <= PIPELINE_OPERANDS; i++) {
        Matrix *m = call_reusable(call, i);

        if (m && m == r->operands[i - 1] && (m->singles != NULL) == single && m->rows == r->rows &&
            m->cols == cols && may_overwrite(r, k, i - 1)) {
            r->results[k] = matrix_retain(m);
            return ML_OK;
        }
    }
    return matrix_new_dense_of(ctx, single ? CELL_FP32 : CELL_FP64, r->rows, cols, &r->results[k]);
}

static void start_cells(double *cells, int64_t n, double start)
{
    for (int64_t j = 0; j < n; j++)
        cells[j] = start;
}

ml_status pipeline_new_partials(Ctx *ctx, PipeRun *r, int k)
{
    const PipeResult *result = &r->p->graph.results[k];
    const int64_t cells = r->partial_cells[k], cols = width_of(r, result->x);
    const bool columns = result->kind == PIPE_COLUMN && cols > 1;
    const int64_t sums = columns ? cols * r->side : cells / 2;

    TRY(partials_new(ctx, r->blocks, cells, &r->partials[k]));
    memset(r->partials[k], 0, (size_t)(r->blocks * cells) * sizeof(double));
    if (result->kind == PIPE_CROSS || result->fold == CODE_SUM)
        return ML_OK;
    for (int64_t b = 0; b < r->blocks; b++) {
        double *s = r->partials[k] + b * cells;

        start_cells(s, sums, code_start(result->fold));
        if (r->side > 1)
            start_cells(s + 2 * sums, cols, code_start(result->fold));
    }
    return ML_OK;
}

ml_status pipeline_new_results(Ctx *ctx, const OpCall *call, PipeRun *r)
{
    for (int k = 0; k < r->p->graph.nresults; k++)
        TRY(r->p->graph.results[k].kind == PIPE_CELLS ? new_result(ctx, call, r, k)
                                                      : pipeline_new_partials(ctx, r, k));
    return ML_OK;
}

/* ---- after the tiles ---- */

/* Only joins what the tiles left, which has no vectors. */
static const Fold *fold_of(const PipeResult *result)
{
    return fold_get(CPU_PLAIN, result->fold == CODE_SUM   ? FOLD_SUM
                               : result->fold == CODE_MIN ? FOLD_MIN
                                                          : FOLD_MAX);
}

/* An extreme is s alone: adding to it would take the sign off a zero. */
static double value_of(const PipeResult *result, Sum2 sum)
{
    return result->fold == CODE_SUM ? sum2_value(sum) : sum.s;
}

static double full_value(const PipeRun *r, int k)
{
    const PipeResult *result = &r->p->graph.results[k];
    const Fold *f = fold_of(result);
    Sum2 sum = fold_start(f);

    for (int64_t b = 0; b < r->blocks; b++) {
        const double *lanes = r->partials[k] + b * r->partial_cells[k];

        f->merge(&sum, result->fold == CODE_SUM ? code_lanes_sum(lanes)
                                                : (Sum2){code_lanes_pick(result->fold, lanes), 0});
    }
    fold_repeat(f, 0, r->zeros, 0, &sum);
    if (!result->mean)
        return value_of(result, sum);
    return sum2_value(sum) / ((double)r->rows * (double)width_of(r, result->x));
}

/* Column j of `cols` in the partial result of each block. */
static Sum2 merged_column(const PipeRun *r, int k, const Fold *f, int64_t cols, int64_t j)
{
    const double *s = r->partials[k] + j, *c = s + cols;
    const int64_t step = r->partial_cells[k];
    Sum2 sum = {*s, *c};

    for (int64_t b = 1; b < r->blocks; b++)
        f->merge(&sum, (Sum2){s[b * step], c[b * step]});
    return sum;
}

/* Rows side by side are merged, then what was left over, which only the last block has. */
static Sum2 column_sum(const PipeRun *r, int k, const Fold *f, int64_t cols, int64_t j)
{
    const int64_t wide = r->side * cols;
    const double *rest = r->partials[k] + (r->blocks - 1) * r->partial_cells[k] + 2 * wide;
    Sum2 sum = merged_column(r, k, f, wide, j);

    for (int64_t i = 1; i < r->side; i++)
        f->merge(&sum, merged_column(r, k, f, wide, i * cols + j));
    if (r->side > 1)
        f->merge(&sum, (Sum2){rest[j], rest[cols + j]});
    return sum;
}

/* Of one column it is an aggregate over all cells. */
static void column_values(const PipeRun *r, int k, double *out)
{
    const PipeResult *result = &r->p->graph.results[k];
    const int64_t cols = width_of(r, result->x);
    const Fold *f = fold_of(result);

    if (r->p->graph.nodes[result->x].width == 0) {
        out[0] = full_value(r, k);
        return;
    }
    for (int64_t j = 0; j < cols; j++) {
        out[j] = value_of(result, column_sum(r, k, f, cols, j));
        if (result->mean)
            out[j] /= (double)r->rows;
    }
}

static void swap_axes(const double *x, int64_t rows, int64_t cols, double *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            y[j * rows + i] = x[i * cols + j];
}

static ml_status cross_value(Ctx *ctx, PipeRun *r, int k, Matrix *out)
{
    double *sum = r->partials[k];

    TRY(add_partials(ctx, sum, r->blocks, matrix_cells(out), sum));
    if (out->cols <= PIPE_NARROW)
        swap_axes(sum, out->cols, out->rows, out->values);
    else
        memcpy(out->values, sum, (size_t)matrix_cells(out) * sizeof *sum);
    return ML_OK;
}

/* Matrices from partial results; empty sums are 0. */
static ml_status reduced_matrix(Ctx *ctx, OpCall *call, PipeRun *r, int k)
{
    const PipeResult *result = &r->p->graph.results[k];
    const bool cross = result->kind == PIPE_CROSS;
    const int64_t rows = cross ? width_of(r, result->x) : 1, cols = width_of(r, result->y);
    Matrix *out = NULL;
    ml_status st = ML_OK;

    if (r->rows == 0 || rows == 0 || cols == 0) {
        TRY(matrix_new_constant(ctx, rows, cols, 0, &out));
        return result_matrix(ctx, call, k, out, 0);
    }
    TRY(matrix_new_dense(ctx, rows, cols, &out));
    if (cross)
        st = cross_value(ctx, r, k, out);
    else
        column_values(r, k, out->values);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, k, out, -1);
}

static ml_status finish(Ctx *ctx, OpCall *call, PipeRun *r, int k)
{
    const PipeResult *result = &r->p->graph.results[k];
    Matrix *m = r->results[k];

    if (result->kind == PIPE_FULL) {
        call->out[k] = value_double(full_value(r, k));
        return ML_OK;
    }
    if (result->kind != PIPE_CELLS)
        return reduced_matrix(ctx, call, r, k);
    r->results[k] = NULL;
    return result_matrix(ctx, call, k, m, r->counted[k] ? atomic_load(&r->nnz[k]) : -1);
}

ml_status pipeline_finish(Ctx *ctx, OpCall *call, PipeRun *r)
{
    for (int k = 0; k < r->p->graph.nresults; k++)
        TRY(finish(ctx, call, r, k));
    return ML_OK;
}
