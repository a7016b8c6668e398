/* op: the operator table.  One row of ops.def declares an operator once; the checks of the front
 * end, size propagation, rewrites, explain, kernels and the help page are all read from it.
 *
 * To add an operator: one row in the family's file under op/def/, one function ml_k_NAME in the
 * family's kernel file. Nothing else.  Links without kernels. */
#ifndef OP_H
#define OP_H

#include "op/sketch.h"

/* ---- columns of a row ---- */

/* What an argument may be: a mask. */
enum {
    A_MATRIX = 1 << 0,
    A_NUMBER = 1 << 1, /* int or double scalar */
    A_BOOL = 1 << 2,
    A_STRING = 1 << 3,
    A_FRAME = 1 << 4,
    A_LIST = 1 << 5,
    A_SCALAR = A_NUMBER | A_BOOL | A_STRING,
    A_CELLS = A_MATRIX | A_NUMBER | A_BOOL, /* operand of a cell-wise operator */
    A_SHAPE = A_LIST,                       /* a literal list [N,C,H,W]; arrives as a list value */
    A_ANY = A_SCALAR | A_MATRIX | A_FRAME | A_LIST,
};

typedef struct OpArg {
    const char *name;
    uint16_t types;
    /* NULL: required; "": may be absent (arrives as value_none); else the default as a literal of
     * DML: 1  0.5  TRUE  "text". */
    const char *def;
} OpArg;

/* The type of a result. */
typedef enum OpResult {
    R_NONE, /* a statement: print, write, stop ... */
    R_MATRIX,
    R_DOUBLE,
    R_INT,
    R_BOOL,
    R_STRING,
    R_SCALAR, /* a scalar whose type is known only when run */
    R_FRAME,
    R_LIST,
    /* A matrix when an operand is one, else the scalar type that the scalar function gives.  The
     * exception are the rows with P_AGG_FULL (min, max): a matrix alone gives a double. */
    R_CELLS,
    R_SAME,   /* the data type of the first operand */
    R_UNKNOWN /* known only when run */
} OpResult;

/* Properties. */
enum {
    P_CELLWISE = 1 << 0,  /* out[i,j] depends on the operands' [i,j] (after broadcasting) alone */
    P_ZERO_SAFE = 1 << 1, /* unary: f(0) = 0; binary: f(0, y) = 0 for finite y */
    P_COMMUTATIVE = 1 << 2,
    P_ASSOCIATIVE = 1 << 3,
    P_ROW_ALIGNED = 1 << 4, /* row i of the result depends on row i alone */
    P_COL_ALIGNED = 1 << 5, /* column j likewise */
    P_AGG_FULL = 1 << 6,    /* aggregates to a scalar, to a column, to a row */
    P_AGG_ROW = 1 << 7,
    P_AGG_COL = 1 << 8,
    P_NAMED = 1 << 9,     /* arguments must be named, but for the first `positional` ones */
    P_VARIADIC = 1 << 10, /* the last argument repeats */
    P_EFFECT = 1 << 11,  /* prints, writes, stops, reads the clock: keeps its order, is never shared
                            or dropped */
    P_RANDOM = 1 << 12,  /* not deterministic unless its seed argument is given and is not -1 */
    P_MULTI = 1 << 13,   /* several results: needs [a, b] = f(...) */
    P_BOOLEAN = 1 << 14, /* cells of the result are 0 or 1 */
    P_SYNTAX = 1 << 15,  /* an operator of the grammar, not callable by its dml name */
    P_FIRST_UNNAMED = 1 << 16, /* with P_NAMED: the first argument is given without a name */
    P_LITERAL_DOUBLE =
        1 << 17,          /* of an integer literal a double, of an integer variable an integer */
    P_CALLS = 1 << 18,    /* calls a function by a name known only when run: eval */
    P_VARIABLE = 1 << 19, /* the argument may be a variable that has no value: exists(x) */
    P_TOTAL = 1 << 20,    /* defined for all matrices, whatever their cells and sizes */
    P_SINGLE = 1 << 21, /* the kernel takes cells in FP32, see data.h; others get copies in FP64 */
    P_DRAFT = 1 << 22   /* the first operand may be a draft, see data.h */
};

