/* Encodings of x86-64, after Intel's "Software Developer's Manual", volume 2.
 *
 * A vector instruction is a VEX prefix of three bytes or an EVEX prefix of four, an opcode, a
 * ModRM byte with a displacement, and perhaps a number.  Prefixes hold the upper bits of register
 * numbers inverted. */
#include "kernel/jit/assembler.h"

#include <string.h>

enum { FULL = 16, HALF, LONGEST = 16 };

typedef struct Encoding {
    uint8_t map, prefix, vex_w, evex_w, opcode, memory;
} Encoding;

static const Encoding encodings[V_COUNT] = {
#define VECTOR(name, ...) [V_##name] = {__VA_ARGS__},
#include "kernel/jit/vector.def"
#undef VECTOR
};

const char *const vector_names[V_COUNT] = {
#define VECTOR(name, ...) [V_##name] = #name,
#include "kernel/jit/vector.def"
#undef VECTOR
};

/* ---- bytes ---- */

void assembler_free(Assembler *a)
{
    mem_free(a->bytes);
    VEC_FREE(&a->pool);
    VEC_FREE(&a->uses);
}

static bool reserve(Assembler *a, int size)
{
    void *bytes = a->bytes;

    if (!a->failed && size > a->room && !vec_grow(&bytes, &a->room, size, 1))
        a->failed = true;
    a->bytes = bytes;
    return !a->failed;
}

/* Room for one instruction more. */
static void begin(Assembler *a)
{
    reserve(a, a->size + LONGEST);
    a->count++;
}

static void byte(Assembler *a, int value)
{
    if (!a->failed)
        a->bytes[a->size++] = (uint8_t)value;
}

static void number(Assembler *a, int32_t value)
{
    for (int k = 0; k < 32; k += 8)
        byte(a, value >> k);
}

/* ---- pool ---- */

int32_t pool_words(Assembler *a, const uint64_t *words, int n)
{
    const int start = a->pool.count;

    for (int k = 0; k + n <= start; k += n < 4 ? 1 : 4)
        if (a->pool.items[k] == words[0] &&
            memcmp(a->pool.items + k, words, (size_t)n * sizeof *words) == 0)
            return 8 * k;
    for (int k = 0; k < n; k++)
        if (!VEC_PUSH(&a->pool, words[k]))
            a->failed = true;
    return 8 * start;
}

/* The displacement of a place in the pool; `after` bytes of the instruction follow it. */
static void pool_displacement(Assembler *a, int32_t disp, int after)
{
    if (!VEC_PUSH(&a->uses, ((PoolUse){a->size, a->size + 4 + after})))
        a->failed = true;
    number(a, disp);
}

int assembler_finish(Assembler *a)
{
    const int code = a->size, start = (code + 63) & ~63;
    const int words = a->pool.count * (int)sizeof *a->pool.items;

    if (!reserve(a, start + words))
        return 0;
    for (int k = 0; k < a->uses.count; k++) {
        const PoolUse *use = &a->uses.items[k];
        int32_t disp;

        memcpy(&disp, a->bytes + use->at, sizeof disp);
        patch(a, use->at, disp + start - use->end);
    }
    memset(a->bytes + code, 0xCC, (size_t)(start - code)); /* breakpoints: nobody comes here */
    if (words)
        memcpy(a->bytes + start, a->pool.items, (size_t)words);
    a->size = start + words;
    return code;
}

void patch(Assembler *a, int at, int32_t value)
{
    if (!a->failed)
        memcpy(a->bytes + at, &value, sizeof value);
}

/* ---- operands ---- */

/* ModRM, SIB and displacement.  A displacement that is a multiple of `unit` and short when counted
 * in units takes one byte. */
