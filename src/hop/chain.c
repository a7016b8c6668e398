/* Chains of matrix products: found in a DAG, put into their cheapest order, written back.
 *
 * Requires: types and sizes inferred.  Keeps: hash-consing, the order of roots; the sizes of what
 * it makes are inferred.  What it makes is written as scripts write it, t(X) %*% (X %*% v), so that
 * the rewrites find their patterns and choose the physical forms.
 *
 * Products and transposes are *links*.  A link that something else than a link reads is *needed*:
 * it ends a chain, whose factors are found by descending through links that are not opaque.  A
 * chain that contains all factors of a needed link finds it ready, for nothing.  A link that only
 * several chains read is computed for them when that makes the whole cheaper.
 *
 * Reassociation is an identity of real numbers.  In floating point digits move by rounding errors,
 * and where an infinity meets a zero, or an intermediate product overflows, an order can have a NaN
 * or infinity that another has not; docs/explain.md says so, and -without product_chains keeps the
 * order written.  Cost: linear in nodes but for chains of three and more factors. */
#include "hop/chain.h"
#include "hop/rewrite.h"

#include <math.h>
#include <string.h>

enum { SHARED_LINKS = 8, SKETCHED_FACTORS = 8 };

/* Nanoseconds to count a nonzero, to estimate a part of a chain; sketching may take the
 * SKETCH_SHARE-th part of the time of the products. */
enum { NS_COUNT = 5, NS_PART = 20000, SKETCH_SHARE = 10 };

typedef struct Links {
    Ctx *ctx;
    Unit *unit;
    const Routine *r;
    const VarInfo *vars;
    Dag *dag, *out;
    Hop **map;         /* by old id: the node in `out` */
    int *length;       /* factors below a link; 1: no link */
    bool *live, *link; /* products and transposes with known sizes */
    bool *needed;      /* computed whatever the chains do */
    bool *opaque;      /* a factor, as its own chain would be too long */
    int *readers;      /* of a link: links that read it */
    int *products;     /* ids of links with several factors */
    int nproducts;
    Chain *spare; /* for the next chain to be written back, or NULL */
    Nonzeros nonzeros;
} Links;

/* ---- links ---- */

/* Operands of a product in any form: a %*% b with either transposed. */
typedef struct Pair {
    Hop *a, *b;
    bool ta, tb;
} Pair;

static bool product_pair(const Hop *h, Pair *p)
{
    static const struct {
        int op;
        bool ta, tb;
    } forms[] = {{OP_matmult, false, false},
                 {OP_matmult_tn, true, false},
                 {OP_matmult_nt, false, true},
                 {OP_tsmm, true, false},
                 {OP_tsmm_right, false, true}};

    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
        if (hop_is_op(h, forms[k].op)) {
            *p = (Pair){h->in[0], h->in[h->nin > 1 ? 1 : 0], forms[k].ta, forms[k].tb};
            return true;
        }
    return false;
}

static bool has_size(const Hop *h)
{
    return h && h->dt == DT_MATRIX && h->dims.rows >= 0 && h->dims.cols >= 0;
}

/* Operands that do not fit are the kernel's to report. */
static bool is_link(const Hop *h)
{
    Pair p;

    if (!has_size(h))
        return false;
    if (hop_is_op(h, OP_t))
        return has_size(h->in[0]);
    return product_pair(h, &p) && has_size(p.a) && has_size(p.b) &&
           (p.ta ? p.a->dims.rows : p.a->dims.cols) == (p.tb ? p.b->dims.cols : p.b->dims.rows);
}

static void find_live(Links *l)
{
    for (int k = 0; k < l->dag->nroots; k++)
        l->live[l->dag->roots[k].hop->id] = true;
    for (int k = l->dag->count - 1; k >= 0; k--)
        for (int j = 0; l->live[k] && j < l->dag->nodes[k]->nin; j++)
            if (l->dag->nodes[k]->in[j])
                l->live[l->dag->nodes[k]->in[j]->id] = true;
}