/* How a distributed backend would run it. */
typedef enum OpDist {
    DIST_LOCAL,
    DIST_MAP,
    DIST_MAP_AGG,
    DIST_BROADCAST,
    DIST_PREFIX,
    DIST_SHUFFLE
} OpDist;

/* How an operator stands in a fused pipeline (hop/fuse.c).  Rows that are P_CELLWISE and have a
 * cell function need not say FUSE_CELLS. */
typedef enum OpFuse {
    FUSE_NONE,
    FUSE_CELLS,     /* cell by cell */
    FUSE_ROWS,      /* a cell for each row of its operand */
    FUSE_END,       /* over all rows: its result ends a pipeline */
    FUSE_PRODUCT,   /* rows of X by the whole of Y */
    FUSE_PRODUCT_T, /* the same by t(Y) */
    FUSE_CROSS      /* t(X) by Y, row by row: its result ends a pipeline */
} OpFuse;

/* What an operator makes of operands with far more rows than nonzeros (kernel/hyper.h).  Rows that
 * are P_CELLWISE need not say. */
typedef enum OpHyper {
    HYPER_NONE,    /* it gets them in an ordinary format */
    HYPER_LOOK,    /* it takes them as they are */
    HYPER_COMPACT, /* the same as of the rows that hold something, of the first operand */
    HYPER_ZEROS,   /* ... and a row of zeros */
    HYPER_MEAN,    /* ... times their share of all rows */
    HYPER_ROWS,    /* row by row */
    HYPER_PRODUCT, /* X %*% Y */
    HYPER_CROSS,   /* t(X) %*% Y */
    HYPER_T,
    HYPER_RBIND,
    HYPER_CBIND,
    HYPER_SELF,  /* t(X) %*% X */
    HYPER_REV,   /* the same rows in reverse */
    HYPER_EMPTY, /* removeEmpty */
    HYPER_KINDS
} OpHyper;

/* ---- size propagation ---- */

/* -1: unknown.  An upper bound on nnz counts as known. */
typedef struct Dims {
    int64_t rows, cols, nnz;
} Dims;

enum { SHAPE_SIZES = 4 };

typedef struct ShapeArg {
    DataType dt; /* DT_NONE: unknown or absent */
    Dims dims;   /* of a matrix or frame; scalars are 1 x 1 */
    Value lit;   /* value_none() when not a known scalar */
    bool again;  /* the same value as the operand before it */
    int nsizes;  /* of a list written out, [N,C,H,W]: its entries, -1 where unknown; else 0 */
    int64_t sizes[SHAPE_SIZES];
} ShapeArg;

struct OpInfo;
typedef struct ShapeCall {
    const struct OpInfo *op;
    int nin;
    const ShapeArg *in;
    int nout;
    Dims *out; /* all -1 at entry */
} ShapeCall;
typedef void (*ShapeFn)(
    ShapeCall *c); /* sets rows and cols of the results, -1 where unknown; and nnz where it can */
typedef int64_t (*NnzFn)(
    const ShapeCall *c); /* nnz of out[0], upper bound, -1 unknown; after the shape is known */

typedef double (*FlopsFn)(const ShapeCall *c); /* after the shape is known */

/* ---- scalars ---- */

/* All operands scalars: the value, for folding and for the interpreter.  ctx may get an error. */
typedef ml_status (*ScalarFn)(Ctx *ctx, const Value *in, int nin, Value *out);

/* ---- the row ---- */

enum { OP_ARGS = 24, OP_RESULTS = 6 };

