/* hop: high-level operators.  A checked function becomes a Routine: a tree of program blocks whose
 * basic blocks hold one hash-consed DAG each, so a common subexpression exists once.
 *
 * Calls of functions written in DML end a block; those inside expressions are lifted into
 * temporaries first.  A block is also cut after an operator whose result size depends on data, so
 * that what follows is planned for known sizes. */
#ifndef HOP_H
#define HOP_H

#include "lang/lang.h"

typedef enum HopKind {
    HOP_LITERAL, /* lit */
    HOP_READ,    /* the variable `slot` as it was at block entry */
    HOP_OP,      /* op over in[]; absent optional arguments are NULL */
    HOP_RESULT   /* result number `index` (from 1) of the operator in[0]; result 0 is the operator
                    itself */
} HopKind;

/* Where a call stood whose function was put in line, for the call chain of messages. */
typedef struct InlineSite {
    const char *function;
    Span span;
    const struct InlineSite *outer; /* that this call was itself part of, NULL: the routine's own */
} InlineSite;

/* Names an unknown size; equal names are equal sizes, see names.c. */
typedef const int64_t *SizeName;

typedef struct Hop {
    HopKind kind;
    int id; /* position in the DAG's node list: inputs come before their consumers */
    int op;
    int nin;
    struct Hop **in;
    const char **names; /* names of variadic arguments, list(a=1); or NULL */
    Value lit; /* HOP_LITERAL; of others: the scalar that it is known to be, or value_none() */
    int slot, index;
    const char *variable; /* that it was assigned to in the script, for messages; or NULL */
    int uses;             /* consumers and roots: set by dag_rewrite */
    DataType dt;          /* DT_NONE: unknown */
    ValueType vt;         /* of a scalar; VT_UNKNOWN: unknown */
    Dims dims;            /* of a matrix or frame; -1 unknown */
    double expected;      /* nonzeros by a sketch, where dims.nnz is the worst case; 0: none made */
    SizeName rows_name, cols_name; /* where dims are unknown; rows_name of a scalar: it is a size */
    double bytes;                  /* memory estimate of the result, worst case; < 0 unknown */
    const char *why;               /* what chose this operator, for explain; or NULL */
    bool sure;                     /* HOP_READ: the variable has a value on every path */
    double seconds;                /* estimated time of the operator itself */
    int rule;            /* row + 1 of the rewrite that made this node; 0: written by the user */
    struct Hop *instead; /* of a node that a rule offers: the equal node that it was made for */
    bool counted;        /* its inputs' uses include it (rewrite.c) */
    struct Hop *same;    /* ring of nodes known to have the same value; NULL: none (choose.c) */
    bool number;         /* a scalar that is a number or a boolean, whatever vt says */
    Span span;
    const InlineSite *site;
    const char *
        *said; /* put in line: what the function calls the operands, for messages; or NULL */
    uint64_t hash;
    struct Hop *chain; /* next in the hash bucket */
} Hop;

/* What a statement leaves behind: a variable's new value, or an effect (slot < 0).  In the order of
 * the text. */
typedef struct Root {
    Hop *hop;
    int slot;
} Root;

enum { DAG_BUCKETS = 32 }; /* at first, a power of two */

typedef struct Dag {
    Arena *arena; /* holds nodes and both lists */
    Hop **nodes;
    int count, capacity;
    Root *roots;
    int nroots, roots_capacity;
    const InlineSite *site; /* the call that nodes made now come from: of the node last remade */
    Hop *few[DAG_BUCKETS];  /* by hash */
    Hop **buckets;          /* the same, once there are many nodes: nbuckets > 0 */
    int nbuckets;
} Dag;

/* What is known of a variable at a program point. */
typedef struct VarInfo {
    bool reached; /* false: no value flows here (yet) */
    bool sure;    /* it has a value on every path */
    bool number;  /* a scalar that is a number or a boolean */
    DataType dt;
    ValueType vt;
    Dims dims;
    SizeName rows_name, cols_name;
    Value lit;           /* a scalar known at compile time, else value_none() */
    const Matrix *value; /* borrowed: what it holds while a block is planned on entry; else NULL */
} VarInfo;

