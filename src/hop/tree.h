/* Private to hop/: passes over the tree of blocks of a routine.
 *
 * A pass works after unit_analyze, so nodes carry facts; it may move, copy and drop nodes and
 * blocks, and says whether it changed anything, for then the facts are found anew. */
#ifndef HOP_TREE_H
#define HOP_TREE_H

#include "hop/hop.h"

typedef struct Tree {
    Ctx *ctx;
    Unit *unit;
    Routine *r;
    bool changed;
} Tree;

typedef VEC(Block *) Blocks;

/* ---- tree.c ---- */

/* Call fn for every list of blocks, inner ones first. */
typedef ml_status (*ListFn)(Tree *t, BlockList *list);
ml_status tree_each_list(Tree *t, BlockList *list, ListFn fn);
ml_status tree_store(Tree *t, const Blocks *from, BlockList *to); /* copy into the arena */
/* A new block like `like` in id space, span and site; NULL: no memory, reported. */
Block *tree_block(Tree *t, BlockKind kind, const Block *like);
int tree_slot(Tree *t, const char *name);              /* a new variable; -1: no memory, reported */
void tree_fired(Tree *t, Pass pass);                   /* count it and note the change */
bool tree_push(Tree *t, Blocks *blocks, Block *block); /* false: no memory, reported */

/* The node that a variable holds at the end of the DAG, NULL when it is not assigned there. */
Hop *dag_value(const Dag *dag, int slot);
/* The value of a predicate's variable when the analysis knows it, else value_none(). */
Value list_literal(BlockList list, int slot);
/* Does the operator surely not fail, given operands of the types and sizes that are known?  total.c
 */
bool hop_is_total(const Hop *h);
/* Is the value worth a variable of its own rather than to be computed again?  invariant.c */
bool is_worth_holding(const Tree *t, const Hop *h);
/* A read of the variable that holds the node's value; NULL: no memory. */
Hop *hop_read_like(Dag *dag, int slot, const Hop *like);
/* Put the statements of `from` behind those of `into`: what `into` assigns is no longer read but
 * used, and what `from` assigns again is only evaluated. */
ml_status dag_append(Tree *t, Dag *into, const Dag *from);

/* ---- passes, each in a file of its name; for the main list and all in it ---- */

ml_status prune_branches(Tree *t);
ml_status inline_calls(Tree *t);
ml_status merge_blocks(Tree *t);
ml_status vectorize_loops(Tree *t);
ml_status share_expressions(Tree *t);
ml_status move_invariants(Tree *t);
ml_status prepare_parfors(Tree *t); /* parfor.c */
ml_status drop_dead_code(Tree *t);

#endif