typedef struct OpInfo {
    const char *name; /* C identifier, set by the table */
    const char
        *dml; /* names in DML separated by blanks, the first is shown; symbol for P_SYNTAX rows */
    const char *explain; /* short code in plans; NULL: the first dml name */
    OpArg args[OP_ARGS];
    OpResult result;
    OpResult more[OP_RESULTS]; /* P_MULTI: results after the first, R_NONE ends */
    ShapeFn shape;
    NnzFn nnz;
    SketchFn sketch; /* expected nonzeros by row and column; NULL: no rule, see dag_sketch */
    FlopsFn flops;   /* NULL: one for each cell read or written */
    uint32_t props;
    uint32_t in_place; /* bit k: the kernel writes over operand k when it may; see op_in_place */
    OpDist dist;
    OpFuse fuse;
    OpHyper hyper;
    ScalarFn scalar;
    double (*cell1)(double);         /* unary cell-wise */
    double (*cell2)(double, double); /* binary cell-wise */
    const char *doc;                 /* one or more sentences: meaning, shapes, errors, method */
    const char *example;             /* DML expression or statements */
    const char *yields; /* what print of the example gives: cells of toString joined by blanks, or
                           the scalar */
    const char
        *later; /* not in this version: what it belongs to, e.g. "neural-network operators" */
} OpInfo;

/* ML_OP(name, ...): kernel ml_k_NAME.      ML_OP_AS(name, kernel, ...): shares kernel ml_k_KERNEL.
 * ML_OP_SCALAR(name, ...): scalars only, its .scalar is all.  ML_OP_RUN(name, ...): done by the
 * interpreter, ml_r_NAME. ML_OP_LATER(name, ...): a name that this version knows but cannot run. */
typedef enum OpCode {
#define ML_OP(name, ...) OP_##name,
#define ML_OP_AS(name, kernel, ...) OP_##name,
#define ML_OP_SCALAR(name, ...) OP_##name,
#define ML_OP_RUN(name, ...) OP_##name,
#define ML_OP_LATER(name, ...) OP_##name,
#include "op/ops.def"
    OP_COUNT
} OpCode;

extern const OpInfo op_table[OP_COUNT];

/* By name in DML, aliases included; -1 when there is none.  P_SYNTAX rows are found by
 * op_find_symbol only. */
int op_find(const char *dml, size_t size);
int op_find_symbol(const char *symbol, int arity);
int op_nargs(const OpInfo *op); /* declared arguments */
int op_nresults(const OpInfo *op);
const char *op_label(const OpInfo *op); /* explain name */
/* May the kernel write over operand k, when it dies, is dense and has the shape of the result?
 * Cell-wise operators of one or two operands do. */
bool op_in_place(const OpInfo *op, int nin, int k);
/* What a mask of argument types allows, in words: "a matrix or a number". */
enum { OP_TYPES_TEXT = 96 };
void op_types_text(char buf[OP_TYPES_TEXT], unsigned types);

/* Upper bound in bytes of a result of these dims in the format it would get. */
double dims_bytes(CellType type, Dims d);

/* ---- the call that a kernel sees ---- */

typedef struct OpCall {
    const OpInfo *op;
    int nin, nout;
    Value *in;     /* borrowed; one per declared argument (P_VARIADIC: one per actual), value_none()
                      when absent */
    Value *out;    /* value_none() at entry; the caller owns what is stored */
    uint32_t last; /* bit k: in[k] is dead after this call, so when its refs == 1 the kernel may
                      write into it */
    const char *const *names; /* operands' names as written, for messages; may be NULL */
} OpCall;

static inline bool call_has(const OpCall *c, int k)
{
    return k < c->nin && c->in[k].dt != DT_NONE;
}
/* The matrix of operand k when the kernel may overwrite it: last use, sole owner, dense, not
 * mapped; else NULL. */
Matrix *call_reusable(const OpCall *c, int k);
/* The same of any format: its header and buffer are the call's, whatever is done with them. */
Matrix *call_owned(const OpCall *c, int k);

/* Sets to->in[k], a new reference, for operand k of `from`; those below k are set. */
typedef ml_status (*CallOperandFn)(Ctx *ctx, const void *arg, const OpCall *from, OpCall *to,
                                   int k);
