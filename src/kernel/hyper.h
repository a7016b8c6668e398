/* hyper: operators on matrices with far more rows than nonzeros (MATRIX_HYPER, data.h).
 *
 * Kernels know dense, CSR and constant matrices.  What the column .hyper of an operator's row says
 * decides how its kernel is used: on the compact matrix, whose rows are those that hold something;
 * on the compact matrices of several operands, made to have the same rows; or on the matrix in an
 * ordinary format, which costs its rows.  Private to the kernels. */
#ifndef HYPER_H
#define HYPER_H

#include "kernel/kernel.h"

/* Tries to run a call some operand of which is hypersparse; *done stays false when it can not. */
typedef ml_status (*HyperFn)(Ctx *ctx, OpCall *call, bool *done);

ml_status hyper_cells(Ctx *ctx, OpCall *call, bool *done);   /* cell-wise operators */
ml_status hyper_compact(Ctx *ctx, OpCall *call, bool *done); /* hyper_rows.c ... */
ml_status hyper_zeros(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_mean(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_rows(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_rbind(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_cbind(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_empty(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_rev(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_product(Ctx *ctx, OpCall *call, bool *done); /* hyper_product.c ... */
ml_status hyper_cross(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_self(Ctx *ctx, OpCall *call, bool *done);
ml_status hyper_transpose(Ctx *ctx, OpCall *call, bool *done);

static inline bool is_hyper(Value v)
{
    return v.dt == DT_MATRIX && v.m->format == MATRIX_HYPER;
}

/* The operator on other operands: n, the first of which may be dt none. */
ml_status hyper_apply(Ctx *ctx, const OpCall *call, const Value *in, int n, Value *out);
/* call->out[0] = the rows of `compact`, a matrix whose reference is taken, at their places. */
ml_status hyper_result(Ctx *ctx, OpCall *call, int64_t rows, RowList *list, Value compact);

/* Is no cell of v NaN or infinite, if it is a matrix?  Zero times others would not be zero. */
ml_status hyper_finite(Ctx *ctx, Value v, bool *finite);
/* Has m, CSR, far more columns than nonzeros? */
bool hyper_is_wide(const Matrix *m);
/* The operator on n matrices, of the last of which only the columns that hold something are used;
 * the result has all of its columns. (hyper_product.c) */
ml_status hyper_narrow(Ctx *ctx, const OpCall *call, Matrix *const *in, int n, Value *out);

/* Rows that are in the list of some hypersparse operand. */
ml_status hyper_union(Ctx *ctx, const Value *in, int n, RowList **out);
/* These rows of m, a reference. */
ml_status hyper_take(Ctx *ctx, Matrix *m, const RowList *list, Matrix **out);

#endif
