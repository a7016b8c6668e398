/* emitter: steps as machine code.  Private to jit/.
 *
 * The code of one CellCode is
 *
 *     save registers; pointers, sums and steps of level RUN to their homes
 *     for each row:
 *         steps of level ROW; sums of the row start
 *         for each 8 cells: steps of level CELL
 *         the same for the cells that are left, under masks
 *         sums of the row are joined and stored; pointers move on
 *     sums back to memory; restore registers
 *
 * Eight cells are one vector of AVX-512, or two halves of AVX2 whose steps run one after the other.
 *
 * Integer registers: rdi the run, rcx the column, rdx where whole vectors end, rax scratch, rbp
 * the frame of the caller; the others hold pointers as long as they last.  Vector registers hold
 * accumulators, values of lower levels and constants as long as a dozen is left for the steps, and
 * otherwise what registers.c puts there.  Everything has a place in the frame, addressed from rsp.
 */
#ifndef JIT_EMITTER_H
#define JIT_EMITTER_H

#include "kernel/jit/assembler.h"
#include "kernel/jit/steps.h"

enum { VECTOR_REGISTERS = 32, TAIL_MASK = 1, FREE_MASK = 2, HALF_MASK = 15 };

/* Where a value is while the code of its level is made. */
typedef struct Place {
    int8_t reg;         /* -1: in none */
    int8_t home;        /* of a value that higher levels read: its own register, -1: the slot */
    bool kept;          /* is one of these */
    bool memory;        /* the slot, or for loads the input, has it */
    bool cannot_reload; /* a load whose input may have been written over */
    int16_t next;       /* the next step of this level that reads it; NO_USE */
    int32_t slot;       /* in the frame; -1: has none */
} Place;

enum { NO_USE = INT16_MAX };

/* An integer: in a register, or in the frame at `slot`. */
typedef struct Home {
    bool in_register;
    Gpr reg;
    int32_t slot;
} Home;

/* The pointer of an input or output, and what moves it on by a row: in bytes, -1: nothing does. */
typedef struct Pointer {
    bool used;
    Home at;
    int32_t step_slot;
} Pointer;

/* A vector kept over the loops: one for each half. */
typedef struct Accumulator {
    int8_t reg[2]; /* -1: in the slot */
    int32_t slot[2];
} Accumulator;

typedef struct Emitter {
    Assembler a;
    const Steps *s;
    const CellCode *code;
    int bytes, lanes, halves; /* of a vector; vectors to eight cells */
    int32_t frame;            /* bytes taken */

    Place *places;
    int16_t (*next)[STEP_IN];        /* of each operand: the next step that reads its value */
    int8_t *constant_homes;          /* registers that hold constants; -1: none does */
    int16_t owner[VECTOR_REGISTERS]; /* value, or one of the enum below */
    uint32_t locked, taken;          /* registers of the step at work: read; made */
    int registers;                   /* that may be taken */
    int here;                        /* the step at work */
    Level level;
    int half;
    bool tail;

    Pointer in[CODE_INPUTS], out[CODE_OUTPUTS];
    Home rests[CODE_OUTPUTS]; /* column sums: where their rests are */
    Home nonzeros[CODE_OUTPUTS];
    Accumulator sums[CODE_OUTPUTS], carries[CODE_OUTPUTS];
    Home ahead, asked; /* reading ahead: see loop.c */
    bool may_ask;
    bool streams; /* the loop at work stores past the caches */
    int32_t rows_slot, tail_slot, saved_slot, buffer_slot;
    int pointers; /* integer registers that hold some */
} Emitter;

enum { OWNER_NONE = -1, OWNER_STEP = -2, OWNER_HOME = -3 };

/* ---- registers.c: values in registers ---- */

int32_t new_slot(Emitter *e, int bytes);
void values_begin(Emitter *e, Level level); /* nothing is in registers but what lives there */
int take(Emitter *e);                       /* a register for the step at work */
void release(Emitter *e, int reg);          /* one that was taken, before the step ends */
int need(Emitter *e, Ref r);                /* a value in a register */
Operand need_any(Emitter *e, Ref r);        /* in a register, or readable from memory */
Operand constant_operand(Emitter *e, uint64_t bits);
void load_constant(Emitter *e, int reg, uint64_t bits);
bool is_last(const Emitter *e, int operand); /* this step is the last to read it */
void step_reads_end(Emitter *e);             /* its operands that nobody reads any more are gone */
void step_gives(Emitter *e, int reg);        /* the value of the step at work */
void step_end(Emitter *e);                   /* registers of the step are free again */
void values_to_memory(Emitter *e);           /* all of them, as a call changes all registers */
void inputs_to_registers(Emitter *e);        /* or slots, as what follows writes over inputs */

/* ---- select.c: instructions for one step ---- */

void emit_step(Emitter *e);

/* ---- outputs.c ---- */

void plan_outputs(Emitter *e);
void start_run(Emitter *e);
void start_row(Emitter *e);
void emit_output(Emitter *e, int k, Ref value);
void end_row(Emitter *e);
void end_run(Emitter *e);

/* ---- loop.c ---- */

/* The next eight cells (or half of them) behind a pointer; may change rax, which the operand then
 * stands on. */
Operand at_column(Emitter *e, Home pointer, bool single);
Gpr home_register(Emitter *e, Home home); /* rax when it is in the frame */
/* Cells behind a pointer, floats as doubles; in the tail those that are there, and zeros. */
void load_cells(Emitter *e, int reg, Home pointer, bool single);
/* The mask of the tail for this half, in its register; and for cells of floats in `reg`. */
void tail_masks(Emitter *e);
void float_mask(Emitter *e, int reg);
int32_t target_offset(int k, size_t field); /* of output k's field in the run */
int home_vector(Emitter *e);                /* a register for the whole run; -1: none to spare */
ml_status emit_code(Ctx *ctx, Emitter *e, const Steps *s);
void emitter_free(Emitter *e);

#endif
