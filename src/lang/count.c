/* Loops run through, the outer before the inner ones, each loop once for either iteration.
 *
 * What does not vary must have cancelled out of the conditions; otherwise a pair of iterations is
 * left open.  Of a loop whose length is not known a few iterations are tried: a pair found there
 * meets as soon as the loop is long enough. */
#include "lang/count.h"

enum { BLIND = 12 };

static void sort_symbols(Count *s)
{
    for (int k = 1; k < s->nsym; k++)
        for (int i = k; i > 0 && s->sym[i] < s->sym[i - 1]; i--) {
            int swap = s->sym[i];

            s->sym[i] = s->sym[i - 1];
            s->sym[i - 1] = swap;
        }
}

/* The value of a symbol, if it is one of the first `known`. */
static bool symbol_value(const Count *s, int sym, int known, int64_t *value)
{
    for (int k = 0; k < known; k++)
        if (s->sym[k] == sym) {
            *value = s->value[k];
            return true;
        }
    return false;
}

/* The value of p, or of its twin; false when that takes more than the first `known` symbols. */
static bool evaluate(const Count *s, const Poly *p, bool twin, int known, int64_t *value)
{
    int64_t factor, product;

    *value = 0;
    for (int k = 0; k < p->count; k++) {
        product = p->terms[k].coef;
        for (int i = 0; i < POLY_DEGREE && p->terms[k].sym[i] != 0; i++) {
            int sym = p->terms[k].sym[i];

            if (!symbol_value(s, sym + (twin && sym > 0), known, &factor) ||
                !mul_int64(product, factor, &product))
                return false;
        }
        if (__builtin_add_overflow(*value, product, value))
            return false;
    }
    return !p->bad;
}

static bool meet_here(Count *s)
{
    bool meet = true;
    int64_t value;

    for (int k = 0; k < s->nconditions; k++) {
        bool known = evaluate(s, &s->condition[k], false, s->nsym, &value);

        if (known && value < 0)
            return false;
        meet &= known;
    }
    s->all &= meet;
    return meet;
}

/* Does iteration v of the loop that symbol k counts run, with the symbols before k as they are? */
static bool runs(Count *s, int k, int64_t v)
{
    const bool twin = s->sym[k] % 2 == 1;
    int64_t left;

    s->value[k] = v;
    if (evaluate(s, &symbols_find(s->x, s->sym[k])->left, twin, k + 1, &left))
        return left >= 0;
    s->all = false;
    return v < BLIND;
}

/* With the first k symbols as they are. */
static bool search(Count *s, int k)
{
    if (k == s->nsym)
        return meet_here(s);
    for (int64_t v = 0; runs(s, k, v); v++) {
        if (k > 0 && s->sym[k] == SYM_OTHER && v == s->value[k - 1])
            continue; /* one iteration with itself */
        if (--s->steps < 0) {
            s->all = false;
            return false;
        }
        if (search(s, k + 1))
            return true;
    }
    return false;
}

bool count_meeting(Count *s)
{
    s->all = true;
    sort_symbols(s);
    return search(s, 0);
}
