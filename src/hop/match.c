/* Trying a rule at a node: does its pattern match, do its conditions hold, and what replaces it?
 *
 * Matching is a search over goals "this pattern at this node" with backtracking: a goal branches
 * over the nodes known to be equal to the one at hand and over both orders of a commutative
 * operator.  A rule is applied only if the replacement has the type and, as far as known, the size
 * of what it replaces. Cost: the pattern's size times the branches, a microsecond or less. */
#include "hop/rewrite.h"
#include "hop/tree.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { SURE_NODES = 64 };

typedef struct Goal {
    const Pattern *pattern;
    Hop *hop;
    const struct Goal *next;
} Goal;

/* ---- predicates: what a rule may ask of one operand ---- */

static bool known_number(const Hop *h, double *out)
{
    if (h->lit.dt != DT_SCALAR || !scalar_is_number(h->lit))
        return false;
    *out = scalar_to_double(h->lit);
    return true;
}

/* All cells are 0 or 1. */
static bool is_boolean(const Hop *h)
{
    return h->kind == HOP_OP && (hop_info(h)->props & P_BOOLEAN);
}

/* A known number with room to multiply: its products neither overflow nor vanish by themselves. */
static bool is_moderate(const Hop *h)
{
    double v;

    return known_number(h, &v) && fabs(v) > 1e-100 && fabs(v) < 1e100;
}

/* No cell is -0: what is added up from 0, counted or compared. */
static bool has_no_negative_zero(const Hop *h)
{
    static const int sure[] = {OP_abs, OP_exp, OP_sum, OP_rowSums, OP_colSums, OP_tsmm, OP_table};

    if (h->kind != HOP_OP)
        return false;
    for (size_t k = 0; k < sizeof sure / sizeof *sure; k++)
        if (h->op == sure[k])
            return true;
    return is_boolean(h);
}

/* Few enough nonzeros that it will be held sparse. */
static bool is_sparse(const Hop *h)
{
    return h->dims.rows >= 0 && h->dims.cols >= 0 && h->dims.nnz >= 0 &&
           matrix_is_sparse(h->dims.rows, h->dims.cols, h->dims.nnz);
}

static bool is_double(const Hop *h)
{
    return h->vt == VT_DOUBLE;
}

/* Nothing that the value is made of can fail; looks at so many nodes. */
static bool cannot_fail(const Hop *h, int *budget)
{
    if (--*budget < 0 || h->kind == HOP_RESULT)
        return false;
    if (h->kind == HOP_READ)
        return h->sure;
    if (h->kind == HOP_OP && !hop_is_total(h))
        return false;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && !cannot_fail(h->in[k], budget))
            return false;
    return true;
}

/* May be left out: no error of the user's gets lost. */
static bool is_sure(const Hop *h)
{
    int budget = SURE_NODES;

    return cannot_fail(h, &budget);
}

PredicateFn rule_predicate(const char *name, size_t size)
{
    static const struct {
        const char *name;
        PredicateFn holds;
    } list[] = {
        {"boolean", is_boolean},
        {"moderate", is_moderate},
        {"no_negative_zero", has_no_negative_zero},
        {"sparse", is_sparse},
        {"double", is_double},
        {"sure", is_sure},
    };

    for (size_t k = 0; k < sizeof list / sizeof *list; k++)
        if (strlen(list[k].name) == size && memcmp(list[k].name, name, size) == 0)
            return list[k].holds;
    return NULL;
}

/* ---- conditions ---- */

static bool size_value(const Hop *h, SizeKind kind, double *out)
{
    const Dims *d = &h->dims;

    if (kind == SIZE_VALUE)
        return known_number(h, out);
    if ((kind != SIZE_COLS && d->rows < 0) || (kind != SIZE_ROWS && d->cols < 0))
        return false;
    *out = kind == SIZE_ROWS   ? (double)d->rows
           : kind == SIZE_COLS ? (double)d->cols
                               : (double)d->rows * (double)d->cols;
    return true;
}

static bool term_value(const Match *m, const Term *t, double *out)
{
    *out = t->number;
    for (int k = 0; k < t->n; k++) {
        const Hop *h = m->vars[t->part[k].variable];
        double v;

        if (!h || !size_value(h, t->part[k].kind, &v))
            return false;
        *out += t->part[k].sign * v;
    }
    return true;
}

/* The name of rows(X) or cols(X) alone, NULL of anything else. */
static SizeName term_name(const Match *m, const Term *t)
{
    const Hop *h =
        t->n == 1 && t->number == 0 && t->part[0].sign == 1 ? m->vars[t->part[0].variable] : NULL;

    if (!h || h->dt != DT_MATRIX || (t->part[0].kind != SIZE_ROWS && t->part[0].kind != SIZE_COLS))
        return NULL;
    return t->part[0].kind == SIZE_ROWS ? h->rows_name : h->cols_name;
}

