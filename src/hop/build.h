/* Private to hop/: the state of building one routine. */
#ifndef HOP_BUILD_H
#define HOP_BUILD_H

#include "hop/tree.h"

/* A call that was lifted out of the statement being built: its value is in the slot. */
typedef struct Lifted {
    const Expr *expr;
    int slot;
} Lifted;

typedef struct Builder {
    Ctx *ctx;
    Unit *unit;
    Routine *routine;
    Arena *arena;
    Map *slots;              /* name -> slot */
    VEC(const char *) names; /* of the slots */
    VEC(Hop *) current;      /* by slot: the value assigned in this DAG, NULL: as at entry */
    VEC(Lifted) lifted;
    Dag *dag; /* the basic block being filled */
    Span dag_span;
    Blocks *blocks; /* where finished blocks go */
} Builder;

int builder_slot(Builder *b, const char *name); /* of a variable, made when new; -1: no memory */
int builder_temporary(Builder *b);
int builder_find(const Builder *b, const char *name); /* -1: no such variable */
ml_status builder_cut(Builder *b);                    /* end the basic block */
Block *builder_block(Builder *b, BlockKind kind,
                     Span span); /* a new block at the end; NULL: no memory */
Hop *builder_variable(Builder *b, int slot, Span span);
ml_status builder_assign(Builder *b, int slot, Hop *hop);

/* Expression to node.  lift_calls must have run over it. */
ml_status build_expr(Builder *b, const Expr *e, Hop **out);
/* Emit the calls inside an expression as blocks; with `self` the expression's own call as well. */
ml_status lift_calls(Builder *b, const Expr *e, bool self);
/* A call as a block; targets are slots, -1 dropped. */
ml_status build_call(Builder *b, const Expr *e, const int *targets, int ntargets);
ml_status build_statements(Builder *b, StmtList list);
/* The body of a parfor, and block->parfor (build_parfor.c). */
ml_status build_parfor(Builder *b, const Stmt *s, Block *block);
/* `name` is a new variable from now on: its slot, -1 when memory is exhausted. */
int builder_shadow(Builder *b, const char *name);
bool builder_bind(Builder *b, const char *name, int slot); /* the name is of this slot again */

#endif