typedef enum BlockKind { BLOCK_BASIC, BLOCK_CALL, BLOCK_IF, BLOCK_WHILE, BLOCK_FOR } BlockKind;

typedef struct Block Block;
typedef struct BlockList {
    Block **items;
    int count;
} BlockList;

/* An argument of a call: a variable, or a literal when slot < 0. */
typedef struct CallArg {
    int slot;
    Value lit;
    bool dies; /* the variable is dead after the call */
    bool sure; /* from the analysis: it has a value, of these types */
    DataType dt;
    ValueType vt;
} CallArg;

/* A variable from before a parfor that its iterations change together. */
typedef struct ParforSlot {
    int slot;
    ParforMode mode; /* never PARFOR_LOST: those variables are private */
    bool handed;     /* the body hands its parts to the loop, see parfor.c; otherwise it assigns the
                        variable, of which each worker has its own */
    bool read_back;  /* handed, and the body reads cells of it */
} ParforSlot;

/* What is special about the FOR block of a parfor. */
typedef struct Parfor {
    ParforSlot *results;
    int nresults;
    int *privates; /* variables that an iteration has for itself: without a value when it begins */
    int nprivates;
    const ParforParam *params; /* as given, checked */
    int nparams;
    bool prepared;      /* parfor.c has been over it */
    const char *serial; /* why its iterations run one after the other, or NULL */
} Parfor;

/* Of one iteration (parfor_cost.c). */
typedef struct ParforCost {
    double seconds; /* INFINITY: not known */
    double bytes;   /* of the matrices that a block of statements makes, as far as known */
} ParforCost;
ParforCost parfor_cost(const Block *loop);
/* The first parameter that asks for another place than this machine, NULL: none. */
const ParforParam *parfor_remote(const ParforParam *params, int count);

struct Block {
    BlockKind kind;
    int id;
    int number; /* in the unit: what a run keeps for a block it finds by it */
    Span span;
    const InlineSite *site;
    Dag *dag;       /* BASIC: the statements; IF, WHILE, FOR: empty or the predicate's (see pred) */
    BlockList pred; /* IF, WHILE: blocks that leave the condition in slot cond; FOR: bounds in from,
                       to, step */
    int cond;
    int from, to, step; /* FOR: slots; step < 0: none */
    int loop_slot;
    bool seq;
    Parfor *parfor;  /* FOR: NULL unless it is one */
    bool as_written; /* FOR: the way for ranges that the vectorized form does not do */
    bool dead;       /* FOR: the body computes nothing that is read later, see live.c */
    BlockList body, orelse;
    const FunctionSet *fn; /* CALL */
    CallArg *args;         /* in the order of the parameters; missing ones are filled before */
    int nargs, first_given;
    int *targets; /* slots, -1 dropped */
    int ntargets;
    uint64_t *live_out; /* bit set over slots: read later */
    bool sizes_known; /* every input of the DAG has known type and size: one plan serves for ever */
};

typedef struct Routine {
    const Function *fn;
    Program *program;
    int nslots;         /* variables, lifted temporaries included */
    const char **names; /* of the slots; NULL for temporaries */
    int *results;       /* slot of each result */
    BlockList body;
    int nblocks;
    int nwords;             /* of a bit set over slots */
    VarInfo *params, *outs; /* joined over all calls; of the results */
    VarInfo *ends;          /* of the results before they are cast to their types */
    bool stale;             /* has blocks that were put in line and not analyzed yet */
    int names_capacity;     /* slots that names has room for */
    bool built;             /* all blocks are there; what loops the language drops is decided */
    bool analyzed;          /* reached from the main program or by eval */
    bool settled;           /* propagated and rewritten; plans may exist */
    struct Routine *next;
} Routine;

/* ---- techniques (passes.c, passes.def) ---- */