/* Are two sizes equal though neither is known? */
static bool equal_by_name(const Match *m, const Term *a, const Term *b)
{
    const SizeName name = term_name(m, a);

    return name && name == term_name(m, b);
}

static bool condition_holds(const Match *m, const Condition *c)
{
    double x, y;

    if (c->relation == REL_HOLDS)
        return m->vars[c->variable] && c->holds(m->vars[c->variable]);
    if (!term_value(m, &c->left, &x) || !term_value(m, &c->right, &y))
        return c->relation == REL_EQ && equal_by_name(m, &c->left, &c->right);
    switch (c->relation) {
    case REL_EQ:
        return x == y;
    case REL_NE:
        return x != y;
    case REL_LT:
        return x < y;
    case REL_LE:
        return x <= y;
    case REL_GT:
        return x > y;
    default:
        return x >= y;
    }
}

/* ---- replacements ---- */

/* The text with the name of the operator that its class stands for.  It lives as long as the unit:
 * plans outlive their DAG. */
static Hop *build_text(Match *m, const char *text)
{
    const char *at = strchr(text, '@');
    size_t before = at ? (size_t)(at - text) : strlen(text), word = 0, size;
    const char *name = "", *after;
    String *s;

    while (at && isalpha((unsigned char)at[1 + word]))
        word++;
    if (at)
        name = op_table[m->classes[class_find(at + 1, word)] - 1].dml;
    after = at ? at + 1 + word : "";
    size = before + strcspn(name, " ") + strlen(after);
    s = arena_alloc(m->unit->arena, sizeof *s + size + 1);
    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    s->size = (int64_t)size;
    memcpy(s->text, text, before);
    memcpy(s->text + before, name, strcspn(name, " "));
    memcpy(s->text + before + strcspn(name, " "), after, strlen(after) + 1);
    return hop_literal(m->dag, value_string(s), m->root->span);
}

static Hop *build(Match *m, const Pattern *p)
{
    Hop *in[PATTERN_ARGS] = {NULL};

    switch (p->kind) {
    case PATTERN_MATRIX:
    case PATTERN_SCALAR:
        return m->vars[p->variable];
    case PATTERN_LITERAL:
        return hop_literal(m->dag, p->lit, m->root->span);
    case PATTERN_TEXT:
        return build_text(m, p->text);
    default:
        for (int k = 0; k < p->nin; k++)
            if (p->in[k]) {
                in[k] = build(m, p->in[k]);
                if (!in[k])
                    return NULL;
            }
        return hop_make(m->ctx, m->unit, m->dag,
                        p->kind == PATTERN_CLASS ? m->classes[p->op] - 1 : p->op, in, p->nin,
                        m->root->span);
    }
}

/* Estimated seconds of a replacement's own operators. */
static double own_seconds(const Match *m, const Pattern *p, const Hop *h)
{
    double sum = 0;

    if (p->kind != PATTERN_OP && p->kind != PATTERN_CLASS)
        return 0;
    if (h->kind == HOP_OP) {
        sum = h->seconds;
        for (int k = 0; k < p->nin && k < h->nin; k++)
            if (p->in[k] && h->in[k])
                sum += own_seconds(m, p->in[k], h->in[k]);
    }
    return sum;
}

/* guarded(row, operands ...): tries the fast form and falls back to the exact one. */
static Hop *build_guarded(Match *m, const Hop *fast)
{
    Hop *in[1 + OP_ARGS], *h;
    double scanned = m->rule->guard_result ? m->root->bytes : 0;
    int n = 0;

    in[n++] = hop_literal(m->dag, value_int(m->row), m->root->span);
    for (int k = 0; k < PATTERN_LETTERS; k++)
        if (m->vars[k]) {
            in[n++] = m->vars[k];
            if (m->rule->guard_operands >> k & 1)
                scanned += m->vars[k]->bytes;
        }
    h = in[0] ? hop_op(m->ctx, m->unit, m->dag, OP_guarded, in, NULL, n, m->root->span) : NULL;
    if (h) {
        h->dt = m->root->dt;
        h->vt = m->root->vt;
        h->dims = m->root->dims;
        h->bytes = m->root->bytes;
        h->seconds = own_seconds(m, m->rule->replacement, fast) + scanned / COST_BYTES_PER_SECOND;
    }
    return h;
}

static bool size_fits(int64_t is, int64_t was)
{
    return is < 0 || was < 0 || is == was;
}

/* Same type and size; what is not known of the replacement is taken from what it replaces. */
static bool fits(Hop *h, const Hop *root)
{
    if (h->dt != root->dt && (h->dt != DT_NONE || h->kind == HOP_LITERAL))
        return false;
    if (root->dt == DT_SCALAR)
        return h->vt == root->vt || h->vt == VT_UNKNOWN || root->vt == VT_UNKNOWN;
    if (!size_fits(h->dims.rows, root->dims.rows) || !size_fits(h->dims.cols, root->dims.cols))
        return false;
    h->dt = root->dt;
    if (h->dims.rows < 0)
        h->dims.rows = root->dims.rows;
    if (h->dims.cols < 0)
        h->dims.cols = root->dims.cols;
    return true;
}

