/* Pipelines over sparse operands whose zeros stay zeros.
 *
 * Whether they do is a question of intervals (cell_bounds.c): a program that is 0 wherever operand
 * k is 0, whatever the others are within their bounds, is computed at the nonzeros of k alone, the
 * driver: the other operands' cells are gathered there, and the loop runs over them as if they were
 * a row.  A program that is 0 only where several sparse operands are goes operator by operator, as
 * do sparse row and column aggregates.  All others have dense values anyway and go by tiles.
 *
 * Cost: one pass over the dense operands for their bounds, then work in proportion to the
 * nonzeros. */
#include "kernel/cell_program.h"
#include "kernel/code_lanes.h"
#include "kernel/fold.h"
#include "kernel/pipeline_impl.h"

#include <string.h>

enum { CHUNK = 1024 };

/* ---- what zeros become ---- */

/* Operands as the question has them; other values are some positive numbers, since only zeros that
 * the structure brings about are looked for. */
static void node_bounds(const PipeGraph *g, const Bounds *operands, Bounds *out)
{
    for (int k = 0; k < g->nnodes; k++) {
        const PipeNode *n = &g->nodes[k];
        const Bounds *x = &out[n->in[0]], *y = &out[n->in[1]];

        if (n->kind == PIPE_OPERAND)
            out[k] = operands[n->operand];
        else if (n->kind == PIPE_NUMBER)
            out[k] = bounds_of(n->number);
        else if (n->kind != PIPE_CELL || n->nin > 2)
            out[k] = (Bounds){0.5, 2, n->kind != PIPE_CELL};
        else if (n->nin == 1)
            out[k] = bounds_of_unary(n->op, *x);
        else
            out[k] = op_table[n->op].cell2 && (x->known || y->known)
                         ? bounds_of_binary(n->op, *x, *y)
                         : (Bounds){.known = false};
    }
}

static bool is_zero(Bounds b)
{
    return b.known && b.least == 0 && b.greatest == 0;
}

static bool is_sparse(const PipeRun *r, int operand)
{
    return r->p->graph.shape.operands[operand].format == PIPE_CSR;
}

/* Is every wide value that is stored or reduced 0? */
static bool roots_are_zero(const PipeGraph *g, const Bounds *b)
{
    for (int k = 0; k < g->nresults; k++)
        if ((g->nodes[g->results[k].x].width && !is_zero(b[g->results[k].x])) ||
            (g->nodes[g->results[k].y].width && !is_zero(b[g->results[k].y])))
            return false;
    for (int k = 0; k < g->nnodes; k++)
        if ((g->nodes[k].kind == PIPE_ROW || g->nodes[k].kind == PIPE_PRODUCT) &&
            g->nodes[g->nodes[k].in[0]].width && !is_zero(b[g->nodes[k].in[0]]))
            return false;
    return true;
}

/* With operand `zero`, or for -1 all sparse ones, at 0. */
static bool keeps_zeros(const PipeRun *r, const Bounds *known, int zero)
{
    const PipeGraph *g = &r->p->graph;
    Bounds operands[PIPELINE_OPERANDS], nodes[PIPE_NODES];

    for (int k = 0; k < g->shape.noperands; k++)
        operands[k] = k == zero || (zero < 0 && is_sparse(r, k)) ? bounds_of(0) : known[k];
    node_bounds(g, operands, nodes);
    return roots_are_zero(g, nodes);
}

/* Bounds that are good for a first answer, without looking at cells. */
static void guess_bounds(const PipeRun *r, const OpCall *call, Bounds *out)
{
    for (int k = 0; k < r->p->graph.shape.noperands; k++)
        out[k] = !r->operands[k]   ? bounds_of(scalar_to_double(call->in[1 + k]))
                 : is_sparse(r, k) ? (Bounds){-1, 1, true}
                                   : (Bounds){0.5, 2, true};
}

