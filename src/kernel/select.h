/* select: the forms of removeEmpty and replace for frames (frame_select.c).  Private to the
 * kernels. */
#ifndef SELECT_H
#define SELECT_H

#include "kernel/kernel.h"

/* Which rows or columns stay, as flags, and how many. */
typedef struct Kept {
    uint8_t *flags;
    int64_t n, count;
} Kept;

/* Clear the flags of the rows (or columns) of f whose cells are all null, 0 or FALSE. */
void frame_mark_empty(const Frame *f, bool rows, Kept *kept);
/* The rows at these positions, in this order. */
ml_status frame_gather(Ctx *ctx, const Frame *f, const int64_t *rows, int64_t n, Frame **out);
ml_status frame_keep_rows(Ctx *ctx, const Frame *f, const Kept *kept, Frame **out);
ml_status frame_keep_cols(Ctx *ctx, const Frame *f, const Kept *kept, Frame **out);
ml_status frame_replace(Ctx *ctx, const Frame *f, Value pattern, Value replacement, Frame **out);

#endif
