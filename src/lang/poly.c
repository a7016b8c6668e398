/* Polynomials as short arrays of terms, added and multiplied term by term.
 *
 * Invariants: no two terms of a polynomial have the same symbols, no coefficient is 0.  Subscripts
 * have a handful of terms, so a term is found by looking at all of them. */
#include "lang/poly.h"

#include <string.h>

/* Doubles hold integers up to here, so arithmetic in the script is as exact as ours. */
static const int64_t coef_max = INT64_C(1) << 53;

Poly poly_bad(void)
{
    return (Poly){.bad = true};
}

static void add_term(Poly *p, int64_t coef, const int sym[POLY_DEGREE])
{
    int k = 0;

    while (k < p->count && memcmp(p->terms[k].sym, sym, sizeof p->terms[k].sym) != 0)
        k++;
    if (k == p->count) {
        if (k == POLY_TERMS) {
            p->bad = true;
            return;
        }
        p->terms[k].coef = 0;
        memcpy(p->terms[k].sym, sym, sizeof p->terms[k].sym);
        p->count++;
    }
    if (__builtin_add_overflow(p->terms[k].coef, coef, &p->terms[k].coef) ||
        p->terms[k].coef > coef_max || p->terms[k].coef < -coef_max)
        p->bad = true;
    else if (p->terms[k].coef == 0)
        p->terms[k] = p->terms[--p->count];
}

static Poly single(int64_t coef, int sym)
{
    Poly p = {0};

    if (coef != 0)
        add_term(&p, coef, (const int[POLY_DEGREE]){sym});
    return p;
}

Poly poly_constant(int64_t value)
{
    return single(value, 0);
}

Poly poly_symbol(int sym)
{
    return single(1, sym);
}

Poly poly_add(const Poly *a, const Poly *b, int64_t scale)
{
    Poly sum = *a;
    int64_t coef;

    sum.bad |= b->bad;
    for (int k = 0; k < b->count && !sum.bad; k++) {
        if (!mul_int64(b->terms[k].coef, scale, &coef))
            return poly_bad();
        if (coef != 0)
            add_term(&sum, coef, b->terms[k].sym);
    }
    return sum;
}

/* Both lists of symbols in one, in order; false when they are too many. */
static bool join_symbols(const int a[POLY_DEGREE], const int b[POLY_DEGREE], int out[POLY_DEGREE])
{
    int i = 0, j = 0, n = 0;

    memset(out, 0, sizeof(int) * POLY_DEGREE);
    while ((i < POLY_DEGREE && a[i] != 0) || (j < POLY_DEGREE && b[j] != 0)) {
        bool from_a =
            j == POLY_DEGREE || b[j] == 0 || (i < POLY_DEGREE && a[i] != 0 && a[i] >= b[j]);

        if (n == POLY_DEGREE)
            return false;
        out[n++] = from_a ? a[i++] : b[j++];
    }
    return true;
}

Poly poly_times(const Poly *a, const Poly *b)
{
    Poly product = {.bad = a->bad || b->bad};
    int sym[POLY_DEGREE];
    int64_t coef;

    for (int i = 0; i < a->count; i++)
        for (int j = 0; j < b->count && !product.bad; j++) {
            if (!join_symbols(a->terms[i].sym, b->terms[j].sym, sym) ||
                !mul_int64(a->terms[i].coef, b->terms[j].coef, &coef))
                return poly_bad();
            add_term(&product, coef, sym);
        }
    return product;
}

Poly poly_divide(const Poly *p, int64_t by)
{
    Poly quotient = *p;

    quotient.bad |= by == 0;
    for (int k = 0; k < p->count && !quotient.bad; k++) {
        quotient.bad = p->terms[k].coef % by != 0;
        quotient.terms[k].coef /= by;
    }
    return quotient;
}

/* A term without one power of sym; false when it holds none. */
static bool take_out(const Term *t, int sym, int out[POLY_DEGREE])
{
    int k = 0;

    while (k < POLY_DEGREE && t->sym[k] != sym)
        k++;
    if (k == POLY_DEGREE)
        return false;
    for (int i = 0; i < POLY_DEGREE; i++)
        out[i] = i < k ? t->sym[i] : i + 1 < POLY_DEGREE ? t->sym[i + 1] : 0;
    return true;
}

Poly poly_quotient(const Poly *p, int sym)
{
    Poly quotient = {.bad = p->bad};
    int rest[POLY_DEGREE];

    for (int k = 0; k < p->count; k++)
        if (take_out(&p->terms[k], sym, rest))
            add_term(&quotient, p->terms[k].coef, rest);
    return quotient;
}

bool poly_has(const Poly *p, int sym)
{
    for (int k = 0; k < p->count; k++)
        for (int i = 0; i < POLY_DEGREE; i++)
            if (p->terms[k].sym[i] == sym)
                return true;
    return false;
}

Poly poly_replace(const Poly *p, int sym, const Poly *q)
{
    Poly result = *p, symbol = poly_symbol(sym);

    for (int power = 0; power < POLY_DEGREE && !result.bad && poly_has(&result, sym); power++) {
        Poly factor = poly_quotient(&result, sym), old = poly_times(&factor, &symbol),
             new = poly_times(&factor, q);

        result = poly_add(&result, &old, -1);
        result = poly_add(&result, &new, 1);
    }
    return result;
}

Poly poly_twin(const Poly *p)
{
    Poly twin = {.bad = p->bad};
    int sym[POLY_DEGREE];

    for (int k = 0; k < p->count; k++) {
        for (int i = 0; i < POLY_DEGREE; i++)
            sym[i] = p->terms[k].sym[i] + (p->terms[k].sym[i] > 0 && p->terms[k].sym[i] % 2 == 0);
        add_term(&twin, p->terms[k].coef, sym);
    }
    return twin;
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

Poly poly_reduce(const Poly *p)
{
    int64_t common = 0;

    for (int k = 0; k < p->count; k++)
        common = gcd(common, p->terms[k].coef);
    return common > 1 ? poly_divide(p, common) : *p;
}

bool poly_is_constant(const Poly *p, int64_t *value)
{
    *value = p->count > 0 ? p->terms[0].coef : 0;
    return !p->bad && (p->count == 0 || (p->count == 1 && p->terms[0].sym[0] == 0));
}
