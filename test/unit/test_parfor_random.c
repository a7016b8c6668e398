/* The dependency analysis of parfor against all cells that small random loops touch.
 *
 * Loops have numbers for bounds, at most one inner loop, and one or two accesses to a matrix by
 * points, ranges and whole dimensions.  What the analysis calls independent must be, and what it
 * calls a certain dependence must be one. */
#include "ml_test.h"

#include "lang/lang.h"

#include <string.h>

enum { TRIES = 10000, VALUES = 128 };

/* ---- random loops ---- */

typedef struct Affine {
    int i, j, number;
} Affine;

typedef struct Header {
    Affine from, to;
    int step; /* 0: none given */
} Header;

/* lo:hi, or max(lo, low):min(hi, high) when it is cut. */
typedef struct Index {
    bool all, point, cut;
    Affine lo, hi, low, high;
} Index;

typedef struct Touch {
    bool write, inner;
    Index dim[2];
} Touch;

typedef struct Loops {
    Header outer, inner;
    Touch touch[2];
    int touches;
} Loops;

static int pick(uint64_t *state, int low, int high)
{
    *state = hash_mix(*state, 0x9E37);
    return low + (int)((*state >> 20) % (uint64_t)(high - low + 1));
}

static Header pick_header(uint64_t *s, bool inner)
{
    const int far = !inner && pick(s, 0, 9) == 0 ? 40 : 8;
    Header h = {.from.number = pick(s, -3, 6), .to.number = pick(s, -3, far)};

    if (inner && pick(s, 0, 3) == 0)
        h.from.i = pick(s, -1, 1);
    if (inner && pick(s, 0, 3) == 0)
        h.to.i = pick(s, -1, 1);
    h.step = pick(s, 0, 2) == 0 ? pick(s, 1, 3) * (pick(s, 0, 1) ? 1 : -1) : 0;
    return h;
}

static Affine pick_affine(uint64_t *s, bool inner)
{
    return (Affine){pick(s, -3, 3), inner ? pick(s, -2, 2) : 0, pick(s, -9, 9)};
}

static Index pick_index(uint64_t *s, bool inner)
{
    Index x = {.all = pick(s, 0, 7) == 0, .point = pick(s, 0, 1), .lo = pick_affine(s, inner)};

    x.hi = x.lo;
    if (x.point)
        return x;
    if (pick(s, 0, 3) == 0)
        x.hi = pick_affine(s, inner);
    else
        x.hi.number += pick(s, 0, 4);
    x.cut = pick(s, 0, 3) == 0;
    x.low = (Affine){.number = pick(s, -9, 9)};
    x.high = pick_affine(s, inner);
    return x;
}

static Loops pick_loops(uint64_t *s)
{
    Loops l = {
        .outer = pick_header(s, false), .inner = pick_header(s, true), .touches = pick(s, 1, 2)};

    for (int k = 0; k < l.touches; k++) {
        Touch *t = &l.touch[k];

        t->write = k == 0 || pick(s, 0, 1);
        t->inner = pick(s, 0, 1);
        t->dim[0] = pick_index(s, t->inner);
        t->dim[1] = pick_index(s, t->inner);
        t->dim[1].all |= pick(s, 0, 1);
    }
    return l;
}

/* ---- as text ---- */

static void put_affine(Buffer *b, Affine a)
{
    buffer_format(b, "%d * i + %d * j + %d", a.i, a.j, a.number);
}

/* A number alone where nothing depends on the outer loop. */
static void put_bound(Buffer *b, Affine a)
{
    if (a.i)
        buffer_format(b, "%d * i + ", a.i);
    buffer_format(b, "%d", a.number);
}

static void put_header(Buffer *b, const char *word, const char *name, const Header *h)
{
    buffer_format(b, "%s (%s in ", word, name);
    buffer_text(b, h->step ? "seq(" : "(");
    put_bound(b, h->from);
    buffer_text(b, h->step ? ", " : "):(");
    put_bound(b, h->to);
    if (h->step)
        buffer_format(b, ", %d", h->step);
    buffer_text(b, ")) ");
}

static void put_cut(Buffer *b, const char *by, Affine bound, Affine limit, bool cut)
{
    if (cut)
        buffer_format(b, "%s(", by);
    put_affine(b, bound);
    if (!cut)
        return;
    buffer_text(b, ", ");
    put_affine(b, limit);
    buffer_text(b, ")");
}

static void put_index(Buffer *b, const Index *x)
{
    if (x->all)
        return;
    put_cut(b, "max", x->lo, x->low, x->cut);
    if (x->point)
        return;
    buffer_text(b, ":");
    put_cut(b, "min", x->hi, x->high, x->cut);
}

static void put_touch(Buffer *b, const Loops *l, const Touch *t)
{
    buffer_text(b, "  ");
    if (t->inner)
        put_header(b, "for", "j", &l->inner);
    else
        buffer_text(b, "for (j in 0:0) ");
    buffer_text(b, t->write ? "R[" : "print(R[");
    put_index(b, &t->dim[0]);
    buffer_text(b, ", ");
    put_index(b, &t->dim[1]);
    buffer_text(b, t->write ? "] = 1\n" : "])\n");
}

