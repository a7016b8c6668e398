/* A script run through the public API, what it printed as one line of words. */
#ifndef SCRIPT_CASE_H
#define SCRIPT_CASE_H

#include "base/base.h"

/* True when it ran well; false leaves the message in `out`, after what was printed before. Words
 * are joined by single blanks, so that rows of cells fit into a line of a table. */
bool script_words(const char *script, Buffer *out);
/* The same with an option of the context set; NULL: none. */
bool script_words_with(const char *option, const char *value, const char *script, Buffer *out);

#endif
