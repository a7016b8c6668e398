/* Foreign libraries in a child process.
 *
 * Idea: a library that decodes files of others may be written for sound files only.  libhdf5 1.10
 * crashes on one damaged file of 400 and loops for ever on one of 200; no check before the call
 * finds these, since they lie in its own metadata.  So the library is loaded in this process, which
 * is forked, and the copy calls it.  A crash ends the copy alone, and is reported with the file and
 * what was being read; so is a loop, found by a limit on processor time.
 *
 * What passes between the two: shared memory with the child's state, error and a small answer; then
 * cells by a ring of PIECES pieces in it, which are made where they pass and taken while the next
 * ones are made; frames by a file in memory, in the binary format.  The parent trusts none of it.
 * (The whole result in shared memory would be copied once less, but fresh pages of it cost more
 * than copies of pieces that lie in the cache.)  Two counters, which the kernel keeps, tell how
 * many pieces are to be taken and how many can be made.
 *
 * In the child there is one thread, and locks that others held stay locked for ever.  It therefore
 * uses nothing that is shared: a pool and context of its own, no tasks, and no library but the one
 * that the parent has loaded and locked before.  malloc is made ready by fork itself.
 *
 * Limits: the time of ISOLATE_SECONDS and one second more for each SLOWEST bytes in the file and
 * asked for, which no honest filter needs; STILL_MS without any processor time; memory up to what
 * the budget leaves.  The parent looks for cancellation every TICK_MS.
 *
 * Costs: about 2 ms; 2 ms more for each GB that the process holds in pages of 4 KB (none
 * for the huge pages of blocks), and a copy of the cells out of the cache.  Where no process can be
 * made (limits on processes or memory) reading is an error: a library that may end the
 * program is not called in it.
 */
#include "io/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 20,
    STILL_MS = 120 * 1000,
    SLOWEST = 1 << 20, /* bytes a second */
    PIECES = 4,
    SPARE_MEMORY = 64 << 20, /* beyond the budget, for the library's own needs */
    STEP_TEXT = 256
};

struct Isolation {
    const IsolatedJob *job;
    int file;             /* in memory; -1: none */
    int made, free;       /* counters of pieces; -1: none */
    size_t left;          /* of the parent's budget */
    double seconds;       /* of processor time that are allowed by now */
    atomic_bool answered; /* `answer` is complete */
    bool done;            /* the child came to its end, and what follows is valid */
    ml_status st;
    char text[ERROR_TEXT], step[STEP_TEXT];
    char answer[ISOLATE_ANSWER];
    int next;             /* piece that the child makes */
    size_t sizes[PIECES]; /* of the pieces that are made */
    _Alignas(4096) char pieces[PIECES][ISOLATE_PIECE];
};

/* ---- the child ---- */

void isolate_step(Isolation *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(self->step, sizeof self->step, format, args);
    va_end(args);
}

void isolate_answer(Isolation *self, const void *answer, size_t size)
{
    memcpy(self->answer, answer, size < ISOLATE_ANSWER ? size : ISOLATE_ANSWER);
    atomic_store_explicit(&self->answered, true, memory_order_release); /* publishes it */
}

/* The soft limit alone: SIGXCPU tells this end from others. */
static void limit_time(double seconds)
{
    struct rlimit limit;
    const rlim_t whole = (rlim_t)seconds + 1;

    if (getrlimit(RLIMIT_CPU, &limit) != 0)
        return;
    limit.rlim_cur = whole < limit.rlim_max ? whole : limit.rlim_max;
    setrlimit(RLIMIT_CPU, &limit);
}

void isolate_allow(Isolation *self, size_t bytes)
{
    const size_t most = bytes < self->left ? bytes : self->left; /* sizes may be hostile */

    self->seconds += (double)most / SLOWEST;
    limit_time(self->seconds);
}

/* Add one to a counter, or take one from it; false when there is none to take and it does not wait.
 */
static bool count_up(int counter)
{
    return eventfd_write(counter, 1) == 0;
}

static bool count_down(int counter)
{
    eventfd_t one;
    int failed;

    do
        failed = eventfd_read(counter, &one);
    while (failed && errno == EINTR);
    return !failed;
}

void *isolate_piece(Isolation *self)
{
    if (!count_down(self->free))
        _exit(1);
    return self->pieces[self->next];
}

void isolate_pass(Isolation *self, size_t bytes)
{
    self->sizes[self->next] = bytes;
    self->next = (self->next + 1) % PIECES;
    count_up(self->made);
}

void isolate_put(Isolation *self, const void *data, size_t bytes)
{
    for (const char *p = data; bytes > 0;) {
        const size_t n = bytes < ISOLATE_PIECE ? bytes : ISOLATE_PIECE;

        memcpy(isolate_piece(self), p, n);
        isolate_pass(self, n);
        p += n;
        bytes -= n;
    }
}

Output isolate_output(const Isolation *self, const char *path)
{
    return (Output){.path = path, .fd = self->file};
}

