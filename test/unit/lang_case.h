/* Scripts as text, for the tests of lang/: parsed, checked, and shown as s-expressions or as the
 * findings. */
#ifndef LANG_CASE_H
#define LANG_CASE_H

#include "ml_test.h"

#include "lang/lang.h"

typedef struct LangCase {
    const char *name; /* of the script, "t.dml" when NULL */
    const char *text;
    size_t size; /* 0: up to the end of text */
    bool check_only;
    const char *lib;
    const ScriptArg *args;
    int nargs;
} LangCase;

/* What the parser made of a text without syntax errors, the functions first; calls are resolved
 * where they could be.  The result lasts until the next call of any function here. */
const char *lang_tree(const char *text);
const char *lang_tree_of(const LangCase *script);
/* All findings as shown to a person. */
const char *lang_findings(const LangCase *script, ml_status *status);

/* The text has exactly these findings. */
void lang_expect(const char *text, const char *findings); /* running; fails if there are some */
void lang_expect_check(const char *text, const char *findings); /* under --check */

#endif
