/* What outputs do with a vector: store and count it, or fold it into accumulators.
 *
 * Accumulators are kept in registers over the loops as long as there are some, else in the frame.
 * Sums are pairs as in kernel/sum2.h, minima and maxima pick as kernel/fold_pick.tmpl.h does. */
#include "kernel/jit/emitter.h"

#include "op/cell.h"

static bool is_sum(CodeOutputKind kind)
{
    return kind == CODE_SUM || kind == CODE_ROW_SUM || kind == CODE_COL_SUM;
}

static bool is_max(CodeOutputKind kind)
{
    return kind == CODE_MAX || kind == CODE_ROW_MAX || kind == CODE_COL_MAX;
}

static bool over_run(CodeOutputKind kind)
{
    return kind == CODE_SUM || kind == CODE_MIN || kind == CODE_MAX;
}

static bool over_row(CodeOutputKind kind)
{
    return kind == CODE_ROW_SUM || kind == CODE_ROW_MIN || kind == CODE_ROW_MAX;
}

static CodeOutputKind kind_of(const Emitter *e, int k)
{
    return e->code->outputs[k].kind;
}

/* ---- accumulators ---- */

static void plan_accumulator(Emitter *e, Accumulator *acc)
{
    for (int h = 0; h < e->halves; h++) {
        acc->reg[h] = (int8_t)home_vector(e);
        acc->slot[h] = acc->reg[h] < 0 ? new_slot(e, e->bytes) : 0;
    }
}

void plan_outputs(Emitter *e)
{
    for (int k = 0; k < e->code->noutputs; k++)
        if (over_run(kind_of(e, k)) || over_row(kind_of(e, k))) {
            plan_accumulator(e, &e->sums[k]);
            if (is_sum(kind_of(e, k)))
                plan_accumulator(e, &e->carries[k]);
        }
}

static int open_half(Emitter *e, const Accumulator *acc, int half)
{
    int reg = acc->reg[half];

    if (reg < 0) {
        reg = take(e);
        vector(&e->a, V_vmovupd, e->bytes, reg, NO_REGISTER, in_memory(RSP, acc->slot[half]));
    }
    return reg;
}

static void close_half(Emitter *e, const Accumulator *acc, int half, int reg)
{
    if (acc->reg[half] < 0)
        vector(&e->a, V_vmovupd_store, e->bytes, reg, NO_REGISTER, in_memory(RSP, acc->slot[half]));
}

/* Nobody reads this half any more. */
static void leave_half(Emitter *e, const Accumulator *acc, int half, int reg)
{
    if (acc->reg[half] < 0)
        release(e, reg);
}

static void set_accumulator(Emitter *e, const Accumulator *acc, double start)
{
    for (int h = 0; h < e->halves; h++) {
        const int reg = acc->reg[h] < 0 ? take(e) : acc->reg[h];

        load_constant(e, reg, cell_bits(start));
        close_half(e, acc, h, reg);
        step_end(e);
    }
}

/* ---- folding ---- */

/* Cells beyond the end are taken as zeros, which change no sum. */
static int only_cells(Emitter *e, int x)
{
    int kept;

    if (!e->tail)
        return x;
    kept = take(e);
    if (e->s->evex)
        vector_lanes(&e->a, V_vmovapd, e->bytes, kept, NO_REGISTER, in_register(x),
                     (Lanes){TAIL_MASK, true});
    else
        vector(&e->a, V_vandpd, e->bytes, kept, x, in_register(HALF_MASK));
    return kept;
}

