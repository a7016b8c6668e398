/* Running a cell code by the interpreter and by machine code on equal cells, and comparing. */
#ifndef JIT_CASE_H
#define JIT_CASE_H

#include "kernel_case.h"

#include "kernel/jit/jit.h"

/* Run `code` on a tile of rows x cols both ways; all outputs must be the same, bit by bit but for
 * the signs of NaN.  Cells come from `seed`; every array ends where unreadable memory begins.  With
 * `over`, outputs of cells lie over inputs where there is one of the same type. */
void jit_check(const CellCode *code, CpuLevel level, int64_t rows, int64_t cols, uint64_t seed,
               bool over);

/* Building codes. */
int code_input(CellCode *code, CodeInputKind kind, bool single); /* gives the value */
void code_step(CellCode *code, OpCode op, int nin, int a, int b, int c);
void code_output(CellCode *code, CodeOutputKind kind, int value, bool single);

/* The operators that have machine code, log with and without a base. */
typedef struct JitOperator {
    OpCode op;
    int nin;
} JitOperator;
extern const JitOperator jit_operators[];
extern const int jit_noperators;

/* A code with inputs, steps and outputs of all kinds; the same for the same seed. */
CellCode jit_random_code(uint64_t seed);

#endif
