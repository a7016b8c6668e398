/* dump: private to lang.  A program as s-expressions, for tests and debugging. */
#ifndef LANG_DUMP_H
#define LANG_DUMP_H

#include "lang/lang.h"

void dump_list(Buffer *b, const StmtList *list); /* separated by blanks */
void dump_function(Buffer *b, const Function *fn);

#endif
