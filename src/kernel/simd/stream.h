/* Stores past the caches, for results that are larger than the caches.
 *
 * A usual store first reads the line that it then overwrites: a third more traffic for X + Y.  A
 * tile computed in the first-level cache and copied out by these costs a copy within the cache and
 * saves the read.  Measured on one core of an Ice Lake server, X + Y of 160 MB each with reading
 * ahead (ahead.h): 31 ms instead of 38, abs(X) 17 instead of 27; but exp(X), which computes longer
 * than memory takes, 56 instead of 46. */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Cells of a tile, and of a result from which on this pays: whoever reads a smaller one next may
 * still find it in the last-level cache. */
enum { STREAM_TILE = 512, STREAM_LEAST = 4 << 20 };

/* Copy a tile; `out` should begin a line for this to pay. */
static inline void stream_cells(double *out, const double *tile, int64_t n)
{
    int64_t i = 0;

#ifdef __SSE2__
    if ((uintptr_t)out % 16 == 0)
        for (; i + 8 <= n; i += 8)
            for (int64_t k = i; k < i + 8; k += 2)
                _mm_stream_pd(out + k, _mm_loadu_pd(tile + k));
#endif
    memcpy(out + i, tile + i, (size_t)(n - i) * sizeof *out);
}

/* Call this after the last tile of a task: only then others may see the cells. */
static inline void stream_end(void)
{
#ifdef __SSE2__
    _mm_sfence();
#endif
}

#endif