static void operand(Assembler *a, int reg, Operand rm, int unit, int after)
{
    const int field = (reg & 7) << 3;
    bool whole, small;

    if (rm.at == AT_REGISTER) {
        byte(a, 0xC0 | field | (rm.reg & 7));
        return;
    }
    if (rm.at == AT_POOL) {
        byte(a, 0x05 | field);
        pool_displacement(a, rm.disp, after);
        return;
    }
    whole = rm.disp % unit == 0;
    small = whole && rm.disp / unit >= -128 && rm.disp / unit <= 127;
    if (rm.scale || (rm.base & 7) == RSP) {
        byte(a, (small ? 0x44 : 0x84) | field);
        byte(a, __builtin_ctz(rm.scale ? rm.scale : 1u) << 6 | (rm.scale ? RCX : 4) << 3 |
                    ((int)rm.base & 7));
    } else {
        byte(a, (small ? 0x40 : 0x80) | field | ((int)rm.base & 7));
    }
    if (small)
        byte(a, rm.disp / unit);
    else
        number(a, rm.disp);
}

/* ---- vectors ---- */

static int length_bits(int bytes)
{
    return bytes == 64 ? 2 : bytes == 32 ? 1 : 0;
}

/* Bits 3 and 4 of the register or base in rm. */
static int rm_bit(Operand rm, int bit)
{
    if (rm.at == AT_REGISTER)
        return rm.reg >> bit & 1;
    return rm.at == AT_MEMORY && bit == 3 ? (int)rm.base >> 3 & 1 : 0;
}

static void vex(Assembler *a, const Encoding *e, int bytes, int dst, int src, Operand rm)
{
    byte(a, 0xC4);
    byte(a, (~dst >> 3 & 1) << 7 | 0x40 | (1 - rm_bit(rm, 3)) << 5 | e->map);
    byte(a, e->vex_w << 7 | (~src & 15) << 3 | length_bits(bytes) << 2 | e->prefix);
}

static void evex(Assembler *a, const Encoding *e, int bytes, int dst, int src, Operand rm,
                 Lanes lanes)
{
    byte(a, 0x62);
    byte(a, (~dst >> 3 & 1) << 7 | (1 - rm_bit(rm, 4)) << 6 | (1 - rm_bit(rm, 3)) << 5 |
                (~dst >> 4 & 1) << 4 | e->map);
    byte(a, e->evex_w << 7 | (~src & 15) << 3 | 4 | e->prefix);
    byte(a, (lanes.zero ? 0x80 : 0) | length_bits(bytes) << 5 | (rm.broadcast ? 0x10 : 0) |
                (~src >> 4 & 1) << 3 | lanes.mask);
}

/* What EVEX counts displacements in. */
static int memory_unit(const Encoding *e, int bytes, Operand rm)
{
    if (rm.broadcast)
        return 8;
    return e->memory == FULL ? bytes : e->memory == HALF ? bytes / 2 : 1 << e->memory;
}

static void encode(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm, Lanes lanes,
                   int after)
{
    const Encoding *e = &encodings[op];

    begin(a);
    if (a->evex && e->evex_w < 2)
        evex(a, e, bytes, dst, src, rm, lanes);
    else
        vex(a, e, bytes, dst, src, rm);
    byte(a, e->opcode);
    operand(a, dst, rm, a->evex && e->evex_w < 2 ? memory_unit(e, bytes, rm) : 1, after);
}

void vector_lanes(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm, Lanes lanes)
{
    encode(a, op, bytes, dst, src, rm, lanes, 0);
}

void vector_lanes_imm(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm,
                      Lanes lanes, int imm)
{
    encode(a, op, bytes, dst, src, rm, lanes, 1);
    byte(a, imm);
}

void vector(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm)
{
    encode(a, op, bytes, dst, src, rm, (Lanes){0}, 0);
}

void vector_imm(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm, int imm)
{
    vector_lanes_imm(a, op, bytes, dst, src, rm, (Lanes){0}, imm);
}

