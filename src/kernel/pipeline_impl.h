/* Private to pipeline*.c: a pipeline from its text to the steps that run.
 *
 * pipeline_read makes a graph of nodes from the text and from what is known of the operands;
 * pipeline_schedule orders it into steps over tiles of rows; pipeline_run runs these.
 *
 * Graph and schedule hold no size, but classes of sizes: 0 is 1, the others are the sizes of the
 * operands in the order of their first appearance. So a schedule serves every call whose operands
 * have the same formats and the same classes, and is kept (pipeline_cache.c). */
#ifndef PIPELINE_IMPL_H
#define PIPELINE_IMPL_H

#include "kernel/pipeline.h"

#include <stdatomic.h>

enum {
    PIPE_NODES = 160,
    PIPE_SIZES = 2 * PIPELINE_OPERANDS + 1,
    PIPE_STEPS = 32,
    PIPE_SLOTS = 48,
    PIPE_NONE = 255
};

/* ---- operands ---- */

/* PIPE_SINGLE: dense, of FP32 cells, which loops read as they are and products unpacked. */
typedef enum PipeFormat {
    PIPE_SCALAR,
    PIPE_DENSE,
    PIPE_CSR,
    PIPE_CONSTANT,
    PIPE_SINGLE
} PipeFormat;

typedef struct PipeOperand {
    uint8_t format;     /* PipeFormat */
    uint8_t rows, cols; /* classes */
} PipeOperand;

/* All that a schedule depends on beside the text. */
typedef struct PipeShape {
    int noperands;
    PipeOperand operands[PIPELINE_OPERANDS];
    int single; /* results of cells are FP32; scratch never is */
} PipeShape;

/* ---- graph ---- */

typedef enum PipeKind {
    PIPE_OPERAND,
    PIPE_NUMBER, /* a literal */
    PIPE_SIZE,   /* a size, at least 1, as a number: what means divide by */
    PIPE_CELL,   /* a cell-wise operator */
    PIPE_ROW,    /* rowSums, rowMins, rowMaxs */
    PIPE_PRODUCT /* in[0] %*% operand, or by its transpose */
} PipeKind;

typedef enum PipeRows { PIPE_ONE, PIPE_TALL } PipeRows;

typedef struct PipeNode {
    uint8_t kind, nin, operand;
    bool transposed; /* PIPE_PRODUCT: by the transpose of the operand */
    uint8_t in[CODE_ARITY];
    uint8_t rows;  /* PipeRows: 1, or those of operand a */
    uint8_t width; /* class of the number of columns */
    bool scalar;   /* one number, known before the run; its width is 0 */
    OpCode op;
    double number;
} PipeNode;

typedef enum PipeResultKind {
    PIPE_CELLS, /* the value itself */
    PIPE_FULL,  /* sum, min, max of all cells */
    PIPE_COLUMN,
    PIPE_CROSS /* t(x) %*% y */
} PipeResultKind;

typedef struct PipeResult {
    uint8_t kind;
    uint8_t x, y; /* nodes */
    uint8_t fold; /* CODE_SUM, CODE_MIN, CODE_MAX of PIPE_FULL and PIPE_COLUMN */
    bool mean;
} PipeResult;

typedef struct PipeGraph {
    PipeShape shape;
    int nnodes, nresults;
    PipeNode nodes[PIPE_NODES];
    PipeResult results[PIPELINE_RESULTS];
} PipeGraph;

ml_status pipeline_read(Ctx *ctx, const char *text, const PipeShape *shape, PipeGraph *out);

/* ---- schedule ---- */

typedef enum PlaceKind {
    PLACE_OPERAND,  /* cells of an operand, at the tile's rows when it is tall */
    PLACE_SPARSE,   /* rows of a sparse operand as they are; of products alone */
    PLACE_UNPACKED, /* a slot that holds the tile's rows of a sparse or constant operand */
    PLACE_NUMBER,   /* of a node: a scalar, or the cell of a constant operand */
    PLACE_SLOT,     /* scratch */
    PLACE_RESULT,   /* the tile's rows of a result */
    PLACE_PARTIAL   /* partial results of the block */
} PlaceKind;

typedef struct Place {
    uint8_t kind, index;
    uint8_t rows, width; /* as of nodes */
} Place;

typedef enum StepKind {
    STEP_LOOP,
    STEP_PRODUCT, /* out = x %*% operand */
    STEP_CROSS    /* partial += t(x) %*% y */
} StepKind;

typedef struct PipeStep {
    uint8_t kind;
    bool before; /* of values of one row, once before the tiles */
    bool vector; /* STEP_LOOP: of columns, run as one row of as many cells as the tile has rows */
    uint8_t width;
    uint8_t operand;
    bool transposed;
    Place x, y, out; /* of products */
    CellCode code;
    Place from[CODE_INPUTS], to[CODE_OUTPUTS];
} PipeStep;

typedef struct PipeSlot {
    uint8_t rows, width;
    uint8_t operand; /* whose tiles it holds unpacked, or PIPE_NONE */
} PipeSlot;

typedef struct PipeSchedule {
    int nsteps, nslots;
    bool too_large; /* more values or steps than there is room for: nothing else is set */
    PipeStep steps[PIPE_STEPS];
    PipeSlot slots[PIPE_SLOTS];
    bool whole[PIPELINE_OPERANDS];        /* the operand stands right in a product */
    uint8_t last_read[PIPELINE_OPERANDS]; /* the last step that reads it, PIPE_NONE: none */
    bool flat;                            /* one loop over all cells, whatever rows they lie in */
    bool by_sides;   /* rows may be read several as one: nothing is repeated over rows or columns */
    bool by_strips;  /* columns may be cut */
    bool drivable;   /* one loop without aggregates of rows or columns, over sparse operands */
    CellCode driven; /* that loop over cells gathered at the nonzeros of one of them */
} PipeSchedule;

