/* Every rewrite of the table against the plan without rewrites.
 *
 *     rules [NAME [SEED]]
 *
 * The programs are made from the rows: the pattern over random operands - dense, sparse, boolean,
 * of one row or column, without rows, with NaN, infinities and -0 - is run with -opt 0 and -opt 2.
 * Both must print the same up to rounding.  A rule whose pattern fires in none of its programs
 * fails. With a name only that rule runs, and what differs is printed. */
#include "hop/rewrite.h"
#include "matloom/matloom.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a rule, by the build: TRIES programs at most, until FIRED_ENOUGH fired; whether one MUST_FIRE.
 */
enum { SIZES = 4 };

typedef struct Gen {
    uint64_t state;
    int sizes[SIZES];
    bool same_shape, square;
    bool dense;                   /* no operand is sparse, so the signs of zeros are sure */
    int classes[PATTERN_CLASSES]; /* operator + 1 */
    Buffer text;
    int ntemps;
} Gen;

typedef struct Way {
    ml_context *context;
    Buffer out;
    ml_status status;
} Way;

static int pick(Gen *g, int n)
{
    g->state = hash_mix(g->state, 0x5bd1e995);
    return (int)((g->state >> 16) % (uint64_t)n);
}

/* ---- operands ---- */

static void begin_program(Gen *g)
{
    static const int sizes[] = {1, 2, 5, 30, 30, 90, 0};

    g->text.size = 0;
    g->ntemps = 0;
    memset(g->classes, 0, sizeof g->classes);
    g->sizes[0] = 1;
    for (int k = 1; k < SIZES; k++)
        g->sizes[k] = sizes[pick(g, 7)];
    g->same_shape = pick(g, 3) == 0;
    g->square = pick(g, 4) == 0;
    g->dense = true;
}

/* Cells that are odd, put into a matrix one by one; sparse matrices do not keep a -0. */
static void odd_cells(Gen *g, char name, int rows, int cols, bool dense)
{
    static const char *const odd[] = {"NaN", "Inf", "-Inf", "0", "-0.0"};

    for (int k = pick(g, 4); k > 0 && rows && cols; k--)
        buffer_format(&g->text, "%c[%d, %d] = %s\n", name, 1 + pick(g, rows), 1 + pick(g, cols),
                      odd[pick(g, dense ? 5 : 4)]);
}

static void assign_matrix(Gen *g, char name)
{
    static const char *const sparsity[] = {"1", "1", "0.5", "0.1", "0.01", "0"};
    static const char *const forms[] = {"%s", "%s", "%s", "round(%s)", "(%s > 0.5)", "abs(%s)"};
    int rows = g->sizes[g->same_shape ? 1 : pick(g, SIZES)];
    int cols = g->square ? rows : g->sizes[g->same_shape ? 2 : pick(g, SIZES)];
    const char *form = forms[pick(g, 6)], *at = strchr(form, '%');
    const int density = pick(g, 6);

    buffer_format(&g->text, "%c = %.*s", name, (int)(at - form), form);
    buffer_format(&g->text, "rand(rows=%d, cols=%d, min=-2, max=3, sparsity=%s, seed=%d)%s\n", rows,
                  cols, sparsity[density], 1 + pick(g, 9), at + 2);
    g->dense &= form[0] == '%' && density < 2;
    if (pick(g, 3) == 0)
        odd_cells(g, name, rows, cols, g->dense);
}

/* Often a place or the end of a range: 1, the middle of a dimension and what follows it, its end.
 */
static void assign_scalar(Gen *g, char name)
{
    static const char *const odd[] = {"0.5", "-1.5", "0", "Inf", "NaN", "1", "2"};
    const int size = g->sizes[g->same_shape ? 1 + pick(g, 2) : pick(g, SIZES)],
              half = (size + 1) / 2;
    const int places[] = {1, 1, half, half + 1, size, size, 2};

    if (pick(g, 6) == 0)
        buffer_format(&g->text, "%c = as.scalar(rand(rows=1, cols=1, min=-2, max=3, seed=%d))\n",
                      name, 1 + pick(g, 9));
    else if (pick(g, 3) == 0)
        buffer_format(&g->text, "%c = %s\n", name, odd[pick(g, 7)]);
    else
        buffer_format(&g->text, "%c = %d\n", name, places[pick(g, 7)]);
}

static char letter_of(int variable)
{
    return (char)(variable < 26 ? 'A' + variable : 'a' + variable - 26);
}

