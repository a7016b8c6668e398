/* Private to hop/: what vectorize.c and lift.c share. */
#ifndef HOP_VECTORIZE_H
#define HOP_VECTORIZE_H

#include "hop/tree.h"

/* What stands for a node of the loop's body once all iterations are done at once, for a loop over
 * rows; over columns everything is turned. */
typedef enum LiftKind {
    LIFT_NONE,   /* nothing does */
    LIFT_INDEX,  /* i, i + c or i - c: a row of a matrix; as a number the column of all of them */
    LIFT_SAME,   /* the same in every iteration: itself */
    LIFT_COLUMN, /* a number or 1x1 matrix: a column of all of them */
    LIFT_ROWS,   /* one row: a matrix of all of them */
    LIFT_WHOLE /* a matrix that the loop assigns: what all iterations leave of it, or its old value
                */
} LiftKind;

typedef struct Lifted {
    LiftKind kind;
    Hop *hop;
    int variable; /* LIFT_WHOLE: its slot */
} Lifted;

typedef struct Lift {
    Tree *t;
    const Routine *r;
    const Dag *from;
    Dag *to;
    int loop_slot;
    bool columns;         /* the loop index is one of columns */
    Hop *first, *last;    /* bounds of the range, in `to` */
    Lifted *of;           /* by id in `from` */
    Hop **map;            /* their nodes */
    const Hop **indexed;  /* by slot that the loop assigns: the one index it is used with */
    const bool *assigned; /* by slot */
} Lift;

/* Find what stands for every node of the body. */
void lift_all(Lift *l);
Hop *lift_value(Lift *l, const Hop *h); /* of all iterations, as a column or rows; NULL: nothing */
Hop *lift_index_at(Lift *l, const Hop *index, Hop *end); /* the index for i = end */
/* An operator in the new DAG, as part of the statement of `like`; NULL: no memory. */
Hop *lift_op(Lift *l, int op, Hop **in, int nin, const Hop *like);
/* The operator that aggregates along the loop (sum to column sums for rows) or across it; -1: none.
 */
int lift_aggregate(const Lift *l, int full_op, bool along);

#endif
