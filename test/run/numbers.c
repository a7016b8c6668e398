/* Comparing printed texts up to the rounding of their numbers: two engines that add in different
 * orders print different last digits. */
#include "case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-9;

/* Two words agree when they are equal, or numbers that are close; relatively when large. */
static bool same_word(const char *a, size_t na, const char *b, size_t nb)
{
    char *end_a, *end_b;
    double x, y;

    if (na == nb && memcmp(a, b, na) == 0)
        return true;
    x = strtod(a, &end_a);
    y = strtod(b, &end_b);
    if (na == 0 || nb == 0 || end_a != a + na || end_b != b + nb)
        return false;
    return x == y || fabs(x - y) <= TOLERANCE * fmax(1, fmax(fabs(x), fabs(y)));
}

bool text_same_numbers(const Text *left, const Text *right)
{
    static const char between[] = " \t\n,;:=|[]()";
    const char *a = left->data ? left->data : "", *b = right->data ? right->data : "";

    for (;;) {
        const size_t na = strcspn(a, between), nb = strcspn(b, between);

        if (!same_word(a, na, b, nb) || a[na] != b[nb])
            return false;
        if (!a[na])
            return true;
        a += na + 1;
        b += nb + 1;
    }
}