typedef enum Pass {
#define ML_PASS(id, lowest, text) PASS_##id,
#include "hop/passes.def"
#undef ML_PASS
    PASS_COUNT
} Pass;

typedef struct PassInfo {
    const char *name;
    int level; /* lowest -opt level that has it */
    const char *doc;
} PassInfo;
extern const PassInfo pass_table[PASS_COUNT];

typedef struct CompiledUnit Unit;

/* Set what the unit may do from the options opt and without.  Needs unit->arena. */
ml_status unit_switches(Ctx *ctx, Unit *unit);
/* ML_ENAME when one of the names, separated by commas or blanks, is neither a technique nor a
 * rewrite. */
ml_status optimizer_check(Ctx *ctx, const char *names);
void optimizer_help(Buffer *b); /* techniques and rules, for --help optimizer */

/* Where a rule of the rewrite table fired. */
typedef struct Place {
    int rule;
    Span span;
} Place;

/* Everything compiled of one program. */
struct CompiledUnit {
    Program *program;
    Arena *arena;
    Routine *routines;   /* all, latest first */
    VEC(Value) literals; /* owned: strings made by folding, programs of pipelines */
    Map *texts;          /* programs of pipelines: where they stand in literals */
    int opt;             /* Options.opt */
    uint64_t passes;     /* bit set over Pass: what the optimizer may do */
    bool *rules_off;     /* per rewrite: switched off by name */
    bool uses_eval;
    int nblocks;                    /* numbers given to blocks */
    struct RuleSet *rules;          /* of the rewrites, made when first needed */
    int64_t *fired;                 /* per rewrite, for explain */
    int64_t pass_fired[PASS_COUNT]; /* per technique, for explain and statistics */
    bool explained;                 /* note where and why rules fire */
    VEC(Place) places;
};

static inline bool unit_does(const Unit *unit, Pass pass)
{
    return (unit->passes >> pass) & 1;
}

/* ---- building (build.c, lift.c, dag.c) ---- */

/* The routine of a function with all it calls, sizes propagated.  Compiled once a function; *out is
 * owned by the unit. */
ml_status unit_compile(Ctx *ctx, Unit *unit, Function *fn, Routine **out);
void unit_free(Unit *unit);
/* The member of a set that a call reaches when its first argument is of this type. */
const Function *pick_variant(const FunctionSet *set, DataType first);
static inline Routine *routine_of(const Function *fn)
{
    return fn ? fn->compiled : NULL;
}

Dag *dag_new(Arena *arena);
bool dag_root(Dag *dag, Hop *hop, int slot); /* false when memory is exhausted */
Hop *hop_literal(Dag *dag, Value v, Span span);
uint64_t hop_literal_hash(const Hop *h);
bool hop_literal_same(const Hop *a,
                      const Hop *b); /* doubles by their bits, strings by their text */
Hop *hop_read(Dag *dag, int slot, Span span);
Hop *hop_result(Dag *dag, Hop *of, int index, Span span);
/* The operator over in[]: an equal node when there is one, a literal when all is literal and
 * foldable. */
Hop *hop_op(Ctx *ctx, Unit *unit, Dag *dag, int op, Hop **in, const char **names, int nin,
            Span span);
static inline const OpInfo *hop_info(const Hop *h)
{
    return &op_table[h->op];
}
static inline bool hop_is_op(const Hop *h, int op)
{
    return h && h->kind == HOP_OP && h->op == op;
}
/* The same node in another DAG, over the nodes that stand there for its inputs (map, by old id),
 * with what is known of it. */
Hop *hop_remake(Ctx *ctx, Unit *unit, Dag *dag, const Hop *old, Hop *const *map);
/* What was found out about a node, for the one that takes its place. */
void hop_take_facts(Hop *h, const Hop *old);
/* Copy a DAG into another arena, nodes in order. */
Dag *dag_copy(const Dag *dag, Arena *arena);
/* Would another evaluation give another result, or have an effect? */
bool hop_is_unique(const Hop *h);
bool hop_has_effect(const Hop *h); /* must stay in order and must not be shared */

