/* data: values - scalars, strings, matrices, frames, lists - and the pool that holds their bytes.
 *
 * A Value is 16 bytes, passed by value.  What it points to is immutable and counted: value_retain
 * when you store it, value_release when you drop it.  The last owner may write in place
 * (matrix_writable).  Matrices come in formats that the user never sees: dense row-major, CSR,
 * constant, hypersparse, and the drafts, which are being built in a loop.  Every matrix knows its
 * exact number of nonzeros (cells != 0, so NaN counts and -0 does not). */
#ifndef DATA_H
#define DATA_H

#include "base/base.h"

#include <math.h>
#include <string.h>

typedef enum DataType { DT_NONE, DT_SCALAR, DT_MATRIX, DT_FRAME, DT_LIST } DataType;
typedef enum ValueType { VT_NONE, VT_INT, VT_DOUBLE, VT_BOOL, VT_STRING, VT_UNKNOWN } ValueType;

const char *data_type_name(DataType dt);   /* "matrix" ... */
const char *value_type_name(ValueType vt); /* "int" ... */

typedef struct String {
    atomic_int refs;
    int64_t size; /* bytes of UTF-8 */
    char text[];  /* zero-terminated */
} String;

/* Kernels see the first three; see below for MATRIX_HYPER, and for the drafts that follow it. */
typedef enum MatrixFormat {
    MATRIX_DENSE,
    MATRIX_CSR,
    MATRIX_CONSTANT,
    MATRIX_HYPER,
    MATRIX_PIECES,
    MATRIX_EDITED
} MatrixFormat;

/* How a cell is stored.  Programs compute in doubles; with the option precision=single the cells of
 * matrices rest in memory as FP32, see "cells in FP32" below. */
typedef enum CellType { CELL_FP64, CELL_FP32 } CellType;

typedef struct Matrix {
    atomic_int refs;
    MatrixFormat format;
    int64_t rows, cols, nnz;
    double *values;    /* DENSE: rows*cols cells, 64-byte aligned; CSR: nnz nonzeros (capacity may
                          exceed it); NULL when the cells are FP32 */
    float *singles;    /* the same in FP32; NULL when the cells are FP64 */
    int64_t *row_ptr;  /* CSR: rows + 1 */
    uint32_t *col_idx; /* CSR: ascending in each row, no duplicates */
    double constant;   /* CONSTANT */
    struct Matrix *compact; /* HYPER: its rows, CSR ... */
    struct RowList *list;   /* ... and which they are */
    struct Pieces *pieces;
    struct Edits *edits;
    struct Pool *pool;
    size_t bytes;         /* accounted */
    struct Matrix *owner; /* whose cells these are, see matrix_alias; NULL: its own */
    bool view;            /* and they may not be written */
    bool grown;           /* made by binding cells behind a matrix that died: more may follow */
    void *mapping;        /* a file mapping that backs values (read-only), or NULL */
    size_t mapping_size;
} Matrix;

struct Frame;
struct List;

typedef struct Value {
    uint8_t dt; /* DataType */
    uint8_t vt; /* ValueType of a scalar; VT_DOUBLE for matrices */
    /* A double that list(name=value) made: `+` with another scalar concatenates, as in the
     * reference.  Operators and casts drop it. */
    bool textual;
    uint8_t unused[5]; /* named, so that a whole word is written at once */
    union {
        int64_t i;
        double d;
        bool b;
        String *s;
        Matrix *m;
        struct Frame *f;
        struct List *l;
    };
} Value;

typedef struct List {
    atomic_int refs;
    int64_t count;
    Value *items;
    String **names; /* NULL: unnamed; an entry may be NULL */
} List;

/* ---- values ---- */

/* By words: a 16-byte load right after the stores that made a value would wait for both to reach
 * the cache. */
typedef uint64_t ValueWord __attribute__((may_alias));
static inline void value_copy(Value *to, const Value *from)
{
    const ValueWord *source = (const ValueWord *)from;
    ValueWord *target = (ValueWord *)to;

    target[0] = source[0];
    target[1] = source[1];
}