static void find_readers(Links *l)
{
    for (int k = 0; k < l->dag->nroots; k++)
        l->needed[l->dag->roots[k].hop->id] = true;
    for (int k = 0; k < l->dag->count; k++) {
        const Hop *h = l->dag->nodes[k];

        l->link[k] = l->live[k] && is_link(h);
        for (int j = 0; l->live[k] && j < h->nin; j++)
            if (h->in[j] && l->link[k])
                l->readers[h->in[j]->id]++;
            else if (h->in[j])
                l->needed[h->in[j]->id] = true;
    }
}

/* A chain that would become too long ends at the longer operand. */
static void measure(Links *l, int id)
{
    const Hop *h = l->dag->nodes[id];
    Pair p;
    int *a, *b;

    l->length[id] = 1;
    if (!l->link[id])
        return;
    if (!product_pair(h, &p)) {
        l->length[id] = l->length[h->in[0]->id];
        return;
    }
    a = &l->length[p.a->id];
    b = &l->length[p.b->id];
    while (*a + *b > CHAIN_FACTORS) {
        const int longer = *a >= *b ? p.a->id : p.b->id;

        l->needed[longer] = l->opaque[longer] = true;
        l->length[longer] = 1;
    }
    l->length[id] = *a + *b;
}

/* ---- the factors of a chain ---- */

static void add_factor(Chain *c, const Hop *h, bool t, bool both)
{
    const Dims d = h->dims;

    c->factors[c->n++] =
        (ChainFactor){.hop = h,
                      .t = t,
                      .both = both,
                      .rows = (double)(t ? d.cols : d.rows),
                      .cols = (double)(t ? d.rows : d.cols),
                      .nnz = d.nnz < 0 ? (double)d.rows * (double)d.cols : (double)d.nnz};
}

/* Append the factors of a node, or of its transpose, and where they are multiplied. */
static void flatten(const Links *l, Chain *c, const Hop *h, bool t, bool both)
{
    const int first = c->n;
    Pair p;
    int split;

    if (!l->link[h->id] || l->opaque[h->id]) {
        add_factor(c, h, t, both);
        return;
    }
    if (!product_pair(h, &p)) {
        flatten(l, c, h->in[0], !t, l->needed[h->id]);
        return;
    }
    flatten(l, c, t ? p.b : p.a, t != (t ? p.tb : p.ta), false);
    split = c->n - 1;
    flatten(l, c, t ? p.a : p.b, t != (t ? p.ta : p.tb), false);
    c->parts[first][c->n - 1].written = split;
}

static void collect(const Links *l, Chain *c, const Hop *head)
{
    c->n = 0;
    c->span = head->span;
    c->site = head->site;
    c->arena = l->out->arena;
    c->sketched = false;
    for (int i = 0; i < l->length[head->id]; i++)
        for (int j = i; j < l->length[head->id]; j++)
            c->parts[i][j] = (ChainPart){.written = -1};
    flatten(l, c, head, false, false);
}

/* Is there an order to choose?  Of one product only whether it is transposed. */
static bool has_choice(const Links *l, const Hop *h)
{
    return l->link[h->id] &&
           (l->length[h->id] > 2 || (l->length[h->id] == 2 && hop_is_op(h, OP_t)));
}

/* ---- parts that are there anyway ---- */

/* Note where the factors of `other`, a needed link, occur in the chain. */
static void note_ready(Chain *c, const Chain *other, const Hop *h)
{
    for (int i = 0; i + other->n <= c->n; i++) {
        ChainPart *p = &c->parts[i][i + other->n - 1];

        for (int t = 0; t < 2 && !p->ready; t++)
            if (chain_same(&c->factors[i], other->factors, other->n, t)) {
                p->ready = h;
                p->ready_t = t;
            }
    }
}

/* May the chain hold all factors of this link?  Looks at the outermost ones only. */
static bool may_occur(const Links *l, const Chain *c, const Hop *h)
{
    Pair p;

    if (!product_pair(h, &p))
        return true;
    for (int side = 0; side < 2; side++) {
        const Hop *x = side ? p.b : p.a;
        bool found = false;

        while (l->link[x->id] && hop_is_op(x, OP_t))
            x = x->in[0];
        for (int k = 0; k < c->n; k++)
            found |= c->factors[k].hop == x;
        if (!found && (!l->link[x->id] || l->opaque[x->id]))
            return false;
    }
    return true;
}

