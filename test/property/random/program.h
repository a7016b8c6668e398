/* Random programs: trees of statements and expressions that are made, printed, run, compared and
 * reduced.
 *
 * Types and shapes are right by construction: every variable has a known shape, also where the
 * compiler cannot know it.  All of a program lives in its arena. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "base/base.h"

enum { KIDS = 5, WORDS = 2, VARS = 200, TARGETS = 2, MAX_PARAMS = 4 };

/* ---- expressions ---- */

/* When a value has the same bits in every plan.  NEVER: not to be relied on.  MOVE: cells are moved
 * or chosen.  ADD, POLY, POLY2: sums, sums of products, their squares: when no sum needs rounding.
 * TRUTH: 0 or 1. */
typedef enum Exactness { NEVER, MOVE, ADD, POLY, POLY2, TRUTH } Exactness;

/* A row of forms.def. */
typedef struct Form {
    int weight;
    const char *result, *operands;
    Exactness exact;
    const char *text, *magnitude;
    bool full;
} Form;
extern const Form forms[];
extern const int form_count;

/* What is known of a value's bits: the same in every plan; NaN and infinities possible; multiples
 * of 2^-fraction below 2^bits. */
typedef struct Attr {
    bool same, special;
    int bits, fraction;
} Attr;

enum { SCALAR = -1 }; /* rows and cols of a scalar */

#define SIZE_LETTERS "rcklmRCpquvxyijef"
enum { SIZES = sizeof SIZE_LETTERS - 1 };

/* A number in the text, or an integer variable that holds it. */
typedef struct Size {
    int value;
    int var; /* -1: the number */
} Size;

/* Rows or columns of a matrix: those that a loop is at or `shift` after, a fixed one, or with fixed
 * 0 all. */
typedef struct Place {
    int loop; /* -1: fixed */
    int shift, fixed;
} Place;

/* A value that is not computed has a text: a literal or a call without operands; a variable; or a
 * row, a column or a cell of a variable. */
typedef enum NodeKind { NODE_FORM, NODE_TEXT, NODE_VAR, NODE_PART } NodeKind;

typedef struct Node {
    NodeKind kind;
    const Form *form;
    const char *text;
    int var;
    Place row, column; /* of NODE_PART */
    int rows, cols;
    Size size[SIZES];
    const char *word[WORDS];
    int integer;
    struct Node *kid[KIDS];
    Attr attr;
} Node;

/* ---- statements ---- */

typedef enum VarKind { VAR_MATRIX, VAR_SCALAR, VAR_INT } VarKind;

typedef struct Var {
    VarKind kind;
    int rows, cols;
    int value; /* of VAR_INT; -1 for the variable of a loop, which is at most `limit` */
    int limit;
    bool hidden, frozen; /* out of sight; may not be assigned */
    Attr attr;
} Var;

typedef enum StmtKind {
    STMT_ASSIGN, /* var = value */
    STMT_ADD,    /* var += value */
    STMT_PART,   /* var[row, col] = value; loop, loop_col >= 0: where those loops are */
    STMT_INT,    /* var = text */
    STMT_IF,
    STMT_FOR, /* var in 1:limit */
    STMT_PARFOR,
    STMT_WHILE,
    STMT_CALL, /* [targets] = function(arguments) */
    STMT_TEXT, /* as it stands: prints, stops, errors */
} StmtKind;

typedef struct Stmt {
    StmtKind kind;
    int var, loop, loop_col;
    Size limit, row, row_end, col, col_end;
    Node *value;
    const char *text;
    struct Function *function;
    int targets[TARGETS]; /* of a call; variables that a loop carries on; -1: none */
    Node *args[MAX_PARAMS];
    struct Stmt *body, *orelse, *next;
} Stmt;

typedef struct Function {
    int name, nparams, nreturns;
    int params[MAX_PARAMS], returns[TARGETS];
    Stmt *body;
    struct Function *next;
} Function;

typedef struct Program {
    Arena *arena;
    uint64_t seed;
    Var vars[VARS];
    int nvars;
    Function *functions;
    Stmt *body;
    bool printed[VARS];
    bool empty; /* some matrices have no cells */
} Program;

/* ---- gen_expr.c, gen_program.c ---- */

typedef struct Gen {
    Program *p;
    uint64_t random;
    int sizes[5];
    int nesting;
    int budget; /* of nodes */
    int first;  /* variables from here on are of this function */
    bool parallel;
    int weight; /* of all forms */
} Gen;

Program *random_new(uint64_t seed);
void random_free(Program *p);

int pick(Gen *g, int n); /* 0 to n - 1 */
int pick_size(Gen *g);
int forms_weight(void);
Size size_of(Gen *g, int value);
/* An expression of this shape (SCALAR, SCALAR for a number); exact: its bits are the same in every
 * plan. */
Node *gen_expr(Gen *g, int rows, int cols, int depth, bool exact);
Node *gen_leaf(Gen *g, int rows, int cols, bool exact, bool sparse);
Node *node_new(Program *p, NodeKind kind, int rows, int cols);

/* ---- attributes.c ---- */

Attr attr_initial(VarKind kind);
/* What follows from the operands' and the variables' attributes. */
Attr attr_of(const Program *p, const Node *n);
/* What the statement's variables become; nested: it may not run. */
void attr_of_statement(Program *p, const Stmt *s, bool nested);
/* All attributes anew, after a change. */
void program_attributes(Program *p);

/* ---- text.c ---- */

/* The program; with magnitudes, in place of each value that it prints the value's magnitude. */
void program_text(const Program *p, bool magnitudes, Buffer *out);

/* ---- judge.c ---- */

typedef enum Verdict {
    SAME,
    VALUES_DIFFER,
    THREADS_DIFFER,
    ERRORS_DIFFER,
    CRASHED,
    GENERATOR_WRONG /* the magnitudes cannot be computed */
} Verdict;
extern const char *const verdicts[];

Verdict judge(const Program *p, bool show);
/* A program that is kept as text: values to 1e-9. */
Verdict judge_text(const char *text, bool show);
bool judge_error(void); /* the last program ended in an error */
void judge_end(void);   /* frees the contexts */

/* ---- shrink.c ---- */

/* Reduce the program as long as `bad` holds. */
void shrink(Program *p, bool (*bad)(const Program *p));

#endif
