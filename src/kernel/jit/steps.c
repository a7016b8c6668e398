/* From cell code to steps: each operator as the IEEE operations of op/cell.h, so that the digits
 * are its own; the long functions are in functions.c.  An operator that is not written out here is
 * a call of its vector loop (simd/cells.h). */
#include "kernel/jit/steps.h"

#include "kernel/simd/cells.h"
#include "op/cell.h"

void steps_free(Steps *s)
{
    VEC_FREE(&s->list);
    VEC_FREE(&s->constants);
}

/* ---- building ---- */

static Level level_of(const Steps *s, Ref r)
{
    return r < 0 ? LEVEL_RUN : (Level)s->list.items[r].level;
}

static Ref push(Steps *s, Step step)
{
    if (s->list.count >= STEPS_MAX || !VEC_PUSH(&s->list, step)) {
        s->failed = true;
        return -1;
    }
    return (Ref)(s->list.count - 1);
}

Ref step(Steps *s, StepKind kind, int imm, Ref a, Ref b, Ref c, Ref d)
{
    Step made = {.kind = (uint8_t)kind, .imm = (uint16_t)imm, .in = {a, b, c, d}};

    for (int k = 0; k < STEP_IN; k++)
        if (made.in[k] != NONE && level_of(s, made.in[k]) > (Level)made.level)
            made.level = (uint8_t)level_of(s, made.in[k]);
    return push(s, made);
}

Ref step_bits(Steps *s, uint64_t bits)
{
    for (int k = 0; k < s->constants.count; k++)
        if (s->constants.items[k] == bits)
            return (Ref)(-1 - k);
    if (!VEC_PUSH(&s->constants, bits)) {
        s->failed = true;
        return -1;
    }
    return (Ref)-s->constants.count;
}

Ref step_constant(Steps *s, double x)
{
    return step_bits(s, cell_bits(x));
}

/* Zero, where it is chosen, is chosen last: this costs nothing. */
Ref step_select(Steps *s, int compare, Ref a, Ref b, Ref c, Ref d)
{
    const Ref zero = step_constant(s, 0);

    return c == zero ? step(s, S_SELECT, compare ^ NOT, a, b, d, c)
                     : step(s, S_SELECT, compare, a, b, c, d);
}

/* ---- operators ---- */

static Ref one_if(Steps *s, int compare, Ref a, Ref b)
{
    return step_select(s, compare, a, b, step_constant(s, 1), step_constant(s, 0));
}

static Ref absolute(Steps *s, Ref x)
{
    return step2(s, S_AND, x, step_bits(s, INT64_MAX));
}

static Ref sign_bit(Steps *s, Ref x)
{
    return step2(s, S_AND, x, step_bits(s, (uint64_t)INT64_MIN));
}

static Ref rounded(Steps *s, int how, Ref x)
{
    return step(s, S_ROUND, how, x, NONE, NONE, NONE);
}

/* Where both are equal they differ in the sign of zero at most, which their bits decide. */
static Ref extreme(Steps *s, bool max, Ref x, Ref y)
{
    Ref r;

    if (s->evex) {
        r = step(s, S_RANGE, max ? 5 : 4, x, y, NONE, NONE);
    } else {
        const Ref equal = step2(s, max ? S_AND : S_OR, x, y);

        r = step_select(s, IS_EQ, x, y, equal, step2(s, max ? S_MAX : S_MIN, x, y));
    }
    return step_select(s, IS_NAN, x, y, step2(s, S_ADD, x, y), r);
}

static Ref whole_quotient(Steps *s, Ref x, Ref y)
{
    const Ref q = step2(s, S_DIV, x, y), size = absolute(s, q);
    const Ref whole = rounded(s, ROUND_DOWN, step2(s, S_ADD, size, step_constant(s, 0x1p-53)));
    const Ref limit = step_constant(s, 0x1p63);
    const Ref cut = step_select(s, IS_GT, whole, limit, limit, whole);
    const Ref exact = step2(s, S_ADD, step2(s, S_OR, cut, sign_bit(s, q)), step_constant(s, 0));

    return step_select(s, IS_LE, size, step_constant(s, 0x1.fffffffffffffp1023), exact, q);
}

