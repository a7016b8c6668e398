/* The cheapest order of a chain of matrix products, by dynamic programming over its parts.
 *
 * A part is a run of factors; every part may be computed as it stands or transposed, because the
 * kernels take either operand transposed (tn, nt) and t(A B) = t(B) t(A).  So the table has two
 * entries a part, and a product has three forms for each; the fourth, both operands transposed, is
 * the transpose of a product and so the other entry.  Parts that the program computes anyway cost
 * nothing, a part next to its own transpose is computed once and multiplied by tsmm, and t(X) (X v)
 * reads X once.
 *
 * A cost is the time of arithmetic and of memory traffic, from expected nonzeros.  The order of
 * the script stands unless another one is clearly cheaper: estimates are not worth different
 * digits.
 *
 * Source: dynamic programming for chains is Godbole, "On Efficient Computation of Matrix Chain
 * Products", 1973; with sparsity Sommer et al. (op/sketch.h).  Cost: n^3 products. */
#include "hop/chain.h"

#include <math.h>

/* As of op_flops: nanoseconds of a multiplication and addition of two dense cells, of memory moved,
 * and how much slower nonzeros of a sparse and of two sparse factors go.  A new order must take at
 * most the share CLEARLY of the time of the written one. */
static const double NS_DENSE = 2e9 / COST_FLOPS_PER_SECOND, NS_BYTE = 1e9 / COST_BYTES_PER_SECOND,
                    NS_CALL = 1e9 * COST_OPERATOR_SECONDS, SPARSE = 4, BOTH_SPARSE = 20,
                    CLEARLY = 0.9;

static double part_bytes(const ChainPart *p, bool *sparse)
{
    *sparse = matrix_is_sparse((int64_t)p->rows, (int64_t)p->cols, (int64_t)p->nnz);
    return *sparse ? 12 * p->nnz + 8 * p->rows : 8 * p->rows * p->cols;
}

/* Multiplications of two sparse factors: column k of the left meets row k of the right. */
static double both_sparse(const ChainPart *x, const ChainPart *y)
{
    double sum = 0;

    if (!x->sketch || !y->sketch)
        return x->cols > 0 ? x->nnz * y->nnz / x->cols : 0;
    for (int64_t k = 0; k < x->sketch->cols; k++)
        sum += x->sketch->col[k] * y->sketch->row[k];
    return sum;
}

/* Nanoseconds of the arithmetic alone. */
static double work(const ChainPart *x, const ChainPart *y)
{
    bool sx, sy;

    part_bytes(x, &sx);
    part_bytes(y, &sy);
    if (sx && sy)
        return NS_DENSE * BOTH_SPARSE * both_sparse(x, y);
    if (sx || sy)
        return NS_DENSE * SPARSE * (sx ? x->nnz * y->cols : y->nnz * x->rows);
    return NS_DENSE * x->rows * x->cols * y->cols;
}

static double moved(const ChainPart *p)
{
    bool sparse;

    return NS_BYTE * part_bytes(p, &sparse);
}

double chain_product_cost(const ChainPart *x, const ChainPart *y, double nnz)
{
    const ChainPart out = {.rows = x->rows, .cols = y->cols, .nnz = nnz};

    return NS_CALL + work(x, y) + moved(x) + moved(y) + moved(&out);
}

/* t(P) %*% P: half the work, P read once. */
static double self_cost(const ChainPart *x, const ChainPart *p, const ChainPart *out)
{
    return NS_CALL + work(x, p) / 2 + moved(p) + moved(out);
}

/* t(X) %*% (X %*% v): twice the work of a product, X read once; the column between stays in cache.
 */
static double passes_cost(const ChainPart *x)
{
    bool sparse;
    const double cells = part_bytes(x, &sparse) > 0 && sparse ? SPARSE * x->nnz : x->rows * x->cols;

    return NS_CALL + 2 * NS_DENSE * cells + moved(x);
}

static double transpose_cost(const ChainPart *p)
{
    return NS_CALL + 3 * moved(p);
}

bool chain_same(const ChainFactor *a, const ChainFactor *b, int n, bool t)
{
    for (int k = 0; k < n; k++) {
        const ChainFactor *other = &b[t ? n - 1 - k : k];

        if (a[k].hop != other->hop || (a[k].t == other->t) == t)
            return false;
    }
    return true;
}

/* ---- one part ---- */

static void offer(ChainPart *p, bool t, ChainForm form, int split, double cost)
{
    if (cost < p->cost[t]) {
        p->cost[t] = cost;
        p->form[t] = form;
        p->split[t] = split;
    }
}

/* Nonzeros of the product of two parts. */
static void estimate(Chain *c, const ChainPart *x, const ChainPart *y, ChainPart *out)
{
    const double cells = x->rows * y->cols, inner = x->cols;

    out->sketch = c->sketched && x->sketch && y->sketch
                      ? sketch_product(c->arena, x->sketch, y->sketch)
                      : NULL;
    if (out->sketch)
        out->nnz = out->sketch->nnz;
    else if (cells > 0 && inner > 0)
        out->nnz =
            -cells *
            expm1(inner *
                  log1p(-fmin(x->nnz / (x->rows * inner) * (y->nnz / (inner * y->cols)), 1)));
    else
        out->nnz = 0;
}

/* The three forms of left %*% right, and of its transpose. */
static void offer_products(ChainPart *p, const ChainPart *l, const ChainPart *r, int split,
                           bool square, double cost)
{
    for (int t = 0; t < 2; t++) {
        const ChainPart *a = t ? r : l, *b = t ? l : r;

        offer(p, t, CHAIN_PLAIN, split, (square ? 0 : a->cost[t]) + b->cost[t] + cost);
        offer(p, t, CHAIN_TN, split, a->cost[!t] + b->cost[t] + cost);
        offer(p, t, CHAIN_NT, split, a->cost[t] + b->cost[!t] + cost);
    }
}

