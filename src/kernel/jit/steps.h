/* steps: a cell code as straight-line code over vectors of doubles.  Private to jit/.
 *
 * Each instruction is one machine instruction or a few (a select, a call) and defines the value of
 * its number; negative operands are constants.  Instructions have a level by what they depend on:
 * RUN ones are done once, ROW ones once a row, CELL ones for each vector of cells. */
#ifndef JIT_STEPS_H
#define JIT_STEPS_H

#include "kernel/cell_code.h"

typedef int16_t Ref; /* >= 0: an instruction; < 0: constant -1 - k */

typedef enum StepKind {
    S_LOAD, /* input `imm` */
    S_ADD,
    S_SUB,
    S_MUL,
    S_DIV,
    S_MIN, /* a < b ? a : b */
    S_MAX, /* a > b ? a : b */
    S_AND, /* of bits */
    S_OR,
    S_XOR,
    S_ADDQ, /* 64-bit integers */
    S_SUBQ,
    S_SCALE,    /* a 2^b for an integer b; AVX-512 */
    S_RANGE,    /* min (imm 4) or max (5) that knows -0 < 0; AVX-512 */
    S_SQRT,     /* unary */
    S_FRACTION, /* of |a|, in [1, 2); AVX-512 */
    S_EXPONENT, /* floor of the binary logarithm of |a|; AVX-512 */
    S_ROUND,    /* imm: how */
    S_SHL,      /* by imm bits */
    S_SHR,
    S_FMA,    /* a b + c, rounded once */
    S_FMS,    /* a b - c */
    S_FNMA,   /* c - a b */
    S_SELECT, /* a imm b ? c : d */
    S_CALL,   /* loop of operator imm of cells a, and b unless it is NONE */
    S_OUT     /* output `imm` takes a */
} StepKind;

/* Compares, as encoded; those with _N hold for NaN as well. */
enum {
    IS_EQ = 0x00,
    IS_NAN = 0x03, /* one of them */
    IS_NE_N = 0x04,
    IS_NUMBER = 0x07,
    IS_LT = 0x11,
    IS_LE = 0x12,
    IS_GE = 0x1D,
    IS_GT = 0x1E,
    NOT = 4 /* what turns one into its opposite */
};

enum { ROUND_NEAREST = 8, ROUND_DOWN = 9, ROUND_UP = 10 };

typedef enum Level { LEVEL_RUN, LEVEL_ROW, LEVEL_CELL, LEVELS } Level;

enum { STEP_IN = 4, STEPS_MAX = 16000 };
static const Ref NONE = INT16_MIN;

typedef struct Step {
    uint8_t kind, level;
    uint16_t imm;
    Ref in[STEP_IN]; /* NONE where there is none */
} Step;

typedef struct Steps {
    bool evex, failed; /* failed: no memory */
    bool missing;      /* an operator without vector form */
    bool calls;
    const CellCode *code;
    VEC(Step) list;
    VEC(uint64_t) constants;
} Steps;

/* Translate `code`; look at failed and missing afterwards. */
void steps_make(Steps *s, const CellCode *code, CpuLevel level);
void steps_free(Steps *s);

/* ---- for the functions (functions.c, powers.c) ---- */

Ref step(Steps *s, StepKind kind, int imm, Ref a, Ref b, Ref c, Ref d);
Ref step_constant(Steps *s, double x);
Ref step_bits(Steps *s, uint64_t bits);

static inline Ref step2(Steps *s, StepKind kind, Ref a, Ref b)
{
    return step(s, kind, 0, a, b, NONE, NONE);
}

/* a compare b ? c : d */
Ref step_select(Steps *s, int compare, Ref a, Ref b, Ref c, Ref d);

/* The operators of op/cell_math.h. */
Ref step_exp(Steps *s, Ref x);
Ref step_log(Steps *s, Ref x);
Ref step_tanh(Steps *s, Ref x);
Ref step_sinh(Steps *s, Ref x);
Ref step_cosh(Steps *s, Ref x);
Ref step_pow(Steps *s, Ref x, Ref y);

#endif
