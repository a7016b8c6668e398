/* Private to hop/: the rules of rewrites.def. */
#ifndef HOP_REWRITE_H
#define HOP_REWRITE_H

#include "hop/hop.h"

#define ML_REWRITE(id, stage, text, sample) Hop *rw_##id(RewriteCall *c, Hop *h);
#include "hop/rewrites.def"
#undef ML_REWRITE

#endif