static bool accept(Match *m)
{
    Hop *h;

    for (int k = 0; k < m->rule->nconditions; k++)
        if (!condition_holds(m, &m->rule->conditions[k]))
            return false;
    h = build(m, m->rule->replacement);
    if (!h || h == m->root || !fits(h, m->root))
        return false;
    if (m->rule->guarded) {
        h = build_guarded(m, h);
        if (!h)
            return false;
    }
    if (!h->rule && h->kind == HOP_OP) {
        h->rule = m->row + 1;
        h->instead = m->root;
        h->why = rewrite_table[m->row].pattern;
    }
    return m->found(m, h);
}

/* ---- matching ---- */

static bool match_goals(Match *m, const Goal *g);

bool same_value(const Hop *a, const Hop *b)
{
    const Hop *n = a;

    do {
        if (n == b)
            return true;
        n = next_same(n);
    } while (n != a);
    return false;
}

static bool match_variable(Match *m, const Pattern *p, Hop *h, const Goal *rest)
{
    Hop **bound = &m->vars[p->variable];
    bool done;

    if (*bound)
        return same_value(*bound, h) && match_goals(m, rest);
    if (p->kind == PATTERN_MATRIX ? h->dt != DT_MATRIX
                                  : h->dt != DT_SCALAR || h->vt == VT_STRING || h->vt == VT_BOOL)
        return false;
    *bound = h;
    done = match_goals(m, rest);
    *bound = NULL;
    return done;
}

/* An integer in a pattern is any number of this value. */
static bool match_literal(const Pattern *p, const Hop *h)
{
    const double want = scalar_to_double(p->lit);
    double v;

    if (p->lit.vt == VT_BOOL)
        return h->lit.dt == DT_SCALAR && h->lit.vt == VT_BOOL && h->lit.b == p->lit.b;
    return known_number(h, &v) && v == want && signbit(v) == signbit(want);
}

/* May the operands change places?  Of two matrices only the right one is repeated. */
static bool may_swap(const Hop *n)
{
    const Hop *x = n->in[0], *y = n->in[1];

    if (!(hop_info(n)->props & P_COMMUTATIVE) || n->nin != 2)
        return false;
    if (x->dt == DT_SCALAR || y->dt == DT_SCALAR)
        return x->vt != VT_STRING && y->vt != VT_STRING;
    return hop_rows_equal(x, y) && hop_cols_equal(x, y);
}

/* The operands in this order become goals before the others. */
static bool match_operands(Match *m, const Pattern *p, const Hop *n, bool swapped, const Goal *rest)
{
    Goal goals[PATTERN_ARGS];

    for (int k = p->nin - 1; k >= 0; k--) {
        int from = swapped ? 1 - k : k;
        Hop *in = from < n->nin ? n->in[from] : NULL;

        if (!p->in[k] != !in)
            return false;
        if (!in)
            continue;
        goals[k] = (Goal){p->in[k], in, rest};
        rest = &goals[k];
    }
    return match_goals(m, rest);
}

static bool match_operator(Match *m, const Pattern *p, const Hop *n, const Goal *rest)
{
    bool done;

    if (n->kind != HOP_OP || (n != m->root && m->once && !m->rule->shared && n->uses > 1))
        return false;
    for (int k = p->nin; k < n->nin; k++)
        if (n->in[k])
            return false;
    if (p->kind == PATTERN_CLASS) {
        int *bound = &m->classes[p->op], before = *bound;

        if (before ? before != n->op + 1 : !class_has(p->op, n->op))
            return false;
        *bound = n->op + 1;
        done = match_operands(m, p, n, false, rest);
        *bound = before;
        return done;
    }
    if (n->op != p->op)
        return false;
    return match_operands(m, p, n, false, rest) ||
           (may_swap(n) && match_operands(m, p, n, true, rest));
}

static bool match_goals(Match *m, const Goal *g)
{
    Hop *n;

    if (!g)
        return accept(m);
    n = g->hop;
    switch (g->pattern->kind) {
    case PATTERN_MATRIX:
    case PATTERN_SCALAR:
        return match_variable(m, g->pattern, n, g->next);
    case PATTERN_LITERAL:
        return match_literal(g->pattern, n) && match_goals(m, g->next);
    default:
        if (match_operator(m, g->pattern, n, g->next))
            return true;
        for (Hop *other = next_same(n); other != n; other = next_same(other))
            if (match_operator(m, g->pattern, other, g->next))
                return true;
        return false;
    }
}

bool rule_try(Match *m, Hop *root)
{
    m->root = root;
    return match_operator(m, m->rule->pattern, root, NULL);
}