void pipeline_schedule(const PipeGraph *g, PipeSchedule *out);

/* ---- run ---- */

typedef struct PipeProgram {
    PipeGraph graph;
    PipeSchedule schedule;
    /* Machine code of loops, behind these that of the driven one; NULL: interpreted. */
    _Atomic(CodeFn) fns[PIPE_STEPS + 1];
    /* The rest is the cache's, under its lock. */
    char *text;
    uint64_t hash, used; /* when, on the clock of the cache */
    int64_t calls;
    int uses; /* calls at work */
    bool cached, coded;
    JitCode *jit[PIPE_STEPS + 1];
} PipeProgram;

/* The program of the text for operands of that shape and a call over so many cells; give it back
 * after the call. (pipeline_cache.c) */
ml_status pipeline_take(Ctx *ctx, const char *text, const PipeShape *shape, int64_t cells,
                        PipeProgram **out);
void pipeline_give(Ctx *ctx, PipeProgram *p);

/* A call at work.  Partial results of result r are `blocks` pieces of partial_cells[r] cells. */
typedef struct PipeRun {
    const Ctx *ctx; /* the caller's, for its level */
    const PipeProgram *p;
    const int64_t *sizes;
    int64_t rows;
    double numbers[PIPE_NODES];
    Matrix *const *operands;     /* NULL: a scalar */
    Matrix *const *factors;      /* those that are taken whole, dense in FP64 */
    double *vectors[PIPE_STEPS]; /* copies of right factors, see PipeCopy */
    Matrix *results[PIPELINE_RESULTS];
    atomic_int_fast64_t nnz[PIPELINE_RESULTS];
    bool counted[PIPELINE_RESULTS]; /* loops count the nonzeros of the result */
    int64_t row_cells;              /* of all wide values in a row */
    int64_t widest;
    /* tile_cols 0: rows stay whole; else of a strip, or flat: cells of a tile, which is a block. */
    int64_t tile_rows, tile_cols, block_rows, blocks, flat_cells;
    bool far; /* operands come out of memory, by whole rows */
    /* Of narrow matrices so many rows are read as one, as fold_columns.c does; 1: each is. */
    int64_t side;
    double *before;         /* slots of one row */
    bool odd[PIPE_STEPS];   /* the right factor of a sparse one has cells that are not finite */
    int64_t unpacked_cells; /* of a sparse row for such steps */
    int64_t slot_at[PIPE_SLOTS], before_cells, scratch_cells;
    int64_t zeros; /* cells that full aggregates have beside those in the tiles */
    double *partials[PIPELINE_RESULTS];
    int64_t partial_cells[PIPELINE_RESULTS];
} PipeRun;

/* The tile at hand: rows [row, row + rows), columns [col, col + cols) of the wide values; flat: the
 * cells from col on. */
typedef struct PipeTile {
    PipeRun *run;
    double *scratch, *unpacked;
    int64_t block, row, rows, col, cols;
    int64_t nnz[PIPELINE_RESULTS];
} PipeTile;

/* Products with at most so many columns, or rows, go vector by vector. */
enum { PIPE_NARROW = 4 };

ml_status pipeline_run(Ctx *ctx, OpCall *call, const PipeProgram *p, const int64_t *sizes,
                       Matrix *const *operands, Matrix *const *factors);
/* Is an operand hypersparse?  Then the program runs operator by operator. */
bool pipeline_has_hyper(Matrix *const *operands, int n);

/* All steps of the kind on a tile. (pipeline_tile.c) */
void pipeline_tile(PipeTile *t, bool before);
void pipeline_flat_tile(PipeTile *t);
/* What products need of a right factor with few columns. */
typedef enum PipeCopy {
    COPY_NONE,    /* it is taken as it is */
    COPY_SWAPPED, /* its columns lie side by side */
    COPY_FEW      /* as few_pack makes it */
} PipeCopy;
PipeCopy pipeline_factor_copy(const PipeRun *r, const PipeStep *s);

/* Tiles, blocks and where slots lie. (pipeline_layout.c) */
void pipeline_layout(PipeRun *r);
/* Run a loop of the program, the one behind the steps being the driven one. (pipeline_tile.c) */
void pipeline_loop(const PipeProgram *p, int k, CodeRun *run);
/* Products of a tile. (pipeline_product.c) */
void pipeline_product(PipeTile *t, int k);
void pipeline_cross(PipeTile *t, const PipeStep *s);
/* Addresses in a tile. (pipeline_tile.c) */
void *pipeline_cells(const PipeTile *t, Place p);
void pipeline_unpack(const Matrix *m, int64_t row, int64_t rows, double *out);

/* A program with sparse operands in its loops, when there is a way that keeps their zeros out: by
 * the nonzeros of one of them, or operator by operator.  Numbers are known.  (pipeline_sparse.c,
 * pipeline_plain.c) */
ml_status pipeline_sparse(Ctx *ctx, OpCall *call, PipeRun *r, bool *done);
ml_status pipeline_plain(Ctx *ctx, OpCall *call, const PipeRun *r);
/* Add what a task counted in its tiles to the run. */
void pipeline_add_nnz(const PipeTile *t);

/* Results from their partial results, or as they are. (pipeline_results.c) */
ml_status pipeline_new_results(Ctx *ctx, const OpCall *call, PipeRun *r);
ml_status pipeline_new_partials(Ctx *ctx, PipeRun *r, int k);
ml_status pipeline_finish(Ctx *ctx, OpCall *call, PipeRun *r);

#endif
