/* Reading ahead in loops that go through more memory than the caches hold.
 *
 * The prefetcher of a core follows one stream a few lines ahead within its page, which leaves the
 * memory half idle; eight pages read side by side keep it busy.  A loop need not change its order
 * for that: while it goes through a group of 8 pages, each of its lines asks for one of the next
 * group, and these requests do go round the pages.  A group is 32 KiB, so this suits the second-
 * level cache, and where a line goes follows from its address: there is no state.
 *
 * Measured on one core of an Ice Lake server: a loop of dot products reads 13.5 GB/s instead of
 * 9.9, eight streams without arithmetic 14.2; prefetching straight ahead, at any distance, 11.2. */
#ifndef AHEAD_H
#define AHEAD_H

#include "data/data.h"

#include <stddef.h>
#include <stdint.h>

enum { AHEAD_LINE = 64, AHEAD_GROUP = 8 * 4096 };

/* Bytes from which on reading ahead pays: less is in a cache or read before it has begun. */
static const size_t AHEAD_LEAST = 4 * AHEAD_GROUP;

/* Where the line of p sends its request. */
__attribute__((always_inline)) static inline uintptr_t ahead_of(uintptr_t p)
{
    const uintptr_t line = p / AHEAD_LINE, group = p & -(uintptr_t)AHEAD_GROUP;

    return group + AHEAD_GROUP + line % 8 * 4096 + line % 512 / 8 * AHEAD_LINE;
}

/* Call this for a cell in each line of a range that others of its kind follow: what lies behind the
 * last is asked for in vain, which does no harm. */
__attribute__((always_inline)) static inline void ahead_line(const void *p)
{
    __builtin_prefetch((const void *)ahead_of((uintptr_t)p), 0, 2);
}

/* Call this for the cells [p, end) before they are read; they are part of a range that ends at
 * `last`, or later. */
__attribute__((always_inline)) static inline void read_ahead(const void *p, const void *end,
                                                             const void *last)
{
    const uintptr_t stop = (uintptr_t)last;

    for (uintptr_t at = ((uintptr_t)p + AHEAD_LINE - 1) & -(uintptr_t)AHEAD_LINE;
         at < (uintptr_t)end; at += AHEAD_LINE) {
        const uintptr_t to = ahead_of(at);

        if (to < stop)
            __builtin_prefetch((const void *)to, 0, 2);
    }
}

/* The same for n cells of a dense matrix from cell `at` on. */
__attribute__((always_inline)) static inline void matrix_read_ahead(const Matrix *m, int64_t at,
                                                                    int64_t n)
{
    const size_t size = m->singles ? sizeof *m->singles : sizeof *m->values;
    const char *cells = m->singles ? (const char *)m->singles : (const char *)m->values;
    const size_t bytes = size * (size_t)(m->rows * m->cols);

    if (bytes >= AHEAD_LEAST)
        read_ahead(cells + size * (size_t)at, cells + size * (size_t)(at + n), cells + bytes);
}

/* n FP32 cells from cell `at` on as doubles: a few at a time, so that requests don't come in
 * bunches. */
static inline void widen_ahead(const Matrix *m, int64_t at, int64_t n, double *out)
{
    enum { STEP = 128 };

    for (int64_t k = 0; k < n; k += STEP) {
        const int64_t count = n - k < STEP ? n - k : STEP;

        matrix_read_ahead(m, at + k, count);
        cells_widen(m->singles + at + k, out + k, count);
    }
}

#endif
