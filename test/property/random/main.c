/* Random programs must give the same answer however they are run.
 *
 *     random_programs [COUNT [SEED]]
 *
 * First runs the programs of corpus/, which failed once; then COUNT random ones from SEED on
 * (judge.c says what is compared).  A program that fails is reduced and printed with its seed;
 * random_programs 1 SEED shows all of one.  Runs happen in child processes, so that a crash is a
 * failure like others. */
#include "program.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 20, PASSED = 0, FAILED = 1 };

/* What a child says before it ends. */
typedef struct Report {
    uint64_t seed;
    Verdict verdict;
    int errors; /* programs that ended in one, as they should */
} Report;

static Report *report; /* shared with the children */
static Verdict wanted; /* while shrinking */

static bool wait_for(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == PASSED)
        return true;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != FAILED)
        report->verdict = CRASHED;
    return false;
}

/* Judge in a child whose report tells. */
static Verdict judge_apart(const Program *p, const char *text, bool show)
{
    pid_t child = fork();

    if (child == 0) {
        alarm(SECONDS / 4);
        report->verdict = p ? judge(p, show) : judge_text(text, show);
        judge_end();
        fflush(stdout);
        _exit(report->verdict == SAME ? PASSED : FAILED);
    }
    return wait_for(child) ? SAME : report->verdict;
}

static bool fails_alike(const Program *p)
{
    return judge_apart(p, NULL, false) == wanted;
}

static void print_program(const Program *p)
{
    Buffer text = {0};

    program_text(p, false, &text);
    fputs(text.data, stdout);
    buffer_free(&text);
    fflush(stdout);
}

static void explain(uint64_t seed, Verdict verdict)
{
    Program *p = random_new(seed);

    printf("seed %" PRIu64 ": %s\n", seed, verdicts[verdict]);
    fflush(stdout);
    wanted = verdict;
    if (fails_alike(p))
        shrink(p, fails_alike);
    printf("reduced:\n");
    print_program(p);
    judge_apart(p, NULL, true);
    random_free(p);
}

/* Programs from the seed on, until one fails. */
static void run_programs(uint64_t seed, uint64_t end)
{
    for (; seed < end; seed++) {
        Program *p = random_new(seed);

        alarm(SECONDS);
        report->seed = seed;
        report->verdict = judge(p, false);
        report->errors += judge_error();
        random_free(p);
        if (report->verdict != SAME)
            _exit(FAILED);
    }
    judge_end();
    _exit(PASSED);
}

static int failures(uint64_t seed, uint64_t end)
{
    int failed = 0;

    while (seed < end) {
        pid_t child = fork();

        if (child == 0)
            run_programs(seed, end);
        if (wait_for(child))
            break;
        explain(report->seed, report->verdict);
        seed = report->seed + 1;
        failed++;
    }
    return failed;
}

static int corpus(void)
{
    struct dirent **names;
    int n = scandir(RANDOM_FOLDER "/corpus", &names, NULL, alphasort), failed = 0;

    for (int k = 0; k < n; k++) {
        Buffer path = {0}, text = {0};

        buffer_format(&path, RANDOM_FOLDER "/corpus/%s", names[k]->d_name);
        if (strstr(names[k]->d_name, ".dml") &&
            file_read(&(Ctx){0}, path.data, &text.data, &text.size) == ML_OK) {
            Verdict v = judge_apart(NULL, text.data, false);

            failed += v != SAME;
            if (v != SAME)
                printf("%s: %s\n", path.data, verdicts[v]);
        }
        mem_free(text.data);
        buffer_free(&path);
        free(names[k]);
    }
    if (n >= 0)
        free(names);
    return failed;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 300, failed;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return 2;
    failed = corpus();
    if (count == 1) {
        Program *p = random_new(seed);

        print_program(p);
        judge_apart(p, NULL, true);
        random_free(p);
    }
    failed += failures(seed, seed + (uint64_t)count);
    printf("random_programs: %d programs, %d of them with errors, %d failed\n", count,
           report->errors, failed);
    return failed != 0;
}
