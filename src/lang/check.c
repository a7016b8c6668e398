#include "lang/program.h"
ml_status check_program(Ctx *ctx, Program *p, Function *main_fn)
{
    (void)ctx;
    (void)p;
    (void)main_fn;
    return ML_OK;
}
ml_status check_pending(Ctx *ctx, Program *p)
{
    (void)ctx;
    (void)p;
    return ML_OK;
}
