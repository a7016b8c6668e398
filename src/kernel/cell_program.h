/* Cell programs: a few cell-wise operators in a row, run over a chunk of cells that stays in the
 * first cache.  Private to the fused kernels.
 *
 * A program is written as an expression, such as "w * log(d + e)", over one-letter operands and
 * numbers. It has one value in the making, so an operator has at most one operand that is not a
 * letter or a number.  The operators are those of the table and run through its loops: the digits
 * are those of the expression computed operator by operator. */
#ifndef CELL_PROGRAM_H
#define CELL_PROGRAM_H

#include "kernel/cellwise.h"

enum { PROGRAM_STEPS = 8, PROGRAM_OPERANDS = 6 };

typedef enum TermKind { TERM_VALUE, TERM_OPERAND, TERM_NUMBER } TermKind;

/* An operand of a step: the value in the making, a letter or a number. */
typedef struct Term {
    TermKind kind;
    int operand;
    double number;
} Term;

typedef struct Step {
    OpCode op;
    bool binary;
    Term left, right; /* of a unary operator only left, which is the value */
} Step;

typedef struct Program {
    int start; /* the operand that the value begins as */
    int nsteps;
    CpuLevel level; /* of the loops that run it */
    Step steps[PROGRAM_STEPS];
} Program;

/* Letter k of `letters` is operand k. */
ml_status program_read(Ctx *ctx, const char *text, const char *letters, Program *out);

/* Cells of an operand in a chunk. */
typedef struct Cells {
    const double *cells; /* NULL: `scalar` everywhere */
    double scalar;
} Cells;

/* Run over n cells of each operand.  `out` may be the start operand's cells, else overlaps none.
 * Gives the nonzeros of the result. */
int64_t program_run(const Program *p, const Cells *operands, int64_t n, double *out);

/* What a value lies between; `known` false: it may be anything, NaN included. */
typedef struct Bounds {
    double least, greatest;
    bool known;
} Bounds;
Bounds bounds_of(double x);
/* Of what an operator makes of values between these. */
Bounds bounds_of_unary(OpCode op, Bounds x);
Bounds bounds_of_binary(OpCode op, Bounds x, Bounds y);
/* Of all cells of a matrix. */
ml_status bounds_of_matrix(Ctx *ctx, const Matrix *m, Bounds *out);
/* Of the result, from those of the operands: true but not always the narrowest. */
Bounds program_bounds(const Program *p, const Bounds *operands);
/* Is the result 0 wherever operand k is, whatever the other operands are within their bounds? */
bool program_keeps_zeros(const Program *p, const Bounds *operands, int k);

#endif
