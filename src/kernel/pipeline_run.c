/* Pipelines: a call from its operands to its results.
 *
 * Blocks of tiles are the units of work; each has scratch and partial results of its own, so
 * nothing is shared but operands and results.  Partial results are merged in the order of the
 * blocks. */
#include "kernel/dense.h"
#include "kernel/matmult.h"
#include "kernel/pipeline_impl.h"
#include "kernel/simd/stream.h"

#include <string.h>

/* ---- what the tiles need ---- */

/* Numbers that are known before: scalars, cells of constant operands, and what is made of them. */
static void find_numbers(PipeRun *r, const OpCall *call)
{
    const PipeGraph *g = &r->p->graph;
    double *x = r->numbers;

    for (int k = 0; k < g->nnodes; k++) {
        const PipeNode *n = &g->nodes[k];
        const Matrix *m = n->kind == PIPE_OPERAND ? r->operands[n->operand] : NULL;

        if (m && (n->scalar || g->shape.operands[n->operand].format == PIPE_CONSTANT))
            x[k] = matrix_get(m, 0, 0);
        else if (!n->scalar)
            continue;
        else if (n->kind == PIPE_OPERAND)
            x[k] = scalar_to_double(call->in[1 + n->operand]);
        else if (n->kind == PIPE_NUMBER)
            x[k] = n->number;
        else if (n->kind == PIPE_SIZE)
            x[k] = (double)(r->sizes[n->operand] > 0 ? r->sizes[n->operand] : 1);
        else if (n->nin == 3)
            x[k] = x[n->in[0]] != 0 ? x[n->in[1]] : x[n->in[2]];
        else
            x[k] = n->nin == 1 ? op_table[n->op].cell1(x[n->in[0]])
                               : op_table[n->op].cell2(x[n->in[0]], x[n->in[1]]);
    }
}

static void swap_axes(const Matrix *b, double *out)
{
    for (int64_t i = 0; i < b->rows; i++)
        for (int64_t c = 0; c < b->cols; c++)
            out[c * b->rows + i] = b->values[i * b->cols + c];
}

/* Cells of the copy of a right factor. */
static int64_t copied_cells(const PipeRun *r, const PipeStep *s)
{
    const Matrix *b = r->factors[s->operand];

    return pipeline_factor_copy(r, s) == COPY_FEW
               ? r->sizes[s->x.width] * few_width(r->sizes[s->out.width])
               : matrix_cells(b);
}

static ml_status copy_factor(Ctx *ctx, PipeRun *r, int k)
{
    const PipeStep *s = &r->p->schedule.steps[k];
    const PipeCopy copy = pipeline_factor_copy(r, s);
    const Matrix *b = r->factors[s->operand];

    if (copy == COPY_NONE)
        return ML_OK;
    TRY(partials_new(ctx, 1, copied_cells(r, s), &r->vectors[k]));
    if (copy == COPY_FEW)
        few_pack(b->values, s->transposed ? 1 : b->cols, s->transposed ? b->cols : 1,
                 r->sizes[s->x.width], r->sizes[s->out.width], r->vectors[k]);
    else
        swap_axes(b, r->vectors[k]);
    return ML_OK;
}

/* Right factors as the products want them, and what is needed where zeros meet odd cells. */
static ml_status prepare_products(Ctx *ctx, PipeRun *r)
{
    const PipeSchedule *s = &r->p->schedule;

    for (int k = 0; k < s->nsteps; k++) {
        const PipeStep *step = &s->steps[k];
        const Matrix *b = r->factors[step->operand];
        bool finite = true;

        if (step->x.kind == PLACE_SPARSE && step->kind == STEP_PRODUCT)
            TRY(cells_finite(ctx, b->values, matrix_cells(b), &finite));
        r->odd[k] = !finite;
        TRY(copy_factor(ctx, r, k));
    }
    return ML_OK;
}

static void free_factors(Ctx *ctx, PipeRun *r)
{
    const PipeSchedule *s = &r->p->schedule;

    for (int k = 0; k < s->nsteps; k++)
        if (r->vectors[k])
            partials_free(ctx, r->vectors[k], 1, copied_cells(r, &s->steps[k]));
}

/* ---- tiles ---- */

static void run_tile(PipeTile *t)
{
    const PipeRun *r = t->run;
    const int64_t cols = r->tile_cols ? r->widest : 1;

    for (t->col = 0; t->col < cols; t->col += t->cols) {
        t->cols = r->tile_cols ? min64(r->tile_cols, cols - t->col) : cols;
        pipeline_tile(t, false);
    }
}

static void run_block(PipeTile *t)
{
    PipeRun *r = t->run;
    const int64_t begin = t->block * r->block_rows, end = min64(begin + r->block_rows, r->rows);

    if (r->p->schedule.flat) {
        t->row = 0;
        t->rows = 1;
        t->col = t->block * r->tile_cols;
        t->cols = min64(r->tile_cols, r->flat_cells - t->col);
        pipeline_flat_tile(t);
        return;
    }
    for (t->row = begin; t->row < end; t->row += t->rows) {
        t->rows = min64(r->tile_rows, end - t->row);
        run_tile(t);
    }
}