static inline Value value_none(void)
{
    return (Value){0};
}
static inline Value value_int(int64_t i)
{
    return (Value){.dt = DT_SCALAR, .vt = VT_INT, .i = i};
}
static inline Value value_double(double d)
{
    return (Value){.dt = DT_SCALAR, .vt = VT_DOUBLE, .d = d};
}
static inline Value value_bool(bool b)
{
    return (Value){.dt = DT_SCALAR, .vt = VT_BOOL, .b = b};
}
/* These take the reference that the caller holds. */
static inline Value value_string(String *s)
{
    return (Value){.dt = DT_SCALAR, .vt = VT_STRING, .s = s};
}
static inline Value value_matrix(Matrix *m)
{
    return (Value){.dt = DT_MATRIX, .vt = VT_DOUBLE, .m = m};
}
static inline Value value_frame(struct Frame *f)
{
    return (Value){.dt = DT_FRAME, .vt = VT_STRING, .f = f};
}
static inline Value value_list(List *l)
{
    return (Value){.dt = DT_LIST, .vt = VT_UNKNOWN, .l = l};
}
static inline bool value_is_counted(Value v)
{
    return v.dt > DT_SCALAR || v.vt == VT_STRING;
}
void value_retain_counted(Value v);
void value_release_counted(Value v);
static inline Value value_retain(Value v)
{
    if (value_is_counted(v))
        value_retain_counted(v);
    return v;
}
static inline void value_release(Value v)
{
    if (value_is_counted(v))
        value_release_counted(v);
}
/* "matrix 3x4", "scalar int" ... for messages. */
const char *value_describe(Value v, char buf[64]);

/* ---- scalars: conversions by the rules of the language, section 2.1 and 14 ---- */

bool scalar_is_number(Value v);   /* int, double or bool */
double scalar_to_double(Value v); /* of int, double, bool; NaN for a string */
/* The whole text, but for blanks around it, as a number; false when it is none. */
bool text_to_double(const char *s, size_t size, double *out);
/* Truncation with the 2^-53 nudge; NaN 0; saturating. */
static inline int64_t double_to_int(double d)
{
    const double size = fabs(d) + 0x1p-53;

    if (!(size < 0x1p63))
        return d > 0 ? INT64_MAX : d < 0 ? INT64_MIN : 0;
    return d < 0 ? -(int64_t)size : (int64_t)size;
}

ml_status scalar_cast(Ctx *ctx, Value v, ValueType to,
                      Value *out); /* as.integer, as.double, as.logical, to string */
ml_status scalar_truth(Ctx *ctx, Value v, bool *out); /* of a predicate */
/* What print shows for a scalar; appends to b. */
void scalar_print(Buffer *b, Value v);

/* ---- strings ---- */

ml_status string_new(Ctx *ctx, const char *text, size_t size, String **out);
String *string_retain(String *s);
void string_release(String *s);

/* ---- pool: blocks' bytes, recycled huge-page buffers, exact accounting ---- */

typedef struct Pool Pool;
Pool *pool_new(size_t limit);
void pool_free(Pool *pool); /* after all that was allocated was released */
/* A budget as the option `memory` spells it: "8G", "512m", "1000000" or "70%" of machine_memory().
 */
ml_status pool_parse_limit(Ctx *ctx, const char *text, size_t *out);
void *pool_alloc(Ctx *ctx,
                 size_t bytes); /* 64-byte aligned, not zeroed; NULL with ML_ENOMEM in ctx */
void pool_release(Pool *pool, void *p, size_t bytes);
typedef struct PoolStats {
    size_t limit, used, peak, cached;
    int64_t allocations, reused;
    size_t handed; /* bytes of all allocations */
} PoolStats;
PoolStats pool_stats(const Pool *pool);

/* ---- matrices ----
 * New ones have one reference and nnz -1; matrix_finish makes them valid values. */

ml_status matrix_new_dense(Ctx *ctx, int64_t rows, int64_t cols, Matrix **out); /* cells not set */
ml_status matrix_new_zero(Ctx *ctx, int64_t rows, int64_t cols, Matrix **out);  /* dense, cells 0 */
ml_status matrix_new_csr(Ctx *ctx, int64_t rows, int64_t cols, int64_t capacity,
                         Matrix **out); /* row_ptr zeroed */
