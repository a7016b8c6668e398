/* Building frames from cell texts, and cell texts from frames; shared by the text formats. */
#ifndef FRAME_BUILD_H
#define FRAME_BUILD_H

#include "io/io_impl.h"

/* Numeric columns are filled in place; text columns are collected by chunk of the input and joined
 * at the end. */
typedef struct FrameBuild {
    const Spec *spec;
    int64_t rows, cols;
    int chunks;
    FrameType *types;
    FrameColumn **columns;
    TextColumnBuilder *texts; /* chunks x cols */
    TextSet *bases;           /* of the builders, a column */
    uint32_t *words;          /* to be lent to them: those of a text column after another */
    size_t words_held;        /* bytes, of the pool */
    struct Pool *pool;
} FrameBuild;

ml_status frame_build_start(Ctx *ctx, const Spec *spec, int64_t rows, int64_t cols, int chunks,
                            FrameBuild *b);
/* Room for the words of all text columns, which the next reading finds in the pool again. */
ml_status frame_build_words(Ctx *ctx, FrameBuild *b);
/* Cell (row, col) of the text [p, end), p NULL for null. Text cells of a chunk and column come in
 * the order of rows. */
ml_status frame_build_put(Ctx *ctx, FrameBuild *b, int chunk, const InputFile *file, int64_t row,
                          int64_t col, const char *p, const char *end);
/* Once the first chunks are filled: what is known of their texts helps with the others. */
ml_status frame_build_share(Ctx *ctx, FrameBuild *b, int filled);
/* Takes the references of names, an array of mem_alloc or NULL, also when it fails. */
ml_status frame_build_finish(Ctx *ctx, FrameBuild *b, String **names, Frame **out);
void frame_build_free(FrameBuild *b);

/* The text of a cell as files show it (booleans in lower case), NULL for null. */
const char *frame_text(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER], size_t *size);
/* Text with newlines would not come back from a format of lines: ML_EVALUE. */
ml_status frame_check_lines(Ctx *ctx, const Frame *f, const char *format);

#endif
