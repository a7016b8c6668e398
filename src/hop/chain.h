/* Private to hop/: chains of matrix products and their cheapest order. */
#ifndef HOP_CHAIN_H
#define HOP_CHAIN_H

#include "hop/hop.h"

enum { CHAIN_FACTORS = 16 };

/* A factor as it stands in the chain: the node or its transpose. */
typedef struct ChainFactor {
    const Hop *hop;
    bool t;    /* stands for the node's transpose */
    bool both; /* the transpose of what stands here exists anyway, as well as the node */
    double rows, cols, nnz;
    const Sketch *sketch; /* as it stands; NULL: nonzeros are spread evenly */
} ChainFactor;

/* How a part of a chain, or the transpose of it, is computed. */
typedef enum ChainForm {
    CHAIN_NOT_YET,
    CHAIN_FACTOR,    /* it is a factor */
    CHAIN_READY,     /* a node computes it anyway */
    CHAIN_TRANSPOSE, /* of the other orientation */
    CHAIN_PLAIN,     /* left %*% right */
    CHAIN_TN,        /* t(left) %*% right, of a left part that is there transposed */
    CHAIN_NT,
    CHAIN_SELF,  /* t(P) %*% P by tsmm or tsmm_right */
    CHAIN_PASSES /* t(X) %*% (X %*% v) in one pass over X */
} ChainForm;

/* The product of factors i..j.  Index 1 of the pairs is the transpose of it. */
typedef struct ChainPart {
    double cost[2]; /* nanoseconds on one core; INFINITY: not possible */
    ChainForm form[2];
    int split[2]; /* last factor of the left part */
    double rows, cols, nnz;
    const Sketch *sketch;
    const Hop *ready; /* computes it anyway, or NULL */
    bool ready_t;     /* its transpose */
    int written;      /* split in the script, -1: not written as a product of its own */
    bool other;       /* CHAIN_SELF: from the part that is there transposed */
} ChainPart;

typedef struct Chain {
    int n;
    ChainFactor factors[CHAIN_FACTORS];
    ChainPart parts[CHAIN_FACTORS][CHAIN_FACTORS];
    Span span; /* of what was written */
    const InlineSite *site;
    Arena *arena;  /* for sketches of parts */
    bool sketched; /* estimate by sketches */
} Chain;

/* Are factors a.. and b.. (n each) the same matrices, or with `t` the one the transpose of the
 * other? */
bool chain_same(const ChainFactor *a, const ChainFactor *b, int n, bool t);
/* Fill parts from the factors and what is set of ready and written. */
void chain_order(Chain *c);
/* The same chain multiplied as the script has it. */
double chain_written_cost(const Chain *c);
/* Nanoseconds of a product, x %*% y with `nnz` nonzeros; parts need rows, cols, nnz, sketch. */
double chain_product_cost(const ChainPart *x, const ChainPart *y, double nnz);

/* ---- expected nonzeros of nodes (nonzeros.c) ---- */

typedef struct Nonzeros {
    Arena *arena;
    const VarInfo *vars; /* with the values at hand, or NULL */
    Sketch **memo;       /* by node id */
} Nonzeros;

/* NULL when nothing is known beyond the bound h->dims.nnz, or memory is exhausted. */
Sketch *hop_sketch(Nonzeros *z, const Hop *h);

#endif