/* fn on the call with these operands in place of its own. */
ml_status call_with_operands(Ctx *ctx, OpCall *call, CallOperandFn operand, const void *arg,
                             ml_status (*fn)(Ctx *ctx, OpCall *call));

/* ML_ETYPE when the table does not allow the type of an operand; numbers and booleans stand for
 * each other here. */
ml_status call_check_types(Ctx *ctx, const OpCall *c);
/* Operands as C values, with an error naming the parameter when the type or value does not fit. */
ml_status call_matrix(Ctx *ctx, const OpCall *c, int k, Matrix **out); /* borrowed */
ml_status call_double(Ctx *ctx, const OpCall *c, int k, double *out);
ml_status call_int(Ctx *ctx, const OpCall *c, int k, int64_t *out);
ml_status call_bool(Ctx *ctx, const OpCall *c, int k, bool *out);
ml_status call_text(Ctx *ctx, const OpCall *c, int k, const char **out); /* borrowed */
ml_status call_frame(Ctx *ctx, const OpCall *c, int k, Frame **out);
ml_status call_list(Ctx *ctx, const OpCall *c, int k, List **out);
/* ML_ESHAPE with both operands' names and shapes: "X is 3x4, Y is 2x2: <what>". */
ml_status call_shape_error(Ctx *ctx, const OpCall *c, int a, int b, const char *what);
/* The first name that the operator has in the language, for messages.  Returns buf; CALL_DML brings
 * one that lasts to the end of the block. */
enum { CALL_DML_SIZE = 64 };
const char *call_dml(const OpCall *c, char buf[CALL_DML_SIZE]);
#define CALL_DML(c) call_dml((c), (char[CALL_DML_SIZE]){0})
/* Name of parameter or operand k for messages. */
const char *call_name(const OpCall *c, int k);

/* ---- shape and nonzero rules, for the rows (shape.c) ---- */

/* clang-format off */
#define SHAPE_RULES(X)                                                                             \
    X(shape_same) X(shape_scalar) X(shape_unknown) X(shape_cellwise) X(shape_matmult)              \
    X(shape_transpose) X(shape_row_agg) X(shape_col_agg) X(shape_diag) X(shape_cbind)              \
    X(shape_rbind) X(shape_index) X(shape_matrix) X(shape_rand) X(shape_seq) X(shape_sample)       \
    X(shape_cast) X(shape_schema) X(shape_outer) X(shape_solve) X(shape_table) X(shape_left_index) X(shape_vector_of_rows)       \
    X(shape_tsmm) X(shape_tsmm_right) X(shape_matmult_tn) X(shape_matmult_nt) X(shape_mmchain)     \
    X(shape_lu) X(shape_all_same) X(shape_eigen) X(shape_svd) X(shape_minmax) X(shape_conv2d)            \
    X(shape_conv2d_filter) X(shape_conv2d_data) X(shape_pool) X(shape_pool_backward)               \
    X(shape_batch_norm) X(shape_batch_norm_backward) X(shape_lstm) X(shape_lstm_backward)    \
    X(shape_stft) X(shape_ppred) X(shape_column) X(shape_range)               \
    X(shape_class_meet) X(shape_order)
/* clang-format on */
#define SHAPE_DECLARE(name) void name(ShapeCall *c);
SHAPE_RULES(SHAPE_DECLARE)
#undef SHAPE_DECLARE

/* Windows of a length that fit into size cells with pad more at either end; -1 when one is unknown
 * (negative) or none fits. */
int64_t window_count(int64_t size, int64_t window, int64_t stride, int64_t pad);

/* Windows that cover a row of cols cells, each beginning window - overlap cells after the one
 * before; 0 <= overlap < window. */
int64_t stft_frames(int64_t cols, int64_t window, int64_t overlap);

/* Rows of seq(from, to, incr): 0 when incr leads away from `to`; -1 when they cannot be counted. */
int64_t seq_length(double from, double to, double incr);