ml_status matrix_new_constant(Ctx *ctx, int64_t rows, int64_t cols, double value, Matrix **out);
/* A dense matrix over a private file mapping that it owns from now on, also on failure; cells lie
 * in the mapping. */
ml_status matrix_new_mapped(Ctx *ctx, int64_t rows, int64_t cols, double *cells, void *mapping,
                            size_t size, Matrix **out);
/* Other handles on the cells of a dense matrix, which they keep alive.  An alias is for several
 * writers of disjoint cells, each of which is the one owner of its handle; its nnz is only a bound.
 * A view of the rows [lo, hi) is never written; its nnz is still to be found. */
ml_status matrix_alias(Ctx *ctx, Matrix *m, Matrix **out);
ml_status matrix_view(Ctx *ctx, Matrix *m, int64_t lo, int64_t hi, Matrix **out);
Matrix *matrix_retain(Matrix *m);
void matrix_release(Matrix *m); /* NULL is allowed */

/* Give *m its nnz (counted in parallel when nnz < 0) and the format that suits its sparsity
 * (matrix_is_sparse).  *m may be replaced. */
ml_status matrix_finish(Ctx *ctx, Matrix **m, int64_t nnz);
/* The rule: CSR when more than one column and nnz / cells < 0.4 (and cells >= 1024, so small ones
 * stay dense). */
bool matrix_is_sparse(int64_t rows, int64_t cols, int64_t nnz);
const char *matrix_format_reason(int64_t rows, int64_t cols, int64_t nnz); /* "dense: one column" */
int64_t matrix_count_nnz(const double *cells, int64_t n);
int64_t matrix_stored_nnz(const Matrix *m, int64_t at, int64_t n); /* of n stored cells */

int64_t matrix_row_nnz(const Matrix *m, int64_t i); /* dense, CSR or constant */

/* The same matrix in the format asked for; in itself, retained, when it already has it. */
ml_status matrix_dense(Ctx *ctx, Matrix *m, Matrix **out);
ml_status matrix_csr(Ctx *ctx, Matrix *m, Matrix **out);
/* *m, dense, owned by nobody else and not mapped: a copy replaces it when necessary.  nnz is stale
 * after writing. */
ml_status matrix_writable(Ctx *ctx, Matrix **m);

double matrix_get(const Matrix *m, int64_t row, int64_t col); /* zero-based, in bounds */
static inline int64_t matrix_cells(const Matrix *m)
{
    return m->rows * m->cols; /* never overflows: checked when the matrix is made */
}
/* One row as dense cells: a pointer into a dense matrix of FP64, or `scratch` (cols cells) filled
 * from CSR, constant or FP32. */
const double *matrix_row(const Matrix *m, int64_t row, double *scratch);

/* ---- hypersparse matrices ----
 * MATRIX_HYPER has far more rows than nonzeros, so that row pointers alone would outweigh them: row
 * list->rows[k] of it is row k of a CSR matrix, all others are zero.  Maps share the list.  Kernels
 * get the compact matrix, or see none of this: kernel/hyper.h. */

typedef struct RowList {
    atomic_int refs;
    int64_t n;
    int64_t *rows; /* ascending */
    Pool *pool;
} RowList;
ml_status row_list_new(Ctx *ctx, int64_t n, RowList **out); /* rows not set */
RowList *row_list_retain(RowList *list);
void row_list_release(RowList *list);                     /* NULL is allowed */
int64_t row_list_lower(const RowList *list, int64_t row); /* the first entry not below row */

/* Would a matrix of so many rows, of which so many may have nonzeros, be hypersparse? */
bool matrix_is_hyper(int64_t rows, int64_t stored);
/* A matrix of `rows` rows, those of `compact` at the places of the list and zeros between, in the
 * format that suits it; nnz is that of compact. */
ml_status matrix_spread(Ctx *ctx, int64_t rows, RowList *list, Matrix *compact, Matrix **out);
/* *m, CSR, becomes hypersparse if it should be; costs its rows. */
ml_status matrix_squeeze(Ctx *ctx, Matrix **m);
/* Of n entries in the order of their rows, which are row_of: their columns and cells are those of
 * `entries`, a CSR matrix with room for n rows, which is set to have the rows that occur. */
