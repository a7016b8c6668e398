/* parfor: inside of parallel loops, for the files parfor*.c and worker.c.
 *
 * One execution of a parfor is a ParforLoop on the stack of its caller.  Each thread that takes
 * part has a ParforWorker: a Run of its own, whose frame is a copy of the caller's, so values are
 * shared and names are not.  Results that the body hands over (hop/parfor.c) are
 *
 *   in place   dense matrices: every worker writes cells of the one result through its own handle
 *   in order   all others and sums: parts wait until all iterations before theirs have handed in
 *              what they have, so the result is that of the for loop, digit by digit
 *
 * A result that the body assigns itself is a copy a worker, merged at the end by cells that
 * changed.  The lock guards what the loop says of order. */
#ifndef RUN_PARFOR_H
#define RUN_PARFOR_H

#include "run/interp.h"

#include <pthread.h>

/* What an iteration hands over: a value, and where it goes or that it is added. */
typedef struct Part {
    int result;
    Value in[6]; /* as of left_index, of a sum in[1]; in[0] is not used */
    Span span;   /* of the assignment */
} Part;

/* The parts of a chunk of iterations. */
typedef struct Parts {
    int64_t lo, hi;
    VEC(Part) items;
    size_t bytes;
    struct Parts *next; /* with higher iterations */
} Parts;

typedef struct ParforLoop ParforLoop;

typedef struct ParforWorker {
    ParforLoop *loop;
    Run *run;
    Value *frame;
    Matrix **targets; /* by result: the handle to write through, NULL: parts go in order */
    Parts *parts;     /* of the chunk at hand, NULL: none yet */
} ParforWorker;

typedef struct LoopResult {
    const ParforSlot *of;
    Value before;  /* what it was; owned */
    Value now;     /* in order: what it has become, which the frame gets at the end; owned */
    int outer;     /* number of the result in the loop around, which has it too; -1: none */
    Matrix *cells; /* in place: whose cells they are; borrowed */
} LoopResult;

struct ParforLoop {
    Run *run;                   /* that came to the loop, and its frame */
    struct ParforWorker *outer; /* whose iteration that was, NULL: of none */
    const Routine *r;
    Value *frame;
    const Block *block;
    LoopRange range;
    LoopResult *results;
    ParforWorker **workers; /* by number of the engine's worker; NULL: iterations one by one */
    int nworkers;           /* places in that list */
    int threads;            /* that take part, at most */
    size_t waiting_most;    /* bytes of parts that may wait */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    int64_t next;   /* the first iteration that has not handed in */
    Parts *waiting; /* ascending */
    size_t waiting_bytes;
    bool failed;
};

/* ---- what is chosen for a loop (parfor_choice.c) ---- */
typedef struct ParforChoice {
    TaskDivision how; /* threads 1: one iteration after the other, on the caller's frame */
    const char *why;
} ParforChoice;
void parfor_choose(const ParforLoop *loop, ParforChoice *choice);
void parfor_note(ParforLoop *loop, const ParforChoice *choice, int64_t ns); /* for statistics */

/* ---- results (parfor_results.c) ---- */
ml_status results_begin(ParforLoop *loop);
ml_status results_end(ParforLoop *loop,
                      ml_status st);        /* merges them when st is ML_OK; returns st */
bool result_becomes_dense(const Matrix *m); /* is it written in place? */
/* Give the worker what it writes through and reads. */
ml_status worker_results(ParforWorker *w);
/* The worker has done the iterations [lo, hi). */
ml_status parts_deliver(ParforWorker *w, int64_t lo, int64_t hi);
/* The worker is within [lo, ...): hand in what there is if its turn has come. */
ml_status parts_flush(ParforWorker *w, int64_t lo);
/* After an error, of the worker if it was made: nobody waits any more. */
void parts_drop(ParforLoop *loop, ParforWorker *w);

/* ---- runs of workers (worker.c) ---- */
ml_status run_clone(Run *main, Ctx *ctx, Run **out); /* an idle one, or a new one */
void run_return(Run *clone);                         /* its frame is empty again */

#endif
