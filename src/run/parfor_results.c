/* What becomes of the results of a parfor: cells written where they belong, parts that wait for
 * their turn, copies that are merged.
 *
 * Order: chunks of iterations hand in their parts, and a chunk whose predecessors have all done so
 * applies them, its own and those that wait behind it, in the order of iterations.  The chunk whose
 * turn it is applies its parts without waiting for its end, and the others wait once too many bytes
 * do, so the memory is bounded; it never waits itself, so somebody always goes on.
 *
 * A result of a loop that is also one of the loop around it, whose iteration this is, is handed on
 * to that one. */
#include "run/parfor.h"

#include "op/op.h"

#include <time.h>

/* ---- parts ---- */

static size_t value_bytes(Value v)
{
    return sizeof(Part) + (v.dt == DT_MATRIX ? v.m->bytes : 0);
}

static void part_release(Part *p)
{
    for (int k = 0; k < 6; k++)
        value_release(p->in[k]);
}

static void parts_free(Parts *parts)
{
    if (!parts)
        return;
    for (int k = 0; k < parts->items.count; k++)
        part_release(&parts->items.items[k]);
    VEC_FREE(&parts->items);
    mem_free(parts);
}

/* While workers run nobody writes the frame that they begin with. */
static ml_status apply_part(Run *run, const ParforLoop *loop, const Part *p)
{
    LoopResult *result = &loop->results[p->result];
    const ParforSlot *of = result->of;
    const bool is_sum = of->mode == PARFOR_SUM;
    const int op = is_sum ? OP_add : OP_left_index;
    const char *names[6] = {loop->r->names[of->slot]};
    Value *at = loop->workers ? &result->now : &loop->frame[of->slot], out = value_none();
    Value in[6] = {*at, p->in[1], p->in[2], p->in[3], p->in[4], p->in[5]};
    OpCall call = {.op = &op_table[op],
                   .nin = is_sum ? 2 : 6,
                   .nout = 1,
                   .in = in,
                   .out = &out,
                   .last = 1,
                   .names = names};
    ml_status st = run_operator_call(run, &call);

    if (st == ML_OK) {
        value_release(*at);
        *at = out;
    } else if (!run->ctx->err.span.src) {
        run->ctx->err.span = p->span;
    }
    return st;
}

static ml_status hand_over(ParforWorker *w, Run *run, Part *p);

/* Takes the part. */
static ml_status apply(Run *run, const ParforLoop *loop, Part *p)
{
    const int outer = loop->results[p->result].outer;
    ml_status st;

    if (outer >= 0) {
        p->result = outer;
        return hand_over(loop->outer, run, p);
    }
    st = apply_part(run, loop, p);
    part_release(p);
    return st;
}

static ml_status keep(ParforWorker *w, Run *run, Part *p)
{
    if (!w->parts)
        w->parts = mem_calloc(1, sizeof *w->parts);
    if (!w->parts || !VEC_PUSH(&w->parts->items, *p)) {
        part_release(p);
        return fail_memory(run->ctx, sizeof *p);
    }
    w->parts->bytes += value_bytes(p->in[1]);
    return ML_OK;
}

/* Takes the part.  `run` does the work: that of the worker, or of one in a loop inside. */
static ml_status hand_over(ParforWorker *w, Run *run, Part *p)
{
    return w->loop->workers ? keep(w, run, p) : apply(run, w->loop, p);
}

/* ---- operators of the body ---- */

/* Straight into the cells: the handle has one owner, so the kernel writes in place. */
static ml_status write_through(Run *run, OpCall *call, Matrix *target)
{
    Value in[6], out = value_none();
    OpCall put = {.op = &op_table[OP_left_index],
                  .nin = 6,
                  .nout = 1,
                  .in = in,
                  .out = &out,
                  .last = 1,
                  .names = call->names};

    in[0] = value_matrix(target);
    for (int k = 1; k < 6; k++)
        in[k] = call->in[k];
    TRY(run_operator_call(run, &put));
    value_release(out);
    return ML_OK;
}

ml_status ml_r_parfor_put(Run *run, OpCall *call)
{
    ParforWorker *w = run->worker;
    Part p = {.result = (int)call->in[6].i, .span = run->instr->span};

    if (w->targets[p.result])
        return write_through(run, call, w->targets[p.result]);
    for (int k = 1; k < 6; k++)
        p.in[k] = value_retain(call->in[k]);
    return hand_over(w, run, &p);
}

ml_status ml_r_parfor_add(Run *run, OpCall *call)
{
    Part p = {.result = (int)call->in[2].i, .span = run->instr->span};

    p.in[1] = value_retain(call->in[1]);
    return hand_over(run->worker, run, &p);
}

/* ---- order ---- */