static void put_loops(Buffer *b, const Loops *l)
{
    buffer_text(b, "R = matrix(0, rows=9, cols=9)\n");
    put_header(b, "parfor", "i", &l->outer);
    buffer_text(b, "{\n");
    for (int k = 0; k < l->touches; k++)
        put_touch(b, l, &l->touch[k]);
    buffer_text(b, "}\n");
}

/* ---- by running through it ---- */

static int at(Affine a, int i, int j)
{
    return a.i * i + a.j * j + a.number;
}

static int list_values(const Header *h, int i, int values[VALUES])
{
    const int from = at(h->from, i, 0), to = at(h->to, i, 0);
    const int step = h->step ? h->step : from <= to ? 1 : -1;
    int n = 0;

    for (int v = from; step > 0 ? v <= to : v >= to; v += step)
        values[n++] = v;
    return n;
}

typedef struct Box {
    int lo[2], hi[2];
} Box;

static int list_boxes(const Loops *l, const Touch *t, int i, Box boxes[VALUES])
{
    int values[VALUES] = {0};
    int n = t->inner ? list_values(&l->inner, i, values) : 1;

    for (int k = 0; k < n; k++)
        for (int d = 0; d < 2; d++) {
            const Index *x = &t->dim[d];

            boxes[k].lo[d] = x->all ? -9999 : at(x->lo, i, values[k]);
            boxes[k].hi[d] = x->all ? 9999 : at(x->hi, i, values[k]);
            if (!x->all && x->cut && at(x->low, i, values[k]) > boxes[k].lo[d])
                boxes[k].lo[d] = at(x->low, i, values[k]);
            if (!x->all && x->cut && at(x->high, i, values[k]) < boxes[k].hi[d])
                boxes[k].hi[d] = at(x->high, i, values[k]);
        }
    return n;
}

static bool overlap(const Box *a, const Box *b)
{
    for (int d = 0; d < 2; d++)
        if (a->lo[d] > a->hi[d] || b->lo[d] > b->hi[d] || a->lo[d] > b->hi[d] ||
            b->lo[d] > a->hi[d])
            return false;
    return true;
}

static bool touch_meets(const Loops *l, const Touch *a, int i, const Touch *b, int other)
{
    Box left[VALUES], right[VALUES];
    int n = list_boxes(l, a, i, left), m = list_boxes(l, b, other, right);

    for (int k = 0; k < n; k++)
        for (int p = 0; p < m; p++)
            if (overlap(&left[k], &right[p]))
                return true;
    return false;
}

static bool iterations_meet(const Loops *l)
{
    int values[VALUES], n = list_values(&l->outer, 0, values);

    for (int a = 0; a < l->touches; a++)
        for (int b = 0; b < l->touches; b++)
            for (int i = 0; i < n && (l->touch[a].write || l->touch[b].write); i++)
                for (int k = 0; k < n; k++)
                    if (i != k && touch_meets(l, &l->touch[a], values[i], &l->touch[b], values[k]))
                        return true;
    return false;
}

/* ---- by the analysis ---- */

typedef enum Answer { NO, UNKNOWN, YES } Answer;

static int keep_finding(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

static Answer ask(const char *text)
{
    const CheckOptions options = {.lib = ""};
    Buffer findings = {0};
    Ctx ctx = {.diagnostics = keep_finding, .output_arg = &findings};
    Program *p = program_new(&ctx);
    Function *main_fn;
    Answer answer = NO;

    if (program_parse(&ctx, p, "t.dml", text, strlen(text), &options, &main_fn) != ML_OK) {
        if (!strstr(findings.data, "iterations of the parfor"))
            fail_msg("%s%s", text, findings.data);
        answer = strstr(findings.data, "may depend on each other") ? UNKNOWN : YES;
    }
    program_free(p);
    buffer_free(&findings);
    return answer;
}

ML_TEST(iterations_that_meet_in_random_loops_are_never_called_independent)
{
    int answers[2][3] = {{0}};

    for (uint64_t seed = 1; seed <= TRIES; seed++) {
        uint64_t chance = seed;
        Loops loops = pick_loops(&chance);
        bool meet = iterations_meet(&loops);
        Buffer text = {0};
        Answer answer;

        put_loops(&text, &loops);
        answer = ask(text.data);
        if (answer == (meet ? NO : YES))
            fail_msg("seed %d: iterations %s\n%s", (int)seed,
                     meet ? "meet, said independent" : "do not meet, said to be certain",
                     text.data);
        answers[meet][answer]++;
        buffer_free(&text);
    }
    print_message("parfor: %d of %d independent loops shown so, %d of %d dependences certain\n",
                  answers[0][NO], answers[0][NO] + answers[0][UNKNOWN], answers[1][YES],
                  answers[1][YES] + answers[1][UNKNOWN]);
    assert_true(answers[0][NO] > 9 * answers[0][UNKNOWN]);
    assert_true(answers[1][YES] > 4 * answers[1][UNKNOWN]);
}
