/* What a place where operators can run offers to the plan.  Backends live in backend/, are
 * registered by api/ and are known to everybody else through this header alone. */
#ifndef PLAN_BACKEND_H
#define PLAN_BACKEND_H

#include "op/op.h"

typedef ml_status (*OperatorFn)(Ctx *ctx, OpCall *call);

typedef struct Backend {
    const char *name;         /* as in explain: CP, SPARK, FED, GPU */
    bool (*supports)(int op); /* can it run this operator? */
    OperatorFn (*operator_fn)(
        int op); /* the function to call; NULL when it does not support the operator */
    double (*cost)(int op, const Dims *in, int nin, Dims out); /* estimated seconds */
} Backend;

#endif
