/* A column of texts from a reader that meets texts before rows, and tells rows by numbers of texts,
 * as dictionaries of Arrow and Parquet do.
 *
 * As long as texts repeat each has one number, and the column becomes a dictionary: of the texts
 * that rows have, in the order in which rows first have them, as a TextColumnBuilder makes it. When
 * too many are new, every text that is met gets a number, and the column becomes plain. */
#ifndef CODED_TEXTS_H
#define CODED_TEXTS_H

#include "io/io_impl.h"

typedef struct CodedTexts {
    TextSet set;        /* of texts that differ; empty once they are */
    bool plain;         /* one after the other: */
    Buffer bytes;       /* all of them, */
    VEC(size_t) ends;   /* and where each ends */
    VEC(uint32_t) rows; /* numbers from 1, 0 for null */
} CodedTexts;

/* The number by which rows may have this text; false when memory is exhausted. */
bool coded_texts_learn(CodedTexts *t, const char *text, size_t size, uint32_t *number);
/* So many more rows, by numbers that were learned. */
bool coded_texts_add(CodedTexts *t, const uint32_t *numbers, int64_t n);
ml_status coded_texts_finish(Ctx *ctx, CodedTexts *t, FrameColumn **out); /* empties t */
void coded_texts_free(CodedTexts *t);

#endif
