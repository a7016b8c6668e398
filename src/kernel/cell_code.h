/* Cell code: one loop of a fused pipeline as a register program.  Private to the kernels.
 *
 * The loop runs over a tile of rows x cols cells.  Values are numbered: first the inputs, then one
 * for each step, in order; a step applies a cell-wise operator of the table to earlier values.
 * Outputs store a value or reduce it.  The same code is run by code_interpret
 * (pipeline_interpret.c), plain C that is the oracle, and compiled to machine code by jit/; both
 * give the same digits: every operator is the fixed sequence of IEEE operations of op/cell.h, and
 * reductions add in the order that the kinds below tell. */
#ifndef CELL_CODE_H
#define CELL_CODE_H

#include "kernel/kernel.h"

enum { CODE_INPUTS = 20, CODE_STEPS = 64, CODE_OUTPUTS = 12, CODE_ARITY = 3, CODE_LANES = 8 };

typedef enum CodeInputKind {
    CODE_TILE,  /* a cell for each cell of the tile; rows lie `stride` cells apart */
    CODE_ROW,   /* one row of cols cells, repeated over the rows */
    CODE_COL,   /* a cell for each row, `stride` cells apart, repeated over the columns */
    CODE_NUMBER /* one cell */
} CodeInputKind;

/* Sums are kept as pairs (sum2.h).  Lane k of a row takes its cells k, k + 8, k + 16 ...; lanes are
 * joined as in fold_sum.tmpl.h: 8, 4, 2, 1, the upper half into the lower.  MIN and MAX pick as
 * fold.tmpl.h does (a stays unless x < a), and join in the same way; NaN wins in all of them. */
typedef enum CodeOutputKind {
    CODE_CELLS, /* stored, rows `stride` cells apart; the nonzeros among them, NaN too and as
                   rounded to float where they are, are added to nnz */
    CODE_SUM,   /* lanes kept in cells[0, 8) and the rests in cells[8, 16), added to */
    CODE_MIN,   /* lanes kept in cells[0, 8) */
    CODE_MAX,
    CODE_ROW_SUM, /* one cell a row, `stride` cells apart: joined lanes of the row, s + c */
    CODE_ROW_MIN,
    CODE_ROW_MAX,
    CODE_COL_SUM, /* s of column j in cells[j], its c in cells[stride + j], added to row by row */
    CODE_COL_MIN, /* in cells[j] */
    CODE_COL_MAX
} CodeOutputKind;

typedef struct CodeInput {
    CodeInputKind kind;
    bool single; /* cells are floats */
    bool ahead;  /* CODE_TILE: may be asked for ahead, where a run allows it */
} CodeInput;

/* One operand or two, log either; three for ifelse.  A square is best told as a product: pow takes
 * the logarithm all the same. */
typedef struct CodeStep {
    OpCode op;
    uint8_t nin;
    uint8_t in[CODE_ARITY]; /* values */
} CodeStep;

typedef struct CodeOutput {
    CodeOutputKind kind;
    uint8_t value;
    bool single; /* CODE_CELLS: cells are floats, rounded to nearest */
} CodeOutput;

typedef struct CellCode {
    int ninputs, nsteps, noutputs;
    CodeInput inputs[CODE_INPUTS];
    CodeStep steps[CODE_STEPS];
    CodeOutput outputs[CODE_OUTPUTS];
} CellCode;

/* Where a run finds its cells.  Cells are float where the input or output says single. */
typedef struct CodeSource {
    const void *cells;
    int64_t stride; /* in cells */
} CodeSource;

typedef struct CodeTarget {
    void *cells;
    int64_t stride, nnz;
} CodeTarget;

/* Where inputs and outputs lie. */
typedef enum CodeMemory {
    CODE_NEAR,   /* in the caches */
    CODE_FAR,    /* inputs in memory, without gaps between rows */
    CODE_STREAM, /* besides, outputs of doubles are to go past the caches: there is one row, they
                    begin lines and lie over no input; the caller ends with stream_end (stream.h) */
} CodeMemory;

/* An output of kind CODE_CELLS may lie over an input of kind CODE_TILE cell by cell; other overlap
 * is not allowed.  rows, cols >= 1. */
typedef struct CodeRun {
    int64_t rows, cols;
    CodeSource in[CODE_INPUTS];
    CodeTarget out[CODE_OUTPUTS];
    CpuLevel level; /* of the loops that the interpreter takes */
    int64_t memory; /* CodeMemory; machine code heeds it */
} CodeRun;

typedef void (*CodeFn)(CodeRun *run);

void code_interpret(const CellCode *code, CodeRun *run);

/* ---- machine code (jit/) ---- */

typedef struct JitCode JitCode;

/* Machine code for this processor, or *out = NULL where there is none: another architecture, an
 * operator without vector form, no executable memory.  Free with jit_free. */
ml_status jit_compile(Ctx *ctx, const CellCode *code, CpuLevel level, JitCode **out);
CodeFn jit_function(const JitCode *jit);
void jit_free(JitCode *jit);

#endif