static void offer_self(ChainPart *p, const ChainPart *l, const ChainPart *r, int split)
{
    const bool other = r->cost[1] < r->cost[0];

    for (int t = 0; t < 2; t++) {
        const double before = p->cost[t];

        offer(p, t, CHAIN_SELF, split, r->cost[other] + self_cost(l, r, p));
        if (p->cost[t] < before)
            p->other = other;
    }
}

static void offer_split(const Chain *c, ChainPart *p, int i, int j, int s)
{
    const ChainPart *l = &c->parts[i][s], *r = &c->parts[s + 1][j];
    const double cost = chain_product_cost(l, r, p->nnz);
    const int n = s - i + 1;
    const bool halves = n == j - s;

    offer_products(p, l, r, s, halves && chain_same(&c->factors[i], &c->factors[s + 1], n, false),
                   cost);
    if (halves && chain_same(&c->factors[i], &c->factors[s + 1], n, true))
        offer_self(p, l, r, s);
}

/* t(X) %*% (X %*% v), and t(v) %*% t(X) %*% X as the transpose of it: two products for the bytes of
 * one. */
static void offer_passes(const Chain *c, ChainPart *p, int i, int j)
{
    const ChainFactor *f = c->factors;
    const ChainPart *x, *v;

    if (j - i < 2)
        return;
    if (p->cols == 1 && f[i].t && !f[i + 1].t && f[i].hop == f[i + 1].hop) {
        x = &c->parts[i + 1][i + 1];
        v = &c->parts[i + 2][j];
        offer(p, 0, CHAIN_PASSES, i, v->cost[0] + passes_cost(x));
    }
    if (p->rows == 1 && f[j - 1].t && !f[j].t && f[j].hop == f[j - 1].hop) {
        x = &c->parts[j - 1][j - 1];
        v = &c->parts[i][j - 2];
        offer(p, 1, CHAIN_PASSES, j - 1, v->cost[1] + passes_cost(x));
    }
}

static void offer_transposes(ChainPart *p)
{
    const double cost = transpose_cost(p);

    for (int t = 0; t < 2; t++)
        offer(p, t, CHAIN_TRANSPOSE, -1, p->cost[!t] + cost);
}

static void begin(ChainPart *p)
{
    for (int t = 0; t < 2; t++) {
        p->cost[t] = INFINITY;
        p->form[t] = CHAIN_NOT_YET;
    }
    if (p->ready)
        offer(p, p->ready_t, CHAIN_READY, -1, 0);
}

static double least(const ChainPart *p)
{
    return fmin(p->cost[0], p->cost[1]);
}

/* Expected nonzeros do not depend on the order; they are taken from the written one, or the middle.
 */
static void order_part(Chain *c, int i, int j)
{
    ChainPart *p = &c->parts[i][j], as_written;
    const int s = p->written >= 0 ? p->written : (i + j) / 2;

    p->rows = c->parts[i][i].rows;
    p->cols = c->parts[j][j].cols;
    estimate(c, &c->parts[i][s], &c->parts[s + 1][j], p);
    begin(p);
    as_written = *p;
    if (p->written >= 0) {
        offer_split(c, &as_written, i, j, p->written);
        offer_passes(c, &as_written, i, j);
        offer_transposes(&as_written);
    }
    for (int k = i; k < j; k++)
        offer_split(c, p, i, j, k);
    offer_passes(c, p, i, j);
    offer_transposes(p);
    if (p->written >= 0 && least(&as_written) * CLEARLY <= least(p))
        *p = as_written;
}

static void order_factor(Chain *c, int i)
{
    const ChainFactor *f = &c->factors[i];
    ChainPart *p = &c->parts[i][i];

    p->rows = f->rows;
    p->cols = f->cols;
    p->nnz = f->nnz;
    p->sketch = f->sketch;
    p->written = -1;
    begin(p);
    offer(p, f->t, CHAIN_FACTOR, -1, 0);
    if (f->both)
        offer(p, !f->t, CHAIN_FACTOR, -1, 0);
    else
        offer_transposes(p);
}

void chain_order(Chain *c)
{
    for (int i = 0; i < c->n; i++)
        order_factor(c, i);
    for (int length = 2; length <= c->n; length++)
        for (int i = 0; i + length <= c->n; i++)
            order_part(c, i, i + length - 1);
}

/* As the parts are written; a part written as the transpose of a product is a product all the same.
 */
static double written_part(const Chain *c, int i, int j)
{
    const ChainPart *p = &c->parts[i][j], *l, *r;
    double cost;

    if (i == j || p->written < 0 || p->ready)
        return 0;
    l = &c->parts[i][p->written];
    r = &c->parts[p->written + 1][j];
    if (p->form[0] == CHAIN_PASSES && p->split[0] == p->written) /* the rules find it, too */
        return passes_cost(l) + written_part(c, i + 2, j);
    if (p->written - i + 1 == j - p->written &&
        chain_same(&c->factors[i], &c->factors[p->written + 1], p->written - i + 1, true))
        return self_cost(l, r, p) + written_part(c, p->written + 1, j);
    cost = chain_product_cost(l, r, p->nnz);
    return cost + written_part(c, i, p->written) + written_part(c, p->written + 1, j);
}

double chain_written_cost(const Chain *c)
{
    return written_part(c, 0, c->n - 1);
}