static Ref modulo(Steps *s, Ref x, Ref y)
{
    const Ref back = step2(s, S_MUL, whole_quotient(s, x, y), y);

    return step2(s, S_ADD, step2(s, S_SUB, x, back), step_constant(s, 0));
}

static Ref sign(Steps *s, Ref x)
{
    const Ref zero = step_constant(s, 0);
    const Ref below = step_select(s, IS_LT, x, zero, step_constant(s, -1), zero);
    const Ref r = step_select(s, IS_GT, x, zero, step_constant(s, 1), below);

    return step_select(s, IS_NAN, x, x, x, r);
}

static Ref half_up(Steps *s, Ref x)
{
    const Ref low = rounded(s, ROUND_DOWN, x), half = step_constant(s, 0.5);
    const Ref up = one_if(s, IS_GE, step2(s, S_SUB, x, low), half);
    const Ref r = step2(s, S_ADD, low, up), top = step_constant(s, 0x1p63),
              bottom = step_constant(s, -0x1p63);
    const Ref plain = step2(s, S_ADD, r, step_constant(s, 0));
    const Ref held =
        step_select(s, IS_GT, r, top, top, step_select(s, IS_LT, r, bottom, bottom, plain));

    return step_select(s, IS_NUMBER, x, x, held, step_constant(s, 0));
}

static Ref unary(Steps *s, OpCode op, Ref x)
{
    const Ref zero = step_constant(s, 0);

    switch (op) {
    case OP_plus:
        return x;
    case OP_neg:
        return step2(s, S_XOR, x, step_bits(s, (uint64_t)INT64_MIN));
    case OP_abs:
        return absolute(s, x);
    case OP_sqrt:
        return step(s, S_SQRT, 0, x, NONE, NONE, NONE);
    case OP_sign:
        return sign(s, x);
    case OP_round:
        return half_up(s, x);
    case OP_floor:
        return rounded(s, ROUND_DOWN, x);
    case OP_ceil:
        return rounded(s, ROUND_UP, x);
    case OP_not:
        return one_if(s, IS_EQ, x, zero);
    case OP_is_nan:
        return one_if(s, IS_NAN, x, x);
    case OP_is_infinite:
        return one_if(s, IS_GT, absolute(s, x), step_constant(s, 0x1.fffffffffffffp1023));
    default:
        return NONE;
    }
}

static Ref binary(Steps *s, OpCode op, Ref x, Ref y)
{
    const Ref zero = step_constant(s, 0), one = step_constant(s, 1);

    switch (op) {
    case OP_add:
        return step2(s, S_ADD, x, y);
    case OP_sub:
        return step2(s, S_SUB, x, y);
    case OP_mul:
        return step2(s, S_MUL, x, y);
    case OP_div:
        return step2(s, S_DIV, x, y);
    case OP_intdiv:
        return whole_quotient(s, x, y);
    case OP_mod:
        return modulo(s, x, y);
    case OP_lt:
        return one_if(s, IS_LT, x, y);
    case OP_le:
        return one_if(s, IS_LE, x, y);
    case OP_gt:
        return one_if(s, IS_GT, x, y);
    case OP_ge:
        return one_if(s, IS_GE, x, y);
    case OP_eq:
        return one_if(s, IS_EQ, x, y);
    case OP_ne:
        return one_if(s, IS_NE_N, x, y);
    case OP_and:
        return step_select(s, IS_NE_N, x, zero, one_if(s, IS_NE_N, y, zero), zero);
    case OP_or:
        return step_select(s, IS_NE_N, x, zero, one, one_if(s, IS_NE_N, y, zero));
    case OP_xor:
        return step2(s, S_XOR, one_if(s, IS_NE_N, x, zero), one_if(s, IS_NE_N, y, zero));
    case OP_pow:
        return step_pow(s, x, y);
    case OP_log:
        return step2(s, S_DIV, step_log(s, x), step_log(s, y));
    case OP_min:
    case OP_max:
        return extreme(s, op == OP_max, x, y);
    default:
        return NONE;
    }
}

