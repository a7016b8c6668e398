/* fuse: pipelines of a DAG, private to fuse.c, fuse_cost.c and fuse_text.c.
 *
 * A group is a set of nodes that one pass over the same rows can compute: `pipeline` in the
 * operator table, see kernel/pipeline.h for what its program may say. */
#ifndef FUSE_H
#define FUSE_H

#include "hop/hop.h"

enum {
    FUSE_OPERANDS = 16,
    FUSE_RESULTS = 1 + OP_RESULTS,
    FUSE_OPERATORS = 40, /* in a group */
    FUSE_SIDE = 1 << 14, /* cells of a matrix that is taken whole, or of t(x) %*% y */
    FUSE_WIDTH = 1 << 15 /* columns of a row that must stay in the cache */
};

typedef uint64_t Bits; /* words of a bit set over node ids */

typedef struct Group {
    int64_t rows;
    int size;          /* operators; 0: merged into another */
    bool by_rows;      /* needs whole rows at a time */
    bool adds_up;      /* ends in nothing but cells and sums */
    const Hop *driver; /* the sparse matrix whose nonzeros are all that is computed; NULL none */
    Bits *members;
    Bits *above;  /* all that the members depend on */
    Bits *below;  /* all that depends on them */
    Bits *whole;  /* what they need complete before the first row */
    Bits *needed; /* operands, members among them; literals left out */
} Group;

typedef struct FuseNode {
    OpFuse role;
    int group;         /* index of its group; -1: it cannot be in one */
    const Hop *driver; /* as of Group */
    Bits *readers;     /* nodes that have it as an operand */
    bool kept;         /* its value must be stored: for a variable, or for another pipeline */
    bool repeated;     /* computed again in other pipelines that read it, rather than stored */
    int references;    /* in the program being written */
    int name;          /* t1, t2 ... in it; 0 none */
} FuseNode;

typedef struct Fuser {
    Ctx *ctx;
    Unit *unit;
    Dag *dag, *out;
    Arena *arena;
    int words;
    FuseNode *nodes; /* by id */
    Group *groups;   /* by the id of the first member */
    Hop **map;       /* nodes of the new DAG, by id */
    int *many;       /* groups that have had more than one operator */
    int nmany;
    Bits *before; /* scratch of needs_itself */
    int *reached; /* nodes with references, of the program that is written */
    int nreached;
} Fuser;

static inline bool bit_get(const Bits *set, int k)
{
    return set[k >> 6] >> (k & 63) & 1;
}
static inline void bit_set(Bits *set, int k)
{
    set[k >> 6] |= UINT64_C(1) << (k & 63);
}
/* The first member from k on; -1 when there is none. */
static inline int bits_next(const Bits *set, int k, int words)
{
    for (int w = k >> 6; w < words; w++) {
        const Bits rest = w == k >> 6 ? set[w] & ~UINT64_C(0) << (k & 63) : set[w];

        if (rest)
            return w * 64 + __builtin_ctzll(rest);
    }
    return -1;
}
#define FOR_BITS(k, set, words)                                                                    \
    for (int k = bits_next(set, 0, words); k >= 0; k = bits_next(set, k + 1, words))
bool bits_meet(const Bits *a, const Bits *b, int words);
int bits_count(const Bits *a, const Bits *without, int words);
void bits_add(Bits *a, const Bits *b, int words);

/* Find role and driver of each node; how many may be in a pipeline.  (fuse_roles.c) */
ml_status fuse_roles(Fuser *f, int *found);
int fuse_nargs(const Hop *h); /* operands given */
/* Rows that an operator in this role passes over. */
int64_t fuse_rows(const Hop *h, OpFuse role);
/* Does h, in a pipeline over `rows` rows, take its operand k row by row? */
bool fuse_by_row(const Fuser *f, const Hop *h, int k);
static inline bool fuse_has_size(const Hop *h)
{
    return h->dt == DT_MATRIX && h->dims.rows > 0 && h->dims.cols > 0;
}
static inline double fuse_cells(const Hop *h)
{
    return fuse_has_size(h) ? (double)h->dims.rows * (double)h->dims.cols : 1;
}
static inline const Group *fuse_group(const Fuser *f, const Hop *h)
{
    return f->nodes[h->id].group < 0 ? NULL : &f->groups[f->nodes[h->id].group];
}
static inline const FuseNode *fuse_node(const Fuser *f, const Hop *h)
{
    return &f->nodes[h->id];
}

/* Must the pipeline of g store its member h? */
bool fuse_is_result(const Fuser *f, const Group *g, const Hop *h);
/* Which groups pay, and which of their values are computed again rather than stored: those that do
 * not pay lose their members.  (fuse_cost.c) */
ml_status fuse_decide(Fuser *f);
/* The new DAG, with a pipeline for every group that is left. (fuse_text.c) */
ml_status fuse_rebuild(Fuser *f);

#endif