static void assign_letters(Gen *g, const Pattern *p, uint64_t *seen)
{
    if (p->kind == PATTERN_MATRIX || p->kind == PATTERN_SCALAR) {
        if (*seen >> p->variable & 1)
            return;
        *seen |= UINT64_C(1) << p->variable;
        if (p->kind == PATTERN_MATRIX)
            assign_matrix(g, letter_of(p->variable));
        else
            assign_scalar(g, letter_of(p->variable));
    }
    for (int k = 0; k < p->nin; k++)
        if (p->in[k])
            assign_letters(g, p->in[k], seen);
}

/* ---- the pattern as DML ---- */

static int class_operator(Gen *g, int class_)
{
    while (!g->classes[class_]) {
        int op = pick(g, OP_COUNT);

        if (op_table[op].dml && class_has(class_, op))
            g->classes[class_] = op + 1;
    }
    return g->classes[class_] - 1;
}

static void expression(Gen *g, const Pattern *p, Buffer *out);

static void literal(const Pattern *p, Buffer *out)
{
    if (p->lit.vt == VT_BOOL)
        buffer_text(out, p->lit.b ? "TRUE" : "FALSE");
    else if (p->lit.vt == VT_INT)
        buffer_format(out, "%lld", (long long)p->lit.i);
    else
        buffer_format(out, "%.17g", p->lit.d);
}

static void range(Gen *g, const Pattern *lo, const Pattern *hi, Buffer *out)
{
    if (lo)
        expression(g, lo, out);
    if (hi) {
        buffer_text(out, ":");
        expression(g, hi, out);
    }
}

/* Only variables can be indexed: what is indexed becomes one. */
static void indexing(Gen *g, const Pattern *p, Buffer *out)
{
    int temp = g->ntemps++;
    Buffer base = {0};

    expression(g, p->in[0], &base);
    buffer_format(&g->text, "T%d = %.*s\n", temp, (int)base.size, base.data);
    buffer_free(&base);
    buffer_format(out, "T%d[", temp);
    range(g, p->in[1], p->in[2], out);
    buffer_text(out, ", ");
    range(g, p->in[3], p->in[4], out);
    buffer_text(out, "]");
}

static void operation(Gen *g, const Pattern *p, Buffer *out)
{
    const OpInfo *op = &op_table[p->kind == PATTERN_CLASS ? class_operator(g, p->op) : p->op];
    int size = (int)strcspn(op->dml, " ");
    bool infix = (op->props & P_SYNTAX) && p->nin == 2;

    if (op->props & P_SYNTAX)
        buffer_text(out, "(");
    buffer_format(out, infix ? "" : "%.*s(", size, op->dml);
    for (int k = 0; k < p->nin && p->in[k]; k++) {
        if (k && infix)
            buffer_format(out, " %.*s ", size, op->dml);
        else if (k)
            buffer_text(out, ", ");
        expression(g, p->in[k], out);
    }
    buffer_text(out, infix || !(op->props & P_SYNTAX) ? ")" : "))");
}

static void expression(Gen *g, const Pattern *p, Buffer *out)
{
    switch (p->kind) {
    case PATTERN_MATRIX:
    case PATTERN_SCALAR:
        buffer_format(out, "%c", letter_of(p->variable));
        return;
    case PATTERN_LITERAL:
        literal(p, out);
        return;
    case PATTERN_OP:
        if (p->op == OP_index) {
            indexing(g, p, out);
            return;
        }
        break;
    case PATTERN_CLASS:
    case PATTERN_TEXT: /* in replacements only */
        break;
    }
    operation(g, p, out);
}

/* What comes next is planned apart, with what was before as variables. */
static void end_block(Gen *g)
{
    buffer_text(&g->text, "if (as.scalar(rand(rows=1, cols=1, seed=1)) > 2) print(\"never\")\n");
}

/* The value, and where it is 0 the sign of the 0. */
static void make_program(Gen *g, const Pattern *p)
{
    Buffer value = {0};
    uint64_t seen = 0;

    begin_program(g);
    assign_letters(g, p, &seen);
    if (pick(g, 2)) /* the operands are variables of an earlier block */
        end_block(g);
    expression(g, p, &value);
    buffer_format(&g->text, "r = as.matrix(%.*s)\n", (int)value.size, value.data);
    end_block(g); /* r is stored: zeros of sparse matrices have no sign */
    buffer_free(&value);
    buffer_text(&g->text, "print(nrow(r) + \" x \" + ncol(r))\n"
                          "print(toString(r, rows=100, cols=100, decimal=17))\n");
    if (g->dense)
        buffer_text(&g->text, "print(toString(ifelse(r == 0, 1 / r, 0), rows=100, cols=100, "
                              "decimal=0))\n");
    buffer_put(&g->text, "", 1);
}

