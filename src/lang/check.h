/* check: private to lang.  The state of the checks of one function, shared by statements and
 * variables (check.c), calls (check_call.c) and parfor (parfor_check.c, parfor_results.c). */
#ifndef LANG_CHECK_H
#define LANG_CHECK_H

#include "lang/program.h"

/* What is known of a variable at a place. */
typedef enum VarState { VAR_NEVER, VAR_MAYBE, VAR_ALWAYS } VarState;

typedef struct Checker {
    Ctx *ctx;
    Program *program;
    Function *fn;
    Map *index; /* name -> position in vars */
    VEC(const char *) names;
    uint8_t *state; /* VarState of each, names.capacity of them */
    int state_size;
    VEC(const Stmt *) made_in; /* of each: the parfor that made it and forgot it, or NULL */
    ml_status status;          /* memory exhausted: stop */
} Checker;

/* Resolve a call (not its arguments' values) and put its arguments in order.  `targets`: how many
 * variables take results, 0 for a statement of its own, AS_OPERAND inside an expression. */
enum { AS_OPERAND = -1 };
void check_call(Checker *c, Expr *e, int targets);
/* A call's number of results; 1 when not known. */
int check_result_count(const Expr *e);

/* A parfor after its body was checked; before[k]: state of variable k in front of the loop, of the
 * first `count`. */
void check_parfor(Checker *c, Stmt *s, const uint8_t *before, int count);
/* Its results, into s; what its iterations make is forgotten.  `report`: dependencies between
 * iterations are errors. */
void check_parfor_results(Checker *c, Stmt *s, const uint8_t *before, int count, bool report);

#endif