/* The sparse operand with the fewest nonzeros whose zeros stay by the guess, or -1. */
static int find_driver(const PipeRun *r, const Bounds *guess)
{
    int best = -1;

    for (int k = 0; k < r->p->graph.shape.noperands; k++)
        if (r->operands[k] && is_sparse(r, k) && r->operands[k]->rows == r->rows &&
            keeps_zeros(r, guess, k) && (best < 0 || r->operands[k]->nnz < r->operands[best]->nnz))
            best = k;
    return best;
}

static ml_status cells_bounds(Ctx *ctx, const Matrix *m, Bounds *out)
{
    double least, greatest;

    if (!m->singles)
        return bounds_of_matrix(ctx, m, out);
    TRY(aggregate_min(ctx, m, &least));
    TRY(aggregate_max(ctx, m, &greatest));
    *out = (Bounds){least, greatest, isfinite(least) && isfinite(greatest)};
    return ML_OK;
}

static ml_status true_bounds(Ctx *ctx, const PipeRun *r, int driver, Bounds *bounds)
{
    for (int k = 0; k < r->p->graph.shape.noperands; k++)
        if (r->operands[k] && k != driver)
            TRY(cells_bounds(ctx, r->operands[k], &bounds[k]));
    return ML_OK;
}

/* ---- gathering ---- */

typedef struct Driven {
    PipeRun *r;
    const Matrix *at; /* the driver */
} Driven;

/* Nonzeros [k, k + n) of the driver and their rows. */
typedef struct Chunk {
    int64_t k, n;
    int64_t rows[CHUNK];
    int64_t row; /* of nonzero k + n */
} Chunk;

static void find_rows(const Matrix *m, Chunk *c)
{
    for (int64_t i = 0; i < c->n; i++) {
        while (m->row_ptr[c->row + 1] <= c->k + i)
            c->row++;
        c->rows[i] = c->row;
    }
}

