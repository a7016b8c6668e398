/* Frames put together column by column; shared by the binary formats of other programs. */
#ifndef FRAME_PARTS_H
#define FRAME_PARTS_H

#include "io/io_impl.h"

typedef struct FrameParts {
    VEC(FrameColumn *) columns;
    VEC(String *) names; /* one a column */
} FrameParts;

/* Takes the column, also when it fails. All columns must have as many rows as the first. */
ml_status frame_parts_add(Ctx *ctx, FrameParts *p, const char *path, const char *name, size_t size,
                          FrameColumn *c);
/* Takes all parts, also when it fails; checks the sizes against those that the spec asks for. */
ml_status frame_parts_finish(Ctx *ctx, const Spec *spec, FrameParts *p, Frame **out);
/* A frame of `count` columns and their names, which `next` gives one after the other. */
typedef ml_status (*NextColumn)(Ctx *ctx, void *reader, int64_t k, const char **name,
                                FrameColumn **out);
ml_status frame_parts_all(Ctx *ctx, const Spec *spec, int64_t count, NextColumn next, void *reader,
                          Frame **out);
void frame_parts_free(FrameParts *p);

/* The name of a column, C1, C2 ... where it has none; points into the frame or into buf. */
const char *frame_name(const Frame *f, int64_t col, char buf[NUM_BUFFER + 1], size_t *size);
/* A column of numbers as it is, or in FP64, so that missing numbers can be NaN; replaces *c. */
ml_status frame_column_widen(Ctx *ctx, FrameColumn **c);

#endif
