/* assembler: x86-64 instructions as bytes.  Private to jit/.
 *
 * Knows encodings and nothing of what they are used for.  Vector instructions are rows of
 * vector.def; with `evex` they take registers 0 to 31, masks and broadcast operands, without it
 * 0 to 15.  The few integer instructions have a function each.  Numbers that the code reads lie in
 * a pool behind it, addressed from the instruction on.
 *
 * When memory runs out, `failed` is set and what follows is lost; ask once at the end. */
#ifndef JIT_ASSEMBLER_H
#define JIT_ASSEMBLER_H

#include "base/base.h"

typedef enum Gpr {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15
} Gpr;

typedef enum VectorOp {
#define VECTOR(name, ...) V_##name,
#include "kernel/jit/vector.def"
#undef VECTOR
    V_COUNT
} VectorOp;

typedef enum Condition {
    JUMP_BELOW = 2,
    JUMP_ABOVE_EQUAL = 3,
    JUMP_EQUAL = 4,
    JUMP_NOT_EQUAL = 5
} Condition;

/* An operand: a vector register, memory, or a place in the pool. */
typedef struct Operand {
    enum { AT_REGISTER, AT_MEMORY, AT_POOL } at;
    int reg;        /* register */
    Gpr base;       /* memory: base + rcx * scale + disp */
    uint8_t scale;  /* 0: no index */
    bool broadcast; /* one double for all lanes; EVEX only */
    int32_t disp;   /* of the base, or of the pool */
} Operand;

/* A displacement at `at`, of an instruction that ends at `end`, that leads into the pool. */
typedef struct PoolUse {
    int at, end;
} PoolUse;

typedef struct Assembler {
    bool evex, failed;
    uint8_t *bytes;
    int size, room, count; /* count: instructions */
    VEC(uint64_t) pool;
    VEC(PoolUse) uses;
} Assembler;

void assembler_free(Assembler *a);
/* Resolve the places in the pool and append it; the number of bytes before it. */
int assembler_finish(Assembler *a);

/* Where the pool holds these n words, one behind the other; adds them unless it has them. n is 1,
 * or always a multiple of 4. */
int32_t pool_words(Assembler *a, const uint64_t *words, int n);

static inline Operand in_register(int reg)
{
    return (Operand){.at = AT_REGISTER, .reg = reg};
}

static inline Operand in_memory(Gpr base, int32_t disp)
{
    return (Operand){.at = AT_MEMORY, .base = base, .disp = disp};
}

static inline Operand in_pool(int32_t disp, bool broadcast)
{
    return (Operand){.at = AT_POOL, .disp = disp, .broadcast = broadcast};
}

/* How a vector instruction writes: to all lanes, to those of a mask, the others kept or zeroed. */
typedef struct Lanes {
    uint8_t mask; /* k register; 0: all lanes */
    bool zero;
} Lanes;

enum { NO_REGISTER = 0 }; /* in the place of a first source that the instruction lacks */

/* op dst, src, rm for vectors of `bytes`; for stores dst is what is stored, for compares of EVEX a
 * mask register. */
void vector(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm);
void vector_imm(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm, int imm);
void vector_lanes(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm, Lanes lanes);
void vector_lanes_imm(Assembler *a, VectorOp op, int bytes, int dst, int src, Operand rm,
                      Lanes lanes, int imm);
void vector_shift(Assembler *a, VectorOp op, int bytes, int dst, int src, int count);
void vector_zeroupper(Assembler *a);

/* Mask registers and bytes; low 8 lanes. */
void mask_from(Assembler *a, int mask, Gpr src);
void mask_load(Assembler *a, int mask, Gpr base, int32_t disp);
void mask_to(Assembler *a, Gpr dst, int mask);

/* 64-bit integers. */
void move(Assembler *a, Gpr dst, Gpr src);
void load(Assembler *a, Gpr dst, Gpr base, int32_t disp);
void store(Assembler *a, Gpr base, int32_t disp, Gpr src);
void load_number(Assembler *a, Gpr dst, uint64_t number);
void load_pool_address(Assembler *a, Gpr dst, int32_t disp);
void add(Assembler *a, Gpr dst, Gpr src);
void add_loaded(Assembler *a, Gpr dst, Gpr base, int32_t disp);
void add_stored(Assembler *a, Gpr base, int32_t disp, Gpr src);
void sub(Assembler *a, Gpr dst, Gpr src);
void add_number(Assembler *a, Gpr dst, int32_t number);
void and_number(Assembler *a, Gpr dst, int32_t number);
void shift_left(Assembler *a, Gpr dst, int count);
void clear(Assembler *a, Gpr dst);
void set_bit(Assembler *a, Gpr dst, Gpr bit);
void count_bits(Assembler *a, Gpr dst, Gpr src);
void compare(Assembler *a, Gpr x, Gpr y);
void test(Assembler *a, Gpr x, Gpr y);
/* Jump or go on by the bits that x and number share: JUMP_EQUAL when there are none. */
void test_number(Assembler *a, Gpr x, int32_t number);
/* Ask for the line at base + index * scale, to be there soon. */
void prefetch(Assembler *a, Gpr base, Gpr index, int scale);
void decrement_stored(Assembler *a, Gpr base, int32_t disp);
void push(Assembler *a, Gpr src);
void pop(Assembler *a, Gpr dst);
void call(Assembler *a, Gpr target);
void ret(Assembler *a);

/* Jumps.  Forwards: jump gives a mark, land makes it lead here. */
int jump(Assembler *a, Condition when);
void land(Assembler *a, int mark);
void jump_back(Assembler *a, Condition when, int target);
/* Do nothing up to a multiple of 32 bytes, where a loop begins. */
void align_loop(Assembler *a);
/* A number in an instruction that is known later: where it lies is given by sub_later. */
int sub_later(Assembler *a, Gpr dst);
void patch(Assembler *a, int at, int32_t number);

extern const char *const vector_names[V_COUNT];

#endif
