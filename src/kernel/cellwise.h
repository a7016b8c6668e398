/* cellwise: what the cell-wise kernels share - how an operand is spread over the cells of the
 * result, and the runs over tiles.  Private to the kernels. */
#ifndef CELLWISE_H
#define CELLWISE_H

#include "kernel/simd/cells.h"

enum { CELL_TILE = 8192, CELL_CHUNK = 1024 };

typedef enum SideKind {
    SIDE_CELLS,  /* a matrix of the result's shape */
    SIDE_SCALAR, /* a number, a constant matrix or a 1x1 matrix */
    SIDE_ROW,    /* 1 x cols, repeated over the rows */
    SIDE_COL     /* rows x 1, repeated over the columns */
} SideKind;

/* An operand as the loops see it.  Vectors are dense, vectors and CSR cells FP64. */
typedef struct Side {
    SideKind kind;
    const Matrix *m; /* NULL for a scalar */
    double scalar;
    Matrix *owned; /* a copy that side_release drops */
} Side;

/* Operand k of a call beside a result of rows x cols; an error when it does not fit.  A vector only
 * fits when `spread`. */
ml_status side_init(Ctx *ctx, const OpCall *call, int k, int64_t rows, int64_t cols, bool spread,
                    Side *out);
void side_release(Side *side);
bool side_is_csr(const Side *side); /* cells in CSR format */

/* n cells from the lo-th on of the operand spread over rows of `cols` cells: a pointer into it, or
 * into scratch. */
const double *side_cells(const Side *side, int64_t cols, int64_t lo, int64_t n, double *scratch);

/* How long a piece side_cells should be asked for at lo, at most n cells: so long that a vector can
 * be pointed into. */
int64_t side_piece(const Side *side, int64_t cols, int64_t lo, int64_t n);

/* How many of n cells of a result are computed at a time: FP32 ones pass through scratch. */
int64_t cells_piece(const Matrix *out, int64_t n);

/* A unary operator over n cells, by its loop or cell by cell; gives the nonzeros of the result. */
int64_t cells_unary(CpuLevel level, OpCode op, const double *x, double *out, int64_t n);

/* A binary operator with its loops and its function of two cells. */
typedef struct BinaryOp {
    const CellLoops *loops; /* NULL: none, use cell2 */
    double (*cell2)(double, double);
} BinaryOp;
BinaryOp binary_op(CpuLevel level, OpCode op);
int64_t binary_vv(const BinaryOp *op, const double *x, const double *y, double *out, int64_t n);
int64_t binary_vs(const BinaryOp *op, const double *x, double y, double *out, int64_t n);
int64_t binary_sv(const BinaryOp *op, double x, const double *y, double *out, int64_t n);

/* A result of rows x cols in the type of the operands, written over operand k of the call when that
 * is allowed for one of the first `nin`. */
ml_status cells_output(Ctx *ctx, const OpCall *call, int nin, int64_t rows, int64_t cols,
                       Matrix **out);

/* A dense result that is computed piece by piece.  Where memory bounds the work, the operands of a
 * large one are read ahead, and when it is not written over one of them it goes past the caches; an
 * operator that computes long on a cell is faster without. */
typedef struct CellRun {
    /* n cells from `at` on into out; gives the nonzeros.  n is what side_piece allows. */
    int64_t (*piece)(const struct CellRun *run, int64_t at, int64_t n, double *out);
    const void *job;
    const Side *sides[2]; /* NULL: none */
    Matrix *out;
    int64_t cols, cells;
    bool large;
    atomic_int_fast64_t nnz;
} CellRun;
/* Make the result, run all pieces and store it as the call's; may write over operands of the call.
 */
ml_status cells_run(Ctx *ctx, OpCall *call, CellRun *run, int64_t rows, int64_t cols);

/* The result of op, stored as the call's, on a CSR side beside one that leaves its zeros zero, and
 * on two CSR sides where f(0, 0) = 0; meet: both leave each other's zeros zero. */
ml_status binary_sparse_map(Ctx *ctx, OpCall *call, const BinaryOp *op, const Side *x,
                            const Side *y);
ml_status binary_sparse_merge(Ctx *ctx, OpCall *call, const BinaryOp *op, const Matrix *x,
                              const Matrix *y, bool meet);

#endif