/* s + c plus x, as sum2_add. */
static void add_to_pair(Emitter *e, int bytes, int s, int c, int x)
{
    Assembler *a = &e->a;
    const int t = take(e), z = take(e), w = take(e);

    vector(a, V_vaddpd, bytes, t, s, in_register(x));
    vector(a, V_vsubpd, bytes, z, t, in_register(s));
    vector(a, V_vsubpd, bytes, w, x, in_register(z));
    vector(a, V_vsubpd, bytes, z, t, in_register(z));
    vector(a, V_vsubpd, bytes, z, s, in_register(z));
    vector(a, V_vaddpd, bytes, z, z, in_register(w));
    vector(a, V_vaddpd, bytes, c, c, in_register(z));
    vector(a, V_vmovapd, bytes, s, NO_REGISTER, in_register(t));
    release(e, t);
    release(e, z);
    release(e, w);
}

/* acc where x is not beyond it; NaN from either. */
static void pick(Emitter *e, int bytes, bool max, int acc, int x, bool tail)
{
    const VectorOp op = max ? V_vmaxpd : V_vminpd;
    const Lanes lanes = {tail ? TAIL_MASK : 0, false};
    Assembler *a = &e->a;

    if (e->s->evex) {
        vector_lanes(a, op, bytes, acc, x, in_register(acc), lanes);
        vector_lanes_imm(a, V_vcmppd, bytes, FREE_MASK, x, in_register(x), lanes, IS_NAN);
        vector_lanes(a, V_vmovapd, bytes, acc, NO_REGISTER, in_register(x),
                     (Lanes){FREE_MASK, false});
    } else {
        const int next = take(e), nan = take(e);

        vector(a, op, bytes, next, x, in_register(acc));
        vector_imm(a, V_vcmppd, bytes, nan, x, in_register(x), IS_NAN);
        vector_imm(a, V_vblendvpd, bytes, next, next, in_register(x), nan << 4);
        if (tail)
            vector_imm(a, V_vblendvpd, bytes, acc, acc, in_register(next), HALF_MASK << 4);
        else
            vector(a, V_vmovapd, bytes, acc, NO_REGISTER, in_register(next));
        release(e, next);
        release(e, nan);
    }
}

static void fold_lanes(Emitter *e, int k, int x)
{
    const int s = open_half(e, &e->sums[k], e->half);

    if (is_sum(kind_of(e, k))) {
        const int c = open_half(e, &e->carries[k], e->half);

        add_to_pair(e, e->bytes, s, c, only_cells(e, x));
        close_half(e, &e->carries[k], e->half, c);
    } else {
        pick(e, e->bytes, is_max(kind_of(e, k)), s, x, e->tail);
    }
    close_half(e, &e->sums[k], e->half, s);
}

/* ---- cells ---- */

static void store_doubles(Emitter *e, int x, Home pointer)
{
    const Operand to = at_column(e, pointer, false);

    if (e->streams)
        vector(&e->a, V_vmovntpd_store, e->bytes, x, NO_REGISTER, to);
    else if (e->tail && !e->s->evex)
        vector(&e->a, V_vmaskmovpd_store, e->bytes, x, HALF_MASK, to);
    else
        vector_lanes(&e->a, V_vmovupd_store, e->bytes, x, NO_REGISTER, to,
                     (Lanes){e->tail ? TAIL_MASK : 0, false});
}

static void fold_columns(Emitter *e, int k, int x)
{
    const int s = take(e);

    load_cells(e, s, e->out[k].at, false);
    if (is_sum(kind_of(e, k))) {
        const int c = take(e);

        load_cells(e, c, e->rests[k], false);
        add_to_pair(e, e->bytes, s, c, x);
        store_doubles(e, c, e->rests[k]);
    } else {
        pick(e, e->bytes, is_max(kind_of(e, k)), s, x, false);
    }
    store_doubles(e, s, e->out[k].at);
}

