/* Machine instructions for one step.
 *
 * Memory operands stand last, so constants and values in memory are put there where the operator
 * allows it. */
#include "kernel/jit/emitter.h"

#include "kernel/simd/cells.h"

static Step here(const Emitter *e)
{
    return e->s->list.items[e->here];
}

static void give(Emitter *e, int reg)
{
    step_gives(e, reg);
}

/* ---- two operands ---- */

static VectorOp binary_op(StepKind kind)
{
    static const uint8_t ops[] = {
        [S_ADD] = V_vaddpd,    [S_SUB] = V_vsubpd,  [S_MUL] = V_vmulpd,  [S_DIV] = V_vdivpd,
        [S_MIN] = V_vminpd,    [S_MAX] = V_vmaxpd,  [S_AND] = V_vandpd,  [S_OR] = V_vorpd,
        [S_XOR] = V_vxorpd,    [S_ADDQ] = V_vpaddq, [S_SUBQ] = V_vpsubq, [S_SCALE] = V_vscalefpd,
        [S_RANGE] = V_vrangepd};

    return (VectorOp)ops[kind];
}

static bool commutes(StepKind kind)
{
    return kind == S_ADD || kind == S_MUL || kind == S_AND || kind == S_OR || kind == S_XOR ||
           kind == S_ADDQ;
}

static bool in_a_register(const Emitter *e, Ref r)
{
    return r >= 0 && e->places[r].reg >= 0;
}

static void binary(Emitter *e)
{
    const Step st = here(e);
    const bool turn = commutes(st.kind) && !in_a_register(e, st.in[0]) &&
                      (st.in[0] < 0 || in_a_register(e, st.in[1]));
    const int x = need(e, st.in[turn]);
    const Operand y = need_any(e, st.in[!turn]);
    int to;

    step_reads_end(e);
    to = take(e);
    if (st.kind == S_RANGE)
        vector_imm(&e->a, V_vrangepd, e->bytes, to, x, y, st.imm);
    else
        vector(&e->a, binary_op(st.kind), e->bytes, to, x, y);
    give(e, to);
}

/* ---- one operand ---- */

static void unary(Emitter *e)
{
    const Step st = here(e);
    int to;

    if (st.kind == S_SHL || st.kind == S_SHR) {
        const int x = need(e, st.in[0]);

        step_reads_end(e);
        to = take(e);
        vector_shift(&e->a, st.kind == S_SHL ? V_vpsllq : V_vpsrlq, e->bytes, to, x, st.imm);
    } else {
        const Operand x = need_any(e, st.in[0]);

        step_reads_end(e);
        to = take(e);
        if (st.kind == S_SQRT || st.kind == S_EXPONENT)
            vector(&e->a, st.kind == S_SQRT ? V_vsqrtpd : V_vgetexppd, e->bytes, to, NO_REGISTER,
                   x);
        else if (st.kind == S_FRACTION)
            vector_imm(&e->a, V_vgetmantpd, e->bytes, to, NO_REGISTER, x, 4);
        else
            vector_imm(&e->a, e->s->evex ? V_vrndscalepd : V_vroundpd, e->bytes, to, NO_REGISTER, x,
                       st.imm);
    }
    give(e, to);
}

/* ---- a b + c ----
 *
 * The result replaces an operand: 132 and 213 a factor, 231 the summand.  The third may lie in
 * memory: a factor in 132 and 231, the summand in 213. */

static VectorOp fused_op(StepKind kind, int order)
{
    static const uint8_t ops[3][3] = {{V_vfmadd132pd, V_vfmadd213pd, V_vfmadd231pd},
                                      {V_vfmsub132pd, V_vfmsub213pd, V_vfmsub231pd},
                                      {V_vfnmadd132pd, V_vfnmadd213pd, V_vfnmadd231pd}};

    return (VectorOp)ops[kind - S_FMA][order];
}

static bool replaceable(const Emitter *e, int operand)
{
    return in_a_register(e, here(e).in[operand]) && is_last(e, operand);
}

/* A register that holds operand k and may be written: its own, or a copy. */
static int writable(Emitter *e, int k)
{
    const Ref r = here(e).in[k];
    const bool own = is_last(e, k);
    const int reg = need(e, r);
    int copy;

    if (own)
        return reg;
    copy = take(e);
    vector(&e->a, V_vmovapd, e->bytes, copy, NO_REGISTER, in_register(reg));
    return copy;
}

/* A factor that nobody reads afterwards, or a constant, which is loaded anyway. */
static int replaced_factor(const Emitter *e)
{
    const Step st = here(e);

    if (replaceable(e, 0) || replaceable(e, 1))
        return replaceable(e, 0) ? 0 : 1;
    return st.in[1] < 0 ? 1 : 0;
}

