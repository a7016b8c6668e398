/* Programs of pipelines run operator by operator: what the fused form is compared with. */
#ifndef PIPELINE_CASE_H
#define PIPELINE_CASE_H

#include "kernel_case.h"

#include "kernel/pipeline.h"

/* The results of a program whose operands are in[0 .. nin); the caller's. */
int unfused_run(const char *text, const Value *in, int nin, Value out[PIPELINE_RESULTS]);
/* The same by the operator `pipeline`; bit k of `last`: operand k dies. */
ml_status fused_call(Value program, const Value *in, int nin, uint32_t last,
                     Value out[PIPELINE_RESULTS]);
ml_status fused_try(const char *text, const Value *in, int nin, uint32_t last,
                    Value out[PIPELINE_RESULTS]);

#endif
