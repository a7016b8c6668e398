/* The values that a loop variable takes.
 *
 * a:b and seq(a, b) step by one towards b, downwards too; seq(a, b, s) runs no iteration when s has
 * the wrong sign.  Bounds are truncated to integers, but a seq() with a fractional start or step
 * gives the doubles that the vector seq() would. */
#include "run/interp.h"

#include <math.h>

static ml_status loop_bound(Ctx *ctx, const Block *block, Value v, const char *what, double *out)
{
    char text[64];

    if (!scalar_is_number(v))
        return fail_at(ctx, block->span, ML_ETYPE, "the %s of a loop must be a number, found a %s",
                       what, value_describe(v, text));
    *out = scalar_to_double(v);
    if (isnan(*out))
        return fail_at(ctx, block->span, ML_EVALUE, "the %s of a loop is NaN", what);
    return ML_OK;
}

static int64_t as_int(Value v)
{
    return v.vt == VT_INT ? v.i : double_to_int(scalar_to_double(v));
}

/* Distances are taken unsigned: they may exceed what a signed integer holds. */
static void integer_range(int64_t from, int64_t to, LoopRange *range)
{
    uint64_t steps;

    range->from = from;
    if (range->step == 0 || (range->step > 0 && from > to) || (range->step < 0 && from < to))
        return;
    if (range->step > 0)
        steps = ((uint64_t)to - (uint64_t)from) / (uint64_t)range->step;
    else
        steps = ((uint64_t)from - (uint64_t)to) / -(uint64_t)range->step;
    range->count = steps >= INT64_MAX ? INT64_MAX : (int64_t)steps + 1;
}

ml_status loop_range(Ctx *ctx, const Value *frame, const Block *block, LoopRange *range)
{
    double from = 0, to = 0, step = 0;

    *range = (LoopRange){0};
    TRY(loop_bound(ctx, block, frame[block->from], "start", &from));
    TRY(loop_bound(ctx, block, frame[block->to], "end", &to));
    if (block->step < 0) {
        int64_t a = as_int(frame[block->from]), b = as_int(frame[block->to]);

        range->step = a <= b ? 1 : -1;
        integer_range(a, b, range);
        return ML_OK;
    }
    TRY(loop_bound(ctx, block, frame[block->step], "step", &step));
    range->fractional = step != trunc(step) || from != trunc(from);
    if (!range->fractional) {
        range->step = as_int(frame[block->step]);
        integer_range(as_int(frame[block->from]), as_int(frame[block->to]), range);
        return ML_OK;
    }
    range->start = from;
    range->increment = step;
    if (step != 0 && (to - from) / step >= 0)
        range->count = (int64_t)fmin(floor((to - from) / step + 1e-10) + 1, 9e18);
    return ML_OK;
}

Value loop_value(const LoopRange *range, int64_t k)
{
    if (range->fractional)
        return value_double(range->start + (double)k * range->increment);
    return value_int(range->from + k * range->step);
}