static void fused(Emitter *e)
{
    const Step st = here(e);
    const int p = replaced_factor(e), q = 1 - p;
    int to, other;
    Operand third;

    if (replaceable(e, 2) && !replaceable(e, p)) {
        const int k = st.in[0] < 0 ? 1 : 0;

        other = need(e, st.in[k]);
        to = need(e, st.in[2]);
        third = need_any(e, st.in[1 - k]);
        vector(&e->a, fused_op(st.kind, 2), e->bytes, to, other, third);
    } else if (st.in[q] < 0 && st.in[2] >= 0) {
        other = need(e, st.in[2]);
        to = writable(e, p);
        third = need_any(e, st.in[q]);
        vector(&e->a, fused_op(st.kind, 0), e->bytes, to, other, third);
    } else {
        other = need(e, st.in[q]);
        to = writable(e, p);
        third = need_any(e, st.in[2]);
        vector(&e->a, fused_op(st.kind, 1), e->bytes, to, other, third);
    }
    step_reads_end(e);
    e->owner[to] = OWNER_STEP;
    give(e, to);
}

/* ---- select ---- */

static bool is_zero(const Emitter *e, Ref r)
{
    return r < 0 && e->s->constants.items[-1 - r] == 0;
}

static void select_by_mask(Emitter *e)
{
    const Step st = here(e);
    const int x = need(e, st.in[0]);
    const Operand y = need_any(e, st.in[1]);
    const bool zero = is_zero(e, st.in[3]);
    int no, to;
    Operand yes;

    vector_imm(&e->a, V_vcmppd, e->bytes, FREE_MASK, x, y, st.imm);
    no = zero ? x : need(e, st.in[3]);
    yes = need_any(e, st.in[2]);
    step_reads_end(e);
    to = take(e);
    vector_lanes(&e->a, V_vblendmpd, e->bytes, to, no, yes, (Lanes){FREE_MASK, zero});
    give(e, to);
}

static void select_by_bits(Emitter *e)
{
    const Step st = here(e);
    const int x = need(e, st.in[0]);
    const Operand y = need_any(e, st.in[1]);
    const int bits = take(e);
    const bool zero = is_zero(e, st.in[3]);
    int no, to;
    Operand yes;

    vector_imm(&e->a, V_vcmppd, e->bytes, bits, x, y, st.imm);
    no = zero ? bits : need(e, st.in[3]);
    yes = need_any(e, st.in[2]);
    step_reads_end(e);
    to = take(e);
    if (zero)
        vector(&e->a, V_vandpd, e->bytes, to, bits, yes);
    else
        vector_imm(&e->a, V_vblendvpd, e->bytes, to, no, yes, bits << 4);
    give(e, to);
}

/* ---- calls ---- */

/* The arguments of a loop: cells (one operand, or two), result, count. */
static void call_loop(Emitter *e, const Step *st, int32_t x, int32_t y, int32_t to)
{
    static const Gpr order[] = {RDI, RSI, RDX, RCX};
    const CellLoops *loops = cell_loops_at(e->s->evex ? CPU_AVX512 : CPU_AVX2, (OpCode)st->imm);
    const bool two = st->in[1] != NONE;
    const int32_t at[] = {x, two ? y : to, to};
    Assembler *a = &e->a;

    for (int k = 0; k < 2 + two; k++) {
        move(a, order[k], RSP);
        add_number(a, order[k], at[k]);
    }
    load_number(a, order[2 + two], (uint64_t)e->lanes);
    load_number(a, RAX, two ? (uint64_t)(uintptr_t)loops->vv : (uint64_t)(uintptr_t)loops->unary);
    call(a, RAX);
}

static void save_counters(Emitter *e, bool back)
{
    static const Gpr kept[] = {RDI, RCX, RDX};

    for (int k = 0; k < 3; k++)
        if (back)
            load(&e->a, kept[k], RSP, e->saved_slot + 8 * k);
        else
            store(&e->a, RSP, e->saved_slot + 8 * k, kept[k]);
}

static void loop_step(Emitter *e)
{
    const Step st = here(e);
    const int32_t x = e->buffer_slot, y = x + 64, result = x + 128;
    Assembler *a = &e->a;
    int to;

    for (int k = 0; k < 2; k++)
        if (st.in[k] != NONE)
            vector(a, V_vmovupd_store, e->bytes, need(e, st.in[k]), NO_REGISTER,
                   in_memory(RSP, k ? y : x));
    step_reads_end(e);
    values_to_memory(e);
    save_counters(e, false);
    call_loop(e, &st, x, y, result);
    save_counters(e, true);
    tail_masks(e);
    step_end(e);
    to = take(e);
    vector(a, V_vmovupd, e->bytes, to, NO_REGISTER, in_memory(RSP, result));
    give(e, to);
}

/* ---- all ---- */

void emit_step(Emitter *e)
{
    const Step st = here(e);

    switch ((StepKind)st.kind) {
    case S_LOAD:
        if (e->places[e->here].kept)
            give(e, need(e, (Ref)e->here));
        break;
    case S_SQRT:
    case S_FRACTION:
    case S_EXPONENT:
    case S_ROUND:
    case S_SHL:
    case S_SHR:
        unary(e);
        break;
    case S_FMA:
    case S_FMS:
    case S_FNMA:
        fused(e);
        break;
    case S_SELECT:
        if (e->s->evex)
            select_by_mask(e);
        else
            select_by_bits(e);
        break;
    case S_CALL:
        loop_step(e);
        break;
    case S_OUT:
        emit_output(e, st.imm, st.in[0]);
        break;
    default:
        binary(e);
    }
    step_end(e);
}
