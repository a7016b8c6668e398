/* Runs the program on scripts and compares: scripts [-k WORD] golden|observed PROGRAM ROOT [ARG...]
 *
 * ROOT is the repository; ARGs go to the program before each script's own; with -k only the scripts
 * whose name contains WORD. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    Runner runner = {.jobs = 2, .seconds = 20};
    CaseList list = {0};
    char *folder, *data;
    int status;
    bool ok;

    if (argc > 2 && strcmp(argv[1], "-k") == 0) {
        runner.word = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc < 4 || (strcmp(argv[1], "golden") != 0 && strcmp(argv[1], "observed") != 0)) {
        fputs("usage: scripts [-k WORD] golden|observed PROGRAM ROOT [ARG...]\n", stderr);
        return 2;
    }
    runner.title = argv[1];
    runner.program = argv[2];
    runner.data = data = format("%s/data", argv[3]);
    runner.extra = argv + 4;
    folder = format("%s/test/%s", argv[3], argv[1]);
    ok = strcmp(argv[1], "golden") == 0 ? golden_collect(&list, folder, folder)
                                        : observed_collect(&list, folder);
    status = cases_run(&runner, &list) | !ok;
    case_list_free(&list);
    free(data);
    free(folder);
    return status;
}
