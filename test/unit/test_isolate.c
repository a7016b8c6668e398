/* Work in a child process: whatever it does, the parent gets its answer or an error, and nothing is
 * left behind. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/isolate.h"
#include "test_io.h"

typedef struct Answer {
    int64_t number;
} Answer;

/* -1: they cannot be counted where none can be opened. */
static int count_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    if (!d)
        return -1;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

enum { WORDS = 1000000 };
static int64_t words[WORDS];

/* What the parent has got. */
typedef struct Got {
    Answer answer;
    size_t bytes;
} Got;

static ml_status make_room(Ctx *ctx, void *arg, const void *answer, size_t *bytes)
{
    Got *got = arg;

    (void)ctx;
    memcpy(&got->answer, answer, sizeof got->answer);
    *bytes = (size_t)got->answer.number * sizeof *words;
    return ML_OK;
}

static ml_status take_words(Ctx *ctx, void *arg, const void *data, size_t bytes)
{
    Got *got = arg;

    if (bytes == 0)
        return fail(ctx, ML_EVALUE, "an empty piece");
    memcpy((char *)words + got->bytes, data, bytes);
    got->bytes += bytes;
    return ML_OK;
}

/* Runs a job; no descriptor and no process is left of it. */
static ml_status run(Ctx *ctx, IsolatedWork work, Answer *answer)
{
    InputFile memory;
    Got got = {0};
    const IsolatedJob job = {.path = "the/file",
                             .library = "test",
                             .work = work,
                             .room = make_room,
                             .take = take_words,
                             .arg = &got,
                             .seconds = 1};
    const int before = count_descriptors();
    const ml_status st = isolate(ctx, &job, &memory);

    *answer = got.answer;
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

static void answer_words(Isolation *self)
{
    const Answer answer = {WORDS};

    isolate_answer(self, &answer, sizeof answer);
}

/* More than there is room for pieces, of any size. */
static ml_status give_words(Ctx *ctx, void *arg, Isolation *self)
{
    int64_t n = 1;

    (void)ctx;
    (void)arg;
    answer_words(self);
    for (int64_t lo = 0; lo < WORDS; lo += n) {
        int64_t *piece = isolate_piece(self);

        n = n % 3000 + 1 < WORDS - lo ? n % 3000 + 1 : WORDS - lo;
        for (int64_t i = 0; i < n; i++)
            piece[i] = (lo + i) * (lo + i);
        isolate_pass(self, (size_t)n * sizeof *piece);
    }
    return ML_OK;
}

/* In one call, of more than a piece. */
static ml_status put_words(Ctx *ctx, void *arg, Isolation *self)
{
    (void)ctx;
    (void)arg;
    answer_words(self);
    for (int64_t i = 0; i < WORDS; i++)
        words[i] = i * i;
    isolate_put(self, words, sizeof words);
    return ML_OK;
}

static void assert_gives_words(IsolatedWork work)
{
    Answer answer;

    memset(words, 0, sizeof words);
    assert_ok(run(test_ctx(), work, &answer));
    assert_int_equal(answer.number, WORDS);
    for (int64_t i = 0; i < WORDS; i++)
        assert_int_equal(words[i], i * i);
}

ML_TEST(a_child_gives_an_answer_and_what_there_is_room_for)
{
    assert_gives_words(give_words);
    assert_gives_words(put_words);
}

static ml_status give_less(Ctx *ctx, void *arg, Isolation *self)
{
    (void)ctx;
    (void)arg;
    answer_words(self);
    isolate_put(self, words, sizeof words / 2);
    return ML_OK;
}

static ml_status give_more(Ctx *ctx, void *arg, Isolation *self)
{
    give_less(ctx, arg, self);
    isolate_put(self, words, sizeof words);
    return ML_OK;
}

/* A counter or a size that was written over. */
static ml_status give_too_much_at_once(Ctx *ctx, void *arg, Isolation *self)
{
    (void)ctx;
    (void)arg;
    answer_words(self);
    isolate_piece(self);
    isolate_pass(self, ISOLATE_PIECE + 1);
    return ML_OK;
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
    assert_ends(give_more, ML_EFORMAT, "the/file: the test library gave another number of bytes");
    assert_ends(give_too_much_at_once, ML_EFORMAT,
                "the/file: the test library gave another number of bytes than it told");
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

/* While it waits for the parent to take what it made. */
ML_TEST(a_child_whose_pieces_nobody_takes_ends)
{
    Ctx ctx = *test_ctx();
    atomic_bool cancelled = true;
    Answer answer;

    ctx.cancelled = &cancelled;
    assert_int_equal(run(&ctx, give_words, &answer), ML_ECANCEL);
}

/* Limits hold for users other than root, hence a process that gives its rights up; its exit status
 * tells whether the message was right. */
static int run_without_processes(int what)
{
    const struct rlimit none = {0, 0};
    Answer answer;

    if (what == RLIMIT_NPROC && geteuid() == 0 && setuid(65534) != 0)
        return 2;
    if (setrlimit(what, &none) != 0 || run(test_ctx(), give_words, &answer) != ML_EIO)
        return 1;
    return !strstr(test_error(),
                   "the/file: reading needs a process of its own, in which the test library may "
                   "crash, and none can be made: ");
}

static void assert_needs(int what)
{
    const pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0)
        _exit(run_without_processes(what));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

ML_TEST(where_no_process_can_be_made_reading_is_an_error)
{
    assert_needs(RLIMIT_NPROC);
    assert_needs(RLIMIT_NOFILE);
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
