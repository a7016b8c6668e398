/* Pipelines: groups of operators that the plan fused (hop/fuse.c), run over tiles of rows that stay
 * in the cache, so that each operand is read once and nothing between them is stored.
 *
 * A pipeline is the operator `pipeline(program, a, b, c ...)`.  Its program is a text,
 *
 *     t1 = exp(a - rowMaxs(a)); t1 / rowSums(t1)
 *
 * of statements separated by "; ".  `name = expression` gives a value a name, t1, t2 ...; every
 * other statement is a result, in their order.  Letters a ... p are the operands after the program,
 * matrices of any format and scalars.  Expressions are those of DML, with its precedence, of
 *
 *     numbers;  + - * / ^ %% %/% == != < <= > >= & | !  and unary -;
 *     cell-wise functions of the table by their names in DML, min, max, log of one or two operands,
 *     ifelse;
 *     rowSums rowMeans rowMins rowMaxs, whose result may be used further;
 *     x %*% b, x %*% t(b): a value by an operand that is taken whole;
 *     as results only: sum mean min max of one value, colSums colMeans colMins colMaxs,
 *     t(x) %*% y.
 *
 * Operand a has the R rows that are tiled; every value within has R rows, or 1 and is then repeated
 * over them; likewise 1 or C columns.  Matrices of a cell count as numbers.  Sizes were checked
 * when the plan was made: a program that does not fit its operands is a defect of the plan,
 * reported as ML_EINTERNAL or the nearest code.
 *
 * Results of sum mean min max are doubles, the others matrices.
 *
 * Digits: cells are those of the operators one by one.  Reductions go over tiles that depend on the
 * shapes and the program alone. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "kernel/cell_code.h"

/* Programs that were read, with their machine code: one for a context and its tasks; NULL is
 * allowed, programs are then read at every call. (pipeline_cache.c) */
typedef struct CodeCache CodeCache;
CodeCache *code_cache_new(void); /* NULL: no memory */
void code_cache_free(CodeCache *cache);
typedef struct PipelineStats {
    int64_t read, coded; /* programs, loops with machine code */
    int64_t nanoseconds; /* for both */
} PipelineStats;
PipelineStats code_cache_stats(CodeCache *cache);

enum { PIPELINE_OPERANDS = 16, PIPELINE_RESULTS = 1 + OP_RESULTS };

#endif