void pipeline_add_nnz(const PipeTile *t)
{
    /* Relaxed: sums of integers, read after the tasks have joined. */
    for (int k = 0; k < t->run->p->graph.nresults; k++)
        if (t->nnz[k])
            atomic_fetch_add_explicit(&t->run->nnz[k], t->nnz[k], memory_order_relaxed);
}

/* What a block costs: the unit in which threads share the work. */
static int64_t block_cells(const PipeRun *r)
{
    return r->p->schedule.flat ? r->tile_cols : r->block_rows * r->row_cells;
}

static ml_status blocks_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    PipeRun *r = arg;
    PipeTile t = {.run = r};
    const size_t bytes = (size_t)(r->scratch_cells + r->unpacked_cells) * sizeof(double);
    ml_status st = ML_OK;

    if (bytes && !(t.scratch = pool_alloc(ctx, bytes)))
        return ML_ENOMEM;
    t.unpacked = t.scratch + r->scratch_cells;
    for (t.block = lo; t.block < hi && st == ML_OK; t.block++) {
        run_block(&t);
        st = check_cancel(ctx);
    }
    if (r->p->schedule.flat && r->far)
        stream_end();
    if (bytes)
        pool_release(ctx->pool, t.scratch, bytes);
    pipeline_add_nnz(&t);
    return st;
}

static ml_status run_all(Ctx *ctx, PipeRun *r)
{
    const size_t bytes = (size_t)r->before_cells * sizeof(double);
    PipeTile before = {.run = r, .rows = 1};
    ml_status st;

    if (r->blocks == 0)
        return ML_OK;
    if (bytes && !(r->before = pool_alloc(ctx, bytes)))
        return ML_ENOMEM;
    pipeline_tile(&before, true);
    st = task_for(ctx, r->blocks, task_grain(block_cells(r)), blocks_task, r);
    if (bytes)
        pool_release(ctx->pool, r->before, bytes);
    return st;
}

/* Does a loop read a sparse operand? */
static bool reads_sparse(const PipeSchedule *s, const PipeShape *shape)
{
    for (int k = 0; k < s->nslots; k++)
        if (s->slots[k].operand != PIPE_NONE &&
            shape->operands[s->slots[k].operand].format == PIPE_CSR)
            return true;
    return false;
}

bool pipeline_has_hyper(Matrix *const *operands, int n)
{
    for (int k = 0; k < n; k++)
        if (operands[k] && operands[k]->format == MATRIX_HYPER)
            return true;
    return false;
}

/* Are all its matrices, but for vectors, nearly only zeros?  Then so may be its results, which
 * tiles would store in full. */
static bool is_mostly_zero(Matrix *const *operands, int n)
{
    bool found = false;

    for (int k = 0; k < n; k++) {
        const Matrix *m = operands[k];

        if (!m || m->rows == 1 || m->cols == 1)
            continue;
        if (m->format != MATRIX_CSR || m->nnz >= matrix_cells(m) / 16)
            return false;
        found = true;
    }
    return found;
}

static ml_status run_tiles(Ctx *ctx, OpCall *call, PipeRun *r)
{
    pipeline_layout(r);
    TRY(prepare_products(ctx, r));
    TRY(pipeline_new_results(ctx, call, r));
    TRY(run_all(ctx, r));
    return pipeline_finish(ctx, call, r);
}

ml_status pipeline_run(Ctx *ctx, OpCall *call, const PipeProgram *p, const int64_t *sizes,
                       Matrix *const *operands, Matrix *const *factors)
{
    PipeRun r;
    bool done = false;
    ml_status st = ML_OK;

    memset(&r, 0, sizeof r);
    r.ctx = ctx;
    r.p = p;
    r.sizes = sizes;
    r.rows = operands[0]->rows;
    r.operands = operands;
    r.factors = factors;
    find_numbers(&r, call);
    if (p->schedule.too_large || pipeline_has_hyper(operands, p->graph.shape.noperands)) {
        st = pipeline_plain(ctx, call, &r);
        done = true;
    } else if (reads_sparse(&p->schedule, &p->graph.shape)) {
        st = pipeline_sparse(ctx, call, &r, &done);
        if (st == ML_OK && !done && is_mostly_zero(operands, p->graph.shape.noperands)) {
            st = pipeline_plain(ctx, call, &r);
            done = true;
        }
    }
    if (st == ML_OK && !done)
        st = run_tiles(ctx, call, &r);
    for (int k = 0; k < p->graph.nresults; k++) {
        matrix_release(r.results[k]);
        partials_free(ctx, r.partials[k], r.blocks, r.partial_cells[k]);
    }
    free_factors(ctx, &r);
    return st;
}