/* The destination stands where others have their first source. */
void vector_shift(Assembler *a, VectorOp op, int bytes, int dst, int src, int count)
{
    vector_imm(a, op, bytes, op == V_vpsllq ? 6 : 2, dst, in_register(src), count);
}

void vector_zeroupper(Assembler *a)
{
    begin(a);
    byte(a, 0xC5);
    byte(a, 0xF8);
    byte(a, 0x77);
}

/* ---- masks: kmovb, which has the VEX prefix of two bytes ---- */

static void mask_move(Assembler *a, int opcode, int reg, int rm)
{
    begin(a);
    byte(a, 0xC5);
    byte(a, 0xF9);
    byte(a, opcode);
    byte(a, 0xC0 | reg << 3 | rm);
}

/* src and dst are of the first eight registers. */
void mask_from(Assembler *a, int mask, Gpr src)
{
    mask_move(a, 0x92, mask, (int)src);
}

void mask_to(Assembler *a, Gpr dst, int mask)
{
    mask_move(a, 0x93, (int)dst, mask);
}

void mask_load(Assembler *a, int mask, Gpr base, int32_t disp)
{
    begin(a);
    byte(a, 0xC5);
    byte(a, 0xF9);
    byte(a, 0x90);
    operand(a, mask, in_memory(base, disp), 1, 0);
}

/* ---- integers ---- */

static int rex(int reg, int rm)
{
    return 0x48 | (reg >> 3 & 1) << 2 | (rm >> 3 & 1);
}

static void registers(Assembler *a, int opcode, int reg, int rm)
{
    begin(a);
    byte(a, rex(reg, rm));
    byte(a, opcode);
    byte(a, 0xC0 | (reg & 7) << 3 | (rm & 7));
}

static void memory(Assembler *a, int opcode, int reg, Gpr base, int32_t disp)
{
    begin(a);
    byte(a, rex(reg, (int)base));
    byte(a, opcode);
    operand(a, reg, in_memory(base, disp), 1, 0);
}

static void pool(Assembler *a, int opcode, Gpr reg, int32_t disp)
{
    begin(a);
    byte(a, rex((int)reg, 0));
    byte(a, opcode);
    operand(a, (int)reg, in_pool(disp, false), 1, 0);
}

/* An instruction with a number of four bytes; `which` stands in the place of a register. */
static void with_number(Assembler *a, int which, Gpr dst, int32_t value)
{
    registers(a, 0x81, which, (int)dst);
    number(a, value);
}

void move(Assembler *a, Gpr dst, Gpr src)
{
    registers(a, 0x89, (int)src, (int)dst);
}

void load(Assembler *a, Gpr dst, Gpr base, int32_t disp)
{
    memory(a, 0x8B, (int)dst, base, disp);
}

void store(Assembler *a, Gpr base, int32_t disp, Gpr src)
{
    memory(a, 0x89, (int)src, base, disp);
}

void load_number(Assembler *a, Gpr dst, uint64_t value)
{
    begin(a);
    byte(a, rex(0, (int)dst));
    byte(a, 0xB8 | ((int)dst & 7));
    number(a, (int32_t)value);
    number(a, (int32_t)(value >> 32));
}

void load_pool_address(Assembler *a, Gpr dst, int32_t disp)
{
    pool(a, 0x8D, dst, disp);
}

void add(Assembler *a, Gpr dst, Gpr src)
{
    registers(a, 0x01, (int)src, (int)dst);
}

void add_loaded(Assembler *a, Gpr dst, Gpr base, int32_t disp)
{
    memory(a, 0x03, (int)dst, base, disp);
}

void add_stored(Assembler *a, Gpr base, int32_t disp, Gpr src)
{
    memory(a, 0x01, (int)src, base, disp);
}

void sub(Assembler *a, Gpr dst, Gpr src)
{
    registers(a, 0x29, (int)src, (int)dst);
}

void add_number(Assembler *a, Gpr dst, int32_t value)
{
    with_number(a, 0, dst, value);
}

