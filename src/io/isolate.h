/* Foreign libraries that crash or never end on damaged files do their work in a child process: see
 * isolate.c. */
#ifndef ISOLATE_H
#define ISOLATE_H

#include "io/io_impl.h"

/* The child's side of a job; it lies in memory that both processes share. */
typedef struct Isolation Isolation;

/* What the child does.  `ctx` is its own: no tasks, a pool as large as what the parent's has left.
 * Nothing needs to be closed or freed, since the process ends. */
typedef ml_status (*IsolatedWork)(Ctx *ctx, void *arg, Isolation *self);

typedef struct IsolatedJob {
    const char *path, *library; /* for messages: "PATH: the LIBRARY library crashed ..." */
    IsolatedWork work;
    void *arg;
    /* In the parent, when the child has answered: make room for the *bytes that it will put.  A job
     * without it leaves what it found by isolate_output. */
    ml_status (*room)(Ctx *ctx, void *arg, const void *answer, size_t *bytes);
    /* In the parent: the next of these bytes, which are gone when it returns. */
    ml_status (*take)(Ctx *ctx, void *arg, const void *data, size_t bytes);
    size_t bytes;          /* of the file: more of them may take longer */
    void (*started)(void); /* called in the parent once the child exists or cannot, or NULL */
    int seconds;           /* processor time that every job gets; 0: ISOLATE_SECONDS */
} IsolatedJob;

enum {
    ISOLATE_SECONDS = 4,
    ISOLATE_ANSWER = 512,   /* the most bytes of an answer */
    ISOLATE_PIECE = 2 << 20 /* the most bytes of a piece: the cells of a row of chunks fit */
};

/* Run a job: ML_OK, the error that the child recorded, or one of ours when it crashed or was
 * stopped.  *memory maps what it left by isolate_output, until input_release. */
ml_status isolate(Ctx *ctx, const IsolatedJob *job, InputFile *memory);

/* ---- for the child ---- */

/* What it is about to read, for messages. */
void isolate_step(Isolation *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Once, before anything is put. */
void isolate_answer(Isolation *self, const void *answer, size_t size);
/* `bytes` more are asked for, which may take longer. */
void isolate_allow(Isolation *self, size_t bytes);
/* Where the next piece is to be made, of ISOLATE_PIECE bytes in shared memory; waits until the
 * parent has taken what was there. */
void *isolate_piece(Isolation *self);
/* Pass the first bytes of that piece on: the next of what the parent made room for. */
void isolate_pass(Isolation *self, size_t bytes);
/* The same of bytes that lie elsewhere, in as many pieces as they take. */
void isolate_put(Isolation *self, const void *data, size_t bytes);
/* A file in memory to write to. */
Output isolate_output(const Isolation *self, const char *path);

#endif
