/* Private to hop/: patterns, the form in which rewrites are written.
 *
 * A pattern is an expression of DML over variables of one letter: a capital stands for any matrix,
 * a small letter for any scalar that is a number; equal letters mean the same value.  Operators are
 * named as in the table (t, sum, matmult_nt) or by their symbol.  @name stands for any operator of
 * a class, see operator_classes; @name that occurs again means the same operator.  A text in single
 * quotes is an argument of a replacement's operator; @name in it is the operator's name in DML. */
#ifndef HOP_PATTERN_H
#define HOP_PATTERN_H

#include "hop/hop.h"

enum { PATTERN_ARGS = 6, PATTERN_LETTERS = 52, RULE_CONDITIONS = 8, TERM_PARTS = 3 };

/* Classes of operators (pattern.c): X(name, what it holds). */
#define PATTERN_CLASS_LIST(X)                                                                      \
    X(unary, "cell-wise of one operand")                                                           \
    X(binary, "cell-wise of two operands")                                                         \
    X(idempotent, "f(f(x)) is f(x)")                                                               \
    X(full, "aggregates to a scalar that do not care where a cell stands")
enum {
#define CLASS_NUMBER(name, text) NUMBER_##name,
    PATTERN_CLASS_LIST(CLASS_NUMBER)
#undef CLASS_NUMBER
        PATTERN_CLASSES
};
/* What a rule may be about besides one operator. */
enum {
    ANY_NODE = -1,
    CLASS_FIRST = -2,
#define CLASS_ON(name, text) CLASS_##name = CLASS_FIRST - NUMBER_##name,
    PATTERN_CLASS_LIST(CLASS_ON)
#undef CLASS_ON
};

typedef enum PatternKind {
    PATTERN_OP,
    PATTERN_CLASS,   /* any operator of class op */
    PATTERN_MATRIX,  /* variable */
    PATTERN_SCALAR,  /* variable */
    PATTERN_LITERAL, /* this number or truth value */
    PATTERN_TEXT     /* of a replacement */
} PatternKind;

struct Pattern {
    PatternKind kind;
    int op;
    int variable;
    Value lit;
    const char *text;
    int nin;
    Pattern *in[PATTERN_ARGS]; /* NULL: must be absent */
};

/* What a rule asks of the values that its variables stand for: a sum of sizes, values and numbers.
 */
typedef enum SizeKind { SIZE_ROWS, SIZE_COLS, SIZE_CELLS, SIZE_VALUE } SizeKind;
typedef struct Term {
    int n;
    struct {
        SizeKind kind;
        int variable, sign;
    } part[TERM_PARTS];
    double number;
} Term;

typedef enum Relation { REL_EQ, REL_NE, REL_LT, REL_LE, REL_GT, REL_GE, REL_HOLDS } Relation;
typedef bool (*PredicateFn)(const Hop *h);
typedef struct Condition {
    Relation relation;
    Term left, right;
    PredicateFn holds; /* REL_HOLDS: of the variable */
    int variable;
} Condition;

/* A row of rewrites.def, read. */
typedef struct Rule {
    Pattern *pattern, *replacement;
    Condition conditions[RULE_CONDITIONS];
    int nconditions;
    bool shared;             /* inner nodes may have other consumers */
    bool guarded;            /* valid only for finite values, found out by the run */
    bool guard_result;       /* by its own result; otherwise by the operands of guard_operands */
    uint64_t guard_operands; /* bit set over variables */
} Rule;

/* Reads row `k`; a row that cannot be read is an internal error that names the place. */
ml_status rule_read(Ctx *ctx, Arena *arena, const Map *names, int k, Rule **out);
bool class_has(int class_, int op);
int class_find(const char *name, size_t size); /* -1 when there is none */
int letter_index(char c);                      /* of a variable; -1 when it is none */
/* The expression as DML text. */
void pattern_format(Buffer *b, const Pattern *p);

#endif