/* ---- running and comparing ---- */

static int collect(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

static void way_open(Way *w, const char *opt)
{
    w->context = ml_context_new();
    if (!w->context)
        exit(2);
    ml_context_output(w->context, collect, collect, &w->out);
    ml_context_set(w->context, "opt", opt);
    ml_context_set(w->context, "without", "product_chains"); /* may move NaN and infinities */
}

static void way_run(Way *w, const char *script)
{
    w->out.size = 0;
    w->status = ml_run_text(w->context, "rules", script);
    buffer_put(&w->out, "", 1);
}

static void way_close(Way *w)
{
    ml_context_free(w->context);
    buffer_free(&w->out);
}

static double largest(const char *text)
{
    double most = 1;
    char *end;

    for (const char *at = text; *at; at = *end ? end + 1 : end) {
        double v = strtod(at, &end);

        if (isfinite(v) && fabs(v) > most)
            most = fabs(v);
    }
    return most;
}

/* Zeros beside tiny numbers: the sign of a 0 says nothing where the other is not 0. */
static bool same_word(double x, double y, double scale)
{
    if (isnan(x) || isnan(y))
        return isnan(x) && isnan(y);
    return x == y || fabs(x - y) <= 1e-10 * scale;
}

static bool same_text(const char *a, const char *b)
{
    const double scale = fmax(largest(a), largest(b));

    while (*a && *b) {
        char *ea, *eb;
        double x = strtod(a, &ea), y = strtod(b, &eb);

        if (ea == a || eb == b) {
            if (*a++ != *b++)
                return false;
        } else if (same_word(x, y, scale)) {
            a = ea;
            b = eb;
        } else {
            return false;
        }
    }
    return *a == *b;
}

static bool has_fired(Way *w, const char *name)
{
    const char *stats = ml_context_stats(w->context, 0),
               *at = stats ? strstr(stats, "Rewrites fired:") : NULL;
    size_t n = strlen(name);

    for (; at && (at = strstr(at, name)); at += n)
        if (at[-1] == '\t' || at[-1] == ' ')
            if (at[n] == ' ')
                return true;
    return false;
}

/* Of one rule; true when it holds and fires. */
static bool check_rule(Gen *g, Way *plain, Way *best, const char *name, const Pattern *p, bool show)
{
    int fired = 0, ran = 0;

    for (int k = 0; k < TRIES && fired < FIRED_ENOUGH; k++) {
        make_program(g, p);
        way_run(plain, g->text.data);
        if (plain->status != ML_OK)
            continue;
        ran++;
        way_run(best, g->text.data);
        fired += has_fired(best, name);
        if (best->status == ML_OK && same_text(plain->out.data, best->out.data))
            continue;
        printf("FAILED %s: differs from the plan as written\n%s", name, g->text.data);
        if (show)
            printf("---- as written\n%s---- optimized\n%s%s\n", plain->out.data, best->out.data,
                   ml_context_error(best->context) ? ml_context_error(best->context) : "");
        return false;
    }
    if (!fired && MUST_FIRE)
        printf("FAILED %s: fired in none of %d programs (%d without error)\n", name, TRIES, ran);
    return fired > 0 || !MUST_FIRE;
}

int main(int argc, char **argv)
{
    Gen g = {.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
    Ctx ctx = {0};
    Unit unit = {.arena = arena_new()};
    Way plain = {0}, best = {0};
    int failed = 0, checked = 0;

    way_open(&plain, "0");
    way_open(&best, "2");
    if (!unit.arena || rules_prepare(&ctx, &unit) != ML_OK)
        return 2;
    for (int k = 0; k < rewrite_count; k++) {
        const Rule *rule;

        if (rewrite_table[k].fn || (argc > 1 && strcmp(argv[1], rewrite_table[k].name) != 0))
            continue;
        checked++;
        if (rules_get(&ctx, &unit, k, &rule) != ML_OK) {
            printf("FAILED %s\n", ctx.err.text);
            failed++;
            continue;
        }
        failed += !check_rule(&g, &plain, &best, rewrite_table[k].name, rule->pattern, argc > 1);
    }
    printf("rules: %d passed, %d failed\n", checked - failed, failed);
    rules_free(&unit);
    arena_free(unit.arena);
    way_close(&plain);
    way_close(&best);
    buffer_free(&g.text);
    return failed || !checked;
}
