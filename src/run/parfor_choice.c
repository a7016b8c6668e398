/* How a parfor runs: how many workers, in what chunks, and why.
 *
 * Workers and kernels share the threads of one engine: a kernel that a worker calls is helped by
 * threads that the loop leaves idle, so the loop takes all threads unless something speaks against
 * it - too little work, too little memory for so many iterations at once, a loop around that keeps
 * all threads busy.  What the script gives counts: par as a bound, taskpartitioner and tasksize as
 * they are, and with opt=NONE nothing is weighed at all. */
#include "run/parfor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Below this much estimated work other threads would come too late. */
static const double LEAST_SECONDS = 20e-6;

/* Iterations of a chunk whose parts may have to wait for others. */
enum { MOST_WAITING = 256 };

/* ---- what the script says ---- */

static const Expr *given(const Parfor *p, const char *key)
{
    for (int k = 0; k < p->nparams; k++)
        if (strcmp(p->params[k].key, key) == 0 && p->params[k].value->kind == E_LITERAL)
            return p->params[k].value;
    return NULL;
}

static int64_t given_int(const Parfor *p, const char *key, int64_t otherwise)
{
    const Expr *e = given(p, key);

    return e && e->lit.vt == VT_INT && e->lit.i > 0 ? e->lit.i : otherwise;
}

static bool given_word(const Parfor *p, const char *key, const char *word)
{
    const Expr *e = given(p, key);

    return e && e->lit.vt == VT_STRING && strcasecmp(e->lit.s->text, word) == 0;
}

/* The reference's partitioners by the engine's schemes.  What tasksize bounds: the smallest chunk,
 * but for CMAX the largest. */
typedef struct Partitioner {
    const char *word, *scheme;
    bool sized, most;
} Partitioner;

static const Partitioner partitioners[] = {
    {"FIXED", "ss", true, false},           {"NAIVE", "ss", false, false},
    {"STATIC", "static", false, false},     {"GUIDED", "gss", true, false},
    {"FACTORING", "fac2", false, false},    {"FACTORING_CMIN", "fac2", true, false},
    {"FACTORING_CMAX", "fac2", true, true},
};

static void divide(const Parfor *p, bool literal, TaskDivision *how)
{
    const int64_t size = given_int(p, "tasksize", 1);
    const Partitioner *by = literal ? &partitioners[0] : NULL;

    for (size_t k = 0; k < sizeof partitioners / sizeof *partitioners; k++)
        if (given_word(p, "taskpartitioner", partitioners[k].word))
            by = &partitioners[k];
    *how = (TaskDivision){.grain = 1, .partition = by ? by->scheme : "fac2"};
    if (by && by->most)
        how->most = size;
    else if ((by && by->sized) || (!by && given(p, "tasksize")))
        how->grain = size;
}

/* ---- what speaks against it ---- */

static const char *unsuited_result(const ParforLoop *loop)
{
    const Parfor *p = loop->block->parfor;

    for (int k = 0; k < p->nresults; k++) {
        const Value v = loop->frame[p->results[k].slot];

        if (!p->results[k].handed && v.dt != DT_MATRIX)
            return "a result that is no matrix is read as well as written";
        if (p->results[k].handed && p->results[k].read_back &&
            !(v.dt == DT_MATRIX && result_becomes_dense(v.m)))
            return "a result that is not dense is read as well as written";
    }
    return NULL;
}

/* With fewer iterations some threads would be idle while the last of them run. */
static bool all_are_busy(const ParforLoop *loop)
{
    enum { ROUNDS = 4 };
    const ParforWorker *w = loop->outer;

    return w && w->loop->workers && w->loop->threads == task_threads(loop->run->ctx) &&
           w->loop->range.count >= ROUNDS * w->loop->threads;
}

/* Why it must not run in parallel, whatever the script says; NULL: it may. */
static const char *forbidden(const ParforLoop *loop)
{
    const Parfor *p = loop->block->parfor;

    if (!p->prepared)
        return "parallel_loops is switched off";
    if (p->serial)
        return p->serial;
    if (loop->range.count == 1)
        return "there is one iteration";
    if (loop->block->step < 0 && loop->range.step < 0) /* the check took unknown a:b as ascending */
        return "its range runs downwards";
    if (task_threads(loop->run->ctx) == 1)
        return "there is one thread";
    return unsuited_result(loop);
}