static ml_status apply_all(Run *run, const ParforLoop *loop, Parts *parts)
{
    ml_status st = ML_OK;
    int k = 0;

    for (; st == ML_OK && k < parts->items.count; k++)
        st = apply(run, loop, &parts->items.items[k]);
    for (; k < parts->items.count; k++)
        part_release(&parts->items.items[k]);
    parts->items.count = 0;
    parts->bytes = 0;
    return st;
}

/* With the lock: all that waited for us alone. */
static ml_status apply_waiting(ParforLoop *loop, Run *run)
{
    ml_status st = ML_OK;

    while (st == ML_OK && loop->waiting && loop->waiting->lo == loop->next) {
        Parts *first = loop->waiting;

        loop->waiting = first->next;
        loop->waiting_bytes -= first->bytes;
        loop->next = first->hi;
        st = apply_all(run, loop, first);
        parts_free(first);
    }
    return st;
}

/* Cancelling sends no signal, so it is asked for now and then. */
static ml_status wait_for_room(ParforLoop *loop, Ctx *ctx)
{
    enum { NANOSECONDS = 20000000 };

    while (loop->waiting_bytes > loop->waiting_most && !loop->failed) {
        struct timespec until;

        TRY(check_cancel(ctx));
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += NANOSECONDS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&loop->turn, &loop->lock, &until);
    }
    return ML_OK;
}

static ml_status wait_in_line(ParforLoop *loop, Ctx *ctx, Parts *parts)
{
    Parts **at = &loop->waiting;

    while (*at && (*at)->lo < parts->lo)
        at = &(*at)->next;
    parts->next = *at;
    *at = parts;
    loop->waiting_bytes += parts->bytes;
    return wait_for_room(loop, ctx);
}

static bool is_ordered(const LoopResult *result)
{
    return result->of->handed && !result->cells;
}

static bool has_order(const ParforLoop *loop)
{
    for (int k = 0; k < loop->block->parfor->nresults; k++)
        if (is_ordered(&loop->results[k]))
            return true;
    return false;
}

ml_status parts_deliver(ParforWorker *w, int64_t lo, int64_t hi)
{
    ParforLoop *loop = w->loop;
    Parts *parts = w->parts;
    ml_status st = ML_OK;

    if (!loop->workers || !has_order(loop))
        return ML_OK;
    if (!parts)
        parts = mem_calloc(1, sizeof *parts);
    if (!parts)
        return fail_memory(w->run->ctx, sizeof *parts);
    w->parts = NULL;
    parts->lo = lo;
    parts->hi = hi;
    pthread_mutex_lock(&loop->lock);
    if (loop->next == lo) {
        loop->next = hi;
        st = apply_all(w->run, loop, parts);
        parts_free(parts);
        if (st == ML_OK)
            st = apply_waiting(loop, w->run);
        pthread_cond_broadcast(&loop->turn);
    } else {
        st = wait_in_line(loop, w->run->ctx, parts);
    }
    pthread_mutex_unlock(&loop->lock);
    return st;
}

ml_status parts_flush(ParforWorker *w, int64_t lo)
{
    ParforLoop *loop = w->loop;
    ml_status st = ML_OK;

    if (!w->parts || w->parts->bytes * (size_t)loop->threads < loop->waiting_most)
        return ML_OK;
    pthread_mutex_lock(&loop->lock);
    if (loop->next == lo)
        st = apply_all(w->run, loop, w->parts);
    pthread_mutex_unlock(&loop->lock);
    return st;
}

void parts_drop(ParforLoop *loop, ParforWorker *w)
{
    if (w) {
        parts_free(w->parts);
        w->parts = NULL;
    }
    pthread_mutex_lock(&loop->lock);
    loop->failed = true;
    pthread_cond_broadcast(&loop->turn);
    pthread_mutex_unlock(&loop->lock);
}

/* ---- before and after ---- */

/* The result of the loop around, in whose frame we are, that is this variable. */
static int outer_result(const ParforLoop *loop, int slot)
{
    const ParforWorker *w = loop->outer;

    if (!w || w->frame != loop->frame)
        return -1;
    for (int k = 0; k < w->loop->block->parfor->nresults; k++) {
        const ParforSlot *of = w->loop->results[k].of;

        if (of->slot == slot && of->handed)
            return k;
    }
    return -1;
}

/* A large sparse matrix stays one: its parts go in order. */
bool result_becomes_dense(const Matrix *m)
{
    enum { DENSE_BYTES = 1 << 28 };

    return m->format == MATRIX_DENSE || !matrix_is_sparse(m->rows, m->cols, m->nnz) ||
           (double)m->rows * (double)m->cols * sizeof(double) <= DENSE_BYTES;
}

/* The cells that all workers write: of the variable's own matrix, dense and shared with nobody. */
static ml_status open_cells(ParforLoop *loop, LoopResult *result)
{
    Ctx *ctx = loop->run->ctx;
    Value *at = &loop->frame[result->of->slot];
    Matrix *dense = NULL;
    ml_status st;

    if (!loop->workers || result->of->mode == PARFOR_SUM || at->dt != DT_MATRIX ||
        !result_becomes_dense(at->m))
        return ML_OK;
    TRY(matrix_dense_of(ctx, precision_type(ctx), at->m, &dense));
    value_release(*at);
    *at = value_matrix(dense);
    st = matrix_writable(ctx, &at->m);
    result->cells = at->m;
    return st;
}

