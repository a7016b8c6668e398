/* Drafts, as far as the rest of data/ has to know them.  Private to data/. */
#ifndef DATA_MATRIX_DRAFT_H
#define DATA_MATRIX_DRAFT_H

#include "data/data.h"

typedef struct Pieces Pieces;
void pieces_free(Pieces *p); /* NULL is allowed */

typedef struct Edits Edits;
void edits_free(Edits *e); /* NULL is allowed */
ml_status edits_settled(Ctx *ctx, const Matrix *m, Matrix **out);

#endif