ml_status matrix_of_entries(Ctx *ctx, int64_t rows, int64_t n, const int64_t *row_of,
                            Matrix *entries, Matrix **out);
/* The same as matrix_spread, but never hypersparse. */
ml_status matrix_spread_plain(Ctx *ctx, int64_t rows, const RowList *list, Matrix *compact,
                              Matrix **out);

/* ---- matrices side by side, and drafts ----
 * A draft is a matrix that a loop is building, in a form that is cheap to add to and that hardly
 * anybody can read: MATRIX_PIECES, matrices side by side; MATRIX_EDITED, a sparse matrix some rows
 * of which were replaced.  It knows its size and nnz.  The interpreter settles a draft before an
 * operator gets it, unless it is the first operand of one whose row has P_DRAFT. */

static inline bool matrix_is_draft(const Matrix *m)
{
    return m->format >= MATRIX_PIECES;
}
/* The same matrix in an ordinary format; in itself, retained, when it has one or when nobody else
 * has it: then it is changed in place. */
ml_status matrix_settled(Ctx *ctx, Matrix *m, Matrix **out);

/* n matrices of equal rows side by side, dense or CSR as suits nnz, which is how many nonzeros they
 * have; *out has the nnz -1. */
ml_status matrix_cbind(Ctx *ctx, CellType type, Matrix *const *parts, int n, int64_t nnz,
                       Matrix **out);
/* A draft of these n matrices side by side, of which the first may be one: costs n references, or
 * those behind the first if it is a draft that is `owned`: nobody else has it. */
ml_status matrix_pieces(Ctx *ctx, Matrix *const *parts, int n, bool owned, Matrix **out);
/* The piece that holds columns [lo, hi), and its first column; NULL when they lie in several. */
Matrix *matrix_piece(const Matrix *m, int64_t lo, int64_t hi, int64_t *first);

/* Some nonzeros of one row: `cells` or `singles` by the type of the matrix; columns ascend. */
typedef struct RowEntries {
    int64_t n;
    const uint32_t *cols;
    const double *cells;
    const float *singles;
} RowEntries;

/* A draft of m, which is CSR or all zero: m itself, retained, if it is one that is `owned`. */
ml_status matrix_edits(Ctx *ctx, Matrix *m, bool owned, Matrix **out);
/* Columns [lo, hi) of a row of such a draft hold these n numbers at ascending `cols` from now on
 * (zeros are left out), and nothing else.  Costs the entries of the row. */
ml_status matrix_edit_row(Ctx *ctx, Matrix *m, int64_t row, int64_t lo, int64_t hi, int64_t n,
                          const uint32_t *cols, const double *cells);
/* The entries of a row of such a draft in columns [lo, hi). */
RowEntries matrix_edited_row(const Matrix *m, int64_t row, int64_t lo, int64_t hi);

/* ---- cells in FP32 ----
 * With precision=single every matrix that the program holds is FP32 (constants store a double that
 * is a float).  Kernels whose row has P_SINGLE get such operands, and all operands of a call have
 * one type; every other kernel gets FP64 copies.  Results may be of either type, they are converted
 * after the call.  So a P_SINGLE kernel
 *   - makes its result by matrix_like(ctx, operand, ...), in the type of its operand;
 *   - computes in doubles on tiles that stay in the L1 cache, and reads and writes cells by
 *         x = matrix_load(in, at, n, scratch);
 *         to = matrix_target(out, at, scratch2);
 *         nnz += matrix_store(out, at, n, to, loop(x, to, n));
 *     which costs nothing for FP64, where they point into the matrices;
 *   - or moves cells unseen: matrix_at and matrix_cell_size;
 *   - or runs loops of its own over `singles`. */

static inline CellType matrix_type(const Matrix *m)
{
    return m->singles || (m->compact && m->compact->singles) ? CELL_FP32 : CELL_FP64;
}
static inline size_t cell_size(CellType type)
{
    return type == CELL_FP32 ? sizeof(float) : sizeof(double);
}
static inline size_t matrix_cell_size(const Matrix *m)
{
    return cell_size(matrix_type(m));
}
CellType precision_type(const Ctx *ctx); /* what the option precision asks for */