static ml_status begin_result(ParforLoop *loop, int k)
{
    LoopResult *result = &loop->results[k];

    result->of = &loop->block->parfor->results[k];
    if (result->of->mode == PARFOR_SUM)
        TRY(slot_settle(loop->run, &loop->frame[result->of->slot]));
    result->outer = result->of->handed ? outer_result(loop, result->of->slot) : -1;
    if (result->of->handed && result->outer < 0) {
        TRY(open_cells(loop, result));
        if (loop->workers && !result->cells)
            result->now = value_retain(loop->frame[result->of->slot]);
        return ML_OK;
    }
    if (result->outer >= 0)
        result->cells = loop->outer->targets[result->outer];
    else
        result->before = value_retain(loop->frame[result->of->slot]);
    return ML_OK;
}

ml_status results_begin(ParforLoop *loop)
{
    const int n = loop->block->parfor->nresults;

    loop->results = mem_calloc((size_t)n + 1, sizeof *loop->results);
    if (!loop->results)
        return fail_memory(loop->run->ctx, sizeof *loop->results);
    for (int k = 0; k < n; k++)
        TRY(begin_result(loop, k));
    return ML_OK;
}

ml_status worker_results(ParforWorker *w)
{
    const ParforLoop *loop = w->loop;
    const int n = loop->block->parfor->nresults;

    w->targets = mem_calloc((size_t)n + 1, sizeof(Matrix *));
    if (!w->targets)
        return fail_memory(w->run->ctx, sizeof(Matrix *));
    for (int k = 0; k < n; k++) {
        Value *at = &w->frame[loop->results[k].of->slot];
        Matrix *shown;

        if (!loop->results[k].cells)
            continue;
        TRY(matrix_alias(w->run->ctx, loop->results[k].cells, &w->targets[k]));
        if (!loop->workers) /* the frame is the caller's */
            continue;
        TRY(matrix_view(w->run->ctx, loop->results[k].cells, 0, loop->results[k].cells->rows,
                        &shown));
        shown->nnz = matrix_cells(shown); /* a bound: others write */
        value_release(*at);
        *at = value_matrix(shown);
    }
    return ML_OK;
}

/* into = the cells of `changed` where they differ from those before, else its own. */
static ml_status merge_changed(ParforLoop *loop, Value before, Value changed, Value *into)
{
    Run *run = loop->run;
    Value in[3] = {changed, before}, mask = value_none(), out = value_none();
    OpCall differ = {.op = &op_table[OP_ne], .nin = 2, .nout = 1, .in = in, .out = &mask};
    OpCall choose = {.op = &op_table[OP_ifelse], .nin = 3, .nout = 1, .in = in, .out = &out};
    ml_status st;

    if (into->m == before.m) {
        value_release(*into);
        *into = value_retain(changed);
        return ML_OK;
    }
    TRY(run_operator_call(run, &differ));
    in[0] = mask;
    in[1] = changed;
    in[2] = *into;
    st = run_operator_call(run, &choose);
    value_release(mask);
    if (st == ML_OK) {
        value_release(*into);
        *into = out;
    }
    return st;
}

static ml_status merge_result(ParforLoop *loop, const LoopResult *result)
{
    const int slot = result->of->slot;

    for (int k = 0; k < loop->nworkers; k++) {
        const ParforWorker *w = loop->workers[k];

        if (!w || w->frame[slot].m == result->before.m)
            continue;
        TRY(merge_changed(loop, result->before, w->frame[slot], &loop->frame[slot]));
    }
    return ML_OK;
}

static ml_status end_result(ParforLoop *loop, LoopResult *result)
{
    Value *at = &loop->frame[result->of->slot];

    if (result->outer >= 0 || !loop->workers)
        return ML_OK;
    if (result->cells)
        return matrix_finish(loop->run->ctx, &at->m, -1);
    if (!result->of->handed)
        return merge_result(loop, result);
    value_release(*at);
    *at = result->now;
    result->now = value_none();
    return ML_OK;
}

static void drop_results(ParforLoop *loop)
{
    for (int k = 0; loop->results && k < loop->block->parfor->nresults; k++) {
        value_release(loop->results[k].before);
        value_release(loop->results[k].now);
    }
    mem_free(loop->results);
    while (loop->waiting) {
        Parts *first = loop->waiting;

        loop->waiting = first->next;
        parts_free(first);
    }
}

ml_status results_end(ParforLoop *loop, ml_status st)
{
    for (int k = 0; st == ML_OK && k < loop->block->parfor->nresults; k++)
        st = end_result(loop, &loop->results[k]);
    drop_results(loop);
    return st;
}