static inline bool is_numeric(ValueType vt)
{
    return vt == VT_INT || vt == VT_DOUBLE || vt == VT_BOOL;
}

/* ---- sizes (propagate.c) ---- */

/* Infer dt, vt, dims and bytes of every node from what is known of the variables at entry (one
 * VarInfo a slot). */
void dag_infer(const Ctx *ctx, Dag *dag, const VarInfo *vars);
/* The same for one operator whose inputs are known. */
void hop_infer(const Ctx *ctx, Hop *h);
/* From `main` over all routines that it reaches and that are not settled yet, until nothing
 * changes: the facts of nodes, parameters and results. */
ml_status unit_analyze(Ctx *ctx, Unit *unit, Routine *main);
/* One more walk over the same routines: applies the static rewrites, sets sizes_known. */
ml_status unit_rewrite(Ctx *ctx, Unit *unit);
VarInfo var_unknown(void);
bool known_truth(Value v, bool *holds); /* is this the known value of a condition, and which? */

/* ---- the whole (optimize.c) ---- */

/* Analyze and optimize what `main` reaches and is not settled yet; then it can be planned and run.
 */
ml_status unit_optimize(Ctx *ctx, Unit *unit, Routine *main);

/* ---- unknown sizes that are equal (names.c) ---- */

void hop_name_sizes(Hop *h); /* of an operator node, after its size is inferred */
void hop_own_names(Hop *h);  /* those that have none yet */
bool sizes_equal(int64_t a, SizeName a_name, int64_t b, SizeName b_name);
static inline bool hop_rows_equal(const Hop *a, const Hop *b)
{
    return sizes_equal(a->dims.rows, a->rows_name, b->dims.rows, b->rows_name);
}
static inline bool hop_cols_equal(const Hop *a, const Hop *b)
{
    return sizes_equal(a->dims.cols, a->cols_name, b->dims.cols, b->cols_name);
}

/* ---- liveness (live.c): sets live_out of every block and `dies` of call arguments ---- */

ml_status routine_liveness(Ctx *ctx, Unit *unit, Routine *r);
static inline bool slot_in(const uint64_t *set, int slot)
{
    return (set[slot >> 6] >> (slot & 63)) & 1;
}

/* ---- cost (infer.c) ---- */

/* What the estimates assume of the machine: two cores of some years. */
#define COST_FLOPS_PER_SECOND 2e10
#define COST_BYTES_PER_SECOND 1e10
#define COST_OPERATOR_SECONDS 1e-6
#define COST_SCALAR_SECONDS 3e-8

double hop_flops(const Hop *h); /* of an operator node, by op_flops */

/* ---- rewrites (rewrite.c, rewrites.def) ---- */

typedef enum RewriteStage {
    REWRITE_SIMPLIFY = 1, /* never dearer: applied wherever it matches */
    REWRITE_CHOOSE = 2    /* another form, taken where the estimated cost is lower; needs sizes */
} RewriteStage;

typedef struct RewriteCall {
    Ctx *ctx;
    Unit *unit;
    Dag *dag;
} RewriteCall;

/* The node that replaces h, or NULL when the pattern does not match.  May add nodes to the DAG. */
typedef Hop *(*RewriteFn)(RewriteCall *c, Hop *h);

typedef struct RewriteInfo {
    const char *name;
    RewriteStage stage;
    int on; /* the operator at the root, or a class of pattern.h, or ANY_NODE */
    const char *pattern, *replacement, *conditions; /* as pattern.h reads them; NULL: fn */
    RewriteFn fn;
    const char *doc;
} RewriteInfo;
extern const RewriteInfo rewrite_table[];
enum { REWRITES_MAX = 256 }; /* rows, at most */
extern const int rewrite_count;