/* How many lanes of a compare hold; `mask` is that of the tail in AVX2. */
static void count_nonzeros(Emitter *e, int k, int x, bool single, int mask)
{
    const int bytes = single ? e->bytes / 2 : e->bytes;
    const Operand zero = constant_operand(e, 0);
    const VectorOp op = single ? V_vcmpps : V_vcmppd;
    Assembler *a = &e->a;

    if (e->s->evex) {
        vector_lanes_imm(a, op, bytes, FREE_MASK, x, zero, (Lanes){e->tail ? TAIL_MASK : 0, false},
                         IS_NE_N);
        mask_to(a, RAX, FREE_MASK);
    } else {
        const int nonzero = take(e);

        vector_imm(a, op, bytes, nonzero, x, zero, IS_NE_N);
        if (e->tail)
            vector(a, V_vandpd, bytes, nonzero, nonzero, in_register(mask));
        vector(a, single ? V_vmovmskps : V_vmovmskpd, bytes, RAX, NO_REGISTER,
               in_register(nonzero));
    }
    count_bits(a, RAX, RAX);
    if (e->nonzeros[k].in_register)
        add(a, e->nonzeros[k].reg, RAX);
    else
        add_stored(a, RDI, e->nonzeros[k].slot, RAX);
}

static void store_floats(Emitter *e, int k, int x)
{
    const int bytes = e->bytes / 2, f = take(e);
    int mask = 0;
    Operand to;

    vector(&e->a, V_vcvtpd2ps, e->bytes, f, NO_REGISTER, in_register(x));
    if (e->tail && !e->s->evex) {
        mask = take(e);
        float_mask(e, mask);
    }
    to = at_column(e, e->out[k].at, true);
    if (mask)
        vector(&e->a, V_vmaskmovps_store, bytes, f, mask, to);
    else
        vector_lanes(&e->a, V_vmovups_store, bytes, f, NO_REGISTER, to,
                     (Lanes){e->tail ? TAIL_MASK : 0, false});
    count_nonzeros(e, k, f, true, mask);
}

static void store_output(Emitter *e, int k, int x)
{
    if (e->code->outputs[k].single) {
        store_floats(e, k, x);
        return;
    }
    store_doubles(e, x, e->out[k].at);
    count_nonzeros(e, k, x, false, HALF_MASK);
}

void emit_output(Emitter *e, int k, Ref value)
{
    const CodeOutputKind kind = kind_of(e, k);
    int x;

    if (kind == CODE_CELLS)
        inputs_to_registers(e);
    x = need(e, value);
    if (kind == CODE_CELLS)
        store_output(e, k, x);
    else if (over_run(kind) || over_row(kind))
        fold_lanes(e, k, x);
    else
        fold_columns(e, k, x);
    step_reads_end(e);
}

/* ---- rows: joining lanes, 8, 4, 2, 1 ---- */

typedef struct Lane {
    int s, c;
} Lane;

static void join(Emitter *e, int k, int bytes, Lane into, Lane from)
{
    if (is_sum(kind_of(e, k))) {
        add_to_pair(e, bytes, into.s, into.c, from.s);
        vector(&e->a, V_vaddpd, bytes, into.c, into.c, in_register(from.c));
    } else {
        pick(e, bytes, is_max(kind_of(e, k)), into.s, from.s, false);
    }
}

/* The upper half of a vector of `bytes`. */
static int upper_half(Emitter *e, int bytes, int x)
{
    const int to = take(e);

    if (bytes == 16)
        vector(&e->a, V_vunpckhpd, 16, to, x, in_register(x));
    else
        vector_imm(&e->a,
                   bytes == 64  ? V_vextractf64x4
                   : e->s->evex ? V_vextractf64x2
                                : V_vextractf128,
                   bytes, x, NO_REGISTER, in_register(to), 1);
    return to;
}

static Lane join_lanes(Emitter *e, int k)
{
    const bool pair = is_sum(kind_of(e, k));
    Lane lane = {open_half(e, &e->sums[k], 0), pair ? open_half(e, &e->carries[k], 0) : 0};

    if (e->halves == 2) {
        const Lane other = {open_half(e, &e->sums[k], 1),
                            pair ? open_half(e, &e->carries[k], 1) : 0};

        join(e, k, e->bytes, lane, other);
        leave_half(e, &e->sums[k], 1, other.s);
        if (pair)
            leave_half(e, &e->carries[k], 1, other.c);
    }
    for (int bytes = e->bytes; bytes > 8; bytes /= 2) {
        const Lane up = {upper_half(e, bytes, lane.s), pair ? upper_half(e, bytes, lane.c) : 0};

        join(e, k, bytes == 16 ? 16 : bytes / 2, lane, up);
        release(e, up.s);
        if (pair)
            release(e, up.c);
    }
    return lane;
}

