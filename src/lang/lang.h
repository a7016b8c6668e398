/* lang: from text to a checked program - lexer, parser, AST, names and functions, static checks,
 * diagnostics.
 *
 * A Program owns an arena that holds everything below: sources, nodes, names (interned: equal names
 * of one program are one pointer).  After program_check every call is resolved and its arguments
 * stand in the callee's order, so later passes never look at argument names again. */
#ifndef LANG_H
#define LANG_H

#include "op/op.h"

typedef enum ExprKind {
    E_LITERAL, /* lit */
    E_NAME,    /* name: a variable */
    E_DOLLAR, /* name without $, not given on the command line (only under --check, or inside ifdef)
               */
    E_OP,   /* op, args: operator of the grammar or native builtin; args in the table's order, NULL
               where absent */
    E_CALL, /* fn: a function written in DML; args in its parameters' order, NULL where the default
               applies */
    E_SHAPE /* args: a literal list [a, b, ...] */
} ExprKind;

typedef struct Expr Expr;
struct Function;

/* A call of a library function picks its variant by the data type of the first argument given
 * (matrix or list m_, scalar s_, frame f_); all variants have the same parameters.  A user's
 * function is in `matrix`, and nothing in the others. */
typedef struct FunctionSet {
    struct Function *matrix, *scalar, *frame;
    bool by_type;
} FunctionSet;

struct Expr {
    ExprKind kind;
    Span span;
    Value lit; /* E_LITERAL: the arena's; strings are immortal (program_free releases them) */
    const char *name; /* E_NAME, E_DOLLAR; E_CALL, E_OP: as written, "ns::f" */
    int op;           /* E_OP: OpCode */
    /* E_CALL.  NULL after the check: a library function that this version does not have, under
     * --check or in a function that nothing reaches (program_find fails then). */
    const FunctionSet *fn;
    Expr **args;
    const char **arg_names; /* as parsed: NULL entries for unnamed ones; after the check NULL, but
                               of list(a=1) */
    int nargs;
    int first_given; /* E_CALL: place of the first argument as written, -1 none; by its type */
    int height;      /* levels of the tree below and with this node, at most 1000 */
    Span name_span;  /* of a call: where the function's name stands */
};

typedef struct Target {
    const char *name; /* NULL: result dropped */
    Span span;
    /* X[lo:hi, lo:hi] = ...: index has 4 entries (row lo, row hi, col lo, col hi), NULL where blank
     * (whole dimension); a single index X[i] has hi == lo (the same node).  NULL index: plain
     * assignment. */
    Expr **index;
    int nindex; /* number of dimensions written: 0 none, 1 L[i], 2 X[i,j] */
} Target;

typedef enum StmtKind {
    S_ASSIGN,     /* targets = value */
    S_ACCUMULATE, /* targets[0] += value */
    S_CALL,       /* value, results dropped: a function without results, print, write ... */
    S_IF,         /* value, body, orelse */
    S_WHILE,      /* value, body */
    S_FOR,        /* name, from, to, step (NULL: +-1), body */
    S_PARFOR      /* as S_FOR, and params */
} StmtKind;

typedef struct Stmt Stmt;

typedef struct StmtList {
    Stmt **items;
    int count;
} StmtList;

typedef struct ParforParam {
    const char *key;
    Expr *value; /* a literal; bare words arrive as string literals */
    Span key_span;
} ParforParam;

/* What becomes of a variable that existed before a parfor and that its body assigns. */
typedef enum ParforMode {
    PARFOR_DISJOINT, /* X[i, ] = ...: no two iterations touch the same cell, shown by the check */
    PARFOR_MERGE,    /* X[...] = ...: not shown, check=0: cells that changed win */
    PARFOR_SUM,      /* X += e: what it was and the sum over all iterations */
    PARFOR_LOST      /* x = e, check=0: an iteration's own; afterwards x is what it was */
} ParforMode;

typedef struct ParforResult {
    const char *name;
    ParforMode mode;
} ParforResult;

struct Stmt {
    StmtKind kind;
    Span span;
    Target *targets;
    int ntargets;
    Expr *value;
    const char *name; /* loop variable */
    Span name_span;
    Expr *from, *to, *step;
    bool seq; /* the range was seq(a, b, s): a step of the wrong sign runs no iteration */
    ParforParam *params;
    int nparams;
    ParforResult *results; /* S_PARFOR, set by the check: every variable from before the loop that
                              the body assigns */
    int nresults;
    StmtList body, orelse;
};

/* A declared type: parameter, return variable. */
typedef struct TypeDecl {
    DataType dt;
    ValueType vt;
} TypeDecl;

typedef struct Param {
    const char *name;
    TypeDecl type;
    Expr *def; /* NULL: none */
    Span span;
} Param;

typedef struct Function {
    const char *name;       /* as called: "f", "ns::f", "lm"; "" for the main program */
    const char *key;        /* unique: "file::f", for eval */
    const char *namespace_; /* file whose functions unqualified calls see first */
    Span span;
    Param *params;
    int nparams;
    Param *results;
    int nresults;
    StmtList body;
    const char *library; /* "builtin/lm.dml" when from the script library, else NULL */
    struct Unit *unit;   /* the file that defines it */
    Span name_span;
    bool queued;    /* to be checked, or checked */
    void *compiled; /* run/: the compiled form, NULL until first called */
} Function;

typedef struct Program Program;

typedef struct CheckOptions {
    bool check_only; /* --check: $ arguments need no value; calls of later builtins are warnings */
    const char *lib; /* folder overriding the library, "" for none */
} CheckOptions;

/* A name=value of the command line. */
typedef struct ScriptArg {
    const char *name, *value;
} ScriptArg;

Program *program_new(Ctx *ctx);
void program_free(Program *p);
void program_arguments(Program *p, const ScriptArg *args, int count); /* borrowed */

/* Parse and check.  Diagnostics (up to 20 errors, and warnings) go to ctx's diagnostics output; on
 * errors the first is also left in the error record.  *main_fn is the main program as a function
 * without parameters. */
ml_status program_parse(Ctx *ctx, Program *p, const char *name, const char *text, size_t size,
                        const CheckOptions *o, Function **main_fn);

/* Resolve a function by name at run time, for eval: user's functions by name, "ns::f" or key, then
 * library functions (parsed on demand).  NULL in *out when there is none. */
ml_status program_find(Ctx *ctx, Program *p, const char *name, const FunctionSet **out);
int program_functions(const Program *p, Function ***out); /* all parsed so far, for explain */
Arena *program_arena(Program *p);

/* Format a diagnostic: "file:line:col: error: text", the source line, a caret line. */
void diagnostic_format(Buffer *b, const char *severity, Span span, const char *text);
/* The error record in full, with call chain. */
void error_format(Buffer *b, const ErrorRecord *err);

/* Is this a name of the script library, whether or not this version has it? */
bool library_knows(const char *name, size_t size);
/* A function of the script library and the comment right above it, in the text of its file. */
typedef struct LibraryEntry {
    const char *name;
    size_t size;
    const char *comment, *end;
} LibraryEntry;

/* The next commented library function of a file's text from *at on, which moves behind it. */
bool library_entry(const char **at, const char *end, LibraryEntry *out);
/* The comment without its marks. */
void library_comment(const LibraryEntry *e, Buffer *out);
/* The comment of a library function, for --help; nothing is added when there is none. */
ml_status library_help(Ctx *ctx, const char *name, const char *lib, Buffer *out);

#endif
