/* plan: from the DAG of a block to a list of instructions with resolved operand slots.
 *
 * A frame is an array of values: first the routine's variables, then the plan's temporaries.  An
 * operand >= 0 is an index into the frame, OPERAND_NONE an absent optional argument, any other
 * negative number ~k the k-th literal of the plan.
 *
 * What is planned depends on types, sizes, format and the scalars that decide sizes - the signature
 * - and on nothing else. */
#ifndef PLAN_H
#define PLAN_H

#include "hop/hop.h"
#include "plan/backend.h"

enum { OPERAND_NONE = INT32_MIN };

typedef enum InstrKind {
    INSTR_OP,   /* out = op(in...) */
    INSTR_MOVE, /* out = in[0] */
    INSTR_RUN   /* an operator that the interpreter performs itself: eval, exists ... */
} InstrKind;

typedef struct Instr {
    uint8_t kind;
    bool scalar; /* one or two operands, and a scalar function for them */
    uint16_t nin, nout;
    int op;
    int32_t out; /* slot of the first result; others in outs */
    int32_t *in;
    Span *in_spans; /* of the operands, for messages */
    int32_t *outs;  /* nout entries when nout > 1; OPERAND_NONE: dropped */
    int32_t *frees; /* slots whose values die here, after the results are stored elsewhere */
    uint16_t nfrees;
    uint32_t last; /* bit k: in[k] dies here */
    OperatorFn fn;
    const char *const *names;
    Span span;
    const InlineSite *site;
    Dims dims;              /* estimate of the result */
    double expected;        /* as of Hop */
    double bytes, bytes_in; /* of the result, of the matrices read */
    const char *why;        /* what chose this operator, for explain; or NULL */
    int16_t over;           /* operand whose memory the result takes over, estimated; -1: none */
    uint8_t dt;
} Instr;

typedef struct Plan {
    Arena *arena;
    Instr *instrs;
    int count;
    Value *literals; /* borrowed from the unit or the program */
    int nliterals;
    int ntemps; /* slots after the variables */
    int32_t
        *overwritten; /* variables whose old value nobody reads: freed before the first result */
    int noverwritten;
    uint64_t signature;
    struct Plan *next;
} Plan;

/* Plan a block.  `vars` tells what is known of the variables now, NULL: what propagation found. The
 * plan owns an arena. */
ml_status plan_block(Ctx *ctx, Unit *unit, const Routine *r, const Block *block,
                     const VarInfo *vars, const Backend *backend, Plan **out);
void plan_free(Plan *plan);

/* The DAG that plan_block would make instructions of, in the arena. */
ml_status plan_dag(Ctx *ctx, Unit *unit, const Routine *r, const Block *block, const VarInfo *vars,
                   Arena *arena, Dag **out);

/* Does the block read variables whose values decide sizes?  Sets their bits. */
void plan_size_slots(const Dag *dag, uint64_t *slots);

void explain_plan(Buffer *b, const Routine *r, const Plan *plan, const Backend *backend,
                  int indent);

#endif
