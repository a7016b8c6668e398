/* suggest: private to lang.  The known name nearest to a wrong one. */
#ifndef LANG_SUGGEST_H
#define LANG_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_SIZE = 64 };

typedef struct Suggestion {
    const char *wrong;
    int distance; /* of best */
    char best[SUGGEST_SIZE];
    char hint[SUGGEST_SIZE + 24];
} Suggestion;

void suggest_begin(Suggestion *s, const char *wrong);
void suggest_add(Suggestion *s, const char *name, size_t size);
void suggest_names(Suggestion *s, const char *names); /* separated by blanks */
/* "; did you mean 'x'?", or "" when nothing is near. */
const char *suggest_hint(Suggestion *s);

#endif