/* Writable memory of this process, by the kernel's count, the sixth of some numbers of pages; 0:
 * not known. */
static size_t data_bytes(void)
{
    enum { DATA = 6 };
    char text[200] = "", *p = text;
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    unsigned long pages = 0;

    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return 0;
    close(fd);
    for (int i = 0; i < DATA; i++)
        pages = strtoul(p, &p, 10);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void limit_memory(size_t left)
{
    struct rlimit limit;
    const size_t now = data_bytes();

    if (now == 0 || getrlimit(RLIMIT_DATA, &limit) != 0)
        return;
    if (now + left + SPARE_MEMORY < limit.rlim_max)
        limit.rlim_cur = now + left + SPARE_MEMORY;
    setrlimit(RLIMIT_DATA, &limit);
}

/* Handlers of the host program have no place here, and its terminal gets no dying words. */
static void leave_host(pid_t parent)
{
    sigset_t none;
    int nowhere;

    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the parent decides, and ends us */
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0); /* no core files */
    if (getppid() != parent)
        _exit(1);
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0)
        dup2(nowhere, STDERR_FILENO);
}

static _Noreturn void run_child(const Ctx *parent_ctx, Isolation *s, pid_t parent)
{
    Ctx ctx = {.opt = parent_ctx->opt};

    leave_host(parent);
    limit_memory(s->left);
    s->seconds += (double)s->job->bytes / SLOWEST;
    limit_time(s->seconds);
    ctx.pool = pool_new(s->left);
    s->st = ctx.pool ? s->job->work(&ctx, s->job->arg, s) : fail_memory(&ctx, 0);
    memcpy(s->text, ctx.err.text, sizeof s->text);
    s->done = true;
    _exit(0);
}

/* ---- the parent ---- */

typedef struct Child {
    pid_t pid;
    int watch;         /* becomes readable when the child ends; -1: the kernel has no such thing */
    int status;        /* as waitpid tells it */
    bool known, still; /* status is set; it was ended because it stood still */
    bool asked;        /* for room */
    int next;          /* piece that is to be taken */
    size_t bytes;      /* that are to come */
} Child;

static ml_status fail_to_start(Ctx *ctx, const IsolatedJob *job)
{
    return fail(ctx, ML_EIO,
                "%s: reading needs a process of its own, in which the %s library may crash, and "
                "none can be made: %s",
                job->path, job->library, strerror(errno));
}

static bool open_ways(Isolation *s)
{
    if (!s->job->room) {
        s->file = memfd_create("matloom", MFD_CLOEXEC);
        return s->file >= 0;
    }
    s->made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    s->free = eventfd(PIECES, EFD_CLOEXEC | EFD_SEMAPHORE);
    return s->made >= 0 && s->free >= 0;
}