int64_t nnz_unknown(const ShapeCall *c);
int64_t nnz_dense(const ShapeCall *c); /* all cells */
int64_t nnz_table(const ShapeCall *c);
int64_t nnz_same(const ShapeCall *c); /* that of the first operand */
/* By what the cell function makes of zeros; a product counts on finite cells, so the bound serves
 * estimates, not rewrites. */
int64_t nnz_cellwise(const ShapeCall *c);
int64_t nnz_rand(const ShapeCall *c);
int64_t nnz_matrix(const ShapeCall *c);
int64_t nnz_sum(const ShapeCall *c); /* of all operands */
int64_t nnz_left_index(const ShapeCall *c);
int64_t nnz_matmult(const ShapeCall *c); /* of a product of finite matrices */

/* ---- work, for the rows (cost.c) ---- */

/* clang-format off */
#define FLOPS_RULES(X)                                                                             \
    X(flops_function) X(flops_matmult) X(flops_matmult_tn) X(flops_matmult_nt) X(flops_tsmm)       \
    X(flops_tsmm_right) X(flops_mmchain) X(flops_sampled) X(flops_cubic) X(flops_sort)
/* clang-format on */
#define FLOPS_DECLARE(name) double name(const ShapeCall *c);
FLOPS_RULES(FLOPS_DECLARE)
#undef FLOPS_DECLARE

/* Floating-point operations of a call whose shape is known. */
double op_flops(const ShapeCall *c);

/* ---- scalar functions, for the rows (scalar.c): s_NAME ---- */

/* clang-format off */
#define SCALAR_RULES(X)                                                                            \
    X(s_add) X(s_sub) X(s_mul) X(s_div) X(s_pow) X(s_mod) X(s_intdiv) X(s_lt) X(s_le) X(s_gt)      \
    X(s_ge) X(s_eq) X(s_ne) X(s_and) X(s_or) X(s_xor) X(s_not) X(s_neg) X(s_plus) X(s_min)         \
    X(s_max) X(s_abs) X(s_log) X(s_ifelse) X(s_as_int) X(s_as_double) X(s_as_bool) X(s_bit_and)    \
    X(s_bit_or) X(s_bit_xor) X(s_shift_l) X(s_shift_r)
/* clang-format on */
#define SCALAR_DECLARE(name) ml_status name(Ctx *ctx, const Value *in, int nin, Value *out);
SCALAR_RULES(SCALAR_DECLARE)

/* ---- cell functions, for the rows (cell.c): c_NAME, what an operator does to one cell.  A unary
 * one has a scalar function of its name as well, which gives a double. ---- */

/* clang-format off */
#define CELL1_RULES(X)                                                                             \
    X(sqrt) X(exp) X(sign) X(round) X(floor) X(ceil) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan)  \
    X(sinh) X(cosh) X(tanh) X(is_nan) X(is_infinite)
#define CELL2_RULES(X)                                                                             \
    X(add) X(sub) X(mul) X(div) X(pow) X(mod) X(intdiv) X(lt) X(le) X(gt) X(ge) X(eq) X(ne)        \
    X(and) X(or) X(xor) X(min) X(max) X(log_base)
#define CELL1_DECLARE(name) double c_##name(double x);
#define CELL1_SCALAR(name) SCALAR_DECLARE(s_##name)
#define CELL2_DECLARE(name) double c_##name(double x, double y);
CELL1_RULES(CELL1_DECLARE)
CELL1_RULES(CELL1_SCALAR)
CELL2_RULES(CELL2_DECLARE)
CELL2_DECLARE(bit_and)
CELL2_DECLARE(bit_or)
CELL2_DECLARE(bit_xor)
CELL2_DECLARE(shift_l)
CELL2_DECLARE(shift_r)
CELL1_DECLARE(abs)
CELL1_DECLARE(log)
CELL1_DECLARE(not)
CELL1_DECLARE(neg)
CELL1_DECLARE(plus)
/* clang-format on */
#undef SCALAR_DECLARE
#undef CELL1_DECLARE
#undef CELL1_SCALAR
#undef CELL2_DECLARE

#endif
