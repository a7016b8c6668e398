/* The dependency analysis of parfor on random loops with symbols.
 *
 * Subscripts and bounds hold k and n, parameters of a function.  What is called independent must be
 * for every k and n for which all ranges ascend, which is what the analysis assumes. */
#include "ml_test.h"

#include "lang/lang.h"

#include <string.h>

enum { TRIES = 3000, N_MAX = 6, K_MAX = 4 };

/* number + n * N + (i + k * ik) * I + k * K + j * J, for the values N, K, I, J */
typedef struct Form {
    int number, n, k, i, ik, j;
} Form;

typedef struct Point {
    int n, k, i, j;
} Point;

typedef struct Touch {
    bool inner;
    Form lo, hi;
} Touch;

typedef struct Loops {
    Form from, to, inner_from, inner_to;
    Touch touch[2];
} Loops;

static int at(const Form *f, const Point *p)
{
    return f->number + f->n * p->n + f->k * p->k + (f->i + f->ik * p->k) * p->i + f->j * p->j;
}

static void put(Buffer *b, const Form *f)
{
    buffer_format(b, "(%d + %d * n + %d * k + (%d + %d * k) * i + %d * j)", f->number, f->n, f->k,
                  f->i, f->ik, f->j);
}

/* ---- random loops ---- */

static int pick(uint64_t *state, int low, int high)
{
    *state = hash_mix(*state, 0x51F3);
    return low + (int)((*state >> 20) % (uint64_t)(high - low + 1));
}

/* Mostly 0. */
static int seldom(uint64_t *s, int low, int high)
{
    return pick(s, 0, 2) == 0 ? pick(s, low, high) : 0;
}

static Form pick_bound(uint64_t *s, bool high)
{
    return (Form){.number = pick(s, 0, 2), .n = high ? pick(s, 0, 1) : 0, .k = pick(s, 0, 1)};
}

static Touch pick_touch(uint64_t *s)
{
    Touch t = {.inner = pick(s, 0, 1)};

    t.lo = (Form){.number = pick(s, -3, 3),
                  .n = seldom(s, -1, 1),
                  .k = seldom(s, -2, 2),
                  .i = seldom(s, -2, 3),
                  .ik = seldom(s, -1, 2),
                  .j = t.inner ? pick(s, -1, 1) : 0};
    t.hi = t.lo;
    t.hi.number += seldom(s, -2, 2);
    t.hi.k += seldom(s, 0, 1);
    return t;
}

static Loops pick_loops(uint64_t *s)
{
    Loops l = {.from = pick_bound(s, false), .to = pick_bound(s, true)};

    l.inner_from = pick_bound(s, false);
    l.inner_to = pick_bound(s, true);
    l.inner_from.i = seldom(s, 0, 1);
    l.inner_to.i = seldom(s, 0, 1);
    l.touch[0] = pick_touch(s);
    l.touch[1] = pick(s, 0, 1) ? l.touch[0] : pick_touch(s);
    return l;
}

static void put_touch(Buffer *b, const Loops *l, const Touch *t, bool write)
{
    buffer_text(b, "for (j in ");
    if (t->inner) {
        put(b, &l->inner_from);
        buffer_text(b, ":");
        put(b, &l->inner_to);
    } else {
        buffer_text(b, "0:0");
    }
    buffer_text(b, write ? ") R[" : ") print(R[");
    put(b, &t->lo);
    buffer_text(b, ":");
    put(b, &t->hi);
    buffer_text(b, write ? ", 1] = 1\n" : ", 1])\n");
}

static void put_loops(Buffer *b, const Loops *l)
{
    buffer_text(b,
                "f = function(matrix[double] R, int n, int k) return (int o) {\no = 1 j = 0 i = 0\n"
                "parfor (i in ");
    put(b, &l->from);
    buffer_text(b, ":");
    put(b, &l->to);
    buffer_text(b, ") {\n");
    put_touch(b, l, &l->touch[0], true);
    put_touch(b, l, &l->touch[1], false);
    buffer_text(b, "} }\n");
}

/* ---- by running through them ---- */

/* Do the touches of two iterations meet?  *ascends turns false at a range that does not. */
static bool meet(const Loops *l, const Touch *a, Point p, const Touch *b, Point q, bool *ascends)
{
    const int first = a->inner ? at(&l->inner_from, &p) : 0;
    const int last = a->inner ? at(&l->inner_to, &p) : 0;
    const int other_first = b->inner ? at(&l->inner_from, &q) : 0;
    const int other_last = b->inner ? at(&l->inner_to, &q) : 0;
    bool found = false;

    *ascends &= first <= last && other_first <= other_last;
    for (p.j = first; p.j <= last; p.j++)
        for (q.j = other_first; q.j <= other_last; q.j++) {
            int lo = at(&a->lo, &p), hi = at(&a->hi, &p);
            int other_lo = at(&b->lo, &q), other_hi = at(&b->hi, &q);

            found |= lo <= hi && other_lo <= other_hi && lo <= other_hi && other_lo <= hi;
        }
    return found;
}

static bool iterations_meet(const Loops *l, int n, int k)
{
    Point p = {.n = n, .k = k};
    const int from = at(&l->from, &p), to = at(&l->to, &p);
    bool found = false, ascends = from <= to;

    for (p.i = from; p.i <= to; p.i++)
        for (int other = from; other <= to; other++) {
            Point q = p;

            q.i = other;
            if (other == p.i)
                continue;
            found |= meet(l, &l->touch[0], p, &l->touch[0], q, &ascends);
            found |= meet(l, &l->touch[0], p, &l->touch[1], q, &ascends);
        }
    return found && ascends;
}

static bool ever_meet(const Loops *l)
{
    for (int n = -1; n <= N_MAX; n++)
        for (int k = -2; k <= K_MAX; k++)
            if (iterations_meet(l, n, k))
                return true;
    return false;
}

/* ---- by the analysis ---- */

ML_TEST(loops_with_symbols_called_independent_are_so_for_all_values)
{
    int independent[2] = {0};

    for (uint64_t seed = 1; seed <= TRIES; seed++) {
        const CheckOptions options = {.lib = ""};
        uint64_t chance = seed;
        Loops loops = pick_loops(&chance);
        bool meets = ever_meet(&loops), said;
        Buffer text = {0};
        Ctx ctx = {0};
        Program *p = program_new(&ctx);
        Function *main_fn;

        put_loops(&text, &loops);
        said = program_parse(&ctx, p, "t.dml", text.data, text.size, &options, &main_fn) == ML_OK;
        if ((said && meets) || (!said && !strstr(ctx.err.text, "iterations of the parfor")))
            fail_msg("seed %d: %s\n%s", (int)seed, said ? "iterations meet" : ctx.err.text,
                     text.data);
        independent[said] += !meets;
        program_free(p);
        buffer_free(&text);
    }
    print_message("parfor: %d of %d loops with symbols shown independent\n", independent[true],
                  independent[true] + independent[false]);
    assert_true(independent[true] > 0);
}