static void find_ready(const Links *l, Chain *c, const Hop *head, Chain *scratch)
{
    for (int k = 0; k < l->nproducts; k++) {
        const int id = l->products[k];
        const Hop *h = l->dag->nodes[id];

        if (!l->needed[id] || h == head || l->length[id] < 2 || l->length[id] >= c->n ||
            !may_occur(l, c, h))
            continue;
        collect(l, scratch, h);
        note_ready(c, scratch, h);
    }
}

/* ---- costs ---- */

static bool is_sparse(const ChainFactor *f)
{
    return matrix_is_sparse((int64_t)f->rows, (int64_t)f->cols, (int64_t)f->nnz);
}

/* Is there a sparse factor, and are the products dear enough for counting its nonzeros?  `cost` is
 * that of the chain in nanoseconds, so far estimated. */
static bool is_worth_sketching(const Links *l, const Chain *c, double cost)
{
    double counted = 0;
    bool sparse = false;

    if (!unit_does(l->unit, PASS_sketch) || c->n < 3 || c->n > SKETCHED_FACTORS)
        return false;
    for (int k = 0; k < c->n; k++) {
        const ChainFactor *f = &c->factors[k];

        sparse |= is_sparse(f);
        counted += (is_sparse(f) ? f->nnz : 0) + c->n * (f->rows + f->cols);
    }
    return sparse && SKETCH_SHARE * (NS_COUNT * counted + NS_PART * c->n * c->n / 2) < cost;
}

static void sketch_factors(Links *l, Chain *c)
{
    for (int k = 0; k < c->n; k++) {
        ChainFactor *f = &c->factors[k];
        const Sketch *s = hop_sketch(&l->nonzeros, f->hop);

        f->sketch = s && f->t ? sketch_transposed(c->arena, s) : s;
        if (f->sketch)
            f->nnz = f->sketch->nnz;
    }
}

static void solve(Links *l, Chain *c, const Hop *head, Chain *scratch)
{
    collect(l, c, head);
    find_ready(l, c, head, scratch);
    chain_order(c);
    c->sketched = is_worth_sketching(l, c, c->parts[0][c->n - 1].cost[0]);
    if (c->sketched) {
        sketch_factors(l, c);
        chain_order(c);
    }
}

/* Of all chains, each needed link computed once. */
static double total_cost(Links *l, Chain *c, Chain *scratch)
{
    double sum = 0;

    for (int k = 0; k < l->nproducts; k++)
        if (l->needed[l->products[k]] && l->length[l->products[k]] > 1) {
            solve(l, c, l->dag->nodes[l->products[k]], scratch);
            sum += c->parts[0][c->n - 1].cost[0];
        }
    return sum;
}

/* Links that only chains read, but several of them: computed once, or taken apart by each? */
static void choose_shared(Links *l, Chain *c, Chain *scratch)
{
    int tried = 0;

    for (int k = 0; k < l->dag->count; k++)
        if (l->link[k] && !l->needed[k] && l->readers[k] > 1 && l->length[k] > 1)
            l->needed[k] = true;
        else
            l->readers[k] = 0;
    for (int k = 0; k < l->dag->count && tried < SHARED_LINKS; k++) {
        double with;

        if (!l->readers[k])
            continue;
        tried++;
        with = total_cost(l, c, scratch);
        l->needed[k] = false;
        l->needed[k] = with <= total_cost(l, c, scratch);
    }
}

/* ---- writing the chains back ---- */

static Hop *emit(Links *l, const Hop *old);
static Hop *emit_part(Links *l, const Chain *c, int i, int j, bool t);

static Hop *make(Links *l, const Chain *c, int op, Hop *x, Hop *y)
{
    if (!x || (!y && op_nargs(&op_table[op]) > 1))
        return NULL;
    l->out->site = c->site;
    return hop_make(l->ctx, l->unit, l->out, op, (Hop *[]){x, y}, y ? 2 : 1, c->span);
}

static Hop *emit_transpose(Links *l, const Chain *c, Hop *x)
{
    return make(l, c, OP_t, x, NULL);
}

