/* Which values are in vector registers, decided while the code is made: steps are straight-line
 * code, so when registers run out, the value goes whose next use is farthest (Belady, "A study of
 * replacement algorithms", 1966).
 *
 * A value that goes is stored, unless memory has it already: loads are read again from their
 * inputs, values of lower levels from their slots. */
#include "kernel/jit/emitter.h"

#include <assert.h>

int32_t new_slot(Emitter *e, int bytes)
{
    const int32_t at = (e->frame + bytes - 1) / bytes * bytes;

    e->frame = at + bytes;
    return at;
}

static const Step *step_at(const Emitter *e, int k)
{
    return &e->s->list.items[k];
}

/* The next uses within a level, from its end backwards. */
static void find_uses(Emitter *e, Level level)
{
    for (int k = 0; k < e->s->list.count; k++)
        e->places[k].next = NO_USE;
    for (int k = e->s->list.count - 1; k >= 0; k--) {
        const Step *st = step_at(e, k);

        for (int i = STEP_IN - 1; i >= 0 && st->level == level; i--)
            if (st->in[i] >= 0) {
                e->next[k][i] = e->places[st->in[i]].next;
                e->places[st->in[i]].next = (int16_t)k;
            }
    }
}

void values_begin(Emitter *e, Level level)
{
    e->level = level;
    e->locked = 0;
    find_uses(e, level);
    for (int r = 0; r < VECTOR_REGISTERS; r++)
        if (e->owner[r] != OWNER_HOME)
            e->owner[r] = OWNER_NONE;
    for (int k = 0; k < e->s->list.count; k++) {
        Place *p = &e->places[k];
        const Step *st = step_at(e, k);

        p->reg = st->level < level ? p->home : -1;
        p->memory = st->level < level || st->kind == S_LOAD;
        p->cannot_reload = false;
    }
}

/* ---- taking registers ---- */

static void store_value(Emitter *e, int value, int reg)
{
    Place *p = &e->places[value];

    if (p->slot < 0)
        p->slot = new_slot(e, e->bytes);
    vector(&e->a, V_vmovupd_store, e->bytes, reg, NO_REGISTER, in_memory(RSP, p->slot));
    p->memory = true;
}

/* A load that cannot be repeated has no memory but the slot. */
static void drop(Emitter *e, int reg)
{
    Place *p = &e->places[e->owner[reg]];

    if (!p->memory && p->next != NO_USE)
        store_value(e, e->owner[reg], reg);
    p->reg = -1;
    e->owner[reg] = OWNER_NONE;
}

int take(Emitter *e)
{
    int best = -1;

    for (int r = 0; r < e->registers; r++) {
        const int16_t owner = e->owner[r];

        if (owner == OWNER_NONE) {
            best = r;
            break;
        }
        if (owner >= 0 && !(e->locked >> r & 1) &&
            (best < 0 || e->places[owner].next > e->places[e->owner[best]].next))
            best = r;
    }
    assert(best >= 0); /* steps take fewer than home_vector leaves */
    if (e->owner[best] >= 0)
        drop(e, best);
    e->owner[best] = OWNER_STEP;
    e->locked |= 1u << best;
    e->taken |= 1u << best;
    return best;
}

void release(Emitter *e, int reg)
{
    e->owner[reg] = OWNER_NONE;
    e->locked &= ~(1u << reg);
}

/* ---- operands ---- */

/* In AVX2 constants lie in the pool once for each lane, as there is no broadcast within
 * instructions. */
Operand constant_operand(Emitter *e, uint64_t bits)
{
    const uint64_t words[4] = {bits, bits, bits, bits};

    return in_pool(pool_words(&e->a, words, e->s->evex ? 1 : 4), e->s->evex);
}

void load_constant(Emitter *e, int reg, uint64_t bits)
{
    Operand from = constant_operand(e, bits);

    from.broadcast = false;
    vector(&e->a, e->s->evex ? V_vbroadcastsd : V_vmovupd, e->bytes, reg, NO_REGISTER, from);
}

static uint64_t constant(const Emitter *e, Ref r)
{
    return e->s->constants.items[-1 - r];
}

/* One cell for all lanes. */
static void load_one(Emitter *e, int reg, Operand from, bool single)
{
    if (single) {
        vector(&e->a, V_vbroadcastss, e->bytes / 2, reg, NO_REGISTER, from);
        vector(&e->a, V_vcvtps2pd, e->bytes, reg, NO_REGISTER, in_register(reg));
    } else {
        vector(&e->a, V_vbroadcastsd, e->bytes, reg, NO_REGISTER, from);
    }
}

static int load_input(Emitter *e, const Step *st)
{
    const CodeInput *in = &e->code->inputs[st->imm];
    const int reg = take(e);

    if (st->level == LEVEL_CELL)
        load_cells(e, reg, e->in[st->imm].at, in->single);
    else
        load_one(e, reg, in_memory(home_register(e, e->in[st->imm].at), 0), in->single);
    return reg;
}

