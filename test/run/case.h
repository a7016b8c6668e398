/* One run of the program under test, and running many of them.
 *
 * A case runs in a scratch copy of its folder, so it may write files, and for a limited time; what
 * it printed is compared with what was expected, and a difference is shown as a diff. Everything
 * here ends the runner when memory or a file of its own fails it: there is nobody to report to.
 */
#ifndef CASE_H
#define CASE_H

#include <stdbool.h>
#include <stddef.h>

enum { CASE_ARGS = 32, CASE_ERRORS = 8, EXIT_NOT_ZERO = -1 };

/* Growing text; data is zero-terminated, and NULL while nothing was added. */
typedef struct Text {
    char *data;
    size_t size;
} Text;

void text_add(Text *text, const char *data, size_t size);
Text text_unescape(const char *s); /* with \n, \t and \\ as what they stand for */
bool text_same_numbers(const Text *left, const Text *right); /* the same but for rounding */
bool text_read(const char *path, Text *text);                /* false when there is no such file */
char *format(const char *form, ...) __attribute__((format(printf, 1, 2))); /* a new string */

typedef struct Case {
    char *name;                /* as reported */
    char *folder;              /* copied into the scratch folder */
    char *file;                /* the script's name there */
    Text script;               /* its text, when it is not one of the folder's files */
    char *args[CASE_ARGS + 1]; /* after the program's name, NULL at the end */
    int nargs;
    bool has_expected; /* compare standard output */
    bool trim;         /* without regard to line ends at its end */
    bool rounding;     /* without regard to the rounding of numbers */
    Text expected;
    char *errors[CASE_ERRORS]; /* regular expressions that standard error must match */
    int nerrors;
    char *matches[CASE_ERRORS]; /* regular expressions that standard output must match */
    int nmatches;
    int exit_status; /* what it must be, or EXIT_NOT_ZERO */
    bool pending;    /* belongs to a later version: must not hold yet */
} Case;

typedef struct CaseList {
    Case *items;
    size_t count, capacity;
} CaseList;

Case *case_add(CaseList *list);    /* zeroed; valid until the next one */
void case_arg(Case *c, char *arg); /* takes arg */
/* A script of one line of the table NAME.tsv, run as NAME.dml in the folder. */
Case *case_of_line(CaseList *list, const char *folder, const char *name, int number,
                   const char *script);
void case_list_free(CaseList *list);

/* Call `add` for each line of the table folder/NAME.tsv that is not empty and no remark, until it
 * returns false; false also when there is no such table. */
typedef bool (*TableLine)(void *arg, int number, char *line);
bool table_lines(const char *folder, const char *name, TableLine add, void *arg);

typedef struct Runner {
    const char *title, *program;
    const char *data;   /* folder of data sets, linked as data/ into the scratch folder */
    char *const *extra; /* arguments before each case's own, NULL at the end */
    const char *word;   /* only cases whose name contains it, NULL for all */
    int jobs, seconds;
} Runner;

/* Run the list, print what failed and the closing line; the status for main. */
int cases_run(const Runner *runner, const CaseList *list);

#endif
