/* Arrow's layout of columns in memory, which Arrow IPC files hold and DuckDB takes.
 *
 * A batch is some rows of a frame, cut into buffers a column: validity bits where cells are
 * missing, and values; or for texts offsets and bytes. */
#ifndef ARROW_H
#define ARROW_H

#include "io/frame_parts.h"

enum {
    ARROW_BUFFERS = 3,
    ARROW_BATCH_ROWS = 122880 /* DuckDB's row group; a multiple of 64 */
};

typedef struct ArrowColumn {
    int64_t rows, nulls;
    int count;                       /* of buffers: 2, or 3 of texts */
    const void *data[ARROW_BUFFERS]; /* data[0] NULL: no cell is missing */
    size_t size[ARROW_BUFFERS];
    Buffer made[ARROW_BUFFERS]; /* what does not lie in the column as it is needed */
} ArrowColumn;

/* Rows [lo, hi) of a column, lo a multiple of 8; points into the column where it can. Texts are
 * plain with offsets of 32 bits, numbers as they are but for booleans, which are bits. */
ml_status arrow_column(Ctx *ctx, const FrameColumn *c, int64_t lo, int64_t hi, ArrowColumn *out);
/* The same of column k of a matrix, as doubles. */
ml_status arrow_cells(Ctx *ctx, const Matrix *m, int64_t k, int64_t lo, int64_t hi,
                      ArrowColumn *out);
void arrow_column_free(ArrowColumn *c);

#endif