/* As matrix_new_dense and matrix_new_csr, in a type. */
ml_status matrix_new_dense_of(Ctx *ctx, CellType type, int64_t rows, int64_t cols, Matrix **out);
ml_status matrix_new_csr_of(Ctx *ctx, CellType type, int64_t rows, int64_t cols, int64_t capacity,
                            Matrix **out);
/* A dense matrix in the type of another. */
static inline ml_status matrix_like(Ctx *ctx, const Matrix *m, int64_t rows, int64_t cols,
                                    Matrix **out)
{
    return matrix_new_dense_of(ctx, matrix_type(m), rows, cols, out);
}
/* The same matrix, in its format, with cells of that type and its exact nnz; itself, retained, when
 * it has it.  To FP32 cells are rounded, beyond its range to infinities and zeros; a constant's
 * number as well. */
ml_status matrix_as(Ctx *ctx, CellType type, Matrix *m, Matrix **out);
/* As matrix_dense, which keeps the type and makes FP64 of a constant: this of that type. */
ml_status matrix_dense_of(Ctx *ctx, CellType type, Matrix *m, Matrix **out);

/* As dense cells in FP64; in itself, retained, when it is that. */
ml_status matrix_doubles(Ctx *ctx, Matrix *m, Matrix **out);

/* Where the stored cell `at` lies, NULL when no cell is stored: for copies between matrices of one
 * type. */
static inline void *matrix_at(const Matrix *m, int64_t at)
{
    if (m->singles)
        return m->singles + at;
    return m->values ? m->values + at : NULL;
}
/* Stored cells between matrices of one type. */
static inline void matrix_move(const Matrix *from, int64_t at, Matrix *to, int64_t to_at, int64_t n)
{
    if (n > 0)
        memmove(matrix_at(to, to_at), matrix_at(from, at), (size_t)n * matrix_cell_size(to));
}
/* A row of a matrix of any format as cells of a dense one of its type, from `at` on. */
void matrix_put_row(const Matrix *m, int64_t row, Matrix *to, int64_t at);
void cells_widen(const float *from, double *to, int64_t n);
/* Rounds; gives the nonzeros among what was stored. */
int64_t cells_narrow(const double *from, float *to, int64_t n);

static inline double matrix_cell(const Matrix *m, int64_t at) /* a stored cell */
{
    return m->singles ? (double)m->singles[at] : m->values[at];
}
static inline void matrix_put(Matrix *m, int64_t at, double value)
{
    if (m->singles)
        m->singles[at] = (float)value;
    else
        m->values[at] = value;
}
/* n stored cells from `at` on as doubles: a pointer into an FP64 matrix, or scratch. */
static inline const double *matrix_load(const Matrix *m, int64_t at, int64_t n, double *scratch)
{
    if (!m->singles)
        return m->values + at;
    cells_widen(m->singles + at, scratch, n);
    return scratch;
}
/* Where to write cells from `at` on as doubles before matrix_store. */
static inline double *matrix_target(const Matrix *m, int64_t at, double *scratch)
{
    return m->singles ? scratch : m->values + at;
}
/* Store n cells that were written to matrix_target; gives their nonzeros, which are nnz before
 * rounding. */
static inline int64_t matrix_store(Matrix *m, int64_t at, int64_t n, const double *cells,
                                   int64_t nnz)
{
    return m->singles ? cells_narrow(cells, m->singles + at, n) : nnz;
}

/* ---- frames and lists ---- */

#include "data/frame.h"

ml_status list_new(Ctx *ctx, int64_t count, bool named, List **out); /* items none */
List *list_retain(List *l);
void list_release(List *l);

/* ---- toString ---- */

typedef struct PrintFormat {
    int64_t rows, cols;
    int decimals;
    bool sparse;
    const char *sep, *linesep;
} PrintFormat;
extern const PrintFormat print_format_default;              /* 100, 100, 3, false, " ", "\n" */
void value_print(Buffer *b, Value v, const PrintFormat *f); /* any value; check b->failed */

#endif