static Hop *emit_factor(Links *l, const ChainFactor *f, const Chain *c, bool t)
{
    Hop *x = emit(l, f->hop);

    return x && f->t != t ? emit_transpose(l, c, x) : x;
}

/* left %*% right, of the transposed product t(right) %*% t(left). */
static Hop *emit_product(Links *l, const Chain *c, int i, int j, bool t)
{
    const ChainPart *p = &c->parts[i][j];
    const int s = p->split[t], al = t ? s + 1 : i, ar = t ? j : s, bl = t ? i : s + 1,
              br = t ? s : j;
    const ChainForm form = p->form[t];
    Hop *a = emit_part(l, c, al, ar, form == CHAIN_TN ? !t : t);
    Hop *b = a ? emit_part(l, c, bl, br, form == CHAIN_NT ? !t : t) : NULL;

    a = form == CHAIN_TN ? emit_transpose(l, c, a) : a;
    b = form == CHAIN_NT ? emit_transpose(l, c, b) : b;
    return make(l, c, OP_matmult, a, b);
}

static Hop *emit_passes(Links *l, const Chain *c, int i, int j, bool t)
{
    const ChainFactor *f = &c->factors[t ? j : i];
    Hop *x = emit(l, f->hop), *v = emit_part(l, c, t ? i : i + 2, t ? j - 2 : j, t);
    Hop *y = make(l, c, OP_matmult, x, v);

    return make(l, c, OP_matmult, emit_transpose(l, c, x), y);
}

static Hop *emit_form(Links *l, const Chain *c, int i, int j, bool t)
{
    const ChainPart *p = &c->parts[i][j];
    Hop *x, *y;

    switch (p->form[t]) {
    case CHAIN_FACTOR:
        return emit_factor(l, &c->factors[i], c, t);
    case CHAIN_READY:
        return emit(l, p->ready);
    case CHAIN_TRANSPOSE:
        x = emit_part(l, c, i, j, !t);
        return x ? emit_transpose(l, c, x) : NULL;
    case CHAIN_SELF:
        x = emit_part(l, c, p->split[t] + 1, j, p->other);
        y = emit_transpose(l, c, x);
        return make(l, c, OP_matmult, p->other ? x : y, p->other ? y : x);
    case CHAIN_PASSES:
        return emit_passes(l, c, i, j, t);
    case CHAIN_PLAIN:
    case CHAIN_TN:
    case CHAIN_NT:
        return emit_product(l, c, i, j, t);
    case CHAIN_NOT_YET:
        break;
    }
    return NULL;
}

static Hop *emit_part(Links *l, const Chain *c, int i, int j, bool t)
{
    Hop *h = emit_form(l, c, i, j, t);

    if (h && i < j && c->sketched)
        h->expected = c->parts[i][j].nnz;
    return h;
}

/* The order as text: (A %*% B) %*% t(C). */
static void order_text(const Links *l, const Chain *c, Buffer *b, int i, int j)
{
    const ChainPart *p = &c->parts[i][j];
    const bool t = p->form[0] == CHAIN_TRANSPOSE;
    const Hop *h = i == j ? c->factors[i].hop : p->ready;
    const char *name;

    if (i == j || p->form[t] == CHAIN_READY) {
        name = h->kind == HOP_READ ? l->r->names[h->slot] : h->variable;
        buffer_format(b, (i == j ? c->factors[i].t : t) ? "t(%s)" : "%s", name ? name : "_");
        return;
    }
    buffer_text(b, j - i + 1 < c->n ? "(" : "");
    order_text(l, c, b, i, p->split[t]);
    buffer_text(b, " %*% ");
    order_text(l, c, b, p->split[t] + 1, j);
    buffer_text(b, j - i + 1 < c->n ? ")" : "");
}

/* Say what was chosen, where it is another order than the script's. */
static void explain_order(Links *l, const Chain *c, Hop *h)
{
    const double gain = chain_written_cost(c) / c->parts[0][c->n - 1].cost[0];
    Buffer b = {0};

    if (!(gain > 1.05))
        return;
    l->unit->pass_fired[PASS_product_chains]++;
    order_text(l, c, &b, 0, c->n - 1);
    if (!b.failed && b.data)
        h->why = arena_format(l->out->arena, "product chain %s, %.*f times faster than as written",
                              b.data, gain < 10, gain);
    buffer_free(&b);
}

