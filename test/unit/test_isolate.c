/* Work in a child process: whatever it does, the parent gets its answer or an error, and nothing is
 * left behind. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "io/isolate.h"
#include "test_io.h"

typedef struct Answer {
    int64_t number;
} Answer;

static int count_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

enum { WORDS = 100000 };
static int64_t words[WORDS];

static void *make_room(Ctx *ctx, void *arg, const void *answer, size_t *bytes)
{
    (void)ctx;
    *bytes = (size_t)((const Answer *)answer)->number * sizeof *words;
    return arg;
}

/* Runs a job; no descriptor and no process is left of it. */
static ml_status run(Ctx *ctx, IsolatedWork work, Answer *answer)
{
    InputFile memory;
    const IsolatedJob job = {.path = "the/file",
                             .library = "test",
                             .work = work,
                             .room = make_room,
                             .arg = words,
                             .seconds = 1};
    const int before = count_descriptors();
    ml_status st;

    *answer = (Answer){0};
    st = isolate(ctx, &job, answer, sizeof *answer, &memory);
    assert_null(memory.mapping);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return st;
}

static void assert_ends(IsolatedWork work, ml_status code, const char *message)
{
    Answer answer;

    assert_int_equal(run(test_ctx(), work, &answer), code);
    if (!strstr(test_error(), message))
        fail_msg("expected: %s, found: %s", message, test_error());
}

/* More than a pipe holds, in pieces. */
static ml_status give_words(Ctx *ctx, void *arg, Isolation *self)
{
    enum { PIECE = 1000 };
    const Answer answer = {WORDS};
    int64_t piece[PIECE];

    (void)arg;
    isolate_answer(self, &answer, sizeof answer);
    for (int64_t lo = 0; lo < WORDS; lo += PIECE) {
        for (int64_t i = 0; i < PIECE; i++)
            piece[i] = (lo + i) * (lo + i);
        TRY(isolate_put(ctx, self, piece, sizeof piece));
    }
    return ML_OK;
}

ML_TEST(a_child_gives_an_answer_and_what_there_is_room_for)
{
    Answer answer;

    memset(words, 0, sizeof words);
    assert_ok(run(test_ctx(), give_words, &answer));
    assert_int_equal(answer.number, WORDS);
    for (int64_t i = 0; i < WORDS; i++)
        assert_int_equal(words[i], i * i);
}

static ml_status give_less(Ctx *ctx, void *arg, Isolation *self)
{
    const Answer answer = {WORDS};

    (void)arg;
    isolate_answer(self, &answer, sizeof answer);
    return isolate_put(ctx, self, words, sizeof words / 2);
}

static ml_status give_half(Ctx *ctx, void *arg, Isolation *self)
{
    give_less(ctx, arg, self);
    raise(SIGSEGV);
    return ML_OK;
}

static ml_status end_by_signal(Ctx *ctx, void *arg, Isolation *self)
{
    (void)ctx;
    (void)arg;
    isolate_step(self, "dataset '%s'", "x");
    raise(SIGSEGV);
    return ML_OK;
}

static ml_status end_process(Ctx *ctx, void *arg, Isolation *self)
{
    (void)ctx;
    (void)arg;
    (void)self;
    _exit(0);
}

static ml_status fail_by_itself(Ctx *ctx, void *arg, Isolation *self)
{
    (void)arg;
    (void)self;
    return fail(ctx, ML_EFORMAT, "the/file: row 7 is wrong");
}

ML_TEST(errors_and_crashes_of_a_child_are_errors_here)
{
    assert_ends(end_by_signal, ML_EFORMAT,
                "the/file: the test library crashed reading dataset 'x' (Segmentation fault)");
    assert_ends(end_process, ML_EFORMAT, "the/file: the test library crashed reading the file");
    assert_ends(fail_by_itself, ML_EFORMAT, "the/file: row 7 is wrong");
    assert_ends(give_less, ML_EFORMAT, "the/file: the test library crashed reading the file");
    assert_ends(give_half, ML_EFORMAT, "the/file: the test library crashed reading the file");
}

static ml_status loop(Ctx *ctx, void *arg, Isolation *self)
{
    volatile uint64_t n = 0;

    (void)ctx;
    (void)arg;
    (void)self;
    for (;;)
        n = n + 1;
    return ML_OK;
}

ML_TEST(a_child_that_comes_to_no_end_is_stopped)
{
    assert_ends(loop, ML_EFORMAT,
                "the/file: the test library came to no end reading the file and was stopped");
}

ML_TEST(a_cancelled_run_ends_its_child)
{
    Ctx ctx = *test_ctx();
    atomic_bool cancelled = true;
    Answer answer;

    ctx.cancelled = &cancelled;
    assert_int_equal(run(&ctx, loop, &answer), ML_ECANCEL);
}

/* As a host may have it that does not care for its children. */
ML_TEST(a_host_that_ignores_its_children_changes_nothing)
{
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    Answer answer;

    assert_ok(run(test_ctx(), give_words, &answer));
    assert_ends(end_by_signal, ML_EFORMAT, "the test library crashed reading dataset 'x'");
    signal(SIGCHLD, before);
}
