/* frame_lambda: the functions of map(F, "x -> expression") and map(F, "(x, y) -> expression"),
 * compiled to a typed tree.
 *
 * The language is the part of Java's expressions that works on texts: literals, + - * / %,
 * comparisons, && || !, the ternary operator, methods of strings (lambda_methods), arrays from
 * split.  Integers have 64 bits and their overflow is an error; == compares texts by their
 * characters; positions in texts count characters.  Types are found when compiling, so a tree is
 * evaluated without looking at what its values are.  A tree does not change once compiled, and any
 * number of tasks may evaluate it. */
#ifndef KERNEL_FRAME_LAMBDA_H
#define KERNEL_FRAME_LAMBDA_H

#include "kernel/frame.h"
#include "kernel/text.h"

typedef enum LambdaType { L_STRING, L_CHAR, L_INT, L_DOUBLE, L_BOOL, L_LIST } LambdaType;

typedef struct LambdaValue {
    union {
        Text text; /* L_STRING, and L_CHAR: one character; text NULL: null */
        int64_t i;
        double d;
        bool b;
        struct {
            const Text *items;
            int64_t count;
        } list;
    };
} LambdaValue;

struct LambdaNode;
typedef struct LambdaRun {
    Ctx *ctx;
    const struct Lambda *lambda;
    Arena *arena;     /* for texts in the making */
    LambdaValue x, y; /* y: of lambdas of pairs */
} LambdaRun;
typedef ml_status (*LambdaFn)(LambdaRun *run, const struct LambdaNode *node,
                              const LambdaValue *args, LambdaValue *out);

enum { LAMBDA_ARGS = 3 };

/* A node computes fn of its arguments' values; && || ?: choose themselves what to evaluate. */
typedef struct LambdaNode {
    LambdaFn fn;
    LambdaType type;
    uint32_t at; /* in the source */
    int nargs;
    bool lazy;  /* fn evaluates the arguments */
    bool nulls; /* fn takes null texts */
    struct LambdaNode *args[LAMBDA_ARGS];
    LambdaValue literal;
    Regex *regex; /* compiled second argument */
} LambdaNode;

typedef struct Lambda {
    const char *source;
    LambdaNode *root;
    Arena *arena;
    int nodes;
    bool pairs; /* it has two parameters, texts both */
} Lambda;

/* Compile; x is a text, or an array of texts.  Free on any outcome. */
ml_status lambda_compile(Ctx *ctx, const char *source, LambdaType x, Lambda *out);
void lambda_free(Lambda *l);
ml_status lambda_eval(LambdaRun *run, const LambdaNode *node, LambdaValue *out);
/* ML_EVALUE with the place in the source. */
ml_status lambda_fail(Ctx *ctx, const Lambda *l, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A value as text; points into the value, buf or a constant. */
Text lambda_text(LambdaType type, const LambdaValue *v, char buf[NUM_BUFFER]);

/* A frame with the lambda's value of each pair of cells of the first column, in row and column of
 * the two (frame_map_pairs.c). */
ml_status map_pairs(Ctx *ctx, OpCall *call, const Frame *f, const Lambda *l);
/* Characters that two texts have in common, as part of those that either has. */
ml_status lambda_jaccard(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                         LambdaValue *out);

/* Methods with a pattern (frame_lambda_patterns.c). */
ml_status lambda_matches(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                         LambdaValue *out);
ml_status lambda_replace_all(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                             LambdaValue *out);
ml_status lambda_replace_first(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                               LambdaValue *out);
ml_status lambda_split(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                       LambdaValue *out);

/* ---- methods (frame_lambda_methods.c) ---- */

/* The buffer as a text of the arena; frees the buffer. */
ml_status lambda_keep(LambdaRun *run, Buffer *b, LambdaValue *out);

/* Parameters by letters, the receiver first: s a text or a character, i a whole number, d a number,
 * l an array, r a literal pattern, b true or false, t a text, a anything but an array.  Operators
 * are methods of their symbols. */
typedef struct LambdaMethod {
    const char *name, *params;
    LambdaType type;
    LambdaFn fn;
    bool nulls;
} LambdaMethod;
extern const LambdaMethod lambda_methods[];
extern const int lambda_nmethods;

#endif