static Ref function(Steps *s, OpCode op, Ref x)
{
    switch (op) {
    case OP_exp:
        return step_exp(s, x);
    case OP_log:
        return step_log(s, x);
    case OP_tanh:
        return step_tanh(s, x);
    case OP_sinh:
        return step_sinh(s, x);
    case OP_cosh:
        return step_cosh(s, x);
    default:
        return NONE;
    }
}

/* The vector loop of an operator on the cells of a vector. */
static Ref loop_call(Steps *s, const CodeStep *st, const Ref *in)
{
    const CellLoops *loops = cell_loops_at(s->evex ? CPU_AVX512 : CPU_AVX2, st->op);

    if (st->nin == 1 ? !loops->unary : st->nin != 2 || !loops->vv) {
        s->missing = true;
        return -1;
    }
    s->calls = true;
    return step(s, S_CALL, (int)st->op, in[0], st->nin == 2 ? in[1] : NONE, NONE, NONE);
}

static Ref translate(Steps *s, const CodeStep *st, const Ref *in)
{
    Ref r = NONE;

    if (st->op == OP_ifelse)
        return step_select(s, IS_NE_N, in[0], step_constant(s, 0), in[1], in[2]);
    if (st->nin == 1) {
        r = unary(s, st->op, in[0]);
        r = r == NONE ? function(s, st->op, in[0]) : r;
    } else if (st->nin == 2) {
        r = binary(s, st->op, in[0], in[1]);
    }
    return r == NONE ? loop_call(s, st, in) : r;
}

/* ---- the whole ---- */

static void load_inputs(Steps *s, Ref *values)
{
    static const Level levels[] = {[CODE_TILE] = LEVEL_CELL,
                                   [CODE_ROW] = LEVEL_CELL,
                                   [CODE_COL] = LEVEL_ROW,
                                   [CODE_NUMBER] = LEVEL_RUN};

    for (int k = 0; k < s->code->ninputs; k++)
        values[k] = push(s, (Step){.kind = S_LOAD,
                                   .level = (uint8_t)levels[s->code->inputs[k].kind],
                                   .imm = (uint16_t)k,
                                   .in = {NONE, NONE, NONE, NONE}});
}

/* Outputs that reduce stand behind the step that gives their value; cells are stored at the end,
 * as they may lie over inputs. */
static void take_outputs(Steps *s, int value, bool stored, Ref r)
{
    const CellCode *code = s->code;

    for (int k = 0; k < code->noutputs; k++)
        if (code->outputs[k].value == value && (code->outputs[k].kind == CODE_CELLS) == stored)
            push(s, (Step){.kind = S_OUT,
                           .level = LEVEL_CELL,
                           .imm = (uint16_t)k,
                           .in = {r, NONE, NONE, NONE}});
}

void steps_make(Steps *s, const CellCode *code, CpuLevel level)
{
    Ref values[CODE_INPUTS + CODE_STEPS];

    *s = (Steps){.evex = level == CPU_AVX512, .code = code};
    load_inputs(s, values);
    for (int k = 0; k < code->ninputs + code->nsteps && !s->failed && !s->missing; k++) {
        if (k >= code->ninputs) {
            const CodeStep *st = &code->steps[k - code->ninputs];
            Ref in[CODE_ARITY];

            for (int i = 0; i < st->nin; i++)
                in[i] = values[st->in[i]];
            values[k] = translate(s, st, in);
        }
        take_outputs(s, k, false, values[k]);
    }
    for (int k = 0; k < code->ninputs + code->nsteps && !s->failed && !s->missing; k++)
        take_outputs(s, k, true, values[k]);
}
