/* What the tests of the neural-network operators share: calls with several operands and results,
 * comparison of gradients with differences, of one thread with eight. */
#ifndef NN_CASE_H
#define NN_CASE_H

#include "linear.h"

enum { NN_OPERANDS = 11, NN_RESULTS = 5 };

/* A call with borrowed operands; the results are owned. */
typedef struct NnCall {
    OpCode op;
    KernelFn kernel;
    int nin, nout;
    Value in[NN_OPERANDS];
    Value out[NN_RESULTS];
} NnCall;

Value nn_list(int count, const int64_t *sizes);
void nn_run(NnCall *c);                                        /* which must succeed */
void nn_fails(NnCall *c, ml_status code, const char *message); /* the message contains that */
void nn_drop(NnCall *c);                                       /* the results */
void nn_end(NnCall *c);                                        /* results and operands */
double nn_dot(const Matrix *a, const Matrix *b);

/* `grad` is the gradient of sum over r of (result r . weights[r]) by operand k: along random
 * directions it agrees with central differences.  weights[r] may be NULL. */
void nn_check_gradient(NnCall *c, int k, const Matrix *grad, Matrix *const *weights);

/* All results are bit for bit those of 1 thread with 8, and near those with all matrix operands in
 * CSR. */
void nn_check_threads(NnCall *c);
void nn_check_csr(NnCall *c);

#endif
