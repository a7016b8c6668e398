/* Runs the program on scripts and compares: scripts [-k WORD] SUITE PROGRAM ROOT [ARG...]
 *
 * SUITE is golden, reference, observed, library or peer, each a folder of ROOT/test.
 *
 * ROOT is the repository; ARGs go to the program before each script's own; with -k only the scripts
 * whose name contains WORD. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool collect(CaseList *list, const char *suite, const char *folder)
{
    if (strcmp(suite, "observed") == 0)
        return observed_collect(list, folder);
    if (strcmp(suite, "library") == 0)
        return errors_collect(list, folder);
    if (strcmp(suite, "peer") == 0)
        return peer_collect(list, folder);
    return golden_collect(list, folder, folder);
}

int main(int argc, char **argv)
{
    Runner runner = {.jobs = 2, .seconds = 20};
    CaseList list = {0};
    char *folder, *data, *program, *root;
    int status;
    bool ok;

    if (argc > 2 && strcmp(argv[1], "-k") == 0) {
        runner.word = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc < 4) {
        fputs("usage: scripts [-k WORD] golden|reference|observed|library|peer PROGRAM ROOT "
              "[ARG...]\n",
              stderr);
        return 2;
    }
    program = realpath(argv[2], NULL); /* cases run in folders of their own */
    root = realpath(argv[3], NULL);
    if (!program || !root)
        return perror(program ? argv[3] : argv[2]), 2;
    runner.title = argv[1];
    runner.program = program;
    runner.data = data = format("%s/data", root);
    runner.extra = argv + 4;
    folder = format("%s/test/%s", root, argv[1]);
    ok = collect(&list, argv[1], folder);
    status = cases_run(&runner, &list) | !ok;
    case_list_free(&list);
    free(data);
    free(folder);
    free(root);
    free(program);
    return status;
}