int need(Emitter *e, Ref r)
{
    Place *p;

    if (r < 0) {
        int reg = e->constant_homes[-1 - r];

        if (reg < 0) {
            reg = take(e);
            load_constant(e, reg, constant(e, r));
        }
        return reg;
    }
    p = &e->places[r];
    if (p->reg < 0) {
        const Step *st = step_at(e, r);
        int reg;

        if (st->kind == S_LOAD && st->level == e->level && !p->cannot_reload) {
            reg = load_input(e, st);
        } else {
            reg = take(e);
            vector(&e->a, V_vmovupd, e->bytes, reg, NO_REGISTER, in_memory(RSP, p->slot));
        }
        e->owner[reg] = r;
        p->reg = (int8_t)reg;
    }
    e->locked |= 1u << p->reg;
    return p->reg;
}

/* Inputs are read in place when this is the only time, whole vectors of doubles and the pointer is
 * at hand. */
static bool readable(const Emitter *e, Ref r)
{
    const Step *st = step_at(e, r);
    const Place *p = &e->places[r];

    if (!p->memory)
        return false;
    if (st->kind != S_LOAD || st->level < e->level || p->cannot_reload)
        return true;
    return st->level == LEVEL_CELL && !e->tail && !e->code->inputs[st->imm].single &&
           e->in[st->imm].at.in_register;
}

Operand need_any(Emitter *e, Ref r)
{
    int32_t slot;
    const Step *st;

    if (r < 0)
        return e->constant_homes[-1 - r] >= 0 ? in_register(e->constant_homes[-1 - r])
                                              : constant_operand(e, constant(e, r));
    st = step_at(e, r);
    slot = e->places[r].slot;
    if (e->places[r].reg >= 0 || !readable(e, r))
        return in_register(need(e, r));
    if (st->kind == S_LOAD && st->level == e->level && !e->places[r].cannot_reload) {
        for (int i = 0; i < STEP_IN; i++)
            if (step_at(e, e->here)->in[i] == r && e->next[e->here][i] != NO_USE &&
                e->next[e->here][i] != e->here)
                return in_register(need(e, r));
        return at_column(e, e->in[st->imm].at, false);
    }
    return in_memory(RSP, slot);
}

/* ---- a step's end ---- */

bool is_last(const Emitter *e, int operand)
{
    const Step *st = step_at(e, e->here);
    const Ref r = st->in[operand];
    int16_t next;

    if (r < 0)
        return e->constant_homes[-1 - r] < 0;
    next = e->next[e->here][operand];
    for (int i = operand + 1; i < STEP_IN && next == e->here; i++)
        next = st->in[i] == r ? e->next[e->here][i] : next;
    return next == NO_USE && !(st->level > step_at(e, r)->level && e->places[r].home >= 0);
}

void step_reads_end(Emitter *e)
{
    const Step *st = step_at(e, e->here);

    for (int i = 0; i < STEP_IN; i++) {
        Place *p;

        if (st->in[i] < 0)
            continue;
        p = &e->places[st->in[i]];
        p->next = e->next[e->here][i];
        if (p->next == NO_USE && p->reg >= 0 && e->owner[p->reg] == st->in[i]) {
            e->owner[p->reg] = OWNER_NONE;
            p->reg = -1;
        }
    }
}

/* Values that higher levels read go to their homes. */
void step_gives(Emitter *e, int reg)
{
    Place *p = &e->places[e->here];

    if (p->kept) {
        store_value(e, e->here, reg);
        if (p->home >= 0)
            vector(&e->a, V_vmovapd, e->bytes, p->home, NO_REGISTER, in_register(reg));
    }
    e->owner[reg] = p->next == NO_USE ? OWNER_NONE : (int16_t)e->here;
    p->reg = (int8_t)(p->next == NO_USE ? -1 : reg);
}

void step_end(Emitter *e)
{
    for (; e->taken; e->taken &= e->taken - 1) {
        const int r = __builtin_ctz(e->taken);

        if (e->owner[r] == OWNER_STEP)
            e->owner[r] = OWNER_NONE;
    }
    e->locked = 0;
}

void values_to_memory(Emitter *e)
{
    for (int r = 0; r < e->registers; r++)
        if (e->owner[r] >= 0)
            drop(e, r);
}

/* Loads that are read again stay in registers; should these run out, in slots. */
void inputs_to_registers(Emitter *e)
{
    for (int k = 0; k < e->s->list.count; k++) {
        Place *p = &e->places[k];
        const Step *st = step_at(e, k);

        if (st->kind != S_LOAD || st->level != LEVEL_CELL || p->next == NO_USE || p->cannot_reload)
            continue;
        need(e, (Ref)k);
        p->memory = false;
        p->cannot_reload = true;
        e->locked &= ~(1u << p->reg);
    }
}
