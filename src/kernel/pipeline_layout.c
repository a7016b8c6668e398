/* Pipelines: how high tiles are, how many of them make a block, and where scratch lies.
 *
 * A tile is so high that its values stay in the second cache, by a fixed size: digits follow the
 * tiles, so these follow from the shapes and the program alone.  A block is what has partial
 * results of its own: where the unfused aggregate or product has such blocks, it is the same ones.
 */
#include "kernel/code_lanes.h"
#include "kernel/fold.h"
#include "kernel/pipeline_impl.h"
#include "kernel/simd/stream.h"

enum {
    TILE_CELLS = 1 << 14, /* of all values of a tile */
    TILE_ROWS = 4,        /* at least, where rows are whole */
    STRIP_COLS = 1 << 10,
    BLOCK_CELLS = 1 << 16,
    COLUMN_STRIP = 512, /* as in fold_columns.c */
    COLUMN_ROWS = 64,
    COLUMN_NARROW = 32,
    SLICE_ROWS = 64, /* as in matmult_narrow.c */
    SLICES = 64,
    SLICE_CELLS = 1 << 16,
    CROSS_CELLS = 1 << 22, /* of partial results together */
    CROSS_SLICES = 4
};

static int64_t width_of(const PipeRun *r, int node)
{
    return r->sizes[r->p->graph.nodes[node].width];
}

/* ---- scratch ---- */

/* A sparse one by its nonzeros; where it is unpacked its slot counts beside. */
static int64_t operand_cells(const PipeRun *r, int node)
{
    const Matrix *m = r->operands[r->p->graph.nodes[node].operand];

    return m->format == MATRIX_CSR ? m->nnz / max64(1, m->rows) + 1 : width_of(r, node);
}

/* Cells of a row of the tile: operands, scratch, results. */
static int64_t row_cells(const PipeRun *r)
{
    const PipeSchedule *s = &r->p->schedule;
    const PipeGraph *g = &r->p->graph;
    int64_t cells = 0;

    for (int k = 0; k < g->nnodes; k++)
        if (g->nodes[k].kind == PIPE_OPERAND && g->nodes[k].rows == PIPE_TALL)
            cells += operand_cells(r, k);
    for (int k = 0; k < s->nslots; k++)
        if (s->slots[k].rows == PIPE_TALL)
            cells += r->sizes[s->slots[k].width];
    for (int k = 0; k < g->nresults; k++)
        if (g->results[k].kind == PIPE_CELLS)
            cells += width_of(r, g->results[k].x);
    return max64(cells, 1);
}

static void place_slots(PipeRun *r)
{
    const PipeSchedule *s = &r->p->schedule;

    for (int k = 0; k < s->nslots; k++) {
        const bool one = s->slots[k].rows == PIPE_ONE;
        int64_t *cells = one ? &r->before_cells : &r->scratch_cells;

        r->slot_at[k] = *cells;
        /* Whole cache lines, so that vectors are aligned. */
        *cells += ((one ? 1 : r->tile_rows) * r->sizes[s->slots[k].width] + 7) & ~(int64_t)7;
    }
}

/* ---- tiles ---- */

static int64_t widest(const PipeRun *r)
{
    int64_t cells = 1;

    for (int k = 0; k < r->p->graph.nnodes; k++)
        cells = max64(cells, width_of(r, k));
    return cells;
}

/* Wide rows that may be cut go by strips. */
static void choose_tiles(PipeRun *r)
{
    r->tile_cols = r->p->schedule.by_strips && r->widest > STRIP_COLS ? STRIP_COLS : 0;
    if (r->tile_cols)
        r->tile_rows = TILE_CELLS / max64(1, r->row_cells / r->widest) / r->tile_cols;
    else
        r->tile_rows = max64(TILE_ROWS, TILE_CELLS / r->row_cells);
    r->tile_rows = max64(1, min64(r->tile_rows, min64(r->rows, r->block_rows)));
    r->tile_rows = max64(r->side, r->tile_rows / r->side * r->side);
}

/* ---- blocks ---- */

/* Nonzeros of a sparse operand, or all cells of a value. */
static int64_t cells_of(const PipeRun *r, int node)
{
    const PipeNode *n = &r->p->graph.nodes[node];

    return (n->kind == PIPE_OPERAND ? operand_cells(r, node) : width_of(r, node)) * r->rows;
}

