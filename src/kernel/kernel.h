/* kernel: operators on values.  One file a family; each operator of the table has one function
 *     ml_status ml_k_NAME(Ctx *ctx, OpCall *call)
 * that checks its operands, makes the result and runs the work over fixed tiles as tasks
 * (task_for).  The prototypes come from the table, so a row without kernel does not link.
 *
 * Rules: count nonzeros while writing (matrix_finish(ctx, &m, nnz)); reduce over fixed tiles in a
 * fixed tree, so that results do not depend on the number of threads; handle dense, CSR and
 * constant operands (matrix_dense when nothing better is known for the format); write into
 * call_reusable operands where the format fits. */
#ifndef KERNEL_H
#define KERNEL_H

#include "op/op.h"
#include "task/task.h"

typedef ml_status (*KernelFn)(Ctx *ctx, OpCall *call);

#define ML_OP(name, ...) ml_status ml_k_##name(Ctx *ctx, OpCall *call);
#define ML_OP_AS(name, kernel, ...) ml_status ml_k_##kernel(Ctx *ctx, OpCall *call);
#define ML_OP_SCALAR(name, ...)
#define ML_OP_RUN(name, ...)
#define ML_OP_LATER(name, ...)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#include "op/ops.def"
#pragma GCC diagnostic pop

/* Calls the operator's kernel, also of operands that kernels do not know (hyper.h): what everybody
 * uses but kernels that know what they have. */
ml_status kernel_call(Ctx *ctx, OpCall *call);
KernelFn kernel_of(int op); /* NULL: the operator has none */

/* Store a finished matrix as the call's k-th result; takes the reference. */
static inline ml_status result_matrix(Ctx *ctx, OpCall *call, int k, Matrix *m, int64_t nnz)
{
    ml_status st = matrix_finish(ctx, &m, nnz);

    if (st != ML_OK) {
        matrix_release(m);
        return st;
    }
    call->out[k] = value_matrix(m);
    return ML_OK;
}

/* Store n of them, whose nonzeros are to be counted, or, after an error, drop them. */
static inline ml_status result_matrices(Ctx *ctx, OpCall *call, ml_status st, Matrix *const *out,
                                        int n)
{
    for (int k = 0; k < n; k++)
        if (st == ML_OK)
            st = result_matrix(ctx, call, k, out[k], -1);
        else
            matrix_release(out[k]);
    return st;
}

/* Frames and lists under indexing and binding (frame_bind.c, list.c); index.c and bind.c
 * call them with ranges that lie inside the frame, zero-based, the upper bound excluded. */
typedef struct IndexRange {
    int64_t row_lo, row_hi, col_lo, col_hi;
} IndexRange;
ml_status frame_index(Ctx *ctx, Frame *f, IndexRange r, Frame **out);
/* f with the cells of `value`, which has the shape of the range, in the range: cells are converted
 * to the types of f. */
ml_status frame_assign(Ctx *ctx, Frame *f, IndexRange r, Frame *value, Frame **out);
ml_status frame_cbind(Ctx *ctx, Frame *const *frames, int n,
                      Frame **out); /* equal numbers of rows: checked */
ml_status frame_rbind(Ctx *ctx, Frame *const *frames, int n,
                      Frame **out); /* equal numbers of columns: checked */
/* Entries lo..hi by position from 1, or one by name when lo is a string; hi none: one entry. */
ml_status list_index(Ctx *ctx, List *l, Value lo, Value hi, List **out);
/* l with entries lo..hi replaced; the entries of a list as value go into the entries from lo on. */
ml_status list_assign(Ctx *ctx, List *l, Value lo, Value hi, Value value, List **out);
/* l and one entry more; a named list gives its entries with their names, any other is one entry. */
ml_status list_append(Ctx *ctx, List *l, Value value, List **out);

/* Least and greatest cell of a matrix, NaN when it has one: min and max of a single matrix
 * (aggregate.c). */
ml_status aggregate_min(Ctx *ctx, const Matrix *m, double *out);
ml_status aggregate_max(Ctx *ctx, const Matrix *m, double *out);

/* F op G for a comparison: a frame of BOOLEAN columns.  Columns of numbers compare as numbers,
 * others as text; null equals null and comes before all text. */
ml_status frame_compare(Ctx *ctx, OpCall *call);

/* OpenBLAS, loaded at first use, one thread a call (blas.c), with the kernels of the level of the
 * context that loads it.  NULL when the library is not
 * installed; the callers then use the plain twins in ref/ or report ML_EUNSUPPORTED. */
typedef struct Blas Blas;
const Blas *blas_get(const Ctx *ctx);

#endif