void and_number(Assembler *a, Gpr dst, int32_t value)
{
    with_number(a, 4, dst, value);
}

int sub_later(Assembler *a, Gpr dst)
{
    with_number(a, 5, dst, 0);
    return a->size - 4;
}

void shift_left(Assembler *a, Gpr dst, int count)
{
    registers(a, 0xC1, 4, (int)dst);
    byte(a, count);
}

void clear(Assembler *a, Gpr dst)
{
    registers(a, 0x31, (int)dst, (int)dst);
}

void set_bit(Assembler *a, Gpr dst, Gpr bit)
{
    begin(a);
    byte(a, rex((int)bit, (int)dst));
    byte(a, 0x0F);
    byte(a, 0xAB);
    byte(a, 0xC0 | ((int)bit & 7) << 3 | ((int)dst & 7));
}

void count_bits(Assembler *a, Gpr dst, Gpr src)
{
    begin(a);
    byte(a, 0xF3);
    byte(a, rex((int)dst, (int)src));
    byte(a, 0x0F);
    byte(a, 0xB8);
    byte(a, 0xC0 | ((int)dst & 7) << 3 | ((int)src & 7));
}

void compare(Assembler *a, Gpr x, Gpr y)
{
    registers(a, 0x39, (int)y, (int)x);
}

void test(Assembler *a, Gpr x, Gpr y)
{
    registers(a, 0x85, (int)y, (int)x);
}

void test_number(Assembler *a, Gpr x, int32_t value)
{
    registers(a, 0xF7, 0, (int)x);
    number(a, value);
}

/* prefetcht0, with a displacement of a byte: bases like rbp and r13 have no form without. */
void prefetch(Assembler *a, Gpr base, Gpr index, int scale)
{
    begin(a);
    byte(a, 0x40 | (int)index >> 3 << 1 | (int)base >> 3);
    byte(a, 0x0F);
    byte(a, 0x18);
    byte(a, 0x4C);
    byte(a, __builtin_ctz((unsigned)scale) << 6 | ((int)index & 7) << 3 | ((int)base & 7));
    byte(a, 0);
}

void decrement_stored(Assembler *a, Gpr base, int32_t disp)
{
    memory(a, 0xFF, 1, base, disp);
}

static void short_form(Assembler *a, int opcode, Gpr reg)
{
    begin(a);
    byte(a, 0x40 | (int)reg >> 3);
    byte(a, opcode | ((int)reg & 7));
}

void push(Assembler *a, Gpr src)
{
    short_form(a, 0x50, src);
}

void pop(Assembler *a, Gpr dst)
{
    short_form(a, 0x58, dst);
}

void call(Assembler *a, Gpr target)
{
    registers(a, 0xFF, 2, (int)target);
}

void ret(Assembler *a)
{
    begin(a);
    byte(a, 0xC3);
}

/* ---- jumps ---- */

int jump(Assembler *a, Condition when)
{
    begin(a);
    byte(a, 0x0F);
    byte(a, 0x80 | (int)when);
    number(a, 0);
    return a->size - 4;
}

void land(Assembler *a, int mark)
{
    patch(a, mark, a->size - (mark + 4));
}

void jump_back(Assembler *a, Condition when, int target)
{
    const int mark = jump(a, when);

    patch(a, mark, target - (mark + 4));
}

void align_loop(Assembler *a)
{
    static const struct {
        int size;
        uint8_t bytes[8];
    } nothing[] = {
        {8, {0x0F, 0x1F, 0x84}}, {4, {0x0F, 0x1F, 0x40}}, {2, {0x66, 0x90}}, {1, {0x90}}};

    for (int k = 0; k < 4; k++)
        while (32 - a->size % 32 >= nothing[k].size && a->size % 32 != 0 && !a->failed) {
            begin(a);
            for (int b = 0; b < nothing[k].size; b++)
                byte(a, nothing[k].bytes[b]);
        }
}