/* Slices of the rows for t(x) %*% y: those of narrow_sums() where it would be called. */
static int64_t cross_slices(const PipeRun *r, const PipeResult *result)
{
    const int64_t m = width_of(r, result->x), n = width_of(r, result->y);
    const int64_t cells = cells_of(r, n <= PIPE_NARROW || m > PIPE_NARROW ? result->x : result->y);
    int64_t slices = min64(cells / SLICE_CELLS, r->rows / SLICE_ROWS);

    slices = min64(slices, SLICES);
    return min64(slices, max64(CROSS_SLICES, CROSS_CELLS / max64(1, m * n)));
}

static int64_t column_rows(const PipeRun *r, const PipeResult *result)
{
    const int64_t strip = min64(COLUMN_STRIP, r->side * width_of(r, result->x));

    return r->side * max64(COLUMN_ROWS, BLOCK_CELLS / max64(strip, 1));
}

static int64_t choose_side(const PipeRun *r)
{
    const bool narrow = r->widest > 1 && r->widest < COLUMN_NARROW && r->rows >= 2 * COLUMN_NARROW;

    return r->p->schedule.by_sides && narrow ? (2 * COLUMN_NARROW + r->widest - 1) / r->widest : 1;
}

static void choose_blocks(PipeRun *r)
{
    const PipeGraph *g = &r->p->graph;
    int64_t slices = 0, rows = max64(TILE_ROWS, BLOCK_CELLS / r->row_cells);

    for (int k = 0; k < g->nresults; k++) {
        const PipeResult *result = &g->results[k];

        if (result->kind == PIPE_CROSS)
            slices = max64(slices, max64(1, cross_slices(r, result)));
        else if (result->kind == PIPE_COLUMN && width_of(r, result->x) > 1)
            rows = max64(rows, column_rows(r, result));
    }
    if (slices)
        rows = max64(1, (r->rows + slices - 1) / slices);
    /* Only the last block has rows left over from those side by side. */
    r->block_rows = max64(r->side, rows / r->side * r->side);
    r->blocks = (r->rows + r->block_rows - 1) / r->block_rows;
}

/* ---- partial results ---- */

static int64_t partial_cells(const PipeRun *r, const PipeResult *result)
{
    if (result->kind == PIPE_CELLS)
        return 0;
    if (result->kind == PIPE_CROSS)
        return width_of(r, result->x) * width_of(r, result->y);
    return r->p->graph.nodes[result->x].width && result->kind == PIPE_COLUMN
               ? 2 * width_of(r, result->x) * (r->side > 1 ? r->side + 1 : 1)
               : CODE_LANE_CELLS;
}

/* Results that loops store as cells. */
static void note_counted(PipeRun *r)
{
    const PipeSchedule *s = &r->p->schedule;

    for (int k = 0; k < s->nsteps; k++)
        for (int i = 0; i < s->steps[k].code.noutputs; i++)
            if (s->steps[k].code.outputs[i].kind == CODE_CELLS &&
                s->steps[k].to[i].kind == PLACE_RESULT)
                r->counted[s->steps[k].to[i].index] = true;
}

/* The longest row of a sparse factor. */
static int64_t unpacked_cells(const PipeRun *r)
{
    const PipeSchedule *s = &r->p->schedule;
    int64_t cells = 0;

    for (int k = 0; k < s->nsteps; k++) {
        if (s->steps[k].x.kind == PLACE_SPARSE)
            cells = max64(cells, r->sizes[s->steps[k].x.width]);
        if (s->steps[k].y.kind == PLACE_SPARSE)
            cells = max64(cells, r->sizes[s->steps[k].y.width]);
    }
    return cells;
}

void pipeline_layout(PipeRun *r)
{
    const PipeSchedule *s = &r->p->schedule;

    r->row_cells = row_cells(r);
    r->widest = widest(r);
    r->side = choose_side(r);
    if (s->flat) {
        r->flat_cells = r->rows * r->sizes[s->steps[0].width];
        r->tile_cols = FOLD_TILE;
        r->tile_rows = r->block_rows = 1;
        r->blocks = (r->flat_cells + FOLD_TILE - 1) / FOLD_TILE;
    } else {
        choose_blocks(r);
        choose_tiles(r);
    }
    r->far = (s->flat || !r->tile_cols) && r->rows * r->widest >= STREAM_LEAST;
    place_slots(r);
    for (int k = 0; k < r->p->graph.nresults; k++)
        r->partial_cells[k] = partial_cells(r, &r->p->graph.results[k]);
    note_counted(r);
    r->unpacked_cells = unpacked_cells(r);
}