static int affordable(const ParforLoop *loop, double bytes, int threads)
{
    const PoolStats pool = pool_stats(loop->run->ctx->pool);
    const double room = pool.limit > pool.used ? (double)(pool.limit - pool.used) : 0;

    if (bytes <= 0 || bytes * threads <= room)
        return threads;
    return room < bytes ? 1 : (int)(room / bytes);
}

/* Do parts of results wait for the iterations before theirs? */
static bool has_parts(const ParforLoop *loop)
{
    const Parfor *p = loop->block->parfor;

    for (int k = 0; k < p->nresults; k++) {
        const Value v = loop->frame[p->results[k].slot];
        const bool cells = v.dt == DT_MATRIX && p->results[k].mode != PARFOR_SUM;

        if (p->results[k].handed && !(cells && result_becomes_dense(v.m)))
            return true;
    }
    return false;
}

static void weigh(const ParforLoop *loop, ParforChoice *choice)
{
    const ParforCost c = parfor_cost(loop->block);
    const int threads = choice->how.threads;

    if (!choice->how.most && choice->how.grain < MOST_WAITING && has_parts(loop))
        choice->how.most = MOST_WAITING;
    choice->how.threads = affordable(loop, c.bytes, threads);
    if (choice->how.threads < threads)
        choice->why = "memory for so many iterations at once";
    if (c.seconds * (double)loop->range.count < LEAST_SECONDS) {
        choice->how.threads = 1;
        choice->why = "too little work";
    } else if (all_are_busy(loop)) {
        choice->how.threads = 1;
        choice->why = "the loop around it keeps all threads busy";
    }
}

void parfor_choose(const ParforLoop *loop, ParforChoice *choice)
{
    const Parfor *p = loop->block->parfor;
    const bool literal = given_word(p, "opt", "NONE");
    const int64_t threads = task_threads(loop->run->ctx);
    const int64_t par = given_int(p, "par", threads);

    divide(p, literal, &choice->how);
    choice->how.threads = (int)(par < threads ? par : threads);
    if (loop->range.count < choice->how.threads)
        choice->how.threads = (int)loop->range.count;
    choice->why = par < threads ? "par" : "all threads";
    if (forbidden(loop)) {
        choice->how.threads = 1;
        choice->why = forbidden(loop);
    } else if (!literal) {
        weigh(loop, choice);
    }
}

/* ---- notes ---- */

static LoopNote *note_of(RunStats *stats, const Block *block)
{
    for (int k = 0; k < stats->nloops; k++)
        if (stats->loops[k].block == block->number)
            return &stats->loops[k];
    if (stats->nloops == LOOPS_NOTED)
        return NULL;
    stats->loops[stats->nloops].block = block->number;
    return &stats->loops[stats->nloops++];
}

static void put_note(LoopNote *note, const ParforLoop *loop, const ParforChoice *choice)
{
    const Parfor *p = loop->block->parfor;
    const char *name = loop->r->names[loop->block->loop_slot];

    note->line = span_begin(loop->block->span).line;
    snprintf(note->name, sizeof note->name, "%s", name ? name : "");
    note->threads = choice->how.threads;
    snprintf(note->text, sizeof note->text, "%s: %s%s",
             choice->how.threads == 1 ? "one after the other" : choice->how.partition, choice->why,
             parfor_remote(p->params, p->nparams) ? "; REMOTE settings run locally" : "");
}

void parfor_note(ParforLoop *loop, const ParforChoice *choice, int64_t ns)
{
    Run *main = run_main(loop->run);
    LoopNote *note;

    if (!main->stats->timed)
        return;
    pthread_mutex_lock(&main->lock);
    note = note_of(main->stats, loop->block);
    if (note) {
        if (!note->times)
            put_note(note, loop, choice);
        note->times++;
        note->iterations += loop->range.count;
        note->nanoseconds += ns;
    }
    pthread_mutex_unlock(&main->lock);
}
