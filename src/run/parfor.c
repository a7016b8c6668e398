/* parfor: iterations on all threads.  parfor.h tells how it hangs together.
 *
 * Every iteration begins with what was there before the loop: variables that it has for itself have
 * no value then, in parallel and one after the other alike.  After the loop its variable has the
 * last value, as after a for loop, and those made in the body have none. */
#include "run/parfor.h"

#include <string.h>

/* ---- iterations ---- */

static void set(Value *at, Value v)
{
    value_release(*at);
    *at = v;
}

static void clear_privates(const ParforLoop *loop, Value *frame)
{
    const Parfor *p = loop->block->parfor;

    for (int k = 0; k < p->nprivates; k++)
        set(&frame[p->privates[k]], value_none());
}

/* Say in which iteration: behind the message, as it is true of all that is said of the error. */
static ml_status failed_in(const ParforLoop *loop, Ctx *ctx, Value at, ml_status st)
{
    const char *name = loop->r->names[loop->block->loop_slot];
    Buffer b = {0};

    if (st == ML_ECANCEL || st == ML_ENOMEM)
        return st;
    buffer_format(&b, " (in the iteration %s=", name ? name : "of the parfor ");
    scalar_print(&b, at);
    buffer_text(&b, " of the parfor)");
    if (!b.failed)
        strncat(ctx->err.text, b.data, sizeof ctx->err.text - strlen(ctx->err.text) - 1);
    buffer_free(&b);
    return st;
}

static ml_status iterate(ParforWorker *w, int64_t lo, int64_t hi)
{
    const ParforLoop *loop = w->loop;

    for (int64_t k = lo; k < hi; k++) {
        const Value at = loop_value(&loop->range, k);
        ml_status st;

        clear_privates(loop, w->frame);
        set(&w->frame[loop->block->loop_slot], at);
        st = check_cancel(w->run->ctx);
        if (st == ML_OK)
            st = run_blocks(w->run, loop->r, w->frame, loop->block->body);
        if (st == ML_OK)
            st = parts_flush(w, lo);
        if (st != ML_OK)
            return failed_in(loop, w->run->ctx, at, st);
    }
    return parts_deliver(w, lo, hi);
}

/* ---- workers ---- */

static void copy_frame(const ParforLoop *loop, Value *frame)
{
    for (int k = 0; k < loop->r->nslots; k++) {
        value_copy(&frame[k], &loop->frame[k]);
        value_retain(frame[k]);
    }
}

static ml_status worker_new(ParforLoop *loop, Ctx *ctx, ParforWorker **out)
{
    ParforWorker *w = mem_calloc(1, sizeof *w);

    *out = w;
    if (!w)
        return fail_memory(ctx, sizeof *w);
    w->loop = loop;
    TRY(run_clone(run_main(loop->run), ctx, &w->run));
    if ((size_t)loop->r->nslots > w->run->stack_size)
        return fail(ctx, ML_ELIMIT, "a parfor over too many variables");
    w->run->worker = w;
    w->frame = w->run->stack;
    w->run->top = (size_t)loop->r->nslots;
    copy_frame(loop, w->frame);
    return worker_results(w);
}

static void worker_free(ParforWorker *w)
{
    if (!w)
        return;
    for (int k = 0; w->targets && k < w->loop->block->parfor->nresults; k++)
        matrix_release(w->targets[k]);
    mem_free(w->targets);
    if (w->run) {
        for (size_t k = 0; k < w->run->top; k++)
            set(&w->run->stack[k], value_none());
        w->run->top = 0;
        w->run->worker = NULL;
        run_return(w->run);
    }
    mem_free(w);
}

/* The thread's C stack is bounded from where its outermost loop began. */
static const char *stack_of(Run *main, int worker, const char *here)
{
    if (!main->stacks[worker])
        main->stacks[worker] = here;
    return main->stacks[worker];
}

/* A chunk of iterations, as a task.  The worker's place in the list is this thread's alone. */
static ml_status run_chunk(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    ParforLoop *loop = arg;
    Run *main = run_main(loop->run);
    ParforWorker **at = &loop->workers[ctx->worker];
    const char *outer = main->stacks[ctx->worker];
    Run *before = ctx->run;
    ml_status st = ML_OK;

    if (!*at)
        st = worker_new(loop, ctx, at);
    if (st == ML_OK) {
        (*at)->run->ctx = ctx;
        (*at)->run->c_stack = stack_of(main, ctx->worker, __builtin_frame_address(0));
        ctx->run = (*at)->run;
        st = iterate(*at, lo, hi);
        ctx->run = before;
        main->stacks[ctx->worker] = outer;
    }
    if (st != ML_OK)
        parts_drop(loop, *at);
    return st;
}

/* Once for all workers. */
static ml_status settle_frame(ParforLoop *loop)
{
    for (int k = 0; k < loop->r->nslots; k++)
        TRY(slot_settle(loop->run, &loop->frame[k]));
    return ML_OK;
}

static size_t waiting_bytes(const Ctx *ctx)
{
    enum { SHARE = 16, MOST = 256 << 20 };
    const size_t share = pool_stats(ctx->pool).limit / SHARE;

    return share < MOST ? share : MOST;
}

static ml_status run_parallel(ParforLoop *loop, const TaskDivision *how)
{
    Ctx *ctx = loop->run->ctx;
    ml_status st;

    loop->nworkers = task_threads(ctx);
    loop->threads = how->threads;
    loop->workers = mem_calloc((size_t)loop->nworkers, sizeof(ParforWorker *));
    if (!loop->workers)
        return fail_memory(ctx, sizeof(ParforWorker *));
    loop->waiting_most = waiting_bytes(ctx);
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->turn, NULL);
    st = settle_frame(loop);
    if (st == ML_OK)
        st = results_begin(loop);
    if (st == ML_OK)
        st = task_for_divided(ctx, loop->range.count, how, run_chunk, loop);
    st = results_end(loop, st);
    for (int k = 0; k < loop->nworkers; k++)
        worker_free(loop->workers[k]);
    pthread_cond_destroy(&loop->turn);
    pthread_mutex_destroy(&loop->lock);
    mem_free(loop->workers);
    return st;
}

/* One iteration after the other on the caller's frame. */
static ml_status run_serial(ParforLoop *loop)
{
    Run *run = loop->run;
    ParforWorker w = {.loop = loop, .run = run, .frame = loop->frame};
    ml_status st = results_begin(loop);

    if (st == ML_OK)
        st = worker_results(&w);
    run->worker = &w;
    if (st == ML_OK)
        st = iterate(&w, 0, loop->range.count);
    run->worker = loop->outer;
    for (int k = 0; w.targets && k < loop->block->parfor->nresults; k++)
        matrix_release(w.targets[k]);
    mem_free(w.targets);
    clear_privates(loop, loop->frame);
    return results_end(loop, st);
}

ml_status run_parfor(Run *run, const Routine *r, Value *frame, const Block *block,
                     const LoopRange *range)
{
    ParforLoop loop = {
        .run = run, .outer = run->worker, .r = r, .frame = frame, .block = block, .range = *range};
    const int64_t start = clock_now();
    ParforChoice choice;
    ml_status st;

    if (range->count == 0)
        return ML_OK;
    parfor_choose(&loop, &choice);
    st = choice.how.threads == 1 ? run_serial(&loop) : run_parallel(&loop, &choice.how);
    if (st == ML_OK)
        set(&frame[block->loop_slot], loop_value(range, range->count - 1));
    parfor_note(&loop, &choice, clock_now() - start);
    return st;
}