/* Count that a rule put one node in the place of another, for explain; `made`: it made the node. */
void rule_fired(Unit *unit, Arena *arena, int rule, const Hop *was, Hop *is, bool made);
/* A variable that is not read after the block is but a name of a node that others need: such roots
 * go, so that the node counts as used once.  They stay where an effect would come before the node's
 * evaluation, which may fail.  Variables that nothing needs and whose values cannot fail go as
 * well. */
ml_status dag_drop_names(Ctx *ctx, Dag *dag, const uint64_t *live_out);
/* Apply the rules up to this stage; dead nodes are dropped and ids set anew. */
ml_status dag_compact(Ctx *ctx, Unit *unit, Dag *dag); /* drop nodes that no root needs */
ml_status dag_rewrite(Ctx *ctx, Unit *unit, Dag *dag, RewriteStage stage);
/* A guarded rule (see rewrites.def) and the patterns of its two forms, for who evaluates it. */
typedef struct Pattern Pattern;
typedef struct GuardedRule {
    const Pattern *exact, *fast;
    uint64_t operands; /* bit set over letters: the operands, in this order */
    uint64_t checked;  /* operands that must be finite; 0: the result */
} GuardedRule;
ml_status guarded_rule(Ctx *ctx, Unit *unit, int row, GuardedRule *out);

/* ---- chains of matrix products (chain.c) ---- */

/* Put chains of products into their cheapest order; sizes must be known.  vars as for dag_infer,
 * with the values at hand, or NULL: then nonzeros are what dag_infer found. */
ml_status dag_chains(Ctx *ctx, Unit *unit, const Routine *r, Dag *dag, const VarInfo *vars);
bool dag_has_chains(const Dag *dag); /* a product of a product: its plan depends on nonzeros */

/* ---- fused pipelines (fuse.c) ---- */

/* Put operators that one pass over their rows can do into `pipeline` operators.  The last thing
 * done to a DAG before it is planned. */
ml_status dag_fuse(Ctx *ctx, Unit *unit, Dag *dag, const uint64_t *live_out);

/* ---- explain (explain.c, svg.c) ---- */

/* A walk over the blocks of all routines that writes a line for each into b; `basic` writes what a
 * basic block holds. */
typedef struct Explainer Explainer;
struct Explainer {
    const Unit *unit;
    Buffer *b;
    ml_status (*basic)(Explainer *e, const Routine *r, const Block *block, int depth);
    void *arg;
};
ml_status explain_program(Explainer *e, const Routine *main);
void explain_statements(Buffer *b, const Routine *r, const Dag *dag, int depth);
void explain_dag(Buffer *b, const Routine *r, const Dag *dag, int depth);
void explain_cost(Buffer *b, const Routine *r, const Dag *dag, int depth);
void explain_fused(Buffer *b, const Routine *r, const Dag *dag, int depth);
void explain_fired(Buffer *b, const Unit *unit);    /* rules and passes with their counts */
void explain_rewrites(Buffer *b, const Unit *unit); /* where rules fired, see Unit.places */

/* The plan as a picture; dag_of gives the DAG to show of a basic block. */
typedef ml_status (*SvgDag)(void *arg, const Routine *r, const Block *block, Arena *arena,
                            Dag **out);
ml_status explain_svg(Ctx *ctx, Buffer *b, const Unit *unit, const Routine *main, SvgDag dag_of,
                      void *arg);

/* Pieces of a line. */
void explain_indent(Buffer *b, int depth);
void explain_title(Buffer *b, const Routine *r, const Block *block);
void explain_call(Buffer *b, const Routine *r, const Block *block);
void explain_literal(Buffer *b, Value v);
void explain_dims(Buffer *b, DataType dt, ValueType vt, Dims d);
void explain_size(Buffer *b, double bytes); /* 1.5 MB; ? when unknown */
/* Dims and bytes, a tab, the format that the estimate selects and why; expected as of Hop. */
void explain_value(Buffer *b, DataType dt, ValueType vt, Dims d, double bytes, double expected);
double hop_bytes_in(const Hop *h); /* of the matrices that it reads; < 0 or infinite: unknown */

#endif
