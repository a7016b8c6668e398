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
    /* In the parent, when the child has answered: the place of the *bytes that it will put, or NULL
     * with the error recorded.  A job without it leaves what it found by isolate_output. */
    void *(*room)(Ctx *ctx, void *arg, const void *answer, size_t *bytes);
    size_t bytes;          /* of the file: more of them may take longer */
    void (*started)(void); /* called in the parent once the child exists or cannot, or NULL */
    int seconds;           /* processor time that every job gets; 0: ISOLATE_SECONDS */
} IsolatedJob;

enum {
    ISOLATE_SECONDS = 4,
    ISOLATE_ANSWER = 512 /* the most bytes of an answer */
};

/* Run a job: ML_OK, the error that the child recorded, or one of ours when it crashed or was
 * stopped.  `answer`, of `size` bytes, is what it left by isolate_answer; *memory maps what it left
 * by isolate_output, until input_release. */
ml_status isolate(Ctx *ctx, const IsolatedJob *job, void *answer, size_t size, InputFile *memory);

/* ---- for the child ---- */

/* What it is about to read, for messages. */
void isolate_step(Isolation *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Once, before anything is put. */
void isolate_answer(Isolation *self, const void *answer, size_t size);
/* `bytes` more are asked for, which may take longer. */
void isolate_allow(Isolation *self, size_t bytes);
/* The next bytes of what the parent made room for. */
ml_status isolate_put(Ctx *ctx, const Isolation *self, const void *data, size_t bytes);
/* A file in memory to write to. */
Output isolate_output(const Isolation *self, const char *path);

#endif
