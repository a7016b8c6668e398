/* Runs the unit tests that registered themselves (ml_test.h). */
#include "ml_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MlTest *first_test, **last_link = &first_test;

void ml_test_register(MlTest *test)
{
    *last_link = test;
    last_link = &test->next;
}

/* Does the name contain one of the words? Without words every name is wanted. */
static int wanted(const char *name, char **words, int nwords)
{
    for (int i = 0; i < nwords; i++)
        if (strstr(name, words[i]))
            return 1;
    return nwords == 0;
}

/* The wanted tests as cmocka's array; the caller frees it. */
static struct CMUnitTest *collect(char **words, int nwords, size_t *n)
{
    struct CMUnitTest *tests;

    *n = 0;
    for (MlTest *t = first_test; t; t = t->next)
        ++*n;
    tests = calloc(*n + 1, sizeof *tests);
    if (!tests)
        exit(2);
    *n = 0;
    for (MlTest *t = first_test; t; t = t->next)
        if (wanted(t->name, words, nwords))
            tests[(*n)++] = (struct CMUnitTest){t->name, t->run, NULL, test_ctx_end, NULL};
    return tests;
}

int main(int argc, char **argv)
{
    const int list = argc > 1 && strcmp(argv[1], "-l") == 0;
    size_t n;
    struct CMUnitTest *tests = collect(argv + 1 + list, argc - 1 - list, &n);
    int failed = 0;

    if (list)
        for (size_t i = 0; i < n; i++)
            puts(tests[i].name);
    else
        failed = _cmocka_run_group_tests("unit", tests, n, NULL, NULL);
    free(tests);
    if (!list)
        printf("unit: %zu passed, %d failed\n", n - (size_t)failed, failed);
    return failed != 0;
}