static ml_status share(Ctx *ctx, const IsolatedJob *job, Isolation **out)
{
    const PoolStats pool = pool_stats(ctx->pool);
    void *p = mmap(NULL, sizeof **out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Isolation *s = p;

    if (p == MAP_FAILED)
        return fail_to_start(ctx, job);
    *out = s; /* all else is zero, and its pages are not touched */
    s->job = job;
    s->file = s->made = s->free = -1;
    s->left = pool.limit - pool.used;
    s->seconds = job->seconds ? job->seconds : ISOLATE_SECONDS;
    isolate_step(s, "the file");
    return open_ways(s) ? ML_OK : fail_to_start(ctx, job);
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void let_go(Isolation *s, const Child *c)
{
    close_if_open(c->watch);
    if (!s)
        return;
    close_if_open(s->file);
    close_if_open(s->made);
    close_if_open(s->free);
    munmap(s, sizeof *s);
}

static ml_status start(Ctx *ctx, Isolation *s, Child *c)
{
    const pid_t self = getpid();

    c->pid = fork();
    if (c->pid == 0)
        run_child(ctx, s, self);
    if (c->pid < 0)
        return fail_to_start(ctx, s->job);
    c->watch = (int)syscall(SYS_pidfd_open, c->pid, 0);
    return ML_OK;
}

/* Hosts that ignore SIGCHLD, or wait for any child, leave no status for us. */
static bool has_ended(Child *c, int flags)
{
    pid_t got;

    do
        got = waitpid(c->pid, &c->status, flags);
    while (got < 0 && errno == EINTR);
    c->known = got == c->pid;
    return got != 0;
}

static void end_child(Child *c)
{
    kill(c->pid, SIGKILL);
    has_ended(c, 0);
}

/* Processor time in ns; -1: not known. */
static int64_t time_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static ml_status take_piece(Ctx *ctx, Isolation *s, Child *c)
{
    const size_t n =
        *(volatile size_t *)&s->sizes[c->next]; /* once, whatever the child does then */

    if (n == 0 || n > ISOLATE_PIECE || n > c->bytes)
        return fail(ctx, ML_EFORMAT,
                    "%s: the %s library gave another number of bytes than it told; the file is "
                    "probably damaged",
                    s->job->path, s->job->library);
    TRY(check_cancel(ctx));
    TRY(s->job->take(ctx, s->job->arg, s->pieces[c->next], n));
    c->next = (c->next + 1) % PIECES;
    c->bytes -= n;
    count_up(s->free);
    return ML_OK;
}

/* Take what has come; *some tells whether anything has. */
static ml_status take(Ctx *ctx, Isolation *s, Child *c, bool *some)
{
    const IsolatedJob *job = s->job;

    *some = false;
    if (!job->room || !atomic_load_explicit(&s->answered, memory_order_acquire))
        return ML_OK;
    if (!c->asked) {
        c->asked = true;
        TRY(job->room(ctx, job->arg, s->answer, &c->bytes));
    }
    while (count_down(s->made)) {
        TRY(take_piece(ctx, s, c));
        *some = true;
    }
    return ML_OK;
}

/* Until something comes or the child ends, for a tick at most.  Ticks are counted, not the clock
 * read: they stop where both processes are stopped. */
static void wait_tick(const Isolation *s, Child *c, int64_t *last, int *still)
{
    const int tick = c->watch >= 0 ? TICK_MS : 1;
    struct pollfd any[] = {{.fd = c->watch, .events = POLLIN}, {.fd = s->made, .events = POLLIN}};
    int64_t now;

    poll(any, 2, tick);
    now = time_of(c->pid);
    *still = now == *last ? *still + tick : 0;
    *last = now;
    c->still = *still >= STILL_MS;
}

/* Take what the child puts until it ends, or end it. */
static ml_status follow(Ctx *ctx, Isolation *s, Child *c)
{
    int64_t last = -1;
    int still = 0;
    bool ended = false, some;
    ml_status st = ML_OK;

    while (!ended) {
        ended = has_ended(c, WNOHANG); /* asked first, so that nothing comes later */
        st = take(ctx, s, c, &some);
        if (st == ML_OK && !ended && !some)
            wait_tick(s, c, &last, &still);
        if (st == ML_OK)
            st = check_cancel(ctx);
        if (!ended && (st != ML_OK || c->still)) {
            end_child(c);
            ended = true;
        }
    }
    return st;
}

/* What became of the child.  Its texts are ended here: it may have written over them. */
static ml_status judge(Ctx *ctx, Isolation *s, const Child *c)
{
    const IsolatedJob *job = s->job;
    const int signal_number = c->known && WIFSIGNALED(c->status) ? WTERMSIG(c->status) : 0;

    s->text[sizeof s->text - 1] = s->step[sizeof s->step - 1] = '\0';
    if (s->done && s->st == ML_OK && c->bytes == 0)
        return ML_OK;
    if (s->done && s->st != ML_OK)
        return fail(ctx, s->st, "%s", s->text);
    if (c->still)
        return fail(ctx, ML_EFORMAT,
                    "%s: the %s library stood still reading %s and was stopped after %d s",
                    job->path, job->library, s->step, STILL_MS / 1000);
    if (signal_number == SIGXCPU)
        return fail(ctx, ML_EFORMAT,
                    "%s: the %s library came to no end reading %s and was stopped after %.0f s of "
                    "processor time; the file is probably damaged",
                    job->path, job->library, s->step, s->seconds);
    if (signal_number == SIGKILL)
        return fail(ctx, ML_EIO,
                    "%s: the process in which the %s library was reading %s was ended from "
                    "outside; perhaps memory ran out",
                    job->path, job->library, s->step);
    return fail(ctx, ML_EFORMAT,
                "%s: the %s library crashed reading %s (%s); the file is probably damaged",
                job->path, job->library, s->step,
                signal_number ? strsignal(signal_number) : "it ended the process");
}

/* What was left in the file in memory, if anything. */
static ml_status map_memory(Ctx *ctx, const Isolation *s, InputFile *memory)
{
    struct stat info;

    if (s->file < 0 || fstat(s->file, &info) != 0 || info.st_size == 0)
        return ML_OK;
    memory->size = (size_t)info.st_size;
    memory->mapping = mmap(NULL, memory->size, PROT_READ, MAP_SHARED, s->file, 0);
    if (memory->mapping == MAP_FAILED) {
        memory->mapping = NULL;
        return fail_memory(ctx, memory->size);
    }
    memory->data = memory->mapping;
    return ML_OK;
}

ml_status isolate(Ctx *ctx, const IsolatedJob *job, InputFile *memory)
{
    Child c = {.pid = -1, .watch = -1};
    Isolation *s = NULL;
    ml_status st;

    *memory = (InputFile){.name = (char *)(uintptr_t)job->path};
    st = share(ctx, job, &s);
    if (st == ML_OK)
        st = start(ctx, s, &c);
    if (job->started)
        job->started();
    if (st == ML_OK)
        st = follow(ctx, s, &c);
    if (st == ML_OK)
        st = judge(ctx, s, &c);
    if (st == ML_OK)
        st = map_memory(ctx, s, memory);
    let_go(s, &c);
    return st;
}