static Hop *emit_chain(Links *l, const Hop *head)
{
    Chain *c = l->spare ? l->spare : mem_alloc(2 * sizeof *c);
    Hop *h;

    if (!c)
        return NULL;
    l->spare = NULL;
    solve(l, &c[0], head, &c[1]);
    h = emit_part(l, &c[0], 0, c[0].n - 1, false);
    if (h && !h->variable)
        h->variable = head->variable;
    if (h)
        explain_order(l, &c[0], h);
    mem_free(l->spare);
    l->spare = c;
    return h;
}

static Hop *emit(Links *l, const Hop *old)
{
    Hop **place = &l->map[old->id];

    if (*place)
        return *place;
    if (has_choice(l, old))
        return *place = emit_chain(l, old);
    for (int k = 0; k < old->nin; k++) /* a link that this one alone needs */
        if (old->in[k] && !emit(l, old->in[k]))
            return NULL;
    return *place = hop_remake(l->ctx, l->unit, l->out, old, l->map);
}

static ml_status emit_all(Links *l)
{
    Dag *dag = l->dag;

    for (int k = 0; k < dag->count; k++)
        if (l->live[k] && (!l->link[k] || l->needed[k]) && !emit(l, dag->nodes[k]))
            return fail_memory(l->ctx, sizeof(Hop));
    for (int k = 0; k < dag->nroots; k++)
        if (!dag_root(l->out, l->map[dag->roots[k].hop->id], dag->roots[k].slot))
            return fail_memory(l->ctx, sizeof(Root));
    *dag = *l->out;
    return ML_OK;
}

/* ---- the pass ---- */

static bool any_choice(const Links *l)
{
    for (int k = 0; k < l->dag->count; k++)
        if (has_choice(l, l->dag->nodes[k]))
            return true;
    return false;
}

static ml_status reorder(Links *l)
{
    Chain *c;
    ml_status st;

    l->out = dag_new(l->dag->arena);
    c = mem_alloc(2 * sizeof *c);
    if (!l->out || !c) {
        mem_free(c);
        return fail_memory(l->ctx, sizeof *c);
    }
    choose_shared(l, &c[0], &c[1]);
    l->spare = c;
    st = emit_all(l);
    mem_free(l->spare);
    return st;
}

bool dag_has_chains(const Dag *dag)
{
    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];
        Pair p, inner;

        if (!product_pair(h, &p))
            continue;
        for (int j = 0; j < 2; j++) {
            const Hop *x = j ? p.b : p.a;

            if (product_pair(hop_is_op(x, OP_t) ? x->in[0] : x, &inner))
                return true;
        }
    }
    return false;
}

ml_status dag_chains(Ctx *ctx, Unit *unit, const Routine *r, Dag *dag, const VarInfo *vars)
{
    const int n = dag->count + 1;
    Arena *a = dag->arena;
    Links l = {.ctx = ctx, .unit = unit, .r = r, .vars = vars, .dag = dag};

    l.live = ARENA_ARRAY(a, bool, n);
    l.link = ARENA_ARRAY(a, bool, n);
    l.needed = ARENA_ARRAY(a, bool, n);
    l.opaque = ARENA_ARRAY(a, bool, n);
    l.length = ARENA_ARRAY(a, int, n);
    l.readers = ARENA_ARRAY(a, int, n);
    l.products = ARENA_ARRAY(a, int, n);
    l.map = ARENA_ARRAY(a, Hop *, n);
    l.nonzeros = (Nonzeros){a, vars, ARENA_ARRAY(a, Sketch *, n)};
    if (!l.live || !l.link || !l.needed || !l.opaque || !l.length || !l.readers || !l.products ||
        !l.map || !l.nonzeros.memo)
        return fail_memory(ctx, (size_t)n * sizeof(Hop *));
    find_live(&l);
    find_readers(&l);
    for (int k = 0; k < dag->count; k++) {
        measure(&l, k);
        if (l.length[k] > 1)
            l.products[l.nproducts++] = k;
    }
    return any_choice(&l) ? reorder(&l) : ML_OK;
}