/* s + c, or s where it is not finite: then c is NaN. */
static int pair_value(Emitter *e, Lane lane)
{
    const int sum = take(e);
    Assembler *a = &e->a;

    vector(a, V_vaddpd, 16, sum, lane.s, in_register(lane.c));
    if (e->s->evex) {
        vector_imm(a, V_vcmppd, 16, FREE_MASK, lane.c, in_register(lane.c), IS_NAN);
        vector_lanes(a, V_vmovapd, 16, sum, NO_REGISTER, in_register(lane.s),
                     (Lanes){FREE_MASK, false});
    } else {
        vector_imm(a, V_vcmppd, 16, lane.c, lane.c, in_register(lane.c), IS_NAN);
        vector_imm(a, V_vblendvpd, 16, sum, sum, in_register(lane.s), lane.c << 4);
    }
    return sum;
}

void start_row(Emitter *e)
{
    for (int k = 0; k < e->code->noutputs; k++) {
        const CodeOutputKind kind = kind_of(e, k);

        if (kind == CODE_ROW_SUM) {
            set_accumulator(e, &e->sums[k], 0);
            set_accumulator(e, &e->carries[k], 0);
        } else if (over_row(kind)) {
            set_accumulator(e, &e->sums[k], is_max(kind) ? -HUGE_VAL : HUGE_VAL);
        }
    }
}

void end_row(Emitter *e)
{
    for (int k = 0; k < e->code->noutputs; k++) {
        Lane lane;
        int value;

        if (!over_row(kind_of(e, k)))
            continue;
        lane = join_lanes(e, k);
        value = is_sum(kind_of(e, k)) ? pair_value(e, lane) : lane.s;
        vector(&e->a, V_vmovsd_store, 16, value, NO_REGISTER,
               in_memory(home_register(e, e->out[k].at), 0));
        step_end(e);
    }
}

/* ---- the run: accumulators from memory and back ---- */

static void move_accumulator(Emitter *e, int k, const Accumulator *acc, int offset, bool back)
{
    for (int h = 0; h < e->halves; h++) {
        const Operand cells = in_memory(RAX, offset + h * e->bytes);
        int reg;

        load(&e->a, RAX, RDI, target_offset(k, offsetof(CodeTarget, cells)));
        if (back) {
            reg = open_half(e, acc, h);
            vector(&e->a, V_vmovupd_store, e->bytes, reg, NO_REGISTER, cells);
        } else {
            reg = acc->reg[h] < 0 ? take(e) : acc->reg[h];
            vector(&e->a, V_vmovupd, e->bytes, reg, NO_REGISTER, cells);
            close_half(e, acc, h, reg);
        }
        step_end(e);
    }
}

static void move_accumulators(Emitter *e, bool back)
{
    for (int k = 0; k < e->code->noutputs; k++)
        if (over_run(kind_of(e, k))) {
            move_accumulator(e, k, &e->sums[k], 0, back);
            if (is_sum(kind_of(e, k)))
                move_accumulator(e, k, &e->carries[k], 64, back);
        }
}

void start_run(Emitter *e)
{
    move_accumulators(e, false);
}

void end_run(Emitter *e)
{
    move_accumulators(e, true);
    for (int k = 0; k < e->code->noutputs; k++)
        if (kind_of(e, k) == CODE_CELLS && e->nonzeros[k].in_register)
            add_stored(&e->a, RDI, target_offset(k, offsetof(CodeTarget, nnz)), e->nonzeros[k].reg);
}
