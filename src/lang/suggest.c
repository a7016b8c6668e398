/* The known name nearest to a wrong one, by the number of letters inserted, dropped, replaced or
 * swapped with their neighbour (Damerau 1964, the restricted form).  Case counts as half an edit,
 * so Nrow suggests nrow.  Names of up to SUGGEST_SIZE letters; cost: the product of the lengths for
 * each candidate. */
#include "lang/suggest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Distances are counted in half edits. */
enum { EDIT = 2 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int replace_cost(char a, char b)
{
    return a == b ? 0 : lower(a) == lower(b) ? EDIT / 2 : EDIT;
}

static int edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    int row[3][SUGGEST_SIZE + 1]; /* two lines of the table back */
    int *before = row[0], *last = row[1], *now = row[2], *swap;

    for (size_t j = 0; j <= m; j++)
        last[j] = (int)j * EDIT;
    for (size_t i = 1; i <= n; i++) {
        now[0] = (int)i * EDIT;
        for (size_t j = 1; j <= m; j++) {
            now[j] = smaller(last[j - 1] + replace_cost(a[i - 1], b[j - 1]),
                             smaller(last[j], now[j - 1]) + EDIT);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], before[j - 2] + EDIT);
        }
        swap = before;
        before = last;
        last = now;
        now = swap;
    }
    return last[m];
}

void suggest_begin(Suggestion *s, const char *wrong)
{
    size_t n = strlen(wrong);

    *s = (Suggestion){.wrong = wrong, .distance = n < 3 ? EDIT : n < 6 ? EDIT + 1 : 2 * EDIT + 1};
}

void suggest_add(Suggestion *s, const char *name, size_t size)
{
    size_t n = strlen(s->wrong);
    int d;

    if (size >= SUGGEST_SIZE || n >= SUGGEST_SIZE || size == 0)
        return;
    d = edit_distance(s->wrong, n, name, size);
    if (d >= s->distance || d >= (int)n * EDIT)
        return;
    s->distance = d;
    memcpy(s->best, name, size);
    s->best[size] = '\0';
}

void suggest_names(Suggestion *s, const char *names)
{
    while (*names) {
        size_t n = strcspn(names, " ");

        suggest_add(s, names, n);
        names += n + (names[n] == ' ');
    }
}

const char *suggest_hint(Suggestion *s)
{
    if (s->best[0])
        snprintf(s->hint, sizeof s->hint, "; did you mean '%s'?", s->best);
    return s->hint;
}
