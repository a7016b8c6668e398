/* frame: what the frame kernels share.  A result column is written by a ColumnWriter: opened with a
 * type, fed with ranges of other columns, which it converts, and closed. */
#ifndef KERNEL_FRAME_H
#define KERNEL_FRAME_H

#include "kernel/kernel.h"
#include "kernel/text.h"

/* ---- cells (frame_cell.c) ---- */

/* Text of a cell in a STRING column: as printed, but true and false in lower case.  NULL for null.
 */
const char *frame_cell_string(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER],
                              size_t *size);
/* As a number: TRUE is 1, null NaN, text is parsed. */
ml_status frame_cell_number(Ctx *ctx, const FrameColumn *c, int64_t row, double *out);
/* As a scalar of the column's type. */
ml_status frame_cell_value(Ctx *ctx, const FrameColumn *c, int64_t row, Value *out);
/* true, t, 1 and 1.0, and their opposites, in lower or upper case. */
bool text_is_boolean(const char *s, size_t size, bool *out);

/* The name of a column, or its default name; points into f or into buf. */
Text frame_column_name(const Frame *f, int64_t col, char buf[NUM_BUFFER]);
/* st; an error gets the number and the name of the column before its text. */
ml_status frame_name_column(Ctx *ctx, const Frame *f, int64_t col, ml_status st);

/* ---- columns (frame_column.c) ---- */

typedef struct ColumnWriter {
    FrameType type;
    FrameColumn *numbers; /* of a numeric type */
    TextColumnBuilder text;
    int64_t row;
} ColumnWriter;
ml_status column_open(Ctx *ctx, ColumnWriter *w, FrameType type, int64_t rows);
ml_status column_copy(Ctx *ctx, ColumnWriter *w, const FrameColumn *c, int64_t lo, int64_t hi);
ml_status column_close(Ctx *ctx, ColumnWriter *w, FrameColumn **out); /* frees the writer */
void column_discard(ColumnWriter *w);
/* A STRING column of one cell, null where text is NULL. */
ml_status column_of_text(Ctx *ctx, const char *text, size_t size, FrameColumn **out);
/* The column in another type; itself, retained, when it has it. */
ml_status column_cast(Ctx *ctx, FrameColumn *c, FrameType type, FrameColumn **out);
/* The narrowest type that holds values of both. */
FrameType frame_type_join(FrameType a, FrameType b);
/* A 1 x cols frame of strings. */
typedef const char *(*CellText)(const Frame *f, int64_t col, void *arg, char buf[NUM_BUFFER],
                                size_t *size);
ml_status frame_of_row(Ctx *ctx, const Frame *f, CellText text, void *arg, Frame **out);

/* Columns of a frame in the making: freed by frame_finish on success, else by frame_discard. */
ml_status columns_new(Ctx *ctx, int64_t cols, FrameColumn ***out);
void columns_free(int64_t cols, FrameColumn **columns);
/* Wraps columns and names (retained, may be NULL) into the call's first result; takes the columns
 * on any outcome. */
ml_status result_frame(Ctx *ctx, OpCall *call, int64_t rows, int64_t cols, FrameColumn **columns,
                       String **names);
ml_status frame_wrap(Ctx *ctx, int64_t rows, int64_t cols, FrameColumn **columns, String **names,
                     Frame **out);

/* ---- schemas (frame.c) ---- */

/* That operand k is a schema of so many columns: a list of type names, or a frame of one row. */
ml_status frame_schema_check(Ctx *ctx, const OpCall *call, int k, int64_t cols);
/* The type that a schema gives to a column; "·n" is allowed after its name. */
ml_status frame_schema_type(Ctx *ctx, Value schema, int64_t col, FrameType *type);
/* Whether what a text looks like widens to the type; one character fits CHARACTER, no text fits
 * nothing. */
bool frame_text_fits(const char *s, size_t size, FrameType type);

/* ---- order (frame_order.c) ---- */

/* The rows sorted by columns by[0], by[1] ... (from 0); stable, what is missing last. */
ml_status frame_order(Ctx *ctx, const Frame *f, const int64_t *by, int64_t nby, bool decreasing,
                      Frame **out);

/* ---- whole frames (frame_convert.c) ---- */

ml_status frame_to_matrix(Ctx *ctx, const Frame *f, Matrix **out);
ml_status frame_from_matrix(Ctx *ctx, Matrix *m, Frame **out);
ml_status frame_from_scalar(Ctx *ctx, Value v, Frame **out);
/* *f with the first names of a list of strings; *f is replaced. */
ml_status frame_rename(Ctx *ctx, Frame **f, const List *names);
/* The narrowest floating-point type for a number: FP32 when eight significant digits do. */
FrameType float_type(double v);

#endif
