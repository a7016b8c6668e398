/* Building frames from cell texts, and cell texts from frames; shared by the text formats. */
#ifndef FRAME_BUILD_H
#define FRAME_BUILD_H

#include "io/io_impl.h"

/* Rows that are built by one task at a time. */
typedef struct FramePart {
    int64_t from; /* where they begin in the columns while these are built, */
    int64_t room; /* how many there may be, */
    int64_t rows; /* and are */
} FramePart;

/* Numeric columns are filled in place, with gaps where a part has fewer rows than room, which are
 * closed at the end; text columns are collected by part and joined then. */
typedef struct FrameBuild {
    const Spec *spec;
    int64_t cols, room; /* room: of all parts */
    int count;
    FramePart *parts;
    FrameType *types;
    FrameColumn **columns;
    TextColumnBuilder *texts; /* count x cols */
    TextSet *bases;           /* of the builders, a column */
    uint32_t *words;          /* lent to them: those of a text column after another */
    size_t words_held;        /* bytes, of the pool */
    struct Pool *pool;
} FrameBuild;

/* For so many parts; the caller sets their room next. */
ml_status frame_build_start(Ctx *ctx, const Spec *spec, int64_t cols, int parts, FrameBuild *b);
ml_status frame_build_room(Ctx *ctx, FrameBuild *b);
/* Cell (row, col) of the text [p, end), p NULL for null; the row is one of the part's, from its
 * `from`. Text cells of a part and column come in the order of rows. */
ml_status frame_build_put(Ctx *ctx, FrameBuild *b, int part, const InputFile *file, int64_t row,
                          int64_t col, const char *p, const char *end);
/* Once the first parts are filled: what is known of their texts helps with the others. */
ml_status frame_build_share(Ctx *ctx, FrameBuild *b, int filled);
/* How many rows all parts have. */
int64_t frame_build_rows(const FrameBuild *b);
/* Takes the references of names, an array of mem_alloc or NULL, also when it fails. */
ml_status frame_build_finish(Ctx *ctx, FrameBuild *b, String **names, Frame **out);
void frame_build_free(FrameBuild *b);

/* The text of a cell as files show it (booleans in lower case), NULL for null. */
const char *frame_text(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER], size_t *size);
/* Text with newlines would not come back from a format of lines: ML_EVALUE. */
ml_status frame_check_lines(Ctx *ctx, const Frame *f, const char *format);

#endif