/* The row of nonzero k. */
static int64_t row_of(const Matrix *m, int64_t k)
{
    int64_t lo = 0, hi = m->rows;

    while (lo + 1 < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (m->row_ptr[mid] <= k)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* Cells of another sparse matrix at the driver's nonzeros: both are passed in order. */
static void gather_sparse(const Matrix *m, const Chunk *c, const uint32_t *cols, double *out)
{
    int64_t row = -1, at = 0, end = 0;

    for (int64_t i = 0; i < c->n; i++) {
        if (c->rows[i] != row) {
            row = c->rows[i];
            at = m->row_ptr[row];
            end = m->row_ptr[row + 1];
        }
        while (at < end && m->col_idx[at] < cols[i])
            at++;
        out[i] = at < end && m->col_idx[at] == cols[i] ? m->values[at] : 0;
    }
}

static const double *gather(const Driven *d, const Chunk *c, Place p, double *out)
{
    const uint32_t *cols = d->at->col_idx + c->k;
    const PipeRun *r = d->r;
    const int operand = p.kind == PLACE_UNPACKED ? r->p->schedule.slots[p.index].operand : p.index;
    const Matrix *m = r->operands[operand];

    if (m == d->at)
        return m->values + c->k;
    if (m->format == MATRIX_CSR) {
        gather_sparse(m, c, cols, out);
        return out;
    }
    for (int64_t i = 0; i < c->n; i++) {
        const int64_t at =
            (p.rows == PIPE_TALL ? c->rows[i] * m->cols : 0) + (p.width ? (int64_t)cols[i] : 0);

        out[i] = m->singles ? (double)m->singles[at] : m->values[at];
    }
    return out;
}

/* ---- running ---- */

static void run_chunk(const Driven *d, PipeTile *t, const Chunk *c)
{
    const PipeRun *r = d->r;
    const PipeStep *s = &r->p->schedule.steps[0];
    double cells[CODE_INPUTS][CHUNK];
    CodeRun run = {.rows = 1, .cols = c->n, .level = cpu_level(r->ctx)};

    for (int i = 0; i < s->code.ninputs; i++)
        run.in[i] =
            (CodeSource){s->from[i].kind == PLACE_NUMBER ? &r->numbers[s->from[i].index]
                                                         : gather(d, c, s->from[i], cells[i]),
                         c->n};
    for (int i = 0; i < s->code.noutputs; i++) {
        const int k = s->to[i].index;

        run.out[i] = (CodeTarget){s->to[i].kind == PLACE_RESULT
                                      ? r->results[k]->values + c->k
                                      : r->partials[k] + t->block * r->partial_cells[k],
                                  c->n, 0};
    }
    pipeline_loop(r->p, PIPE_STEPS, &run);
    for (int i = 0; i < s->code.noutputs; i++)
        if (s->to[i].kind == PLACE_RESULT)
            t->nnz[s->to[i].index] += run.out[i].nnz;
}

static ml_status tiles_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Driven *d = arg;
    PipeTile t = {.run = d->r};

    for (t.block = lo; t.block < hi; t.block++) {
        const int64_t end = min64((t.block + 1) * FOLD_TILE, d->at->row_ptr[d->at->rows]);
        Chunk c = {.k = t.block * FOLD_TILE};

        for (c.row = row_of(d->at, c.k); c.k < end; c.k += c.n) {
            c.n = min64(CHUNK, end - c.k);
            find_rows(d->at, &c);
            run_chunk(d, &t, &c);
        }
        TRY(check_cancel(ctx));
    }
    pipeline_add_nnz(&t);
    return ML_OK;
}

/* The structure of the driver; zeros that come up are dropped at the end. */
static ml_status new_results(Ctx *ctx, PipeRun *r, const Matrix *at)
{
    const int64_t nnz = at->row_ptr[at->rows];

    for (int k = 0; k < r->p->graph.nresults; k++) {
        r->partial_cells[k] = CODE_LANE_CELLS;
        if (r->p->graph.results[k].kind != PIPE_CELLS) {
            TRY(pipeline_new_partials(ctx, r, k));
            continue;
        }
        TRY(matrix_new_csr(ctx, at->rows, at->cols, nnz, &r->results[k]));
        memcpy(r->results[k]->row_ptr, at->row_ptr, (size_t)(at->rows + 1) * sizeof *at->row_ptr);
        memcpy(r->results[k]->col_idx, at->col_idx, (size_t)nnz * sizeof *at->col_idx);
        r->counted[k] = true;
    }
    return ML_OK;
}

static ml_status run_driven(Ctx *ctx, OpCall *call, PipeRun *r, int driver)
{
    Driven d = {r, r->operands[driver]};
    const int64_t nnz = d.at->row_ptr[d.at->rows];

    r->blocks = (nnz + FOLD_TILE - 1) / FOLD_TILE;
    r->side = 1;
    r->zeros = matrix_cells(d.at) - nnz;
    TRY(new_results(ctx, r, d.at));
    TRY(task_for(ctx, r->blocks, task_grain(FOLD_TILE), tiles_task, &d));
    return pipeline_finish(ctx, call, r);
}

ml_status pipeline_sparse(Ctx *ctx, OpCall *call, PipeRun *r, bool *done)
{
    Bounds guess[PIPELINE_OPERANDS], bounds[PIPELINE_OPERANDS];
    int driver;

    *done = true;
    guess_bounds(r, call, guess);
    driver = r->p->schedule.drivable ? find_driver(r, guess) : -1;
    if (driver >= 0) {
        memcpy(bounds, guess, sizeof bounds);
        TRY(true_bounds(ctx, r, driver, bounds));
        if (keeps_zeros(r, bounds, driver))
            return run_driven(ctx, call, r, driver);
    }
    if (keeps_zeros(r, guess, -1))
        return pipeline_plain(ctx, call, r);
    *done = false;
    return ML_OK;
}
